"""The cell of an entry that holds its levels and their conducts, read the way the thesaurus prints it.

The first line is the heading: one level in words, or several in short (``CI - ASDEC - APEC``). With several, each
section below begins with its level in words; a cell without sections has one text for all its levels.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from lab39.solutions.pharmacy.model import Level, LevelText
from lab39.solutions.pharmacy.printings import LEVEL_WORDS, fold, gravest_first

_SHORT = {"ci": Level.CI, "asdec": Level.AD, "pe": Level.PE, "apec": Level.APEC}
_SHORTS = re.compile(r"(?:ci|asdec|pe|apec)(?: *- *(?:ci|asdec|pe|apec))*")
_WORDS = sorted(LEVEL_WORDS, key=len, reverse=True)
_ITEM = re.compile(r"\s*(?:[-–•■·*]|\d\))\s*\S")


def heading(line: str) -> tuple[Level, ...]:
    """The levels of a cell's first line; none when it is no such line."""
    folded = fold(line)
    if folded in LEVEL_WORDS:
        return (LEVEL_WORDS[folded],)
    if _SHORTS.fullmatch(folded):
        return tuple(_SHORT[part.strip()] for part in folded.split("-"))
    return ()


def section(line: str) -> tuple[Level, str] | None:
    """The level that a line of a cell opens, with the words after it; ``None`` for any other line."""
    if not line[:1].isupper():
        return None
    folded = fold(line)
    word = next((w for w in _WORDS if folded.startswith(w)), None)
    if word is None or folded[len(word) : len(word) + 1].isalpha():
        return None
    rest = _after(line, word)
    return LEVEL_WORDS[word], rest.lstrip(" :").strip()


def read_cell(lines: Sequence[str]) -> tuple[LevelText, ...]:
    """The levels of a cell, each with its conduct, the gravest first; none without a heading.

    A level of the heading that no section tells has the whole text, which may be about it. A section whose level
    the heading leaves out counts too: it is printed.
    """
    levels = heading(lines[0]) if lines else ()
    if not levels:
        return ()
    sections: list[tuple[Level, list[str]]] = []
    for line in lines[1:]:
        opened = section(line)
        if opened is not None:
            sections.append((opened[0], [opened[1]]))
        elif sections:
            sections[-1][1].append(line)
    whole = paragraphs(lines[1:])
    told = {level for level, _ in sections}
    if len(levels) == 1 and told <= set(levels):
        return (LevelText(levels[0], whole),)
    return gravest_first(
        [LevelText(level, paragraphs(text)) for level, text in sections]
        + [LevelText(level, whole) for level in levels if level not in told]
    )


def paragraphs(lines: Iterable[str]) -> str:
    """Printed lines as text: an item of a list and what follows a blank line begin a line, others are joined."""
    done: list[str] = []
    fresh = True
    for line in lines:
        words = " ".join(line.split())
        if not words:
            fresh = True
        elif fresh or _ITEM.match(line) or not done:
            done.append(words)
            fresh = False
        else:
            done[-1] += ("" if re.search(r"\w-$", done[-1]) and words[:1].islower() else " ") + words
    return "\n".join(done)


def _after(line: str, word: str) -> str:
    """What follows a word that the folded line begins with."""
    for end in range(len(word) - 2, len(line) + 1):
        if fold(line[:end]) == word:
            return line[end:]
    return line
