"""Doses as prescribers write them: « 75 mg/j », « 1 g x 3 par jour », « 15 mg/semaine », "500 mg twice a day"."""

from __future__ import annotations

import re
from decimal import Decimal

from lab39.core.errors import InputError
from lab39.core.text import Text
from lab39.solutions.pharmacy.model import Posology
from lab39.solutions.pharmacy.normal import plain

_MG = {
    "g": Decimal(1000), "gramme": Decimal(1000), "gram": Decimal(1000),
    "mg": Decimal(1), "milligramme": Decimal(1), "milligram": Decimal(1),
    "ug": Decimal("0.001"), "mcg": Decimal("0.001"), "microgramme": Decimal("0.001"), "microgram": Decimal("0.001"),
}  # fmt: skip
_AMOUNT = re.compile(r"^(\d{1,6}(?:[.,]\d{1,6})?)\s*([a-z%]*)")
_TIMES = re.compile(r"^(?:x|fois)\s*(\d{1,2})\b|^(\d{1,2}|une|un|deux|trois|quatre|once|twice)\s*(?:x|fois|times)?")
_EVERY = re.compile(r"^(?:toutes les|every|/)\s*(\d{1,2})\s*h(?:eures|ours)?$")
_SPLIT = re.compile(r"^en (\d) prises?$|^in (\d) (?:doses|intakes)$")
_DAY = re.compile(r"^(?:/|par|a|per|chaque|every)?\s*(?:j|jour|jr|24\s*h|d|day|daily)$")
_WEEK = re.compile(r"^(?:/|par|a|per|chaque|every)?\s*(?:sem|semaine|w|week|weekly)$")
_INTAKE = re.compile(r"^(?:/|par|per)?\s*(?:prise|intake|dose)$")
_WORDS = {"une": 1, "un": 1, "once": 1, "deux": 2, "twice": 2, "trois": 3, "quatre": 4}
EXAMPLES = "75 mg/j, 1 g x 3/j, 500 mg par prise, 15 mg/semaine"


def read_dose(text: str) -> Posology:
    """What a dose says; what it does not say stays unknown.

    « x 3 » without a period is three times a day.

    >>> read_dose("1 g x 3/j").per_day_mg, read_dose("75 mg/j").per_intake_mg, read_dose("15 mg/sem").per_week_mg
    (Decimal('3000'), None, Decimal('15'))

    Raises:
        InputError: no number, no unit of mass, or a rhythm that is not understood; its place is the dose.
    """
    written = re.sub(
        r"\s+", " ", plain(text.replace("×", "x").replace("\u00a0", " ").replace("\u202f", " "))
    ).strip()
    found = _AMOUNT.match(written)
    if found is None:
        raise _unread(text)
    unit = found[2] if found[2] in _MG else found[2].removesuffix("s")
    if not unit:
        raise InputError(
            Text(
                f"dose sans unité. L'écrire en g, mg ou µg\u202f: {EXAMPLES}",
                f"a dose without a unit. Write it in g, mg or µg: {EXAMPLES}",
            ),
            text,
        )
    if unit not in _MG:
        raise InputError(
            Text(
                f"«\u202f{found[2]}\u202f» n'est pas une masse. L'écrire en g, mg ou µg\u202f: {EXAMPLES}",
                f"“{found[2]}” is not a mass. Write it in g, mg or µg: {EXAMPLES}",
            ),
            text,
        )
    amount = Decimal(found[1].replace(",", ".")) * _MG[unit]
    if not amount:
        raise _unread(text)
    return _rhythm(amount, written[found.end() :].strip(" ,;"), text)


def _rhythm(amount: Decimal, rest: str, text: str) -> Posology:
    if not rest or _INTAKE.match(rest):
        return Posology(per_intake_mg=amount)
    if _DAY.match(rest):
        return Posology(per_day_mg=amount)
    if _WEEK.match(rest):
        return Posology(per_week_mg=amount)
    every = _EVERY.match(rest)
    if every and 0 < int(every[1]) <= 24 and 24 % int(every[1]) == 0:
        return Posology(per_intake_mg=amount, per_day_mg=amount * (24 // int(every[1])))
    day = re.match(r"^(?:/|par|a|per)\s*(?:j|jour|d|day)\s+(en .*|in .*)$", rest)
    parts = _SPLIT.match(day[1]) if day else None
    if parts and int(parts[1] or parts[2]):
        return Posology(per_intake_mg=amount / int(parts[1] or parts[2]), per_day_mg=amount)
    rest = re.sub(r"^(?:par|per|/)\s*(?:prise|intake),?\s*", "", rest)
    times = _TIMES.match(rest)
    if times is None:
        raise _unread(text)
    count = int(times[1]) if times[1] else _WORDS.get(times[2]) or int(times[2])
    period = rest[times.end() :].strip()
    if not count:
        raise _unread(text)
    if not period or _DAY.match(period):
        return Posology(per_intake_mg=amount, per_day_mg=amount * count)
    if _WEEK.match(period):
        return Posology(per_intake_mg=amount, per_week_mg=amount * count)
    raise _unread(text)


def _unread(text: str) -> InputError:
    return InputError(
        Text(f"dose non comprise. Exemples\u202f: {EXAMPLES}", f"a dose not understood. Examples: {EXAMPLES}"),
        text[:60] or "–",
    )
