"""What the cases share, and what that does to a figure.

Cases of one paper resemble each other, and so do cases of one disease. Cases linked by a chain of shared papers
and diseases form a *component*; cross-validation keeps a component in one fold, the bootstrap draws whole
components.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
DRAWS = 2000
SEED = 39


def components(keys: Iterable[Iterable[str]]) -> list[int]:
    """Number of the component of each case; ``keys`` gives each case's disease and paper."""
    cases = [tuple(k) for k in keys]
    parent: dict[str, str] = {}

    def root(key: str) -> str:
        parent.setdefault(key, key)
        while parent[key] != key:
            parent[key] = parent[parent[key]]
            key = parent[key]
        return key

    for first, *others in cases:
        for other in others:
            parent[root(other)] = root(first)
    numbers: dict[str, int] = {}
    return [numbers.setdefault(root(case[0]), len(numbers)) for case in cases]


def folds(component: Sequence[int], k: int) -> list[int]:
    """Fold of each case: components, largest first, each to the fold that holds fewest cases."""
    load = [0] * k
    fold: dict[int, int] = {}
    for each, size in sorted(Counter(component).items(), key=lambda pair: (-pair[1], pair[0])):
        fold[each] = load.index(min(load))
        load[fold[each]] += size
    return [fold[each] for each in component]


def draws(n_components: int, n_draws: int = DRAWS, seed: int = SEED) -> Floats:
    """How often each draw takes each component [draws, components]; the same on every run."""
    random = np.random.default_rng(seed)
    drawn = random.multinomial(n_components, np.full(n_components, 1 / n_components), n_draws)
    return drawn.astype(np.float64)


def sums(values: Any, group: Sequence[int], n_groups: int) -> Floats:
    """Sum of the values of each group."""
    return np.bincount(np.asarray(group), np.asarray(values, dtype=np.float64), n_groups).astype(np.float64)


def interval(numerator: Floats, denominator: Floats, weights: Floats, percent: float = 95) -> tuple[float, float]:
    """Percentile interval of a ratio of sums over components [components]; draws without any case are left out."""
    below = weights @ denominator
    ratio = (weights @ numerator)[below > 0] / below[below > 0]
    low, high = np.percentile(ratio, [(100 - percent) / 2, (100 + percent) / 2])
    return float(low), float(high)


def by_disease(
    values: Sequence[float], disease: Sequence[str], component: Sequence[int], n_components: int
) -> tuple[Floats, Floats]:
    """For an average by disease: sum of the diseases' means and number of diseases, by component."""
    found: dict[str, list[float]] = defaultdict(list)
    home: dict[str, int] = {}
    for value, name, where in zip(values, disease, component, strict=True):
        found[name].append(value)
        home[name] = where
    means = [sum(each) / len(each) for each in found.values()]
    homes = [home[name] for name in found]
    return sums(means, homes, n_components), sums([1.0] * len(homes), homes, n_components)
