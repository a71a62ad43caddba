"""``lab39 pharmacy`` on a command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.solutions.pharmacy import tiny_thesaurus

from lab39.core.lab import Lab
from lab39.settings import Settings
from lab39.solutions.pharmacy.solution import Pharmacy


@pytest.fixture
def cli(run):
    """``lab39 pharmacy …`` without any pack: the small tables of the lab."""
    return lambda *args: run("pharmacy", *args)


@pytest.fixture
def editions(run, monkeypatch, tmp_path: Path):
    """``lab39 pharmacy …`` over two made-up editions."""
    lab = Lab([Pharmacy()], Settings(home=tmp_path / "with-editions"))
    lab.packs.import_files("ansm", [tiny_thesaurus.wheel(tmp_path / "given")])
    monkeypatch.setenv("LAB39_HOME", str(lab.settings.home))
    return lambda *args: run("pharmacy", *args)


# -- interactions ------------------------------------------------------------------------------------------


def test_interactions_as_json_have_the_keys_that_scripts_rely_on(cli):
    ran = cli("interactions", "warfarine", "ibuprofène", "--json")
    assert ran.code == 0
    (found,) = ran.json["interactions"]
    assert {found["a"], found["b"]} == {"warfarine", "ibuprofène"}
    assert (found["level"], found["resolved"], found["edition"]) == ("AD", True, "2023-09")
    assert isinstance(found["page"], int)
    assert found["mechanism"]
    assert found["conduct"]
    assert ran.json["pairs"] == [{"a": found["a"], "b": found["b"], "level": "AD", "resolved": True, "rules": [0]}]
    assert [line["text"] for line in ran.json["lines"]] == ["warfarine", "ibuprofène"]


def test_no_pack_is_said_to_be_partial_with_what_to_type(cli):
    ran = cli("interactions", "warfarine", "ibuprofène", "--json")
    assert ran.json["partial"] is True
    assert "lab39 data install ansm" in ran.json["warnings"][0]["fr"]


def test_interactions_read_in_french_within_eighty_columns(cli, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    ran = cli("interactions", "warfarine", "ibuprofène", "paracétamol")
    assert ran.code == 0
    assert "association déconseillée" in ran.out
    assert "n'est pas un dispositif" in ran.out
    assert max(len(row.rstrip()) for row in ran.out.splitlines()) <= 80


def test_interactions_read_in_english(cli, monkeypatch):
    monkeypatch.setenv("LAB39_LANG", "en")
    ran = cli("interactions", "warfarin", "ibuprofen")
    assert "advised against" in ran.out
    assert "1 pair to look at" in ran.out


def test_nothing_found_is_said(cli):
    ran = cli("interactions", "paracétamol")
    assert ran.code == 0
    assert "Aucune interaction dans cette édition" in ran.out


def test_the_same_line_twice_is_told_and_is_no_interaction(cli):
    ran = cli("interactions", "tramadol", "tramadol", "--json")
    assert ran.json["interactions"] == []
    assert ran.json["repeated"] == [{"name": "tramadol", "lines": [0, 1]}]
    assert "sur plusieurs lignes" in cli("interactions", "tramadol", "tramadol").out


@pytest.mark.parametrize("name", ["zorglubine", "X de sodium", "😀", ""])
def test_an_unknown_name_is_refused_and_named(cli, name):
    ran = cli("interactions", "warfarine", name, "--json")
    assert (ran.code, ran.out) == (2, "")
    assert name[:4] in ran.err or "Aucun nom" in ran.err


def test_every_name_that_is_not_understood_is_named_at_once(cli):
    ran = cli("interactions", "zorglubine", "warfarine", "abracadabrine")
    assert ran.code == 2
    assert "zorglubine" in ran.err
    assert "abracadabrine" in ran.err


def test_sixty_names_at_most(cli):
    ran = cli("interactions", *["warfarine"] * 61)
    assert ran.code == 2
    assert "61" in ran.err


def test_a_food_among_the_names_is_looked_at(cli):
    ran = cli("interactions", "simvastatine", "pamplemousse", "--json")
    assert [(each["level"], each["b"], each["lines"][1]) for each in ran.json["interactions"]] == [
        ("AD", "pamplemousse", None)
    ]
    assert cli("interactions", "simvastatine", "--json").json["interactions"] == []
    assert len(cli("interactions", "simvastatine", "--food", "--json").json["interactions"]) == 1


# -- doses and the person ----------------------------------------------------------------------------------


def dose_of(ran, number):
    return ran.json["lines"][number]["dose_mg"]


def test_a_dose_by_its_name(cli):
    ran = cli("interactions", "warfarine", "kardégic", "--dose", "aspirine=75 mg/j", "--json")
    assert dose_of(ran, 1) == {"intake": None, "day": 75, "week": None}


def test_doses_in_order(cli):
    ran = cli("interactions", "warfarine", "kardégic", "--dose", "-", "--dose", "75 mg/j", "--json")
    assert dose_of(ran, 0)["day"] is None
    assert dose_of(ran, 1)["day"] == 75


def test_a_dose_of_one_among_several_is_asked(cli):
    ran = cli("interactions", "paracétamol", "ibuprofène", "--dose", "1 g/j")
    assert ran.code == 2
    assert "--dose « paracétamol=1 g/j »".replace(" ", "\u202f") in ran.err.replace(" ", "\u202f")


@pytest.mark.parametrize("dose", ["75", "warfarine=75", "warfarine=beaucoup", "zorglubine=75 mg/j"])
def test_a_dose_that_cannot_be_used_is_refused(cli, dose):
    ran = cli("interactions", "warfarine", "--dose", dose)
    assert ran.code == 2
    assert ran.err.startswith("lab39: ")


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--fact", "bla", "peptic-ulcer-history"),
        ("--fact", "heart-failure=peut-être", "=no"),
        ("--sex", "x", "female"),
    ],
)
def test_what_is_said_of_the_person_is_checked(cli, option, value, said):
    ran = cli("interactions", "warfarine", option, value)
    assert ran.code == 2
    assert said in ran.err


# -- names -------------------------------------------------------------------------------------------------


def test_names_one_by_one(cli):
    ran = cli("names", "Doliprane 1000 mg", "warfarine", "--json")
    assert ran.code == 0
    assert (ran.json["n"], ran.json["found"]) == (2, 2)
    keys = [each["candidates"][0]["substances"][0]["key"] for each in ran.json["names"]]
    assert keys == ["paracetamol", "warfarine"]


def test_names_of_a_file_one_a_line_and_one_unknown(cli, tmp_path):
    path = tmp_path / "names.txt"
    path.write_text("warfarine\n\nzorglubine\n", "utf-8")
    ran = cli("names", str(path), "--json")
    assert ran.code == 2
    assert [each["match"] for each in ran.json["names"]] == ["found", "unknown"]
    assert "inconnu" in cli("names", str(path)).out


def test_a_file_that_is_no_text_is_refused(cli, tmp_path):
    path = tmp_path / "names.txt"
    path.write_bytes(b"\xff\xfe\x00")
    ran = cli("names", str(path))
    assert ran.code == 2
    assert "UTF-8" in ran.err


# -- levels ------------------------------------------------------------------------------------------------


def test_how_rules_are_settled(editions):
    ran = editions("levels", "--json")
    assert ran.code == 0
    assert (ran.json["edition"], ran.json["n"]) == ("2020-10", 0)
    assert "0 règles du thésaurus 2020-10" in editions("levels").out


# -- editions ----------------------------------------------------------------------------------------------


def test_an_edition_by_its_month(editions):
    ran = editions("interactions", "betamol", "alphamine", "--edition", "2018-05", "--json")
    assert [(each["level"], each["edition"]) for each in ran.json["interactions"]] == [("AD", "2018-05")]


def test_the_newest_edition_unless_one_is_named_and_its_age_is_told(editions):
    ran = editions("interactions", "betamol", "alphamine", "--json")
    assert ran.json["edition"] == "2020-10"
    assert "2020" in ran.json["warnings"][0]["fr"]


def test_an_edition_that_is_not_at_hand_is_refused_with_those_that_are(editions):
    ran = editions("interactions", "betamol", "--edition", "1999-01")
    assert ran.code == 2
    assert "2018-05" in ran.err


def test_a_rule_with_several_levels_that_nobody_read_is_not_settled(editions):
    ran = editions("interactions", "alphamine", "gammadol", "--json")
    (found,) = ran.json["interactions"]
    assert (found["level"], found["resolved"], found["possible"]) == ("CI", False, ["CI", "PE"])
    assert [need["token"] for need in found["needs"]] == ["reading"]


def test_what_changed_between_two_editions(editions):
    ran = editions("diff", "2018-05", "2020-10", "--json")
    assert ran.code == 0
    assert (ran.json["before"], ran.json["after"]) == ("2018-05", "2020-10")
    new = [(each["a"], each["b"], each["after"]) for each in ran.json["rules"] if each["change"] == "new"]
    assert ("AUTRES BÊTATIQUES", "BÊTATIQUES", ["PE"]) in new
    assert "nouveau" in editions("diff", "2018-05", "2020-10").out


def record(name, *medicines):
    patient = {"resourceType": "Patient", "id": name, "birthDate": "1950"}
    taken = [
        {
            "resourceType": "MedicationStatement",
            "status": "active",
            "medicationCodeableConcept": {"text": text},
            "subject": {"reference": f"Patient/{name}"},
        }
        for text in medicines
    ]
    entries = [{"resource": each} for each in (patient, *taken)]
    return json.dumps({"resourceType": "Bundle", "type": "collection", "entry": entries})


@pytest.fixture
def population(tmp_path: Path) -> Path:
    path = tmp_path / "people.ndjson"
    rows = [
        record("concerned", "alphamine", "gammadol"),
        record("same", "alphamine", "betamol"),
        record("doubt", "alphamine", "zorglubine"),
    ]
    path.write_text("\n".join(rows), "utf-8")
    return path


def test_for_whom_an_edition_changes(editions, population):
    ran = editions("diff", "2018-05", "2020-10", "--population", str(population), "--on", "2026-11-24", "--json")
    assert ran.code == 0
    found = ran.json["population"]
    assert (found["records"], found["concerned"], found["on"]) == (3, 1, "2026-11-24")
    assert found["changes"] == {"new": 1}
    concerned, doubt = found["people"]
    assert (concerned["record"], concerned["changes"][0]["before"]) == ("concerned", None)
    assert concerned["changes"][0]["after"]["level"] == "CI"
    assert doubt["names_not_understood"] == ["zorglubine"]


def test_for_whom_an_edition_changes_reads_on_a_terminal(editions, population):
    ran = editions("diff", "2018-05", "2020-10", "--population", str(population), "--on", "2026-11-24")
    assert "1 dossier concerné sur 3" in ran.out
    assert "– → CI/PE" in ran.out


def test_a_record_that_cannot_be_read_is_told_and_the_others_are_read(editions, population):
    population.write_text(population.read_text("utf-8") + "\n{", "utf-8")
    ran = editions("diff", "2018-05", "2020-10", "--population", str(population), "--on", "2026-11-24", "--json")
    assert ran.code == 2
    assert ran.json["population"]["records"] == 3
    assert len(ran.json["population"]["failed"]) == 1
    assert "people.ndjson" in ran.err
