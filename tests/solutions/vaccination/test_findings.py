"""What a report says of vaccines: one card for what is due, one for doses to repeat, one for what was not used."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from tests.solutions.vaccination.houses import around
from tests.solutions.vaccination.records import PERSON, immunization, record

from lab39.core.finding import Finding, Severity, When
from lab39.core.record import Record
from lab39.fhir import examples
from lab39.solutions.vaccination import findings
from lab39.solutions.vaccination.codes import NO_MAPS
from lab39.solutions.vaccination.findings import Assessed
from lab39.solutions.vaccination.model import Schedule
from lab39.solutions.vaccination.solution import Vaccination

ON = dt.date(2025, 6, 15)
"""The person of the records was born on 31 January 2025."""


def said(schedule: Schedule, known: Record, on: dt.date = ON) -> dict[str, Finding]:
    found = findings.assessed(known, schedule, on, NO_MAPS)
    assert isinstance(found, Assessed)
    return {each.code: each for each in findings.findings(found)}


def test_what_is_due_is_one_card_that_names_the_schedule_and_gives_a_reason_a_group(tiny: Schedule):
    card = said(tiny, record())["due"]
    assert card.summary.fr == "À faire maintenant (calendrier tiny)\u202f: A"
    assert card.severity is Severity.INFO
    assert [reason.rule for reason in card.reasons] == ["vaccination.tiny.a"]
    assert card.reasons[0].text.fr == "A\u202f: à faire maintenant, en retard depuis le 30/04/2025."
    assert card.reasons[0].source.date == "1"
    assert card.reasons[0].source.place == "A"
    assert card.payload["groups"][0]["recommended"] == dt.date(2025, 3, 31)


def test_who_is_overdue_is_seen_this_week_and_who_is_due_at_the_next_visit_and_nobody_is_alarmed(tiny: Schedule):
    due = said(tiny, record(), dt.date(2025, 4, 10))["due"]
    late = said(tiny, record(), ON)["due"]
    assert (due.when, late.when) == (When.NEXT_VISIT, When.THIS_WEEK)
    assert due.severity is late.severity is Severity.INFO


def test_nothing_due_says_what_comes_next_and_when(tiny: Schedule):
    card = said(tiny, record(immunization("2025-04-01")), dt.date(2025, 4, 10))
    assert "due" not in card
    assert card["up-to-date"].summary.fr == (
        "Aucun vaccin à faire aujourd'hui (calendrier tiny). Prochain\u202f: A, à partir du 31/05/2025"
    )


def test_everything_done_says_that_nothing_is_to_come(tiny: Schedule):
    card = said(tiny, record(immunization("2025-04-01"), immunization("2025-06-01")))["up-to-date"]
    assert card.summary.fr == "Aucun vaccin à faire ni à venir (calendrier tiny)"
    assert card.reasons[0].inputs


def test_no_vaccine_in_the_record_is_not_no_vaccine_given(tiny: Schedule):
    assert [each.code for each in said(tiny, record())["due"].missing] == ["immunizations"]
    assert said(tiny, record(immunization("2025-04-01")))["due"].missing == ()


def test_an_unknown_sex_is_told(tiny: Schedule):
    nobody = {key: value for key, value in PERSON.items() if key != "gender"}
    card = said(tiny, record(immunization("2025-04-01"), person=nobody))["due"]
    assert [each.code for each in card.missing] == ["gender"]


def test_a_dose_given_too_early_is_told_once_with_its_reason_in_words(tiny: Schedule):
    card = said(tiny, record(immunization("2025-02-10"), immunization("2025-02-20")))["doses-to-repeat"]
    assert card.summary.fr == ("2 doses ne comptent pas et restent à faire\u202f: A du 10/02/2025, A du 20/02/2025")
    assert len(card.reasons) == 1
    assert "901 du 10/02/2025\u202f: ne compte pas, faite trop tôt pour l'âge" in card.reasons[0].text.fr


def test_a_dose_that_did_not_count_is_forgotten_once_the_group_is_complete(tiny: Schedule):
    doses = [immunization(day) for day in ("2025-02-10", "2025-04-01", "2025-06-01")]
    assert "doses-to-repeat" not in said(tiny, record(*doses))


def test_entries_that_were_not_used_are_named_as_they_are_written(tiny: Schedule):
    partial = immunization("2025-04", "901")
    partial["vaccineCode"]["text"] = "Vaccin A"
    unknown = immunization("2025-04-01", "999")
    card = said(tiny, record(partial, unknown))["doses-not-used"]
    assert card.not_evaluated
    assert {each.name.fr for each in card.missing} == {"Vaccin A, 2025-04", "999, 2025-04-01"}
    assert all(each.consequence.fr for each in card.missing)


def test_a_group_that_an_unused_dose_may_change_says_that_it_is_to_be_checked(tiny: Schedule):
    partial = immunization("2025-04", "901")
    partial["vaccineCode"]["text"] = "Vaccin A"
    reason = said(tiny, record(partial))["due"].reasons[0]
    assert reason.text.fr.endswith("À vérifier\u202f: Vaccin A, non compté.")


# -- through the solution -------------------------------------------------------------------------------


def test_without_any_pack_the_french_schedule_speaks_and_is_not_named(tmp_path: Path):
    found = {each.code: each for each in Vaccination().assess(record(), ON, around(tmp_path))}
    assert found["due"].summary.fr.startswith("À faire maintenant\u202f: ")
    assert found["due"].payload["schedule"] == "france"


def test_without_a_whole_birth_date_it_is_asked_for(tmp_path: Path):
    here = around(tmp_path, schedule=True)
    for born in ({}, {"birthDate": "2025-01"}):
        person = {key: value for key, value in PERSON.items() if key != "birthDate"} | born
        found = tuple(Vaccination().assess(record(person=person), ON, here))
        assert [each.code for each in found] == ["birth-date-missing"]
        assert [each.code for each in found[0].missing] == ["birthDate"]


def test_orders_about_to_be_signed_bring_no_card(tmp_path: Path):
    here = around(tmp_path, schedule=True, about=frozenset({"MedicationRequest/1"}))
    assert tuple(Vaccination().assess(record(), ON, here)) == ()


# -- the running story -----------------------------------------------------------------------------------


@pytest.fixture
def madeleine() -> Record:
    return examples.example("running-story").record


def test_of_the_running_story_the_vaccines_of_her_age_are_due(cdsi: Schedule, madeleine: Record):
    card = said(cdsi, madeleine, dt.date(2026, 11, 24))["due"]
    groups = {row["group"] for row in card.payload["groups"]}
    assert {"COVID-19", "Pneumococcal", "RSV", "Zoster", "DTaP/Tdap/Td"} <= groups
    assert "(calendrier des États-Unis)" in card.summary.fr, "no reader takes it for the French one"
    assert "alarm" not in card.summary.en
    assert "zona" in card.detail.fr


def test_of_the_running_story_what_is_known_to_the_year_is_named_and_doubted(cdsi: Schedule, madeleine: Record):
    found = said(cdsi, madeleine, dt.date(2026, 11, 24))
    named = " ".join(each.name.fr for each in found["doses-not-used"].missing)
    assert "Prevenar 13" in named
    assert "Revaxis" in named
    doubted = {
        reason.text.fr.partition("\u202f")[0] for reason in found["due"].reasons if "À vérifier" in reason.text.fr
    }
    assert "Pneumocoque" in doubted


@pytest.mark.parametrize("name", list(examples.all_examples()))
def test_every_fictional_person_gets_at_most_three_cards(cdsi: Schedule, name: str):
    known = examples.example(name).record
    found = findings.assessed(known, cdsi, dt.date(2026, 11, 24), NO_MAPS)
    if isinstance(found, Assessed):
        assert 1 <= len(tuple(findings.findings(found))) <= 3


def test_of_who_has_died_nothing_is_said_and_it_is_told_why(tiny: Schedule, tmp_path: Path):
    dead = record(person=PERSON | {"deceasedBoolean": True})
    found = findings.assessed(dead, tiny, ON, NO_MAPS)
    assert not isinstance(found, Assessed)
    assert found.place == "Patient.deceasedBoolean"
    assert "personne décédée" in found.text.fr
    assert list(Vaccination().assess(dead, ON, around(tmp_path, schedule=True))) == []
