"""Kill writers and workers while they write, again and again, and see that nothing acknowledged is lost.

A writer adds, in one transaction each time, an event, a job and an audit entry, and says so on its standard output
once the transaction is saved: that is an acknowledgement. A worker does the jobs: one half writes its effect in the
database together with its completion, the other half tells a receiver outside it, which deduplicates by key. Both
are killed (``SIGKILL``) at random moments. At the end, on a quiet database, everything acknowledged must be there
once.

Run ``python benchmarks/prove_durability.py --kills 100 --writes 10000`` (``--database URL`` for an empty database
of PostgreSQL). Prints one JSON object; ends with 1 when anything was lost or done twice.
"""

from __future__ import annotations

import argparse
import collections
import datetime as dt
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from lab39.core.background import JobKind
from lab39.settings import Settings
from lab39.store import Store, audit, events, jobs
from lab39.store.audit import keys, verification
from lab39.store.context import OpenTransaction
from lab39.store.jobs import State
from lab39.store.migrate import migrate
from lab39.store.registry import Registry
from lab39.store.work import Work
from lab39.store.worker import Worker

LEASE = dt.timedelta(seconds=2)
INSIDE, OUTSIDE = "prove.inside", "prove.outside"
effects = sa.Table("prove_effects", sa.MetaData(), sa.Column("number", sa.Integer, nullable=False))
"""No constraint forbids an effect twice: it would be seen."""


def write(settings: Settings) -> None:
    """The writer: one number a transaction, that of its event, acknowledged after it."""
    store = Store.of(settings)
    while True:
        with store.writing() as tx:
            at = store.clock()
            number = events.publish(tx, "prove.written", {}, at=at).sequence
            jobs.add(tx, INSIDE if number % 2 else OUTSIDE, {"number": number}, str(number), at=at)
            audit.append(tx, at=at, actor="", action="job", about={"number": number})
        os.write(1, f"{number}\n".encode())


def inside(tx: OpenTransaction, work: Work) -> None:
    """An effect in the database."""
    tx.connection.execute(effects.insert().values(number=work.payload["number"]))


