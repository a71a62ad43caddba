"""How many alerts on real co-dispensings: ``python benchmarks/pharmacy_burden.py``.

Pairs of substances that pharmacies of France dispensed together in 2013, with how often (half of a published set,
in ``LAB39_SHARED``). Each pair is told at the maximum of its printed levels, at their minimum, and as the engine
resolves it. ``--json`` gives one object.

What the figures mean: shares of co-dispensings of pairs that interact in the thesaurus, not of all dispensings. The
counts hold two substances and nothing else: no dose, no route, no history. What a level depends on is therefore not
known for any of them, and a share "not settled" is what a pharmacist would be asked for, not what remains once the
record is there. The counts are of 2013 and the thesaurus is not: rules were added and withdrawn in between.
"""

from __future__ import annotations

import argparse
import csv
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from lab39.core.lab import Lab
from lab39.settings import Settings
from lab39.solutions.pharmacy.engine import Engine, open_engine
from lab39.solutions.pharmacy.interactions import interactions
from lab39.solutions.pharmacy.model import Interaction, Level, Line, Moiety, Rule
from lab39.solutions.pharmacy.normal import moiety_key

COUNTS = "data/pharmacy/codispensing-2013.csv"
DISPENSINGS = 6_900_000
BASE_RATE = {"share": 0.002, "of": "6.9 M dispensings, France, 2013: published with the counts"}
"""About 0.2 % of dispensings are contraindicated."""
SHOWN = 12


@dataclass(frozen=True, slots=True)
class Pair:
    """Two substances dispensed together.

    Attributes:
        found: the rules between them, the gravest first.
    """

    a: str
    b: str
    count: int
    found: tuple[Interaction, ...]

    @property
    def maximum(self) -> Level:
        """The gravest level printed for the pair."""
        return min((text.level for each in self.found for text in each.rule.levels), key=rank)

    @property
    def minimum(self) -> Level:
        """The gravest of its rules, each at the least of its levels."""
        return min((max((t.level for t in each.rule.levels), key=rank) for each in self.found), key=rank)

    @property
    def certain(self) -> Level | None:
        """The level that holds whatever is not known: the gravest of the least levels that the rules which are sure
        to apply leave; ``None`` when no rule is sure to apply."""
        sure = [max(each.possible, key=rank) for each in self.found if not each.conditional]
        return min(sure, key=rank, default=None)

    @property
    def worst(self) -> Level:
        """The gravest level that remains possible."""
        return min((each.possible[0] for each in self.found), key=rank)

    @property
    def settled(self) -> bool:
        """Whether one level holds whatever is not known."""
        return self.certain is self.worst


def rank(level: Level) -> int:
    """0 for the gravest."""
    return level.rank


def main() -> None:
    """Run and print."""
    options = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    options.add_argument("--json", action="store_true", help="one JSON document on standard output")
    options.add_argument("--edition", default="2020-10", help="of the thesaurus (YYYY-MM)")
    chosen = options.parse_args()
    path = Settings.from_env().shared / COUNTS
    if not path.exists():
        raise SystemExit(f"{path} is not there: set LAB39_SHARED to the folder that holds data/")
    packs = Lab.discover(Settings.from_env(), ["pharmacy"]).packs
    if not packs.has("ansm"):
        packs.install("ansm")
    found = measure(open_engine(packs, chosen.edition), path)
    print(json.dumps(found, indent=1, ensure_ascii=False) if chosen.json else table(found))


def measure(engine: Engine, path: Path) -> dict[str, Any]:
    """All figures."""
    names, rows = set(), 0
    total, everyone = 0, []
    for a, b, count in read(path):
        rows, total = rows + 1, total + count
        names |= {a, b}
        everyone.append(Pair(a, b, count, between(engine, a, b)))
    pairs = [pair for pair in everyone if pair.found]
    interacting = sum(pair.count for pair in pairs)
    unlisted = sorted(name for name in names if not engine.graph.listed(moiety(name)))
    return {
        "edition": engine.edition,
        "version": version("lab39"),
        "pairs": rows,
        "co_dispensings": total,
        "interacting_pairs": len(pairs),
        "interacting_co_dispensings": interacting,
        "not_in_thesaurus": unlisted,
        "maximum": shares(Counter(level_count(pairs, "maximum")), interacting),
        "minimum": shares(Counter(level_count(pairs, "minimum")), interacting),
        "resolved": resolved(pairs, interacting),
        "base_rate": BASE_RATE,
        "rules_of_maximum": carriers(pairs, interacting),
        "rules_of_certain": certain_rules(pairs, interacting),
        "rules_not_settled": open_rules(pairs, interacting),
        "contraindications": lost(engine, pairs),
    }


