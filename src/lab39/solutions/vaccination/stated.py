"""Conditions, allergies, findings and acts of a record as CDSi observations, by the codes that CDSi gives them and
those of the crosswalk. Only a code that stands there counts: no prefix, no ancestor.
"""

from __future__ import annotations

import datetime as dt
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from importlib import resources

from lab39.core import entries as e
from lab39.core import terms
from lab39.core.entries import HYPOTHETICAL, NOT_GIVEN, Immunization
from lab39.core.errors import Issue
from lab39.core.record import Record
from lab39.core.terms import Concept
from lab39.core.text import Text
from lab39.solutions.vaccination import asking, cd4, gestation
from lab39.solutions.vaccination.codes import Maps, code_of
from lab39.solutions.vaccination.model import Schedule
from lab39.solutions.vaccination.outcome import Observed
from lab39.solutions.vaccination.treated import treated

OWN = "LAB39"
"""The situations of an authored schedule by their own codes, for those that no other system names."""
SYSTEMS: Mapping[str, str] = {
    terms.SNOMED: "SNOMED",
    terms.ICD10: "ICD10CM",
    "http://hl7.org/fhir/sid/icd-10-cm": "ICD10CM",
    terms.LOINC: "LOINC",
    terms.NUVA: "NUVA",
    terms.ATC: "ATC",
    "https://phinvads.cdc.gov": "CDCPHINVS",
    "http://lab39.org/fhir/CodeSystem/vaccination-situation": OWN,
}
"""Code systems of FHIR by the names that supporting data gives them. Vaccines (CVX) are looked up apart."""
POSITIVE = frozenset(
    {
        (terms.SNOMED, "10828004"),
        (terms.SNOMED, "260373001"),
        (terms.LOINC, "LA6576-8"),
        (terms.LOINC, "LA11882-0"),
        ("http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation", "POS"),
        ("http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation", "DET"),
    }
)
"""Codes that say "positive" or "detected" of a result."""
PREGNANCY = "007"
"""The observation of pregnancy of CDSi, dated by whoever states it."""
FRENCH_PREGNANCY = "pregnancy"
"""That of the French schedule, dated by the last period."""
_ADDED = ("ICD10CM", "LOINC", "RXNORM", "CPT")
_LEFT_ASIDE = ("refuted", "entered-in-error", *HYPOTHETICAL)

Index = Mapping[tuple[str, str], tuple[str, ...]]
_indexes: dict[int, tuple[Schedule, Index]] = {}


def observed(
    record: Record, schedule: Schedule, maps: Maps, on: dt.date, issues: list[Issue]
) -> tuple[Observed, ...]:
    """What the record states, by CDSi code; what is only supposed, refuted, over or later is left aside."""
    index = _index(schedule)
    found: set[tuple[str, dt.date | None]] = set()
    for concept, day in _stated(record, index, issues):
        found |= {(code, day) for code in _codes(concept, index)}
    found |= set(_reactions(record, schedule, maps, index, issues))
    found |= set(_globulins(record, schedule, maps, index, issues))
    found |= set(treated(record, schedule, on, issues))
    found = {pair for pair in found if pair[0] not in asking.answered(record, schedule, on)}
    if schedule.system == terms.NUVA:
        found = gestation.dated(found, FRENCH_PREGNANCY, record, on, issues)
        found = cd4.counted(found, record, record.birth_date.exact if record.birth_date else None, on, issues)
    return tuple(
        Observed(code, day)
        for code, day in sorted(found, key=str)
        if (day is None or day <= on) and not _over(code, day, on, schedule)
    )


def _stated(record: Record, index: Index, issues: list[Issue]) -> Iterator[tuple[Concept, dt.date | None]]:
    for condition in record.conditions():
        if condition.active is not False and condition.verification not in _LEFT_ASIDE:
            yield condition.concept, condition.onset.earliest if condition.onset else None
    for allergy in _allergies(record):
        yield allergy.concept, None
    for act in record.procedures():
        if act.status == "completed":
            yield act.concept, act.date.earliest if act.date else None
    for each in record.observations():
        if each.status == "cancelled":
            continue
        day = each.date.earliest if each.date else None
        if isinstance(each.value, Concept):
            yield each.value, day
        if _positive(each):
            yield each.concept, day
        elif each.quantity is not None and _codes(each.concept, index):
            issues.append(
                Issue(
                    "not-supported",
                    each.ref,
                    Text(
                        f"«\u202f{each.concept.label[:60]}\u202f»\u202f: dosage non interprété comme une immunité, "
                        "faute d'interprétation (positif) dans le dossier",
                        f"“{each.concept.label[:60]}”: a measure not taken as immunity, as the record holds no "
                        "interpretation (positive)",
                    ),
                    "warning",
                )
            )


def _positive(each: e.Observation) -> bool:
    if each.value is True:
        return True
    said = [each.value] if isinstance(each.value, Concept) else []
    codings = {(c.system, c.code) for concept in said for c in concept.codings}
    rows = each.raw.get("interpretation")
    for row in rows if isinstance(rows, list) else ():
        inner = row.get("coding") if isinstance(row, Mapping) else None
        for coding in inner if isinstance(inner, list) else ():
            if isinstance(coding, Mapping):
                codings.add((str(coding.get("system")), str(coding.get("code"))))
    return bool(codings & POSITIVE)


