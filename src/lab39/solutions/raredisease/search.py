"""Find signs by words, in French and English, with synonyms and typing tolerance."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from lab39.solutions.raredisease.index import Index
from lab39.solutions.raredisease.labels import ENGLISH_ONLY, Labels
from lab39.solutions.raredisease.model import SignMatch

CUTOFF = 0.6
"""Below this likeness a name is not proposed (chosen so that one wrong letter in five still finds a word)."""


@dataclass(frozen=True)
class Names:
    """Every name of every sign: ``plain`` is how it is compared, ``written`` how it is shown."""

    position: tuple[int, ...]
    written: tuple[str, ...]
    plain: tuple[str, ...]


def names(index: Index, labels: Labels = ENGLISH_ONLY) -> Names:
    """The names to search; make them once for many searches."""
    found = list(_names(index, labels))
    return Names(
        tuple(at for at, _ in found),
        tuple(written for _, written in found),
        tuple(plain(written) for _, written in found),
    )


def search(
    index: Index, words: str, labels: Labels = ENGLISH_ONLY, *, top: int = 10, known: Names | None = None
) -> tuple[SignMatch, ...]:
    """Signs whose label or synonym is like the words, the likest first; a sign appears once.

    An HPO id is found as itself.
    """
    from rapidfuzz import fuzz, process

    wanted = plain(words)
    if not wanted:
        return ()
    at = index.term_at(words.strip().upper())
    if at is not None:
        return (_match(index, labels, at, index.term_ids[at], 1.0),)
    known = known or names(index, labels)
    likeness: dict[int, tuple[float, int]] = {}
    for _, score, place in process.extract(wanted, known.plain, scorer=fuzz.WRatio, limit=200, score_cutoff=60):
        # WRatio is generous with parts of names: half of the likeness comes from the name as a whole.
        whole = fuzz.token_sort_ratio(wanted, known.plain[place])
        found = ((score + whole) / 200, -place)
        term = known.position[place]
        likeness[term] = max(likeness.get(term, found), found)
    best = sorted(likeness.items(), key=lambda item: (-item[1][0], len(known.plain[-item[1][1]]), item[0]))
    return tuple(
        _match(index, labels, term, known.written[-place], value)
        for term, (value, place) in best[:top]
        if value >= CUTOFF
    )


def plain(words: str) -> str:
    """Lower case without accents, ligatures and punctuation, so that typing habits do not matter."""
    apart = unicodedata.normalize("NFKD", words.casefold().replace("œ", "oe").replace("æ", "ae"))
    return " ".join(re.findall(r"[a-z0-9]+", "".join(c for c in apart if not unicodedata.combining(c))))


def _names(index: Index, labels: Labels) -> Iterator[tuple[int, str]]:
    for at, (term, label, synonyms) in enumerate(zip(index.term_ids, index.labels, index.synonyms, strict=True)):
        yield at, label
        for other in synonyms:
            yield at, other
        if term in labels.french:
            yield at, labels.french[term]
        for other in labels.synonyms.get(term, ()):
            yield at, other


def _match(index: Index, labels: Labels, at: int, matched: str, likeness: float) -> SignMatch:
    term = index.term_ids[at]
    return SignMatch(term, labels.label(term, index.labels[at]), matched, round(likeness, 3))
