"""Licence ages: those that a source states are limits; those only remembered choose among the vaccines of a dose.

A rule names the vaccines of a dose for an age. Among them, one whose remembered licence covers the age goes before
one whose licence does not; when none does, the word of the rule stands, and the licence is shown as to be checked.
At an age for which no rule names a vaccine, it is never proposed, whatever its licence.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence

from lab39.solutions.vaccination.dates import Duration, after
from lab39.solutions.vaccination.model import Schedule, Series, SeriesDose, Vaccine

Ages = tuple[Duration | None, Duration | None]


def within(ages: Ages, birth: dt.date, days: Iterable[dt.date | None]) -> bool:
    """Whether one of the days is in a window of ages; an absent bound is none."""
    begin, end = after(birth, ages[0]), after(birth, ages[1])
    return any((begin is None or begin <= day) and (end is None or day < end) for day in days if day is not None)


def fits(vaccine: Vaccine, birth: dt.date, days: Iterable[dt.date | None]) -> bool:
    """Whether an age is in the licence, as far as a source states it."""
    return within((vaccine.begin, vaccine.end), birth, days)


def to_check(vaccine: Vaccine, birth: dt.date, days: Iterable[dt.date | None]) -> bool:
    """Whether an age is outside a licence that is only remembered."""
    return not within(vaccine.remembered, birth, days)


def chosen(vaccines: Sequence[Vaccine], birth: dt.date, days: Sequence[dt.date | None]) -> tuple[Vaccine, ...]:
    """Without those whose remembered licence does not cover the age, if the market has one whose does."""
    covered = tuple(each for each in vaccines if not to_check(each, birth, days))
    return covered if any(each.recommended for each in covered) else tuple(vaccines)


def named(schedule: Schedule, code: str) -> Iterator[Ages]:
    """The ages for which rules name a vaccine, one window for each dose that does."""
    for antigen in schedule.antigens.values():
        for series in antigen.series:
            for dose in series.doses:
                if code in dose.preferable:
                    yield _window(series, dose)


def unnamed(schedule: Schedule, code: str, birth: dt.date, day: dt.date) -> bool:
    """Whether rules name a vaccine for other ages only. ``False`` when none names it at all."""
    windows = list(named(schedule, code))
    return bool(windows) and not any(within(each, birth, (day,)) for each in windows)


def _window(series: Series, dose: SeriesDose) -> Ages:
    who = series.audience
    begins = [who.aged_from if who else None, *(rule.minimum for rule in dose.ages)]
    ends = [who.aged_before if who else None, *(rule.maximum for rule in dose.ages)]
    return max(filter(None, begins), default=None), min(filter(None, ends), default=None)
