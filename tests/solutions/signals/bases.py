"""A base of reports small enough to count by hand, and a brute-force count to compare with."""

from __future__ import annotations

import itertools
import random
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

Report = tuple[str, str | None, float | None, str | None, list[str], list[str]]

BY_HAND: list[Report] = [
    # report, sex, age, quarter, drugs, events
    ("1", "F", 30.0, "2020Q1", ["A", "A", " B "], ["rash", "itch"]),  # A named twice, B with blanks
    ("2", "M", 70.0, "2020Q1", ["A"], ["rash"]),
    ("3", None, None, "2020Q2", ["B"], ["itch", "itch"]),
    ("4", "F", 44.9, None, ["C"], ["rash"]),
    ("5", "F", 45.0, "2021Q1", ["C", ""], []),  # an absent name, no event
    ("6", "M", 1.0, "2021Q1", [], ["itch"]),
]


def write_store(folder: Path, reports: list[Report]) -> Path:
    """The three tables of a store."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    folder.mkdir(parents=True, exist_ok=True)
    columns: dict[str, list[Any]] = {
        name: [report[at] for report in reports]
        for at, name in enumerate(("report_id", "sex", "age_years", "quarter"))
    }
    types = [pa.string(), pa.string(), pa.float64(), pa.string()]
    pq.write_table(
        pa.table(
            {name: pa.array(values, kind) for (name, values), kind in zip(columns.items(), types, strict=True)}
        ),
        folder / "reports.parquet",
    )
    for name, column, at in (("drugs", "drug", 4), ("events", "event", 5)):
        rows = [(report[0], value) for report in reports for value in report[at]]
        ids, values = pa.array([row[0] for row in rows]), pa.array([row[1] for row in rows])
        table = pa.table({"report_id": ids, column: values})
        if name == "drugs":
            table = table.append_column("role", pa.array(["C" if row[1] == "C" else "PS" for row in rows]))
        pq.write_table(table, folder / f"{name}.parquet")
    return folder


def generated(many: int, seed: int) -> list[Report]:
    """Reports drawn at random."""
    draw = random.Random(seed)
    drugs, events = [f"D{i}" for i in range(25)], [f"E{i}" for i in range(30)]
    weights_d, weights_e = [1 / (i + 1) for i in range(25)], [1 / (i + 1) for i in range(30)]
    return [
        (
            f"r{i}",
            draw.choice(["F", "M", None]),
            draw.choice([None, round(draw.uniform(0, 95), 1)]),
            draw.choice(["2020Q1", "2020Q2", "2021Q4", None]),
            draw.choices(drugs, weights_d, k=draw.randint(0, 3)),
            draw.choices(events, weights_e, k=draw.randint(0, 4)),
        )
        for i in range(many)
    ]


def brute_force(
    reports: list[Report], stratum: Any = lambda report: 0
) -> tuple[Counter[tuple[str, str]], dict[tuple[str, str], float], Counter[str], Counter[str]]:
    """Pairs, their expectations summed over strata, and the margins, one report after the other."""
    pairs: Counter[tuple[str, str]] = Counter()
    strata: dict[Any, tuple[Counter[str], Counter[str], list[int]]] = defaultdict(
        lambda: (Counter(), Counter(), [0])
    )
    for report in reports:
        drugs = {name.strip() for name in report[4]} - {""}
        events = {name.strip() for name in report[5]} - {""}
        pairs.update(itertools.product(drugs, events))
        of_drug, of_event, size = strata[stratum(report)]
        of_drug.update(drugs)
        of_event.update(events)
        size[0] += 1
    expected = {(d, e): sum(a[d] * b[e] / n[0] for a, b, n in strata.values()) for d, e in pairs}
    n_drug, n_event = Counter[str](), Counter[str]()
    for a, b, _ in strata.values():
        n_drug.update(a)
        n_event.update(b)
    return pairs, expected, n_drug, n_event
