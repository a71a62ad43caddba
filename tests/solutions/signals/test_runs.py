"""A run is kept whole, read back as it was, and becomes a data pack of the lab."""

from __future__ import annotations

import datetime as dt
import json

import pytest

from lab39.core.datapacks import Packs
from lab39.core.errors import InputError
from lab39.solutions.signals import Pairs, detect, runs
from lab39.solutions.signals.solution import Signals

MADE = dt.date(2026, 11, 27)


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory):
    rows = [(n, "allopurinol", "DRESS" if n < 6 else "nausea") for n in range(40)]
    rows += [(n, "paracetamol", "DRESS" if n < 41 else "nausea") for n in range(40, 400)]
    path = tmp_path_factory.mktemp("pairs") / "pairs.csv"
    path.write_text("report_id,drug,event\n" + "".join(f"{r},{d},{e}\n" for r, d, e in rows), "utf-8")
    return detect(Pairs(path))


def test_a_run_reads_back_as_it_was_written(found, tmp_path):
    written = runs.write(found, tmp_path / "runs", "2017Q2", MADE, store=tmp_path, roles=("PS", "SS"))
    read = runs.read(tmp_path / "runs" / "2017Q2")
    assert read == written
    assert (read.name, read.until, read.n_reports, read.n_pairs) == ("2017Q2", dt.date(2017, 6, 30), 400, 4)
    assert read.store == tmp_path.resolve()
    assert read.roles == ("PS", "SS")


def test_a_fit_that_failed_keeps_its_words_and_sorts_by_ic025(found, tmp_path):
    run = runs.write(found, tmp_path, "small", MADE)
    assert (run.prior is None) == (found.fit is None)
    assert run.leading == ("ic025" if found.fit is None else "eb05")
    assert bool(run.why_no_gps) == (found.fit is None)


def test_a_run_made_again_takes_the_place_of_the_first(found, tmp_path):
    runs.write(found, tmp_path, "2017Q2", MADE)
    runs.write(found, tmp_path, "2017Q2", MADE + dt.timedelta(1))
    assert [(run.name, run.made) for run in runs.runs(tmp_path)] == [("2017Q2", MADE + dt.timedelta(1))]
    assert [each.name for each in tmp_path.iterdir()] == ["2017Q2"]


def test_runs_stand_in_the_order_of_their_quarters(found, tmp_path):
    for name in ("2017Q2", "2004Q1", "2016Q4"):
        runs.write(found, tmp_path, name, MADE)
    assert [run.name for run in runs.runs(tmp_path)] == ["2004Q1", "2016Q4", "2017Q2"]


@pytest.mark.parametrize("name", ["", "../elsewhere", ".hidden", "a/b", "x" * 80])
def test_a_name_that_is_no_folder_is_refused(found, tmp_path, name):
    with pytest.raises(InputError, match="run"):
        runs.write(found, tmp_path, name, MADE)
    assert not list(tmp_path.iterdir())


def test_a_run_is_imported_as_a_version_of_the_pack(found, tmp_path):
    packs = Packs(tmp_path / "packs", tmp_path / "cache", Signals().packs())
    for name in ("2017Q1", "2017Q2"):
        runs.write(found, tmp_path / "runs", name, MADE)
        packs.import_files("signals", [tmp_path / "runs" / name])
    assert [pack.version for pack in packs.installed("signals")] == ["2017Q1", "2017Q2"]
    run = runs.of_pack(packs.get("signals"))
    assert (run.name, run.n_pairs) == ("2017Q2", 4)
    assert run.scores.is_file()


@pytest.mark.parametrize("wrong", ["no scores", "other form", "not json", "cut scores", "more pairs"])
def test_what_is_not_a_whole_run_is_no_pack(found, tmp_path, wrong):
    folder = runs.write(found, tmp_path / "runs", "2017Q2", MADE).folder
    about = json.loads((folder / "run.json").read_text("utf-8"))
    if wrong == "no scores":
        (folder / "scores.parquet").unlink()
    elif wrong == "other form":
        (folder / "run.json").write_text(json.dumps(about | {"form": 99}), "utf-8")
    elif wrong == "not json":
        (folder / "run.json").write_text("{", "utf-8")
    elif wrong == "cut scores":
        (folder / "scores.parquet").write_bytes((folder / "scores.parquet").read_bytes()[:200])
    else:
        (folder / "run.json").write_text(json.dumps(about | {"n_pairs": 1}), "utf-8")
    packs = Packs(tmp_path / "packs", tmp_path / "cache", Signals().packs())
    with pytest.raises(InputError):
        packs.import_files("signals", [folder])
    assert not packs.has("signals")
