"""Reading a record: typed entries, doubts with their place, and nothing absent made up."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from tests.core.makers import PATIENT, VERIFIED, bundle, coded, condition, lab, observation, places, record, sign

from lab39.core import terms
from lab39.core.dates import Age, PartialDate
from lab39.core.errors import InputError
from lab39.core.record import Record
from lab39.core.terms import Concept

ON = dt.date(2026, 11, 24)


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


def test_a_birth_after_the_day_of_assessment_is_told_on_that_day():
    read = record(patient=PATIENT | {"birthDate": "2026-12"})
    assert read.age(ON) is None
    (issue,) = read.issues_on(ON)
    assert (issue.place, issue.code) == ("Bundle.entry[0].resource.birthDate", "value")
    assert "12/2026" in issue.text.en
    assert read.issues_on(dt.date(2026, 12, 1)) == read.issues == ()
    assert lab().assess(read, ON).issues == (issue,)


def test_a_patient_that_is_inactive_or_means_something_else_is_told():
    root = "Bundle.entry[0].resource"
    assert places(record(patient=PATIENT | {"active": False})) == {(f"{root}.active", "business-rule")}
    changed = record(patient=PATIENT | {"modifierExtension": [{"url": "http://example.org/animal"}]})
    assert places(changed) == {(f"{root}.modifierExtension", "extension")}
    assert record(patient=PATIENT | {"active": True}).issues == ()


@pytest.mark.parametrize(
    ("said", "deceased", "by_then"),
    [
        ({}, None, False),
        ({"deceasedBoolean": False}, False, False),
        ({"deceasedBoolean": True}, True, True),
        ({"deceasedDateTime": "2026-11-24T08:30:00+01:00"}, True, True),
        ({"deceasedDateTime": "2026"}, True, True),
        ({"deceasedDateTime": "2026-11-25"}, True, False),
        ({"deceasedDateTime": "last year"}, True, True),
    ],
)
def test_a_death_is_read_with_its_day_and_holds_from_then_on(said, deceased, by_then):
    read = record(patient=PATIENT | said)
    assert (read.deceased, read.deceased_on(ON)) == (deceased, by_then)


def test_a_death_of_the_wrong_type_is_told_and_not_believed():
    read = record(patient=PATIENT | {"deceasedBoolean": "true"})
    assert read.deceased is None
    assert places(read) == {("Bundle.entry[0].resource.deceasedBoolean", "structure")}


TEST = {"tag": [{"code": "HTEST"}]}


def test_test_data_are_marked_on_the_patient_or_the_whole():
    assert record(patient=PATIENT | {"meta": TEST}).test_data
    assert Record.from_fhir(bundle() | {"meta": TEST}).test_data
    assert record(patient=PATIENT | {"meta": {"security": [{"code": "HTEST"}]}}).test_data
    assert not record(condition(meta=TEST)).test_data


@pytest.mark.parametrize("meta", [7, [], {"tag": 7}, {"tag": [7]}, {"tag": [{"code": ["HTEST"]}]}])
def test_a_mark_of_the_wrong_shape_is_none(meta):
    assert not record(patient=PATIENT | {"meta": meta}).test_data


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
    read = record(sign(status="entered-in-error", valueBoolean=True))
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


def test_a_patient_contained_in_a_resource_is_somebody_else():
    inside = {"resourceType": "Patient", "id": "z"}
    about_z = sign(subject={"reference": "#z"}, contained=[inside])
    with pytest.raises(InputError, match=r"entry\[1\]\.resource\.subject → z"):
        record(about_z)
    assert len(record(about_z, about_z, patient=None).phenotypes()) == 2
    other = sign(subject={"reference": "#z"}, contained=[inside | {"gender": "male"}])
    with pytest.raises(InputError, match="2 patients"):
        record(about_z, other, patient=None)


@pytest.mark.parametrize(
    ("rest", "member"),
    [
        ({"focus": [{"reference": "RelatedPerson/baby"}]}, "focus"),
        (
            {"focus": [{"reference": "#baby"}], "contained": [{"resourceType": "RelatedPerson", "id": "baby"}]},
            "focus",
        ),
        ({"focus": [{"reference": "Patient/p1"}, {"display": "foetus"}]}, "focus"),
        ({"focus": [{"reference": "Patient/p2"}]}, "focus"),
        ({"focus": 7}, "focus"),
        ({"subject": {"reference": "Device/d1"}}, "subject"),
        ({"subject": {"reference": "#m"}, "contained": [{"resourceType": "RelatedPerson", "id": "m"}]}, "subject"),
    ],
)
def test_an_observation_about_somebody_or_something_else_is_told_and_not_used(rest, member):
    read = record(sign(**rest))
    assert (read.observations(), read.phenotypes()) == ((), ())
    assert places(read) == {(f"Bundle.entry[1].resource.{member}", "not-supported")}


def test_an_observation_whose_focus_is_the_patient_is_the_patient_s():
    assert len(record(sign(focus=[{"reference": "Patient/p1"}])).phenotypes()) == 1


def test_a_numeric_id_is_told_and_is_one_person():
    seen = [condition(subject={"reference": "Patient/1"})] * 2
    read = record(*seen, patient=PATIENT | {"id": 1})
    assert (read.id, len(read.conditions())) == ("1", 2)
    assert places(read) == {("Bundle.entry[0].resource.id", "structure")}


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


# -- a part is not the whole --------------------------------------------------------------------------


def page(**rest):
    return bundle(condition()) | {"type": "searchset"} | rest


@pytest.mark.parametrize(
    ("rest", "place"),
    [
        ({"link": [{"relation": "self"}, {"relation": "next", "url": "x"}]}, r"Bundle\.link\[1\]: one page"),
        ({"total": 3}, r"Bundle\.total: 3 results announced, 2 present"),
        ({"total": 3, "type": "history"}, r"Bundle\.total"),
    ],
)
def test_one_page_of_several_is_refused_with_its_place(rest, place):
    with pytest.raises(InputError, match=rf"x\.json › {place}"):
        Record.from_fhir(page(**rest), "x.json")


def test_what_a_search_found_beside_its_matches_is_not_counted_in_its_total():
    more = {"resource": {"resourceType": "Organization"}, "search": {"mode": "include"}}
    whole = page(total=2)
    whole["entry"].append(more)
    assert Record.from_fhir(whole).issues == ()
    with pytest.raises(InputError, match="3 results announced, 2 present"):
        Record.from_fhir(whole | {"total": 3})


def test_a_collection_may_have_fewer_entries_than_somebody_wrote():
    assert Record.from_fhir(bundle() | {"total": 9, "link": [{"relation": "self"}]}).issues == ()


def test_a_bundle_in_a_bundle_is_told():
    assert places(record(bundle(condition()))) == {("Bundle.entry[1].resource", "not-supported")}


@pytest.mark.parametrize("kind", ["Observatoin", "Foo", "observation", "", "Transport"])
def test_a_type_that_r4_does_not_have_is_told_in_a_bundle_and_refused_alone(kind):
    resource = observation(resourceType=kind)
    assert places(record(resource)) == {("Bundle.entry[1].resource.resourceType", "structure")}
    with pytest.raises(InputError, match=f"x: “{kind}” is no FHIR R4 resource type"):
        Record.from_fhir(resource, "x")


def test_what_the_server_cut_short_is_told_once():
    cut = {"meta": {"tag": [{"code": "SUBSETTED"}]}}
    read = record(condition(**cut), condition(id="c2", **cut))
    assert len(read.conditions()) == 2
    assert places(read) == {("Bundle.entry[1].resource.meta.tag", "incomplete")}
    assert "2 resource(s)" in read.issues[0].text.en
    assert places(Record.from_fhir(PATIENT | cut)) == {("Patient.meta.tag", "incomplete")}
