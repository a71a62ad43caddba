"""Learned weights beside the published components: ``python benchmarks/signals_learned.py [--seeds 3]``.

SYNTHETIC: made-up reports (``lab39 signals simulate``), never a clinical figure. Weights (``signals.training``) are
learned on references dated before a cut, each seen as the base stood before its date, and are tried on references
dated from the cut on, each seen as the base stood before its own date. No drug, hence no pair, is on both sides.
References: the planted signals that somebody reported within six quarters, dated then; for each, two pairs that are
no reaction, drawn among those with as many reports at that date, so that neither the date nor the count tells the
truth; and the planted decoys, with dates drawn among those of the signals. Figures: AUC of each score on the
references of the test, and the share of true signals among the first 100 of the whole base at its end, known
reactions and drugs of the training left out. Mean over seeds with a 95 % interval (Student).

Leaks are looked for in the same run: drugs on both sides, dates out of order, weights that change when all that was
reported from the cut on is taken away (exit 1 for any of these), and weights learned on truths shuffled 200 times,
whose mean AUC must be near ½.

Real reports: ``real`` says what the shared alerts and the shared extracts would allow. Prints JSON.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lab39.settings import Settings
from printing import give
from signals_planted import ROWS, Base, interval

if TYPE_CHECKING:
    from lab39.solutions.signals import Store
    from lab39.solutions.signals.evaluation import Reference
    from lab39.solutions.signals.training import Trained

TOLD_AFTER = 6
"""Quarters from the first reports of a signal to the date of its reference."""
CUT = 12
"""References dated from this quarter of the base on are those of the test."""
UNRELATED = 2
"""Pairs that are no reaction, for each signal."""
TOP, SHUFFLES = 100, 200
KEPT = "learned.json"
SCORES = ("learned weights", "published components", "EB05", "IC025", "raw count")
Pair = tuple[str, str]
Found = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Split:
    """References of the training and of the test."""

    train: list[Reference]
    test: list[Reference]


def main() -> int:
    """Run and print."""
    options = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    options.add_argument("--rows", type=float, default=ROWS)
    options.add_argument("--seeds", type=int, default=3)
    options.add_argument("--work", type=Path, help="folder of the bases, kept (that of signals_planted.py will do)")
    options.add_argument("--out", type=Path, help="write the JSON there too")
    asked = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = measured(asked.work or Path(folder), asked.rows, asked.seeds)
    give(found, asked.out)
    return 0 if found["no leak"] else 1


def measured(work: Path, rows: float, seeds: int) -> Found:
    """Both generators, every seed, and what real data would allow."""
    made: Found = {"synthetic": True, "rows": rows, "seeds": seeds}
    sound = []
    for name, documented in (("better told reports", 0.8), ("reports told alike", 1.0)):
        each = []
        for seed in range(1, seeds + 1):
            print(f"{name}, seed {seed}…", file=sys.stderr)
            each.append(one(Base.made(work / f"{documented}-{seed}", rows, seed, documented), seed))
        made[name] = summed(each)
        sound.append(all(row["sound"] for row in each))
    made["no leak"] = all(sound)
    made["real"] = real()
    return made


def one(base: Base, seed: int) -> Found:
    """One base: learn before the cut, try after it. Kept beside the base, so that a stopped run goes on."""
    if (kept := base.folder / KEPT).is_file():
        return dict(json.loads(kept.read_text("utf-8")))
    found = tried_on(base, seed)
    kept.write_text(json.dumps(found), "utf-8")
    return found


def tried_on(base: Base, seed: int) -> Found:
    """What a base gives."""
    from lab39.solutions.signals import Store, opened
    from lab39.solutions.signals.simulated_rows import QUARTERS, quarter
    from lab39.solutions.signals.training import train

    with opened() as engine:
        split = references(base, seed, engine)
        cut = quarter(CUT)
        store = Store(base.folder)
        learned = train(store, split.train, engine)
        blind = train(replace(store, before=cut), split.train, engine)
        apart = {each.drug for each in split.train}.isdisjoint(each.drug for each in split.test)
        in_order = max(str(each.date) for each in split.train) < min(str(each.date) for each in split.test)
        values: dict[str, list[float]] = {name: [] for name in SCORES}
        truth: list[bool] = []
        told_of: list[Any] = []
        for date, tried in sorted(by_date(split.test).items()):
            scores = Scores.of(base, engine, date, learned)
            truth += [each.truth for each in tried]
            at = scores.places([(each.drug, each.event) for each in tried])
            for name, told in scores.by_name.items():
                values[name] += np.where(at < 0, np.nan, told[at]).tolist()
            told_of.append(np.where((at < 0)[:, None], np.nan, scores.features[at]))
        shuffled = by_chance(store, split.train, engine, np.concatenate(told_of), np.array(truth), seed)
        last = Scores.of(base, engine, quarter(QUARTERS), learned)
    left = ~np.isin(last.drug, [last.drugs[name] for each in split.train if (name := each.drug) in last.drugs])
    known = last.places(sorted(base.known))
    left[known[known >= 0]] = False
    true = np.zeros(left.size, dtype=bool)
    true[(found := last.places(sorted(base.true)))[found >= 0]] = True
    return {
        "sound": apart and in_order and learned == blind,
        "weights": dict(zip(learned.features, learned.weights, strict=True)),
        "references": {
            side: {
                kind: sum(each.truth is truth for each in of)
                for kind, truth in (("signals", True), ("others", False))
            }
            for side, of in (("train", split.train), ("test", split.test))
        },
        "shuffled": shuffled,
        "auc": {name: auc(np.array(truth), np.array(each)) for name, each in values.items()},
        "precision@100": {name: precision(true[left], last.by_name[name][left]) for name in SCORES},
    }


def by_chance(
    store: Store, listed: Sequence[Reference], engine: Any, features: Any, truth: Any, seed: int
) -> float:
    """Mean AUC on the test of weights learned on shuffled truths: ½, unless more than the truth is learned."""
    from lab39.solutions.signals import training

    rows, told = [], []
    for date, pairs in sorted(by_date(listed).items()):
        for pair, each in zip(pairs, training._as_of(store, date, pairs, engine), strict=True):
            if each is not None:
                rows.append(each)
                told.append(pair.truth)
    random, x, found = np.random.default_rng(seed), np.array(rows), []
    for _ in range(SHUFFLES):
        trained = training._fitted(x, random.permutation(np.array(told)), training.PENALTY, 0, ("", ""))
        score = training._contributions(features, trained).sum(axis=1)
        found.append(auc(truth, np.where(np.isnan(features).all(axis=1), np.nan, score)))
    return float(np.mean(found))


def references(base: Base, seed: int, engine: Any) -> Split:
    """Dated references; drugs of the test are not in the training."""
    from lab39.solutions.signals import Store
    from lab39.solutions.signals.counting import count
    from lab39.solutions.signals.evaluation import Reference
    from lab39.solutions.signals.simulated_rows import quarter

    random = np.random.default_rng(1000 + seed)
    numbers = {quarter(at): at for at in range(40)}
    signals = {pair: numbers[base.since[pair]] + TOLD_AFTER for pair in sorted(base.true)}
    told: dict[Pair, int] = {}
    for date in sorted(set(signals.values())):
        counts = count(Store(base.folder, before=quarter(date)), engine)
        drugs, events = counts.drugs.to_pylist(), counts.events.to_pylist()
        pairs = list(zip((drugs[at] for at in counts.drug), (events[at] for at in counts.event), strict=True))
        reported = dict(zip(pairs, counts.n.tolist(), strict=True))
        free: dict[int, list[Pair]] = {}
        for at in random.permutation(len(pairs)).tolist():
            if pairs[at] not in base.kinds and pairs[at] not in base.known and pairs[at] not in told:
                free.setdefault(int(counts.n[at]), []).append(pairs[at])
        for pair in (pair for pair, of_date in signals.items() if of_date == date and pair in reported):
            told[pair] = date
            alike = free.get(reported[pair], [])
            told |= {alike.pop(): date for _ in range(min(UNRELATED, len(alike)))}
    dates = list(signals.values())
    told |= {pair: int(random.choice(dates)) for pair in sorted(base.kinds) if pair not in base.true}
    made = [
        Reference(*pair, pair in base.true, date=f"{quarter(at)[:4]}-{3 * (at % 4) + 1:02}")
        for pair, at in told.items()
    ]
    late = [told[each.drug, each.event] >= CUT for each in made]
    test = [each for each, after in zip(made, late, strict=True) if after]
    tried = {each.drug for each in test}
    return Split(
        [each for each, after in zip(made, late, strict=True) if not after and each.drug not in tried], test
    )


def by_date(tried: Sequence[Reference]) -> dict[str, list[Reference]]:
    """References by the quarter of their date."""
    from lab39.solutions.signals.training import quarter_of

    made: dict[str, list[Reference]] = {}
    for each in tried:
        made.setdefault(quarter_of(str(each.date)), []).append(each)
    return made


@dataclass(frozen=True, slots=True)
class Scores:
    """Every pair as the base stood before a quarter, and each score of it [pairs]; names by code."""

    drugs: dict[str, int]
    events: dict[str, int]
    drug: Any
    event: Any
    by_name: dict[str, Any]
    features: Any

    @classmethod
    def of(cls, base: Base, engine: Any, before: str, learned: Trained) -> Scores:
        """Counted and scored; as in the triage, criteria first, then IC025."""
        from lab39.solutions.signals import Store, detect
        from lab39.solutions.signals.training import features, weighed
        from lab39.solutions.signals.triage import triaged

        store = Store(base.folder, before=before)
        table = triaged(detect(store), store, engine, known=base.known)
        columns = {role: table[role].combine_chunks() for role in ("drug", "event")}
        drugs, events = (
            {name: code for code, name in enumerate(each.dictionary.to_pylist())} for each in columns.values()
        )
        drug, event = (np.from_dlpack(each.indices).astype(np.int64) for each in columns.values())
        told: dict[str, Any] = {
            name: np.from_dlpack(table[name].combine_chunks()) for name in ("criteria_met", "ic025", "eb05", "n")
        }
        by_name = {
            "learned weights": weighed(table, learned)["trained_score"].to_numpy(),
            "published components": 1000.0 * told["criteria_met"] + told["ic025"],
            "EB05": told["eb05"],
            "IC025": told["ic025"],
            "raw count": told["n"].astype(float),
        }
        return cls(drugs, events, drug, event, by_name, features(table))

    def places(self, pairs: Sequence[Pair]) -> Any:
        """Where pairs stand; -1 for one that nobody reported [pairs]."""
        key = self.drug * len(self.events) + self.event
        order = np.argsort(key)
        wanted = np.array([
            self.drugs[drug] * len(self.events) + self.events[event]
            if drug in self.drugs and event in self.events else -1
            for drug, event in pairs
        ])  # fmt: skip
        at = np.minimum(np.searchsorted(key[order], wanted), key.size - 1)
        return np.where(key[order][at] == wanted, order[at], -1)


def auc(truth: Any, values: Any) -> float:
    """AUC on the references; what nobody has reported yet is below all that somebody has."""
    from lab39.solutions.signals import evaluation

    told = np.where(np.isnan(values), np.nanmin(values) - 1.0, values)
    return evaluation.auc(told[truth], told[~truth], draws=1).value


def precision(truth: Any, score: Any) -> float:
    """Share of true signals among the first 100."""
    return float(truth[np.argsort(-score, kind="stable")[:TOP]].mean())


def summed(each: list[Found]) -> Found:
    """Means over seeds with their intervals."""
    made: Found = {
        "references": {
            side: {
                kind: interval([row["references"][side][kind] for row in each]) for kind in ("signals", "others")
            }
            for side in ("train", "test")
        },
        "weights": {name: interval([row["weights"][name] for row in each]) for name in each[0]["weights"]},
        "no drug on both sides, dates in order, nothing after the cut used": all(row["sound"] for row in each),
        "shuffled truths, AUC": interval([row["shuffled"] for row in each]),
    }
    for figure in ("auc", "precision@100"):
        made[figure] = {name: interval([row[figure][name] for row in each]) for name in SCORES}
    for figure in ("auc", "precision@100"):
        ahead = [row[figure]["learned weights"] - row[figure]["published components"] for row in each]
        made[f"{figure}, learned less published, same bases"] = interval(ahead)
    return made


def real() -> Found:
    """What the shared alerts and the shared extracts would allow: too little to measure anything."""
    data = (Path(__file__).parent.parent / Settings.from_env().shared / "data" / "signals").resolve()
    if not data.is_dir():
        return {"measured": False, "why": "no shared data"}
    with (data / "reference" / "alert_registry.csv").open(encoding="utf-8", newline="") as file:
        alerts = [(row["alert_date"], row["drug_ingredient"].casefold()) for row in csv.DictReader(file)]
    held = dict(extracts(data / "faers_ascii"))
    earlier = {date: set[str]().union(*(names for day, names in held.items() if day < date)) for date, _ in alerts}
    return {
        "measured": False,
        "why": "the alerts have dates and no opposite: the sets of pairs without a link (OMOP, EU-ADR, Harpaz) "
        "have none; the shared reports are two cut extracts (see reports) and one quarter without dates (2022Q3)",
        "alerts": len(alerts),
        "alerts whose drug is in an extract of before": sum(drug in earlier[date] for date, drug in alerts),
        "needed of each kind": 10,
        "extracts": {day: len(names) for day, names in held.items()},
    }


def extracts(folder: Path) -> Iterator[tuple[str, set[str]]]:
    """The day after each shared extract, and the names of drugs in it."""
    for file in sorted(folder.rglob("DRUG*.[tT][xX][tT]")):
        year, at = 2000 + int(file.name[4:6]), int(file.name[7])
        day = f"{year + at // 4}-{3 * (at % 4) + 1:02}-01"
        lines = file.read_text("utf-8", errors="replace").splitlines()
        columns = [name.lower() for name in lines[0].split("$")]
        places = [columns.index(name) for name in ("drugname", "prod_ai") if name in columns]
        yield day, {line.split("$")[place].strip().casefold() for line in lines[1:] for place in places}


if __name__ == "__main__":
    sys.exit(main())
