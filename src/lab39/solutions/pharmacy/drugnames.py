"""The BDPM as a dictionary of drug names for other solutions (:mod:`lab39.core.drugnames`): only what is certain.

A name is a product's (what its label prints before the dose, or the whole label), a substance's, with its salt or
without, in French or English, or several of these together. Words that only say a form, a strength, a holder or a
salt may stand beside it. Any other word leaves the name unknown: nothing is read by likeness. What stands in
brackets may repeat what stands before them; when it says something else, the name has two meanings.
"""

from __future__ import annotations

import re
from itertools import product

from lab39.core.datapacks import Pack, Packs
from lab39.core.drugnames import Find, Meanings
from lab39.solutions.pharmacy.catalogue import Catalogue, compiled_catalogue
from lab39.solutions.pharmacy.matching import chunks, cover, only_salt, whole
from lab39.solutions.pharmacy.normal import fold, plain, words
from lab39.solutions.pharmacy.vocabulary import in_reports

MOST = 8
"""Meanings told of one name."""
_BRACKETS = re.compile(r"\(([^()]*)\)|\[([^][]*)\]")
_Set = tuple[str, ...]


def read(packs: Packs, pack: Pack) -> Find:
    """The dictionary of an installed edition of the BDPM: from a name to its meanings."""
    catalogue = Catalogue.open(compiled_catalogue(packs, pack))
    return lambda name: meanings(name, catalogue)


def meanings(name: str, catalogue: Catalogue) -> Meanings:
    """What a name may stand for; empty when it is not known, or when some of its words are not."""
    labelled = catalogue.by_label(fold(name))
    if labelled:
        return _told({row.moieties for row in labelled if row.moieties and not row.homeopathic})
    entire = whole(name, words(plain(name)), catalogue)
    if entire:
        return _told({each for found in entire[0] for each in found.sets})
    said = [_BRACKETS.sub(" ", name), *(one or other for one, other in _BRACKETS.findall(name))]
    sets: set[_Set] = set()
    for part in said:
        found = _named(part, catalogue)
        if found is None:
            return ()
        if found:
            sets = {each for one, other in product(sets, found) for each in _either(one, other)} if sets else found
    return _told(sets)


def _named(text: str, catalogue: Catalogue) -> set[_Set] | None:
    """What a text without brackets may stand for; empty when it only says a form or a dose, ``None`` in doubt."""
    aside, changing = in_reports()
    parts = tuple(word for word in words(plain(text)) if word not in aside)
    found, left = cover(parts, catalogue)
    named = {at for each in found for at in range(each.start, each.end)}
    if any(each.how == "homeopathic" for each in found) or any(
        word in changing for at, word in enumerate(parts) if at not in named
    ):
        return None
    if len(found) > 1 and any(each.how == "beginning" for each in found):
        return None  # the first word of brands beside another name may belong to a brand of another country
    unexplained = [parts[start:end] for start, end in chunks(parts, left)]
    if unexplained and not (found and all(map(only_salt, unexplained))):
        return None
    sets = product(*(each.sets for each in found))
    return {tuple(sorted({key for some in chosen for key in some})) for chosen in sets} - {()}


def _either(one: _Set, other: _Set) -> tuple[_Set, ...]:
    """The larger of two sets that agree; both, when they do not."""
    if set(one) <= set(other):
        return (other,)
    return (one,) if set(other) <= set(one) else (one, other)


def _told(sets: set[_Set]) -> Meanings:
    return tuple(sorted(sets))[:MOST]