def registry(receiver: Path) -> Registry:
    """Both kinds of jobs; the receiver is a file that every worker appends to."""

    def outside(work: Work) -> None:
        handle = os.open(receiver, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        os.write(handle, f"{work.payload['number']}\n".encode())
        os.close(handle)

    kinds = [
        JobKind(name=INSIDE, handler=inside, takes_tx=True, max_attempts=1000),
        JobKind(name=OUTSIDE, handler=outside, max_attempts=1000),
    ]
    return Registry.of(kinds)


def prove(
    kills: int, writes: int, *, seed: int = 1, database: str = "", folder: Path | None = None
) -> dict[str, Any]:
    """Kill, restart, and count.

    Args:
        kills: how often a process is killed, writers and workers in turn.
        writes: transactions of the writers, at the least: they go on until every kill was done.
        database: URL of an empty database; a SQLite file when empty.
        folder: where files go; a temporary one when not given.
    """
    if folder is None:
        with tempfile.TemporaryDirectory() as made:
            return prove(kills, writes, seed=seed, database=database, folder=Path(made))
    folder.mkdir(parents=True, exist_ok=True)
    settings = Settings(home=folder, database=database)
    store = Store.of(settings)
    migrate(store)
    effects.create(store.engine)
    began = time.monotonic()
    receiver = folder / "receiver"
    killed, acknowledged = _trouble(settings, receiver, kills, writes, random.Random(seed))
    seconds = time.monotonic() - began
    time.sleep(LEASE.total_seconds())  # leases of the last one killed
    Worker(store, settings, registry(receiver), lease=LEASE).run_until_idle()
    report = _count(store, settings, receiver, acknowledged)
    store.close()
    return {"kills": killed, "dialect": store.dialect, "seconds": round(seconds, 1), **report}


def _trouble(
    settings: Settings, receiver: Path, kills: int, writes: int, chance: random.Random
) -> tuple[dict[str, int], list[int]]:
    killed = {"writer": 0, "worker": 0}
    acknowledged: list[int] = []
    running = {role: _start(role, settings) for role in killed}
    heard = ""
    marks = dict.fromkeys(killed, 0)
    try:
        while sum(killed.values()) < kills or len(acknowledged) < writes:
            time.sleep(chance.uniform(0.02, 0.25))
            for role, process in running.items():
                if process.poll() is not None:
                    raise RuntimeError(f"the {role} ended by itself with {process.returncode}")
            heard += os.read(_stdout(running["writer"]), 1 << 16).decode()
            whole, _, heard = heard.rpartition("\n")
            acknowledged += [int(line) for line in whole.split("\n") if line]
            role = "writer" if killed["writer"] <= killed["worker"] else "worker"
            done = {"writer": len(acknowledged), "worker": receiver.stat().st_size if receiver.exists() else 0}
            paced = len(acknowledged) * kills >= writes * sum(killed.values())  # spread over the writes
            if sum(killed.values()) >= kills or not paced or done[role] == marks[role]:
                continue  # a process is killed at work, not while it starts
            acknowledged += _kill(running[role], heard if role == "writer" else "")
            killed[role] += 1
            if role == "writer":
                heard = ""
            marks[role] = len(acknowledged) if role == "writer" else receiver.stat().st_size
            running[role] = _start(role, settings)
    finally:
        for role, process in running.items():
            acknowledged += _kill(process, heard if role == "writer" else "")
    return killed, acknowledged


def _start(role: str, settings: Settings) -> subprocess.Popen[bytes]:
    command = [sys.executable, str(Path(__file__).resolve()), "--as", role]
    env = os.environ | {"LAB39_HOME": str(settings.home), "LAB39_DATABASE_URL": settings.database_url}
    return subprocess.Popen(command, env=env, stdout=subprocess.PIPE)


def _kill(process: subprocess.Popen[bytes], heard: str) -> list[int]:
    """Kill it; what it acknowledged and was not read yet."""
    process.send_signal(signal.SIGKILL)
    rest, _ = process.communicate()
    *whole, _cut = (heard + rest.decode()).split("\n")
    return [int(line) for line in whole if line]


def _stdout(process: subprocess.Popen[bytes]) -> int:
    assert process.stdout is not None
    return process.stdout.fileno()


def _count(store: Store, settings: Settings, receiver: Path, acknowledged: Sequence[int]) -> dict[str, Any]:
    with store.reading() as tx:
        queued = {job.payload["number"]: job for job in jobs.find(tx, limit=10**7) if job.payload is not None}
        told = [event.sequence for event in events.find(tx, limit=10**7)]
        done = collections.Counter(tx.scalars(sa.select(effects.c.number)))
    sent = collections.Counter(int(line) for line in receiver.read_text().split()) if receiver.exists() else {}
    checked = verification.verify(store, settings.heads, keys.trusted(settings.keys))
    failures: dict[str, list[Any]] = {
        "lost": sorted(set(acknowledged) - (set(queued) & set(told))),
        "acknowledged twice": [n for n, count in collections.Counter(acknowledged).items() if count > 1],
        "a gap in events": [found for place, found in enumerate(told, 1) if found != place],
        "job not done": [n for n, job in queued.items() if job.state is not State.DONE],
        "effect lost": [n for n in queued if (n % 2 and not done[n]) or (n % 2 == 0 and not sent.get(n))],
        "effect twice": [n for n, count in done.items() if count > 1],
        "half a transaction": sorted(set(queued) ^ set(told)),
        "audit": [str(problem) for problem in checked.problems],
    }
    if checked.size != len(queued):
        failures["audit"].append(f"{checked.size} entries, {len(queued)} jobs")
    total = len(acknowledged)
    return {
        "total": total,
        "passed": total - len(set(failures["lost"])),
        "written": len(queued),
        "job_attempts_lost_to_kills": sum(job.attempts - 1 for job in queued.values()),
        "sent_again_with_the_same_key": sum(sent.values()) - len(sent),
        "audit_entries": checked.size,
        "failures": {name: found[:20] for name, found in failures.items() if found},
    }


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--writes", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--database", default="")
    parser.add_argument("--as", dest="role", choices=["writer", "worker"], help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.role:
        settings = Settings.from_env()
        if given.role == "writer":
            write(settings)
        else:
            Worker(Store.of(settings), settings, registry(settings.home / "receiver"), lease=LEASE).run()
        return 0
    report = prove(given.kills, given.writes, seed=given.seed, database=given.database)
    print(json.dumps(report, indent=1))
    return 1 if report["failures"] else 0


if __name__ == "__main__":
    sys.exit(main())
