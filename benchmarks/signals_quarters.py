"""Twenty years of small quarters: ``python benchmarks/signals_quarters.py [--quarters 10,20,40,80]``.

SYNTHETIC: made-up extracts in the form of FAERS (a tenth of the reports are later versions of cases of earlier
quarters), which measure time and memory, never detection. For each number of quarters, by the commands that a user
types, each in a process of its own: every quarter but the last ingested at once, ``detect``, the last one added,
``detect`` again, ``compare``. CPU seconds (user and system, imports included) and peak memory of each step; adding
the last one is done ``--repeat`` times, each on a copy of the store, and its median counts. Prints JSON; exit 1
when a quarter more costs over 1.5 times more with many quarters than with few.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from printing import give

FIRST_YEAR = 2004
DRUGS, EVENTS, AREAS = 900, 1500, 30
FOLLOW_UPS = 0.1
SEED = 39
HEADERS = {
    "DEMO": "primaryid$caseid$caseversion$i_f_code$event_dt$mfr_dt$init_fda_dt$fda_dt$rept_cod$auth_num$mfr_num"
    "$mfr_sndr$lit_ref$age$age_cod$age_grp$sex$e_sub$wt$wt_cod$rept_dt$to_mfr$occp_cod$reporter_country"
    "$occr_country",
    "DRUG": "primaryid$caseid$drug_seq$role_cod$drugname$prod_ai$val_vbm$route$dose_vbm$cum_dose_chr$cum_dose_unit"
    "$dechal$rechal$lot_num$exp_dt$nda_num$dose_amt$dose_unit$dose_form$dose_freq",
    "REAC": "primaryid$caseid$pt$drug_rec_act",
}
"""Columns of an extract of the present form, those that a quarter cannot do without and no other table."""
Found = dict[str, Any]


def main() -> int:
    """Run and print."""
    options = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    options.add_argument("--quarters", default="10,20,40,80")
    options.add_argument("--reports", type=int, default=2000, help="reports of a quarter")
    options.add_argument("--repeat", type=int, default=5, help="times that the last quarter is added")
    options.add_argument("--work", type=Path, help="folder for what is made, kept")
    options.add_argument("--out", type=Path, help="write the JSON there too")
    asked = options.parse_args()
    sizes = sorted(int(each) for each in asked.quarters.split(","))
    with tempfile.TemporaryDirectory() as folder:
        work = asked.work or Path(folder)
        extracts = made(work / f"extracts-{asked.reports}", max(sizes), asked.reports)
        steps = {str(many): measured(work / f"store-{many}", extracts[:many], asked.repeat) for many in sizes}
    growth = dict(grown(steps, sizes))
    found: Found = {
        "synthetic": True,
        "reports_of_a_quarter": asked.reports,
        "steps": steps,
        "growth": growth,
        "passed": all(each <= 1.5 for each in growth.values()),
    }
    give(found, asked.out)
    return 0 if found["passed"] else 1


def made(folder: Path, many: int, reports: int) -> list[Path]:
    """The extracts, a folder a quarter, written when they are not there."""
    random = np.random.default_rng(SEED)
    cases: list[tuple[int, int]] = []  # number and version of each case so far
    folders = []
    for at in range(many):
        code = f"{(FIRST_YEAR + at // 4) % 100:02}Q{at % 4 + 1}"
        place = folder / code
        folders.append(place)
        tables = drawn(random, cases, at, reports)
        if not place.is_dir():
            place.mkdir(parents=True)
            for name, rows in tables.items():
                text = "\r\n".join([HEADERS[name], *rows]) + "\r\n"
                (place / f"{name}{code}.txt").write_text(text, "utf-8", newline="")
    return folders


def drawn(random: np.random.Generator, cases: list[tuple[int, int]], at: int, reports: int) -> dict[str, list[str]]:
    """The rows of a quarter: new cases, and later versions of some of those before."""
    rows: dict[str, list[str]] = {name: [] for name in HEADERS}
    follow = int(FOLLOW_UPS * reports) if len(cases) > reports else 0
    again = random.choice(len(cases), follow, replace=False).tolist() if follow else []
    for place in again:
        number, version = cases[place]
        cases[place] = (number, version + 1)
    new = [(1_000_000 + len(cases) + step, 1) for step in range(reports - len(again))]
    told = [cases[place] for place in again] + new
    cases.extend(new)
    day = f"{FIRST_YEAR + at // 4}{3 * (at % 4) + 2:02}15"
    columns = HEADERS["DEMO"].split("$")
    names = named(random, len(told))
    ages, sexes = random.integers(1, 95, len(told)), random.random(len(told)) < 0.6
    for (number, version), (drugs, events), age, sex in zip(told, names, ages, sexes, strict=True):
        key = f"{number}{version}"
        values = {
            "primaryid": key, "caseid": str(number), "caseversion": str(version), "i_f_code": "I",
            "event_dt": day, "init_fda_dt": day, "fda_dt": day, "rept_cod": "EXP", "age": str(age), "age_cod": "YR",
            "sex": "F" if sex else "M", "reporter_country": "US", "occr_country": "US",
        }  # fmt: skip
        rows["DEMO"].append("$".join(values.get(column, "") for column in columns))
        for seq, drug in enumerate(drugs, 1):
            name = f"DRUG {drug:04}"
            rows["DRUG"].append(f"{key}${number}${seq}${'PS' if seq == 1 else 'SS'}${name}${name}" + "$" * 14)
        rows["REAC"].extend(f"{key}${number}$Event {event:04}$" for event in events)
    return rows


def named(random: np.random.Generator, many: int) -> Iterator[tuple[set[int], set[int]]]:
    """Drugs and events of each report: long-tailed, and half of the reports of an area that shifts both."""
    area = np.where(random.random(many) < 0.5, random.integers(1, AREAS, many), 0)
    parts: list[tuple[NDArray[Any], NDArray[Any], int]] = []
    for size, mean in ((DRUGS, 1.6), (EVENTS, 2.3)):
        weight = 1.0 / np.arange(1, size + 1)
        number = 1 + random.poisson(mean - 1, many)
        codes = random.choice(size, int(number.sum()), p=weight / weight.sum())
        codes = (codes + np.repeat(area, number) * (size // AREAS)) % size
        parts.append((codes, np.append(0, np.cumsum(number)), size))
    for at in range(many):
        drugs, events = ({int(code) for code in codes[ends[at] : ends[at + 1]]} for codes, ends, _ in parts)
        yield drugs, events


def measured(store: Path, extracts: list[Path], times: int) -> Found:
    """Each step with what it cost."""
    last, before = str(extracts[-1]), [str(each) for each in extracts[:-1]]
    where = ["--store", str(store)]
    print(f"{len(extracts)} quarters…", file=sys.stderr)
    return {
        "ingest": step(["signals", "ingest", *before, *where]),
        "detect": step(["signals", "detect", *where, "--name", "before"]),
        "ingest one more": repeated(last, store, times),
        "detect again": step(["signals", "detect", *where, "--name", "after"]),
        "compare": step(["signals", "compare", str(store / "runs" / "before"), str(store / "runs" / "after")]),
    }


def repeated(source: str, store: Path, times: int) -> Found:
    """A source added to copies of a store, then to the store: the median, and each time."""
    beside = store.with_name(f"{store.name}-copy")
    each = []
    for _ in range(times - 1):
        shutil.copytree(store, beside)
        each.append(step(["signals", "ingest", source, "--store", str(beside)]))
        shutil.rmtree(beside)
    each.append(step(["signals", "ingest", source, "--store", str(store)]))
    spent = sorted(found["cpu_s"] for found in each)
    return {
        "cpu_s": round(float(np.median(spent)), 2),
        "cpu_s_each": spent,
        "peak_mb": max(found["peak_mb"] for found in each),
    }


def step(words: list[str]) -> Found:
    """A command in a process of its own: CPU seconds, and memory at its highest."""
    command = [str(Path(sys.executable).parent / "lab39"), *words, "--json"]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    with tempfile.TemporaryFile() as told, tempfile.TemporaryFile() as said:
        started = subprocess.Popen(command, stdout=told, stderr=said, env=environment)
        _, status, used = os.wait4(started.pid, 0)
        started.returncode = os.waitstatus_to_exitcode(status)
        if started.returncode:
            said.seek(0)
            raise SystemExit(f"{' '.join(words[:2])}: {said.read().decode()[-2000:]}")
    return {"cpu_s": round(used.ru_utime + used.ru_stime, 2), "peak_mb": round(used.ru_maxrss / 1024)}


def grown(steps: dict[str, Found], sizes: list[int]) -> Iterator[tuple[str, float]]:
    """What a quarter more costs between the last two sizes, over what it costs between the two before.

    1 is linear, whatever the command costs before its first report; 2 is quadratic when sizes double. A step whose
    cost grew by less than a fifth between the first two of these sizes has nothing to tell, and is left out.
    """
    if len(sizes) < 3:
        return
    for name in steps[str(sizes[-1])]:
        first, second, third = (steps[str(size)][name]["cpu_s"] for size in sizes[-3:])
        if second - first >= 0.2 * first:
            early, late = (second - first) / (sizes[-2] - sizes[-3]), (third - second) / (sizes[-1] - sizes[-2])
            yield name, round(late / early, 2)


if __name__ == "__main__":
    sys.exit(main())
