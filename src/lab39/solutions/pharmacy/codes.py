"""Codes that name a medicine: CIP13, CIP7, CIS, ATC, and the DataMatrix of a box (GS1).

Application identifiers: https://www.dynamsoft.com/code-parser/docs/core/code-types/gs1-ai.html; the rule of a
day 00 as quoted in https://www.rubydoc.info/gems/gs1/0.1.8/GS1/ExpirationDate (GS1 General Specifications).
"""

from __future__ import annotations

import calendar
import datetime as dt
import re
from dataclasses import dataclass
from typing import Literal

from lab39.core.gs1 import check_digit
from lab39.solutions.pharmacy.model import Box

Kind = Literal["cip13", "cip7", "cis", "atc", "other-gtin", "bad-digit", "bad-box"]
_SEPARATOR = "\x1d"
_FIXED = {"01": 14, "02": 14, "11": 6, "13": 6, "15": 6, "16": 6, "17": 6}
_VARIABLE = {"10", "21", "22", "240", "710", "711", "712", "713", "714", "30", "37"}
"""Those that boxes of medicines carry: lot, serial number, national numbers (710 to 714)."""


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
    if written.startswith("]d2") or _SEPARATOR in written or re.match(r"^\(?01\)?\d{14}", written):
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
    if check_digit(digits[:-1]) != int(digits[-1]):
        return Code("bad-digit", digits, box)
    return Code("cip13" if digits.startswith("34009") else "other-gtin", digits, box)


def _datamatrix(text: str) -> Code:
    fields = _fields(text)
    gtin = fields.get("01", "")
    if len(gtin) != 14:
        return Code("bad-box", text)
    box = Box(gtin[1:], fields.get("10", ""), _expiry(fields.get("17", "")), fields.get("21", ""))
    if not gtin.startswith("0"):
        return Code("other-gtin", gtin, box)
    return _thirteen(gtin[1:], box)


def _fields(text: str) -> dict[str, str]:
    """Application identifier -> value; what follows an identifier that is not known is left out."""
    bracketed = re.findall(r"\((\d{2,4})\)([^(]*)", text)
    if bracketed:
        return {key: value.strip().strip(_SEPARATOR) for key, value in bracketed}
    rest = text.removeprefix("]d2").strip().lstrip(_SEPARATOR)
    found: dict[str, str] = {}
    while rest:
        key = next((k for k in (rest[:2], rest[:3]) if k in _FIXED or k in _VARIABLE), "")
        if not key or key in found:
            break
        rest = rest[len(key) :]
        if key in _FIXED:
            found[key], rest = rest[: _FIXED[key]], rest[_FIXED[key] :].lstrip(_SEPARATOR)
        else:
            found[key], _, rest = rest.partition(_SEPARATOR)
    return found


def _expiry(written: str) -> dt.date | None:
    """``YYMMDD``; day 00 is the last of the month. Years 00 to 99 are of this century: boxes do not last longer."""
    if not re.fullmatch(r"\d{6}", written):
        return None
    year, month, day = 2000 + int(written[:2]), int(written[2:4]), int(written[4:])
    try:
        return dt.date(year, month, day or calendar.monthrange(year, month)[1])
    except (ValueError, calendar.IllegalMonthError):
        return None
