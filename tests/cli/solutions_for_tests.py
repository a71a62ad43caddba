"""Solutions that tests install: a calm one, one that fails, one that never ends, one that prints."""

from __future__ import annotations

from lab39.core.evidence import EvidenceCard, Figure, Measured
from lab39.core.finding import Finding, Missing, Reason, Severity, Source
from lab39.core.solution import Solution
from lab39.core.text import Text

SOURCE = Source("A made-up source for tests", "2026", "p. 1")


class Calm(Solution):
    id = "calm"
    title = Text("Calme", "Calm")
    purpose = Text("Dit une chose", "Says one thing")
    version = "1"

    def assess(self, record, on, ctx):
        if record.birth_date is None:
            yield Finding(
                code="no-birth-date",
                severity=Severity.INFO,
                summary=Text("Âge inconnu", "Age unknown"),
                missing=(Missing("birthDate", Text("date", "date"), Text("âge inconnu", "age unknown")),),
            )
            return
        yield Finding(
            code="age",
            severity=Severity.INFO,
            summary=Text(f"Né le {record.birth_date}", f"Born on {record.birth_date}"),
            reasons=(Reason("calm.age", Text("règle", "rule"), SOURCE),),
        )

    def evidence(self):
        return EvidenceCard(
            claim=Text("Une affirmation", "A claim"),
            intended_use=Text("tests", "tests"),
            command="none",
            figures=(
                Figure(
                    Text("justesse", "accuracy"),
                    Text("cas", "cases"),
                    10,
                    "fraction",
                    Measured("Lab39", 0.5, 0.4, 0.6),
                    (Measured("Pair", 0.25),),
                    synthetic=True,
                ),
            ),
            limits=(Text("une limite", "a limit"),),
        )


class Failing(Calm):
    id = "failing"

    def assess(self, record, on, ctx):
        raise ZeroDivisionError("on purpose")


class Endless(Calm):
    id = "endless"
    time_limit_seconds = 0.05

    def assess(self, record, on, ctx):
        while True:
            pass


class Talkative(Calm):
    id = "talkative"

    def assess(self, record, on, ctx):
        print("a solution that prints")
        return ()
