"""What the pharmacist asks at the desk, filled in where it is asked: a yes or no about the person, a dose."""

from __future__ import annotations

import json
import re
from html import unescape
from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.solutions.pharmacy.treatments import medicine
from tests.web.desks import bring, bundle, document, last
from tests.web.people import signed_in

from lab39.core.finding import Finding, Missing, Severity
from lab39.core.lab import Lab
from lab39.core.solution import Solution
from lab39.core.terms import Coding
from lab39.core.text import Text
from lab39.solutions.pharmacy import facts
from lab39.solutions.pharmacy.terms import FACT

ULCER = "peptic-ulcer-history"


class Asking(Solution):
    """Asks for an ulcer and for a dose until the record tells."""

    id = "asking"
    title = Text("Questions", "Questions")
    purpose = Text("Pose des questions", "Asks questions")
    version = "1"

    def assess(self, record, on, ctx):
        told = facts.person(record, on).facts
        if ULCER not in told:
            why = Text("le niveau en dépend", "the level depends on it")
            yield _asks(Missing(f"fact:{ULCER}", Text("ulcère", "ulcer"), why, condition=Coding(FACT, ULCER)))
        if not record.medications()[0].dosages:
            ref = record.medications()[0].ref
            yield _asks(Missing("dose-per-day:x", Text("dose", "dose"), Text("inconnue", "unknown"), medicine=ref))


def _asks(missing: Missing) -> Finding:
    name = missing.name
    return Finding(code=f"asks-{name.en}", severity=Severity.INFO, summary=name, missing=(missing,))


@pytest.fixture
def client(open_lab, settings) -> TestClient:
    opened: TestClient = open_lab(lab=Lab([Asking()], settings))
    signed_in(opened, "professional")
    return opened


def asked(client: TestClient, record: str) -> set[str]:
    return {f["code"] for f in json.loads(last(client, record).report)["findings"]}


def send(client: TestClient, record: str, **form: str) -> Any:
    return client.post(f"/records/{record}/answers", data={"label": "question", "version": "1", **form})


@pytest.mark.parametrize(("value", "verified"), [("present", "confirmed"), ("absent", "refuted")])
def test_a_yes_or_a_no_becomes_a_condition_and_the_question_is_not_asked_again(client, value, verified):
    record = bring(client, bundle(medicine(0, "aspirine")))
    assert asked(client, record) == {"asks-ulcer", "asks-dose"}
    page = client.get(f"/records/{record}").text
    assert re.search(r'value="present">\s*Oui', page)
    sent = send(client, record, kind="condition", code=f"{FACT}|{ULCER}", value=value, day="2026-11-20")
    assert sent.status_code in (200, 303), sent.text
    entry = document(client, record)["entry"][-1]["resource"]
    assert entry["resourceType"] == "Condition"
    assert entry["verificationStatus"]["coding"][0]["code"] == verified
    assert asked(client, record) == {"asks-dose"}


def test_a_dose_is_written_on_its_medicine(client):
    record = bring(client, bundle(medicine(0, "aspirine")))
    sent = send(client, record, kind="dosage", code="MedicationStatement/m0", value="75 mg 1 fois par jour")
    assert sent.status_code in (200, 303), sent.text
    entry = document(client, record)["entry"][-1]["resource"]
    assert entry["dosage"] == [{"text": "75 mg 1 fois par jour"}]
    assert asked(client, record) == {"asks-ulcer"}


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"kind": "dosage", "code": "MedicationStatement/m0", "value": "un peu"}, "une dose et son rythme"),
        ({"kind": "dosage", "code": "MedicationStatement/gone", "value": "75 mg"}, "n'est plus dans le dossier"),
        ({"kind": "condition", "code": f"{FACT}|{ULCER}", "value": "maybe", "day": "2026-11-20"}, "oui ou non"),
        ({"kind": "condition", "code": "javascript:alert(1)", "value": "present", "day": "2026-11-20"}, "champ"),
    ],
)
def test_what_is_no_answer_is_told_and_changes_nothing(client, form, said):
    record = bring(client, bundle(medicine(0, "aspirine")))
    before = document(client, record)
    page = client.get(f"/records/{record}").text
    found = re.search(
        rf'name="place" value="(f-asking-[^"]+)".{{1,900}}?name="kind" value="{form["kind"]}"><input type="hidden" '
        r'name="key" value="(\w+)"',
        page,
        re.DOTALL,
    )
    assert found
    answer = send(client, record, **form, place=found[1], key=found[2])
    assert answer.status_code == 422
    assert said.lower() in unescape(answer.text).lower()
    assert document(client, record) == before
