"""Properties of the French schedule over made-up histories: order, dates in order, what is advised counts, nothing
that counted is undone by a later dose."""

from __future__ import annotations

import datetime as dt
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.solutions.vaccination.french import code_of

from lab39.solutions.vaccination import Dose, Observed, Patient, france, run, told
from lab39.solutions.vaccination.dates import add, parse
from lab39.solutions.vaccination.outcome import DoseStatus, GroupForecast, SeriesStatus
from lab39.solutions.vaccination.verdicts import verdict

ON = dt.date(2026, 11, 24)
PRODUCTS = (
    "Hexyon", "Infanrix Hexa", "Pentavac", "Tetravac-acellulaire", "Repevax", "Revaxis", "Tétavax", "Imovax Polio",
    "Act-Hib", "Engerix B 10", "Engerix B 20", "Prevenar 13", "Vaxneuvance", "Prevenar 20", "Pneumovax", "Bexsero",
    "Trumenba", "Nimenrix", "MenQuadfi", "NeisVac", "Rotarix", "RotaTeq", "Priorix", "Rouvax", "Gardasil 9",
    "Cervarix", "Shingrix", "Zostavax", "Vaxigrip", "Comirnaty LP.8.1 30 µg", "Varivax", "Stamaril", "Avaxim 160",
    "Abrysvo", "Imvanex",
)  # fmt: skip
OBSERVED = (
    "asplenia",
    "hiv",
    "diabetes",
    "health-worker",
    "preterm",
    "immunosuppression",
    "vaccination-unknown",
    "copd",
    "guyane-resident",
    "msm",
    "no-varicella-history",
)
AGES = (0, 3, 7, 10, 13, 20, 30, 70, 140, 150, 170, 200, 290, 400, 560, 790, 910)
"""In months. No dose is made on the day asked: of two on one day, one is extra."""


@st.composite
def people(draw: st.DrawFn) -> Patient:
    schedule = france.open_france()
    lived = draw(st.sampled_from(AGES)) * 30 + draw(st.integers(1, 60))
    born = ON - dt.timedelta(days=lived)
    few = draw(st.lists(st.sampled_from(PRODUCTS), min_size=1, max_size=4, unique=True))
    rows = draw(st.lists(st.tuples(st.integers(0, lived - 1), st.sampled_from(few)), max_size=7, unique=True))
    doses = tuple(Dose(born + dt.timedelta(days=n), code_of(schedule, name), id=f"{n}-{name}") for n, name in rows)
    observed = draw(st.lists(st.sampled_from(OBSERVED), max_size=1))
    return Patient(
        born, draw(st.sampled_from(["Female", "Male"])), doses, tuple(Observed(code) for code in observed)
    )


def due(person: Patient, on: dt.date = ON) -> tuple[GroupForecast, ...]:
    groups = run(france.open_france(), person, on).groups
    return tuple(each for each in groups if each.status is SeriesStatus.NOT_COMPLETE)


def valid(person: Patient, on: dt.date, group: str | None = None) -> set[str]:
    result = run(france.open_france(), person, on, [group] if group else None)
    found = {dose.id: verdict(result, dose) for dose in person.doses}
    return {key for key, said in found.items() if said is not None and said.status is DoseStatus.VALID}


def with_dose(person: Patient, code: str, day: dt.date) -> Patient:
    return Patient(person.birth_date, person.sex, (*person.doses, Dose(day, code, id="new")), person.observations)


@settings(max_examples=40, deadline=None)
@given(people(), st.randoms(use_true_random=False))
def test_the_order_of_entry_is_irrelevant(person: Patient, chance: random.Random) -> None:
    shuffled = list(person.doses)
    chance.shuffle(shuffled)
    other = Patient(person.birth_date, person.sex, tuple(shuffled), person.observations)
    one, two = run(france.open_france(), person, ON), run(france.open_france(), other, ON)
    assert [told.group_dict(each) for each in one.groups] == [told.group_dict(each) for each in two.groups]
    assert [verdict(one, each) for each in person.doses] == [verdict(two, each) for each in person.doses]


@settings(max_examples=80, deadline=None)
@given(people())
def test_dates_are_in_order(person: Patient) -> None:
    for each in due(person):
        assert each.earliest is not None, each.group
        assert each.recommended is not None, each.group
        assert each.earliest <= each.recommended, each.group
        assert each.past_due is None or each.recommended <= each.past_due, (each.group, each.series[0].series.rule)


@settings(max_examples=60, deadline=None)
@given(people(), st.integers(0, 40))
def test_a_dose_given_when_it_is_recommended_counts(person: Patient, place: int) -> None:
    for each in due(person):
        if each.vaccines:
            assert each.recommended is not None
            day = max(ON, each.recommended)
            code = each.vaccines[place % len(each.vaccines)].code
            assert "new" in valid(with_dose(person, code, day), day, each.group), (each.group, each.series, day)


@settings(max_examples=60, deadline=None)
@given(people(), st.integers(0, 40))
def test_a_dose_more_never_undoes_a_valid_one(person: Patient, place: int) -> None:
    before = valid(person, ON)
    for each in due(person):
        if each.vaccines:
            code = each.vaccines[place % len(each.vaccines)].code
            after = valid(with_dose(person, code, ON), ON)
            assert before <= after, (each.group, before - after)


STARTS = ("0 days", "5 months", "9 months", "14 months", "30 months", "4 years", "8 years", "12 years", "16 years",
          "30 years", "66 years")  # fmt: skip
LIVES = [
    *((start, "") for start in STARTS),
    *((start, "asplenia") for start in ("0 days", "30 months", "8 years", "30 years")),
    *((start, "hiv") for start in ("9 months", "16 years")),
    ("0 days", "preterm"),
    ("0 days", "very-preterm"),
]


@pytest.mark.parametrize(("start", "observed"), LIVES)
def test_who_follows_every_advice_has_only_doses_that_count(start: str, observed: str) -> None:
    schedule, born = france.open_france(), dt.date(2024, 3, 31)
    person = Patient(born, "Female", (), tuple(Observed(code) for code in [observed] if code))
    day, end = add(born, parse(start)), add(born, parse("95 years"))
    for number in range(120):
        said = [each for each in due(person, day) if each.vaccines and each.recommended]
        if not said:
            return
        each = min(said, key=lambda one: (max(day, one.recommended or day), one.group))
        day = max(day, each.recommended or day)
        if day > end:
            return
        dose = Dose(day, each.vaccines[0].code, id=str(number))
        person = Patient(person.birth_date, person.sex, (*person.doses, dose), person.observations)
        found = valid(person, day)
        assert found == {one.id for one in person.doses}, (each.group, schedule.vaccine_names[dose.code], day)
    raise AssertionError("advice without end")
