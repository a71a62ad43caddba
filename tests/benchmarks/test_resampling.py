"""What cases share, and intervals that respect it."""

from __future__ import annotations

import numpy as np
import pytest

from resampling import by_disease, components, draws, folds, interval, sums


def test_cases_linked_by_a_chain_of_diseases_and_papers_are_one_component() -> None:
    keys = [("A", "1"), ("B", "1"), ("B", "2"), ("C", "3"), ("D", "3"), ("E", "4")]
    assert components(keys) == [0, 0, 0, 1, 1, 2]


def test_the_order_in_which_links_are_met_does_not_matter() -> None:
    late_link = [("A", "1"), ("B", "2"), ("A", "2")]
    assert components(late_link) == [0, 0, 0]


def test_a_component_stays_in_one_fold_and_folds_are_even() -> None:
    component = [0] * 5 + [1] * 3 + [2] * 2 + [3]
    fold = folds(component, 2)
    assert len({(c, f) for c, f in zip(component, fold, strict=True)}) == 4
    assert sorted([fold.count(0), fold.count(1)]) == [5, 6]


def test_draws_are_the_same_on_every_run_and_take_as_many_components_as_there_are() -> None:
    first, second = draws(7, 50), draws(7, 50)
    assert np.array_equal(first, second)
    assert first.sum(axis=1).tolist() == [7.0] * 50
    assert not np.array_equal(first, draws(7, 50, seed=1))


def test_an_interval_over_components_is_wider_than_over_cases() -> None:
    right = [1.0] * 50 + [0.0] * 50  # one component is all right, the other all wrong
    two = [0] * 50 + [1] * 50
    grouped = interval(sums(right, two, 2), sums([1.0] * 100, two, 2), draws(2))
    single = interval(np.array(right), np.ones(100), draws(100))
    assert grouped == (0.0, 1.0)
    assert 0.35 < single[0] < 0.45 < 0.55 < single[1] < 0.65


def test_a_figure_without_variation_has_a_point_interval() -> None:
    assert interval(np.ones(4), np.ones(4), draws(4)) == (1.0, 1.0)


def test_the_average_by_disease_counts_a_large_cohort_once() -> None:
    numerator, denominator = by_disease([1.0, 1.0, 1.0, 0.0], ["A", "A", "A", "B"], [0, 0, 0, 1], 2)
    assert (numerator.tolist(), denominator.tolist()) == ([1.0, 0.0], [1.0, 1.0])
    assert numerator.sum() / denominator.sum() == pytest.approx(0.5)
