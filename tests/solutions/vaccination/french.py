"""What the tests of the French schedule share: the worked examples, read where they are, and people to ask."""

from __future__ import annotations

import csv
import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lab39.solutions.vaccination import Dose, Observed, Patient, Schedule, run
from lab39.solutions.vaccination.authored import level
from lab39.solutions.vaccination.outcome import GroupForecast, SeriesStatus, Sex

ALIASES = {
    "ror": "ROR sans précision",
    "comirnaty lp.8.1": "Comirnaty LP.8.1 30 µg",
    "beyfortus": "Beyfortus 50 mg",
    "prevenar 20": "Prevenar 20",
}
CONDITIONS: dict[str, tuple[tuple[str, str], ...]] = {
    "FR23": (("copd", ""),),
    "FR25": (("immunosuppression", ""),),
    "FR27": (("pregnancy", "2026-06-09"),),
    "FR30": (("health-worker", ""),),
    "FR31": (("vaccination-unknown", ""),),
    "FR34": (("no-varicella-history", ""),),
    "FR35": (("mother-hbsag-positive", ""),),
    "FR37": (("guyane-resident", ""),),
    "FR38": (("traveller", ""), ("travel-yellow-fever", "")),
    "FR39": (("asplenia", ""),),
    "FR43": (("covid-infection", "2026-08-01"),),
    "FR45": (("antilles-resident", ""), ("dengue-history", "2025-01-15")),
    "FR47": (("measles-contact", "2026-11-23"),),
    "FR50": (("hiv", ""),),
}
"""What the column of conditions says, as observations; an example that states none has none."""


@dataclass(frozen=True)
class Expected:
    """One expectation of an example: ``DISEASE.step = STATUS(detail)|earliest|recommended``."""

    row: str
    disease: str
    step: str
    status: str
    detail: str
    earliest: str
    recommended: str

    def __str__(self) -> str:
        return f"{self.row}-{self.disease}" + (f".{self.step}" if self.step else "")


@dataclass(frozen=True)
class Example:
    """One row of the file."""

    id: str
    on: dt.date
    patient: Patient
    expected: tuple[Expected, ...]


def examples(path: Path, schedule: Schedule) -> dict[str, Example]:
    """Every example by its id.

    Raises:
        KeyError: a vaccine that the table of products does not name.
    """
    with path.open(encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    found = {}
    for row in rows:
        if row["id"] not in CONDITIONS and (words := row["conditions"].strip()):
            assert re.match(r"none|first RSV|pregnancy ended", words), f"{row['id']}: {words} is no observation"
        found[row["id"]] = Example(
            row["id"],
            dt.date.fromisoformat(row["assessment_date"]),
            person(
                schedule, row["birth_date"], row["sex"], *filter(None, row["history"].split(";")),
                observed=CONDITIONS.get(row["id"], ()),
            ),
            tuple(_expected(row["id"], row["expected(disease=status|earliest|recommended)"])),
        )  # fmt: skip
    return found


def person(
    schedule: Schedule, born: str, sex: str, *history: str, observed: tuple[tuple[str, str], ...] = ()
) -> Patient:
    """Somebody: doses are written ``2024-01-31:Product``, observations ``(code, date or nothing)``."""
    sexes: dict[str, Sex] = {"F": "Female", "M": "Male"}
    doses = []
    for number, words in enumerate(history, 1):
        day, name = words.split(":", 1)
        doses.append(Dose(dt.date.fromisoformat(day.strip()), code_of(schedule, name), id=str(number)))
    return Patient(
        dt.date.fromisoformat(born),
        sexes.get(sex, "Unknown"),
        tuple(doses),
        tuple(Observed(code, dt.date.fromisoformat(day) if day else None) for code, day in observed),
    )


def code_of(schedule: Schedule, name: str) -> str:
    """The code of a product, by its name."""
    wanted = ALIASES.get(name.strip().casefold(), name.strip()).casefold()
    return {known.casefold(): code for code, known in schedule.vaccine_names.items()}[wanted]


def ask(schedule: Schedule, patient: Patient, on: dt.date, group: str) -> GroupForecast | None:
    """What is said first of a vaccine group."""
    return next(iter(run(schedule, patient, on, [group]).groups), None)


def status(found: GroupForecast | None, patient: Patient, on: dt.date) -> str:
    """The word the examples use for a forecast."""
    if found is None:
        return "NOT_RECOMMENDED"
    if found.status is not SeriesStatus.NOT_COMPLETE:
        words = {SeriesStatus.AGED_OUT: "NOT_RECOMMENDED", SeriesStatus.IMMUNE: "COMPLETE"}
        return words.get(found.status, found.status.name)
    if binding(found, patient, on) == "optional":
        return "OPTIONAL"
    if found.recommended is None or found.recommended > on:
        return "UPCOMING"
    return "OVERDUE" if found.past_due is not None and found.past_due < on else "DUE"


def binding(found: GroupForecast, patient: Patient, on: dt.date) -> str | None:
    """How binding the series behind a forecast is."""
    return level(found.series[0].series, patient, on)


def given(patient: Patient, code: str, on: dt.date) -> Patient:
    """The same person after one more dose."""
    dose = Dose(on, code, id=f"{len(patient.doses) + 1}")
    return Patient(patient.birth_date, patient.sex, (*patient.doses, dose), patient.observations)


def _expected(row: str, words: str) -> Iterator[Expected]:
    for part in words.split("; "):
        head, earliest, recommended = (*part.split("|"), "", "")[:3]
        name, _, said = head.partition("=")
        disease, _, step = name.strip().partition(".")
        shape = re.fullmatch(r"(\w+)\s*(?:\((.*)\))?(.*)", said.strip())
        assert shape, part
        yield Expected(row, disease, step, shape[1], (shape[2] or shape[3] or "").strip(), earliest, recommended)
