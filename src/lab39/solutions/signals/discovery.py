"""False discovery rate of a ranked list, out of posterior probabilities of the null."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from lab39.core.errors import InputError
from lab39.core.text import Text
from lab39.solutions.signals.arrays import Floats, numbers


def false_discovery_rate(null: ArrayLike, rank_by: ArrayLike | None = None) -> Floats:
    """Expected share of false signals among the pairs ranked at least as high as each pair.

    The mean of the null probabilities from the top of the list down to the pair; pairs that tie share the figure of
    the last of them.
    Source: Ahmed et al. Biometrics 2010;66:301, the Bayesian estimator; Müller et al. JASA 2004;99:990.

    Args:
        null: P(no excess | data) of each pair [pairs], in [0, 1]; for GPS, ``gps.null_probability``.
        rank_by: a larger value ranks higher [pairs]; by default the smaller null probability.

    Raises:
        InputError: probabilities outside [0, 1], shapes that differ.
    """
    p = numbers("null", null, least=0.0)
    if (p > 1).any():
        raise InputError(Text("attendu des probabilités", "probabilities are expected"), "null")
    key = -p if rank_by is None else numbers("rank_by", rank_by)
    if p.ndim != 1 or key.shape != p.shape:
        raise InputError(
            Text("attendu deux listes de même longueur", "two lists of the same length are expected"), "rank_by"
        )
    if not p.size:
        return p
    order = np.argsort(-key, kind="stable")
    mean = np.cumsum(p[order]) / np.arange(1, p.size + 1)
    ranked = key[order]
    last = np.searchsorted(-ranked, -ranked, side="right") - 1
    rate = np.empty_like(p)
    rate[order] = mean[last]
    return rate
