"""Generated case reports for measuring time and memory: ``python benchmarks/signals_synthetic.py ROWS DIR``.

SYNTHETIC: drugs and events are drawn from long-tailed frequencies; half of the reports belong to one of 40 areas
that shifts both, so that some pairs are reported more than expected, as in a real base. Its figures say how long
counting and scoring take, never how well anything is detected. ROWS is the number of
report-drug-event rows that the drugs and the events of the reports make together; 5 million make about 2.3 million
distinct pairs, as a few years of FAERS do.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

DRUGS, EVENTS = 4_000, 7_000
MEAN_DRUGS, MEAN_EVENTS = 1.7, 2.6
AREAS = 40
SEED = 39
BATCH = 200_000  # reports


def generate(rows: int, folder: Path, seed: int = SEED) -> dict[str, int]:
    """Write ``reports``, ``drugs`` and ``events`` in Parquet until they make at least ``rows`` rows together."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(seed)
    writers: dict[str, pq.ParquetWriter] = {}
    made = {"reports": 0, "drugs": 0, "events": 0, "rows": 0}

    def write(name: str, table: pa.Table) -> None:
        if name not in writers:
            writers[name] = pq.ParquetWriter(folder / f"{name}.parquet", table.schema, compression="zstd")
        writers[name].write_table(table)
        made[name] += table.num_rows

    while made["rows"] < rows:
        left = (rows - made["rows"]) / (MEAN_DRUGS * MEAN_EVENTS)
        many = max(1_000, min(BATCH, int(left)))
        first = made["reports"]
        area = np.where(random.random(many) < 0.5, random.integers(1, AREAS + 1, many), 0)
        parts = {}
        for name, size, mean, power in (
            ("drugs", DRUGS, MEAN_DRUGS, 1.0),
            ("events", EVENTS, MEAN_EVENTS, 0.95),
        ):
            weight = np.arange(1, size + 1, dtype=float) ** -power
            number = 1 + random.poisson(mean - 1, many)
            report = np.repeat(np.arange(many), number)
            drawn = random.choice(size, report.size, p=weight / weight.sum())
            drawn = (drawn + area[report] * (size // (AREAS + 1))) % size
            key = np.unique(report * size + drawn)  # a report names each once
            parts[name] = (key // size, key % size)
        ids = pa.array([f"S{first + i:09d}" for i in range(many)])
        sex = random.choice(np.array(["F", "M", None], dtype=object), many, p=[0.55, 0.35, 0.10])
        age = np.round(np.clip(random.normal(55, 20, many), 0, 100), 1)
        absent = random.random(many) < 0.3
        write(
            "reports",
            pa.table(
                {
                    "report_id": ids,
                    "sex": pa.array(sex.tolist(), pa.string()),
                    "age_years": pa.array(age, mask=absent),
                    "quarter": [
                        f"{y}Q{q}"
                        for y, q in zip(random.integers(2015, 2025, many), random.integers(1, 5, many), strict=True)
                    ],
                }
            ),
        )
        for name, column, prefix in (("drugs", "drug", "DRUG"), ("events", "event", "EVENT")):
            report, code = parts[name]
            names = pa.array([f"{prefix} {i:05d}" for i in range(DRUGS if name == "drugs" else EVENTS)])
            write(name, pa.table({"report_id": ids.take(pa.array(report)), column: names.take(pa.array(code))}))
        counts = [np.bincount(parts[name][0], minlength=many) for name in ("drugs", "events")]
        made["rows"] += int((counts[0] * counts[1]).sum())
    for writer in writers.values():
        writer.close()
    return made


if __name__ == "__main__":
    print(generate(int(float(sys.argv[1])), Path(sys.argv[2])))
