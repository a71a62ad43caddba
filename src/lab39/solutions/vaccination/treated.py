"""Observations that a treatment states: a medicine in course, or stopped so lately that its effect still counts.

Which medicines state what is data of the schedule (``ObservationTerm.medicines``), by ATC code. A medicine without
an ATC code states nothing. Not known is not no: what a dose or an unknown date decides is told, and states
``UNCLEAR`` in a schedule that knows it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from lab39.core import entries as e
from lab39.core import terms
from lab39.core.entries import PROPOSED
from lab39.core.errors import Issue
from lab39.core.record import Record
from lab39.core.text import Text
from lab39.solutions.vaccination.dates import after
from lab39.solutions.vaccination.model import ObservationTerm, Schedule, Treatment

UNCLEAR = "immunosuppression-unclear"
"""The observation of the French schedule that keeps live vaccines back until the question is answered."""


def treated(record: Record, schedule: Schedule, on: dt.date, issues: list[Issue]) -> Iterator[tuple[str, None]]:
    """The observations that medicines state on a day; what a dose or an unknown date decides is told too.

    Of the rows that name a medicine, those that name it most closely are heard: one for each observation.
    """
    stating = [(term, row) for term in schedule.observations.values() for row in term.medicines]
    for medicine in record.medications() if stating else ():
        codes = [each.code for each in medicine.concept.codings if each.system == terms.ATC and each.code]
        named = [(term, row) for term, row in stating if any(covers(row.atc, code) for code in codes)]
        closest = max((len(row.atc) for _term, row in named), default=0)
        for term, row in named:
            counted = len(row.atc) == closest and counts(medicine, row, on)
            if counted is False:
                continue
            if counted is None or row.dose_decides:
                issues.append(_doubt(medicine, term, row))
                if UNCLEAR in schedule.observations:
                    yield UNCLEAR, None
            else:
                yield term.code, None


def covers(atc: str, code: str) -> bool:
    """Whether a code is the one written, or begins with the letters before its star.

    >>> covers("L04*", "L04AX03"), covers("L04AX03", "L04AX03"), covers("L04*", "L01BA01")
    (True, True, False)
    """
    return code.startswith(atc[:-1]) if atc.endswith("*") else code == atc


def counts(medicine: e.Medication, row: Treatment, on: dt.date) -> bool | None:
    """Whether a medicine is taken on a day, or stopped within the time its effect counts; ``None``: not known."""
    if medicine.raw.get("intent") in PROPOSED or medicine.raw.get("doNotPerform") is True:
        return False
    if medicine.status == "entered-in-error" or (medicine.start is not None and medicine.start.earliest > on):
        return False
    end = medicine.end
    if end is None and medicine.raw.get("resourceType") == "MedicationAdministration":
        end = medicine.start  # an infusion is over on its day
    if end is not None and end.latest <= on:
        return row.after is not None and (until := after(end.latest, row.after)) is not None and on < until
    return None if medicine.current is False else True


def _doubt(medicine: e.Medication, term: ObservationTerm, row: Treatment) -> Issue:
    name = medicine.concept.label[:60]
    if row.dose_decides:
        fr, en = "la dose et la durée disent si", "the dose and the duration tell whether"
    else:
        fr, en = "la date de fin dit si", "the end date tells whether"
    return Issue(
        "incomplete",
        medicine.ref,
        Text(
            f"«\u202f{name}\u202f»\u202f: {fr} un vaccin vivant est possible. À demander avant d'en faire un",
            f"“{name}”: {en} a live vaccine is possible ({term.code}). To be asked before giving one",
        ),
        "warning",
    )
