"""Lot recall: who received a lot, over many records.

A lot number is compared without case, spaces or punctuation. What is only near it (a letter typed wrong, O for 0, a
serial number typed behind it) is told apart, for a person to check; it is never counted with the others.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal

from lab39.core.entries import NOT_GIVEN
from lab39.core.errors import InputError
from lab39.core.record import Record
from lab39.core.text import Text

Near = Literal["same", "look-alike", "longer", "one character"]
_SHORTEST = 4
_LOOK_ALIKE = str.maketrans("OQILZSB", "0011258")


@dataclass(frozen=True, slots=True)
class Receipt:
    """One dose of a record.

    Attributes:
        lot: as it is written in the record.
        near: how it resembles the lot asked for; ``same`` when it is it.
    """

    record: str
    name: str
    birth: str
    ref: str
    date: str
    vaccine: str
    lot: str
    near: Near

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "record": self.record,
            "name": self.name,
            "birth_date": self.birth,
            "ref": self.ref,
            "date": self.date,
            "vaccine": self.vaccine,
            "lot": self.lot,
            "near": self.near,
        }


@dataclass(frozen=True, slots=True)
class Recall:
    """The answer over all records read.

    Attributes:
        found: who received the lot, by date.
        near: doses to check by hand.
        records, doses: how many were looked at.
        no_lot: doses of the period whose lot the record does not state: nothing rules them out.
    """

    lot: str
    found: tuple[Receipt, ...]
    near: tuple[Receipt, ...]
    records: int
    doses: int
    no_lot: int

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "lot": self.lot,
            "found": [each.as_dict() for each in self.found],
            "near": [each.as_dict() for each in self.near],
            "records": self.records,
            "doses": self.doses,
            "doses_without_lot": self.no_lot,
        }


def recall(
    records: Iterable[Record], lot: str, *, since: dt.date | None = None, until: dt.date | None = None
) -> Recall:
    """Who received a lot.

    Args:
        since, until: days of administration looked at; a dose whose date could be among them is looked at too.

    Raises:
        InputError: a lot without letters or figures.
    """
    wanted = plain(lot)
    if not wanted:
        raise InputError(Text("numéro de lot vide", "empty lot number"), "lot")
    hits: list[Receipt] = []
    seen = doses = no_lot = 0
    for record in records:
        seen += 1
        for each in _doses(record, since, until):
            doses += 1
            if not each.lot:
                no_lot += 1
                continue
            near = alike(wanted, plain(each.lot))
            if near is not None:
                hits.append(replace(each, near=near))
    ordered = sorted(hits, key=lambda each: (each.date, each.record, each.ref))
    return Recall(
        lot.strip(),
        tuple(each for each in ordered if each.near == "same"),
        tuple(each for each in ordered if each.near != "same"),
        seen,
        doses,
        no_lot,
    )


def plain(lot: str) -> str:
    """Letters and figures only, in capitals.

    >>> plain(" ab-12 3 ")
    'AB123'
    """
    return re.sub(r"[\W_]", "", lot).upper()


def alike(wanted: str, other: str) -> Near | None:
    """How two plain lots resemble each other; ``None`` when they do not.

    >>> alike("AB120", "AB12O"), alike("AB120", "AB121"), alike("AB120", "AC133")
    ('look-alike', 'one character', None)
    """
    from rapidfuzz.distance import OSA

    if wanted == other:
        return "same"
    if len(wanted) < _SHORTEST or len(other) < _SHORTEST:
        return None
    if wanted.translate(_LOOK_ALIKE) == other.translate(_LOOK_ALIKE):
        return "look-alike"
    if other.startswith(wanted) or wanted.startswith(other):
        return "longer"
    if OSA.distance(wanted, other, score_cutoff=1) <= 1:
        return "one character"
    return None


def _doses(record: Record, since: dt.date | None, until: dt.date | None) -> Iterator[Receipt]:
    birth = record.birth_date.written if record.birth_date else ""
    for each in record.immunizations():
        if each.status in NOT_GIVEN:
            continue
        if each.date is not None and (
            (since is not None and each.date.latest < since) or (until is not None and each.date.earliest > until)
        ):
            continue
        yield Receipt(
            record.id,
            record.name,
            birth,
            each.ref,
            each.date.written if each.date else "",
            each.concept.label,
            each.lot or "",
            "same",
        )
