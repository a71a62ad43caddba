"""Conditions, medicines, doses, results, allergies: typed, and nothing absent made up."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from tests.core.makers import STATUS, VERIFIED, bundle, coded, condition, observation, places, record, sign

from lab39.core import terms
from lab39.core.dates import PartialDate
from lab39.core.record import Record
from lab39.core.terms import Coding, Concept
from lab39.core.units import Quantity

ON = dt.date(2026, 11, 24)


@pytest.mark.parametrize(
    ("rest", "active"),
    [
        ({"clinicalStatus": coded(STATUS, "active")}, True),
        ({"clinicalStatus": coded(STATUS, "relapse")}, True),
        ({"clinicalStatus": coded(STATUS, "resolved")}, False),
        ({"abatementDateTime": "2020"}, False),
        ({"verificationStatus": coded(VERIFIED, "refuted"), "clinicalStatus": coded(STATUS, "active")}, False),
        ({}, None),
    ],
)
def test_a_condition_is_active_ended_or_unknown(rest, active):
    (read,) = record(condition(**rest)).conditions()
    assert read.active is active
    assert read.concept == Concept((Coding(terms.SNOMED, "38341003", "HTA"),))
    assert read.ref == "Condition/c1"


def order(**rest):
    return {"resourceType": "MedicationRequest", "id": "m1", "status": "active", "intent": "order"} | rest


@pytest.mark.parametrize(
    ("rest", "current"),
    [
        ({}, True),
        ({"status": "on-hold"}, False),
        ({"status": "stopped"}, False),
        ({"status": "draft"}, None),
        ({"status": None}, None),
        ({"doNotPerform": True}, False),
        ({"intent": "proposal"}, None),
    ],
)
def test_a_medicine_is_taken_not_taken_or_unknown(rest, current):
    (read,) = record(order(medicationCodeableConcept=coded(terms.ATC, "C07AB07"), **rest)).medications()
    assert read.current is current


@pytest.mark.parametrize(
    ("rest", "prescribed"),
    [
        ({}, True),
        ({"intent": "plan"}, None),
        ({"resourceType": "MedicationStatement"}, None),
        ({"resourceType": "MedicationStatement", "basedOn": [{"reference": "MedicationRequest/m"}]}, True),
    ],
)
def test_a_medicine_is_prescribed_or_the_record_does_not_say(rest, prescribed):
    (read,) = record(order(**rest)).medications()
    assert read.prescribed is prescribed


def test_a_treatment_has_the_dates_it_was_given_with():
    taken = {"resourceType": "MedicationStatement", "effectivePeriod": {"start": "2020-02", "end": "2020-03-01"}}
    (read,) = record(taken).medications()
    assert (read.start, read.end) == (PartialDate.parse("2020-02"), PartialDate.parse("2020-03-01"))
    (read,) = record(order(authoredOn="2021")).medications()
    assert (read.start, read.end) == (PartialDate.parse("2021"), None)


def test_a_dosage_tells_doses_a_day_only_when_the_timing_does():
    lines = [
        {
            "text": "1 le matin",
            "timing": {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d"}},
            "doseAndRate": [{"doseQuantity": {"value": Decimal("2.50"), "unit": "mg"}}],
        },
        {"timing": {"repeat": {"frequency": 3, "period": Decimal("8.0"), "periodUnit": "h"}}},
        {"timing": {"repeat": {"period": 2, "periodUnit": "wk"}}, "asNeededBoolean": False},
        {"asNeededCodeableConcept": {"text": "douleur"}, "route": {"text": "orale"}},
        {"timing": {"repeat": {"frequency": 2, "period": 0, "periodUnit": "d"}}},
    ]
    (read,) = record(order(dosageInstruction=lines)).medications()
    assert [d.per_day for d in read.dosages] == [1, 9, Decimal(1) / 2 * (Decimal(1) / 7), None, None]
    assert read.dosages[0].dose == Quantity(Decimal("2.50"), "mg")
    assert [d.as_needed for d in read.dosages] == [None, None, False, True, None]
    assert read.dosages[3].route == Concept(text="orale")


def test_a_dose_given_is_read_from_an_administration():
    given = {
        "resourceType": "MedicationAdministration",
        "status": "completed",
        "effectiveDateTime": "2026-11-01",
        "dosage": {"text": "IV", "dose": {"value": 4, "unit": "mg"}},
    }
    (read,) = record(given).medications()
    assert read.dosages[0].dose == Quantity(Decimal(4), "mg")
    assert read.current is False
    assert read.prescribed is None


@pytest.mark.parametrize("where", ["contained", "beside", "by url"])
def test_a_medicine_is_found_through_its_reference(where):
    drug = {"resourceType": "Medication", "id": "d1", "code": coded(terms.ATC, "C07AB07")}
    reference = {"contained": "#d1", "beside": "Medication/d1", "by url": "urn:uuid:1"}[where]
    asked = order(medicationReference={"reference": reference})
    document = bundle(asked | {"contained": [drug]} if where == "contained" else asked)
    if where != "contained":
        document["entry"].append({"resource": drug, "fullUrl": "urn:uuid:1"})
    read = Record.from_fhir(document)
    assert read.medications()[0].concept.code(terms.ATC) == "C07AB07"
    assert read.issues == ()


def test_a_reference_that_leads_nowhere_is_told():
    read = record(order(medicationReference={"reference": "Medication/none"}))
    assert read.medications()[0].concept == Concept()
    assert ("Bundle.entry[1].resource.medicationReference", "not-found") in places(read)


def test_doses_of_vaccines_are_in_the_order_given_and_those_not_done_are_kept():
    def dose(date, **rest):
        return {
            "resourceType": "Immunization",
            "status": "completed",
            "vaccineCode": coded(terms.CVX, "08"),
            "occurrenceDateTime": date,
        } | rest

    second = dose("2020-05-01", protocolApplied=[{"doseNumberPositiveInt": 2}], lotNumber="L2")
    first = dose("2020-03", protocolApplied=[{"doseNumberString": "1"}], expirationDate="2021-01-01")
    refused = dose("2020-07-01", status="not-done")
    read = record(second, refused, first).immunizations()
    assert [d.date.written for d in read] == ["2020-03", "2020-05-01", "2020-07-01"]
    assert [d.dose_number for d in read] == ["1", "2", None]
    assert [d.status for d in read] == ["completed", "completed", "not-done"]
    assert (read[1].lot, read[0].expires) == ("L2", PartialDate.parse("2021-01-01"))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"valueQuantity": {"value": Decimal("7.10"), "unit": "mg/L"}}, Quantity(Decimal("7.10"), "mg/L")),
        (
            {"valueQuantity": {"value": 5, "unit": "micromol/L", "system": terms.UCUM, "code": "umol/L"}},
            Quantity(Decimal(5), "umol/L"),
        ),
        (
            {"valueQuantity": {"value": 5, "unit": "tablets", "system": "urn:oid:9", "code": "T"}},
            Quantity(Decimal(5), "tablets"),
        ),
        ({"valueQuantity": {"value": 5, "unit": "mg", "system": terms.UCUM}}, Quantity(Decimal(5), "mg")),
        ({"valueQuantity": {"value": 5, "code": "mg"}}, Quantity(Decimal(5), "mg")),
        (
            {"valueQuantity": {"value": 5, "unit": "mg", "comparator": "<"}},
            Quantity(Decimal(5), "mg", "<"),
        ),
        ({"valueCodeableConcept": {"text": "positif"}}, Concept(text="positif")),
        ({"valueDateTime": "2020-02"}, PartialDate.parse("2020-02")),
        ({"valueString": "clair"}, "clair"),
        ({"valueBoolean": False}, False),
        ({"valueInteger": 0}, 0),
        ({"valueQuantity": {"value": 0, "unit": "mg"}}, Quantity(Decimal(0), "mg")),
    ],
)
def test_a_value_is_read_as_what_it_is(value, expected):
    (read,) = record(observation(value)).observations()
    assert read.value == expected
    assert type(read.value) is type(expected)
    assert record(observation(value)).issues == ()


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"valueQuantity": {}},
        {"valueQuantity": {"unit": "mg"}},
        {"valueQuantity": {"value": "7", "unit": "mg"}},
        {"valueQuantity": {"value": True, "unit": "mg"}},
        {"valueQuantity": {"value": Decimal("1E+999999"), "unit": "mg"}},
        {"valueQuantity": {"value": float("nan"), "unit": "mg"}},
        {"valueInteger": False},
        {"valueBoolean": "false"},
        {"valueString": 0},
        {"valueRange": {"low": {"value": 1}}},
    ],
)
def test_a_value_that_is_absent_or_unreadable_is_none_never_zero_nor_false(value):
    read = record(observation(value))
    assert read.observations()[0].value is None
    unreadable = any(member not in ({}, {"unit": "mg"}) for member in value.values())
    assert bool(read.issues) == unreadable


def test_a_quantity_without_a_unit_is_kept_and_doubted():
    read = record(observation({"valueQuantity": {"value": 7}}))
    assert read.observations()[0].quantity == Quantity(Decimal(7), "")
    assert ("Bundle.entry[1].resource.valueQuantity", "value") in places(read)


def test_components_are_read_like_values():
    pressure = observation(
        component=[{"code": coded(terms.LOINC, "8480-6"), "valueQuantity": {"value": 120, "unit": "mm[Hg]"}}]
    )
    (read,) = record(pressure).observations()
    assert read.components[0][0].has(terms.LOINC, "8480-6")
    assert read.components[0][1] == Quantity(Decimal(120), "mm[Hg]")


def lab_value(value, when):
    return observation({"valueQuantity": {"value": value, "unit": "mg"}}, code=coded(terms.LOINC, "1"), **when)


def at(when):
    return {"effectiveDateTime": when}


@pytest.mark.parametrize(
    ("dates", "newest"),
    [
        ([at("2026-01-02"), at("2026-01-01")], 0),
        ([at("2026-01-01T18:00:00Z"), at("2026-01-01T08:00:00Z")], 0),
        ([at("2026-01-01T08:00:00-05:00"), at("2026-01-01T09:00:00+01:00")], 0),
        ([at("2026-03-01"), at("2026")], 0),
        ([at("2026-01-01"), at("2027-01-01")], 0),
        ([{}, at("2020")], 1),
        ([at("2026-01-01"), {"effectivePeriod": {"start": "2026-02-01"}}], 1),
    ],
)
def test_the_latest_value_is_the_newest_known_on_that_day(dates, newest):
    read = record(*(lab_value(i, when) for i, when in enumerate(dates)))
    assert read.latest("1", on=ON).quantity.value == newest


def test_there_is_no_latest_value_without_a_date_a_value_or_the_code():
    assert record(lab_value(1, {})).latest("1", on=ON) is None
    assert record(lab_value(1, at("2027-01-01"))).latest("1", on=ON) is None
    assert record(observation(code=coded(terms.LOINC, "1"), **at("2020"))).latest("1", on=ON) is None
    assert record(lab_value(1, at("2020"))).latest("2", on=ON) is None


def test_observations_are_found_by_code_and_system():
    read = record(lab_value(1, {}), sign())
    assert [o.quantity.value for o in read.observations("1") if o.quantity] == [1]
    assert len(read.observations()) == 2
    assert read.observations("1", terms.SNOMED) == ()


def test_allergies_and_procedures_are_read_in_full():
    allergy = {
        "resourceType": "AllergyIntolerance",
        "code": {"text": "pénicilline"},
        "criticality": "high",
        "clinicalStatus": coded(STATUS, "active"),
        "reaction": [{"manifestation": [{"text": "urticaire"}, {"text": "choc"}]}],
    }
    act = {"resourceType": "Procedure", "status": "completed", "performedPeriod": {"start": "2019-05"}}
    read = record(allergy, allergy | {"criticality": "very"}, act)
    assert [a.criticality for a in read.allergies()] == ["high", None]
    assert [c.text for c in read.allergies()[0].reactions] == ["urticaire", "choc"]
    assert read.procedures()[0].date == PartialDate.parse("2019-05")


@pytest.mark.parametrize(
    ("rest", "active"),
    [
        ({"clinicalStatus": coded(STATUS, "active")}, True),
        ({"clinicalStatus": coded(STATUS, "inactive")}, False),
        ({"clinicalStatus": coded(STATUS, "resolved")}, False),
        ({"clinicalStatus": coded(STATUS, "active"), "verificationStatus": coded(VERIFIED, "refuted")}, False),
        ({"clinicalStatus": coded(STATUS, "recurrence")}, None),
        ({}, None),
    ],
)
def test_an_allergy_is_active_ended_or_unknown(rest, active):
    (read,) = record({"resourceType": "AllergyIntolerance", "code": {"text": "latex"}} | rest).allergies()
    assert read.active is active


def test_the_latest_quantity_is_hidden_by_no_newer_result_in_words():
    words = observation({"valueString": "hémolysé"}, code=coded(terms.LOINC, "1"), **at("2026-02-01"))
    read = record(lab_value(1, at("2025-01-01")), lab_value(2, at("2026-01-01")), words, lab_value(3, at("2027")))
    assert read.latest("1", on=ON).value == "hémolysé"
    assert read.latest_quantity("1", on=ON).quantity.value == 2
    assert record(words).latest_quantity("1", on=ON) is None
