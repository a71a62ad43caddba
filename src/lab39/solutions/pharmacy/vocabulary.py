"""Words that surround names: units, forms, rhythm; and what stands before the dose on a label."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources

from lab39.solutions.pharmacy.normal import words

_NUMBER = re.compile(r"\d+(?:\.\d+)*")
_DOSE = re.compile(r"\d+(?:\.\d+)*([a-z]+)")


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """``knowledge/words.toml``."""

    masses: frozenset[str]
    units: frozenset[str]
    forms: frozenset[str]
    rhythm: frozenset[str]
    ordinary: frozenset[str]
    neutral: frozenset[str]

    @property
    def around(self) -> frozenset[str]:
        """Every word that may stand beside a name without belonging to it."""
        return self.units | self.forms | self.rhythm


@cache
def vocabulary() -> Vocabulary:
    """The lists, read once."""
    text = resources.files("lab39.solutions.pharmacy").joinpath("knowledge", "words.toml").read_text("utf-8")
    raw = tomllib.loads(text)
    return Vocabulary(
        masses=frozenset(raw["units"]["mass"]),
        units=frozenset(raw["units"]["mass"] + raw["units"]["other"]),
        forms=frozenset(raw["forms"]["french"] + raw["forms"]["english"]),
        rhythm=frozenset(raw["rhythm"]["words"]),
        ordinary=frozenset(raw["ordinary"]["words"]),
        neutral=frozenset(raw["neutral"]["words"]),
    )


@cache
def _surrounding() -> frozenset[str]:
    return vocabulary().around


def is_number(word: str) -> bool:
    """A word made of figures only."""
    return _NUMBER.fullmatch(word) is not None


def is_dose(word: str) -> bool:
    """A number joined to a unit (``500mg``) or to a rhythm (``x3``, ``24h``)."""
    found = _DOSE.fullmatch(word)
    return bool(found and (found[1] in _surrounding())) or bool(re.fullmatch(r"x\d+|\d+x|\d+e|n?nda\d+", word))


def surrounds(word: str) -> bool:
    """Whether a word may stand beside a name without belonging to it: a number, a unit, a form, a rhythm."""
    return word in _surrounding() or is_number(word) or is_dose(word)


def head(label: str) -> tuple[str, ...]:
    """The words of a label before its first dose or comma: the name and, for generics, the holder.

    >>> head("DOLIPRANE 1000 mg, comprimé"), head("VITAMINE B12 DELAGRANGE 1000 microgrammes, comprimé")
    (('doliprane',), ('vitamine', 'b12', 'delagrange'))
    """
    parts = words(re.split(r",(?!\d)", label.replace("%", " pourcent "), maxsplit=1)[0])
    units = vocabulary().units
    for i, word in enumerate(parts):
        if i == 0 and not is_dose(word):
            continue
        if is_dose(word):
            return parts[:i]
        if is_number(word):
            after = i
            while after < len(parts) and is_number(parts[after]):
                after += 1
            if after < len(parts) and (parts[after] in units or after == len(parts)) and i:
                return parts[:i]
    return parts


@cache
def in_reports() -> tuple[frozenset[str], frozenset[str]]:
    """Words of labels in English: those that say a form, a release or a salt; those that change the medicine."""
    text = resources.files("lab39.solutions.pharmacy").joinpath("knowledge", "words.toml").read_text("utf-8")
    raw = tomllib.loads(text)["english_labels"]
    return frozenset(raw["words"]), frozenset(raw["changing"])


@cache
def _same() -> dict[str, str]:
    text = resources.files("lab39.solutions.pharmacy").joinpath("knowledge", "words.toml").read_text("utf-8")
    return {word: form for form, group in tomllib.loads(text)["same"].items() for word in (form, *group)}


def same_form(word: str) -> str:
    """One word for a form and its abbreviations; empty for a word that names no form by itself."""
    return _same().get(word, "")
