"""The connection to the lab's database: SQLite by default, PostgreSQL by URL, one behaviour.

Everything that is acknowledged is on the disk: SQLite runs in WAL with ``synchronous=FULL``, PostgreSQL with its
``synchronous_commit`` on. A write transaction takes its lock at once (``BEGIN IMMEDIATE``), so that two writers
wait for each other instead of failing half-way.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import sqlite3
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import make_url

from lab39.core.errors import LabError
from lab39.core.text import Text
from lab39.settings import Settings

Clock = Callable[[], dt.datetime]
BUSY_SECONDS = 10.0

LOCKED, DISK_FULL, READ_ONLY = "55P03", "53100", "25006"
"""States of PostgreSQL (its manual, appendix A); its messages change with the language of the server."""


DAMAGED = ("SQLITE_CORRUPT", "SQLITE_NOTADB")

_BUSY = Text(
    "la base est occupée par une autre écriture\u202f: réessayer dans un instant",
    "the database is busy with another write: try again in a moment",
)
FULL = Text(
    "le disque est plein\u202f: libérer de la place puis réessayer\u202f; rien n'a été enregistré",
    "the disk is full: make room and try again; nothing was saved",
)


class StoreUnavailableError(LabError):
    """The database cannot be reached, is locked for too long, or cannot be written to."""


class DiskFullError(StoreUnavailableError):
    """There is no room left: for the database, or for a file beside it."""


def utc_now() -> dt.datetime:
    """The clock of production; tests bring their own."""
    return dt.datetime.now(dt.UTC)


def new_id() -> str:
    """A random identifier that tells nothing: 32 hexadecimal digits."""
    return uuid.uuid4().hex


class Store:
    """One database and its blobs.

    Args:
        url: of SQLAlchemy (``sqlite:////var/lib/lab39/lab39.db``, ``postgresql+psycopg://…``).
        blobs: where files kept outside the database are: a folder, or the URL of a bucket.
        clock: gives the moment written beside every change.
        blob_key_file: the keys that encrypt files kept outside the database; none, they are not encrypted.
        blobs_endpoint: address of a server that speaks S3; that of AWS when empty.

    Raises:
        LabError: files are in a bucket, and the extra ``s3`` is not installed.
    """

    def __init__(
        self,
        url: str,
        blobs: Path | str,
        clock: Clock = utc_now,
        *,
        blob_key_file: Path | None = None,
        blobs_endpoint: str = "",
    ) -> None:
        from lab39.store import blobstores  # it raises the errors of this module

        self.url = url
        self.blobs = blobs
        self.files = blobstores.of(blobs, endpoint=blobs_endpoint)
        self.clock = clock
        self.blob_key_file = blob_key_file
        self.engine = _engine(url)

    @classmethod
    def of(cls, settings: Settings, clock: Clock = utc_now) -> Store:
        """The store these settings name."""
        return cls(
            settings.database_url,
            settings.blobs,
            clock,
            blob_key_file=settings.blob_key_file,
            blobs_endpoint=settings.blobs_endpoint,
        )

    @property
    def dialect(self) -> str:
        """``sqlite`` or ``postgresql``."""
        return self.engine.dialect.name

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """A consistent view; nothing written in it is kept.

        Raises:
            StoreUnavailableError: the database cannot be reached.
        """
        with _telling(), self.engine.connect() as connection:
            if self.dialect == "postgresql":  # one snapshot for the whole block, as SQLite gives
                connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """One transaction: everything in the block, or nothing; on the disk when the block has ended.

        Raises:
            StoreUnavailableError: locked for over ten seconds, gone, read-only, or the disk is full.
        """
        with _telling(), self.engine.connect() as connection:
            connection.execution_options(lab39_begin="IMMEDIATE")
            with connection.begin():
                yield connection

    def forget_deleted(self) -> None:
        """Leave no trace of deleted rows in the database's own files: SQLite has overwritten them and its log is
        emptied; PostgreSQL is asked to reclaim their space."""
        if self.dialect == "sqlite":
            with contextlib.closing(sqlite3.connect(str(self.engine.url.database))) as connection:
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            return
        with _telling(), self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as autocommit:
            autocommit.exec_driver_sql("VACUUM")

    def close(self) -> None:
        """Give back every connection."""
        self.engine.dispose()


def _engine(url: str) -> sa.Engine:
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        if parsed.database and parsed.database != ":memory:":
            Path(parsed.database).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        engine = sa.create_engine(parsed, connect_args={"timeout": BUSY_SECONDS}, hide_parameters=True)
        sa.event.listen(engine, "connect", _sqlite)
        sa.event.listen(engine, "begin", _begin)
        if parsed.database and parsed.database != ":memory:":
            _SameFile(Path(parsed.database)).watch(engine)
        return engine
    return sa.create_engine(
        parsed,
        hide_parameters=True,
        pool_pre_ping=True,
        connect_args={"connect_timeout": 5, "options": f"-c lock_timeout={int(BUSY_SECONDS * 1000)}"},
    )


def _begin(connection: sa.Connection) -> None:
    connection.exec_driver_sql(f"BEGIN {connection.get_execution_options().get('lab39_begin', 'DEFERRED')}")


def _sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # the driver's own BEGIN comes too late; see _begin
    cursor = connection.cursor()
    connection.create_function("lower", 1, _lower, deterministic=True)  # its own knows no accent
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


class _SameFile:
    """SQLite goes on writing to a file that was removed or replaced: what it acknowledges is lost. So each use of
    a connection looks whether its file is still the one that has the name."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.was_there = False

    def watch(self, engine: sa.Engine) -> None:
        sa.event.listen(engine, "do_connect", self._before)
        sa.event.listen(engine, "connect", self._opened)
        sa.event.listen(engine, "checkout", self._used)

    def _file(self) -> tuple[int, int] | None:
        try:
            stat = self.path.stat()
        except OSError:
            return None
        return stat.st_dev, stat.st_ino

    def _before(self, *_: Any) -> None:
        if self._file() is not None:
            return
        if self.was_there:  # never make an empty one in its place
            raise sqlite3.OperationalError(f"{self.path} is gone")
        with contextlib.suppress(OSError):  # SQLite says why not; what it writes beside has the same permissions
            self.path.touch(mode=0o600)

    def _opened(self, _connection: Any, record: Any) -> None:
        record.info["file"] = self._file()
        self.was_there = True

    def _used(self, _connection: Any, record: Any, _proxy: Any) -> None:
        if record.info["file"] != self._file():
            raise sa.exc.DisconnectionError


def _lower(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


@contextmanager
def _telling() -> Iterator[None]:
    """Turn what the driver says about an unusable database into one clear error."""
    try:
        yield
    except sa.exc.SQLAlchemyError as error:
        told = as_told(error)
        if told is error:
            raise
        raise told from error


def as_told(error: sa.exc.SQLAlchemyError) -> Exception:
    """The error to tell when the database could not be used; the same one when it is something else."""
    if isinstance(error, sa.exc.TimeoutError):  # every connection is in use, by writes that wait for another
        return StoreUnavailableError(_BUSY, "LAB39_DATABASE_URL")
    if not isinstance(error, sa.exc.DBAPIError):
        return error
    unusable = (
        isinstance(error, sa.exc.OperationalError | sa.exc.InterfaceError)
        or getattr(error.orig, "sqlstate", "") == READ_ONLY
        or getattr(error.orig, "sqlite_errorname", "") in DAMAGED
    )
    return unavailable(error) if unusable else error


def unavailable(error: sa.exc.DBAPIError) -> StoreUnavailableError:
    """The error to tell, without parameters: they may hold health data."""
    origin = error.orig
    text = str(origin).strip().splitlines()[0] if origin else type(error).__name__
    name = getattr(origin, "sqlite_errorname", "") if isinstance(origin, sqlite3.Error) else ""
    state = getattr(origin, "sqlstate", None)
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")) or state == LOCKED:
        why = _BUSY
    elif name == "SQLITE_FULL" or state == DISK_FULL:
        return DiskFullError(FULL, "LAB39_DATABASE_URL")
    elif name.startswith("SQLITE_READONLY") or state == READ_ONLY:
        why = Text(
            "la base est en lecture seule\u202f: vérifier les droits de son dossier ou de son serveur",
            "the database is read-only: check the permissions of its folder or of its server",
        )
    else:
        why = Text(f"base de données inaccessible\u202f: {text}", f"the database cannot be reached: {text}")
    return StoreUnavailableError(why, "LAB39_DATABASE_URL")
