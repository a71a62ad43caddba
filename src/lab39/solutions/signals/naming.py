"""Names that look like the one that was asked for."""

from __future__ import annotations

from collections.abc import Sequence

SUGGESTED = 5
_LIKENESS = 60
"""Of RapidFuzz's WRatio, from 0 to 100."""


def near(names: Sequence[str], asked: str) -> tuple[str, ...]:
    """The names that look most like it, the nearest first; none when none does."""
    from rapidfuzz import fuzz, process, utils

    found = process.extract(asked, names, scorer=fuzz.WRatio, processor=utils.default_process, limit=SUGGESTED)
    return tuple(name for name, likeness, _ in found if likeness >= _LIKENESS)
