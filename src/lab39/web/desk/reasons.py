"""Why a finding is set aside: a short list, so that reasons can be counted, and the person's own words."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from lab39.core.errors import InputError
from lab39.core.text import Text

WORDS_MAX = 500
OTHER = "other"


@cache
def reasons() -> Mapping[str, Text]:
    """Each reason by its code."""
    table = tomllib.loads(files("lab39.web").joinpath("knowledge/reasons.toml").read_text("utf-8"))
    return {row["code"]: Text.of(row) for row in table["reason"]}


def written(code: str, words: str) -> str:
    """What is kept: ``code: words``, or the code alone.

    Raises:
        InputError: no reason, or ``other`` without words.
    """
    words = " ".join(words.split())
    if code not in reasons():
        raise InputError(Text("choisir une raison", "choose a reason"), "reason")
    if code == OTHER and not words:
        raise InputError(Text("dire la raison en quelques mots", "say why in a few words"), "words")
    return f"{code}: {clipped(words)}" if words else code


def clipped(words: str) -> str:
    """Words of a reasonable length.

    Raises:
        InputError: too many.
    """
    if len(words) > WORDS_MAX:
        raise InputError(
            Text(f"{WORDS_MAX} caractères au plus", f"at most {WORDS_MAX} characters"),
            "words",
        )
    return words


def said(kept: str) -> Text:
    """A reason that was kept, in words."""
    code, _, words = kept.partition(": ")
    known = reasons().get(code)
    if known is None:
        return Text.same(kept)
    if code == OTHER:
        return Text.same(words)
    return Text(f"{known.fr}\u202f: {words}", f"{known.en}: {words}") if words else known
