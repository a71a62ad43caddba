"""A box of vaccine, from its DataMatrix to the product: known, known to the pack only, or asked."""

from __future__ import annotations

import datetime as dt
import io

import pytest

from lab39.core.errors import InputError
from lab39.solutions.vaccination.gs1 import read_box, read_picture

GS = "\x1d"
ON = dt.date(2026, 11, 26)
HEXA = f"01034009354958391727020010AB12{GS}21S9"
UNLISTED = "0103400930095713"  # a presentation of Infanrix Hexa that the table does not hold


def test_a_box_of_the_table_gives_its_product_lot_and_last_day():
    box = read_box(HEXA, ON)
    assert box.product is not None
    assert (box.product.name, box.nuva, box.by) == ("Infanrix Hexa", "VAC0014", "table")
    assert (box.cip13, box.lot, box.serial, box.expiry) == ("3400935495839", "AB12", "S9", dt.date(2027, 2, 28))
    assert not box.ask
    assert box.doubts == ()


@pytest.mark.parametrize(
    ("on", "expired"), [(dt.date(2027, 2, 28), False), (dt.date(2027, 3, 1), True)], ids=["last day", "day after"]
)
def test_the_last_day_of_use_is_still_good(on, expired):
    assert read_box(HEXA, ON).expired(on) is expired


def test_an_expiry_that_is_not_stated_is_neither_good_nor_past():
    box = read_box("0103400935495839", ON)
    assert box.expired(ON) is None
    assert len(box.doubts) == 2


def test_a_presentation_that_only_the_pack_knows_is_named_by_it():
    box = read_box(UNLISTED, ON, {"3400930095713": "VAC0014"})
    assert box.product is not None
    assert (box.product.name, box.by) == ("Infanrix Hexa", "pack")
    assert not box.ask


def test_a_vaccine_of_the_pack_that_the_table_does_not_hold_keeps_its_code():
    box = read_box(UNLISTED, ON, {"3400930095713": "VAC9999"})
    assert (box.product, box.nuva, box.by) == (None, "VAC9999", "pack")


def test_an_unknown_box_is_asked_about_with_what_is_known():
    box = read_box(UNLISTED + f"10L7{GS}", ON)
    assert (box.product, box.nuva, box.by, box.lot) == (None, "", "", "L7")
    assert "3400930095713" in box.ask.fr


def test_a_box_of_another_country_is_asked_about():
    box = read_box("0100312345678906", ON)
    assert box.cip13 == ""
    assert "34009" in box.ask.en


def test_a_code_typed_by_hand_is_read_without_lot():
    box = read_box("34009 354 958 3 9", ON)
    assert box.product is not None
    assert box.lot == ""


@pytest.mark.parametrize(
    ("text", "place"),
    [("10AB12", "(01)"), ("010340093549583917271301", "(17)"), ("0103400935495830", "caractère 1 / character 1")],
)
def test_a_box_that_cannot_be_used_says_where(text, place):
    with pytest.raises(InputError) as refused:
        read_box(text, ON)
    assert refused.value.place == place


def _picture(text: str, kind: str = "DataMatrix", **options: object) -> bytes:
    import numpy as np
    import zxingcpp
    from PIL import Image

    made = zxingcpp.create_barcode(text, getattr(zxingcpp.BarcodeFormat, kind), **options)
    content = io.BytesIO()
    Image.fromarray(np.array(zxingcpp.write_barcode_to_image(made, scale=6))).save(content, "PNG")
    return content.getvalue()


@pytest.mark.parametrize(
    "text", [HEXA, "(01)03400935495839(17)270200(10)AB12(21)S9"], ids=["separators", "brackets"]
)
def test_a_photographed_box_is_read(text):
    (box,) = read_picture(_picture(text), ON)
    assert box.product is not None
    assert (box.product.name, box.lot) == ("Infanrix Hexa", "AB12")


def test_a_picture_of_something_else_says_so():
    with pytest.raises(InputError):
        read_picture(_picture("https://example.org", "QRCode"), ON)
    with pytest.raises(InputError):
        read_picture(b"not a picture", ON)
