"""Examples for the documentation of the API: fictional, small, and valid."""

from __future__ import annotations

from typing import Any

TEST_DATA = {"system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": "HTEST"}
PATIENT: dict[str, Any] = {
    "resourceType": "Patient",
    "id": "fictional-1",
    "meta": {"tag": [TEST_DATA]},
    "name": [{"text": "Ada FICTIF-Sorbier"}],
    "gender": "female",
    "birthDate": "1992-06-01",
}
SIGN: dict[str, Any] = {
    "resourceType": "Observation",
    "id": "sign-1",
    "status": "final",
    "code": {
        "coding": [
            {"system": "http://human-phenotype-ontology.org", "code": "HP:0001166", "display": "Arachnodactyly"}
        ]
    },
    "subject": {"reference": "Patient/fictional-1"},
    "effectiveDateTime": "2026-11-20",
    "valueCodeableConcept": {
        "coding": [{"system": "http://snomed.info/sct", "code": "52101004", "display": "Present"}]
    },
}
BUNDLE: dict[str, Any] = {
    "resourceType": "Bundle",
    "type": "collection",
    "entry": [{"resource": PATIENT}, {"resource": SIGN}],
}
PACKET: dict[str, Any] = {
    "id": "fictional-2",
    "subject": {"id": "fictional-2", "sex": "FEMALE"},
    "phenotypicFeatures": [{"type": {"id": "HP:0001166", "label": "Arachnodactyly"}}],
    "metaData": {"phenopacketSchemaVersion": "2.0", "createdBy": "Lab39", "created": "2026-11-24T00:00:00Z"},
}
ANY_OF = [
    {"$ref": "#/components/schemas/FhirResource"},
    {"$ref": "#/components/schemas/Phenopacket"},
]
SCHEMAS: dict[str, Any] = {
    "FhirResource": {
        "title": "FhirResource",
        "description": "A FHIR R4 Bundle about one person, or a single resource. Read leniently: what cannot be "
        "understood is told in the report.",
        "type": "object",
        "required": ["resourceType"],
        "properties": {"resourceType": {"type": "string"}},
        "additionalProperties": True,
    },
    "Phenopacket": {
        "title": "Phenopacket",
        "description": "A GA4GH Phenopacket v2, JSON.",
        "type": "object",
        "anyOf": [{"required": ["phenotypicFeatures"]}, {"required": ["metaData"]}],
        "properties": {
            "phenotypicFeatures": {"type": ["array", "null"], "items": {"type": "object"}},
            "subject": {"type": ["object", "null"]},
            "metaData": {"type": ["object", "null"]},
        },
        "additionalProperties": True,
    },
}


def documents(description: str, *, packets: bool = True) -> dict[str, Any]:
    """The request body of an operation that reads a record."""
    fhir = {"schema": {"anyOf": ANY_OF[:1]}, "examples": {"bundle": {"value": BUNDLE}}}
    both = {
        "schema": {"anyOf": ANY_OF if packets else ANY_OF[:1]},
        "examples": {"bundle": {"value": BUNDLE}} | ({"phenopacket": {"value": PACKET}} if packets else {}),
    }
    return {
        "description": description,
        "required": True,
        "content": {"application/fhir+json": fhir, "application/json": both},
    }