def read(path: Path) -> Iterator[tuple[str, str, int]]:
    """Substance, substance, count."""
    with path.open(encoding="utf-8", newline="") as stream:
        for a, b, _, _, count in csv.reader(stream, delimiter="\t"):
            yield a, b, int(count)


def moiety(name: str) -> Moiety:
    """A substance of the counts."""
    return Moiety(moiety_key(name), name.lower())


def between(engine: Engine, a: str, b: str) -> tuple[Interaction, ...]:
    """The rules between two substances of which nothing else is known."""
    return interactions(engine, (Line(a, (moiety(a),)), Line(b, (moiety(b),))))


def level_count(pairs: list[Pair], which: str) -> dict[str, int]:
    """Co-dispensings at each level."""
    count: Counter[str] = Counter()
    for pair in pairs:
        count[getattr(pair, which).value] += pair.count
    return dict(count)


def shares(count: Mapping[str, int], total: int) -> dict[str, dict[str, float | int]]:
    """Counts and shares, the gravest level first."""
    return {
        level.value: {"n": count.get(level.value, 0), "share": round(count.get(level.value, 0) / total, 5)}
        for level in Level
    }


def resolved(pairs: list[Pair], total: int) -> dict[str, Any]:
    """As the engine tells them: settled at one level, or not settled with what remains."""
    settled: Counter[str] = Counter()
    left: Counter[str] = Counter()
    certain = possible = 0
    for pair in pairs:
        if pair.settled and pair.certain is not None:
            settled[pair.certain.value] += pair.count
        else:
            least = pair.certain.value if pair.certain else "none"
            left[f"{least} to {pair.worst.value}"] += pair.count
        certain += pair.count * (pair.certain is Level.CI)
        possible += pair.count * (pair.worst is Level.CI)
    return {
        "settled": shares(settled, total),
        "settled_share": round(sum(settled.values()) / total, 5),
        "not_settled": {key: {"n": n, "share": round(n / total, 5)} for key, n in left.most_common()},
        "not_settled_share": round(sum(left.values()) / total, 5),
        "contraindication_certain": of_all(certain, total),
        "contraindication_possible": of_all(possible, total),
    }


def of_all(n: int, total: int) -> dict[str, float | int]:
    """A count beside the co-dispensings of interacting pairs, and beside all dispensings of the year.

    The pairs are half of those published: twice the count stands for all, if the other half is like this one.
    """
    return {
        "n": n,
        "share": round(n / total, 5),
        "of_dispensings": round(n / DISPENSINGS, 6),
        "of_dispensings_both_halves": round(2 * n / DISPENSINGS, 6),
    }


def carriers(pairs: list[Pair], total: int) -> list[dict[str, Any]]:
    """The rules under which the maximum calls most co-dispensings contraindicated, and what the engine makes of
    them."""
    told: Counter[str] = Counter()
    kept: Counter[str] = Counter()
    for pair in pairs:
        if pair.maximum is not Level.CI:
            continue
        first = next(each for each in pair.found if Level.CI in {t.level for t in each.rule.levels})
        name = f"{first.rule.a} + {first.rule.b}"
        told[name] += pair.count
        kept[name] += pair.count * (pair.worst is Level.CI)
    return [
        {"rule": name, "n": n, "share": round(n / total, 5), "still_possible": kept[name]}
        for name, n in told.most_common(SHOWN)
    ]


def certain_rules(pairs: list[Pair], total: int) -> list[dict[str, Any]]:
    """The rules of the contraindications that hold whatever is not known."""
    told: Counter[str] = Counter()
    for pair in pairs:
        if pair.certain is Level.CI:
            first = next(e for e in pair.found if e.level is Level.CI and e.resolved and not e.conditional)
            told[f"{first.rule.a} + {first.rule.b}"] += pair.count
    return [{"rule": name, "n": n, "share": round(n / total, 5)} for name, n in told.most_common(SHOWN)]


