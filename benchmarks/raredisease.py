"""Rare diseases beside their peers on published cases: ``python benchmarks/raredisease.py``, or ``make bench``.

Ours in three regimes and Resnik similarity from pyhpo, on the same cases and signs, in one run of some minutes on
two cores. Intervals are 95 % percentile bootstrap over components (cases linked by a disease or a paper).
``--write --on YYYY-MM-DD`` puts the figures on the evidence card.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from card import write_card
from lab39.settings import Settings
from lab39.solutions.raredisease import metrics
from lab39.solutions.raredisease.evaluate import Case
from raredisease_parts import CASES, read
from resampling import DRAWS, Floats, by_disease, components, draws, interval, sums

HERE = Path(__file__).parent
LAB39 = Path(sys.executable).parent / "lab39"
PEERS = {"BMA": "Resnik-BMA (pyhpo)", "funSimAvg": "Resnik funSimAvg (pyhpo)"}
STARTS = 5
RANK = ("raredisease", "rank", "--hpo", "HP:0001166,HP:0001083,HP:0002616", "--json")

Ranks = Sequence[int | None]


def main() -> None:
    """Run, print, write."""
    options = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    options.add_argument("--json", action="store_true", help="one JSON document on standard output")
    options.add_argument("--write", action="store_true", help="put the figures on the evidence card")
    options.add_argument("--on", default="", help="the day of the measurement (YYYY-MM-DD), noted on the card")
    options.add_argument("--sample", type=int, default=0, help="a random part of the cases, to try the script")
    chosen = options.parse_args()
    if chosen.write and (not chosen.on or chosen.sample):
        options.error("--write needs --on YYYY-MM-DD and every case")
    if not (Settings.from_env().shared / CASES).exists():
        raise SystemExit(
            f"{Settings.from_env().shared / CASES} is not there: set LAB39_SHARED to the folder that holds data/, "
            "or make the file as benchmarks/README.md says"
        )
    found = measure(chosen.sample)
    print(json.dumps(found, indent=1) if chosen.json else table(found))
    if chosen.write:
        write_card(found, chosen.on)


def measure(sample: int) -> dict[str, Any]:
    """Run both halves at once, then start the command alone, and put the figures together."""
    subprocess.run([str(LAB39), "data", "prepare"], check=True, capture_output=True)
    with tempfile.TemporaryDirectory() as folder:
        halves = {name: Path(folder) / f"{name}.json" for name in ("ours", "peers")}
        running = {
            name: start([sys.executable, str(HERE / "raredisease_parts.py"), name, str(out), str(sample)])
            for name, out in halves.items()
        }
        peak = {name: finish(process)[1] for name, process in running.items()}
        ours, peers = (json.loads(out.read_text("utf-8")) for out in halves.values())
    starts = []
    for _ in range(STARTS):
        begun = time.perf_counter()
        _, megabytes = finish(start([str(LAB39), *RANK]))
        starts.append((time.perf_counter() - begun, megabytes))
    cases = read(sample)
    return {
        "cases": len(cases),
        "regimes": regimes(cases, ours, peers),
        "leaks": ours["leaks"],
        "random": ours["random"],
        "process_start_s": float(np.median([seconds for seconds, _ in starts])),
        "process_peak_mb": max(megabytes for _, megabytes in starts),
        "evaluation_peak_mb": peak["ours"],
        "peers_peak_mb": peak["peers"],
        "peers_load_s": peers["load_s"],
        "peers_p95_ms": float(np.percentile(peers["milliseconds"], 95)),
        "pyhpo_seconds_a_case": peers["pyhpo_seconds_a_pair"] * peers["diseases"],
        "bootstrap_draws": DRAWS,
        "versions": {**ours["versions"], "lab39": version("lab39"), "pyhpo": version("pyhpo")},
    }


def start(command: Sequence[str]) -> subprocess.Popen[bytes]:
    """A process of which only the errors are shown."""
    return subprocess.Popen(command, stdout=subprocess.DEVNULL)


def finish(process: subprocess.Popen[bytes]) -> tuple[int, float]:
    """Wait for a process; its exit code and the most memory it held (MB).

    Raises:
        SystemExit: it failed.
    """
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"exit {process.returncode}: {process.args!r}")
    return process.returncode, usage.ru_maxrss / 1024


def regimes(cases: Sequence[Case], ours: dict[str, Any], peers: dict[str, Any]) -> dict[str, Any]:
    """For each regime: ours, the peers and the paired differences on the cases in the index, all cases beside."""
    at = {case.id: i for i, case in enumerate(cases)}
    found = {}
    for regime, rows in ours["regimes"].items():
        which = [at[row["id"]] for row in rows]
        source = peers["ranks"]["subtracted" if regime == "own-paper-subtracted" else "as-is"]
        inside = [i for i, row in enumerate(rows) if row["in_index"]]
        taken = [cases[which[i]] for i in inside]
        group = components((case.disease, case.paper) for case in taken)
        shared = Shared([case.disease for case in taken], group)
        mine: Ranks = [rows[i]["rank"] for i in inside]
        theirs: dict[str, Ranks] = {PEERS[c]: [source[c][which[i]] for i in inside] for c in PEERS}
        found[regime] = {
            "n": len(inside),
            "components": len(set(group)),
            "figures": {name: shared.compared(name, mine, theirs) for name in METRICS},
            "ece": shared.calibration(
                [rows[i]["posterior"] for i in inside], [rows[i]["rank"] == 1 for i in inside]
            ),
            "p95_ms": ours["summary"][regime]["p95_ms"],
            "p50_ms": ours["summary"][regime]["p50_ms"],
            "emptied": ours["summary"][regime]["emptied"],
            "stands_out": ours["summary"][regime]["stands_out"],
            "right_when_it_stands_out": _mean([r["rank"] == 1 for r in rows if r["stands_out"]]),
            "all": ours["summary"][regime]["all"],
            "all_peers": {
                PEERS[c]: {f"top{k}": metrics.top([source[c][i] for i in which], k) for k in (1, 3, 10)}
                for c in PEERS
            },
        }
    return found


METRICS: dict[str, Callable[[int | None], float]] = {
    "top1": lambda rank: float(rank == 1),
    "top3": lambda rank: float(rank is not None and rank <= 3),
    "top10": lambda rank: float(rank is not None and rank <= 10),
    "macro_top1": lambda rank: float(rank == 1),
    "mrr": lambda rank: 1 / rank if rank else 0.0,
}


class Shared:
    """Cases with what they share: figures with intervals over components."""

    def __init__(self, disease: Sequence[str], component: Sequence[int]) -> None:
        self.disease, self.component = disease, component
        self.n = len(set(component))
        self.weights: Floats = draws(self.n)

    def compared(self, name: str, mine: Ranks, theirs: dict[str, Ranks]) -> dict[str, Any]:
        """Ours, each peer, and ours minus each peer on the same cases."""
        value = METRICS[name]
        ours = [value(rank) for rank in mine]
        others = {peer: [value(rank) for rank in ranks] for peer, ranks in theirs.items()}
        return {
            "ours": self._figure(name, ours),
            "peers": {peer: self._figure(name, each) for peer, each in others.items()},
            "difference": {
                peer: self._figure(name, [a - b for a, b in zip(ours, each, strict=True)])
                for peer, each in others.items()
            },
        }

    def calibration(self, confidence: Sequence[float], correct: Sequence[bool]) -> dict[str, Any]:
        """Expected calibration error with its interval."""
        bins = metrics.bin_of(confidence)
        gaps = np.array(confidence, dtype=np.float64) - np.array(correct, dtype=np.float64)
        cells = np.zeros((self.n, metrics.BINS))
        np.add.at(cells, (np.array(self.component), bins), gaps)
        size = sums([1.0] * len(confidence), self.component, self.n)
        drawn = np.abs(self.weights @ cells).sum(axis=1) / (self.weights @ size)
        low, high = np.percentile(drawn, [2.5, 97.5])
        return {"value": metrics.calibration_error(confidence, correct), "interval": [float(low), float(high)]}

    def _figure(self, name: str, values: Sequence[float]) -> dict[str, Any]:
        if name.startswith("macro"):
            numerator, denominator = by_disease(values, self.disease, self.component, self.n)
        else:
            numerator = sums(values, self.component, self.n)
            denominator = sums([1.0] * len(values), self.component, self.n)
        low, high = interval(numerator, denominator, self.weights)
        return {"value": float(numerator.sum() / denominator.sum()), "interval": [low, high]}


def table(found: dict[str, Any]) -> str:
    """What was found, for a person."""
    lines = [f"{found['cases']} published cases; {found['versions']}"]
    for regime, row in found["regimes"].items():
        warning = "  ** circular: the annotations were made from the papers of these cases **"
        lines += ["", f"{regime}{warning if regime == 'as-is' else ''}"]
        lines.append(
            f"  {row['n']} cases whose disease is in the annotations, {row['components']} components"
            + (f"; of {row['emptied']} nothing is left without their paper" if row["emptied"] else "")
        )
        for name, figure in row["figures"].items():
            lines.append(f"  {name:>10}  {'Lab39':<26}{_shown(figure['ours'])}")
            for peer, value in figure["peers"].items():
                ahead = _shown(figure["difference"][peer], sign=True)
                lines.append(f"  {'':>10}  {peer:<26}{_shown(value)}   ours minus theirs {ahead}")
        lines.append(f"  {'ece':>10}  {'Lab39':<26}{_shown(row['ece'])}")
        right = row["right_when_it_stands_out"]
        lines.append(
            f"  a disease stands out in {row['stands_out']:.1%}"
            + (f"; it is the right one in {right:.1%} (all cases)" if right is not None else "")
        )
        everyone = {"Lab39": row["all"], **row["all_peers"]}
        for name, each in everyone.items():
            tops = " / ".join(f"{each[f'top{k}']:.1%}" for k in (1, 3, 10))
            lines.append(f"  all {row['all']['n']} cases, top-1/3/10: {name} {tops}")
        lines.append(f"  {row['p50_ms']:.1f} ms a case, 95 % within {row['p95_ms']:.1f} ms")
    leaks, noise = found["leaks"], found["random"]
    as_is = found["regimes"]["as-is"]["p95_ms"]
    return "\n".join(
        [
            *lines,
            "",
            f"leaks: {leaks['pairs']} papers taken out, {leaks['rows_dropped']} rows gone and "
            f"{leaks['rows_reduced']} reduced, nothing left of them; the data state the annotated count of "
            f"{leaks['counts_equal_to_the_data']} of {leaks['counts_of_one_paper']} rows of one paper; "
            f"labels of other diseases are found first in "
            f"{leaks['shuffled_top1']:.2%} of {leaks['shuffled_n']} cases",
            f"random signs (synthetic): a disease stands out for {noise['stands_out']} of {noise['n']}",
            f"lab39 raredisease rank: {found['process_start_s']:.2f} s, {found['process_peak_mb']:.0f} MB at most; "
            f"evaluation {found['evaluation_peak_mb']:.0f} MB",
            f"peers: load {found['peers_load_s']:.1f} s, {found['peers_peak_mb']:.0f} MB, 95 % within "
            f"{found['peers_p95_ms']:.1f} ms a case on arrays (ours / theirs {as_is / found['peers_p95_ms']:.2f}); "
            f"pyhpo's own function {found['pyhpo_seconds_a_case']:.0f} s a case",
        ]
    )


def _shown(figure: dict[str, Any], *, sign: bool = False) -> str:
    form = "+.1f" if sign else ".1f"
    low, high = figure["interval"]
    return f"{100 * figure['value']:{form}} [{100 * low:{form}}, {100 * high:{form}}]"


def _tops(ranks: Ranks) -> dict[str, float]:
    return {f"top{k}": metrics.top(ranks, k) for k in (1, 3, 10)}


def _mean(values: Sequence[bool]) -> float | None:
    return sum(values) / len(values) if values else None


if __name__ == "__main__":
    main()
