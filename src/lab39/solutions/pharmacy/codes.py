"""Codes that name a medicine: CIP13, CIP7, CIS, ATC, and the DataMatrix of a box (:mod:`lab39.core.gs1`)."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import Literal

from lab39.core import gs1
from lab39.core.errors import InputError
from lab39.solutions.pharmacy.model import Box

Kind = Literal["cip13", "cip7", "cis", "atc", "other-gtin", "bad-digit", "bad-box"]
_PRODUCT = re.compile(r"(?:\]d2|\x1d)?\(?01\)?0([0-9]{13})")
_THIS_CENTURY = dt.date(2049, 12, 31)
"""Read from this day, every two-digit year is one of 2000 to 2099 (see :func:`lab39.core.gs1.day`)."""


@dataclass(frozen=True, slots=True)
class Code:
    """A code and what it is.

    Attributes:
        kind: ``bad-digit`` for a CIP13 whose check digit is wrong, ``other-gtin`` for a box that is not of the
            French range, ``bad-box`` for a DataMatrix that cannot be read to its end.
        value: the code itself, without spaces.
    """

    kind: Kind
    value: str
    box: Box | None = None


def read_code(text: str) -> Code | None:
    """The code that a text is; ``None`` when it is no code. A code inside a longer text is not looked for here."""
    written = text.strip()
    if written.startswith("]d2") or gs1.SEPARATOR in written or re.match(r"^\(?01\)?\d{14}", written):
        return _datamatrix(written)
    compact = re.sub(r"[\s.\u00a0\u202f-]", "", written)
    labelled = re.fullmatch(r"(?:cip|cip13|cip7|cis|ean|code)[:n°]*(\d{7,13})", compact, re.IGNORECASE)
    digits = labelled[1] if labelled else compact
    if digits.isascii() and digits.isdigit():
        if len(digits) == 13:
            return _thirteen(digits)
        if len(digits) == 8:
            return Code("cis", digits)
        if len(digits) == 7:
            return Code("cip7", digits)
        return None
    if re.fullmatch(r"[A-Va-v]\d{2}[A-Za-z]{2}\d{2}", compact):
        return Code("atc", compact.upper())
    return None


def _thirteen(digits: str, box: Box | None = None) -> Code:
    if gs1.check_digit(digits[:-1]) != int(digits[-1]):
        return Code("bad-digit", digits, box)
    return Code("cip13" if digits.startswith("34009") else "other-gtin", digits, box)


def _datamatrix(text: str) -> Code:
    try:
        elements = gs1.read(text)
    except InputError:
        product = _PRODUCT.match(text)
        wrong = product is not None and gs1.check_digit(product[1][:-1]) != int(product[1][-1])
        return Code("bad-digit", product[1]) if product and wrong else Code("bad-box", text)
    gtin = elements.get(gs1.GTIN)
    if not gtin:
        return Code("bad-box", text)
    box = Box(gtin[1:], elements.get(gs1.LOT), _expiry(elements.get(gs1.EXPIRY)), elements.get(gs1.SERIAL))
    if not gtin.startswith("0"):
        return Code("other-gtin", gtin, box)
    return _thirteen(gtin[1:], box)


def _expiry(written: str) -> dt.date | None:
    """The last day of use, when it is told and can be; of this century, as boxes do not last longer."""
    try:
        return gs1.day(written, _THIS_CENTURY) if written else None
    except InputError:
        return None
