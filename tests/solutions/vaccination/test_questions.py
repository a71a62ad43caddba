"""Three questions before a dose: which are asked, and what each answer brings."""

from __future__ import annotations

import datetime as dt

import pytest

from lab39.solutions.vaccination import Observed, Patient, questions
from lab39.solutions.vaccination.forbidden import forbidden
from lab39.solutions.vaccination.france import editions, open_france
from lab39.solutions.vaccination.products import find

ON = dt.date(2026, 11, 27)


@pytest.fixture(scope="module")
def schedule():
    return open_france(editions()[-1])


def asked(schedule, name: str, patient: Patient) -> list[str]:
    product = find(name).product
    assert product is not None
    return [each.id for each in questions.chosen(schedule, patient, ON, (), product)]


def woman(*observed: str) -> Patient:
    return Patient(dt.date(1990, 5, 1), "Female", observations=tuple(Observed(each) for each in observed))


def test_every_question_rests_on_a_rule_that_was_read_with_its_source(schedule):
    for question in questions.questions():
        for situation in question.situations:
            for name in situation.rules:
                told = questions.of_rule(schedule.rules[name], situation.effect)
                assert told.source
                assert told.url.startswith("https://")


def test_three_questions_and_the_third_is_about_what_would_be_given(schedule):
    assert asked(schedule, "Priorix", woman()) == ["illness", "allergy", "live"]
    assert asked(schedule, "Repevax", woman()) == ["illness", "allergy", "treatment"]


def test_what_the_record_says_is_not_asked(schedule):
    product = find("Priorix").product
    live = questions.chosen(schedule, woman("pregnancy", "chemotherapy"), ON, (), product)[2]
    assert [each.id for each in live.situations] == ["immunoglobulins"]


@pytest.mark.parametrize(
    ("born", "sex", "possible"),
    [(1990, "Male", False), (1990, "Unknown", True), (1940, "Female", False), (2020, "Female", False)],
)
def test_pregnancy_is_asked_of_whom_it_has_a_sense_for(schedule, born, sex, possible):
    live = questions.chosen(schedule, Patient(dt.date(born, 1, 1), sex), ON, (), find("Priorix").product)[2]
    assert ("pregnancy" in [each.id for each in live.situations]) is possible


def test_a_live_vaccine_named_by_its_product_is_asked_about_too(schedule):
    assert "live" in asked(schedule, "Vivotif", woman())
    assert "live" not in asked(schedule, "Typhim Vi", woman())


def test_an_answer_is_what_the_engine_forbids_by(schedule):
    found = questions.chosen(schedule, woman(), ON, (), find("Priorix").product)
    for answer, expected in (("immunosuppression", True), ("pregnancy", True), ("no", False), ("unknown", False)):
        patient = woman(*(each.code for each in questions.observed(found, {"live": answer})))
        assert any(each.antigen == "Measles" for each in forbidden(schedule, patient, ON)) is expected


def test_not_answered_says_nothing_and_not_known_is_no_no(schedule):
    product = find("Priorix").product
    live = questions.chosen(schedule, woman(), ON, (), product)[2]
    assert questions.told(schedule, live, "", {"Measles"}, product) == ()
    assert questions.told(schedule, live, "no", {"Measles"}, product) == ()
    (unknown,) = questions.told(schedule, live, "unknown", {"Measles"}, product)
    assert unknown.effect == "stop"
