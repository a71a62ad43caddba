"""What is read once and used by every assessment and page: the index, the French labels, the names to search."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from threading import Lock
from weakref import WeakKeyDictionary

from lab39.core.datapacks import Packs
from lab39.core.text import Text
from lab39.solutions.raredisease import sources
from lab39.solutions.raredisease.index import Index
from lab39.solutions.raredisease.labels import Labels
from lab39.solutions.raredisease.search import Names, names


@dataclass(frozen=True)
class Knowing:
    """The index of a pack and the labels of another."""

    index: Index
    labels: Labels

    @cached_property
    def names(self) -> Names:
        """Every name of every sign, ready to search."""
        return names(self.index, self.labels)

    def label(self, term: str) -> Text:
        """A sign in both languages; its id when the ontology does not have it."""
        at = self.index.term_at(term)
        return Text.same(term) if at is None else self.labels.label(term, self.index.labels[at])


_reading = Lock()
_kept: WeakKeyDictionary[Packs, tuple[str, Knowing]] = WeakKeyDictionary()


def knowing(packs: Packs) -> Knowing:
    """Of the newest packs of a lab, read once; without the French pack the labels are English.

    Raises:
        PackMissingError: with the command that brings the ``hpo`` pack.
    """
    french = packs.get(sources.FRENCH).key if packs.has(sources.FRENCH) else ""
    key = f"{packs.get(sources.HPO).key}|{french}"
    with _reading:
        if packs not in _kept or _kept[packs][0] != key:
            _kept[packs] = key, Knowing(sources.open_index(packs), sources.open_labels(packs))
        return _kept[packs][1]
