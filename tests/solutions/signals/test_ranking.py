"""The ranked table: filters, sort, pages, what an address keeps, and the export."""

from __future__ import annotations

import csv
import datetime as dt
import io
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qsl

import pytest

from lab39.core.datapacks import Packs
from lab39.core.errors import InputError, UnknownNameError
from lab39.core.faces import Call, Download, Fields, View
from lab39.solutions.signals import Pairs, choosing, detect, pages, pair_pages, ranking, runs, spreadsheet
from lab39.solutions.signals.ranking import Asked
from lab39.solutions.signals.solution import Signals

ON = dt.date(2026, 11, 27)
TRIAGE = {
    "serious": [3, 0],
    "known": [True, None],
    "criteria_met": [2, 4],
    "criteria_told": [5, 6],
    "triage_rank": [2, 1],
}


def made(folder: Path, name: str, *, cases: int, more: dict[str, list[Any]] | None = None) -> runs.Run:
    """A run of four pairs, ``cases`` of them allopurinol with DRESS."""
    rows = [(n, "allopurinol", "DRESS" if n < cases else "nausea") for n in range(40)]
    rows += [(n, "=paracetamol", "DRESS" if n < 41 else "nausea") for n in range(40, 400)]
    path = folder / f"{name}.csv"
    path.write_text("report_id,drug,event\n" + "".join(f"{r},{d},{e}\n" for r, d, e in rows), "utf-8")
    found = detect(Pairs(path))
    table = found.table
    for column, values in (more or {}).items():
        import pyarrow as pa

        table = table.append_column(column, pa.array((values * 2)[: table.num_rows]))
    return runs.write(found, folder / "runs", name, ON, table=table)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> runs.Run:
    return made(tmp_path_factory.mktemp("run"), "2026Q3", cases=6)


@pytest.fixture
def packs(tmp_path: Path) -> Packs:
    return Packs(tmp_path / "packs", tmp_path / "cache", Signals().packs())


def call(packs: Packs, path: str = "", **query: str) -> Call:
    ctx: Any = SimpleNamespace(packs=packs)
    return Call(ctx=ctx, on=ON, lang="fr", query=Fields(query.items()))


def names(found: ranking.Found) -> list[tuple[str, str]]:
    return [(row["drug"], row["event"]) for row in found.rows]


def test_the_table_keeps_the_order_of_the_run(run):
    found = ranking.found(run, Asked())
    assert found.total == run.n_pairs == 4
    leading = [row[run.leading] for row in found.rows]
    assert leading == sorted(leading, reverse=True)
    assert names(found)[0] == ("allopurinol", "DRESS")


def test_filters_narrow_whatever_the_capitals(run):
    assert names(ranking.found(run, Asked(drug="ALLO", event="dress"))) == [("allopurinol", "DRESS")]
    assert ranking.found(run, Asked(drug="al%lo")).total == 0  # letters, no pattern
    assert [row["n"] for row in ranking.found(run, Asked(least=34, sort="n")).rows] == [359, 34]
    assert all(row["ic025"] > 0 for row in ranking.found(run, Asked(ic=True)).rows)


def test_any_column_sorts_and_ties_keep_the_order_of_the_run(run):
    by_cases = ranking.found(run, Asked(sort="n"))
    assert [row["n"] for row in by_cases.rows] == sorted((row["n"] for row in by_cases.rows), reverse=True)
    assert names(ranking.found(run, Asked(sort="drug")))[0][0] == "=paracetamol"


def test_a_page_holds_its_rows_and_one_too_far_gives_the_last(run):
    first, second = (ranking.found(run, Asked(page=at), size=3) for at in (1, 2))
    assert (len(first.rows), len(second.rows), first.pages) == (3, 1, 2)
    assert not set(names(first)) & set(names(second))
    assert names(ranking.found(run, Asked(page=99), size=3)) == names(second)


