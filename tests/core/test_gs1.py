"""GS1 element strings as scanners, keyboards and people write them."""

from __future__ import annotations

import contextlib
import datetime as dt

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lab39.core import gs1
from lab39.core.errors import InputError

GS = "\x1d"
ON = dt.date(2026, 11, 26)
GTIN = "03400935495839"


@pytest.mark.parametrize(
    "text",
    [
        f"01{GTIN}1727020010AB-12{GS}21S9",
        f"{GS}01{GTIN}1727020010AB-12{GS}21S9",
        f"]d201{GTIN}1727020010AB-12{GS}21S9{GS}",
        f"01{GTIN}21S9{GS}17270200{GS}10AB-12",
        f"01{GTIN}10AB-12<GS>21S9<GS>17270200",
        f"01{GTIN}10AB-12^]21S9\\x1d17270200",
        f"(01){GTIN}(17)270200(10)AB-12(21)S9",
        f"(01) {GTIN} (17) 270200 (10) AB-12 (21) S9",
    ],
    ids=["separated", "leading FNC1", "AIM prefix", "serial first", "written GS", "caret", "brackets", "spaced"],
)
def test_the_same_box_is_read_from_every_form(text):
    read = gs1.read(text)
    assert [read.get(ai) for ai in ("01", "17", "10", "21")] == [GTIN, "270200", "AB-12", "S9"]
    assert read.doubts == ()


def test_a_french_keyboard_behind_an_american_scanner_is_undone_and_said():
    keys = dict(zip("1234567890", "&é\"'(-è_çà", strict=True)) | {"Q": "A", "M": "?", "-": ")"}
    typed = "".join(keys.get(each, each) for each in f"01{GTIN}1727020010QM-1")
    read = gs1.read(typed)
    assert (read.get("01"), read.get("10")) == (GTIN, "QM-1")
    assert "QWERTY" in read.doubts[0].fr


def test_without_separators_a_lot_that_may_hold_the_serial_is_doubted():
    read = gs1.read(f"01{GTIN}1727020010AB1221S9")
    assert read.get("10") == "AB1221S9"
    assert "séparateur" in read.doubts[0].fr


def test_an_identifier_that_is_not_known_keeps_what_was_read_and_shows_the_rest():
    read = gs1.read(f"01{GTIN}10A1{GS}8200https")
    assert (read.get("01"), read.get("10")) == (GTIN, "A1")
    assert "8200https" in read.doubts[0].en


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("", "1"),
        ("hello", "caractère 1 / character 1"),
        ("010340093549583", "caractère 1 / character 1"),
        ("0103400935495830", "caractère 1 / character 1"),
        (f"01{GTIN}17270", "caractère 17 / character 17"),
        (f"]d201{GTIN}17270", "caractère 20 / character 20"),
        (f"01{GTIN}10{'A' * 21}", "caractère 17 / character 17"),
        (f"01{GTIN}10A B", "caractère 17 / character 17"),
        (f"(01){GTIN}(10)A(10)B", "caractère 24 / character 24"),
    ],
)
def test_what_cannot_be_read_says_where(text, place):
    with pytest.raises(InputError) as refused:
        gs1.read(text)
    assert refused.value.place == place


def test_golden_the_check_digit_of_the_general_specifications():
    assert gs1.check_digit("629104150021") == 3  # section 7.9, example of GS1's own calculator page
    assert gs1.check_digit("340093549583") == 9


@pytest.mark.parametrize(
    ("written", "on", "day"),
    [
        ("270200", ON, dt.date(2027, 2, 28)),
        ("280200", ON, dt.date(2028, 2, 29)),
        ("270131", ON, dt.date(2027, 1, 31)),
        ("761231", ON, dt.date(2076, 12, 31)),
        ("771231", ON, dt.date(1977, 12, 31)),
        ("991231", ON, dt.date(1999, 12, 31)),
        ("200101", dt.date(2070, 1, 1), dt.date(2120, 1, 1)),
        ("210101", dt.date(2070, 1, 1), dt.date(2021, 1, 1)),
    ],
)
def test_golden_the_century_and_day_00(written, on, day):
    assert gs1.day(written, on) == day


@pytest.mark.parametrize("written", ["270231", "271301", "270001", "27020", "2702xx", "２７０２０１"])
def test_a_date_that_does_not_exist_is_refused(written):
    with pytest.raises(InputError):
        gs1.day(written, ON)


@given(
    lot=st.text("ABC0123456789-/", min_size=1, max_size=20),
    serial=st.text("XYZ0123456789", min_size=1, max_size=20),
)
def test_with_separators_lot_and_serial_come_back_whatever_they_hold(lot, serial):
    read = gs1.read(f"01{GTIN}10{lot}{GS}21{serial}")
    assert (read.get("10"), read.get("21"), read.doubts) == (lot, serial, ())


@given(st.text(max_size=60))
@example("\x1d")
@example("\x1d0")
def test_any_text_is_read_or_refused_with_its_place(text):
    with contextlib.suppress(InputError):
        assert gs1.read(text).elements
