"""The term of a pregnancy is counted from the last period, never from the day a pregnancy was noted."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from lab39 import fhir
from lab39.solutions.vaccination.codes import NO_MAPS
from lab39.solutions.vaccination.engine import run
from lab39.solutions.vaccination.france import open_france
from lab39.solutions.vaccination.gestation import last_period
from lab39.solutions.vaccination.reading import Known, read_patient

ON = dt.date(2026, 11, 24)
PERIOD = dt.date(2026, 4, 5)
LOINC = "http://loinc.org"


def said(code: str, day: str, **value: Any) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": LOINC, "code": code}]},
        "effectiveDateTime": day,
        **value,
    }


def weeks(number: float, day: str, unit: str = "wk") -> dict[str, Any]:
    quantity = {"value": number, "unit": unit, "system": "http://unitsofmeasure.org", "code": unit}
    return said("11884-4", day, valueQuantity=quantity)


def known(*rows: dict[str, Any], on: dt.date = ON) -> Known:
    pregnant = {
        "resourceType": "Condition",
        "clinicalStatus": {"coding": [{"code": "active"}]},
        "code": {"coding": [{"system": "http://snomed.info/sct", "code": "77386006"}]},
        "onsetDateTime": "2026-05-20",
    }
    person = {"resourceType": "Patient", "birthDate": "1997-02-11", "gender": "female"}
    entries = [{"resource": each} for each in (person, pregnant, *rows)]
    record = fhir.record({"resourceType": "Bundle", "type": "collection", "entry": entries})
    assert record is not None
    return read_patient(record, open_france(), on, NO_MAPS)


def dated(found: Known) -> dt.date | None:
    assert found.patient is not None
    (day,) = [each.date for each in found.patient.observations if each.code == "pregnancy"]
    return day


def test_the_last_period_is_read_where_it_is_stated():
    assert dated(known(said("8665-2", "2026-11-24", valueDateTime="2026-04-05"))) == PERIOD


def test_a_gestational_age_is_counted_back_from_the_day_it_was_measured():
    assert dated(known(weeks(20, "2026-08-23"))) == PERIOD
    assert dated(known(weeks(140, "2026-08-23", "d"))) == PERIOD


def test_the_latest_gestational_age_is_believed_and_a_stated_period_before_it():
    assert dated(known(weeks(12, "2026-06-20"), weeks(20, "2026-08-23"))) == PERIOD
    assert dated(known(weeks(12, "2026-06-20"), said("8665-2", "2026-05-01", valueDateTime="2026-04-05"))) == PERIOD


@pytest.mark.parametrize(
    "row",
    [
        said("11778-8", "2026-11-24", valueDateTime="2027-01-17"),
        said("8665-2", "2026-11-24", valueDateTime="2026-04"),
        said("8665-2", "2026-11-24", valueDateTime="2025-01-01"),
        weeks(33, "2026-11-24", "mo"),
        weeks(60, "2026-11-24"),
    ],
    ids=["expected-delivery", "month-only", "another-pregnancy", "another-unit", "impossible"],
)
def test_without_a_term_the_pregnancy_is_undated_and_that_is_told(row: dict[str, Any]):
    found = known(row)
    assert dated(found) is None
    assert [each.code for each in found.issues if "terme" in each.text.fr] == ["incomplete"]


def test_golden_rsv_is_due_from_32_weeks_and_pertussis_from_20():
    schedule = open_france()
    found = known(said("8665-2", "2026-11-24", valueDateTime="2026-04-05"))
    assert found.patient is not None
    days = {(each.group, each.recommended) for each in run(schedule, found.patient, ON).groups}
    assert ("RSV", PERIOD + dt.timedelta(weeks=32)) in days
    assert ("dTcaPolio", PERIOD + dt.timedelta(weeks=20)) in days


def test_nothing_that_depends_on_the_term_is_offered_without_it():
    found = known()
    assert found.patient is not None
    groups = {each.group: each for each in run(open_france(), found.patient, ON).groups}
    assert "RSV" not in groups or groups["RSV"].recommended is None
    assert groups["MMR"].status == "Contraindicated", "an undated pregnancy is still a pregnancy"


def test_a_record_without_any_statement_has_no_last_period():
    person = fhir.record({"resourceType": "Patient", "birthDate": "1997-02-11"})
    assert person is not None
    assert last_period(person, ON) is None


def test_a_booster_of_an_age_waits_for_that_of_the_pregnancy():
    early = known(weeks(10, "2026-11-24"))
    assert early.patient is not None
    days = [
        each.recommended
        for each in run(open_france(), early.patient, ON).groups
        if each.group == "dTcaPolio" and each.recommended
    ]
    assert days == [ON + dt.timedelta(weeks=10)], "one dose, at 20 weeks, whatever was missed at 25 years"
    unknown = known()
    assert unknown.patient is not None
    assert not [
        each.group
        for each in run(open_france(), unknown.patient, ON).groups
        if each.group == "dTcaPolio" and each.recommended
    ]
