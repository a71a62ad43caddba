"""Examples and shapes of CDS Hooks requests, for the documentation of the API."""

from __future__ import annotations

from typing import Any

from lab39.web.api import samples
from lab39.web.api.cds import request

CONTEXT = {"userId": "Practitioner/example", "patientId": samples.PATIENT["id"]}
OBSERVATIONS = {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": samples.SIGN}]}
PATIENT_VIEW: dict[str, Any] = {
    "hook": "patient-view",
    "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
    "context": CONTEXT,
    "prefetch": {"patient": samples.PATIENT, "observations": OBSERVATIONS, "medicationrequests": None},
}
DRAFT: dict[str, Any] = {
    "resourceType": "MedicationRequest",
    "id": "draft-1",
    "status": "draft",
    "intent": "order",
    "medicationCodeableConcept": {"text": "Amoxicilline 1 g"},
    "subject": {"reference": "Patient/fictional-1"},
}
DRAFTS = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": DRAFT}]}
ORDER_SIGN: dict[str, Any] = {
    **PATIENT_VIEW,
    "hook": "order-sign",
    "context": {**CONTEXT, "draftOrders": DRAFTS},
}
FEEDBACK: dict[str, Any] = {
    "feedback": [
        {
            "card": "4e0a3a1e-3283-4575-ab82-028d55fe2719",
            "outcome": "overridden",
            "overrideReason": {
                "reason": {"code": "already-done", "system": "http://lab39.org/fhir/CodeSystem/override-reason"}
            },
            "outcomeTimestamp": "2026-11-24T10:05:31Z",
        }
    ]
}


def call() -> dict[str, Any]:
    """The request body of a service."""
    return {
        "description": "A call of CDS Hooks 2.0.1; `hook` is that of the service.",
        "required": True,
        "content": {
            "application/json": {
                "schema": {"$ref": "#/components/schemas/CdsRequest"},
                "examples": {"patient-view": {"value": PATIENT_VIEW}},
            }
        },
    }


def feedback() -> dict[str, Any]:
    """The request body of the feedback endpoint."""
    return {
        "description": "One or more outcomes.",
        "required": True,
        "content": {
            "application/json": {
                "schema": {"$ref": "#/components/schemas/CdsFeedback"},
                "examples": {"overridden": {"value": FEEDBACK}},
            }
        },
    }


def schemas() -> dict[str, Any]:
    """The shapes that are named here and declared nowhere else."""
    found: dict[str, Any] = {}
    for name, model in (("CdsRequest", request.Request), ("CdsFeedback", request.FeedbackBody)):
        schema = model.model_json_schema(ref_template="#/components/schemas/Cds{model}")
        found |= {f"Cds{key}": value for key, value in schema.pop("$defs", {}).items()}
        found[name] = schema
    return found
