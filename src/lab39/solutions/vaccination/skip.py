"""Sections 6.2, 7.1 and 7.6: may a target dose be skipped."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Literal

from lab39.solutions.vaccination.dates import after
from lab39.solutions.vaccination.model import Condition, SeriesDose, SkipSet
from lab39.solutions.vaccination.organize import History
from lab39.solutions.vaccination.outcome import Dose, DoseStatus, PatientSeries, Step

Context = Literal["evaluation", "forecast"]
Completed = Callable[[dt.date | None], frozenset[str]]
"""Groups of series of the antigen in which one is complete: before a day, or now when no day is given."""


def age_met(condition: Condition, history: History, reference: dt.date, steps: list[Step]) -> bool:
    """TABLE 6-6, with CALCDTSKIP-3 and CALCDTSKIP-4."""
    begin, end = after(history.birth, condition.begin_age), after(history.birth, condition.end_age)
    met = (begin is None or begin <= reference) and (end is None or reference < end)
    steps.append(Step("TABLE 6-6", met, {"date": reference, "begin": begin, "end": end}))
    return met


def completed_met(condition: Condition, completed: Completed, before: dt.date | None, steps: list[Step]) -> bool:
    """TABLE 6-7: one of the groups named has a complete series.

    The table does not say when. The skip's reference date is that of the dose (CONDSKIP-2), so a series counts for
    a dose once it was complete before that dose: one that a later dose completes changes nothing before it.
    """
    found = completed(before)
    met = not found.isdisjoint(condition.groups)
    steps.append(Step("TABLE 6-7", met, {"groups": tuple(sorted(condition.groups)), "before": before}))
    return met


def interval_met(condition: Condition, previous: dt.date | None, reference: dt.date, steps: list[Step]) -> bool:
    """TABLE 6-8, with CALCDTSKIP-5: counted from the immediate previous dose."""
    due = after(previous, condition.interval)
    met = due is not None and reference >= due
    steps.append(Step("TABLE 6-8", met, {"date": reference, "from": previous, "due": due}))
    return met


def doses_counted(
    condition: Condition, series: PatientSeries, history: History, before: int | None, steps: list[Step]
) -> int:
    """CONDSKIP-1: doses of the named types, in its ages and dates, valid ones only if it says so."""
    if condition.valid_only:
        given = [e.dose for e in series.evaluations if e.status is DoseStatus.VALID]
    else:
        given = list(history.by_antigen.get(series.series.antigen, ())[:before])
    counted = sum(dose_in_window(condition, dose, history) for dose in given)
    begin, end = after(history.birth, condition.begin_age), after(history.birth, condition.end_age)
    steps.append(
        Step(
            "CONDSKIP-1",
            counted,
            {
                "valid only": condition.valid_only,
                "begin": begin,
                "end": end,
                "start date": condition.start,
                "end date": condition.end,
            },
        )
    )
    return counted


def dose_in_window(condition: Condition, dose: Dose, history: History) -> bool:
    """CONDSKIP-1: whether one dose is of the types, at the ages and between the dates of a condition."""
    begin, end = after(history.birth, condition.begin_age), after(history.birth, condition.end_age)
    return (
        (not condition.vaccines or dose.code in condition.vaccines)
        and (begin is None or begin <= dose.date)
        and (end is None or dose.date < end)
        and (condition.start is None or condition.start <= dose.date)
        and (condition.end is None or dose.date < condition.end)
    )


def count_met(condition: Condition, counted: int, steps: list[Step]) -> bool:
    """TABLE 6-9."""
    if condition.logic == "greater than":
        met = counted > condition.count
    else:
        met = counted < condition.count if condition.logic == "less than" else counted == condition.count
    steps.append(Step("TABLE 6-9", met, {"counted": counted, condition.logic: condition.count}))
    return met


def can_skip(
    target: SeriesDose,
    series: PatientSeries,
    history: History,
    completed: Completed,
    context: Context,
    reference: dt.date,
    before: int | None,
    steps: list[Step],
) -> bool:
    """TABLE 6-11: whether a skip of this context has the sets it needs, on the reference date (CONDSKIP-2).

    Args:
        reference: the dose's date, the assessment date, or the earliest date when a forecast is validated.
        before: how many doses of the antigen come before the one that is evaluated; ``None`` when forecasting.
    """
    anchor = reference if context == "evaluation" else history.on
    for skip in target.skips:
        if not (skip.evaluation if context == "evaluation" else skip.forecast):
            continue
        met = [
            set_met(each, series, history, completed, reference, before, steps)
            for each in skip.sets
            if (each.effective is None or each.effective <= anchor)
            and (each.cessation is None or anchor <= each.cessation)
        ]
        skipped = bool(met) and (all(met) if skip.every else any(met))
        steps.append(Step("TABLE 6-11", skipped, {"target": target.number, "context": context, "date": reference}))
        if skipped:
            return True
    return False


def set_met(
    given: SkipSet,
    series: PatientSeries,
    history: History,
    completed: Completed,
    reference: dt.date,
    before: int | None,
    steps: list[Step],
) -> bool:
    """TABLE 6-10: all conditions of the set, or one of them."""
    met = []
    for condition in given.conditions:
        if condition.kind == "age":
            met.append(age_met(condition, history, reference, steps))
        elif condition.kind == "interval":
            doses = history.by_antigen.get(series.series.antigen, ())[:before]
            met.append(interval_met(condition, doses[-1].date if doses else None, reference, steps))
        elif condition.kind == "completed":
            met.append(completed_met(condition, completed, None if before is None else reference, steps))
        else:
            counted = doses_counted(condition, series, history, before, steps)
            met.append(count_met(condition, counted, steps))
    result = all(met) if given.every else any(met)
    steps.append(Step("TABLE 6-10", result, {"set": given.id, "says": given.description, "conditions": tuple(met)}))
    return result
