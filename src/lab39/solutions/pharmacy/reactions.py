"""What pharmacovigilance finds grave in the same record, with the pharmacy's part: dispense or not, tell.

The findings of the solution ``signals`` are asked for through the Context; those that cannot wait become the first
card of the pharmacy, which carries them: people see one card under both names.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from lab39.core.finding import Finding, Input, Reason, Severity, Source, Suggestion
from lab39.core.text import Text

ASKED = "signals"
_KIND = "reaction."


def told(others: Iterable[Finding] | None, about: frozenset[str] = frozenset()) -> Iterator[Finding]:
    """The reactions that cannot wait, as findings of the pharmacy.

    Args:
        others: findings of pharmacovigilance; ``None`` when it could not be asked (not in this lab, or failed,
            which the report tells).
        about: only what concerns one of these entries.
    """
    for each in others or ():
        grave = each.code.startswith(_KIND) and each.severity is Severity.CRITICAL
        if grave and (not about or not about.isdisjoint(each.focus)):
            yield _carried(each)


def _carried(each: Finding) -> Finding:
    dispense = Suggestion(_dispensing(each.payload))
    said = Input(Text("d'après la pharmacovigilance", "from pharmacovigilance"), each.summary)
    own = Reason(
        "pharmacy.reaction",
        Text(
            "La pharmacovigilance relie un signe d'alarme à ce traitement\u202f: cela passe en premier.",
            "Pharmacovigilance links an alarm sign with this treatment: that comes first.",
        ),
        Source("Lab39, docs/solutions/pharmacy.md", place="Réactions graves"),
        (said,),
    )
    return replace(
        each,
        solution="",
        reasons=(*each.reasons, own),
        suggestions=(*each.suggestions[:1], dispense, *each.suggestions[1:]),
        priority=each.priority + 1,
        carries=(f"{ASKED}/{each.code}",),
    )


def _dispensing(payload: Any) -> Text:
    """What to do at the counter: as the reaction says; insulin or an anticoagulant is not withheld by rule."""
    medicine = _first(payload)
    order = payload.get("dispensing") if isinstance(payload, Mapping) else None
    if order == "stop":
        return Text(
            f"Ne plus délivrer\u202f: {medicine.fr}. Prévenir le prescripteur, noter la réaction au dossier",
            f"Dispense no more: {medicine.en}. Tell the prescriber, write the reaction in the record",
        )
    if order == "hold":
        return Text(
            f"Ne pas délivrer avant l'avis du médecin\u202f: {medicine.fr}. "
            "Prévenir le prescripteur, noter la réaction au dossier",
            f"Not dispensed before a physician's advice: {medicine.en}. "
            "Tell the prescriber, write the reaction in the record",
        )
    return Text(
        f"Joindre le prescripteur aujourd'hui\u202f: poursuivre ou non se décide avec lui ({medicine.fr}). "
        "Noter la réaction au dossier",
        f"Reach the prescriber today: whether to go on is decided with them ({medicine.en}). "
        "Write the reaction in the record",
    )


def _first(payload: Any) -> Text:
    """The name of the most suspected medicine."""
    suspects = payload.get("suspects") if isinstance(payload, Mapping) else None
    if not suspects:
        return Text("le médicament suspect", "the suspected medicine")
    return Text.of(suspects[0]["name"])
