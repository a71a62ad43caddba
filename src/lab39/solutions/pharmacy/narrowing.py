"""Among the products that a name may be, keep those that fit the rest of the text: dose, form, holder."""

from __future__ import annotations

import re
from collections.abc import Sequence
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


def narrowed(rows: Sequence[Row], text: str, parts: Sequence[str]) -> list[Row]:
    """The rows that fit best; every one when nothing tells them apart."""
    kept = list(rows)
    if not kept:
        return kept
    masses, bare = amounts(text)
    kept = _keep(kept, lambda row: bool(masses) and masses <= _numbers(row.label)[0])
    if not masses:
        kept = _keep(
            kept, lambda row: bool(bare) and bool(bare & (_numbers(row.label)[1] | _numbers(row.label)[2]))
        )
    forms = {same_form(w) for w in parts if w in vocabulary().forms} - {""}
    kept = _keep(kept, lambda row: bool(forms) and forms <= _forms(row))
    others = {w for w in parts if not is_number(w)} - vocabulary().rhythm - vocabulary().units - vocabulary().forms
    best = max(len(others & set(words(row.label))) for row in kept)
    kept = [row for row in kept if len(others & set(words(row.label))) == best] if best else kept
    return _keep(kept, lambda row: row.marketed is True)


def _keep(rows: list[Row], wanted) -> list[Row]:  # type: ignore[no-untyped-def]
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
