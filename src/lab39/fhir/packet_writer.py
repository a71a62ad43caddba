"""GA4GH Phenopackets v2 from any record, checked against the published schema before they leave.

What a Phenopacket has a place for is written: the subject with sex and birth date (or age range), HPO signs present
and excluded with their onset, diseases coded in OMIM, Orphanet or MONDO. The rest of a record stays in FHIR.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from lab39.core import terms
from lab39.core.dates import PartialDate
from lab39.core.errors import LabError
from lab39.core.record import Record
from lab39.core.text import Text
from lab39.fhir.phenopackets import SEX, TEST_DATA

SCHEMA_VERSION = "2.0"
_MONDO = terms.canonical("MONDO")
_PREFIXES = {terms.OMIM: "OMIM", terms.ORPHA: "ORPHA", _MONDO: "MONDO"}
_RESOURCES = {
    "HP": (
        "hp",
        "human phenotype ontology",
        "http://purl.obolibrary.org/obo/hp.owl",
        "http://purl.obolibrary.org/obo/HP_",
    ),
    "OMIM": ("omim", "Online Mendelian Inheritance in Man", "https://www.omim.org", "https://www.omim.org/entry/"),
    "ORPHA": (
        "ordo",
        "Orphanet Rare Disease Ontology",
        "http://www.orpha.net",
        "http://www.orpha.net/ORDO/Orphanet_",
    ),
    "MONDO": ("mondo", "Mondo Disease Ontology", _MONDO, "http://purl.obolibrary.org/obo/MONDO_"),
}


def from_record(record: Record, created: str) -> Mapping[str, Any]:
    """A Phenopacket v2 for a record; one that came as a packet is given back as received.

    Args:
        created: RFC 3339 instant for ``metaData.created`` (the caller's clock).

    Raises:
        LabError: what would be written is not a valid Phenopacket; nothing is emitted.
    """
    if record.form == "phenopacket":
        return record.origin
    features = [
        {"type": _term(p.term.code, p.term.display)}
        | ({"excluded": True} if p.excluded else {})
        | ({"onset": onset} if p.onset and (onset := _time(p.onset)) else {})
        for p in record.phenotypes()
    ]
    diseases = list(_diseases(record))
    used = {str(d["term"]["id"]).partition(":")[0] for d in diseases} | ({"HP"} if features else set())
    packet: dict[str, Any] = {
        "id": record.id or "record",
        "subject": _subject(record, created),
        "phenotypicFeatures": features,
        "diseases": diseases,
        "metaData": {
            "created": created,
            "createdBy": "Lab39",
            "resources": [_resource(prefix) for prefix in sorted(used)],
            "phenopacketSchemaVersion": SCHEMA_VERSION,
        },
    }
    if record.test_data:
        reference = {"id": f"v3-ActReason:{TEST_DATA['code']}", "description": "test data"}
        packet["metaData"]["externalReferences"] = [reference]
    validate(packet)
    return packet


def validate(packet: Mapping[str, Any]) -> None:
    """Check a packet against the protobuf schema of Phenopackets 2.

    Raises:
        LabError: naming what is not valid. This is a defect of the writer, never of the user's input.
    """
    from google.protobuf.json_format import ParseDict, ParseError
    from phenopackets.schema.v2 import Phenopacket

    try:
        ParseDict(dict(packet), Phenopacket())
    except ParseError as error:
        raise LabError(
            Text(f"phénopaquet invalide à l'écriture\u202f: {error}", f"invalid phenopacket written: {error}"),
            str(packet.get("id", "")),
        ) from error


def _subject(record: Record, created: str) -> Mapping[str, Any]:
    sexes = {fhir: ga4gh for ga4gh, fhir in SEX.items()}
    subject: dict[str, Any] = {"id": record.id or "subject", "sex": sexes.get(record.sex or "", "UNKNOWN_SEX")}
    birth = record.birth_date
    if birth is None:
        return subject
    if birth.exact:
        return subject | {"dateOfBirth": f"{birth.exact.isoformat()}T00:00:00Z"}
    try:
        age = record.age(PartialDate.parse(created).earliest)
    except ValueError:  # told by the validation of the whole
        return subject
    if age is None:
        return subject
    ends = {"start": age.min_years, "end": age.max_years}
    span = {name: {"iso8601duration": f"P{years}Y"} for name, years in ends.items()}
    return subject | {"timeAtLastEncounter": {"ageRange": span}}


def _diseases(record: Record) -> Iterable[dict[str, Any]]:
    for condition in record.conditions():
        coding = next((c for c in condition.concept.codings if c.system in _PREFIXES), None)
        if coding is None:
            continue
        prefix = _PREFIXES[coding.system]
        curie = coding.code if coding.code.startswith(f"{prefix}:") else f"{prefix}:{coding.code}"
        onset = _time(condition.onset.written) if condition.onset else None
        yield (
            {"term": _term(curie, coding.display or condition.concept.text)}
            | ({"excluded": True} if condition.verification == "refuted" else {})
            | ({"onset": onset} if onset else {})
        )


def _term(code: str, label: str) -> Mapping[str, Any]:
    return {"id": code, "label": label or code}


_AGE = re.compile(r"P(?=[\dT])(\d+Y)?(\d+M)?(\d+W)?(\d+D)?(T.+)?")


def _time(written: str) -> Mapping[str, Any] | None:
    """A TimeElement from an ISO 8601 age or age range, an HPO onset class, or a date with its precision."""
    if written.startswith("HP:"):
        return {"ontologyClass": _term(written, "")}
    if _AGE.fullmatch(written):
        return {"age": {"iso8601duration": written}}
    start, _, end = written.partition("/")
    if _AGE.fullmatch(start) and _AGE.fullmatch(end):
        return {"ageRange": {"start": {"iso8601duration": start}, "end": {"iso8601duration": end}}}
    try:
        day = PartialDate.parse(written)
    except ValueError:
        return None
    if day.exact:
        return {"timestamp": f"{day.exact.isoformat()}T00:00:00Z"}
    first, last = (f"{d.isoformat()}T00:00:00Z" for d in (day.earliest, day.latest))
    return {"interval": {"start": first, "end": last}}


def _resource(prefix: str) -> Mapping[str, Any]:
    name, title, url, iri = _RESOURCES[prefix]
    return {
        "id": name,
        "name": title,
        "url": url,
        "version": "unknown",
        "namespacePrefix": prefix,
        "iriPrefix": iri,
    }
