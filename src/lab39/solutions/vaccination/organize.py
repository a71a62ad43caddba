"""Section 4.2: organise the immunization history, and what every later step asks of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace

from lab39.solutions.vaccination.dates import after
from lab39.solutions.vaccination.model import Schedule
from lab39.solutions.vaccination.outcome import Dose, Patient, Step


@dataclass(frozen=True, slots=True)
class History:
    """A patient as the steps see them.

    Attributes:
        doses: every dose, oldest first; the order in which they were entered has no effect.
        by_antigen: the doses that hold an antigen at the age they were given.
        observed: CDSi code to the date of its most recent dated observation, ``None`` when none is dated.
        on: the assessment date.
    """

    patient: Patient
    on: dt.date
    birth: dt.date
    doses: tuple[Dose, ...]
    by_antigen: Mapping[str, tuple[Dose, ...]]
    observed: Mapping[str, dt.date | None]
    steps: tuple[Step, ...]


def organize(schedule: Schedule, patient: Patient, on: dt.date) -> History:
    """SECTION 4.2: break each dose given by ``on`` into its antigens, gated by the age of association."""
    doses = tuple(sorted((d for d in patient.doses if d.date <= on), key=_order))
    found: dict[str, list[Dose]] = {}
    steps: list[Step] = []
    for dose in doses:
        held: list[str] = []
        for association in schedule.vaccines.get(dose.code, ()):
            begin = after(patient.birth_date, association.begin)
            end = after(patient.birth_date, association.end)
            if (begin is None or begin <= dose.date) and (end is None or dose.date < end):
                found.setdefault(association.antigen, []).append(dose)
                held.append(association.antigen)
        steps.append(Step("SECTION 4.2", tuple(held), {"vaccine": dose.code, "date": dose.date}))
    observed: dict[str, dt.date | None] = {}
    for each in patient.observations:
        if each.date is not None and each.date > on:
            continue
        known = observed.get(each.code)
        observed[each.code] = max(filter(None, (known, each.date)), default=None)
    return History(
        patient, on, patient.birth_date, doses, {name: tuple(given) for name, given in found.items()}, observed,
        tuple(steps),
    )  # fmt: skip


def as_of(history: History, day: dt.date) -> History:
    """SECTION 4.2 for a past day: the same person assessed on it, with the doses given before it."""
    return replace(
        history,
        on=day,
        doses=tuple(each for each in history.doses if each.date < day),
        by_antigen={
            name: before
            for name, given in history.by_antigen.items()
            if (before := tuple(each for each in given if each.date < day))
        },
    )


def _order(dose: Dose) -> tuple[dt.date, str, str, str]:
    return dose.date, dose.code, dose.mvx, dose.id
