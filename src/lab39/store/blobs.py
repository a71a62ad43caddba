"""Files kept beside the database, named by their content: two people who keep the same file keep one.

A file is kept, whole, before the transaction that names it ends: a row never names bytes that did not come. When a
key is set (``LAB39_BLOB_KEY_FILE``), new files are encrypted with AES-256-GCM and even their names tell nothing.
:mod:`lab39.store.blobstores` knows where the bytes lie, a folder or a bucket.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

import sqlalchemy as sa

from lab39.core.errors import UnknownNameError
from lab39.core.text import NO_TEXT, Text
from lab39.store import privacy, sealing
from lab39.store.engine import Store, StoreUnavailableError, new_id
from lab39.store.schema import Instant, metadata
from lab39.store.sealing import BlobError

blobs = sa.Table(
    "blobs",
    metadata,
    sa.Column("sha256", sa.String(64), primary_key=True),
    sa.Column("file", sa.String(64), nullable=False, unique=True),
    sa.Column("bytes", sa.BigInteger, nullable=False),
    sa.Column("encrypted", sa.Boolean, nullable=False),
    sa.Column("at", Instant, nullable=False),
)

uses = sa.Table(
    "blob_uses",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("sha256", sa.ForeignKey("blobs.sha256"), nullable=False, index=True),
    sa.Column("used_by", sa.String(255), nullable=False, index=True),
    sa.Column("person_id", sa.ForeignKey("people.id"), nullable=False, index=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("media_type", sa.String(255), nullable=False),
    sa.Column("at", Instant, nullable=False),
)

LOCK = 0x1AB3B
"""Key of the advisory lock: writers share it, the collector has it alone (PostgreSQL)."""


@dataclass(frozen=True, slots=True)
class Use:
    """One reason to keep a file.

    Attributes:
        used_by: what needs it (``record:<id>``); released as a whole.
        person_id: who put it there.
        name: as it was called when it came.
    """

    id: str
    sha256: str
    used_by: str
    person_id: str
    name: str
    media_type: str
    at: dt.datetime


@dataclass(frozen=True, slots=True)
class Checked:
    """One file after a verification; ``problem`` is empty when it is intact."""

    sha256: str
    problem: Text


@dataclass(frozen=True, slots=True)
class Collected:
    """What nobody needed any more."""

    files: int
    bytes: int


def put(
    tx: sa.Connection,
    store: Store,
    content: bytes,
    *,
    used_by: str,
    person: str,
    at: dt.datetime,
    name: str = "",
    media_type: str = "application/octet-stream",
) -> Use:
    """Keep a file for one use, inside the caller's ``writing`` transaction.

    Raises:
        StoreUnavailableError: the disk is full, the folder or the bucket cannot be written to.
        BlobError: the key cannot be read.
    """
    _share(tx)
    digest = hashlib.sha256(content).hexdigest()
    key = next(iter(sealing.keys(store.blob_key_file)), None)
    file = digest if key is None else sealing.name(key, digest)
    row = {"sha256": digest, "file": file, "bytes": len(content), "encrypted": key is not None, "at": at}
    try:
        with tx.begin_nested():
            tx.execute(blobs.insert().values(**row))
    except sa.exc.IntegrityError:
        known = tx.execute(sa.select(blobs).where(blobs.c.sha256 == digest)).mappings().one()
        file, key = known["file"], key if known["encrypted"] else None
    if not store.files.exists(file):
        store.files.write(file, _sealed(key, digest, content))
    use = Use(new_id(), digest, used_by, person, name.replace("\0", ""), media_type, at)
    tx.execute(uses.insert().values({field: getattr(use, field) for field in use.__dataclass_fields__}))
    return use


def read(tx: sa.Connection, store: Store, sha256: str) -> bytes:
    """The content of a file, checked.

    Raises:
        UnknownNameError: no such file.
        BlobError: absent, altered, or the key is not the right one.
        StoreUnavailableError: the bucket cannot be reached.
    """
    row = tx.execute(sa.select(blobs).where(blobs.c.sha256 == sha256)).mappings().one_or_none()
    if row is None:
        raise UnknownNameError(Text("fichier inconnu", "no such file"), sha256)
    return _load(store, row)


def of(tx: sa.Connection, used_by: str) -> tuple[Use, ...]:
    """The files that something uses, in order."""
    return _uses(tx, uses.c.used_by == used_by)


def release(tx: sa.Connection, used_by: str) -> int:
    """Say that something no longer needs its files; how many. :func:`collect` removes those nobody needs."""
    return tx.execute(uses.delete().where(uses.c.used_by == used_by)).rowcount


def collect(store: Store) -> Collected:
    """Remove files that nobody uses, and what an interrupted write left behind.

    Raises:
        StoreUnavailableError: the text says so when only the bytes are still to be removed.
    """
    with store.writing() as tx:
        _alone(tx)
        tx.execute(blobs.delete().where(~blobs.c.sha256.in_(sa.select(uses.c.sha256))))
    files = freed = 0
    try:
        with store.writing() as tx:  # a crash in between leaves a file without a row, found at the next round
            _alone(tx)
            known = set(tx.scalars(sa.select(blobs.c.file)))
            for name, size in store.files.sizes():
                if name not in known:
                    store.files.remove(name)
                    freed += size
                    files += 1
    except StoreUnavailableError as error:
        raise StoreUnavailableError(
            Text(
                f"{error.text.fr}\u202f; le reste est fait, mais des fichiers dont personne n'a plus besoin sont "
                "encore là\u202f: lab39 db sweep les supprimera",
                f"{error.text.en}; the rest is done, but files that nobody needs are still there: "
                "lab39 db sweep will remove them",
            ),
            error.place,
        ) from error
    return Collected(files, freed)


def seal_again(store: Store) -> int:
    """Encrypt with the first key every file that is not yet, one transaction each; how many.

    Interrupted, it is done again: each file is readable at every moment with the keys of the key file.

    Raises:
        BlobError: no key is set, or a file is absent, altered, or was encrypted with a key that is not there.
        StoreUnavailableError
    """
    known = sealing.keys(store.blob_key_file)
    if not known:
        raise BlobError(
            Text("aucune clé n'est donnée\u202f: nommer son fichier", "no key is given: name its file"),
            "LAB39_BLOB_KEY_FILE",
        )
    with store.reading() as tx:
        digests = tuple(tx.scalars(sa.select(blobs.c.sha256).order_by(blobs.c.sha256)))
    done = 0
    for digest in digests:
        with store.writing() as tx:
            _alone(tx)
            row = tx.execute(sa.select(blobs).where(blobs.c.sha256 == digest)).mappings().one_or_none()
            file = sealing.name(known[0], digest)
            if row is None or (row["encrypted"] and row["file"] == file):
                continue
            store.files.write(file, sealing.seal(known[0], digest, _load(store, row)))
            tx.execute(blobs.update().where(blobs.c.sha256 == digest).values(file=file, encrypted=True))
            done += 1
    collect(store)
    return done


def verify(store: Store) -> Iterator[Checked]:
    """Read every file of the index and compare it with its name.

    Raises:
        StoreUnavailableError: the bucket cannot be reached: nothing is known about its files then.
    """
    with store.reading() as tx:
        for row in tx.execute(sa.select(blobs).order_by(blobs.c.sha256)).mappings():
            problem = NO_TEXT
            try:
                _load(store, row)
            except BlobError as error:
                problem = error.text
            yield Checked(row["sha256"], problem)


def _load(store: Store, row: sa.RowMapping) -> bytes:
    digest: str = row["sha256"]
    try:
        content = store.files.read(row["file"])
    except FileNotFoundError as error:
        raise BlobError(
            Text("fichier absent\u202f: restaurer une sauvegarde", "file absent: restore a backup"), digest
        ) from error
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise BlobError(
            Text(
                f"lecture impossible ({why})\u202f: vérifier le disque et les droits, ou restaurer une sauvegarde",
                f"cannot be read ({why}): check the disk and permissions, or restore a backup",
            ),
            digest,
        ) from error
    if row["encrypted"]:
        known = sealing.keys(store.blob_key_file)
        if not known:
            raise BlobError(
                Text(
                    "fichier chiffré\u202f: LAB39_BLOB_KEY_FILE manque", "encrypted file: set LAB39_BLOB_KEY_FILE"
                ),
                digest,
            )
        content = sealing.unseal(known, digest, content)
    if hashlib.sha256(content).hexdigest() != digest:
        raise BlobError(
            Text("fichier altéré\u202f: restaurer une sauvegarde", "altered file: restore a backup"), digest
        )
    return content


def _sealed(key: bytes | None, digest: str, content: bytes) -> bytes:
    return content if key is None else sealing.seal(key, digest, content)


def _share(tx: sa.Connection) -> None:
    if tx.dialect.name == "postgresql":
        tx.execute(sa.select(sa.func.pg_advisory_xact_lock_shared(LOCK)))


def _alone(tx: sa.Connection) -> None:
    if tx.dialect.name == "postgresql":
        tx.execute(sa.select(sa.func.pg_advisory_xact_lock(LOCK)))


def _uses(tx: sa.Connection, where: sa.ColumnElement[bool]) -> tuple[Use, ...]:
    return tuple(
        Use(**row) for row in tx.execute(sa.select(uses).where(where).order_by(uses.c.at, uses.c.id)).mappings()
    )


def _files(store: Store, tx: sa.Connection, person: str) -> Iterator[tuple[str, bytes]]:
    for digest in tx.scalars(sa.select(uses.c.sha256).where(uses.c.person_id == person).distinct()):
        yield f"files/{digest}", read(tx, store, digest)


def _erase(tx: sa.Connection, person: str, at: dt.datetime) -> Iterator[privacy.Outcome]:
    """Files in records that stay are part of these records; every other use ends."""
    del at
    mine = uses.c.person_id == person
    in_records = uses.c.used_by.startswith("record:")
    gone = tx.execute(uses.delete().where(mine, ~in_records)).rowcount
    kept = tx.scalar(sa.select(sa.func.count()).where(mine, in_records)) or 0
    part_of = Text("partie d'un dossier qui reste", "part of a record that stays")
    yield privacy.Outcome(PART.title, erased=gone, kept=kept, why=part_of if kept else NO_TEXT)


PART = privacy.Part(
    name="files",
    title=Text("fichiers", "files"),
    tables=(blobs, uses),
    export=lambda tx, person: privacy.rows(tx, uses, uses.c.person_id == person),
    erase=_erase,
    files=_files,
)
privacy.register(PART)
