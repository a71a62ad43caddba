"""What the reports of each pair are like, beyond their number: one pass over a store, on either engine.

For each pair: how complete its reports are on average, how many are informative, recent, told with free text,
serious, and from how many countries. Absent columns give absent components, never zeros.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from lab39.solutions.signals.arrays import Floats, Ints, of_arrow
from lab39.solutions.signals.completeness import COLUMNS, facts
from lab39.solutions.signals.counting import by_code, margin, store_tables
from lab39.solutions.signals.sources import Store, trimmed
from lab39.solutions.signals.thresholds import triage_facts

if TYPE_CHECKING:
    import ibis
    import pyarrow as pa

    from lab39.solutions.signals.engines import Engine

NAMES = (
    "completeness", "informative", "recent", "previous", "recent_quarters", "previous_quarters", "first_quarter",
    "countries", "serious", "serious_told", "narratives",
)  # fmt: skip
"""The components, in order; see :class:`Components`."""
QUARTERS = ("recent_quarters", "previous_quarters")
"""Those that are of the store, and not of the pair; runs made before they were counted do not have them."""


@dataclass(frozen=True, slots=True)
class Components:
    """Components of every reported pair, pairs sorted by drug then event; NaN where nothing tells.

    Attributes:
        drugs: names, sorted [drugs]; ``events`` likewise [events].
        events: names of the events.
        drug: code of the drug of each pair [pairs].
        event: code of the event of each pair [pairs].
        n: distinct reports of each pair [pairs].
        values: by name [pairs]: ``completeness`` (mean over the pair's reports, 0 to 1), ``informative`` (reports
            of completeness ≥ 0.9), ``recent`` and ``previous`` (reports of the last quarters, and of as many
            before; NaN where the store holds none of these), ``recent_quarters`` and ``previous_quarters``
            (quarters of these windows that the store holds, the same for every pair), ``first_quarter`` (see
            :func:`quarter_name`), ``countries`` (distinct), ``serious`` and
            ``serious_told`` (reports said to be serious, reports that say whether they are), ``narratives``
            (reports with free text).
        latest: number of the store's latest quarter, or None.
        dimensions: the dimensions of completeness that the store has columns for.
    """

    drugs: pa.Array
    events: pa.Array
    drug: Ints
    event: Ints
    n: Ints
    values: Mapping[str, Floats]
    latest: int | None
    dimensions: tuple[str, ...]


def components(
    store: Store, engine: Engine, *, without: Sequence[str] = (), quarters: int | None = None
) -> Components:
    """Work out the components of every pair of a store.

    Args:
        store: the same as was counted.
        engine: see :mod:`lab39.solutions.signals.engines`.
        without: reports with any of these drugs are left out.
        quarters: length of the recent window; that of ``knowledge/triage.toml`` when None.

    Raises:
        InputError: a missing table or column.
    """
    import ibis

    quarters = quarters or int(triage_facts()["criteria"]["recent"]["quarters"])
    rows = _rows(store, engine, tuple(without))
    have = {
        f"{name}.{column}"
        for name, each in (("reports", rows.reports), ("drugs", rows.drugs), ("events", rows.events))
        for column in each.columns
    }
    dimensions = tuple(name for name, needed in COLUMNS.items() if _there(name, needed, have))
    reports = engine.keep(_reports(rows.reports, dimensions))
    told = engine.arrow(reports.filter(reports["quarter"].notnull()).select("quarter").distinct())
    held = sorted(told["quarter"].to_pylist())
    latest = int(held[-1]) if held else None
    drugs, drug_names = _coded(_drugs(rows.drugs), "drug", engine)
    events, event_names = _coded(_events(rows.events), "event", engine)
    joined = drugs.join(events, "report_id").left_join(reports, "report_id")
    score = _score(joined, dimensions)
    joined = joined.mutate(score=score)
    since = (latest if latest is not None else 0) - quarters
    at_least = float(triage_facts()["criteria"]["informative"]["completeness_least"]) - 1e-9
    j = joined
    found = engine.arrow(
        j.group_by("drug_code", "event_code").aggregate(
            n=ibis._.count().cast("int64"),
            completeness=j["score"].mean(),
            informative=(j["score"] >= at_least).cast("int64").sum().cast("float64"),
            recent=(j["quarter"] > since).cast("int64").sum().cast("float64"),
            previous=((j["quarter"] <= since) & (j["quarter"] > since - quarters))
            .cast("int64")
            .sum()
            .cast("float64"),
            first_quarter=j["quarter"].min().cast("float64"),
            countries=j["country"].nunique().cast("float64"),
            country_told=j["country"].count().cast("float64"),
            serious=j["serious"].sum().cast("float64"),
            serious_told=j["serious"].count().cast("float64"),
            narratives=j["narrative"].sum().cast("float64"),
        )
    )
    windows = tuple(sum(begin < each <= begin + quarters for each in held) for begin in (since, since - quarters))
    return _sorted(found, drug_names, event_names, latest, dimensions, windows)


class _Rows(NamedTuple):
    reports: ibis.Table
    drugs: ibis.Table
    events: ibis.Table


def _rows(store: Store, engine: Engine, without: tuple[str, ...]) -> _Rows:
    """The store's tables, names as they are counted, without the reports that are left out."""
    made = []
    for role, column, each in zip(
        ("report", "drug", "event"), ("", store.drug, store.event), store_tables(store, engine)[:3], strict=True
    ):
        rows = each.filter(each["report_id"].notnull())
        rows = rows.mutate(report_id=rows["report_id"].cast("string"))
        if column:
            rows = rows.mutate(**{role: trimmed(rows[column])})
            rows = rows.filter(rows[role] != "")
        made.append(rows)
    if without:
        left_out = made[1].filter(made[1]["drug"].isin(without)).select("report_id").distinct()
        made = [each.anti_join(left_out, "report_id") for each in made]
    return _Rows(*made)


