"""From a FHIR record to a patient: what is used, what is not and why, nothing lost in silence."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.solutions.vaccination import nuva_tables
from tests.solutions.vaccination.records import (
    CVX,
    MVX,
    NUVA,
    PERSON,
    SNOMED,
    allergy,
    bundle,
    concept,
    condition,
    immunization,
    observation,
    record,
)

from lab39.core.errors import InputError
from lab39.core.record import Record
from lab39.solutions.vaccination import Schedule, compile_schedule, run, supporting
from lab39.solutions.vaccination.codes import read_maps
from lab39.solutions.vaccination.model import ObservationTerm
from lab39.solutions.vaccination.outcome import DoseStatus
from lab39.solutions.vaccination.reading import Known, read_patient, uncounted_dict
from lab39.solutions.vaccination.verdicts import verdict

ON = dt.date(2026, 1, 1)
ICD10CM = "http://hl7.org/fhir/sid/icd-10-cm"
LOINC = "http://loinc.org"


@pytest.fixture
def schedule(tiny: Schedule) -> Schedule:
    """With observations by the codes of CDSi and of the crosswalk."""
    terms = (
        ObservationTerm("007", "Pregnant", (("SNOMED", "77386006"), ("ICD10CM", "Z33.1"))),
        ObservationTerm("160", "Asplenia", (("SNOMED", "93030006"), ("ICD10CM", "D73.0"))),
        ObservationTerm("186", "HIV infection", (("SNOMED", "86406008"),)),
        ObservationTerm("020", "Immunity against measles", (("LOINC", "35275-7"), ("LOINC", "21500-4"))),
        ObservationTerm("019", "Immunity against hepatitis B", (("ICD10CM", "N18.5"), ("SNOMED", "271511000"))),
        ObservationTerm("001", "Severe reaction to A", (("CVX", "901"),)),
        ObservationTerm("127", "Immunoglobulin", (("CVX", "30"),)),
        ObservationTerm("055", "Health care personnel", (("SNOMED", "223366009"),)),
    )
    return replace(tiny, observations={each.code: each for each in terms})


def read(schedule: Schedule, *resources: dict[str, Any], person: dict[str, Any] = PERSON) -> Known:
    return read_patient(record(*resources, person=person), schedule, ON)


def days(known: Known) -> list[str]:
    assert known.patient is not None
    return [dose.date.isoformat() for dose in known.patient.doses]


def codes(known: Known) -> set[str]:
    assert known.patient is not None
    return {each.code for each in known.patient.observations}


# -- doses that cannot be counted ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "why", "said"),
    [
        (immunization("2025-04"), "incomplete", "dated “2025-04”, the day is missing"),
        (immunization("2025"), "incomplete", "dated “2025”, month and day are missing"),
        (immunization(None), "incomplete", "without a date"),
        (immunization(None) | {"occurrenceString": "in 2025"}, "value", "dated “in 2025”, which is not a date"),
        (immunization("2026-02-01"), "value", "dated 1 Feb 2026, after the day asked"),
        (immunization("2025-01-01"), "value", "dated 1 Jan 2025, before birth"),
        (immunization("2025-04-01", "999"), "code-invalid", "code CVX 999 unknown to the schedule tiny"),
        (immunization("2025-04-01", "VAC0001", NUVA), "code-invalid", "lab39 data import nuva"),
        (immunization("2025-04-01") | {"vaccineCode": {"text": "x"}}, "code-invalid", "without a code"),
    ],
)
def test_a_dose_that_cannot_be_counted_is_named_and_the_rest_is_read(
    schedule: Schedule, given: dict[str, Any], why: str, said: str
) -> None:
    known = read(schedule, given | {"id": "bad"}, immunization("2025-05-01", id="good"))
    assert days(known) == ["2025-05-01"]
    (aside,) = known.uncounted
    assert (aside.ref, aside.why) == ("Immunization/bad", why)
    assert said in aside.text.en
    assert "may be wrong because of it" in aside.text.en
    assert "peut-être fausses" in aside.text.fr
    assert [issue.place for issue in known.issues] == ["Immunization/bad"]


def test_a_dose_on_a_day_that_does_not_exist_is_shown_as_written(schedule: Schedule) -> None:
    (aside,) = read(schedule, immunization("2025-02-30")).uncounted
    assert aside.why == "value"
    assert "dated “2025-02-30”, which is not a date" in aside.text.en
    assert "datée «\u202f2025-02-30\u202f», qui n'est pas une date" in aside.text.fr


def test_a_dose_not_counted_says_which_antigens_it_may_hold(schedule: Schedule) -> None:
    (aside,) = read(schedule, immunization("2025-04")).uncounted
    assert (aside.code, aside.antigens) == ("901", ("A",))


def test_the_groups_that_a_dose_not_counted_makes_doubtful_are_named(schedule: Schedule) -> None:
    known = read(schedule, immunization("2025-04", id="partial"), immunization("2025-04-01", "999", id="unknown"))
    found = uncounted_dict(known, schedule)
    assert found["doubtful"] == {"A": ["Immunization/partial"], "": ["Immunization/unknown"]}
    assert [row["why"] for row in found["not_counted"]] == ["code-invalid", "incomplete"]


def test_several_possible_codes_are_told_with_them(schedule: Schedule, tmp_path: Path) -> None:
    maps = read_maps(nuva_tables.write(tmp_path), "1")
    known = read_patient(record(immunization("2025-04-01", "VAC0002", NUVA)), schedule, ON, maps)
    assert "several codes possible in the schedule tiny (901, 909)" in known.issues[0].text.en


def test_a_code_read_as_a_broader_one_is_told_and_counts(schedule: Schedule, tmp_path: Path) -> None:
    maps = read_maps(nuva_tables.write(tmp_path), "1")
    known = read_patient(record(immunization("2025-04-01", "VAC0001", NUVA)), schedule, ON, maps)
    assert days(known) == ["2025-04-01"]
    assert "NUVA VAC0001 read as 901, the nearest" in known.issues[0].text.en


def test_what_was_not_given_is_no_dose(schedule: Schedule) -> None:
    assert days(read(schedule, immunization("2025-04-01", status="not-done"))) == []


# -- doses that contradict each other -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("second", "kind", "said"),
    [
        ({}, "duplicate", "same vaccine, same day. Counted once"),
        ({"lotNumber": "L2"}, "conflict", "different lots"),
        ({"isSubpotent": True}, "conflict", "said to be subpotent only once"),
    ],
)
def test_the_same_vaccine_twice_a_day_counts_once_and_is_told(
    schedule: Schedule, second: dict[str, Any], kind: str, said: str
) -> None:
    known = read(schedule, immunization("2025-04-01", lotNumber="L1"), immunization("2025-04-01", **second))
    assert days(known) == ["2025-04-01"]
    assert [issue.code for issue in known.issues] == [kind]
    assert said in known.issues[0].text.en


def test_of_two_entries_the_one_that_says_subpotent_is_believed(schedule: Schedule) -> None:
    known = read(schedule, immunization("2025-04-01"), immunization("2025-04-01", isSubpotent=True))
    assert known.patient is not None
    assert known.patient.doses[0].sub_standard


def test_given_and_not_given_under_one_id_is_not_counted(schedule: Schedule) -> None:
    known = read(
        schedule,
        immunization("2025-04-01", id="x"),
        immunization("2025-04-01", id="x", status="not-done"),
        immunization("2025-06-01", id="y"),
    )
    assert days(known) == ["2025-06-01"]
    assert known.uncounted[0].why == "conflict"


def test_given_and_refused_on_one_day_counts_and_is_told(schedule: Schedule) -> None:
    known = read(
        schedule,
        immunization("2025-04-01", id="x"),
        immunization("2025-04-01", id="y", status="not-done"),
    )
    assert days(known) == ["2025-04-01"]
    assert "also recorded as not given that day" in known.issues[0].text.en


def test_codes_of_one_dose_that_contradict_each_other_are_told(schedule: Schedule, tmp_path: Path) -> None:
    from lab39.solutions.vaccination.model import Association

    maps = read_maps(nuva_tables.write(tmp_path), "1")
    two = replace(schedule, vaccines=dict(schedule.vaccines) | {"950": (Association("B", None, None),)})
    coded = {"coding": [{"system": CVX, "code": "950"}, {"system": NUVA, "code": "VAC0009"}]}
    known = read_patient(record(immunization("2025-04-01") | {"vaccineCode": coded}), two, ON, maps)
    assert days(known) == ["2025-04-01"]
    assert "contradict each other: read as 950, NUVA VAC0009" in known.issues[0].text.en


# -- what a dose says of itself ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "said", [{"isSubpotent": True}, {"expirationDate": "2025-03-31"}, {"expirationDate": "2025-03"}]
)
def test_a_subpotent_dose_or_one_of_an_expired_lot_is_sub_standard(
    schedule: Schedule, said: dict[str, Any]
) -> None:
    known = read(schedule, immunization("2025-04-01", **said))
    assert known.patient is not None
    found = verdict(run(schedule, known.patient, ON), known.patient.doses[0])
    assert found is not None
    assert found.status is DoseStatus.SUB_STANDARD


@pytest.mark.parametrize("expires", ["2025-04-01", "2025-04", "2026"])
def test_a_lot_that_expires_that_day_or_later_is_good(schedule: Schedule, expires: str) -> None:
    known = read(schedule, immunization("2025-04-01", expirationDate=expires))
    assert known.patient is not None
    found = verdict(run(schedule, known.patient, ON), known.patient.doses[0])
    assert found is not None
    assert found.status is DoseStatus.VALID


def test_a_reported_dose_counts_and_is_said_to_be_reported(schedule: Schedule) -> None:
    known = read(schedule, immunization("2025-04-01", primarySource=False), immunization("2025-06-01"))
    assert known.patient is not None
    assert [dose.reported for dose in known.patient.doses] == [True, False]


@pytest.mark.parametrize(
    "maker",
    [
        {"identifier": {"system": MVX, "value": "PMC"}},
        {"identifier": {"system": "urn:oid:2.16.840.1.113883.12.227", "value": "pmc"}},
        {"reference": "#maker"},
        {"reference": "Organization/maker"},
        {"concept": concept(MVX, "PMC")},
    ],
)
def test_the_maker_is_read_from_its_identifier_its_organization_or_a_code(
    schedule: Schedule, maker: dict[str, Any]
) -> None:
    organization = {"resourceType": "Organization", "id": "maker", "identifier": [{"system": MVX, "value": "PMC"}]}
    contained = {"contained": [organization]} if maker.get("reference") == "#maker" else {}
    outside = [organization] if maker.get("reference") == "Organization/maker" else []
    known = read(schedule, immunization("2025-04-01", manufacturer=maker, **contained), *outside)
    assert known.patient is not None
    assert known.patient.doses[0].mvx == "PMC"


def test_the_volume_is_read_in_millilitres_only(schedule: Schedule) -> None:
    known = read(
        schedule,
        immunization("2025-04-01", doseQuantity={"value": 0.5, "unit": "mL"}),
        immunization("2025-06-01", doseQuantity={"value": 1, "unit": "dose"}),
    )
    assert known.patient is not None
    assert [dose.volume for dose in known.patient.doses] == [0.5, None]


# -- the person ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("birth", [None, "2025", "2025-01", "2026-05-01"])
def test_without_a_whole_birth_date_nothing_is_evaluated_and_that_is_said(
    schedule: Schedule, birth: str | None
) -> None:
    person = {key: value for key, value in PERSON.items() if key != "birthDate"}
    known = read(schedule, immunization("2025-04-01"), person=person | ({"birthDate": birth} if birth else {}))
    assert known.patient is None
    assert known.issues[0].place == "Patient.birthDate"


@pytest.mark.parametrize("gender", [None, "unknown", "other"])
def test_without_a_sex_the_rest_is_evaluated_and_that_is_said(schedule: Schedule, gender: str | None) -> None:
    person = {key: value for key, value in PERSON.items() if key != "gender"}
    known = read(schedule, immunization("2025-04-01"), person=person | ({"gender": gender} if gender else {}))
    assert known.patient is not None
    assert known.patient.sex == "Unknown"
    assert [issue.place for issue in known.issues] == ["Patient.gender"]
    assert days(known) == ["2025-04-01"]


def test_two_sexes_are_told_and_none_is_chosen(schedule: Schedule) -> None:
    url = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-birthsex"
    known = read(schedule, person=PERSON | {"extension": [{"url": url, "valueCode": "M"}]})
    assert known.patient is not None
    assert known.patient.sex == "Unknown"
    assert "two sexes" in known.issues[0].text.en


def test_two_birth_dates_are_told_and_the_first_is_used(schedule: Schedule) -> None:
    url = "http://hl7.org/fhir/StructureDefinition/patient-birthTime"
    time = {"extension": [{"url": url, "valueDateTime": "2025-02-03T10:00:00+01:00"}]}
    known = read(schedule, person=PERSON | {"_birthDate": time})
    assert known.patient is not None
    assert known.patient.birth_date == dt.date(2025, 1, 31)
    assert "two birth dates: 2025-01-31 and 2025-02-03" in known.issues[0].text.en


def test_two_patients_are_refused_with_their_places() -> None:
    twice = bundle(PERSON | {"birthDate": "2024-01-31"})
    with pytest.raises(InputError, match=r"entry\[0\].*entry\[1\]"):
        Record.from_fhir(twice)


@pytest.mark.parametrize(("written", "country"), [("US", "U.S."), ("usa", "U.S."), ("FR", "FR")])
def test_the_country_of_birth_is_read(schedule: Schedule, written: str, country: str) -> None:
    url = "http://hl7.org/fhir/StructureDefinition/patient-birthPlace"
    known = read(schedule, person=PERSON | {"extension": [{"url": url, "valueAddress": {"country": written}}]})
    assert known.patient is not None
    assert known.patient.country == country


def test_an_unknown_country_of_birth_is_not_one(schedule: Schedule) -> None:
    known = read(schedule)
    assert known.patient is not None
    assert known.patient.country == ""


# -- conditions and findings ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("resource", "code"),
    [
        (condition(SNOMED, "77386006"), "007"),
        (condition(ICD10CM, "Z33.1"), "007"),
        (condition("http://hl7.org/fhir/sid/icd-10", "D73.0"), "160"),
        (condition(SNOMED, "86406008"), "186"),
        (observation(LOINC, "82810-3", valueCodeableConcept=concept(SNOMED, "77386006")), "007"),
        (observation(LOINC, "35275-7", valueCodeableConcept=concept(SNOMED, "10828004")), "020"),
        (observation(LOINC, "35275-7", valueBoolean=True), "020"),
        (
            observation(
                LOINC,
                "21500-4",
                valueQuantity={"value": 300, "unit": "[IU]/L"},
                interpretation=[
                    concept("http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation", "POS")
                ],
            ),
            "020",
        ),
        (immunization("2025-04-01", "30"), "127"),
    ],
)
def test_what_the_record_states_is_read_by_its_codes(
    schedule: Schedule, resource: dict[str, Any], code: str
) -> None:
    known = read(schedule, resource)
    assert codes(known) == {code}
    assert known.issues == ()


@pytest.mark.parametrize(
    "resource",
    [
        condition(ICD10CM, "Z33"),
        condition(ICD10CM, "Z33.10"),
        condition(SNOMED, "77386006", clinicalStatus=concept("urn:x", "resolved")),
        condition(SNOMED, "77386006", verificationStatus=concept("urn:x", "refuted")),
        condition(SNOMED, "77386006", verificationStatus=concept("urn:x", "differential")),
        condition(SNOMED, "77386006", onsetDateTime="2026-06-01"),
        observation(LOINC, "35275-7", valueCodeableConcept=concept(SNOMED, "260385009")),
        observation(LOINC, "35275-7", valueBoolean=False),
        observation(LOINC, "82810-3", status="cancelled", valueCodeableConcept=concept(SNOMED, "77386006")),
        observation(
            LOINC, "82810-3", effectiveDateTime="2024-11-01", valueCodeableConcept=concept(SNOMED, "77386006")
        ),
    ],
)
def test_a_prefix_a_doubt_a_negative_or_what_is_over_states_nothing(
    schedule: Schedule, resource: dict[str, Any]
) -> None:
    assert codes(read(schedule, resource)) == set()


def test_a_measure_without_an_interpretation_is_no_immunity_and_is_told(schedule: Schedule) -> None:
    known = read(schedule, observation(LOINC, "21500-4", valueQuantity={"value": 300, "unit": "[IU]/L"}))
    assert codes(known) == set()
    assert known.issues[0].code == "not-supported"


def test_a_reaction_to_a_dose_is_no_contraindication_and_is_told(schedule: Schedule) -> None:
    known = read(schedule, immunization("2025-04-01", reaction=[{"reported": True}]))
    assert codes(known) == set()
    assert "no contraindication by itself" in known.issues[0].text.en


@pytest.mark.parametrize(("said", "forbidden"), [({}, False), ({"criticality": "low"}, False)])
def test_a_reaction_to_a_vaccine_of_unknown_severity_is_told_and_forbids_nothing(
    schedule: Schedule, said: dict[str, Any], forbidden: bool
) -> None:
    known = read(schedule, allergy(CVX, "901", **said))
    assert ("001" in codes(known)) is forbidden
    assert "its severity is not recorded" in known.issues[0].text.en


@pytest.mark.parametrize(
    "said", [{"criticality": "high"}, {"reaction": [{"severity": "severe", "manifestation": [{"text": "choc"}]}]}]
)
def test_a_severe_reaction_to_a_vaccine_is_its_observation(schedule: Schedule, said: dict[str, Any]) -> None:
    assert codes(read(schedule, allergy(CVX, "901", **said))) == {"001"}


def test_a_severe_reaction_that_the_schedule_does_not_know_is_told(schedule: Schedule) -> None:
    known = read(schedule, allergy(CVX, "909", criticality="high"))
    assert codes(known) == set()
    assert "has no contraindication of it" in known.issues[0].text.en


# -- the crosswalk -------------------------------------------------------------------------------------------


def test_rows_of_the_crosswalk_that_state_something_else_are_not_used(schedule: Schedule) -> None:
    """Kidney disease stands there under immunity against hepatitis B."""
    assert codes(read(schedule, condition(ICD10CM, "N18.5"))) == set()
    assert codes(read(schedule, condition(SNOMED, "271511000"))) == {"019"}  # CDSi's own code counts


def test_the_crosswalk_given_with_a_release_adds_its_codes_to_the_observations(shared: Path) -> None:
    folders = sorted((shared / "vaccination").glob("cdsi-[0-9]*"))
    crosswalk = shared / "vaccination" / "observation_crosswalk.json"
    if not folders or not crosswalk.is_file():
        pytest.skip("no CDSi supporting data or crosswalk among the shared data")
    contents = dict(supporting.contents(folders[-1])) | {crosswalk.name: crosswalk.read_bytes()}
    whole = compile_schedule("cdsi", supporting.assemble(contents, "here"))
    adult = PERSON | {"birthDate": "1980-01-31"}
    for system, code, found in (
        (ICD10CM, "D73.0", {"160"}),
        (ICD10CM, "Z21", {"155"}),
        (ICD10CM, "Z33.1", {"007", "170"}),
        (SNOMED, "86406008", {"026", "186"}),
        (ICD10CM, "J44.9", {"017"}),
        (ICD10CM, "N18.5", {"161"}),
        (ICD10CM, "T50.B95A", set()),
    ):
        assert codes(read(whole, condition(system, code), person=adult)) == found, code


def test_immunoglobulins_without_a_whole_date_are_told_and_not_dropped(schedule: Schedule):
    known = read(schedule, immunization("2025-04", "30"))
    assert codes(known) == set()
    [issue] = known.issues
    assert issue.code == "incomplete"
    assert "delay" in issue.text.en
