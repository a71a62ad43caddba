"""Signals kept in the lab: opened, decided, commented; every entry is in the signed audit log, none is ever edited.

Two assessors at once: a decision names the last decision its author had seen. When another was taken meanwhile the
second is told so (:class:`OvertakenError`) and nothing of theirs is written; comments and cases never collide.
What is sent twice is kept once.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from lab39.core.context import Transaction
from lab39.core.errors import LabError, UnknownNameError
from lab39.core.text import Text
from lab39.solutions.signals import board
from lab39.solutions.signals.board import Entry
from lab39.solutions.signals.board_tables import entries, signals
from lab39.store.engine import new_id

RECOMMENDED, REOPENED = "signals.recommended", "signals.reopened"
"""Topics of the lab's events: a recommendation was made; a signal that had one is worked on again."""


class UnknownSignalError(UnknownNameError):
    """No signal has this identifier."""


class OvertakenError(LabError):
    """Somebody else decided on this signal meanwhile; nothing was saved."""


@dataclass(frozen=True, slots=True)
class Signal:
    """A drug-event pair on the board.

    Attributes:
        priority: code of the last priority given; empty before.
        last: number of its last entry; ``decided``, of the last that moved it or opened it.
    """

    id: str
    drug: str
    event: str
    state: str
    priority: str
    opened_at: dt.datetime
    opened_by: str
    changed_at: dt.datetime
    last: int
    decided: int

    @property
    def ended(self) -> bool:
        """Whether it is refuted or closed."""
        return board.state(self.state).ended


@dataclass(frozen=True, slots=True)
class Kept:
    """What was sent: kept now, or there already."""

    signal: str
    number: int
    new: bool


def open_signal(
    tx: Transaction, drug: str, event: str, *, reason: str, details: Mapping[str, Any] | None = None
) -> Kept:
    """Put a pair on the board; a pair that is there already is left as it is.

    Args:
        details: the run and its figures at that time, see :mod:`lab39.solutions.signals.board_figures`.

    Raises:
        InputError: a name or a reason is absent.
    """
    drug = board.name_of(drug, "drug", Text("écrire le médicament", "write the drug"))
    event = board.name_of(event, "event", Text("écrire l'événement", "write the event"))
    reason = board.words(reason)
    mine, key, start = new_id(), board.key(drug, event), next(iter(board.workflow().states))
    row: dict[str, Any] = {"id": mine, "key": key, "drug": drug, "event": event, "state": start, "priority": ""}
    row |= {"opened_at": tx.at, "opened_by": tx.actor, "changed_at": tx.at, "last": 1, "decided": 1}
    tx.connection.execute(_dialect(tx).insert(signals).values(**row).on_conflict_do_nothing(index_elements=["key"]))
    found = tx.connection.execute(sa.select(signals.c.id).where(signals.c.key == key)).scalar_one()
    if found != mine:
        return Kept(found, 1, new=False)
    entry = _entry(tx, 1, board.OPENED, reason, "", start, details or {})
    _write(tx, mine, entry, key=_key(mine, entry, 0))
    return Kept(mine, 1, new=True)


def decide(
    tx: Transaction,
    signal: str,
    move: str,
    *,
    seen: int,
    reason: str,
    given: Mapping[str, Any] | None = None,
    details: Mapping[str, Any] | None = None,
) -> Kept:
    """Take a decision: the signal moves, the reason is kept and signed; a recommendation is published.

    Args:
        seen: number of the last decision that whoever decides had before their eyes.
        given: what the move needs, see :func:`lab39.solutions.signals.board.decide`.
        details: kept beside it: the run of that day and its figures.

    Raises:
        UnknownSignalError
        OvertakenError: another decision came first.
        UnknownNameError, ForbiddenMoveError, InputError: see :func:`lab39.solutions.signals.board.decide`.
    """
    found = get(tx.connection, signal, lock=True)
    told = history(tx.connection, signal)
    wanted = {"kind": move, "reason": board.words(reason), **(given or {})}
    if again := _same(told, tx.actor, seen, wanted):
        return Kept(signal, again, new=False)
    if found.decided != seen:
        raise overtaken(found, told)
    done = board.decide(found.state, move, reason=reason, given=given, history=told)
    number = found.last + 1
    entry = _entry(
        tx, number, move, done.reason, done.before, done.after, {**(details or {}), **done.details, "seen": seen}
    )
    changed = {"state": done.after, "changed_at": tx.at, "last": number, "decided": number}
    changed["priority"] = done.details.get("priority", found.priority)
    here = sa.and_(signals.c.id == signal, signals.c.decided == seen, signals.c.last == found.last)
    if not tx.connection.execute(signals.update().where(here).values(**changed)).rowcount:
        raise overtaken(get(tx.connection, signal), history(tx.connection, signal))
    _write(tx, signal, entry, key=_key(signal, entry, seen))
    _publish(tx, found, entry, told)
    return Kept(signal, number, new=True)