def _allergies(record: Record) -> Iterator[e.Allergy]:
    for allergy in record.allergies():
        if allergy.clinical not in ("inactive", "resolved") and allergy.verification not in _LEFT_ASIDE:
            yield allergy


def _reactions(
    record: Record, schedule: Schedule, maps: Maps, index: Index, issues: list[Issue]
) -> Iterator[tuple[str, dt.date | None]]:
    """Severe reactions to a vaccine; one whose severity is not stated forbids nothing, and is told."""
    for allergy in _allergies(record):
        code = code_of(allergy.concept, schedule, maps).code
        if not code:
            continue
        severe = allergy.criticality == "high" or _severe(allergy.raw.get("reaction"))
        forbidden = index.get(("CVX", code), ()) if severe else ()
        for each in forbidden:
            yield each, None
        if not forbidden:
            name = allergy.concept.label[:60]
            why = (
                Text(
                    "le calendrier n'a pas de contre-indication de ce nom",
                    "the schedule has no contraindication of it",
                )
                if severe
                else Text("sa gravité n'est pas notée", "its severity is not recorded")
            )
            issues.append(
                Issue(
                    "incomplete",
                    allergy.ref,
                    Text(
                        f"réaction à «\u202f{name}\u202f» non comptée comme contre-indication\u202f: {why.fr}. "
                        "À examiner avant de vacciner",
                        f"reaction to “{name}” not counted as a contraindication: {why.en}. "
                        "To be looked at before vaccinating",
                    ),
                    "warning",
                )
            )


def _severe(rows: object) -> bool:
    return isinstance(rows, list) and any(isinstance(r, Mapping) and r.get("severity") == "severe" for r in rows)


def _undated(given: Immunization) -> Issue:
    """Immunoglobulins without a whole date: they delay nothing, and that is said."""
    named = given.concept.label[:60] or "?"
    return Issue(
        "incomplete",
        given.ref,
        Text(
            f"immunoglobulines «\u202f{named}\u202f» sans date complète\u202f: leur délai avant un vaccin vivant "
            "n'est pas compté",
            f"immunoglobulins “{named}” without a whole date: their delay before a live vaccine is not counted",
        ),
        "warning",
    )


def _globulins(
    record: Record, schedule: Schedule, maps: Maps, index: Index, issues: list[Issue]
) -> Iterator[tuple[str, dt.date | None]]:
    """Immunoglobulins: recorded as immunizations, they are observations for CDSi and hold no antigen."""
    for given in record.immunizations():
        if given.status in NOT_GIVEN or code_of(given.concept, schedule, maps).code:
            continue
        code = given.concept.code(terms.CVX)
        for each in index.get(("CVX", code.strip()), ()) if code else ():
            if given.date is not None and given.date.exact is not None:
                yield each, given.date.exact
            else:
                issues.append(_undated(given))


def is_globulin(concept: Concept, schedule: Schedule) -> bool:
    """Whether an immunization is one that :func:`observed` reads as an observation."""
    code = concept.code(terms.CVX)
    return bool(code) and ("CVX", str(code).strip()) in _index(schedule)


def _codes(concept: Concept, index: Index) -> set[str]:
    return {
        code
        for coding in concept.codings
        if coding.system in SYSTEMS
        for code in index.get((SYSTEMS[coding.system], coding.code), ())
    }


def _over(code: str, day: dt.date | None, on: dt.date, schedule: Schedule) -> bool:
    if code != PREGNANCY or day is None or schedule.system != terms.CVX:
        return False
    return day < on - gestation.LONGEST


def _index(schedule: Schedule) -> Index:
    if id(schedule) not in _indexes:
        if len(_indexes) >= 16:
            _indexes.clear()
        found: dict[tuple[str, str], list[str]] = {}
        for term in schedule.observations.values():
            for system, code in _kept(term.code, term.coded):
                found.setdefault((system, code), []).append(term.code)
            if schedule.rules and not term.asks:
                found.setdefault((OWN, term.code), []).append(term.code)
        _indexes[id(schedule)] = schedule, {pair: tuple(codes) for pair, codes in found.items()}
    return _indexes[id(schedule)][1]


def _kept(observation: str, coded: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    out = refused()
    for system, code in coded:
        every = system in _ADDED and (observation, "*") in out
        if not every and (observation, code) not in out:
            yield system, code


@lru_cache(maxsize=1)
def refused() -> frozenset[tuple[str, str]]:
    """Rows of the crosswalk that are not used, ``(observation, code)``; ``*`` for every code of the observation."""
    body = tomllib.loads((resources.files(__package__) / "knowledge" / "crosswalk.toml").read_text("utf-8"))
    return frozenset(
        (observation, code)
        for row in body["refused"]
        for observation in row.get("observations", [row.get("observation")])
        for code in row.get("codes", ["*"])
    )
