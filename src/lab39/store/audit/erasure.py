"""Erasure in the audit log: what an entry said goes, its commitment stays, and an entry says that it was erased.

The entry of the erasure names the numbers it emptied: an entry that is empty without being named was tampered with.
What a person did to somebody else's data stays, under an identifier that leads to nobody: who could see a record is
part of that record's own history.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from typing import Any

import sqlalchemy as sa

from lab39.core.text import NO_TEXT, Text
from lab39.store import belongings, privacy
from lab39.store.audit.log import ABOUT_BYTES, ERASABLE, Entry, append, log, subtrees, tree

ERASE = "erase"
RANGES = ABOUT_BYTES // 48
"""Ranges of numbers that one entry can name."""


def erase(
    tx: sa.Connection, person: str, *, at: dt.datetime, actor: str = "", subjects: Iterable[str] = ()
) -> tuple[Entry, ...]:
    """Empty the entries about a person; the entries that say so, none when there was nothing.

    Args:
        person: their own doings that concern nobody else, and what was done to them, are emptied.
        actor: who erases; empty for the lab itself.
        subjects: ids of records that are erased with the person; every entry about them is emptied.
    """
    theirs = sa.or_(
        log.c.subject.in_([person, *subjects]), sa.and_(log.c.actor == person, log.c.subject.in_(["", person]))
    )
    return _empty(tx, theirs, at=at, actor=actor, subject=person)


def forget(tx: sa.Connection, subject: str, *, at: dt.datetime, actor: str = "") -> tuple[Entry, ...]:
    """Empty the entries about one record, when its own time of retention has ended."""
    return _empty(tx, log.c.subject == subject, at=at, actor=actor, subject=subject)


def _empty(
    tx: sa.Connection, where: sa.ColumnElement[bool], *, at: dt.datetime, actor: str, subject: str
) -> tuple[Entry, ...]:
    here = sa.and_(where, log.c.action != ERASE)
    numbers = list(tx.scalars(sa.select(log.c.number).where(here).order_by(log.c.number)))
    if not numbers:
        return ()
    tx.execute(log.update().where(here).values({column.name: None for column in ERASABLE}))
    spans = ranges(numbers)
    return tuple(
        append(
            tx,
            at=at,
            actor=actor,
            action=ERASE,
            subject=subject,
            about={"entries": [list(span) for span in spans[i : i + RANGES]]},
        )
        for i in range(0, len(spans), RANGES)
    )


def ranges(numbers: Iterable[int]) -> list[tuple[int, int]]:
    """Ascending numbers as ``(first, last)`` ranges."""
    found: list[tuple[int, int]] = []
    for number in numbers:
        if found and number == found[-1][1] + 1:
            found[-1] = (found[-1][0], number)
        else:
            found.append((number, number))
    return found


def _of(person: str, records: Iterable[str]) -> sa.ColumnElement[bool]:
    return sa.or_(log.c.actor == person, log.c.subject.in_([person, *records]))


def _export(tx: sa.Connection, person: str) -> Iterator[dict[str, Any]]:
    records = [record.id for record in belongings.about(tx, person)]
    return privacy.rows(tx, log, _of(person, records))


def _erase(tx: sa.Connection, person: str, at: dt.datetime) -> Iterator[privacy.Outcome]:
    """Runs before the records go: those that are about the person and are not retained take their trail along."""
    going = [
        record.id
        for record in belongings.about(tx, person)
        if record.owner_id == person and (record.retain_until is None or record.retain_until <= at)
    ]
    said = erase(tx, person, at=at, subjects=going)
    erased = sum(last - first + 1 for entry in said for first, last in entry.about["entries"])
    count = sa.select(sa.func.count()).where(_of(person, ()), log.c.action != ERASE)
    kept = tx.scalar(count) or 0
    why = Text(
        "ce que la personne a fait sur les données d'autres reste traçable, sans nom\u202f; "
        "l'arbre d'audit reste vérifiable",
        "what the person did to other people's data stays traceable, without a name; "
        "the audit tree stays verifiable",
    )
    yield privacy.Outcome(PART.title, erased=erased, kept=kept, why=why if kept else NO_TEXT)


PART = privacy.Part(
    name="audit",
    title=Text("journal d'audit", "audit log"),
    tables=(log, subtrees, tree),
    export=_export,
    erase=_erase,
    order=30,
)
privacy.register(PART)
