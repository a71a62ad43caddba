"""How good a set of rankings is: top-k, average by disease, mean reciprocal rank, calibration."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BINS = 15


@dataclass(frozen=True, slots=True)
class Scores:
    """Over ``n`` cases, each a fraction (0-1); ``None`` when there is no case.

    Attributes:
        top1, top3, top10: share of cases whose disease is among the first 1, 3, 10.
        macro_top1: ``top1`` averaged by disease, so that one large cohort does not decide.
        mrr: mean of 1 / rank; 0 for a case whose disease is not ranked.
    """

    n: int
    diseases: int
    top1: float | None
    top3: float | None
    top10: float | None
    macro_top1: float | None
    mrr: float | None


def scores(ranks: Sequence[int | None], diseases: Sequence[str]) -> Scores:
    """Summarise the rank of the true disease in each case; ``None`` is "not ranked" and counts as missed."""
    if not ranks:
        return Scores(0, 0, None, None, None, None, None)
    by_disease: dict[str, list[bool]] = defaultdict(list)
    for rank, disease in zip(ranks, diseases, strict=True):
        by_disease[disease].append(rank == 1)
    return Scores(
        n=len(ranks),
        diseases=len(by_disease),
        top1=top(ranks, 1),
        top3=top(ranks, 3),
        top10=top(ranks, 10),
        macro_top1=sum(sum(hits) / len(hits) for hits in by_disease.values()) / len(by_disease),
        mrr=sum(1 / rank for rank in ranks if rank is not None) / len(ranks),
    )


def top(ranks: Sequence[int | None], k: int) -> float:
    """Share of ranks that are ``k`` or better."""
    return sum(rank is not None and rank <= k for rank in ranks) / len(ranks)


def calibration_error(confidence: Sequence[float], correct: Sequence[bool], bins: int = BINS) -> float | None:
    """Expected calibration error with bins of equal width (Naeini, Cooper and Hauskrecht, AAAI 2015).

    The mean, over the cases, of the gap between the stated probability and the share of right answers in the
    bin of the case. Bins are closed on the right; 0 belongs to the first.
    """
    if not confidence:
        return None
    stated = np.asarray(confidence, dtype=np.float64)
    right = np.asarray(correct, dtype=np.float64)
    place = bin_of(confidence, bins)
    gaps = np.abs(np.bincount(place, stated, bins) - np.bincount(place, right, bins))
    return float(gaps.sum() / len(stated))


def bin_of(confidence: Sequence[float], bins: int = BINS) -> NDArray[np.int64]:
    """The bin of each probability, 0 first."""
    place = np.ceil(np.asarray(confidence, dtype=np.float64) * bins).astype(np.int64) - 1
    return np.clip(place, 0, bins - 1)
