"""What names of medicines are understood: substances, product labels, hard names, speed.

    python benchmarks/pharmacy_names.py [--shared ../shared] [--every 1]

Prints one JSON object. The BDPM is compiled in a temporary folder. ``--every N`` takes one product label in N.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from lab39.solutions.pharmacy import bdpm, catalogue_build
from lab39.solutions.pharmacy.catalogue import Catalogue, Named, Row
from lab39.solutions.pharmacy.model import Moiety
from lab39.solutions.pharmacy.names import resolve
from lab39.solutions.pharmacy.normal import fold, joined, moiety_key, words
from lab39.solutions.pharmacy.vocabulary import head

GOLD_ERRORS = {
    (
        "TROMETAMOL",
        "FOSFOMYCINE TROMÉTAMOL",
    ): "trometamol is the counter-ion: the BDPM's active fraction is fosfomycine",
    ("TROMETAMOL", "LODOXAMIDE TROMÉTAMOL"): "trometamol is the counter-ion of lodoxamide",
    ("TROMETAMOL", "LODOXAMIDE TROMÉTHAMINE"): "trometamol is the counter-ion of lodoxamide",
    ("MANNITOL", "ESTER BORONIQUE DE MANNITOL"): "the BDPM's active fraction of this substance is bortézomib",
    ("INSULINE HUMAINE RECOMBINANTE ISOPHANE BIPHASIQUE", "INSULINE ASPARTE RECOMBINANTE ISOPHANE BIPHASIQUE"): (
        "insulin aspart is not human insulin; the same substance stands in the gold file under insulin aspart"
    ),
    ("INSULINE HUMAINE RECOMBINANTE ISOPHANE BIPHASIQUE", "INSULINE LISPRO RECOMBINANTE ISOPHANE BIPHASIQUE"): (
        "insulin lispro is not human insulin"
    ),
    (
        "SODIUM (CITRATE DE)",
        "CITRATE DE SODIUM ACIDE",
    ): "the gold file also calls it the same as SODIUM (CITRATE DIACIDE DE)",
    (
        "BOLDO",
        "BOLDO POUR PRÉPARATIONS HOMÉOPATHIQUES",
    ): "a homeopathic stock has no interaction: told apart by design",
    (
        "GEL D'HYDROXYDE D'ALUMINIUM ET DE CARBONATE DE MAGNE",
        "GEL D'HYDROXYDE D'ALUMINIUM ET DE CARBONATE DE MAGNÉSIUM CODESSÉCHÉS",
    ): "the name of the thesaurus is cut off in the gold file",
    (
        "STRONTIUM",
        "STRONTIUM [89 SR] (CHLORURE DE)",
    ): "a radiopharmaceutical, not the oral strontium of the thesaurus",
    ("PHENYLEPHRINE", "HEPARINE PHENYLEPHRINE MEGLUMINE"): "names two drugs, heparin and phenylephrine",
    ("DEXTRAN", "DEXTRAN (SULFATE DE)"): "dextran sulfate is another substance than dextran",
}
"""Rows of the gold file that we hold to be wrong, with the reason; every figure is given with and without them."""

HARD: tuple[tuple[str, str, str], ...] = (
    ("DOLIPRANE 1000 mg cp", "found", "paracetamol"),
    ("Kardégic 75", "found", "acide acetylsalicylique"),
    ("amoxicilline/acide clavulanique Sandoz 1 g/125 mg", "found", "acide clavulanique+amoxicilline"),
    ("metformine 1000 mg matin et soir", "found", "metformine"),
    ("Simvastatin 20 MG Oral Tablet", "found", "simvastatine"),
    ("Acetaminophen 325 MG Oral Tablet", "found", "paracetamol"),
    ("Amoxicillin 250 MG / Clavulanate 125 MG Oral Tablet", "found", "acide clavulanique+amoxicilline"),
    ("A10BA02", "found", "metformine"),
    ("X de sodium", "unknown", ""),
    ("valproate de sodium", "found", "acide valproique"),
    ("chlorure de potassium", "found", "potassium"),
    ("chlorure de sodium", "found", "chlorure de sodium"),
    ("oxybate de sodium", "found", "oxybate de sodium"),
    ("fosfomycine trométamol", "found", "fosfomycine"),
    ("périndopril tert-butylamine 4 mg", "found", "perindopril"),
    ("périndopril arginine 5 mg", "found", "perindopril"),
    ("candésartan cilexétil 8 mg", "found", "candesartan"),
    ("candésartan 8 mg", "found", "candesartan"),
    ("insuline glargine 14 U le soir", "found", "insuline glargine"),
    ("ARNICA MONTANA BOIRON 9CH", "found", ""),
    ("prednisolne", "ambiguous", "prednisolone|prednisone"),
    ("Advil rhume", "ambiguous", "ibuprofene"),
    ("Doliprane 💊 1000 mg", "found", "paracetamol"),
    ("médicament inexistant", "unknown", ""),
    ("3400949497295", "unknown", ""),
    ("cordarone et previscan", "found", "amiodarone+fluindione"),
)


class Masked(Catalogue):
    """A catalogue from which some products can be hidden, with every name that only they give."""

    def __init__(self, path: Path) -> None:
        super().__init__(sqlite3.connect(path))
        self.hidden: frozenset[str] = frozenset()
        self.groups = True
        self.moiety, self.named = self._moiety, self._named  # type: ignore[assignment]
        self.bearers: defaultdict[tuple[str, str, str], set[str]] = defaultdict(set)
        self.holders: defaultdict[str, set[str]] = defaultdict(set)
        self.members: defaultdict[str, set[str]] = defaultdict(set)
        for cis, top, joint, atc in self._db.execute(
            "SELECT cis, head, moieties, atc FROM product WHERE NOT homeopathic"
        ):
            keys = tuple(filter(None, joint.split(catalogue_build.SEPARATOR)))
            for name, kind in catalogue_build.called(words(top), keys):
                self.bearers[name, kind, joint].add(cis)
            self.bearers["atc:" + atc, "atc", joint].add(cis)
        for cis, label in self._db.execute("SELECT cis, label FROM generic"):
            for name in catalogue_build.reference_names(label):
                self.members[name].add(cis)
        for cis, key, substance in self._db.execute("SELECT cis, moiety, substance FROM ingredient"):
            self.bearers[fold(substance), "substance", key].add(cis)
            self.holders[key].add(cis)

    def _moiety(self, key: str) -> Moiety | None:
        return super()._moiety(key) if self.holders[key] - self.hidden else None

    def _named(self, name: str) -> tuple[Named, ...]:
        return tuple(row for row in super()._named(name) if self._seen(row))

    def _seen(self, row: Named) -> bool:
        if row.kind == "skeleton":
            return all(self.holders[key] - self.hidden for key in row.moieties)
        if row.kind == "reference":
            return self.groups and bool(self.members[row.name] - self.hidden)
        bearers = self.bearers.get((row.name, row.kind, catalogue_build.SEPARATOR.join(row.moieties)))
        return bearers is None or bool(bearers - self.hidden)

    def _rows(self, where: str, *values: str) -> list[Row]:
        return [row for row in super()._rows(where, *values) if row.cis not in self.hidden]


def substances(catalogue: Catalogue, gold: list[dict[str, str]]) -> dict[str, Any]:
    """Recall of the thesaurus name of each BDPM substance, beside an exact and a naive approximate search."""
    from rapidfuzz import fuzz, process

    names = sorted({fold(row["dci"]) for row in gold})
    failures, excused = [], 0
    ours: Counter[str] = Counter()
    exact: Counter[str] = Counter()
    naive: Counter[str] = Counter()
    for row in gold:
        wanted = moiety_key(row["dci"])
        answer = resolve(row["substances"], catalogue)
        got = [m.key for m in answer.found.moieties] if answer.found else []
        others = {moiety_key(r["dci"]) for r in gold if r["substances"] == row["substances"]} - {wanted}
        outcome = "right" if got == [wanted] else answer.match.value
        if answer.found and outcome != "right":
            outcome = "other gold name" if len(got) == 1 and got[0] in others else "wrong"
        ours[outcome] += 1
        if outcome != "right":
            reason = GOLD_ERRORS.get((row["dci"], row["substances"].strip()))
            excused += reason is not None
            options = [got] if answer.found else [[m.key for m in c.moieties] for c in answer.candidates]
            failures.append(
                {"dci": row["dci"], "substance": row["substances"].strip(), "outcome": outcome, "got": options}
                | ({"gold_error": reason} if reason else {})
            )
        truth = {fold(r["dci"]) for r in gold if r["substances"] == row["substances"]}
        exact["right" if fold(row["substances"]) == fold(row["dci"]) else "unknown"] += 1
        best = process.extractOne(fold(row["substances"]), names, scorer=fuzz.token_set_ratio, score_cutoff=80)
        naive["unknown" if best is None else "right" if best[0] in truth else "wrong"] += 1
    n = len(gold)
    merged = defaultdict(list)
    for name in names:
        merged[moiety_key(name)].append(name)
    wrong = sum(f["outcome"] == "wrong" and "gold_error" not in f for f in failures)
    return {
        "n": n,
        "recall": round(ours["right"] / n, 4),
        "outcomes": dict(ours),
        "wrong": ours["wrong"],
        "without_gold_errors": {
            "n": n - excused,
            "recall": round(ours["right"] / (n - excused), 4),
            "wrong": wrong,
        },
        "peers": {
            "exact": {"recall": round(exact["right"] / n, 4), "wrong": 0},
            "naive_fuzzy": {"recall": round(naive["right"] / n, 4), "wrong": naive["wrong"]},
        },
        "thesaurus_names_of_one_moiety": {key: some for key, some in sorted(merged.items()) if len(some) > 1},
        "failures": failures,
    }


def labels(
    catalogue: Masked, hide: Callable[[Row], Iterable[str]], every: int, *, groups: bool = True
) -> dict[str, Any]:
    """ATC code of each label of a medicine of major interest, with some products hidden.

    Args:
        groups: whether the brands that generic groups name are known.
    """
    catalogue.groups = groups
    rows = catalogue._rows("atc != '' AND NOT homeopathic")[::every]
    outcomes: Counter[str] = Counter()
    examples: defaultdict[str, list[dict[str, str]]] = defaultdict(list)
    for row in rows:
        catalogue.hidden = frozenset(hide(row))
        answer = resolve(row.label, catalogue)
        said = answer.found.atc if answer.found else ""
        outcome = "asked" if not said else "right" if said == row.atc else "wrong"
        kind = outcome if outcome != "asked" else f"asked ({answer.match.value})"
        outcomes[kind] += 1
        if outcome != "right" and len(examples[kind]) < 12:
            examples[kind].append({"label": row.label, "gold": row.atc, "said": said})
    catalogue.hidden = frozenset()
    n, answered = len(rows), outcomes["right"] + outcomes["wrong"]
    return {
        "n": n,
        "top1": round(outcomes["right"] / n, 4),
        "precision": round(outcomes["right"] / answered, 4) if answered else None,
        "asked": round(1 - answered / n, 4),
        "top1_of_names_known_elsewhere": round(outcomes["right"] / (n - outcomes["asked (unknown)"]), 4),
        "outcomes": dict(outcomes),
        "examples": dict(examples),
    }


def hard(catalogue: Catalogue) -> dict[str, Any]:
    """Names that must be understood, asked or refused in one way."""
    failures = []
    for text, match, expected in HARD:
        answer = resolve(text, catalogue)
        sets = {"+".join(sorted(m.key for m in c.moieties)) for c in answer.candidates}
        if answer.match.value != match or not set(expected.split("|")) <= sets | {""}:
            failures.append(
                {"text": text, "expected": [match, expected], "got": [answer.match.value, sorted(sets)]}
            )
    return {"n": len(HARD), "passed": len(HARD) - len(failures), "failures": failures}


def speed(path: Path, texts: list[str]) -> dict[str, Any]:
    """Load in a new process, milliseconds a line once loaded, a treatment of 60 lines."""
    code = (
        "import sys,time,json\n"
        "from pathlib import Path\n"
        "from lab39.solutions.pharmacy.catalogue import Catalogue\n"
        "from lab39.solutions.pharmacy.names import resolve\n"
        "t=time.perf_counter()\n"
        "c=Catalogue.open(Path(sys.argv[1]), json.loads(sys.argv[2]))\n"
        "resolve('doliprane 1000', c)\n"
        "print((time.perf_counter()-t)*1000)\n"
    )
    loads = []
    for _ in range(5):
        done = subprocess.run(
            [sys.executable, "-c", code, str(path), json.dumps([])], capture_output=True, text=True, check=True
        )
        loads.append(float(done.stdout))
    catalogue, times = Catalogue.open(path), []
    for text in texts:
        started = time.perf_counter()
        resolve(text, catalogue)
        times.append((time.perf_counter() - started) * 1000)
    sixty = Catalogue.open(path)
    started = time.perf_counter()
    for text in texts[:60]:
        resolve(text, sixty)
    return {
        "load_and_first_line_ms": {"median": round(statistics.median(loads), 1), "max": round(max(loads), 1)},
        "line_ms": {
            "median": round(statistics.median(times), 2),
            "p95": round(statistics.quantiles(times, n=20)[-1], 2),
        },
        "sixty_lines_ms": round((time.perf_counter() - started) * 1000, 1),
    }


def measure(shared: Path, every: int = 1) -> dict[str, Any]:
    """Every figure of this file."""
    folder = shared / "data" / "pharmacy"
    contents = bdpm.inspect(sorted((folder / "bdpm").iterdir()))
    with (folder / "substance-gold.csv").open(encoding="utf-8") as stream:
        gold = list(csv.DictReader(stream))
    with tempfile.TemporaryDirectory() as temporary:
        path = Path(temporary) / catalogue_build.FORMAT
        started = time.perf_counter()
        catalogue_build.build(contents.files, path, contents.version)
        built = time.perf_counter() - started
        known = Catalogue.open(path, sorted({row["dci"] for row in gold}))
        masked = Masked(path)
        by_label: defaultdict[str, set[str]] = defaultdict(set)
        by_brand: defaultdict[str, set[str]] = defaultdict(set)
        for row in masked._rows("NOT homeopathic"):
            by_label[row.folded].add(row.cis)
            by_brand[joined(head(row.label))].add(row.cis)
        texts = [row.label for row in masked._rows("NOT homeopathic")][::16]
        return {
            "bdpm": contents.version,
            "compiled_s": round(built, 1),
            "catalogue_mb": round(path.stat().st_size / 1e6, 1),
            "substances": substances(known, gold),
            "label_to_atc": {
                "itself_left_out": labels(masked, lambda row: {row.cis}, every),
                "identical_labels_left_out": labels(masked, lambda row: by_label[row.folded], every),
                "whole_brand_left_out": labels(
                    masked, lambda row: by_brand[joined(head(row.label))], every, groups=False
                ),
            },
            "hard_names": hard(known),
            "speed": speed(path, texts),
        }


def main() -> None:
    """Print the figures as JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--shared", type=Path, default=Path(os.environ.get("LAB39_SHARED", "../shared")))
    parser.add_argument("--every", type=int, default=1)
    options = parser.parse_args()
    json.dump(measure(options.shared, options.every), sys.stdout, ensure_ascii=False, indent=1)
    print()


if __name__ == "__main__":
    main()
