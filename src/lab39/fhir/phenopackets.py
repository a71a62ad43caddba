"""GA4GH Phenopackets v2, read into an R4 view and written from any record.

A packet is kept as received. Its R4 view follows the GA4GH core IG where that has a mapping: subject to Patient,
phenotypic features to Observation (HPO code, SNOMED CT present or absent), diseases to Condition, measurements to
Observation, medical actions stay in the packet and are named in the record's issues.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lab39.core import terms
from lab39.core.errors import InputError, Issue
from lab39.core.readers import ABSENT, ONSET_EXTENSION, PRESENT
from lab39.core.record import Record
from lab39.core.text import Text

SCHEMA_VERSION = "2.0"
_SEX = {"FEMALE": "female", "MALE": "male", "OTHER_SEX": "other"}
TEST_DATA = {"system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": "HTEST"}
_NOT_READ = ("biosamples", "interpretations", "medicalActions", "files")


def looks_like(document: Mapping[str, Any]) -> bool:
    """Whether a document is a Phenopacket (or a family or cohort of them) rather than FHIR."""
    return "resourceType" not in document and any(
        key in document for key in ("phenotypicFeatures", "subject", "metaData", "proband", "members", "meta_data")
    )


def to_record(packet: Mapping[str, Any], source: str = "") -> Record:
    """A record whose origin is the packet.

    Raises:
        InputError: a family or cohort; a feature without a type; a schema version other than 2.
    """
    if "proband" in packet or "members" in packet:
        raise InputError(
            Text(
                "famille ou cohorte : donner un phénopaquet par personne (champ « proband » ou chaque « member »)",
                "a family or cohort: give one phenopacket a person (the “proband” field, or each “member”)",
            ),
            source,
        )
    meta = _object(packet, "metaData", source) or _object(packet, "meta_data", source)
    version = str(meta.get("phenopacketSchemaVersion") or meta.get("phenopacket_schema_version") or "")
    if version and not version.startswith("2"):
        raise InputError(
            Text(
                f"schéma {version} : Lab39 lit les phénopaquets v2. Le convertir (phenopacket-tools convert).",
                f"schema {version}: Lab39 reads phenopackets v2. Convert it (phenopacket-tools convert).",
            ),
            f"{source} › metaData.phenopacketSchemaVersion".lstrip(" ›"),
        )
    issues: list[Issue] = []
    if any("_" in key for key in packet):
        raise InputError(
            Text(
                "noms de champs en snake_case : le JSON des phénopaquets s'écrit en camelCase (phenotypicFeatures)",
                "snake_case field names: phenopacket JSON is written in camelCase (phenotypicFeatures)",
            ),
            source,
        )
    subject = _object(packet, "subject", source)
    patient_id = str(subject.get("id") or packet.get("id") or "subject")
    patient = {**_patient(subject, patient_id), **_mark(meta)}
    rows: list[tuple[Mapping[str, Any], str, str]] = [(patient, "subject", "")]
    features = _list(packet, "phenotypicFeatures", source)
    if not features:
        issues.append(
            Issue(
                "required",
                "phenotypicFeatures",
                Text("phénopaquet sans aucun signe", "a phenopacket without any feature"),
                "warning",
            )
        )
    for i, feature in enumerate(features):
        place = f"phenotypicFeatures[{i}]"
        rows.append((_feature(feature, f"{source} › {place}".lstrip(" ›"), i, patient_id), place, ""))
    for i, disease in enumerate(_list(packet, "diseases", source)):
        rows.append((_disease(disease, i, patient_id), f"diseases[{i}]", ""))
    for i, measured in enumerate(_list(packet, "measurements", source)):
        rows.append((_measurement(measured, i, patient_id), f"measurements[{i}]", ""))
    for key in _NOT_READ:
        if packet.get(key):
            issues.append(
                Issue(
                    "informational",
                    key,
                    Text(
                        "gardé dans le phénopaquet, sans équivalent FHIR ici",
                        "kept in the packet, not viewed as FHIR here",
                    ),
                    "warning",
                )
            )
    return Record(rows, origin=packet, form="phenopacket", source=source, issues=issues)


def from_record(record: Record, created: str) -> Mapping[str, Any]:
    """A Phenopacket v2 for a record; one that came as a packet is given back as received.

    Args:
        created: RFC 3339 instant for ``metaData.created`` (the caller's clock).
    """
    if record.form == "phenopacket":
        return record.origin
    sexes = {fhir: ga4gh for ga4gh, fhir in _SEX.items()}
    subject: dict[str, Any] = {"id": record.id or "subject", "sex": sexes.get(record.sex or "", "UNKNOWN_SEX")}
    if record.birth_date and record.birth_date.exact:
        subject["dateOfBirth"] = f"{record.birth_date.exact.isoformat()}T00:00:00Z"
    features = [
        {"type": {"id": p.term.code, "label": p.term.display or p.term.code}}
        | ({"excluded": True} if p.excluded else {})
        for p in record.phenotypes()
    ]
    return {
        "id": record.id or "record",
        "subject": subject,
        "phenotypicFeatures": features,
        "metaData": {
            "created": created,
            "createdBy": "Lab39",
            "resources": [
                {
                    "id": "hp",
                    "name": "human phenotype ontology",
                    "url": "http://purl.obolibrary.org/obo/hp.owl",
                    "version": "unknown",
                    "namespacePrefix": "HP",
                    "iriPrefix": "http://purl.obolibrary.org/obo/HP_",
                }
            ],
            "phenopacketSchemaVersion": SCHEMA_VERSION,
        },
    }


def _patient(subject: Mapping[str, Any], patient_id: str) -> Mapping[str, Any]:
    patient: dict[str, Any] = {"resourceType": "Patient", "id": patient_id}
    if subject.get("dateOfBirth"):
        patient["birthDate"] = str(subject["dateOfBirth"])[:10]
    sex = subject.get("sex")
    if sex not in (None, "UNKNOWN_SEX"):
        patient["gender"] = _SEX.get(str(sex), str(sex))
    return patient


def _mark(meta: Mapping[str, Any]) -> Mapping[str, Any]:
    """The tag of test data. A packet has no tags: it says so by an external reference to the same code."""
    references = meta.get("externalReferences")
    if any(r.get("id") == f"v3-ActReason:{TEST_DATA['code']}" for r in references or () if isinstance(r, Mapping)):
        return {"meta": {"tag": [TEST_DATA]}}
    return {}


def _feature(feature: Mapping[str, Any], place: str, i: int, patient_id: str) -> Mapping[str, Any]:
    kind = feature.get("type")
    if not isinstance(kind, Mapping) or not kind.get("id"):
        raise InputError(
            Text(
                "signe sans « type.id » : donner un terme HPO (HP:0001250)",
                "a feature without “type.id”: give an HPO term (HP:0001250)",
            ),
            place,
        )
    excluded = feature.get("excluded", False)
    if not isinstance(excluded, bool):
        raise InputError(
            Text(
                f"« excluded » vaut {excluded!r} : true ou false est attendu",
                f"“excluded” is {excluded!r}: true or false is expected",
            ),
            place,
        )
    code, display = (ABSENT[0], "Absent") if excluded else (PRESENT[0], "Present")
    resource: dict[str, Any] = {
        "resourceType": "Observation",
        "id": f"feature-{i}",
        "status": "final",
        "code": _concept(kind),
        "subject": {"reference": f"Patient/{patient_id}"},
        "valueCodeableConcept": {"coding": [{"system": terms.SNOMED, "code": code, "display": display}]},
    }
    onset = _time(feature.get("onset"))
    if onset:
        resource["extension"] = [{"url": ONSET_EXTENSION, "valueString": onset}]
    return resource


def _disease(disease: Mapping[str, Any], i: int, patient_id: str) -> Mapping[str, Any]:
    status = "refuted" if disease.get("excluded") else "confirmed"
    term = disease.get("term")
    return {
        "resourceType": "Condition",
        "id": f"disease-{i}",
        "code": _concept(term) if isinstance(term, Mapping) else {},
        "subject": {"reference": f"Patient/{patient_id}"},
        "verificationStatus": {
            "coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-ver-status", "code": status}]
        },
    }


def _measurement(measured: Mapping[str, Any], i: int, patient_id: str) -> Mapping[str, Any]:
    assay, value = measured.get("assay"), measured.get("value")
    resource: dict[str, Any] = {
        "resourceType": "Observation",
        "id": f"measurement-{i}",
        "status": "final",
        "code": _concept(assay) if isinstance(assay, Mapping) else {},
        "subject": {"reference": f"Patient/{patient_id}"},
    }
    if isinstance(value, Mapping) and isinstance(quantity := value.get("quantity"), Mapping):
        unit = quantity.get("unit")
        resource["valueQuantity"] = {"value": quantity.get("value")} | (
            {"unit": unit.get("id", "").removeprefix("UCUM:") or unit.get("label", "")}
            if isinstance(unit, Mapping)
            else {}
        )
    elif isinstance(value, Mapping) and isinstance(term := value.get("ontologyClass"), Mapping):
        resource["valueCodeableConcept"] = _concept(term)
    when = _time(measured.get("timeObserved"))
    if when and when[:1].isdigit():
        resource["effectiveDateTime"] = when
    return resource


def _concept(term: Mapping[str, Any]) -> Mapping[str, Any]:
    curie = str(term.get("id", ""))
    prefix, _, local = curie.partition(":")
    known = {
        "HP": (terms.HPO, curie),
        "OMIM": (terms.OMIM, local),
        "ORPHA": (terms.ORPHA, local),
        "ORPHANET": (terms.ORPHA, local),
        "LOINC": (terms.LOINC, local),
        "SNOMEDCT": (terms.SNOMED, local),
        "SCTID": (terms.SNOMED, local),
        "MONDO": (terms.canonical("MONDO"), curie),
    }
    system, code = known.get(prefix.upper(), (prefix, local))
    label = str(term.get("label") or "")
    return {"coding": [{"system": system, "code": code} | ({"display": label} if label else {})]}


def _time(element: Any) -> str:
    """A TimeElement in the words it came with: an ISO 8601 age or instant, or an HPO onset class."""
    if not isinstance(element, Mapping):
        return ""
    if isinstance(age := element.get("age"), Mapping):
        return str(age.get("iso8601duration", ""))
    if isinstance(span := element.get("ageRange"), Mapping):
        ends = [span.get(k) for k in ("start", "end")]
        return "/".join(str(e.get("iso8601duration", "")) for e in ends if isinstance(e, Mapping))
    if isinstance(term := element.get("ontologyClass"), Mapping):
        return str(term.get("id", ""))
    return str(element.get("timestamp", ""))


def _object(packet: Mapping[str, Any], key: str, source: str) -> Mapping[str, Any]:
    value = packet.get(key, {})
    if not isinstance(value, Mapping):
        raise InputError(Text("un objet est attendu", "an object is expected"), f"{source} › {key}".lstrip(" ›"))
    return value


def _list(packet: Mapping[str, Any], key: str, source: str) -> list[Mapping[str, Any]]:
    value = packet.get(key, [])
    if not isinstance(value, list) or not all(isinstance(item, Mapping) for item in value):
        raise InputError(
            Text("une liste d'objets est attendue", "a list of objects is expected"),
            f"{source} › {key}".lstrip(" ›"),
        )
    return value
