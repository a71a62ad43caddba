"""CSV of cases, of pairs and of counts."""

from __future__ import annotations

import csv
import gzip
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab39.core.errors import InputError
from lab39.solutions.signals.readers import cases_csv
from lab39.solutions.signals.readers.ingest import ingest
from lab39.solutions.signals.readers.quotes import records

from .conftest import Shelf


def write(folder: Path, text: str, encoding: str = "utf-8", name: str = "cases.csv") -> Path:
    file = folder / name
    file.write_bytes(text.encode(encoding))
    return file


def test_a_case_is_its_rows(tmp_path: Path, shelf: Shelf) -> None:
    shelf.add(
        write(tmp_path, "case,drug,event\n1,ASPIRIN,Melaena\n1,ASPIRIN,Anaemia\n1,IRON,Anaemia\n2,IRON,Nausea\n")
    )
    assert shelf.ask("SELECT report_id, case_id, source, line FROM reports") == [
        ("1", "1", "csv cases", 2),
        ("2", "2", "csv cases", 5),
    ]
    assert shelf.ask("SELECT report_key, drug FROM drugs ORDER BY ALL") == [
        (1, "ASPIRIN"),
        (1, "IRON"),
        (2, "IRON"),
    ]
    assert shelf.ask("SELECT report_key, event FROM events ORDER BY report_key, seq") == [
        (1, "Melaena"),
        (1, "Anaemia"),
        (2, "Nausea"),
    ]


def test_french_columns_semicolons_and_windows_letters_are_understood(tmp_path: Path, shelf: Shelf) -> None:
    text = (
        "N° ;Numéro de cas;Médicament;Effet indésirable;Sexe;Âge;Poids;Date de "
        "réception;Grave;Rôle;Substance active\r\n"
        "1;C1;DOLIPRANE;Nausée;Femme;61,5;58;25/12/2020;oui;suspect;Paracétamol\r\n"
    )
    shelf.add(write(tmp_path, text, "cp1252"))
    assert shelf.ask("SELECT report_id, sex, age_years, weight_kg, received, quarter, serious FROM reports") == [
        ("C1", "F", 61.5, 58.0, "2020-12-25", "2020Q4", True)
    ]
    assert shelf.ask("SELECT drug, role, ingredient, ingredient_by FROM drugs") == [
        ("DOLIPRANE", "S", "paracetamol", "source")
    ]
    assert shelf.ask("SELECT event FROM events") == [("Nausée",)]


@pytest.mark.parametrize("mark", [",", ";", "\t", "|", "$"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_delimiter_and_encoding_are_found(mark: str, encoding: str, tmp_path: Path, shelf: Shelf) -> None:
    rows = [["case", "drug", "event"], ["1", "ÉQUINOXE", "Fièvre"]]
    shelf.add(write(tmp_path, "\n".join(mark.join(row) for row in rows), encoding))
    assert shelf.ask("SELECT drug, event FROM drugs JOIN events USING (report_key)") == [("ÉQUINOXE", "Fièvre")]


def test_a_delimiter_inside_quotes_is_a_letter(tmp_path: Path, shelf: Shelf) -> None:
    shelf.add(write(tmp_path, 'case,drug,event\n1,"VITAMINS, NOS","Says ""no""\nand more"\n'))
    assert shelf.ask("SELECT drug, event FROM drugs JOIN events USING (report_key)") == [
        ("VITAMINS, NOS", 'Says "no"\nand more')
    ]


def test_a_row_with_another_number_of_fields_is_kept_apart(tmp_path: Path, shelf: Shelf) -> None:
    told = shelf.add(write(tmp_path, "case,drug,event\n1,A,X\n2,B\n3,C,Z,more\n4,D,W,\n"))
    assert shelf.ask("SELECT line, reason, raw FROM rejected") == [
        (3, "2 fields instead of 3", "2,B"),
        (4, "4 fields instead of 3", "3,C,Z,more"),
    ]
    assert told.read[0].counts["rejected"] == 2
    assert shelf.ask("SELECT report_id FROM reports") == [("1",), ("4",)]


def test_a_row_without_a_case_or_a_drug_is_told(tmp_path: Path, shelf: Shelf) -> None:
    shelf.add(write(tmp_path, "case,drug,event\n,A,X\n2,,Y\n"))
    assert shelf.ask("SELECT line, scope, reason FROM rejected") == [
        (2, "row", "no case number"),
        (3, "value", "no drug"),
    ]
    assert shelf.ask("SELECT report_id FROM reports") == [("2",)]


def test_rows_of_a_case_that_disagree_leave_the_field_blank(tmp_path: Path, shelf: Shelf) -> None:
    shelf.add(write(tmp_path, "case,drug,event,sex,age\n1,A,X,F,40\n1,A,Y,M,40\n1,A,Z,,\n"))
    assert shelf.ask("SELECT sex, age_years FROM reports") == [(None, 40.0)]
    assert shelf.ask("SELECT line, reason FROM rejected") == [(2, "rows of one case disagree on sex: left blank")]


def test_a_date_that_can_be_read_two_ways_is_not_guessed(tmp_path: Path, shelf: Shelf) -> None:
    shelf.add(write(tmp_path, "case,drug,event,received\n1,A,X,03/04/2020\n2,A,X,2020-04\n"))
    assert shelf.ask("SELECT received FROM reports ORDER BY report_id") == [(None,), ("2020-04",)]
    assert shelf.ask("SELECT line, raw FROM rejected") == [(2, "03/04/2020")]


def test_the_same_name_of_source_replaces_what_was_read(tmp_path: Path, shelf: Shelf) -> None:
    shelf.add(write(tmp_path, "case,drug,event\n1,A,X\n2,B,Y\n"), name="chu")
    shelf.add(write(tmp_path, "case,drug,event\n1,A,Z\n"), name="chu")
    shelf.add(write(tmp_path, "case,drug,event\n1,A,W\n"), name="other")
    assert shelf.ask(
        "SELECT r.source, report_id, event FROM reports r JOIN events USING (report_id) ORDER BY ALL"
    ) == [
        ("chu", "2", "Y"),
        ("chu", "chu:1", "Z"),  # a number that two sources use is told with its source
        ("other", "other:1", "W"),
    ]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "the file is empty"),
        ("case,drug,event\n", "no row of a case under the header"),
        (
            "1,ASPIRIN,Nausea\n2,IRON,Rash\n",
            "missing columns: case, drug, event; the first line says: 1, ASPIRIN, Nausea",
        ),
        ("case drug event\n1 A X\n", "a single column in the first line"),
        ("case,drug\n1,A\n", "missing columns: event"),
    ],
    ids=["empty", "header only", "no header", "wrong delimiter", "no event"],
)
def test_a_file_that_cannot_be_read_says_what_to_do(text: str, says: str, tmp_path: Path) -> None:
    file = write(tmp_path, text)
    with pytest.raises(InputError, match=says):
        raise ingest([file], tmp_path / "store").failed[0]


