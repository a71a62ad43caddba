"""The vaccination engine, one command: ``python benchmarks/vaccination.py [--write] [--out FILE] [--n 10000]``.

Conformance with every published case, time of one person warm and cold, ten thousand synthetic people in bulk, and
the properties on ten thousand synthetic histories over the schedules of CDC, of the WHO and of France. Prints one
JSON object; ``--write`` puts the figures on the evidence card. Needs the shared data. Exit 1 when a bar is missed.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from statistics import median
from time import perf_counter, process_time
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from card import put
from lab39.settings import Settings
from lab39.solutions.vaccination import Schedule, compile_schedule, run, sources, supporting
from lab39.solutions.vaccination.cases import Case, read_cases
from lab39.solutions.vaccination.compile import load
from lab39.solutions.vaccination.conform import conform, first
from lab39.solutions.vaccination.france import open_france
from vaccination_histories import METHOD, PROPERTIES, Drawer, Violation, check

HERE = Path(__file__).parent
CARD = HERE.parent / "src/lab39/solutions/vaccination/card.toml"
ON = dt.date(2025, 11, 26)
SEED = 39
STARTS = 7
SCHEDULES = ("cdsi", "who-cdsi", "france")
Row = dict[str, Any]


def main() -> int:
    """Run, print, write."""
    options = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    options.add_argument("--data", type=Path, default=Settings.from_env().shared / "data" / "vaccination")
    options.add_argument("--n", type=int, default=10_000, help="synthetic people and histories")
    options.add_argument("--write", action="store_true", help="put the figures on the evidence card")
    options.add_argument("--out", type=Path, help="keep the JSON")
    options.add_argument("--found", type=Path, help="take the JSON that --out kept instead of measuring")
    options.add_argument("--part", nargs=2, metavar=("NAME", "SCHEDULE"), help=argparse.SUPPRESS)
    chosen = options.parse_args()
    if chosen.part:
        name, schedule = chosen.part
        print(json.dumps(PARTS[name](chosen.data, schedule, chosen.n)))
        return 0
    found = json.loads(chosen.found.read_text("utf-8")) if chosen.found else measure(chosen.data, chosen.n)
    if chosen.out:
        chosen.out.write_text(json.dumps(found, ensure_ascii=False, indent=1), "utf-8")
    if chosen.write:
        editions = ", ".join(f"{Path(name).stem}" for name in found["cases"])
        put(CARD, f"{found['on']}, Lab39 {found['lab39']}, {found['schedule']}, {editions}", rows(found))
    verdicts = dict(bars(found))
    print(json.dumps({**found, "bars": verdicts, "passed": all(verdicts.values())}, ensure_ascii=False, indent=1))
    return 0 if all(verdicts.values()) else 1


def measure(data: Path, n: int) -> Row:
    """Everything: what is timed alone first, then the properties of the schedules side by side."""
    folder = newest(data)
    opened = open_schedule(data, "cdsi")
    found: Row = {
        "on": dt.datetime.now(dt.UTC).date().isoformat(),
        "lab39": version("lab39"),
        "schedule": folder.name,
    }
    found["cases"] = {
        path.name: conformance(opened, path) for path in sorted((data / "cdsi-cases").glob("*.jsonl"))
    }
    found["cold"] = cold(folder)
    found["bulk"] = part("bulk", data, "cdsi", n)()
    running = {name: part("properties", data, name, n) for name in SCHEDULES}
    found["properties"] = {name: finish() for name, finish in running.items()}
    return found


def part(name: str, data: Path, schedule: str, n: int) -> Callable[[], Row]:
    """Start a part in a process of its own; the answer waits for it."""
    print(f"{name} {schedule}…", file=sys.stderr)
    command = [sys.executable, str(Path(__file__)), "--data", str(data), "--n", str(n), "--part", name, schedule]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

    def finish() -> Row:
        said, _ = process.communicate()
        if process.returncode:
            raise SystemExit(f"{name} {schedule}: exit {process.returncode}")
        row: Row = json.loads(said)
        return row

    return finish


def newest(data: Path) -> Path:
    """The newest edition among the shared data."""
    folders = sorted(data.glob("cdsi-[0-9]*"))
    if not folders:
        raise SystemExit(f"{data}: no CDSi edition. Set LAB39_SHARED to the folder that holds data/")
    return folders[-1]


def open_schedule(data: Path, name: str) -> Schedule:
    """One of :data:`SCHEDULES`."""
    if name == "france":
        return open_france()
    return compile_schedule(name, supporting.read(newest(data) if name == "cdsi" else data / name))


def conformance(schedule: Schedule, path: Path) -> Row:
    """Figures of ``lab39 vaccination conform``, failing ids with their ruling, and the other way to compare.

    Times are processor time for all vaccine groups, the best of three passages over the cases.
    """
    cases = read_cases(path)
    other = conform(schedule, cases, choose=first)
    found = conform(schedule, cases)
    best = sorted(min(each) for each in zip(*(times(schedule, cases) for _ in range(3)), strict=True))
    return {
        **{key: value for key, value in found.items() if not key.endswith("failures")},
        "p50_ms": round(best[len(best) // 2], 2),
        "p95_ms": round(best[int(0.95 * (len(best) - 1))], 2),
        "compared_with_the_first_forecast": other["passed"],
        "failing": {
            row["id"]: {"wrong": row["wrong"], "rule": (row["adjudication"] or {}).get("rule")}
            for row in found["failures"]
        },
        "doses_failing": [f"{row['id']} {row['date']}" for row in found["dose_failures"]],
    }


def times(schedule: Schedule, cases: list[Case]) -> list[float]:
    """Milliseconds of processor time of each case."""
    found = []
    for case in cases:
        begun = process_time()
        run(schedule, case.patient, case.on)
        found.append(1000 * (process_time() - begun))
    return found


COLD = """
import time; begun = time.perf_counter()
import datetime, pathlib, sys
from lab39.solutions.vaccination.compile import load
from lab39.solutions.vaccination.engine import run
from lab39.solutions.vaccination.outcome import Patient
imported = time.perf_counter()
schedule = load("cdsi", pathlib.Path(sys.argv[1]))
opened = time.perf_counter()
run(schedule, Patient(datetime.date(2024, 1, 1), "Female"), datetime.date(2025, 11, 26))
done = time.perf_counter()
spans = imported - begun, opened - imported, done - opened, done - begun, time.process_time()
print(*(1000 * each for each in spans))
"""


def cold(folder: Path) -> Row:
    """From nothing to the first answer with the schedule already compiled on disk, medians of several processes.

    ``cpu_ms`` is the processor time of the whole process, the interpreter's own start included; the others are
    clock times, which grow with whatever else the machine does.
    """
    with tempfile.TemporaryDirectory() as cache:
        sources.open_folder(folder, Path(cache))
        compiled = next(Path(cache).rglob(sources.KIND))
        times, whole = [], []
        for _ in range(STARTS):
            begun = perf_counter()
            done = subprocess.run(
                [sys.executable, "-c", COLD, str(compiled)], check=True, capture_output=True, text=True
            )
            whole.append(1000 * (perf_counter() - begun))
            times.append([float(each) for each in done.stdout.split()])
        begun_ms = process_time()
        load("cdsi", compiled)
        opening = 1000 * (process_time() - begun_ms)
    names = ("import_ms", "open_ms", "first_answer_ms", "total_ms", "cpu_ms")
    medians = {name: round(median(row[n] for row in times), 1) for n, name in enumerate(names)}
    return {"starts": STARTS, **medians, "process_ms": round(median(whole), 1), "open_cpu_ms": round(opening, 1)}


def bulk(data: Path, schedule: str, n: int) -> Row:
    """Synthetic people one after the other, every vaccine group: seconds, and the most memory held."""
    import resource

    opened = open_schedule(data, schedule)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    drawer = Drawer(opened, SEED)
    doses = due = 0
    spent = []
    for _ in range(n):
        patient = drawer.patient(ON)
        doses += len(patient.doses)
        begun = perf_counter()
        result = run(opened, patient, ON)
        spent.append(perf_counter() - begun)
        due += sum(each.recommended is not None and each.recommended <= ON for each in result.groups)
    seconds = sum(spent)
    spent.sort()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {
        "synthetic": True,
        "people": n,
        "doses": doses,
        "due": due,
        "seconds": round(seconds, 1),
        "a_second": round(n / seconds),
        "p50_ms": round(1000 * spent[n // 2], 2),
        "p95_ms": round(1000 * spent[int(0.95 * (n - 1))], 2),
        "peak_mb": round(peak),
        "peak_before_mb": round(before),
    }


def properties(data: Path, schedule: str, n: int) -> Row:
    """How often each property was tried and broken, by cause, with the smallest example of each."""
    opened = open_schedule(data, schedule)
    drawer = Drawer(opened, SEED)
    tried: Counter[str] = Counter()
    broken: Counter[tuple[str, str]] = Counter()
    smallest: dict[tuple[str, str], Violation] = {}
    for _ in range(n):
        checked, found = check(opened, drawer.patient(ON), ON, drawer)
        tried.update(checked)
        for each in found:
            key = (each.property, each.cause)
            broken[key] += 1
            if key not in smallest or _size(each) < _size(smallest[key]):
                smallest[key] = each
    return {
        "synthetic": True,
        "histories": n,
        "seed": SEED,
        "properties": {
            name: {
                "tried": tried[name],
                "broken": sum(count for (which, _), count in broken.items() if which == name),
                "ours": sum(
                    count for (which, cause), count in broken.items() if which == name and cause not in METHOD[name]
                ),
                "causes": [
                    {"cause": cause, "n": count, "example": _example(smallest[which, cause])}
                    for (which, cause), count in broken.most_common()
                    if which == name
                ],
            }
            for name in PROPERTIES
        },
    }


def _size(found: Violation) -> int:
    return len(found.patient.doses) + len(found.patient.observations)


def _example(found: Violation) -> Mapping[str, object]:
    patient = found.patient
    return {
        "group": found.group,
        "born": patient.birth_date.isoformat(),
        "sex": patient.sex,
        "doses": [f"{each.date} {each.code}" for each in patient.doses],
        "observations": [f"{each.date} {each.code}" for each in patient.observations],
        "then": found.detail,
    }


PARTS = {"bulk": bulk, "properties": properties}


def bars(found: Row) -> Iterator[tuple[str, bool]]:
    """Each bar, and whether it is reached."""
    healthy, conditions = _of(found, "healthy"), _of(found, "conditions")
    yield "healthy: at least 0.995", healthy["rate"] >= 0.995
    yield "conditions: at least 0.95", conditions["rate"] >= 0.95
    doses = sum(each["doses"]["passed"] for each in (healthy, conditions))
    yield "dose verdicts: at least 0.99", doses / sum(e["doses"]["n"] for e in (healthy, conditions)) >= 0.99
    yield (
        "every miss adjudicated",
        all(row["rule"] for each in (healthy, conditions) for row in each["failing"].values()),
    )
    yield "one person: p95 at most 5 ms", max(healthy["p95_ms"], conditions["p95_ms"]) <= 5
    yield "cold with the cache: at most 300 ms", found["cold"]["cpu_ms"] <= 300
    for name, each in found["properties"].items():
        yield (
            f"{name}: no property broken but by the method",
            not any(p["ours"] for p in each["properties"].values()),
        )


def rows(found: Row) -> Iterator[Row]:
    """The rows of the card."""
    edition = found["schedule"].removeprefix("cdsi-")
    for kind, fr, en in (("healthy", "sans maladie", "healthy"), ("conditions", "avec maladie", "with conditions")):
        each, name = _of(found, kind), next(name for name in found["cases"] if kind in name)
        cases = Path(name).stem.rpartition("-")[2]
        where = (
            f"cas publiés {fr} ({cases}), calendrier CDSi {edition}",
            f"published cases, {en} ({cases}), CDSi schedule {edition}",
        )
        yield figure(("cas juste en tout", "case right in full"), where, each["n"], each["rate"])
        kept = each["without_defective"]
        if kept["n"] < each["n"]:
            less = ("cas connus pour défectueux retirés", "cases known to be defective left out")
            both = tuple(f"{a}, {b}" for a, b in zip(where, less, strict=True))
            yield figure(("cas juste en tout", "case right in full"), both, kept["n"], kept["rate"])
        yield figure(("verdict d'une dose", "verdict of a dose"), where, each["doses"]["n"], each["doses"]["rate"])
        words = (
            "une personne, tous les groupes, 95ᵉ centile, meilleur de trois passages",
            "one person, every group, 95th percentile, best of three passages",
        )
        yield figure(words, where, each["n"], each["p95_ms"], unit="ms", lower=True)
    schedule = (f"calendrier CDSi {edition}", f"CDSi schedule {edition}")
    yield figure(
        ("du lancement à la première réponse, calendrier compilé, temps de processeur",
         "start to first answer, schedule compiled, processor time"),
        schedule, found["cold"]["starts"], found["cold"]["cpu_ms"], unit="ms", lower=True,
    )  # fmt: skip
    people = ("personnes tirées au hasard", "people drawn at random")
    lot = found["bulk"]
    for words, value, unit in (
        (("toutes ces personnes, l'une après l'autre", "all of them, one after the other"), lot["seconds"], "s"),
        (("mémoire maximale", "most memory held"), lot["peak_mb"], "MB"),
    ):
        yield {**figure(words, people, lot["people"], value, unit=unit, lower=True), "synthetic": True}
    names = {"cdsi": ("CDSi", "CDSi"), "who-cdsi": ("OMS", "WHO"), "france": ("France", "France")}
    for name, each in found["properties"].items():
        fr, en = names[name]
        where = (f"histoires tirées au hasard, calendrier {fr}", f"drawn histories, {en} schedule")
        checked = each["properties"].values()
        tried, ours = sum(row["tried"] for row in checked), sum(row["ours"] for row in checked)
        method = sum(row["broken"] for row in checked) - ours
        for words, count in (
            (
                ("propriété rompue par la méthode ou les données", "property broken by the method or its data"),
                method,
            ),
            (("propriété rompue par notre faute", "property broken by our own fault"), ours),
        ):
            yield {**figure(words, where, tried, count, unit="checks", lower=True), "synthetic": True}


def figure(
    metric: tuple[str, str],
    dataset: tuple[str, ...],
    n: int,
    ours: float,
    *,
    unit: str = "fraction",
    lower: bool = False,
) -> Row:
    """One row."""
    row: Row = {"metric": _text(metric), "dataset": _text(dataset), "n": n, "unit": unit}
    if lower:
        row["lower_is_better"] = True
    row["ours"] = {"value": round(float(ours), 4)}
    return row


def _text(words: tuple[str, ...]) -> dict[str, str]:
    return {"fr": words[0], "en": words[1]}


def _of(found: Row, kind: str) -> Row:
    row: Row = next(each for name, each in found["cases"].items() if kind in name)
    return row


if __name__ == "__main__":
    sys.exit(main())
