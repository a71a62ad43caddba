"""What a pair is said to be in the ranked table: too few reports are not told as the absence of a signal."""

import pytest

from lab39.solutions.signals import pairindex
from lab39.solutions.signals.thresholds import FEWEST_REPORTS, triage_facts
from lab39.solutions.signals.told import verdict


@pytest.mark.parametrize(
    ("n", "ic025", "eb05", "said"),
    [
        (0, -5.0, 0.1, "no report"),
        (2, -0.5, 0.78, "too few reports to tell"),
        (2, -0.5, None, "too few reports to tell"),
        (2, 0.1, 1.2, "more than expected, but fewer than 3 reports"),
        (2, 0.1, 2.0, "far more than expected, but fewer than 3 reports"),
        (3, -0.1, 1.0, "not clearly more than expected"),
        (3, 0.1, None, "more than expected"),
        (6, 1.8, 6.7, "far more than expected"),
    ],
)
def test_a_verdict_says_what_the_lower_bounds_and_the_count_allow(n, ic025, eb05, said):
    assert verdict({"n": n, "ic025": ic025, "eb05": eb05}).en == said


def test_two_reports_with_a_high_ratio_are_too_few_and_not_said_to_be_expected():
    assert verdict({"n": 2, "ic025": -0.51, "eb05": 0.78}).fr == "trop peu de cas pour conclure"


def test_the_fewest_reports_are_those_of_the_cited_table_in_words_and_in_the_index():
    few = triage_facts()["criteria"]["few"]
    assert few["reports_least"] == FEWEST_REPORTS == pairindex.FEWEST_REPORTS
    assert few["verified"]
    assert "PMC6594230, table 2" in few["source"]
    at, below = ({"n": n, "ic025": -1.0, "eb05": None} for n in (FEWEST_REPORTS, FEWEST_REPORTS - 1))
    assert verdict(below).en == "too few reports to tell" != verdict(at).en