def test_columns_of_triage_lead_when_the_run_has_them(tmp_path):
    run = made(tmp_path, "2026Q3", cases=6, more=TRIAGE)
    found = ranking.found(run, Asked())
    assert found.sort == "triage_rank"
    assert [row["triage_rank"] for row in found.rows] == [1, 1, 2, 2]
    assert "serious" in {each.name for each in found.columns}
    assert all(row["serious"] for row in ranking.found(run, Asked(serious=True)).rows)
    assert all(row["known"] is None for row in ranking.found(run, Asked(unknown=True)).rows)


def test_an_address_keeps_what_is_asked():
    asked = Asked(run="2026Q3", drug="a&b", least=3, ic=True, sort="n", page=2)
    assert ranking.read(Fields(parse_qsl(asked.address()[1:]))) == asked
    assert ranking.read(Fields(parse_qsl(asked.address(drug="c")[1:]))).page == 1
    assert Asked().address() == ""


@pytest.mark.parametrize(("name", "value"), [("least", "0"), ("least", "x"), ("page", "-1"), ("sort", "n; DROP")])
def test_what_cannot_be_read_is_told_at_its_field(name, value):
    with pytest.raises(InputError) as caught:
        ranking.read(Fields([(name, value)]))
    assert caught.value.place == name


def test_a_pair_has_its_place_and_an_unknown_one_is_none(run):
    row = ranking.pair(run, "allopurinol", "DRESS")
    assert row is not None
    assert (row["n"], row["place"]) == (6, 1)
    assert ranking.pair(run, "allopurinol", "gout") is None


def test_without_a_run_the_table_is_the_demonstration_and_says_how_to_get_one(packs):
    view = pages.table(call(packs))
    assert isinstance(view, View)
    assert view.values["chosen"].synthetic
    assert view.values["chosen"].versions == ()
    assert view.values["found"].total > 100


def test_the_newest_run_is_shown_and_an_older_one_on_request(packs, tmp_path):
    for name, cases in (("2026Q2", 4), ("2026Q3", 6)):
        packs.import_files("signals", [made(tmp_path, name, cases=cases).folder])
    newest = choosing.chosen(packs, "", ON)
    assert (newest.run.name, newest.before and newest.before.name) == ("2026Q3", "2026Q2")
    assert choosing.chosen(packs, "2026Q2", ON).before is None
    assert not newest.synthetic
    with pytest.raises(UnknownNameError, match="2026Q3, 2026Q2"):
        choosing.chosen(packs, "2020Q1", ON)
    view = pages.table(call(packs, run="2020Q1"))
    assert view.wrong is not None
    assert view.values["run"].name == "2026Q3"


def test_the_export_has_every_column_and_no_formula(packs, tmp_path):
    packs.import_files("signals", [made(tmp_path, "2026Q3", cases=6).folder])
    found = pages.export(call(packs, drug="paracetamol"))
    assert isinstance(found, Download)
    assert found.name == "signals-2026Q3.csv"
    rows = list(csv.DictReader(io.StringIO(found.content.decode("utf-8-sig"))))
    assert {row["drug"] for row in rows} == {"'=paracetamol"}
    assert float(rows[0]["ic025"]) < 1, "a decimal point, in French too"
    assert len(rows[0]) > 20


def test_the_export_is_the_same_in_both_languages_and_writes_values_one_way(packs, tmp_path):
    packs.import_files("signals", [made(tmp_path, "2026Q3", cases=6, more=TRIAGE).folder])
    french, english = (pages.export(replace(call(packs), lang=lang)) for lang in ("fr", "en"))
    assert french.content == english.content
    rows = list(csv.DictReader(io.StringIO(french.content.decode("utf-8-sig"))))
    assert {row["known"] for row in rows} == {"true", ""}, "absent is empty, never false"


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (None, ""), (True, "true"), (False, "false"), (0, "0"), (1234.5, "1234.5"), (-0.25, "-0.25"),
        (ON, "2026-11-27"), ("=1+1", "'=1+1"), ("-x", "'-x"), ("DRESS", "DRESS"), ("", ""),
        (dt.datetime(2026, 11, 27, 1, tzinfo=dt.timezone(dt.timedelta(hours=2))), "2026-11-26T23:00:00+00:00"),
    ],
)  # fmt: skip
def test_a_cell_is_written_one_way(value, written):
    assert spreadsheet.cell(value) == written


