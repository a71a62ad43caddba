"""Pharmacovigilance: reports in, pairs that deserve an assessor out; and what a record makes one think of."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from lab39.core.datapacks import Packs
from lab39.core.finding import Finding
from lab39.core.record import Record
from lab39.core.solution import Context, Progress, Solution
from lab39.core.text import Text


class Signals(Solution):
    """Weak signals in case reports, and the reactions that a person's complaints may be."""

    id = "signals"
    title = Text("Pharmacovigilance", "Pharmacovigilance")
    purpose = Text(
        "Cherche, parmi des millions de notifications, les couples médicament-événement qui méritent un évaluateur",
        "Finds, among millions of case reports, the drug-event pairs that deserve an assessor",
    )
    version = "1.0"
    commands = "lab39.solutions.signals.commands:app"
    pages = "lab39.solutions.signals.pages:pages"
    tables = "lab39.solutions.signals.board_tables"
    migrations = "lab39.solutions.signals.migrations"

    def prepare(self, packs: Packs, progress: Progress) -> None:
        """Compile the pairs of the newest run that stand out, once."""
        from lab39.solutions.signals import pairindex

        if (pack := pairindex.newest(packs)) is not None:
            progress(f"{pack.name} {pack.version}", 0.0)
            pairindex.path(packs, pack)
        progress("", 1.0)

    def assess(self, record: Record, on: dt.date, ctx: Context) -> Iterable[Finding]:
        """Known reactions and emerging signals that match what the person takes and complains of."""
        from lab39.solutions.signals import findings

        return findings.findings(record, on, ctx)
