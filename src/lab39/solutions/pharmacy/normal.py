"""Names in one form: case, accents, punctuation, and the part of a substance's name that interactions are about.

The facts (salts, hydrates, esters, metals, other names) stand in ``knowledge/salts.toml`` and
``knowledge/aliases.toml``, each with its source; this module only says in which order they are used.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources
from typing import Any

_LIGATURES = str.maketrans({"œ": "oe", "æ": "ae", "ß": "ss", "ø": "o", "ł": "l", "đ": "d", "µ": "u", "μ": "u"})
_APOSTROPHES = str.maketrans(dict.fromkeys("’ʼ`´‘ʹ", "'"))
_GREEK = {"α": " alpha ", "β": " beta ", "γ": " gamma ", "δ": " delta ", "ω": " omega "}
_WORD = re.compile(r"(?:[dl]'(?=[a-z0-9]))|[a-z0-9]+(?:[.,][0-9]+)*")
_ELIDED = frozenset({"d'", "l'"})
_INVERTED = re.compile(r"^([^()]+?)\s*\(([^()]+?)\s*\b(de|d'|du|des)\s*\)\s*(.*)$")
_INVERTED_ACID = re.compile(r"^([^()]+?)\s*\(\s*acide\s*\)\s*(.*)$")
_OF = frozenset({"de", "d'", "du", "des"})


def plain(text: str) -> str:
    """Lower case, without accents, ligatures or decoration; punctuation kept."""
    text = text.casefold().translate(_APOSTROPHES).translate(_LIGATURES)
    for letter, name in _GREEK.items():
        text = text.replace(letter, name)
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(c for c in decomposed if ord(c) < 128)


def words(text: str) -> tuple[str, ...]:
    """The words of a text in one form; ``d'`` and ``l'`` are words, a decimal comma becomes a point.

    >>> words("Chlorhydrate d’Éphédrine 0,5 mg")
    ('chlorhydrate', "d'", 'ephedrine', '0.5', 'mg')
    """
    return tuple(w.replace(",", ".") for w in _WORD.findall(plain(text)))


def joined(parts: Iterable[str]) -> str:
    """Words as one text, no space after an elision."""
    return " ".join(parts).replace("' ", "'")


@lru_cache(maxsize=65536)
def fold(text: str) -> str:
    """One form for every writing of a name.

    >>> fold("Acide  ACÉTYLSALICYLIQUE")
    'acide acetylsalicylique'
    """
    return joined(words(text))


@dataclass(frozen=True, slots=True)
class Salts:
    """``knowledge/salts.toml``, each list as tuples of words, the longest first."""

    prefixes: tuple[str, ...]
    anions: frozenset[tuple[str, ...]]
    between: frozenset[str]
    leading: tuple[tuple[str, ...], ...]
    trailing: tuple[tuple[str, ...], ...]
    metals: frozenset[str]
    metal_adjectives: dict[str, str]
    metal_anions: frozenset[tuple[str, ...]]
    acids: dict[str, str]
    whole: frozenset[str]


@cache
def salts() -> Salts:
    """The words that may be taken off a substance's name."""
    raw = _toml("salts.toml")
    acids = {k: v for k, v in raw["acids"].items() if k != "source"}
    leading = raw["cations"]["before"] + raw["presentations"]["before"]
    trailing = (
        raw["cations"]["words"]
        + raw["cations"]["after"]
        + raw["hydrates"]["words"]
        + raw["presentations"]["after"]
        + raw["esters"]["words"]
    )
    return Salts(
        prefixes=tuple(raw["prefixes"]["words"]),
        anions=frozenset(words(each) for each in raw["anions"]["words"]),
        between=frozenset(raw["anions"]["between"]),
        leading=_longest_first(leading),
        trailing=_longest_first(trailing),
        metals=frozenset(raw["metals"]["names"]),
        metal_adjectives=raw["metals"]["adjectives"],
        metal_anions=frozenset(words(each) for each in raw["metals"]["anions"]),
        acids=acids,
        whole=frozenset(fold(each) for each in raw["whole"]["names"]),
    )


