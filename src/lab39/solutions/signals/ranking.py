"""The ranked table of a run, read where it lies: filters, sort, one page at a time.

The table of a run is a Parquet file of up to millions of pairs; DuckDB reads the columns that are asked for and
keeps the page. Columns of triage are used when the run has them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlencode

from lab39.core.errors import InputError
from lab39.core.faces import Fields
from lab39.core.text import NO_TEXT, Text
from lab39.solutions.signals.runs import Run

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

A_PAGE = 25
LEAFED = 10_000
"""Rows that can be leafed through; further down, filters are the way."""
EXPORTED = 50_000
"""Rows of an export at most; the whole table is the file of the run."""
MEMORY = "512MB"


@dataclass(frozen=True, slots=True)
class Column:
    """A column that is shown.

    Attributes:
        head: with its unit.
        about: what it is, in one line.
        digits: decimals; None for words.
        ascending: sorted from the smallest.
    """

    name: str
    head: Text
    about: Text
    digits: int | None = 0
    ascending: bool = False


COLUMNS: tuple[Column, ...] = (
    Column(
        "triage_rank",
        Text("Rang", "Rank"),
        Text("Ordre de lecture proposé par le tri", "Order of reading that triage proposes"),
        ascending=True,
    ),
    Column(
        "n",
        Text("Cas (n)", "Cases (n)"),
        Text("Notifications qui citent les deux", "Reports that mention both"),
    ),
    Column(
        "expected",
        Text("Attendus (n)", "Expected (n)"),
        Text("Ce que donnerait l'indépendance", "What independence would give"),
        1,
    ),
    Column(
        "eb05",
        Text("EB05 (rapport)", "EB05 (ratio)"),
        Text("Borne basse à 5\u202f% du rapport lissé EBGM", "Lower 5% bound of the shrunk ratio EBGM"),
        2,
    ),
    Column(
        "ic025",
        Text("IC025 (bits)", "IC025 (bits)"),
        Text("Borne basse à 2,5\u202f% de l'IC", "Lower 2.5% bound of the IC"),
        2,
    ),
    Column(
        "prr",
        Text("PRR (rapport)", "PRR (ratio)"),
        Text("Rapport des proportions de notification", "Proportional reporting ratio"),
        2,
    ),
    Column(
        "serious",
        Text("Graves (n)", "Serious (n)"),
        Text("Notifications dites graves", "Reports said to be serious"),
    ),
    Column("countries", Text("Pays (n)", "Countries (n)"), Text("Pays qui notifient", "Countries that report")),
    Column(
        "recent",
        Text("Récents (n)", "Recent (n)"),
        Text("Cas des derniers trimestres", "Cases of the last quarters"),
    ),
    Column(
        "criteria_met",
        Text("Critères (n)", "Criteria (n)"),
        Text("Critères du tri remplis", "Criteria of triage that are met"),
    ),
)
BY_NAME: Mapping[str, Column] = {each.name: each for each in COLUMNS}
SORTS = (*BY_NAME, "drug", "event")
REVERSED = "reversed"


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of the table; it stands in the address.

    Attributes:
        run: version of the pack; empty for the newest, ``demo`` for the demonstration.
        drug: part of the name, whatever the case; ``event`` likewise.
        least: reports at least.
        ic: only IC025 above 0.
        eb: only EB05 of 2 at least.
        serious: only pairs with a serious report.
        unknown: only pairs that are not a known reaction.
        sort: a column; empty for the order of the run.
        order: ``reversed`` for the other way round; empty for the usual one (names from A).
        page: from 1.
    """

    run: str = ""
    drug: str = ""
    event: str = ""
    least: int = 1
    ic: bool = False
    eb: bool = False
    serious: bool = False
    unknown: bool = False
    sort: str = ""
    order: str = ""
    page: int = 1

    def address(self, **changed: Any) -> str:
        """The query that asks the same, but for what changes; a change of anything but the page goes back to 1."""
        if changed and "page" not in changed:
            changed["page"] = 1
        other = replace(self, **changed)
        pairs = [(name, getattr(other, name)) for name in ("run", "drug", "event", "sort", "order")]
        pairs += [("least", other.least if other.least != 1 else "")]
        pairs += [(name, "yes" if getattr(other, name) else "") for name in ("ic", "eb", "serious", "unknown")]
        pairs += [("page", other.page if other.page != 1 else "")]
        told = urlencode([(name, value) for name, value in pairs if value])
        return f"?{told}" if told else ""

    @property
    def narrowed(self) -> bool:
        """Whether a filter is on."""
        return bool(self.drug or self.event or self.least > 1 or self.ic or self.eb or self.serious or self.unknown)


