"""From files to ranked pairs by two calls: several sources together, and what bad input does to the result."""

from __future__ import annotations

import datetime as dt
import math
from pathlib import Path
from typing import Any

import pytest

from lab39.solutions.signals import Store, board_figures, counted, detect, runs
from lab39.solutions.signals.readers import duplicates, ingest
from lab39.solutions.signals.readers.planted import plant
from lab39.solutions.signals.readers.store import Store as Shelf

from .conftest import Engine
from .test_bad_input import finite

pytestmark = [
    pytest.mark.filterwarnings("ignore:fetch_arrow_table:DeprecationWarning"),  # Ibis 12 with DuckDB 2
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # sockets that PySpark leaves to the collector
    pytest.mark.xdist_group("spark"),
]

EXTRACTS = ("aers_ascii_2004q1", "faers_ascii_2017q2")


def ranked(folder: Path, **options: Any) -> list[dict[str, Any]]:
    """Every pair with its scores, best first; none of them may be NaN or infinite where it cannot be."""
    found = detect(Store(folder), **options)
    rows: list[dict[str, Any]] = found.table.to_pylist()
    assert rows
    for row in rows:
        assert not any(isinstance(value, float) and math.isnan(value) for value in row.values()), row
    return rows


def test_golden_the_two_shared_extracts_together_give_ranked_pairs(
    shared: Path, tmp_path: Path, engine: Engine
) -> None:
    sources = [shared / "signals" / "faers_ascii" / name for name in EXTRACTS]
    if not all(source.is_dir() for source in sources):
        pytest.skip("no FAERS extracts among the shared data")
    told = ingest(sources, tmp_path / "store")
    assert not told.failed
    rows = ranked(tmp_path / "store", engine=engine.name, **engine.options)
    assert told.counts["rows"]["reports"] == 200
    assert [(row["drug"], row["event"], row["n"]) for row in rows[:2]] == [
        ("RISPERDAL", "Gynaecomastia", 6),
        ("RISPERDAL", "Abnormal weight gain", 3),
    ]
    assert [row["eb05"] for row in rows] == sorted((row["eb05"] for row in rows), reverse=True)
    assert {"PREDNISONE"} <= {row["drug"] for row in rows}  # of either era


def test_two_sources_with_the_same_numbers_are_counted_apart(tmp_path: Path, engine: Engine) -> None:
    """Report 1 of one source and report 1 of another share nothing: as one, each would bear both reactions."""
    for name, drug, event in (("one", "ASPIRIN", "Nausea"), ("two", "PARACETAMOL", "Rash")):
        lines = [f"{number},{drug},{event}" for number in range(1, 6)]
        (tmp_path / f"{name}.csv").write_text("\n".join(["case,drug,event", *lines, ""]), "utf-8")
    ingest([tmp_path / "one.csv", tmp_path / "two.csv"], tmp_path / "store")
    rows = ranked(tmp_path / "store", engine=engine.name, **engine.options)
    assert sorted((row["drug"], row["event"], row["n"]) for row in rows) == [
        ("ASPIRIN", "Nausea", 5),
        ("PARACETAMOL", "Rash", 5),
    ]
    assert detect(Store(tmp_path / "store"), engine=engine.name, **engine.options).counts.n_total == 10


def test_planted_duplicates_count_once_when_asked_and_the_run_says_how_many(tmp_path: Path) -> None:
    made = plant(tmp_path / "store", reports=2000, share=0.05, seed=11)
    links = duplicates.find(made.store, max_pairs=3e5)
    before = detect(Store(tmp_path / "store", drug="ingredient"))
    merged = detect(Store(tmp_path / "store", drug="ingredient", duplicates="merge"))
    run = runs.write(
        merged, tmp_path / "runs", "2020Q1", dt.date(2020, 4, 1), store=tmp_path / "store", likelihood="components"
    )
    assert len(links) > 40
    assert run.merged == merged.counts.merged > 40
    assert (before.counts.merged, before.counts.n_total) == (0, made.reports)
    assert merged.counts.n_total == made.reports - run.merged
    assert merged.counts.n.sum() < before.counts.n.sum()
    duplicates.forget(made.store)  # undone: the store counts as before
    assert detect(Store(tmp_path / "store", drug="ingredient")).table.equals(before.table)
    finite(merged)


def test_a_case_with_a_later_version_in_another_quarter_counts_once_whatever_the_calls(tmp_path: Path) -> None:
    for name, version, event in (("a", 1, "Nausea"), ("b", 2, "Rash")):
        (tmp_path / f"{name}.csv").write_text(f"case,version,drug,event\n9,{version},X,{event}\n8{name},,X,Itch\n")
    for name in ("a", "b"):
        ingest([tmp_path / f"{name}.csv"], tmp_path / "store", name="mine")
    counts = detect(Store(tmp_path / "store")).counts
    assert counts.n_total == 3
    assert counts.events.to_pylist() == ["Itch", "Rash"]
    con = Shelf.open(tmp_path / "store").connect()
    assert con.sql("SELECT report_id, reason FROM set_aside").fetchall() == [("9", "repeated")]
    con.close()


def test_a_run_finds_its_store_again_and_what_the_store_says_of_a_pair(tmp_path: Path) -> None:
    lines = [f"{number},{country},ASPIRIN,Nausea" for number, country in enumerate(("FR", "FR", "US", ""))]
    (tmp_path / "cases.csv").write_text("\n".join(["case,country,drug,event", *lines, ""]), "utf-8")
    ingest([tmp_path / "cases.csv"], tmp_path / "store")
    found = detect(Store(tmp_path / "store", drug="ingredient"))
    run = runs.write(
        found, tmp_path / "runs", "one", dt.date(2020, 4, 1), store=tmp_path / "store", drug_column="ingredient"
    )
    assert counted.there(run)
    assert board_figures.figures(run, "aspirin", "nausea").countries == ("FR", "US")
