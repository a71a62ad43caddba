"""``lab39 vaccination plan | what-if | remind | certificate | lot | coverage`` on a command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import icalendar
import pytest
from tests.cli.conftest import run
from tests.conftest import ROOT
from tests.solutions.vaccination.records import NUVA, PERSON, bundle, immunization

__all__ = ["run"]

INFANT = ROOT / "examples" / "infant-late-vaccines.json"
FRANCE = ("--schedule", "france", "--on", "2026-11-26")


@pytest.fixture
def population(tmp_path: Path) -> Path:
    path = tmp_path / "people.ndjson"
    given = immunization("2025-03-31", "VAC0510", NUVA, id="d1", patient={}, lotNumber="ab 12")
    near = immunization("2025-03-31", "VAC0510", NUVA, id="d2", patient={}, lotNumber="AB-12X")
    rows = [
        bundle(given, person=PERSON | {"id": "one"}),
        bundle(near, person=PERSON | {"id": "two"}),
        bundle(person=PERSON | {"id": "none"}),
    ]
    path.write_text("\n".join([*map(json.dumps, rows), "{"]) + "\n", "utf-8")
    return path


def test_plan_tells_visits_and_their_alternatives(run: Any) -> None:
    ran = run("vaccination", "plan", INFANT, *FRANCE, "--all", "--json")
    assert ran.code == 0, ran.err
    found = ran.json
    assert found["goal"] == "visits"
    assert found["visits"][0]["date"] == "2026-11-26"
    assert found["injections"] == sum(len(each["doses"]) for each in found["visits"])
    assert all(len(each["visits"]) >= len(found["visits"]) for each in found["alternatives"])
    assert "visites" in run("vaccination", "plan", INFANT, *FRANCE).out


@pytest.mark.parametrize("named", ["VAC0495", "Bexsero", "bexsero"])
def test_what_if_takes_a_code_or_a_french_name(run: Any, named: str) -> None:
    found = run("vaccination", "what-if", INFANT, *FRANCE, "--vaccine", named, "--json").json
    assert found["code"] == "VAC0495"
    assert found["counts"] is True
    assert [each["group"] for each in found["changes"]] == ["MenB"]
    assert "→" in run("vaccination", "what-if", INFANT, *FRANCE, "--vaccine", named).out


@pytest.mark.parametrize(("named", "said"), [("Engerix B", "Engerix B 10"), ("aspirine", "inconnu")])
def test_what_if_of_an_uncertain_vaccine_is_refused_with_the_choice(run: Any, named: str, said: str) -> None:
    ran = run("vaccination", "what-if", INFANT, *FRANCE, "--vaccine", named)
    assert ran.code == 2
    assert said in ran.err


def test_remind_writes_a_calendar_without_a_name(run: Any, tmp_path: Path) -> None:
    out = tmp_path / "next.ics"
    ran = run("vaccination", "remind", INFANT, *FRANCE, "--out", out, "--json")
    assert ran.code == 0, ran.err
    events = icalendar.Calendar.from_ical(out.read_bytes()).walk("VEVENT")
    assert [str(each["UID"]) for each in events] == [each["uid"] for each in ran.json["events"]]
    assert "FICTIF" not in out.read_text("utf-8")
    assert run("vaccination", "remind", INFANT, *FRANCE).out.startswith("BEGIN:VCALENDAR")


def test_certificate_writes_a_pdf_or_asks_where(run: Any, tmp_path: Path) -> None:
    out = tmp_path / "record.pdf"
    ran = run("vaccination", "certificate", INFANT, *FRANCE, "--out", out, "--language", "fr", "--json")
    assert ran.code == 0, ran.err
    assert out.read_bytes().startswith(b"%PDF")
    assert len(ran.json["given"]) == 3
    refused = run("vaccination", "certificate", INFANT, *FRANCE)
    assert refused.code == 2
    assert "--out" in refused.err


def test_lot_tells_who_received_it_and_what_to_check(run: Any, population: Path) -> None:
    ran = run("vaccination", "lot", "AB12", population, "--json")
    assert ran.code == 2, "a line that cannot be read is told"
    found = ran.json
    assert [each["record"] for each in found["found"]] == ["one"]
    assert [(each["record"], each["near"]) for each in found["near"]] == [("two", "longer")]
    assert found["unreadable"] == 1
    assert "À vérifier" in run("vaccination", "lot", "AB12", population).out
    assert run("vaccination", "lot", "AB12", population, "--since", "2026-01-01", "--json").json["doses"] == 0


def test_coverage_counts_and_writes_the_list_to_call_back(run: Any, population: Path, tmp_path: Path) -> None:
    late = tmp_path / "late.csv"
    ran = run("vaccination", "coverage", population, *FRANCE, "--late", late, "--json")
    found = ran.json
    assert (found["n"], found["unread"], found["unreadable"]) == (3, 0, 1)
    assert {each["record"] for each in found["late"]} == {"one", "two", "none"}
    assert late.read_text("utf-8-sig").splitlines()[0].startswith("dossier;naissance;vaccin")
    assert len(late.read_text("utf-8-sig").splitlines()) == 1 + len(found["late"])
    assert "3 dossiers" in run("vaccination", "coverage", population, *FRANCE).out


def test_coverage_of_an_unknown_group_names_those_that_are_known(run: Any, population: Path) -> None:
    ran = run("vaccination", "coverage", population, *FRANCE, "--group", "XYZ")
    assert ran.code == 2
    assert "MenB" in ran.err


def in_the_lab(tmp_path: Path, **lots: str) -> dict[str, str]:
    """Records of two accounts, by title: each with one dose of a lot. Their ids."""
    from lab39.settings import Settings
    from lab39.store import Store, people, records
    from lab39.store.people import Role

    store = Store.of(Settings(home=tmp_path / "home"))
    ids = {}
    with store.writing() as tx:
        for owner in ("ana", "bruno"):
            made = people.add(
                tx, name=owner, email=f"{owner}@example.org", at=store.clock(), given=[Role.PROFESSIONAL]
            )
            for title, lot in lots.items():
                if title.startswith(owner):
                    dose = immunization("2026-03-01", "VAC0029", NUVA, id="d", lotNumber=lot, patient={})
                    document = json.dumps(bundle(dose, person=PERSON | {"id": title}))
                    ids[title] = records.add(tx, document, owner=made.id, at=store.clock(), title=title).id
    store.close()
    return ids


def test_the_lots_of_the_lab_are_those_of_the_records_an_account_may_see(run: Any, tmp_path: Path) -> None:
    from lab39.settings import Settings
    from lab39.store import Store, audit

    assert run("db", "migrate").code == 0
    ids = in_the_lab(tmp_path, ana_1="AB120", ana_2="ab-12O", bruno_1="AB120")
    ran = run("vaccination", "lot", "ab 120", "--as", "ana@example.org", "--json")
    assert ran.code == 0, ran.err
    said = ran.json
    assert [(each["record"], each["name"]) for each in said["found"]] == [(ids["ana_1"], "ana_1")]
    assert [each["record"] for each in said["near"]] == [ids["ana_2"]]
    assert (said["records"], said["doses"], said["unreadable"]) == (2, 2, 0)
    store = Store.of(Settings(home=tmp_path / "home"))
    with store.reading() as tx:
        entries = list(audit.entries(tx))
    store.close()
    asked = [each for each in entries if each.action == "vaccination.lot-looked-up"]
    assert len(asked) == 1
    assert asked[0].actor
    assert {each.subject for each in entries if each.action == "access"} == {ids["ana_1"], ids["ana_2"]}


def test_a_lot_of_the_lab_keeps_to_the_days_asked(run: Any, tmp_path: Path) -> None:
    assert run("db", "migrate").code == 0
    in_the_lab(tmp_path, ana_1="AB120")
    ran = run("vaccination", "lot", "AB120", "--as", "ana@example.org", "--since", "2026-03-02", "--json")
    assert (ran.json["found"], ran.json["doses"]) == ([], 0)


def test_a_lot_says_where_to_look(run: Any, tmp_path: Path) -> None:
    neither = run("vaccination", "lot", "AB120")
    assert neither.code == 2
    assert "--as" in neither.err
    both = run("vaccination", "lot", "AB120", tmp_path / "people.ndjson", "--as", "ana@example.org")
    assert both.code == 2
    assert run("db", "migrate").code == 0
    assert run("vaccination", "lot", "AB120", "--as", "nobody@example.org").code == 2
