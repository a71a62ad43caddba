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

import numpy as np

DRAWS, SEED, LEAST = 2000, 39, 3
SCORES = ("raw count", "PRR", "PRR025", "ROR025", "IC", "IC025", "EBGM", "EB05")
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
    scored, left_out = scores(pairs, rows)
    told["reference_pairs"] = len(pairs)
    told["left_out"] = left_out
    told["without_report"] = sum(values["raw count"] == 0 for _, values in scored)
    groups: dict[str, list[tuple[Pair, dict[str, float]]]] = defaultdict(list)
    for pair, values in scored:
        groups["all"].append((pair, values))
        groups[pair.reference].append((pair, values))
        groups[f"{pair.reference} / {pair.outcome}"].append((pair, values))
    told["auc"] = {name: row for name, group in groups.items() if (row := measured(group))}
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


def scores(pairs: list[Pair], rows: Path) -> tuple[list[tuple[Pair, dict[str, float]]], int]:
    """Every score of each pair whose drug and outcome are there, reports or not."""
    from lab39.solutions.signals import Pairs, count, fit_prior, gps, opened
    from lab39.solutions.signals import disproportionality as dp

    with opened() as engine:
        counts = count(Pairs(rows), engine)
    prior = fit_prior(counts).prior
    drug_of = {name: at for at, name in enumerate(counts.drugs.to_pylist())}
    event_of = {name: at for at, name in enumerate(counts.events.to_pylist())}
    observed = {
        (d, e): n for d, e, n in zip(counts.drug.tolist(), counts.event.tolist(), counts.n.tolist(), strict=True)
    }
    there = [pair for pair in pairs if pair.drug in drug_of and OUTCOME + pair.outcome in event_of]
    codes = [(drug_of[pair.drug], event_of[OUTCOME + pair.outcome]) for pair in there]
    n = np.array([observed.get(code, 0) for code in codes], dtype=float)
    drug, event = (
        margin[[code[at] for code in codes]].astype(float)
        for at, margin in enumerate((counts.n_drug, counts.n_event))
    )
    e = dp.expected(drug, event, counts.n_total)
    prr, ror, ic = dp.prr(n, drug, event, counts.n_total), dp.ror(n, drug, event, counts.n_total), dp.ic(n, e)
    shrunk = gps.scores(prior, n, e)
    columns = (n, prr.value, prr.low, ror.low, ic.value, ic.low, shrunk.ebgm.value, shrunk.ebgm.low)
    table = np.stack(columns, axis=1)
    return [
        (pair, dict(zip(SCORES, row.tolist(), strict=True))) for pair, row in zip(there, table, strict=True)
    ], len(pairs) - len(there)


def measured(group: list[tuple[Pair, dict[str, float]]]) -> dict[str, Any] | None:
    """AUC of each score with its interval, when there are at least three pairs of each kind."""
    truth = np.array([pair.truth for pair, _ in group])
    positives, negatives = np.flatnonzero(truth), np.flatnonzero(~truth)
    if min(positives.size, negatives.size) < LEAST:
        return None
    random = np.random.default_rng(SEED)
    drawn_p = random.choice(positives, (DRAWS, positives.size))
    drawn_n = random.choice(negatives, (DRAWS, negatives.size))
    made: dict[str, Any] = {"positives": int(positives.size), "negatives": int(negatives.size)}
    for name in SCORES:
        x = np.array([values[name] for _, values in group])
        wins = (x[:, None] > x[None, :]) + 0.5 * (x[:, None] == x[None, :])
        resampled = np.array([wins[np.ix_(p, q)].mean() for p, q in zip(drawn_p, drawn_n, strict=True)])
        low, high = np.percentile(resampled, [2.5, 97.5])
        made[name] = [round(float(v), 3) for v in (wins[np.ix_(positives, negatives)].mean(), low, high)]
    return made


if __name__ == "__main__":
    main()
