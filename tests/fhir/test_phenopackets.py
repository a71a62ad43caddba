"""Phenopackets v2: kept as received, read through an R4 view, written from any record."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from pathlib import Path

import phenopackets as ga4gh
import pytest
from google.protobuf.json_format import MessageToDict, ParseDict
from tests.core.makers import PATIENT, record

from lab39 import fhir
from lab39.core import terms
from lab39.core.dates import PartialDate
from lab39.core.errors import LabError
from lab39.core.terms import Coding
from lab39.core.units import Quantity
from lab39.fhir import packet_writer
from lab39.fhir.outputs import validate

CREATED = "2026-11-24T08:00:00Z"


def term(code, label=""):
    return {"id": code, "label": label}


PACKET = {
    "id": "k1",
    "subject": {
        "id": "p1",
        "sex": "FEMALE",
        "dateOfBirth": "2019-03-02T00:00:00Z",
        "vitalStatus": {"status": "ALIVE"},
        "karyotypicSex": "XX",
    },
    "phenotypicFeatures": [
        {"type": term("HP:0001250", "Seizure"), "onset": {"age": {"iso8601duration": "P3M"}}},
        {"type": term("HP:0001252", "Hypotonia"), "excluded": True, "modifiers": [term("HP:0012828", "Severe")]},
        {"type": term("HP:0000252"), "onset": {"ontologyClass": term("HP:0003577", "Congenital onset")}},
        {"type": term("HP:0000250"), "excluded": False, "onset": {"timestamp": "2020-01-02T00:00:00Z"}},
    ],
    "diseases": [
        {"term": term("OMIM:309900", "MPS II"), "onset": {"timestamp": "2020-01-02T00:00:00Z"}},
        {"term": term("ORPHA:580"), "excluded": True},
    ],
    "measurements": [
        {
            "assay": term("LOINC:2160-0", "Creatinine"),
            "value": {"quantity": {"unit": term("UCUM:umol/L"), "value": 88.5}},
            "timeObserved": {"timestamp": "2020-01-02T00:00:00Z"},
        },
        {"assay": term("LOINC:1"), "value": {"ontologyClass": term("SNOMEDCT:260385009", "Negative")}},
    ],
    "interpretations": [{"id": "i", "progressStatus": "SOLVED"}],
    "metaData": {"created": CREATED, "createdBy": "tests", "phenopacketSchemaVersion": "2.0"},
}


def packet(**rest):
    return {"id": "k1", "metaData": {"phenopacketSchemaVersion": "2.0"}} | rest


def feature(**rest):
    return packet(phenotypicFeatures=[{"type": term("HP:0001250")} | rest])


# -- reading ------------------------------------------------------------------------------------------


def test_the_packet_is_kept_as_received_and_given_back_so():
    text = json.dumps(PACKET)
    read = fhir.record(text)
    assert read.form == "phenopacket"
    assert json.loads(fhir.dumps(read.origin)) == PACKET
    assert packet_writer.from_record(read, CREATED) is read.origin


def test_the_subject_is_the_person():
    read = fhir.record(PACKET)
    assert (read.id, read.sex) == ("p1", "female")
    assert read.birth_date == PartialDate.parse("2019-03-02")
    assert read.deceased is False


def test_a_subject_who_has_died_is_read_so_with_the_day_when_it_is_told():
    read = fhir.record(packet(subject={"vitalStatus": {"status": "DECEASED"}}))
    assert (read.deceased, read.death_date) == (True, None)
    told = {"status": "DECEASED", "timeOfDeath": {"timestamp": "2021-05-04T00:00:00Z"}}
    read = fhir.record(packet(subject={"vitalStatus": told}))
    assert read.death_date is not None
    assert (read.deceased, read.death_date.exact) == (True, dt.date(2021, 5, 4))
    assert fhir.record(packet(subject={"vitalStatus": {"status": "UNKNOWN_STATUS"}})).deceased is None


@pytest.mark.parametrize(("sex", "read"), [("MALE", "male"), ("OTHER_SEX", "other"), ("UNKNOWN_SEX", None)])
def test_sexes_are_those_of_fhir(sex, read):
    found = fhir.record(packet(subject={"sex": sex}))
    assert found.sex == read
    assert all("gender" not in issue.place for issue in found.issues)


def test_a_sex_that_is_none_is_told():
    found = fhir.record(packet(subject={"sex": "F"}))
    assert found.sex is None
    assert "subject.gender" in {issue.place for issue in found.issues}


def test_signs_keep_their_term_whether_they_are_excluded_and_their_onset():
    read = fhir.record(PACKET).phenotypes()
    assert [(p.term.code, p.excluded, p.onset) for p in read] == [
        ("HP:0001250", False, "P3M"),
        ("HP:0001252", True, None),
        ("HP:0000252", False, "HP:0003577"),
        ("HP:0000250", False, "2020-01-02T00:00:00Z"),
    ]
    assert read[0].term == Coding(terms.HPO, "HP:0001250", "Seizure")


@pytest.mark.parametrize(
    ("onset", "said"),
    [
        ({"ageRange": {"start": {"iso8601duration": "P1Y"}, "end": {"iso8601duration": "P3Y"}}}, "P1Y/P3Y"),
        (
            {"interval": {"start": "2020-01-01T00:00:00Z", "end": "2020-02-01T00:00:00Z"}},
            "2020-01-01T00:00:00Z/2020-02-01T00:00:00Z",
        ),
        ({"gestationalAge": {"weeks": 20, "days": 3}}, "20 SA + 3"),
        ({}, None),
        (None, None),
    ],
)
def test_an_onset_is_kept_in_the_words_it_came_with(onset, said):
    (read,) = fhir.record(feature(onset=onset)).phenotypes()
    assert read.onset == said


@pytest.mark.parametrize(("excluded", "read"), [(True, True), (False, False), (None, False)])
def test_a_sign_is_present_unless_it_says_excluded(excluded, read):
    (found,) = fhir.record(feature(excluded=excluded)).phenotypes()
    assert found.excluded is read


def test_diseases_are_conditions_refuted_or_of_unsaid_standing():
    first, second = fhir.record(PACKET).conditions()
    assert first.concept.code(terms.OMIM) == "309900"
    assert (first.verification, first.onset) == (None, PartialDate.parse("2020-01-02T00:00:00Z"))
    assert second.concept.code(terms.ORPHA) == "580"
    assert second.active is False


def interpretation(status="SOLVED", code="OMIM:309900"):
    return {"id": "i", "progressStatus": status, "diagnosis": {"disease": term(code, "MPS II")}}


def test_a_disease_is_confirmed_by_a_solved_interpretation_only():
    for status, verification in [("SOLVED", "confirmed"), ("IN_PROGRESS", None), ("COMPLETED", None)]:
        read = fhir.record(PACKET | {"interpretations": [interpretation(status)]})
        assert [c.verification for c in read.conditions()] == [verification, "refuted"]


def test_a_disease_that_only_a_solved_interpretation_names_is_a_condition():
    read = fhir.record(packet(interpretations=[interpretation("UNSOLVED", "OMIM:1"), interpretation()]))
    (only,) = read.conditions()
    assert (only.concept.code(terms.OMIM), only.verification) == ("309900", "confirmed")
    for resource in read.resources():
        validate(resource)


def test_a_disease_both_excluded_and_solved_is_told():
    read = fhir.record(
        packet(diseases=[{"term": term("OMIM:309900"), "excluded": True}], interpretations=[interpretation()])
    )
    assert [c.verification for c in read.conditions()] == ["refuted"]
    assert ("diseases[0]", "business-rule") in {(i.place, i.code) for i in read.issues}


def test_measurements_are_observations_with_their_unit():
    read = fhir.record(json.dumps(PACKET))
    (creatinine,) = read.observations("2160-0")
    assert creatinine.quantity == Quantity(Decimal("88.5"), "umol/L")
    assert creatinine.date.exact.isoformat() == "2020-01-02"
    (negative,) = read.observations("1")
    assert negative.value.has(terms.SNOMED, "260385009")


def test_a_measurement_dated_by_an_age_has_no_date():
    when = {"timeObserved": {"age": {"iso8601duration": "P3Y"}}}
    (read,) = fhir.record(packet(measurements=[{"assay": term("LOINC:1")} | when])).observations()
    assert read.date is None
    assert all("measurements" not in i.place for i in fhir.record(packet(measurements=[when])).issues)


def test_what_the_view_does_not_hold_is_told_and_kept():
    places = {issue.place for issue in fhir.record(PACKET).issues}
    assert places == {"interpretations", "phenotypicFeatures[1].modifiers"}
    more = PACKET | {"measurements": [{"complexValue": {"typedQuantities": []}}], "medicalActions": [{}]}
    assert {"interpretations", "medicalActions"} <= {issue.place for issue in fhir.record(more).issues}


@pytest.mark.parametrize(
    "rest",
    [{"modifiers": [term("HP:0012828")]}, {"severity": term("HP:0012828")}, {"resolution": {"timestamp": "x"}}],
)
def test_what_qualifies_a_sign_is_told_since_the_sign_is_taken_without_it(rest):
    read = fhir.record(feature(**rest))
    assert [p.term.code for p in read.phenotypes()] == ["HP:0001250"]
    (key,) = rest
    assert (f"phenotypicFeatures[0].{key}", "not-supported") in {(i.place, i.code) for i in read.issues}


@pytest.mark.parametrize(
    "taxon", [term("NCBITaxon:9606", "Homo sapiens"), {"id": "9606"}, {"label": "homo sapiens"}, {}]
)
def test_a_human_subject_may_say_so(taxon):
    assert fhir.record(packet(subject={"id": "p1", "taxonomy": taxon})).id == "p1"


def test_an_age_at_the_last_encounter_is_no_age_today():
    read = fhir.record(packet(subject={"timeAtLastEncounter": {"age": {"iso8601duration": "P6Y"}}}))
    assert read.birth_date is None
    (said,) = [i.text.en for i in read.issues if i.place == "subject.timeAtLastEncounter"]
    assert "P6Y" in said


@pytest.mark.parametrize("version", ["2.0", "2.0.0", "2"])
def test_every_version_2_is_read(version):
    assert fhir.record(packet(metaData={"phenopacketSchemaVersion": version})).form == "phenopacket"


def test_a_subject_alone_is_a_packet_and_a_fhir_resource_without_its_type_is_not():
    assert fhir.record({"id": "k", "subject": {"id": "p1"}}).form == "phenopacket"
    with pytest.raises(LabError, match="resourceType"):
        fhir.record({"subject": {"reference": "Patient/p1"}, "code": {}, "status": "final"})


WRONG = [7, "words", True, [], {}, [7], {"id": 7}, {"age": 7}, {"id": {}, "label": []}, [{}], [{"type": 7}], None]


@pytest.mark.parametrize("field", list(PACKET))
def test_no_json_type_in_any_field_gives_anything_but_a_record_or_a_refusal(field):
    for wrong in WRONG:
        _read_or_refused(PACKET | {field: wrong})
        if isinstance(PACKET[field], dict):
            for inner in PACKET[field]:
                _read_or_refused(PACKET | {field: PACKET[field] | {inner: wrong}})
        if isinstance(PACKET[field], list):
            for inner in PACKET[field][0]:
                _read_or_refused(PACKET | {field: [PACKET[field][0] | {inner: wrong}]})


def _read_or_refused(document):
    try:
        read = fhir.record(document)
    except LabError:
        return
    assert isinstance(read.issues, tuple)
    assert read.origin is document


# -- the published cases ------------------------------------------------------------------------------


@pytest.mark.shared
def test_published_cases_written_as_packets_read_with_every_sign(shared: Path):
    lines = (shared / "raredisease" / "phenopackets-dev.jsonl").read_text("utf-8").splitlines()[::50]
    assert len(lines) > 100
    for line in lines:
        case = json.loads(line)
        features = [{"type": term(code)} for code in case["obs"]]
        features += [{"type": term(code), "excluded": True} for code in case["exc"]]
        document = packet(subject={"sex": case["sex"]}, phenotypicFeatures=features)
        ParseDict(document, ga4gh.Phenopacket())
        signs = fhir.record(document).phenotypes()
        assert [p.term.code for p in signs if not p.excluded] == case["obs"]
        assert [p.term.code for p in signs if p.excluded] == case["exc"]


# -- writing ------------------------------------------------------------------------------------------


def sign(code, **rest):
    coding = {"system": terms.HPO, "code": code, "display": f"label of {code}"}
    return {"resourceType": "Observation", "status": "final", "code": {"coding": [coding]}} | rest


ABSENT = {"coding": [{"system": terms.SNOMED, "code": "2667000"}]}


def onset(words):
    return [{"url": "http://lab39.org/fhir/StructureDefinition/phenotype-onset", "valueString": words}]


def test_a_record_is_written_with_its_subject_and_its_signs():
    written = packet_writer.from_record(
        record(sign("HP:0001250"), sign("HP:0001252", valueCodeableConcept=ABSENT)), CREATED
    )
    assert written["subject"] == {"id": "p1", "sex": "FEMALE", "dateOfBirth": "1944-03-02T00:00:00Z"}
    assert written["phenotypicFeatures"] == [
        {"type": {"id": "HP:0001250", "label": "label of HP:0001250"}},
        {"type": {"id": "HP:0001252", "label": "label of HP:0001252"}, "excluded": True},
    ]
    assert [r["namespacePrefix"] for r in written["metaData"]["resources"]] == ["HP"]
    assert MessageToDict(ParseDict(written, ga4gh.Phenopacket())) == {k: v for k, v in written.items() if v}


@pytest.mark.parametrize(
    ("words", "element"),
    [
        ("P3M", {"age": {"iso8601duration": "P3M"}}),
        ("P1Y/P3Y", {"ageRange": {"start": {"iso8601duration": "P1Y"}, "end": {"iso8601duration": "P3Y"}}}),
        ("HP:0003577", {"ontologyClass": {"id": "HP:0003577", "label": "HP:0003577"}}),
        ("2020-01-02", {"timestamp": "2020-01-02T00:00:00Z"}),
        ("2020-02", {"interval": {"start": "2020-02-01T00:00:00Z", "end": "2020-02-29T00:00:00Z"}}),
        ("in childhood", None),
        ("P", None),
    ],
)
def test_an_onset_is_written_no_more_precisely_than_it_is(words, element):
    written = packet_writer.from_record(record(sign("HP:0001250", extension=onset(words))), CREATED)
    assert written["phenotypicFeatures"][0].get("onset") == element


@pytest.mark.parametrize(("birth", "ends"), [("1944-03", ("P82Y", "P82Y")), ("1944", ("P81Y", "P82Y"))])
def test_a_birth_date_known_in_part_is_written_as_an_age_range(birth, ends):
    subject = packet_writer.from_record(record(patient=PATIENT | {"birthDate": birth}), CREATED)["subject"]
    assert "dateOfBirth" not in subject
    span = subject["timeAtLastEncounter"]["ageRange"]
    assert (span["start"]["iso8601duration"], span["end"]["iso8601duration"]) == ends


def test_what_is_unknown_of_the_subject_is_written_as_unknown():
    written = packet_writer.from_record(record(patient={"resourceType": "Patient", "id": "p1"}), CREATED)
    assert written["subject"] == {"id": "p1", "sex": "UNKNOWN_SEX"}


def test_coded_diseases_are_written_present_or_excluded():
    refuted = {
        "coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-ver-status", "code": "refuted"}]
    }
    mps = {
        "resourceType": "Condition",
        "code": {"coding": [{"system": "OMIM", "code": "309900", "display": "MPS II"}]},
    }
    other = {"resourceType": "Condition", "code": {"text": "rhume"}}
    mondo = {"resourceType": "Condition", "code": {"coding": [{"system": "MONDO", "code": "MONDO:0010674"}]}}
    found = record(mps | {"onsetDateTime": "2020"}, mondo | {"verificationStatus": refuted}, other)
    written = packet_writer.from_record(found, CREATED)
    assert written["diseases"] == [
        {
            "term": {"id": "OMIM:309900", "label": "MPS II"},
            "onset": {"interval": {"start": "2020-01-01T00:00:00Z", "end": "2020-12-31T00:00:00Z"}},
        },
        {"term": {"id": "MONDO:0010674", "label": "MONDO:0010674"}, "excluded": True},
    ]
    assert {r["namespacePrefix"] for r in written["metaData"]["resources"]} == {"OMIM", "MONDO"}


def test_what_is_written_reads_back_with_the_same_person_signs_and_diseases():
    rows = (sign("HP:0001250", extension=onset("P3M")), sign("HP:0001252", valueCodeableConcept=ABSENT))
    before = record(*rows)
    after = fhir.record(fhir.dumps(packet_writer.from_record(before, CREATED)))
    assert (after.id, after.sex, after.birth_date) == (before.id, before.sex, before.birth_date)
    signs = [[(p.term, p.excluded, p.onset) for p in r.phenotypes()] for r in (before, after)]
    assert signs[0] == signs[1]
    assert after.issues == ()


def test_test_data_stays_marked_as_such_in_both_forms():
    tag = {"system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": "HTEST"}
    written = packet_writer.from_record(record(patient=PATIENT | {"meta": {"tag": [tag]}}), CREATED)
    assert fhir.record(written).resources("Patient")[0]["meta"]["tag"] == [tag]


@pytest.mark.parametrize("wrong", [{"id": 7}, {"phenotypicFeature": []}, {"subject": {"sex": "F"}}])
def test_an_invalid_packet_is_never_written(wrong):
    with pytest.raises(LabError, match="invalid phenopacket written"):
        packet_writer.validate(packet() | wrong)


@pytest.mark.parametrize("birth", ["1944-03-02", "1944"])
def test_an_instant_that_is_none_is_refused_before_anything_leaves(birth):
    with pytest.raises(LabError, match="invalid phenopacket written"):
        packet_writer.from_record(record(patient=PATIENT | {"birthDate": birth}), "yesterday at noon")


def test_the_view_of_a_packet_is_valid_r4():
    for resource in fhir.record(json.dumps(PACKET)).resources():
        validate(resource)
