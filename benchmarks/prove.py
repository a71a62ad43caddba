"""Everything the lab promises about what it keeps, tried for long: ``make prove``.

Runs each part as a command of its own and writes ``build/proof.json``: the date, the machine, the figures of each
part and its verdict. Exit 1 when one fails.

    python benchmarks/prove.py [--sample] [--only NAME …] [--out build/proof.json]
"""

from __future__ import annotations

import argparse
import contextlib
import datetime as dt
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from lab39 import __version__

ROOT = Path(__file__).parents[1]
FOLDER = Path(__file__).parent
POSTGRESQL = "{postgresql}"
"""In a command: the URL of an empty database of PostgreSQL, started for the proof."""


@dataclass(frozen=True, slots=True)
class Part:
    """One thing to prove.

    Attributes:
        claim: what it shows when it passes.
        full, sample: what follows the name of the script; a sample takes seconds, and shows that the proof works.
    """

    name: str
    claim: str
    script: str
    full: tuple[str, ...]
    sample: tuple[str, ...]

    def command(self, *, sample: bool) -> list[str]:
        """What is run."""
        return [sys.executable, str(FOLDER / self.script), *(self.sample if sample else self.full)]


PARTS = (
    Part(
        "audit",
        "1,000 alterations, deletions, reorderings, truncations and forks each: all seen against exported heads",
        "prove_audit.py",
        ("--n", "1000"),
        ("--n", "5"),
    ),
    Part(
        "durability",
        "writer and worker killed 100 times during 10,000 transactions: nothing acknowledged lost, no effect twice",
        "prove_durability.py",
        ("--kills", "100", "--writes", "10000"),
        ("--kills", "4", "--writes", "100"),
    ),
    Part(
        "durability-postgresql",
        "the same on PostgreSQL, 100 kills during 2,000 transactions",
        "prove_durability.py",
        ("--kills", "100", "--writes", "2000", "--database", POSTGRESQL),
        ("--kills", "4", "--writes", "100", "--database", POSTGRESQL),
    ),
    Part(
        "http",
        "a served lab killed 100 times (whole, web worker, job worker, supervisor) during 10,000 writes over HTTP: "
        "nothing acknowledged lost, nothing half-written, the audit log verifies",
        "prove_http.py",
        ("--kills", "100", "--writes", "10000"),
        ("--kills", "4", "--writes", "50"),
    ),
    Part(
        "http-postgresql",
        "the same on PostgreSQL, 20 kills during 2,000 writes",
        "prove_http.py",
        ("--kills", "20", "--writes", "2000", "--database", POSTGRESQL),
        ("--kills", "4", "--writes", "50", "--database", POSTGRESQL),
    ),
    Part(
        "load",
        "an assessment over HTTP: p95 at most 300 ms warm; at least 200 small CDS requests a second on 2 cores",
        "http_load.py",
        ("--seconds", "30", "--requests", "300"),
        ("--seconds", "2", "--requests", "20"),
    ),
)


def run(parts: Iterable[Part], *, sample: bool = False) -> dict[str, Any]:
    """The proof: what was run, on what, and what came of it."""
    made: dict[str, Any] = {
        "date": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "lab39": __version__,
        "commit": _commit(),
        "sample": sample,
        "machine": {
            "cores": os.cpu_count(),
            "python": platform.python_version(),
            "system": f"{platform.system()} {platform.machine()}",
            "load_before": round(os.getloadavg()[0], 1),
        },
        "parts": {},
    }
    for part in parts:
        print(f"{part.name}: {part.claim}…", file=sys.stderr, flush=True)
        made["parts"][part.name] = found = _one(part, sample=sample)
        print(f"{part.name}: {found['verdict']} ({found['seconds']} s)", file=sys.stderr, flush=True)
    made["passed"] = bool(made["parts"]) and all(p["verdict"] == "passed" for p in made["parts"].values())
    return made


def _one(part: Part, *, sample: bool) -> dict[str, Any]:
    command = part.command(sample=sample)
    said: dict[str, Any] = {"claim": part.claim, "command": " ".join(command[1:]).replace(f"{ROOT}/", "")}
    began = time.monotonic()
    with _database(POSTGRESQL in command) as url:
        if url is None:
            return said | {"verdict": "not run", "seconds": 0.0, "why": "no PostgreSQL server on this machine"}
        done = subprocess.run(
            [url if word == POSTGRESQL else word for word in command],
            capture_output=True,
            text=True,
            cwd=ROOT,
            check=False,
        )
    said["seconds"] = round(time.monotonic() - began, 1)
    try:
        said["figures"] = json.loads(done.stdout)
    except ValueError:
        said["why"] = done.stderr[-2000:] or "it gave no figures"
    passed = done.returncode == 0 and "figures" in said
    return said | {"verdict": "passed" if passed else "failed"}


@contextlib.contextmanager
def _database(wanted: bool) -> Iterator[str | None]:
    """The URL of an empty database when one is wanted; ``None`` when there is no server to start."""
    if not wanted:
        yield ""
        return
    sys.path.insert(0, str(ROOT))
    servers = import_module("tests.store.postgres")  # the throw-away one of the tests
    if servers.why_absent():
        yield None
        return
    with servers.Cluster() as cluster:
        cluster.create("prove")
        yield cluster.url("prove")


def _commit() -> str | None:
    done = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, cwd=ROOT, check=False)
    return done.stdout.strip() or None


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--sample", action="store_true", help="a small sample of each part")
    parser.add_argument("--only", nargs="+", choices=[part.name for part in PARTS], default=[])
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "proof.json")
    given = parser.parse_args()
    proof = run([part for part in PARTS if not given.only or part.name in given.only], sample=given.sample)
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(json.dumps(proof, indent=1, ensure_ascii=False) + "\n", "utf-8")
    print(f"{given.out}: {'passed' if proof['passed'] else 'FAILED'}")
    return 0 if proof["passed"] else 1


if __name__ == "__main__":
    sys.exit(main())
