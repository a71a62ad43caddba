"""``lab39 signals explain | compare | evaluate | simulate | report`` on a command line."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from tests.cli.conftest import run
from tests.solutions.signals.test_cli import Write, cases, store

from lab39.solutions.signals.moved import moved
from lab39.solutions.signals.runs import Run

__all__ = ["run", "store"]

pytestmark = pytest.mark.filterwarnings("ignore:fetch_arrow_table:DeprecationWarning")  # Ibis 12 with DuckDB 2

PAIR = ("--drug", "Allopurinol", "--event", "rash DRESS")


# -- explain -----------------------------------------------------------------------------------------------------


def test_a_pair_is_explained_with_its_counts_scores_time_and_cases(run: Any, store: Path) -> None:
    run("signals", "detect", "--store", store, "--by", "age")
    run("signals", "detect", "--store", store, "--name", "2021Q1", "--by", "age")
    found = run("signals", "explain", *PAIR, "--store", store, "--json")
    assert found.code == 0, found.err
    told = found.json
    assert (told["drug"], told["event"], told["run"], told["before"]) == (
        "allopurinol", "Rash dress", "2021Q1", "2020Q4",
    )  # fmt: skip
    pair = told["pair"]
    assert (pair["observed"], pair["n_drug"], pair["n_event"], pair["n_total"]) == (6, 6, 6, 120)
    assert pair["crude"] == pytest.approx(6 * 6 / 120)
    assert pair["by"] == ["age"]
    young = sum(18 <= 20 + i % 60 < 45 for i in range(120))  # the six are all in this band of age
    assert pair["expected"] == pytest.approx(6 * 6 / young)
    by_name = {each["name"]: each for each in pair["scores"]}
    assert by_name["IC"]["value"] == pytest.approx(math.log2(6.5 / (36 / young + 0.5)))
    assert pair["crude_ic"]["value"] == pytest.approx(math.log2(6.5 / (0.3 + 0.5)))
    assert by_name["EBGM"]["low"] == pytest.approx(told["row"]["eb05"])
    assert pair["along"]["observed"] == [2, 2, 1, 1]
    assert told["reports"]["n"] == 6
    assert told["reports"]["serious"] == {"yes": 6, "no": 0, "not told": 0}
    assert told["reports"]["countries"] == {"FR": 6}
    assert {each["report_id"] for each in told["reports"]["cases"]} == {str(i) for i in range(6)}
    titles = [each["title"]["en"] for each in told["sections"]]
    assert titles[:3] == ["The reports", "The scores", "Why this rank"]
    assert "Since the run before" in titles


def test_it_is_said_in_either_language_and_never_as_a_proof(run: Any, store: Path) -> None:
    run("signals", "detect", "--store", store)
    french = run("signals", "explain", *PAIR, "--store", store)
    assert "avec le médicament et l'événement\u202f: 6" in french.out
    assert "ne prouve jamais" in french.out
    english = run("--lang", "en", "signals", "explain", *PAIR, "--store", store)
    assert "with the drug and the event: 6" in english.out
    assert "reported more than expected" in english.out
    assert "never proves" in english.out


def test_onset_needs_ten_reports_and_says_so(run: Any, store: Path) -> None:
    few = run("signals", "explain", *PAIR, "--store", store, "--json").json["reports"]
    assert (few["onset"], few["onset_told"], few["onset_before"]) == (None, 6, 0)  # one is of the first day
    assert "10" in few["why_no_onset"]["en"]
    many = run("signals", "explain", "--drug", "drug 1", "--event", "event 1", "--store", store, "--json").json
    assert many["reports"]["n"] < 10


def test_a_pair_that_nobody_reported_is_scored_and_is_no_error(run: Any, store: Path) -> None:
    run("signals", "detect", "--store", store)
    ran = run("signals", "explain", "--drug", "allopurinol", "--event", "event 1", "--store", store, "--json")
    assert ran.code == 0, ran.err
    pair = ran.json["pair"]
    assert pair["observed"] == 0
    assert pair["expected"] == pytest.approx(6 * pair["n_event"] / 120)
    scores = {each["name"]: each["value"] for each in pair["scores"]}
    assert scores["PRR"] == 0
    assert scores["IC"] < 0
    assert ran.json["row"] is None
    shown = run("signals", "explain", "--drug", "allopurinol", "--event", "event 1", "--store", store).out
    assert "personne n'a notifié ce couple" in shown


def test_a_name_that_is_unknown_gives_those_that_look_like_it(run: Any, store: Path) -> None:
    ran = run("signals", "explain", "--drug", "alopurinl", "--event", "Rash dress", "--store", store)
    assert (ran.code, ran.out) == (2, "")
    assert "alopurinl" in ran.err
    assert "allopurinol" in ran.err
    ran = run("signals", "explain", "--drug", "allopurinol", "--event", "rsh dres", "--store", store)
    assert ran.code == 2
    assert "Rash dress" in ran.err


def test_without_a_run_the_pair_is_counted_and_ebgm_says_what_it_needs(run: Any, store: Path) -> None:
    ran = run("signals", "explain", *PAIR, "--store", store)
    assert ran.code == 0
    assert "lab39 signals detect" in ran.out
    wrong = run("signals", "explain", *PAIR, "--store", store, "--run", "2019Q1")
    assert wrong.code == 2
    assert "2019Q1" in wrong.err


def test_pairs_of_a_file_are_explained_too(run: Any, write: Write) -> None:
    rows = [f"{i},A,Rash" for i in range(8)] + [f"{i},M,Rash" for i in range(8, 60)]
    rows += [f"{i},{'A' if i < 70 else 'M' if i < 80 else 'B {x}'},Other" for i in range(60, 200)]
    rows += [f"{i},{drug},Mixed" for i in range(200, 206) for drug in ("A", "B {x}")]
    path = write("pairs.csv", "\n".join(["report_id,drug,event", *rows]) + "\n")
    ran = run("signals", "explain", "--drug", "A", "--event", "Rash", "--pairs", path, "--json")
    assert ran.code == 0, ran.err
    masker = ran.json["pair"]["maskers"][0]
    assert (masker["drug"], masker["event_reports"], masker["observed"]) == ("M", 52, 8)
    assert masker["ratio"] == pytest.approx(60 / 8 * (206 - 62) / 206)
    assert masker["expected"] == pytest.approx(24 * 8 / 144)
    assert ran.json["reports"] is None
    mixed = run("signals", "explain", "--drug", "A", "--event", "Mixed", "--pairs", path)
    assert mixed.code == 0, mixed.err
    assert "avec B {x}\u202f: 6 observés" in mixed.out


def test_an_event_that_another_drug_is_coupled_with_does_not_stop_the_explanation(run: Any, write: Write) -> None:
    """Ten reports have A and Rash, told of C; the odds with A alone count them all the same."""
    rows = [f"{i},{drug}" for i in range(10) for drug in ("A,Fever", "C,Rash")]
    rows += [f"{i},{drug},Rash" for i in (10, 11) for drug in "AB"] + ["12,C,Fever"]
    path = write("pairs.csv", "\n".join(["report_id,drug,event", *rows]) + "\n")
    ran = run("signals", "explain", "--drug", "A", "--event", "Rash", "--pairs", path, "--json")
    assert ran.code == 0, ran.err
    assert ran.json["pair"]["observed"] == 2
    [other] = ran.json["pair"]["together"]
    assert (other["drug"], other["with_both"], other["observed"], other["expected"]) == ("B", 2, 2, 2.0)


def test_ingredients_of_one_product_are_no_interaction(run: Any, write: Write) -> None:
    """What the product does would pass for one: neither tells what it does without the other."""
    rows = [f"{i},P,Q\\R,{'Rash' if i < 30 else 'Fever'}" for i in range(60)]
    rows += [f"{i},Q,Q,{'Rash' if i < 64 else 'Fever'}" for i in range(60, 100)]
    rows += [f"{i},S,S,{'Rash' if i < 110 else 'Fever'}" for i in range(100, 300)]
    path = write("cases.csv", "\n".join(["case,drug,ingredient,event", *rows]) + "\n")
    folder = path.parent / "products"
    assert run("signals", "ingest", path, "--store", folder).code == 0
    ran = run("--lang", "en", "signals", "explain", "--drug", "q", "--event", "Rash", "--store", folder)
    assert "with r: 30 observed; one is never reported without the other" in ran.out, ran.err
    assert "more than each explains" not in ran.out


@pytest.mark.parametrize(
    ("arguments", "place"),
    [
        (["--drug", "a", "--event", "b"], "--store"),
        (["--drug", "a", "--event", "b", "--store", "nowhere"], "nowhere"),
        (["--drug", "a", "--event", "b", "--pairs", "absent.csv"], "absent.csv"),
        (["--drug", "a"], "--event"),
    ],
)
def test_what_cannot_be_explained_says_where(run: Any, arguments: list[str], place: str) -> None:
    ran = run("signals", "explain", *arguments)
    assert (ran.code, ran.out) == (2, "")
    assert place in ran.err


# -- compare -----------------------------------------------------------------------------------------------------


def table(folder: Path, rows: list[tuple[str, str, int, float, float]], prior: bool = True, **about: Any) -> Run:
    """A run with these scores: drug, event, n, EB05, IC025."""
    import datetime as dt

    import pyarrow as pa
    import pyarrow.parquet as pq

    folder.mkdir()
    columns = list(zip(*rows, strict=True))
    pq.write_table(
        pa.table(dict(zip(("drug", "event", "n", "eb05", "ic025"), map(list, columns), strict=True))),
        folder / "scores.parquet",
    )
    given = {"by": (), "roles": (), "likelihood": "components"} | about
    return Run(
        name=folder.name, made=dt.date(2026, 1, 1), store=None, until=None, prior=(0.2, 0.1, 2, 4, 1 / 3) if prior
        else None, why_no_gps=None, n_reports=9, n_drugs=1, n_events=1, n_pairs=len(rows), basis="reports",
        versions={}, folder=folder, **given,
    )  # fmt: skip


def test_what_moved_is_told_by_kind_the_largest_first(tmp_path: Path) -> None:
    before = table(
        tmp_path / "a",
        [
            ("A", "up", 3, 1.0, 0.1),
            ("A", "down", 9, 4.0, 1.0),
            ("A", "same", 5, 3.0, 1.0),
            ("A", "low", 1, 0.5, -1.0),
        ],
    )
    after = table(
        tmp_path / "b",
        [
            ("A", "up", 9, 8.0, 1.0),
            ("A", "down", 9, 1.9, 1.0),
            ("A", "same", 6, 3.1, 1.0),
            ("B", "new", 4, 64.0, 1.0),
        ],
        by=("sex",),
    )
    found = moved(before, after)
    assert [(each.what, each.event) for each in found.moves] == [
        ("new", "new"),
        ("risen", "up"),
        ("fallen", "down"),
    ]
    assert [each.size for each in found.moves[:2]] == pytest.approx([5, 3])  # on the scale of log2
    assert (found.moves[0].n_before, found.moves[0].before) == (0, None)
    assert (found.score, found.threshold, found.stayed_above) == ("eb05", 2.0, 1)
    assert [each.en for each in found.differs] == ["strata: –, then sex"]
    assert [each.event for each in moved(before, after, threshold=3.05).moves] == ["new", "up", "down", "same"]


def test_without_a_fit_in_either_run_ic025_is_compared(tmp_path: Path) -> None:
    before = table(tmp_path / "a", [("A", "x", 3, 9.0, -0.5)], prior=False)
    after = table(tmp_path / "b", [("A", "x", 5, 9.0, 0.7)])
    found = moved(before, after)
    assert (found.score, found.threshold) == ("ic025", 0.0)
    assert [(each.what, each.size) for each in found.moves] == [("risen", pytest.approx(1.2))]


def test_runs_are_named_by_folder_or_by_version_of_the_pack(run: Any, store: Path) -> None:
    for name in ("2020Q4", "2021Q1"):
        run("signals", "detect", "--store", store, "--name", name)
    run("data", "import", "signals", store / "runs" / "2020Q4")
    ran = run("signals", "compare", "2020Q4", store / "runs" / "2021Q1", "--json")
    assert ran.code == 0, ran.err
    assert (ran.json["before"], ran.json["after"], ran.json["moves"]) == ("2020Q4", "2021Q1", [])
    assert "0 nouvelle," in run("signals", "compare", "2020Q4", store / "runs" / "2021Q1").out
    unknown = run("signals", "compare", "2019Q9", "2020Q4")
    assert unknown.code == 2
    assert "2020Q4" in unknown.err


# -- evaluate, simulate --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def made_up(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from lab39.solutions.signals.simulate import simulate

    folder = tmp_path_factory.mktemp("made") / "store"
    simulate(folder, rows=30_000, seed=3)
    return folder


def test_a_made_up_base_says_so_at_every_step(run: Any, tmp_path: Path) -> None:
    folder = tmp_path / "s"
    ran = run("signals", "simulate", "--store", folder, "--rows", 25_000, "--seed", 3, "--json")
    assert ran.code == 0, ran.err
    assert ran.json["synthetic"] is True
    assert Path(ran.json["truth"]).read_text("utf-8").startswith("drug,event,truth,kind,")
    found = run("signals", "detect", "--store", folder, "--known", folder / "known.csv", "--json")
    assert found.code == 0, found.err
    assert found.json["synthetic"] is True
    assert json.loads((folder / "runs" / found.json["run"] / "run.json").read_text("utf-8"))["synthetic"] is True
    assert any(each["known"] for each in found.json["pairs"])
    measured = run("--lang", "en", "signals", "evaluate", "--reference", folder / "truth.csv", "--store", folder)
    assert measured.code == 0, measured.err
    assert "synthetic" in measured.out
    assert "raw count" in measured.out
    assert "eb05" in measured.out
    first = found.json["pairs"][0]
    told = run("signals", "explain", "--drug", first["drug"], "--event", first["event"], "--store", folder)
    assert "synthétiques" in told.out
    again = run("signals", "simulate", "--store", folder)
    assert again.code == 2


def test_a_reference_is_measured_with_the_raw_count_beside_and_unreported_pairs_in(
    run: Any, write: Write, store: Path
) -> None:
    rows = ["allopurinol,Rash dress,1", *(f"drug {d},event {d % 5},1" for d in (1, 2))]
    rows += [f"allopurinol,event {e},0" for e in range(3)] + ["nothing,Rash dress,0"]
    path = write("reference.csv", "\n".join(["drug,event,truth", *rows]) + "\n")
    before = run("signals", "evaluate", "--reference", path, "--store", store)
    assert before.code == 2
    assert "lab39 signals detect" in before.err
    run("signals", "detect", "--store", store)
    ran = run("signals", "evaluate", "--reference", path, "--store", store, "--json")
    assert ran.code == 0, ran.err
    assert (ran.json["n"], ran.json["scored"], ran.json["without_report"]) == (7, 6, 3)
    assert ran.json["not_scored"] == [{"drug": "nothing", "event": "Rash dress", "truth": False}]
    assert ran.json["auc"]["all"]["raw count"][0] == 1.0
    assert {"raw count", "prr", "ic025"} <= set(ran.json["auc"]["all"])


def test_pairs_of_a_file_are_measured_without_a_run(run: Any, write: Write) -> None:
    pairs = write("pairs.csv", cases())
    reference = write(
        "reference.csv",
        "drug;event;truth\nallopurinol;Rash DRESS;1\ndrug 1;event 1;1\ndrug 2;event 2;yes\n"
        "allopurinol;event 1;0\nallopurinol;event 2;no\nallopurinol;event 3;0\n",
    )
    ran = run("signals", "evaluate", "--reference", reference, "--pairs", pairs, "--columns", "report_id=case",
              "--json")  # fmt: skip
    assert ran.code == 0, ran.err
    assert (ran.json["run"], ran.json["n_reports"], ran.json["scored"]) == (None, 120, 6)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("drug,event\na,b\n", "reference.csv:1"),
        ("drug,event,truth\na,b,perhaps\n", "reference.csv:2"),
        ("drug,event,truth\n", "reference.csv"),
        ("drug,event,truth\nnobody,nothing,1\n", "reference"),
    ],
)
def test_a_reference_that_cannot_be_used_says_where(
    run: Any, write: Write, store: Path, text: str, place: str
) -> None:
    run("signals", "detect", "--store", store)
    ran = run("signals", "evaluate", "--reference", write("reference.csv", text), "--store", store)
    assert (ran.code, ran.out) == (2, "")
    assert place in ran.err


def test_too_few_rows_to_simulate_is_said(run: Any, tmp_path: Path) -> None:
    ran = run("signals", "simulate", "--store", tmp_path / "s", "--rows", 100)
    assert ran.code == 2
    assert "rows" in ran.err


# -- report ------------------------------------------------------------------------------------------------------

CASE = (
    "case,drug,role,event,sex,age,country,received,reporter\n"
    "7,ASPIRIN,suspect,Nausea,F,60,FR,2026-01-02,physician\n"
)


def test_a_case_becomes_a_message_and_what_is_missing_is_said(run: Any, write: Write, tmp_path: Path) -> None:
    ran = run("signals", "report", write("case.csv", CASE), "--to", "e2b")
    assert ran.code == 0, ran.err
    assert ElementTree.fromstring(ran.out).tag == "{urn:hl7-org:v3}MCCI_IN200100UV01"
    assert "manque\u202f: le récit (H.1)" in ran.err
    assert "N.1.4" in ran.err
    assert "manque\u202f: un numéro de la forme pays-organisme-numéro" in ran.err
    assert "(E.i.1.1b)" in ran.err
    french = run("signals", "report", tmp_path / "case.csv", "--to", "e2b", "--language", "fra")
    assert 'language="fra"' in french.out
    assert "(E.i.1.1b)" not in french.err
    assert run("signals", "report", tmp_path / "case.csv", "--to", "e2b", "--language", "fr").code == 2
    told = run("signals", "report", tmp_path / "case.csv", "--to", "fhir", "--out", tmp_path / "c.json", "--json")
    assert (told.json["case"], told.json["content"]) == ("7", None)
    bundle = json.loads((tmp_path / "c.json").read_text("utf-8"))
    kinds = {each["resource"]["resourceType"] for each in bundle["entry"]}
    assert {"AdverseEvent", "Patient"} <= kinds


def test_a_message_comes_back_as_the_case_it_was(run: Any, write: Write, tmp_path: Path) -> None:
    run("signals", "report", write("case.csv", CASE), "--to", "fhir", "--out", tmp_path / "c.json")
    ran = run("signals", "report", tmp_path / "c.json", "--to", "e2b", "--sender", "ME", "--receiver", "YOU",
              "--out", tmp_path / "c.xml")  # fmt: skip
    assert ran.code == 0, ran.err
    assert "N.1.4" not in ran.err
    read = run("signals", "ingest", tmp_path / "c.xml", "--store", tmp_path / "s", "--json")
    assert read.code == 0, read.err
    assert read.json["rows"]["events"] == 1


def test_one_of_several_cases_is_chosen_by_its_number(run: Any, write: Write) -> None:
    path = write("two.csv", CASE + "8,PARACETAMOL,suspect,Rash,M,40,FR,2026-01-03,physician\n")
    ran = run("signals", "report", path, "--to", "e2b")
    assert (ran.code, ran.out) == (2, "")
    assert "7, 8" in ran.err
    assert "PARACETAMOL" in run("signals", "report", path, "--to", "e2b", "--case", "8").out
    unknown = run("signals", "report", path, "--to", "e2b", "--case", "9")
    assert unknown.code == 2
    assert "7, 8" in unknown.err
    assert run("signals", "report", path.parent / "absent.xml", "--to", "fhir").code == 2
