"""A dose that was given, written into the record: a newer version, an event and an audit entry, or nothing.

Sent twice, it is written once: its identifier is made from the record, the vaccine, the lot and the day.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from lab39 import fhir
from lab39.core import terms
from lab39.core.context import WorkContext
from lab39.core.errors import InputError
from lab39.core.record import Record
from lab39.core.text import Lang, Text
from lab39.fhir import jsontext
from lab39.solutions.vaccination import consultation, rights
from lab39.solutions.vaccination import counter as counters
from lab39.solutions.vaccination.counter import Counter
from lab39.solutions.vaccination.products import Product
from lab39.solutions.vaccination.questions import NO, UNKNOWN, Question

RECORDED = "vaccination.dose-recorded"
"""The event, and the action of the audit log."""
_V3 = "http://terminology.hl7.org/CodeSystem/v3-"


@dataclass(frozen=True, slots=True)
class Recorded:
    """A dose of a record; ``new`` is False when it stood there already."""

    record: str
    dose: str
    version: int
    new: bool


def immunization(
    counter: Counter,
    record: str,
    product: Product,
    subject: Record,
    on: dt.date,
    asked: Sequence[Question],
    lang: Lang,
) -> Mapping[str, Any]:
    """The dose as FHIR R4, complete: the box, where, by whom, and what was answered before."""
    coding = [{"system": terms.NUVA, "code": product.nuva, "display": product.name}]
    cip = next((each for each in product.cip13 if each in counter.box), "")
    if cip:
        coding.append({"system": terms.CIP, "code": cip})
    made: dict[str, Any] = {
        "resourceType": "Immunization",
        "id": counters.dose_id(record, product, counter.lot, on),
        "status": "completed",
        "vaccineCode": {"coding": coding, "text": product.name},
        "patient": _subject(subject),
        "occurrenceDateTime": on.isoformat(),
        "recorded": on.isoformat(),
        "primarySource": True,
        "lotNumber": counter.lot,
        "performer": [{"actor": {"display": rights.professions()[counter.profession][0][lang]}}],
    }
    if counter.expires is not None:
        made["expirationDate"] = counter.expires.isoformat()
    site = counters.sites().get(counter.site)
    if site is not None and site.code:
        made["site"] = {"coding": [{"system": f"{_V3}ActSite", "code": site.code}], "text": site.label[lang]}
    if site is not None and site.route:
        coded = {"system": f"{_V3}RouteOfAdministration", "code": site.route}
        made["route"] = {"coding": [coded], "text": site.label[lang]}
    if product.volume_ml is not None:
        volume = Decimal(str(product.volume_ml))
        made["doseQuantity"] = {"value": volume, "unit": "mL", "system": terms.UCUM, "code": "mL"}
    notes = [{"text": f"{each.asks[lang]} {_said(each, counter.answers.get(each.id, ''))[lang]}"} for each in asked]
    return made | ({"note": notes} if notes else {})


def write(
    ctx: WorkContext,
    person: str,
    record: str,
    dose: Mapping[str, Any],
    *,
    judged: Record,
    edition: str,
    beside: Sequence[Mapping[str, Any]] = (),
) -> Recorded | None:
    """Keep a dose in a record of the lab.

    Args:
        judged: the record as it was when the dose was found ready to be given.
        beside: what was said then and is kept with the dose.

    Returns:
        What stands in the record; ``None`` when it has changed since: judge again, nothing was kept. Two people who
        record the same vaccine at one moment do not both write it.

    Raises:
        UnknownRecordError, AccessError: not theirs to write in.
        InputError: a record that has no place for it.
    """
    from lab39.store import access, records

    with ctx.writing() as tx:
        access.require(tx.connection, record, person, access.Level.WRITE, at=tx.at)
        latest = records.version(tx.connection, record)
    known = fhir.record(latest.document)
    if holds(known, dose["id"]):
        return Recorded(record, dose["id"], latest.number, new=False)
    if known.origin != judged.origin:
        return None
    if known.form == "phenopacket":
        raise InputError(
            Text(
                "un phénopaquet n'a pas de place pour un vaccin\u202f: apporter un dossier FHIR",
                "a phenopacket has no place for a vaccine: bring a FHIR record",
            ),
            "record",
        )
    whole = consultation.as_bundle(known).with_resource(dose)
    for each in beside:
        whole = whole.with_resource(each)
    text = jsontext.dumps(whole.origin)
    try:
        return _add(ctx, person, record, dose["id"], text, latest.number, edition)
    except records.StaleVersionError:
        return None


def _add(ctx: WorkContext, person: str, record: str, dose: str, text: str, expected: int, edition: str) -> Recorded:
    """The newer version, its event and its audit entries."""
    from lab39.store import access, records

    with ctx.writing() as tx:
        access.require(tx.connection, record, person, access.Level.WRITE, at=tx.at)
        version = records.add_version(tx.connection, record, text, expected=expected, by=person, at=tx.at)
        about = {"version": version.number, "schedule": edition}
        tx.publish(RECORDED, about, subject=record)
        tx.audit(
            "upload",
            {"version": version.number, "sha256": version.sha256, "bytes": len(text.encode())},
            subject=record,
        )
        tx.audit(RECORDED, about, subject=record)
    return Recorded(record, dose, version.number, new=True)


def holds(record: Record, dose: str) -> bool:
    """Whether a dose stands in a record."""
    return any(each.get("id") == dose for each in record.resources("Immunization"))


def _subject(record: Record) -> dict[str, str]:
    patient = next(iter(record.resources("Patient")), {})
    return {"reference": f"Patient/{patient['id']}"} if patient.get("id") else {"display": "?"}


def _said(question: Question, answer: str) -> Text:
    if answer == NO:
        return Text("Non.", "No.")
    if answer == UNKNOWN:
        return Text("Ne sait pas.", "Not known.")
    situation = question.situation(answer)
    label = situation.label if situation else Text("–", "–")
    return Text(f"{label.fr[:1].upper()}{label.fr[1:]}.", f"{label.en[:1].upper()}{label.en[1:]}.")
