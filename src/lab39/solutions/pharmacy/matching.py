"""Find the names inside a text: the longest that are known first, then misspelt ones.

Pure look-ups in a :class:`~lab39.solutions.pharmacy.catalogue.Catalogue`; :mod:`names` decides what they mean.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lab39.solutions.pharmacy.catalogue import Catalogue
from lab39.solutions.pharmacy.normal import counter_ions, joined, moiety_key, salt_words, several, skeleton
from lab39.solutions.pharmacy.vocabulary import is_number, surrounds, vocabulary

MAX_WORDS = 9
LITTLE = frozenset({"de", "d'", "du", "des", "l'", "la", "le", "les", "et", "a", "en", "of", "and"})
Sets = tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Found:
    """Words of a text that name something.

    Attributes:
        start, end: positions of the words.
        how: ``brand``, ``reference``, ``beginning``, ``substance``, ``spelling``, ``fuzzy``, ``homeopathic``.
        sets: the sets of moieties the name may stand for.
        score: 0 to 1.
    """

    start: int
    end: int
    name: str
    how: str
    sets: Sets
    score: float = 1.0


def cover(parts: Sequence[str], catalogue: Catalogue) -> tuple[list[Found], list[int]]:
    """The names in a list of words, and the positions of the words that nothing explains."""
    found: list[Found] = []
    left: list[int] = []
    i = 0
    while i < len(parts):
        here = _at(parts, i, catalogue)
        if here:
            found.append(here)
            i = here.end
            continue
        if not (surrounds(parts[i]) or parts[i] in LITTLE or parts[i] in catalogue.laboratories):
            left.append(i)
        i += 1
    return found, left


def whole(text: str, parts: Sequence[str], catalogue: Catalogue) -> tuple[list[Found], list[int]] | None:
    """A text that is one substance as the BDPM prints it, salt and inversion included: « ZINC (SULFATE DE) »."""
    if "(" not in text and not any(word in salt_words() for word in parts):
        return None
    key = moiety_key(text)
    if not key or not catalogue.moiety(key) or any(row.kind == "brand" for row in catalogue.named(joined(parts))):
        return None
    return [Found(0, len(parts), key, "substance", ((key,),))], []


def _at(parts: Sequence[str], i: int, catalogue: Catalogue) -> Found | None:
    """The longest name that begins with word ``i``."""
    if parts[i] in LITTLE:
        return None
    for length in range(min(MAX_WORDS, len(parts) - i), 0, -1):
        group = parts[i : i + length]
        if group[-1] in LITTLE or all(surrounds(w) for w in group) or (length == 1 and _is_counter_ion(parts, i)):
            continue
        known = exact(joined(group), catalogue)
        if known:
            return Found(i, i + length, joined(group), *known)
    return None


def _is_counter_ion(parts: Sequence[str], i: int) -> bool:
    """Whether a metal or a base stands beside something that it may be the salt of: « … de sodium »."""
    if parts[i] not in counter_ions() or i == 0:
        return False
    return parts[i - 1] in ("de", "d'") or not surrounds(parts[i - 1])


def exact(name: str, catalogue: Catalogue) -> tuple[str, Sets] | None:
    """What a name that is known stands for: how, and the sets of moieties."""
    if name in several():
        known = tuple((key,) for key in several()[name] if catalogue.moiety(key))
        return ("substance", known) if known else None
    if catalogue.moiety(name):
        return "substance", ((name,),)
    rows = catalogue.named(name)
    for kind in ("brand", "substance", "reference", "beginning"):
        sets = tuple(sorted({row.moieties for row in rows if row.kind == kind and row.moieties}))
        if sets:
            return kind, sets
    key = moiety_key(name)
    if key and key != name and catalogue.moiety(key):
        return "substance", ((key,),)
    sets = tuple(sorted({row.moieties for row in rows if row.kind == "homeopathic brand"}))
    if sets:
        return "homeopathic", sets
    if is_number(name) or name in vocabulary().ordinary:
        return None
    like = {row.moieties for form in {name, key} if form for row in catalogue.named("~" + skeleton(form))}
    return ("spelling", tuple(sorted(like))) if like else None


@dataclass(frozen=True, slots=True)
class Alike:
    """A known name that resembles a word.

    Attributes:
        score: rapidfuzz ratio, 0 to 100.
        distance: letters to change, add, take off or swap.
    """

    name: str
    score: float
    distance: int
    how: str
    sets: Sets


ASK = 80.0
"""Names at least so alike are proposed."""
TAKE = 92.0
"""A name at least so alike, and no other near, is taken."""
SHORTEST = 5
"""Shorter words resemble too many others."""
REACH = 2
"""Two names so many letters apart from a word, or nearer, are both within reach of a slip."""


def alike(word: str, catalogue: Catalogue, limit: int = 6) -> list[Alike]:
    """Known names with the first letter of a word, or of a few words, that resemble it; the most alike first."""
    from rapidfuzz import fuzz, process
    from rapidfuzz.distance import OSA

    if len(word) < SHORTEST or not any(c.isalpha() for c in word) or word in counter_ions() | vocabulary().ordinary:
        return []
    rows: list[Alike] = []
    names = catalogue.spellings.get(word[0], [])
    for name, score, _ in process.extract(word, names, scorer=fuzz.ratio, score_cutoff=ASK, limit=40):
        known = exact(name, catalogue)
        if known and abs(len(name) - len(word)) <= REACH + 1:
            rows.append(Alike(name, score, OSA.distance(word, name), *known))
    rows.sort(key=lambda row: (row.distance, -row.score, row.name))
    kept: dict[Sets, Alike] = {}
    for row in rows:
        kept.setdefault(row.sets, row)
    return list(kept.values())[:limit]


def taken(rows: Sequence[Alike], word: str) -> Alike | None:
    """The one that may be taken without asking; ``None`` when two are within reach or none is near enough."""
    if not rows or len(word) <= SHORTEST:
        return None
    best = rows[0]
    if best.score < TAKE or best.distance > REACH or len(best.sets) != 1:
        return None
    return None if any(row.distance <= REACH or row.score >= TAKE - REACH for row in rows[1:]) else best


def chunks(parts: Sequence[str], left: Sequence[int]) -> list[tuple[int, int]]:
    """Unexplained words grouped with their neighbours: ``[(start, end), …]``; little words between two belong."""
    groups: list[tuple[int, int]] = []
    for i in left:
        if groups and all(parts[j] in LITTLE for j in range(groups[-1][1], i)):
            groups[-1] = (groups[-1][0], i + 1)
        else:
            groups.append((i, i + 1))
    return groups


def only_salt(parts: Sequence[str]) -> bool:
    """Whether words only name a salt or a hydrate."""
    return all(word in salt_words() or word in LITTLE for word in parts)


def only_neutral(parts: Sequence[str]) -> bool:
    """Whether words of a label say nothing of the composition: « adultes », « conseil »."""
    return all(word in vocabulary().neutral or word in LITTLE for word in parts)
