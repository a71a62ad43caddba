"""Why a finding is set aside."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, cast

from lab39.core.text import Text
from lab39.web.desk.choices import Choices, clipped, table

__all__ = ["clipped", "reasons", "said", "written"]


@cache
def _choices() -> Choices:
    rows = cast("list[dict[str, Any]]", table("reasons.toml")["reason"])
    return Choices(
        {row["code"]: Text.of(row) for row in rows},
        "reason",
        Text("choisir une raison", "choose a reason"),
        Text("dire la raison en quelques mots", "say why in a few words"),
    )


def reasons() -> Mapping[str, Text]:
    """Each reason by its code."""
    return _choices().texts


def written(code: str, words: str) -> str:
    """What is kept; see :meth:`Choices.written`."""
    return _choices().written(code, words)


def said(kept: str) -> Text:
    """A reason that was kept, in words."""
    return _choices().said(kept)