def test_pairs_and_counts_are_sent_to_where_they_are_read(tmp_path: Path) -> None:
    for text, where in (("drug,event\nA,X\n", "detect --pairs"), ("drug,event,n\nA,X,3\n", "detect --counts")):
        with pytest.raises(InputError, match=where):
            ingest([write(tmp_path, text)], tmp_path / "store")


def test_a_quotation_mark_that_is_not_closed_takes_its_line_and_not_those_below(
    tmp_path: Path, shelf: Shelf
) -> None:
    shelf.add(
        write(
            tmp_path,
            'case,drug,event\n1,A,"X\n2,A,X\n3,B,"Y\n4,B,"Y"\n5,"C\nD",Z\n6,"5 mg" C,Z\n7,E,\'Z"\n8,F,"Z\n9,F,Z\n',
        )
    )
    assert shelf.ask("SELECT report_id, drug FROM reports JOIN drugs USING (report_id) ORDER BY 1") == [
        ("2", "A"), ("4", "B"), ("5", "C\nD"), ("6", "5 mg C"), ("7", "E"), ("9", "F")
    ]  # fmt: skip
    assert shelf.ask("SELECT line, raw FROM rejected WHERE reason = 'a quotation mark that is not closed'") == [
        (2, '1,A,"X'), (4, '3,B,"Y'), (10, '8,F,"Z')
    ]  # fmt: skip


def test_pairs_with_a_quotation_mark_that_is_not_closed_are_kept_apart_too(tmp_path: Path) -> None:
    table, bad = cases_csv.pairs(write(tmp_path, 'drug,event\nA,"X\nB,Y\n'))
    assert table["drug"].to_pylist() == ["B"]
    assert [(each.line, each.reason, each.raw) for each in bad] == [
        (2, "a quotation mark that is not closed", 'A,"X')
    ]


def test_a_header_with_a_quotation_mark_that_is_not_closed_is_refused(tmp_path: Path) -> None:
    [error] = ingest([write(tmp_path, 'case,drug,event,"note\n1,A,X,\n')], tmp_path / "store").failed
    assert (error.place, "not closed in the header" in error.text.en) == ("cases.csv:1", True)


@given(
    st.lists(st.lists(st.text('ab," ;\n'), min_size=2, max_size=4), min_size=1, max_size=5),
    st.sampled_from(",;"),
)
def test_what_is_well_quoted_is_read_as_it_was_written(rows: list[list[str]], mark: str) -> None:
    file = io.StringIO(newline="")
    csv.writer(file, delimiter=mark).writerows(rows)
    read = list(records(file.getvalue().splitlines(keepends=True), mark))
    assert [row for _, row, _ in read] == rows
    assert "".join(text for _, _, text in read) == file.getvalue()


