"""From a record to the patient that the engine knows: doses by CVX, conditions and observations by CDSi code."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from lab39.core import terms
from lab39.core.entries import HYPOTHETICAL
from lab39.core.errors import Issue
from lab39.core.record import Record
from lab39.core.terms import Concept
from lab39.core.text import Text, date
from lab39.solutions.vaccination.compile import cvx
from lab39.solutions.vaccination.model import Dose, Observed, Patient, Schedule, Sex

_SYSTEMS: Mapping[str, str] = {
    terms.SNOMED: "SNOMED",
    terms.ICD10: "ICD10CM",
    "http://hl7.org/fhir/sid/icd-10-cm": "ICD10CM",
    terms.LOINC: "LOINC",
    terms.CVX: "CVX",
}
_SEXES: Mapping[str, Sex] = {"female": "Female", "male": "Male"}
_LEFT_ASIDE = ("refuted", "entered-in-error", *HYPOTHETICAL)
_MVX = "http://hl7.org/fhir/sid/mvx"


class Known(NamedTuple):
    """A patient, or ``None`` without a whole birth date; ``issues`` name what was not used, and why."""

    patient: Patient | None
    issues: tuple[Issue, ...]


def read_patient(record: Record, schedule: Schedule, on: dt.date) -> Known:
    """Everything the engine may use; what cannot be used is named, and the rest is still evaluated."""
    issues: list[Issue] = []
    born = record.birth_date
    if born is None or born.precision != "day" or born.earliest > on:
        issues.append(
            _issue(
                "required",
                "Patient.birthDate",
                "date de naissance complète nécessaire (jour, mois, année), pas après le jour demandé",
                "a whole birth date is needed (day, month, year), not after the day asked",
            )
        )
        return Known(None, tuple(issues))
    if record.sex not in _SEXES:
        issues.append(
            _issue(
                "required",
                "Patient.gender",
                "sexe inconnu\u202f: les séries propres à un sexe sont laissées de côté",
                "unknown sex: series of one sex are left aside",
                "warning",
            )
        )
    patient = Patient(
        birth_date=born.earliest,
        sex=_SEXES.get(record.sex or "", "Unknown"),
        doses=tuple(_doses(record, schedule, born.earliest, on, issues)),
        observations=tuple(_observed(record, schedule, on)),
    )
    return Known(patient, tuple(issues))


def _doses(record: Record, schedule: Schedule, born: dt.date, on: dt.date, issues: list[Issue]) -> Iterator[Dose]:
    seen: set[tuple[dt.date, str]] = set()
    for given in record.immunizations():
        if given.status in ("not-done", "entered-in-error"):
            continue
        code = next((cvx(c.code) for c in given.concept.codings if c.system == terms.CVX and c.code), "")
        if code not in schedule.vaccines:
            issues.append(
                _issue(
                    "code-invalid", given.ref,
                    f"dose non comptée\u202f: code CVX {code or 'absent'}, inconnu du calendrier {schedule.name}",
                    f"dose not counted: CVX code {code or 'absent'}, unknown to the schedule {schedule.name}",
                )
            )  # fmt: skip
        elif given.date is None or given.date.precision != "day":
            issues.append(
                _issue(
                    "value", given.ref,
                    "dose non comptée\u202f: sa date n'est pas complète",
                    "dose not counted: its date is not whole",
                )
            )  # fmt: skip
        elif given.date.earliest < born or given.date.earliest > on:
            day = given.date.earliest
            issues.append(
                _issue(
                    "value", given.ref,
                    f"dose non comptée\u202f: datée du {date(day, 'fr')}, avant naissance ou après le jour demandé",
                    f"dose not counted: dated {date(day, 'en')}, before birth or after the day asked",
                )
            )  # fmt: skip
        elif (given.date.earliest, code) in seen:
            issues.append(
                _issue(
                    "duplicate", given.ref,
                    "dose comptée une seule fois\u202f: même vaccin, même jour",
                    "dose counted once: same vaccine, same day",
                    "warning",
                )
            )  # fmt: skip
        else:
            seen.add((given.date.earliest, code))
            expires = given.expires.latest if given.expires else None
            yield Dose(given.date.earliest, code, _mvx(given.raw.get("manufacturer")), given.ref, expires=expires)


def _mvx(maker: object) -> str:
    coded = maker.get("identifier") if isinstance(maker, Mapping) else None
    if isinstance(coded, Mapping) and coded.get("system") == _MVX and isinstance(coded.get("value"), str):
        return str(coded["value"])
    return ""


def _observed(record: Record, schedule: Schedule, on: dt.date) -> Iterator[Observed]:
    """Active conditions, allergies and findings; what is only supposed, refuted or over is left aside."""
    index: dict[tuple[str, str], list[str]] = {}
    for term in schedule.observations.values():
        for pair in term.coded:
            index.setdefault(pair, []).append(term.code)
    stated: list[tuple[Concept, dt.date | None]] = []
    for condition in record.conditions():
        if condition.active is not False and condition.verification not in HYPOTHETICAL:
            stated.append((condition.concept, condition.onset.earliest if condition.onset else None))
    for allergy in record.allergies():
        if allergy.clinical not in ("inactive", "resolved") and allergy.verification not in (
            "refuted",
            *HYPOTHETICAL,
        ):
            stated.append((allergy.concept, None))
    for found in record.observations():
        day = found.date.earliest if found.date else None
        if isinstance(found.value, Concept):
            stated.append((found.value, day))
        elif found.value is True:
            stated.append((found.concept, day))
    for code, day in sorted(_matched(index, stated), key=str):
        if day is None or day <= on:
            yield Observed(code, day)


def _matched(
    index: Mapping[tuple[str, str], list[str]], stated: Iterable[tuple[Concept, dt.date | None]]
) -> set[tuple[str, dt.date | None]]:
    return {
        (code, day)
        for concept, day in stated
        for coding in concept.codings
        for code in index.get((_SYSTEMS.get(coding.system, ""), coding.code), ())
    }


def _issue(code: str, place: str, fr: str, en: str, severity: str = "error") -> Issue:
    return Issue(code, place, Text(fr, en), severity)
