"""One thing that is looked at before a dose."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from lab39.core.text import NO_TEXT, Text

Level = Literal["stop", "ask", "warn", "ok"]
LEVELS: tuple[Level, ...] = ("stop", "ask", "warn", "ok")


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at; ``source`` is empty for what needs none."""

    level: Level
    says: Text
    note: Text = NO_TEXT
    source: str = ""
    url: str = ""
    verified: bool = True
