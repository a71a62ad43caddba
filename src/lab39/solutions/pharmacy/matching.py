"""Find the names inside a text: the longest that are known first, then misspelt ones.

Pure look-ups in a :class:`~lab39.solutions.pharmacy.catalogue.Catalogue`; :mod:`names` decides what they mean.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lab39.solutions.pharmacy.catalogue import Catalogue
from lab39.solutions.pharmacy.normal import counter_ions, joined, moiety_key, salt_words, skeleton
from lab39.solutions.pharmacy.vocabulary import is_number, surrounds, vocabulary

MAX_WORDS = 9
OF = frozenset({"de", "d'", "du", "des", "l'", "la", "le", "et", "a", "en"})


@dataclass(frozen=True, slots=True)
class Found:
    """Words of a text that name something.

    Attributes:
        start, end: positions of the words.
        how: ``brand``, ``beginning``, ``substance``, ``spelling``, ``homeopathic``.
        sets: the sets of moieties the name may stand for.
        score: 0 to 1.
    """

    start: int
    end: int
    name: str
    how: str
    sets: tuple[tuple[str, ...], ...]
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
        word = parts[i]
        if not (surrounds(word) or word in OF or word in catalogue.laboratories):
            left.append(i)
        i += 1
    return found, left


def _at(parts: Sequence[str], i: int, catalogue: Catalogue) -> Found | None:
    """The longest name that begins with word ``i``."""
    if parts[i] in OF:
        return None
    for length in range(min(MAX_WORDS, len(parts) - i), 0, -1):
        group = parts[i : i + length]
        if group[-1] in OF or (length == 1 and _alone_means_nothing(parts, i)):
            continue
        name = joined(group)
        known = exact(name, catalogue)
        if known:
            how, sets = known
            return Found(i, i + length, name, how, sets)
    return None


def _alone_means_nothing(parts: Sequence[str], i: int) -> bool:
    """A word of dose, form or rhythm; a counter-ion after « de »; a laboratory after a name."""
    word = parts[i]
    if surrounds(word) or len(word) < 2:
        return True
    return (word in counter_ions() and i > 0 and not surrounds(parts[i - 1])) or (
        word in counter_ions() and i > 1 and parts[i - 1] in ("de", "d'")
    )


def exact(name: str, catalogue: Catalogue) -> tuple[str, tuple[tuple[str, ...], ...]] | None:
    """What a name written as it is known stands for: how, and the sets of moieties."""
    if catalogue.moiety(name):
        return "substance", ((name,),)
    rows = catalogue.named(name)
    for kind in ("brand", "substance", "beginning"):
        sets = tuple(sorted({row.moieties for row in rows if row.kind == kind and row.moieties}))
        if sets:
            return kind, sets
    key = moiety_key(name)
    if key != name and key and catalogue.moiety(key):
        return "substance", ((key,),)
    sets = tuple(sorted({row.moieties for row in rows if row.kind == "homeopathic"}))
    if sets:
        return "homeopathic", sets
    alike = {row.moieties for row in catalogue.named("~" + skeleton(key or name))}
    if alike and not is_number(name):
        return "spelling", tuple(sorted(alike))
    return None


@dataclass(frozen=True, slots=True)
class Alike:
    """A known name that resembles a word. ``score``: rapidfuzz ratio, 0 to 100."""

    name: str
    score: float
    distance: int
    sets: tuple[tuple[str, ...], ...]


ASK = 80.0
"""Names at least so alike are proposed."""
TAKE = 92.0
"""A name at least so alike, and no other near, is taken."""


def alike(word: str, catalogue: Catalogue, limit: int = 6) -> list[Alike]:
    """Known names that resemble a word or a few words, the most alike first."""
    from rapidfuzz import fuzz, process
    from rapidfuzz.distance import OSA

    if len(word) < 5 or not any(c.isalpha() for c in word) or word in counter_ions():
        return []
    rows: list[Alike] = []
    names = catalogue.spellings.get(word[0], [])
    for name, score, _ in process.extract(word, names, scorer=fuzz.ratio, score_cutoff=ASK, limit=40):
        known = exact(name, catalogue)
        if known and abs(len(name) - len(word)) <= 3:
            rows.append(Alike(name, score, OSA.distance(word, name), known[1]))
    rows.sort(key=lambda row: (-row.score, row.distance, row.name))
    seen: set[tuple[tuple[str, ...], ...]] = set()
    kept = [row for row in rows if not (row.sets in seen or seen.add(row.sets))]  # type: ignore[func-returns-value]
    return kept[:limit]


def taken(rows: Sequence[Alike], word: str) -> Alike | None:
    """The one that may be taken without asking; ``None`` when two are within reach or none is near enough."""
    if not rows or rows[0].score < TAKE or len(rows[0].sets) != 1 or len(word) < 6:
        return None
    best = rows[0]
    others = [row for row in rows[1:] if row.sets != best.sets]
    reach = any(row.distance <= best.distance + 1 or row.score >= TAKE - 4 for row in others)
    return None if reach else best


def chunks(parts: Sequence[str], left: Sequence[int]) -> list[tuple[int, int]]:
    """Unexplained words grouped with their neighbours: ``[(start, end), …]``; little words between two belong."""
    groups: list[tuple[int, int]] = []
    for i in left:
        if groups:
            start, end = groups[-1]
            if all(parts[j] in OF for j in range(end, i)):
                groups[-1] = (start, i + 1)
                continue
        groups.append((i, i + 1))
    return groups


def is_salt_only(parts: Sequence[str]) -> bool:
    """Whether words only name a salt or a hydrate."""
    return all(word in salt_words() or word in OF or word in vocabulary().ordinary for word in parts)
