"""Names in one form: case, accents, punctuation, and the part of a substance's name that interactions are about.

The facts (salts, hydrates, esters, metals, plants, other names) stand in ``knowledge/salts.toml`` and
``knowledge/aliases.toml``, each with its source; this module only says in which order they are used.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources
from typing import Any

Words = tuple[str, ...]

_LIGATURES = str.maketrans({"œ": "oe", "æ": "ae", "ß": "ss", "ø": "o", "ł": "l", "đ": "d", "µ": "u", "μ": "u"})
_APOSTROPHES = str.maketrans(dict.fromkeys("’ʼ`´‘ʹ", "'"))
_GREEK = {"α": " alpha ", "β": " beta ", "γ": " gamma ", "δ": " delta ", "ω": " omega "}
_WORD = re.compile(r"(?:[dl]'(?=[a-z0-9]|$))|[a-z0-9]+(?:[.,][0-9]+)*")
_INVERTED = re.compile(r"^([^()]+?)\s*\(([^()]+?)\s*\b(de|d'|du|des)\s*\)\s*(.*)$")
_INVERTED_WORD = re.compile(r"^([^()]+?)\s*\(\s*(acide|chlorure|sulfate|fluorure|alcool|toxine)\s*\)\s*(.*)$")
_BRACKETS = re.compile(r"\(([^()]*)\)")
_OF = frozenset({"de", "d'", "du", "des", "of"})
_ARTICLES = frozenset({"la", "le", "les", "l'"})
_MAX_STEPS = 16


def plain(text: str) -> str:
    """Lower case, without accents, ligatures or decoration; punctuation kept."""
    text = text.casefold().translate(_APOSTROPHES).translate(_LIGATURES)
    for letter, name in _GREEK.items():
        text = text.replace(letter, name)
    return "".join(c for c in unicodedata.normalize("NFKD", text) if c.isascii())


def words(text: str) -> Words:
    """The words of a text in one form; ``d'`` and ``l'`` are words, a decimal comma becomes a point.

    >>> words("Chlorhydrate d’Éphédrine 0,5 mg")
    ('chlorhydrate', "d'", 'ephedrine', '0.5', 'mg')
    """
    return tuple(w.replace(",", ".") for w in _WORD.findall(_lp(plain(text))))


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


@lru_cache(maxsize=65536)
def skeleton(name: str) -> str:
    """A name without what differs between spellings and languages: ``amoxicillin`` and ``amoxicilline`` are one.

    Only regular differences between French, English and former spellings: ph/f, th/t, y/i, ae/oe/e, double letters,
    a final e.
    """
    if " " in name or "'" in name:
        return "".join(skeleton(word) for word in re.split(r"[ ']", name))
    text = name
    for before, after in (("ph", "f"), ("th", "t"), ("rh", "r"), ("ae", "e"), ("oe", "e"), ("y", "i"), ("ck", "c")):
        text = text.replace(before, after)
    text = re.sub(r"(.)\1+", r"\1", text)
    return text.rstrip("e") if len(text) > 4 else text


@lru_cache(maxsize=32768)
def moiety_key(substance: str) -> str:
    """The active part of a substance, as :attr:`Moiety.key` writes it; empty for a text without a letter.

    Works on the names of the BDPM and of the thesaurus alike, with or without salt, hydrate or inversion, and on
    their English forms; it never leaves a counter-ion in the place of a drug.

    >>> [moiety_key(x) for x in ("Chlorhydrate de metformine", "SODIUM (VALPROATE DE)", "Chlorure de potassium")]
    ['metformine', 'acide valproique', 'potassium']
    """
    parts = words(upright(substance))
    if not parts:
        return ""
    for _ in range(_MAX_STEPS):
        for name in (joined(parts), joined(_dry(parts))):
            if name in aliases():
                return aliases()[name]
            if name in salts().whole:
                return name
        shorter = _step(parts)
        if not shorter or shorter == parts:
            break
        parts = shorter
    return joined(parts)


def upright(name: str) -> str:
    """A name of the BDPM read in its natural order.

    >>> upright("MÉTOCLOPRAMIDE (CHLORHYDRATE DE) MONOHYDRATÉ")
    'chlorhydrate de metoclopramide monohydrate'
    """
    text = _BRACKETS.sub(_without_part, plain(name).replace("[", " ").replace("]", " "))
    for _ in range(4):
        word = _INVERTED_WORD.match(text)
        found = _INVERTED.match(text)
        if word:
            text = f"{word[2]} {word[1]} {word[3]}"
        elif found:
            of = found[3] if found[3].endswith("'") else found[3] + " "
            text = f"{found[2]} {of}{found[1]} {found[4]}"
        else:
            break
    return re.sub(r"\s+", " ", text).strip()


def upright_label(name: str) -> str:
    """A printed name as people read it: « SODIUM (NITROPRUSSIATE DE) » -> « nitroprussiate de sodium »."""
    return upright(name) if "(" in name else name.lower().strip()


@lru_cache(maxsize=32768)
def is_homeopathic(substance: str) -> bool:
    """Whether a substance of the BDPM is meant for homeopathy."""
    name = fold(substance)
    return any(mark in name for mark in salts().homeopathic)


def _without_part(bracket: re.Match[str]) -> str:
    """Nothing for a bracket that only names a part of a plant."""
    return " " if words(bracket[1]) in salts().plant_parts else bracket[0]


@dataclass(frozen=True, slots=True)
class Salts:
    """``knowledge/salts.toml`` as words; phrases are tuples of words, the longest first."""

    prefixes: Words
    anions: frozenset[Words]
    between: frozenset[str]
    cations: frozenset[str]
    hydrates: frozenset[str]
    leading: dict[str, tuple[Words, ...]]
    trailing: dict[str, tuple[Words, ...]]
    metals: frozenset[str]
    metal_adjectives: dict[str, str]
    metal_states: frozenset[str]
    metal_anions: frozenset[Words]
    acids: dict[str, str]
    alcohols: frozenset[Words]
    isomers: frozenset[str]
    plant_parts: frozenset[Words]
    insulins: tuple[Words, ...]
    virus: str
    strains: frozenset[str]
    live: dict[str, str]
    homeopathic: tuple[str, ...]
    whole: frozenset[str]


@cache
def salts() -> Salts:
    """The words that may be taken off a substance's name."""
    raw = _toml("salts.toml")
    cations, shown, plants = raw["cations"], raw["presentations"], raw["plants"]
    hydrates = raw["hydrates"]["words"]
    trailing = [*cations["words"], *cations["after"], *hydrates, *shown["after"]]
    trailing += [*raw["esters"]["words"], *plants["after"]]
    return Salts(
        prefixes=tuple(raw["prefixes"]["words"]),
        anions=frozenset(words(each) for each in raw["anions"]["words"] + raw["anions"]["english"]),
        between=frozenset(raw["anions"]["between"]),
        cations=frozenset(w for w in cations["words"] if " " not in w) | {"sodium", "ammonium"},
        hydrates=frozenset(w for w in hydrates if " " not in w),
        leading=_by_word(cations["before"] + shown["before"], 0),
        trailing=_by_word(trailing, -1),
        metals=frozenset(raw["metals"]["names"]),
        metal_adjectives=raw["metals"]["adjectives"],
        metal_states=frozenset(raw["metals"]["states"]),
        metal_anions=frozenset(words(each) for each in raw["metals"]["anions"]),
        acids={k: v for k, v in raw["acids"].items() if k != "source"},
        alcohols=frozenset(words(each) for each in raw["alcohols"]["words"]),
        isomers=frozenset(raw["isomers"]["words"]),
        plant_parts=frozenset(words(each) for each in plants["parts"]),
        insulins=_longest_first(raw["insulins"]["words"]),
        virus=raw["strains"]["begins"],
        strains=frozenset(raw["strains"]["cut"]),
        live=raw["strains"]["live"],
        homeopathic=tuple(raw["homeopathic"]["marks"]),
        whole=frozenset(fold(each) for each in raw["whole"]["names"]),
    )


