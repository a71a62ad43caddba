"""Who may see a record besides its owner: granted by somebody, for a time, and kept when it is revoked."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

import sqlalchemy as sa

from lab39.core.errors import InputError, LabError
from lab39.core.text import Text
from lab39.store.engine import new_id
from lab39.store.records import StoredRecord, get, records, unknown
from lab39.store.schema import Instant, metadata

grants = sa.Table(
    "record_access",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("record_id", sa.ForeignKey("records.id", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("person_id", sa.ForeignKey("people.id"), nullable=False, index=True),
    sa.Column("level", sa.String(10), nullable=False),
    sa.Column("granted_by", sa.ForeignKey("people.id"), nullable=False),
    sa.Column("granted_at", Instant, nullable=False),
    sa.Column("until", Instant),
    sa.Column("revoked_at", Instant),
    sa.Column("revoked_by", sa.ForeignKey("people.id")),
    sa.Column("purpose", sa.Text),
    sa.Column("basis", sa.String(10)),
)


class Level(StrEnum):
    """What an access allows; each holds the ones before it. An owner has ``share``."""

    READ = "read"
    WRITE = "write"
    SHARE = "share"

    @property
    def rank(self) -> int:
        """0 for the narrowest."""
        return list(Level).index(self)


class Basis(StrEnum):
    """What allows somebody to be shown a record: what the person it is about said."""

    OWN = "own"
    """That person shares it themself, or it is shared with them."""
    TEAM = "team"
    """The same care team; the person was told, and did not object."""
    GIVEN = "given"
    """The person agreed, before it was shared."""


class AccessError(LabError):
    """The record may be seen, but not this."""


@dataclass(frozen=True, slots=True)
class Grant:
    """An access, in force or not.

    Attributes:
        until: its end, when it was given for a time.
        purpose: what it is for, in the words of whoever gave it; ``None`` when none was asked.
        basis: what allows it; ``None`` when none was asked.
    """

    id: str
    record_id: str
    person_id: str
    level: Level
    granted_by: str
    granted_at: dt.datetime
    until: dt.datetime | None
    revoked_at: dt.datetime | None
    revoked_by: str | None
    purpose: str | None = None
    basis: Basis | None = None

    def holds(self, at: dt.datetime) -> bool:
        """Whether it is in force at a moment."""
        return (
            self.granted_at <= at
            and (self.until is None or at < self.until)
            and (self.revoked_at is None or at < self.revoked_at)
        )


@dataclass(frozen=True, slots=True)
class Visible:
    """A record in somebody's list, and what they may do with it."""

    record: StoredRecord
    level: Level


def grant(
    tx: sa.Connection,
    record: str,
    person: str,
    level: Level,
    *,
    by: str,
    at: dt.datetime,
    until: dt.datetime | None = None,
    purpose: str | None = None,
    basis: Basis | None = None,
) -> Grant:
    """Let somebody see a record. Nobody gives more than they have. What a page does, with the consent of the person
    and the audit log, is :func:`lab39.store.sharing.share`.

    Raises:
        AccessError, UnknownRecordError: the one who grants may not.
        InputError: an end that is past.
    """
    require(tx, record, by, Level.SHARE, at=at)
    if until is not None and until <= at:
        raise InputError(Text("la fin de l'accès est déjà passée", "the end of the access is past"), "until")
    made = Grant(new_id(), record, person, level, by, at, until, None, None, purpose, basis)
    values = {name: getattr(made, name) for name in made.__dataclass_fields__}
    kinds = {"level": level.value, "basis": basis.value if basis is not None else None}
    tx.execute(grants.insert().values(values | kinds))
    return made


def revoke(tx: sa.Connection, record: str, person: str, *, by: str, at: dt.datetime) -> int:
    """End what a person was granted on a record; how many accesses were in force. Anyone may give up their own.

    Raises:
        AccessError, UnknownRecordError: the one who revokes may not.
    """
    if by != person:
        require(tx, record, by, Level.SHARE, at=at)
    here = sa.and_(grants.c.record_id == record, grants.c.person_id == person, _holding(at))
    return tx.execute(grants.update().where(here).values(revoked_at=at, revoked_by=by)).rowcount


def end(tx: sa.Connection, given: Grant, *, by: str, at: dt.datetime) -> None:
    """End one access, whoever asks: for the person it rests on (:mod:`lab39.store.sharing`)."""
    tx.execute(grants.update().where(grants.c.id == given.id).values(revoked_at=at, revoked_by=by))


