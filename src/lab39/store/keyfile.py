"""Random keys of the lab: made at first use, on the disk before anything is signed with them, never guessed at."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path

from lab39.core.errors import InputError
from lab39.core.text import Text
from lab39.store import atomic
from lab39.store.engine import new_id

BYTES = 32


def key(path: Path) -> bytes:
    """The 32 bytes of a key, readable by the lab's user only.

    Raises:
        InputError: the file does not hold such a key. An empty one would let anybody sign in the lab's name.
        StoreUnavailableError: its folder cannot be written to.
    """
    try:
        if not path.exists():
            _create(path)
        found = path.read_bytes()
    except OSError as error:
        raise atomic.unwritable(error, path) from error
    if len(found) != BYTES:
        raise InputError(
            Text(
                f"clé abîmée, {BYTES} octets sont attendus\u202f: la restaurer d'une sauvegarde, ou supprimer ce "
                "fichier\u202f; les invitations, liens et formulaires en cours ne vaudront plus",
                f"damaged key, {BYTES} bytes are expected: restore it from a backup, or delete this file; "
                "invitations, links and forms given before will be worth nothing",
            ),
            str(path),
        )
    return found


def _create(path: Path) -> None:
    """A new key, unless another process makes it first: then that one."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    mine = path.with_name(f".{path.name}.{new_id()}")
    with atomic.writing(mine) as stream:
        stream.write(secrets.token_bytes(BYTES))
    with contextlib.suppress(FileExistsError):
        os.link(mine, path)
    mine.unlink()
