"""Doses given on their own."""

from __future__ import annotations

from decimal import Decimal

import pytest

from lab39.core.errors import InputError
from lab39.solutions.pharmacy.doses import read_dose
from lab39.solutions.pharmacy.model import Posology


@pytest.mark.parametrize(
    ("written", "intake", "day", "week"),
    [
        ("75 mg/j", None, 75, None),
        ("1 g x 3/j", 1000, 3000, None),
        ("1 g × 3", 1000, 3000, None),
        ("500 mg", 500, None, None),
        ("500mg par prise", 500, None, None),
        ("15 mg par semaine", None, None, 15),
        ("1,5 g par jour", None, 1500, None),
        ("100 µg/j", None, Decimal("0.1"), None),
        ("500 mg twice a day", 500, 1000, None),
        ("3 g/j en 3 prises", 1000, 3000, None),
    ],
)
def test_what_is_not_said_stays_unknown(written, intake, day, week):
    assert read_dose(written) == Posology(intake, day, week)


@pytest.mark.parametrize("written", ["75", "75 UI/j", "abc", "", "0 mg/j", "75 mg bla", "😀", "-5 mg", "1e3 mg"])
def test_what_is_not_understood_is_refused_with_what_to_write(written):
    with pytest.raises(InputError, match="75 mg/j, 1 g x 3/j"):
        read_dose(written)


def test_a_dose_without_unit_is_told_as_such():
    with pytest.raises(InputError, match="without a unit"):
        read_dose("75")
