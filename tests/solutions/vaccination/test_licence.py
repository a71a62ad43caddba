"""Licence ages: a remembered one chooses among the vaccines of a rule and is shown; no rule, no proposal."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from lab39.solutions.vaccination import Dose, Observed, Patient, run
from lab39.solutions.vaccination.dates import Duration, add
from lab39.solutions.vaccination.france import open_france
from lab39.solutions.vaccination.licence import chosen, unnamed
from lab39.solutions.vaccination.model import Vaccine
from lab39.solutions.vaccination.plan import Plan, plan
from lab39.solutions.vaccination.products import by_nuva, find
from lab39.solutions.vaccination.whatif import what_if

ON = dt.date(2026, 11, 26)
FULL, CHILD_HEPB = {"D", "aP"}, {"Engerix B 10", "HBVaxPro 5"}


def person(years: int, *observed: str) -> Patient:
    return Patient(add(ON, Duration(-12 * years, -40)), "Female", observations=tuple(map(Observed, observed)))


def names(found: Plan) -> set[str]:
    return {dose.name for visit in found.visits for dose in visit.doses}


def vaccine(code: str, begin: int | None, end: int | None, *, sold: bool = True) -> Vaccine:
    ages = tuple(None if years is None else Duration(12 * years, 0) for years in (begin, end))
    return Vaccine(code, code, None, None, "", None, sold, (ages[0], ages[1]))


def test_a_remembered_licence_chooses_and_never_leaves_a_dose_without_a_vaccine():
    born = add(ON, Duration(-12 * 20, 0))
    child, adult = vaccine("child", 1, 16), vaccine("adult", 16, None)
    assert chosen([child, adult], born, [ON]) == (adult,)
    assert chosen([child], born, [ON]) == (child,)
    assert chosen([child, vaccine("gone", None, None, sold=False)], born, [ON])[0] == child


def test_a_strength_or_a_brand_for_another_age_is_left_out_of_a_plan_that_says_why():
    found = plan(open_france(), person(30, "travel-tbe"), ON)
    assert "Ticovac 0,5 mL adultes" in names(found)
    assert {each.name: each.why for each in found.left_out}["Ticovac 0,25 mL enfants"] == "licence"
    told = found.as_dict()["left_out"]
    assert {row["vaccine"]: row["why"] for row in told}["Ticovac 0,25 mL enfants"] == "licence"
    young = plan(open_france(), person(17), ON)
    late = replace(person(17), doses=(Dose(add(ON, Duration(-18, 0)), find("Engerix B 10").product.nuva),))
    assert not names(plan(open_france(), late, ON)) & CHILD_HEPB
    assert not names(young) & CHILD_HEPB


def test_the_word_of_the_rule_stands_where_no_licence_is_known_to_cover_the_age_and_it_is_shown():
    found = plan(open_france(), person(30, "asplenia"), ON)
    assert {dose.name for visit in found.visits for dose in visit.doses if dose.to_check} == {"Act-Hib"}
    early = next(each for each in run(open_france(), contact(), ON).groups if each.group == "MMR")
    assert {each.name for each in early.vaccines} == {"Priorix", "M-M-RVaxPro"}


def contact() -> Patient:
    return Patient(add(ON, Duration(-7, 0)), observations=(Observed("measles-contact", ON),))


RISKS = sorted(open_france().observations)


@pytest.mark.parametrize("years", [16, 18, 25, 40, 66])
@pytest.mark.parametrize("first", [0, 40, 80])
def test_no_adult_is_ever_proposed_a_child_s_vaccine(years: int, first: int):
    for observed in [(), *((code,) for code in RISKS[first : first + 40])]:
        for group in run(open_france(), person(years, *observed), ON).groups:
            for each in group.vaccines:
                product = by_nuva(each.code)
                assert product is not None
                assert not FULL & {*product.valences}, (observed, each.name)
                assert product.name not in CHILD_HEPB, (observed, each.name)


@pytest.mark.parametrize("name", ["Infanrix Hexa", "Pentavac", "Tetravac-acellulaire", "HBVaxPro 5", "Prevenar 13"])
def test_a_vaccine_that_rules_name_for_other_ages_only_is_told_as_such(name: str):
    product = find(name).product
    assert product is not None
    assert unnamed(open_france(), product.nuva, person(40).birth_date, ON)
    found = what_if(open_france(), person(40), Dose(ON, product.nuva))
    assert found.unnamed
    assert found.as_dict()["named_for_other_ages_only"] is True


@pytest.mark.parametrize("name", ["Boostrixtetra", "Priorix", "Twinrix Adulte"])
def test_one_that_a_rule_names_at_this_age_or_none_at_all_is_not(name: str):
    product = find(name).product
    assert product is not None
    assert not what_if(open_france(), person(40), Dose(ON, product.nuva)).unnamed
