"""From reports to ranked pairs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.solutions.signals.bases import generated, write_store
from tests.solutions.signals.conftest import Engine

from lab39.core.errors import InputError
from lab39.solutions import signals
from lab39.solutions.signals import CountTable, Pairs, Store, detect
from lab39.solutions.signals.detection import COLUMNS

pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # sockets that PySpark leaves to the collector
    pytest.mark.xdist_group("spark"),
]


def assert_no_nan(table: Any) -> None:
    for name in COLUMNS:
        column = table[name]
        if column.null_count == 0:
            assert np.isfinite(column.to_numpy()).all(), name


def test_both_engines_give_the_same_scores(tmp_path: Path, engine: Engine) -> None:
    store = Store(write_store(tmp_path, generated(4000, 17)))
    reference, found = (
        detect(store, by=("sex", "age")),
        detect(store, by=("sex", "age"), engine=engine.name, **engine.options),
    )
    assert found.table["drug"].to_pylist() == reference.table["drug"].to_pylist()
    assert found.table["event"].to_pylist() == reference.table["event"].to_pylist()
    for name in COLUMNS:
        assert np.abs(found.table[name].to_numpy() - reference.table[name].to_numpy()).max() <= 1e-9, name
    assert_no_nan(found.table)


def test_pairs_stand_best_first_and_are_kept_in_parquet(tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    store = Store(write_store(tmp_path / "store", generated(4000, 18)))
    found = detect(store, out=tmp_path / "found.parquet")
    assert found.fit is not None
    eb05 = found.table["eb05"].to_numpy()
    assert (np.diff(eb05) <= 0).all()
    assert (
        np.diff(found.table["fdr"].to_numpy()[np.argsort(found.table["null_probability"].to_numpy())]) >= -1e-12
    ).all()
    assert pq.read_table(tmp_path / "found.parquet").equals(found.table)
    few = detect(store, least=5)
    assert few.table["n"].to_numpy().min() >= 5
    assert few.fit == found.fit  # every pair counts in the fit


def test_equal_counts_are_scored_without_gps_and_it_says_why(tmp_path: Path) -> None:
    path = tmp_path / "equal.csv"
    rows = "".join(f"D{i},E{j},4\n" for i in range(8) for j in range(8))
    path.write_text("drug,event,n\n" + rows, "utf-8")
    found = detect(CountTable(path))
    assert found.fit is None
    assert found.why_no_gps is not None
    assert "every pair has the same count, 4" in str(found.why_no_gps)
    assert "ne peut pas s'ajuster" in found.why_no_gps.text.fr
    assert found.table["eb05"].null_count == 64
    assert_no_nan(found.table)
    with pytest.raises(signals.CannotFitError):
        signals.fit_prior(found.counts)


@pytest.mark.parametrize("many", [1, 10**6])
@pytest.mark.parametrize(("reports", "drugs", "events"), [(1, 1, 1), (3, 1, 9), (9, 9, 1), (8, 5, 5), (40, 9, 9)])
def test_a_base_as_small_or_as_large_as_can_be_has_no_nan(reports: int, drugs: int, events: int, many: int) -> None:
    """One report, one drug, one event, few of each; then each report a million times."""
    import pyarrow as pa

    random = np.random.default_rng(reports)
    has_drug, has_event = ((random.random((reports, size)) < 0.4).astype(int) for size in (drugs, events))
    has_drug[0], has_event[0] = 1, 1  # each is reported at least once
    n, n_drug, n_event = has_drug.T @ has_event, has_drug.sum(axis=0), has_event.sum(axis=0)
    drug, event = np.nonzero(n)
    found = signals.score(
        signals.Counts(
            pa.array([f"D{at}" for at in range(drugs)]), pa.array([f"E{at}" for at in range(events)]),
            n_drug * many, n_event * many, reports * many, drug.astype(np.int32), event.astype(np.int32),
            n[drug, event] * many, n_drug[drug] * n_event[event] / reports * many,
        )
    )  # fmt: skip
    assert found.table.num_rows == drug.size
    assert_no_nan(found.table)
    if found.fit is not None:
        low, middle, high = (found.table[name].to_numpy() for name in ("eb05", "ebgm", "eb95"))
        assert (low <= middle).all()
        assert (middle <= high).all()


def test_golden_without_zeros_caers_has_the_signals_of_openebgm(
    shared: Path, published: Callable[[str], list[dict[str, str]]]
) -> None:
    golden = {(r["var1"], r["var2"]): r for r in published("golden/openEBGM_caers_scores_squashedtheta.csv")}
    found = detect(Pairs(shared / "signals" / "openEBGM" / "caers.csv"), zeros=False).table
    keys = zip(found["drug"].to_pylist(), found["event"].to_pylist(), strict=True)
    rows = [golden[key] for key in keys]
    for ours, theirs in (("ebgm", "EBGM"), ("eb05", "EB05")):
        assert found[ours].to_numpy() == pytest.approx([float(row[theirs]) for row in rows], rel=5e-3)
    signals_of = [(found["eb05"].to_numpy() >= 2), np.array([float(row["EB05"]) >= 2 for row in rows])]
    assert signals_of[0].sum() == 131
    assert (signals_of[0] == signals_of[1]).all()


def test_a_base_of_one_product_whose_events_are_told_of_others_is_scored(tmp_path: Path) -> None:
    """Every report has A; Rash is told of C: A and Rash are both common, and few rows couple them."""
    path = tmp_path / "pairs.csv"
    rows = [f"{i},{pair}" for i in range(10) for pair in ("A,Fever", "C,Rash")] + ["10,A,Rash", "11,A,Rash"]
    path.write_text("\n".join(["report_id,drug,event", *rows]) + "\n", "utf-8")
    found = detect(Pairs(path))
    assert_no_nan(found.table)
    row = next(each for each in found.table.to_pylist() if (each["drug"], each["event"]) == ("A", "Rash"))
    assert (row["n"], row["n_drug"], row["n_event"], row["expected"]) == (2, 12, 12, 12.0)
    assert row["ic"] < 0
    assert row["prr"] == pytest.approx((2 / 12) / (10 / 10))  # no report with neither


def test_bad_options_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="least"):
        detect(Store(tmp_path), least=0)
    with pytest.raises(InputError, match="memory_gb"):
        detect(Store(tmp_path), memory_gb=0)


def test_golden_openebgm_expectations_and_strata_from_its_reports(
    shared: Path, published: Callable[[str], list[dict[str, str]]]
) -> None:
    source = Pairs(shared / "signals" / "openEBGM" / "caers.csv")
    for by, name in (((), "scores_squashedtheta"), (("strat1",), "stratified_E")):
        golden = {(r["var1"], r["var2"]): r for r in published(f"golden/openEBGM_caers_{name}.csv")}
        found = detect(source, by=by).table
        assert found.num_rows == len(golden) == 17_189
        keys = zip(found["drug"].to_pylist(), found["event"].to_pylist(), strict=True)
        rows = [golden[key] for key in keys]
        assert [int(row["N"]) for row in rows] == found["n"].to_pylist()
        assert np.abs(found["expected"].to_numpy() - [float(row["E"]) for row in rows]).max() < 1e-9


def test_golden_pvda_drug_z_and_event_1_from_its_reports(shared: Path) -> None:
    found = detect(Pairs(shared / "signals" / "pvda" / "drug_event_df.csv")).table
    row = next(r for r in found.to_pylist() if (r["drug"], r["event"]) == ("Drug_Z", "Event_1"))
    assert row["n"] == 88
    told = [row[k] for k in ("expected", "ic", "ic025", "prr", "ror")]
    assert told == pytest.approx([55.568, 0.658499847, 0.341177084, 1.767076632, 2.838548753], abs=1e-9)


def test_the_public_names_are_there() -> None:
    assert all(getattr(signals, name) is not None for name in signals.__all__)
    with pytest.raises(AttributeError):
        _ = signals.nothing