def _coded(rows: ibis.Table, role: str, engine: Engine) -> tuple[ibis.Table, pa.Array]:
    """The rows with ``<role>_code`` in place of the name, and the names by code."""
    kept = engine.keep(rows)
    names = engine.keep(margin(kept, role))
    coded = kept.join(names.select(role, code="code"), role).drop(role)
    return coded.rename({f"{role}_code": "code"}), by_code(engine.arrow(names), role)[0]


def quarter_name(number: float) -> str:
    """``2017Q2`` for the number 8069."""
    year, quarter = divmod(int(number), 4)
    return f"{year:04}Q{quarter + 1}"


def _sorted(
    found: pa.Table,
    drugs: pa.Array,
    events: pa.Array,
    latest: int | None,
    dimensions: tuple[str, ...],
    windows: tuple[int, ...],
) -> Components:
    """The components in the order of the pairs; ``windows``: quarters held of the last ones, of those before."""
    key = of_arrow(found, "drug_code").astype(np.int64) * len(events) + of_arrow(found, "event_code")
    order = np.argsort(key, kind="stable")
    drug, event = np.divmod(key[order], len(events))
    n, read = of_arrow(found, "n")[order], {}
    for name in (*(each for each in NAMES if each not in QUARTERS), "country_told"):
        read[name] = _floats(found, name)[order]
        found = found.drop_columns([name])
    if not dimensions:
        read["completeness"][:], read["informative"][:] = np.nan, np.nan
    read["countries"][read["country_told"] == 0] = np.nan
    for name, many in zip(QUARTERS, windows, strict=True):
        read[name] = np.full(n.size, np.nan if latest is None else float(many))
    if not windows[1]:
        read["previous"][:] = np.nan
    values = {name: read[name] for name in NAMES}
    return Components(drugs, events, drug, event, n, values, latest, dimensions)


def _floats(found: pa.Table, name: str) -> Floats:
    """A column with NaN for null, without importing pandas."""
    import pyarrow.compute as pc

    column = pc.fill_null(found[name].combine_chunks(), float("nan"))
    return np.array(np.from_dlpack(column), dtype=np.float64)


def _there(name: str, needed: Sequence[str], have: set[str]) -> bool:
    if name == "onset":
        return needed[0] in have and any(each in have for each in needed[1:])
    return any(each in have for each in needed)


def _text(rows: ibis.Table, column: str) -> Any:
    """A column of text, blanks and emptiness as null; null when it is not there."""
    import ibis

    if column not in rows.columns:
        return ibis.null("string")
    return rows[column].cast("string").strip().nullif("")


def _told(value: Any) -> Any:
    return value.notnull().cast("int64")


def _factor(told: Any, name: str) -> Any:
    """1 where told (1), 1 - penalty where not (0)."""
    return _number(1.0) - _number(facts().penalty[name]) * (1 - told)


def _number(value: float) -> Any:
    """A number as a double on every engine: Spark reads ``0.3`` as a decimal, whose products lose digits."""
    import ibis

    return ibis.literal(repr(value)).cast("float64")


