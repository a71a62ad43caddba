"""What is printed between a heading of the thesaurus and its first entry.

``Voir aussi`` names the classes of a substance; brackets hold the members of a class; the rest is an explanation. A
few headings have entries inside it: ``+ OTHER NODE`` and a sentence that begins with the level in words.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from lab39.solutions.pharmacy import cells
from lab39.solutions.pharmacy.model import LevelText
from lab39.solutions.pharmacy.printings import LEVEL_WORDS, fold, split_names

_SEE_ALSO = re.compile(r"^Voir aussi\s*:\s*(?P<names>.*?)\s*(?=^\(|^\s*$|\Z)", re.M | re.S)
_ENTRY = re.compile(r"^\+ +(?P<other>[^a-z\n]+)\n(?P<text>.*?)(?=^\+ |^\(|\Z)", re.M | re.S)
_SEPARATOR = re.compile(r"\s+[-–]\s+")


@dataclass(frozen=True, slots=True)
class UnderHeading:
    """What stands under a heading.

    Attributes:
        see_also: classes the substance belongs to.
        members: of the class, as printed in brackets.
        entries: other node, level and mechanism of each entry told in a sentence.
        preamble: the explanation.
    """

    see_also: tuple[str, ...] = ()
    members: tuple[str, ...] = ()
    entries: tuple[tuple[str, LevelText, str], ...] = ()
    preamble: str = ""


def under_heading(lines: Sequence[str]) -> UnderHeading:
    """Read the lines under a heading; an empty line is a blank one."""
    text = "\n".join(line.strip() for line in lines)
    see_also = tuple(
        name for found in _SEE_ALSO.finditer(text) for name in _SEPARATOR.split(_one_line(found["names"])) if name
    )
    text = _SEE_ALSO.sub("", text)
    entries = []
    for found in _ENTRY.finditer(text):
        told = _sentence(found["text"])
        if told is not None:
            entries.append((_one_line(found["other"]), *told))
            text = text.replace(found[0], "\n")
    text = text.rstrip()
    at = next((m.start() for m in re.finditer(r"^\(", text, re.M) if _closes_at_end(text[m.start() :])), len(text))
    names = _one_line(text[at + 1 :]).removesuffix(")")
    if fold(names).startswith("voir aussi"):
        names, at = "", len(text)
    return UnderHeading(
        see_also,
        split_names(names) if names else (),
        tuple(entries),
        cells.paragraphs(text[:at].split("\n")),
    )


def _one_line(text: str) -> str:
    return cells.paragraphs(text.split("\n")).replace("\n", " ")


def _sentence(text: str) -> tuple[LevelText, str] | None:
    """Level and mechanism of a sentence like *Il convient de prendre en compte le risque…*."""
    words = cells.paragraphs(text.split("\n"))
    for start, level in LEVEL_WORDS.items():
        if fold(words[: len(start)]) == start:
            return LevelText(level), words[len(start) :].strip()
    return None


def _closes_at_end(text: str) -> bool:
    """Whether the bracket that opens the text closes with its last character, or never (the source cuts some)."""
    depth = 0
    for i, char in enumerate(text):
        depth += (char == "(") - (char == ")")
        if depth == 0:
            return i == len(text) - 1
    return True
