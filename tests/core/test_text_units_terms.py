"""Both languages, numbers as their readers write them, units that convert or refuse, code systems by any name."""

from __future__ import annotations

import datetime as dt
import tomllib
from decimal import Decimal
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab39.core import terms, text
from lab39.core.errors import InputError
from lab39.core.terms import Coding, Concept
from lab39.core.text import Text
from lab39.core.units import Quantity, UnitError

UNITS = tomllib.loads(files("lab39.core").joinpath("knowledge/units.toml").read_text("utf-8"))
SYSTEMS = tomllib.loads(files("lab39.core").joinpath("knowledge/code_systems.toml").read_text("utf-8"))["system"]


@pytest.mark.parametrize("half", [{"fr": "oui"}, {"en": "yes"}, {"fr": "oui", "en": 1}, "oui", None])
def test_a_text_in_one_language_is_no_text(half):
    with pytest.raises(ValueError, match="both fr and en"):
        Text.of(half)


@pytest.mark.parametrize(
    ("value", "digits", "fr", "en"),
    [
        (Decimal("7.10"), None, "7,10", "7.10"),
        (1234567, None, "1\u202f234\u202f567", "1,234,567"),
        (Decimal("1234.5"), 0, "1\u202f234", "1,234"),
        (0.256, 2, "0,26", "0.26"),
        (Decimal("1E+3"), None, "1\u202f000", "1,000"),
        (Decimal("-0.5"), None, "-0,5", "-0.5"),
    ],
)
def test_a_number_keeps_the_digits_it_came_with_and_is_written_as_its_reader_does(value, digits, fr, en):
    assert text.number(value, "fr", digits=digits) == fr
    assert text.number(value, "en", digits=digits) == en


def test_a_day_is_written_as_its_reader_does():
    day = dt.date(2026, 11, 4)
    assert (text.date(day, "fr"), text.date(day, "en")) == ("04/11/2026", "4 Nov 2026")


def test_an_error_says_its_place_first_and_keeps_it_when_seen_from_farther():
    error = InputError(Text("illisible", "unreadable"), "Patient.birthDate").within("line 3")
    assert error.say("en") == "line 3 › Patient.birthDate: unreadable"
    assert error.say("fr") == "line 3 › Patient.birthDate\u202f: illisible"
    assert isinstance(error, InputError)
    assert InputError(Text("a", "b")).say("en") == "b"


# Worked by hand from the molar masses (PubChem): value, from, to, analyte, result.
CONVERSIONS = [
    ("1", "mg/dL", "umol/L", "creatinine", "88.40"),
    ("100", "umol/L", "mg/dL", "creatinine", "1.131"),
    ("126", "mg/dL", "mmol/L", "glucose", "6.994"),
    ("5.5", "mmol/L", "mg/dL", "glucose", "99.09"),
    ("1", "g/L", "mmol/L", "glucose", "5.551"),
    ("200", "mg/dL", "mmol/L", "cholesterol", "5.172"),
    ("150", "[lb_av]", "kg", None, "68.04"),
    ("70", "[in_i]", "cm", None, "177.8"),
    ("1", "g/dL", "g/L", None, "10.00"),
    ("0.5", "mg", "ug", None, "500.0"),
    ("12", "%", "1", None, "0.1200"),
]


@pytest.mark.parametrize(("value", "unit", "to", "analyte", "expected"), CONVERSIONS)
def test_conversions_give_the_published_figures(value, unit, to, analyte, expected):
    got = Quantity(Decimal(value), unit).to(to, analyte=analyte)
    assert abs(got - Decimal(expected)) <= Decimal(expected) * Decimal("0.0005")


@given(st.decimals(min_value="0.001", max_value="100000", places=3), st.sampled_from(CONVERSIONS))
def test_a_conversion_and_its_inverse_give_the_value_back(value, case):
    _, unit, to, analyte, _ = case
    there = Quantity(value, unit).to(to, analyte=analyte)
    back = Quantity(there, to).to(unit, analyte=analyte)
    assert abs(back - value) <= value * Decimal("1e-20")


