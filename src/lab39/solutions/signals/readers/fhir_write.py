"""A case as a FHIR R4 Bundle: one AdverseEvent a reaction, the person, and a MedicationStatement a product.

Every resource is checked against the published R4 models. What FHIR R4 has no place for (narrative, history,
sender, who reports in full) is not in it; the E2B(R3) message has it.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from lab39.fhir.outputs import NAMESPACE, validate
from lab39.solutions.signals.readers import fhir_event
from lab39.solutions.signals.readers.errors import refuse
from lab39.solutions.signals.readers.model import SUSPECT_ROLES, Case, Drug, Event

IDENTIFIERS = "urn:ietf:rfc:3986"


def write(case: Case) -> Mapping[str, Any]:
    """The Bundle (collection) of a case.

    Raises:
        InputError: a case without a reaction: it has no adverse event to write.
    """
    if not case.events:
        raise refuse(
            case.report.report_id,
            "aucune réaction dans ce cas : ajoutez-en une",
            "no reaction in this case: add one",
        )
    person = _url(case, "Patient")
    drugs = [(_url(case, f"drug {seq}"), drug) for seq, drug in enumerate(case.drugs, 1)]
    entries = [(person, _patient(case)), *((url, _statement(drug, person)) for url, drug in drugs)]
    entries += [(_url(case, name), each) for name, each in _measures(case, person)]
    suspects = [url for url, drug in drugs if drug.role in SUSPECT_ROLES]
    for seq, event in enumerate(case.events, 1):
        entries.append((_url(case, f"event {seq}"), _adverse_event(case, event, person, suspects)))
    bundle = {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [{"fullUrl": url, "resource": resource} for url, resource in entries],
    }
    validate(bundle)
    return bundle


def _url(case: Case, name: str) -> str:
    return f"urn:uuid:{uuid.uuid5(NAMESPACE, f'signals {case.report.report_id} {name}')}"


def _patient(case: Case) -> dict[str, Any]:
    report = case.report
    told: dict[str, Any] = {"resourceType": "Patient"}
    if report.sex:
        told["gender"] = {"F": "female", "M": "male"}[report.sex]
    if report.country:
        told["address"] = [{"country": report.country}]
    return told


def _measures(case: Case, person: str) -> Iterator[tuple[str, dict[str, Any]]]:
    known = fhir_event.codes()
    for name, value, unit in (("age", case.report.age_years, "a"), ("weight", case.report.weight_kg, "kg")):
        if value is not None:
            quantity = {"value": Decimal(repr(value)), "system": known["system"]["ucum"], "code": unit}
            coding = {"system": known["system"]["loinc"], "code": known["loinc"][name]}
            yield (
                name,
                {
                    "resourceType": "Observation",
                    "status": "final",
                    "code": {"coding": [coding]},
                    "subject": {"reference": person},
                    "valueQuantity": quantity,
                },
            )


def _statement(drug: Drug, person: str) -> dict[str, Any]:
    concept: dict[str, Any] = {"text": drug.drug or drug.ingredient or ""}
    if drug.code:
        concept["coding"] = [
            {"code": drug.code} | ({"system": _system(drug.code_system)} if drug.code_system else {})
        ]
    told: dict[str, Any] = {
        "resourceType": "MedicationStatement",
        "status": "unknown",
        "subject": {"reference": person},
    }
    if drug.ingredient or drug.lot or drug.form or drug.maker:
        product: dict[str, Any] = {"resourceType": "Medication", "id": "product", "code": concept}
        if drug.form:
            product["form"] = {"text": drug.form}
        if drug.ingredient:
            each = [name.strip() for name in drug.ingredient.split(";")]
            product["ingredient"] = [{"itemCodeableConcept": {"text": name}} for name in each]
        if drug.lot:
            product["batch"] = {"lotNumber": drug.lot}
        if drug.maker:
            product["manufacturer"] = {"display": drug.maker}
        told |= {"contained": [product], "medicationReference": {"reference": "#product"}}
    else:
        told["medicationCodeableConcept"] = concept
    if drug.start_date or drug.end_date:
        period = {"start": drug.start_date, "end": drug.end_date}
        told["effectivePeriod"] = {name: date for name, date in period.items() if date}
    if drug.indication:
        told["reasonCode"] = [{"text": drug.indication}]
    dosing = ({"text": drug.dose} if drug.dose else {}) | ({"route": {"text": drug.route}} if drug.route else {})
    if dosing:
        told["dosage"] = [dosing]
    return told


def _system(name: str) -> str:
    return f"urn:oid:{name}" if name.replace(".", "").isdigit() else name


def _adverse_event(case: Case, event: Event, person: str, suspects: list[str]) -> dict[str, Any]:
    known = fhir_event.codes()
    concept: dict[str, Any] = {"text": event.event or ""}
    if event.code:
        system = known["system"]["meddra"] if event.code_system == "MedDRA" else event.code_system
        concept["coding"] = [{"code": event.code} | ({"system": system} if system else {})]
    told: dict[str, Any] = {
        "resourceType": "AdverseEvent",
        "identifier": {"value": case.report.report_id},
        "actuality": "actual",
        "event": concept,
        "subject": {"reference": person},
    }
    if date := event.onset or case.report.event_date:
        told["date"] = date
    if case.report.received:
        told["recordedDate"] = case.report.received
    if case.report.reporter:
        told["recorder"] = {"type": "Practitioner", "display": case.report.reporter}
    if grave := _seriousness(case, event):
        told["seriousness"] = grave
    outcome = next((code for code, word in known["outcome"].items() if word == event.outcome), None)
    if outcome:
        told["outcome"] = {"coding": [{"system": known["system"]["outcome"], "code": outcome}]}
    if suspects:
        told["suspectEntity"] = [{"instance": {"reference": url}} for url in suspects]
    return told


def _seriousness(case: Case, event: Event) -> dict[str, Any] | None:
    known = fhir_event.codes()
    said = (event.criteria or "").split(";")
    given = [code for code, name in known["seriousness"].items() if name in said]
    other = "other_serious" in said
    if not given and not other:
        if case.report.serious is None:
            return None
        given = ["Serious" if case.report.serious else "Non-serious"]
    elif other:
        given.append("Serious")
    coded: dict[str, Any] = {"coding": [{"system": known["system"]["seriousness"], "code": code} for code in given]}
    if other:
        coded["text"] = "other_serious"
    return coded
