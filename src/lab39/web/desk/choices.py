"""A short list to choose from, so that answers can be counted, and the person's own words beside it."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files

from lab39.core.errors import InputError
from lab39.core.text import Text

WORDS_MAX = 500
OTHER = "other"


def table(name: str) -> Mapping[str, object]:
    """A file of ``web/knowledge``."""
    return tomllib.loads(files("lab39.web").joinpath(f"knowledge/{name}").read_text("utf-8"))


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


@dataclass(frozen=True, slots=True)
class Choices:
    """One list.

    Attributes:
        texts: each choice by its code; ``other`` stands for one's own words.
        field: of the form, where an error is told.
        choose, say: what to do when nothing was chosen, or ``other`` without words.
    """

    texts: Mapping[str, Text]
    field: str
    choose: Text
    say: Text

    def written(self, code: str, words: str) -> str:
        """What is kept: ``code: words``, or the code alone.

        Raises:
            InputError: nothing chosen, or ``other`` without words.
        """
        words = " ".join(words.split())
        if code not in self.texts:
            raise InputError(self.choose, self.field)
        if code == OTHER and not words:
            raise InputError(self.say, "words")
        return f"{code}: {clipped(words)}" if words else code

    def said(self, kept: str) -> Text:
        """A choice that was kept, in words."""
        code, _, words = kept.partition(": ")
        known = self.texts.get(code)
        if known is None:
            return Text.same(kept)
        if code == OTHER:
            return Text.same(words)
        return Text(f"{known.fr}\u202f: {words}", f"{known.en}: {words}") if words else known
