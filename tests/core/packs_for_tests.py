"""Inspectors of the tests' own data packs: one file ``facts`` (and perhaps ``more``) with a version line."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from lab39.core.datapacks import Contents
from lab39.core.errors import InputError
from lab39.core.text import Text


def inspect(files: list[Path]) -> Contents:
    """Recognises files that begin with ``FACTS <version> <edition>``; a second such file has the role ``more``."""
    ours = [p for p in files if p.read_text("utf-8").startswith("FACTS ")]
    if not ours:
        raise InputError(Text("aucun fichier de ce pack", "no file of this pack"), ", ".join(p.name for p in files))
    _, version, edition = ours[0].read_text("utf-8").split()[:3]
    by_role = dict(zip(("facts", "more"), ours, strict=False))
    return Contents(version, dt.date.fromisoformat(edition), by_role, lambda _done: _whole(ours))


def _whole(files: list[Path]) -> None:
    for path in files:
        if not path.read_text("utf-8").endswith("\n"):
            raise InputError(Text("fichier tronqué", "truncated file"), str(path))


def inspect_package(files: list[Path]) -> Contents:
    """A pack inside an installed distribution."""
    return Contents("7", dt.date(2025, 1, 1), {"metadata": files[0]})