@dataclass(frozen=True, slots=True)
class Found:
    """One page of the table.

    Attributes:
        rows: each by column.
        total: pairs that pass the filters.
        columns: that the run has, in order.
        has: every column of the run.
        sort: the column it is sorted by.
        ascending: from the smallest, or from A.
        pages: that can be leafed through.
    """

    rows: tuple[Mapping[str, Any], ...]
    total: int
    columns: tuple[Column, ...]
    has: frozenset[str]
    sort: str
    ascending: bool
    pages: int

    @property
    def sorted_by(self) -> Text:
        """The order of the rows, in words."""
        names = {"drug": Text("médicament", "drug"), "event": Text("événement", "event")}
        head = names[self.sort] if self.sort in names else _of_head(BY_NAME[self.sort].head)
        way = {
            (True, True): Text("de A à Z", "from A to Z"),
            (True, False): Text("de Z à A", "from Z to A"),
            (False, True): Text("du plus petit au plus grand", "from the smallest to the largest"),
            (False, False): Text("du plus grand au plus petit", "from the largest to the smallest"),
        }[self.sort in names, self.ascending]
        return Text(f"Triés par {head.fr}, {way.fr}", f"Sorted by {head.en}, {way.en}")


def read(query: Fields) -> Asked:
    """What an address asks.

    Raises:
        InputError: a number or a choice that cannot be one, at its field.
    """
    flags = {name: bool(query.text(name)) for name in ("ic", "eb", "serious", "unknown")}
    return Asked(
        run=query.text("run")[:64],
        drug=query.text("drug")[:200],
        event=query.text("event")[:200],
        least=_whole(query, "least"),
        sort=query.choice("sort", ("", *SORTS), ""),
        order=query.choice("order", ("", REVERSED), ""),
        page=_whole(query, "page"),
        **flags,
    )


def _whole(query: Fields, name: str) -> int:
    written = query.text(name)
    if not written:
        return 1
    if written.isascii() and written.isdigit() and len(written) <= 9 and int(written) >= 1:
        return int(written)
    raise InputError(
        Text("un nombre entier, 1 ou plus, est attendu", "a whole number, 1 or more, is expected"), name
    )


