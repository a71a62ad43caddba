"""How fast the doors for systems are: a lab served as operators do, a real database, every request audited.

``python benchmarks/http_load.py [--seconds 10] [--clients 16] [--requests 120]`` prints one JSON object:

- ``assess``: ``POST /fhir/$assess`` on whole records (Synthea if the shared data is there, else the examples), one
  after the other, one process, warm. Bar: p95 at most 300 ms.
- ``cds``: ``POST /cds-services/lab39-patient-view`` with a small prefetch (the patient, two conditions, two
  prescriptions), several clients at once, two processes. Bar: at least 200 a second on two cores, which the clients
  share.
- ``cds_with_a_sign``: the same with one HPO-coded sign, which the ranking of rare diseases then reads. No bar.
- ``cds_about_an_order``: ``order-select`` for a medicine that interacts with one of three others. No bar.

Exit 1 when a bar is missed. ``packs`` are those that solutions could read: what is not installed costs no time.
``cpu_ms`` is what one call costs the server; ``load`` is the load of the machine when a part began: on a busy
machine the other figures say little.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import served
from lab39.core.lab import Lab
from lab39.settings import Settings
from lab39.store import Store, audit
from lab39.web.api.cds.catalogue import prefetches
from lab39.web.api.cds.samples import PATIENT_VIEW

ROOT = Path(__file__).parents[1]
P95_MS, A_SECOND = 300.0, 200.0
WARM_SECONDS = 3.0
CALLS_A_CONNECTION = 20
"""Then a client connects again, and may meet the other process."""
CONDITIONS = ("44054006", "38341003")
MEDICINES = ("6809", "29046")
TAKEN, CHOSEN = ("B01AA12", "A10BA02", "C09AA05"), "C01BD01"


def small() -> dict[str, Any]:
    """A call with the patient, two conditions (SNOMED CT) and two prescriptions (RxNorm)."""
    subject = {"reference": "Patient/fictional-1"}
    conditions = [
        {
            "resourceType": "Condition",
            "id": f"c{code}",
            "code": {"coding": [{"system": "http://snomed.info/sct", "code": code}]},
            "subject": subject,
        }
        for code in CONDITIONS
    ]
    medicines = [
        {
            "resourceType": "MedicationRequest",
            "id": f"m{code}",
            "status": "active",
            "intent": "order",
            "medicationCodeableConcept": {
                "coding": [{"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": code}]
            },
            "subject": subject,
        }
        for code in MEDICINES
    ]
    prefetch: dict[str, Any] = dict.fromkeys((p.key for p in prefetches()), None)
    prefetch |= {"patient": PATIENT_VIEW["prefetch"]["patient"]}
    for key, rows in (("conditions", conditions), ("medicationrequests", medicines)):
        prefetch[key] = {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": r} for r in rows]}
    return PATIENT_VIEW | {"prefetch": prefetch}


def about_an_order() -> dict[str, Any]:
    """A call about amiodarone, just chosen for somebody who takes fluindione and two other medicines (ATC)."""
    subject = {"reference": "Patient/fictional-1"}

    def order(code: str, status: str) -> dict[str, Any]:
        return {
            "resourceType": "MedicationRequest",
            "id": code,
            "status": status,
            "intent": "order",
            "medicationCodeableConcept": {"coding": [{"system": "http://www.whocc.no/atc", "code": code}]},
            "subject": subject,
        }

    body = small()
    body["hook"] = "order-select"
    body["context"] = body["context"] | {
        "selections": [f"MedicationRequest/{CHOSEN}"],
        "draftOrders": {"resourceType": "Bundle", "entry": [{"resource": order(CHOSEN, "draft")}]},
    }
    rows = [{"resource": order(code, "active")} for code in TAKEN]
    body["prefetch"]["medicationrequests"] = {"resourceType": "Bundle", "type": "searchset", "entry": rows}
    return body


@contextmanager
def serving(workers: int, home: Path) -> Iterator[served.Lab]:
    """A lab that answers; stopped at the end."""
    lab = served.Lab(home, env={"LAB39_API_RATE": "1000000 per second"})
    lab.start("--workers", str(workers), "--no-jobs")
    try:
        yield lab
    finally:
        lab.stop()


class Client:
    """One connection kept open; the least work for the machine that also runs the server."""

    def __init__(self, server: served.Lab, path: str, media: str) -> None:
        self._server = server
        head = f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1:{server.port}\r\ncontent-type: {media}\r\ncontent-length: "
        self._head = head.encode()

    async def __aenter__(self) -> Client:
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._server.port)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._writer.close()

    async def send(self, body: bytes) -> tuple[int, float]:
        """The status of one request and what it took, in seconds."""
        began = time.perf_counter()
        self._writer.write(self._head + str(len(body)).encode() + b"\r\n\r\n" + body)
        head = await self._reader.readuntil(b"\r\n\r\n")
        fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:] if b": " in line)
        await self._reader.readexactly(int(fields[b"content-length"]))
        return int(head.split(b" ", 2)[1]), time.perf_counter() - began


def records(shared: Path) -> tuple[str, list[bytes]]:
    """Whole records, and where they come from."""
    synthea = sorted((shared / "data/fhir/synthea-r4").glob("*.json"))
    if synthea:
        return "synthea-r4", [path.read_bytes() for path in synthea]
    return "examples", [path.read_bytes() for path in sorted((ROOT / "examples").glob("*.json"))]


async def one_by_one(server: served.Lab, bodies: list[bytes], requests: int) -> list[float]:
    """Seconds each assessment took, warm."""
    took = []
    async with Client(server, "/fhir/$assess?on=2026-11-24", "application/fhir+json") as client:
        for i in range(len(bodies) + requests):
            status, seconds = await client.send(bodies[i % len(bodies)])
            assert status == 200, status
            if i >= len(bodies):
                took.append(seconds)
    return took


async def at_once(server: served.Lab, service: str, body: bytes, clients: int, seconds: float) -> list[float]:
    """Seconds each call took, from several clients for a time."""
    took: list[float] = []

    async def one(until: float, keep: bool) -> None:
        while time.monotonic() < until:
            async with Client(server, f"/cds-services/lab39-{service}", "application/json") as client:
                for _ in range(CALLS_A_CONNECTION):
                    status, each = await client.send(body)
                    assert status == 200, status
                    if keep:
                        took.append(each)
                    if time.monotonic() >= until:
                        break

    for keep, lasting in ((False, WARM_SECONDS), (True, seconds)):
        until = time.monotonic() + lasting
        await asyncio.gather(*(one(until, keep) for _ in range(clients)))
    return took


def cpu_seconds(pid: int) -> float:
    """What a process and its children have used, those that ended included."""
    found = 0.0
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if pid in (int(status.parent.name), int(fields[1])):
            found += sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")
    return found


def calls(home: Path, document: dict[str, Any], asked: argparse.Namespace) -> dict[str, Any]:
    """One load on two processes."""
    body, service = json.dumps(document).encode(), document["hook"]
    before, load = audited(home), os.getloadavg()[0]
    with serving(2, home) as server:
        assert server.process is not None
        asyncio.run(at_once(server, service, body, asked.clients, 0.0))
        used, began = cpu_seconds(server.process.pid), time.perf_counter()
        took = asyncio.run(at_once(server, service, body, asked.clients, asked.seconds))
        lasted, used = time.perf_counter() - began, cpu_seconds(server.process.pid) - used
    kept = audited(home) - before
    return {
        "bytes": len(body),
        "clients": asked.clients,
        "processes": 2,
        "requests": len(took),
        "per_second": round(len(took) / (lasted - WARM_SECONDS), 1),
        **spread(took),
        "cpu_ms": round(1000 * used / max(1, len(took)) * (lasted - WARM_SECONDS) / lasted, 2),
        "audited": kept >= len(took),
        "load": round(load, 1),
    }


def spread(took: list[float]) -> dict[str, float]:
    """The middle, the slow end and the slowest, in milliseconds."""
    ranked = sorted(took)
    at = {"p50_ms": 0.50, "p95_ms": 0.95, "p99_ms": 0.99}
    found = {name: round(1000 * ranked[int(share * (len(ranked) - 1))], 1) for name, share in at.items()}
    return found | {"max_ms": round(1000 * ranked[-1], 1)}


def audited(home: Path) -> int:
    """How many assessments the audit log holds."""
    store = Store.of(Settings(home=home))
    with store.reading() as tx:
        size = audit.state(tx).size
    store.close()
    return size


def main() -> int:
    """Run every part and print what they gave."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--requests", type=int, default=120)
    asked = parser.parse_args()
    settings = Settings.from_env()
    with tempfile.TemporaryDirectory(prefix="lab39-http-") as folder:
        home = Path(folder)
        if settings.packs.is_dir():
            (home / "packs").symlink_to(settings.packs, target_is_directory=True)
        packs = Lab.discover(Settings(home=home)).packs
        result: dict[str, Any] = {
            "cores": os.cpu_count(),
            "python": sys.version.split()[0],
            "packs": [name for name in packs.specs if packs.has(name)],
        }
        source, bodies = records((ROOT / settings.shared).resolve())
        load = os.getloadavg()[0]
        with serving(1, home) as server:
            took = asyncio.run(one_by_one(server, bodies, asked.requests))
        sizes = [len(body) for body in bodies]
        result["assess"] = {
            "records": source,
            "bytes": [min(sizes), max(sizes)],
            "requests": len(took),
            "processes": 1,
            **spread(took),
            "load": round(load, 1),
        }
        result["cds"] = calls(home, small(), asked)
        result["cds_with_a_sign"] = calls(home, PATIENT_VIEW, asked)
        result["cds_about_an_order"] = calls(home, about_an_order(), asked)
    result["passed"] = (
        result["assess"]["p95_ms"] <= P95_MS
        and result["cds"]["per_second"] >= A_SECOND
        and result["cds"]["audited"]
    )
    print(json.dumps(result, indent=1))
    return 0 if result["passed"] else 1


if __name__ == "__main__":
    sys.exit(main())
