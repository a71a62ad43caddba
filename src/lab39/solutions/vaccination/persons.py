"""Whose vaccines are looked at: a fictional person, a record of the lab, or what was typed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lab39 import fhir
from lab39.core.errors import InputError
from lab39.core.faces import Call
from lab39.core.record import Record
from lab39.core.text import NO_TEXT, Text
from lab39.fhir import examples
from lab39.solutions.vaccination import consultation
from lab39.solutions.vaccination.consultation import Asked

RECORDS = 20


@dataclass(frozen=True, slots=True)
class Person:
    """Whose vaccines they are: what to call them, the record, and the day that is asked about."""

    name: Text
    record: Record | None
    on: Any


def person(call: Call, asked: Asked) -> Person:
    """Whom the address names.

    Raises:
        LabError: not signed in, no such record or fictional person, or not theirs to see.
    """
    if asked.kind == "example":
        example = examples.example(asked.name)
        return Person(example.who, example.record, asked.on or example.day)
    if asked.kind == "record":
        return _kept(call, asked)
    on = asked.on or call.on
    if asked.kind == "typed":
        return Person(
            Text("Vaccins saisis", "Vaccines typed in"), fhir.record(dict(consultation.bundle(asked))), on
        )
    return Person(NO_TEXT, None, on)


def _kept(call: Call, asked: Asked) -> Person:
    """A record of the lab that this person may see; that it was looked at is in the audit log.

    Raises:
        LabError: not signed in, no such record, or not theirs to see.
    """
    from lab39.store import access, records

    if call.who.person is None:
        raise InputError(
            Text("se connecter pour ouvrir un dossier du laboratoire", "sign in to open a record of the lab"),
            "record",
        )
    with call.ctx.writing() as tx:
        stored = access.require(tx.connection, asked.name, call.who.person, access.Level.READ, at=tx.at)
        version = records.version(tx.connection, asked.name)
        tx.audit("access", {"version": version.number, "vaccination": True}, subject=stored.id)
    name = stored.title or stored.pseudonym
    return Person(Text.same(name), fhir.record(version.document), asked.on or call.on)


def records(call: Call, words: str = "") -> tuple[tuple[str, str], ...]:
    """The records of the lab that this person may see, latest first; ``words`` narrows by title or pseudonym."""
    if call.who.person is None:
        return ()
    from lab39.store import access

    with call.ctx.writing() as tx:
        found = access.visible_to(tx.connection, call.who.person, at=tx.at, words=words, limit=RECORDS)
    return tuple((each.record.id, each.record.title or each.record.pseudonym) for each in found)
