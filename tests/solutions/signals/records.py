"""Small records: what somebody takes and complains of, and a lab that answers for the pharmacy."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lab39 import fhir
from lab39.core.datapacks import Packs
from lab39.core.finding import Finding
from lab39.core.record import Record
from lab39.solutions.signals import findings as signals
from lab39.solutions.signals.solution import Signals

ON = dt.date(2026, 11, 24)
ATC = "http://www.whocc.no/atc"
SNOMED = "http://snomed.info/sct"
ICD10 = "http://hl7.org/fhir/sid/icd-10"
HPO = "http://human-phenotype-ontology.org"
LOINC = "http://loinc.org"
UCUM = "http://unitsofmeasure.org"
_CLINICAL = "http://terminology.hl7.org/CodeSystem/condition-clinical"
_VERIFIED = "http://terminology.hl7.org/CodeSystem/condition-ver-status"


def record(*rows: dict[str, Any]) -> Record:
    """A woman of 82 with these resources."""
    person = {"resourceType": "Patient", "id": "p", "birthDate": "1944-03-02", "gender": "female"}
    read = fhir.record(
        {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": each} for each in (person, *rows)]}
    )
    assert read is not None
    return read


def takes(
    atc: str = "",
    start: str | None = "2026-11-03",
    *,
    end: str | None = None,
    status: str = "active",
    words: str = "",
    id: str = "m",
) -> dict[str, Any]:
    """A medicine that is taken, as a statement."""
    coding = {"coding": [{"system": ATC, "code": atc}]} if atc else {}
    row: dict[str, Any] = {
        "resourceType": "MedicationStatement",
        "id": id,
        "status": status,
        "subject": {"reference": "Patient/p"},
        "medicationCodeableConcept": coding | {"text": words or atc},
    }
    if start or end:
        row["effectivePeriod"] = {k: v for k, v in (("start", start), ("end", end)) if v}
    return row


def has(
    code: str,
    onset: str | None = "2026-11-22",
    *,
    system: str = SNOMED,
    clinical: str | None = "active",
    verified: str | None = "confirmed",
    id: str = "",
) -> dict[str, Any]:
    """A condition."""
    row: dict[str, Any] = {
        "resourceType": "Condition",
        "id": id or f"c{code}".replace(":", "").replace(".", "-"),
        "code": {"coding": [{"system": system, "code": code}]},
        "subject": {"reference": "Patient/p"},
    }
    if clinical:
        row["clinicalStatus"] = {"coding": [{"system": _CLINICAL, "code": clinical}]}
    if verified:
        row["verificationStatus"] = {"coding": [{"system": _VERIFIED, "code": verified}]}
    return row | ({"onsetDateTime": onset} if onset else {})


def told(words: str, onset: str | None = "2026-11-22") -> dict[str, Any]:
    """A condition in words only."""
    row: dict[str, Any] = {
        "resourceType": "Condition",
        "id": "told",
        "code": {"text": words},
        "subject": {"reference": "Patient/p"},
    }
    return row | ({"onsetDateTime": onset} if onset else {})


def measured(loinc: str, value: float, unit: str, day: str = "2026-11-24") -> dict[str, Any]:
    """A result."""
    return {
        "resourceType": "Observation",
        "id": f"o{loinc}",
        "status": "final",
        "code": {"coding": [{"system": LOINC, "code": loinc}]},
        "subject": {"reference": "Patient/p"},
        "effectiveDateTime": day,
        "valueQuantity": {"value": value, "unit": unit, "system": UCUM, "code": unit},
    }


def rash(onset: str | None = "2026-11-22", **more: Any) -> dict[str, Any]:
    """A rash."""
    return has("271807003", onset, **more)


def fever(onset: str | None = "2026-11-22", **more: Any) -> dict[str, Any]:
    """A fever."""
    return has("386661006", onset, **more)


@dataclass
class Around:
    """A lab around the solution: its packs, what the pharmacy answers, and whom it asked."""

    packs: Packs
    answer: tuple[Finding, ...] | None = None
    about: frozenset[str] = frozenset()
    asked: list[str] = field(default_factory=list)

    def ask(self, solution: str, record: Record, on: dt.date) -> tuple[Finding, ...] | None:
        self.asked.append(solution)
        return self.answer


def around(home: Path = Path("/nonexistent"), **more: Any) -> Around:
    """A lab without any run, unless its home has one."""
    return Around(Packs(home / "packs", home / "cache", Signals().packs()), **more)


def found(*rows: dict[str, Any], on: dt.date = ON, ctx: Around | None = None) -> dict[str, Finding]:
    """The findings of a record by code."""
    each = list(signals.findings(record(*rows), on, ctx or around()))
    by_code = {finding.code: finding for finding in each}
    assert len(by_code) == len(each)
    return by_code


def said(finding: Finding) -> str:
    """What it suggests, in French."""
    return " / ".join(each.label.fr for each in finding.suggestions)
