"""Dose and rhythm of a line: what is certain is read, the rest is told."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.solutions.pharmacy import tiny_bdpm

from lab39.solutions.pharmacy.posology import AS_NEEDED, DISAGREE, read_posology

Numbers = tuple[float | None, float | None, float | None]


@pytest.mark.parametrize(
    ("line", "intake", "day", "week"),
    [
        ("500 mg x3/j", 500, 1500, None),
        ("500 mg x 3", 500, 1500, None),
        ("50 mg trois fois par jour", 50, 150, None),
        ("0,5 mg 3x/j", 0.5, 1.5, None),
        ("metformine 1000 mg matin et soir", 1000, 2000, None),
        ("1 g matin, midi et soir", 1000, 3000, None),
        ("5 mg le matin", 5, 5, None),
        ("10 mg au coucher", 10, 10, None),
        ("1 g toutes les 8 h", 1000, 3000, None),
        ("75 µg 1-0-0", 0.075, 0.075, None),
        ("0,25 mg : 1 matin, 1 midi, 2 soir", None, 1, None),
        ("500 mg le matin et 1000 mg le soir", None, 1500, None),
        ("DOLIPRANE 1000 mg, 1 cp x 3/j", 1000, 3000, None),
        ("50 mg, 1 1/2 cp par jour", 75, 75, None),
        ("50 mg, ½ cp par jour", 25, 25, None),
        ("Kardegic 75 mg/j", None, 75, None),
        ("200 mg par jour", None, 200, None),
        ("paracétamol 3 g/j en 3 prises", 1000, 3000, None),
        ("méthotrexate 15 mg par semaine", None, None, 15),
        ("méthotrexate 2,5 mg, 6 cp le lundi", 15, None, 15),
        ("70 mg une fois par semaine, à jeun", 70, None, 70),
        ("70 mg tous les 7 jours", 70, None, 70),
        ("1 mg un jour sur deux", 1, None, 3.5),
        ("500 mg twice daily", 500, 1000, None),
        ("20 mg once a day", 20, 20, None),
        ("500 mg every 6 hours", 500, 2000, None),
        ("250 mg tid", 250, 750, None),
    ],
)
def test_what_is_said_is_read(line: str, intake: float | None, day: float | None, week: float | None) -> None:
    said = read_posology(line).posology
    wanted = tuple(None if v is None else Decimal(str(v)) for v in (intake, day, week))
    assert (said.per_intake_mg, said.per_day_mg, said.per_week_mg) == wanted


@pytest.mark.parametrize(
    "line",
    ["", "tous les 7 jours", "1 cp matin et soir", "14 unités le soir", "10 gouttes x 3/j", "2 bouffées le soir",
     "Simvastatin 20 MG Oral Tablet", "fentanyl 25 µg/h", "100 mg/ml", "amoxicilline 1 g/125 mg 3 fois par jour"],
)  # fmt: skip
def test_what_is_not_said_stays_unknown(line: str) -> None:
    said = read_posology(line).posology
    assert (said.per_intake_mg, said.per_day_mg, said.per_week_mg) == (None, None, None)


def test_a_dose_without_unit_is_told_and_not_guessed() -> None:
    said = read_posology("metformine 1000 matin et soir")
    assert said.posology.per_day_mg is None
    assert [note.fr for note in said.notes] == ["Dose sans unité\u202f: 1000"]


def test_a_dose_as_needed_gives_no_dose_a_day() -> None:
    said = read_posology("400 mg si douleur, jusqu'à trois fois par jour")
    assert (said.posology.per_intake_mg, said.posology.per_day_mg) == (Decimal(400), None)
    assert AS_NEEDED in said.notes


def test_two_doses_that_disagree_give_none() -> None:
    said = read_posology("500 mg ou 1000 mg trois fois par jour")
    assert said.posology.per_day_mg is None
    assert DISAGREE in said.notes


def test_a_product_says_what_one_tablet_holds() -> None:
    product = tiny_bdpm.catalogue().product("60000001")
    assert read_posology("doliprane 1 cp x 3/j", product).posology.per_day_mg == 3000
    assert read_posology("Doliprane 1000 matin", product).notes == ()


def test_the_units_of_a_product_that_is_no_unit_say_nothing() -> None:
    product = tiny_bdpm.catalogue().product("60000014")
    assert read_posology("1 dose le soir", product).posology.per_day_mg is None


@given(st.text(max_size=120))
def test_any_text_can_be_read(text: str) -> None:
    said = read_posology(text).posology
    for value in (said.per_intake_mg, said.per_day_mg, said.per_week_mg):
        assert value is None or value >= 0


@given(st.integers(1, 2000), st.integers(1, 6))
def test_the_dose_of_a_day_is_the_intakes_together(milligrams: int, times: int) -> None:
    said = read_posology(f"{milligrams} mg {times} fois par jour").posology
    assert (said.per_intake_mg, said.per_day_mg) == (milligrams, milligrams * times)
