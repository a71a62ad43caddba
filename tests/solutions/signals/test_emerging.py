"""Signals of a run that match a person: the figures in words, beside what is known, or on their own."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.solutions.signals.records import Around, around, fever, found, has, rash, takes

from lab39.core.finding import Severity
from lab39.solutions.signals import pairindex, runs
from lab39.solutions.signals.detection import COLUMNS
from lab39.solutions.signals.solution import Signals

PAIRS = [  # drug, event, n, IC, IC025, IC975, EB05
    ("ALLOPURINOL", "Rash", 41, 1.68, 1.26, 2.04, 2.4),
    ("BISOPROLOL", "Urinary retention", 12, 1.2, 0.4, 1.8, 1.1),
    ("BISOPROLOL", "Constipation", 2, 3.0, 1.0, 4.0, 3.0),
    ("RAMIPRIL", "Constipation", 9, 0.2, -0.3, 0.6, 0.7),
    ("APIXABAN", "Constipation", 5, 1.1, -0.1, 1.9, 2.1),
]


@pytest.fixture
def lab(tmp_path: Path) -> Around:
    """A lab that was given a run."""
    folder = tmp_path / "runs" / "2026Q2"
    folder.mkdir(parents=True)
    columns = {name: [1.0] * len(PAIRS) for name in COLUMNS}
    names = ("n", "ic", "ic025", "ic975", "eb05")
    columns |= {name: [float(row[2 + i]) for row in PAIRS] for i, name in enumerate(names)}
    table = pa.table({"drug": [r[0] for r in PAIRS], "event": [r[1] for r in PAIRS]} | columns)
    pq.write_table(table, folder / runs.SCORES)
    (folder / runs.ABOUT).write_text(
        '{"form": 1, "name": "2026Q2", "made": "2026-07-10", "store": null, "until": "2026-06-30", "by": [],'
        ' "roles": [], "likelihood": "components", "prior": null, "why_no_gps": null, "n_reports": 400,'
        ' "n_drugs": 4, "n_events": 3, "n_pairs": 5, "basis": "reports", "versions": {}}',
        "utf-8",
    )
    ctx = around(tmp_path)
    ctx.packs.import_files("signals", [folder])
    return ctx


def test_an_unknown_pair_that_stands_out_is_told_in_words(lab: Around):
    told = found(takes("C07AB07", "2026-11-01", words="Bisoprolol 5 mg"), has("267064002"), ctx=lab)["emerging"]
    assert told.severity is Severity.WARNING  # it began within eight weeks of the first dose
    assert told.reasons[0].text.fr.startswith(
        "Bisoprolol et «\u202fUrinary retention\u202f»\u202f: rapporté 12 fois, 2,3 fois plus qu'attendu "
        "(IC 95\u202f% 1,3 à 3,5)."
    )
    assert "Un signal n'est pas une preuve" in told.reasons[0].text.fr
    assert told.reasons[0].source.date == "2026-06-30"
    assert told.suggestions == ()
    assert all(len(told.summary[lang]) < 140 for lang in ("fr", "en"))


def test_years_after_the_first_dose_it_is_only_for_information(lab: Around):
    told = found(takes("C07AB07", "2020-11-01"), has("267064002"), ctx=lab)["emerging"]
    assert told.severity is Severity.INFO


def test_a_known_reaction_gets_the_figures_beside_its_own_reasons(lab: Around):
    told = found(takes("M04AA01", "2026-11-03"), rash(), fever(), ctx=lab)
    assert "emerging" not in told
    last = told["reaction.severe-skin"].reasons[-1]
    assert (last.rule, "rapporté 41 fois, 3,2 fois plus qu'attendu" in last.text.fr) == ("signals.emerging", True)


@pytest.mark.parametrize("atc", ["C07AB07", "C09AA05"], ids=["two reports", "nothing stands out"])
def test_what_does_not_stand_out_is_not_told(lab: Around, atc: str):
    assert "emerging" not in found(takes(atc, "2026-11-01"), has("14760008"), ctx=lab)


def test_eb05_of_2_stands_out_even_when_ic025_does_not(lab: Around):
    assert "emerging" in found(takes("B01AF02", "2026-11-01"), has("14760008"), ctx=lab)


def test_a_complaint_older_than_the_medicine_or_a_stopped_medicine_is_left_out(lab: Around):
    assert "emerging" not in found(takes("C07AB07", "2026-11-23"), has("267064002", "2026-11-20"), ctx=lab)
    assert "emerging" not in found(takes("C07AB07", "2026-11-01", status="stopped"), has("267064002"), ctx=lab)


def test_without_a_start_it_is_asked_for(lab: Around):
    told = found(takes("C07AB07", None), has("267064002"), ctx=lab)["emerging"]
    assert [m.code for m in told.missing] == ["start:MedicationStatement/m"]


def test_without_a_run_nothing_is_said():
    assert "emerging" not in found(takes("C07AB07", "2026-11-01"), has("267064002"))


def test_a_run_is_compiled_once_when_the_lab_prepares(lab: Around):
    said: list[str] = []
    Signals().prepare(lab.packs, lambda what, _done: said.append(what))
    pack = lab.packs.get("signals")
    index = pairindex.path(lab.packs, pack)
    stamp = index.stat().st_mtime_ns
    assert said[0] == "signals 2026Q2"
    found(takes("C07AB07", "2026-11-01"), has("267064002"), ctx=lab)
    assert index.stat().st_mtime_ns == stamp
    kept = pairindex.look(index, ["Allopurinol", "bisoprolol", "ramipril", "apixaban"], [row[1] for row in PAIRS])
    assert {(p.drug, p.event) for p in kept} == {
        ("ALLOPURINOL", "Rash"),
        ("BISOPROLOL", "Urinary retention"),
        ("APIXABAN", "Constipation"),
    }


def test_names_with_quotes_are_looked_for_as_they_are(lab: Around):
    index = pairindex.path(lab.packs, lab.packs.get("signals"))
    assert pairindex.look(index, ["x' OR 1=1 --"], ["Rash"]) == ()
    assert pairindex.look(index, [], ["Rash"]) == ()


def test_an_assessment_needs_neither_numpy_nor_arrow(lab: Around):
    import subprocess
    import sys

    Signals().prepare(lab.packs, lambda _what, _done: None)
    home = str(lab.packs.home.parent)
    code = f"""
import sys
from pathlib import Path
from tests.solutions.signals.records import around, found, has, takes
assert "emerging" in found(takes("C07AB07", "2026-11-01"), has("267064002"), ctx=around(Path({home!r})))
print(sorted({{"numpy", "pyarrow", "pandas", "duckdb"}} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.stdout.strip(), done.stderr) == ("[]", "")


def test_a_run_over_made_up_reports_says_nothing_of_a_person(lab: Around, tmp_path: Path):
    """The newest run is synthetic: the one before it, of real reports, is read instead."""
    real = lab.packs.get("signals").files["run"].parent
    newer = tmp_path / "runs" / "2026Q3"
    newer.mkdir()
    (newer / runs.SCORES).write_bytes((real / runs.SCORES).read_bytes())
    about = (real / runs.ABOUT).read_text("utf-8").replace("2026Q2", "2026Q3").replace("2026-06-30", "2026-09-30")
    (newer / runs.ABOUT).write_text(about.replace('"form": 1', '"form": 1, "synthetic": true'), "utf-8")
    lab.packs.import_files("signals", [newer])
    assert lab.packs.get("signals").version == "2026Q3"
    told = found(takes("C07AB07", "2026-11-01"), has("267064002"), ctx=lab)["emerging"]
    assert told.reasons[0].source.date == "2026-06-30"
