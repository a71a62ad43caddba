"""One run of ``detect`` on a store, measured in its own process by ``signals.py``: CPU, wall clock, peak memory.

``python signals_scale.py STORE [--memory GB] [--by sex,age,year] [--pairs FILE]``; ``--pairs`` keeps the counts for
the peer. CPU seconds are those of the whole process, imports and every thread of the engine included.
"""

from __future__ import annotations

import argparse
import json
import resource
import time
from pathlib import Path


def main() -> None:
    """Measure and print."""
    begun = time.perf_counter()
    options = argparse.ArgumentParser()
    options.add_argument("store", type=Path)
    options.add_argument("--memory", type=float, default=1.0)
    options.add_argument("--by", default="")
    options.add_argument("--pairs", type=Path)
    asked = options.parse_args()

    from lab39.solutions.signals import Store, detect

    by = tuple(name for name in asked.by.split(",") if name)
    found = detect(Store(asked.store), by=by, memory_gb=asked.memory)
    cpu, wall = time.process_time(), time.perf_counter() - begun
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    told = {
        "pairs": found.table.num_rows,
        "reports": found.counts.n_total,
        "strata": found.counts.n_strata,
        "cpu_s": round(cpu, 2),
        "wall_s": round(wall, 2),
        "peak_mb": round(peak),
        "theta": vars_of(found.fit),
    }
    if asked.pairs:
        told |= gps_alone(found.counts)
        keep(found.counts, asked.pairs)
    print(json.dumps(told))


def vars_of(fit: object) -> object:
    """θ as numbers."""
    prior = getattr(fit, "prior", None)
    return (
        [round(getattr(prior, name), 6) for name in ("alpha1", "beta1", "alpha2", "beta2", "p")] if prior else None
    )


def gps_alone(counts: object) -> dict[str, float]:
    """CPU of GPS without the other scores: the fit and its scores of every pair, and the fit as vigipy makes it."""
    from lab39.solutions.signals import Counts, fit_prior, gps

    assert isinstance(counts, Counts)
    told = {}
    for name, zeros in (("gps_zeros", True), ("gps_truncated", False)):
        begun = time.process_time()
        fit = fit_prior(counts, zeros=zeros, likelihood="components" if zeros else "mixture")
        gps.scores(fit.prior, counts.n, counts.expected)
        told[f"{name}_cpu_s"] = round(time.process_time() - begun, 2)
    return told


def keep(counts: object, path: Path) -> None:
    """Codes and counts of the pairs, for a peer in another environment."""
    import numpy as np

    from lab39.solutions.signals import Counts

    assert isinstance(counts, Counts)
    np.savez(path, drug=counts.drug, event=counts.event, n=counts.n)


if __name__ == "__main__":
    main()
