"""``make prove``: that its verdicts are true, and a small sample of the kills over HTTP."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

import prove
import prove_http
from prove import Part


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A part that runs these lines."""
    monkeypatch.setattr(prove, "FOLDER", tmp_path)

    def make(name: str, lines: str, *arguments: str) -> Part:
        (tmp_path / f"{name}.py").write_text(lines)
        return Part(name, f"claim of {name}", f"{name}.py", arguments, ("--sample",))

    return make


def test_a_part_passes_when_it_ends_well_and_gives_its_figures(script):
    made = prove.run([script("good", "import sys; print('{\"total\": 3}')", "--n", "3")])
    (part,) = made["parts"].values()
    assert (part["verdict"], part["figures"]) == ("passed", {"total": 3})
    assert part["command"].endswith("good.py --n 3")
    assert made["passed"]
    assert made["machine"]["cores"]


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        ("import sys; print('{\"lost\": 1}'); sys.exit(1)", None),
        ("raise SystemExit('it broke')", "it broke"),
        ("print('no figures')", "it gave no figures"),
    ],
)
def test_one_part_that_fails_fails_the_proof_and_the_others_are_still_run(script, lines, why):
    made = prove.run([script("bad", lines), script("good", "print('{}')")])
    assert [part["verdict"] for part in made["parts"].values()] == ["failed", "passed"]
    assert not made["passed"]
    if why is not None:
        assert why in made["parts"]["bad"]["why"]


def test_a_part_that_could_not_be_run_is_no_proof(script, monkeypatch):
    monkeypatch.setattr("tests.store.postgres.why_absent", lambda: "none here")
    made = prove.run([script("on_postgresql", "print('{}')", prove.POSTGRESQL)])
    assert made["parts"]["on_postgresql"]["verdict"] == "not run"
    assert not made["passed"]


def test_a_proof_of_nothing_has_not_passed():
    assert not prove.run([])["passed"]


def test_the_proof_is_written_with_its_verdict(script, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(prove, "PARTS", (script("bad", "print('{}'); raise SystemExit(1)"),))
    out = tmp_path / "build" / "proof.json"
    monkeypatch.setattr(prove.sys, "argv", ["prove.py", "--sample", "--out", str(out)])
    assert prove.main() == 1
    assert json.loads(out.read_text("utf-8"))["parts"]["bad"]["command"].endswith("bad.py --sample")
    assert "FAILED" in capsys.readouterr().out


def test_every_part_is_a_script_that_takes_its_arguments():
    for part in prove.PARTS:
        assert (Path(prove.__file__).parent / part.script).exists(), part.script


@pytest.mark.xdist_group("served")
def test_a_served_lab_that_is_killed_four_ways_loses_nothing_it_acknowledged(tmp_path: Path):
    report = prove_http.prove(4, 60, folder=tmp_path)
    assert report["failures"] == {}
    assert set(report["kills"]) == {"all", "web", "jobs", "supervisor"}
    assert report["passed"] == report["total"] >= 60
    assert report["acknowledged"]["messages"] >= 2

    # the same count sees what is taken away afterwards
    trouble = prove_http.Trouble(tmp_path, "", 1)
    trouble.done.kept[("0" * 32, 1)] = "{}"
    trouble.done.assessed.add("0" * 64)
    trouble.done.queued.add("f" * 32)
    trouble.heads["000000000001-000000000000.head.json"] = b"{}"
    with sqlite3.connect(tmp_path / "home" / "lab39.db") as database:
        database.execute("DELETE FROM record_versions")
    found = trouble.report()["failures"]
    trouble.receiver.server.shutdown()
    trouble.receiver.server.server_close()
    assert set(found) >= {
        "record lost",
        "assessment lost",
        "message lost",
        "head gone",
        "record without a version",
        "version without its audit entry",
    }
