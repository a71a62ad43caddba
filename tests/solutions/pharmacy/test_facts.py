"""What a record tells of a person: present, absent, or not told."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from lab39.core.record import Record
from lab39.core.terms import ATC, ICD10, LOINC, SNOMED, Coding, Concept
from lab39.solutions.pharmacy.facts import facts, indications_of, person
from lab39.solutions.pharmacy.terms import FACT

ON = dt.date(2026, 6, 1)
CLINICAL = "http://terminology.hl7.org/CodeSystem/condition-clinical"
VERIFICATION = "http://terminology.hl7.org/CodeSystem/condition-ver-status"


def record(*resources: dict[str, Any], born: str = "1950-03-10", sex: str = "female") -> Record:
    patient = {"resourceType": "Patient", "id": "p", "birthDate": born, "gender": sex}
    entries = [{"resource": {"id": f"r{i}", **r}} for i, r in enumerate(resources)]
    return Record.from_fhir(
        {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": patient}, *entries]}
    )


def condition(system: str, code: str, *, clinical="", verification="", **more: Any) -> dict[str, Any]:
    found: dict[str, Any] = {
        "resourceType": "Condition",
        "code": {"coding": [{"system": system, "code": code}]},
        "subject": {"reference": "Patient/p"},
        **more,
    }
    if clinical:
        found["clinicalStatus"] = {"coding": [{"system": CLINICAL, "code": clinical}]}
    if verification:
        found["verificationStatus"] = {"coding": [{"system": VERIFICATION, "code": verification}]}
    return found


def value(code: str, number: str, unit: str, day: str) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": LOINC, "code": code}]},
        "subject": {"reference": "Patient/p"},
        "effectiveDateTime": day,
        "valueQuantity": {
            "value": Decimal(number),
            "unit": unit,
            "system": "http://unitsofmeasure.org",
            "code": unit,
        },
    }


def told(*resources: dict[str, Any]) -> dict[str, bool]:
    return dict(person(record(*resources), ON).facts)


# -- values -----------------------------------------------------------------------------------------------


def test_golden_clearances_come_from_the_newest_creatinine_and_weight_of_that_day():
    found = person(
        record(
            value("14682-9", "200", "umol/L", "2025-01-01"),
            value("14682-9", "85", "umol/L", "2026-05-01"),
            value("14682-9", "300", "umol/L", "2026-06-02"),
            value("29463-7", "60", "kg", "2026-01-01"),
            born="1961-05-31",
        ),
        ON,
    )
    assert (found.age_years, found.sex, found.weight_kg) == (65, "female", Decimal(60))
    assert found.creatinine_clearance_ml_min == pytest.approx(55.06, abs=0.01)
    assert found.egfr_ml_min_173 == pytest.approx(66, abs=0.5)


def test_a_creatinine_in_mass_units_is_the_same_creatinine():
    molar = person(record(value("14682-9", "88.4", "umol/L", "2026-05-01")), ON)
    mass = person(record(value("2160-0", "1.0", "mg/dL", "2026-05-01")), ON)
    french = person(record(value("2160-0", "10", "mg/L", "2026-05-01")), ON)
    assert molar.egfr_ml_min_173 == pytest.approx(mass.egfr_ml_min_173, rel=1e-4)
    assert mass.egfr_ml_min_173 == pytest.approx(french.egfr_ml_min_173, rel=1e-9)
    assert molar.creatinine_clearance_ml_min is None


def test_what_is_not_in_the_record_is_not_known():
    found = person(Record.from_fhir({"resourceType": "Bundle", "type": "collection", "entry": []}), ON)
    assert (found.age_years, found.sex, found.weight_kg) == (None, None, None)
    assert (found.creatinine_clearance_ml_min, found.egfr_ml_min_173, dict(found.facts)) == (None, None, {})


def test_an_age_that_the_birth_date_cannot_tell_is_not_known():
    assert person(record(born="1961"), ON).age_years is None
    assert person(record(born="1961-07"), ON).age_years == 64


def test_a_value_without_a_unit_or_below_a_bound_gives_no_clearance():
    bare = value("14682-9", "85", "umol/L", "2026-05-01")
    del bare["valueQuantity"]["unit"], bare["valueQuantity"]["code"]
    bound = value("14682-9", "20", "umol/L", "2026-05-01")
    bound["valueQuantity"]["comparator"] = "<"
    assert person(record(bare), ON).egfr_ml_min_173 is None
    assert person(record(bound), ON).egfr_ml_min_173 is None


# -- facts ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        (condition(SNOMED, "13200003", clinical="resolved"), {"peptic-ulcer-history": True}),
        (condition(ICD10, "K26.4"), {"peptic-ulcer-history": True}),
        (condition(ICD10, "K26.4", verification="refuted"), {"peptic-ulcer-history": False}),
        (condition(ICD10, "K26.4", verification="provisional"), {}),
        (condition(ICD10, "K29.7"), {}),
        (condition(ICD10, "I50.9", clinical="active"), {"heart-failure": True}),
        (condition(ICD10, "I50.9", clinical="resolved"), {"heart-failure": False}),
        (condition(ICD10, "I50.9", clinical="active", recordedDate="2026-06-02"), {}),
        (condition(ICD10, "I21.4", onsetDateTime="2025-12-20"), {"acute-coronary-syndrome": True}),
        (condition(ICD10, "I21.4", onsetDateTime="2019-12-20"), {}),
        (condition(ICD10, "I21.4"), {}),
        (condition(FACT, "venetoclax-titration", verification="confirmed"), {"venetoclax-titration": True}),
        (condition(FACT, "venetoclax-titration", verification="refuted"), {"venetoclax-titration": False}),
        (
            condition(ICD10, "N18.4", clinical="active"),
            {"renal-impairment": True, "renal-impairment-moderate-severe": True},
        ),
        (condition(ICD10, "N18.1", clinical="active"), {"renal-impairment": True}),
    ],
)
def test_a_condition_makes_a_fact_present_or_absent_only_when_it_says_so(entry, expected):
    assert told(entry) == expected


def test_entries_that_contradict_each_other_tell_nothing():
    ulcer = condition(ICD10, "K25.9")
    assert told(ulcer, condition(ICD10, "K25.9", verification="refuted")) == {}
    assert told(condition(ICD10, "I50.9", clinical="resolved"), condition(ICD10, "I50.9", clinical="active")) == {
        "heart-failure": True
    }


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        (value("2823-3", "3.4", "mmol/L", "2026-05-20"), {"hypokalaemia": True}),
        (value("2823-3", "3.5", "mmol/L", "2026-05-20"), {"hypokalaemia": False}),
        (value("2823-3", "3.4", "mmol/L", "2026-04-20"), {}),
        (value("10230-1", "35", "%", "2026-01-20"), {"left-ventricular-dysfunction": True}),
        (value("10230-1", "60", "%", "2026-01-20"), {"left-ventricular-dysfunction": False}),
    ],
)
def test_a_recent_result_tells_its_fact(result, expected):
    assert told(result) == expected


# -- indications ------------------------------------------------------------------------------------------


def test_reasons_and_products_tell_what_a_line_is_for_only_in_codes_that_are_known():
    def reason(system: str, code: str) -> Concept:
        return Concept((Coding(system, code),))

    assert indications_of([reason(ICD10, "I50.9")]) == {"heart-failure"}
    assert indications_of([], "B01AC06") == {"platelet-inhibition"}
    assert indications_of([reason(ICD10, "Z30.4")], "G03AC03") == {"contraception"}
    assert indications_of([reason(ICD10, "I10")]) is None
    assert indications_of([reason(ATC, "I50.9")]) is None
    assert indications_of([]) is None


def test_every_fact_has_words_in_both_languages_and_a_way_to_be_known():
    for token, fact in facts().facts.items():
        assert fact.label.fr != fact.label.en, token
        assert fact.holds in ("ever", "now", "recent", "asked")
        assert (fact.holds == "recent") == (fact.months > 0)
        assert fact.holds == "asked" or fact.codes.snomed or fact.codes.icd10
        assert set(fact.also) <= set(facts().facts)
    assert {result.fact for result in facts().results} <= set(facts().facts)
