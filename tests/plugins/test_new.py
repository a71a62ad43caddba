"""``lab39 new``: what it makes is a solution at once; what it cannot make it refuses, and leaves nothing behind."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from lab39 import conformance, scaffold
from lab39.core.errors import InputError
from lab39.settings import Settings

REFUSED = [
    ("", "lower-case"),
    ("Été", "“ete”"),
    ("two words", "“two-words”"),
    ("under_score", "“under-score”"),
    ("9lives", "lower-case"),
    ("-dash", "“dash”"),
    ("../up", "“up”"),
    ("class", "Python"),
    ("assess", "command of the lab"),
    ("records", "address of the lab"),
    ("raredisease", "installed already"),
]


@pytest.fixture(scope="module")
def made(generate) -> Path:
    return generate("my-frailty")


def run(made: Path, *args: str) -> subprocess.CompletedProcess[str]:
    env = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST")}
    command = [sys.executable, "-m", *args]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=made, env=env)


def test_what_it_makes_passes_the_conformance_suite_at_once(made, tmp_path):
    rows = conformance.check(made, settings=Settings(home=tmp_path))
    assert [f"{row.id}: {row.detail.en}" for row in rows if not row.passed] == []
    assert len(rows) == len(conformance.CHECKS)


def test_its_own_tests_pass_at_once(made):
    done = run(made, "pytest", "-q", "-p", "no:cacheprovider")
    assert done.returncode == 0, done.stdout
    assert "passed" in done.stdout


def test_it_reads_as_the_lab_writes(made):
    for args in (["check"], ["format", "--check"]):
        done = run(made, "ruff", *args, "--no-cache", ".")
        assert done.returncode == 0, done.stdout


def test_its_types_hold(made, tmp_path):
    done = run(made, "mypy", "--strict", "--cache-dir", str(tmp_path), "src")
    assert done.returncode == 0, done.stdout


def test_it_is_whole(made):
    project = tomllib.loads((made / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["license"] == "Apache-2.0"
    assert "Apache License" in (made / "LICENSE").read_text("utf-8")
    assert project["authors"] == [{"name": 'A "quoted" author'}]
    point = project["entry-points"]["lab39.solutions"]
    assert point == {"my-frailty": "lab39_my_frailty.solution:MyFrailtySolution"}
    for name in (
        "README.md",
        "src/lab39_my_frailty/knowledge/rules.toml",
        "src/lab39_my_frailty/card.toml",
        "src/lab39_my_frailty/templates/index.html.jinja",
        "src/lab39_my_frailty/static/index.css",
        "tests",
    ):
        assert (made / name).exists(), name
    files = [p for p in made.rglob("*") if p.is_file() and p.suffix not in (".pyc", ".jinja")]
    left = [p for p in files if "{{" in p.read_text("utf-8")]
    assert left == []


@pytest.mark.parametrize(("name", "told"), REFUSED)
def test_a_name_that_cannot_be_one_is_refused_and_nothing_is_written(tmp_path, name, told):
    with pytest.raises(InputError) as error:
        scaffold.create(name, tmp_path)
    assert error.value.exit_code == 2
    assert told in error.value.say("en")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["none", "solution", "finding", "record", "text"])
def test_a_name_that_is_also_a_word_of_the_template_still_works(tmp_path, name):
    made = scaffold.create(name, tmp_path)
    (row,) = conformance.check(made, settings=Settings(home=tmp_path), only=["runs"])
    assert row.passed, row.detail.en


def test_a_folder_that_is_there_is_left_as_it_is(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("keep me")
    with pytest.raises(InputError, match="is there already"):
        scaffold.create("mine", tmp_path)
    assert [p.name for p in tmp_path.rglob("*")] == ["mine", "notes.txt"]


def test_a_folder_that_cannot_be_written_to_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot write") as error:
        scaffold.create("mine", tmp_path / "file")
    assert str(tmp_path / "file" / "mine") in error.value.place


def test_without_an_author_the_package_names_none(tmp_path):
    project = tomllib.loads((scaffold.create("mine", tmp_path) / "pyproject.toml").read_text("utf-8"))["project"]
    assert "authors" not in project
