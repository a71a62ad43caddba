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
from lab39.core.text import Lang, Text
from lab39.fhir.outputs import DISCLAIMER
from lab39.solutions.raredisease.findings import NONE_OF_THESE
from lab39.solutions.raredisease.model import RankedDisease, Ranking

_RISK = "http://terminology.hl7.org/CodeSystem/risk-probability"
_SYSTEMS = {"OMIM": terms.OMIM, "ORPHA": terms.ORPHA}
_METHOD = Text("rapport de vraisemblance", "likelihood ratio")
_NOTE = Text(
    "Probabilités selon un modèle qui ne connaît que les signes codés et tient toutes les maladies pour également "
    "fréquentes.",
    "Probabilities under a model that knows only the coded signs and takes all diseases to be equally common.",
)


def risk_assessment(finding: Finding, ranking: Ranking, subject: str, lang: Lang) -> Mapping[str, Any]:
    """The resource in one language; names of diseases are those of the annotations, in English."""
    versions = ", ".join(f"{name} {version}" for name, version in sorted(ranking.versions.items()))
    resource: dict[str, Any] = {
        "resourceType": "RiskAssessment",
        "status": "preliminary",
        "language": lang,
        "method": {"text": f"Lab39 raredisease, {_METHOD[lang]} ({versions})"},
        "code": {"text": finding.summary[lang]},
        "subject": {"reference": subject},
        "prediction": [
            *(_prediction(_disease(d), d.posterior) for d in ranking.candidates),
            _prediction({"text": NONE_OF_THESE[lang]}, ranking.p_background),
        ],
        "note": [{"text": f"{DISCLAIMER[lang]} {_NOTE[lang]}"}],
    }
    if basis := [{"reference": ref} for ref in finding.focus if not ref.startswith("#")]:
        resource["basis"] = basis
    if finding.suggestions:
        resource["mitigation"] = finding.suggestions[0].label[lang]
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
