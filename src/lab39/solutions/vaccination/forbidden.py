"""What a person must not be given, whether or not any series concerns them: the first question at a counter."""

from __future__ import annotations

import datetime as dt
from typing import NamedTuple

from lab39.solutions.vaccination.dates import after
from lab39.solutions.vaccination.model import Contraindication, Schedule
from lab39.solutions.vaccination.organize import organize
from lab39.solutions.vaccination.outcome import Patient


class Forbidden(NamedTuple):
    """A contraindication in force: of a whole antigen, or of the vaccines that it names."""

    antigen: str
    contraindication: Contraindication


def forbidden(schedule: Schedule, patient: Patient, on: dt.date) -> tuple[Forbidden, ...]:
    """TABLE 7-5 and TABLE 7-6 for every antigen of the schedule, not those of relevant series only.

    Returns:
        in the order of the schedule; nothing is said of what was not observed.
    """
    history = organize(schedule, patient, on)
    return tuple(
        Forbidden(antigen.name, each)
        for antigen in schedule.antigens.values()
        for each in antigen.contraindications
        if each.code in history.observed
        and ((begin := after(history.birth, each.begin)) is None or begin <= on)
        and ((end := after(history.birth, each.end)) is None or on < end)
    )


def group_forbidden(schedule: Schedule, patient: Patient, on: dt.date, group: str) -> bool:
    """Whether every antigen of a vaccine group is forbidden as a whole."""
    whole = {each.antigen for each in forbidden(schedule, patient, on) if not each.contraindication.vaccines}
    antigens = schedule.groups[group].antigens
    return bool(antigens) and whole.issuperset(antigens)
