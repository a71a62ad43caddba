"""FHIR R4 AdverseEvent: a resource alone, a Bundle, or one resource a line (NDJSON).

Resources that bear the same identifier are the reactions of one report. The product of a suspect is read from the
Medication, MedicationStatement, MedicationAdministration or Immunization it refers to, contained or in the Bundle;
medication statements of the same Bundle and person that are no suspect are concomitant.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Any

from lab39.fhir import jsontext
from lab39.solutions.signals.readers import values
from lab39.solutions.signals.readers.errors import refuse
from lab39.solutions.signals.readers.model import CRITERIA, Case, Drug, Event, Indication, Report
from lab39.solutions.signals.readers.streams import Item, text_lines

SOURCE = "fhir"
MAX_BYTES = 64 * 2**20
Resource = Mapping[str, Any]
_STATEMENTS = ("MedicationStatement", "MedicationAdministration", "Immunization", "MedicationRequest")


@cache
def codes() -> Mapping[str, Any]:
    """Systems and codes, from ``knowledge/fhir.toml``."""
    place = files("lab39.solutions.signals.readers") / "knowledge" / "fhir.toml"
    return tomllib.loads(place.read_text("utf-8"))


def read(item: Item) -> Iterator[Case]:
    """The reports of a file.

    Raises:
        InputError: not JSON, too large for one document, no AdverseEvent in it.
    """
    found = False
    for line, document in _documents(item):
        for case in _cases(item, line, document):
            found = True
            yield case
    if not found:
        raise refuse(
            item.name, "aucune ressource AdverseEvent dans ce fichier", "no AdverseEvent resource in this file"
        )


def _documents(item: Item) -> Iterator[tuple[int, Resource]]:
    with item.open() as stream:
        text = stream.read(MAX_BYTES + 1)
    first, _, rest = text.partition(b"\n")
    if rest.strip() and first.strip().startswith(b"{") and first.strip().endswith(b"}"):
        for number, line in enumerate(text_lines(item, "utf-8"), 1):
            if line.strip():
                yield number, jsontext.loads(line, f"{item.name}:{number}")
        return
    if len(text) > MAX_BYTES:
        raise refuse(
            item.name,
            "document de plus de 64 Mio : donnez une ressource par ligne (NDJSON)",
            "a document of over 64 MiB: give one resource a line (NDJSON)",
        )
    yield 1, jsontext.loads(text, item.name)


class _Bundle:
    """Resources by the ways they are referred to."""

    def __init__(self, document: Resource) -> None:
        self.all: list[Resource] = []
        self.by: dict[str, Resource] = {}
        entries = (
            document.get("entry", []) if document.get("resourceType") == "Bundle" else [{"resource": document}]
        )
        for entry in entries:
            resource = entry.get("resource") or {}
            self.all.append(resource)
            for name in (entry.get("fullUrl"), f"{resource.get('resourceType')}/{resource.get('id')}"):
                if name:
                    self.by[str(name)] = resource

    def get(self, reference: Any, inside: Resource) -> Resource:
        name = str((reference or {}).get("reference") or "")
        if name.startswith("#"):
            return next((each for each in inside.get("contained", []) if f"#{each.get('id')}" == name), {})
        return self.by.get(name, {})


def _cases(item: Item, line: int, document: Resource) -> Iterator[Case]:
    bundle = _Bundle(document)
    grouped: dict[str, list[Resource]] = {}
    for each in bundle.all:
        if each.get("resourceType") == "AdverseEvent" and each.get("actuality", "actual") == "actual":
            number = (each.get("identifier") or {}).get("value") or each.get("id") or f"{item.name}:{line}"
            grouped.setdefault(str(number), []).append(each)
    for number, told in grouped.items():
        yield _case(item, line, number, told, bundle)


def _case(item: Item, line: int, number: str, told: list[Resource], bundle: _Bundle) -> Case:
    person = bundle.get(told[0].get("subject"), told[0])
    events = tuple(_event(each) for each in told)
    onset = min((each.onset for each in events if each.onset), default=None)
    received = next((values.any_date(each["recordedDate"]) for each in told if each.get("recordedDate")), None)
    criteria = {
        name: True if any(name in (each.criteria or "").split(";") for each in events) else None
        for name in CRITERIA
    }
    said = {_serious(each) for each in told}
    age = _measure(bundle, told[0], "age")
    report = Report(
        report_id=number,
        case_id=number,
        source=SOURCE,
        quarter=values.quarter_of(received),
        received=received,
        first_received=received,
        event_date=onset,
        sex={"female": "F", "male": "M"}.get(str(person.get("gender"))),
        age_years=_age(age) if age else values.age_at(values.any_date(person.get("birthDate")), onset),
        weight_kg=_weight(_measure(bundle, told[0], "weight")),
        country=next((each["country"] for each in person.get("address", []) if each.get("country")), None),
        reporter=_reporter(told[0]),
        serious=True if True in said or any(criteria.values()) else (False if said == {False} else None),
        file=item.name,
        line=line,
    )
    report = replace(report, **criteria)  # type: ignore[arg-type]  # names of Report
    drugs = list(_drugs(told, bundle))
    indications = tuple(
        Indication(indication=drug.indication, drug_seq=seq) for seq, drug in enumerate(drugs, 1) if drug.indication
    )
    return Case(report, tuple(drugs), events, indications)


def _concept(concept: Any) -> tuple[str | None, str | None, str | None]:
    """Text, code and system of a CodeableConcept."""
    codings = (concept or {}).get("coding") or [{}]
    first = next((each for each in codings if each.get("system") == codes()["system"]["meddra"]), codings[0])
    text = (concept or {}).get("text") or first.get("display")
    return text, first.get("code"), first.get("system")


def _event(told: Resource) -> Event:
    text, code, system = _concept(told.get("event"))
    meddra = system == codes()["system"]["meddra"]
    _, outcome, _ = _concept(told.get("outcome"))
    return Event(
        event=text or (f"MedDRA {code}" if meddra else code),
        code=code,
        code_system="MedDRA" if meddra else system,
        onset=values.any_date(told.get("date")),
        outcome=codes()["outcome"].get(outcome),
        criteria=";".join(_criteria(told)) or None,
    )


def _criteria(told: Resource) -> list[str]:
    given = [each.get("code") for each in (told.get("seriousness") or {}).get("coding", [])]
    found = {codes()["seriousness"][code] for code in given if code in codes()["seriousness"]}
    if "Serious" in given and (told.get("seriousness") or {}).get("text") == "other_serious":
        found.add("other_serious")
    return [name for name in CRITERIA if name in found]


def _serious(told: Resource) -> bool | None:
    given = {str(each.get("code")).casefold() for each in (told.get("seriousness") or {}).get("coding", [])}
    if any(code.startswith("serious") for code in given):
        return True
    return False if "non-serious" in given else None


def _reporter(told: Resource) -> str | None:
    said = (told.get("recorder") or {}).get("display")
    return said if said in values.e2b()["qualification"].values() else None


def _measure(bundle: _Bundle, told: Resource, name: str) -> Mapping[str, Any] | None:
    about = (told.get("subject") or {}).get("reference")
    for each in bundle.all:
        coded = {coding.get("code") for coding in (each.get("code") or {}).get("coding", [])}
        same = (each.get("subject") or {}).get("reference") == about
        if each.get("resourceType") == "Observation" and same and codes()["loinc"][name] in coded:
            found: Mapping[str, Any] | None = each.get("valueQuantity")
            return found
    return None


def _age(quantity: Mapping[str, Any]) -> float | None:
    return values.age_in_years(_float(quantity), codes()["age_units"].get(quantity.get("code")))


def _weight(quantity: Mapping[str, Any] | None) -> float | None:
    return values.weight(_float(quantity)) if quantity and quantity.get("code") == "kg" else None


def _float(quantity: Mapping[str, Any]) -> float | None:
    value = quantity.get("value")
    return float(value) if isinstance(value, int | float | Decimal) else None


def _drugs(told: list[Resource], bundle: _Bundle) -> Iterator[Drug]:
    """Each product once: suspects first, then the other statements about the same person."""
    used: list[int] = []
    for each in told:
        for suspect in each.get("suspectEntity", []):
            found = bundle.get(suspect.get("instance"), each)
            key = id(found) if found else hash(str(suspect.get("instance")))
            if key not in used:
                used.append(key)
                yield _drug(found, bundle, each, "S", (suspect.get("instance") or {}).get("display"))
    about = (told[0].get("subject") or {}).get("reference")
    for each in bundle.all:
        whose = (each.get("subject") or each.get("patient") or {}).get("reference")
        if each.get("resourceType") in _STATEMENTS and id(each) not in used and about and whose == about:
            yield _drug(each, bundle, told[0], "C", None)


def _drug(given: Resource, bundle: _Bundle, event: Resource, role: str, display: str | None) -> Drug:
    about = given.get("medicationReference")
    product = (bundle.get(about, given) or bundle.get(about, event)) if about else given
    concept = given.get("medicationCodeableConcept") or given.get("vaccineCode") or product.get("code")
    name, code, system = _concept(concept)
    dosage = given.get("dosage") or given.get("dosageInstruction") or {}
    dosing = dosage[0] if isinstance(dosage, list) else dosage
    period = given.get("effectivePeriod") or {}
    start = period.get("start") or given.get("effectiveDateTime") or given.get("occurrenceDateTime")
    substances = [_concept(each.get("itemCodeableConcept"))[0] for each in product.get("ingredient", [])]
    lot = given.get("lotNumber") or (product.get("batch") or {}).get("lotNumber")
    maker = (given.get("manufacturer") or product.get("manufacturer") or {}).get("display")
    urn = (system or "").removeprefix("urn:oid:") or None
    return Drug(
        drug=name or display or code,
        ingredient="; ".join(filter(None, substances)) or None,
        code=code,
        code_system=urn,
        role=role,
        dose=dosing.get("text"),
        route=_concept(dosing.get("route") or given.get("route"))[0],
        form=_concept(product.get("form"))[0],
        start_date=values.any_date(start),
        end_date=values.any_date(period.get("end")),
        indication=next((_concept(each)[0] for each in given.get("reasonCode", [])), None),
        lot=lot,
        maker=maker,
    )
