"""Reports made up with duplicates among them, to measure how many are found. Synthetic: never a clinical figure.

A product has its usual indications, companions and reactions, so that strangers resemble each other; some
reports are near twins (same product, reaction, sex and day) without being duplicates. A duplicate is the report
of another sender: a reaction more or less, an age off by one or left out, a date known to the month, a brand
name.
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from lab39.solutions.signals.readers.model import Case, Drug, Event, Report
from lab39.solutions.signals.readers.settle import settle
from lab39.solutions.signals.readers.store import Store

SOURCE = "synthetic"
_DRUGS, _EVENTS = 1500, 3000
_START = dt.date(2020, 1, 1)
_COUNTRIES = ("US", "US", "US", "US", "FR", "GB", "DE", "JP", "IT", "CA")


@dataclass(frozen=True, slots=True)
class Planted:
    """The store that was made, and the pairs of reports that are the same (identifiers, in order)."""

    store: Store
    pairs: frozenset[tuple[str, str]]
    reports: int


def plant(
    folder: Path, *, reports: int = 20_000, share: float = 0.02, twins: float = 0.02, seed: int = 1
) -> Planted:
    """Write a store of made-up reports.

    Args:
        reports: how many, duplicates not counted.
        share: of the reports that have a duplicate; ``twins`` of those that have a stranger alike.
    """
    draw = random.Random(seed)  # noqa: S311 (a simulation)
    store = Store.create(folder)
    pairs: set[tuple[str, str]] = set()
    with store.adding(f"{seed:032x}", SOURCE, f"{SOURCE} {reports}") as part:
        for number in range(reports):
            case = _case(draw, f"S{number:08}")
            part.add(case)
            chance = draw.random()
            if chance < share:
                again = _again(draw, case)
                part.add(again)
                pairs.add((case.report.report_id, again.report.report_id))
            elif chance < share + twins:
                part.add(_twin(draw, case))
    settle(store)
    return Planted(store, frozenset(pairs), part.count("reports"))


def _skewed(draw: random.Random, size: int) -> int:
    return int(size * draw.random() ** 2.5)


def _case(draw: random.Random, number: str) -> Case:
    main = _skewed(draw, _DRUGS)
    usual = random.Random(main)  # noqa: S311 (what is usual with this product)
    companions = [usual.randrange(_DRUGS) for _ in range(4)]
    reactions = [_skewed(usual, _EVENTS) for _ in range(12)]
    day = _START + dt.timedelta(days=draw.randrange(365))
    received = day + dt.timedelta(days=draw.randrange(5, 200))
    drugs = [Drug(drug=f"drug {main}", role="PS")]
    others = {
        _skewed(draw, _DRUGS) if draw.random() < 0.4 else draw.choice(companions) for _ in range(draw.randrange(5))
    }
    drugs += [Drug(drug=f"drug {each}", role="C") for each in sorted(others - {main})]
    had = {
        draw.choice(reactions) if draw.random() < 0.7 else _skewed(draw, _EVENTS)
        for _ in range(draw.randrange(1, 6))
    }
    report = Report(
        report_id=number,
        case_id=number,
        source=SOURCE,
        received=received.isoformat(),
        quarter=f"{received.year}Q{(received.month + 2) // 3}",
        event_date=day.isoformat()
        if draw.random() < 0.6
        else (day.isoformat()[:7] if draw.random() < 0.5 else None),
        sex=draw.choice("FFM") if draw.random() < 0.92 else None,
        age_years=float(min(95, max(0, int(draw.gauss(55, 20))))) if draw.random() < 0.65 else None,
        country=draw.choice(_COUNTRIES),
        sender_case=f"MFR-{number}" if draw.random() < 0.8 else None,
    )
    return Case(report, tuple(drugs), tuple(Event(event=f"Term {each}") for each in sorted(had)))


def _again(draw: random.Random, case: Case) -> Case:
    """The same person and event, told by somebody else."""
    old = case.report
    events = list(case.events)
    if len(events) > 1 and draw.random() < 0.35:
        events.pop(draw.randrange(len(events)))
    if draw.random() < 0.35:
        events.append(Event(event=f"Term {_skewed(draw, _EVENTS)}"))
    drugs = [each for each in case.drugs if each.role == "PS" or draw.random() > 0.15]
    if draw.random() < 0.15:
        drugs[-1] = replace(drugs[-1], drug=f"brand of {drugs[-1].drug}")
    date = old.event_date
    if date and draw.random() < 0.25:
        date = date[:7] if draw.random() < 0.6 else None
    age = old.age_years
    if age is not None and draw.random() < 0.2:
        age = age + draw.choice((-1, 1)) if draw.random() < 0.5 else None
    number = f"{old.report_id}D"
    report = replace(
        old,
        report_id=number,
        case_id=number,
        event_date=date,
        age_years=age if age is None else max(0.0, age),
        sex=old.sex if draw.random() > 0.05 else None,
        sender_case=old.sender_case if draw.random() < 0.3 else f"MFR-{number}",
    )
    return Case(report, tuple(drugs), tuple(events))


def _twin(draw: random.Random, case: Case) -> Case:
    """A stranger: the same product, reaction, sex and day, another age and other companions."""
    other = _case(draw, f"{case.report.report_id}T")
    report = replace(
        other.report, event_date=case.report.event_date, sex=case.report.sex, country=case.report.country
    )
    return Case(report, (case.drugs[0], *other.drugs[1:]), (case.events[0], *other.events[1:]))


def pairs_of(found: Iterator[tuple[str, str]]) -> frozenset[tuple[str, str]]:
    """Pairs of identifiers, each in order."""
    return frozenset((min(pair), max(pair)) for pair in found)
