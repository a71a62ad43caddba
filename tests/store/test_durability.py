"""A sample of the long proof: processes are killed while they write, nothing acknowledged is lost."""

from __future__ import annotations

from pathlib import Path

from benchmarks.prove_durability import prove

from lab39.store import Store


def test_killed_writers_and_workers_lose_nothing_and_do_nothing_twice(store: Store, tmp_path: Path):
    url = store.url
    store.close()
    report = prove(3, 60, database=url, folder=tmp_path / "home")
    assert report["failures"] == {}
    assert report["kills"] == {"writer": 2, "worker": 1}
    assert report["passed"] == report["total"] >= 60
