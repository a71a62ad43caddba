"""Files kept beside the database, named by their content: two people who keep the same file keep one.

A file is on the disk, whole, before the transaction that names it ends. When a key is set
(``LAB39_BLOB_KEY_FILE``), new files are encrypted with AES-256-GCM and even their names tell nothing. Files live in
one local folder; another kind of storage would replace the three places that open it: :func:`put`,
:func:`_load` and :func:`collect`.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from lab39.core.errors import LabError, UnknownNameError
from lab39.core.text import NO_TEXT, Text
from lab39.store import atomic, privacy
from lab39.store.engine import Store, new_id
from lab39.store.schema import Instant, metadata

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

MAGIC = b"L39\x01"
NONCE_BYTES = 12
KEY_BYTES = 32
LOCK = 0x1AB3B
"""Key of the advisory lock: writers share it, the collector has it alone (PostgreSQL)."""


class BlobError(LabError):
    """A file is absent, altered, or cannot be decrypted."""


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
        StoreUnavailableError: the disk is full or the folder cannot be written to.
        BlobError: the key cannot be read.
    """
    _share(tx)
    digest = hashlib.sha256(content).hexdigest()
    key = _key(store)
    file = digest if key is None else hmac.new(key, digest.encode(), hashlib.sha256).hexdigest()
    row = {"sha256": digest, "file": file, "bytes": len(content), "encrypted": key is not None, "at": at}
    try:
        with tx.begin_nested():
            tx.execute(blobs.insert().values(**row))
    except sa.exc.IntegrityError:
        known = tx.execute(sa.select(blobs).where(blobs.c.sha256 == digest)).mappings().one()
        file, key = known["file"], key if known["encrypted"] else None
    path = _path(store, file)
    if not path.exists():
        with atomic.writing(path) as stream:
            stream.write(content if key is None else _encrypt(key, digest, content))
    use = Use(new_id(), digest, used_by, person, name.replace("\0", ""), media_type, at)
    tx.execute(uses.insert().values({field: getattr(use, field) for field in use.__dataclass_fields__}))
    return use


def read(tx: sa.Connection, store: Store, sha256: str) -> bytes:
    """The content of a file, checked.

    Raises:
        UnknownNameError: no such file.
        BlobError: absent from the disk, altered, or the key is not the right one.
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
        StoreUnavailableError
    """
    with store.writing() as tx:
        _alone(tx)
        tx.execute(blobs.delete().where(~blobs.c.sha256.in_(sa.select(uses.c.sha256))))
    files = freed = 0
    with store.writing() as tx:  # a crash in between leaves a file without a row, found at the next round
        _alone(tx)
        known = set(tx.scalars(sa.select(blobs.c.file)))
        for path in sorted(store.blobs.glob("??/*")):
            if path.parent.name + path.name not in known:
                freed += path.stat().st_size
                files += 1
                path.unlink()
    return Collected(files, freed)


def verify(store: Store) -> Iterator[Checked]:
    """Read every file of the index and compare it with its name."""
    with store.reading() as tx:
        for row in tx.execute(sa.select(blobs).order_by(blobs.c.sha256)).mappings():
            problem = NO_TEXT
            try:
                _load(store, row)
            except BlobError as error:
                problem = error.text
            yield Checked(row["sha256"], problem)


def _key(store: Store) -> bytes | None:
    """Raises BlobError: a key is set and cannot be used."""
    path = store.blob_key_file
    if path is None:
        return None
    try:
        if path.stat().st_mode & 0o077:
            raise BlobError(
                Text(
                    f"d'autres que son propriétaire peuvent lire cette clé\u202f: chmod 600 {path}",
                    f"others than its owner can read this key: chmod 600 {path}",
                ),
                "LAB39_BLOB_KEY_FILE",
            )
        raw = path.read_bytes().strip()
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise BlobError(
            Text(f"clé illisible\u202f: {why} ({path})", f"the key cannot be read: {why} ({path})"),
            "LAB39_BLOB_KEY_FILE",
        ) from error
    try:
        key = bytes.fromhex(raw.decode("ascii"))
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise BlobError(
            Text(
                f"64 chiffres hexadécimaux sont attendus\u202f: openssl rand -hex {KEY_BYTES} > {path}",
                f"64 hexadecimal digits are expected: openssl rand -hex {KEY_BYTES} > {path}",
            ),
            "LAB39_BLOB_KEY_FILE",
        )
    return key


def _encrypt(key: bytes, digest: str, content: bytes) -> bytes:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    nonce = os.urandom(NONCE_BYTES)
    return MAGIC + nonce + AESGCM(key).encrypt(nonce, content, MAGIC + digest.encode())


def _decrypt(key: bytes, digest: str, kept: bytes) -> bytes:
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    nonce, rest = kept[len(MAGIC) : len(MAGIC) + NONCE_BYTES], kept[len(MAGIC) + NONCE_BYTES :]
    try:
        return AESGCM(key).decrypt(nonce, rest, MAGIC + digest.encode())
    except (InvalidTag, ValueError):
        raise BlobError(
            Text(
                "fichier altéré, ou chiffré avec une autre clé (LAB39_BLOB_KEY_FILE)",
                "altered file, or encrypted with another key (LAB39_BLOB_KEY_FILE)",
            ),
            digest,
        ) from None


def _load(store: Store, row: sa.RowMapping) -> bytes:
    digest: str = row["sha256"]
    try:
        content = _path(store, row["file"]).read_bytes()
    except OSError as error:
        raise BlobError(
            Text(
                "fichier absent du disque\u202f: restaurer une sauvegarde",
                "file absent from the disk: restore a backup",
            ),
            digest,
        ) from error
    if row["encrypted"]:
        key = _key(store)
        if key is None:
            raise BlobError(
                Text(
                    "fichier chiffré\u202f: LAB39_BLOB_KEY_FILE manque", "encrypted file: set LAB39_BLOB_KEY_FILE"
                ),
                digest,
            )
        content = _decrypt(key, digest, content)
    if hashlib.sha256(content).hexdigest() != digest:
        raise BlobError(
            Text("fichier altéré\u202f: restaurer une sauvegarde", "altered file: restore a backup"), digest
        )
    return content


def path_of(folder: Path, file: str) -> Path:
    """Where a file of the index lies."""
    return folder / file[:2] / file[2:]


def _path(store: Store, file: str) -> Path:
    return path_of(store.blobs, file)


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
