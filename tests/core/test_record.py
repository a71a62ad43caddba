"""Reading a record: typed entries, doubts with their place, and nothing absent made up."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from tests.core.makers import PATIENT, bundle, record

from lab39.core import terms
from lab39.core.dates import Age, PartialDate
from lab39.core.errors import InputError
from lab39.core.record import Record
from lab39.core.terms import Coding, Concept
from lab39.core.units import Quantity

STATUS = "http://terminology.hl7.org/CodeSystem/condition-clinical"
VERIFIED = "http://terminology.hl7.org/CodeSystem/condition-ver-status"
ON = dt.date(2026, 11, 24)


def coded(system, code, display=""):
    return {"coding": [{"system": system, "code": code} | ({"display": display} if display else {})]}


def places(read):
    return {(issue.place, issue.code) for issue in read.issues}


def condition(**rest):
    return {"resourceType": "Condition", "id": "c1", "code": coded(terms.SNOMED, "38341003", "HTA")} | rest


def observation(value=None, **rest):
    return {"resourceType": "Observation", "id": "o1", "status": "final"} | (value or {}) | rest


def sign(code="HP:0001250", **rest):
    return observation(code=coded(terms.HPO, code), **rest)


# -- the person ---------------------------------------------------------------------------------------


def test_the_person_is_read_with_the_precision_given():
    read = record(patient=PATIENT | {"birthDate": "1944-03", "name": [{"family": "Roy", "given": ["Ada", "B."]}]})
    assert (read.id, read.name, read.sex) == ("p1", "Ada Roy", "female")
    assert read.birth_date == PartialDate.parse("1944-03")
    assert read.age(ON) == Age(82, 82)
    assert read.issues == ()


def test_no_birth_date_leaves_the_age_unknown_and_says_so():
    read = record(patient={"resourceType": "Patient", "id": "p1"})
    assert read.birth_date is None
    assert read.age(ON) is None
    assert read.sex is None
    assert places(read) == {("Bundle.entry[0].resource.birthDate", "required")}


def test_no_patient_at_all_is_said():
    read = record(condition(), patient=None)
    assert read.birth_date is None
    assert ("Patient", "required") in places(read)


@pytest.mark.parametrize("birth", ["2020-13-01", "13/02/2020", "2020-02-30", ""])
def test_a_birth_date_that_is_none_is_refused_with_its_place(birth):
    read = record(patient=PATIENT | {"birthDate": birth})
    assert read.birth_date is None
    assert places(read) == {("Bundle.entry[0].resource.birthDate", "value")}


def test_an_unknown_sex_is_unknown_and_an_invalid_one_is_told():
    assert record(patient=PATIENT | {"gender": "unknown"}).sex is None
    assert record(patient=PATIENT | {"gender": "unknown"}).issues == ()
    read = record(patient=PATIENT | {"gender": "F"})
    assert read.sex is None
    assert places(read) == {("Bundle.entry[0].resource.gender", "code-invalid")}


@pytest.mark.parametrize("given", ["Ada", 7, None, {"a": 1}])
def test_a_name_of_the_wrong_shape_is_read_as_far_as_it_goes(given):
    assert record(patient=PATIENT | {"name": [{"family": "Roy", "given": given}]}).name == "Roy"


# -- entries ------------------------------------------------------------------------------------------


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


# -- signs --------------------------------------------------------------------------------------------

PRESENT, ABSENT = coded(terms.SNOMED, "52101004"), coded(terms.SNOMED, "2667000")
NEGATIVE = coded("http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation", "NEG")


@pytest.mark.parametrize(
    ("resource", "excluded"),
    [
        (sign(valueCodeableConcept=PRESENT), False),
        (sign(valueCodeableConcept=ABSENT), True),
        (sign(valueBoolean=True), False),
        (sign(valueBoolean=False), True),
        (sign(), False),
        (sign(interpretation=[NEGATIVE]), True),
        (condition(code=coded(terms.HPO, "HP:0001250")), False),
        (condition(code=coded(terms.HPO, "HP:0001250"), verificationStatus=coded(VERIFIED, "refuted")), True),
    ],
)
def test_a_sign_is_present_or_expressly_excluded(resource, excluded):
    (read,) = record(resource).phenotypes()
    assert (read.term.code, read.excluded) == ("HP:0001250", excluded)


@pytest.mark.parametrize(
    "rest",
    [
        {"valueCodeableConcept": coded(terms.SNOMED, "261665006", "Unknown")},
        {"valueCodeableConcept": {"text": "absent"}},
        {"valueString": "no"},
        {"valueBoolean": "false"},
        {"valueQuantity": {"value": 0, "unit": "1"}},
        {"valueRange": {}},
        {"dataAbsentReason": coded("http://terminology.hl7.org/CodeSystem/data-absent-reason", "unknown")},
        {"status": "cancelled"},
        {"status": "registered"},
    ],
)
def test_a_sign_that_is_neither_present_nor_excluded_is_told_and_not_used(rest):
    read = record(sign(**rest))
    assert read.phenotypes() == ()
    assert ("Observation/o1", "value") in places(read)


def test_every_hpo_code_of_an_entry_is_a_sign_and_other_codes_are_none():
    two = {"coding": [{"system": "HP", "code": "HP:0001250"}, {"system": terms.HPO, "code": "HP:0002197"}]}
    read = record(observation(code=two), observation(code=coded(terms.LOINC, "1"), id="o2"))
    assert [p.term.code for p in read.phenotypes()] == ["HP:0001250", "HP:0002197"]


# -- doubts -------------------------------------------------------------------------------------------

WRONG = [7, Decimal("1.5"), True, "words", [], [7], {}, {"a": 1}, [None], [{"coding": 7}], [[[]]]]
MEMBERS = {
    "Patient": ["name", "birthDate", "gender", "id"],
    "Condition": [
        "code",
        "clinicalStatus",
        "verificationStatus",
        "onsetDateTime",
        "onsetPeriod",
        "recordedDate",
        "id",
    ],
    "MedicationRequest": [
        *("medicationCodeableConcept", "medicationReference", "contained", "authoredOn", "dosageInstruction"),
        *("status", "intent", "doNotPerform"),
    ],
    "MedicationStatement": ["effectivePeriod", "effectiveDateTime", "dosage", "basedOn"],
    "MedicationAdministration": ["dosage", "effectivePeriod"],
    "Immunization": ["vaccineCode", "occurrenceDateTime", "protocolApplied", "lotNumber", "expirationDate"],
    "Observation": [
        *("code", "valueQuantity", "valueCodeableConcept", "valueDateTime", "valueString", "valueInteger"),
        *("component", "interpretation", "extension", "dataAbsentReason", "subject", "modifierExtension"),
    ],
    "AllergyIntolerance": ["code", "criticality", "reaction", "patient"],
    "Procedure": ["code", "performedDateTime", "performedPeriod", "status"],
}


@pytest.mark.parametrize(("kind", "member"), [(k, m) for k, members in MEMBERS.items() for m in members])
def test_no_json_type_in_any_place_stops_the_reading(kind, member):
    for wrong in WRONG:
        resource = {"resourceType": kind, "code": coded(terms.HPO, "HP:0001250"), member: wrong}
        read = record(resource, patient=None if kind == "Patient" else PATIENT)
        assert isinstance(read.issues, tuple)
        assert read.origin["entry"][-1]["resource"] is resource


def test_a_wrong_type_is_told_with_its_place_and_not_used():
    read = record(condition(code="hypertension", onsetDateTime=2020))
    (entry,) = read.conditions()
    assert (entry.concept, entry.onset) == (Concept(), None)
    root = "Bundle.entry[1].resource"
    assert places(read) == {(f"{root}.code", "structure"), (f"{root}.onsetDateTime", "structure")}


def test_what_is_kept_and_not_read_is_told():
    read = record(condition(onsetAge={"value": 40, "unit": "a"}), observation(effectiveTiming={}))
    assert places(read) == {
        ("Bundle.entry[1].resource.onsetAge", "not-supported"),
        ("Bundle.entry[2].resource.effectiveTiming", "not-supported"),
    }


def test_an_unknown_code_system_is_kept_and_told_once():
    odd = coded("urn:oid:9.9", "x")
    read = record(condition(code=odd), condition(code=odd, id="c2"))
    assert read.conditions()[0].concept.code("urn:oid:9.9") == "x"
    assert places(read) == {("Bundle.entry[1].resource.code.coding[0].system", "code-invalid")}


@pytest.mark.parametrize(
    "resource",
    [
        condition(verificationStatus=coded(VERIFIED, "entered-in-error")),
        condition(modifierExtension=[{"url": "http://example.org/negated", "valueBoolean": True}]),
    ],
)
def test_what_was_entered_in_error_or_means_something_else_is_not_used_and_told(resource):
    read = record(resource)
    assert read.conditions() == ()
    assert len(read.issues) == 1
    assert len(read.resources("Condition")) == 1


def test_an_observation_entered_in_error_gives_neither_value_nor_sign():
    read = record(sign(status="entered-in-error", valueCodeableConcept=PRESENT))
    assert (read.observations(), read.phenotypes()) == ((), ())
    assert places(read) == {("Bundle.entry[1].resource", "suppressed")}


@pytest.mark.parametrize("entry", [7, {}, {"resource": None}, {"resource": {"id": "x"}}, {"resource": []}])
def test_an_entry_without_a_resource_is_told_and_the_others_are_read(entry):
    document = bundle(condition())
    document["entry"].insert(1, entry)
    read = Record.from_fhir(document)
    assert len(read.conditions()) == 1
    assert places(read) == {("Bundle.entry[1]", "structure")}


# -- one person ---------------------------------------------------------------------------------------


def test_two_patients_are_refused_with_their_places():
    with pytest.raises(InputError, match=r"2 patients .*entry\[0\].*entry\[1\]"):
        record(PATIENT | {"id": "p2"})


@pytest.mark.parametrize(
    "reference", ["Patient/p2", "https://example.org/fhir/Patient/p2", "Patient/p2/_history/3"]
)
def test_a_resource_about_somebody_else_is_refused_with_its_place(reference):
    with pytest.raises(InputError, match=r"entry\[1\]\.resource\.subject → p2"):
        record(condition(subject={"reference": reference}))


def test_resources_about_two_people_are_refused_without_any_patient_resource():
    first, second = (condition(subject={"reference": f"Patient/{who}"}) for who in ("a", "b"))
    with pytest.raises(InputError, match="2 patients"):
        record(first, second, patient=None)
    assert len(record(first, first, patient=None).conditions()) == 2


@pytest.mark.parametrize(
    "reference",
    [
        *("Patient/p1", "https://example.org/fhir/Patient/p1", "Patient/p1/_history/3", "urn:uuid:1", "#inside"),
        *("Group/g", "Patient?identifier=x|y"),
    ],
)
def test_the_same_person_may_be_named_in_every_way_fhir_allows(reference):
    document = bundle(condition(subject={"reference": reference}))
    document["entry"][0]["fullUrl"] = "urn:uuid:1"
    assert len(Record.from_fhir(document).conditions()) == 1


# -- the document -------------------------------------------------------------------------------------


@pytest.mark.parametrize("document", [{}, {"resourceType": 7}, {"resourceType": None}])
def test_what_is_no_fhir_is_refused(document):
    with pytest.raises(InputError, match="resourceType"):
        Record.from_fhir(document, "x.json")


def test_a_bundle_whose_entry_is_no_list_is_refused_with_its_place():
    with pytest.raises(InputError, match=r"x\.json › Bundle\.entry"):
        Record.from_fhir({"resourceType": "Bundle", "entry": {}}, "x.json")


def test_a_record_grows_without_changing_the_one_it_came_from():
    before = record()
    after = before.with_resource(condition())
    assert (len(before.conditions()), len(after.conditions())) == (0, 1)
    assert before.origin["entry"] is not after.origin["entry"]
    with pytest.raises(InputError, match="only a Bundle"):
        Record.from_fhir(PATIENT).with_resource(condition())
