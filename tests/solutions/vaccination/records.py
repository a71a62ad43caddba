"""Records for the tests, in few words."""

from __future__ import annotations

from typing import Any

from lab39.core.record import Record

CVX = "http://hl7.org/fhir/sid/cvx"
NUVA = "http://smt.esante.gouv.fr/terminologie-nuva"
MVX = "http://hl7.org/fhir/sid/mvx"
SNOMED = "http://snomed.info/sct"
PERSON = {"resourceType": "Patient", "id": "p", "birthDate": "2025-01-31", "gender": "female"}


def concept(system: str, code: str, text: str = "") -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code}], **({"text": text} if text else {})}


def immunization(day: str | None, code: str = "901", system: str = CVX, **more: Any) -> dict[str, Any]:
    row = {
        "resourceType": "Immunization",
        "status": "completed",
        "vaccineCode": concept(system, code),
        "patient": {"reference": "Patient/p"},
        **more,
    }
    return row | ({"occurrenceDateTime": day} if day else {})


def condition(system: str, code: str, **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "Condition",
        "clinicalStatus": concept("http://terminology.hl7.org/CodeSystem/condition-clinical", "active"),
        "code": concept(system, code),
        "subject": {"reference": "Patient/p"},
        **more,
    }


def allergy(system: str, code: str, **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "AllergyIntolerance",
        "code": concept(system, code),
        "patient": {"reference": "Patient/p"},
        **more,
    }


def observation(system: str, code: str, **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": concept(system, code),
        "subject": {"reference": "Patient/p"},
        **more,
    }


def bundle(*resources: dict[str, Any], person: dict[str, Any] = PERSON) -> dict[str, Any]:
    return {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [{"resource": r} for r in (person, *resources)],
    }


def record(*resources: dict[str, Any], person: dict[str, Any] = PERSON) -> Record:
    return Record.from_fhir(bundle(*resources, person=person))
