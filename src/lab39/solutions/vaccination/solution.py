"""Vaccination: what is due, what comes next, and why, from one record and a schedule."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from lab39.core.datapacks import Packs
from lab39.core.finding import Finding
from lab39.core.record import Record
from lab39.core.solution import Context, Progress, Solution
from lab39.core.text import Text


class Vaccination(Solution):
    """Tells which doses count, what is due and what comes next, by the French schedule."""

    id = "vaccination"
    title = Text("Vaccination", "Vaccination")
    purpose = Text(
        "Dit quels vaccins comptent, ce qui est à faire, ce qui vient ensuite, et la règle de chaque décision",
        "Tells which vaccines count, what is due, what comes next, and the rule behind each decision",
    )
    version = "1.0"
    for_living = True
    commands = "lab39.solutions.vaccination.commands:app"
    operations = "lab39.solutions.vaccination.operations:operations"
    pages = "lab39.solutions.vaccination.pages:pages"

    def prepare(self, packs: Packs, progress: Progress) -> None:
        """Compile the schedules at hand."""
        from lab39.solutions.vaccination import sources

        for name in sources.at_hand(packs):
            progress(name, 0.0)
            sources.open_schedule(packs, name)
        progress("", 1.0)

    def assess(self, record: Record, on: dt.date, ctx: Context) -> Iterable[Finding]:
        """What to give, what comes next, the doses to repeat, the entries not used; nothing about new orders."""
        from lab39.solutions.vaccination import advice, findings, sources

        if ctx.about or record.deceased_on(on):
            return ()
        schedule, maps = sources.open_schedule(ctx.packs), sources.open_maps(ctx.packs)
        found = findings.assessed(record, schedule, on, maps)
        if not isinstance(found, findings.Assessed):
            return (findings.no_birth_date(found),)
        others = ctx.ask(advice.ASKED, record, on) if record.medications() else ()
        mind = advice.advice(record, schedule, on, others)
        return tuple(findings.findings(found, mind, advice.unasked(record, schedule, on, others)))
