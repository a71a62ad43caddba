"""What pharmacovigilance finds grave comes first among the pharmacy's cards, with its own part."""

from __future__ import annotations

import dataclasses
import datetime as dt
from pathlib import Path

import pytest

from lab39 import fhir
from lab39.core.finding import Finding, Reason, Report, Severity, Source, When
from lab39.core.lab import Lab
from lab39.core.text import Text
from lab39.settings import Settings
from lab39.solutions.pharmacy import reactions

STORY = Path(__file__).parents[3] / "examples" / "running-story.json"
ON = dt.date(2026, 11, 24)
GRAVE = Finding(
    code="reaction.severe-skin",
    severity=Severity.CRITICAL,
    summary=Text("Arrêter l'allopurinol et orienter aujourd'hui", "Stop allopurinol and refer today"),
    reasons=(Reason("signals.severe-skin", Text("a", "b"), Source("x")),),
    payload={"dispensing": "stop", "suspects": [{"name": {"fr": "allopurinol", "en": "allopurinol"}}]},
    focus=("MedicationRequest/a", "Condition/b"),
    solution="signals",
    priority=900,
)


def test_a_grave_reaction_becomes_a_card_that_carries_it():
    (card,) = reactions.told([GRAVE])
    assert card.summary == GRAVE.summary
    assert card.carries == ("signals/reaction.severe-skin",)
    assert card.solution == ""
    assert card.order < GRAVE.order
    assert card.reasons[-1].rule == "pharmacy.reaction"
    assert card.reasons[-1].inputs[0].value == GRAVE.summary
    assert any(s.label.fr.startswith("Ne plus délivrer\u202f: allopurinol") for s in card.suggestions)


@pytest.mark.parametrize(
    "other",
    [
        dataclasses.replace(GRAVE, severity=Severity.WARNING),
        dataclasses.replace(GRAVE, code="new-medicines"),
    ],
    ids=["not critical", "not a reaction"],
)
def test_what_can_wait_stays_with_pharmacovigilance(other: Finding):
    assert list(reactions.told([other])) == []


def test_when_it_cannot_be_asked_the_pharmacy_says_the_rest():
    assert list(reactions.told(None)) == []


def test_about_an_order_only_what_concerns_it():
    assert list(reactions.told([GRAVE], frozenset({"MedicationRequest/z"}))) == []
    assert len(list(reactions.told([GRAVE], frozenset({"MedicationRequest/a"})))) == 1


def test_another_payload_is_no_error():
    (card,) = reactions.told([dataclasses.replace(GRAVE, payload=None)])
    assert any("le médicament suspect" in s.label.fr for s in card.suggestions)


def test_what_a_physician_decides_on_is_not_withheld_at_the_counter():
    decided = {"dispensing": "ask", "suspects": [{"name": {"fr": "insuline glargine", "en": "insulin glargine"}}]}
    (card,) = reactions.told([dataclasses.replace(GRAVE, code="reaction.hypoglycaemia", payload=decided)])
    steps = [s.label.fr for s in card.suggestions]
    assert not any("Ne plus délivrer" in step for step in steps)
    assert any("se décide avec lui (insuline glargine)" in step for step in steps)


def test_what_is_suspended_is_not_dispensed_before_advice():
    held = {"dispensing": "hold", "suspects": [{"name": {"fr": "clozapine", "en": "clozapine"}}]}
    (card,) = reactions.told([dataclasses.replace(GRAVE, payload=held)])
    assert any(
        s.label.fr.startswith("Ne pas délivrer avant l'avis du médecin\u202f: clozapine") for s in card.suggestions
    )


# -- the running story ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def report() -> Report:
    record = fhir.load(STORY)
    return Lab.discover(Settings.from_env(), only=("pharmacy", "signals", "vaccination")).assess(record, ON)


def test_the_first_card_of_the_whole_report_is_to_stop_allopurinol_under_both_names(report: Report):
    first = report.band(When.TODAY)[0]
    assert first.severity is Severity.CRITICAL
    assert first.summary.fr.startswith("Arrêter l'allopurinol et orienter aujourd'hui")
    assert report.who(first) == Text("Pharmacie · Pharmacovigilance", "Pharmacy · Pharmacovigilance")


def test_people_see_it_once_and_programs_see_both(report: Report):
    shown = [f for f in report.told if f.code == "reaction.severe-skin"]
    kept = [f for f in report.findings if f.code == "reaction.severe-skin"]
    assert [f.solution for f in shown] == ["pharmacy"]
    assert {f.solution for f in kept} == {"pharmacy", "signals"}


def test_the_page_is_in_the_order_of_clinical_truth(report: Report):
    today = [f.code for f in report.band(When.TODAY)]
    assert today[:2] == ["reaction.severe-skin", "interaction.bleeding"]
    week = [f.code for f in report.band(When.THIS_WEEK)]
    assert {"reaction.falls", "reaction.hyponatraemia"} <= set(week)


def test_the_same_card_stands_alone_when_the_pharmacy_is_not_asked():
    lab = Lab.discover(Settings.from_env(), only=("signals",))
    first = lab.assess(fhir.load(STORY), ON).band(When.TODAY)[0]
    assert (first.solution, first.code) == ("signals", "reaction.severe-skin")
