"""The BDPM as a dictionary of drug names for other solutions (:mod:`lab39.core.drugnames`): only what is certain.

A name is a product's (what its label prints before the dose, or the whole label), a substance's, with its salt or
without, in French or English, or several of these together. Words that only say a form, a strength, a holder or a
salt may stand beside it. Any other word leaves the name unknown: nothing is read by likeness.
"""

from __future__ import annotations

from itertools import product
from pathlib import Path

from lab39.core.datapacks import Pack, Packs
from lab39.core.drugnames import Find, Meanings
from lab39.solutions.pharmacy.catalogue import Catalogue, compiled_catalogue
from lab39.solutions.pharmacy.matching import Found, chunks, cover, only_salt, whole
from lab39.solutions.pharmacy.normal import fold, plain, words

MOST = 8
"""Meanings told of one name."""


def read(packs: Packs, pack: Pack) -> Find:
    """The dictionary of an installed edition of the BDPM: from a name to its meanings."""
    catalogue = Catalogue.open(Path(compiled_catalogue(packs, pack)))
    return lambda name: meanings(name, catalogue)


def meanings(name: str, catalogue: Catalogue) -> Meanings:
    """What a name may stand for; empty when it is not known, or when some of its words are not."""
    labelled = catalogue.by_label(fold(name))
    if labelled:
        return _told({row.moieties for row in labelled if row.moieties and not row.homeopathic})
    parts = words(plain(name))
    if not any(letter.isalpha() for word in parts for letter in word):
        return ()
    found, left = whole(name, parts, catalogue) or cover(parts, catalogue)
    if not found or any(each.how == "homeopathic" for each in found):
        return ()
    if not all(only_salt(parts[start:end]) for start, end in chunks(parts, left)):
        return ()
    return _told({_joined(chosen) for chosen in product(*map(_sets, found))})


def _sets(found: Found) -> Meanings:
    return found.sets


def _joined(chosen: tuple[tuple[str, ...], ...]) -> tuple[str, ...]:
    return tuple(sorted({key for some in chosen for key in some}))


def _told(sets: set[tuple[str, ...]]) -> Meanings:
    return tuple(sorted(sets))[:MOST]
