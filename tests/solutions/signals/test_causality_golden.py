"""Causality of one case, against the published scales (sources: knowledge/causality.toml)."""

from __future__ import annotations

import itertools

import pytest

from lab39.core.errors import InputError
from lab39.solutions.signals import causality

PUBLISHED = [
    (1, 0, 0),
    (2, -1, 0),
    (1, 0, 0),
    (2, -1, 0),
    (-1, 2, 0),
    (-1, 1, 0),
    (1, 0, 0),
    (1, 0, 0),
    (1, 0, 0),
    (1, 0, 0),
]
"""Naranjo 1981: points for yes, no, do not know of questions 1 to 10."""


def test_golden_naranjo_points_of_each_answer():
    found = [tuple(each.points[a] for a in ("yes", "no", "unknown")) for each in causality.questions()]
    assert found == PUBLISHED
    assert [each.number for each in causality.questions()] == list(range(1, 11))


@pytest.mark.parametrize(
    ("answers", "score", "code"),
    [
        # A case published with its answers (doi 10.2147/TCRM.S169868, table 1): 6, probable
        ({"after": "yes", "dechallenge": "yes", "alternative": "no", "objective": "yes"}, 6, "probable"),
        # Another (doi 10.12998/wjcc.v12.i7.1371, table 1): 1 + 2 − 1 + 1
        ({"reports": "yes", "after": "yes", "alternative": "yes", "objective": "yes"}, 3, "possible"),
        ({}, 0, "doubtful"),
    ],
)
def test_golden_naranjo_published_cases(answers, score, code):
    found = causality.naranjo(answers)
    assert (found.score, found.code) == (score, code)


def test_golden_naranjo_bounds_of_the_classes():
    """9 or more definite, 5 to 8 probable, 1 to 4 possible, 0 or less doubtful; from −4 to 13."""
    seen: dict[int, set[str]] = {}
    names = [each.id for each in causality.questions()]
    for given in itertools.product(("yes", "no", "unknown"), repeat=6):
        answers = dict(zip(names, given, strict=False))
        for rest in ("yes", "no"):
            found = causality.naranjo(answers | dict.fromkeys(names[6:], rest))
            seen.setdefault(found.score, set()).add(found.code)
    assert seen == {
        score: {
            "definite" if score >= 9 else "probable" if score >= 5 else "possible" if score >= 1 else "doubtful"
        }
        for score in range(-4, 14)
    }


def test_what_is_not_answered_scores_nothing_and_is_told():
    found = causality.naranjo({"after": "yes", "placebo": "", "toxic": "unknown"})
    assert found.score == 2
    assert "placebo" in found.missing
    assert "toxic" not in found.missing
    assert len(found.missing) == 8


@pytest.mark.parametrize("wrong", [{"after": "maybe"}, {"later": "yes"}])
def test_another_answer_or_question_is_refused_where_it_stands(wrong):
    with pytest.raises(InputError) as told:
        causality.naranjo(wrong)
    assert told.value.place == next(iter(wrong))


def test_golden_who_umc_has_the_six_categories_in_order():
    assert [each.code for each in causality.categories()] == [
        "certain",
        "probable",
        "possible",
        "unlikely",
        "conditional",
        "unassessable",
    ]
    assert [len(each.criteria) for each in causality.categories()] == [5, 4, 3, 2, 1, 2]
    assert causality.who_umc("probable").title.fr == "probable"
    with pytest.raises(InputError, match="certain, probable"):
        causality.who_umc("sure")


def test_the_french_method_is_told_as_absent():
    assert "pas proposée" in causality.french().fr
    assert all(causality.source(each).verified for each in ("naranjo", "who-umc"))