def of(tx: sa.Connection, record: str) -> tuple[Grant, ...]:
    """Every access ever granted on a record, in order; ended ones are kept."""
    chosen = sa.select(grants).where(grants.c.record_id == record).order_by(grants.c.granted_at, grants.c.id)
    return tuple(_grant(row) for row in tx.execute(chosen).mappings())


def viewers(tx: sa.Connection, record: str, *, at: dt.datetime) -> tuple[str, ...]:
    """Ids of who may see a record at a moment: its owner first, then the others in the order they were let in."""
    found = [get(tx, record).owner_id, *(each.person_id for each in of(tx, record) if each.holds(at))]
    return tuple(dict.fromkeys(found))


def level(tx: sa.Connection, record: str, person: str, *, at: dt.datetime) -> Level | None:
    """What a person may do with a record; ``None`` when they may not see it."""
    return _levels(tx, [get(tx, record)], person, at).get(record)


def can_see(tx: sa.Connection, record: str, person: str, *, at: dt.datetime) -> bool:
    """Whether a person may see a record; a record that is not there is seen by nobody."""
    here = sa.and_(records.c.id == record, seen_by(person, at))
    return tx.execute(sa.select(records.c.id).where(here)).first() is not None


def require(tx: sa.Connection, record: str, person: str, needed: Level, *, at: dt.datetime) -> StoredRecord:
    """The record, if this person may do this with it.

    Raises:
        UnknownRecordError: they may not even see it; told as if it did not exist.
        AccessError: they may see it, and not do this.
    """
    found = get(tx, record)
    held = _levels(tx, [found], person, at).get(record)
    if held is None:
        raise unknown(record)
    if held.rank < needed.rank:
        raise AccessError(
            Text(
                "votre accès à ce dossier ne le permet pas\u202f; demander à son propriétaire",
                "your access to this record does not allow this; ask its owner",
            ),
            record,
        )
    return found


def visible_to(
    tx: sa.Connection, person: str, *, at: dt.datetime, words: str = "", limit: int = 50, offset: int = 0
) -> tuple[Visible, ...]:
    """The records a person may see at a moment, latest change first; ``words`` narrows by title or pseudonym."""
    chosen = sa.select(records).where(seen_by(person, at))
    if words:
        named = [sa.func.lower(c).contains(words.lower(), autoescape=True) for c in _NAMES]
        chosen = chosen.where(sa.or_(*named))
    chosen = chosen.order_by(records.c.changed_at.desc(), records.c.id).limit(limit).offset(offset)
    found = [StoredRecord(**row) for row in tx.execute(chosen).mappings()]
    levels = _levels(tx, found, person, at)
    return tuple(Visible(record, levels[record.id]) for record in found)


def seen_by(person: str, at: dt.datetime) -> sa.ColumnElement[bool]:
    """Rows of ``records`` that a person may see at a moment."""
    shared = sa.select(grants.c.record_id).where(grants.c.person_id == person, _holding(at))
    return sa.or_(records.c.owner_id == person, records.c.id.in_(shared))


_NAMES = (records.c.title, records.c.pseudonym)


def _levels(tx: sa.Connection, found: Iterable[StoredRecord], person: str, at: dt.datetime) -> dict[str, Level]:
    owners = {record.id: record.owner_id for record in found}
    held = {record: Level.SHARE for record, owner in owners.items() if owner == person}
    chosen = sa.select(grants.c.record_id, grants.c.level).where(
        grants.c.person_id == person, grants.c.record_id.in_(owners), _holding(at)
    )
    for record, given in tx.execute(chosen):
        held[record] = max(held.get(record, Level.READ), Level(given), key=lambda each: each.rank)
    return held


def _holding(at: dt.datetime) -> sa.ColumnElement[bool]:
    return sa.and_(
        grants.c.granted_at <= at,
        sa.or_(grants.c.until.is_(None), grants.c.until > at),
        sa.or_(grants.c.revoked_at.is_(None), grants.c.revoked_at > at),
    )


def _grant(row: sa.RowMapping) -> Grant:
    basis = Basis(row["basis"]) if row["basis"] is not None else None
    return Grant(**{**row, "level": Level(row["level"]), "basis": basis})
