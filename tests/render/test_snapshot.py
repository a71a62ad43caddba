"""The record in short."""

from __future__ import annotations

import datetime as dt

import pytest

from lab39 import fhir
from lab39.core.finding import Report
from lab39.core.text import Text
from lab39.render.snapshot import snapshot

ON = dt.date(2026, 11, 24)


def seen(*resources, patient=None):
    person = {"resourceType": "Patient", "id": "p", "birthDate": "1944-03-02", "gender": "female"} | (patient or {})
    entries = [{"resource": r} for r in (person, *resources)]
    record = fhir.record({"resourceType": "Bundle", "type": "collection", "entry": entries})
    return snapshot(record, Report(record={}, on=ON, findings=()))


def observation(code, value, unit, day="2026-10-02"):
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
        "effectiveDateTime": day,
        "valueQuantity": {"value": value, "system": "http://unitsofmeasure.org", "code": unit},
    }


def test_absent_values_are_named_never_shown_as_normal():
    short = seen()
    assert short.measures == ()
    names = [text.fr for text in short.absent]
    assert "poids" in names
    assert "créatinine" in names
    assert "allergies\u202f: non renseignées" in names


def test_the_newest_value_not_after_the_day_is_shown_with_its_date():
    short = seen(
        observation("14682-9", 90, "umol/L", "2025-01-01"),
        observation("14682-9", 118, "umol/L"),
        observation("14682-9", 300, "umol/L", "2027-01-01"),
    )
    (line,) = short.measures
    assert line.value.fr == "118\u202fµmol/L"
    assert line.date == Text("02/10/2026", "2 Oct 2026")


def test_another_unit_is_shown_beside_the_usual_one():
    (line,) = seen(observation("2160-0", 1.3, "mg/dL")).measures
    assert line.value.fr == "114,9\u202fµmol/L (1,3\u202fmg/dL)"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (60.65656714128773, "60,66\u202fkg"),
        (171.6153445684693, "171,6\u202fkg"),
        (3.14159, "3,142\u202fkg"),
        (0.0123456, "0,01235\u202fkg"),
        (1234.5678, "1\u202f235\u202fkg"),
        (7.1, "7,1\u202fkg"),
        (129.57, "129,57\u202fkg"),
        (1e-9, "0,000000001\u202fkg"),
        (9.9999999, "10,00\u202fkg"),
    ],
)
def test_a_computed_value_is_shown_with_four_digits_and_one_that_was_read_off_as_it_was(value, shown):
    (line,) = seen(observation("29463-7", value, "kg")).measures
    assert line.value.fr == shown


def test_a_value_without_unit_is_shown_as_received_not_converted():
    (line,) = seen(observation("14682-9", 118, "")).measures
    assert line.value.fr == "118"


@pytest.mark.parametrize(
    ("birth", "said"),
    [
        ("2026-08-30", "2 mois, fille"),
        ("2025-11-24", "12 mois, fille"),
        ("2024-11-24", "2 ans, fille"),
        ("2011-11-25", "14 ans, fille"),
        ("2011-11-24", "15 ans, femme"),
        ("1944", "81 ou 82 ans, femme"),
        ("2030-01-01", "âge inconnu, femme"),
    ],
)
def test_age_is_no_more_precise_than_the_birth_date(birth, said):
    assert seen(patient={"birthDate": birth}).who.fr == said


def test_a_refill_is_not_a_second_treatment_and_a_stopped_one_is_not_shown():
    def order(status, day):
        return {
            "resourceType": "MedicationRequest",
            "status": status,
            "intent": "order",
            "authoredOn": day,
            "medicationCodeableConcept": {"text": "Bisoprolol 5 mg"},
            "subject": {"reference": "Patient/p"},
        }

    assert len(seen(order("active", "2026-01-01"), order("active", "2026-06-01")).medicines) == 1
    assert seen(order("stopped", "2026-06-01")).medicines == ()


def test_an_injection_given_once_does_not_hide_the_prescription_of_the_same_medicine():
    medicine = {"medicationCodeableConcept": {"text": "Insuline glargine"}, "subject": {"reference": "Patient/p"}}
    ordered = medicine | {
        "resourceType": "MedicationRequest",
        "status": "active",
        "intent": "order",
        "authoredOn": "2026-01-01",
        "dosageInstruction": [{"text": "14 unités le soir"}],
    }
    given = medicine | {
        "resourceType": "MedicationAdministration",
        "status": "completed",
        "effectiveDateTime": "2026-11-20",
    }
    (line,) = seen(ordered, given).medicines
    assert line.value.fr == "14 unités le soir"


def an_order(day, status="active", dose="", name="Insuline glargine"):
    return {
        "resourceType": "MedicationRequest",
        "status": status,
        "intent": "order",
        "authoredOn": day,
        "medicationCodeableConcept": {"text": name},
        "subject": {"reference": "Patient/p"},
        "dosageInstruction": [{"text": dose}],
    }


def test_two_doses_of_one_medicine_are_both_shown():
    morning, evening = an_order("2026-01-01", dose="20 U le matin"), an_order("2026-02-01", dose="14 U le soir")
    assert {line.value.fr for line in seen(morning, evening).medicines} == {"20 U le matin", "14 U le soir"}


def test_a_stopped_order_does_not_hide_an_active_one():
    kept, stopped = an_order("2026-01-01", dose="5 mg"), an_order("2026-06-01", "stopped", dose="2 mg")
    (line,) = seen(kept, stopped).medicines
    assert line.value.fr == "5 mg"


def test_a_result_in_words_does_not_hide_the_weight_known_before():
    said = observation("29463-7", 54, "kg")
    words = {k: v for k, v in said.items() if k != "valueQuantity"} | {
        "valueString": "refuse d'être pesée",
        "effectiveDateTime": "2026-11-20",
    }
    assert any(line.label.fr == "Poids" for line in seen(said, words).measures)


def test_an_allergy_that_was_resolved_is_not_shown_as_current():
    def allergy(status):
        return {
            "resourceType": "AllergyIntolerance",
            "clinicalStatus": {
                "coding": [
                    {"system": "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical", "code": status}
                ]
            },
            "code": {"text": "Pénicilline"},
            "patient": {"reference": "Patient/p"},
        }

    assert seen(allergy("resolved")).allergies == ()
    assert [a.fr for a in seen(allergy("active")).allergies] == ["Pénicilline"]
