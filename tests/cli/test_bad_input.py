"""Bad input at the command line: the place, exit 2, never a traceback, never a part taken for the whole."""

from __future__ import annotations

import json

import pytest
from tests.cli.solutions_for_tests import Calm
from tests.fhir.bad_inputs import BAD, PATIENT


@pytest.mark.parametrize("name", BAD)
def test_it_is_exit_2_with_the_place_and_no_report(name, run, solutions, tmp_path):
    solutions(calm=Calm)
    bad = BAD[name]
    bad.write(tmp_path / bad.file)
    ran = run("--lang", "en", "assess", tmp_path / bad.file, "--json")
    assert ran.code == 2
    assert bad.file in ran.err
    assert "Traceback" not in ran.err
    for words in bad.says:
        assert words in ran.err
    assert ran.json["reports"] == []
    assert bad.file in ran.json["failed"][0]["place"]
    assert set(ran.json["failed"][0]["text"]) == {"fr", "en"}


@pytest.mark.parametrize("name", ["truncated", "a bomb in a zip", "two patients"])
def test_the_screen_and_the_page_say_it_too(name, run, solutions, tmp_path):
    solutions(calm=Calm)
    bad = BAD[name]
    bad.write(tmp_path / bad.file)
    ran = run("assess", tmp_path / bad.file, "--html", tmp_path / "report.html")
    assert ran.code == 2
    assert bad.file in ran.err
    assert bad.file in (tmp_path / "report.html").read_text("utf-8")


def test_one_broken_file_among_good_ones_is_exit_2_and_the_good_are_reported(run, solutions, tmp_path):
    solutions(calm=Calm)
    (tmp_path / "a.json").write_text(json.dumps(PATIENT))
    (tmp_path / "b.json").write_text("{")
    ran = run("assess", tmp_path, "--json")
    assert ran.code == 2
    assert [r["record"]["id"] for r in ran.json["reports"]] == ["p1"]
    assert len(ran.json["failed"]) == 1


@pytest.mark.parametrize("options", [["--on", "soon"], ["--only", "nobody"]])
def test_an_option_that_cannot_be_used_is_a_whole_json_document_too(run, solutions, tmp_path, options):
    solutions(calm=Calm)
    (tmp_path / "a.json").write_text(json.dumps(PATIENT))
    ran = run("assess", tmp_path / "a.json", "--json", *options)
    assert ran.code == 2
    assert ran.json["reports"] == []
    assert options[1] in ran.json["failed"][0]["text"]["en"]


def test_a_run_that_stops_midway_is_a_whole_json_document_that_says_so(run, solutions, tmp_path):
    solutions(calm=Calm)
    rows = [json.dumps(PATIENT), "{", json.dumps(PATIENT), json.dumps(PATIENT)]
    (tmp_path / "many.ndjson").write_text("\n".join(rows))
    ran = run("assess", tmp_path / "many.ndjson", "--json", "--fhir", tmp_path / "out.json")
    assert ran.code == 2
    assert any(".ndjson" in row["text"]["en"] for row in ran.json["failed"])
    assert any(row["place"].endswith("many.ndjson:2") for row in ran.json["failed"])
    assert not (tmp_path / "out.json").exists()


def test_a_path_is_never_broken_across_lines(run, solutions, tmp_path):
    solutions(calm=Calm)
    long = tmp_path / ("x" * 150 + ".json")
    long.write_text("{")
    assert str(long) in run("assess", long).err


def test_a_solution_without_an_evidence_card_leaves_the_page_whole(run, solutions, tmp_path):
    class Bare(Calm):
        id = "bare"

        def evidence(self):
            raise FileNotFoundError("card.toml")

    solutions(calm=Calm, bare=Bare)
    (tmp_path / "a.json").write_text(json.dumps(PATIENT))
    ran = run("assess", tmp_path / "a.json", "--html", tmp_path / "report.html")
    assert ran.code == 0
    assert "bare" in ran.err
    assert "Une affirmation" in (tmp_path / "report.html").read_text("utf-8")
