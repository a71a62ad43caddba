"""What the audit log costs: entries a second, the whole check, one proof.

    python benchmarks/audit.py [--entries 100000] [--seconds 5] [--url postgresql+psycopg://…]

Each append is a transaction of its own, acknowledged when it is on the disk; ``batched`` is what one transaction of
1,000 entries gives. The database named by ``--url`` must be empty.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import random
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from lab39.settings import Settings
from lab39.store import Store, audit, migrate
from lab39.store.audit import heads, keys, proofs, verification

AT = dt.datetime(2026, 11, 24, 9, 0, tzinfo=dt.UTC)


def append_for(store: Store, seconds: float, writers: int) -> float:
    """Entries a second, one transaction each, from so many threads."""
    until, counts = time.perf_counter() + seconds, [0] * writers

    def write(which: int) -> None:
        while time.perf_counter() < until:
            with store.writing() as tx:
                audit.append(tx, at=AT, actor="person", action="access", subject=f"record-{which}")
            counts[which] += 1

    threads = [threading.Thread(target=write, args=(i,)) for i in range(writers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return round(sum(counts) / seconds, 1)


def fill(store: Store, entries: int) -> float:
    """Entries a second in transactions of 1,000, until there are so many."""
    started = time.perf_counter()
    with store.reading() as tx:
        before = size = audit.state(tx).size
    while size < entries:
        with store.writing() as tx:
            for _ in range(min(1000, entries - size)):
                size += 1
                audit.append(tx, at=AT, actor="person", action="access", subject=f"record-{size % 997}")
    return round((entries - before) / (time.perf_counter() - started), 1)


def measure(settings: Settings, entries: int, seconds: float) -> dict[str, Any]:
    """Everything on one back end."""
    store = Store.of(settings)
    migrate.migrate(store)
    found: dict[str, Any] = {"back_end": store.dialect, "entries": entries}
    found["appends_per_s"] = append_for(store, seconds, 1)
    found["appends_per_s_4_writers"] = append_for(store, seconds, 4)
    found["appends_per_s_batched"] = fill(store, entries)
    started = time.perf_counter()
    heads.sign(store, settings)
    found["sign_ms"] = round((time.perf_counter() - started) * 1000, 1)
    known, trusted = heads.read(settings.heads)[0], keys.trusted(settings.keys)
    started = time.perf_counter()
    assert verification.verify(store, settings.heads, trusted).ok
    found["verify_s"] = round(time.perf_counter() - started, 2)
    rng, times = random.Random(39), []
    for _ in range(100):
        number = rng.randint(1, entries)
        started = time.perf_counter()
        with store.reading() as tx:
            proof = proofs.inclusion(tx, number, known)
        times.append((time.perf_counter() - started) * 1000)
        proofs.verify(proof, trusted)
    found["proof_ms"] = {"median": round(statistics.median(times), 1), "max": round(max(times), 1)}
    store.close()
    return found


def main() -> None:
    """Print the figures as JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--entries", type=int, default=100_000)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--url", default="", help="an empty PostgreSQL database instead of SQLite")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(home=Path(folder), database=options.url)
        json.dump(measure(settings, options.entries, options.seconds), sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
