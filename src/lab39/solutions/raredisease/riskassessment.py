"""A differential as a FHIR R4 ``RiskAssessment``: one prediction a candidate, and one for "none of these".

R4 writes a decimal probability as a percentage (RiskAssessment.prediction.probability[x]: "Decimal values are
expressed as percentages as well (max = 100)", http://hl7.org/fhir/R4/riskassessment.html; invariant ras-2).
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from lab39.core import terms
from lab39.core.finding import Finding
from lab39.core.text import Text
from lab39.solutions.raredisease.findings import NONE_OF_THESE
from lab39.solutions.raredisease.model import RankedDisease, Ranking

_RISK = "http://terminology.hl7.org/CodeSystem/risk-probability"
_SYSTEMS = {"OMIM": terms.OMIM, "ORPHA": terms.ORPHA}
_NOTE = Text(
    "Aide à la décision pour des utilisateurs formés\u202f; n'est pas un dispositif médical. Probabilités selon un "
    "modèle qui ne connaît que les signes codés.",
    "Decision support for trained users; not a medical device. Probabilities under a model that knows only the "
    "coded signs.",
)


def risk_assessment(finding: Finding, ranking: Ranking, subject: str) -> Mapping[str, Any]:
    """The resource, in French as the lab's own renderings default to."""
    versions = ", ".join(f"{name} {version}" for name, version in sorted(ranking.versions.items()))
    resource: dict[str, Any] = {
        "resourceType": "RiskAssessment",
        "status": "preliminary",
        "language": "fr",
        "method": {"text": f"Lab39 raredisease, rapport de vraisemblance ({versions})"},
        "code": {"text": finding.summary.fr},
        "subject": {"reference": subject},
        "prediction": [
            *(_prediction(_disease(d), d.posterior) for d in ranking.candidates),
            _prediction({"text": NONE_OF_THESE.fr}, ranking.p_background),
        ],
        "note": [{"text": _NOTE.fr}],
    }
    if basis := [{"reference": ref} for ref in finding.focus if not ref.startswith("#")]:
        resource["basis"] = basis
    if finding.suggestions:
        resource["mitigation"] = finding.suggestions[0].label.fr
    return resource


def qualitative(probability: float) -> str:
    """The code of HL7's ``risk-probability`` whose definition fits: "high" is "more likely to occur than not"."""
    if probability > 0.5:
        return "high"
    if probability >= 0.1:
        return "moderate"
    return "low" if probability >= 0.01 else "negligible"


def _disease(disease: RankedDisease) -> Mapping[str, Any]:
    prefix, _, code = disease.id.partition(":")
    coding = {"system": _SYSTEMS[prefix], "code": code, "display": disease.name} if prefix in _SYSTEMS else None
    return {"coding": [coding], "text": disease.name} if coding else {"text": f"{disease.name} ({disease.id})"}


def _prediction(outcome: Mapping[str, Any], probability: float) -> Mapping[str, Any]:
    return {
        "outcome": outcome,
        "probabilityDecimal": round(Decimal(probability * 100), 4),
        "qualitativeRisk": {"coding": [{"system": _RISK, "code": qualitative(probability)}]},
    }
