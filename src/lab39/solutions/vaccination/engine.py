"""The processing model of chapter 4: from a patient and a schedule to every vaccine group's forecast."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import replace

from lab39.solutions.vaccination.authored import level
from lab39.solutions.vaccination.best import best_series
from lab39.solutions.vaccination.forecast import antigen_state, forecast_series
from lab39.solutions.vaccination.groups import group_forecasts
from lab39.solutions.vaccination.model import Antigen, Schedule
from lab39.solutions.vaccination.organize import History, as_of, organize
from lab39.solutions.vaccination.outcome import Patient, PatientSeries, Result, SeriesStatus, Step
from lab39.solutions.vaccination.relevant import relevant_series
from lab39.solutions.vaccination.walk import evaluate_series


def run(schedule: Schedule, patient: Patient, on: dt.date, groups: Collection[str] | None = None) -> Result:
    """Evaluate and forecast a patient on a day.

    Args:
        groups: names of the vaccine groups wanted; every one when not given.
    """
    history = organize(schedule, patient, on)
    wanted = [each for name, each in schedule.groups.items() if groups is None or name in groups]
    antigens = dict.fromkeys(name for group in wanted for name in group.antigens if name in schedule.antigens)
    steps = list(history.steps)
    series = {name: evaluate_antigen(schedule, schedule.antigens[name], history, steps) for name in antigens}
    current = {name: [each for each in found if not each.outgrown] for name, found in series.items()}
    best = {name: tuple(best_series(found, history)) for name, found in current.items()}
    forecasts = tuple(
        replace(each, level=level(each.series[0].series, patient, on)) if schedule.rules else each
        for group in wanted
        for each in group_forecasts(group, best, history)
    )
    return Result(on, schedule.name, forecasts, series, best, tuple(steps))


def evaluate_antigen(
    schedule: Schedule, antigen: Antigen, history: History, left_aside: list[Step]
) -> tuple[PatientSeries, ...]:
    """Sections 4.3 and 4.4; series whose skips look at completed ones come after those they look at."""
    series = relevant_series(antigen.series, history, left_aside)
    state = antigen_state(antigen, history)
    completed = Completions(schedule, antigen, history)
    for each in sorted(series, key=lambda one: one.series.after_others):
        evaluate_series(each, history, schedule, completed)
        forecast_series(each, state, history, schedule, completed)
        if each.outgrown and each.status is not SeriesStatus.COMPLETE:
            each.status, each.forecast = SeriesStatus.AGED_OUT, None
        completed.add(each)
    return tuple(series)


class Completions:
    """Groups of series of one antigen with a complete series: now, or as they stood before a day (TABLE 6-7)."""

    def __init__(self, schedule: Schedule, antigen: Antigen, history: History) -> None:
        self._schedule, self._antigen, self._history = schedule, antigen, history
        self._now: frozenset[str] = frozenset()
        self._past: dict[dt.date, frozenset[str]] = {}

    def add(self, series: PatientSeries) -> None:
        """Take note of a series once it is forecast."""
        if series.status is SeriesStatus.COMPLETE:
            self._now |= {series.series.group}

    def __call__(self, before: dt.date | None) -> frozenset[str]:
        """Groups complete on a day with the doses given before it; with every dose when no day is given."""
        if before is None:
            return self._now
        if before not in self._past:
            self._past[before] = self._look(as_of(self._history, before))
        return self._past[before]

    def _look(self, past: History) -> frozenset[str]:
        if not past.by_antigen.get(self._antigen.name):
            return frozenset()
        antigen = self._antigen.without_dependent_series()
        return frozenset(
            each.series.group
            for each in evaluate_antigen(self._schedule, antigen, past, [])
            if each.status is SeriesStatus.COMPLETE
        )
