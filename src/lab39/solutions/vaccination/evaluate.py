"""Chapter 6: evaluate one dose administered against one target dose."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from lab39.solutions.vaccination.dates import add, after
from lab39.solutions.vaccination.model import AgeRule, Interval, Schedule, SeriesDose, Vaccine
from lab39.solutions.vaccination.organize import History
from lab39.solutions.vaccination.outcome import Dose, DoseStatus, Evaluation, PatientSeries, Step, TargetStatus

TOO_YOUNG, TOO_OLD, TOO_SOON = "Age: Too Young", "Age: Too Old", "Interval: Too Soon"
INADVERTENT, CONFLICT, ALREADY_COMPLETE = "Inadvertent Vaccine", "Live Virus Conflict", "Series Already Complete"
DOSE_CONDITION = "Dose Condition"
WRONG_VACCINE, GRACE, SMALL_VOLUME = "Vaccine: Not Preferable or Allowable", "Grace Period", "Volume: Too Small"
_INTERVAL_STATUSES = (DoseStatus.VALID, DoseStatus.NOT_VALID)


class Verdict(NamedTuple):
    """Answer of one table: whether it is satisfied, and the evaluation reason it gives."""

    satisfied: bool
    reason: str = ""


def in_force(effective: dt.date | None, cessation: dt.date | None, anchor: dt.date) -> bool:
    """RELEVANT-1 and RELEVANT-2: both dates are included."""
    return (effective is None or effective <= anchor) and (cessation is None or anchor <= cessation)


def age_rule(target: SeriesDose, anchor: dt.date) -> AgeRule | None:
    """RELEVANT-1 for ages: the one in force on the date administered, or on the assessment date."""
    for each in target.ages:
        if in_force(each.effective, each.cessation, anchor):
            return each
    return None


def dose_condition(dose: Dose, steps: list[Step]) -> bool:
    """TABLE 6-3: a dose given after its lot expired, or with a dose condition, cannot be evaluated."""
    usable = not dose.sub_standard and (dose.expires is None or dose.date <= dose.expires)
    steps.append(Step("TABLE 6-3", usable, {"date": dose.date, "expires": dose.expires}))
    return usable


def inadvertent(dose: Dose, target: SeriesDose, steps: list[Step]) -> bool:
    """TABLE 6-13: a vaccine type that must not be given for this target dose."""
    found = dose.code in target.inadvertent
    steps.append(Step("TABLE 6-13", found, {"vaccine": dose.code}))
    return found


def age(dose: Dose, target: SeriesDose, birth: dt.date, steps: list[Step]) -> Verdict:
    """TABLE 6-15, with CALCDTAGE-1, CALCDTAGE-4 and CALCDTAGE-5. No ages stated is a valid age."""
    rule, verdict = age_rule(target, dose.date), Verdict(True)
    inputs: Mapping[str, object] = {}
    if rule is not None:
        abs_min, minimum = after(birth, rule.abs_min), after(birth, rule.minimum)
        maximum = after(birth, rule.maximum)
        inputs = {"date": dose.date, "absolute minimum": abs_min, "minimum": minimum, "maximum": maximum}
        if abs_min is not None and dose.date < abs_min:
            verdict = Verdict(False, TOO_YOUNG)
        elif maximum is not None and dose.date >= maximum:
            verdict = Verdict(False, TOO_OLD)
        elif minimum is not None and dose.date < minimum:
            verdict = Verdict(True, GRACE)
    steps.append(Step("TABLE 6-15", verdict, inputs))
    return verdict


def reference_date(
    interval: Interval, series: PatientSeries, history: History, before: dt.date | None
) -> dt.date | None:
    """CALCDTINT-1, CALCDTINT-2, CALCDTINT-8 and CALCDTINT-9: the date an interval is counted from.

    Args:
        before: the date of the dose that is evaluated; ``None`` when forecasting.
    """
    if interval.from_previous:
        for done in reversed(series.evaluations):
            if done.status in _INTERVAL_STATUSES and not done.inadvertent:
                return done.dose.date
        return None
    if interval.from_target is not None:
        for target in series.targets:
            if target.dose.number == interval.from_target and target.status is TargetStatus.SATISFIED:
                return target.satisfied_on
        return None
    if interval.from_recent:
        skipped = {done.dose for done in series.evaluations if done.inadvertent}
        dates = [
            dose.date
            for dose in history.doses
            if dose.code in interval.from_recent and dose not in skipped and (before is None or dose.date < before)
        ]
        return max(dates, default=None)
    return history.observed.get(interval.from_observation or "")


def preferable_interval(
    dose: Dose, target: SeriesDose, series: PatientSeries, history: History, steps: list[Step]
) -> Verdict:
    """TABLE 6-18: every interval in force must be satisfied; none stated is satisfied."""
    worst = Verdict(True)
    if not target.intervals:
        steps.append(Step("TABLE 6-18", worst, {"date": dose.date, "stated": False}))
    for interval in target.intervals:
        if not in_force(interval.effective, interval.cessation, dose.date):
            continue
        start = reference_date(interval, series, history, dose.date)
        if interval.earlier_count and start is not None and dose.date < start:
            start = None
        abs_min, minimum = after(start, interval.abs_min), after(start, interval.minimum)
        verdict = Verdict(True)
        if abs_min is not None and dose.date < abs_min:
            verdict = Verdict(False, TOO_SOON)
        elif minimum is not None and dose.date < minimum:
            verdict = Verdict(True, GRACE)
        steps.append(
            Step("TABLE 6-18", verdict, {"date": dose.date, "from": start, "absolute minimum": abs_min,
                                         "minimum": minimum})
        )  # fmt: skip
        if not verdict.satisfied or (worst.satisfied and verdict.reason):
            worst = verdict
    return worst


def allowable_interval(
    dose: Dose, target: SeriesDose, series: PatientSeries, history: History, steps: list[Step]
) -> Verdict:
    """TABLE 6-21: every allowable interval in force must be satisfied; none stated is not satisfied."""
    verdict, stated = Verdict(True), False
    for interval in target.allowable_intervals:
        if not in_force(interval.effective, interval.cessation, dose.date):
            continue
        stated = True
        start = reference_date(interval, series, history, dose.date)
        abs_min = after(start, interval.abs_min)
        satisfied = abs_min is None or dose.date >= abs_min
        steps.append(Step("TABLE 6-21", satisfied, {"date": dose.date, "from": start, "absolute minimum": abs_min}))
        if not satisfied:
            verdict = Verdict(False, TOO_SOON)
    if not stated:
        verdict = Verdict(False, TOO_SOON)
        steps.append(Step("TABLE 6-21", False, {"date": dose.date, "stated": False}))
    return verdict


def vaccine_conflict(
    dose: Dose, series: PatientSeries, history: History, schedule: Schedule, steps: list[Step]
) -> bool:
    """CONFLICT-3, with CALCDTCONFLICT-1 and CALCDTCONFLICT-2: the whole history is looked at."""
    rules = schedule.conflicts.get(dose.code, {})
    statuses = {done.dose: done.status for done in series.evaluations} if rules else {}
    for previous in history.doses:
        if not rules or previous.date >= dose.date:
            break
        rule = rules.get(previous.code)
        if rule is None:
            continue
        valid = statuses.get(previous, DoseStatus.VALID) is DoseStatus.VALID
        begin, end = add(previous.date, rule.begin), add(previous.date, rule.min_end if valid else rule.end)
        impacted = begin <= dose.date < end
        steps.append(
            Step("CONFLICT-3", impacted, {"date": dose.date, "previous": previous.code, "begin": begin, "end": end})
        )
        if impacted:
            return True
    steps.append(Step("CONFLICT-3", False, {"date": dose.date, "vaccine": dose.code}))
    return False


def preferable_vaccine(dose: Dose, target: SeriesDose, birth: dt.date, steps: list[Step]) -> Verdict:
    """TABLE 6-26: vaccine type, age and trade name (by its maker); too small a volume is said, never refused."""
    verdict = Verdict(False)
    for vaccine in target.preferable.get(dose.code, ()):
        if _age_fits(vaccine, birth, dose.date) and (not vaccine.mvx or not dose.mvx or vaccine.mvx == dose.mvx):
            small = dose.volume is not None and vaccine.volume is not None and dose.volume < vaccine.volume
            verdict = Verdict(True, SMALL_VOLUME if small else "")
            break
    steps.append(Step("TABLE 6-26", verdict, {"vaccine": dose.code, "mvx": dose.mvx, "date": dose.date}))
    return verdict


def allowable_vaccine(dose: Dose, target: SeriesDose, birth: dt.date, steps: list[Step]) -> Verdict:
    """TABLE 6-29: vaccine type and age."""
    found = any(_age_fits(vaccine, birth, dose.date) for vaccine in target.allowable.get(dose.code, ()))
    steps.append(Step("TABLE 6-29", found, {"vaccine": dose.code, "date": dose.date}))
    return Verdict(found)


def evaluate_dose(
    dose: Dose,
    target: SeriesDose,
    series: PatientSeries,
    history: History,
    schedule: Schedule,
    steps: list[Step],
) -> Evaluation:
    """TABLE 6-31: the status of a usable dose, with its reasons, from sections 6.3 to 6.9."""

    def said(status: DoseStatus, reasons: Sequence[str], gate: bool = False) -> Evaluation:
        steps.append(Step("TABLE 6-31", status, {"target": target.number, "date": dose.date}))
        return Evaluation(dose, target.number, status, tuple(filter(None, reasons)), gate, tuple(steps))

    if inadvertent(dose, target, steps):
        return said(DoseStatus.NOT_VALID, (INADVERTENT,), gate=True)
    aged = age(dose, target, history.birth, steps)
    if aged.reason == TOO_OLD:
        return said(DoseStatus.EXTRANEOUS, (TOO_OLD,))
    spaced = preferable_interval(dose, target, series, history, steps)
    if not spaced.satisfied:
        spaced = allowable_interval(dose, target, series, history, steps)
    impacted = vaccine_conflict(dose, series, history, schedule, steps)
    vaccine = preferable_vaccine(dose, target, history.birth, steps)
    if not vaccine.satisfied:
        vaccine = allowable_vaccine(dose, target, history.birth, steps)
    if aged.satisfied and spaced.satisfied and not impacted and vaccine.satisfied:
        return said(DoseStatus.VALID, (aged.reason, spaced.reason, vaccine.reason))
    return said(
        DoseStatus.NOT_VALID,
        (
            "" if aged.satisfied else aged.reason,
            "" if spaced.satisfied else spaced.reason,
            CONFLICT if impacted else "",
            "" if vaccine.satisfied else WRONG_VACCINE,
        ),
    )


def _age_fits(vaccine: Vaccine, birth: dt.date, day: dt.date) -> bool:
    begin, end = after(birth, vaccine.begin), after(birth, vaccine.end)
    return (begin is None or begin <= day) and (end is None or day < end)
