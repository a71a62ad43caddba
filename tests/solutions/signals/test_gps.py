"""GPS: openEBGM's figures, two likelihoods, squashing, zeros, and what it refuses to fit."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab39.core.errors import InputError
from lab39.solutions.signals import gps, gpsfit, squash
from lab39.solutions.signals.arrays import CannotFitError

Published = Callable[[str], list[dict[str, str]]]
FULL = gps.Prior(3.2559666440092, 0.399989608486761, 2.02375172860923, 1.90613252757708, 0.0653073552694443)
SQUASHED = gps.Prior(3.25373057244804, 0.399885028527671, 2.02613284399388, 1.90808698966371, 0.0653464242995262)


@pytest.fixture
def caers(published: Published) -> list[dict[str, str]]:
    """openEBGM's example: every pair with its scores."""
    return published("golden/openEBGM_caers_scores_squashedtheta.csv")


def column(rows: list[dict[str, str]], name: str) -> np.ndarray:
    return np.array([float(row[name]) for row in rows])


def test_golden_openebgm_scores_of_every_pair(caers: list[dict[str, str]]) -> None:
    found = gps.scores(SQUASHED, column(caers, "N"), column(caers, "E"))
    for name, ours in (
        ("EBGM", found.ebgm.value),
        ("EB05", found.ebgm.low),
        ("EB95", found.ebgm.high),
        ("Qn", found.first),
    ):
        assert np.abs(ours - column(caers, name)).max() <= 1e-6, name
    assert (found.ebgm.low >= 2).sum() == 131


def test_golden_openebgm_reumofan_and_weight_increased() -> None:
    found = gps.scores(SQUASHED, 16, 0.4064362336)
    told = [float(found.ebgm.value), float(found.ebgm.low), float(found.ebgm.high)]
    assert told == pytest.approx([23.261131, 15.685667, 33.477389], abs=2e-6)


def test_golden_openebgm_likelihood_at_its_own_optimum(caers: list[dict[str, str]]) -> None:
    data = squash.points(column(caers, "N"), column(caers, "E"))
    assert gpsfit.negative_log_likelihood(FULL, data) == pytest.approx(4162.45571, abs=1e-5)


def test_golden_fit_is_as_good_as_openebgms(caers: list[dict[str, str]]) -> None:
    data = squash.points(column(caers, "N"), column(caers, "E"))
    found = gpsfit.fit(data)
    assert found.nll <= 4162.45571 + 1e-3
    assert found.agreeing >= 2
    assert found.prior.alpha1 == pytest.approx(FULL.alpha1, rel=0.05)
    assert found.prior.p == pytest.approx(FULL.p, rel=0.05)


def test_golden_squashing_twice_gives_openebgms_points(caers: list[dict[str, str]], published: Published) -> None:
    data = squash.squash(
        squash.squash(squash.points(column(caers, "N"), column(caers, "E"))), 2, bin_size=10, keep=50
    )
    golden = published("golden/openEBGM_caers_squashed2.csv")
    theirs = np.array(sorted((float(r["N"]), float(r["E"]), float(r["weight"])) for r in golden))
    ours = np.array(sorted(zip(data.n, data.e, data.weight, strict=True)))
    assert ours.shape == theirs.shape
    assert np.abs(ours - theirs).max() < 1e-12
    assert gpsfit.fit(data).nll <= gpsfit.negative_log_likelihood(SQUASHED, data) + 1e-3


priors = st.builds(
    gps.Prior,
    st.floats(0.05, 20),
    st.floats(0.02, 20),
    st.floats(0.05, 20),
    st.floats(0.02, 20),
    st.floats(0.001, 0.999),
)