def comment(tx: Transaction, signal: str, said: str, *, seen: int) -> Kept:
    """Add a comment, which moves nothing.

    Raises:
        UnknownSignalError
        InputError: no words.
    """
    said = board.words(said, place="comment", absent=Text("écrire le commentaire", "write the comment"))
    return add(tx, signal, board.COMMENT, said, {}, seen=seen)


def add(tx: Transaction, signal: str, kind: str, reason: str, details: Mapping[str, Any], *, seen: int) -> Kept:
    """Add an entry that moves nothing: a comment, the form of a case, the figures of a new run.

    Args:
        seen: number of the last entry of the page it was sent from; sent twice from there, it is kept once.

    Raises:
        UnknownSignalError
    """
    found = get(tx.connection, signal, lock=True)
    entry = _entry(tx, found.last + 1, kind, reason, found.state, found.state, details)
    key = _key(signal, entry, seen)
    there = tx.connection.execute(sa.select(entries.c.number).where(entries.c.key == key)).scalar()
    if there is not None:
        return Kept(signal, there, new=False)
    changed = {"last": entry.number, "changed_at": tx.at}
    tx.connection.execute(signals.update().where(signals.c.id == signal).values(**changed))
    _write(tx, signal, entry, key=key)
    return Kept(signal, entry.number, new=True)


def get(tx: sa.Connection, signal: str, *, lock: bool = False) -> Signal:
    """A signal.

    Args:
        lock: others who write to it wait until the transaction ends.

    Raises:
        UnknownSignalError
    """
    chosen = sa.select(*_SHOWN).where(signals.c.id == signal)
    row = tx.execute(chosen.with_for_update() if lock else chosen).mappings().one_or_none()
    if row is None:
        raise UnknownSignalError(Text("signal introuvable", "no such signal"), signal[:40])
    return Signal(**row)


def of_pair(tx: sa.Connection, drug: str, event: str) -> Signal | None:
    """The signal of a pair, if it is on the board."""
    row = tx.execute(sa.select(*_SHOWN).where(signals.c.key == board.key(drug, event))).mappings().one_or_none()
    return None if row is None else Signal(**row)


def history(tx: sa.Connection, signal: str) -> tuple[Entry, ...]:
    """Everything that was written on a signal, in order."""
    chosen = sa.select(*(c for c in entries.c if c.name not in ("signal_id", "key")))
    rows = tx.execute(chosen.where(entries.c.signal_id == signal).order_by(entries.c.number)).mappings()
    return tuple(Entry(**row) for row in rows)


def first_details(tx: sa.Connection, shown: Iterable[Signal]) -> dict[str, Mapping[str, Any]]:
    """What signals were opened with, by id."""
    here = sa.and_(entries.c.number == 1, entries.c.signal_id.in_([each.id for each in shown]))
    return dict(tx.execute(sa.select(entries.c.signal_id, entries.c.details).where(here)).all())


def find(
    tx: sa.Connection,
    *,
    states: tuple[str, ...] = (),
    text: str = "",
    mine: str = "",
    priority: str = "",
    limit: int = 100,
    offset: int = 0,
) -> tuple[Signal, ...]:
    """Signals, the last changed first.

    Args:
        states: only in these; all when empty.
        text: a part of the drug's or of the event's name.
        mine: only those that this person opened or wrote on.
    """
    chosen = sa.select(*_SHOWN).where(*_filters(states, text, mine, priority))
    rows = tx.execute(chosen.order_by(signals.c.changed_at.desc(), signals.c.id).limit(limit).offset(offset))
    return tuple(Signal(**row) for row in rows.mappings())


