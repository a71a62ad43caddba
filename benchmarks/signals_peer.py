"""vigipy's GPS on the same counts, run in its own environment: ``… PAIRS.npz [SCORES.npz]``.

``signals.py`` asks what it costs, ``signals_planted.py`` for its scores too: the codes of drug and event, EBGM, its
lower bound, in vigipy's own order. It imports nothing of this project. Every pair is scored (``min_events=1``), as
ours are.
"""

from __future__ import annotations

import json
import resource
import sys
import time
import warnings


def main() -> None:
    """Measure and print."""
    import numpy as np
    import pandas as pd
    from vigipy.GPS.GPS import gps  # type: ignore[import-not-found]
    from vigipy.utils.data_prep import convert  # type: ignore[import-not-found]

    warnings.simplefilter("ignore")
    pairs = np.load(sys.argv[1])
    frame = pd.DataFrame(
        {
            "name": [f"D{code:05d}" for code in pairs["drug"]],
            "AE": [f"E{code:05d}" for code in pairs["event"]],
            "count": pairs["n"],
        }
    )
    begun, wall = time.process_time(), time.perf_counter()
    container = convert(frame)
    made = time.process_time()
    found = gps(container, min_events=1)
    if len(sys.argv) > 2:
        table = found.all_signals
        np.savez(
            sys.argv[2],
            drug=[int(name[1:]) for name in table["Product"]],
            event=[int(name[1:]) for name in table["Adverse Event"]],
            ebgm=table["EBGM"].to_numpy(dtype=float),
            low=table["LowerBound"].to_numpy(dtype=float),
        )
    print(
        json.dumps(
            {
                "pairs": len(found.all_signals),
                "table_cpu_s": round(made - begun, 2),
                "gps_cpu_s": round(time.process_time() - made, 2),
                "wall_s": round(time.perf_counter() - wall, 2),
                "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
            }
        )
    )


if __name__ == "__main__":
    main()
