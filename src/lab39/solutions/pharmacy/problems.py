"""Which problem an interaction makes: the first of ``knowledge/problems.toml`` whose words its mechanism holds."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files

from lab39.core.text import NO_TEXT, Text


@dataclass(frozen=True, slots=True)
class Value:
    """A laboratory value that a conduct looks at: LOINC code, UCUM unit."""

    code: str
    unit: str
    name: Text


@dataclass(frozen=True, slots=True)
class Problem:
    """A kind of harm, with what to watch when it is only a precaution.

    Attributes:
        words: parts of words, without case and accents.
        risk: in a few words.
        watch: what a precaution of this kind asks.
        serious: it can kill or disable, so that even the lowest level has a card of its own.
    """

    id: str
    words: tuple[str, ...]
    risk: Text
    watch: Text
    values: tuple[Value, ...] = ()
    serious: bool = False


ALONE = Problem("alone", (), NO_TEXT, NO_TEXT)
"""What no words recognise: a problem of its own."""


@cache
def problems() -> tuple[Problem, ...]:
    """All of them, in the order they are tried."""
    rows = tomllib.loads(files("lab39.solutions.pharmacy").joinpath("knowledge/problems.toml").read_text("utf-8"))
    return tuple(
        Problem(
            row["id"],
            tuple(row["words"]),
            Text.of(row["risk"]),
            Text.of(row["watch"]),
            tuple(Value(v["code"], v["unit"], Text.of(v["name"])) for v in row.get("values", ())),
            row.get("serious", False),
        )
        for row in rows["problem"]
    )


@lru_cache(maxsize=8192)
def problem_of(mechanism: str) -> Problem:
    """The problem that a mechanism, as printed, tells of; :data:`ALONE` when no words recognise it."""
    text = folded(mechanism)
    return next((p for p in problems() if any(_starts(word, text) for word in p.words)), ALONE)


def folded(text: str) -> str:
    """Without case, accents and line breaks; one apostrophe."""
    plain = unicodedata.normalize("NFKD", text.replace("œ", "oe").replace("’", "'").lower())
    return " ".join("".join(c for c in plain if not unicodedata.combining(c)).split())


def _starts(word: str, text: str) -> bool:
    """Whether some word of the text begins so (``inr`` is not in ``spinraza``); is so, when a space ends it."""
    end = "(?![a-z0-9])" if word.endswith(" ") else ""
    return re.search(rf"(?<![a-z0-9]){re.escape(word.rstrip())}{end}", text) is not None
