"""What the reports of a base say of one pair: when, whom, with what, where, how grave, and which cases.

Counted on the reports that a run counted, see :mod:`~lab39.solutions.signals.counted`. Every count is of distinct
reports. A store may have moved or changed since: callers learn how many cases there are now.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lab39.solutions.signals.readers.model import CRITERIA
from lab39.solutions.signals.strata import age_bounds

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

CASES = 10
"""Cases on a page."""
LISTED = 10
"""Rows of a list of drugs, of countries."""


@dataclass(frozen=True, slots=True)
class Period:
    """A quarter: reports with both, with the drug, with the event, all of them."""

    name: str
    n: int
    n_drug: int
    n_event: int
    total: int

    @property
    def expected(self) -> float:
        """Reports that independence would give in this quarter."""
        return self.n_drug * self.n_event / self.total


@dataclass(frozen=True, slots=True)
class Share:
    """How often something is among the cases, and among the reports they are compared with.

    Attributes:
        name: of it: a band of age (``3``), a sex, a drug, a country; None when it is not told.
        n: cases.
        of: cases where it could be told.
        base: reports of the comparison.
        base_of: of how many.
    """

    name: str | None
    n: int
    of: int
    base: int
    base_of: int

    @property
    def share(self) -> float:
        """Of the cases."""
        return self.n / self.of if self.of else 0.0

    @property
    def base_share(self) -> float:
        """Of the comparison."""
        return self.base / self.base_of if self.base_of else 0.0


@dataclass(frozen=True, slots=True)
class Profile:
    """Everything about a pair but its cases one by one.

    Attributes:
        n: cases found now.
        periods: quarters of the base, in order.
        undated: cases without a quarter.
        ages: bands of age, in order, against the whole base; ``age_unknown`` cases without one.
        sexes: likewise.
        with_others: other drugs of the cases, against the other reports of the drug.
        countries: of the cases, the commonest first, against the whole base.
        criteria: cases for each criterion of seriousness that is said.
        serious: cases said to be serious; ``not_serious``, said not to be; the others do not say.
        outcomes: of the event, cases for each; None when it is not told.
        onset_days: from the first dose to the event, in days, where both days are known.
    """

    n: int
    periods: tuple[Period, ...]
    undated: int
    ages: tuple[Share, ...]
    age_unknown: int
    sexes: tuple[Share, ...]
    sex_unknown: int
    with_others: tuple[Share, ...]
    countries: tuple[Share, ...]
    criteria: tuple[tuple[str, int], ...]
    serious: int
    not_serious: int
    outcomes: tuple[tuple[str | None, int], ...]
    onset_days: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Named:
    """A drug of a case, once, whatever the lines that name it.

    Attributes:
        lines: role and dose of each line, those that say the same once; None for what is not told.
    """

    name: str
    lines: tuple[tuple[str | None, str | None], ...]


@dataclass(frozen=True, slots=True)
class CaseRow:
    """One case as listed: no words of the reporter, only what was counted.

    Attributes:
        drugs: each once, in the order of the report.
        like: numbers of the reports that probably tell the same case.
    """

    number: str
    date: str | None
    received: str | None
    age_years: float | None
    sex: str | None
    country: str | None
    serious: bool | None
    drugs: tuple[Named, ...]
    events: tuple[str, ...]
    like: tuple[str, ...]


def profile(con: DuckDBPyConnection, drug: str) -> Profile:
    """Count everything about a pair; see :func:`~lab39.solutions.signals.counted.opened`."""
    n = _one(con, "SELECT count(*) FROM cases")
    con.execute(
        """CREATE OR REPLACE TEMP TABLE base AS SELECT quarter, band, sex, country, count(*)::BIGINT AS many
        FROM counted GROUP BY ALL"""
    )
    ages, age_unknown = _bands(con)
    sexes = _shares(con, "sex")
    countries = _shares(con, "country")
    known_sexes = tuple(each for each in sorted(sexes, key=lambda each: each.name or "") if each.name in ("F", "M"))
    return Profile(
        n=n,
        periods=_periods(con),
        undated=_one(con, "SELECT count(*) FROM cases WHERE quarter IS NULL"),
        ages=ages,
        age_unknown=age_unknown,
        sexes=known_sexes,
        sex_unknown=n - sum(each.n for each in known_sexes),
        with_others=_others(con, drug),
        countries=tuple(each for each in countries if each.name is not None and each.n)[:LISTED],
        criteria=_criteria(con),
        serious=_one(con, "SELECT count(*) FROM cases WHERE serious"),
        not_serious=_one(con, "SELECT count(*) FROM cases WHERE serious = false"),
        outcomes=_outcomes(con),
        onset_days=onset_days(con),
    )


def _one(con: DuckDBPyConnection, query: str) -> int:
    return int(con.execute(query).fetchall()[0][0])


def _periods(con: DuckDBPyConnection) -> tuple[Period, ...]:
    """The quarters of the base, in order."""
    total, n, drug, event = (
        dict(con.execute(f"SELECT quarter, {many} FROM {table} GROUP BY quarter").fetchall())
        for table, many in (
            ("base", "sum(many)::BIGINT"),
            ("cases", "count(*)"),
            ("counted SEMI JOIN with_drug USING (report_key)", "count(*)"),
            ("counted SEMI JOIN with_event USING (report_key)", "count(*)"),
        )
    )
    return tuple(
        Period(name, n.get(name, 0), drug.get(name, 0), event.get(name, 0), many)
        for name, many in sorted((name, many) for name, many in total.items() if name is not None)
    )


def _bands(con: DuckDBPyConnection) -> tuple[tuple[Share, ...], int]:
    rows = {each.name: each for each in _shares(con, "band")}
    of = sum(each.n for each in rows.values() if each.name is not None)
    base_of = sum(each.base for each in rows.values() if each.name is not None)
    names = [str(at) for at in range(len(age_bounds()))]
    unknown = rows[None].n if None in rows else 0
    return tuple(rows.get(name, Share(name, 0, of, 0, base_of)) for name in names), unknown


def _shares(con: DuckDBPyConnection, column: str) -> list[Share]:
    """Each value of a column, the commonest among the cases first, against the whole base."""
    cases, base = (
        dict(con.execute(f"SELECT {column}, {many} FROM {table} GROUP BY 1").fetchall())
        for table, many in (("cases", "count(*)"), ("base", "sum(many)::BIGINT"))
    )
    of = sum(many for name, many in cases.items() if name is not None)
    base_of = sum(many for name, many in base.items() if name is not None)
    made = [Share(name, cases.get(name, 0), of, many, base_of) for name, many in base.items()]
    return sorted(made, key=lambda each: (-each.n, each.name or ""))


def _others(con: DuckDBPyConnection, drug: str) -> tuple[Share, ...]:
    """The other drugs of the cases, the commonest first; against the reports of the drug without the event."""
    rows = con.execute(
        f"""WITH of_drug AS (SELECT c.report_key, e.report_key IS NOT NULL AS is_case FROM counted c
            SEMI JOIN with_drug USING (report_key) LEFT JOIN with_event e USING (report_key)),
        taken AS (SELECT DISTINCT report_key, is_case, name FROM named JOIN of_drug USING (report_key)
            WHERE name <> ? AND name <> '')
        SELECT name, count(*) FILTER (is_case) AS n, (SELECT count(*) FROM of_drug WHERE is_case),
            count(*) FILTER (NOT is_case), (SELECT count(*) FROM of_drug WHERE NOT is_case)
        FROM taken GROUP BY name HAVING n > 0 ORDER BY n DESC, name LIMIT {LISTED}""",
        [drug],
    ).fetchall()
    return tuple(Share(*row) for row in rows)


def _criteria(con: DuckDBPyConnection) -> tuple[tuple[str, int], ...]:
    counts = ", ".join(f"count(*) FILTER ({name})" for name in CRITERIA)
    row = con.execute(f"SELECT {counts} FROM cases").fetchall()[0]
    return tuple((name, int(many)) for name, many in zip(CRITERIA, row, strict=True) if many)


def _outcomes(con: DuckDBPyConnection) -> tuple[tuple[str | None, int], ...]:
    rows = con.execute(
        """SELECT coalesce(e.outcome, c.outcome) AS told, count(DISTINCT c.report_key) FROM cases c
        LEFT JOIN the_event e USING (report_key) GROUP BY told ORDER BY told IS NULL, 2 DESC, told"""
    ).fetchall()
    return tuple((told, int(many)) for told, many in rows)


def onset_days(con: DuckDBPyConnection) -> tuple[int, ...]:
    """Days from the first known day of the drug to the event, of each case where both are known to the day."""
    rows = con.execute(
        """WITH began AS (SELECT report_key, min(start_date) AS day FROM the_drug SEMI JOIN cases USING (report_key)
            WHERE length(start_date) = 10 GROUP BY 1),
        came AS (SELECT c.report_key, coalesce(min(e.onset) FILTER (length(e.onset) = 10),
                any_value(c.event_date) FILTER (length(c.event_date) = 10)) AS day
            FROM cases c JOIN the_event e USING (report_key) GROUP BY 1)
        SELECT date_diff('day', began.day::DATE, came.day::DATE) AS days FROM began JOIN came USING (report_key)
        WHERE came.day IS NOT NULL AND days >= 0 ORDER BY days"""
    ).fetchall()
    return tuple(int(row[0]) for row in rows)


def cases(con: DuckDBPyConnection, page: int) -> tuple[CaseRow, ...]:
    """A page of the cases, the latest received first."""
    rows = con.execute(
        f"""SELECT report_key, report_id, event_date, received, age_years, sex, country, serious FROM cases
        ORDER BY received DESC NULLS LAST, report_key LIMIT {CASES} OFFSET ?""",
        [(page - 1) * CASES],
    ).fetchall()
    keys = [row[0] for row in rows]
    drugs = _lists(
        con,
        "SELECT report_key, name, role, dose FROM named WHERE list_contains(?, report_key) ORDER BY seq, name",
        keys,
    )
    events = _lists(con, "SELECT report_key, event FROM told WHERE list_contains(?, report_key)", keys)
    like = _links(con, [row[1] for row in rows])
    return tuple(
        CaseRow(
            row[1],
            row[2],
            row[3],
            row[4],
            row[5],
            row[6],
            row[7],
            _named(drugs.get(row[0], ())),
            tuple(dict.fromkeys(name for (name,) in events.get(row[0], ()) if name)),
            tuple(like.get(row[1], ())),
        )
        for row in rows
    )


def _named(rows: Sequence[tuple[Any, ...]]) -> tuple[Named, ...]:
    lines: dict[str, dict[tuple[str | None, str | None], None]] = {}
    for name, role, dose in rows:
        if name:
            lines.setdefault(name, {})[role, (dose or "").strip() or None] = None
    return tuple(Named(name, tuple(said)) for name, said in lines.items())


def _lists(con: DuckDBPyConnection, query: str, keys: Sequence[int]) -> Mapping[int, list[tuple[Any, ...]]]:
    made: dict[int, list[tuple[Any, ...]]] = {}
    for key, *rest in con.execute(query, [list(keys)]).fetchall() if keys else ():
        made.setdefault(key, []).append(tuple(rest))
    return made


def _links(con: DuckDBPyConnection, numbers: Sequence[str]) -> Mapping[str, list[str]]:
    """Likely duplicates of some reports, when they were looked for."""
    views = {row[0] for row in con.execute("SELECT view_name FROM duckdb_views()").fetchall()}
    made: dict[str, list[str]] = {}
    if "links" not in views or not numbers:
        return made
    rows = con.execute(
        "SELECT first, second FROM links WHERE list_contains(?, first) OR list_contains(?, second) ORDER BY ALL",
        [list(numbers), list(numbers)],
    ).fetchall()
    for first, second in rows:
        made.setdefault(first, []).append(second)
        made.setdefault(second, []).append(first)
    return made
