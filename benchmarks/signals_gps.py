"""EBGM as ``detect`` gives it beside openEBGM's on its own data: ``python benchmarks/signals_gps.py [--out FILE]``.

openEBGM fits the prior to the reported pairs, each component truncated at 1; ``detect`` also keeps the pairs that
nobody reported, whose number is known. The prior differs, and with it every score. On caers (product events, the
data of openEBGM, 17,189 pairs) this prints how far: the ratio of ours to theirs for EBGM and EB05, by number of
reports, and the pairs that are signals (EB05 of 2 or more) for one and not the other. Given the same prior both
programs agree to 1e-6 (a test). Needs the shared data. Prints JSON.
"""

from __future__ import annotations

import argparse
import csv
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lab39.settings import Settings
from printing import give

SIGNAL = 2.0
GROUPS = ((1, 1), (2, 2), (3, 9), (10, 10**9))
"""Numbers of reports that are told together."""
Found = dict[str, Any]
Pair = tuple[str, str]


def main() -> int:
    """Run and print."""
    options = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    options.add_argument("--out", type=Path, help="write the JSON there too")
    asked = options.parse_args()
    found = measured()
    if found is None:
        print("no caers among the shared data", file=sys.stderr)
        return 2
    give(found, asked.out)
    return 0


def measured() -> Found | None:
    """Ours beside theirs; None without the shared data."""
    from lab39.solutions.signals import Pairs, detect

    data = (Path(__file__).parent.parent / Settings.from_env().shared / "data" / "signals").resolve()
    golden = data / "golden" / "openEBGM_caers_scores_squashedtheta.csv"
    if not golden.is_file():
        return None
    with golden.open(encoding="utf-8", newline="") as file:
        theirs = {(row["var1"], row["var2"]): row for row in csv.DictReader(file)}
    source = Pairs(data / "openEBGM" / "caers.csv", columns={"report_id": "id", "drug": "var1", "event": "var2"})
    made: Found = {"pairs": len(theirs)}
    for name, options in (
        ("as detect fits", {}),
        ("truncated, each component (as openEBGM)", {"zeros": False}),
        ("truncated, the mixture", {"zeros": False, "likelihood": "mixture"}),
    ):
        found = detect(source, **options)
        assert found.fit is not None
        prior = found.fit.prior
        rows = {(row["drug"], row["event"]): row for row in found.table.to_pylist()}
        if rows.keys() != theirs.keys():
            raise SystemExit(f"{len(rows.keys() ^ theirs.keys())} pairs are not those of openEBGM")
        made[name] = {
            "prior": [round(x, 4) for x in (prior.alpha1, prior.beta1, prior.alpha2, prior.beta2, prior.p)],
            "mean ratio of the prior": round(prior.mean, 3),
        } | compared(rows, theirs)
    return made


def compared(rows: dict[Pair, Found], theirs: dict[Pair, dict[str, str]]) -> Found:
    """Ratios of ours to theirs, and the signals of each."""
    from scipy.stats import spearmanr

    pairs = sorted(theirs)
    n = np.array([rows[pair]["n"] for pair in pairs])
    made: Found = {}
    for ours, other in (("ebgm", "EBGM"), ("eb05", "EB05")):
        mine, their = (
            np.array([float(each[pair][name]) for pair in pairs]) for each, name in ((rows, ours), (theirs, other))
        )
        ratio = mine / their
        made[other] = {"all": spread(ratio)} | {
            (f"{low}" if low == high else f"{low} to {high}" if high < 10**9 else f"{low} or more"): spread(
                ratio[(n >= low) & (n <= high)]
            )
            for low, high in GROUPS
        }
        if other == "EB05":
            ours_told, their_told = mine >= SIGNAL, their >= SIGNAL
            made["EB05 of 2 or more"] = {
                "ours": int(ours_told.sum()),
                "openEBGM": int(their_told.sum()),
                "both": int((ours_told & their_told).sum()),
            }
            made["rank correlation of EB05"] = round(float(spearmanr(mine, their).statistic), 4)
    return made


def spread(ratio: NDArray[np.float64]) -> Found:
    """Smallest, median and largest ratio."""
    low, middle, high = np.quantile(ratio, [0, 0.5, 1]).round(3).tolist()
    return {"pairs": int(ratio.size), "least": low, "median": middle, "most": high}


if __name__ == "__main__":
    sys.exit(main())
