"""The other commands: solutions, evidence, data, and the root itself."""

from __future__ import annotations

import pytest
from tests.cli.solutions_for_tests import Calm

from lab39 import __version__


class Broken:
    def __init__(self):
        raise ImportError("on purpose")


DATA = ("list", "install", "import", "remove", "verify", "prepare")


def test_solutions_lists_what_is_installed_and_what_does_not_load(run, solutions):
    solutions(calm=Calm, broken=Broken)
    rows = {row["id"]: row for row in run("solutions", "--json").json["solutions"]}
    assert rows["calm"]["title"] == {"fr": "Calme", "en": "Calm"}
    assert "on purpose" in rows["broken"]["error"]
    table = run("solutions").out
    assert "Calme" in table
    assert "on purpose" in table


def test_evidence_shows_figures_beside_peers_with_limits(run, solutions):
    solutions(calm=Calm)
    shown = run("evidence", "calm").out
    for words in ("Une affirmation", "50,0", "Pair 25,0", "une limite", "synthétique"):
        assert words in shown, words
    (row,) = run("evidence", "--json").json["evidence"]
    assert row["card"]["figures"][0]["ours"]["value"] == 0.5
    assert run("evidence", "nobody").code == 2


def test_a_solution_without_commands_still_answers_to_its_name(run, solutions):
    solutions(calm=Calm)
    ran = run("calm")
    assert ran.code == 0
    assert "Dit une chose" in ran.out


def test_a_solution_that_does_not_load_says_so_and_leaves_help_alone(run, solutions):
    solutions(calm=Calm, broken=Broken)
    assert "calm" in run("--help").out
    ran = run("broken")
    assert ran.code == 2
    assert "Traceback" not in ran.err


def test_help_and_version(run, solutions):
    solutions(calm=Calm)
    assert run("--version").out.strip() == f"lab39 {__version__}"
    for command in ("assess", "solutions", "evidence", "data", "new", "check", "calm"):
        assert command in run("--help").out


@pytest.mark.parametrize(
    ("variable", "value"), [("LAB39_LANG", "de"), ("LAB39_TIME_LIMIT", "soon"), ("LAB39_MAX_BYTES", "-1")]
)
def test_a_setting_that_cannot_be_used_is_named(run, monkeypatch, variable, value):
    monkeypatch.setenv(variable, value)
    ran = run("solutions")
    assert ran.code == 2
    assert variable in ran.err


def test_unknown_command_is_exit_2(run, solutions):
    solutions(calm=Calm)
    assert run("asess").code == 2


def test_help_is_in_the_readers_language(run, monkeypatch):
    assert "Évalue des dossiers" in run("--help").out
    assert "Assess records" not in run("assess", "--help").out
    monkeypatch.setenv("LAB39_LANG", "en")
    assert "Assess records" in run("--help").out
    assert "day of the assessment" in run("assess", "--help").out
    assert "Jour de" not in run("assess", "--help").out
    assert "Évalue" in run("--lang", "fr", "assess", "--help").out


def test_every_command_of_the_lab_has_json(run):
    for words in (["assess"], ["solutions"], ["evidence"], ["new"], ["check"], *(["data", c] for c in DATA)):
        assert "--json" in run(*words, "--help").out, words
