"""The report of an adverse event on paper: what was typed, what is missing, where to send it.

Set by Typst with the fonts it carries: no system font, no network, the same bytes for the same report and day.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from importlib import resources
from typing import Any

from lab39.core.dates import PartialDate
from lab39.core.text import Lang, Text, date, number
from lab39.solutions.signals import telling
from lab39.solutions.signals.readers.model import Case
from lab39.solutions.signals.report_form import TICKED, Lack, knowledge

REPORTERS: Mapping[str, Text] = {
    "physician": Text("médecin", "physician"),
    "pharmacist": Text("pharmacien", "pharmacist"),
    "health-professional": Text("autre professionnel de santé", "other health professional"),
    "consumer": Text("patient ou proche", "patient or relative"),
}
ACTIONS: Mapping[str, Text] = {
    "withdrawn": Text("arrêté", "withdrawn"),
    "dose-reduced": Text("dose diminuée", "dose reduced"),
    "dose-increased": Text("dose augmentée", "dose increased"),
    "not-changed": Text("inchangé", "not changed"),
    "unknown": Text("inconnu", "unknown"),
    "not-applicable": Text("sans objet", "not applicable"),
}
ROLES: Mapping[str, Text] = {
    "S": Text("suspect", "suspect"),
    "I": Text("suspect d'interaction", "suspected of interacting"),
    "C": Text("pris aussi", "also taken"),
}
SEXES: Mapping[str, Text] = {"F": Text("femme", "female"), "M": Text("homme", "male")}
_LABELS: Mapping[str, Text] = {
    "title": Text("Notification d'un effet indésirable", "Report of a suspected adverse reaction"),
    "colon": Text("\u202f:", ":"),
    "number": Text("Numéro", "Number"),
    "person": Text("Personne", "Person"),
    "history": Text("Antécédents", "History"),
    "drugs": Text("Médicaments", "Drugs"),
    "drug": Text("Nom, rôle", "Name, role"),
    "dose": Text("Dose, voie", "Dose, route"),
    "dates": Text("Du, au", "From, to"),
    "why": Text("Pour, lot", "For, batch"),
    "action": Text("Conduite", "Action"),
    "reactions": Text("Effets", "Reactions"),
    "reaction": Text("Effet", "Reaction"),
    "outcome": Text("Évolution", "Outcome"),
    "serious": Text("Gravité", "Seriousness"),
    "narrative": Text("Récit", "Account"),
    "reporter": Text("Notificateur", "Reporter"),
    "missing": Text("À compléter", "To be completed"),
    "send": Text("À transmettre", "To be sent"),
    "made": Text("Établi le", "Made on"),
    "signature": Text(
        "Nom, coordonnées, date, signature du notificateur", "Name, contact, date, signature of the reporter"
    ),
    "notice": Text(
        "Cette feuille n'a été envoyée à personne. Elle ne porte pas l'identité du patient\u202f: l'ajouter au "
        "moment de l'envoi, comme le centre la demande (initiales, date de naissance).",
        "This sheet was sent to nobody. It does not bear the identity of the patient: add it when sending, as the "
        "centre asks for it (initials, date of birth).",
    ),
}
_NOT_TOLD = Text("non renseigné", "not told")


def values(case: Case, lacks: tuple[Lack, ...], on: dt.date, lang: Lang) -> dict[str, Any]:
    """What is printed, in plain values."""
    report, known = case.report, knowledge()

    def word(words: Mapping[str, Text], name: str | None) -> str:
        return words[name][lang] if name is not None and name in words else ""

    person = [
        f"{number(report.age_years, lang)} {'ans' if lang == 'fr' else 'years'}"
        if report.age_years is not None
        else "",
        word(SEXES, report.sex),
        f"{number(report.weight_kg, lang)}\u202fkg" if report.weight_kg is not None else "",
        report.country or "",
    ]
    grave = [telling.CRITERIA[name][lang] for name in TICKED if getattr(report, name)]
    said = {True: Text("grave", "serious"), False: Text("non grave", "not serious"), None: _NOT_TOLD}[
        report.serious
    ]
    return {
        "lang": lang,
        "labels": {name: text[lang] for name, text in _LABELS.items()},
        "number": report.report_id,
        "person": ", ".join(filter(None, person)) or _NOT_TOLD[lang],
        "history": report.history or _NOT_TOLD[lang],
        "drugs": [
            [
                _joined(each.drug, word(ROLES, each.role)),
                _joined(each.dose, each.route),
                _span(each.start_date, each.end_date, lang),
                _joined(each.indication, each.lot),
                word(ACTIONS, each.action),
            ]
            for each in case.drugs
        ],
        "reactions": [
            [
                _joined(each.event, each.code),
                _span(each.onset, each.end_date, lang),
                telling.OUTCOMES[each.outcome][lang] if each.outcome else "",
            ]
            for each in case.events
        ],
        "serious": _joined(said[lang], ", ".join(grave)),
        "narrative": report.narrative or _NOT_TOLD[lang],
        "reporter": _joined(word(REPORTERS, report.reporter) or _NOT_TOLD[lang], report.sender),
        "missing": [each.asks[lang] for each in lacks],
        "send": Text(
            f"En ligne, {known['portal']['url']}, ou au centre régional de pharmacovigilance dont dépend la "
            f"personne, {known['centre']['url']}",
            f"In France online, {known['portal']['url']}, or to the regional pharmacovigilance centre, "
            f"{known['centre']['url']}",
        )[lang],
        "on": date(on, lang),
        "year": on.year,
        "month": on.month,
        "day": on.day,
    }


def pdf(case: Case, lacks: tuple[Lack, ...], on: dt.date, lang: Lang) -> bytes:
    """The sheet as PDF, tagged for screen readers."""
    import typst

    template = (resources.files(__package__) / "templates" / "report.typ").read_bytes()
    made: bytes = typst.compile(
        template,
        format="pdf",
        sys_inputs={"values": json.dumps(values(case, lacks, on, lang), ensure_ascii=False)},
        ignore_system_fonts=True,
        timestamp=int(dt.datetime.combine(on, dt.time(), dt.UTC).timestamp()),
    )
    return made


def _joined(*words: str | None) -> str:
    return ", ".join(each for each in words if each)


def _span(first: str | None, last: str | None, lang: Lang) -> str:
    shown = [PartialDate.parse(each).say(lang) if each else "" for each in (first, last)]
    return " – ".join(shown).strip(" –") if last else shown[0]
