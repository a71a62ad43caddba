"""The store: read once, stopped and resumed, the same whatever the order."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lab39.core.errors import InputError
from lab39.solutions.signals.readers import meddra, model
from lab39.solutions.signals.readers.ingest import ingest
from lab39.solutions.signals.readers.names import Names
from lab39.solutions.signals.readers.store import Store, arrow_schema

from .conftest import FAERS, Shelf, row
from .test_e2b import R2

Quarter = Callable[..., Path]


def xml(folder: Path) -> Path:
    file = folder / "r2.xml"
    file.write_bytes(R2.encode("latin-1"))
    return file


def cases(folder: Path, text: str = "case,drug,event\n1,A,X\n") -> Path:
    file = folder / "cases.csv"
    file.write_text(text, "utf-8")
    return file


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
                shelf.ask(f"SELECT * FROM {table} ORDER BY ALL")
                for table in ("reports", "drugs", "events", "indications", "set_aside", "rejected")
            ]
        )
    assert told[0] == told[1]


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
    assert shelf.ask("SELECT report_key FROM reports") == [(1,), (2,), (3,), (4,)]
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


def test_a_dictionary_names_ingredients_and_what_it_does_not_know_is_counted(shelf: Shelf, tmp_path: Path) -> None:
    source = cases(tmp_path, "case,drug,event\n1,ELIQUIS 5 mg,X\n2,Unheard,X\n3,KARDEGIC,X\n")
    before = shelf.add(source)
    assert before.counts["ways"] == {"name": 3}
    found = Names(dictionary={"eliquis": ("apixaban",)}, packs=(("bdpm", {"kardegic": ("aspirine",)}.get),))  # type: ignore[arg-type]
    after = shelf.add(source, names=found)
    assert after.counts["ways"] == {"dictionary": 1, "bdpm": 1, "name": 1}
    assert shelf.ask("SELECT ingredient, ingredient_by FROM drugs ORDER BY report_key") == [
        ("apixaban", "dictionary"),
        ("unheard", "name"),
        ("aspirine", "bdpm"),
    ]


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


def test_a_meddra_folder_without_its_files_says_which(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"pt\.asc is missing"):
        meddra.read(tmp_path)
