"""What a person fills in at the desk, and the record that comes of it.

A record keeps the form it came in: an answer is an entry of a Bundle, or a feature or measurement of a Phenopacket.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Literal

from lab39.core import terms
from lab39.core.dates import PartialDate
from lab39.core.errors import InputError
from lab39.core.record import Record
from lab39.core.signs import ABSENT, PRESENT
from lab39.core.text import Text
from lab39.core.units import Quantity
from lab39.fhir import jsontext, phenopackets

Kind = Literal["measure", "sign", "birth-date", "sex", "condition", "dosage"]
LABEL_MAX = 200
OLDEST_YEARS = 130
SEXES = {"female": Text("femme", "female"), "male": Text("homme", "male"), "other": Text("autre", "other")}
NOTE = "Saisi dans Lab39 / entered in Lab39"

_LOINC = re.compile(r"\d{1,7}-\d")
_HPO = re.compile(r"HP:\d{7}")
_CODED = re.compile(r"https?://[^\s|]{1,200}\|[^\s|]{1,64}")
_NUMBER = re.compile(r"(?P<bound><=|>=|<|>|≤|≥)?\s*(?P<number>[+-]?\d{1,12}(?:[.,]\d{1,8})?)")
_BOUNDS = {"≤": "<=", "≥": ">="}


@dataclass(frozen=True, slots=True)
class Answer:
    """One thing filled in.

    Attributes:
        code: LOINC of a measure, HPO of a sign, ``system|code`` of a condition, a dosage's medicine; empty
            for a birth date or a sex.
        label: what was asked, as it was shown.
        value: a number with its bound (``<5``), ``present`` or ``absent``, a date, an administrative gender, a dose
            and its rhythm in words.
        unit: UCUM unit of a measure.
        day: when it was measured or seen, ISO; empty for a birth date or a sex.
    """

    kind: Kind
    code: str
    label: str
    value: str
    unit: str
    day: str

    def as_dict(self) -> dict[str, str]:
        """The JSON form."""
        return asdict(self)

    def say(self) -> Text:
        """It in words: ``Créatinine 95 µmol/L``."""
        match self.kind:
            case "measure":
                found = _quantity(self)
                return Text(f"{self.label} {found.say('fr')}", f"{self.label} {found.say('en')}")
            case "sign":
                here = Text("présent", "present") if self.value == "present" else Text("absent", "absent")
                return Text(f"{self.label}\u202f: {here.fr}", f"{self.label}: {here.en}")
            case "condition":
                has = Text("oui", "yes") if self.value == "present" else Text("non", "no")
                return Text(f"{self.label}\u202f: {has.fr}", f"{self.label}: {has.en}")
            case "dosage":
                return Text(f"{self.label}\u202f: {self.value}", f"{self.label}: {self.value}")
            case "birth-date":
                born = PartialDate.parse(self.value)
                return Text(f"né(e) le {born.say('fr')}", f"born {born.say('en')}")
        sex = SEXES[self.value]
        return Text(f"sexe\u202f: {sex.fr}", f"sex: {sex.en}")


def read(form: Mapping[str, str], on: dt.date) -> Answer:
    """An answer from a form's fields ``kind``, ``code``, ``label``, ``value``, ``unit``, ``day``.

    Args:
        on: the day of the assessment; nothing is dated after it.

    Raises:
        InputError: what is wrong and what is expected; its place is the field.
    """
    kind, code, unit = form.get("kind", ""), form.get("code", "").strip(), form.get("unit", "").strip()
    value = form.get("value", "").replace("\u202f", "").replace("\u00a0", "").strip()
    label = " ".join(form.get("label", "").replace("\0", " ").split())[:LABEL_MAX] or code
    if kind == "birth-date":
        return Answer("birth-date", "", label, _birth(value, on), "", "")
    if kind == "sex":
        if value not in SEXES:
            raise InputError(Text("choisir femme, homme ou autre", "choose female, male or other"), "value")
        return Answer("sex", "", label, value, "", "")
    if kind == "dosage":
        return Answer("dosage", _medicine(code), label, _dose(value), "", "")
    day = _day(form.get("day", "").strip(), on)
    if kind == "condition" and _CODED.fullmatch(code):
        if value not in ("present", "absent"):
            raise InputError(Text("choisir oui ou non", "choose yes or no"), "value")
        return Answer("condition", code, label, value, "", day)
    if kind == "sign" and _HPO.fullmatch(code):
        if value not in ("present", "absent"):
            raise InputError(Text("choisir présent ou absent", "choose present or absent"), "value")
        return Answer("sign", code, label, value, "", day)
    if kind == "measure" and _LOINC.fullmatch(code) and 0 < len(unit) <= 40 and unit.isprintable():
        return Answer("measure", code, label, _number(value), unit, day)
    raise InputError(Text("ce champ n'existe pas", "there is no such field"), "kind")


def of_dict(value: Mapping[str, Any]) -> Answer:
    """The inverse of :meth:`Answer.as_dict`."""
    return Answer(**{name: str(value[name]) for name in Answer.__dataclass_fields__})  # type: ignore[arg-type]


def apply(record: Record, answer: Answer) -> Record:
    """A new record that holds the answer; the given one is not changed.

    Raises:
        InputError: the form the record came in has no place for it.
    """
    if record.form == "phenopacket" and answer.kind in ("condition", "dosage"):
        raise InputError(
            Text(
                "un phénopaquet n'a pas de place pour cette réponse\u202f: apporter un dossier FHIR",
                "a phenopacket has no place for this answer: bring a FHIR record",
            ),
            "value",
        )
    if record.form == "phenopacket":
        return phenopackets.to_record(_into_packet(dict(record.origin), answer), record.source)
    whole = record if record.form == "bundle" else _as_bundle(record)
    if answer.kind == "dosage":
        return _with_dosage(whole, answer)
    if answer.kind == "condition":
        return whole.with_resource(_condition(whole, answer))
    if answer.kind in ("birth-date", "sex"):
        member = {"birth-date": "birthDate", "sex": "gender"}[answer.kind]
        return _with_patient(whole, {member: answer.value})
    return whole.with_resource(_observation(whole, answer))


def holds(record: Record, answer: Answer) -> bool:
    """Whether a record already holds this very answer: applying it again would tell nothing new.

    Raises:
        InputError: the form the record came in has no place for it.
    """
    grown = apply(record, answer)
    if answer.kind in ("birth-date", "sex"):
        return jsontext.dumps(grown.origin) == jsontext.dumps(record.origin)
    member = (
        "entry"
        if record.form != "phenopacket"
        else "phenotypicFeatures"
        if answer.kind == "sign"
        else "measurements"
    )
    *before, added = (jsontext.dumps(each) for each in grown.origin[member])
    return added in before


# -- reading ----------------------------------------------------------------------------------------


def _dose(written: str) -> str:
    if not re.search(r"\d", written) or len(written) > LABEL_MAX or not written.isprintable():
        raise InputError(
            Text(
                "une dose et son rythme sont attendus, par exemple 75 mg 1 fois par jour",
                "a dose and its rhythm are expected, for example 75 mg 1 fois par jour",
            ),
            "value",
        )
    return written


def _medicine(code: str) -> str:
    if not 0 < len(code) <= LABEL_MAX or not code.isprintable():
        raise InputError(Text("ce champ n'existe pas", "there is no such field"), "kind")
    return code


def _number(written: str) -> str:
    found = _NUMBER.fullmatch(re.sub(r"(?<=\d) (?=\d{3}\b)", "", written))
    if not found:
        raise InputError(
            Text(
                "un nombre est attendu, par exemple 95 ou 0,8 (ou une borne\u202f: <5)",
                "a number is expected, for example 95 or 0.8 (or a bound: <5)",
            ),
            "value",
        )
    bound = found["bound"] or ""
    return _BOUNDS.get(bound, bound) + found["number"].replace(",", ".").lstrip("+")


def _quantity(answer: Answer) -> Quantity:
    found = _NUMBER.fullmatch(answer.value)
    assert found is not None
    try:
        number = Decimal(found["number"])
    except InvalidOperation as error:  # pragma: no cover - the form above lets only numbers through
        raise InputError(Text("un nombre est attendu", "a number is expected"), "value") from error
    return Quantity(number, answer.unit, found["bound"] or "")


_FRENCH_DAY = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})")


def _date(written: str, field: str) -> PartialDate:
    french = _FRENCH_DAY.fullmatch(written)
    iso = f"{french[3]}-{french[2]:0>2}-{french[1]:0>2}" if french else written
    try:
        found = PartialDate.parse(iso)
    except ValueError:
        found = None
    if found is None or found.precision == "time":
        raise InputError(
            Text("une date est attendue (24/11/2026)", "a date is expected (2026-11-24)"), field
        ) from None
    return found


def _day(written: str, on: dt.date) -> str:
    found = _date(written, "day")
    if found.earliest > on:
        raise InputError(Text("cette date est dans l'avenir", "this date is in the future"), "day")
    return found.written


def _birth(written: str, on: dt.date) -> str:
    found = _date(written, "value")
    if found.earliest > on or found.earliest.year < on.year - OLDEST_YEARS:
        raise InputError(
            Text("cette date de naissance n'est pas possible", "this birth date is not possible"), "value"
        )
    return found.written


# -- FHIR -------------------------------------------------------------------------------------------


def _as_bundle(record: Record) -> Record:
    whole = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": record.origin}]}
    return Record.from_fhir(whole, record.source)


def _observation(record: Record, answer: Answer) -> dict[str, Any]:
    digest = hashlib.sha256("|".join(answer.as_dict().values()).encode()).hexdigest()[:16]
    system = terms.HPO if answer.kind == "sign" else terms.LOINC
    made: dict[str, Any] = {
        "resourceType": "Observation",
        "id": f"lab39-{digest}",
        "status": "final",
        "code": {
            "coding": [{"system": system, "code": answer.code, "display": answer.label}],
            "text": answer.label,
        },
        "effectiveDateTime": answer.day,
        "note": [{"text": NOTE}],
    }
    patient = next(iter(record.resources("Patient")), {})
    if isinstance(patient.get("id"), str):
        made["subject"] = {"reference": f"Patient/{patient['id']}"}
    if answer.kind == "sign":
        code, display = (PRESENT[0], "Present") if answer.value == "present" else (ABSENT[0], "Absent")
        made["valueCodeableConcept"] = {"coding": [{"system": terms.SNOMED, "code": code, "display": display}]}
        return made
    found = _quantity(answer)
    made["valueQuantity"] = {"value": found.value, "unit": found.unit, "system": terms.UCUM, "code": found.unit}
    if found.comparator:
        made["valueQuantity"]["comparator"] = found.comparator
    return made


def _condition(record: Record, answer: Answer) -> dict[str, Any]:
    """That the person has or had a condition, or not: ``refuted`` is what R4 has for "no"."""
    digest = hashlib.sha256("|".join(answer.as_dict().values()).encode()).hexdigest()[:16]
    system, _, code = answer.code.partition("|")
    verified = "confirmed" if answer.value == "present" else "refuted"
    made: dict[str, Any] = {
        "resourceType": "Condition",
        "id": f"lab39-{digest}",
        "verificationStatus": {"coding": [{"system": _VERIFICATION, "code": verified}]},
        "code": {"coding": [{"system": system, "code": code, "display": answer.label}], "text": answer.label},
        "recordedDate": answer.day,
        "note": [{"text": NOTE}],
    }
    patient = next(iter(record.resources("Patient")), {})
    if isinstance(patient.get("id"), str):
        made["subject"] = {"reference": f"Patient/{patient['id']}"}
    return made


def _with_dosage(record: Record, answer: Answer) -> Record:
    """The medicine with one dosage in words, in place of what it had."""
    entries = list(record.origin.get("entry", []))
    for i, entry in enumerate(entries):
        raw = entry.get("resource") if isinstance(entry, Mapping) else None
        if not isinstance(raw, Mapping) or answer.code not in (
            entry.get("fullUrl"),
            f"{raw.get('resourceType')}/{raw.get('id')}",
        ):
            continue
        member = {"MedicationRequest": "dosageInstruction", "MedicationStatement": "dosage"}.get(
            str(raw.get("resourceType"))
        )
        if member:
            entries[i] = {**entry, "resource": {**raw, member: [{"text": answer.value}]}}
            return Record.from_fhir({**record.origin, "entry": entries}, record.source)
    raise InputError(
        Text("ce médicament n'est plus dans le dossier", "this medicine is no longer in the record"), "value"
    )


_VERIFICATION = "http://terminology.hl7.org/CodeSystem/condition-ver-status"


def _with_patient(record: Record, change: Mapping[str, str]) -> Record:
    entries = list(record.origin.get("entry", []))
    for i, entry in enumerate(entries):
        resource = entry.get("resource") if isinstance(entry, Mapping) else None
        if isinstance(resource, Mapping) and resource.get("resourceType") == "Patient":
            entries[i] = {**entry, "resource": {**resource, **change}}
            break
    else:
        entries.insert(0, {"resource": {"resourceType": "Patient", **change}})
    return Record.from_fhir({**record.origin, "entry": entries}, record.source)


# -- Phenopackets -----------------------------------------------------------------------------------

_PACKET_SEX = {fhir: packet for packet, fhir in phenopackets.SEX.items()}


def _into_packet(packet: dict[str, Any], answer: Answer) -> dict[str, Any]:
    """Phenopackets v2: ``subject.date_of_birth``, ``subject.sex``, ``phenotypic_features``, ``measurements``."""
    if answer.kind in ("birth-date", "sex"):
        subject = dict(packet.get("subject") or {})
        if answer.kind == "sex":
            subject["sex"] = _PACKET_SEX[answer.value]
        else:
            subject["dateOfBirth"] = _timestamp(answer.value, "value")
        return packet | {"subject": subject}
    if answer.kind == "sign":
        feature: dict[str, Any] = {"type": {"id": answer.code, "label": answer.label}}
        if answer.value == "absent":
            feature["excluded"] = True
        return packet | {"phenotypicFeatures": [*(packet.get("phenotypicFeatures") or []), feature]}
    found = _quantity(answer)
    if found.comparator:
        raise InputError(
            Text(
                "un phénopaquet n'a pas de place pour une borne (<, >)\u202f: donner un nombre",
                "a phenopacket has no place for a bound (<, >): give a number",
            ),
            "value",
        )
    measured = {
        "assay": {"id": f"LOINC:{answer.code}", "label": answer.label},
        "value": {"quantity": {"unit": {"id": f"UCUM:{found.unit}", "label": found.unit}, "value": found.value}},
        "timeObserved": {"timestamp": _timestamp(answer.day, "day")},
    }
    return packet | {"measurements": [*(packet.get("measurements") or []), measured]}


def _timestamp(day: str, field: str) -> str:
    found = PartialDate.parse(day)
    if found.exact is None:
        raise InputError(Text("le jour exact est attendu ici", "the exact day is expected here"), field)
    return f"{found.exact.isoformat()}T00:00:00Z"
