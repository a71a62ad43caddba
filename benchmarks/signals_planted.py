"""Planted weak signals: who finds them, how early. ``python benchmarks/signals_planted.py [--seeds 5]``.

SYNTHETIC: made-up reports (``lab39 signals simulate``), never a clinical figure. True signals of few reports, some
masked, among decoys: drugs given with another whose reaction it is, waves of notoriety, one report sent again and
again. Every method ranks the same pairs, those that are not known reactions; the share of true signals among the
first 50 and 100, the share of the true signals among the first 200, and, as the base grows, the quarters between a
signal's first quarter and the first time it is among the first 100. Mean over seeds with a 95 % interval (Student).

The generator and the triage are of one house: the range of counts, the countries and the better told reports that
the triage looks for are how the generator plants. ``documented=1`` takes the last of these away. Prints JSON.
Fifteen minutes of processor time with the defaults; with ``--work``, a run that was stopped goes on where it was.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from printing import give

ROWS = 3e5
TOP, RECALL_AT = 100, 200
FEW = (3, 30)
"""The range of counts that is one of the triage's criteria: every other method is ranked within it as well."""
CUTS = (4, 6, 8, 10, 12, 14, 16)
"""The base is ranked as it stood after so many quarters."""
KEPT = "found.json"
"""What a base gave, kept beside it: with ``--work``, a run that was stopped takes up where it was."""
Found = dict[str, Any]
Pair = tuple[str, str]


def main() -> int:
    """Run and print."""
    options = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    options.add_argument("--rows", type=float, default=ROWS)
    options.add_argument("--seeds", type=int, default=5)
    options.add_argument("--timed-seeds", type=int, default=2, help="seeds of which the quarters are followed")
    options.add_argument("--peer-python", default="", help="Python of an environment that has vigipy 3.5.1")
    options.add_argument("--without-peer", action="store_true")
    options.add_argument("--work", type=Path, help="folder for what is made, kept")
    options.add_argument("--out", type=Path, help="write the JSON there too")
    asked = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        work = asked.work or Path(folder)
        peer = ""
        if not asked.without_peer:
            from signals import peer_python

            peer = asked.peer_python or peer_python(Path(folder))
        found = measured(work, asked.rows, asked.seeds, asked.timed_seeds, peer)
    give(found, asked.out)
    return 0


def measured(work: Path, rows: float, seeds: int, timed: int, peer: str) -> Found:
    """Both generators, every seed."""
    made: Found = {"synthetic": True, "rows": rows, "seeds": seeds, "quarters_seeds": timed}
    for name, documented in (("better told reports", 0.8), ("reports told alike", 1.0)):
        each = []
        for seed in range(1, seeds + 1):
            print(f"{name}, seed {seed}…", file=sys.stderr)
            each.append(one(work / f"{documented}-{seed}", rows, seed, documented, peer))
        made[name] = summed(each)
    made["quarters"] = quarters(work, rows, timed, peer)
    return made


def one(folder: Path, rows: float, seed: int, documented: float, peer: str) -> Found:
    """One base: made once, ranked by each method."""
    base = Base.made(folder, rows, seed, documented)
    if (kept := folder / KEPT).is_file():
        return dict(json.loads(kept.read_text("utf-8")))
    ranked, told = base.ranked(peer, "")
    found: Found = {"bystanders and masked": told, "methods": {}}
    for name, order in ranked.items():
        truth = base.is_true(order)
        found["methods"][name] = {
            "precision@50": float(truth[:50].mean()),
            "precision@100": float(truth[:TOP].mean()),
            "recall@200": float(truth[:RECALL_AT].sum() / len(base.true)),
            "first 100": dict(Counter(base.kinds.get(pair, "other") for pair in order[:TOP])),
        }
    kept.write_text(json.dumps(found), "utf-8")
    return found