def found(run: Run, asked: Asked, size: int = A_PAGE) -> Found:
    """A page of the pairs of a run."""
    con = _opened(run)
    try:
        has = _columns(con)
        where, given = _where(asked, has)
        sort = _sort(run, asked, has)
        total = int(con.execute(f"SELECT count(*) FROM pairs{where}", given).fetchall()[0][0])
        pages = max(1, -(-min(total, LEAFED) // size))
        offset = (min(asked.page, pages) - 1) * size
        shown = [each for each in COLUMNS if each.name in has]
        names = ", ".join(["drug", "event", *(each.name for each in shown), *_beside(has)])
        rows = _rows(con, _some(names, where, _order(run, sort, asked.order), size, offset), given)
    finally:
        con.close()
    ascending = _usual(sort) != (asked.order == REVERSED)
    return Found(tuple(rows), total, tuple(shown), has, sort, ascending, pages)


def every(run: Run, asked: Asked) -> tuple[Sequence[str], list[tuple[Any, ...]], int]:
    """The columns and rows of an export, every column of the run, and how many pairs pass the filters."""
    con = _opened(run)
    try:
        has = _columns(con)
        where, given = _where(asked, has)
        total = int(con.execute(f"SELECT count(*) FROM pairs{where}", given).fetchall()[0][0])
        order = _order(run, _sort(run, asked, has), asked.order)
        done = con.execute(_some("* EXCLUDE (file_row_number)", where, order, EXPORTED), given)
        return [each[0] for each in done.description or ()], done.fetchall(), total
    finally:
        con.close()


def pair(run: Run, drug: str, event: str) -> Mapping[str, Any] | None:
    """The row of a pair with its place in the order of the run (``place``); None when the run has no such pair.

    The names are those of the run; without them, those that differ by capitals only.
    """
    con = _opened(run)
    try:
        for test in ("drug = ? AND event = ?", "lower(drug) = lower(?) AND lower(event) = lower(?)"):
            query = f"SELECT * EXCLUDE (file_row_number) FROM pairs WHERE {test} ORDER BY file_row_number LIMIT 1"
            if rows := _rows(con, query, [drug, event]):
                break
        else:
            return None
        lead = run.leading
        value = rows[0][lead]
        better = con.execute(f"SELECT count(*) FROM pairs WHERE {lead} > ?", [value]).fetchall()[0][0]
        return rows[0] | {"place": int(better) + 1}
    finally:
        con.close()


def margins(run: Run, role: Literal["drug", "event"]) -> Mapping[str, int]:
    """Every drug, or event, that has a pair in the table of a run, with its reports."""
    con = _opened(run)
    try:
        query = f"SELECT {role}, any_value(n_{role}) FROM pairs GROUP BY {role} ORDER BY {role}"
        return {str(name): int(many) for name, many in con.execute(query).fetchall()}
    finally:
        con.close()


def _opened(run: Run) -> DuckDBPyConnection:
    import duckdb

    from lab39.solutions.signals.readers.store import quoted

    con = duckdb.connect(
        config={"memory_limit": MEMORY, "autoinstall_known_extensions": False, "autoload_known_extensions": False}
    )
    con.execute(f"CREATE VIEW pairs AS SELECT * FROM read_parquet('{quoted(run.scores)}', file_row_number=true)")
    return con


def _columns(con: DuckDBPyConnection) -> frozenset[str]:
    return frozenset(str(row[0]) for row in con.execute("DESCRIBE pairs").fetchall()) - {"file_row_number"}


def _beside(has: frozenset[str]) -> list[str]:
    """Columns that words on a row need, beside those that are shown."""
    return [name for name in ("known", "serious_told", "criteria_told") if name in has]


def _where(asked: Asked, has: frozenset[str]) -> tuple[str, list[Any]]:
    tests: list[str] = []
    given: list[Any] = []
    for name, word in (("drug", asked.drug), ("event", asked.event)):
        if word:
            tests.append(f"contains(lower({name}), lower(?))")
            given.append(word)
    if asked.least > 1:
        tests.append("n >= ?")
        given.append(asked.least)
    told = (
        (asked.ic, "ic025", "ic025 > 0"),
        (asked.eb, "eb05", "eb05 >= 2"),
        (asked.serious, "serious", "serious > 0"),
        (asked.unknown, "known", "NOT coalesce(known, false)"),
    )
    tests += [test for on, column, test in told if on and column in has]
    return (f" WHERE {' AND '.join(tests)}" if tests else "", given)


def _sort(run: Run, asked: Asked, has: frozenset[str]) -> str:
    """The column asked for; else the rank of triage, else what the run is sorted by."""
    if asked.sort in has:
        return asked.sort
    return "triage_rank" if "triage_rank" in has else run.leading


def _of_head(head: Text) -> Text:
    """A head within a sentence: « cas (n) », but « EB05 (rapport) »."""
    fr, en = (each[:1].lower() + each[1:] if each[1:2].islower() else each for each in (head.fr, head.en))
    return Text(fr, en)


def _usual(sort: str) -> bool:
    """Whether a column is usually sorted from the smallest, or from A."""
    return sort not in BY_NAME or BY_NAME[sort].ascending


def _order(run: Run, sort: str, asked: str) -> str:
    """By a column, ties in the order of the run; the order of the run is that of its file."""
    backwards = asked == REVERSED
    if sort == run.leading:
        return f" ORDER BY file_row_number{' DESC' if backwards else ''}"
    way = "ASC" if _usual(sort) != backwards else "DESC"
    return f" ORDER BY {sort} {way} NULLS LAST, file_row_number"


def _some(names: str, where: str, order: str, limit: int, offset: int = 0) -> str:
    """Some rows in order: their places are found first, so that the other columns are read for these rows only."""
    places = f"SELECT file_row_number FROM pairs{where}{order} LIMIT {limit} OFFSET {offset}"
    return f"SELECT {names} FROM pairs WHERE file_row_number IN ({places}){order}"


def _rows(con: DuckDBPyConnection, query: str, given: Sequence[Any]) -> list[dict[str, Any]]:
    done = con.execute(query, list(given))
    names = [each[0] for each in done.description or ()]
    return [dict(zip(names, row, strict=True)) for row in done.fetchall()]


def says(row: Mapping[str, Any]) -> Text:
    """What triage knows of a pair, in a word beside its name."""
    if row.get("known"):
        return Text("connue", "known")
    return NO_TEXT
