"""What to mind when giving a vaccine: a bleeding risk read here and asked elsewhere; a fever is in test_illness."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import Any

import pytest

from lab39 import fhir
from lab39.core.finding import Finding, Reason, Severity, Source
from lab39.core.lab import Lab
from lab39.core.record import Record
from lab39.core.text import Text
from lab39.fhir import examples
from lab39.settings import Settings
from lab39.solutions.vaccination import advice
from lab39.solutions.vaccination.france import open_france
from lab39.solutions.vaccination.solution import Vaccination

ON = dt.date(2026, 11, 24)
BLEEDING = Finding(
    code="interaction.bleeding",
    severity=Severity.INFO,
    summary=Text("saignement", "bleeding"),
    reasons=(Reason("pharmacy.x", Text("x", "x"), Source("x")),),
)
RULES = ("vaccination.precaution.acute-illness", "vaccination.precaution.bleeding")


@dataclass
class Around:
    """A lab around vaccination: what the pharmacy answers, and whether it was asked."""

    packs: Any
    answer: tuple[Finding, ...] | None
    asked: list[str]
    about: frozenset[str] = frozenset()

    def ask(self, solution: str, record: Record, on: dt.date) -> tuple[Finding, ...] | None:
        self.asked.append(solution)
        return self.answer


def record(*rows: dict[str, Any]) -> Record:
    person = {"resourceType": "Patient", "birthDate": "1944-03-02", "gender": "female"}
    read = fhir.record(
        {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": each} for each in (person, *rows)]}
    )
    assert read is not None
    return read


def taking(atc: str) -> dict[str, Any]:
    coded = {"coding": [{"system": "http://www.whocc.no/atc", "code": atc}], "text": atc}
    return {"resourceType": "MedicationStatement", "status": "active", "medicationCodeableConcept": coded}


def due(written: Record, answer: tuple[Finding, ...] | None) -> tuple[Finding, list[str]]:
    around = Around(Lab.discover(Settings()).packs, answer, [])
    (found,) = [each for each in Vaccination().assess(written, ON, around) if each.code == "due"]
    return found, around.asked


def rules(found: Finding) -> list[str]:
    return [each.rule for each in found.reasons if each.rule in RULES]


def test_a_bleeding_risk_that_the_pharmacy_finds_is_used_with_its_words():
    found, asked = due(record(taking("M01AE01")), (BLEEDING,))
    assert asked == ["pharmacy"]
    (reason,) = [each for each in found.reasons if each.rule == RULES[1]]
    assert "compression prolongée" in reason.text.fr
    assert [each.value.fr for each in reason.inputs] == ["saignement"]
    assert reason.source.document.startswith("InfoVac")


def test_an_anticoagulant_is_read_without_the_pharmacy():
    found, _asked = due(record(taking("B01AF02")), None)
    assert rules(found) == [RULES[1]]
    assert "pharmacy" not in [each.code for each in found.missing]


def test_when_the_pharmacy_cannot_tell_that_is_said():
    found, _asked = due(record(taking("M01AE01")), None)
    assert rules(found) == []
    assert "pharmacy" in [each.code for each in found.missing]


def test_nobody_is_asked_about_somebody_without_a_treatment():
    found, asked = due(record(), None)
    assert asked == []
    assert rules(found) == []
    assert "pharmacy" not in [each.code for each in found.missing]


@pytest.mark.parametrize(("onset", "told"), [("2026-11-22", True), ("2025-11-22", False)])
def test_a_fever_of_these_days_asks_to_wait(onset: str, told: bool):
    fever = {
        "resourceType": "Condition",
        "clinicalStatus": {"coding": [{"code": "active"}]},
        "code": {"coding": [{"system": "http://snomed.info/sct", "code": "386661006"}], "text": "Fièvre"},
        "onsetDateTime": onset,
    }
    found, _asked = due(record(fever), ())
    assert (rules(found) == [RULES[0]]) is told


def test_a_schedule_without_these_rules_says_nothing():
    french, written = open_france(), record(taking("B01AF02"))
    assert len(advice.advice(written, french, ON, ())) == 1
    assert advice.advice(written, replace(french, rules={}), ON, (BLEEDING,)) == ()


def test_on_the_running_story_the_pharmacy_and_the_fever_are_heard():
    report = Lab.discover(Settings.from_env()).assess(examples.example("running-story").record, ON)
    (found,) = [each for each in report.findings if each.code == "due"]
    assert rules(found) == list(RULES)
    names = [each.name.fr for reason in found.reasons if reason.rule == RULES[1] for each in reason.inputs]
    assert names == ["médicament", "d'après la pharmacie"]
    groups = [row["group"] for row in found.payload["groups"]]
    assert {"INFLUENZA", "COVID", "PNEUMO", "ZOSTER", "RSV", "dTcaPolio"} <= set(groups)
