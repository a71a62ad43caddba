"""Made-up case reports in which weak signals are planted, to measure how early and how well they are found.

SYNTHETIC: figures on these reports never stand beside clinical ones. The base has long-tailed drugs and events,
drugs of one therapeutic area given together, drugs and events that prefer an age or a sex, events of the disease
itself, known reactions, and duplicates. What is planted is told in ``truth.csv``:

* ``signal``: a drug that causes an event, few reports, from a quarter on;
* ``masked``: the same, on an event that one drug's reports dominate;
* ``confounded`` (no signal): a drug given with another whose known reaction it is;
* ``notoriety`` (no signal): a wave of poorly told reports of one country within two quarters;
* ``duplicates`` (no signal): one report sent again and again.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lab39.core.errors import InputError
from lab39.core.text import Text
from lab39.solutions.signals.arrays import Floats, Ints
from lab39.solutions.signals.simulated_rows import FIRST_YEAR, QUARTERS, Asked, World, quarter, write

SIGNALS = ("signal", "masked")
"""Kinds that are true; the others are decoys."""
_DRUGS_PER_REPORT, _EVENTS_PER_REPORT = 1.6, 2.2
_BATCH = 100_000


@dataclass(frozen=True, slots=True)
class _Pair:
    """A planted pair: codes, kind, first quarter (from 0), and the reports that carry it."""

    drug: int
    event: int
    kind: str
    since: int


def simulate(
    folder: Path,
    *,
    rows: float = 1e6,
    seed: int = 39,
    planted: int = 150,
    documented: float = 0.8,
    drugs: int | None = None,
    events: int | None = None,
) -> dict[str, Any]:
    """Write a store of made-up reports, ``truth.csv`` (planted pairs) and ``known.csv`` (known reactions).

    Args:
        folder: of the store, empty or absent.
        rows: report-drug-event rows to make, about.
        seed: the same seed writes the same reports.
        planted: true signals; a fifth of them masked. There are a third as many decoys of each kind.
        documented: how much rarer an absent field is in the reports of a true signal (1: no rarer). vigiRank found
            such reports better told (Caster et al., Drug Saf 2014, doi:10.1007/s40264-014-0204-5); the factor is
            made up.
        drugs: how many drugs; grows with ``rows`` by default. ``events`` likewise.
        events: how many events.

    Returns:
        ``reports``, ``drugs``, ``events``, ``planted`` by kind, ``known``, ``quarters``, ``seed``, ``synthetic``.

    Raises:
        InputError: a number out of range, or a folder that holds something else.
    """
    from lab39.solutions.signals.readers.settle import settle
    from lab39.solutions.signals.readers.store import Store

    for name, value, least in (("rows", rows, 20_000), ("planted", planted, 5), ("documented", documented, 0)):
        if not value >= least:
            raise InputError(Text(f"attendu {least} ou plus", f"{least} or more is expected"), name)
    if documented > 1:
        raise InputError(Text("attendu 1 ou moins", "1 or less is expected"), "documented")
    random = np.random.default_rng(seed)
    reports = int(rows / (_DRUGS_PER_REPORT * _EVENTS_PER_REPORT))
    world = World.drawn(
        random,
        drugs or int(np.clip(8 * reports**0.45, 300, 5000)),
        events or int(np.clip(12 * reports**0.45, 400, 8000)),
    )
    pairs, extra = _plant(random, world, reports, planted, documented)
    store = Store.create(folder)
    name = f"synthetic, {rows:.0f} rows, seed {seed}"
    digest = hashlib.sha256(f"{name} {planted} {documented} {drugs} {events}".encode()).hexdigest()
    if store.parts():
        raise InputError(
            Text(
                "cette base contient déjà des notifications\u202f: donnez un dossier vide",
                "this store has reports already: give an empty folder",
            ),
            str(folder),
        )
    with store.adding(digest, "synthetic", name) as part:
        batches = [Asked.base(random, min(_BATCH, reports - at)) for at in range(0, reports, _BATCH)]
        write(part.folder, random, world, [*batches, extra])
    told = settle(store)
    _csv(folder / "truth.csv", ("drug", "event", "truth", "kind", "first_quarter"), [
        (world.drug_name(each.drug), world.event_name(each.event), str(int(each.kind in SIGNALS)), each.kind,
         quarter(each.since)) for each in pairs
    ])  # fmt: skip
    known = [(world.drug_name(d), world.event_name(e)) for d, e in world.known_pairs()]
    _csv(folder / "known.csv", ("drug", "event"), known)
    kinds: dict[str, int] = {}
    for each in pairs:
        kinds[each.kind] = kinds.get(each.kind, 0) + 1
    return {
        "synthetic": True,
        "seed": seed,
        "reports": told["rows"]["reports"],
        "drugs": world.n_drugs,
        "events": world.n_events,
        "planted": kinds,
        "known": len(known),
        "quarters": [f"{FIRST_YEAR}Q1", quarter(QUARTERS - 1)],
    }


def _csv(path: Path, header: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)


def _plant(
    random: np.random.Generator, world: World, reports: int, planted: int, documented: float
) -> tuple[list[_Pair], Asked]:
    """Choose the pairs, and make the reports that carry them."""
    n_drug, n_event = world.drug_share * reports, world.event_share * reports
    taken = set(world.known_pairs())
    pairs: list[_Pair] = []
    parts: list[Asked] = []
    masked = planted // 5
    maskers = _choose(random, n_drug > np.quantile(n_drug, 0.9), max(1, masked // 6))
    dominated = _choose(random, (n_event > reports * 0.0005) & (n_event < reports * 0.004), maskers.size)
    for masker, event in zip(maskers, dominated, strict=True):
        world.known[masker, -1] = event
        taken.add((int(masker), int(event)))
        parts.append(Asked.of(random, int(masker), int(event), int(n_event[event] * 1.5), 0, QUARTERS))

    def fresh(event: int | None, low: float, high: float) -> tuple[int, int]:
        """A pair that is not taken, of drug and event rare enough for a few reports to stand out."""
        for _ in range(10_000):
            d = int(random.integers(world.n_drugs))
            e = int(random.integers(world.n_events)) if event is None else event
            if (d, e) not in taken and low <= n_drug[d] * n_event[e] / reports <= high and n_drug[d] >= 30:
                taken.add((d, e))
                return d, e
        raise InputError(
            Text("trop peu de notifications pour autant de signaux", "too few reports for that many signals"),
            "planted",
        )

    for at in range(planted):
        is_masked = at < masked
        event = int(dominated[at % dominated.size]) if is_masked else None
        d, e = fresh(event, 0.05, 1.5)
        since = int(random.integers(2, QUARTERS - 5))
        many = int(np.clip(n_drug[d] * n_event[e] / reports * random.uniform(4, 10) + 3, 4, 20))
        pairs.append(_Pair(d, e, "masked" if is_masked else "signal", since))
        parts.append(Asked.of(random, d, e, many, since, QUARTERS, absent=documented, serious=0.6))
    for _ in range(planted // 3):
        d, e = _bystander(random, world, n_drug, taken)
        pairs.append(_Pair(d, e, "confounded", 0))
        cause = int(world.cause[d])
        many = int(np.clip(n_drug[d] * 0.25, 12, 120))
        parts.append(Asked.of(random, cause, -1, many * 2, 0, QUARTERS, with_drug=d))
        parts.append(Asked.of(random, cause, e, many // 3 + 4, 0, QUARTERS, with_drug=d))
        parts.append(Asked.of(random, cause, e, many, 0, QUARTERS))
        d, e = fresh(None, 0.1, 3.0)
        since = int(random.integers(4, QUARTERS - 2))
        pairs.append(_Pair(d, e, "notoriety", since))
        many = int(random.integers(8, 30))
        parts.append(Asked.of(random, d, e, many, since, since + 2, absent=1.5, one_country=True))
        d, e = fresh(None, 0.1, 2.0)
        since = int(random.integers(2, QUARTERS - 2))
        pairs.append(_Pair(d, e, "duplicates", since))
        parts.append(Asked.of(random, d, e, 1, since, since + 1, times=int(random.integers(5, 12))))
    return pairs, Asked.joined(parts)


def _choose(random: np.random.Generator, among: Any, many: int) -> Ints:
    places = np.flatnonzero(among)
    made: Ints = random.choice(places, min(many, places.size), replace=False)
    return made


def _bystander(
    random: np.random.Generator, world: World, n_drug: Floats, taken: set[tuple[int, int]]
) -> tuple[int, int]:
    """A drug, and a known reaction of another drug that it will be given with (kept in ``world.cause``)."""
    while True:
        cause = int(random.integers(world.n_drugs))
        d = int(random.integers(world.n_drugs))
        e = int(random.choice(world.known[cause][world.known[cause] >= 0]))
        if d != cause and world.cause[d] < 0 and (d, e) not in taken and min(n_drug[d], n_drug[cause]) >= 40:
            world.cause[d] = cause
            taken.add((d, e))
            return d, e
