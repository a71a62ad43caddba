"""Among the products that a name may be, keep those that fit the rest of the text: dose, form, holder."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import lru_cache

from lab39.solutions.pharmacy.catalogue import Row
from lab39.solutions.pharmacy.normal import fold, plain, words
from lab39.solutions.pharmacy.vocabulary import is_number, same_form, vocabulary

_AMOUNT = re.compile(r"(\d+(?:[ \u00a0\u202f]\d{3})*(?:[.,]\d+)?)\s*([a-zµ%]+)?")
_MG = {"mg": Decimal(1), "milligramme": Decimal(1), "milligrammes": Decimal(1), "g": Decimal(1000),
       "gramme": Decimal(1000), "grammes": Decimal(1000), "ug": Decimal("0.001"), "mcg": Decimal("0.001"),
       "microgramme": Decimal("0.001"), "microgrammes": Decimal("0.001"), "gamma": Decimal("0.001"),
       "gammas": Decimal("0.001")}  # fmt: skip

MOST_UNITS = 12
"""Units of a product taken for one dose at most, when its route is looked for: methotrexate 2.5 mg by ten."""


@lru_cache(maxsize=65536)
def amounts(text: str) -> tuple[frozenset[Decimal], frozenset[Decimal]]:
    """Masses in milligrams, and every other number, that a text states."""
    masses: set[Decimal] = set()
    bare: set[Decimal] = set()
    for number, unit in _AMOUNT.findall(plain(text)):
        value = Decimal(re.sub(r"[ \u00a0\u202f]", "", number).replace(",", "."))
        if unit in _MG:
            masses.add((value * _MG[unit]).normalize())
        else:
            bare.add(value.normalize())
    return frozenset(masses), frozenset(bare)


def narrowed(rows: Sequence[Row], text: str, parts: Sequence[str], *, strict: bool = False) -> list[Row]:
    """The rows that fit the text best; every one when nothing tells them apart.

    Args:
        strict: give none rather than rows of another form than the text says.
    """
    kept = list(rows)
    if not kept:
        return kept
    masses, bare = amounts(text)
    kept = _keep(kept, lambda row: bool(masses) and masses <= _numbers(row.label)[0])
    if not masses:
        kept = _keep(
            kept, lambda row: bool(bare) and bool(bare & (_numbers(row.label)[1] | _numbers(row.label)[2]))
        )
    forms = _said_forms(parts)
    if forms:
        same = [row for row in kept if forms <= _forms(row)] or [row for row in rows if forms <= _forms(row)]
        if strict and not same:
            return []
        kept = same or kept
    around = vocabulary().rhythm | vocabulary().units | vocabulary().forms
    others = {w for w in parts if not is_number(w)} - around
    shared = [len(others & set(words(row.label))) for row in kept]
    kept = [row for row, count in zip(kept, shared, strict=True) if count == max(shared)]
    return _keep(kept, lambda row: row.marketed is True)


def on_the_market(rows: Sequence[Row], text: str, parts: Sequence[str]) -> list[Row]:
    """The rows that a substance named alone may be: of the forms said, and of which its dose makes a few units.

    The name of a substance is no choice among the labels that print it: « érythromycine 500 mg » is not the
    injection because tablets have a brand, and « 1 mg » is not the eye drops because they are the only 1 mg/ml.
    """
    forms = _said_forms(parts)
    kept = _keep(list(rows), lambda row: not forms or forms <= _forms(row))
    masses, bare = amounts(text)
    if "%" in text:
        kept = _keep(kept, lambda row: bool(bare & _numbers(row.label)[1]))
    elif masses:
        made = _keep(kept, lambda row: all(_made_of(mass, _numbers(row.label)[0]) for mass in masses))
        kept = kept if not forms and _local(made) else made
    return _keep(kept, lambda row: row.marketed is True)


def _made_of(mass: Decimal, strengths: frozenset[Decimal]) -> bool:
    """Whether some strength makes a mass by quarters, up to a dozen units."""
    return any(
        each and (4 * mass) % each == 0 and Decimal("0.25") <= mass / each <= MOST_UNITS for each in strengths
    )


def _local(rows: Sequence[Row]) -> bool:
    return all(route.local for row in rows for route in row.routes)


def _said_forms(parts: Sequence[str]) -> set[str]:
    return {same_form(w) for w in parts if w in vocabulary().forms} - {""}


def common_atc(*groups: Sequence[Row]) -> str:
    """The ATC code of products that fit, looked for in wider and wider groups; empty when they have several."""
    routes: set[str] = set()
    for rows in groups:
        if rows and not routes:
            routes = {route for row in rows for route in row.routes}
        codes = {row.atc for row in rows if row.atc and (not routes or routes & set(row.routes))}
        if codes:
            return codes.pop() if len(codes) == 1 else ""
    return ""


def _keep(rows: list[Row], wanted: Callable[[Row], bool]) -> list[Row]:
    return [row for row in rows if wanted(row)] or rows


@lru_cache(maxsize=65536)
def _numbers(label: str) -> tuple[frozenset[Decimal], frozenset[Decimal], frozenset[Decimal]]:
    """Masses in mg, bare numbers, and masses as printed (75 for « 75 mg »)."""
    masses, bare = amounts(label)
    printed = frozenset(
        Decimal(re.sub(r"[ \u00a0\u202f]", "", number).replace(",", ".")).normalize()
        for number, _ in _AMOUNT.findall(plain(label))
    )
    return masses, bare, printed


def _forms(row: Row) -> frozenset[str]:
    return frozenset(same_form(w) for w in words(f"{fold(row.label)} {row.form}"))
