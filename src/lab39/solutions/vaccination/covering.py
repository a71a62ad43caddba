"""Which products to give at one visit: the fewest injections that cover what is due, without what is not.

A product is proposed for an antigen only where the schedule prefers it for the dose awaited, at this age, and where
nothing forbids it. Whether it counts is not decided here: the plan gives the doses and asks the engine.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from lab39.solutions.vaccination import licence
from lab39.solutions.vaccination.dates import after
from lab39.solutions.vaccination.evaluate import in_force
from lab39.solutions.vaccination.forecast import antigen_state, vaccine_contraindicated
from lab39.solutions.vaccination.model import Association, Schedule, SeriesDose, Vaccine
from lab39.solutions.vaccination.organize import History, organize
from lab39.solutions.vaccination.outcome import GroupForecast, Patient, PatientSeries, SeriesStatus, TargetStatus


@dataclass(frozen=True, slots=True)
class Product:
    """A product and the antigens it would serve.

    Attributes:
        covers: antigens that are due and for which it is preferred.
        extra: antigens it holds although they are not due.
        advised: the schedule flags it for the forecast.
        to_check: its licence is only remembered and does not cover this age; the rule names it all the same.
    """

    code: str
    name: str
    covers: frozenset[str]
    extra: frozenset[str]
    advised: bool
    to_check: bool = False


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A product that a rule names for a dose and that is not proposed at this age.

    Attributes:
        why: ``age`` outside its licence, ``licence`` outside a licence that is only remembered, or
            ``contraindicated``.
        ages: of that licence, from and before.
    """

    code: str
    name: str
    why: Literal["age", "licence", "contraindicated"]
    ages: licence.Ages


def cover(
    due: Sequence[GroupForecast],
    patient: Patient,
    schedule: Schedule,
    day: dt.date,
    refused: Collection[tuple[str, str]] = (),
) -> tuple[tuple[Product, ...], frozenset[str]]:
    """The products to give, and the antigens that no product may serve.

    Among equals, one given before stays, else the first that the schedule names.

    Args:
        refused: products that the engine did not accept, as ``(code, antigen)``.
    """
    history = organize(schedule, patient, day)
    offered: dict[str, dict[str, bool]] = {}
    names: dict[str, str] = {}
    doubtful: set[str] = set()
    for forecast in due:
        for series in forecast.series:
            if series.status is not SeriesStatus.NOT_COMPLETE:
                continue
            antigen = series.series.antigen
            for each in _preferred(series, schedule, history, day):
                if (each.code, antigen) not in refused:
                    row = offered.setdefault(each.code, {})
                    row[antigen] = row.get(antigen, False) or each.recommended
                    names.setdefault(each.code, schedule.vaccine_names.get(each.code) or each.name)
                    if licence.to_check(each, history.birth, (day,)):
                        doubtful.add(each.code)
    needed = {each.series.antigen for f in due for each in f.series if each.status is SeriesStatus.NOT_COMPLETE}
    used = {dose.code for dose in patient.doses}
    products = [
        Product(
            code,
            names[code],
            frozenset(row),
            _held(schedule.vaccines.get(code, ()), patient.birth_date, day) - frozenset(row),
            any(row.values()),
            code in doubtful,
        )
        for code, row in sorted(offered.items(), key=lambda row: row[0] not in used)
    ]
    served = frozenset(antigen for each in products for antigen in each.covers) & needed
    return _smallest(_undominated(products), served), frozenset(needed) - served


def left_out(
    due: Sequence[GroupForecast], patient: Patient, schedule: Schedule, day: dt.date
) -> tuple[LeftOut, ...]:
    """Products of the market named by the rules of what is due and not proposed on the day, each once."""
    history = organize(schedule, patient, day)
    kept: set[str] = set()
    found: dict[str, LeftOut] = {}
    for series in (each for forecast in due for each in forecast.series):
        target = _next(series)
        if target is None or series.status is not SeriesStatus.NOT_COMPLETE:
            continue
        state = antigen_state(schedule.antigens[series.series.antigen], history)
        kept |= {each.code for each in _preferred(series, schedule, history, day)}
        for each in (each for row in target.preferable.values() for each in row if each.recommended):
            name = schedule.vaccine_names.get(each.code) or each.name
            if not licence.fits(each, history.birth, (day,)):
                row = LeftOut(each.code, name, "age", (each.begin, each.end))
            elif vaccine_contraindicated(each.code, state, history, day):
                row = LeftOut(each.code, name, "contraindicated", (None, None))
            else:
                row = LeftOut(each.code, name, "licence", each.remembered)
            found.setdefault(each.code, row)
    return tuple(each for code, each in found.items() if code not in kept)


def _next(series: PatientSeries) -> SeriesDose | None:
    return next((each.dose for each in series.targets if each.status is TargetStatus.NOT_SATISFIED), None)


def _preferred(series: PatientSeries, schedule: Schedule, history: History, day: dt.date) -> tuple[Vaccine, ...]:
    target = _next(series)
    if target is None:
        return ()
    state = antigen_state(schedule.antigens[series.series.antigen], history)
    fitting: dict[str, Vaccine] = {}
    for code, vaccines in target.preferable.items():
        for each in vaccines:
            if (
                licence.fits(each, history.birth, (day,))
                and code not in target.inadvertent
                and not vaccine_contraindicated(code, state, history, day)
            ):
                fitting.setdefault(code, each)
    return licence.chosen(tuple(fitting.values()), history.birth, (day,))


def _held(associations: Sequence[Association], birth: dt.date, day: dt.date) -> frozenset[str]:
    held = set()
    for each in associations:
        begin, end = after(birth, each.begin), after(birth, each.end)
        if in_force(begin, None, day) and (end is None or day < end):
            held.add(each.antigen)
    return frozenset(held)


def _undominated(products: Sequence[Product]) -> list[Product]:
    """Without those that another one replaces: it covers as much, adds no more, and is as well advised."""
    kept: list[Product] = []
    for each in products:
        if any(_replaces(other, each) for other in products if other is not each and not _replaces(each, other)):
            continue
        if any(_replaces(other, each) for other in kept):  # alike: the first code stays
            continue
        kept.append(each)
    return kept


def _replaces(one: Product, other: Product) -> bool:
    return one.covers >= other.covers and one.extra <= other.extra and one.advised >= other.advised


def _smallest(products: Sequence[Product], needed: frozenset[str]) -> tuple[Product, ...]:
    """Exact cover by branch and bound: fewest antigens that are not due, fewest products, then advised ones."""
    serving: Mapping[str, list[Product]] = {
        antigen: [each for each in products if antigen in each.covers] for antigen in needed
    }
    best: tuple[Product, ...] = ()
    cost: tuple[int, int, int] | None = None

    def weigh(chosen: tuple[Product, ...]) -> tuple[int, int, int]:
        return sum(len(p.extra) for p in chosen), len(chosen), sum(not p.advised for p in chosen)

    def search(chosen: tuple[Product, ...], left: frozenset[str]) -> None:
        nonlocal best, cost
        weight = weigh(chosen)
        if cost is not None and weight >= cost:
            return
        if not left:
            best, cost = chosen, weight
            return
        hardest = min(sorted(left), key=lambda antigen: len(serving[antigen]))
        for each in sorted(serving[hardest], key=lambda p: (len(p.extra), -len(p.covers & left), not p.advised)):
            search((*chosen, each), left - each.covers)

    search((), needed)
    return best
