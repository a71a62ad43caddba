"""A treatment typed at the counter as a record: nothing stands in it that was not said."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.solutions.pharmacy.treatments import DAY

from lab39 import fhir
from lab39.core.errors import InputError
from lab39.core.faces import Fields
from lab39.fhir.outputs import validate
from lab39.solutions.pharmacy import consultation, facts
from lab39.solutions.pharmacy.consultation import MAX_LENGTH, MAX_LINES


def read(**fields: str) -> consultation.Consultation:
    return consultation.read(Fields(fields.items()), DAY)


def record(**fields: str):
    return fhir.record(consultation.bundle(read(**fields), DAY))


def test_what_is_said_is_in_the_record_and_nothing_else():
    made = record(
        lines="apixaban 5 mg\n\n aspirine ", born="1944-03-02", sex="female", weight="54,5", creatinine="118"
    )
    assert [m.concept.text for m in made.medications()] == ["apixaban 5 mg", "aspirine"]
    assert (made.birth_date.written, made.sex) == ("1944-03-02", "female")
    known = facts.person(made, DAY)
    assert (known.age_years, known.weight_kg) == (82, Decimal("54.5"))
    assert known.creatinine_clearance_ml_min == pytest.approx((140 - 82) * 54.5 * 1.04 / 118, abs=0.1)
    empty = record(lines="apixaban")
    assert (empty.birth_date, empty.sex, empty.observations(), empty.conditions()) == (None, None, (), ())


def test_creatinine_in_milligrams_per_litre_is_the_same_kidney():
    one = facts.person(record(lines="x", born="1944-03-02", sex="male", weight="70", creatinine="118"), DAY)
    other = facts.person(
        record(lines="x", born="1944-03-02", sex="male", weight="70", creatinine="13,35", creatinine_unit="mg/L"),
        DAY,
    )
    assert one.creatinine_clearance_ml_min == pytest.approx(other.creatinine_clearance_ml_min, rel=0.01)


def test_a_yes_is_a_fact_a_no_is_its_absence_and_no_answer_is_not_known():
    told = facts.person(record(lines="x", **{"fact-peptic-ulcer-history": "yes"}), DAY).facts
    assert told["peptic-ulcer-history"] is True
    told = facts.person(record(lines="x", **{"fact-peptic-ulcer-history": "no"}), DAY).facts
    assert told["peptic-ulcer-history"] is False
    assert (
        "peptic-ulcer-history"
        not in facts.person(record(lines="x", **{"fact-peptic-ulcer-history": ""}), DAY).facts
    )


def test_a_dose_given_afterwards_stands_with_its_line_and_a_choice_as_a_code():
    made = record(lines="aspirine\nlosartan", **{"dose-0": "75 mg 1 fois par jour", "pick-1": "losartan"})
    first, second = made.medications()
    assert first.concept.text == "aspirine 75 mg 1 fois par jour"
    assert [c.code for c in second.concept.codings] == ["losartan"]


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ({"lines": "x\n" * (MAX_LINES + 1)}, "lines"),
        ({"lines": "x" * (MAX_LENGTH + 1)}, "lines"),
        ({"lines": "x", "born": "2026-11-25"}, "born"),
        ({"lines": "x", "born": "hier"}, "born"),
        ({"lines": "x", "sex": "peut-être"}, "sex"),
        ({"lines": "x", "weight": "-3"}, "weight"),
        ({"lines": "x", "weight": "4000"}, "weight"),
        ({"lines": "x", "creatinine": "beaucoup"}, "creatinine"),
        ({"lines": "x", "creatinine_unit": "g"}, "creatinine_unit"),
        ({"lines": "x", "fact-anything": "perhaps"}, "fact-anything"),
    ],
)
def test_what_cannot_be_read_names_its_field(fields, place):
    with pytest.raises(InputError) as refused:
        read(**fields)
    assert refused.value.place == place


@given(
    st.text(max_size=400),
    st.sampled_from(["", "female", "male"]),
    st.dates(dt.date(1900, 1, 1), DAY).map(str) | st.just(""),
)
def test_whatever_is_typed_makes_a_valid_record(lines, sex, born):
    if any(len(line.strip()) > MAX_LENGTH for line in lines.splitlines()):
        with pytest.raises(InputError, match="lines"):
            read(lines=lines, sex=sex, born=born)
        return
    asked = read(lines=lines, sex=sex, born=born)
    made = consultation.bundle(asked, DAY)
    if asked.lines:
        validate(made)
        assert len(fhir.record(made).medications()) == len(asked.lines)
