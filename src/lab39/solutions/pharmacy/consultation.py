"""A treatment typed at the counter, as a FHIR record: the page and every other door then see the same findings."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from lab39.core import terms
from lab39.core.errors import InputError
from lab39.core.faces import Fields
from lab39.core.text import Text
from lab39.solutions.pharmacy.terms import CHOICE, FACT

MAX_LINES = 60
MAX_LENGTH = 300
CREATININE = {"umol/L": ("14682-9", "µmol/L"), "mg/L": ("2160-0", "mg/L")}
_NUMBER = re.compile(r"\d{1,5}([.,]\d{1,3})?")
_SUBJECT = {"reference": "Patient/counter"}


@dataclass(frozen=True, slots=True)
class Consultation:
    """What is on the form.

    Attributes:
        lines: one medicine each, as typed.
        doses: number of the line -> dose and rhythm given afterwards.
        picks: number of the line -> the meaning chosen among several.
        facts: token -> whether the person has or had it.
    """

    lines: tuple[str, ...] = ()
    doses: Mapping[int, str] = field(default_factory=dict)
    picks: Mapping[int, str] = field(default_factory=dict)
    born: dt.date | None = None
    sex: str = ""
    weight_kg: Decimal | None = None
    creatinine: Decimal | None = None
    creatinine_unit: str = "umol/L"
    facts: Mapping[str, bool] = field(default_factory=dict)


def read(form: Fields, on: dt.date) -> Consultation:
    """What was sent.

    Raises:
        InputError: what is wrong and what is expected; its place is the field.
    """
    lines = tuple(line.strip() for line in form.get("lines", "").replace("\0", " ").splitlines() if line.strip())
    if len(lines) > MAX_LINES:
        raise InputError(
            Text(
                f"{len(lines)} lignes\u202f: {MAX_LINES} au plus à la fois. En retirer, ou apporter le dossier",
                f"{len(lines)} lines: at most {MAX_LINES} at a time. Remove some, or bring the whole record",
            ),
            "lines",
        )
    long = next((i for i, line in enumerate(lines, 1) if len(line) > MAX_LENGTH), None)
    if long is not None:
        raise InputError(
            Text(
                f"ligne {long}\u202f: plus de {MAX_LENGTH} caractères. Un médicament par ligne",
                f"line {long}: over {MAX_LENGTH} characters. One medicine a line",
            ),
            "lines",
        )
    born = form.day("born")
    if born is not None and born > on:
        raise InputError(
            Text("la date de naissance est dans l'avenir", "the date of birth is in the future"), "born"
        )
    return Consultation(
        lines=lines,
        doses=_numbered(form, "dose-"),
        picks=_numbered(form, "pick-"),
        born=born,
        sex=form.choice("sex", ("", "female", "male"), ""),
        weight_kg=_number(form, "weight", Decimal("0.4"), Decimal(400)),
        creatinine=_number(form, "creatinine", Decimal(1), Decimal(5000)),
        creatinine_unit=form.choice("creatinine_unit", CREATININE, "umol/L"),
        facts={
            name.removeprefix("fact-"): form.text(name) == "yes"
            for name in form
            if name.startswith("fact-") and form.choice(name, ("", "yes", "no"), "")
        },
    )


def bundle(asked: Consultation, on: dt.date) -> Mapping[str, Any]:
    """The form as an R4 Bundle; nothing stands in it that was not said."""
    patient: dict[str, Any] = {"resourceType": "Patient", "id": "counter"}
    if asked.born is not None:
        patient["birthDate"] = asked.born.isoformat()
    if asked.sex:
        patient["gender"] = asked.sex
    resources = [patient, *(_medicine(asked, number, on) for number in range(len(asked.lines)))]
    if asked.weight_kg is not None:
        resources.append(_observation("weight", "29463-7", asked.weight_kg, "kg", "kg", on))
    if asked.creatinine is not None:
        code, shown = CREATININE[asked.creatinine_unit]
        resources.append(_observation("creatinine", code, asked.creatinine, asked.creatinine_unit, shown, on))
    resources += [_condition(token, present=present) for token, present in sorted(asked.facts.items())]
    return {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": r} for r in resources]}


def _medicine(asked: Consultation, number: int, on: dt.date) -> dict[str, Any]:
    text = asked.lines[number]
    if asked.doses.get(number):
        text = f"{text} {asked.doses[number]}"
    concept: dict[str, Any] = {"text": text}
    if asked.picks.get(number):
        concept["coding"] = [{"system": CHOICE, "code": asked.picks[number]}]
    return {
        "resourceType": "MedicationStatement",
        "id": f"line-{number}",
        "status": "active",
        "medicationCodeableConcept": concept,
        "subject": _SUBJECT,
        "dateAsserted": on.isoformat(),
    }


def _observation(name: str, code: str, value: Decimal, unit: str, shown: str, on: dt.date) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "id": name,
        "status": "final",
        "code": {"coding": [{"system": terms.LOINC, "code": code}]},
        "subject": _SUBJECT,
        "effectiveDateTime": on.isoformat(),
        "valueQuantity": {"value": value, "unit": shown, "system": terms.UCUM, "code": unit},
    }


def _condition(token: str, *, present: bool) -> dict[str, Any]:
    verification = "confirmed" if present else "refuted"
    return {
        "resourceType": "Condition",
        "id": f"fact-{token}"[:64],
        "verificationStatus": {
            "coding": [
                {"system": "http://terminology.hl7.org/CodeSystem/condition-ver-status", "code": verification}
            ]
        },
        "code": {"coding": [{"system": FACT, "code": token}]},
        "subject": _SUBJECT,
    }


def _numbered(form: Fields, prefix: str) -> Mapping[int, str]:
    found = {}
    for name in form:
        number = name.removeprefix(prefix)
        if name.startswith(prefix) and number.isdecimal() and form.text(name):
            found[int(number)] = form.text(name)[:MAX_LENGTH]
    return found


def _number(form: Fields, name: str, least: Decimal, most: Decimal) -> Decimal | None:
    written = form.text(name).replace("\u202f", "").replace("\u00a0", "").replace(" ", "")
    if not written:
        return None
    if not _NUMBER.fullmatch(written) or not least <= Decimal(written.replace(",", ".")) <= most:
        raise InputError(
            Text(
                f"un nombre entre {str(least).replace('.', ',')} et {most} est attendu",
                f"a number between {least} and {most} is expected",
            ),
            name,
        )
    return Decimal(written.replace(",", "."))