def open_rules(pairs: list[Pair], total: int) -> list[dict[str, Any]]:
    """The rules that leave most co-dispensings not settled, with what would settle them."""
    told: Counter[str] = Counter()
    needs: dict[str, Counter[str]] = {}
    for pair in pairs:
        if pair.settled:
            continue
        for each in pair.found:
            if each.resolved and not each.conditional:
                continue
            name = f"{each.rule.a} + {each.rule.b}"
            told[name] += pair.count
            kinds = {need.token.partition(":")[0] for need in each.needs}
            needs.setdefault(name, Counter()).update(dict.fromkeys(kinds, pair.count))
    return [
        {
            "rule": name,
            "n": n,
            "share": round(n / total, 5),
            "needs": [kind for kind, _ in needs[name].most_common()],
        }
        for name, n in told.most_common(SHOWN)
    ]


def lost(engine: Engine, pairs: list[Pair]) -> dict[str, Any]:
    """What becomes of every rule that prints a contraindication, over all pairs.

    ``told_otherwise`` and ``silent`` would be contraindications lost: a rule of that level alone at another level;
    a rule that is open without saying what is missing, or that was left out without a reading that says why.
    """
    count: Counter[str] = Counter()
    for pair in pairs:
        told = {id(each.rule): each for each in pair.found}
        for rule in rules_between(engine, pair.a, pair.b):
            printed = {text.level for text in rule.levels}
            if Level.CI not in printed:
                continue
            each = told.get(id(rule))
            if each is None:
                count["not_about_these_substances" if engine.levels.plain(rule) is None else "silent"] += 1
            elif printed == {Level.CI}:
                only = "only" if each.resolved else "only_under_a_condition"
                count[only if each.level is Level.CI else "told_otherwise"] += 1
                count["silent"] += not each.resolved and not each.needs
            elif Level.CI in each.possible:
                count["possible" if not each.resolved else "settled"] += 1
                count["silent"] += not each.resolved and not each.needs
            else:
                count["excluded_by_what_is_known"] += 1
                count["silent"] += not each.because
    kinds = [
        *("only", "only_under_a_condition", "settled", "possible", "excluded_by_what_is_known"),
        *("not_about_these_substances", "told_otherwise", "silent"),
    ]
    return {kind: count[kind] for kind in kinds}


def rules_between(engine: Engine, a: str, b: str) -> list[Rule]:
    """The rules between the nodes of two substances, whatever their conditions."""
    graph = engine.graph
    one, other = (set(graph.nodes_of(moiety(name))) for name in (a, b))
    found: dict[int, Rule] = {}
    for name in one:
        at = graph.node(name)
        assert at is not None
        for there, numbers in graph.meets[at].items():
            if graph.names[there] in other:
                found.update((number, graph.rules[number]) for number in numbers)
    return list(found.values())


def table(found: dict[str, Any]) -> str:
    """For people."""

    def row(name: str, levels: Mapping[str, Mapping[str, float]]) -> str:
        return f"{name:<10}" + "".join(f"{level:>6} {levels[level]['share']:8.2%}" for level in levels)

    told, missing = found["resolved"], found["contraindications"]
    return "\n".join(
        [
            f"ANSM thesaurus {found['edition']}: {found['interacting_pairs']:,} of {found['pairs']:,} pairs"
            f" interact, {found['interacting_co_dispensings']:,} of {found['co_dispensings']:,} co-dispensings",
            row("maximum", found["maximum"]),
            row("minimum", found["minimum"]),
            row("resolved", told["settled"]) + f"   not settled {told['not_settled_share']:.2%}",
            *(f"    {key:<12} {each['share']:7.2%}" for key, each in told["not_settled"].items()),
            *(
                f"contraindication {kind}: {each['share']:.2%} of these,"
                f" {each['of_dispensings']:.2%} of all dispensings, "
                f"{each['of_dispensings_both_halves']:.2%} with the other half of the pairs"
                for kind in ("certain", "possible")
                for each in [told[f"contraindication_{kind}"]]
            ),
            f"(base rate: about {found['base_rate']['share']:.1%} of dispensings)",
            "the maximum calls contraindicated:",
            *(
                f"    {each['n']:>8,} {each['rule']} (still possible for {each['still_possible']:,})"
                for each in found["rules_of_maximum"]
            ),
            "contraindicated for certain:",
            *(f"    {each['n']:>8,} {each['rule']}" for each in found["rules_of_certain"]),
            "not settled:",
            *(
                f"    {each['n']:>8,} {each['rule']} (needs {', '.join(each['needs'])})"
                for each in found["rules_not_settled"]
            ),
            "rules that print a contraindication, by pair: "
            + ", ".join(f"{key.replace(chr(95), chr(32))} {n}" for key, n in missing.items()),
            f"not in this edition: {', '.join(found['not_in_thesaurus']) or 'none'}",
        ]
    )


if __name__ == "__main__":
    main()
