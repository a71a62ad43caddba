"""The few words that every rendering of a report shares."""

from __future__ import annotations

from lab39.core.finding import Severity, When
from lab39.core.text import Text
from lab39.fhir.outputs import DISCLAIMER

__all__ = ["BANDS", "COLON", "DISCLAIMER", "MARKS", "SEVERITIES", "WORDS"]

BANDS = {
    When.TODAY: Text("Aujourd'hui", "Today"),
    When.THIS_WEEK: Text("Cette semaine", "This week"),
    When.NEXT_VISIT: Text("À la prochaine visite", "At the next visit"),
}
SEVERITIES = {
    Severity.CRITICAL: Text("critique", "critical"),
    Severity.WARNING: Text("attention", "warning"),
    Severity.INFO: Text("information", "information"),
}
MARKS = {Severity.CRITICAL: "■", Severity.WARNING: "▲", Severity.INFO: "●"}

WORDS = {
    "report": Text("Rapport du", "Report of"),
    "people": Text("Personnes", "People"),
    "why": Text("Pourquoi ?", "Why?"),
    "not_evaluated": Text("Non évalué, faute de données", "Not evaluated, data absent"),
    "nothing": Text(
        "Rien à signaler par les solutions installées.", "Nothing to report by the installed solutions."
    ),
    "issues": Text("Ce qui n'a pas pu être lu", "What could not be read"),
    "failed": Text("Dossiers refusés", "Records refused"),
    "record": Text("Le dossier en bref", "The record in short"),
    "medicines": Text("Traitement", "Treatment"),
    "conditions": Text("Antécédents et maladies", "Conditions"),
    "allergies": Text("Allergies", "Allergies"),
    "absent": Text("Ce qui manque", "What is missing"),
    "inputs": Text("Données utilisées", "Data used"),
    "source": Text("Source", "Source"),
    "unverified": Text("source non ouverte : aucun conseil", "source not opened: no advice"),
    "confidence": Text("Confiance", "Confidence"),
    "missing": Text("Ce qui le préciserait", "What would settle it"),
    "fictional": Text("dossier fictif", "fictional record"),
    "evidence": Text("Ce que valent les solutions", "What the solutions are worth"),
    "limits": Text("Limites", "Limits"),
    "use": Text("Usage prévu", "Intended use"),
    "published": Text("Chiffres publiés, non mesurés ici", "Published figures, not measured here"),
    "command": Text("Pour reproduire", "To reproduce"),
    "measured": Text("Mesuré", "Measured"),
    "synthetic": Text("synthétique", "synthetic"),
    "lower": Text("plus bas est mieux", "lower is better"),
    "versions": Text("Versions", "Versions"),
    "no_figures": Text("Aucun chiffre mesuré.", "No measured figure."),
    "to_fill": Text("à renseigner", "to fill in"),
    "top": Text("Retour à la liste", "Back to the list"),
}

COLON = Text("\u202f: ", ": ")
