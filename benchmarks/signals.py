"""Pharmacovigilance measured, one command: ``python benchmarks/signals.py [--rows 1e6,5e6,25e6] [--out FILE]``.

Generated reports (SYNTHETIC: they measure time and memory, not detection), 1, 5 and 25 million rows, go through
``detect``, each size in a process of its own; vigipy's GPS on the counts of 5 million rows, in another environment,
in the same run; the published reference sets on FAERS 2022Q3, the raw count as baseline; EBGM beside openEBGM's
(``signals_gps.py``); 80 small quarters (``signals_quarters.py``, SYNTHETIC); weak signals planted in made-up
reports (``signals_planted.py``, SYNTHETIC), beside vigipy and the raw count; learned weights on the same reports
(``signals_learned.py``). Prints JSON with a verdict for each bar; exit 1 when one is missed. Needs the shared data
and, for the peer, the registry.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import subprocess
import sys
import tempfile
import venv
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

from lab39.settings import Settings
from printing import give

HERE = Path(__file__).parent
PEER = "vigipy==3.5.1"
PEER_ROWS = 5_000_000
Found = dict[str, Any]


def main() -> int:
    """Run and print."""
    options = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    options.add_argument("--rows", default="1e6,5e6,25e6", help="generated rows, a run for each")
    options.add_argument("--memory", type=float, default=1.0, help="memory limit of the engine, in GB")
    options.add_argument("--peer-python", default="", help="Python of an environment that has vigipy 3.5.1")
    options.add_argument("--without-peer", action="store_true")
    options.add_argument("--without-planted", action="store_true", help="without planted signals (half an hour)")
    options.add_argument("--planted-seeds", type=int, default=5, help="made-up bases with planted signals")
    options.add_argument("--work", type=Path, help="folder for the generated reports, kept")
    options.add_argument("--out", type=Path, help="write the JSON there too")
    asked = options.parse_args()
    sizes = [int(float(each)) for each in asked.rows.split(",") if each]
    with tempfile.TemporaryDirectory() as folder:
        work = asked.work or Path(folder)
        work.mkdir(parents=True, exist_ok=True)
        found: Found = {
            "on": dt.datetime.now(dt.UTC).date().isoformat(),
            "versions": {
                name: version(name) for name in ("lab39", "duckdb", "ibis-framework", "numpy", "scipy", "pyarrow")
            },
            "cores": os.cpu_count(),
            "synthetic": {str(rows): scale(rows, work, asked.memory) for rows in sizes},
        }
        python = "" if asked.without_peer else asked.peer_python or peer_python(Path(folder))
        if (work / "pairs.npz").exists() and python:
            found["vigipy"] = run([python, str(HERE / "signals_peer.py"), str(work / "pairs.npz")])
        found["faers22q3"] = faers(work)
        found["openEBGM"] = part("signals_gps.py", Path(folder))
        found["quarters"] = part("signals_quarters.py", Path(folder), "--work", str(work / "quarters"))
        if not asked.without_planted:
            found["planted"] = planted(work / "planted", asked.planted_seeds, python)
            found["learned"] = part("signals_learned.py", Path(folder), "--work", str(work / "planted"))
    verdicts = dict(bars(found))
    found["bars"], found["passed"] = verdicts, all(verdicts.values())
    give(found, asked.out)
    return 0 if found["passed"] else 1


def scale(rows: int, work: Path, memory: float) -> Found:
    """One size: generate (once), then detect in a process of its own."""
    from signals_synthetic import generate

    store = work / str(rows)
    if not (store / "made.json").exists():
        print(f"{rows:,} rows: generating…", file=sys.stderr)
        (store).mkdir(parents=True, exist_ok=True)
        made = generate(rows, store)
        (store / "made.json").write_text(json.dumps(made), "utf-8")
    made = json.loads((store / "made.json").read_text("utf-8"))
    print(f"{rows:,} rows: detecting…", file=sys.stderr)
    command = [sys.executable, str(HERE / "signals_scale.py"), str(store), "--memory", str(memory)]
    if rows == PEER_ROWS:
        command += ["--pairs", str(work / "pairs.npz")]
    return {"rows": made["rows"], **run(command)}


def run(command: list[str]) -> Found:
    """What a part prints, with compiled bytecode and no more threads than cores."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    if done.returncode:
        raise SystemExit(f"{command[1]}: {done.stderr[-2000:]}")
    told: Found = json.loads(done.stdout.strip().splitlines()[-1])
    return told


def peer_python(folder: Path) -> str:
    """The Python of a new environment with vigipy."""
    print("vigipy: installing…", file=sys.stderr)
    venv.create(folder / "peer", with_pip=True)
    python = str(folder / "peer" / "bin" / "python")
    install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", PEER]
    subprocess.run(install, check=True, stdout=subprocess.DEVNULL)
    return python


def faers(work: Path) -> Found | None:
    """FAERS 2022Q3, when the shared data is at hand."""
    data = (HERE.parent / Settings.from_env().shared / "data" / "signals").resolve()
    if not (data / "faers22q3.csv.gz").is_file():
        print("no FAERS 2022Q3 among the shared data", file=sys.stderr)
        return None
    print("FAERS 2022Q3…", file=sys.stderr)
    return run([sys.executable, str(HERE / "signals_reference.py"), str(data), str(work)])


def planted(work: Path, seeds: int, python: str) -> Found:
    """Planted weak signals, synthetic."""
    from signals_planted import ROWS, measured

    print("planted weak signals…", file=sys.stderr)
    return measured(work, ROWS, seeds, min(2, seeds), python)


def part(script: str, folder: Path, *words: str) -> Found | None:
    """What a part that is a benchmark of its own writes; None when it needs shared data that is not there."""
    print(f"{script}…", file=sys.stderr)
    out = folder / f"{script}.json"
    done = subprocess.run(
        [sys.executable, str(HERE / script), *words, "--out", str(out)], stdout=subprocess.DEVNULL
    )
    if done.returncode == 2:
        return None
    if not out.is_file():
        raise SystemExit(f"{script}: ended with {done.returncode}")
    told: Found = json.loads(out.read_text("utf-8"))
    return told


def bars(found: Found) -> Iterator[tuple[str, bool]]:
    """Each bar that this run could measure, and whether it is reached."""
    sizes = found["synthetic"]
    if five := sizes.get("5000000"):
        yield "5 M rows, every score: at most 15 CPU s", five["cpu_s"] <= 15
        yield "5 M rows: at most 1.5 GB", five["peak_mb"] <= 1500
        if peer := found.get("vigipy"):
            yield "at least 5 times faster than vigipy's GPS", peer["gps_cpu_s"] >= 5 * five["gps_truncated_cpu_s"]
    for told, each in found.get("planted", {}).items():
        if isinstance(each, dict) and "triage" in each:
            ours = each["triage on adjusted expectations"]["precision@100"][0]
            for name in ("raw count", "vigipy GPS, its order", "vigipy GPS, lower bound"):
                if name in each:
                    yield f"planted ({told}): precision@100 above {name}", ours > each[name]["precision@100"][0]
    if each := found.get("quarters"):
        yield "80 small quarters: a quarter more costs at most 1.5 times more than among the first", each["passed"]
    if each := found.get("learned"):
        yield "learned weights: no leak", each["no leak"]
    if large := sizes.get("25000000"):
        yield "25 M rows: within 8 GB", large["peak_mb"] <= 8000
        if five:
            yield "growth from 5 to 25 M rows: at most 1.5 times linear", large["cpu_s"] <= 1.5 * 5 * five["cpu_s"]


if __name__ == "__main__":
    sys.exit(main())
