"""What is checked, and how it is told: folders, ids, records, the command."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from lab39 import cli, conformance
from lab39.core.errors import LabError
from lab39.core.solution import RESERVED_IDS
from lab39.settings import Settings

LAB39 = str(Path(sys.executable).parent / "lab39")


def refused(package: object, **more: object) -> str:
    with pytest.raises(LabError) as error:
        conformance.check(str(package), settings=Settings(), **more)
    assert error.value.exit_code == 2
    return error.value.say("en")


def test_a_name_that_is_neither_folder_nor_solution_is_refused_with_those_there_are():
    assert "raredisease" in refused("nobody")


def test_a_folder_that_is_not_there_is_named(tmp_path):
    assert str(tmp_path / "absent") in refused(tmp_path / "absent")


@pytest.mark.parametrize(
    ("toml", "told"),
    [
        (None, "no such file"),
        ("[project", "unreadable TOML"),
        ('[project]\nname = "x"\n', 'entry-points."lab39.solutions"'),
        ('[project.entry-points."lab39.solutions"]\n', "no solution is declared"),
    ],
)
def test_a_folder_that_declares_no_solution_says_what_to_add(tmp_path, toml, told):
    if toml is not None:
        (tmp_path / "pyproject.toml").write_text(toml)
    assert told in refused(tmp_path)
    assert "pyproject.toml" in refused(tmp_path)


def test_records_that_are_not_there_are_named(tmp_path):
    assert "absent.json" in refused("raredisease", records=[tmp_path / "absent.json"])


def test_records_that_cannot_be_read_are_named_and_never_passed_over(tmp_path):
    (tmp_path / "cut.json").write_text('{"resourceType": "Patient", ')
    assert "cut.json" in refused("raredisease", records=[tmp_path])


def test_an_unknown_point_is_refused():
    assert "speed" in refused("raredisease", only=["speed"])


def test_records_of_the_user_are_assessed_too(checked, tmp_path):
    record = tmp_path / "mine.json"
    record.write_text(json.dumps({"resourceType": "Patient", "id": "mine", "birthDate": "not-a-date"}))
    (row,) = checked("wrong.solutions:FailsOnMine", "runs", records=[record])
    assert "mine.json" in row.detail.en
    assert "no-birth-date" not in row.detail.en


def test_only_the_first_problems_are_told_and_the_others_counted(checked):
    (row,) = checked("wrong.solutions:EnglishSummary", "languages")
    assert row.detail.en.count("same sentence") == conformance.SHOWN
    assert "more" in row.detail.en


def test_the_names_of_the_labs_own_commands_are_reserved():
    from typer.main import get_group

    assert set(get_group(cli.app).commands) < set(RESERVED_IDS)


def test_the_command_ends_with_1_when_a_point_fails_and_counts_them(tmp_path):
    (tmp_path / "src").symlink_to(Path(__file__).parent)
    declared = '[project.entry-points."lab39.solutions"]\nwrong = "wrong.solutions:AnotherId"\n'
    (tmp_path / "pyproject.toml").write_text(declared)
    done = subprocess.run([LAB39, "check", str(tmp_path), "--json"], capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    told = json.loads(done.stdout)
    assert (told["total"], told["passed"]) == (
        len(conformance.CHECKS),
        len(conformance.CHECKS) - len(told["failures"]),
    )
    assert "loads" in told["failures"]


def test_several_solutions_of_one_package_are_told_apart(tmp_path):
    (tmp_path / "src").symlink_to(Path(__file__).parent)
    same = "wrong.solutions:Right"
    declared = f'[project.entry-points."lab39.solutions"]\nwrong = "{same}"\nother = "{same}"\n'
    (tmp_path / "pyproject.toml").write_text(declared)
    rows = conformance.check(tmp_path, settings=Settings(home=tmp_path), only=["loads"])
    assert {row.id: row.passed for row in rows} == {"wrong/loads": True, "other/loads": False}


def test_a_solution_in_a_single_module_needs_no_package(checked):
    assert [f"{row.id}: {row.detail.en}" for row in checked("single:Single") if not row.passed] == []