@cache
def aliases() -> dict[str, str]:
    """Other name -> the name kept, both folded."""
    rows = _toml("aliases.toml")["group"]
    return {fold(other): fold(kept) for row in rows for other, kept in row["names"].items()}


@lru_cache(maxsize=32768)
def moiety_key(substance: str) -> str:
    """The active part of a substance, as :attr:`Moiety.key` writes it; empty for a text without a letter.

    Works on the names of the BDPM and of the thesaurus alike, with or without salt, hydrate or inversion; it never
    leaves a counter-ion in the place of a drug.

    >>> [moiety_key(x) for x in ("Chlorhydrate de metformine", "SODIUM (VALPROATE DE)", "Chlorure de potassium")]
    ['metformine', 'acide valproique', 'potassium']
    """
    parts = words(upright(substance))
    for _ in range(12):
        name = joined(parts)
        known = aliases().get(name)
        if known is not None:
            if known in salts().whole or known == name:
                return known
            parts = words(known)
            continue
        if name in salts().whole:
            return name
        shorter = _shortened(parts)
        if shorter == parts:
            break
        parts = shorter
    return joined(parts)


def upright(name: str) -> str:
    """A name of the BDPM read in its natural order, and without what stands after it in brackets or commas.

    >>> upright("MÉTOCLOPRAMIDE (CHLORHYDRATE DE) MONOHYDRATÉ")
    'chlorhydrate de metoclopramide monohydrate'
    """
    text = plain(name).replace("[", "(").replace("]", ")")
    text = re.sub(r"\(\s*((?:[ivx]+|\d+)\s*[a-z]{1,2}|[rs]|[+-])\s*\)", r" \1 ", text) if "(" in text else text
    for _ in range(4):
        acid = _INVERTED_ACID.match(text)
        if acid:
            text = f"acide {acid[1]} {acid[2]}"
            continue
        found = _INVERTED.match(text)
        if not found:
            break
        of = found[3] if found[3].endswith("'") else found[3] + " "
        text = f"{found[2]} {of}{found[1]} {found[4]}"
    return re.sub(r"\s+", " ", text).strip()


def _shortened(parts: tuple[str, ...]) -> tuple[str, ...]:
    """One step less; the same when nothing can be taken off."""
    table = salts()
    for lead in table.leading:
        if len(parts) > len(lead) and parts[: len(lead)] == lead:
            return parts[len(lead) :]
    metal = _metal(parts)
    if metal:
        return (metal,)
    of_cation = _acid(parts)
    if of_cation:
        return words(of_cation)
    rest = _without_anion(parts)
    if rest is not None:
        return rest
    for trail in table.trailing:
        if len(parts) > len(trail) and parts[-len(trail) :] == trail:
            return parts[: -len(trail)]
    last_of = len(parts) - 1
    if len(parts) > 2 and _is_anion((parts[last_of],)) and parts[0] not in table.metals:
        return parts[:-1]
    return parts


def _metal(parts: tuple[str, ...]) -> str | None:
    """``potassium`` for a salt of potassium whose anion is not a drug."""
    table = salts()
    core = tuple(p for p in parts if (p,) not in _hydrates())
    for i, part in enumerate(core):
        if part in table.metal_adjectives and i > 0 and core[:i] in table.metal_anions:
            return table.metal_adjectives[part]
        if part in _OF and i and core[i + 1 :] and core[i + 1] in table.metals and len(core) == i + 2:
            anion = _bare(core[:i])
            if anion in table.metal_anions:
                return core[i + 1]
    return None


def _acid(parts: tuple[str, ...]) -> str | None:
    """The acid of a salt whose anion is the drug: ``alendronate monosodique``, ``valproate de sodium``."""
    table = salts()
    stem = parts[0] if parts else ""
    if stem not in table.acids:
        return None
    if len(parts) == 1 or parts[1] in _cation_words():
        return table.acids[stem]
    if parts[1] in _OF and len(parts) > 2 and parts[2] in _cation_words() | table.metals | _amine_words():
        return table.acids[stem]
    return None