@cache
def aliases() -> dict[str, str]:
    """Other name -> the name kept, both folded."""
    rows = _toml("aliases.toml")["group"]
    return {fold(other): fold(kept) for row in rows for other, kept in row["names"].items()}


@cache
def several() -> dict[str, Words]:
    """Names that mean several substances -> their keys."""
    rows = _toml("aliases.toml")["several"]
    return {fold(name): tuple(row["means"]) for row in rows for name in (row["name"], *row.get("also", ()))}


@cache
def counter_ions() -> frozenset[str]:
    """Metals and bases that make a salt; beside the name of a drug they are not a drug."""
    return salts().metals | salts().cations


@cache
def salt_words() -> frozenset[str]:
    """Every single word that may be a part of the name of a salt."""
    table = salts()
    anions = {word for phrase in table.anions for word in phrase}
    others = {w for group in (table.leading, table.trailing) for some in group.values() for p in some for w in p}
    multiplied = {prefix + word for prefix in table.prefixes for word in anions}
    return frozenset(anions | others | multiplied | table.between | counter_ions())


def _step(parts: Words) -> Words:
    """A name with one thing less; the same when nothing can be taken off."""
    if not parts:
        return parts
    table = salts()
    for lead in table.leading.get(parts[0], ()):
        if len(parts) > len(lead) and parts[: len(lead)] == lead:
            return parts[len(lead) :]
    if len(parts) > 1 and parts[0] in _ARTICLES:
        return parts[1:]
    if len(parts) > 1 and parts[0] in table.isomers and len(joined(parts[1:])) > 5:
        return parts[1:]
    if len(parts) > 2 and parts[0] == "acide" and parts[1] in table.isomers:
        return (parts[0], *parts[2:])
    for rule in (_virus, _insulin, _english_acid, _acid, _without_end, _metal, _plant, _without_anion):
        rest = rule(parts)
        if rest is not None:
            return rest
    if len(parts) > 1 and _is_anion(parts[-1:]) and parts[-2] not in _OF and parts[0] not in counter_ions():
        return parts[:-1]
    return parts


