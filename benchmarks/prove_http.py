"""Kill a served lab while it is written to over HTTP, again and again, and see that nothing acknowledged is lost.

The lab is the one of ``lab39 serve``: a supervisor, two web workers, a worker for jobs. Clients assess records,
keep records and change them; another program queues messages, which the worker sends to a receiver. At random
moments the whole lab is killed (``SIGKILL``), or one web worker, or the worker for jobs, or the supervisor alone;
what must be started again is started again. At the end:

- every assessment that was answered is in the audit log, every record and version that was answered is there to the
  byte, with its assessment and its trace in the audit log, and no record is half there;
- every message that was queued is sent, and sent again only under the same key;
- the audit log verifies against every head that was exported meanwhile; no head has disappeared.

    python benchmarks/prove_http.py [--kills 100] [--writes 10000] [--database postgresql+psycopg://…]
"""

from __future__ import annotations

import argparse
import collections
import datetime as dt
import hashlib
import http.client
import http.server
import json
import random
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from lab39.store import Store, assessments, audit, consents, outbox, people, records, tokens
from lab39.store.audit import keys, verification
from lab39.store.audit.log import rows
from lab39.store.people import Role
from served import JOBS, WEB, Lab

CLIENTS = 8
MESSAGE_EVERY = 25
"""Writes for one message."""
IDLE_WITHIN_SECONDS = 180.0
"""A job whose worker was killed is taken again when its lease of a minute ends."""
PURPOSE = "notices"


