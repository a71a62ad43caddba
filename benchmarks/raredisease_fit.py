"""Fit the constants of the rare-disease posterior on published cases: ``python benchmarks/raredisease_fit.py``.

With n observed signs, the posterior over the candidates and "none of these" is a conditional logit::

    log p(d) = tau * (1 + n) ** -delta * (S_observed(d) + w * S_excluded(d)) - log Z     log p(none) = b - log Z

- ``inverse_temperature`` tau and ``background_log_odds`` b: maximum of the log-likelihood, which is concave in them
  (Newton's method), every case with the same weight;
- ``sign_dependence`` delta: the value of a grid with the best log-likelihood on held-out folds;
- ``excluded_weight`` w: the largest value of a grid that costs at most half a point of top-1 against w = 0. The
  data alone would choose a weight *below* 0, that is, a sign looked for and absent would speak for a disease that
  shows it: papers state above all the exclusions that matter in their disease. A clinician's exclusion does not
  mean that, so a weight below 0 is not considered.

The score of a case is taken with its own paper subtracted, since the paper about the next patient is not written
yet. The examples of "none of these" are the cases of a disease that the annotations do not hold, or of which they
hold nothing without the case's paper.

Cross-validation by component (cases that share a disease or a paper stay in one fold) shows what the constants are
worth on diseases they were not fitted on; the constants written with ``--write`` are those of all cases.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import tomlkit
from numpy.typing import NDArray

from lab39 import terminal
from lab39.settings import Settings
from lab39.solutions.raredisease import likelihood, metrics
from lab39.solutions.raredisease.constants import load_constants
from lab39.solutions.raredisease.evaluate import Case, Fields, in_index, read_cases
from lab39.solutions.raredisease.index import Index
from lab39.solutions.raredisease.model import Candidates, Query
from lab39.solutions.raredisease.sources import open_index
from lab39.solutions.raredisease.terms import resolve
from resampling import components, folds

CASES = Path("data/raredisease/phenopackets-dev.jsonl")
MODEL = Path(__file__).parents[1] / "src/lab39/solutions/raredisease/knowledge/model.toml"
CANDIDATES: Candidates = "OMIM"
FOLDS = 5
NONE = -1
DELTAS = (0.0, 0.25, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
WEIGHTS = (0.0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.5, 1.0)
TOLERATED = 0.005
_CHUNK = 256


class Parameters(NamedTuple):
    """See the module."""

    tau: float
    delta: float
    w: float
    b: float


@dataclass(frozen=True)
class Design:
    """Scores of every candidate in every case.

    Attributes:
        observed, excluded: sums of log likelihood ratios, excluded signs at full weight [cases, candidates].
        signs: number of observed signs [cases].
        truth: position of the case's disease among the candidates; ``NONE`` when the annotations hold nothing of
            it [cases].
        in_index: whether it is one of the candidates, be it with an empty profile [cases].
    """

    observed: NDArray[np.float32]
    excluded: NDArray[np.float32]
    signs: NDArray[np.int64]
    truth: NDArray[np.int64]
    in_index: NDArray[np.bool_]

    def take(self, which: NDArray[np.bool_]) -> Design:
        """Part of the cases."""
        return Design(
            self.observed[which], self.excluded[which], self.signs[which], self.truth[which], self.in_index[which]
        )


def design(index: Index, cases: Sequence[Case]) -> Design:
    """Score every case, its own paper subtracted."""
    constants = replace(load_constants(), excluded_weight=1.0)
    queries = [resolve(index, Query(case.observed, case.excluded)) for case in cases]
    fields = Fields(index, CANDIDATES, "own-paper-subtracted", cases, queries, constants)
    members = index.members(CANDIDATES)
    observed = np.empty((len(cases), len(members)), dtype=np.float32)
    excluded = np.empty_like(observed)
    truth = np.full(len(cases), NONE, dtype=np.int64)
    inside = np.array([in_index(index, case, CANDIDATES) for case in cases], dtype=np.bool_)
    for at, (case, query) in enumerate(zip(cases, queries, strict=True)):
        field = fields.of(case)
        observed[at] = likelihood.scores(field, replace(query, excluded=()), constants)
        excluded[at] = likelihood.scores(field, replace(query, observed=()), constants)
        if inside[at] and (field.profile is None or field.profile):
            truth[at] = np.searchsorted(members, index.disease_at[case.disease])
    signs = np.array([len(query.observed) for query in queries], dtype=np.int64)
    return Design(observed, excluded, signs, truth, inside)


def fit(data: Design, delta: float, w: float) -> Parameters:
    """Maximise the log-likelihood in tau and b by Newton's method, halving a step that does not improve."""
    score = _scaled(data, delta, w)
    x = np.array([1.0, 8.0])
    value, gradient, hessian = log_likelihood(score, data.truth, x)
    for _ in range(50):
        step = np.linalg.solve(hessian, gradient)
        new = log_likelihood(score, data.truth, x - step)
        while new[0] < value and np.abs(step).max() > 1e-9:
            step /= 2
            new = log_likelihood(score, data.truth, x - step)
        x, gained = x - step, new[0] - value
        value, gradient, hessian = new
        if gained < 1e-7 * abs(value):
            break
    return Parameters(float(x[0]), delta, w, float(x[1]))


