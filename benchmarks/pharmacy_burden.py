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
from lab39.solutions.pharmacy.model import Interaction, Level, Line, Moiety
from lab39.solutions.pharmacy.normal import moiety_key

COUNTS = "data/pharmacy/codispensing-2013.csv"
BASE_RATE = {"share": 0.002, "of": "6.9 M dispensings, France, 2013: published with the counts"}
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
        "lost": lost(pairs),
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
        "contraindication_certain": {"n": certain, "share": round(certain / total, 5)},
        "contraindication_possible": {"n": possible, "share": round(possible / total, 5)},
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


def lost(pairs: list[Pair]) -> dict[str, Any]:
    """Contraindications that would be lost: a rule of that level alone that is told at another, a possible one that
    is neither told as possible nor excluded by the substances themselves."""
    alone = silent = excluded = told = 0
    for pair in pairs:
        for each in pair.found:
            printed = {text.level for text in each.rule.levels}
            if Level.CI not in printed:
                continue
            if printed == {Level.CI}:
                alone += each.level is not Level.CI or not each.resolved
            elif Level.CI in each.possible:
                told += 1
                silent += not each.resolved and not each.needs
            else:
                excluded += 1
                silent += not each.because
    return {
        "contraindication_only_told_otherwise": alone,
        "possible_without_saying_what_is_missing": silent,
        "possible_told": told,
        "excluded_by_the_substances": excluded,
    }


def table(found: dict[str, Any]) -> str:
    """For people."""

    def row(name: str, levels: Mapping[str, Mapping[str, float]]) -> str:
        return f"{name:<10}" + "".join(f"{level:>6} {levels[level]['share']:8.2%}" for level in levels)

    told, missing = found["resolved"], found["lost"]
    return "\n".join(
        [
            f"ANSM thesaurus {found['edition']}: {found['interacting_pairs']:,} of {found['pairs']:,} pairs"
            f" interact, {found['interacting_co_dispensings']:,} of {found['co_dispensings']:,} co-dispensings",
            row("maximum", found["maximum"]),
            row("minimum", found["minimum"]),
            row("resolved", told["settled"]) + f"   not settled {told['not_settled_share']:.2%}",
            *(f"    {key:<12} {each['share']:7.2%}" for key, each in told["not_settled"].items()),
            f"contraindication certain {told['contraindication_certain']['share']:.3%}, "
            f"possible {told['contraindication_possible']['share']:.2%} "
            f"(base rate {found['base_rate']['share']:.1%} of {found['base_rate']['of']})",
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
            f"lost: {missing}",
            f"not in this edition: {', '.join(found['not_in_thesaurus']) or 'none'}",
        ]
    )


if __name__ == "__main__":
    main()