def _without_end(parts: Words) -> Words | None:
    """Without what stands after the drug; a cation stays after « de », and after an anion alone."""
    for end in salts().trailing.get(parts[-1], ()):
        rest = parts[: -len(end)]
        if rest and parts[-len(end) :] == end and rest[-1] not in _OF and not _is_anion(rest):
            return rest
    return None


def _dry(parts: Words) -> Words:
    """Without the hydrates at the end."""
    while len(parts) > 1 and parts[-1] in salts().hydrates:
        parts = parts[:-1]
    return parts


def _virus(parts: Words) -> Words | None:
    table = salts()
    if parts[0] != table.virus:
        return None
    cut = next((i for i, word in enumerate(parts) if word in table.strains), None)
    if cut is None or cut < 2:
        return None
    kept = parts[:cut]
    return words(table.live[joined(kept)]) if "vivant" in parts and joined(kept) in table.live else kept


def _insulin(parts: Words) -> Words | None:
    if "insuline" not in parts[:3] and parts[0] != "insulin":
        return None
    parts = parts[parts.index("insuline") :] if "insuline" in parts else parts
    for phrase in salts().insulins:
        for i in range(1, len(parts) - len(phrase) + 1):
            if parts[i : i + len(phrase)] == phrase:
                return parts[:i] + parts[i + len(phrase) :]
    return None


def _english_acid(parts: Words) -> Words | None:
    """``folic acid`` -> ``acide folique``."""
    if len(parts) < 2 or parts[-1] != "acid" or not parts[-2].endswith("ic"):
        return None
    return ("acide", *parts[:-2], parts[-2][:-2] + "ique")


