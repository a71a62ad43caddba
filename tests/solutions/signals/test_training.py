"""Learned weights: only what was reported before each reference's date teaches anything."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.solutions.signals import told

from lab39.core.errors import InputError
from lab39.solutions.signals import Store, detect, opened
from lab39.solutions.signals.arrays import CannotFitError
from lab39.solutions.signals.evaluation import Reference
from lab39.solutions.signals.training import FEATURES, Trained, explain, quarter_of, train, weighed
from lab39.solutions.signals.triage import triaged

pytestmark = pytest.mark.filterwarnings("ignore:fetch_arrow_table:DeprecationWarning")  # Ibis 12 with DuckDB 2

Rows = list[dict[str, Any]]


def base(late: int) -> tuple[Rows, Rows, Rows]:
    """Twelve drugs with 6 reports of harm of 20 in 2019, twelve with 1; the latter have ``late`` more in 2021."""
    reports: Rows = []
    drugs: Rows = []
    events: Rows = []

    def add(drug: str, event: str, quarter: str, country: str) -> None:
        key = f"r{len(reports)}"
        reports.append({"report_id": key, "quarter": quarter, "country": country, "source": "e2b"})
        drugs.append({"report_id": key, "drug": drug})
        events.append({"report_id": key, "event": event})

    for at in range(12):
        for name, harmed in (("bad", 6), ("good", 1)):
            for i in range(20):
                add(f"{name}{at}", "harm" if i < harmed else f"e{i % 5}", "2019Q2", "FR" if i % 2 else "US")
        for _ in range(late):
            add(f"good{at}", "harm", "2021Q1", "DE")
    return reports, drugs, events


def reference(date: str | None = "2020-05-01") -> list[Reference]:
    return [
        Reference(f"{name}{at}", "Harm", name == "bad", date=date) for name in ("bad", "good") for at in range(12)
    ]


def learned(folder: Path, late: int) -> Trained:
    with opened() as engine:
        return train(Store(told.write(folder, *base(late))), reference(), engine)


def test_reports_after_the_date_teach_nothing(tmp_path: Path) -> None:
    assert learned(tmp_path / "a", 0) == learned(tmp_path / "b", 40)


def test_what_marks_known_reactions_is_given_weight(tmp_path: Path) -> None:
    trained = learned(tmp_path / "a", 0)
    assert trained.features == ("ic025", "informative", "recent", "countries")  # no narrative in this store
    assert trained.weights[0] > 0
    assert (trained.positives, trained.negatives, trained.left_out) == (12, 12, 0)
    assert Trained.from_dict(json.loads(json.dumps(trained.as_dict()))) == trained


def test_pairs_are_ranked_and_explained_by_the_weights(tmp_path: Path) -> None:
    store = Store(told.write(tmp_path / "a", *base(0)))
    with opened() as engine:
        trained = train(store, reference(), engine)
        table = weighed(triaged(detect(store), store, engine), trained)
    rows = sorted(table.to_pylist(), key=lambda row: row["trained_rank"])
    assert {(row["drug"][:3], row["event"]) for row in rows[:12]} == {("bad", "harm")}
    sentences = explain(rows[0], trained)
    assert len(sentences) == 1 + len(trained.features)
    total = sum(float(each.en.split("brings ")[1].rstrip(").")) for each in sentences[1:])
    assert total == pytest.approx(rows[0]["trained_score"] - trained.intercept, abs=0.03)
    assert "learned on 12 known reactions" in sentences[0].en


def test_undated_and_too_few_references_are_refused(tmp_path: Path) -> None:
    store = Store(told.write(tmp_path / "a", *base(0)))
    with opened() as engine:
        with pytest.raises(InputError, match="24 pairs of the reference have no date"):
            train(store, reference(None), engine)
        with pytest.raises(CannotFitError, match="found 12 and 1"):
            train(store, reference()[:13], engine)
        with pytest.raises(CannotFitError, match="found 0 and 0"):
            train(store, reference("2018-01-01"), engine)  # nothing was reported before
        with pytest.raises(InputError, match="a date like"):
            train(store, reference("soon"), engine)


def test_the_quarter_of_a_date_is_never_late() -> None:
    assert quarter_of("2015-07-21") == "2015Q3"
    assert quarter_of("2015-12") == "2015Q4"
    assert quarter_of("2015") == "2015Q1"
    assert FEATURES[0] == "ic025"
