"""The compact index: every disease's profile, the ontology and the annotation rows, in one file.

Written by :mod:`~lab39.solutions.raredisease.compile`, read here in a fraction of a second.
"""

from __future__ import annotations

import json
import zipfile
from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from lab39.core.errors import InputError
from lab39.core.text import Text
from lab39.solutions.raredisease.constants import FORMAT
from lab39.solutions.raredisease.model import Candidates
from lab39.solutions.raredisease.profiles import Floats, Ints, Rows, Up

GROUPS: tuple[Candidates, ...] = ("OMIM", "ORPHA", "all")
PREFIX = "HP:"


@dataclass(frozen=True)
class Index:
    """Arrays named as in the file; positions are used inside, ids outside.

    Attributes:
        arrays: see ``compile.py`` for each one's shape.
        meta: ``format``, ``hpo``, ``hpoa``, ``constants``, ``rows``, ``repeated``, ``unusable``,
            ``other_aspects``.
    """

    arrays: Mapping[str, Any]
    meta: Mapping[str, Any]

    # -- terms --------------------------------------------------------------------------------------

    @cached_property
    def term_ids(self) -> list[str]:
        """Current ids of the branch of signs, sorted."""
        return [f"{PREFIX}{number:07d}" for number in self.arrays["term_number"].tolist()]

    @cached_property
    def labels(self) -> list[str]:
        """English label of each term."""
        return self._text("term_label")

    @cached_property
    def english(self) -> Mapping[str, str]:
        """English label of each term, by id."""
        return dict(zip(self.term_ids, self.labels, strict=True))

    @cached_property
    def synonyms(self) -> list[list[str]]:
        """English synonyms of each term."""
        return [line.split("\t") if line else [] for line in self._text("term_synonym")]

    @cached_property
    def other_terms(self) -> Mapping[str, Any]:
        """Ids that are not current signs: ``alternative`` id -> id, ``obsolete`` id -> name, replacement and
        terms to consider, ``outside`` id -> name."""
        found: Mapping[str, Any] = json.loads(self.arrays["other_terms"].tobytes())
        return found

    @cached_property
    def up(self) -> Up:
        """Ancestors of each term."""
        return Up(self.arrays["up_start"], self.arrays["up_term"], self.arrays["up_steps"])

    def term_at(self, term: str) -> int | None:
        """Position of a current sign; ``None`` when it is not one."""
        digits = term.removeprefix(PREFIX)
        if not (term.startswith(PREFIX) and len(digits) == 7 and digits.isdecimal() and digits.isascii()):
            return None
        numbers = self.arrays["term_number"]
        at = int(np.searchsorted(numbers, int(digits)))
        return at if at < len(numbers) and numbers[at] == int(digits) else None

    def ancestors(self, term: int) -> list[tuple[int, int]]:
        """``(position, is-a steps)`` of each ancestor, the term itself first, nearest first."""
        here = slice(self.up.start[term], self.up.start[term + 1])
        return list(zip(self.up.term[here].tolist(), self.up.steps[here].tolist(), strict=True))

    # -- diseases -----------------------------------------------------------------------------------

    @cached_property
    def disease_ids(self) -> list[str]:
        """``OMIM:154700``, ``ORPHA:558``… sorted."""
        return self._text("disease_id")

    @cached_property
    def disease_names(self) -> list[str]:
        """As the annotation file writes them."""
        return self._text("disease_name")

    @cached_property
    def disease_at(self) -> dict[str, int]:
        """Position of each disease id."""
        return {each: at for at, each in enumerate(self.disease_ids)}

    def members(self, candidates: Candidates) -> Ints:
        """Positions of the diseases that compete, sorted."""
        if candidates == "all":
            return np.arange(len(self.arrays["disease_group"]))
        return np.flatnonzero(self.arrays["disease_group"] == GROUPS.index(candidates))

    # -- frequencies --------------------------------------------------------------------------------

    def holders(self, term: int) -> tuple[Ints, Floats]:
        """The diseases that show a sign or a kind of it, and how often."""
        here = slice(self.arrays["has_start"][term], self.arrays["has_start"][term + 1])
        return self.arrays["has_disease"][here], self.arrays["has_frequency"][here]

    def frequency(self, term: int, disease: int) -> float:
        """Share of patients with the disease who have the sign; 0 when it is not annotated."""
        starts, diseases, frequencies = self._holding
        end = starts[term + 1]
        at = bisect_left(diseases, disease, starts[term], end)
        return frequencies[at] if at < end and diseases[at] == disease else 0.0

    @cached_property
    def _holding(self) -> tuple[list[int], memoryview[int], memoryview[float]]:
        """The arrays of :meth:`holders` in a form that gives single values three times as fast."""
        a = self.arrays
        return a["has_start"].tolist(), memoryview(a["has_disease"]), memoryview(a["has_frequency"])

    def background(self, candidates: Candidates) -> Floats:
        """Mean of that share over the candidate diseases, for each term."""
        found: Floats = self.arrays["background"][GROUPS.index(candidates)]
        return found

    def rows_of(self, disease: int) -> tuple[Rows, Ints]:
        """The annotation rows of a disease, and their positions for :meth:`references_of_row`."""
        a = self.arrays
        at = np.arange(a["row_start"][disease], a["row_start"][disease + 1])
        one = np.full(len(at), disease, dtype=np.int64)
        return Rows(
            one, a["row_term"][at], a["row_affected"][at], a["row_patients"][at], a["row_counted"][at],
            a["row_negated"][at],
        ), at  # fmt: skip

    def classes_of(self, disease: int) -> Ints:
        """The frequency class each row of :meth:`rows_of` states, as its HPO number; 0 for none."""
        here = slice(self.arrays["row_start"][disease], self.arrays["row_start"][disease + 1])
        found: Ints = self.arrays["row_class"][here]
        return found

    @cached_property
    def references(self) -> list[str]:
        """Every reference by position."""
        return self._text("reference")

    def references_of_row(self, row: int) -> tuple[str, ...]:
        """``PMID:…``, ``OMIM:…`` behind one row."""
        here = slice(self.arrays["row_reference_start"][row], self.arrays["row_reference_start"][row + 1])
        return tuple(self.references[i] for i in self.arrays["row_reference"][here].tolist())

    @cached_property
    def versions(self) -> dict[str, str]:
        """Of the ontology, the annotations and this file's form."""
        return {"hpo": self.meta["hpo"], "hpoa": self.meta["hpoa"], "index": str(self.meta["format"])}

    def _text(self, name: str) -> list[str]:
        written = self.arrays[name].tobytes().decode("utf-8")
        return written.split("\n") if written else []


def load_index(path: Path) -> Index:
    """Read an index.

    Raises:
        InputError: the file is damaged or of another format; delete it, it is made again.
    """
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
        meta = json.loads(arrays.pop("meta").tobytes())
        if meta["format"] != FORMAT:
            raise ValueError(f"format {meta['format']}")
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise InputError(
            Text(
                f"index illisible ({error})\u202f: le supprimer, il sera reconstruit",
                f"unreadable index ({error}): delete it, it will be built again",
            ),
            str(path),
        ) from error
    return Index(arrays, meta)