def _without_anion(parts: tuple[str, ...]) -> tuple[str, ...] | None:
    """What follows « chlorhydrate de »; ``None`` when the name does not begin so, or only a metal follows."""
    table = salts()
    for i, part in enumerate(parts):
        if part in _OF and i:
            head, rest = parts[:i], parts[i + 1 :]
            while len(head) > 1 and head[-1] in table.between:
                head = head[:-1]
            if head and head[0] in ("d", "l", "dl", "s", "r") and len(head) > 1:
                head = head[1:]
            alone = tuple(p for p in rest if (p,) not in _hydrates())
            if rest and _is_anion(head) and not _only_cation(alone):
                return rest
    return None


def _is_anion(head: tuple[str, ...]) -> bool:
    table = salts()
    return head in table.anions or _bare(head) in table.anions


def _bare(head: tuple[str, ...]) -> tuple[str, ...]:
    """An anion without its multipliers: ``dichlorhydrate`` -> ``chlorhydrate``."""
    if not head:
        return head
    first = head[0]
    for _ in range(2):
        for prefix in salts().prefixes:
            rest = first[len(prefix) :]
            if first.startswith(prefix) and ((rest, *head[1:]) in salts().anions or len(rest) > 6):
                if (rest, *head[1:]) in salts().anions:
                    return (rest, *head[1:])
                first = rest
                break
    return head


def _only_cation(rest: tuple[str, ...]) -> bool:
    return bool(rest) and all(
        p in _cation_words() or p in salts().metals or p in ("sodium", "ammonium") for p in rest
    )


@cache
def _cation_words() -> frozenset[str]:
    return frozenset(t[0] for t in salts().trailing if len(t) == 1 and (t,) and t not in _hydrates()) & frozenset(
        _toml("salts.toml")["cations"]["words"]
    )


@cache
def _amine_words() -> frozenset[str]:
    return frozenset({"meglumine", "lysine", "dl", "l", "arginine", "diethylamine", "benzyle", "butoxyethyle"})


@cache
def _hydrates() -> frozenset[tuple[str, ...]]:
    return frozenset(words(each) for each in _toml("salts.toml")["hydrates"]["words"])


@cache
def counter_ions() -> frozenset[str]:
    """Metals and bases that make a salt; beside the name of a drug they are not a drug."""
    return salts().metals | _cation_words() | _amine_words() | {"sodium", "ammonium"}


@cache
def salt_words() -> frozenset[str]:
    """Every single word that may be a part of the name of a salt."""
    table = salts()
    anions = {word for phrase in table.anions for word in phrase}
    trails = {word for phrase in table.trailing + table.leading for word in phrase}
    multiplied = {prefix + word for prefix in table.prefixes for word in anions}
    return frozenset(anions | trails | multiplied | table.between | counter_ions())


@lru_cache(maxsize=65536)
def skeleton(name: str) -> str:
    """A name without what differs between spellings and languages: ``amoxicillin`` and ``amoxicilline`` are one.

    Only regular differences between French, English and former spellings (ph/f, th/t, y/i, ae/oe/e, double letters,
    a final e).
    """
    text = name.replace(" ", "").replace("'", "")
    for before, after in (("ph", "f"), ("th", "t"), ("rh", "r"), ("ae", "e"), ("oe", "e"), ("y", "i"), ("ck", "c")):
        text = text.replace(before, after)
    text = re.sub(r"(.)\1+", r"\1", text)
    return text.rstrip("e") if len(text) > 4 else text


def _longest_first(phrases: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    return tuple(sorted({words(p) for p in phrases}, key=lambda w: (-len(w), w)))


@cache
def _toml(name: str) -> dict[str, Any]:
    text = resources.files("lab39.solutions.pharmacy").joinpath("knowledge", name).read_text("utf-8")
    return tomllib.loads(text)
