"""What both readers of the thesaurus share: names that are the same, levels, and pairs out of printed entries."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from lab39.solutions.pharmacy.model import Level, LevelText, Printing, Rule, Thesaurus

LOST = "[…]"
"""Stands in a text where its source lost some words."""
LEVEL_WORDS: Mapping[str, Level] = {
    "contre-indication": Level.CI,
    "association deconseillee": Level.AD,
    "associations deconseillees": Level.AD,
    "precaution d'emploi": Level.PE,
    "association necessitant une precaution d'emploi": Level.PE,
    "associations necessitant une precaution d'emploi": Level.PE,
    "a prendre en compte": Level.APEC,
    "association a prendre en compte": Level.APEC,
    "il convient de prendre en compte": Level.APEC,
}
"""Folded words of the thesaurus for its four levels."""


@lru_cache(maxsize=8192)
def fold(name: str) -> str:
    """What two printings of one name have in common: no case, accents, curly quotes or line breaks.

    A hyphen that ends a line is kept and joined to what follows (``cardio- selectifs`` -> ``cardio-selectifs``).
    """
    apart = unicodedata.normalize("NFKD", name.casefold().replace("œ", "oe").replace("æ", "ae").replace("’", "'"))
    plain = " ".join("".join(c for c in apart if not unicodedata.combining(c)).split())
    return re.sub(r"(?<=\w)- (?=\w)", "-", plain)


def white_folded(text: str) -> str:
    """A text with each run of white space as one space."""
    return " ".join(text.split())


def split_names(text: str) -> tuple[str, ...]:
    """The names of a bracketed list, cut at commas outside inner brackets."""
    names, depth, start = [], 0, 0
    for i, char in enumerate(text):
        depth += (char == "(") - (char == ")")
        if char == "," and depth <= 0 and text[i + 1 : i + 2] in ("", " ", "\n"):
            names.append(text[start:i])
            start = i + 1
    names.append(text[start:])
    return tuple(dict.fromkeys(found for name in names if (found := white_folded(name))))


@dataclass(frozen=True, slots=True)
class Printed:
    """An edition as it is printed, before its entries become pairs.

    Attributes:
        substances: name -> the classes that its entry or the index names.
        brackets: class -> the members in brackets under it.
        preambles: as in :class:`Thesaurus`.
    """

    edition: dt.date
    printings: tuple[Printing, ...]
    substances: Mapping[str, Sequence[str]]
    brackets: Mapping[str, Sequence[str]]
    preambles: Mapping[str, str]


def assemble(printed: Printed) -> Thesaurus:
    """The thesaurus out of what is printed.

    Names that fold alike become one, spelled as the heading spells it. A substance belongs to a class when either
    place says so, its own list of classes or the brackets under the class.
    """
    printings, substances, brackets = printed.printings, printed.substances, printed.brackets
    spelled: dict[str, str] = {}
    for name in (*(p.under for p in printings), *brackets, *(p.other for p in printings), *substances):
        spelled.setdefault(fold(name), white_folded(name))

    def say(name: str) -> str:
        return spelled.setdefault(fold(name), white_folded(name))

    classes_of: dict[str, dict[str, None]] = {
        say(s): dict.fromkeys(map(say, named)) for s, named in substances.items()
    }
    members: dict[str, dict[str, None]] = {say(c): dict.fromkeys(map(say, named)) for c, named in brackets.items()}
    for substance, named in [(s, list(c)) for s, c in classes_of.items()]:
        for each in named:
            members.setdefault(each, {}).setdefault(substance)
    for name, named in [(c, list(m)) for c, m in members.items()]:
        for each in named:
            classes_of.setdefault(each, {}).setdefault(name)
    rules, conflicts = pairs([_respelled(p, say) for p in printings])
    return Thesaurus(
        edition=printed.edition,
        substances={name: tuple(found) for name, found in classes_of.items()},
        classes={name: tuple(found) for name, found in members.items()},
        rules=rules,
        preambles={say(node): text for node, text in printed.preambles.items() if text},
        conflicts=conflicts,
    )


def _respelled(printing: Printing, say: Callable[[str], str]) -> Printing:
    return replace(printing, under=say(printing.under), other=say(printing.other))


def pairs(printings: Iterable[Printing]) -> tuple[tuple[Rule, ...], tuple[tuple[Printing, Printing], ...]]:
    """Each pair once, and those whose two printings differ in their levels or in what they say.

    When they differ, the printing with the gravest level holds; both being as grave, the one without a lesser one;
    with the same levels, the one that says more.
    """
    found: dict[tuple[str, str], list[Printing]] = {}
    for each in printings:
        a, b = sorted((each.under, each.other), key=lambda name: (fold(name), name))
        found.setdefault((a, b), []).append(each)
    rules, conflicts = [], []
    for (a, b), both in found.items():
        both.sort(key=lambda p: p.under != a)
        holds = min(both, key=lambda p: ([each.level.rank for each in p.levels], -sum(map(len, words_of(p)))))
        rules.append(Rule(a, b, holds.levels, holds.mechanism, holds.page))
        other = next(
            (p for p in both if (levels_of(p), words_of(p)) != (levels_of(both[0]), words_of(both[0]))), None
        )
        if other is not None:
            conflicts.append((both[0], other))
    rules.sort(key=lambda rule: (fold(rule.a), fold(rule.b)))
    return tuple(rules), tuple(conflicts)


def words_of(entry: Printing | Rule) -> tuple[str, ...]:
    """Mechanism and conducts, letters and figures only: what printing alone changes is left out."""
    texts = (entry.mechanism, *(each.conduct for each in entry.levels))
    return tuple("".join(re.findall(r"[a-z0-9<>=%]+", fold(text))) for text in texts)


def levels_of(entry: Printing | Rule) -> tuple[Level, ...]:
    """The levels of an entry, the gravest first."""
    return tuple(each.level for each in entry.levels)


def gravest_first(levels: Iterable[LevelText]) -> tuple[LevelText, ...]:
    """In the order of :class:`Level`; texts of one level are joined."""
    texts: dict[Level, list[str]] = {}
    for each in levels:
        texts.setdefault(each.level, []).append(each.conduct)
    return tuple(
        LevelText(level, "\n".join(dict.fromkeys(filter(None, texts[level])))) for level in Level if level in texts
    )
