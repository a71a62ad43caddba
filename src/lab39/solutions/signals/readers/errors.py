"""Errors of the readers, each with the place and what to do."""

from __future__ import annotations

from pathlib import Path

from lab39.core.errors import InputError
from lab39.core.text import Text


def refuse(place: str | Path, fr: str, en: str, line: int | None = None) -> InputError:
    """An error about a file, at a line when it is known. French colons and semicolons get their narrow space."""
    for mark in (":", ";", "?", "!", "»"):
        fr = fr.replace(f" {mark}", f"\u202f{mark}")
    fr = fr.replace("« ", "«\u202f")
    where = f"{place}:{line}" if line else str(place)
    return InputError(Text(fr, en), where)