@dataclass
class Acknowledged:
    """What the lab said was done."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    assessed: set[str] = field(default_factory=set)
    kept: dict[tuple[str, int], str] = field(default_factory=dict)
    queued: set[str] = field(default_factory=set)
    unanswered: int = 0
    refused: collections.Counter[int] = field(default_factory=collections.Counter)

    @property
    def total(self) -> int:
        """Writes that were acknowledged."""
        return len(self.assessed) + len(self.kept) + len(self.queued)


class Receiver:
    """Takes messages, and counts them by key."""

    def __init__(self) -> None:
        self.seen: collections.Counter[str] = collections.Counter()
        seen = self.seen

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers.get("content-length", "0")))
                seen[self.headers["Idempotency-Key"]] += 1
                self.send_response(204)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                """Quiet."""

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        """For Apprise."""
        return f"json://127.0.0.1:{self.server.server_address[1]}"


class Client(threading.Thread):
    """Writes without end, one request after the other; what was not answered does not count as done."""

    def __init__(self, lab: Lab, token: str, number: int, done: Acknowledged, over: threading.Event) -> None:
        super().__init__(name=f"client-{number}", daemon=True)
        self.lab, self.number, self.done, self.over = lab, number, done, over
        self.token = token
        self.chance = random.Random(number)
        self.connection: http.client.HTTPConnection | None = None
        self.mine: list[tuple[str, int]] = []

    def run(self) -> None:
        """Until told that it is over."""
        count = 0
        while not self.over.is_set():
            count += 1
            patient = {"resourceType": "Patient", "id": f"p{self.number}-{count}", "birthDate": "1950-01-01"}
            text = json.dumps(patient)
            way: Callable[[str], None] = self._keep
            if self.chance.random() < 0.6:
                way = self._assess
            elif self.mine and self.chance.random() < 0.3:
                way = self._change
            try:
                way(text)
            except ConnectionRefusedError:
                self._hang_up()
                self.over.wait(0.1)
            except (OSError, http.client.HTTPException, ValueError):
                self._hang_up()
                with self.done.lock:
                    self.done.unanswered += 1
                self.over.wait(0.02)
        self._hang_up()

    def _assess(self, text: str) -> None:
        path = self.chance.choice(("/api/v1/assess", "/fhir/$assess"))
        if self._send("POST", f"{path}?on=2026-11-24", text)[0] == 200:
            with self.done.lock:
                self.done.assessed.add(hashlib.sha256(text.encode()).hexdigest())

    def _keep(self, text: str) -> None:
        status, answer = self._send("POST", "/api/v1/records", text)
        if status == 201:
            self.mine.append((answer["id"], 1))
            with self.done.lock:
                self.done.kept[answer["id"], 1] = text

    def _change(self, text: str) -> None:
        record, version = self.mine.pop()
        status, _ = self._send("PUT", f"/api/v1/records/{record}/document", text, {"If-Match": f'"{version}"'})
        if status == 200:
            self.mine.append((record, version + 1))
            with self.done.lock:
                self.done.kept[record, version + 1] = text

    def _send(self, method: str, path: str, text: str, more: dict[str, str] | None = None) -> tuple[int, Any]:
        if self.connection is None:
            self.connection = http.client.HTTPConnection("127.0.0.1", self.lab.port, timeout=60)
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/fhir+json", **(more or {})}
        self.connection.request(method, path, text.encode(), headers)
        answer = self.connection.getresponse()
        read = json.loads(answer.read())
        if answer.status >= 300:
            with self.done.lock:
                self.done.refused[answer.status] += 1
        return answer.status, read

    def _hang_up(self) -> None:
        if self.connection is not None:
            self.connection.close()
        self.connection = None


class Trouble:
    """One run: the lab, those who write to it, and who kills it."""

    def __init__(self, folder: Path, database: str, seed: int) -> None:
        self.receiver = Receiver()
        env = {"LAB39_APPRISE": f"mail={self.receiver.url}", "LAB39_API_RATE": "1000000 per second"}
        self.lab = Lab(folder / "home", database=database, env=env | {"LAB39_URL": "http://127.0.0.1"})
        self.chance = random.Random(seed)
        self.done = Acknowledged()
        self.over = threading.Event()
        self.killed: collections.Counter[str] = collections.Counter()
        self.started: list[float] = []
        self.orphaned: list[float] = []
        self.heads: dict[str, bytes] = {}

    def run(self, kills: int, writes: int) -> None:
        """Until so many were killed and so many writes acknowledged; then the lab is left to end its work."""
        self.started.append(self.lab.start())
        token, person = self._somebody()
        clients = [Client(self.lab, token, n, self.done, self.over) for n in range(CLIENTS)]
        for each in clients:
            each.start()
        store, mark = self.lab.store(), 0
        try:
            while sum(self.killed.values()) < kills or self.done.total < writes:
                time.sleep(self.chance.uniform(0.02, 0.2))
                self._queue(store, person)
                sofar = sum(self.killed.values())
                paced = self.done.total * kills >= writes * sofar  # spread over the writes
                if sofar < kills and paced and self.done.total > mark:  # killed at work, not while it starts
                    self._kill(("all", WEB, JOBS, "supervisor")[sofar % 4])
                    mark = self.done.total
        finally:
            self.over.set()
            for each in clients:
                each.join()
        self._until_idle(store)
        store.close()
        code = self.lab.stop()
        if code:
            raise RuntimeError(f"the lab ended with {code}: {self.lab.said}")

    def _somebody(self) -> tuple[str, str]:
        store = self.lab.store()
        with store.writing() as tx:
            at = store.clock()
            made = people.add(tx, name="Ana", email="ana@example.org", given=[Role.PROFESSIONAL], at=at)
            consents.give(tx, made.id, PURPOSE, wording="1", channel="web", at=at)
            _, token = tokens.add(tx, made.id, name="prove", lasts=dt.timedelta(days=1), at=at)
        store.close()
        return token, made.id

    def _queue(self, store: Store, person: str) -> None:
        while len(self.done.queued) * MESSAGE_EVERY < self.done.total:
            with store.writing() as tx:
                link = {"link": self.lab.url}
                made = outbox.add(tx, person, "lab.notice", link, purpose=PURPOSE, at=store.clock())
            self.done.queued.add(made.id)

    def _kill(self, what: str) -> None:
        self._copy_heads()
        if what in (WEB, JOBS):
            if not self.lab.kill_one(what, self.chance.randrange(2)):
                return
        elif what == "supervisor":
            self.orphaned.append(self.lab.kill_supervisor())
            self.started.append(self.lab.start())
        else:
            self.lab.kill()
            self.started.append(self.lab.start())
        self.killed[what] += 1

    def _copy_heads(self) -> None:
        for path in self.lab.settings.heads.glob("*.head.json"):
            self.heads.setdefault(path.name, path.read_bytes())

    def _until_idle(self, store: Store) -> None:
        until = time.monotonic() + IDLE_WITHIN_SECONDS
        while time.monotonic() < until:
            with store.reading() as tx:
                if outbox.counts(tx)[outbox.State.QUEUED] == 0:
                    return
            time.sleep(0.2)

    def report(self) -> dict[str, Any]:
        """What was found in the database at the end."""
        self._copy_heads()
        store, done = self.lab.store(), self.done
        with store.reading() as tx:
            said = [json.loads(row.entry) for row in rows(tx) if row.entry]
            texts = {(row.record_id, row.number): row.document for row in tx.execute(sa.select(records.versions))}
            stored = set(tx.scalars(sa.select(records.records.c.id)))
            found = {
                (row.record_id, row.version)
                for row in tx.execute(
                    sa.select(assessments.assessments.c.record_id, assessments.assessments.c.version)
                )
            }
            states = {m.id: m.state for m in outbox.find(tx, limit=10**7)}
            size = audit.state(tx).size
        assessed = {entry["about"].get("sha256") for entry in said if entry["action"] == "assessment"}
        uploaded = {(e["subject"], e["about"]["version"]) for e in said if e["action"] == "upload"}
        told = {entry["about"]["message"] for entry in said if entry["action"] == "message"}
        checked = verification.verify(store, self.lab.settings.heads, keys.trusted(self.lab.settings.keys))
        present = {path.name: path.read_bytes() for path in self.lab.settings.heads.glob("*.head.json")}
        sent = {m for m, state in states.items() if state is outbox.State.SENT}
        failures: dict[str, list[Any]] = {
            "assessment lost": sorted(done.assessed - assessed),
            "record lost": sorted(key for key, text in done.kept.items() if texts.get(key) != text),
            "record without a version": sorted(stored - {record for record, _ in texts}),
            "version without its assessment": sorted(set(texts) - found),
            "version without its audit entry": sorted(set(texts) ^ uploaded),
            "message lost": sorted(done.queued - sent),
            "message sent, not received": sorted(sent - set(self.receiver.seen)),
            "message without its audit entry": sorted(sent ^ told),
            "message under another key": sorted(set(self.receiver.seen) - set(states)),
            "audit": [str(problem) for problem in checked.problems],
            "head gone": sorted(name for name, text in self.heads.items() if present.get(name) != text),
        }
        if checked.covered != size:
            failures["audit"].append(f"{size} entries, {checked.covered} covered by the last head")
        if store.dialect == "sqlite":
            with store.reading() as tx:
                whole = tx.exec_driver_sql("PRAGMA integrity_check").scalar_one()
            failures["database"] = [] if whole == "ok" else [whole]
        store.close()
        lost = sum(len(failures[name]) for name in ("assessment lost", "record lost", "message lost"))
        answered = {"assessments": len(done.assessed), "versions": len(done.kept), "messages": len(done.queued)}
        return {
            "dialect": store.dialect,
            "total": done.total,
            "passed": done.total - lost,
            "kills": dict(self.killed),
            "acknowledged": answered,
            "unanswered": done.unanswered,
            "refused": dict(done.refused),
            "messages_sent_again_with_the_same_key": sum(self.receiver.seen.values()) - len(self.receiver.seen),
            "audit_entries": size,
            "heads": len(present),
            "start_seconds": _spread(self.started),
            "orphans_ended_within_seconds": _spread(self.orphaned),
            "failures": {name: found[:20] for name, found in failures.items() if found},
        }


def prove(
    kills: int, writes: int, *, seed: int = 1, database: str = "", folder: Path | None = None
) -> dict[str, Any]:
    """One run, in a folder of its own; what it found."""
    if folder is None:
        with tempfile.TemporaryDirectory(prefix="lab39-prove-") as made:
            return prove(kills, writes, seed=seed, database=database, folder=Path(made))
    trouble, began = Trouble(folder, database, seed), time.monotonic()
    try:
        trouble.run(kills, writes)
        return {"seconds": round(time.monotonic() - began, 1), **trouble.report()}
    finally:
        trouble.over.set()
        trouble.lab.kill()
        trouble.receiver.server.shutdown()
        trouble.receiver.server.server_close()


def _spread(seconds: list[float]) -> dict[str, float] | None:
    if not seconds:
        return None
    return {"median": round(statistics.median(seconds), 2), "longest": round(max(seconds), 2)}


def main() -> int:
    """Print the report; exit 1 when anything acknowledged was lost or stands half-written."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--writes", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--database", default="", help="URL of an empty database; SQLite when absent")
    given = parser.parse_args()
    report = prove(given.kills, given.writes, seed=given.seed, database=given.database)
    print(json.dumps(report, indent=1))
    return 1 if report["failures"] else 0


if __name__ == "__main__":
    sys.exit(main())
