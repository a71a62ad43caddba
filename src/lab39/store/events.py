"""Events: what happened in the lab, in one order, never changed; and how far each subscriber has heard.

Sequence numbers have no gap and follow the order of commits: publishing takes the next number from one row, which
it holds until its transaction ends. So a number that is seen means that every smaller one is seen too, and a
subscriber's place is one number. Publish late in a transaction, before the audit entry: others wait meanwhile.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from lab39.core.errors import InputError, UnknownNameError
from lab39.core.text import NO_TEXT, Text
from lab39.store import belongings, privacy
from lab39.store.jobs import check_fits, check_json
from lab39.store.schema import Instant, Json, Serial, metadata

events = sa.Table(
    "events",
    metadata,
    sa.Column("sequence", Serial, primary_key=True, autoincrement=False),
    sa.Column("topic", sa.String(100), nullable=False),
    sa.Column("at", Instant, nullable=False),
    sa.Column("actor", sa.String(64), nullable=False, index=True),
    sa.Column("subject", sa.String(64), nullable=False, index=True),
    sa.Column("payload", Json),
    sa.Index("ix_events_topic_sequence", "topic", "sequence"),
)

head = sa.Table(
    "event_head",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("last", sa.BigInteger, nullable=False),
)

cursors = sa.Table(
    "event_cursors",
    metadata,
    sa.Column("subscriber", sa.String(120), primary_key=True),
    sa.Column("acknowledged", sa.BigInteger, nullable=False),
)

TOPIC = re.compile(r"[a-z][a-z0-9-]*(\.[a-z][a-z0-9-]*)+")
PATTERN = re.compile(r"\*|[a-z][a-z0-9-]*(\.[a-z][a-z0-9-]*)*\.\*")


class UnknownEventError(UnknownNameError):
    """No event has this number."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened.

    Attributes:
        sequence: its number, from 1, without gaps.
        topic: ``<who>.<what>`` (``skin.case-answered``).
        actor: id of who did it; empty for the lab itself.
        subject: id of the person or record it is about; may be empty.
        payload: ids, codes, counts; ``None`` once it was erased with a person.
    """

    sequence: int
    topic: str
    at: dt.datetime
    actor: str
    subject: str
    payload: Mapping[str, Any] | None


def publish(
    tx: sa.Connection,
    topic: str,
    payload: Mapping[str, Any],
    *,
    at: dt.datetime,
    actor: str = "",
    subject: str = "",
) -> Event:
    """Tell that something happened; it is heard of when the caller's transaction is saved.

    Args:
        topic: ``<who>.<what>``, lower case.
        payload: ids, codes and counts, JSON; clinical content stays in the record the event names.
        actor, subject: ids of people or records.

    Raises:
        InputError: a topic or a payload that cannot be one.
    """
    check(topic, payload)
    check_fits(events, actor=actor, subject=subject)
    taken = head.update().where(head.c.id == 1).values(last=head.c.last + 1).returning(head.c.last)
    made = Event(tx.execute(taken).scalar_one(), topic, at, actor, subject, dict(payload))
    tx.execute(events.insert().values({name: getattr(made, name) for name in made.__dataclass_fields__}))
    return made


def check(topic: str, payload: Mapping[str, Any]) -> None:
    """Refuse a topic or a payload that cannot be one.

    Raises:
        InputError
    """
    if len(topic) > 100 or not TOPIC.fullmatch(topic):
        raise InputError(Text("un sujet s'écrit «\u202fqui.quoi\u202f»", "a topic reads “who.what”"), topic[:100])
    check_json(payload, topic)


def get(tx: sa.Connection, sequence: int) -> Event:
    """One event.

    Raises:
        UnknownEventError
    """
    row = tx.execute(sa.select(events).where(events.c.sequence == sequence)).mappings().one_or_none()
    if row is None:
        raise UnknownEventError(Text("aucun événement de ce numéro", "no event of this number"), str(sequence))
    return Event(**row)


def last(tx: sa.Connection) -> int:
    """Number of the last event; 0 before the first."""
    return int(tx.execute(sa.select(head.c.last).where(head.c.id == 1)).scalar_one())


def find(
    tx: sa.Connection,
    *,
    topics: Sequence[str] = ("*",),
    subject: str | None = None,
    after: int = 0,
    limit: int = 50,
) -> tuple[Event, ...]:
    """Events in order, those after a number.

    Raises:
        InputError: a topic that cannot be one.
    """
    chosen = sa.select(events).where(events.c.sequence > after, matching(topics))
    if subject is not None:
        chosen = chosen.where(events.c.subject == subject)
    return tuple(Event(**row) for row in tx.execute(chosen.order_by(events.c.sequence).limit(limit)).mappings())


def subscribe(tx: sa.Connection, subscriber: str, *, from_start: bool = True) -> bool:
    """Keep a subscriber's place; whether it is new. One that is known keeps the place it has."""
    place = 0 if from_start else last(tx)
    dialect = postgresql if tx.dialect.name == "postgresql" else sqlite
    row = dialect.insert(cursors).values(subscriber=subscriber, acknowledged=place)
    return bool(tx.execute(row.on_conflict_do_nothing(index_elements=["subscriber"])).rowcount)


