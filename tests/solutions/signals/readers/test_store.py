"""The store: read once, stopped and resumed, the same whatever the order."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from lab39.core.errors import InputError
from lab39.solutions.signals import detect
from lab39.solutions.signals import sources as counted
from lab39.solutions.signals.readers import meddra, model, partwise
from lab39.solutions.signals.readers.ingest import ingest
from lab39.solutions.signals.readers.names import Dictionary, Names, normal
from lab39.solutions.signals.readers.part_writer import arrow_schema
from lab39.solutions.signals.readers.settle import names_of
from lab39.solutions.signals.readers.store import Store

from .conftest import FAERS, Shelf, row
from .test_e2b import R2

Quarter = Callable[..., Path]

pytestmark = [pytest.mark.filterwarnings("ignore:fetch_arrow_table:DeprecationWarning")]  # Ibis 12 with DuckDB 2


def xml(folder: Path) -> Path:
    file = folder / "r2.xml"
    file.write_bytes(R2.encode("latin-1"))
    return file


def cases(folder: Path, text: str = "case,drug,event\n1,A,X\n") -> Path:
    file = folder / "cases.csv"
    file.write_text(text, "utf-8")
    return file


def aspirin(quarter: Quarter, code: str, *ids: str, pt: str = "Nausea") -> Path:
    """A quarter of cases on aspirin with one event, each named by its case (three figures) and its version."""
    return quarter(
        code,
        DEMO=[row(FAERS["DEMO"], primaryid=i, caseid=i[:3], caseversion=i[3:]) for i in ids],
        DRUG=[row(FAERS["DRUG"], primaryid=i, drug_seq="1", role_cod="PS", drugname="ASPIRIN") for i in ids],
        REAC=[row(FAERS["REAC"], primaryid=i, pt=pt) for i in ids],
    )


def test_what_was_read_is_not_read_again_and_what_was_cut_is(quarter: Quarter, shelf: Shelf) -> None:
    first, second = quarter("17Q2"), quarter("17Q3", REAC=[row(FAERS["REAC"], primaryid="1001", pt="Rash")])

    def stop(what: str, _done: float) -> None:
        if "2017Q3" in what:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ingest([first, second], shelf.folder, progress=stop)
    assert [part.name for part in Store.open(shelf.folder).parts()] == ["FAERS 2017Q2 (faers_17Q2)"]
    assert len(list((shelf.folder / "parts").iterdir())) == 1
    told = shelf.add(first, second)
    assert told.already == ("FAERS 2017Q2 (faers_17Q2)",)
    assert [each.name for each in told.read] == ["FAERS 2017Q3 (faers_17Q3)"]
    assert shelf.ask("SELECT event FROM events") == [("Rash",)]


def test_a_part_left_by_a_power_cut_is_cleared_away(quarter: Quarter, shelf: Shelf) -> None:
    left = shelf.folder / "parts" / ".0123"
    left.mkdir(parents=True)
    (shelf.folder / "store.json").write_text('{"form": 1}')
    (left / "reports.rows.parquet").write_bytes(b"half")
    shelf.add(quarter())
    assert not left.exists()
    assert shelf.one("SELECT count(*) FROM reports") == 1


def test_a_file_is_known_by_its_content_whatever_its_place(quarter: Quarter, shelf: Shelf) -> None:
    shelf.add(quarter("17Q2", folder="here"))
    assert len(shelf.add(quarter("17Q2", folder="there")).already) == 1


def test_the_order_of_reading_changes_nothing(quarter: Quarter, tmp_path: Path) -> None:
    sources = [quarter("17Q2"), quarter("17Q3"), xml(tmp_path), cases(tmp_path)]
    told = []
    for order, folder in ((sources, "a"), (sources[::-1], "b")):
        shelf = Shelf(tmp_path / folder)
        for source in order:
            shelf.add(source)
        told.append(
            [
                shelf.ask(f"SELECT {what} FROM {table} ORDER BY ALL")
                for table, what in [
                    *((table, "* EXCLUDE (report_key)") for table in ("reports", "drugs", "events", "indications")),
                    *((table, "*") for table in ("set_aside", "rejected", "names")),
                ]
            ]
        )
    assert told[0] == told[1]
    assert all(told[0][:5])  # nothing is the same for being empty


def settled(folder: Path) -> dict[str, int]:
    """Each file of the tables that have one a part, and which it is on the disk."""
    return {str(file.relative_to(folder)): file.stat().st_ino for file in folder.glob("tables/*.parquet/*.parquet")}


def test_one_more_quarter_leaves_the_files_of_the_others_and_gives_what_all_at_once_gives(
    quarter: Quarter, tmp_path: Path
) -> None:
    reports = partial(aspirin, quarter)
    first, second = reports("17Q2", "1001", "1011"), reports("17Q3", "1021", "1031", pt="NAUSEA")
    third = reports("17Q4", "1032", "1041")  # a later version of a case of the second
    step, whole = Shelf(tmp_path / "step"), Shelf(tmp_path / "whole")
    step.add(first, second)
    before = settled(step.folder)
    step.add(third)
    after = settled(step.folder)
    changed = {file for file, inode in before.items() if after[file] != inode}
    parts = {part.name[6:12]: part.digest for part in Store.open(step.folder).parts()}
    assert changed == {
        f"tables/{table}.parquet/{parts['2017Q3']}.parquet"
        for table in ("reports", "drugs", "events", "indications")
    }
    whole.add(first, second, third)
    for table in ("reports", "drugs", "events", "set_aside", "names"):
        query = f"SELECT * FROM {table} ORDER BY ALL"
        assert step.ask(query) == whole.ask(query), table
    assert step.ask("SELECT report_id FROM reports ORDER BY 1") == [
        ("1001",), ("1011",), ("1021",), ("1032",), ("1041",)
    ]  # fmt: skip


def test_a_spelling_that_comes_later_reaches_the_parts_that_have_the_term(quarter: Quarter, shelf: Shelf) -> None:
    shelf.add(quarter("17Q2", REAC=[row(FAERS["REAC"], primaryid="1001", pt="HEPATITIS B")]))
    assert shelf.ask("SELECT event FROM events") == [("Hepatitis b",)]
    demo = row(FAERS["DEMO"], primaryid="2001", caseid="200")
    later = quarter("17Q3", DEMO=[demo], REAC=[row(FAERS["REAC"], primaryid="2001", pt="Hepatitis B")])
    shelf.add(later)
    assert shelf.ask("SELECT event, event_given FROM events ORDER BY report_id") == [
        ("Hepatitis B", "HEPATITIS B"),
        ("Hepatitis B", "Hepatitis B"),
    ]


def test_a_part_that_writes_a_term_in_two_ways_is_spelt_again_too(quarter: Quarter, shelf: Shelf) -> None:
    """Both of its rows change alike: the part must not look the same for it, or one term would be two."""
    demo = [row(FAERS["DEMO"], primaryid=f"100{n}", caseid=f"10{n}") for n in (1, 2)]
    both = [row(FAERS["REAC"], primaryid=f"100{n}", pt=pt) for n, pt in ((1, "Fever"), (2, "fever"))]
    shelf.add(quarter("17Q2", DEMO=demo, REAC=both))
    assert shelf.ask("SELECT DISTINCT event FROM events") == [("fever",)]
    later = [row(FAERS["DEMO"], primaryid=f"200{n}", caseid=f"20{n}") for n in (1, 2)]
    more = [row(FAERS["REAC"], primaryid=f"200{n}", pt="Fever") for n in (1, 2)]
    shelf.add(quarter("17Q3", DEMO=later, REAC=more))
    assert shelf.ask("SELECT event, count(*) FROM events GROUP BY 1") == [("Fever", 4)]


def test_a_number_that_two_sources_use_is_two_reports_and_each_keeps_what_it_says(
    quarter: Quarter, shelf: Shelf, tmp_path: Path
) -> None:
    shelf.add(quarter())  # FAERS 1001: aspirin, nausea
    shelf.add(cases(tmp_path, "case,drug,event\n1001,PARACETAMOL,Rash\n7,IBUPROFEN,Rash\n"))
    assert shelf.ask("SELECT report_id, drug, event FROM drugs JOIN events USING (report_id) ORDER BY 1") == [
        ("7", "IBUPROFEN", "Rash"),
        ("csv cases:1001", "PARACETAMOL", "Rash"),
        ("faers:1001", "ASPIRIN", "Nausea"),
    ]


def test_no_name_of_a_source_makes_two_reports_one(shelf: Shelf, tmp_path: Path) -> None:
    first = cases(tmp_path, "case,drug,event\n1,A,X\nb:1,B,Y\na:1,C,Z\n")
    shelf.add(first, name="a")
    shelf.add(cases(tmp_path, "case,drug,event\n1,D,X\nb:1,E,Y\n"), name="a:b")
    assert shelf.one("SELECT count(DISTINCT report_id) FROM reports") == 5
    assert shelf.one("SELECT count(*) FROM drugs JOIN events USING (report_id)") == 5


def test_every_reader_writes_the_same_columns(quarter: Quarter, shelf: Shelf, tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    shelf.add(quarter(), xml(tmp_path), cases(tmp_path))
    parts = Store.open(shelf.folder).parts()
    assert {part.kind for part in parts} == {"faers", "e2b-r2", "cases"}
    for part in parts:
        for table in ("reports", "drugs", "events"):
            [file] = part.folder.glob(f"{table}.*parquet")
            written, ours = pq.read_schema(file), arrow_schema(table)
            assert (written.names, written.types) == (ours.names, ours.types), (part.kind, table)


def test_each_report_has_one_key_that_its_rows_bear(quarter: Quarter, shelf: Shelf, tmp_path: Path) -> None:
    shelf.add(quarter(), xml(tmp_path), cases(tmp_path, "case,drug,event\n1,A,X\n2,B,Y\n"))
    assert shelf.ask("SELECT report_key FROM reports ORDER BY 1") == [(1,), (2,), (3,), (4,)]
    for table in ("drugs", "events"):
        assert shelf.one(f"SELECT count(DISTINCT report_key) FROM {table}") == 4
        assert shelf.one(f"SELECT count(*) FROM {table} ANTI JOIN reports USING (report_key)") == 0


@pytest.mark.parametrize("table", model.TABLES)
def test_the_columns_of_the_model_are_those_of_the_store(table: str) -> None:
    assert arrow_schema(table).names == list(model.columns(table))


def test_a_folder_with_something_else_in_it_is_left_alone(quarter: Quarter, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "thesis.doc").write_text("mine")
    with pytest.raises(InputError, match="this folder holds something else"):
        ingest([quarter()], other)
    assert [each.name for each in other.iterdir()] == ["thesis.doc"]


def test_no_store_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="lab39 signals ingest"):
        Store.open(tmp_path / "nowhere")


def mine(**known: str) -> Dictionary:
    return Dictionary.of({name: (what,) for name, what in known.items()}, "mine.csv")


def bdpm(version: str = "2026-05-15") -> Dictionary:
    known = {"kardegic": (("aspirine",),), "vitamine d": (("d2",), ("d3",))}
    return Dictionary("bdpm", version, f"key {version}", lambda name: known.get(normal(name), ()))


def test_dictionaries_name_ingredients_and_what_they_do_not_know_is_counted(shelf: Shelf, tmp_path: Path) -> None:
    rows = ["ELIQUIS 5 mg", "Unheard", "KARDEGIC", "Vitamine D", "Unheard", "Other"]
    source = cases(tmp_path, "case,drug,event\n" + "".join(f"{n},{drug},X\n" for n, drug in enumerate(rows)))
    after = shelf.add(source, names=Names((mine(eliquis="apixaban"), bdpm())))
    assert after.counts["ways"] == {"ambiguous": 1, "bdpm": 1, "mine.csv": 1, "name": 2}
    assert shelf.ask("SELECT drug, ingredient, ingredient_by FROM drugs ORDER BY report_key") == [
        ("ELIQUIS 5 mg", "apixaban", "mine.csv"),
        ("Unheard", "unheard", "name"),
        ("KARDEGIC", "aspirine", "bdpm"),
        ("Vitamine D", "vitamine d", "ambiguous"),
        ("Unheard", "unheard", "name"),
        ("Other", "other", "name"),
    ]
    told = names_of(Store.open(shelf.folder))
    assert told is not None
    assert (told["distinct"], told["mapped"], told["ambiguous"]) == (5, 2, 1)
    assert told["unmapped"] == [
        {"name": "Unheard", "mentions": 2},
        {"name": "Other", "mentions": 1},
        {"name": "Vitamine D", "mentions": 1},
    ]
    assert [(each["name"], each["version"]) for each in told["dictionaries"]][1] == ("bdpm", "2026-05-15")


@pytest.mark.parametrize(
    ("then", "now", "says"),
    [
        ((), (bdpm(),), r"read with no dictionary, and this command gives bdpm \(2026-05-15\)"),
        ((bdpm(),), (), r"read with bdpm \(2026-05-15\), and this command gives no dictionary"),
        ((bdpm(),), (bdpm("2026-06-15"),), r"bdpm \(2026-05-15\), .* bdpm \(2026-06-15\)"),
        ((mine(a="x"), bdpm()), (bdpm(), mine(a="x")), r"mine\.csv .*, bdpm .* gives bdpm .*, mine\.csv"),
        ((mine(a="x"),), (mine(a="y"),), r"mine\.csv \(.*\), and this command gives mine\.csv \("),
    ],
    ids=["a dictionary later", "none later", "another version", "another order", "another content"],
)
def test_other_dictionaries_than_the_last_are_refused_before_anything_is_read(
    shelf: Shelf, tmp_path: Path, then: tuple[Dictionary, ...], now: tuple[Dictionary, ...], says: str
) -> None:
    shelf.add(cases(tmp_path, "case,drug,event\n1,KARDEGIC,X\n"), names=Names(then))
    before = shelf.ask("SELECT drug, ingredient, ingredient_by FROM drugs")
    more = tmp_path / "more.csv"
    more.write_text("case,drug,event\n2,KARDEGIC,X\n", "utf-8")
    with pytest.raises(InputError, match=says) as refused:
        shelf.add(more, names=Names(now))
    assert "--remap" in refused.value.text.fr
    assert shelf.ask("SELECT drug, ingredient, ingredient_by FROM drugs") == before
    shelf.add(more, names=Names(then))
    shelf.add(more, names=Names(now), remap=True)
    [ways] = {row[1:] for row in shelf.ask("SELECT drug, ingredient, ingredient_by FROM drugs")}
    assert ways == Names(now).find("KARDEGIC", None)  # the whole store, the part that was there before too


def test_a_licensees_meddra_gives_the_preferred_term_of_a_code(shelf: Shelf, tmp_path: Path) -> None:
    folder = tmp_path / "MedAscii"
    folder.mkdir()
    (folder / "pt.asc").write_text("100$Pyrexia$$200$\n")
    (folder / "llt.asc").write_text("101$High temperature$100$$$\n100$Pyrexia$100$$$\n")
    file = tmp_path / "r2.xml"
    coded = "<reactionmeddrallt>101</reactionmeddrallt>"
    file.write_bytes(R2.replace("<reactionmeddrapt>Fièvre</reactionmeddrapt>", coded).encode("latin-1"))
    shelf.add(file)
    assert shelf.ask("SELECT event FROM events") == [("MedDRA 101",)]
    shelf.add(file, terms=meddra.read(folder))
    assert shelf.ask("SELECT event, event_given FROM events") == [("Pyrexia", "MedDRA 101")]


def test_a_short_term_in_capitals_may_be_an_acronym_unless_meddra_says_otherwise(
    shelf: Shelf, tmp_path: Path
) -> None:
    told = cases(tmp_path, "case,drug,event\n1,A,DRESS\n2,A,RASH\n3,A,Rash\n4,A,HEPATITIS\n5,A,SKIN TAG\n")
    shelf.add(told)
    events = "SELECT event FROM events ORDER BY report_id"
    assert [event for (event,) in shelf.ask(events)] == ["DRESS", "Rash", "Rash", "Hepatitis", "Skin tag"]
    shelf.add(told, terms={"1": "Dress", "2": "Skin Tag"})
    assert [event for (event,) in shelf.ask(events)] == ["Dress", "Rash", "Rash", "Hepatitis", "Skin Tag"]


def test_a_meddra_folder_without_its_files_says_which(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"pt\.asc is missing"):
        meddra.read(tmp_path)


def test_a_small_memory_gives_the_same_tables_and_an_unknown_one_says_what_is_expected(
    quarter: Quarter, tmp_path: Path
) -> None:
    told = [ingest([quarter()], tmp_path / "large").counts]
    told.append(ingest([quarter(folder="again")], tmp_path / "small", memory="100MB").counts)
    assert told[0] == told[1]
    with pytest.raises(InputError, match="a number and a unit are expected") as refused:
        ingest([quarter(folder="third")], tmp_path / "none", memory="plenty")
    assert "mémoire «\u202fplenty\u202f»" in refused.value.text.fr


def test_a_few_reports_that_a_quarter_takes_from_an_older_one_are_dropped_without_writing_it_again(
    quarter: Quarter, tmp_path: Path
) -> None:
    """40 reports, one of which has a later version: its drugs stay on the disk and are read no more."""

    def reports(code: str, *ids: str, pt: str = "Nausea") -> Path:
        return quarter(
            code,
            DEMO=[row(FAERS["DEMO"], primaryid=i, caseid=i[:3], caseversion=i[3:]) for i in ids],
            DRUG=[row(FAERS["DRUG"], primaryid=i, drug_seq="1", role_cod="PS", drugname="ASPIRIN") for i in ids],
            REAC=[row(FAERS["REAC"], primaryid=i, pt=pt) for i in ids],
            INDI=[row(FAERS["INDI"], primaryid=i, indi_drug_seq="1", indi_pt="Pain") for i in ids],
        )

    first = reports("17Q2", *(f"{case}1" for case in range(100, 140)))
    second, third = reports("17Q3", "1002", pt="Rash"), reports("17Q4", "1012", "1013", pt="Rash")
    step, whole = Shelf(tmp_path / "step"), Shelf(tmp_path / "whole")
    step.add(first)
    before = settled(step.folder)
    for more in (second, third):
        step.add(more)
    told = step.add(first)
    after = settled(step.folder)
    old = Store.open(step.folder).parts()[0].digest
    kept = {file for file, inode in before.items() if after[file] == inode}
    assert kept == {f"tables/{table}.parquet/{old}.parquet" for table in ("drugs", "events", "indications")}
    assert step.ask("SELECT report_id FROM dropped ORDER BY 1") == [("1001",), ("1011",)]
    assert told.counts == whole.add(first, second, third).counts
    for table in ("reports", "drugs", "events", "indications", "set_aside"):
        query = f"SELECT * FROM {table} ORDER BY ALL"
        assert step.ask(query) == whole.ask(query), table
    counts = [detect(counted.Store(shelf.folder)).counts for shelf in (step, whole)]
    assert [each.n.tolist() for each in counts] == [[38, 2], [38, 2]]
    assert counts[0].n_total == counts[1].n_total == 40


def test_a_report_that_was_dropped_and_counts_again_is_among_the_reports_again_and_its_drugs_never_left(
    quarter: Quarter, tmp_path: Path
) -> None:
    """The later version of a case of 40 is lost by the disk; that of another case comes in the same breath."""

    reports = partial(aspirin, quarter)
    first = reports("17Q2", *(f"{case}1" for case in range(100, 140)))
    second, third, fourth = reports("17Q3", "1002"), reports("17Q4", "1012"), reports("18Q1", "2001")
    step, whole = Shelf(tmp_path / "step"), Shelf(tmp_path / "whole")
    step.add(first)
    before = settled(step.folder)
    step.add(second)
    assert step.ask("SELECT report_id FROM dropped") == [("1001",)]
    (Store.open(step.folder).parts()[1].folder / "part.json").write_text("{")
    told = step.add(third, failing=True)
    assert "is no longer counted" in told.failed[0].text.en
    after = settled(step.folder)
    assert {file.split("/")[1] for file, inode in before.items() if after.get(file) == inode} == {
        "drugs.parquet", "events.parquet", "indications.parquet"
    }  # fmt: skip
    assert step.ask("SELECT report_id FROM dropped") == [("1011",)]
    step.add(fourth)  # it takes nothing from the first, which is left whole: what it dropped stays dropped
    assert step.ask("SELECT report_id FROM dropped") == [("1011",)]
    whole.add(first, third, fourth)
    for table in ("reports", "drugs", "events", "set_aside"):
        query = f"SELECT * FROM {table} ORDER BY ALL"
        assert step.ask(query) == whole.ask(query), table


@pytest.mark.parametrize("together", [1, 80])
def test_parts_are_compared_one_by_one_or_together_with_the_same_result(
    together: int, quarter: Quarter, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    reports = partial(aspirin, quarter)
    monkeypatch.setattr(partwise, "TOGETHER", together)
    shelf.add(*(reports(f"17Q{at}", *(f"{at}{case}1" for case in range(10, 50))) for at in (1, 2)))
    before = settled(shelf.folder)
    shelf.add(reports("17Q3", "1102", "2102", "2112"))
    assert shelf.ask("SELECT report_id FROM dropped ORDER BY 1") == [("1101",), ("2101",), ("2111",)]
    kept = {file.split("/")[1] for file, inode in settled(shelf.folder).items() if before.get(file) == inode}
    assert kept == {"drugs.parquet", "events.parquet", "indications.parquet"}
    assert shelf.ask("SELECT quarter, count(*) FROM reports GROUP BY 1 ORDER BY 1") == [
        ("2017Q1", 39), ("2017Q2", 38), ("2017Q3", 3)
    ]  # fmt: skip


def test_a_part_that_loses_more_is_written_again_and_drops_nothing(quarter: Quarter, shelf: Shelf) -> None:
    ids = [f"{case}1" for case in range(100, 110)]
    demo = [row(FAERS["DEMO"], primaryid=i, caseid=i[:3], caseversion="1") for i in ids]
    shelf.add(quarter("17Q2", DEMO=demo))
    later = [row(FAERS["DEMO"], primaryid="1002", caseid="100", caseversion="2")]
    shelf.add(quarter("17Q3", DEMO=later, DRUG=[row(FAERS["DRUG"], primaryid="1002", drug_seq="1", drugname="A")]))
    assert shelf.one("SELECT count(*) FROM dropped") == 0
    assert shelf.one("SELECT count(*) FROM drugs ANTI JOIN reports USING (report_key)") == 0
