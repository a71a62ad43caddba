"""Section 4.4: walk through the target doses of a series and the doses of its antigen."""

from __future__ import annotations

from lab39.solutions.vaccination.evaluate import ALREADY_COMPLETE, DOSE_CONDITION, dose_condition, evaluate_dose
from lab39.solutions.vaccination.model import Schedule
from lab39.solutions.vaccination.organize import History
from lab39.solutions.vaccination.outcome import DoseStatus, Evaluation, PatientSeries, Step, Target, TargetStatus
from lab39.solutions.vaccination.skip import Completed, can_skip


def evaluate_series(
    series: PatientSeries, history: History, schedule: Schedule, completed: Completed
) -> PatientSeries:
    """SECTION 4.4: every dose of the antigen gets a status; those after the last target dose are extra.

    Returns:
        The series that was given, its targets and evaluations filled in.
    """
    at = 0
    for before, dose in enumerate(history.by_antigen.get(series.series.antigen, ())):
        steps: list[Step] = []
        usable = at == len(series.targets) or dose_condition(dose, steps)  # section 6.1 comes before 6.2
        while (
            usable
            and at < len(series.targets)
            and can_skip(
                series.targets[at].dose, series, history, completed, "evaluation", dose.date, before, steps
            )
        ):
            series.targets[at].status = TargetStatus.SKIPPED
            at += 1
        if at == len(series.targets):
            steps.append(Step("SECTION 4.4", DoseStatus.EXTRANEOUS, {"date": dose.date, "vaccine": dose.code}))
            series.evaluations.append(
                Evaluation(dose, None, DoseStatus.EXTRANEOUS, (ALREADY_COMPLETE,), False, tuple(steps))
            )
            continue
        target = series.targets[at]
        if not usable:
            reasons = (DOSE_CONDITION,)
            series.evaluations.append(
                Evaluation(dose, target.dose.number, DoseStatus.SUB_STANDARD, reasons, False, tuple(steps))
            )
            continue
        found = evaluate_dose(dose, target.dose, series, history, schedule, steps)
        series.evaluations.append(found)
        if found.status is DoseStatus.VALID:
            target.status, target.satisfied_on = TargetStatus.SATISFIED, dose.date
            series.valid_doses += 1
            at += 1
            if target.dose.recurring:
                series.targets.insert(at, Target(target.dose))
    return series
