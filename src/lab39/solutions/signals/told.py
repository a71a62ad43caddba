"""What the commands say, as plain data: the JSON of each, which the terminal draws from as well."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lab39.core.text import Text
from lab39.solutions.signals.thresholds import FEWEST_REPORTS

if TYPE_CHECKING:
    from lab39.solutions.signals.detecting import Made
    from lab39.solutions.signals.readers.duplicates import Link
    from lab39.solutions.signals.readers.ingest import Summary
    from lab39.solutions.signals.runs import Run

SYNTHETIC = Text(
    "Données inventées (synthétiques) par lab39 signals simulate\u202f: aucun de ces chiffres ne vaut pour des "
    "personnes",
    "Made-up data (synthetic) of lab39 signals simulate: none of these figures stands for people",
)
NO_PROOF = Text(
    "Un score dit qu'un couple est notifié plus qu'attendu dans cette base. Il ne prouve jamais que le "
    "médicament cause l'événement, et ne dit pas combien de personnes sont touchées.",
    "A score says that a pair is reported more than expected in this base. It never proves that the drug causes "
    "the event, nor says how many people are affected.",
)


def ingested(found: Summary, folder: Path) -> dict[str, Any]:
    """What was read, what was not and why, and where what was not used is kept."""
    return {
        "store": str(folder),
        "read": [
            {"name": each.name, "kind": each.kind, "counts": dict(each.counts), "notes": dict(each.notes)}
            for each in found.read
        ],
        "already": list(found.already),
        "ignored": list(found.ignored),
        "failed": [{"place": each.place, "text": each.text} for each in found.failed],
        **{name: dict(counts) for name, counts in found.counts.items()},
        "names": named(folder),
        "rejected": rejected(folder),
    }


def named(folder: Path) -> Mapping[str, Any]:
    """In which dictionaries the names of drugs were looked up, and how far they went."""
    from lab39.solutions.signals.readers import Store
    from lab39.solutions.signals.readers.settle import names_of

    found = names_of(Store(folder)) or {}
    kept = [{"name": each["name"], "version": each["version"]} for each in found.get("dictionaries", ())]
    return {**found, "dictionaries": kept}


def rejected(folder: Path) -> dict[str, Any]:
    """Rows and values that were not used, by reason, and the file that has them."""
    import duckdb

    path = folder / "tables" / "rejected.parquet"
    with duckdb.connect() as con:
        found = con.execute(
            "SELECT scope, reason, count(*) FROM read_parquet(?) GROUP BY ALL ORDER BY 3 DESC, 1, 2", [str(path)]
        ).fetchall()
    return {
        "file": str(path),
        "n": sum(row[2] for row in found),
        "reasons": [{"scope": scope, "reason": reason, "n": n} for scope, reason, n in found],
    }


def linked(links: Sequence[Link], groups: int, threshold: float, folder: Path) -> dict[str, Any]:
    """Links between reports, each with why."""
    from lab39.solutions.signals.readers.duplicates import explained

    return {
        "store": str(folder),
        "threshold": threshold,
        "n": len(links),
        "groups": groups,
        "file": str(folder / "links.parquet"),
        "links": [
            {
                "first": each.first,
                "second": each.second,
                "probability": each.probability,
                "bits": each.bits,
                "why": explained(each),
            }
            for each in links
        ],
    }


def detected(made: Made, run: Run | None, out: Path | None, top: int) -> dict[str, Any]:
    """What was counted, how it was scored, and the first pairs."""
    found = made.detection
    counts, prior = found.counts, found.fit.prior if found.fit else None
    return {
        "run": run.name if run else None,
        "folder": str(run.folder) if run else None,
        "out": str(out) if out else None,
        "n_reports": counts.n_total,
        "merged": counts.merged,
        "unnamed": counts.unnamed,
        "n_drugs": len(counts.drugs),
        "n_events": len(counts.events),
        "n_pairs": made.table.num_rows,
        "basis": counts.basis,
        "by": list(counts.by),
        "n_strata": counts.n_strata,
        "prior": [prior.alpha1, prior.beta1, prior.alpha2, prior.beta2, prior.p] if prior else None,
        "why_no_gps": found.why_no_gps.text if found.why_no_gps else None,
        "sorted_by": "eb05" if prior else "ic025",
        "synthetic": made.synthetic,
        "not_adjusted": list(made.not_adjusted),
        "pairs": [{**row, "says": verdict(row)} for row in made.table.slice(0, top).to_pylist()],
        "note": NO_PROOF,
    }


def verdict(row: Mapping[str, Any]) -> Text:
    """What the scores of a pair say, in a few words.

    Args:
        row: with ``n``, ``ic025`` and ``eb05`` (None when GPS could not be fitted).
    """
    if not row["n"]:
        return Text("aucun cas", "no report")
    few = row["n"] < FEWEST_REPORTS
    if row["eb05"] is not None and row["eb05"] >= 2:
        said = Text("bien plus qu'attendu", "far more than expected")
    elif row["ic025"] > 0:
        said = Text("plus qu'attendu", "more than expected")
    elif few:
        return Text("trop peu de cas pour conclure", "too few reports to tell")
    else:
        return Text("pas nettement plus qu'attendu", "not clearly more than expected")
    if not few:
        return said
    least = FEWEST_REPORTS
    return Text(f"{said.fr}, mais moins de {least} cas", f"{said.en}, but fewer than {least} reports")
