"""A solution with pages and operations of its own, as a package would bring it."""

from __future__ import annotations

from lab39.core.evidence import EvidenceCard
from lab39.core.finding import Finding, Reason, Severity, Source
from lab39.core.solution import Solution
from lab39.core.text import Text


class Weighing(Solution):
    """Says one thing of every record, and has pages."""

    id = "weighing"
    title = Text("Pesée", "Weighing")
    purpose = Text("Pèse pour les tests", "Weighs for the tests")
    version = "7"
    pages = "tests.web.paged.pages:pages"
    operations = "tests.web.paged.operations:operations"

    def assess(self, record, on, ctx):
        """One finding."""
        why = Reason("weighing.1", Text("on pèse", "one weighs"), Source("Tests"))
        return [Finding(code="weighed", severity=Severity.INFO, summary=Text("Pesé", "Weighed"), reasons=(why,))]

    def evidence(self):
        """No figure."""
        words = Text("x", "x")
        return EvidenceCard(claim=words, intended_use=words, limits=(words,), figures=(), command="true")


class Failing(Weighing):
    """Nothing that it brings works."""

    id = "failing"
    title = Text("Échec", "Failing")
    pages = "tests.web.paged.pages:failing"
    operations = "tests.web.paged.operations:failing"