def log_likelihood(
    score: NDArray[np.float32], truth: NDArray[np.int64], x: NDArray[np.float64]
) -> tuple[float, NDArray[np.float64], NDArray[np.float64]]:
    """Log-likelihood of (tau, b) with its gradient [2] and Hessian [2, 2]."""
    total, gradient, hessian = 0.0, np.zeros(2), np.zeros((2, 2))
    for begin in range(0, len(truth), _CHUNK):
        s, true = score[begin : begin + _CHUNK].astype(np.float64), truth[begin : begin + _CHUNK]
        exponent = np.concatenate([x[0] * s, np.full((len(s), 1), x[1])], axis=1)
        highest = exponent.max(axis=1, keepdims=True)
        p = np.exp(exponent - highest)
        z = p.sum(axis=1, keepdims=True)
        p /= z
        rows, none = np.arange(len(s)), true == NONE
        total += float((exponent[rows, true] - highest[:, 0] - np.log(z[:, 0])).sum())
        seen = np.stack([np.where(none, 0.0, s[rows, true]), none], axis=1)
        mean = np.stack([(p[:, :-1] * s).sum(axis=1), p[:, -1]], axis=1)
        gradient += (seen - mean).sum(axis=0)
        hessian += mean.T @ mean - np.diag([(p[:, :-1] * s * s).sum(), p[:, -1].sum()])
    return total, gradient, hessian


def top1(data: Design, w: float) -> float:
    """Share of the cases in the index whose disease has the highest score."""
    best = [int(np.argmax(o + w * e)) for o, e in zip(data.observed, data.excluded, strict=True)]
    return float((np.array(best) == data.truth)[data.in_index].mean())


@dataclass(frozen=True)
class Held:
    """What parameters give on each case.

    Attributes:
        log_p: log-probability of the truth.
        first: probability of the first disease.
        right: whether it is the case's own.
        none: probability of "none of these".
    """

    log_p: NDArray[np.float64]
    first: NDArray[np.float64]
    right: NDArray[np.bool_]
    none: NDArray[np.float64]


def judged(data: Design, parameters: Parameters) -> Held:
    """Apply parameters to cases."""
    score = _scaled(data, parameters.delta, parameters.w)
    found: list[list[Any]] = [[], [], [], []]
    for s, truth in zip(score, data.truth, strict=True):
        exponent = np.append(parameters.tau * s.astype(np.float64), parameters.b)
        p = np.exp(exponent - exponent.max())
        p /= p.sum()
        best = int(np.argmax(s))
        for column, value in zip(found, (np.log(p[truth]), p[best], best == truth, p[-1]), strict=True):
            column.append(value)
    return Held(*(np.array(column) for column in found))


def cross_validated(data: Design, fold: Sequence[int], delta: float, w: float) -> tuple[list[Parameters], Held]:
    """Fit on the other folds, judge on each."""
    where = np.array(fold)
    parameters = [fit(data.take(where != k), delta, w) for k in range(FOLDS)]
    parts = [judged(data.take(where == k), parameters[k]) for k in range(FOLDS)]
    order = np.argsort(np.concatenate([np.flatnonzero(where == k) for k in range(FOLDS)]))
    names = ("log_p", "first", "right", "none")
    return parameters, Held(*(np.concatenate([getattr(part, name) for part in parts])[order] for name in names))


