"""An evaluation from the command line: of a run kept beside a store, or of pairs counted now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lab39.core.errors import InputError
from lab39.core.text import Text
from lab39.solutions.signals import detecting, evaluation, gps
from lab39.solutions.signals.explaining import around
from lab39.solutions.signals.sources import Source, Store

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class Evaluated:
    """An evaluation and what it is of."""

    evaluation: evaluation.Evaluation
    reference: Path
    run: str | None
    n_reports: int
    why_no_gps: Text | None
    synthetic: bool

    def as_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "reference": str(self.reference),
            "run": self.run,
            "n_reports": self.n_reports,
            "why_no_gps": self.why_no_gps,
            "synthetic": self.synthetic,
            **self.evaluation.as_dict(),
            "not_scored": [
                {"drug": each.drug, "event": each.event, "truth": each.truth} for each in self.evaluation.left_out
            ],
        }


def evaluate(
    source: Source, reference: Path, *, run: str = "", by: Sequence[str] = (), memory_gb: float = 1.0
) -> Evaluated:
    """Measure a store's run on a reference set; without a store, pairs are counted and scored first.

    Raises:
        InputError: the reference cannot be read or scored, or a store has no run yet.
    """
    pairs = evaluation.read_reference(reference)
    chosen, _ = around(source, run)
    if chosen is not None:
        import pyarrow.parquet as pq

        prior = gps.Prior(*chosen.prior) if chosen.prior else None
        table: pa.Table = pq.read_table(chosen.scores, read_dictionary=["drug", "event"])
        found = evaluation.evaluate(table, pairs, n_total=chosen.n_reports, prior=prior)
        return Evaluated(found, reference, chosen.name, chosen.n_reports, chosen.why_no_gps, chosen.synthetic)
    if isinstance(source, Store):
        raise InputError(
            Text(
                "aucune analyse de cette base\u202f: lancer d'abord «\u202flab39 signals detect\u202f»",
                "no run of this store: run “lab39 signals detect” first",
            ),
            str(source.folder),
        )
    made = detecting.run(
        source, by=by, without=(), engine="duckdb", memory_gb=memory_gb, least=1, likelihood="components"
    )
    fit, why = made.detection.fit, made.detection.why_no_gps
    total = made.detection.counts.n_total
    found = evaluation.evaluate(made.table, pairs, n_total=total, prior=fit.prior if fit else None)
    return Evaluated(found, reference, None, total, why.text if why else None, made.synthetic)
