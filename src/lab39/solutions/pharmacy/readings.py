"""The authored readings of the thesaurus: for each rule with several levels, the condition of each level.

The files of ``knowledge/levels`` hold them, written from the official PDF of each edition. A reading tells the
pages it was made from and, for each edition, a fingerprint of the text it reads: a text that changed is not read.
"""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from lab39.core.text import NO_TEXT, Text
from lab39.solutions.pharmacy.expressions import Named
from lab39.solutions.pharmacy.model import Level, Rule

FOLDER = "knowledge/levels"
_LEVEL_WORDS = frozenset(
    re.findall(
        r"\w+",
        "a aux avec association associations ci compte contre convient d de deconseillee deconseillees emploi en il"
        " indication indications necessitant pe precaution precautions prendre une apec asdec",
    )
)


@dataclass(frozen=True, slots=True)
class Branch:
    """One level of a rule and when it holds.

    Attributes:
        when: expression; empty for the branch that holds when no other does.
        label: what it takes, in words.
    """

    level: Level
    when: str
    label: Text


@dataclass(frozen=True, slots=True)
class Reading:
    """What the text of one rule says, in some editions.

    Attributes:
        pair: the two nodes; ``a`` and ``b`` of the expressions.
        pages: edition (``2020-10``) -> pages of the official PDF, under ``a`` then under ``b`` where both print it.
        texts: edition -> fingerprints of the text read; several where two sources of an edition print it otherwise.
        applies: expression; outside it the rule is not about this case; empty when it always is.
        exempt: what lies outside ``applies``, in words.
        branches: the gravest first.
        printed: the sets of levels that a source may print over this text.
        unprinted: names in the text that a source of the edition holds nowhere else.
        note: why it is read so, where the text leaves room.
    """

    pair: tuple[str, str]
    pages: Mapping[str, tuple[int, ...]]
    texts: Mapping[str, tuple[str, ...]]
    applies: str
    exempt: Text
    branches: tuple[Branch, ...]
    printed: tuple[frozenset[Level], ...] = ()
    unprinted: tuple[str, ...] = ()
    note: str = ""

    @property
    def key(self) -> frozenset[str]:
        """The pair, folded and without order."""
        return frozenset(map(folded, self.pair))


@dataclass(frozen=True, slots=True)
class NodeReading:
    """A condition that a node of the thesaurus puts on its members, whatever the rule.

    Attributes:
        node: as printed.
        members: the members it is about; empty for all.
        applies: expression over ``a``, the side that is of that node.
        exempt: what lies outside, in words.
    """

    node: str
    members: tuple[str, ...]
    applies: str
    exempt: Text
    pages: Mapping[str, tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class Readings:
    """All that the knowledge files hold about levels."""

    rules: tuple[Reading, ...]
    nodes: tuple[NodeReading, ...]
    named: Mapping[str, Named]

    def of(self, pair: frozenset[str]) -> Iterator[Reading]:
        """The readings of a folded pair."""
        return (reading for reading in self.rules if reading.key == pair)


@lru_cache(maxsize=8192)
def folded(name: str) -> str:
    """What two printings of a name share: letters and digits, in lower case, without accents."""
    apart = unicodedata.normalize("NFKD", name.casefold().replace("œ", "oe").replace("æ", "ae"))
    return re.sub(r"[^a-z0-9]", "", apart)


def fingerprint(rule: Rule) -> str:
    """Eight hexadecimal digits of the words of a rule's conduct and mechanism.

    Case, accents, spaces, punctuation and order are left out, and the words that name levels: a source that cuts
    the text at its levels and one that prints it whole give the same. Levels are compared beside it.
    """
    text = " ".join([*(level.conduct for level in rule.levels), rule.mechanism])
    apart = unicodedata.normalize("NFKD", text.casefold().replace("œ", "oe"))
    words = re.findall(r"[a-z0-9<>=]+", "".join(c for c in apart if not unicodedata.combining(c)))
    kept = sorted(word for word in words if word not in _LEVEL_WORDS)
    return hashlib.sha256(" ".join(kept).encode()).hexdigest()[:8]


@cache
def readings() -> Readings:
    """The knowledge files, parsed once.

    Raises:
        ValueError: a file that does not have its form; says which entry.
    """
    return of_tables([(name, tomllib.loads(text)) for name, text in _files()])


def write(target: Path) -> None:
    """The knowledge files as JSON, which is read twenty times faster."""
    target.write_text(json.dumps([(name, tomllib.loads(text)) for name, text in _files()]), "utf-8")


def load(source: Path) -> Readings:
    """What :func:`write` wrote.

    Raises:
        ValueError: a damaged file.
    """
    return of_tables(json.loads(source.read_text("utf-8")))


def digest() -> str:
    """Changes with the knowledge files."""
    found = hashlib.sha256()
    for name, text in _files():
        found.update(f"{name}\0{text}\0".encode())
    return found.hexdigest()[:16]


def of_tables(tables: Iterable[tuple[str, Mapping[str, Any]]]) -> Readings:
    """The readings out of the parsed files, each with its name."""
    rules: list[Reading] = []
    nodes: list[NodeReading] = []
    named: dict[str, Named] = {}
    for name, table in tables:
        rules += (_reading(row, name) for row in table.get("rule", ()))
        nodes += (_node(row) for row in table.get("node", ()))
        for row in table.get("condition", ()):
            named[row["name"]] = Named(row["name"], row["true"], row.get("false", ""))
    return Readings(tuple(rules), tuple(nodes), named)


def _files() -> list[tuple[str, str]]:
    folder = files("lab39.solutions.pharmacy").joinpath(FOLDER)
    found = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".toml"))
    return [(name, folder.joinpath(name).read_text("utf-8")) for name in found]


def _reading(row: Mapping[str, Any], name: str) -> Reading:
    a, b = row["pair"]
    told = row["level"]
    parts = [{"level": told, "label": row["label"]}] if isinstance(told, str) else told
    branches = tuple(Branch(Level(part["level"]), part.get("when", ""), Text.of(part["label"])) for part in parts)
    if not branches or sum(not branch.when for branch in branches) > 1:
        raise ValueError(f"{name}: {a} + {b}: each level but one needs when")
    return Reading(
        pair=(a, b),
        pages={edition: tuple(pages) for edition, pages in row["pages"].items()},
        texts={edition: tuple(prints) for edition, prints in row["texts"].items()},
        applies=row.get("applies", ""),
        exempt=Text.of(row["exempt"]) if "exempt" in row else NO_TEXT,
        branches=tuple(sorted(branches, key=lambda branch: branch.level.rank)),
        printed=tuple(frozenset(map(Level, levels)) for levels in row.get("printed", ()))
        or (frozenset(branch.level for branch in branches),),
        unprinted=tuple(row.get("unprinted", ())),
        note=row.get("note", ""),
    )


def _node(row: Mapping[str, Any]) -> NodeReading:
    return NodeReading(
        node=row["node"],
        members=tuple(row.get("members", ())),
        applies=row["applies"],
        exempt=Text.of(row["exempt"]),
        pages={edition: tuple(pages) for edition, pages in row["pages"].items()},
    )
