"""Known pairs on FAERS 2022Q3: AUC of each score on OMOP, EU-ADR and Harpaz, beside the raw count.

A drug is one of the names that the shared map gives its ingredient, an outcome any of the preferred terms that
define it; reports are counted at that level, distinct. A pair whose drug or outcome is not in the quarter cannot be
scored and is left out, counted; a pair with no report is scored. Intervals: percentile bootstrap, pairs drawn
within the positives and within the negatives. One quarter, single-word terms only: a smoke test, not a validation.
"""

from __future__ import annotations

import csv
import gzip
import json
import resource
import sys
import time
from collections import defaultdict
from pathlib import Path
from typing import Any, NamedTuple

OUTCOME = "OUTCOME: "


class Pair(NamedTuple):
    """A pair of a reference set."""

    reference: str
    drug: str
    outcome: str
    truth: bool


def main() -> None:
    """Count, score, print JSON."""
    data, work = Path(sys.argv[1]), Path(sys.argv[2])
    pairs, names, terms = references(data)
    rows = work / "faers22q3.csv"
    mapped(data / "faers22q3.csv.gz", rows, names, terms)
    begun, wall = time.process_time(), time.perf_counter()
    from lab39.solutions.signals import Pairs, detect

    plain = detect(Pairs(data / "faers22q3.csv.gz"))
    told: dict[str, Any] = {
        "cpu_s": round(time.process_time() - begun, 2),
        "wall_s": round(time.perf_counter() - wall, 2),
        "reports": plain.counts.n_total,
        "pairs": plain.table.num_rows,
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }
    told |= measured(pairs, rows)
    print(json.dumps(told))


def references(data: Path) -> tuple[list[Pair], dict[str, str], dict[str, set[str]]]:
    """The pairs, the ingredient of each name of a drug, and the outcomes of each term, all in small letters."""
    ingredients = json.loads((data / "reference" / "omop_euadr_ingredient_map.json").read_text("utf-8"))
    names = {name.lower(): drug.lower() for drug, each in ingredients.items() for name in each}
    pairs = []
    for reference, file in (("OMOP", "omop"), ("EU-ADR", "euadr")):
        for row in read(data / "MethodEvaluation" / f"{file}ReferenceSet.csv"):
            truth = row["groundTruth"].strip()
            if truth in ("0", "1"):
                drug = row["exposureName"].lower()
                names.setdefault(drug, drug)
                pairs.append(Pair(reference, drug, row["outcomeName"].strip(), truth == "1"))
    terms: dict[str, set[str]] = defaultdict(set)
    for row in read(data / "reference" / "omop_outcome_to_meddra_pt_map.csv"):
        terms[row["meddra_pt"].lower()].add(row["outcomeName"].strip())
    event = ""
    for row in read(data / "reference" / "harpaz_2014_event_definitions.csv"):
        event = row["EVENT_CONCEPT_NAME"].strip() or event
        if row["DEFINITION_LEVEL"] == "narrow":
            terms[row["MEDDRA_PT"].lower()].add(f"Harpaz {event.lower()}")
    for row in read(data / "reference" / "harpaz_2014_reference_set.csv"):
        drug = row["DRUG_CONCEPT_NAME"].lower()
        names.setdefault(drug, drug)
        outcome = f"Harpaz {row['EVENT_CONCEPT_NAME'].strip().lower()}"
        pairs.append(Pair("Harpaz", drug, outcome, row["GROUND_TRUTH"] == "1"))
    return pairs, names, terms


def read(path: Path) -> list[dict[str, str]]:
    """A table."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def mapped(source: Path, to: Path, names: dict[str, str], terms: dict[str, set[str]]) -> None:
    """The quarter with drugs under their ingredient, and a row more for each outcome that a term defines."""
    with gzip.open(source, "rt", encoding="utf-8") as file, to.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(["report_id", "drug", "event"])
        for row in csv.DictReader(file):
            drug = row["DRUG"].strip().lower()
            drug = names.get(drug, drug)
            writer.writerow([row["CASEID"], drug, row["AE"]])
            for outcome in sorted(terms.get(row["AE"].lower(), ())):
                writer.writerow([row["CASEID"], drug, OUTCOME + outcome])


def measured(pairs: list[Pair], rows: Path) -> dict[str, Any]:
    """AUC of each score on all pairs, on each reference set, and on each of its outcomes."""
    from lab39.solutions.signals import Pairs, detect
    from lab39.solutions.signals.evaluation import Reference, evaluate

    found = detect(Pairs(rows))
    assert found.fit is not None
    made: dict[str, Any] = {"auc": {}}
    for label in ("{0.reference}", "{0.reference} / {0.outcome}"):
        listed = [Reference(each.drug, OUTCOME + each.outcome, each.truth, label.format(each)) for each in pairs]
        told = evaluate(found.table, listed, n_total=found.counts.n_total, prior=found.fit.prior)
        made["auc"] |= told.as_dict()["auc"]
        made |= {
            "reference_pairs": told.pairs,
            "left_out": len(told.left_out),
            "without_report": told.without_report,
        }
    return made


if __name__ == "__main__":
    main()
