"""The disk under a store: one writer at a time, files that are whole or not there, no room left."""

from __future__ import annotations

import errno
import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lab39.core.errors import InputError, LabError
from lab39.solutions.signals.readers.errors import refuse

_MAGIC = b"PAR1"


@contextmanager
def alone(lock: Path) -> Iterator[None]:
    """One process at a time; the lock goes with the process that has it, however it ends.

    Raises:
        InputError: another process has it.
    """
    with lock.open("ab") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise refuse(
                lock.parent,
                "une autre commande écrit dans cette base : attendez qu'elle finisse, puis relancez celle-ci",
                "another command is writing into this store: wait until it ends, then run this one again",
            ) from error
        yield


@contextmanager
def still(lock: Path, *, writing: bool = False) -> Iterator[None]:
    """Tables that do not change while they are read: whoever replaces them waits, and is waited for."""
    try:
        stream = lock.open("ab" if writing else "rb")
    except OSError:
        if writing:
            raise
        yield  # nothing was replaced yet, or nothing can be
        return
    with stream:
        fcntl.flock(stream, fcntl.LOCK_EX if writing else fcntl.LOCK_SH)
        yield


@contextmanager
def told(folder: Path) -> Iterator[None]:
    """What the disk, or the memory, refuses while a store is written, as an error that says what to do."""
    import duckdb

    try:
        yield
    except LabError:
        raise
    except duckdb.OutOfMemoryException as error:
        raise refuse(
            folder,
            "mémoire insuffisante : donnez-en plus avec --memory, par exemple --memory 2GB",
            "not enough memory: give more with --memory, such as --memory 2GB",
        ) from error
    except duckdb.IOException as error:
        raise _unwritable(folder, error, "No space left" in str(error)) from error
    except OSError as error:
        raise _unwritable(folder, error, error.errno in (errno.ENOSPC, errno.EDQUOT)) from error


def _unwritable(folder: Path, error: Exception, full: bool) -> InputError:
    if full:
        return refuse(
            folder,
            "le disque est plein : faites de la place, puis relancez la même commande ; ce qui était lu en entier "
            "est gardé",
            "the disk is full: make room, then run the same command again; what was read whole is kept",
        )
    why = (error.strerror if isinstance(error, OSError) else None) or str(error).strip().partition("\n")[0]
    return refuse(
        folder,
        f"écriture ou lecture impossible ({why}) : vérifiez ce dossier, puis relancez la même commande",
        f"cannot be written or read ({why}): check this folder, then run the same command again",
    )


def whole(file: Path) -> bool:
    """Whether a Parquet file is there and has its beginning and its end."""
    try:
        with file.open("rb") as stream:
            if stream.read(4) != _MAGIC:
                return False
            stream.seek(-4, os.SEEK_END)
            return stream.read(4) == _MAGIC
    except OSError:
        return False


def read_json(file: Path) -> Mapping[str, Any] | None:
    """The object that a file holds; ``None`` when it is absent, cut or something else."""
    try:
        found = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def write_json(file: Path, value: Mapping[str, Any]) -> None:
    """Write a file that is never seen half made."""
    beside = file.with_name(f".{file.name}.new")
    with beside.open("w", encoding="utf-8") as stream:
        json.dump(value, stream, ensure_ascii=False)
        stream.flush()
        os.fsync(stream.fileno())
    beside.replace(file)


def keep(folder: Path) -> None:
    """Make sure that a folder and all that is in it are on the disk, before it is given its name."""
    for place in (*folder.rglob("*"), folder):
        handle = os.open(place, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