def counts(tx: sa.Connection, *, text: str = "", mine: str = "", priority: str = "") -> dict[str, int]:
    """How many signals are in each state, in the order of the workflow."""
    chosen = sa.select(signals.c.state, sa.func.count()).where(*_filters((), text, mine, priority))
    found: dict[str, int] = dict(tx.execute(chosen.group_by(signals.c.state)).all())
    return {name: found.get(name, 0) for name in board.workflow().states}


def overtaken(found: Signal, told: tuple[Entry, ...]) -> OvertakenError:
    """The error for whoever decides second, naming what the first did."""
    last = next(each for each in reversed(told) if each.number == found.decided)
    done = board.move(last.kind).done if last.kind in board.workflow().moves else Text("ouvert", "opened")
    return OvertakenError(
        Text(
            f"quelqu'un a décidé entre-temps («\u202f{done.fr}\u202f»)\u202f: rien n'est enregistré. Relire, "
            "puis décider\u202f; votre texte est resté dans le formulaire",
            f"somebody decided meanwhile (“{done.en}”): nothing was saved. Read again, then decide; "
            "your words are still in the form",
        ),
        "reason",
    )


def _entry(
    tx: Transaction, number: int, kind: str, reason: str, before: str, after: str, details: Mapping[str, Any]
) -> Entry:
    return Entry(
        number=number,
        kind=kind,
        at=tx.at,
        by=tx.actor,
        reason=reason,
        before=before,
        after=after,
        details=dict(details),
    )


def _write(tx: Transaction, signal: str, entry: Entry, *, key: str) -> None:
    """The entry, and its digest in the audit log."""
    row = {name: getattr(entry, name) for name in Entry.__dataclass_fields__}
    tx.connection.execute(entries.insert().values(signal_id=signal, key=key, **row))
    about: dict[str, Any] = {"entry": entry.number, "sha256": entry.digest(signal)}
    if entry.before != entry.after:
        about |= {"before": entry.before, "after": entry.after}
    tx.audit(f"signals.{entry.kind}", about, subject=signal)


def _publish(tx: Transaction, signal: Signal, entry: Entry, told: tuple[Entry, ...]) -> None:
    about: dict[str, Any] = {"signal": signal.id, "drug": signal.drug, "event": signal.event, "entry": entry.number}
    if entry.kind == "recommend":
        about |= {
            "recommendations": entry.details["recommendations"],
            "conclusion": next(
                (each.details["conclusion"] for each in reversed(told) if "conclusion" in each.details), ""
            ),
            "priority": signal.priority,
            "run": entry.details.get("run", ""),
            "synthetic": entry.details.get("synthetic", False),
        }
        tx.publish(RECOMMENDED, about, subject=signal.id)
    elif entry.kind == "reopen" and any(each.kind == "recommend" for each in told):
        tx.publish(REOPENED, about, subject=signal.id)


def _same(told: tuple[Entry, ...], by: str, seen: int, wanted: Mapping[str, Any]) -> int | None:
    """The entry that this very decision made when it was first sent."""
    for each in told:
        sent = {"kind": each.kind, "reason": each.reason} | {
            name: value for name, value in each.details.items() if name in wanted
        }
        if each.by == by and each.details.get("seen") == seen and sent == dict(wanted):
            return each.number
    return None


def _key(signal: str, entry: Entry, seen: int) -> str:
    said = [signal, entry.by, entry.kind, entry.reason, entry.details, seen]
    return hashlib.sha256(json.dumps(said, ensure_ascii=False, sort_keys=True).encode()).hexdigest()


def _filters(states: tuple[str, ...], text: str, mine: str, priority: str) -> list[sa.ColumnElement[bool]]:
    where: list[sa.ColumnElement[bool]] = []
    if states:
        where.append(signals.c.state.in_(states))
    for word in text.lower().split():
        named = sa.func.lower(signals.c.drug + " " + signals.c.event)
        where.append(named.contains(word, autoescape=True))
    if mine:
        where.append(signals.c.id.in_(sa.select(entries.c.signal_id).where(entries.c.by == mine)))
    if priority:
        where.append(signals.c.priority == priority)
    return where


def _dialect(tx: Transaction) -> Any:
    return postgresql if tx.connection.dialect.name == "postgresql" else sqlite


_SHOWN = [column for column in signals.c if column.name != "key"]
