"""Whose vaccines are looked at: a fictional person, a record of the lab, or what was typed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lab39 import fhir
from lab39.core.faces import Call
from lab39.core.record import Record
from lab39.core.text import NO_TEXT, Text
from lab39.fhir import examples
from lab39.solutions.vaccination import before, consultation
from lab39.solutions.vaccination.consultation import Asked
from lab39.solutions.vaccination.model import Schedule

RECORDS = 20


@dataclass(frozen=True, slots=True)
class Person:
    """Whose vaccines they are: what to call them, the record, and the day that is asked about.

    Attributes:
        record: with what the address says of the doses before (:mod:`before`).
        held: as it is kept; ``None`` for who is only typed in.
    """

    name: Text
    record: Record | None
    on: Any
    held: Record | None = None

    @property
    def treatment(self) -> str:
        """The medicines of the record, to help who answers about them."""
        rows = self.record.medications() if self.record else ()
        return ", ".join(dict.fromkeys(each.concept.label for each in rows if each.concept.label))


def person(call: Call, asked: Asked, schedule: Schedule) -> Person:
    """Whom the address names.

    Raises:
        LabError: not signed in, no such record or fictional person, or not theirs to see.
    """
    if asked.kind == "example":
        example = examples.example(asked.name)
        told = before.stating(example.record, asked, schedule, call.lang)
        return Person(example.who, told, asked.on or example.day, example.record)
    if asked.kind == "record":
        return _kept(call, asked, schedule)
    on = asked.on or call.on
    if asked.kind == "typed":
        return Person(
            Text("Vaccins saisis", "Vaccines typed in"), fhir.record(dict(consultation.bundle(asked))), on
        )
    return Person(NO_TEXT, None, on)


def _kept(call: Call, asked: Asked, schedule: Schedule) -> Person:
    from lab39.store.opening import opened

    found = opened(call.ctx, call.who.person, asked.name, "vaccination")
    held = fhir.record(found.document)
    told = before.stating(held, asked, schedule, call.lang)
    return Person(Text.same(found.name), told, asked.on or call.on, held)


def records(call: Call, words: str = "") -> tuple[tuple[str, str], ...]:
    """The records of the lab that this person may see, latest first; ``words`` narrows by title or pseudonym."""
    from lab39.store.opening import listed

    return listed(call.ctx, call.who.person, RECORDS, words)
