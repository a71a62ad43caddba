"""Evaluation on a reference set: AUC, its interval, pairs without a report, the raw count beside."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from lab39.core.errors import InputError
from lab39.solutions.signals import Pairs, detect
from lab39.solutions.signals.evaluation import (
    RAW_COUNT,
    Reference,
    auc,
    evaluate,
    read_known,
    read_reference,
)

pytestmark = pytest.mark.filterwarnings("ignore:fetch_arrow_table:DeprecationWarning")  # Ibis 12 with DuckDB 2


def test_golden_auc_is_the_share_of_pairs_in_order_ties_for_half() -> None:
    found = auc([3, 1, 2], [0, 2])
    assert found.value == pytest.approx((2 + 1 + 1.5) / 6)
    assert 0 <= found.low <= found.value <= found.high <= 1
    perfect = auc([5, 6, 7], [1, 2])
    assert (perfect.value, perfect.low, perfect.high) == (1, 1, 1)


def test_the_interval_narrows_with_pairs_and_is_the_same_on_every_run() -> None:
    random = np.random.default_rng(1)
    few = auc(random.normal(1, 1, 10), random.normal(0, 1, 10))
    many = auc(p := random.normal(1, 1, 400), n := random.normal(0, 1, 400))
    assert many.high - many.low < (few.high - few.low) / 3
    assert auc(p, n) == many
    sd = (many.high - many.low) / (2 * 1.96)  # Hanley and McNeil's formula gives about 0.017 here
    assert 0.012 < sd < 0.022


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """A0…A4 have the event more than expected, B0…B4 do not; C and D are never reported with it."""
    lines = ["report,drug,event"]
    at = 0
    for name, hits, others in (("A", 8, 10), ("B", 1, 20)):
        for drug in range(5):
            for event, many in (("Harm", hits + drug), ("rash", others), ("itch", 5)):
                for _ in range(many):
                    at += 1
                    lines.append(f"{at},{name}{drug},{event}")
    lines += [f"x{i},C,rash" for i in range(30)] + [f"y{i},D,itch" for i in range(300)]
    path = tmp_path / "pairs.csv"
    path.write_text("\n".join(lines), "utf-8")
    return path


def reference() -> list[Reference]:
    made = [Reference(f"a{i} ", "HARM", True, "harm") for i in range(5)]
    made += [Reference(f"B{i}", "harm", False, "harm") for i in range(5)]
    made += [Reference("C", "harm", False, "harm"), Reference("D", "harm", False, "other")]
    return [*made, Reference("Z", "harm", True), Reference("A0", "nothing", False)]


def test_pairs_nobody_reported_are_scored_and_unknown_names_are_left_out(table: Path) -> None:
    found = detect(Pairs(table))
    assert found.fit is not None
    told = evaluate(found.table, reference(), n_total=found.counts.n_total, prior=found.fit.prior)
    assert (told.pairs, told.scored, told.without_report) == (14, 12, 2)
    assert [pair.drug for pair in told.left_out] == ["Z", "A0"]
    groups = {group.name: group for group in told.groups}
    assert groups.keys() == {"all", "harm"}  # "other" has a single pair
    assert (groups["all"].positives, groups["all"].negatives) == (5, 7)
    assert (groups["harm"].positives, groups["harm"].negatives) == (5, 6)
    assert next(iter(groups["all"].auc)) == RAW_COUNT
    assert groups["all"].auc.keys() == {RAW_COUNT, "prr", "prr025", "ror025", "ic", "ic025", "ebgm", "eb05"}
    assert groups["all"].auc["ic025"].value == 1
    assert groups["all"].auc["eb05"].value == 1
    assert told.as_dict()["auc"]["all"][RAW_COUNT][0] == 1.0


def test_a_score_on_the_wrong_side_is_told_as_it_is(table: Path) -> None:
    found = detect(Pairs(table))
    turned = [Reference(each.drug, each.event, not each.truth) for each in reference()]
    told = evaluate(found.table, turned, n_total=found.counts.n_total)
    assert told.groups[0].auc["ic025"].value == 0
    assert "ebgm" not in told.groups[0].auc  # no prior was given


def test_no_usable_pair_is_an_error_that_says_why(table: Path) -> None:
    found = detect(Pairs(table))
    with pytest.raises(InputError, match="check the names"):
        evaluate(found.table, [Reference("Z", "harm", True)], n_total=found.counts.n_total)
    with pytest.raises(InputError, match="found 2 and 0"):
        evaluate(found.table, reference()[:2], n_total=found.counts.n_total)


def test_a_reference_file_is_read_with_its_outcomes_and_dates(write: Callable[[str, str], Path]) -> None:
    path = write("r.csv", "Drug;Event;Truth;Outcome;Date\n A ;rash;yes;skin;2015-03\nB;itch;0;;\n")
    assert read_reference(path) == [
        Reference("A", "rash", True, "skin", "2015-03"),
        Reference("B", "itch", False, "", None),
    ]
    assert read_known(write("k.csv", "drug,event\nA,rash\n")) == [("A", "rash")]


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("drug,event\nA,rash\n", "truth"),
        ("drug,event,truth\nA,rash,maybe\n", ":2"),
        ("drug,event,truth\nA,rash,1\n,itch,1\n", ":3"),
        ("drug,event,truth\n", "no line"),
    ],
)
def test_a_bad_reference_file_is_an_error_that_says_where(
    write: Callable[[str, str], Path], text: str, where: str
) -> None:
    with pytest.raises(InputError, match=where):
        read_reference(write("r.csv", text))


def test_an_absent_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        read_reference(tmp_path / "none.csv")
