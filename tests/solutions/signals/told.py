"""A store whose reports tell more than drugs and events, its components worked out one report after the other."""

from __future__ import annotations

import random
from collections import defaultdict
from pathlib import Path
from typing import Any

from lab39.solutions.signals.completeness import facts, onset_penalty

Row = dict[str, Any]

REPORT = {
    "source": ["faers", "vaers", "e2b", "csv x"],
    "sex": ["F", "M", None, "unknown"],
    "age_years": [None, 4.0, 50.5],
    "age_group": [None, "adult"],
    "country": [None, "FR", "US", "de"],
    "reporter": [None, "physician"],
    "report_type": [None, "spontaneous"],
    "narrative": [None, "It began…", "  "],
    "quarter": [None, "2019Q1", "2019Q4", "2020Q1", "2020Q2", "2020Q3", "2021Q2"],
    "serious": [None, True, False],
    "outcome": [None, "recovered", "unknown"],
    "event_date": [None, "2020-01-05", "2020-01", "2020"],
}
DRUG = {
    "start_date": [None, "2019-12-30", "2020-01", "2019", "2020-01-04", "2020"],
    "indication": [None, "Pain"],
    "dose": [None, "1 mg"],
    "role": ["PS", "C"],
}
EVENT = {"onset": [None, None, "2020-01-07", "2021"], "outcome": [None, "fatal", "unknown"]}


def drawn(many: int, seed: int) -> tuple[list[Row], list[Row], list[Row]]:
    """Reports, drugs and events drawn at random; some reports name a drug or an event twice."""
    draw = random.Random(seed)
    reports, drugs, events = [], [], []
    for at in range(many):
        key = f"r{at}"
        reports.append({"report_id": key, **{name: draw.choice(values) for name, values in REPORT.items()}})
        for name in draw.choices(["A", "B", "C", "D"], k=draw.randint(1, 3)):
            drugs.append({"report_id": key, "drug": name, **{n: draw.choice(v) for n, v in DRUG.items()}})
        for name in draw.choices(["rash", "itch", "fever"], k=draw.randint(1, 2)):
            events.append({"report_id": key, "event": name, **{n: draw.choice(v) for n, v in EVENT.items()}})
    return reports, drugs, events


def write(folder: Path, reports: list[Row], drugs: list[Row], events: list[Row]) -> Path:
    """The three tables in Parquet."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in (("reports", reports), ("drugs", drugs), ("events", events)):
        pq.write_table(pa.Table.from_pylist(rows), folder / f"{name}.parquet")
    return folder


def by_hand(
    reports: list[Row], drugs: list[Row], events: list[Row], *, latest: int, quarters: int
) -> dict[tuple[str, str], Row]:
    """The components of each pair."""
    report_of = {row["report_id"]: row for row in reports}
    drugs_of, events_of = defaultdict(lambda: defaultdict(list)), defaultdict(lambda: defaultdict(list))
    for row in drugs:
        drugs_of[row["report_id"]][row["drug"]].append(row)
    for row in events:
        events_of[row["report_id"]][row["event"]].append(row)
    made: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for key, report in report_of.items():
        for drug, drug_rows in drugs_of[key].items():
            for event, event_rows in events_of[key].items():
                made[drug, event].append({**report, "score": _score(report, drug_rows, event_rows)})
    return {pair: _summed(rows, latest, quarters) for pair, rows in made.items()}


def _score(report: Row, drug_rows: list[Row], event_rows: list[Row]) -> float:
    penalty, out = facts().penalty, facts().not_carried.get(report["source"], frozenset())
    told = {
        "sex": report["sex"] in ("F", "M"),
        "country": bool(report["country"]),
        "reporter": bool(report["reporter"]),
        "type": bool(report["report_type"]),
        "comments": bool((report["narrative"] or "").strip()),
        "indication": any(row["indication"] for row in drug_rows),
        "dose": any(row["dose"] for row in drug_rows),
        "outcome": any(
            x not in (None, "unknown") for x in [report["outcome"], *[r["outcome"] for r in event_rows]]
        ),
    }
    score = 1.0
    for name, there in told.items():
        score *= 1.0 if there or name in out else 1 - penalty[name]
    if report["age_years"] is None:
        score *= 1 - (facts().age_group if report["age_group"] else penalty["age"])
    starts = [row["start_date"] for row in drug_rows if row["start_date"]]
    onsets = [row["onset"] for row in event_rows if row["onset"]]
    return score * (1 - onset_penalty(min(starts, default=None), min(onsets, default=report["event_date"])))


def _number(quarter: str) -> int:
    return int(quarter[:4]) * 4 + int(quarter[5]) - 1


def _summed(rows: list[Row], latest: int, quarters: int) -> Row:
    dated = [_number(row["quarter"]) for row in rows if row["quarter"]]
    countries = {row["country"].upper() for row in rows if row["country"]}
    narratives = [row for row in rows if row["source"] != "faers"]
    return {
        "n": len(rows),
        "completeness": sum(row["score"] for row in rows) / len(rows),
        "informative": sum(row["score"] >= 0.9 - 1e-9 for row in rows),
        "recent": sum(q > latest - quarters for q in dated) if dated else None,
        "previous": sum(latest - 2 * quarters < q <= latest - quarters for q in dated) if dated else None,
        "countries": len(countries) or None,
        "serious": sum(row["serious"] is True for row in rows)
        if any(r["serious"] is not None for r in rows)
        else None,
        "serious_told": sum(row["serious"] is not None for row in rows),
        "narratives": sum(bool((r["narrative"] or "").strip()) for r in narratives) if narratives else None,
    }
