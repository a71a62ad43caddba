"""What a record makes one think of: reactions that what the person takes is known to cause."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from lab39.core.finding import Finding, Missing, Severity
from lab39.core.record import Record
from lab39.core.solution import Context
from lab39.core.text import Text


def findings(record: Record, on: dt.date, ctx: Context) -> Iterable[Finding]:
    """Findings of a record, most urgent first."""
    del on
    if not record.medications() and not ctx.about:
        yield no_treatment()


def no_treatment() -> Finding:
    """That the record lists no medicine, so that no reaction was looked for: which is not that none is taken."""
    return Finding(
        code="no-treatment",
        severity=Severity.INFO,
        summary=Text(
            "Aucun médicament dans le dossier\u202f: effets indésirables non cherchés. Demander le traitement",
            "No medicine in the record: no adverse reaction looked for. Ask for the treatment",
        ),
        missing=(
            Missing(
                "medications",
                Text("traitement en cours, avec ses dates de début", "current treatment, with its start dates"),
                Text("sans lui, aucun effet indésirable n'est cherché", "without it no reaction is looked for"),
            ),
        ),
    )
