"""Signs in HPO terms: present, excluded, or told when they are neither or stand where none is read."""

from __future__ import annotations

import pytest
from tests.core.makers import VERIFIED, coded, condition, observation, places, record, sign

from lab39.core import terms

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


@pytest.mark.parametrize("status", ["provisional", "differential", "unconfirmed"])
def test_a_condition_that_is_only_supposed_is_no_sign_and_is_told(status):
    read = record(condition(code=coded(terms.HPO, "HP:0001250"), verificationStatus=coded(VERIFIED, status)))
    assert read.phenotypes() == ()
    assert ("Condition/c1", "value") in places(read)


def component(code="HP:0001252", **rest):
    return {"code": coded(terms.HPO, code)} | rest


@pytest.mark.parametrize(
    ("rest", "excluded"),
    [
        ({"valueCodeableConcept": PRESENT}, False),
        ({"valueCodeableConcept": ABSENT}, True),
        ({"valueBoolean": False}, True),
        ({}, False),
        ({"interpretation": [NEGATIVE]}, True),
    ],
)
def test_a_component_is_a_sign_by_its_own_value(rest, excluded):
    read = record(observation(code={"text": "examen"}, component=[component("HP:0000252"), component(**rest)]))
    assert [(p.term.code, p.excluded) for p in read.phenotypes()] == [
        ("HP:0000252", False),
        ("HP:0001252", excluded),
    ]
    assert read.issues == ()


@pytest.mark.parametrize(
    ("rest", "of_all"),
    [
        ({"valueString": "no"}, {}),
        ({"dataAbsentReason": {"text": "not asked"}}, {}),
        ({"valueCodeableConcept": PRESENT}, {"status": "cancelled"}),
    ],
)
def test_a_component_that_says_neither_is_told_and_not_used(rest, of_all):
    read = record(observation(code={"text": "examen"}, component=[component(**rest)], **of_all))
    assert read.phenotypes() == ()
    assert places(read) == {("Observation/o1", "value")}


def test_the_code_of_a_panel_is_no_sign_of_its_own():
    panel = sign("HP:0000707", component=[component("HP:0001250", valueCodeableConcept=ABSENT)])
    assert [(p.term.code, p.excluded) for p in record(panel).phenotypes()] == [("HP:0001250", True)]
    qualified = sign(component=[{"code": coded(terms.SNOMED, "246112005"), "valueString": "sévère"}])
    assert [(p.term.code, p.excluded) for p in record(qualified).phenotypes()] == [("HP:0001250", False)]


def test_a_value_coded_in_hpo_is_a_sign_that_is_present():
    value = coded(terms.HPO, "HP:0001250")
    whole = observation(code=coded(terms.LOINC, "8693-4"), valueCodeableConcept=value)
    part = observation(component=[{"code": coded(terms.LOINC, "8693-4"), "valueCodeableConcept": value}], id="o2")
    read = record(whole, part)
    assert [(p.term.code, p.excluded, p.ref) for p in read.phenotypes()] == [
        ("HP:0001250", False, "Observation/o1"),
        ("HP:0001250", False, "Observation/o2"),
    ]
    assert read.issues == ()


@pytest.mark.parametrize(
    "rest", [{"interpretation": [NEGATIVE]}, {"status": "cancelled"}, {"code": coded(terms.LOINC, "8670-2")}]
)
def test_a_value_coded_in_hpo_that_is_denied_undone_or_of_a_relative_is_told_and_not_used(rest):
    asked = {"code": coded(terms.LOINC, "8693-4")} | rest
    read = record(observation(valueCodeableConcept=coded(terms.HPO, "HP:0001250"), **asked))
    assert read.phenotypes() == ()
    assert places(read) == {("Observation/o1", "value")}


def impression(**rest):
    found = {"itemCodeableConcept": coded(terms.HPO, "HP:0001250")}
    return {"resourceType": "ClinicalImpression", "id": "i1", "status": "completed", "finding": [found]} | rest


def test_a_finding_of_a_clinical_impression_is_a_sign():
    (read,) = record(impression(effectiveDateTime="2020-02")).phenotypes()
    assert (read.term.code, read.excluded, read.ref) == ("HP:0001250", False, "ClinicalImpression/i1")
    assert read.date.written == "2020-02"
    assert record(impression(status="entered-in-error")).phenotypes() == ()


HELD = coded(terms.HPO, "HP:0001250")


@pytest.mark.parametrize(
    ("resource", "place"),
    [
        (
            {"resourceType": "FamilyMemberHistory", "condition": [{"code": HELD}]},
            ".condition[0].code.coding[0]",
        ),
        (condition(evidence=[{"code": [HELD]}]), ".evidence[0].code[0].coding[0]"),
        (
            observation(extension=[{"url": "x", "valueCodeableConcept": HELD}]),
            ".extension[0].valueCodeableConcept.coding[0]",
        ),
        (
            {
                "resourceType": "QuestionnaireResponse",
                "item": [{"answer": [{"valueCoding": {"code": "HP:0001250"}}]}],
            },
            ".item[0].answer[0].valueCoding",
        ),
        ({"resourceType": "Procedure", "reasonCode": [HELD]}, ".reasonCode[0].coding[0]"),
    ],
)
def test_an_hpo_code_where_no_sign_is_read_is_told_with_its_place(resource, place):
    read = record(resource)
    assert read.phenotypes() == ()
    (issue,) = [i for i in read.issues if "HP:0001250" in i.text.en]
    assert (issue.place, issue.code) == (f"Bundle.entry[1].resource{place}", "not-supported")


def test_hpo_codes_of_a_resource_not_used_are_told_once():
    read = record(condition(verificationStatus=coded(VERIFIED, "entered-in-error"), evidence=[{"code": [HELD]}]))
    assert [issue.code for issue in read.issues] == ["suppressed"]
