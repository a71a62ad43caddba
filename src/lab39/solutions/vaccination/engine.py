"""The processing model of chapter 4: from a patient and a schedule to every vaccine group's forecast."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

from lab39.solutions.vaccination.best import best_series
from lab39.solutions.vaccination.forecast import antigen_state, forecast_series
from lab39.solutions.vaccination.groups import group_forecasts
from lab39.solutions.vaccination.model import (
    Antigen,
    Patient,
    PatientSeries,
    Result,
    Schedule,
    SeriesStatus,
)
from lab39.solutions.vaccination.organize import History, organize
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
    series = {name: evaluate_antigen(schedule, schedule.antigens[name], history) for name in antigens}
    best = {name: tuple(best_series(found, history)) for name, found in series.items()}
    forecasts = tuple(each for group in wanted for each in group_forecasts(group, best, history))
    return Result(on, schedule.name, forecasts, series, best)


def evaluate_antigen(schedule: Schedule, antigen: Antigen, history: History) -> tuple[PatientSeries, ...]:
    """Sections 4.3 and 4.4; series whose skips look at completed ones come after those they look at."""
    series = relevant_series(antigen.series, history)
    state = antigen_state(antigen, history)
    completed: frozenset[str] = frozenset()
    for each in sorted(series, key=lambda one: one.series.after_others):
        evaluate_series(each, history, schedule, completed)
        forecast_series(each, state, history, schedule, completed)
        if each.status is SeriesStatus.COMPLETE:
            completed |= {each.series.group}
    return tuple(series)
