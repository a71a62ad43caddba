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
    return Contents(version, dt.date.fromisoformat(edition), dict(zip(("facts", "more"), ours, strict=False)))


def inspect_package(files: list[Path]) -> Contents:
    """A pack inside an installed distribution."""
    return Contents("7", dt.date(2025, 1, 1), {"metadata": files[0]})
