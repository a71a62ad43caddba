"""GA4GH Phenopackets v2, read into an R4 view; :mod:`lab39.fhir.packet_writer` writes them.

A packet is kept as received. Its R4 view follows the GA4GH core IG where that has a mapping: subject to Patient,
phenotypic features to Observation (HPO code, SNOMED CT present or absent), diseases to Condition, measurements to
Observation, medical actions stay in the packet and are named in the record's issues.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lab39.core import terms
from lab39.core.errors import InputError, Issue
from lab39.core.record import TEST_DATA as HTEST
from lab39.core.record import Record
from lab39.core.signs import ABSENT, ONSET_EXTENSION, PRESENT
from lab39.core.text import Text

SEX = {"FEMALE": "female", "MALE": "male", "OTHER_SEX": "other"}
TEST_DATA = {"system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": HTEST}
HUMAN = ("ncbitaxon:9606", "9606", "homo sapiens")
QUALIFIERS = ("modifiers", "severity", "resolution")
"""Members of a PhenotypicFeature that change what it says and that no R4 view of it holds here."""
_FIELDS = {
    *("id", "subject", "phenotypicFeatures", "measurements", "biosamples", "interpretations", "diseases"),
    *("medicalActions", "files", "metaData"),
}
"""The members of a Phenopacket, schema 2.0 (phenopackets.proto)."""
_NOT_READ = ("biosamples", "interpretations", "medicalActions", "files")


def looks_like(document: Mapping[str, Any]) -> bool:
    """Whether a document is a Phenopacket (or a family or cohort of them) rather than FHIR."""
    if "resourceType" in document:
        return False
    sure = ("phenotypicFeatures", "metaData", "proband", "members", "phenotypic_features", "meta_data")
    return any(key in document for key in sure) or ("subject" in document and document.keys() <= _FIELDS)


def to_record(packet: Mapping[str, Any], source: str = "") -> Record:
    """A record whose origin is the packet.

    Raises:
        InputError: a family or cohort; a subject that is not human; a feature without a type; a schema version
            other than 2.
    """
    if "proband" in packet or "members" in packet:
        raise InputError(
            Text(
                "famille ou cohorte\u202f: donner un phénopaquet par personne "
                "(«\u202fproband\u202f», ou chaque «\u202fmember\u202f»)",
                "a family or cohort: give one phenopacket a person (the “proband” field, or each “member”)",
            ),
            source,
        )
    meta = _object(packet, "metaData", source) or _object(packet, "meta_data", source)
    version = str(meta.get("phenopacketSchemaVersion") or meta.get("phenopacket_schema_version") or "")
    if version and not version.startswith("2"):
        raise InputError(
            Text(
                f"schéma {version}\u202f: Lab39 lit les phénopaquets v2. Le convertir (phenopacket-tools convert).",
                f"schema {version}: Lab39 reads phenopackets v2. Convert it (phenopacket-tools convert).",
            ),
            f"{source} › metaData.phenopacketSchemaVersion".lstrip(" ›"),
        )
    issues: list[Issue] = []
    if any("_" in key for key in packet):
        raise InputError(
            Text(
                "noms de champs en snake_case\u202f: le JSON des phénopaquets s'écrit phenotypicFeatures",
                "snake_case field names: phenopacket JSON is written in camelCase (phenotypicFeatures)",
            ),
            source,
        )
    for key in packet.keys() - _FIELDS:
        issues.append(
            Issue(
                "structure",
                key,
                Text("champ inconnu des phénopaquets v2\u202f: non lu", "no field of phenopackets v2: not read"),
            )
        )
    issues.sort(key=lambda issue: issue.place)
    subject = _object(packet, "subject", source)
    _refuse_animals(subject, source)
    patient_id = str(subject.get("id") or packet.get("id") or "subject")
    patient = {**_patient(subject, patient_id), **_mark(meta)}
    issues += _about_age(subject)
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
        issues += _about_qualifiers(feature, place)
    solved = _solved(packet, source)
    for i, disease in enumerate(_list(packet, "diseases", source)):
        place = f"diseases[{i}]"
        term = _id(disease.get("term"))
        sure = solved.pop(term, None) if term else None
        excluded = _excluded(disease, f"{source} › {place}".lstrip(" ›"))
        if sure and excluded:
            issues.append(_contradiction(place, term))
        status = "refuted" if excluded else "confirmed" if sure else None
        rows.append((_disease(disease, status, f"disease-{i}", patient_id), place, ""))
    for place, found in solved.values():
        rows.append((_disease({"term": found}, "confirmed", f"diagnosis-{place[16:-1]}", patient_id), place, ""))
    for i, measured in enumerate(_list(packet, "measurements", source)):
        rows.append((_measurement(measured, i, patient_id), f"measurements[{i}]", ""))
    complex_values = [
        f"measurements[{i}].complexValue"
        for i, m in enumerate(_list(packet, "measurements", source))
        if m.get("complexValue")
    ]
    for key in (*_NOT_READ, *complex_values):
        if packet.get(key, key in complex_values):
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


def _patient(subject: Mapping[str, Any], patient_id: str) -> Mapping[str, Any]:
    patient: dict[str, Any] = {"resourceType": "Patient", "id": patient_id}
    if subject.get("dateOfBirth"):
        patient["birthDate"] = str(subject["dateOfBirth"]).split("T")[0]
    sex = subject.get("sex")
    if sex not in (None, "UNKNOWN_SEX"):
        patient["gender"] = SEX.get(str(sex), str(sex))
    vital = subject.get("vitalStatus")
    if isinstance(vital, Mapping) and vital.get("status") in ("ALIVE", "DECEASED"):
        died = vital.get("timeOfDeath")
        when = died.get("timestamp") if isinstance(died, Mapping) else None
        if vital["status"] == "DECEASED" and when:
            patient["deceasedDateTime"] = str(when)
        else:
            patient["deceasedBoolean"] = vital["status"] == "DECEASED"
    return patient


def _about_age(subject: Mapping[str, Any]) -> list[Issue]:
    """An age at the last encounter is kept, and is not an age on another day."""
    said = _time(subject.get("timeAtLastEncounter"))
    if not said or subject.get("dateOfBirth"):
        return []
    return [
        Issue(
            "informational",
            "subject.timeAtLastEncounter",
            Text(
                f"«\u202f{said}\u202f» à la dernière rencontre\u202f: sans date de naissance, "
                "l'âge du jour reste inconnu",
                f"“{said}” at the last encounter: without a birth date the age on another day stays unknown",
            ),
            "warning",
        )
    ]


def _refuse_animals(subject: Mapping[str, Any], source: str) -> None:
    taxon = subject.get("taxonomy")
    said = taxon if isinstance(taxon, Mapping) else {}
    name = str(said.get("id") or said.get("label") or "")
    if name and name.casefold() not in HUMAN:
        raise InputError(
            Text(
                f"« {name[:60]} » n'est pas l'espèce humaine (NCBITaxon:9606) : Lab39 ne lit "
                "que des dossiers de personnes",
                f"“{name[:60]}” is not human (NCBITaxon:9606): Lab39 reads records of people only",
            ),
            f"{source} › subject.taxonomy".lstrip(" ›"),
        )


def _about_qualifiers(feature: Mapping[str, Any], place: str) -> list[Issue]:
    return [
        Issue(
            "not-supported",
            f"{place}.{key}",
            Text(
                "gardé, non lu : le signe est pris sans cette nuance",
                "kept, not read: the sign is taken without it",
            ),
            "warning",
        )
        for key in QUALIFIERS
        if feature.get(key)
    ]


def _mark(meta: Mapping[str, Any]) -> Mapping[str, Any]:
    """The tag of test data. A packet has no tags: it says so by an external reference to the same code."""
    references = meta.get("externalReferences")
    rows = references if isinstance(references, list) else ()
    if any(isinstance(r, Mapping) and r.get("id") == f"v3-ActReason:{HTEST}" for r in rows):
        return {"meta": {"tag": [TEST_DATA]}}
    return {}


def _feature(feature: Mapping[str, Any], place: str, i: int, patient_id: str) -> Mapping[str, Any]:
    kind = feature.get("type")
    if not isinstance(kind, Mapping) or not kind.get("id"):
        raise InputError(
            Text(
                "signe sans «\u202ftype.id\u202f»\u202f: donner un terme HPO (HP:0001250)",
                "a feature without “type.id”: give an HPO term (HP:0001250)",
            ),
            place,
        )
    if "negated" in feature:
        raise InputError(
            Text(
                "«\u202fnegated\u202f» est du schéma v1\u202f; en v2, écrire «\u202fexcluded\u202f»",
                "“negated” belongs to schema v1; in v2, write “excluded”",
            ),
            place,
        )
    excluded = _excluded(feature, place)
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


def _excluded(stated: Mapping[str, Any], place: str) -> bool:
    excluded = stated.get("excluded")
    if excluded is None:  # proto3 JSON: null is the default value
        return False
    if not isinstance(excluded, bool):
        raise InputError(
            Text(
                f"«\u202fexcluded\u202f» vaut {excluded!r}\u202f: true ou false est attendu",
                f"“excluded” is {excluded!r}: true or false is expected",
            ),
            place,
        )
    return excluded


def _solved(packet: Mapping[str, Any], source: str) -> dict[str, tuple[str, Mapping[str, Any]]]:
    """The diseases of the interpretations that are solved, by term id, each with its place.

    Schema 2.0, "Disease": a diagnosis is "an inference or hypothesis"; "Interpretation": ``SOLVED`` says that the
    disease of its ``diagnosis`` is the answer.
    """
    found: dict[str, tuple[str, Mapping[str, Any]]] = {}
    for i, row in enumerate(_list(packet, "interpretations", source)):
        diagnosis = row.get("diagnosis")
        disease = diagnosis.get("disease") if isinstance(diagnosis, Mapping) else None
        if row.get("progressStatus") == "SOLVED" and isinstance(disease, Mapping) and _id(disease):
            found.setdefault(_id(disease), (f"interpretations[{i}]", disease))
    return found


def _id(term: Any) -> str:
    found = term.get("id") if isinstance(term, Mapping) else None
    return found if isinstance(found, str) else ""


def _contradiction(place: str, term: str) -> Issue:
    return Issue(
        "business-rule",
        place,
        Text(
            f"{term} exclue ici et retenue par une interprétation résolue : tenue pour exclue, à vérifier",
            f"{term} excluded here and held by a solved interpretation: taken as excluded, to be checked",
        ),
        "warning",
    )


def _disease(
    disease: Mapping[str, Any], status: str | None, resource_id: str, patient_id: str
) -> Mapping[str, Any]:
    """A Condition, with no verification status unless the packet says more than a hypothesis."""
    verification = {"system": "http://terminology.hl7.org/CodeSystem/condition-ver-status", "code": status}
    term = disease.get("term")
    onset = _time(disease.get("onset"))
    when = (
        {"onsetDateTime" if isinstance(disease["onset"].get("timestamp"), str) else "onsetString": onset}
        if onset
        else {}
    )
    said = {"verificationStatus": {"coding": [verification]}} if status else {}
    resource = {
        "resourceType": "Condition",
        "id": resource_id,
        "code": _concept(term) if isinstance(term, Mapping) else {},
        "subject": {"reference": f"Patient/{patient_id}"},
    }
    return resource | when | said


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
            {"unit": str(unit.get("id") or "").removeprefix("UCUM:") or str(unit.get("label") or "")}
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
    if isinstance(interval := element.get("interval"), Mapping):
        return "/".join(str(interval.get(k, "")) for k in ("start", "end"))
    if isinstance(weeks := element.get("gestationalAge"), Mapping):
        return f"{weeks.get('weeks', 0)} SA + {weeks.get('days', 0)}"
    return str(element.get("timestamp") or "")


def _object(packet: Mapping[str, Any], key: str, source: str) -> Mapping[str, Any]:
    value = packet.get(key)
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise InputError(Text("un objet est attendu", "an object is expected"), f"{source} › {key}".lstrip(" ›"))
    return value


def _list(packet: Mapping[str, Any], key: str, source: str) -> list[Mapping[str, Any]]:
    value = packet.get(key)
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(item, Mapping) for item in value):
        raise InputError(
            Text("une liste d'objets est attendue", "a list of objects is expected"),
            f"{source} › {key}".lstrip(" ›"),
        )
    return value