@given(priors, st.integers(0, 10_000), st.floats(1e-4, 1e4))
def test_scores_are_in_order_finite_and_the_quantiles_are_quantiles(prior: gps.Prior, n: int, e: float) -> None:
    found = gps.scores(prior, n, e)
    values = [float(x) for x in (found.ebgm.low, found.ebgm.value, found.ebgm.high, found.null, found.first)]
    assert np.isfinite(values).all()
    low, middle, high = values[:3]
    assert low < high
    for end, share in ((low, 0.05), (high, 0.95)):
        assert float(gps.null_probability(prior, n, e, ratio=end)) == pytest.approx(share, abs=1e-8)
    assert min(low, middle) > 0


@pytest.mark.parametrize("shape", [1e-3, 1e-6])
@pytest.mark.parametrize("n", [0, 1, 10_000_000])
def test_a_prior_that_is_nearly_a_point_at_0_gives_finite_scores(shape: float, n: int) -> None:
    found = gps.scores(gps.Prior(1.0, 1.0, shape, shape, 0.5), n, [1e-9, 1.0, 1e7])
    for values in (found.ebgm.low, found.ebgm.value, found.ebgm.high, found.null, found.first):
        assert np.isfinite(values).all()
    assert (found.ebgm.low <= found.ebgm.high).all()


@given(st.floats(0.2, 5), st.integers(1, 2000), st.floats(1e-3, 1e3))
def test_ebgm_of_one_component_lies_between_the_prior_and_the_ratio(shape: float, n: int, e: float) -> None:
    prior = gps.Prior(shape, shape, shape, shape, 0.5)  # mean 1
    ebgm = float(gps.ebgm(prior, n, e))
    posterior_mean = (shape + n) / (shape + e)
    assert min(1, n / e) - 1e-9 <= posterior_mean <= max(1, n / e) + 1e-9
    assert ebgm < posterior_mean  # a geometric mean
    assert ebgm > np.exp(-1 / (shape + n)) * posterior_mean * 0.99


@given(st.integers(0, 1000), st.floats(1e-3, 1e3))
def test_ebgm_lies_between_its_quantiles_and_grows_with_the_count(n: int, e: float) -> None:
    found, more = gps.scores(FULL, n, e), gps.scores(FULL, n + 1, e)
    assert found.ebgm.low < found.ebgm.value < found.ebgm.high
    assert more.ebgm.value > found.ebgm.value


def test_scores_do_not_depend_on_the_order_or_the_company_of_the_pairs() -> None:
    random = np.random.default_rng(7)
    n, e = random.integers(1, 30, 5000), random.lognormal(0, 2, 5000)
    together = gps.scores(FULL, n, e)
    for at in range(0, 5000, 500):
        alone = gps.scores(FULL, n[at], e[at])
        for ours, theirs in (
            (together.ebgm.low[at], alone.ebgm.low),
            (together.ebgm.high[at], alone.ebgm.high),
            (together.ebgm.value[at], alone.ebgm.value),
        ):
            assert float(ours) == pytest.approx(float(theirs), rel=1e-11)


@pytest.mark.parametrize("likelihood", ["components", "mixture"])
@pytest.mark.parametrize("least", [0, 1, 2])
def test_the_slope_of_each_likelihood_is_that_of_its_differences(likelihood: gpsfit.Likelihood, least: int) -> None:
    random = np.random.default_rng(8)
    n = np.maximum(random.poisson(3, 300), least).astype(float)
    data = squash.Points(n, random.lognormal(0, 1, 300), random.integers(1, 9, 300).astype(float))
    x = np.array([0.3, -0.9, 0.7, 0.6, -1.4])
    _, slope = gpsfit._objective(x, data, likelihood, least)
    for i, move in enumerate(np.eye(5) * 1e-5):
        up, down = (gpsfit._objective(x + sign * move, data, likelihood, least)[0] for sign in (1, -1))
        assert (up - down) / 2e-5 == pytest.approx(slope[i], rel=1e-5, abs=1e-3)


