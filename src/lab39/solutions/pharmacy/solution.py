"""The pharmacist: the interactions of a treatment."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from lab39.core.datapacks import Packs
from lab39.core.finding import Finding
from lab39.core.record import Record
from lab39.core.solution import Context, Progress, Solution
from lab39.core.text import Lang, Text

if TYPE_CHECKING:
    from lab39.solutions.pharmacy.opened import Opened


class Pharmacy(Solution):
    """Understands the names of a treatment and tells its interactions, each at the level that holds."""

    id = "pharmacy"
    title = Text("Pharmacie", "Pharmacy")
    purpose = Text(
        "Comprend un traitement, cherche ses interactions, tranche leur niveau ou dit ce qui manque pour le faire",
        "Understands a treatment, looks for its interactions, settles their level or says what is missing to do so",
    )
    version = "1.0"
    for_living = True
    commands = "lab39.solutions.pharmacy.cli:app"
    pages = "lab39.solutions.pharmacy.pages:pages"

    def __init__(self) -> None:
        self._opened: Opened | None = None

    def prepare(self, packs: Packs, progress: Progress) -> None:
        """Compile the editions of the thesaurus and the catalogue of medicines, those that are installed."""
        from lab39.solutions.pharmacy import bdpm, catalogue, engine, sources

        for edition in sources.editions(packs):
            progress(f"{edition.pack.name} {edition.month}", 0.0)
            engine.open_engine(packs, edition.month)
        if packs.has(bdpm.PACK):
            progress(bdpm.PACK, 0.5)
            catalogue.catalogue_path(packs)
        progress("", 1.0)

    def assess(self, record: Record, on: dt.date, ctx: Context) -> Iterable[Finding]:
        """What cannot wait, the problems that the medicines make together, the names not understood."""
        if not record.medications():
            from lab39.solutions.pharmacy import findings

            return () if ctx.about else (findings.no_treatment(),)
        from lab39.solutions.pharmacy import reactions, review

        reviewed = review.review(record, on, self.opened(ctx.packs))
        return (
            *reactions.told(ctx.ask(reactions.ASKED, record, on), ctx.about),
            *review.findings(reviewed, about=ctx.about),
        )

    def to_fhir(self, finding: Finding, subject: str, lang: Lang) -> Mapping[str, Any] | None:
        """A ``DetectedIssue`` with the level of the thesaurus, for interactions."""
        from lab39.solutions.pharmacy.cards import Card

        if not isinstance(finding.payload, Card):
            return None
        from lab39.solutions.pharmacy.detectedissue import detected_issue

        return detected_issue(finding, finding.payload, subject, lang)

    def opened(self, packs: Packs) -> Opened:
        """The newest thesaurus and the catalogue of medicines, read once for each set of packs."""
        from lab39.solutions.pharmacy import opened

        key = opened.key(packs)
        if self._opened is None or self._opened.key != key:
            self._opened = opened.open_all(packs)
        return self._opened