@pytest.mark.parametrize(
    ("quantity", "to", "analyte", "said"),
    [
        (Quantity(Decimal(1), ""), "mg/dL", None, "without a unit"),
        (Quantity(Decimal(1), "furlong"), "m", None, "unknown unit: “furlong”"),
        (Quantity(Decimal(1), "mg/dL"), "mmol/L", None, "does not convert"),
        (Quantity(Decimal(1), "mg/dL"), "kg", "glucose", "does not convert"),
        (Quantity(Decimal(1), "mg/dL"), "mmol/L", "unobtainium", "no molar mass"),
        (Quantity(Decimal(1), "Cel"), "mm[Hg]", None, "does not convert"),
    ],
)
def test_a_unit_that_is_absent_unknown_or_of_another_kind_is_refused(quantity, to, analyte, said):
    with pytest.raises(UnitError, match=said):
        quantity.to(to, analyte=analyte)


@pytest.mark.parametrize("micro", ["umol/L", "\u00b5mol/L", "\u03bcmol/L"])
def test_a_micro_is_a_micro_whichever_character_writes_it(micro):
    assert Quantity(Decimal(80), micro).to("mmol/L") == Decimal("0.080")


def test_a_quantity_is_said_with_its_bound_and_in_its_readers_words():
    low = Quantity(Decimal("0.50"), "umol/L", "<")
    assert low.say("fr") == "<0,50\u202fµmol/L"
    assert low.say("en") == "<0.50\u00a0µmol/L"
    assert Quantity(Decimal(3), "").say("en") == "3"


@pytest.mark.parametrize(("fahrenheit", "celsius"), [("98.6", "37"), ("100.4", "38"), ("32", "0"), ("-40", "-40")])
def test_a_temperature_converts_by_its_zero_and_its_degree_both_ways(fahrenheit, celsius):
    assert Quantity(Decimal(fahrenheit), "[degF]").to("Cel") == Decimal(celsius)
    assert Quantity(Decimal(celsius), "Cel").to("[degF]") == Decimal(fahrenheit)
    assert Quantity(Decimal(fahrenheit), "°F").to("°C") == Decimal(celsius)


def test_a_temperature_in_fahrenheit_is_said_in_celsius_too():
    assert Quantity(Decimal("101.3"), "[degF]").say("fr") == "101,3\u202f°F (38,5\u202f°C)"
    assert Quantity(Decimal("100"), "[degF]", ">").say("en") == ">100\u00a0°F (>37.8\u00a0°C)"
    assert Quantity(Decimal("38.5"), "Cel").say("en") == "38.5\u00a0°C"


def test_every_unit_and_alias_stands_for_one_unit():
    names = [name for row in UNITS["unit"] for name in (row["code"], *row.get("also", ()))]
    assert len(names) == len(set(names))
    assert all(row["factor"] > 0 for row in UNITS["unit"])


def test_every_system_is_known_by_its_uri_and_by_each_alias_and_none_is_claimed_twice():
    names = [name for row in SYSTEMS for name in (row["uri"], *row.get("aliases", ()))]
    assert len(names) == len(set(names))
    for row in SYSTEMS:
        for name in (row["uri"], *row.get("aliases", ())):
            assert terms.canonical(name) == row["uri"]
            assert terms.is_known(name)


def test_an_unknown_system_stays_as_it_was_written():
    assert terms.canonical("urn:oid:9.9.9") == "urn:oid:9.9.9"
    assert not terms.is_known("urn:oid:9.9.9")
    assert not terms.is_known("")
    assert terms.is_known("http://terminology.hl7.org/CodeSystem/condition-clinical")


def test_a_concept_answers_by_system_and_reads_in_words():
    both = Concept((Coding(terms.LOINC, "2160-0"), Coding(terms.SNOMED, "113075003", "Creatinine")), "")
    assert both.code(terms.SNOMED) == "113075003"
    assert both.code(terms.ATC) is None
    assert both.has(terms.LOINC, "1", "2160-0")
    assert not both.has(terms.ATC, "2160-0")
    assert both.label == "Creatinine"
    assert Concept((Coding(terms.LOINC, "2160-0"),)).label == "2160-0"
    assert Concept(text="Créatinine").label == "Créatinine"
    assert Concept().label == ""
