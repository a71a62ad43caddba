"""The fit: derivatives checked by differences, known parameters found again, a model file that still reads."""

from __future__ import annotations

import numpy as np
import pytest

from lab39.solutions.raredisease import ranking
from lab39.solutions.raredisease.constants import load_constants, parse_constants
from raredisease_fit import MODEL, NONE, Design, Parameters, fit, judged, log_likelihood, written


def drawn(truth: Parameters, n: int = 4000, candidates: int = 6) -> Design:
    """Cases whose disease, or none, is drawn with the probabilities of the model."""
    random = np.random.default_rng(1)
    observed = random.normal(0, 2, (n, candidates))
    excluded = random.normal(0, 1, (n, candidates))
    signs = random.integers(1, 9, n)
    score = truth.tau * (1.0 + signs[:, None]) ** -truth.delta * (observed + truth.w * excluded)
    weight = np.exp(np.column_stack([score, np.full(n, truth.b)]))
    edges = np.cumsum(weight / weight.sum(axis=1, keepdims=True), axis=1)
    picked = (random.random((n, 1)) > edges).sum(axis=1)
    found = np.where(picked == candidates, NONE, picked)
    return Design(
        observed.astype(np.float32), excluded.astype(np.float32), signs, found, np.ones(n, dtype=np.bool_)
    )


def test_gradient_and_hessian_agree_with_differences() -> None:
    data = drawn(Parameters(1.0, 0.0, 0.0, 0.5), n=300)
    x, step = np.array([0.7, 0.2]), 1e-5
    _, gradient, hessian = log_likelihood(data.observed, data.truth, x)
    for i in range(2):
        moved = np.eye(2)[i] * step
        above, below = (log_likelihood(data.observed, data.truth, x + s * moved) for s in (1, -1))
        assert gradient[i] == pytest.approx((above[0] - below[0]) / (2 * step), rel=1e-4)
        assert hessian[i] == pytest.approx((above[1] - below[1]) / (2 * step), rel=1e-4)


def test_parameters_that_made_the_cases_are_found_again() -> None:
    truth = Parameters(tau=1.5, delta=0.5, w=0.3, b=0.8)
    found = fit(drawn(truth), truth.delta, truth.w)
    assert found.tau == pytest.approx(truth.tau, abs=0.15)
    assert found.b == pytest.approx(truth.b, abs=0.15)


def test_the_fitted_posterior_is_the_one_that_the_ranking_computes() -> None:
    constants = load_constants()
    data = drawn(Parameters(1.0, 0.0, 0.0, 0.0), n=1)
    mine = judged(
        data,
        Parameters(
            constants.inverse_temperature,
            constants.sign_dependence,
            constants.excluded_weight,
            constants.background_log_odds,
        ),
    )
    score = data.observed[0].astype(np.float64) + constants.excluded_weight * data.excluded[0]
    posterior, none = ranking.posteriors(score, int(data.signs[0]), constants)
    assert mine.first[0] == pytest.approx(posterior.max(), rel=1e-5)
    assert mine.none[0] == pytest.approx(none, rel=1e-5)


def test_a_written_model_reads_again_and_names_its_source() -> None:
    each = Parameters(2.0, 0.5, 0.1, 7.0)
    found = {
        "n": 12,
        "versions": {"hpoa": "2025-01-16"},
        "folds": [each._asdict(), each._replace(tau=3.0)._asdict()],
    }
    text = written(MODEL.read_text("utf-8"), each, found, "2026-11-24")
    constants = parse_constants(text)
    assert constants.inverse_temperature == 2.0
    assert constants.sign_dependence == 0.5
    assert constants.excluded_weight == 0.1
    assert constants.background_log_odds == 7.0
    assert "2.00 to 3.00 over folds; phenopackets-dev.jsonl, 12 cases" in text
    assert constants.noise == load_constants().noise


def test_the_shipped_constants_come_from_the_fit() -> None:
    text = MODEL.read_text("utf-8")
    assert "to be fitted" not in text
    assert text.count("benchmarks/raredisease_fit.py: ") == 4
