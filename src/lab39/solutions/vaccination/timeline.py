"""Vaccines on an axis of age: a line for each vaccine group, a mark for each dose, the window of the next.

Positions are per cents of the width, so that a drawing fits any screen.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from lab39.core.text import Text
from lab39.solutions.vaccination.dates import Duration, add
from lab39.solutions.vaccination.model import Schedule
from lab39.solutions.vaccination.outcome import Dose, DoseStatus, Evaluation, Result
from lab39.solutions.vaccination.standing import Kind, Standing

YEAR = 365.25
At = Callable[[dt.date], float]
_SHOWN = (Kind.OVERDUE, Kind.DUE, Kind.UNDATED, Kind.POSSIBLE, Kind.LATER, Kind.TO_ASK, Kind.CONTRAINDICATED)
_STEPS = (1, 2, 3, 6, 12, 24, 60, 120, 240)
"""Months between two ticks."""
MAX_TICKS = 7


class Tick(NamedTuple):
    """An age on the axis."""

    at: float
    label: Text


@dataclass(frozen=True, slots=True)
class Mark:
    """One dose on one line. ``shape`` is ``valid``, ``invalid`` or ``extra``."""

    at: float
    shape: str
    day: dt.date
    dose: Dose
    status: DoseStatus
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Span:
    """A part of the window of the next dose: ``possible`` then ``recommended`` then ``late``."""

    left: float
    width: float
    kind: str


@dataclass(frozen=True, slots=True)
class Line:
    """One vaccine group."""

    standing: Standing
    marks: tuple[Mark, ...]
    spans: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Timeline:
    """The drawing."""

    start: dt.date
    end: dt.date
    today: float
    ticks: tuple[Tick, ...]
    lines: tuple[Line, ...]


def given_in(result: Result, schedule: Schedule, group: str) -> tuple[Evaluation, ...]:
    """The doses of one vaccine group, oldest first, each with the best verdict it has there."""
    antigens = schedule.groups[group].antigens if group in schedule.groups else ()
    best: dict[Dose, Evaluation] = {}
    for name in antigens:
        for series in result.best.get(name, ()) or result.series.get(name, ()):
            if series.series.vaccine_group != group:
                continue
            for done in series.evaluations:
                known = best.get(done.dose)
                if known is None or _rank(done.status) < _rank(known.status):
                    best[done.dose] = done
    return tuple(sorted(best.values(), key=lambda each: each.dose.date))


def timeline(
    stand: Sequence[Standing], result: Result, schedule: Schedule, birth: dt.date, useful: Collection[Dose] = ()
) -> Timeline:
    """Lines for the groups that have a dose, or that ask for one.

    Args:
        useful: doses that do not count and had their use: they are not crossed out.
    """
    doses = {each.group: given_in(result, schedule, each.group) for each in stand}
    start, end = _bounds([done.dose.date for found in doses.values() for done in found], birth, result.on)
    rows = [each for each in stand if doses[each.group] or (each.kind in _SHOWN and _begins(each) <= end)]
    length = (end - start).days

    def at(day: dt.date) -> float:
        return round(100 * min(max((day - start).days / length, 0.0), 1.0), 2)

    lines = tuple(
        Line(
            each,
            tuple(
                Mark(
                    at(done.dose.date),
                    _shape(done.status, useful=done.dose in useful),
                    done.dose.date,
                    done.dose,
                    done.status,
                    done.reasons,
                )
                for done in doses[each.group]
            ),
            tuple(_spans(each, at)) if each.kind not in (Kind.CONTRAINDICATED, Kind.TO_ASK) else (),
        )
        for each in rows
    )
    return Timeline(start, end, at(result.on), tuple(_ticks(birth, start, end, at)), lines)


def _bounds(days: Sequence[dt.date], birth: dt.date, on: dt.date) -> tuple[dt.date, dt.date]:
    """From birth for the young, else from a little before the first dose; to a little after today."""
    age_days = (on - birth).days
    start = birth
    if age_days > 20 * YEAR:
        first = min([*days, on - dt.timedelta(days=round(10 * YEAR))])
        start = max(birth, first - dt.timedelta(days=round(YEAR)))
    ahead = max(0.18 * (on - start).days, YEAR / 2)
    return start, on + dt.timedelta(days=round(ahead))


def _begins(each: Standing) -> dt.date:
    forecast = each.forecast
    return forecast.earliest or forecast.recommended or dt.date.min


def _spans(each: Standing, at: At) -> list[Span]:
    forecast = each.forecast
    if forecast.recommended is None:
        return []
    edges = [
        ("possible", forecast.earliest, forecast.recommended),
        ("recommended", forecast.recommended, forecast.past_due or forecast.latest),
    ]
    if forecast.past_due is not None:
        edges.append(("late", forecast.past_due, forecast.latest))
    spans = []
    for kind, begin, finish in edges:
        if begin is None:
            continue
        left, right = at(begin), at(finish) if finish else 100.0
        if right > left:
            spans.append(Span(left, round(right - left, 2), kind))
    return spans


def _ticks(birth: dt.date, start: dt.date, end: dt.date, at: At) -> list[Tick]:
    months = (end - start).days / (YEAR / 12)
    step = next((each for each in _STEPS if months / each <= MAX_TICKS), _STEPS[-1])
    ticks, number = [], 0
    while (day := add(birth, Duration(number * step, 0))) <= end:
        if day >= start and at(day) <= 96:
            ticks.append(Tick(at(day), _age(number * step, step)))
        number += 1
    return ticks


def _age(months: int, step: int) -> Text:
    if step < 12 and months < 24:
        return Text(f"{months} mois", f"{months} mo")
    years = months // 12
    return Text(f"{years} an{'s' if years > 1 else ''}", f"{years} y")


def _shape(status: DoseStatus, *, useful: bool) -> str:
    marks = {DoseStatus.VALID: "valid", DoseStatus.EXTRANEOUS: "extra"}
    return marks.get(status, "extra" if useful else "invalid")


def _rank(status: DoseStatus) -> int:
    return (DoseStatus.VALID, DoseStatus.NOT_VALID, DoseStatus.SUB_STANDARD, DoseStatus.EXTRANEOUS).index(status)
