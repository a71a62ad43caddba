"""Rare diseases from one record: its HPO-coded signs, present and excluded, to a finding."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from lab39.core.datapacks import Packs
from lab39.core.errors import LabError
from lab39.core.finding import Finding
from lab39.core.record import Record
from lab39.core.solution import Context, Progress, Solution
from lab39.core.text import Lang, Text

if TYPE_CHECKING:
    from lab39.solutions.raredisease.index import Index
    from lab39.solutions.raredisease.model import Explanation, Query

TOP = 10


class RareDisease(Solution):
    """Ranks rare diseases by the signs of a record, and says so when none stands out."""

    id = "raredisease"
    title = Text("Maladies rares", "Rare diseases")
    purpose = Text(
        "Classe les maladies rares d'après les signes présents et absents, dit pourquoi et quoi rechercher ensuite",
        "Ranks rare diseases by the signs present and absent, says why and what to look for next",
    )
    version = "1.0"
    commands = "lab39.solutions.raredisease.cli:app"
    pages = "lab39.solutions.raredisease.pages:pages"

    def prepare(self, packs: Packs, progress: Progress) -> None:
        """Compile the index once; without the pack there is nothing to prepare."""
        from lab39.solutions.raredisease import sources

        if packs.has(sources.HPO):
            pack = packs.get(sources.HPO)
            sources.index_path(packs, lambda fraction: progress(f"{pack.name} {pack.version}", fraction))

    def assess(self, record: Record, on: dt.date, ctx: Context) -> Iterable[Finding]:
        """A differential, "nothing stands out", what is missing to tell, or a diagnosis already made."""
        del on  # signs carry no dates the model uses
        from lab39.solutions.raredisease import findings

        signs, query = record.phenotypes(), findings.query_of(record)
        known = [(c, disease) for c in record.conditions() if (disease := findings.diagnosed(c)) is not None]
        if known:
            from lab39.solutions.raredisease import sources

            fits = [self._fit(query, disease, ctx.packs) for _, disease in known]
            idle = any(findings.explains(c, fit) for (c, _), fit in zip(known, fits, strict=True))
            others: findings.Others = (
                "no-signs" if not query.observed
                else "no-pack" if not ctx.packs.has(sources.HPO)
                else "idle" if idle
                else "shown"
            )  # fmt: skip
            for (condition, disease), fit in zip(known, fits, strict=True):
                yield findings.known_diagnosis(condition, disease, fit, others)
            if others != "shown":
                return
        if not query.observed:
            yield findings.no_signs(excluded_only=bool(query.excluded))
            return
        from lab39.solutions.raredisease.knowing import knowing

        seen = knowing(ctx.packs)
        yield self._differential(query, findings.Seen(signs, seen.labels), seen.index)

    def to_fhir(self, finding: Finding, subject: str, lang: Lang) -> Mapping[str, Any] | None:
        """A ``RiskAssessment`` for a differential."""
        from lab39.solutions.raredisease.model import Ranking

        if not isinstance(finding.payload, Ranking) or not finding.payload.candidates:
            return None
        from lab39.solutions.raredisease.riskassessment import risk_assessment

        return risk_assessment(finding, finding.payload, subject, lang)

    @staticmethod
    def _differential(query: Query, seen: Any, index: Index) -> Finding:
        from lab39.solutions.raredisease import findings
        from lab39.solutions.raredisease.questions import next_signs
        from lab39.solutions.raredisease.ranking import rank

        ranking = rank(index, query, top=TOP)
        if not ranking.candidates:
            return findings.no_usable_sign(ranking)
        asked = () if findings.standing(ranking) == "none" else next_signs(index, query, ranking)
        return findings.differential(ranking, seen, asked, index.english, int(index.meta["unusable"]))

    def _fit(self, query: Query, disease: str, packs: Packs) -> Explanation | None:
        if not query.observed:
            return None
        from lab39.solutions.raredisease.explanation import explain
        from lab39.solutions.raredisease.knowing import knowing

        try:
            return explain(knowing(packs).index, query, disease)
        except LabError:  # no pack, a disease that is not annotated, no usable sign: the fit cannot be told
            return None