def _reports(rows: ibis.Table, dimensions: Sequence[str]) -> ibis.Table:
    """One row a report: the part of its completeness that does not depend on the pair, and what is counted."""
    import ibis

    source = _text(rows, "source").lower().fill_null("")

    def exempt(name: str) -> Any:
        of = [each for each, left_out in facts().not_carried.items() if name in left_out]
        return source.isin(of).cast("int64") if of else ibis.literal(0, "int64")

    factor = _number(1.0)
    for name, column in (
        ("sex", "sex"), ("country", "country"), ("reporter", "reporter"), ("type", "report_type"),
        ("comments", "narrative"),
    ):  # fmt: skip
        if name in dimensions:
            value = _text(rows, column)
            if name == "sex":
                value = value.upper().isin(("F", "M")).ifelse(value, None)
            factor = factor * _factor(ibis.greatest(_told(value), exempt(name)), name)
    if "age" in dimensions:
        years, group = _text(rows, "age_years"), _text(rows, "age_group")
        missing = ibis.ifelse(group.notnull(), _number(facts().age_group), _number(facts().penalty["age"]))
        factor = factor * ibis.ifelse(years.notnull(), _number(1.0), _number(1.0) - missing)
    quarter = _text(rows, "quarter")
    serious = rows["serious"].cast("int64") if "serious" in rows.columns else ibis.null("int64")
    narrative = _told(_text(rows, "narrative")) if "narrative" in rows.columns else ibis.null("int64")
    carried = [each for each, left_out in facts().not_carried.items() if "comments" in left_out]
    return rows.select(
        rows["report_id"],
        factor=factor,
        exempt_indication=exempt("indication"),
        exempt_outcome=exempt("outcome"),
        report_outcome=_known_outcome(_text(rows, "outcome")),
        report_onset=_date(_text(rows, "event_date")),
        country=_text(rows, "country").upper(),
        quarter=quarter.substr(0, 4).try_cast("int64") * 4 + quarter.substr(5, 1).try_cast("int64") - 1,
        serious=serious,
        narrative=ibis.ifelse(source.isin(carried), ibis.null("int64"), narrative),
    )


def _known_outcome(outcome: Any) -> Any:
    return (outcome.notnull() & (outcome.lower() != "unknown")).fill_null(False).cast("int64")


def _date(value: Any) -> Any:
    """20150721, 20150700 when the month is all that is known, 20150000 for the year."""
    year = value.substr(0, 4).try_cast("int64")
    month = value.substr(5, 2).nullif("").try_cast("int64").fill_null(0)
    day = value.substr(8, 2).nullif("").try_cast("int64").fill_null(0)
    return year * 10_000 + month * 100 + day


def _drugs(rows: ibis.Table) -> ibis.Table:
    """One row a report and drug; a drug named twice is as well told as the better of its rows."""
    import ibis

    told = rows.select(
        rows["report_id"],
        rows["drug"],
        start=_date(_text(rows, "start_date")),
        indication=_told(_text(rows, "indication")),
        dose=_told(_text(rows, "dose")),
    )
    return told.group_by("report_id", "drug").aggregate(
        start=ibis._.start.min(), indication=ibis._.indication.max(), dose=ibis._.dose.max()
    )


def _events(rows: ibis.Table) -> ibis.Table:
    """One row a report and event."""
    import ibis

    told = rows.select(
        rows["report_id"],
        rows["event"],
        onset=_date(_text(rows, "onset")),
        outcome=_known_outcome(_text(rows, "outcome")),
    )
    return told.group_by("report_id", "event").aggregate(onset=ibis._.onset.min(), outcome=ibis._.outcome.max())


def _score(j: ibis.Table, dimensions: Sequence[str]) -> Any:
    """The completeness of each report for each of its pairs."""
    import ibis

    score = j["factor"]
    if "indication" in dimensions:
        score = score * _factor(ibis.greatest(j["indication"], j["exempt_indication"]), "indication")
    if "outcome" in dimensions:
        told = ibis.greatest(j["outcome"], j["report_outcome"], j["exempt_outcome"])
        score = score * _factor(told, "outcome")
    if "dose" in dimensions:
        score = score * _factor(j["dose"], "dose")
    if "onset" in dimensions:
        start, onset = j["start"], j["onset"].fill_null(j["report_onset"])
        by_year = (start % 10_000 == 0) | (onset % 10_000 == 0)
        by_month = (start % 100 == 0) | (onset % 100 == 0)
        same_year = (start // 10_000).cast("int64") == (onset // 10_000).cast("int64")
        same_month = (start // 100).cast("int64") == (onset // 100).cast("int64")
        penalty = ibis.cases(
            (start.isnull() | onset.isnull(), _number(facts().penalty["onset"])),
            (by_year & same_year, _number(facts().onset_year)),
            (~by_year & by_month & same_month, _number(facts().onset_month)),
            else_=_number(0.0),
        )
        score = score * (_number(1.0) - penalty)
    return score
