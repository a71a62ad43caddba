"""What a disease's profile was before one paper: the regime ``own-paper-subtracted``.

Many published cases were curated into the annotations, so that a case would meet its own signs in the profile of
its disease. Rows merge references: nearly half (46 %) of the rows that cite the paper of a development case hold
the count of several papers, two to 26, and leaving out whole rows would take away what others found. The rule:

1. A row of signs that rests on this paper alone goes.
2. From a row that rests on several, the paper's patients are taken off ``m`` of ``n``:

   - as many as its cases in the evaluated data state the sign present (from m and n) or excluded (from n);
   - when they state nothing of the sign, an even share of the row, ``m / k`` and ``n / k`` for k references.

   Never below nobody, never more affected than patients; a row of which no patient is left goes.
3. A row without count that also rests on other references stays as it is: those references say the same.
4. Frequency and background are computed again from what is left.

Only the disease of the case is changed: what a paper says about other diseases is knowledge about these.

Limits: the counts of the data are those of the annotation for most rows, not for all (``benchmarks/README.md``); a
row that cites OMIM may rest on an entry that summarises the paper, which no reference tells; a newer file may count
a paper under another reference.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from lab39.solutions.raredisease import profiles
from lab39.solutions.raredisease.constants import Constants
from lab39.solutions.raredisease.index import Index
from lab39.solutions.raredisease.profiles import Ints, Rows, Sparse
from lab39.solutions.raredisease.terms import Resolved


@dataclass(frozen=True, slots=True)
class Stated:
    """Patients of one paper with one disease, by sign (position of the term): ``present`` and ``excluded``."""

    present: Mapping[int, int]
    excluded: Mapping[int, int]

    @classmethod
    def by(cls, patients: Iterable[Resolved]) -> Stated:
        """Count the patients of a paper; a sign is counted as stated, not its ancestors."""
        present: dict[int, int] = {}
        excluded: dict[int, int] = {}
        for patient in patients:
            for term in patient.observed:
                present[term] = present.get(term, 0) + 1
            for term in patient.excluded:
                excluded[term] = excluded.get(term, 0) + 1
        return cls(present, excluded)


@dataclass(frozen=True, slots=True)
class Subtracted:
    """The rows of a disease without a paper.

    Attributes:
        rows: what is left, counts of merged rows reduced.
        kept: position of each in the index, for ``Index.references_of_row``.
        dropped: rows that went.
        reduced: rows of which the paper's patients were taken off.
    """

    rows: Rows
    kept: Ints
    dropped: int
    reduced: int


def without_paper(index: Index, disease: int, paper: str, stated: Stated) -> Subtracted:
    """Take one paper (``PMID:…``) out of the rows of one disease (position in the index)."""
    rows, places = index.rows_of(disease)
    affected, patients = rows.affected.astype(np.float64), rows.patients.astype(np.float64)
    stay = np.ones(len(places), dtype=np.bool_)
    reduced = 0
    for at, place in enumerate(places.tolist()):
        references = index.references_of_row(place)
        if paper not in references:
            continue
        if len(references) == 1:
            stay[at] = False
        elif rows.counted[at]:
            affected[at], patients[at] = _less(
                float(affected[at]), float(patients[at]), len(references), int(rows.term[at]), stated
            )
            stay[at] = patients[at] > 0
            reduced += bool(stay[at])
    left = Rows(
        rows.disease[stay], rows.term[stay], affected[stay], patients[stay], rows.counted[stay], rows.negated[stay]
    )
    return Subtracted(left, places[stay], int((~stay).sum()), reduced)


def profile_without_paper(index: Index, subtracted: Subtracted, constants: Constants) -> Sparse:
    """The profile that the remaining rows give, ancestors included."""
    signs = profiles.pooled(subtracted.rows, constants.pseudo_count, constants.prior_frequency)
    return profiles.propagated(signs, index.up)


def is_cited(index: Index, disease: int, paper: str) -> bool:
    """Whether a row of signs of the disease (position) rests on the paper, alone or with others."""
    _, places = index.rows_of(disease)
    return any(paper in index.references_of_row(place) for place in places.tolist())


def _less(affected: float, patients: float, references: int, term: int, stated: Stated) -> tuple[float, float]:
    present, excluded = stated.present.get(term, 0), stated.excluded.get(term, 0)
    if present + excluded:
        patients = max(0.0, patients - present - excluded)
        return min(max(0.0, affected - present), patients), patients
    share = 1 - 1 / references
    return affected * share, patients * share
