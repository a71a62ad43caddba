"""Backups: one zip with the database as it was at one moment, its files (from the folder or the bucket where they
are) and the exported audit heads.

The lab goes on working meanwhile. Keys are left out unless asked for: whoever has a backup with its keys has
everything. Nothing in a backup is encrypted but the files that were.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from lab39 import __version__
from lab39.core.errors import InputError, LabError
from lab39.core.text import Text
from lab39.settings import Settings
from lab39.store import atomic, audit, blobs, migrate
from lab39.store.archive import Reader, Writer
from lab39.store.engine import BUSY_SECONDS, Store
from lab39.store.schema import metadata

SCHEMA = 1
DATABASE = {"sqlite": "database/lab39.db", "postgresql": "database/lab39.dump"}


class BackupError(LabError):
    """A backup cannot be made, or cannot be restored here."""


@dataclass(frozen=True, slots=True)
class BackedUp:
    """What a backup holds, or what was restored from it."""

    path: Path
    bytes: int
    blobs: int
    heads: int
    keys: int
    revisions: tuple[str, ...]


def backup(store: Store, settings: Settings, target: Path, *, keys: bool = False) -> BackedUp:
    """Write a backup; the file appears when it is whole.

    Args:
        keys: include the lab's own keys (audit signature, sessions). The key of the files is never included.

    Raises:
        BackupError: nothing to back up, a file of the index is absent, ``pg_dump`` is absent or fails.
        StoreUnavailableError: the database or the bucket cannot be read, or the target cannot be written.
    """
    _trace(store, "backup", {"keys": keys})  # before, so that it is in the backup: the log that comes back goes on
    counts = {"blobs": 0, "heads": 0, "keys": 0}
    with (
        atomic.writing(target) as stream,
        Writer(stream, store.clock()) as archive,
        tempfile.TemporaryDirectory(dir=target.parent, prefix=".backup-") as tmp,
    ):
        with _snapshot(store, Path(tmp)) as snapshot:
            archive.add_file(DATABASE[store.dialect], snapshot.path)
            for file in snapshot.files:
                archive.add(f"blobs/{file}", _content(store, file))
                counts["blobs"] += 1
        for kind, folder in (("heads", settings.heads), *((("keys", settings.keys),) if keys else ())):
            for path in _inside(folder):
                archive.add_file(f"{kind}/{path.relative_to(folder).as_posix()}", path)
                counts[kind] += 1
        archive.finish(
            {
                "lab39": __version__,
                "schema": SCHEMA,
                "dialect": store.dialect,
                "revisions": snapshot.revisions,
                "counts": counts,
            }
        )
    return BackedUp(target, target.stat().st_size, revisions=snapshot.revisions, **counts)


def restore(store: Store, settings: Settings, source: Path, *, force: bool = False) -> BackedUp:
    """Put back a backup. Everything is verified first; the database changes in one transaction.

    Exported audit heads are only added, never replaced: those that are newer than the backup go on saying so.

    Args:
        force: replace what the database holds.

    Raises:
        InputError: the archive is altered, incomplete, or not a backup.
        BackupError: the database holds something, is of another kind, or the backup is newer than this lab.
        StoreUnavailableError
    """
    with closing(Reader(source)) as archive, tempfile.TemporaryDirectory(prefix="lab39-restore-") as tmp:
        manifest = archive.manifest
        revisions = _fit(store, manifest, source, force=force)
        database = Path(tmp) / "database"
        archive.extract(DATABASE[store.dialect], database)
        counts = {"blobs": 0, "heads": 0, "keys": 0}
        for name in archive.files:
            kind, _, rest = name.partition("/")
            if kind == "blobs":
                counts[kind] += _put_blob(store, archive, name, rest)
        if store.dialect == "sqlite":
            _restore_sqlite(store, database)
        else:
            _restore_postgresql(store, database, Path(tmp))
        for name in archive.files:
            kind, _, rest = name.partition("/")
            if kind in ("heads", "keys"):
                folder = settings.heads if kind == "heads" else settings.keys
                counts[kind] += _put(archive, name, folder / rest)
        store.engine.dispose()
        blobs.collect(store)
        _trace(store, "restore", {"of": str(manifest.get("at", "")), **counts})
        return BackedUp(source, source.stat().st_size, revisions=revisions, **counts)


@dataclass(frozen=True, slots=True)
class _Snapshot:
    path: Path
    files: tuple[str, ...]
    revisions: tuple[str, ...]


@contextmanager
def _snapshot(store: Store, folder: Path) -> Iterator[_Snapshot]:
    """The database at one moment, as a file, with the names of the files that belong to it."""
    found = migrate.status(store)
    if not found.database:
        raise BackupError(
            Text("la base est vide\u202f: rien à sauvegarder", "the database is empty: nothing to back up"),
            "LAB39_DATABASE_URL",
        )
    path = folder / "database"
    if store.dialect == "sqlite":
        with _sqlite_errors(), closing(_open(store)) as source, closing(sqlite3.connect(path)) as copy:
            source.backup(copy)
            copy.execute("PRAGMA journal_mode=DELETE")
            _check(copy)
            files = tuple(row[0] for row in copy.execute("SELECT file FROM blobs ORDER BY file"))
            revisions = tuple(row[0] for row in copy.execute("SELECT version_num FROM alembic_version ORDER BY 1"))
        yield _Snapshot(path, files, revisions)
        return
    with store.reading() as tx:
        name = tx.scalar(sa.text("SELECT pg_export_snapshot()"))
        _run(
            store,
            "pg_dump",
            "--format=custom",
            "--no-owner",
            "--no-privileges",
            f"--snapshot={name}",
            f"--file={path}",
        )
        files = tuple(tx.scalars(sa.select(blobs.blobs.c.file).order_by(blobs.blobs.c.file)))
        revisions = tuple(tx.scalars(sa.text("SELECT version_num FROM alembic_version ORDER BY 1")))
    yield _Snapshot(path, files, revisions)


def _trace(store: Store, action: str, about: dict[str, Any]) -> None:
    """In the audit log, unless the database has an older shape: one backs up before one migrates."""
    if not migrate.behind(store):
        with store.writing() as tx:
            audit.append(tx, at=store.clock(), actor="", action=action, about=about)


def _fit(store: Store, manifest: dict[str, Any], source: Path, *, force: bool) -> tuple[str, ...]:
    """Whether the backup can be restored here; its revisions."""
    if manifest.get("schema") != SCHEMA or DATABASE.get(str(manifest.get("dialect"))) not in manifest["files"]:
        raise InputError(Text("ce n'est pas une sauvegarde de Lab39", "this is not a backup of Lab39"), str(source))
    if manifest["dialect"] != store.dialect:
        raise BackupError(
            Text(
                f"sauvegarde d'une base {manifest['dialect']}, et LAB39_DATABASE_URL désigne {store.dialect}",
                f"backup of a {manifest['dialect']} database, and LAB39_DATABASE_URL names {store.dialect}",
            ),
            str(source),
        )
    revisions = tuple(map(str, manifest["revisions"]))
    unknown = migrate.unknown_here(revisions)
    if unknown:
        raise migrate.unknown_revisions(unknown)
    if migrate.status(store).database and not force:
        raise BackupError(
            Text(
                "la base contient déjà des données\u202f: --force les remplace toutes par celles de la sauvegarde",
                "the database holds data already: --force replaces all of it by that of the backup",
            ),
            "LAB39_DATABASE_URL",
        )
    return revisions


def _restore_sqlite(store: Store, database: Path) -> None:
    """SQLite's own backup, the other way: one transaction, that whoever is connected sees whole or not at all."""
    path = Path(str(store.engine.url.database))
    path.parent.mkdir(parents=True, exist_ok=True)
    store.engine.dispose()
    with _sqlite_errors(), closing(sqlite3.connect(database)) as source, closing(_open(store)) as target:
        _check(source)
        source.backup(target)


