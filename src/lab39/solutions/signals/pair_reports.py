"""What the reports of one pair tell: onset, seriousness, where from, whom, and which cases to read.

Columns that a store does not have, and values that a report does not tell, are counted as not told.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lab39.core.text import Text
from lab39.solutions.signals import onset
from lab39.solutions.signals.arrays import CannotFitError
from lab39.solutions.signals.counting import store_tables
from lab39.solutions.signals.readers.model import CRITERIA
from lab39.solutions.signals.sources import Store, trimmed

if TYPE_CHECKING:
    import ibis

    from lab39.solutions.signals.engines import Engine

LISTED = 20
_TOLD = (
    "case_id",
    "source",
    "quarter",
    "received",
    "country",
    "sex",
    "age_years",
    "reporter",
    "serious",
    "outcome",
)


@dataclass(frozen=True, slots=True)
class Told:
    """The reports of a pair.

    Attributes:
        n: reports.
        onset: Weibull distribution of the days from the first day of the drug to the event, or None.
        why_no_onset: what the fit said then.
        onset_told: reports with both days in full.
        onset_before: of these, reports whose event comes before the drug; they are not fitted.
        serious: reports by ``yes``, ``no``, ``not told``.
        criteria: reports by criterion of seriousness, those that are said.
        countries: reports by country, the commonest first; likewise ``sexes`` and ``reporters``.
        sexes: ``F``, ``M``.
        reporters: physician, consumer…
        ages: youngest, median, oldest, in years; None when no report tells one.
        not_told: reports that do not tell their country, sex, age or reporter.
        cases: the latest reports, to be read.
    """

    n: int
    onset: onset.Onset | None
    why_no_onset: Text | None
    onset_told: int
    onset_before: int
    serious: Mapping[str, int]
    criteria: Mapping[str, int]
    countries: Mapping[str, int]
    sexes: Mapping[str, int]
    reporters: Mapping[str, int]
    ages: tuple[float, float, float] | None
    not_told: Mapping[str, int]
    cases: tuple[Mapping[str, Any], ...]


def told(
    store: Store, engine: Engine, drug: str, event: str, *, without: Sequence[str] = (), listed: int = LISTED
) -> Told:
    """Read the reports of a pair.

    Args:
        store: as it is counted.
        engine: see :mod:`lab39.solutions.signals.engines`.
        drug: name as counted; ``event`` likewise.
        event: term.
        without: reports with any of these drugs are left out.
        listed: cases listed.
    """
    rows = _rows(store, engine, drug, event, tuple(without))
    days, before = _days(rows)
    fitted, why = None, None
    try:
        fitted = onset.weibull(days)
    except CannotFitError as error:
        why = error.text
    ages = sorted(float(row["age_years"]) for row in rows if row.get("age_years") is not None)
    by = {name: _by(rows, name) for name in ("country", "sex", "reporter")}
    return Told(
        len(rows),
        fitted,
        why,
        len(days) + before,
        before,
        _serious(rows),
        {name: many for name in CRITERIA if (many := sum(bool(row.get(name)) for row in rows))},
        by["country"],
        by["sex"],
        by["reporter"],
        (ages[0], ages[len(ages) // 2], ages[-1]) if ages else None,
        {name: len(rows) - sum(found.values()) for name, found in by.items()} | {"age": len(rows) - len(ages)},
        tuple(
            {name: row[name] for name in ("report_id", *_TOLD) if row.get(name) is not None}
            for row in sorted(rows, key=_latest, reverse=True)[:listed]
        ),
    )


def _rows(store: Store, engine: Engine, drug: str, event: str, without: tuple[str, ...]) -> list[dict[str, Any]]:
    """A row a report of the pair: its columns, the first day of the drug, the first onset of the event."""
    rows = store_tables(store, engine)
    reports, drugs, events = rows.reports, rows.drugs, rows.events
    if without:
        out = drugs.filter(trimmed(drugs[store.drug]).isin(without)).select("report_id").distinct()
        reports = reports.anti_join(out, "report_id")
    mine = drugs.filter(trimmed(drugs[store.drug]) == drug)
    theirs = events.filter(trimmed(events[store.event]) == event)
    first = mine.group_by("report_id").aggregate(start=_least(mine, "start_date"))
    onsets = theirs.group_by("report_id").aggregate(onset=_least(theirs, "onset"))
    joined = reports.join(first, "report_id").join(onsets, "report_id")
    wanted = ["report_id", "start", "onset"]
    wanted += [name for name in (*_TOLD, *CRITERIA, "event_date") if name in reports.columns]
    found: list[dict[str, Any]] = engine.arrow(joined.select(*wanted)).to_pylist()
    return sorted(found, key=lambda row: str(row["report_id"]))


def _least(rows: ibis.Table, column: str) -> Any:
    import ibis

    if column not in rows.columns:
        return ibis.literal(None).cast("string").min()
    return rows[column].cast("string").min()


def _days(rows: list[dict[str, Any]]) -> tuple[list[float], int]:
    """Days from start to event where both are told to the day, and how many events come before."""
    days, before = [], 0
    for row in rows:
        start, then = _day(row["start"]), _day(row["onset"]) or _day(row.get("event_date"))
        if start and then:
            if then < start:
                before += 1
            else:
                days.append(float((then - start).days))
    return days, before


def _day(written: Any) -> dt.date | None:
    """A day told in full."""
    try:
        return dt.date.fromisoformat(str(written)[:10]) if written and len(str(written)) >= 10 else None
    except ValueError:
        return None


def _serious(rows: list[dict[str, Any]]) -> dict[str, int]:
    found = Counter({True: "yes", False: "no"}.get(row.get("serious"), "not told") for row in rows)  # type: ignore[arg-type]
    return {name: found[name] for name in ("yes", "no", "not told")}


def _by(rows: list[dict[str, Any]], name: str) -> dict[str, int]:
    found = Counter(str(row[name]) for row in rows if row.get(name) is not None)
    return dict(sorted(found.items(), key=lambda each: (-each[1], each[0])))


def _latest(row: dict[str, Any]) -> tuple[str, str]:
    return str(row.get("received") or row.get("quarter") or ""), str(row["report_id"])
