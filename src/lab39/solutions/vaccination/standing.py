"""Where a person stands in each vaccine group on a day: overdue, due, possible, later, on offer, or nothing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from lab39.solutions.vaccination.authored import Season
from lab39.solutions.vaccination.beyond import campaign_of
from lab39.solutions.vaccination.model import Schedule
from lab39.solutions.vaccination.outcome import GroupForecast, PatientSeries, Result, SeriesStatus, TargetStatus


class Kind(StrEnum):
    """What a vaccine group asks for, the soonest first."""

    OVERDUE = "overdue"
    DUE = "due"
    UNDATED = "undated"
    POSSIBLE = "possible"
    LATER = "later"
    TO_ASK = "to-ask"
    OPTIONAL = "optional"
    CONTRAINDICATED = "contraindicated"
    NOT_NOW = "not-now"
    COMPLETE = "complete"
    IMMUNE = "immune"
    AGED_OUT = "aged-out"

    @property
    def rank(self) -> int:
        """0 for what is overdue."""
        return list(Kind).index(self)


_ENDED = {
    SeriesStatus.TO_ASK: Kind.TO_ASK,
    SeriesStatus.CONTRAINDICATED: Kind.CONTRAINDICATED,
    SeriesStatus.NOT_RECOMMENDED: Kind.NOT_NOW,
    SeriesStatus.COMPLETE: Kind.COMPLETE,
    SeriesStatus.IMMUNE: Kind.IMMUNE,
    SeriesStatus.AGED_OUT: Kind.AGED_OUT,
}
TO_GIVE = (Kind.OVERDUE, Kind.DUE)


@dataclass(frozen=True, slots=True)
class Standing:
    """One vaccine group.

    Attributes:
        forecast: the one to act on; ``others`` are those of the group's other kinds of series.
    """

    group: str
    kind: Kind
    forecast: GroupForecast
    others: tuple[GroupForecast, ...] = ()


def kind(forecast: GroupForecast, on: dt.date) -> Kind:
    """What one forecast asks for on a day."""
    if forecast.status is not SeriesStatus.NOT_COMPLETE:
        return _ENDED[forecast.status]
    if forecast.level == "optional":
        return Kind.OPTIONAL
    if forecast.recommended is None:
        return Kind.UNDATED
    if forecast.recommended <= on:
        return Kind.OVERDUE if forecast.past_due is not None and forecast.past_due < on else Kind.DUE
    return Kind.POSSIBLE if forecast.earliest is not None and forecast.earliest <= on else Kind.LATER


def campaign(series: PatientSeries, on: dt.date) -> Season | None:
    """The campaign that the next dose of a series is for, if it is for one."""
    done = [each.satisfied_on for each in series.targets if each.satisfied_on is not None]
    target = next((each for each in series.targets if each.status is TargetStatus.NOT_SATISFIED), None)
    return campaign_of(target.dose, done, on) if target else None


def last_campaign_has_dose(forecast: GroupForecast, on: dt.date) -> bool | None:
    """Whether the last campaign begun has a dose of this person; ``None`` when the group has no campaign."""
    found: bool | None = None
    for series in forecast.series:
        done = [each.satisfied_on for each in series.targets if each.satisfied_on is not None]
        begun = [season for each in series.targets[-1:] for season in each.dose.seasons if season.start <= on]
        if begun:
            found = found or any(begun[-1].has(day) for day in done)
    return found


def standings(result: Result) -> tuple[Standing, ...]:
    """Every vaccine group once: what to give now, the newest recommendation first, then what comes next by date."""
    groups: dict[str, list[GroupForecast]] = {}
    for each in result.groups:
        groups.setdefault(each.group, []).append(each)
    found = []
    for name, forecasts in groups.items():
        first = min(forecasts, key=lambda each: kind(each, result.on).rank)
        others = tuple(each for each in forecasts if each is not first)
        found.append(Standing(name, kind(first, result.on), first, others))
    return tuple(sorted(found, key=_order))


def due(found: Sequence[Standing]) -> tuple[Standing, ...]:
    """Those to give now."""
    return tuple(each for each in found if each.kind in TO_GIVE)


def coming(found: Sequence[Standing]) -> tuple[Standing, ...]:
    """Those with a date to come, the soonest first."""
    return tuple(each for each in found if each.kind in (Kind.POSSIBLE, Kind.LATER))


def _order(each: Standing) -> tuple[int, int, str]:
    day = each.forecast.recommended
    if each.kind in TO_GIVE:
        return 0, -(day or dt.date.min).toordinal(), each.group
    return 1 + each.kind.rank, (day or dt.date.max).toordinal(), each.group


def concerned(result: Result, schedule: Schedule, code: str) -> tuple[Standing, ...]:
    """The vaccine groups that a vaccine is given for."""
    antigens = {each.antigen for each in schedule.vaccines.get(code, ())}
    return tuple(
        each for each in standings(result) if not antigens.isdisjoint(schedule.groups[each.group].antigens)
    )
