"""What the tests of the doors for systems share: small records, a solution about orders, tokens."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

from starlette.testclient import TestClient
from tests.cli.solutions_for_tests import SOURCE, Calm
from tests.web.people import house_of, new_person

from lab39.core.finding import Bar, Confidence, Finding, Input, Missing, Reason, Severity, Suggestion
from lab39.core.lab import Lab
from lab39.core.text import Text
from lab39.settings import Settings
from lab39.store import tokens

DAY = "2026-11-24"
FHIR = {"content-type": "application/fhir+json"}
JSON = {"content-type": "application/json"}
PATIENT: dict[str, Any] = {"resourceType": "Patient", "id": "p1", "birthDate": "1944-03-02", "gender": "female"}


def bundle(*resources: Mapping[str, Any]) -> dict[str, Any]:
    """A record of these resources, with the patient."""
    entries = [{"resource": raw} for raw in (PATIENT, *resources)]
    return {"resourceType": "Bundle", "type": "collection", "entry": entries}


def order(name: str, text: str, status: str = "active") -> dict[str, Any]:
    """An order for a medicine."""
    return {
        "resourceType": "MedicationRequest",
        "id": name,
        "status": status,
        "intent": "order",
        "medicationCodeableConcept": {"text": text},
        "subject": {"reference": "Patient/p1"},
    }


class Duplicates(Calm):
    """Says which medicine is ordered twice, and how to mend it."""

    id = "duplicates"
    title = Text("Doublons", "Duplicates")

    def assess(self, record, on, ctx):
        seen: dict[str, str] = {}
        for entry in record.medications():
            text = entry.concept.text
            if entry.current and text in seen:
                stop = {**entry.raw, "status": "stopped"}
                rest = {**order("", "Repos"), "dispenseRequest": {"quantity": {"value": 7}}}
                del rest["id"]
                yield Finding(
                    code="twice",
                    severity=Severity.CRITICAL,
                    summary=Text(f"{text} est prescrit deux fois", f"{text} is prescribed twice"),
                    detail=Text("<b>Deux</b> lignes *identiques*", "<b>Two</b> *equal* lines"),
                    reasons=(
                        Reason(
                            "duplicates.twice",
                            Text("même nom", "same name"),
                            SOURCE,
                            (
                                Input(
                                    Text("ligne", "line"),
                                    Text.same(f"[{text}](https://evil.example)"),
                                    DAY,
                                    entry.ref,
                                ),
                            ),
                        ),
                    ),
                    suggestions=(
                        Suggestion(Text("Arrêter la seconde", "Stop the second"), stop),
                        Suggestion(Text("Prescrire du repos", "Order rest"), rest),
                        Suggestion(Text("En parler", "Talk about it")),
                    ),
                    missing=(
                        Missing("29463-7", Text("poids", "weight"), Text("dose inconnue", "dose unknown"), "kg"),
                    ),
                    confidence=Confidence(0.9, Text("probabilité d'un doublon", "probability of a duplicate")),
                    bars=(Bar(Text("doublon", "duplicate"), 0.9),),
                    focus=(entry.ref,),
                )
            elif entry.current:
                seen[text] = entry.ref


class Invalid(Calm):
    """Suggests something that is not valid FHIR, and says something that is not JSON's."""

    id = "invalid"

    def assess(self, record, on, ctx) -> Iterable[Finding]:
        yield Finding(
            code="bad",
            severity=Severity.WARNING,
            summary=Text("À revoir", "To be seen again"),
            reasons=(Reason("invalid.bad", Text("règle", "rule"), SOURCE),),
            suggestions=(Suggestion(Text("Faire", "Do"), {"resourceType": "MedicationRequest", "status": 3}),),
        )


def lab(*classes: type[Calm]) -> Lab:
    """A lab of these solutions."""
    return Lab([each() for each in classes], Settings())


def with_token(client: TestClient, *roles: str, days: int = 30) -> dict[str, str]:
    """The headers of a program that acts for a new person with these roles."""
    here = house_of(client)
    person = new_person(client, *roles)
    with here.store.writing() as tx:
        _, secret = tokens.add(tx, person.id, name="program", lasts=dt.timedelta(days=days), at=here.now())
    return {"authorization": f"Bearer {secret}"}
