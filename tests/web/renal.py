"""A solution that needs the creatinine, for the pages of the desk."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal

from lab39.core.evidence import EvidenceCard
from lab39.core.finding import Finding, Input, Missing, Reason, Severity, Source, Suggestion
from lab39.core.lab import Lab
from lab39.core.record import Record
from lab39.core.solution import Context, Solution
from lab39.core.text import Text
from lab39.settings import Settings

CREATININE = ("14682-9", "2160-0")
SOURCE = Source("Guide for tests", "2026-01", "p. 3")
CARD = """
claim = { fr = "Dit que le rein est lent.", en = "Says that the kidney is slow." }
intended_use = { fr = "Essais.", en = "Tests." }
command = "pytest"
[[limit]]
fr = "N'existe que pour les essais."
en = "Exists for tests only."
"""


class Renal(Solution):
    """Over 150 µmol/L, halve the dose today; without a value, ask for it."""

    id = "renal"
    title = Text("Fonction rénale", "Renal function")
    purpose = Text("Adapter les doses au rein", "Adapt doses to the kidney")
    version = "1"

    def assess(self, record: Record, on: dt.date, ctx: Context) -> Iterator[Finding]:
        """One finding."""
        seen = record.latest(*CREATININE, on=on)
        if seen is None or seen.quantity is None:
            yield Finding(
                code="unknown",
                severity=Severity.INFO,
                summary=Text(
                    "Fonction rénale inconnue\u202f: renseigner la créatinine",
                    "Renal function unknown: fill in the creatinine",
                ),
                missing=(
                    Missing(
                        "14682-9",
                        Text("créatinine", "creatinine"),
                        Text("sans elle, aucune dose n'est vérifiée", "without it no dose is checked"),
                        "umol/L",
                    ),
                ),
            )
            return
        value = seen.quantity.to("umol/L", analyte="creatinine")
        slow = value > Decimal(150)
        said = Text(f"{value:.0f} µmol/L", f"{value:.0f} µmol/L")
        yield Finding(
            code="slow" if slow else "usual",
            severity=Severity.CRITICAL if slow else Severity.INFO,
            summary=Text(
                f"Créatinine {said.fr}\u202f: {'réduire la dose de moitié' if slow else 'dose usuelle'}",
                f"Creatinine {said.en}: {'halve the dose' if slow else 'usual dose'}",
            ),
            reasons=(
                Reason(
                    "renal.dose",
                    Text("Au-delà de 150 µmol/L, la dose est réduite.", "Over 150 µmol/L the dose is reduced."),
                    SOURCE,
                    (
                        Input(
                            Text("créatinine", "creatinine"), said, seen.date.written if seen.date else "", seen.ref
                        ),
                    ),
                ),
            ),
            suggestions=(Suggestion(Text("Réduire la dose", "Reduce the dose")),) if slow else (),
            missing=()
            if record.birth_date
            else (
                Missing("21112-8", Text("date de naissance", "birth date"), Text("l'âge compte", "age matters")),
            ),
            focus=(seen.ref,),
        )

    def evidence(self) -> EvidenceCard:
        """No card beside this module."""
        return EvidenceCard.from_toml(CARD)


def renal_lab(settings: Settings) -> Lab:
    """A lab with this solution only."""
    return Lab([Renal()], settings)
