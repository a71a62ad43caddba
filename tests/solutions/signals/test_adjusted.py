"""Regression-adjusted expectations: a plain logistic regression, and what it takes out of a confounded pair."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.solutions.signals import bases

from lab39.core.errors import InputError, UnknownNameError
from lab39.solutions.signals import Store, detect, opened
from lab39.solutions.signals.adjusted import Design, design, expectations, rgps, rgps_of_all, ridge_logistic
from lab39.solutions.signals.arrays import CannotFitError
from lab39.solutions.signals.gps import Prior

pytestmark = [
    pytest.mark.filterwarnings("ignore:fetch_arrow_table:DeprecationWarning"),  # Ibis 12 with DuckDB 2
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # sockets that PySpark leaves to the collector
    pytest.mark.xdist_group("spark"),
]

PRIOR = Prior(0.2, 0.1, 2.0, 4.0, 1 / 3)  # where DuMouchel 1999 starts


def matrix(random: np.random.Generator, rows: int, columns: int) -> np.ndarray:
    return (random.random((rows, columns)) < 0.3).astype(float)


def test_one_column_without_penalty_gives_the_log_odds_ratio() -> None:
    a, b, c, d = 12, 88, 30, 870  # with the column: yes, no; without: yes, no
    x = np.array([[1.0], [0.0]])
    fitted = ridge_logistic(x, [a, c], [a + b, c + d], penalty=1e-12)
    assert fitted.coefficients[0] == pytest.approx(np.log(a * d / (b * c)), abs=1e-8)
    assert fitted.intercept == pytest.approx(np.log(c / d), abs=1e-8)


def test_the_penalised_slope_is_zero_at_the_answer() -> None:
    random = np.random.default_rng(1)
    x, y = matrix(random, 400, 6), (random.random(400) < 0.2).astype(float)
    fitted = ridge_logistic(x, y, penalty=2.0)
    p = 1 / (1 + np.exp(-(fitted.intercept + x @ fitted.coefficients)))
    assert (y - p).sum() == pytest.approx(0, abs=1e-6)
    assert x.T @ (y - p) == pytest.approx(2.0 * fitted.coefficients, abs=1e-6)


def test_rows_counted_together_are_the_rows_apart() -> None:
    random = np.random.default_rng(2)
    x, y = matrix(random, 500, 3), (random.random(500) < 0.3).astype(float)
    kinds, which = np.unique(x, axis=0, return_inverse=True)
    many, yes = np.bincount(which.ravel()), np.bincount(which.ravel(), y)
    apart, together = ridge_logistic(x, y), ridge_logistic(kinds, yes, many)
    assert together.coefficients == pytest.approx(apart.coefficients, abs=1e-7)


def test_a_stronger_penalty_shrinks_and_separated_columns_stay_finite() -> None:
    x, y = np.array([[1.0], [1.0], [0.0], [0.0]]), [1, 1, 0, 0]
    weak, strong = ridge_logistic(x, y, penalty=0.1), ridge_logistic(x, y, penalty=10)
    assert 0 < strong.coefficients[0] < weak.coefficients[0] < np.inf


def test_what_cannot_be_fitted_says_so() -> None:
    x = np.ones((3, 1))
    with pytest.raises(CannotFitError, match="same answer"):
        ridge_logistic(x, [0, 0, 0])
    with pytest.raises(InputError):
        ridge_logistic(x, [2, 0, 0])
    with pytest.raises(InputError):
        ridge_logistic(x, [1, 0])


def made(reports: list[bases.Report], tmp_path: Path, by: tuple[str, ...] = ()) -> tuple[Store, Design]:
    store = Store(bases.write_store(tmp_path / "store", reports))
    with opened() as engine:
        return store, design(store, engine, by=by)


def test_without_predictors_nor_strata_the_expectation_is_that_of_the_margins(tmp_path: Path) -> None:
    _, base = made(bases.generated(400, 3), tmp_path)
    found = expectations(base, base.events.index("E1"), predictors=0)
    assert found.predictors.size == 0
    assert found.adjusted == pytest.approx(found.plain, rel=1e-6)


def test_one_variable_alone_gives_the_sum_over_its_strata(tmp_path: Path) -> None:
    reports = bases.generated(600, 4)
    _, base = made(reports, tmp_path, ("sex",))
    found = expectations(base, base.events.index("E2"), predictors=0, penalty=1e-9)
    _, expected, _, _ = bases.brute_force(reports, stratum=lambda report: report[1])
    for drug, value in zip(found.drug, found.adjusted, strict=True):
        assert value == pytest.approx(expected[base.drugs[drug], "E2"], rel=1e-5)


def test_matrices_are_the_same_on_each_engine(tmp_path: Path, engine: Any) -> None:
    store = Store(bases.write_store(tmp_path / "store", bases.BY_HAND))
    with opened(engine.name, **engine.options) as chosen:
        base = design(store, chosen, by=("sex",))
    assert base.drugs == ("A", "B", "C")
    assert base.has_drug.toarray().tolist() == [[1, 1, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, 1], [0, 0, 0]]
    assert base.events == ("itch", "rash")
    assert base.has_event.toarray().tolist() == [[1, 1], [0, 1], [1, 0], [0, 1], [0, 0], [1, 0]]
    assert base.of_stratum[base.stratum].tolist() == [
        [0, 1, 0], [0, 0, 1], [1, 0, 0], [0, 1, 0], [0, 1, 0], [0, 0, 1]
    ]  # fmt: skip


def confounded() -> list[bases.Report]:
    """CULPRIT causes the event; BYSTANDER is given with it three times out of four, and causes nothing."""
    random = np.random.default_rng(5)
    reports: list[bases.Report] = []
    for at in range(6000):
        drugs = [f"D{random.integers(40)}"]
        if random.random() < 0.04:
            drugs.append("CULPRIT")
        if random.random() < (0.75 if "CULPRIT" in drugs else 0.01):
            drugs.append("BYSTANDER")
        rate = 0.4 if "CULPRIT" in drugs else 0.01
        events = [f"E{random.integers(30)}", *(["harm"] if random.random() < rate else [])]
        reports.append((f"r{at}", "F", 40.0, "2020Q1", drugs, events))
    return reports


def test_a_bystander_is_cleared_and_the_culprit_is_kept(tmp_path: Path) -> None:
    store, base = made(confounded(), tmp_path)
    found = detect(store)
    assert found.fit is not None
    plain = {(r["drug"], r["event"]): r for r in found.table.select(["drug", "event", "eb05"]).to_pylist()}
    adjusted = {row["drug"]: row for row in rgps(base, found.fit.prior, ["harm"]).to_pylist()}
    assert plain["BYSTANDER", "harm"]["eb05"] > 4  # the false signal of the plain shrinker
    assert adjusted["BYSTANDER"]["er05"] < 1
    assert adjusted["BYSTANDER"]["er"] < 1.5
    assert plain["CULPRIT", "harm"]["eb05"] > 4
    assert adjusted["CULPRIT"]["er05"] > 4


def test_a_masked_drug_is_expected_less_once_the_masker_is_accounted_for(tmp_path: Path) -> None:
    random = np.random.default_rng(6)
    reports: list[bases.Report] = []
    for at in range(5000):
        drug = "MASKER" if at % 10 == 0 else f"D{random.integers(40)}"
        rate = 0.7 if drug == "MASKER" else 0.02
        events = [f"E{random.integers(30)}", *(["harm"] if random.random() < rate else [])]
        reports.append((f"r{at}", "F", 40.0, "2020Q1", [drug], events))
    _, base = made(reports, tmp_path)
    found = expectations(base, base.events.index("harm"))
    others = [at for at, code in enumerate(found.drug) if base.drugs[code] != "MASKER"]
    assert (found.adjusted[others] < 0.5 * found.plain[others]).all()


def test_scores_are_those_of_gps_on_the_adjusted_expectation(tmp_path: Path) -> None:
    from lab39.solutions.signals import gps

    _, base = made(bases.generated(400, 7), tmp_path)
    table = rgps(base, PRIOR)
    assert set(table["event"].to_pylist()) == set(base.events)
    row = table.slice(5, 1).to_pylist()[0]
    score = gps.scores(PRIOR, [row["n"]], [row["expected_adjusted"]]).ebgm
    assert (row["er"], row["er05"], row["er95"]) == pytest.approx((score.value[0], score.low[0], score.high[0]))
    with pytest.raises(UnknownNameError):
        rgps(base, PRIOR, ["nothing"])


def test_an_event_without_an_answer_leaves_the_others_adjusted(tmp_path: Path) -> None:
    everybody = [(*report[:-1], (*report[-1], "Always")) for report in bases.generated(300, 7)]
    _, base = made(everybody, tmp_path)
    told: list[float] = []
    table, left_out = rgps_of_all(base, PRIOR, told.append)
    assert left_out == ("Always",)
    assert set(table["event"].to_pylist()) == {name for name in base.events if name != "Always"}
    first = [row for row in table.to_pylist() if row["event"] == "E1"]
    assert first == rgps(base, PRIOR, ("E1",)).to_pylist()
    assert told[-1] == 1.0


def test_triage_tells_disproportion_on_the_adjusted_expectation(tmp_path: Path) -> None:
    from lab39.solutions.signals.triage import explain, triaged

    store, base = made(confounded(), tmp_path)
    found = detect(store)
    with opened() as engine:
        alone = triaged(found, store, engine)
        both = triaged(found, store, engine, adjusted=rgps(base, PRIOR, ["harm"]))
    rows = [
        next(row for row in table.to_pylist() if (row["drug"], row["event"]) == ("BYSTANDER", "harm"))
        for table in (alone, both)
    ]
    assert rows[0]["criteria_met"] == rows[1]["criteria_met"] + 1
    assert rows[0]["ic025_adjusted"] is None
    assert rows[1]["ic025_adjusted"] < 0 < rows[1]["ic025"]
    words = [sentence.en for sentence in explain(rows[1])]
    assert any("given the other drugs" in each and "(not met)" in each for each in words)
    others = [row for row in both.to_pylist() if row["event"] != "harm"]
    assert all(row["expected_adjusted"] is None for row in others)
