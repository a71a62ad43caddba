"""A signal's page: what its reports say, what moved, and what is shown when the reports are gone or closed."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from lab39.core.datapacks import Packs
from lab39.core.faces import Call, Fields, Who
from lab39.solutions.signals import (
    Store,
    counted,
    detect,
    detecting,
    explaining,
    moved,
    pair_pages,
    plots,
    profile,
    ranking,
    runs,
    telling,
)
from lab39.solutions.signals.readers import store as stores
from lab39.solutions.signals.readers.model import Case, Drug, Event, Report
from lab39.solutions.signals.readers.settle import settle
from lab39.solutions.signals.solution import Signals

ON = dt.date(2026, 11, 27)
PAIR = ("allopurinol", "Pemphigoid")


def report(number: int, quarter: str, **more: Any) -> Report:
    day = {"2026Q2": "2026-05-10", "2026Q3": "2026-08-10"}[quarter]
    return Report(report_id=f"{number:03}", case_id=f"{number:03}", quarter=quarter, received=day, **more)


def cases() -> list[Case]:
    """Five cases of the pair, one of them before; two hundred other reports."""
    suspect = Drug(drug=PAIR[0], role="PS", start_date="2026-07-01")
    event = Event(event=PAIR[1], onset="2026-07-22", outcome="recovering")
    old = {"sex": "F", "age_years": 80.0, "country": "FR", "serious": True, "hospitalisation": True}
    made = [Case(report(1, "2026Q2", **old), (Drug(drug=PAIR[0], role="PS"),), (Event(event=PAIR[1]),))]
    made += [
        Case(
            report(n, "2026Q3", **old), (suspect, Drug(drug="furosemide", role="C")), (event, Event(event="Fever"))
        )
        for n in range(2, 6)
    ]
    rest = {"sex": "M", "age_years": 50.0, "country": "DE"}
    made += [
        Case(
            report(n, "2026Q2" if n % 2 else "2026Q3", **rest),
            (Drug(drug="paracetamol"),),
            (Event(event="Nausea"),),
        )
        for n in range(100, 300)
    ]
    return [*made, Case(report(900, "2026Q3"), (suspect,), (Event(event="Nausea"),))]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pair") / "store"
    base = stores.Store.create(folder)
    with base.adding("0" * 32, "made up", "made up") as part:
        for each in cases():
            part.add(each)
    settle(base)
    return folder


@pytest.fixture(scope="module")
def run(store: Path) -> runs.Run:
    return runs.write(detect(Store(store)), store / "runs", "2026Q3", ON, store=store)


@pytest.fixture
def found(run):
    with counted.opened(run, *PAIR) as con:
        yield profile.profile(con, PAIR[0]), profile.cases(con, 1)


def test_every_count_is_of_distinct_reports(found):
    seen, _ = found
    assert seen.n == 5
    assert [(each.name, each.n, each.n_drug, each.n_event) for each in seen.periods] == [
        ("2026Q2", 1, 1, 1),
        ("2026Q3", 4, 5, 4),
    ]
    assert [each.expected for each in seen.periods] == [1 / 101, 20 / 105]
    assert [(each.name, each.n, each.base) for each in seen.sexes] == [("F", 5, 5), ("M", 0, 200)]
    assert [(each.n, each.base) for each in seen.ages if each.base] == [(0, 200), (5, 5)]
    assert seen.criteria == (("hospitalisation", 5),)
    assert (seen.serious, seen.not_serious) == (5, 0)
    assert seen.outcomes == (("recovering", 4), (None, 1))
    assert seen.onset_days == (21, 21, 21, 21)
    assert [(each.name, each.n) for each in seen.countries] == [("FR", 5)]


def test_other_drugs_are_compared_with_the_other_reports_of_the_drug(found):
    [other] = found[0].with_others
    assert (other.name, other.n, other.of, other.base, other.base_of) == ("furosemide", 4, 5, 0, 1)


def test_cases_are_listed_the_latest_first(found):
    _, listed = found
    assert [each.number for each in listed] == ["002", "003", "004", "005", "001"]
    assert [(each.name, each.lines) for each in listed[0].drugs] == [
        ("allopurinol", (("PS", None),)),
        ("furosemide", (("C", None),)),
    ]
    assert listed[0].events == ("Pemphigoid", "Fever")
    assert [each.name for each in listed[4].drugs] == ["allopurinol"]


LINES: dict[str, tuple[list[tuple[str | None, str | None]], str]] = {
    "the same line twice": ([("PS", None), ("PS", None)], "primary suspect"),
    "two roles": ([("PS", None), ("C", None)], "primary suspect; concomitant"),
    "two doses": ([("PS", "100 mg"), ("PS", "300 mg")], "primary suspect 100 mg / 300 mg"),
    "two roles, two doses of one": (
        [("PS", "100 mg"), ("PS", "300 mg"), ("C", "100 mg")],
        "primary suspect 100 mg / 300 mg; concomitant 100 mg",
    ),
    "one dose": ([("PS", "100 mg")], "primary suspect"),
    "no role": ([(None, "100 mg"), (None, "200 mg")], "100 mg / 200 mg"),
    "nothing": ([(None, None)], ""),
}


@pytest.mark.parametrize("what", LINES)
def test_a_drug_named_twice_in_a_case_is_listed_once_with_what_its_lines_differ_by(what: str, tmp_path: Path):
    lines, words = LINES[what]
    named = [Drug(drug="ALLOPURINOL", ingredient=PAIR[0], role=role, dose=dose) for role, dose in lines]
    base = stores.Store.create(tmp_path / "store")
    with base.adding("0" * 32, "made up", "made up") as part:
        for each in [
            *cases(),
            Case(report(901, "2026Q3"), (*named, Drug(drug="x", role="C")), (Event(event=PAIR[1]),)),
        ]:
            part.add(each)
    settle(base)
    run = runs.write(
        detect(Store(tmp_path / "store", drug="ingredient")),
        tmp_path / "runs",
        "2026Q3",
        ON,
        store=tmp_path / "store",
        drug_column="ingredient",
    )
    with counted.opened(run, *PAIR) as con:
        [found] = [each for each in profile.cases(con, 1) if each.number == "901"]
    assert [each.name for each in found.drugs] == [PAIR[0], "x"]
    assert telling.named_lines(found.drugs[0]).en == words
    assert telling.named_lines(found.drugs[0]).fr.count("\u202f;") == words.count(";")


def test_a_run_from_before_each_ingredient_was_counted_is_told_as_it_counted(tmp_path: Path):
    """Its page and its explanation keep to its own counts; a run of today says that it counts otherwise."""
    made = [
        Case(report(n, "2026Q3"), (Drug(drug="x", ingredient=what, role="PS"),), (Event(event="Rash"),))
        for n, what in enumerate(["a + b"] * 4 + ["a"] * 3 + ["c"] * 20)
    ]
    base = stores.Store.create(tmp_path / "store")
    with base.adding("0" * 32, "made up", "made up") as part:
        for each in made:
            part.add(each)
    settle(base)
    then, now = (
        detecting.keep(
            detecting.run(
                source, by=(), without=(), engine="duckdb", memory_gb=1.0, least=1, likelihood="components",
                triage=False,
            ),
            base.folder / "runs", name, ON, source, likelihood="components",
        )
        for name, source in (
            ("before", Store(base.folder, drug="ingredient", each_ingredient=False)),
            ("now", Store(base.folder, drug="ingredient")),
        )
    )  # fmt: skip
    about = then.folder / "run.json"
    old = json.loads(about.read_text("utf-8"))
    del old["each_ingredient"]
    about.write_text(json.dumps(old), "utf-8")
    then = runs.read(then.folder)
    for run, drug, n in ((then, "a", 3), (then, "a + b", 4), (now, "a", 7), (now, "b", 4)):
        assert explaining.row_of(run, drug, "Rash")["n"] == n
        with counted.opened(run, drug, "Rash") as con:
            assert profile.profile(con, drug).n == n
        found = explaining.explain(Store(base.folder), drug, "Rash", run=run.name)
        assert (found.pair.observed, found.row["n"], found.told.n) == (n, n, n)
    assert [each.en for each in moved.moved(then, now).differs] == [
        "products of several ingredients: under one name, then each ingredient"
    ]


def test_an_older_run_counts_its_own_quarters_only(run):
    with counted.opened(replace(run, until=dt.date(2026, 6, 30)), *PAIR) as con:
        assert profile.profile(con, PAIR[0]).n == 1


def test_roles_of_the_run_are_those_counted(run):
    with counted.opened(replace(run, roles=("C",)), *PAIR) as con:
        assert profile.profile(con, PAIR[0]).n == 0


def test_the_sentence_says_more_only_when_the_interval_does(run):
    row = ranking.pair(run, *PAIR)
    assert row is not None
    assert telling.sentence(row).fr.startswith(
        "5 cas notifiés pour 0,1 attendu\u202f: le couple est notifié plus souvent"
    )
    unsure = dict(row) | {"ic025": -0.1}
    assert "ne distinguent pas" in telling.sentence(unsure).fr
    assert "less often" in telling.sentence(dict(row) | {"ic025": -2, "ic975": -1}).en


def test_what_moved_is_told_against_the_run_before(run):
    row = ranking.pair(run, *PAIR)
    assert row is not None
    assert "Une seule analyse" in telling.moved(row, None, run, None).fr
    assert "la plus ancienne" in telling.moved(row, None, run, None, alone=False).fr
    before = replace(run, name="2026Q2")
    assert telling.moved(row, None, run, before).en == "New: no case in the run 2026Q2."
    old = dict(row) | {"n": 1, "expected": row["expected"] / 2}
    assert telling.moved(row, old, run, before).fr.startswith("Depuis 2026Q2\u202f: 4 cas de plus (1 → 5)")


def call(packs: Packs, *, roles: tuple[str, ...] = ("professional",), **query: str) -> Call:
    ctx: Any = SimpleNamespace(packs=packs)
    who = Who("somebody" if "professional" in roles else None, frozenset({"visitor", *roles}))
    given = {"drug": PAIR[0], "event": PAIR[1]} | query
    return Call(ctx=ctx, on=ON, lang="fr", who=who, query=Fields(given.items()))


@pytest.fixture
def packs(tmp_path: Path, run: runs.Run) -> Packs:
    made = Packs(tmp_path / "packs", tmp_path / "cache", Signals().packs())
    made.import_files("signals", [run.folder])
    return made


def test_the_page_holds_plots_that_say_their_message(packs):
    values = pair_pages.pair(call(packs)).values
    assert 'aria-labelledby="course-says"' in values["seen"]["bars"]
    assert "5 cas observés" in values["seen"]["course"].fr
    assert values["seen"]["onset"]["says"].en.startswith("Median time of 21 days, known for 4 cases")


def test_cases_are_closed_to_visitors_and_patients(packs):
    for roles in ((), ("patient",)):
        values = pair_pages.pair(call(packs, roles=roles)).values
        assert values["closed"]
        assert "cases" not in values
        assert values["row"]["n"] == 5


def test_a_store_that_is_gone_is_told_and_the_figures_stay(packs, store, tmp_path):
    shutil.move(store, tmp_path / "elsewhere")
    try:
        values = pair_pages.pair(call(packs)).values
    finally:
        shutil.move(tmp_path / "elsewhere", store)
    assert "n'est plus là" in values["why_not"].fr
    assert str(store) in values["why_not"].fr
    assert values["row"]["n"] == 5
    assert values["figures"]


def test_an_unknown_name_is_not_there_and_leads_back_to_the_pairs_of_the_other(packs):
    view = pair_pages.pair(call(packs, drug="aspirin"))
    assert view.status == 404
    assert view.values["found"]["event"].name == PAIR[1]
    assert view.values["table"]("event", PAIR[1]) == "?event=Pemphigoid"


def test_names_are_found_whatever_their_capitals(packs):
    values = pair_pages.pair(call(packs, drug="ALLOPURINOL", event="pemphigoid")).values
    assert (values["drug"], values["event"]) == PAIR


def test_labels_of_a_plot_are_text_and_never_markup():
    made = plots.observed_expected(
        ["<b>", "2026Q2"], [3, 1], [1.0, 1.0], labelled_by='"x', words=("<i>", "&"), lang="fr"
    )
    assert "<b>" not in made
    assert "<i>" not in made
    assert "&lt;i&gt; 3" in made


def test_ticks_are_round_and_cover_the_range():
    assert plots.ticks(0, 11) == [0, 5, 10, 15]
    assert plots.ticks(-4, 3.2)[0] <= -4
    assert plots.ticks(-4, 3.2)[-1] >= 3.2
    assert plots.ticks(0, 0) != []


def test_an_interval_below_the_plot_is_cut_at_its_edge():
    made = plots.intervals(["a"], [plots.Interval(-1, -11, 1)], labelled_by="x", lang="en")
    lowest = plots.TOP + 130
    assert f'y2="{lowest}' in made


@pytest.mark.parametrize(
    ("expected", "fr"), [(206.94, "206,9"), (1.04, "1,0"), (0.058, "0,06"), (0.0018, "< 0,01"), (0.0, "0,0")]
)
def test_an_expected_count_above_zero_is_never_written_zero(expected, fr):
    assert telling.awaited(expected).fr == fr


def test_bands_of_age_leave_no_child_out():
    first = [telling.band(str(at)).fr for at in (0, 1, 2)]
    assert first == ["moins de 28 jours", "28 jours à 23 mois", "2 à 11 ans"]
