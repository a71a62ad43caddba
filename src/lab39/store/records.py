"""Records kept for people: every version as the exact text that came, under a generated pseudonym.

Lists show the pseudonym. The name of the person it is about stands only inside the document.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import sqlalchemy as sa

from lab39.core.errors import InputError, LabError, UnknownNameError
from lab39.core.text import Text
from lab39.store import blobs
from lab39.store.engine import new_id
from lab39.store.schema import Instant, metadata

records = sa.Table(
    "records",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("pseudonym", sa.String(40), nullable=False, unique=True),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("owner_id", sa.ForeignKey("people.id"), nullable=False, index=True),
    sa.Column("subject_id", sa.ForeignKey("people.id"), index=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("changed_at", Instant, nullable=False),
    sa.Column("retain_until", Instant),
)

versions = sa.Table(
    "record_versions",
    metadata,
    sa.Column("record_id", sa.ForeignKey("records.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("document", sa.Text, nullable=False),
    sa.Column("sha256", sa.String(64), nullable=False),
    sa.Column("at", Instant, nullable=False),
    sa.Column("by", sa.ForeignKey("people.id"), nullable=False),
)

TITLE_MAX = 200


class UnknownRecordError(UnknownNameError):
    """No such record, or none that this person may see: the two are told alike."""


class StaleVersionError(LabError):
    """Somebody wrote a newer version meanwhile; nothing was saved."""


class DamagedError(LabError):
    """What is kept is no longer what was written."""


@dataclass(frozen=True, slots=True)
class StoredRecord:
    """One record, without its document.

    Attributes:
        pseudonym: generated; what lists show.
        title: given by its owner, may be empty; asked to hold no name.
        subject_id: the person it is about, when they have an account here.
        version: number of the latest version, from 1.
        retain_until: it must be kept until then, even when somebody asks for erasure.
    """

    id: str
    pseudonym: str
    title: str
    owner_id: str
    subject_id: str | None
    version: int
    created_at: dt.datetime
    changed_at: dt.datetime
    retain_until: dt.datetime | None


@dataclass(frozen=True, slots=True)
class Version:
    """One version: ``document`` is the text that came, to the byte."""

    record_id: str
    number: int
    document: str
    sha256: str
    at: dt.datetime
    by: str


@dataclass(frozen=True, slots=True)
class VersionHead:
    """A version without its document."""

    record_id: str
    number: int
    sha256: str
    at: dt.datetime
    by: str


def add(
    tx: sa.Connection,
    document: str,
    *,
    owner: str,
    at: dt.datetime,
    title: str = "",
    subject: str | None = None,
    retain_until: dt.datetime | None = None,
) -> StoredRecord:
    """Keep a record; its first version is the document.

    Raises:
        InputError: a document or a title that cannot be kept exactly.
    """
    record = new_id()
    tx.execute(
        records.insert().values(
            id=record,
            pseudonym=_pseudonym(tx),
            title=_title(title),
            owner_id=owner,
            subject_id=subject,
            version=1,
            created_at=at,
            changed_at=at,
            retain_until=retain_until,
        )
    )
    _insert(tx, record, 1, document, at=at, by=owner)
    return get(tx, record)


def add_version(
    tx: sa.Connection, record: str, document: str, *, expected: int, by: str, at: dt.datetime
) -> Version:
    """Keep a newer version of a record.

    Args:
        expected: number of the version that was changed, as it was read.

    Raises:
        StaleVersionError: it is no longer the latest; nothing is written.
        UnknownRecordError, InputError
    """
    here = sa.and_(records.c.id == record, records.c.version == expected)
    if not tx.execute(records.update().where(here).values(version=expected + 1, changed_at=at)).rowcount:
        latest = get(tx, record).version
        raise StaleVersionError(
            Text(
                f"ce dossier a changé entre-temps (version {latest}, la vôtre partait de la {expected})\u202f: "
                "le relire puis recommencer\u202f; rien n'a été enregistré",
                f"this record has changed meanwhile (version {latest}, yours started from {expected}): "
                "read it again and redo the change; nothing was saved",
            ),
            record,
        )
    return _insert(tx, record, expected + 1, document, at=at, by=by)


def get(tx: sa.Connection, record: str) -> StoredRecord:
    """A record by identifier. Whether somebody may see it is :mod:`lab39.store.access`'s to say.

    Raises:
        UnknownRecordError
    """
    row = tx.execute(sa.select(records).where(records.c.id == record)).mappings().one_or_none()
    if row is None:
        raise unknown(record)
    return StoredRecord(**row)


def version(tx: sa.Connection, record: str, number: int | None = None) -> Version:
    """One version, the latest unless a number is given.

    Raises:
        UnknownRecordError: no such record or version.
        DamagedError: the text is not the one that was written.
    """
    if number is None:
        number = get(tx, record).version
    here = sa.and_(versions.c.record_id == record, versions.c.number == number)
    row = tx.execute(sa.select(versions).where(here)).mappings().one_or_none()
    if row is None:
        raise unknown(f"{record} v{number}")
    if _sha256(row["document"]) != row["sha256"]:
        raise DamagedError(
            Text(
                "ce document n'est plus celui qui a été enregistré\u202f: restaurer une sauvegarde",
                "this document is no longer the one that was saved: restore a backup",
            ),
            f"{record} v{number}",
        )
    return Version(**row)


def history(tx: sa.Connection, record: str) -> tuple[VersionHead, ...]:
    """Its versions, newest first."""
    columns = [c for c in versions.c if c.name != "document"]
    chosen = sa.select(*columns).where(versions.c.record_id == record).order_by(versions.c.number.desc())
    return tuple(VersionHead(**row) for row in tx.execute(chosen).mappings())


def rename(tx: sa.Connection, record: str, title: str) -> StoredRecord:
    """Another title.

    Raises:
        UnknownRecordError, InputError
    """
    tx.execute(records.update().where(records.c.id == record).values(title=_title(title)))
    return get(tx, record)


def retain(tx: sa.Connection, record: str, until: dt.datetime | None) -> StoredRecord:
    """Keep a record until a moment even when its erasure is asked for; ``None`` lifts it."""
    tx.execute(records.update().where(records.c.id == record).values(retain_until=until))
    return get(tx, record)


def hand_over(tx: sa.Connection, record: str, to: str) -> StoredRecord:
    """Give a record another owner (a colleague who takes over)."""
    tx.execute(records.update().where(records.c.id == record).values(owner_id=to))
    return get(tx, record)


def use(record: str) -> str:
    """What :mod:`lab39.store.blobs` calls a file that belongs to a record."""
    return f"record:{record}"


def delete(tx: sa.Connection, record: str) -> None:
    """Delete a record with its versions, files, accesses, assessments and decisions."""
    blobs.release(tx, use(record))
    tx.execute(records.delete().where(records.c.id == record))


def unknown(record: str) -> UnknownRecordError:
    """The error for a record that is not there, or not for this person."""
    return UnknownRecordError(
        Text(
            "ce dossier n'existe pas, ou ne vous est pas ouvert\u202f: voir avec son propriétaire",
            "this record does not exist, or is not open to you: see its owner",
        ),
        record,
    )


def _insert(tx: sa.Connection, record: str, number: int, document: str, *, at: dt.datetime, by: str) -> Version:
    values: dict[str, Any] = {"record_id": record, "number": number, "document": document, "at": at, "by": by}
    values["sha256"] = _sha256(document)
    tx.execute(versions.insert().values(**values))
    return Version(**values)


def _sha256(document: str) -> str:
    """Raises InputError for text that a database cannot hold exactly."""
    if "\0" in document:
        raise InputError(Text("octet nul dans le document", "null byte in the document"), "document")
    try:
        return hashlib.sha256(document.encode()).hexdigest()
    except UnicodeEncodeError:
        raise InputError(
            Text("caractère qui n'existe pas en UTF-8", "a character that UTF-8 does not have"), "document"
        ) from None


def _title(title: str) -> str:
    title = " ".join(title.replace("\0", " ").split())
    if len(title) > TITLE_MAX:
        raise InputError(
            Text(f"un titre a au plus {TITLE_MAX} caractères", f"a title has at most {TITLE_MAX} characters"),
            "title",
        )
    return title


def _pseudonym(tx: sa.Connection) -> str:
    for digits in (4, 4, 4, 6, 6, 8, 12):
        number = str(secrets.randbelow(10**digits)).zfill(digits)
        found = f"{secrets.choice(_words())} {number}"
        if not tx.scalar(sa.select(sa.func.count()).where(records.c.pseudonym == found)):
            return found
    raise AssertionError("64 words and 12 digits do not collide")


@cache
def _words() -> tuple[str, ...]:
    text = files("lab39.store").joinpath("knowledge/pseudonyms.toml").read_text("utf-8")
    return tuple(tomllib.loads(text)["words"])
