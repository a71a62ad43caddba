"""Treatments as records, and the small tables of a lab without packs."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from functools import cache
from typing import Any

from lab39 import fhir
from lab39.core.record import Record
from lab39.solutions.pharmacy import engine, starter
from lab39.solutions.pharmacy.medicines import Names
from lab39.solutions.pharmacy.opened import Opened
from lab39.solutions.pharmacy.review import Review, review
from lab39.solutions.pharmacy.starter_catalogue import starter_catalogue

DAY = dt.date(2026, 11, 24)


@cache
def opened() -> Opened:
    """The small tables."""
    small = engine.of(starter.thesaurus())
    return Opened((), small, Names(starter_catalogue(), small.graph, {}))


def medicine(number: int, text: str, **more: Any) -> dict[str, Any]:
    """A medicine that somebody says they take."""
    raw: dict[str, Any] = {
        "resourceType": "MedicationStatement",
        "id": f"m{number}",
        "status": "active",
        "medicationCodeableConcept": {"text": text},
        "subject": {"reference": "Patient/p1"},
    }
    return raw | more


def observation(code: str, value: float, unit: str, day: str = "2026-11-20") -> dict[str, Any]:
    """A laboratory value."""
    return {
        "resourceType": "Observation",
        "id": f"o{code}",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
        "subject": {"reference": "Patient/p1"},
        "effectiveDateTime": day,
        "valueQuantity": {"value": value, "unit": unit, "system": "http://unitsofmeasure.org", "code": unit},
    }


def record(*medicines: str | Mapping[str, Any], born: str = "1944-03-02", more: tuple[Any, ...] = ()) -> Record:
    """A woman with these medicines."""
    patient = {"resourceType": "Patient", "id": "p1", "gender": "female"} | ({"birthDate": born} if born else {})
    rows = [medicine(i, m) if isinstance(m, str) else dict(m) for i, m in enumerate(medicines)]
    entries = [{"resource": raw} for raw in (patient, *rows, *more)]
    return fhir.record({"resourceType": "Bundle", "type": "collection", "entry": entries})


def reviewed(*medicines: str | Mapping[str, Any], **more: Any) -> Review:
    """The review of that record with the small tables."""
    return review(record(*medicines, **more), DAY, opened())
