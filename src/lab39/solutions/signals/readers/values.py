"""Dates, numbers and codes as sources write them, into the form of the case model."""

from __future__ import annotations

import calendar
import datetime as dt
import re
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

MAX_AGE_YEARS = 125
MAX_WEIGHT_KG = 650
_DIGITS = re.compile(r"(\d{4})(\d{2})?(\d{2})?(?:\d{2,6}(?:\.\d+)?)?(?:[+-]\d{2,4})?")
_ISO = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2})(?:[T ].*)?)?)?")
_AMERICAN = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})")


@cache
def e2b() -> Mapping[str, Any]:
    """Identifiers and code lists of E2B, from ``knowledge/e2b.toml``."""
    place = files("lab39.solutions.signals.readers") / "knowledge" / "e2b.toml"
    return tomllib.loads(place.read_text("utf-8"))


def _whole(year: str, month: str | None, day: str | None) -> str | None:
    if not 1850 <= int(year) <= 2100:
        return None
    if month is None:
        return year
    if not 1 <= int(month) <= 12:
        return None
    if day is None:
        return f"{year}-{month}"
    return f"{year}-{month}-{day}" if 1 <= int(day) <= calendar.monthrange(int(year), int(month))[1] else None


def compact_date(raw: str | None) -> str | None:
    """``20170406``, ``201704``, ``2017``, ``20170406123000-0500`` into ISO form; ``None`` when it is no date."""
    found = _DIGITS.fullmatch((raw or "").strip())
    return _whole(found[1], found[2], found[3]) if found else None


def any_date(raw: str | None) -> str | None:
    """ISO or compact dates; a date with slashes is read when it cannot be read two ways (``25/12/2020``)."""
    text = (raw or "").strip()
    if found := _ISO.fullmatch(text):
        return _whole(found[1], found[2], found[3])
    if found := _AMERICAN.fullmatch(text):
        first, second, year = int(found[1]), int(found[2]), found[3]
        if first > 12 >= second:
            return _whole(year, f"{second:02}", f"{first:02}")
        if second > 12 >= first:
            return _whole(year, f"{first:02}", f"{second:02}")
        return _whole(year, f"{first:02}", f"{second:02}") if first == second else None
    return compact_date(text)


def american_date(raw: str | None) -> str | None:
    """``12/25/2020``, month first (VAERS)."""
    found = _AMERICAN.fullmatch((raw or "").strip())
    return _whole(found[3], f"{int(found[1]):02}", f"{int(found[2]):02}") if found else None


def quarter_of(date: str | None) -> str | None:
    """``2017Q2`` of an ISO date known to the month at least."""
    return f"{date[:4]}Q{(int(date[5:7]) + 2) // 3}" if date and len(date) >= 7 else None


def number(raw: str | None) -> float | None:
    """A number with a point or a decimal comma; ``None`` when it is none or not finite."""
    try:
        found = float((raw or "").strip().replace(",", "."))
    except ValueError:
        return None
    return found if abs(found) < 1e12 else None


def age_in_years(value: float | None, factor: float | None) -> float | None:
    """An age in years when it can be one of a person."""
    if value is None or factor is None or not 0 <= value * factor <= MAX_AGE_YEARS:
        return None
    return value * factor


def weight(kg: float | None) -> float | None:
    """A weight in kg when it can be one of a person."""
    return kg if kg is not None and 0 < kg <= MAX_WEIGHT_KG else None


def age_at(born: str | None, day: str | None) -> float | None:
    """The age in years between two dates known to the day."""
    if not born or not day or len(born) < 10 or len(day) < 10:
        return None
    days = (dt.date.fromisoformat(day) - dt.date.fromisoformat(born)).days
    return age_in_years(float(days), 1 / 365.25)


def back(code_list: str, word: str | None) -> str | None:
    """The E2B code of a word of the case model."""
    return next((code for code, each in e2b()[code_list].items() if each == word), None) if word else None