class Base:
    """A made-up store with its truth."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        rows = self._read("truth.csv")
        self.kinds = {(row["drug"], row["event"]): row["kind"] for row in rows}
        self.since = {(row["drug"], row["event"]): row["first_quarter"] for row in rows}
        self.known = {(row["drug"], row["event"]) for row in self._read("known.csv")}
        self.true = {pair for pair, kind in self.kinds.items() if kind in ("signal", "masked")}

    @classmethod
    def made(cls, folder: Path, rows: float, seed: int, documented: float) -> Base:
        """The store of a seed, made when it is not there."""
        from lab39.solutions.signals.simulate import simulate

        if not (folder / "known.csv").is_file():
            simulate(folder, rows=rows, seed=seed, documented=documented)
        return cls(folder)

    def _read(self, name: str) -> list[dict[str, str]]:
        with (self.folder / name).open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    def is_true(self, pairs: list[tuple[str, str]]) -> NDArray[np.bool_]:
        """Which are true signals."""
        return np.array([pair in self.true for pair in pairs])

    def ranked(self, peer: str, before: str) -> tuple[dict[str, list[tuple[str, str]]], Found]:
        """The pairs that are not known reactions, best first by each method, as the base stood before a quarter."""
        from lab39.solutions.signals import Store, detect, opened
        from lab39.solutions.signals.adjusted import design, rgps
        from lab39.solutions.signals.triage import triaged

        store = Store(self.folder, before=before)
        found = detect(store)
        assert found.fit is not None
        begun = time.process_time()
        with opened() as engine:
            adjusted = rgps(design(store, engine), found.fit.prior)
            spent = time.process_time() - begun
            alone = triaged(found, store, engine, known=self.known)
            both = triaged(found, store, engine, known=self.known, adjusted=adjusted)
        pairs = list(zip(alone["drug"].to_pylist(), alone["event"].to_pylist(), strict=True))
        er = {(row["drug"], row["event"]): row for row in adjusted.to_pylist()}
        scores: dict[str, NDArray[Any]] = {
            "triage": -alone["triage_rank"].to_numpy(),
            "triage on adjusted expectations": -both["triage_rank"].to_numpy(),
            "EB05": alone["eb05"].to_numpy(),
            "IC025": alone["ic025"].to_numpy(),
            "RGPS ER05": np.array([er[pair]["er05"] for pair in pairs]),
            "raw count": alone["n"].to_numpy(),
        }
        if peer:
            scores |= self._peer(peer, found, pairs)
        new = np.array([pair not in self.known for pair in pairs])
        few = new & (alone["n"].to_numpy() >= FEW[0]) & (alone["n"].to_numpy() <= FEW[1])
        made = {}
        for name, score in scores.items():
            for window, mine in (("", new), (f" ({FEW[0]} to {FEW[1]} reports)", few)):
                if not (window and name.startswith("triage")):
                    at = np.flatnonzero(mine)
                    order = at[np.argsort(-score[at].astype(float), kind="stable")]
                    made[name + window] = [pairs[each] for each in order[:1000]]
        return made, self._told(alone, er, spent)

    def _peer(self, peer: str, found: Any, pairs: list[tuple[str, str]]) -> dict[str, NDArray[Any]]:
        """vigipy's order and its lower bound, on the same counts."""
        from signals import HERE, run

        counts = found.counts
        np.savez(self.folder / "pairs.npz", drug=counts.drug, event=counts.event, n=counts.n)
        scores = self.folder / "vigipy.npz"
        run([peer, str(HERE / "signals_peer.py"), str(self.folder / "pairs.npz"), str(scores)])
        told = np.load(scores)
        drugs, events = counts.drugs.to_pylist(), counts.events.to_pylist()
        place = {pair: at for at, pair in enumerate(pairs)}
        at = [place[drugs[d], events[e]] for d, e in zip(told["drug"], told["event"], strict=True)]
        order, low = np.full(len(pairs), -np.inf), np.full(len(pairs), -np.inf)
        order[at] = -np.arange(len(at), dtype=float)
        low[at] = told["low"]
        return {"vigipy GPS, its order": order, "vigipy GPS, lower bound": low}

    def _told(self, table: Any, er: Any, spent: float) -> Found:
        """What adjustment does to bystanders and to masked signals: medians of EBGM and of the adjusted ratio."""
        rows = {(row["drug"], row["event"]): row for row in table.select(["drug", "event", "ebgm"]).to_pylist()}
        made: Found = {"cpu_s": round(spent, 1)}
        for kind in ("confounded", "masked", "signal"):
            mine = [pair for pair, each in self.kinds.items() if each == kind and pair in rows]
            if mine:
                made[kind] = {
                    "EBGM": float(np.median([rows[pair]["ebgm"] for pair in mine])),
                    "adjusted": float(np.median([er[pair]["er"] for pair in mine])),
                }
        return made


