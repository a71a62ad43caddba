"""``lab39 signals …`` on a command line: what it prints, how it ends, what it writes."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from tests.cli.conftest import run
from tests.solutions.pharmacy import tiny_bdpm

__all__ = ["run"]

pytestmark = pytest.mark.filterwarnings("ignore:fetch_arrow_table:DeprecationWarning")  # Ibis 12 with DuckDB 2

Write = Callable[[str, str], Path]


def cases(n: int = 120, *, since: int = 0) -> str:
    """Cases in CSV: the first six have allopurinol and DRESS, the others are told at random by their number."""
    rows = ["case,drug,event,sex,age,received,start_date,event_date,country,serious"]
    for i in range(since, since + n):
        drug, event = ("allopurinol", "Rash dress") if i < 6 else (f"drug {i % 7}", f"event {i % 5}")
        sex, age, quarter = "FM"[i % 2], 20 + i % 60, 1 + 3 * (i % 4)
        rows.append(f"{i},{drug},{event},{sex},{age},2020-{quarter:02}-15,2020-01-01,2020-01-{1 + i % 9:02},FR,yes")
    return "\n".join(rows) + "\n"


@pytest.fixture
def store(run: Any, write: Write, tmp_path: Path) -> Path:
    folder = tmp_path / "store"
    ran = run("signals", "ingest", write("cases.csv", cases()), "--store", folder)
    assert ran.code == 0, ran.err
    return folder


# -- ingest ------------------------------------------------------------------------------------------------------


def test_the_two_extracts_become_ranked_pairs_by_two_commands(run: Any, shared: Path, tmp_path: Path) -> None:
    extracts = shared / "signals" / "faers_ascii"
    if not extracts.is_dir():
        pytest.skip("no extract of FAERS among the shared data")
    read = run("signals", "ingest", *sorted(extracts.iterdir()), "--store", tmp_path / "s", "--json")
    assert read.code == 0, read.err
    assert [each["name"][:12] for each in read.json["read"]] == ["FAERS 2004Q1", "FAERS 2017Q2"]
    assert read.json["rows"]["reports"] == 200
    found = run("signals", "detect", "--store", tmp_path / "s", "--json")
    assert found.code == 0, found.err
    assert found.json["run"] == "2017Q2"
    first = found.json["pairs"][0]
    assert (first["drug"], first["event"], first["n"]) == ("risperidone", "Gynaecomastia", 6)
    assert first["expected"] == pytest.approx(6 * 7 / 200)
    assert f"lab39 data import signals {tmp_path / 's' / 'runs' / '2017Q2'}" in found.err


def test_an_era_in_capitals_and_one_in_small_letters_are_the_same_terms(
    run: Any, shared: Path, tmp_path: Path
) -> None:
    extracts = shared / "signals" / "faers_ascii"
    if not extracts.is_dir():
        pytest.skip("no extract of FAERS among the shared data")
    assert run("signals", "ingest", *sorted(extracts.iterdir()), "--store", tmp_path / "s").code == 0
    rows = [
        row for file in (tmp_path / "s/tables/events.parquet").iterdir() for row in pq.read_table(file).to_pylist()
    ]
    given = {row["event_given"] for row in rows}
    both = {term for term in given if term != term.upper() and term.upper() in given}
    assert len(both) > 5
    spelt = {row["event_given"]: row["event"] for row in rows}
    assert all(spelt[term.upper()] == spelt[term] == term for term in both)
    assert len(set(spelt.values())) == len({term.lower() for term in given})


def test_a_run_says_whether_its_fit_saw_what_nobody_reported(run: Any, store: Path) -> None:
    for name, option in (("with", "--zeros"), ("without", "--no-zeros")):
        assert run("signals", "detect", "--store", store, option, "--name", name).code == 0
    kept = [json.loads((store / "runs" / name / "run.json").read_text("utf-8")) for name in ("with", "without")]
    assert [each["zeros"] for each in kept] == [True, False]
    said = run("signals", "compare", store / "runs" / "with", store / "runs" / "without", "--json")
    assert "fit: zeros, then components" in said.out + said.err


def test_rows_without_a_name_are_told_by_detect(run: Any, write: Write) -> None:
    path = write("rows.csv", "case,drug,event\n1,A,x\n2,,x\n,B,x\n3,B,y\n")
    assert run("signals", "detect", "--pairs", path, "--json").json["unnamed"] == 2
    said = run("signals", "detect", "--pairs", path)
    assert "2 lignes sans numéro de cas, médicament ou événement, laissées de côté" in said.out


def test_what_was_read_is_not_read_again_and_what_is_new_is(run: Any, store: Path, write: Write) -> None:
    more = write("more.csv", cases(30, since=500))
    ran = run("signals", "ingest", store.parent / "cases.csv", more, "--store", store, "--json")
    assert (ran.code, ran.json["already"]) == (0, ["cases.csv"])
    assert [each["name"] for each in ran.json["read"]] == ["more.csv"]
    assert ran.json["rows"]["reports"] == 150


def test_a_command_that_was_stopped_goes_on_where_it_was(
    run: Any, write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lab39.solutions.signals.readers import sources

    first, second = write("first.csv", cases(30)), write("second.csv", cases(30, since=100))

    read = sources._csv

    def stopped(told: Any, *rest: Any) -> None:
        if told.item.name.endswith("second.csv"):
            raise KeyboardInterrupt
        read(told, *rest)

    with monkeypatch.context() as patch:
        patch.setattr(sources, "_csv", stopped)
        cut = run("signals", "ingest", first, second, "--store", tmp_path / "s")
    assert cut.code == 130
    assert "la même commande reprend la suite" in cut.err
    again = run("signals", "ingest", first, second, "--store", tmp_path / "s", "--json")
    assert (again.code, again.json["already"]) == (0, ["first.csv"])
    assert [each["name"] for each in again.json["read"]] == ["second.csv"]
    assert again.json["rows"]["reports"] == 60


def test_rows_not_used_are_counted_with_their_reason_and_kept(run: Any, write: Write, tmp_path: Path) -> None:
    broken = "case,drug,event,sex\n1,a,b,F\n2,a,b\n,a,b,F\n3,a,b,never\n"
    ran = run("signals", "ingest", write("c.csv", broken), "--store", tmp_path / "s")
    assert ran.code == 0
    assert "3 champs au lieu de 4" in ran.out
    assert "pas de numéro de cas" in ran.out
    kept = tmp_path / "s" / "tables" / "rejected.parquet"
    assert str(kept) in ran.out
    assert kept.is_file()
    english = run("--lang", "en", "signals", "ingest", tmp_path / "c.csv", "--store", tmp_path / "s")
    assert "3 fields instead of 4" in english.out
    assert "already read: c.csv" in english.out


def test_names_are_read_in_a_file_and_a_pack_and_how_far_they_went_is_told(
    run: Any, write: Write, tmp_path: Path
) -> None:
    (tmp_path / "bdpm").mkdir()
    assert run("data", "import", "bdpm", *tiny_bdpm.write(tmp_path / "bdpm")).code == 0
    drugs = ["DOLIPRANE 1000", "AUGMENTIN", "Zetamol", "Unheard", "Unheard"]
    source = write("c.csv", "case,drug,event\n" + "".join(f"{n},{drug},X\n" for n, drug in enumerate(drugs)))
    mine = write("mine.csv", "name;ingredient\nzetamol;paracetamol\n")
    ran = run("signals", "ingest", source, "--store", tmp_path / "s", "--names", mine, "--names", "bdpm")
    assert ran.code == 0, ran.err
    [version] = re.findall(r"mine\.csv ([0-9a-f]{8})", ran.out)
    assert (
        f"3 noms distincts sur 4 ramenés à des substances par mine.csv {version}, bdpm 2026-05-04\u202f; "
        "ambigus, laissés tels quels\u202f: 0" in ran.out
    )
    assert "les plus fréquents qui restent des noms\u202f: Unheard (2)" in ran.out
    found = run("signals", "detect", "--store", tmp_path / "s", "--name", "x", "--json").json
    counted = {each["drug"]: each["n"] for each in found["pairs"]}
    assert counted == {"paracetamol": 2, "unheard": 2, "amoxicilline": 1, "acide clavulanique": 1}
    other = run("signals", "ingest", source, "--store", tmp_path / "s", "--names", "bdpm")
    assert (other.code, other.out) == (2, "")
    assert "--remap" in other.err
    again = run("signals", "ingest", source, "--store", tmp_path / "s", "--names", "bdpm", "--remap", "--json")
    assert again.json["names"]["dictionaries"] == [{"name": "bdpm", "version": "2026-05-04"}]
    assert (again.json["names"]["distinct"], again.json["names"]["mapped"]) == (4, 2)


def test_a_source_that_fails_keeps_the_others_from_nothing(run: Any, write: Write, tmp_path: Path) -> None:
    good, bad = write("good.csv", cases(30)), write("bad.xml", "<ichicsr><cut")
    ran = run("signals", "ingest", good, bad, "--store", tmp_path / "s", "--json")
    assert ran.code == 1
    assert [each["name"] for each in ran.json["read"]] == ["good.csv"]
    assert "bad.xml" in ran.json["failed"][0]["place"]
    assert "bad.xml" in ran.err


def test_an_ingestion_that_read_nothing_leaves_no_store_behind(run: Any, write: Write, tmp_path: Path) -> None:
    empty = write("one.csv", "case,drug,event,sex\n"), write("two.csv", "case,drug,event\n")
    for there in (False, True):
        if there:
            (tmp_path / "s").mkdir()
        ran = run("signals", "ingest", *empty, "--store", tmp_path / "s", "--json")
        assert (ran.code, ran.out) == (2, "")
        assert "two.csv" in ran.err
        assert (tmp_path / "s").exists() is there
    assert not list((tmp_path / "s").iterdir())


def test_what_was_there_stays_when_nothing_more_was_read(run: Any, store: Path, write: Write) -> None:
    ran = run("signals", "ingest", write("two.csv", "case,drug,event\n"), "--store", store, "--json")
    assert (ran.code, ran.json["rows"]["reports"]) == (2, 120)
    assert run("signals", "detect", "--store", store, "--json").json["n_reports"] == 120


def test_a_store_without_reports_is_told_so_and_asked_no_name(run: Any, store: Path, write: Write) -> None:
    for table in ("reports", "drugs", "events"):
        for file in (store / "tables" / f"{table}.parquet").glob("*.parquet"):
            pq.write_table(pq.read_table(file).slice(0, 0), file)
    for named in ([], ["--name", "x"]):
        ran = run("signals", "detect", "--store", store, *named)
        assert (ran.code, ran.out) == (2, "")
        assert "aucune notification dans cette base" in ran.err
    assert "--name" not in ran.err


@pytest.mark.parametrize(
    ("arguments", "place"),
    [
        (["absent.zip", "--store", "s"], "absent.zip"),
        (["good.csv", "--store", "good.csv"], "good.csv"),
        (["good.csv", "--store", "s", "--columns", "drug"], "--columns"),
        (["good.csv", "--store", "s", "--columns", "drug=nowhere"], "nowhere"),
        (["good.csv", "--store", "s", "--columns", "drgu=drug"], "drgu"),
        (["good.csv", "--store", "s", "--memory", "much"], "--memory"),
        (["good.csv", "--store", "s", "--dictionary", "absent.csv"], "absent.csv"),
        (["good.csv", "--store", "s", "--names", "bdpm"], "lab39 data install bdpm"),
        (["good.csv", "--store", "s", "--names", "unheard"], "bdpm"),
        (["good.csv", "--store", "s", "--meddra", "absent"], "pt.asc"),
    ],
)
def test_what_cannot_be_read_says_where(
    run: Any, write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], place: str
) -> None:
    write("good.csv", cases(30))
    monkeypatch.chdir(tmp_path)
    ran = run("signals", "ingest", *arguments)
    assert (ran.code, ran.out) == (2, "")
    assert place in ran.err


# -- duplicates --------------------------------------------------------------------------------------------------


def test_duplicates_are_linked_explained_and_forgotten(run: Any, tmp_path: Path) -> None:
    from lab39.solutions.signals.readers.planted import plant

    made = plant(tmp_path / "s", reports=2_000, seed=1)
    ran = run("signals", "duplicates", "--store", tmp_path / "s", "--json")
    assert ran.code == 0, ran.err
    assert ran.json["n"] == len(ran.json["links"]) > 0
    found = {(each["first"], each["second"]) for each in ran.json["links"]}
    assert len(found & made.pairs) > len(found) / 2
    told = run("signals", "duplicates", "--store", tmp_path / "s", "--explain", "--top", 1)
    assert "bits" in told.out
    assert "aucune notification n'est retirée" in told.out
    assert (tmp_path / "s" / "links.parquet").is_file()
    every = run("signals", "detect", "--store", tmp_path / "s", "--name", "all", "--json").json
    merged = run(
        "signals", "detect", "--store", tmp_path / "s", "--duplicates", "merge", "--name", "one", "--json"
    ).json
    assert every["merged"] == 0 < merged["merged"]
    assert merged["n_reports"] == every["n_reports"] - merged["merged"]
    assert run("signals", "duplicates", "--store", tmp_path / "s", "--forget", "--json").json["forgotten"]
    assert not (tmp_path / "s" / "links.parquet").exists()


def test_too_few_reports_to_look_for_duplicates_is_said(run: Any, store: Path) -> None:
    ran = run("signals", "duplicates", "--store", store)
    assert ran.code == 2
    assert "120" in ran.err


# -- detect ------------------------------------------------------------------------------------------------------


def test_a_store_gives_a_run_named_after_its_last_quarter(run: Any, store: Path) -> None:
    ran = run("signals", "detect", "--store", store, "--by", "sex,age", "--json")
    assert ran.code == 0, ran.err
    assert (ran.json["run"], ran.json["by"]) == ("2020Q4", ["sex", "age"])
    about = json.loads((store / "runs" / "2020Q4" / "run.json").read_text("utf-8"))
    assert (about["drug_column"], about["n_reports"]) == ("ingredient", 120)
    first = ran.json["pairs"][0]
    assert (first["drug"], first["event"], first["n"]) == ("allopurinol", "Rash dress", 6)
    assert "ne prouve jamais" in run("signals", "detect", "--store", store, "--name", "again").out
    assert (store / "runs" / "again" / "scores.parquet").is_file()


def test_a_run_of_the_command_line_is_a_pack_of_the_lab(run: Any, store: Path) -> None:
    run("signals", "detect", "--store", store)
    ran = run("data", "import", "signals", store / "runs" / "2020Q4", "--json")
    assert ran.code == 0, ran.err


def test_pairs_and_counts_are_scored_without_a_run(run: Any, write: Write, tmp_path: Path) -> None:
    pairs = write("pairs.csv", "".join(f"{row}\n" for row in cases().splitlines()))
    ran = run("signals", "detect", "--pairs", pairs, "--columns", "report_id=case", "--json")
    assert ran.code == 0, ran.err
    assert (ran.json["run"], ran.json["n_reports"], ran.json["basis"]) == (None, 120, "reports")
    rows = "drug,event,n\n" + "".join(f"d{d},e{e},{1 + 9 * (d == e)}\n" for d in range(6) for e in range(6))
    counted = run("signals", "detect", "--counts", write("counts.csv", rows))
    assert counted.code == 0, counted.err
    assert "ce sont des mentions" in counted.out
    assert not list(tmp_path.rglob("run.json"))
    kept = run("signals", "detect", "--pairs", pairs, "--columns", "report_id=case", "--runs", tmp_path / "r",
               "--name", "mine")  # fmt: skip
    assert kept.code == 0, kept.err
    assert (tmp_path / "r" / "mine" / "run.json").is_file()


def test_counts_that_are_all_equal_say_why_gps_cannot_fit(run: Any, write: Write) -> None:
    rows = "drug,event,n\n" + "".join(f"d{d},e{e},5\n" for d in range(4) for e in range(4))
    ran = run("--lang", "en", "signals", "detect", "--counts", write("equal.csv", rows))
    assert ran.code == 0
    assert "No EB05: " in ran.out
    assert "sorted by IC025" in ran.out
    assert "nan" not in ran.out.lower()


def test_every_pair_is_exported(run: Any, store: Path, tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    told = run("signals", "detect", "--store", store, "--out", tmp_path / "all.csv", "--json").json
    with (tmp_path / "all.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == told["n_pairs"]
    assert (rows[0]["drug"], rows[0]["n"]) == ("allopurinol", "6")
    run("signals", "detect", "--store", store, "--out", tmp_path / "all.parquet")
    assert pq.read_table(tmp_path / "all.parquet").num_rows == told["n_pairs"]


def test_the_base_is_counted_as_it_stood_before_a_quarter(run: Any, store: Path) -> None:
    ran = run("signals", "detect", "--store", store, "--before", "2020Q3", "--json")
    assert ran.code == 0, ran.err
    assert (ran.json["run"], ran.json["n_reports"]) == ("2020Q2", 60)
    assert json.loads((store / "runs" / "2020Q2" / "run.json").read_text("utf-8"))["before"] == "2020Q3"


def test_the_triage_can_stand_on_adjusted_expectations(run: Any, store: Path, tmp_path: Path) -> None:
    out = tmp_path / "pairs.csv"
    done = run("signals", "detect", "--store", str(store), "--adjust", "--out", str(out), "--json")
    assert done.code == 0, done.err
    with out.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    answered = [row for row in rows if row["event"] not in json.loads(done.out)["not_adjusted"]]
    fitted = json.loads(done.out)["prior"] is not None
    assert fitted == any(row["expected_adjusted"] for row in answered)
    assert all(bool(row["expected_adjusted"]) == fitted for row in answered)


@pytest.mark.parametrize("more", [("--no-triage",), ("--without", "paracetamol")])
def test_an_adjustment_that_cannot_be_made_is_refused(run: Any, store: Path, more: tuple[str, ...]) -> None:
    done = run("signals", "detect", "--store", str(store), "--adjust", *more)
    assert done.code == 2
    assert "--adjust" in done.err


def test_reports_of_a_drug_can_be_left_out_and_roles_chosen(run: Any, store: Path) -> None:
    out = run("signals", "detect", "--store", store, "--without", "allopurinol", "--json").json
    assert out["n_reports"] == 114
    assert {each["drug"] for each in out["pairs"]}.isdisjoint({"allopurinol"})
    none = run("signals", "detect", "--store", store, "--roles", "PS")
    assert none.code == 2  # no drug of these cases has a role
    assert run("signals", "detect", "--store", store, "--roles", "all", "--json").json["n_reports"] == 120


@pytest.mark.parametrize(
    ("arguments", "place"),
    [
        ([], "--store"),
        (["--store", "s", "--pairs", "p.csv"], "--store"),
        (["--store", "nowhere"], "nowhere"),
        (["--pairs", "absent.csv"], "absent.csv"),
        (["--pairs", "p.csv"], "report_id"),
        (["--store", "store", "--before", "May"], "--before"),
        (["--store", "store", "--duplicates", "merge", "--name", "x"], "store"),
        (["--pairs", "p.csv", "--before", "2020Q1"], "--before"),
        (["--pairs", "p.csv", "--roles", "PS"], "--roles"),
        (["--pairs", "p.csv", "--drug-column", "drug"], "--drug-column"),
        (["--store", "store", "--columns", "drug=a"], "--columns"),
        (["--store", "store", "--roles", "XX"], "--roles"),
        (["--store", "store", "--by", "moon"], "moon"),
        (["--store", "store", "--name", "../up"], "--name"),
        (["--store", "store", "--name", "2020Q3"], "2020Q4"),  # a quarter before what it counts
        (["--store", "store", "--out", "pairs.xls"], "--out"),
        (["--store", "store", "--without", "nothing"], "nothing"),
    ],
)
def test_what_cannot_be_counted_says_where(
    run: Any, store: Path, write: Write, monkeypatch: pytest.MonkeyPatch, arguments: list[str], place: str
) -> None:
    write("p.csv", "drug,event\na,b\n")
    monkeypatch.chdir(store.parent)
    ran = run("signals", "detect", *arguments)
    assert (ran.code, ran.out) == (2, "")
    assert place in ran.err