def summary(data: Design, held: Held) -> dict[str, float | None]:
    """Figures of cases; ``right_of_those`` is the share of right first diseases among those that stand out."""
    inside, out = data.in_index, held.first > held.none
    return {
        "log_loss": float(-held.log_p.mean()),
        "top1": float(held.right[inside].mean()),
        "ece": metrics.calibration_error(held.first[inside].tolist(), held.right[inside].tolist()),
        "ece_all": metrics.calibration_error(held.first.tolist(), held.right.tolist()),
        "stands_out": float(out[inside].mean()),
        "stands_out_when_absent": float(out[data.truth == NONE].mean()),
        "right_of_those": float(held.right[out].mean()),
    }


def _scaled(data: Design, delta: float, w: float) -> NDArray[np.float32]:
    factor = ((1.0 + data.signs) ** -delta).astype(np.float32)
    found: NDArray[np.float32] = factor[:, None] * (data.observed + np.float32(w) * data.excluded)
    return found


def main() -> None:
    """Fit, print, and write if asked."""
    options = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    options.add_argument("--write", action="store_true", help="write the constants to knowledge/model.toml")
    options.add_argument("--on", default="", help="the day to note beside the constants (YYYY-MM-DD)")
    options.add_argument("--json", action="store_true")
    chosen = options.parse_args()
    if chosen.write and not chosen.on:
        options.error("--write needs --on YYYY-MM-DD")
    index = open_index(terminal.lab().packs)
    read = read_cases(Settings.from_env().shared / CASES)
    cases = [case for case in read if resolve(index, Query(case.observed)).observed]
    data = design(index, cases)
    component = components((case.disease, case.paper) for case in cases)
    fold = folds(component, FOLDS)
    first_right = {w: top1(data, w) for w in WEIGHTS}
    w = max(w for w in WEIGHTS if first_right[w] >= first_right[0.0] - TOLERATED)
    tried = {delta: cross_validated(data, fold, delta, w) for delta in DELTAS}
    losses = {delta: float(-held.log_p.mean()) for delta, (_, held) in tried.items()}
    delta = min(losses, key=lambda each: losses[each])
    fitted = fit(data, delta, w)
    found = {
        "n": len(cases),
        "none": int((data.truth == NONE).sum()),
        "components": len(set(component)),
        "largest_component": max(Counter(component).values()),
        "top1_by_w": {str(k): v for k, v in first_right.items()},
        "log_loss_by_delta": {str(k): v for k, v in losses.items()},
        "fitted": fitted._asdict(),
        "folds": [p._asdict() for p in tried[delta][0]],
        "held_out": summary(data, tried[delta][1]),
        "fitted_cases": summary(data, judged(data, fitted)),
        "versions": index.versions,
    }
    print(json.dumps(found, indent=1) if chosen.json else table(found))
    if chosen.write:
        MODEL.write_text(written(MODEL.read_text("utf-8"), fitted, found, chosen.on), "utf-8")


def written(toml: str, fitted: Parameters, found: dict[str, Any], on: str) -> str:
    """The model file with the fitted constants and their source."""
    model = tomlkit.parse(toml)
    data = f"{CASES.name}, {found['n']} cases, own paper subtracted, HPOA {found['versions']['hpoa']}, {on}"

    def put(name: str, value: float, how: str) -> None:
        table: Any = model[name]
        table["value"] = round(value, 3)
        table["source"] = f"benchmarks/raredisease_fit.py: {how}; {data}"

    for name, short in (("inverse_temperature", "tau"), ("background_log_odds", "b")):
        spread = [p[short] for p in found["folds"]]
        put(name, getattr(fitted, short), f"maximum likelihood, {min(spread):.2f} to {max(spread):.2f} over folds")
    put("sign_dependence", fitted.delta, "best held-out log-likelihood of a grid from 0 to 1")
    put("excluded_weight", fitted.w, "largest of a grid that costs at most half a point of top-1 against 0")
    return tomlkit.dumps(model)


def table(found: dict[str, Any]) -> str:
    """What was found, for a person."""

    def line(name: str, row: dict[str, float]) -> str:
        return f"{name:>18}  " + "  ".join(f"{key} {value:.3f}" for key, value in row.items())

    return "\n".join(
        [
            f"{found['n']} cases, {found['none']} of them of no disease of the annotations; "
            f"{found['components']} components, the largest of {found['largest_component']} cases",
            line("top-1 by w", found["top1_by_w"]),
            line("log-loss by delta", found["log_loss_by_delta"]),
            line("fitted", found["fitted"]),
            *(line(f"fold {number}", row) for number, row in enumerate(found["folds"], 1)),
            line("held out", found["held_out"]),
            line("same cases", found["fitted_cases"]),
        ]
    )


if __name__ == "__main__":
    main()
