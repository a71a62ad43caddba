"""Rare diseases: from the signs a clinician sees to a ranked, explained differential.

The library is usable without the rest of the lab. Two public files are compiled once, then every ranking
takes a few milliseconds::

    from pathlib import Path
    from lab39.solutions import raredisease as rd

    rd.compile_index(Path("hp.obo"), Path("phenotype.hpoa"), Path("index.npz"))
    index = rd.load_index(Path("index.npz"))
    ranking = rd.rank(index, rd.Query(observed=("HP:0001166", "HP:0001083"), excluded=("HP:0001250",)))
    for d in ranking.candidates:
        print(d.rank, d.id, d.name, f"{d.posterior:.0%}", [e.label for e in d.evidence_for])
    ranking.p_background         # "no disease of the index stands out"
    ranking.ignored              # what was not used, and why: nothing is dropped in silence

Method: a likelihood ratio per sign in the manner of LIRICAL (Robinson et al., Am J Hum Genet 2020;107:403)
with inexact matches found through the ancestors of a term; every constant is in ``knowledge/model.toml``.
The names below are imported on first use: importing this package costs nothing.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lab39.solutions.raredisease.compile import compile_index, source_key
    from lab39.solutions.raredisease.constants import Constants, load_constants
    from lab39.solutions.raredisease.evaluate import Case, evaluate, read_cases
    from lab39.solutions.raredisease.explanation import explain
    from lab39.solutions.raredisease.index import Index, load_index
    from lab39.solutions.raredisease.labels import Labels, load_labels
    from lab39.solutions.raredisease.model import (
        ExpectedSign,
        Explanation,
        IgnoredTerm,
        MappedTerm,
        Query,
        Question,
        RankedDisease,
        Ranking,
        SignMatch,
        Statement,
        TermEvidence,
    )
    from lab39.solutions.raredisease.questions import next_signs
    from lab39.solutions.raredisease.ranking import rank
    from lab39.solutions.raredisease.search import search
    from lab39.solutions.raredisease.sources import open_index

_HOME = {
    "Case": "evaluate",
    "Constants": "constants",
    "ExpectedSign": "model",
    "Explanation": "model",
    "IgnoredTerm": "model",
    "Index": "index",
    "Labels": "labels",
    "MappedTerm": "model",
    "Query": "model",
    "Question": "model",
    "RankedDisease": "model",
    "Ranking": "model",
    "SignMatch": "model",
    "Statement": "model",
    "TermEvidence": "model",
    "compile_index": "compile",
    "evaluate": "evaluate",
    "explain": "explanation",
    "load_constants": "constants",
    "load_index": "index",
    "load_labels": "labels",
    "next_signs": "questions",
    "open_index": "sources",
    "rank": "ranking",
    "read_cases": "evaluate",
    "search": "search",
    "source_key": "compile",
}

__all__ = [
    "Case",
    "Constants",
    "ExpectedSign",
    "Explanation",
    "IgnoredTerm",
    "Index",
    "Labels",
    "MappedTerm",
    "Query",
    "Question",
    "RankedDisease",
    "Ranking",
    "SignMatch",
    "Statement",
    "TermEvidence",
    "compile_index",
    "evaluate",
    "explain",
    "load_constants",
    "load_index",
    "load_labels",
    "next_signs",
    "open_index",
    "rank",
    "read_cases",
    "search",
    "source_key",
]


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)


class _Package(ModuleType):
    """A package whose public functions are not hidden by the submodules of the same name."""

    def __setattr__(self, name: str, value: object) -> None:
        if not (name in _HOME and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