def pull(tx: sa.Connection, subscriber: str, topics: Sequence[str], limit: int = 20) -> tuple[Event, ...]:
    """The next events of a subscriber, in order; the same again until they are acknowledged.

    In a writing transaction the subscriber's place is held until its end: another worker that pulls for it
    meanwhile is given nothing.

    Raises:
        UnknownNameError: nobody subscribed under this name.
        InputError: a topic that cannot be one.
    """
    at = place(tx, subscriber)
    return () if at is None else find(tx, topics=topics, after=at, limit=limit)


def ack(tx: sa.Connection, subscriber: str, sequence: int) -> None:
    """Keep that a subscriber is done with everything up to a number; its place never goes back."""
    here = sa.and_(cursors.c.subscriber == subscriber, cursors.c.acknowledged < sequence)
    tx.execute(cursors.update().where(here).values(acknowledged=sequence))


def acknowledged(tx: sa.Connection) -> dict[str, int]:
    """The place of each subscriber."""
    return dict(tx.execute(sa.select(cursors.c.subscriber, cursors.c.acknowledged)).all())


def unsubscribe(tx: sa.Connection, subscriber: str) -> bool:
    """Forget a subscriber's place; whether it had one."""
    return bool(tx.execute(cursors.delete().where(cursors.c.subscriber == subscriber)).rowcount)


def matching(topics: Sequence[str]) -> sa.ColumnElement[bool]:
    """Rows of these topics: whole ones, ``skin.*``, or ``*`` for all.

    Raises:
        InputError: a topic that cannot be one.
    """
    for topic in topics:
        if not TOPIC.fullmatch(topic) and not PATTERN.fullmatch(topic):
            raise InputError(
                Text(
                    "«\u202fqui.quoi\u202f», «\u202fqui.*\u202f» ou «\u202f*\u202f»", "“who.what”, “who.*” or “*”"
                ),
                topic[:100],
            )
    if "*" in topics:
        return sa.true()
    whole = [topic for topic in topics if not topic.endswith("*")]
    begun = [topic[:-1] for topic in topics if topic.endswith("*")]
    return sa.or_(
        events.c.topic.in_(whole), *(events.c.topic.startswith(start, autoescape=True) for start in begun)
    )


def place(tx: sa.Connection, subscriber: str) -> int | None:
    """Up to where a subscriber has heard; held until a writing transaction ends. ``None``: another worker holds it.

    Raises:
        UnknownNameError: nobody subscribed under this name.
    """
    chosen = sa.select(cursors.c.acknowledged).where(cursors.c.subscriber == subscriber)
    if not tx.get_execution_options().get("postgresql_readonly"):
        chosen = chosen.with_for_update(skip_locked=True)
    found: int | None = tx.scalar(chosen)
    if found is None and subscriber not in acknowledged(tx):
        raise UnknownNameError(Text("aucun abonné de ce nom", "nobody subscribed under this name"), subscriber)
    return found


def _theirs(person: str, records: Sequence[str]) -> sa.ColumnElement[bool]:
    """About the person or their records, or their own doings that concern nobody else."""
    alone = sa.and_(events.c.actor == person, events.c.subject == "")
    return sa.or_(events.c.subject.in_([person, *records]), alone)


def _export(tx: sa.Connection, person: str) -> Iterator[dict[str, Any]]:
    """What they did to somebody else's data is listed without what it said."""
    records = [record.id for record in belongings.about(tx, person)]
    theirs = _theirs(person, records)
    yield from privacy.rows(tx, events, theirs)
    for row in privacy.rows(tx, events, events.c.actor == person, sa.not_(theirs)):
        yield {name: value for name, value in row.items() if name != "payload"}


def _erase(tx: sa.Connection, person: str, at: dt.datetime) -> Iterator[privacy.Outcome]:
    """Runs before the records go: what was said of them goes along with those that are not retained."""
    going = [
        record.id
        for record in belongings.about(tx, person)
        if record.owner_id == person and (record.retain_until is None or record.retain_until <= at)
    ]
    full = sa.and_(_theirs(person, going), events.c.payload.is_not(None))
    erased = tx.execute(events.update().where(full).values(payload=sa.null())).rowcount
    known = sa.or_(events.c.actor == person, events.c.subject == person)
    kept = tx.scalar(sa.select(sa.func.count()).where(known)) or 0
    why = Text(
        "que cela a eu lieu reste, sans nom\u202f; ce que cela disait est effacé",
        "that it happened stays, without a name; what it said is erased",
    )
    yield privacy.Outcome(PART.title, erased=erased, kept=kept, why=why if kept else NO_TEXT)


PART = privacy.Part(
    name="events",
    title=Text("événements", "events"),
    tables=(events, head, cursors),
    export=_export,
    erase=_erase,
    order=30,
)
privacy.register(PART)
