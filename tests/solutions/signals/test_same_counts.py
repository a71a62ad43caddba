"""The table, a pair's page, the board and ``explain`` count the same reports, whatever the options of the run."""

from __future__ import annotations

import datetime as dt
import random
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lab39.core.datapacks import Packs
from lab39.core.faces import Call, Fields, Who
from lab39.solutions.signals import board_figures, detecting, explaining, options, pair_pages, runs
from lab39.solutions.signals.readers import store as stores
from lab39.solutions.signals.readers.model import Case, Drug, Event, Report
from lab39.solutions.signals.readers.settle import settle
from lab39.solutions.signals.solution import Signals
from lab39.solutions.signals.sources import Store

ON = dt.date(2026, 11, 27)
QUARTERS = ("2026Q1", "2026Q2", "2026Q3", None)
DRUGS = ("abatacept", "baclofen", " baclofen\t", "clobazam", "digoxin")
EVENTS = ("Rash", "Rash ", "Nausea", "Fall", "Cough")
INGREDIENTS = ("other", "baclofen\\digoxin", None)
ROLES = ("PS", "SS", "I", "C", None)


def fill(folder: Path, numbers: range, quarters: tuple[str | None, ...]) -> Path:
    """Reports drawn at random into a part of their own; a report may name a drug twice, in two roles."""
    draw = random.Random(numbers.start)
    base = stores.Store.open(folder) if folder.exists() else stores.Store.create(folder)
    with base.adding(f"{numbers.start:032x}", "made up", "made up") as part:
        for n in numbers:
            told = Report(
                report_id=f"{n:04}",
                case_id=f"{n:04}",
                quarter=draw.choice(quarters),
                sex=draw.choice(("F", "M", None)),
                age_years=draw.choice((None, 8.0, 40.0, 81.0)),
                country=draw.choice(("FR", "DE", "IT", None)),
                serious=draw.choice((True, False, None)),
            )
            drugs = tuple(
                Drug(drug=name, ingredient=draw.choice((name.strip(), *INGREDIENTS)), role=draw.choice(ROLES))
                for name in draw.choices(DRUGS, k=draw.randint(1, 4))
            )
            part.add(Case(told, drugs, tuple(Event(event=e) for e in draw.sample(EVENTS, draw.randint(1, 2)))))
    settle(base)
    return folder


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four hundred reports, some of them linked as duplicates, three in a chain."""
    folder = fill(tmp_path_factory.mktemp("counts") / "store", range(400), QUARTERS)
    links = [(f"{n:04}", f"{n + 200:04}") for n in range(0, 120)] + [("0200", "0399")]
    table = {"first": [one for one, _ in links], "second": [other for _, other in links]}
    pq.write_table(pa.table(table | {"probability": [0.99] * len(links)}), folder / "links.parquet")
    return folder


OPTIONS: dict[str, dict[str, Any]] = {
    "plain": {},
    "strata": {"by": ("sex", "age")},
    "all roles": {"roles": "all"},
    "concomitant": {"roles": "C"},
    "as reported": {"drug_column": "drug"},
    "before, named": {"before": "2026Q3", "name": "spring"},
    "merged, before": {"duplicates": "merge", "before": "2026Q3"},
    "without, one role": {"without": ("clobazam",), "roles": "PS,SS"},
    "without, merged, by": {"without": ("digoxin",), "duplicates": "merge", "by": ("sex",)},
    "least": {"least": 5},
    "adjusted": {"adjust": True},
}


def made(
    store: Path,
    folder: Path,
    *,
    roles: str = "suspect",
    drug_column: str = "ingredient",
    name: str = "",
    **more: Any,
) -> runs.Run:
    """A run as ``lab39 signals detect`` makes it."""
    of_store = {key: more.pop(key) for key in ("before", "duplicates") if key in more}
    source = options.source_of(store, None, None, roles=roles, drug_column=drug_column, **of_store)
    without, least = more.pop("without", ()), more.pop("least", 1)
    found = detecting.run(
        source, by=more.pop("by", ()), without=without, engine="duckdb", memory_gb=1.0, least=least,
        likelihood="components", **more,
    )  # fmt: skip
    named = name or detecting.last_quarter(source) or "run"
    return detecting.keep(found, folder, named, ON, source, likelihood="components", without=without, least=least)


def page(run: runs.Run, folder: Path, drug: str, event: str) -> Any:
    packs = Packs(folder / "packs", folder / "cache", Signals().packs())
    packs.import_files("signals", [run.folder])
    ctx: Any = SimpleNamespace(packs=packs)
    query = Fields({"drug": drug, "event": event, "run": run.name}.items())
    who = Who(person="p", roles=frozenset({"visitor", "expert"}))
    return pair_pages.pair(Call(ctx=ctx, on=ON, lang="fr", who=who, query=query)).values


@pytest.mark.parametrize("name", OPTIONS)
def test_every_face_counts_the_cases_of_the_run(store, tmp_path, name):
    run = made(store, tmp_path / "runs", **OPTIONS[name])
    table = pq.read_table(run.scores).to_pylist()
    assert len(table) >= 8
    for row in (table[0], table[-1]):
        pair = (row["drug"], row["event"])
        shown = page(run, tmp_path, *pair)
        assert shown["found"].n == shown["row"]["n"] == row["n"]
        assert sum(each.n for each in shown["found"].periods) + shown["found"].undated == row["n"]
        assert sum(each.total for each in shown["found"].periods) <= run.n_reports
        kept = board_figures.figures(run, *pair)
        assert kept.values["n"] == row["n"]
        assert set(kept.countries or ()) == {each.name for each in shown["found"].countries}
        told = explaining.explain(Store(store), *pair, run=str(run.folder))
        assert told.pair.observed == row["n"]
        assert told.pair.expected == pytest.approx(row["expected"])
        assert told.told is not None
        assert told.told.n == row["n"]
        assert told.told.countries == {each.name: each.n for each in shown["found"].countries}
        assert told.told.serious["yes"] == shown["found"].serious


def test_an_older_run_keeps_its_cases_when_the_store_has_grown(store, tmp_path):
    mine = fill(tmp_path / "store", range(100), ("2026Q1", "2026Q2", None))
    run = made(mine, mine / "runs")
    assert run.name == "2026Q2"
    fill(mine, range(100, 200), ("2026Q3",))
    for row in pq.read_table(run.scores).to_pylist()[:2]:
        pair = (row["drug"], row["event"])
        assert page(run, tmp_path, *pair)["found"].n == row["n"]
        told = explaining.explain(Store(mine), *pair, run="2026Q2")
        assert told.told is not None
        assert (told.pair.observed, told.told.n, told.pair.n_total) == (row["n"], row["n"], run.n_reports)
