"""What holds for every table: order of the ends, growth with the count, symmetry, never a NaN."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab39.core.errors import InputError
from lab39.solutions.signals import (
    change,
    discovery,
    interactions,
    lrt,
    masking,
    onset,
    sequential,
)
from lab39.solutions.signals import disproportionality as dp
from lab39.solutions.signals.arrays import CannotFitError


@st.composite
def tables(draw: st.DrawFn) -> tuple[int, int, int, int]:
    """observed, n_drug, n_event, n_total that do not contradict each other."""
    a, b, c, d = (draw(st.integers(0, 10**6)) for _ in range(4))
    if a + b == 0 or a + c == 0:
        a += 1
    return a, a + b, a + c, a + b + c + d


@given(tables())
def test_no_answer_is_nan_or_infinite_and_ends_are_in_order(table: tuple[int, int, int, int]) -> None:
    e = dp.expected(*table[1:])
    for found in (
        dp.prr(*table),
        dp.ror(*table),
        dp.ic(table[0], e),
        dp.bcpnn(*table),
        dp.bcpnn(*table, method="gould-2003"),
    ):
        assert np.isfinite([found.value, found.low, found.high]).all()
        assert found.low <= found.value <= found.high
    assert np.isfinite(dp.chi2_yates(*table))
    assert dp.chi2_yates(*table) >= 0
    assert lrt.log_likelihood_ratio(*table) >= 0


@given(tables())
def test_drug_and_event_may_change_places(table: tuple[int, int, int, int]) -> None:
    a, drug, event, total = table
    for statistic in (dp.ror, dp.bcpnn):
        assert float(statistic(a, drug, event, total).value) == pytest.approx(
            float(statistic(a, event, drug, total).value), rel=1e-9, abs=1e-9
        )
    assert float(dp.chi2_yates(a, drug, event, total)) == pytest.approx(float(dp.chi2_yates(a, event, drug, total)))


@given(st.integers(0, 10**5), st.floats(1e-6, 1e5))
def test_information_component_grows_with_the_count(n: int, expected: float) -> None:
    fewer, more = dp.ic(n, expected), dp.ic(n + 1, expected)
    assert more.value > fewer.value
    assert more.low > fewer.low
    assert more.high > fewer.high


def test_a_pair_that_nobody_reported_has_ratio_0_and_a_finite_upper_end() -> None:
    for found in (dp.prr(0, 10, 20, 1000), dp.ror(0, 10, 20, 1000)):
        assert (found.value, found.low) == (0, 0)
        assert 0 < found.high < np.inf


def test_chi2_is_that_of_the_textbook_formula() -> None:
    a, b, c, d = 12, 30, 8, 950
    n = a + b + c + d
    expected = n * (abs(a * d - b * c) - n / 2) ** 2 / ((a + b) * (c + d) * (a + c) * (b + d))
    assert float(dp.chi2_yates(a, a + b, a + c, n)) == pytest.approx(expected)


def test_both_bcpnn_agree_on_a_large_table_and_shrink_a_small_one() -> None:
    bate, gould = (dp.bcpnn(880, 1510, 3680, 10_000, method=m) for m in ("bate-1998", "gould-2003"))
    assert float(bate.value) == pytest.approx(float(gould.value), abs=1e-3)
    assert float(dp.bcpnn(1, 1, 1, 10**6).value) < 2


@pytest.mark.parametrize(
    ("table", "place"),
    [
        ((5, 3, 10, 100), "observed[0]"),
        ((1, 0, 10, 100), "n_drug[0]"),
        ((1.5, 3, 10, 100), "observed[0]"),
        ((float("nan"), 3, 10, 100), "observed[0]"),
        ((2, 60, 60, 100), "observed[0]"),
    ],
)
def test_counts_that_contradict_each_other_are_refused_with_their_place(
    table: tuple[float, float, float, float], place: str
) -> None:
    with pytest.raises(InputError) as told:
        dp.prr(*table)
    assert told.value.place == place


def test_maximum_test_gives_small_p_to_a_planted_event_and_not_to_the_others() -> None:
    events = np.array([1000, 800, 600, 400, 200])
    ratio, p = lrt.maximum_test([10, 8, 6, 4, 20], events, draws=999)
    assert p.argmin() == 4
    assert p[4] == pytest.approx(0.001)
    assert (p[:4] > 0.05).all()
    assert ratio[0] == 0


def test_maximum_test_is_conservative_under_the_null() -> None:
    random = np.random.default_rng(1)
    events = np.array([500, 300, 100, 50, 50])
    smallest = [
        lrt.maximum_test(random.multinomial(60, events / events.sum()), events, draws=199, seed=i)[1].min()
        for i in range(200)
    ]
    assert 0.005 <= np.mean(np.array(smallest) <= 0.05) <= 0.10


def test_false_discovery_rate_is_the_mean_of_the_nulls_above() -> None:
    rate = discovery.false_discovery_rate([0.01, 0.5, 0.03, 0.9])
    assert rate == pytest.approx([0.01, 0.18, 0.02, 0.36])
    assert discovery.false_discovery_rate([0.2, 0.4], rank_by=[1, 1]) == pytest.approx([0.3, 0.3])


def test_omega_is_near_0_when_the_risks_add_up_and_above_when_more_is_reported() -> None:
    # background 1 %, first drug 3 %, second 2 %: without interaction about 4 % with both
    e = interactions.expected_together(1000, 300, 10_000, 200, 10_000, 10_000, 1_000_000)
    assert float(e) == pytest.approx(39.8, abs=0.5)
    assert abs(float(interactions.omega(40, e).value)) < 0.05
    assert float(interactions.omega(80, e).low) > 0
    # a drug that protects does not lower the baseline
    protecting = interactions.expected_together(1000, 10, 10_000, 200, 10_000, 10_000, 1_000_000)
    assert float(protecting) == pytest.approx(20, abs=0.5)


def test_omega_has_no_nan_with_empty_groups() -> None:
    e = interactions.expected_together([5, 5], [0, 10], [0, 10], [0, 0], [0, 5], [0, 1], [10, 10])
    found = interactions.omega([0, 3], e)
    assert np.isfinite([found.value, found.low, found.high]).all()


def test_masking_ratio_equals_the_change_of_the_observed_to_expected_ratio() -> None:
    observed, drug, event, total = 10, 100, 5_000, 100_000
    left = masking.leave_masker_out(
        observed, drug, event, total, observed_masker=0, drug_masker=0, event_masker=4_000, with_masker=10_000
    )
    before = observed / dp.expected(drug, event, total)
    after = left.observed / dp.expected(left.n_drug, left.n_event, left.n_total)
    assert float(masking.masking_ratio(event, total, 4_000, 10_000)) == pytest.approx(float(after / before))
    assert float(after / before) == pytest.approx(4.5)


def test_masking_of_an_event_reported_with_the_masker_only_says_so() -> None:
    with pytest.raises(InputError, match="nothing is left to unmask"):
        masking.masking_ratio(100, 1000, 100, 200)


def test_the_critical_value_spends_exactly_alpha() -> None:
    critical = sequential.critical_value(12.5, alpha=0.01, minimum_events=3)
    assert sequential.false_alarm_probability(critical, 12.5, minimum_events=3) == pytest.approx(0.01, abs=1e-9)


def test_a_long_surveillance_spends_exactly_alpha_too() -> None:
    """Few events come between two boundaries: leaving out the impossible ones must not leave out probability."""
    critical = sequential.critical_value(300)
    assert sequential.false_alarm_probability(critical, 300) == pytest.approx(0.05, abs=1e-9)
    assert sequential.false_alarm_probability(50.0, 300) == pytest.approx(0, abs=1e-12)
    assert sequential.critical_value(1000) == pytest.approx(4.324917, abs=1e-5)  # all arrivals kept


def test_the_critical_value_is_that_of_simulated_surveillance() -> None:
    critical, limit = sequential.critical_value(5), 5.0
    random = np.random.default_rng(3)
    crossed = 0
    for _ in range(4000):
        times = np.cumsum(random.exponential(size=40))
        times = times[times <= limit]
        n = np.arange(1, times.size + 1)
        crossed += bool((sequential.log_likelihood_ratio(n, times) >= critical).any()) if times.size else 0
    assert crossed / 4000 == pytest.approx(0.05, abs=0.012)


def test_surveillance_signals_at_the_first_look_over_the_boundary() -> None:
    seen = sequential.surveil([1, 3, 9, 12], [1, 2, 3, 4], 10)
    assert seen.signal_at == 2
    assert sequential.surveil([1, 2, 3, 4], [1, 2, 3, 4], 10).signal_at is None


def test_no_boundary_exists_when_too_many_events_are_asked_of_too_short_a_surveillance() -> None:
    with pytest.raises(InputError, match="raise upper_limit"):
        sequential.critical_value(1, minimum_events=6)


@pytest.mark.parametrize(("shape", "hazard"), [(0.6, "early"), (1.8, "late")])
def test_weibull_finds_the_shape_of_generated_delays(shape: float, hazard: str) -> None:
    random = np.random.default_rng(4)
    days = np.floor(20 * random.weibull(shape, 800))
    found = onset.weibull(days)
    assert found.shape_low < shape < found.shape_high
    assert found.scale_low_days < 20 < found.scale_high_days
    assert found.hazard == hazard
    assert found.n == 800


def test_weibull_of_exact_delays_agrees_with_scipy() -> None:
    from scipy.stats import weibull_min

    days = 30 * np.random.default_rng(5).weibull(0.8, 300)
    found = onset.weibull(days, resolution_days=0)
    shape, _, scale = weibull_min.fit(days, floc=0)
    assert found.shape == pytest.approx(shape, rel=1e-4)
    assert found.scale_days == pytest.approx(scale, rel=1e-4)


def test_weibull_of_too_few_or_equal_delays_says_that_it_cannot_fit() -> None:
    for days in ([1, 2, 3], [5] * 50):
        with pytest.raises(CannotFitError):
            onset.weibull(days)


def test_change_between_periods_is_0_when_nothing_moved_and_excludes_0_when_it_did() -> None:
    same, more = change.ic_change(10, 10, 10, 10), change.ic_change(10, 10, 60, 10)
    assert float(same.value) == 0
    assert same.low < 0 < same.high
    assert more.low > 0


def test_change_interval_covers_the_true_change() -> None:
    random = np.random.default_rng(6)
    before, after = random.poisson(20, 4000), random.poisson(20, 4000)
    found = change.ic_change(before, 20.0, after, 20.0)
    assert 0.93 <= np.mean((found.low <= 0) & (found.high >= 0)) <= 0.98


def test_change_interval_is_that_of_two_gamma_posteriors() -> None:
    random = np.random.default_rng(7)
    before, after = random.gamma(2.5, 1 / 4.5, 400_000), random.gamma(40.5, 1 / 6.5, 400_000)
    low, high = np.percentile(np.log2(after / before), [2.5, 97.5])
    found = change.ic_change(2, 4.0, 40, 6.0)
    assert float(found.low) == pytest.approx(low, abs=0.02)
    assert float(found.high) == pytest.approx(high, abs=0.03)


def test_change_point_is_found_where_the_ratio_moves() -> None:
    found = change.change_point([3, 4, 2, 5, 12, 14, 15], [4.0] * 7)
    assert found is not None
    assert found.at == 4
    assert found.p_value < 0.01
    assert found.ratio_before < 1 < found.ratio_after
    steady = change.change_point([4, 3, 5, 4, 4, 5, 3], [4.0] * 7)
    assert steady is not None
    assert steady.p_value > 0.5
    assert change.change_point([0, 0], [1.0, 1.0]) is None


@given(st.integers(0, 10**7), st.floats(1e-9, 1e7), st.floats(1e-9, 1 - 1e-15))
def test_an_interval_of_any_level_is_finite_and_holds_its_level(n: int, e: float, level: float) -> None:
    found = dp.ic(n, e, level=level)
    assert np.isfinite([found.value, found.low, found.high]).all()
    assert found.low <= found.high
    moved = change.ic_change(n, e, 3, 1.0, level=level)
    assert np.isfinite([moved.value, moved.low, moved.high]).all()
    assert moved.low <= moved.high


def test_the_upper_end_of_an_interval_is_right_in_its_last_digits() -> None:
    from scipy.stats import gamma

    found = dp.ic(3, 1.0, level=1 - 2e-16)
    assert float(found.high) == pytest.approx(np.log2(gamma.isf(1.1e-16, 3.5) / 1.5), rel=1e-3)


@given(st.integers(0, 10**5), st.floats(1e-3, 1e5), st.integers(0, 10**5), st.floats(1e-3, 1e5))
def test_a_change_told_backwards_is_the_change_turned_over(o1: int, e1: float, o2: int, e2: float) -> None:
    there, back = change.ic_change(o1, e1, o2, e2), change.ic_change(o2, e2, o1, e1)
    assert float(there.value) == pytest.approx(-float(back.value), abs=1e-9)
    assert float(there.low) == pytest.approx(-float(back.high), abs=1e-9)


@pytest.mark.parametrize("shrinkage", [0.0, -1.0, float("nan")])
def test_a_shrinkage_that_would_divide_by_nothing_is_refused(shrinkage: float) -> None:
    with pytest.raises(InputError, match="shrinkage"):
        dp.ic(0, 1.0, shrinkage=shrinkage)


@given(st.lists(st.integers(0, 10**7), min_size=2, max_size=30), st.floats(1e-3, 1e7))
def test_no_change_is_told_where_the_counts_are_what_is_expected(o: list[int], scale: float) -> None:
    found = change.change_point(o, (np.array(o) + 1.0) * scale, draws=19)
    if found is not None:
        assert found.log_likelihood_ratio >= 0
        assert 0 < found.p_value <= 1
        assert np.isfinite([found.ratio_before, found.ratio_after]).all()


@pytest.mark.parametrize("days", [[5, 6] * 10, [1] * 9 + [2], [0] * 9 + [1], [100] * 50 + [101] * 50])
def test_delays_of_two_days_in_a_row_tell_no_shape(days: list[int]) -> None:
    with pytest.raises(CannotFitError, match="two consecutive days"):
        onset.weibull(days)


@given(st.lists(st.integers(0, 20_000), min_size=10, max_size=40))
def test_onset_is_finite_or_says_that_it_cannot_fit(days: list[int]) -> None:
    try:
        found = onset.weibull(days)
    except CannotFitError:
        return
    ends = (found.shape_low, found.shape, found.shape_high, found.scale_low_days, found.scale_days)
    assert np.isfinite([*ends, found.scale_high_days, found.median_days]).all()
    assert 0 < found.shape_low <= found.shape <= found.shape_high


def test_surveillance_of_a_single_number_is_refused() -> None:
    with pytest.raises(InputError, match="a list"):
        sequential.surveil(5, 1.0, 10)
