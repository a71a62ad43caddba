"""Made-up stores: a true store, its planted pairs where they are said to be, the same for the same seed."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from lab39.core.errors import InputError
from lab39.solutions.signals import Store, detect, opened
from lab39.solutions.signals.readers.store import Store as Folder
from lab39.solutions.signals.simulate import simulate
from lab39.solutions.signals.triage import triaged

pytestmark = pytest.mark.filterwarnings("ignore:fetch_arrow_table:DeprecationWarning")  # Ibis 12 with DuckDB 2

ROWS, PLANTED = 60_000, 30


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("made") / "store"
    simulate(path, rows=ROWS, seed=1, planted=PLANTED)
    return path


@pytest.fixture(scope="module")
def rows(folder: Path) -> dict[tuple[str, str], dict[str, Any]]:
    known = [(row["drug"], row["event"]) for row in read(folder / "known.csv")]
    found = detect(Store(folder))
    with opened() as engine:
        table = triaged(found, Store(folder), engine, known=known)
    return {(row["drug"], row["event"]): row for row in table.to_pylist()}


def test_it_says_what_it_made_and_that_it_is_synthetic(tmp_path: Path) -> None:
    told = simulate(tmp_path / "store", rows=ROWS, seed=2, planted=PLANTED)
    assert told["synthetic"] is True
    assert told["planted"] == {"signal": 24, "masked": 6, "confounded": 10, "notoriety": 10, "duplicates": 10}
    with Folder.open(tmp_path / "store").connect() as con:
        assert con.sql("SELECT count(*) FROM reports").fetchall() == [(told["reports"],)]
        pairs = con.sql("SELECT count(*) FROM drugs JOIN events USING (report_key)").fetchall()[0][0]
    assert 0.7 * ROWS < pairs < 1.5 * ROWS


def test_every_planted_pair_is_reported_from_its_quarter_on(folder: Path, rows: Any) -> None:
    truth = read(folder / "truth.csv")
    assert Counter(row["kind"] for row in truth)["signal"] == 24
    for row in truth:
        found = rows[row["drug"], row["event"]]
        if row["kind"] in ("signal", "masked"):
            assert found["n"] >= 4
            assert not found["known"]
        if row["kind"] == "duplicates":
            assert found["n"] >= 5
        assert found["known"] is False


def test_signals_stand_out_and_masked_ones_do_not(folder: Path, rows: Any) -> None:
    kinds: dict[str, list[dict[str, Any]]] = {}
    for row in read(folder / "truth.csv"):
        kinds.setdefault(row["kind"], []).append(rows[row["drug"], row["event"]])
    mean = {kind: sum(row["ic025"] for row in each) / len(each) for kind, each in kinds.items()}
    assert mean["signal"] > 0
    assert mean["signal"] > mean["masked"]
    assert mean["confounded"] > 1  # what a decoy is for
    told = {kind: sum(row["completeness"] for row in each) / len(each) for kind, each in kinds.items()}
    assert told["signal"] > told["notoriety"]
    assert all(row["countries"] <= 4 for row in kinds["notoriety"])


def test_the_same_seed_makes_the_same_reports(folder: Path, tmp_path: Path) -> None:
    simulate(tmp_path / "again", rows=ROWS, seed=1, planted=PLANTED)
    assert (tmp_path / "again" / "truth.csv").read_bytes() == (folder / "truth.csv").read_bytes()
    joined = "reports JOIN drugs USING (report_key, report_id) JOIN events USING (report_key, report_id)"
    tables = []
    for each in (folder, tmp_path / "again"):
        with Folder.open(each).connect() as con:
            tables.append(con.sql(f"SELECT report_id, drug, event, quarter FROM {joined} ORDER BY ALL").fetchall())
    assert tables[0] == tables[1]


def test_it_refuses_a_store_that_has_reports_and_numbers_out_of_range(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="empty folder"):
        simulate(folder, rows=ROWS)
    for options in ({"rows": 10}, {"planted": 1}, {"documented": 1.5}):
        with pytest.raises(InputError):
            simulate(tmp_path / "no", **options)  # type: ignore[arg-type]
