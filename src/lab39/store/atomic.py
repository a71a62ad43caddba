"""Files that appear whole or not at all, readable by their owner only, on the disk when they appear."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from lab39.core.text import Text
from lab39.store.engine import FULL, DiskFullError, StoreUnavailableError


@contextmanager
def writing(path: Path) -> Iterator[IO[bytes]]:
    """A stream that becomes ``path`` when the block ends well; nothing is left of it when it does not.

    Raises:
        StoreUnavailableError: the disk is full, or the folder cannot be written to.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".incoming-")  # readable by its owner only
        try:
            with os.fdopen(handle, "w+b") as stream:
                yield stream
                stream.flush()
                os.fsync(stream.fileno())
            Path(name).replace(path)
        finally:
            Path(name).unlink(missing_ok=True)
        for folder in (path.parent, path.parent.parent):
            _sync(folder)
    except OSError as error:
        raise unwritable(error, path) from error


def unwritable(error: OSError, path: Path) -> StoreUnavailableError:
    """The error to tell when a file cannot be written."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return DiskFullError(FULL, str(path.parent))
    reason = error.strerror or type(error).__name__
    why = Text(
        f"écriture impossible ({reason})\u202f: vérifier ce dossier\u202f; rien n'a été enregistré",
        f"cannot write ({reason}): check this folder; nothing was saved",
    )
    return StoreUnavailableError(why, str(path.parent))


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
