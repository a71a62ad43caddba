"""A card as a FHIR R4 ``DetectedIssue``, with the level of the thesaurus kept as a code."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lab39.core.finding import Finding
from lab39.core.text import Lang
from lab39.fhir.outputs import detected_issue as plain
from lab39.solutions.pharmacy.cards import Card
from lab39.solutions.pharmacy.model import Level
from lab39.solutions.pharmacy.sentences import LEVELS
from lab39.solutions.pharmacy.terms import LEVEL

_ACT_CODE = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
_SEVERITY = {Level.CI: "high", Level.AD: "high", Level.PE: "moderate", Level.APEC: "low"}


def detected_issue(finding: Finding, card: Card, subject: str, lang: Lang) -> Mapping[str, Any]:
    """The resource: ``DRG`` (drug interaction alert), the gravest level, what is implicated, why."""
    issue = dict(plain(finding, subject, lang))
    level = card.gravest.level
    coding = [
        {"system": _ACT_CODE, "code": "DRG", "display": "Drug Interaction Alert"},
        {"system": LEVEL, "code": level.value, "display": LEVELS[level][lang]},
        *issue["code"]["coding"],
    ]
    return issue | {"code": issue["code"] | {"coding": coding}, "severity": _SEVERITY[level]}