def _restore_postgresql(store: Store, database: Path, folder: Path) -> None:
    script, first = folder / "restore.sql", folder / "first.sql"
    _run(
        store,
        "pg_restore",
        "--clean",
        "--if-exists",
        "--no-owner",
        "--no-privileges",
        f"--file={script}",
        str(database),
    )
    names = [*metadata.tables, "alembic_version"]
    first.write_text("".join(f'DROP TABLE IF EXISTS "{name}" CASCADE;\n' for name in names), "utf-8")
    store.engine.dispose()
    _run(
        store, "psql", "--quiet", "--no-psqlrc", "--set=ON_ERROR_STOP=1", "--single-transaction",
        f"--file={first}", f"--file={script}",
    )  # fmt: skip


def _run(store: Store, program: str, *options: str) -> None:
    """One of PostgreSQL's own programs; the password goes by the environment, where nobody lists it."""
    found = shutil.which(program)
    if found is None:
        raise BackupError(
            Text(
                f"«\u202f{program}\u202f» est absent\u202f: installer les outils clients de PostgreSQL "
                "(apt-get install postgresql-client)",
                f"“{program}” is absent: install PostgreSQL's client tools (apt-get install postgresql-client)",
            ),
            program,
        )
    url = store.engine.url
    connection = url.set(drivername="postgresql", password=None).render_as_string(hide_password=False)
    env = os.environ | {"PGOPTIONS": f"-c lock_timeout={int(BUSY_SECONDS * 1000)} -c client_min_messages=warning"}
    if url.password:
        env["PGPASSWORD"] = str(url.password)
    to = () if program == "pg_restore" else (f"--dbname={connection}",)
    done = subprocess.run([found, *to, *options], env=env, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        said = (done.stderr.strip().splitlines() or [str(done.returncode)])[0]
        raise BackupError(
            Text(f"échec, rien n'a changé\u202f: {said}", f"failed, nothing has changed: {said}"), program
        )


def _open(store: Store) -> sqlite3.Connection:
    return sqlite3.connect(str(store.engine.url.database), timeout=BUSY_SECONDS)


def _check(connection: sqlite3.Connection) -> None:
    (said,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if said != "ok":
        raise BackupError(Text(f"base abîmée\u202f: {said}", f"damaged database: {said}"), "quick_check")


@contextmanager
def _sqlite_errors() -> Iterator[None]:
    from lab39.store.engine import unavailable

    try:
        yield
    except sqlite3.Error as error:
        raise unavailable(sa.exc.OperationalError(None, None, error)) from error


def _inside(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))


def _content(store: Store, file: str) -> bytes:
    """A file of the index, as it is kept: encrypted when it is."""
    try:
        return store.files.read(file)
    except OSError as error:
        raise BackupError(
            Text(
                "fichier absent ou illisible\u202f: recommencer\u202f; si cela dure, lab39 db verify",
                "file absent or unreadable: start again; if it lasts, lab39 db verify",
            ),
            file,
        ) from error


def _put_blob(store: Store, archive: Reader, name: str, file: str) -> int:
    """Put back one file unless it is there, intact; 1 when it was put back."""
    try:
        intact = hashlib.sha256(store.files.read(file)).hexdigest() == archive.files[name]["sha256"]
    except OSError:
        intact = False
    if not intact:
        store.files.write(file, archive.read(name))
    return 0 if intact else 1


def _put(archive: Reader, name: str, path: Path) -> int:
    """Copy one file unless it is there; 1 when it was copied."""
    if path.exists():
        return 0
    with atomic.writing(path) as stream:
        stream.write(archive.read(name))
    return 1
