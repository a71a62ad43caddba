"""Conformance on every published case, and time: ``python benchmarks/vaccination.py SCHEDULE CASES…``.

SCHEDULE is a folder or zip of CDSi supporting data, CASES are JSON lines. Writes one JSON object: per file the
figures of ``lab39 vaccination conform --json`` without the list of failures, and ``cold_ms``, the processor time
to open the schedule from its compiled form.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from time import process_time

from lab39.solutions.vaccination import sources
from lab39.solutions.vaccination.cases import read_cases
from lab39.solutions.vaccination.compile import load
from lab39.solutions.vaccination.conform import conform


def main(schedule: Path, files: list[Path]) -> None:
    """Print the figures."""
    with tempfile.TemporaryDirectory() as folder:
        opened = sources.open_folder(schedule, Path(folder))
        compiled = next(Path(folder).rglob(sources.KIND))
        begun = process_time()
        load(schedule.name, compiled)
        cold_ms = 1000 * (process_time() - begun)
    figures = {}
    for file in files:
        found = conform(opened, read_cases(file))
        figures[file.name] = {
            **{key: value for key, value in found.items() if not key.endswith("failures")},
            "failing": [row["id"] for row in found["failures"]],
        }
    print(json.dumps({"cold_ms": round(cold_ms, 1), "files": figures}, indent=1))


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(str(__doc__))
    main(Path(sys.argv[1]), [Path(each) for each in sys.argv[2:]])
