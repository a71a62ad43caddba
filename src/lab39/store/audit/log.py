"""The audit log: entries that are only added, numbered from 1 without a gap, each a leaf of one Merkle tree.

An entry is added inside the caller's own transaction: what happened and its trace are saved together or not at all.
Adding locks the one row that holds the tree's size and frontier until the transaction ends: add it last.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from lab39.core.errors import LabError, UnknownNameError
from lab39.core.text import Text
from lab39.store.audit import merkle
from lab39.store.audit.actions import action as known_action
from lab39.store.audit.commitments import CanonicalError, canonical, commit, new_salt
from lab39.store.schema import Instant, Serial, metadata

ABOUT_BYTES = 4096
ID = re.compile(r"[!-~]{0,64}")
TILE_LEVELS = 8
"""Roots of complete subtrees are kept at every eighth level: a proof reads some hundred rows, whatever the size."""

log = sa.Table(
    "audit_entries",
    metadata,
    sa.Column("number", Serial, primary_key=True, autoincrement=False),
    sa.Column("commitment", sa.LargeBinary, nullable=False),
    sa.Column("salt", sa.LargeBinary),
    sa.Column("entry", sa.Text),
    sa.Column("at", Instant),
    sa.Column("actor", sa.String(64)),
    sa.Column("action", sa.String(60)),
    sa.Column("subject", sa.String(64)),
    sa.Index("ix_audit_entries_subject_number", "subject", "number"),
    sa.Index("ix_audit_entries_actor_number", "actor", "number"),
)

subtrees = sa.Table(
    "audit_subtrees",
    metadata,
    sa.Column("level", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("position", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("hash", sa.LargeBinary, nullable=False),
)

tree = sa.Table(
    "audit_tree",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("log", sa.String(32), nullable=False),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("frontier", sa.LargeBinary, nullable=False),
)

ERASABLE = (log.c.salt, log.c.entry, log.c.at, log.c.actor, log.c.action, log.c.subject)
"""What erasure empties; number and commitment stay."""


class AuditError(LabError):
    """The audit log is not in a state in which this may be done."""


class UnknownEntryError(UnknownNameError):
    """No entry has this number, or what it said was erased."""


@dataclass(frozen=True, slots=True)
class Entry:
    """Something that happened.

    Attributes:
        number: its place in the log, from 1.
        actor: who did it: the id of a person, or of a system; empty for the lab itself.
        subject: whom or what it was done to: the id of a person or a record; may be empty.
        about: what else is to be known: ids, codes, counts; never health data, names or addresses.
        salt: what the commitment was made with; whoever has it can check the entry.
    """

    number: int
    at: dt.datetime
    actor: str
    action: str
    subject: str
    about: Mapping[str, Any]
    salt: bytes = field(repr=False)

    @property
    def text(self) -> bytes:
        """The canonical JSON that is committed to."""
        return _text(self.number, self.at, self.actor, self.action, self.subject, self.about)

    @property
    def commitment(self) -> bytes:
        """What stands in the tree."""
        return commit(self.salt, self.text)


@dataclass(frozen=True, slots=True)
class Row:
    """An entry as it is stored; all is ``None`` but number and commitment when it was erased."""

    number: int
    commitment: bytes
    salt: bytes | None
    entry: str | None
    at: dt.datetime | None
    actor: str | None
    action: str | None
    subject: str | None


@dataclass(frozen=True, slots=True)
class Tree:
    """Where the log stands.

    Attributes:
        log: identifier of this log, given when the database was made.
    """

    log: str
    frontier: merkle.Frontier

    @property
    def size(self) -> int:
        """Number of entries, erased ones included."""
        return self.frontier.size

    @property
    def root(self) -> bytes:
        """Root of the tree of all entries."""
        return self.frontier.root()


def append(
    tx: sa.Connection,
    *,
    at: dt.datetime,
    actor: str,
    action: str,
    subject: str = "",
    about: Mapping[str, Any] | None = None,
) -> Entry:
    """Add an entry, in the caller's transaction.

    Args:
        actor: id of who did it; empty for the lab itself.
        action: one of :func:`~lab39.store.audit.actions.actions`, or ``solution.action``.
        subject: id of the person or record it was done to.
        about: ids, codes and counts; texts, integers, booleans, null, lists and mappings. No health data.

    Raises:
        UnknownActionError, CanonicalError: the entry cannot be written; nothing was.
        AuditError: the log is damaged.
    """
    known_action(action)
    if at.tzinfo is None:
        raise ValueError("a moment without a time zone")
    found = _locked(tx)
    entry = Entry(found.size + 1, at.astimezone(dt.UTC), actor, action, subject, dict(about or {}), new_salt())
    text = entry.text
    _check(entry)
    commitment = commit(entry.salt, text)
    frontier, made = found.frontier.append(merkle.leaf_hash(commitment))
    values = {
        "number": entry.number,
        "commitment": commitment,
        "salt": entry.salt,
        "entry": text.decode(),
        "at": entry.at,
        "actor": actor,
        "action": action,
        "subject": subject,
    }
    tx.execute(_ADD, values)
    kept = [node for node in made if node.level % TILE_LEVELS == 0]
    if kept:
        rows = [{"level": n.level, "position": n.position, "hash": n.hash} for n in kept]
        tx.execute(subtrees.insert(), rows)
    tx.execute(_GROW, {"size": frontier.size, "frontier": frontier.to_bytes()})
    return entry


def state(tx: sa.Connection) -> Tree:
    """Where the log stands.

    Raises:
        AuditError: the row that says it is absent or damaged.
    """
    return _state(tx.execute(sa.select(tree).where(tree.c.id == 1)).mappings().one_or_none())


def get(tx: sa.Connection, number: int) -> Entry:
    """One entry.

    Raises:
        UnknownEntryError: there is none of that number, or what it said was erased.
    """
    found = row(tx, number)
    if found.salt is None:
        raise UnknownEntryError(
            Text(
                "cette entrée a été effacée\u202f; seule sa place dans l'arbre demeure",
                "this entry was erased; only its place in the tree is left",
            ),
            str(number),
        )
    return entry_of(found)


def entries(
    tx: sa.Connection,
    *,
    subject: str | None = None,
    actor: str | None = None,
    action: str | None = None,
    before: int | None = None,
    limit: int = 50,
) -> tuple[Entry, ...]:
    """What happened, latest first; erased entries are in no such list.

    Args:
        subject: only what was done to this person or record.
        before: only entries with a smaller number (the next page).
    """
    chosen = sa.select(log).where(log.c.salt.is_not(None)).order_by(log.c.number.desc()).limit(limit)
    for column, value in ((log.c.subject, subject), (log.c.actor, actor), (log.c.action, action)):
        if value is not None:
            chosen = chosen.where(column == value)
    if before is not None:
        chosen = chosen.where(log.c.number < before)
    return tuple(entry_of(Row(**found)) for found in tx.execute(chosen).mappings())


def row(tx: sa.Connection, number: int) -> Row:
    """One stored entry, erased or not.

    Raises:
        UnknownEntryError
    """
    found = tx.execute(sa.select(log).where(log.c.number == number)).mappings().one_or_none()
    if found is None:
        raise UnknownEntryError(Text("aucune entrée de ce numéro", "no entry of this number"), str(number))
    return Row(**found)


def rows(tx: sa.Connection, *, after: int = 0, where: Iterable[sa.ColumnElement[bool]] = ()) -> Iterator[Row]:
    """Stored entries in order, read as they are needed."""
    chosen = sa.select(log).where(log.c.number > after, *where).order_by(log.c.number)
    for found in tx.execute(chosen.execution_options(yield_per=2000)):
        yield Row(*found)


def entry_of(found: Row) -> Entry:
    """The entry a stored row holds.

    Raises:
        AuditError: it is not that of an entry.
    """
    try:
        said = json.loads(found.entry or "")
        at = dt.datetime.fromisoformat(said["at"])
        return Entry(
            said["number"], at, said["actor"], said["action"], said["subject"], said["about"], found.salt or b""
        )
    except (ValueError, KeyError, TypeError) as error:
        raise damaged(str(found.number)) from error


def range_root(tx: sa.Connection, start: int, end: int) -> bytes:
    """Root of the leaves ``start`` to ``end - 1``, with the kept subtrees' help.

    Args:
        start: where a subtree of that many leaves may start, as in every proof.

    Raises:
        AuditError: entries or subtrees are absent.
    """
    count = end - start
    level = 0
    if count.bit_count() == 1:
        level = (count.bit_length() - 1) // TILE_LEVELS * TILE_LEVELS
    elif count > 1 << TILE_LEVELS:
        middle = start + (1 << (count.bit_length() - 1))
        return merkle.node_hash(range_root(tx, start, middle), range_root(tx, middle, end))
    if level:
        first, last = start >> level, end >> level
        here = sa.and_(subtrees.c.level == level, subtrees.c.position >= first, subtrees.c.position < last)
        hashes = list(tx.scalars(sa.select(subtrees.c.hash).where(here).order_by(subtrees.c.position)))
    else:
        chosen = sa.select(log.c.commitment).where(log.c.number > start, log.c.number <= end)
        hashes = [merkle.leaf_hash(found) for found in tx.scalars(chosen.order_by(log.c.number))]
    if len(hashes) != count >> level:
        raise damaged(f"{start + 1}–{end}")
    return merkle.root(hashes)


def damaged(place: str) -> AuditError:
    """The error for a log that contradicts itself."""
    return AuditError(
        Text(
            "le journal d'audit est abîmé ici\u202f: lancer «\u202flab39 audit verify\u202f»",
            "the audit log is damaged here: run “lab39 audit verify”",
        ),
        f"audit {place}",
    )


def _locked(tx: sa.Connection) -> Tree:
    """Where the log stands; nobody else adds to it until the transaction ends."""
    return _state(tx.execute(_LOCK).mappings().one_or_none())


_ADD = log.insert()
_GROW = tree.update().where(tree.c.id == 1)
_LOCK = sa.select(tree).where(tree.c.id == 1).with_for_update()
"""Made once: making a statement costs as much as running it."""


def _state(found: sa.RowMapping | None) -> Tree:
    if found is None:
        raise damaged("audit_tree")
    try:
        return Tree(found["log"], merkle.Frontier.from_bytes(found["size"], bytes(found["frontier"])))
    except (ValueError, TypeError) as error:
        raise damaged("audit_tree") from error


def _text(number: int, at: dt.datetime, actor: str, action: str, subject: str, about: Mapping[str, Any]) -> bytes:
    return canonical(
        {"number": number, "at": moment(at), "actor": actor, "action": action, "subject": subject, "about": about}
    )


def moment(at: dt.datetime) -> str:
    """A moment as entries and heads write it: UTC, to the microsecond."""
    return at.astimezone(dt.UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _check(entry: Entry) -> None:
    for name, value in (("actor", entry.actor), ("subject", entry.subject)):
        if not ID.fullmatch(value):
            raise CanonicalError(
                Text(
                    "un identifiant est attendu\u202f: 64 caractères ASCII au plus, sans espace",
                    "an identifier is expected: 64 ASCII characters at most, no space",
                ),
                name,
            )
    if len(canonical(entry.about)) > ABOUT_BYTES:
        raise CanonicalError(
            Text(
                f"plus de {ABOUT_BYTES} octets\u202f: des identifiants et des comptes, pas des contenus",
                f"over {ABOUT_BYTES} bytes: identifiers and counts, not contents",
            ),
            "about",
        )