def test_a_role_that_is_not_understood_is_told_and_left_blank(tmp_path: Path, shelf: Shelf) -> None:
    shelf.add(write(tmp_path, "case,drug,event,role\n1,A,X,suspect\n2,B,Y,perhaps\n"))
    assert shelf.ask("SELECT drug, role FROM drugs ORDER BY drug") == [("A", "S"), ("B", None)]
    assert shelf.ask("SELECT line, reason, raw FROM rejected") == [(3, "not understood: role", "perhaps")]


@pytest.mark.parametrize("cut", [1, 2, 3])
def test_a_cut_utf16_file_says_so(cut: int, tmp_path: Path) -> None:
    file = tmp_path / "cases.csv"
    file.write_bytes("case,drug,event\n1,A,\U0001f48a".encode("utf-16")[:-cut])
    with pytest.raises(InputError, match="UTF-16 file is cut or damaged"):
        raise ingest([file], tmp_path / "store").failed[0]


def test_pairs_are_kept_as_they_are(tmp_path: Path) -> None:
    table, bad = cases_csv.pairs(write(tmp_path, "report_id,drug,event,group\n1,A,X,F\n1,B,Y,F\n2,,Z,M\n3,A,X\n"))
    assert table.to_pylist() == [
        {"report": "1", "drug": "A", "event": "X", "stratum": "F"},
        {"report": "1", "drug": "B", "event": "Y", "stratum": "F"},
    ]
    assert [(each.line, each.reason) for each in bad] == [(4, "no drug or no event"), (5, "3 fields instead of 4")]


def test_a_pair_without_a_case_is_a_report_of_its_own(tmp_path: Path) -> None:
    table, _ = cases_csv.pairs(write(tmp_path, "drug;event\nA;X\nA;X\n"))
    assert table["report"].to_pylist() == ["2", "3"]


def test_columns_can_be_named_by_hand(tmp_path: Path) -> None:
    file = write(tmp_path, "Var1,Var2,Freq\nMyalgia,Atorvastatin,12\n")
    table, bad = cases_csv.counts(file, {"drug": "Var2", "event": "Var1"})
    assert table.select(["drug", "event", "n"]).to_pylist() == [
        {"drug": "Atorvastatin", "event": "Myalgia", "n": 12}
    ]
    assert not bad
    with pytest.raises(InputError, match="no column “Var9”; those of the file: Var1, Var2, Freq"):
        cases_csv.counts(file, {"drug": "Var9"})


def test_cases_with_columns_named_by_hand_are_ingested(tmp_path: Path, shelf: Shelf) -> None:
    file = write(tmp_path, "id,var1,var2,strat1\n147289,PREVAGEN,BRAIN NEOPLASM,Female\n")
    shelf.add(file, columns={"drug": "var1", "event": "var2", "sex": "strat1"})
    assert shelf.ask(
        "SELECT report_id, sex, drug, event FROM reports JOIN drugs USING (report_id) JOIN events USING (report_id)"
    ) == [("147289", "F", "PREVAGEN", "Brain neoplasm")]


def test_counts_bring_their_margins_and_what_is_no_count_is_told(tmp_path: Path) -> None:
    text = (
        "drug,event,n,n_drug,n_event,n_total,expected\nA,X,3,10,20,1000,0.2\nA,Y,-1,,,,\nA,Z,many,,,,\nA,W,0,,,,\n"
    )
    table, bad = cases_csv.counts(write(tmp_path, text))
    first = table.to_pylist()[0]
    assert (first["n"], first["n_drug"], first["n_event"], first["n_total"], first["expected"]) == (
        3,
        10,
        20,
        1000,
        0.2,
    )
    assert table["n"].to_pylist() == [3, 0]
    assert [each.line for each in bad] == [3, 4]


def test_a_truncated_gzip_says_what_to_do_and_keeps_nothing(tmp_path: Path, shelf: Shelf) -> None:
    file = tmp_path / "cases.csv.gz"
    body = "case,drug,event\n" + "".join(f"{i},D{i % 97},E{i % 89}\n" for i in range(40_000))
    file.write_bytes(gzip.compress(body.encode())[:-2000])
    good = write(tmp_path, "case,drug,event\n1,A,X\n", name="good.csv")
    told = shelf.add(file, good, failing=True)
    assert "cases.csv.gz: the archive is truncated or damaged" in str(told.failed[0])
    assert shelf.ask("SELECT source FROM reports") == [("csv good",)]


def test_golden_counts_of_the_shared_quarter(shared: Path, shelf: Shelf) -> None:
    """496,312 rows, 215,867 cases, 3,880 drugs, 973 terms: as its description says."""
    told = shelf.add(shared / "signals" / "faers22q3.csv.gz")
    assert shelf.ask("SELECT (SELECT count(*) FROM reports), (SELECT count(DISTINCT drug) FROM drugs)") == [
        (215867, 3880)
    ]
    assert shelf.one("SELECT count(DISTINCT event) FROM events") == 973
    assert told.read[0].counts["rejected"] == 0
