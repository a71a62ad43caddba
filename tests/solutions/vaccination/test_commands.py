"""``lab39 data`` and ``lab39 vaccination diff | bulk`` on a command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import run
from tests.solutions.vaccination import nuva_tables, releases
from tests.solutions.vaccination.records import NUVA, PERSON, bundle, immunization

__all__ = ["run"]


@pytest.fixture
def lab(run: Any, tmp_path: Path) -> Any:
    """``lab39 …`` with two editions and the maps."""
    for version, minimum in (("4.64", "6 weeks"), ("4.65", "5 months")):
        ran = run("data", "import", "cdsi", releases.write(tmp_path / f"cdsi-{version}", minimum))
        assert ran.code == 0, ran.err
    nuva_tables.write(tmp_path / "nuva")
    ran = run("data", "import", "nuva", tmp_path / "nuva")
    assert ran.code == 0, ran.err
    return run


@pytest.fixture
def population(tmp_path: Path) -> Path:
    path = tmp_path / "people.ndjson"
    rows = [
        bundle(person=PERSON | {"id": "none"}),
        bundle(immunization("2025-03-31", "VAC0009", NUVA, id="d1", patient={}), person=PERSON | {"id": "one"}),
        bundle(person={"resourceType": "Patient", "id": "unborn"}),
    ]
    path.write_text("\n".join([*map(json.dumps, rows), "{"]) + "\n", "utf-8")
    return path


# -- packs ---------------------------------------------------------------------------------------------------


def test_schedules_and_maps_are_listed_verified_and_removed(lab: Any) -> None:
    rows = {row["name"]: row for row in lab("data", "list", "--json").json["packs"]}
    assert [each["version"] for each in rows["cdsi"]["installed"]] == ["4.64", "4.65"]
    assert rows["cdsi"]["used"] == "4.65"
    assert "CC BY 4.0" in rows["nuva"]["licence"]
    assert "ivci.org" in lab("data", "list", "nuva").out
    assert lab("data", "verify", "cdsi").code == 0
    assert lab("data", "remove", "cdsi", "4.65").code == 0
    assert {row["name"]: row for row in lab("data", "list", "--json").json["packs"]}["cdsi"]["used"] == "4.64"


def test_a_file_that_is_no_release_is_refused(run: Any, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("{}")
    ran = run("data", "import", "cdsi", tmp_path / "a.json")
    assert ran.code == 2
    assert "ScheduleSupportingData" in ran.err


def test_an_edition_is_asked_for_by_its_name(lab: Any, tmp_path: Path) -> None:
    path = tmp_path / "one.json"
    path.write_text(json.dumps(bundle()), "utf-8")
    new = lab("vaccination", "due", path, "--on", "2025-04-10", "--schedule", "cdsi", "--json").json
    old = lab("vaccination", "due", path, "--on", "2025-04-10", "--schedule", "cdsi@4.64", "--json").json
    assert (old["edition"], old["due"]) == ("4.64", ["A"])
    assert (new["edition"], new["due"]) == ("4.65", [])
    shown = lab("vaccination", "due", path, "--on", "2025-04-10", "--schedule", "cdsi@4.64").out
    assert shown.rstrip().endswith("cdsi 4.64")
    ran = lab("vaccination", "due", path, "--schedule", "cdsi@1.0")
    assert ran.code == 2
    assert "4.64, 4.65" in ran.err


# -- diff ----------------------------------------------------------------------------------------------------


def test_what_changed_by_edition_name_or_path(lab: Any, tmp_path: Path) -> None:
    by_name = lab("vaccination", "diff", "4.64", "cdsi@4.65", "--json")
    assert by_name.code == 0
    by_path = lab("vaccination", "diff", tmp_path / "cdsi-4.64", tmp_path / "cdsi-4.65", "--json").json
    assert by_name.json["changes"] == by_path["changes"]
    assert by_name.json["counts"]["age"] == len([c for c in by_path["changes"] if c["kind"] == "age"])
    told = lab("vaccination", "diff", "4.64", "4.65").out
    assert "âge minimal\u202f: 5 mois au lieu de 6 semaines" in told
    assert "Aucune différence" in lab("vaccination", "diff", "4.64", "4.64").out


def test_for_whom_it_changed(lab: Any, population: Path) -> None:
    words = ("vaccination", "diff", "4.64", "4.65", "--population", population, "--on", "2025-04-10")
    ran = lab(*words, "--json")
    assert ran.code == 2  # one line cannot be read
    found = ran.json["population"]
    assert (found["records"], found["concerned"], found["not_evaluated"]) == (3, 2, 1)
    assert found["no_longer_due"] == {"A": 1}
    assert found["dose_verdicts_changed"] == 1
    assert [each["record"] for each in found["people"]] == ["none", "one"]
    assert "people.ndjson:4" in ran.err
    told = lab(*words).out
    assert "2 personnes concernées sur 3" in told
    assert "n'est plus dû\u202f: 1 (none)" in told


def test_an_unknown_edition_is_refused_with_those_there_are(lab: Any) -> None:
    ran = lab("vaccination", "diff", "4.64", "cdsi@9.9")
    assert ran.code == 2
    assert "4.64, 4.65" in ran.err


# -- bulk ----------------------------------------------------------------------------------------------------


def test_many_records_one_line_each_and_a_summary(lab: Any, population: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.ndjson"
    ran = lab(
        "vaccination", "bulk", population, "--on", "2025-04-10", "--schedule", "cdsi@4.64", "--out", out, "--json"
    )  # fmt: skip
    assert ran.code == 2
    assert ran.json["records"] == 3
    assert (ran.json["not_evaluated"], ran.json["doses"], ran.json["due"]) == (1, 1, {"A": 1})
    assert "people.ndjson:4" in ran.json["failed"][0]
    rows = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
    assert [(row["record"], row["due"]) for row in rows] == [("none", ["A"]), ("one", []), ("unborn", None)]
    assert rows[1]["doses"][0]["status"] == "Valid"
    assert rows[2]["issues"][0]["place"] == "Patient.birthDate"


def test_a_line_that_holds_one_resource_alone_is_refused_not_taken_for_somebody_unvaccinated(
    lab: Any, tmp_path: Path
) -> None:
    path = tmp_path / "Patient.ndjson"
    path.write_text(json.dumps(PERSON) + "\n" + json.dumps(bundle()) + "\n", "utf-8")
    ran = lab("vaccination", "bulk", path, "--on", "2025-04-10", "--out", tmp_path / "out.ndjson", "--json")
    assert (ran.code, ran.json["records"]) == (2, 1)
    assert "Patient.ndjson:1" in ran.err
    assert "Bundle" in ran.err


def test_without_a_file_the_lines_are_the_output_and_the_summary_a_message(lab: Any, population: Path) -> None:
    ran = lab("vaccination", "bulk", population, "--on", "2025-04-10", "--schedule", "cdsi@4.64")
    assert len([json.loads(line) for line in ran.out.splitlines()]) == 3
    assert "3 dossiers" in ran.err


def test_json_without_a_file_for_the_lines_is_refused(lab: Any, population: Path) -> None:
    ran = lab("vaccination", "bulk", population, "--json")
    assert (ran.code, ran.out) == (2, "")
    assert "--out" in ran.err


# -- persons who have died -----------------------------------------------------------------------------------

DIED = PERSON | {"deceasedDateTime": "2025-05-01"}


@pytest.mark.parametrize("command", ["due", "plan", "remind", "certificate"])
def test_nothing_is_proposed_for_who_has_died(lab: Any, tmp_path: Path, command: str) -> None:
    path = tmp_path / "dead.json"
    path.write_text(json.dumps(bundle(person=DIED)), "utf-8")
    ran = lab("vaccination", command, path, "--on", "2025-06-15", "--schedule", "cdsi", "--json")
    assert (ran.code, ran.out) == (2, "")
    assert "deceasedDateTime" in ran.err
    assert lab("vaccination", "due", path, "--on", "2025-04-30", "--schedule", "cdsi@4.64", "--json").json["due"]


def test_lists_leave_out_who_has_died_and_count_them(lab: Any, tmp_path: Path) -> None:
    path, late = tmp_path / "people.ndjson", tmp_path / "late.csv"
    path.write_text(json.dumps(bundle(person=DIED)) + "\n", "utf-8")
    on = ("--on", "2025-06-15", "--schedule", "cdsi")
    bulk = lab("vaccination", "bulk", path, *on, "--out", tmp_path / "rows", "--json").json
    assert (bulk["records"], bulk["deceased"], bulk["not_evaluated"], bulk["due"]) == (1, 1, 0, {})
    found = lab("vaccination", "coverage", path, *on, "--late", late, "--json").json
    assert (found["n"], found["deceased"], found["unread"], found["late"]) == (1, 1, 0, [])
    assert len(late.read_text("utf-8").splitlines()) == 1
    assert "décédée" in lab("vaccination", "coverage", path, *on).out
    on = ("--on", "2025-06-15")
    people = lab("vaccination", "diff", "4.64", "cdsi@4.65", "--population", path, *on, "--json").json
    assert (people["population"]["deceased"], people["population"]["not_evaluated"]) == (1, 0)