def summed(each: list[Found]) -> Found:
    """Means over seeds with their intervals."""
    made: Found = {}
    for name in each[0]["methods"]:
        rows = [found["methods"][name] for found in each]
        kinds = Counter[str]()
        for row in rows:
            kinds.update(row["first 100"])
        made[name] = {
            figure: interval([row[figure] for row in rows])
            for figure in ("precision@50", "precision@100", "recall@200")
        } | {"first 100": {kind: round(count / len(rows), 1) for kind, count in kinds.most_common()}}
    told = [found["bystanders and masked"] for found in each]
    made["adjustment"] = {
        kind: {which: interval([row[kind][which] for row in told]) for which in ("EBGM", "adjusted")}
        for kind in ("confounded", "masked", "signal")
    } | {"cpu_s": interval([row["cpu_s"] for row in told])}
    return made


def interval(values: list[float]) -> list[float]:
    """Mean and 95 % interval over seeds."""
    from scipy.stats import t

    x = np.array(values)
    half = 0.0 if x.size < 2 else float(t.ppf(0.975, x.size - 1) * x.std(ddof=1) / np.sqrt(x.size))
    return [round(float(v), 3) for v in (x.mean(), x.mean() - half, x.mean() + half)]


def first_of(base: Base, peer: str, before: str) -> dict[str, list[Pair]]:
    """The first 100 of each method as the base stood before a quarter, kept beside the base."""
    kept = base.folder / f"before-{before}.json"
    if not kept.is_file():
        ranked, _ = base.ranked(peer, before)
        kept.write_text(json.dumps({name: order[:TOP] for name, order in ranked.items()}), "utf-8")
    told = json.loads(kept.read_text("utf-8"))
    return {name: [(drug, event) for drug, event in order] for name, order in told.items()}


def quarters(work: Path, rows: float, seeds: int, peer: str) -> Found:
    """Quarters from a signal's first to the cut at which it is among the first 100; never is told apart."""
    from lab39.solutions.signals.simulated_rows import quarter

    numbers = {quarter(at): at for at in range(max(CUTS))}
    delays: dict[str, list[float]] = {}
    for seed in range(1, seeds + 1):
        base = Base.made(work / f"0.8-{seed}", rows, seed, 0.8)
        reached: dict[str, dict[tuple[str, str], int]] = {}
        for cut in CUTS:
            print(f"seed {seed}, {cut} quarters…", file=sys.stderr)
            for name, order in first_of(base, peer, quarter(cut)).items():
                for pair in order:
                    reached.setdefault(name, {}).setdefault(pair, cut)
        for name, first in reached.items():
            delays.setdefault(name, []).extend(
                first[pair] - numbers[base.since[pair]] if pair in first else np.inf for pair in sorted(base.true)
            )
    made: Found = {}
    for name, values in delays.items():
        found = [value for value in values if np.isfinite(value)]
        made[name] = {
            "signals": len(values),
            "found": len(found),
            "median of those found": float(np.median(found)) if found else None,
            "within 8 quarters": round(float(np.mean(np.array(values) <= 8)), 3),
        }
    return made


if __name__ == "__main__":
    sys.exit(main())