def drawn(prior: gps.Prior, many: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Counts of a known prior."""
    random = np.random.default_rng(seed)
    e = random.lognormal(-0.5, 1.2, many)
    first = random.random(many) < prior.p
    lam = np.where(
        first, random.gamma(prior.alpha1, 1 / prior.beta1, many), random.gamma(prior.alpha2, 1 / prior.beta2, many)
    )
    return random.poisson(lam * e), e


@pytest.mark.parametrize("zeros", [True, False])
def test_the_mixture_likelihood_finds_the_prior_that_made_the_counts(zeros: bool) -> None:
    truth = gps.Prior(4.0, 0.5, 3.0, 4.0, 0.15)
    n, e = drawn(truth, 40_000, 9)
    seen = slice(None) if zeros else n > 0
    data = squash.points(n[seen], e[seen])
    found = gpsfit.fit(data, likelihood="mixture", least=0 if zeros else 1)
    assert found.prior.mean == pytest.approx(truth.mean, rel=0.06)
    assert found.prior.p == pytest.approx(truth.p, abs=0.04)
    assert found.nll <= gpsfit.negative_log_likelihood(truth, data, likelihood="mixture", least=found.least)


def test_squashing_keeps_the_number_and_the_sum_and_hardly_moves_the_fit() -> None:
    n, e = drawn(gps.Prior(4.0, 0.5, 3.0, 4.0, 0.15), 60_000, 10)
    data = squash.points(n[n > 0], e[n > 0])
    less = squash.auto_squash(data)
    assert less.n.size < data.n.size / 5
    assert less.weight.sum() == data.weight.sum()
    assert (less.e * less.weight).sum() == pytest.approx(data.e.sum())
    full, quick = gpsfit.fit(data, likelihood="mixture").prior, gpsfit.fit(less, likelihood="mixture").prior
    assert float(gps.ebgm(quick, 10, 1.0)) == pytest.approx(float(gps.ebgm(full, 10, 1.0)), rel=0.01)


def test_unreported_pairs_in_bins_are_those_of_the_dense_table() -> None:
    random = np.random.default_rng(11)
    drugs, events, total = random.integers(1, 200, 60), random.integers(1, 300, 80), 5000
    e = np.outer(drugs, events) / total
    seen = random.random(e.shape) < np.minimum(0.8, e)
    data = squash.unreported(drugs, events, total, e[seen])
    assert data.weight.sum() == (~seen).sum()
    assert (data.e * data.weight).sum() == pytest.approx(e[~seen].sum(), rel=1e-6)
    assert (data.n == 0).all()
    dense = squash.points(np.zeros((~seen).sum()), e[~seen])
    binned, listed = (gpsfit.negative_log_likelihood(FULL, each, least=0) for each in (data, dense))
    assert binned == pytest.approx(listed, rel=1e-4)


@pytest.mark.parametrize("likelihood", ["components", "mixture"])
def test_equal_counts_cannot_be_fitted_and_the_error_says_what_to_do(likelihood: gpsfit.Likelihood) -> None:
    data = squash.points(np.full(500, 3), np.random.default_rng(12).lognormal(0, 1, 500))
    with pytest.raises(CannotFitError, match="every pair has the same count, 3"):
        gpsfit.fit(data, likelihood=likelihood)


def test_too_few_pairs_and_unknown_names_are_refused() -> None:
    with pytest.raises(CannotFitError, match="fewer than 20"):
        gpsfit.fit(squash.points([1, 2, 3], [1.0, 1.0, 1.0]))
    with pytest.raises(InputError, match="unknown likelihood"):
        gpsfit.fit(squash.points([1, 2, 3], [1.0, 1.0, 1.0]), likelihood="both")  # type: ignore[arg-type]
    with pytest.raises(InputError):
        gps.Prior(1, 0, 1, 1, 0.5)
    with pytest.raises(InputError, match=r"expected\[1\]"):
        gps.ebgm(FULL, [1, 2], [1.0, 0.0])
