"""A treatment that lowers immunity forbids live vaccines, while it lasts and for a time after."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest

from lab39 import fhir
from lab39.core.terms import Coding
from lab39.fhir import examples
from lab39.solutions.vaccination import products
from lab39.solutions.vaccination.asking import questions as questions_of
from lab39.solutions.vaccination.codes import NO_MAPS
from lab39.solutions.vaccination.engine import run
from lab39.solutions.vaccination.france import open_france
from lab39.solutions.vaccination.outcome import Dose, Observed, Patient
from lab39.solutions.vaccination.plan import plan
from lab39.solutions.vaccination.questions import NO, UNKNOWN, answered, questions
from lab39.solutions.vaccination.reading import Known, read_patient
from lab39.solutions.vaccination.treated import UNCLEAR
from lab39.solutions.vaccination.whatif import what_if

ON = dt.date(2026, 11, 24)


def taking(atc: str, status: str = "active", **more: Any) -> Known:
    medicine = {
        "resourceType": "MedicationStatement",
        "status": status,
        "medicationCodeableConcept": {"coding": [{"system": "http://www.whocc.no/atc", "code": atc}]},
        **more,
    }
    person = {"resourceType": "Patient", "birthDate": "1985-05-27", "gender": "female"}
    entries = [{"resource": each} for each in (person, medicine)]
    record = fhir.record({"resourceType": "Bundle", "type": "collection", "entry": entries})
    assert record is not None
    return read_patient(record, open_france(), ON, NO_MAPS)


def observed(found: Known) -> set[str]:
    assert found.patient is not None
    return {each.code for each in found.patient.observations}


@pytest.mark.parametrize(
    ("atc", "code"),
    [
        ("L04AX03", "immunosuppression"),
        ("L04AB04", "immunosuppression"),
        ("L01FA01", "immunosuppression"),
        ("L01BA01", "chemotherapy"),
    ],
)
def test_a_medicine_in_course_states_it(atc: str, code: str):
    assert observed(taking(atc)) == {code}


@pytest.mark.parametrize(
    ("atc", "end", "counted"),
    [
        ("L04AX03", "2026-08-25", True),
        ("L04AX03", "2026-08-24", False),
        ("L01FA01", "2026-05-25", True),
        ("L04AA36", "2026-05-25", True),
        ("L04AG08", "2026-05-25", True),
        ("L01FA01", "2026-05-24", False),
        ("L01BA01", "2026-05-25", True),
        ("L01BA01", "2026-05-24", False),
    ],
)
def test_one_that_was_stopped_counts_for_months(atc: str, end: str, counted: bool):
    found = taking(atc, "completed", effectivePeriod={"start": "2025-01-01", "end": end})
    assert bool(observed(found)) is counted


@pytest.mark.parametrize("more", [{"effectivePeriod": {"start": "2026-12-01"}}, {}])
def test_what_has_not_begun_or_is_no_immunosuppressant_states_nothing(more: dict[str, Any]):
    assert observed(taking("L04AX03" if more else "B03BB01", **more)) == set()


def test_a_steroid_is_no_immunosuppression_and_its_dose_is_asked():
    found = taking("H02AB06")
    assert observed(found) == {UNCLEAR}
    assert ["la dose et la durée" in each.text.fr for each in found.issues] == [True]


def test_a_treatment_stopped_at_an_unknown_date_is_told():
    found = taking("L04AX03", "stopped")
    assert observed(found) == {UNCLEAR}
    assert ["la date de fin" in each.text.fr for each in found.issues] == [True]


def test_no_live_vaccine_is_offered_to_who_takes_an_immunosuppressant():
    live = {each.nuva for each in products.products() if each.live}
    schedule = open_france()
    people: list[Patient] = []
    for found in (taking("L04AX03"), taking("L01BA01")):
        assert found.patient is not None
        people.append(found.patient)
    known = read_patient(examples.example("immunosuppressed-adult").record, schedule, ON, NO_MAPS)
    assert known.patient is not None
    for person in (*people, known.patient):
        result = run(schedule, person, ON)
        offered = {vaccine.code for each in result.groups if each.recommended for vaccine in each.vaccines}
        assert not offered & live
        assert {each.status for each in result.groups if each.group == "MMR"} == {"Contraindicated"}


def test_golden_zoster_is_recommended_from_18_years_to_who_takes_an_immunosuppressant():
    found = taking("L04AX03")
    assert found.patient is not None
    due = {each.group for each in run(open_france(), found.patient, ON).groups if each.recommended}
    assert {"ZOSTER", "PNEUMO", "INFLUENZA"} <= due


@pytest.mark.parametrize(("atc", "status"), [("H02AB06", "active"), ("L04AX03", "stopped"), ("L04AX03", "on-hold")])
def test_not_known_is_not_no_a_live_vaccine_waits_for_the_answer(atc: str, status: str):
    found = taking(atc, status)
    assert found.patient is not None
    mmr = next(each for each in run(open_france(), found.patient, ON).groups if each.group == "MMR")
    assert mmr.status == "To Be Asked"
    visits = plan(open_france(), found.patient, ON).visits
    assert visits
    assert not [dose for visit in visits for dose in visit.doses if dose.live]


def test_nothing_but_live_vaccines_waits_for_the_answer():
    found = taking("H02AB06")
    assert found.patient is not None
    due = {each.group for each in run(open_france(), found.patient, ON).groups if each.recommended}
    assert "ZOSTER" not in due, "an unclear immunity is no immunosuppression"
    assert "dTcaPolio" in due


@pytest.mark.parametrize(("answer", "left"), [(NO, set()), (UNKNOWN, {UNCLEAR}), ("", {UNCLEAR})])
def test_a_no_at_the_counter_ends_the_doubt_and_nothing_else_does(answer: str, left: set[str]):
    found = taking("H02AB06")
    assert found.patient is not None
    known = answered(found.patient.observations, questions(), {"live": answer})
    assert {each.code for each in known} == left
    unasked = answered(found.patient.observations, (), {"live": answer})
    assert {each.code for each in unasked} == {UNCLEAR}


@pytest.mark.parametrize("name", list(examples.all_examples()))
def test_no_example_whose_immunity_is_lowered_or_unclear_is_planned_a_live_vaccine(name: str):
    schedule = open_france()
    known = read_patient(examples.example(name).record, schedule, ON, NO_MAPS)
    if known.patient is None or not observed(known) & {"immunosuppression", "chemotherapy", UNCLEAR}:
        return
    live = {each.nuva for each in products.products() if each.live}
    offered = {dose.code for visit in plan(schedule, known.patient, ON).visits for dose in visit.doses}
    assert offered
    assert not offered & live


def diagnosed(code: str, *more: dict[str, Any], born: str = "1995-05-27") -> Patient:
    condition = {
        "resourceType": "Condition",
        "clinicalStatus": {"coding": [{"code": "active"}]},
        "code": {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10", "code": code}]},
    }
    person = {"resourceType": "Patient", "birthDate": born, "gender": "female"}
    entries = [{"resource": each} for each in (person, condition, *more)]
    record = fhir.record({"resourceType": "Bundle", "type": "collection", "entry": entries})
    assert record is not None
    known = read_patient(record, open_france(), ON, NO_MAPS)
    assert known.patient is not None
    return known.patient


@pytest.mark.parametrize("code", ["C91.0", "C82.9", "C90.0"])
def test_a_blood_cancer_whose_treatment_is_not_known_keeps_live_vaccines_back(code: str):
    groups = {each.group: each for each in run(open_france(), diagnosed(code), ON).groups}
    assert groups["MMR"].status == "To Be Asked"


def test_what_if_says_that_a_vaccine_is_contraindicated_whatever_it_would_count_for():
    priorix = products.find("Priorix").product
    assert priorix is not None
    for code, word in (("Z33", "grossesse"), ("D84.9", "immunodépression")):
        found = what_if(open_france(), diagnosed(code), Dose(ON, priorix.nuva))
        assert any(word in each.fr for each in found.forbidden), code
        assert found.as_dict()["forbidden"]
    assert what_if(open_france(), diagnosed("E11.9"), Dose(ON, priorix.nuva)).forbidden == ()


@pytest.mark.parametrize("code", ["B24", "Z99.2"])
def test_an_adult_is_not_given_a_child_s_strength_of_hepatitis_b_vaccine(code: str):
    groups = {each.group: each for each in run(open_france(), diagnosed(code), ON).groups}
    names = {vaccine.name for vaccine in groups["HEPB"].vaccines}
    assert "Engerix B 20" in names
    assert not names & {"HBVaxPro 5", "Engerix B 10"}


def cd4(value: float, unit: str = "/uL") -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "24467-3"}]},
        "effectiveDateTime": "2026-10-01",
        "valueQuantity": {"value": value, "unit": unit, "system": "http://unitsofmeasure.org", "code": unit},
    }


def percent(value: float, unit: str = "%") -> dict[str, Any]:
    row = cd4(value, unit)
    row["code"] = {"coding": [{"system": "http://loinc.org", "code": "8123-2"}]}
    return row


NOT, ASK, YES = "Contraindicated", "To Be Asked", "Not Complete"


@pytest.mark.parametrize(
    ("rows", "born", "status"),
    [
        ([], "1995-05-27", ASK),
        ([cd4(200)], "1995-05-27", YES),
        ([cd4(199)], "1995-05-27", NOT),
        ([cd4(0.45, "10*9/L")], "1995-05-27", YES),
        ([cd4(450, "furlong")], "1995-05-27", ASK),
        ([cd4(900)], "2022-01-27", ASK),
        ([percent(30)], "1995-05-27", ASK),
        ([percent(15)], "2022-01-27", YES),
        ([percent(14.9)], "2022-01-27", NOT),
        ([percent(15)], "2021-11-25", YES),
        ([percent(30)], "2021-11-24", ASK),
        ([percent(20)], "2023-11-25", YES),
        ([percent(19.9)], "2023-11-25", NOT),
        ([percent(19.9)], "2023-11-24", YES),
        ([percent(25)], "2025-11-25", YES),
        ([percent(24.9)], "2025-11-25", NOT),
        ([percent(24.9)], "2025-11-24", YES),
        ([percent(150)], "2022-01-27", ASK),
        ([percent(0.2, "1")], "2022-01-27", ASK),
    ],
)
def test_golden_with_hiv_a_live_vaccine_needs_cd4_cells_over_the_threshold_of_the_age(
    rows: Any, born: str, status: str
):
    groups = {each.group: each for each in run(open_france(), diagnosed("B24", *rows, born=born), ON).groups}
    assert groups["MMR"].status == status


def refuted(day: str) -> dict[str, Any]:
    """What the desk writes for the answer "no"."""
    return {
        "resourceType": "Condition",
        "verificationStatus": {"coding": [{"code": "refuted"}]},
        "code": {"coding": [{"system": "http://snomed.info/sct", "code": "370388006"}]},
        "recordedDate": day,
    }


@pytest.mark.parametrize(
    ("rows", "status"),
    [([], ASK), ([refuted("2026-11-20")], YES), ([refuted("2026-08-01")], ASK), ([refuted("2026-11-25")], ASK)],
)
def test_an_unclear_immunity_is_asked_as_a_condition_and_a_late_no_opens_the_live_vaccines(rows: Any, status: str):
    person = diagnosed("C91.0", *rows)
    result = run(open_france(), person, ON)
    assert next(each.status for each in result.groups if each.group == "MMR") == status
    asked = questions_of(open_france(), person, result)
    assert bool(asked) is (status == ASK)
    if asked:
        assert asked[0].condition == Coding("http://snomed.info/sct", "370388006", asked[0].name.en)
        assert "ROR" in asked[0].consequence.fr
        assert plan(open_france(), person, ON).to_ask == asked
        priorix = products.find("Priorix").product
        assert priorix is not None
        trial = what_if(open_france(), person, Dose(ON, priorix.nuva))
        assert (trial.forbidden, bool(trial.to_ask)) == ((), True)


@pytest.mark.parametrize(
    ("born", "code", "unit"), [("1995-05-27", "24467-3", "/uL"), ("2024-05-27", "8123-2", "%")]
)
def test_with_hiv_the_measure_of_the_age_is_asked(born: str, code: str, unit: str):
    person = diagnosed("B24", born=born)
    (asked,) = questions_of(open_france(), person, run(open_france(), person, ON))
    assert (asked.code, asked.unit, asked.condition) == (code, unit, None)


def test_a_journey_without_a_destination_asks_for_it_and_names_what_it_decides():
    person = diagnosed("Z71.84")
    (asked,) = questions_of(open_france(), person, run(open_france(), person, ON))
    assert asked.name.fr == "destination et durée du voyage"
    for group in ("fièvre jaune", "hépatite A", "typhoïde", "encéphalite japonaise"):
        assert group in asked.consequence.fr
    assert "dengue" not in asked.consequence.fr, "not for travellers"
    known = replace(person, observations=(*person.observations, Observed("travel-typhoid")))
    assert questions_of(open_france(), known, run(open_france(), known, ON)) == ()
    assert questions_of(open_france(), diagnosed("E11.9"), run(open_france(), diagnosed("E11.9"), ON)) == ()


@pytest.mark.parametrize("atc", ["L04AJ01", "L04AJ02", "L04AJ06", "L04AJ07"])
def test_an_antibody_against_c5_states_immunosuppression_and_the_risk_of_meningococci(atc: str):
    assert observed(taking(atc)) == {"immunosuppression", "complement-deficiency"}


@pytest.mark.parametrize(("day", "states"), [("2026-07-27", {"immunosuppression"}), ("2026-05-24", set())])
def test_an_infusion_is_over_on_its_day_and_counts_for_six_months(day: str, states: set[str]):
    person = {"resourceType": "Patient", "birthDate": "1985-05-27", "gender": "female"}
    infusion = {
        "resourceType": "MedicationAdministration",
        "status": "completed",
        "medicationCodeableConcept": {"coding": [{"system": "http://www.whocc.no/atc", "code": "L01FA01"}]},
        "effectiveDateTime": day,
    }
    entries = [{"resource": each} for each in (person, infusion)]
    record = fhir.record({"resourceType": "Bundle", "type": "collection", "entry": entries})
    assert record is not None
    assert observed(read_patient(record, open_france(), ON, NO_MAPS)) == states