def _metal(parts: Words) -> Words | None:
    """The element of a salt whose anion is no drug: ``sulfate ferreux``, ``potassium chloride``."""
    table = salts()
    core = tuple(p for p in parts if p not in table.hydrates)
    if len(core) < 2:
        return None
    if core[0] in table.metals and all(p in table.metal_states for p in core[1:]):
        return core[:1]
    if core[-1] in table.metal_adjectives and _bare(core[:-1]) in table.metal_anions:
        return (table.metal_adjectives[core[-1]],)
    if core[0] in table.metal_adjectives and _bare(core[1:]) in table.metal_anions:
        return (table.metal_adjectives[core[0]],)
    if core[0] in table.metals and _bare(core[1:]) in table.metal_anions:
        return core[:1]
    if core[-1] in table.metal_states and core[-2] in table.metals:
        core = core[:-1]
    if core[-1] in table.metals and len(core) > 2 and core[-2] in _OF and _bare(core[:-2]) in table.metal_anions:
        return core[-1:]
    return None


def _acid(parts: Words) -> Words | None:
    """The acid of a salt or an ester whose anion is the drug: ``alendronate monosodique``."""
    table = salts()
    if parts[0] not in table.acids:
        return None
    rest = tuple(p for p in parts[1:] if p not in table.hydrates)
    rest = rest[1:] if rest and rest[0] in _OF else rest
    if not rest or rest in table.alcohols or all(p in counter_ions() or p == "acide" for p in rest):
        return words(table.acids[parts[0]])
    return None


def _plant(parts: Words) -> Words | None:
    table = salts()
    for i, part in enumerate(parts[1:8], 1):
        if part in _OF and len(parts) > i + 1 and parts[:i] in table.plant_parts:
            return parts[i + 1 :]
    return None


def _without_anion(parts: Words) -> Words | None:
    """What follows « chlorhydrate de »; ``None`` when the name does not begin so, or only a metal follows."""
    table = salts()
    for i, part in enumerate(parts):
        if part not in _OF or not i:
            continue
        head, rest = parts[:i], parts[i + 1 :]
        while len(head) > 1 and head[-1] in table.between:
            head = head[:-1]
        while len(head) > 1 and head[0] in table.isomers:
            head = head[1:]
        alone = [p for p in rest if p not in table.hydrates]
        if alone and _is_anion(head) and not all(p in counter_ions() or p == "acide" for p in alone):
            return rest
    return None


def _is_anion(head: Words) -> bool:
    return _bare(head) in salts().anions


def _bare(head: Words) -> Words:
    """An anion without its multipliers: ``dichlorhydrate`` -> ``chlorhydrate``."""
    table = salts()
    for _ in range(2):
        if head in table.anions or head in table.metal_anions or not head:
            return head
        prefix = next((p for p in table.prefixes if head[0].startswith(p) and len(head[0]) > len(p) + 3), None)
        if prefix is None:
            return head
        head = (head[0][len(prefix) :], *head[1:])
    return head


def _lp(text: str) -> str:
    """``L.P.`` as one word."""
    return re.sub(r"\bl\s?\.\s?p\b\.?", "lp", text)


def _longest_first(phrases: Iterable[str]) -> tuple[Words, ...]:
    return tuple(sorted({words(p) for p in phrases}, key=lambda w: (-len(w), w)))


def _by_word(phrases: Iterable[str], position: int) -> dict[str, tuple[Words, ...]]:
    found: dict[str, tuple[Words, ...]] = {}
    for phrase in _longest_first(phrases):
        found[phrase[position]] = (*found.get(phrase[position], ()), phrase)
    return found


@cache
def _toml(name: str) -> dict[str, Any]:
    text = resources.files("lab39.solutions.pharmacy").joinpath("knowledge", name).read_text("utf-8")
    return tomllib.loads(text)