def test_a_second_click_on_a_head_reverses_the_order(packs, tmp_path):
    packs.import_files("signals", [made(tmp_path, "2026Q3", cases=6).folder])
    asked: dict[str, str] = {}
    for ascending in (False, True, False):
        asked = dict(
            parse_qsl(Asked(sort="n", order=pages.table(call(packs, **asked)).values["turned"]("n")).address()[1:])
        )
        view = pages.table(call(packs, **asked))
        cases = [row["n"] for row in view.values["found"].rows]
        assert cases == sorted(cases, reverse=not ascending)
        assert view.values["found"].ascending is ascending
    by_name = ranking.found(view.values["run"], Asked(sort="drug", order="reversed"))
    assert names(by_name)[0][0] == "allopurinol"
    assert by_name.sorted_by.en == "Sorted by drug, from Z to A"
    lead = view.values["run"].leading
    assert (
        names(ranking.found(view.values["run"], Asked(sort=lead, order="reversed")))
        == names(ranking.found(view.values["run"], Asked(sort=lead)))[::-1]
    )
    with pytest.raises(InputError, match="order"):
        ranking.read(Fields([("order", "up")]))


def test_a_pair_without_a_case_is_told_as_none_when_both_names_are_known(packs, tmp_path):
    packs.import_files("signals", [made(tmp_path, "2026Q3", cases=0).folder])
    view = pair_pages.pair(call(packs, drug="Allopurinol", event="dress"))
    assert view.status == 200
    assert view.values["known"]
    drug, event = view.values["found"]["drug"], view.values["found"]["event"]
    assert (drug.name, drug.reports, event.name, event.reports) == ("allopurinol", 40, "DRESS", 1)
    assert view.values["awaited"].en == "0.1", "40 × 1 / 400"
    assert view.values["ic"].fr.startswith("−0,26"), "log2(0.5 / 0.6)"


@pytest.mark.parametrize(
    ("drug", "event", "near", "leads"),
    [
        ("alopurinol", "DRESS", "allopurinol", "/pair?drug=allopurinol&event=DRESS"),
        ("allopurinol", "nauseas", "nausea", "/pair?event=nausea&drug=allopurinol"),
        ("alopurinol", "zzz", "allopurinol", "?drug=allopurinol"),
    ],
)
def test_an_unknown_name_answers_404_with_near_names(packs, tmp_path, drug, event, near, leads):
    packs.import_files("signals", [made(tmp_path, "2026Q3", cases=6).folder])
    view = pair_pages.pair(call(packs, drug=drug, event=event))
    assert view.status == 404
    [role] = [role for role, each in view.values["found"].items() if near in each.near]
    assert view.values["near_to"](role, near) == leads
    assert view.values["found"][role].name == ""


def test_a_run_that_lists_no_small_pair_does_not_say_none(packs, tmp_path):
    """Of three reports at least: a pair with two is counted, not listed."""
    rows = [(n, "allopurinol", "DRESS" if n < 2 else "nausea") for n in range(40)]
    rows += [(n, "paracetamol", "DRESS" if n < 48 else "nausea") for n in range(40, 400)]
    path = tmp_path / "pairs.csv"
    path.write_text("report_id,drug,event\n" + "".join(f"{r},{d},{e}\n" for r, d, e in rows), "utf-8")
    run = runs.write(detect(Pairs(path), least=3), tmp_path / "runs", "2026Q3", ON, least=3)
    packs.import_files("signals", [run.folder])
    view = pair_pages.pair(call(packs, drug="allopurinol", event="DRESS"))
    assert (view.status, view.values["run"].least, view.values["ic"]) == (200, 3, None)
