"""Doses that do not count while their group still asks for one, and those that are no mistake all the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from lab39.core.text import Text
from lab39.solutions.vaccination import words
from lab39.solutions.vaccination.engine import run
from lab39.solutions.vaccination.model import Schedule
from lab39.solutions.vaccination.outcome import Dose, DoseStatus, GroupForecast, Patient, Result, TargetStatus
from lab39.solutions.vaccination.standing import Standing
from lab39.solutions.vaccination.verdicts import verdict

BAD = (DoseStatus.NOT_VALID, DoseStatus.SUB_STANDARD)
"""Statuses of a dose that does not count."""


@dataclass(frozen=True, slots=True)
class Repeated:
    """A dose that does not count in a group that still needs one."""

    dose: Dose
    standing: Standing
    status: DoseStatus
    reasons: tuple[str, ...]


def to_repeat(
    schedule: Schedule, patient: Patient, result: Result, stand: Sequence[Standing]
) -> tuple[Repeated, ...]:
    """Doses that count nowhere while their group still asks for one, oldest first."""
    waiting = [each for each in stand if each.forecast.recommended is not None]
    rows = []
    for dose in sorted(patient.doses, key=lambda each: each.date):
        for each in waiting:
            done = [
                done
                for forecast in (each.forecast, *each.others)
                for series in forecast.series
                for done in series.evaluations
                if done.dose == dose
            ]
            bad = [one for one in done if one.status in BAD]
            if done and len(bad) == len(done) and not _no_mistake(schedule, patient, result, dose, each.forecast):
                reasons = tuple(dict.fromkeys(reason for one in bad for reason in one.reasons))
                rows.append(Repeated(dose, each, bad[0].status, reasons))
                break
    return tuple(rows)


def _no_mistake(schedule: Schedule, patient: Patient, result: Result, dose: Dose, forecast: GroupForecast) -> bool:
    """Whether a dose that does not serve what is asked for now is no mistake all the same.

    It counts elsewhere (a hexavalent is too early for the booster of 6 years), the next dose is spaced from it (a
    23-valent before the 20-valent), or it was right on its day.
    """
    now = verdict(result, dose)
    return (
        now is None
        or now.status not in BAD
        or spaces_next(forecast, dose)
        or right_on_its_day(schedule, patient, dose)
    )


def had_its_use(
    schedule: Schedule, patient: Patient, result: Result, stand: Sequence[Standing], dose: Dose
) -> Text | None:
    """What a dose that does not count today was good for; ``None`` when it counts, or was good for nothing."""
    said = verdict(result, dose)
    if said is None or said.status not in BAD:
        return None
    if right_on_its_day(schedule, patient, dose):
        return Text("comptait le jour où elle a été faite", "counted on the day it was given")
    spaced = [each for each in stand if spaces_next(each.forecast, dose)]
    if not spaced:
        return None
    groups = words.joined([words.group(each.group) for each in spaced])
    return Text(f"espace la dose suivante\u202f: {groups.fr}", f"spaces the next dose: {groups.en}")


def spaces_next(forecast: GroupForecast, dose: Dose) -> bool:
    """Whether the next dose of a group is counted from this one, though it is of another vaccine."""
    awaited = (target for series in forecast.series for target in series.targets)
    target = next((one.dose for one in awaited if one.status is TargetStatus.NOT_SATISFIED), None)
    return target is not None and any(dose.code in interval.from_recent for interval in target.intervals)


def right_on_its_day(schedule: Schedule, patient: Patient, dose: Dose) -> bool:
    """Whether a dose counted on the day it was given, by the doses and the age of that day."""
    known = replace(patient, doses=tuple(one for one in patient.doses if one.date <= dose.date))
    then = verdict(run(schedule, known, dose.date), dose)
    return then is None or then.status not in BAD
