"""FAERS and AERS ASCII: every trap of the published files."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from lab39.core.errors import InputError
from lab39.solutions.signals.readers.ingest import ingest

from .conftest import AERS, FAERS, Shelf, row

Quarter = Callable[..., Path]


def demo(primaryid: str, caseid: str, version: str = "1", **more: str) -> str:
    given = {"fda_dt": "20170406"} | more
    return row(FAERS["DEMO"], primaryid=primaryid, caseid=caseid, caseversion=version, **given)


def drug(primaryid: str, seq: str, name: str, role: str = "PS", **more: str) -> str:
    return row(FAERS["DRUG"], primaryid=primaryid, drug_seq=seq, role_cod=role, drugname=name, **more)


def reac(primaryid: str, pt: str) -> str:
    return row(FAERS["REAC"], primaryid=primaryid, pt=pt)


def test_a_report_is_read_with_its_drugs_reactions_and_dates(quarter: Quarter, shelf: Shelf) -> None:
    shelf.add(
        quarter(
            DEMO=[
                demo(
                    "1001",
                    "100",
                    "2",
                    event_dt="201507",
                    init_fda_dt="20150402",
                    rept_cod="EXP",
                    mfr_num="US-X-1",
                    mfr_sndr="X",
                    age="18",
                    age_cod="MON",
                    sex="F",
                    wt="22",
                    wt_cod="LBS",
                    occp_cod="MD",
                    reporter_country="US",
                    occr_country="FR",
                )
            ],
            DRUG=[
                drug("1001", "2", "PARACETAMOL", "C"),
                drug(
                    "1001",
                    "1",
                    "KARDEGIC",
                    prod_ai="ASPIRIN",
                    dose_vbm="75 MG",
                    route="Oral",
                    dechal="Y",
                    rechal="U",
                ),
            ],
            REAC=[reac("1001", "Melaena"), reac("1001", "Anaemia")],
            INDI=[row(FAERS["INDI"], primaryid="1001", indi_drug_seq="1", indi_pt="Stroke")],
            OUTC=[row(FAERS["OUTC"], primaryid="1001", outc_cod="HO")],
            THER=[row(FAERS["THER"], primaryid="1001", dsg_drug_seq="1", start_dt="20150101", end_dt="2015")],
        )
    )
    assert shelf.ask(
        "SELECT report_id, case_id, version, quarter, received, first_received, event_date, report_type, sex, "
        "round(age_years, 2), round(weight_kg, 2), country, reporter, serious, hospitalisation, death FROM reports"
    ) == [
        ("1001", "100", 2, "2017Q2", "2017-04-06", "2015-04-02", "2015-07", "EXP", "F", 1.5, 9.98, "FR",
         "physician", True, True, None)
    ]  # fmt: skip
    assert shelf.ask(
        "SELECT seq, drug, ingredient, role, dose, route, start_date, end_date, indication, "
        "dechallenge, rechallenge "
        "FROM drugs"
    ) == [
        (1, "KARDEGIC", "aspirin", "PS", "75 MG", "Oral", "2015-01-01", "2015", "Stroke", "Y", "U"),
        (2, "PARACETAMOL", "paracetamol", "C", None, None, None, None, None, None, None),
    ]
    assert shelf.ask("SELECT event FROM events ORDER BY seq") == [("Melaena",), ("Anaemia",)]


def test_an_indication_is_never_a_reaction(quarter: Quarter, shelf: Shelf) -> None:
    shelf.add(quarter(INDI=[row(FAERS["INDI"], primaryid="1001", indi_drug_seq="1", indi_pt="Pain")]))
    assert shelf.ask("SELECT event FROM events") == [("Nausea",)]
    assert shelf.ask("SELECT drug_seq, indication FROM indications") == [(1, "Pain")]


def test_no_outcome_told_is_not_said_to_be_not_serious(quarter: Quarter, shelf: Shelf) -> None:
    shelf.add(quarter())
    assert shelf.ask("SELECT serious, death, age_years, sex FROM reports") == [(None, None, None, None)]


def test_the_old_era_has_a_trailing_empty_field_and_no_version(old_quarter: Quarter, shelf: Shelf) -> None:
    shelf.add(
        old_quarter(
            "04Q1",
            DEMO=[
                row(AERS["DEMO"], isr="5001", case="500", fda_dt="20040102", gndr_cod="F", reporter_country="JAPAN")
                + "$",
                row(AERS["DEMO"], isr="5002", case="501", fda_dt="20040102", foll_seq="3") + "$",
            ],
        )
    )
    assert shelf.ask("SELECT report_id, version, sex, country, first_received FROM reports") == [
        ("5001", None, "F", "JP", "2004-01-02"),
        ("5002", 3, None, None, None),
    ]


def test_an_initial_report_without_a_version_is_kept_and_a_follow_up_replaces_it(
    old_quarter: Quarter, shelf: Shelf
) -> None:
    demos = [
        row(AERS["DEMO"], isr="5001", case="500", fda_dt="20040102") + "$",
        row(AERS["DEMO"], isr="5002", case="500", fda_dt="20040210", foll_seq="1") + "$",
        row(AERS["DEMO"], isr="5003", case="501", fda_dt="20040102") + "$",
    ]
    shelf.add(old_quarter("04Q1", DEMO=demos))
    assert shelf.ask("SELECT report_id FROM reports") == [("5002",), ("5003",)]
    assert shelf.ask("SELECT report_id, reason, counts_instead FROM set_aside") == [("5001", "superseded", "5002")]


def test_the_highest_version_counts_not_the_last_received(quarter: Quarter, shelf: Shelf) -> None:
    shelf.add(
        quarter(DEMO=[demo("1001", "100", "10", fda_dt="20170401"), demo("1002", "100", "9", fda_dt="20170601")])
    )
    assert shelf.ask("SELECT report_id FROM reports") == [("1001",)]


@pytest.mark.parametrize(
    ("demos", "reacs", "counts"),
    [
        ([demo("1001", "100", fda_dt="20170401"), demo("1002", "100", fda_dt="20170402")], [], "1002"),
        (
            [demo("1002", "100"), demo("1001", "100")],
            [reac("1001", "A"), reac("1001", "B"), reac("1002", "A")],
            "1001",
        ),
        ([demo("1002", "100"), demo("999", "100")], [], "1002"),
    ],
    ids=["later received", "more told", "higher number, as a number"],
)
def test_a_tie_of_versions_goes_to_the(
    demos: list[str], reacs: list[str], counts: str, quarter: Quarter, shelf: Shelf
) -> None:
    shelf.add(quarter(DEMO=demos, REAC=[*reacs, reac("1001", "Z"), reac("1002", "Z"), reac("999", "Z")]))
    assert shelf.ask("SELECT report_id FROM reports") == [(counts,)]
    assert shelf.one("SELECT count(*) FROM set_aside WHERE reason = 'superseded'") == 1


def test_a_version_of_a_later_quarter_replaces_one_read_before_and_after(quarter: Quarter, shelf: Shelf) -> None:
    newer = quarter("18Q1", DEMO=[demo("1002", "100", "2", fda_dt="20180105")], REAC=[reac("1002", "Rash")])
    shelf.add(newer)
    shelf.add(quarter("17Q2"))
    assert shelf.ask("SELECT report_id, version FROM reports") == [("1002", 2)]
    assert shelf.ask("SELECT event FROM events") == [("Rash",)]


def test_the_same_report_in_two_extracts_counts_once(quarter: Quarter, shelf: Shelf) -> None:
    shelf.add(quarter("17Q2"), quarter("17Q3"))
    assert shelf.ask("SELECT report_id, quarter FROM reports") == [("1001", "2017Q3")]
    assert shelf.ask("SELECT reason FROM set_aside") == [("repeated",)]
    assert shelf.one("SELECT count(*) FROM events") == 1


def test_reports_without_a_case_number_are_not_versions_of_one_another(quarter: Quarter, shelf: Shelf) -> None:
    shelf.add(quarter(DEMO=[demo("1001", ""), demo("1002", "", "5")]))
    assert shelf.one("SELECT count(*) FROM reports") == 2


@pytest.mark.parametrize(
    "name",
    [
        "deleted/ADR19Q1DeletedCases.txt",
        "deleted/AllDeletedCases.txt",
        "DELETED/ADR20Q1DeletedCases.txt",
        "Deleted/ADR20Q3DeletedCases.txt",
        "Deleted/20Q4DeletedCases.txt",
        "Deleted/DELETE21Q4.txt",
    ],
)
def test_a_list_of_deleted_cases_is_known_under_each_of_its_names(
    name: str, old_quarter: Quarter, shelf: Shelf, tmp_path: Path
) -> None:
    listed = tmp_path / "later" / name
    listed.parent.mkdir(parents=True)
    listed.write_bytes(b" \r\n500\r\n500\r\n123456\r\n")  # a lone space first, no header, a number twice
    told = shelf.add(old_quarter("04Q1"), tmp_path / "later")  # it takes back a case of fifteen years before
    assert told.read[1].counts["withdrawn"] == 2
    assert told.read[1].notes == {"deleted case listed twice": 1}
    assert shelf.one("SELECT count(*) FROM reports") == 0
    assert shelf.ask("SELECT report_id, reason FROM set_aside") == [("5001", "withdrawn")]
    assert shelf.one("SELECT count(*) FROM rejected") == 0


def test_lists_of_deleted_cases_overlap_and_none_is_assumed_whole(
    quarter: Quarter, shelf: Shelf, tmp_path: Path
) -> None:
    place = tmp_path / "deleted"
    place.mkdir()
    (place / "AllDeletedCases.txt").write_bytes(b"7\n8\n")
    (place / "ADR19Q1DeletedCases.txt").write_bytes(b"8\n100\nx9\n")
    shelf.add(quarter(DEMO=[demo("1001", "100"), demo("1002", "101")]), place)
    assert shelf.ask("SELECT case_id FROM reports") == [("101",)]
    assert shelf.ask("SELECT line, reason, raw FROM rejected") == [(3, "not a case number", "x9")]


def test_two_drug_records_on_one_line_of_2011q2_are_two(old_quarter: Quarter, shelf: Shelf) -> None:
    first = row(AERS["DRUG"], isr="7475791", drug_seq="1", role_cod="PS", drugname="BLEOMYCIN")
    second = row(AERS["DRUG"], isr="7475791", drug_seq="2", role_cod="SS", drugname="DOXORUBICIN")
    told = shelf.add(
        old_quarter(
            "11Q2",
            DEMO=[row(AERS["DEMO"], isr="7475791", case="500", fda_dt="20110505") + "$"],
            DRUG=[f"{first}${second}$"],
            REAC=[row(AERS["REAC"], isr="7475791", pt="FEVER") + "$"],
        )
    )
    assert shelf.ask("SELECT drug FROM drugs ORDER BY seq") == [("BLEOMYCIN",), ("DOXORUBICIN",)]
    assert told.read[0].notes == {"lines repaired": 1}


def test_a_dollar_inside_mfr_num_of_2012q1_is_put_back(old_quarter: Quarter, shelf: Shelf) -> None:
    broken = row(
        AERS["DEMO"], isr="8129732", case="8401177", fda_dt="20120206", mfr_num="JP-CUBIST-$E2B0000000182",
        age="85", age_cod="YR", reporter_country="JAPAN",
    )  # fmt: skip
    shelf.add(
        old_quarter(
            "12Q1",
            DEMO=[broken + "$"],
            DRUG=[row(AERS["DRUG"], isr="8129732", drug_seq="1", role_cod="PS", drugname="CUBICIN") + "$"],
            REAC=[row(AERS["REAC"], isr="8129732", pt="FEVER") + "$"],
        )
    )
    assert shelf.ask("SELECT sender_case, age_years, country FROM reports") == [
        ("JP-CUBIST-$E2B0000000182", 85.0, "JP")
    ]


def test_a_line_that_is_not_in_the_table_of_repairs_is_kept_apart_and_nothing_is_guessed(
    old_quarter: Quarter, shelf: Shelf
) -> None:
    good = row(AERS["DRUG"], isr="5001", drug_seq="1", role_cod="PS", drugname="ASPIRIN")
    glued = f"{good}${good}$"
    shelf.add(old_quarter("11Q1", DRUG=[good + "$", glued]))
    assert shelf.one("SELECT count(*) FROM drugs") == 1
    [(file, line, reason, raw)] = shelf.ask("SELECT file, line, reason, raw FROM rejected")
    assert (file, line, reason) == ("DRUG11Q1.TXT", 3, "25 fields instead of 12")
    assert raw.startswith("5001$1$PS$ASPIRIN")


def test_when_asked_to_be_strict_such_a_line_is_an_error_with_its_place(old_quarter: Quarter, shelf: Shelf) -> None:
    good = row(AERS["DRUG"], isr="5001", drug_seq="1", role_cod="PS", drugname="ASPIRIN")
    told = shelf.add(old_quarter("11Q1", DRUG=[good + "$", f"{good}${good}$"]), strict=True, failing=True)
    assert [each.place for each in told.failed] == ["DRUG11Q1.TXT:3"]


@pytest.mark.parametrize("ending", ["\r\n", "\n"])
def test_a_file_that_ends_inside_a_line_is_cut_and_refused(ending: str, quarter: Quarter, shelf: Shelf) -> None:
    place = quarter(ending=ending, DRUG=[drug("1001", "1", "ASPIRIN"), drug("1001", "2", "IRON")])
    file = place / "ascii" / "DRUG17Q2.txt"
    file.write_bytes(file.read_bytes()[:-20])
    with pytest.raises(InputError, match="ends in the middle of a line") as told:
        raise shelf.add(place, failing=True).failed[0]
    assert told.value.place == "DRUG17Q2.txt:3"


def test_the_files_of_a_quarter_can_be_given_one_by_one(quarter: Quarter, shelf: Shelf) -> None:
    place = quarter()
    assert len(shelf.add(*sorted((place / "ascii").iterdir())).read) == 1
    assert shelf.add(place).already == ("FAERS 2017Q2 (faers_17Q2)",)


def test_a_last_line_without_its_ending_is_whole(quarter: Quarter, shelf: Shelf) -> None:
    place = quarter()
    file = place / "ascii" / "DRUG17Q2.txt"
    file.write_bytes(file.read_bytes().removesuffix(b"\r\n"))
    shelf.add(place)
    assert shelf.one("SELECT count(*) FROM drugs") == 1


def test_reports_that_say_no_drug_or_no_reaction_are_counted_and_told(quarter: Quarter, shelf: Shelf) -> None:
    told = shelf.add(quarter(DEMO=[demo("1001", "100"), demo("1002", "101"), demo("1003", "102")],
                             REAC=[reac("1001", "Nausea"), reac("1002", "Rash")]))  # fmt: skip
    assert told.read[0].notes == {"reports without a drug": 2, "reports without a reaction": 1}
    assert shelf.one("SELECT count(*) FROM reports") == 3


def test_an_unknown_role_is_left_blank_and_told(quarter: Quarter, shelf: Shelf) -> None:
    shelf.add(quarter(DRUG=[drug("1001", "1", "ASPIRIN"), drug("1001", "2", "IRON").replace("$PS$", "$ZZ$")]))
    assert shelf.ask("SELECT drug, role FROM drugs ORDER BY seq") == [("ASPIRIN", "PS"), ("IRON", None)]
    assert shelf.ask("SELECT file, line, scope, reason, raw FROM rejected") == [
        ("DRUG17Q2.txt", 3, "value", "unknown role", "ZZ")
    ]


def test_a_country_that_is_not_told_is_no_country(quarter: Quarter, shelf: Shelf) -> None:
    shelf.add(
        quarter(
            DEMO=[
                demo("1001", "100", occr_country="COUNTRY NOT SPECIFIED", reporter_country="FRANCE"),
                demo("1002", "101", occr_country="COUNTRY NOT SPECIFIED"),
                demo("1003", "102", occr_country="YUGOSLAVIA"),
            ]
        )
    )
    assert shelf.ask("SELECT country FROM reports ORDER BY report_id") == [("FR",), (None,), ("YUGOSLAVIA",)]


def test_2017q4_ends_its_lines_with_a_bare_line_feed(quarter: Quarter, shelf: Shelf) -> None:
    shelf.add(quarter("17Q4", ending="\n", DEMO=[demo("1001", "100"), demo("1002", "101")]))
    assert shelf.one("SELECT count(*) FROM reports") == 2
    assert shelf.one("SELECT count(*) FROM rejected") == 0


def test_a_line_feed_inside_a_field_does_not_cut_the_record(quarter: Quarter, shelf: Shelf) -> None:
    shelf.add(quarter(DEMO=[demo("1001", "100", mfr_sndr="ACME\nLTD"), demo("1002", "101")]))
    assert shelf.ask("SELECT report_id, sender FROM reports") == [("1001", "ACME LTD"), ("1002", None)]


def test_rows_of_one_primaryid_that_disagree_leave_the_field_blank_and_are_told(
    quarter: Quarter, shelf: Shelf
) -> None:
    shelf.add(
        quarter(
            "12Q4",
            DEMO=[
                demo("1001", "100", mfr_sndr="AMGEN", sex="F"),
                demo("1001", "100", mfr_sndr="GALDERMA", sex="F", age="4", age_cod="DEC"),
            ],
        )
    )
    assert shelf.ask("SELECT sender, sex, age_years FROM reports") == [(None, "F", 40.0)]
    assert shelf.ask("SELECT line, reason FROM rejected ORDER BY line") == [
        (2, "rows of one primaryid disagree on mfr_sndr: left blank"),
        (3, "rows of one primaryid disagree on mfr_sndr: left blank"),
    ]
    assert shelf.one("SELECT count(*) FROM events") == 1


def test_a_row_said_twice_is_one_report(quarter: Quarter, shelf: Shelf) -> None:
    told = shelf.add(quarter(DEMO=[demo("1001", "100"), demo("1001", "100")]))
    assert shelf.one("SELECT count(*) FROM reports") == 1
    assert told.read[0].notes == {"DEMO rows of a primaryid already told": 1}


def test_2012q4_misspells_columns_and_quotes_are_letters(quarter: Quarter, shelf: Shelf) -> None:
    place = quarter("12Q4", DRUG=[drug("1001", "1", '"VITAMINS" (NOS)'), drug("1001", "2", 'an "odd name', "C")])
    file = place / "ascii" / "DRUG12Q4.txt"
    file.write_text(file.read_text().replace("lot_num", "lot_nbr").replace("$exp_dt", "$ exp_dt"))
    shelf.add(place)
    assert shelf.ask("SELECT drug FROM drugs ORDER BY seq") == [('"VITAMINS" (NOS)',), ('an "odd name',)]


def test_a_row_whose_report_is_nowhere_is_kept_with_the_reason(quarter: Quarter, shelf: Shelf) -> None:
    shelf.add(quarter(DRUG=[drug("1001", "1", "ASPIRIN"), drug("9999", "1", "GHOST")]))
    assert shelf.ask("SELECT file, line, reason FROM rejected") == [
        ("DRUG17Q2.txt", 3, "its report is in no DEMO row")
    ]


def test_a_value_that_cannot_be_is_left_blank_and_told(quarter: Quarter, shelf: Shelf) -> None:
    shelf.add(
        quarter(
            DEMO=[demo("1001", "100", "#1", age="850", age_cod="YR", wt="-4", wt_cod="KG", event_dt="20170231")]
        )
    )
    assert shelf.ask("SELECT version, age_years, weight_kg, event_date FROM reports") == [(None, None, None, None)]
    assert {reason for (reason,) in shelf.ask("SELECT reason FROM rejected WHERE scope = 'value'")} == {
        "not a version",
        "not an age, or in no known unit",
        "not a weight, or in no known unit",
        "not a date: event",
    }


def test_encodings_that_mix_in_one_file_are_read_line_by_line(quarter: Quarter, shelf: Shelf) -> None:
    place = quarter()
    file = place / "ascii" / "REAC17Q2.txt"
    file.write_bytes(
        file.read_bytes() + "1001$100$Sjögren's syndrome$\r\n".encode() + b"1001$100$Crohn\x92s disease$\r\n"
        b"1001$100$Naus\x8fa$\r\n"
    )
    told = shelf.add(place)
    assert told.read[0].notes == {"lines not in UTF-8": 2, "lines with letters in no known encoding": 1}
    assert shelf.ask("SELECT event FROM events ORDER BY seq") == [
        ("Nausea",),
        ("Sjögren's syndrome",),
        ("Crohn’s disease",),
        ("Naus\x8fa",),
    ]


def test_capitals_do_not_make_two_terms(quarter: Quarter, old_quarter: Quarter, shelf: Shelf) -> None:
    shelf.add(quarter(), old_quarter("04Q1"))
    assert shelf.ask("SELECT event, event_given FROM events ORDER BY report_key") == [
        ("Nausea", "Nausea"),
        ("Nausea", "NAUSEA"),
    ]


def test_a_zipped_quarter_gives_what_its_folder_gives(quarter: Quarter, shelf: Shelf, tmp_path: Path) -> None:
    place = quarter()
    packed = tmp_path / "faers_ascii_2017q2.zip"
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in place.rglob("*.txt"):
            archive.write(file, f"ASCII/{file.name.upper()}")
        archive.writestr("FAQs.pdf", b"%PDF")
    told = shelf.add(packed)
    assert shelf.ask("SELECT report_id, file FROM reports") == [
        ("1001", "faers_ascii_2017q2.zip!ASCII/DEMO17Q2.TXT")
    ]
    assert told.ignored == ("faers_ascii_2017q2.zip!FAQs.pdf",)
    assert shelf.add(place).already  # same content: not read again


def test_a_truncated_zip_is_an_error_that_says_what_to_do_and_leaves_nothing(
    quarter: Quarter, shelf: Shelf, tmp_path: Path
) -> None:
    place = quarter(REAC=[reac("1001", f"Term {i}") for i in range(2000)])
    packed = tmp_path / "q.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        for file in place.rglob("*.txt"):
            archive.write(file, file.name)
    packed.write_bytes(packed.read_bytes()[:-400])
    with pytest.raises(InputError, match=r"truncated or damaged.*download it again"):
        ingest([packed], tmp_path / "store")


def test_a_zip_with_a_damaged_member_leaves_the_other_sources_whole(
    quarter: Quarter, shelf: Shelf, tmp_path: Path
) -> None:
    place = quarter(DEMO=[demo(str(n), str(n)) for n in range(1001, 3000)])
    packed = tmp_path / "q.zip"
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(place.rglob("*.txt")):
            archive.write(file, file.name)
    body = bytearray(packed.read_bytes())
    body[120:160] = b"\0" * 40
    packed.write_bytes(bytes(body))
    told = shelf.add(packed, quarter("17Q3"), failing=True)
    assert [("damaged" in str(each)) for each in told.failed] == [True]
    assert shelf.ask("SELECT quarter FROM reports") == [("2017Q3",)]


@pytest.mark.parametrize(
    ("table", "header", "says"),
    [
        ("DEMO", "primaryid,caseid,caseversion", "delimiter “\\$” is not in the first line"),
        ("DRUG", "1001$100$1$PS$ASPIRIN", "does not name primaryid"),
    ],
    ids=["wrong delimiter", "missing header"],
)
def test_a_file_that_is_not_what_its_name_says_is_an_error_at_its_first_line(
    table: str, header: str, says: str, quarter: Quarter, shelf: Shelf
) -> None:
    place = quarter()
    (place / "ascii" / f"{table}17Q2.txt").write_text(f"{header}\r\n1,2,3\r\n")
    told = shelf.add(place, failing=True)
    [error] = told.failed
    assert error.place == f"{table}17Q2.txt:1"
    with pytest.raises(InputError, match=says):
        raise error


def test_a_file_with_many_broken_lines_is_refused_whole(quarter: Quarter, shelf: Shelf) -> None:
    told = shelf.add(quarter(REAC=["1001$100"] * 20 + [reac("1001", "Nausea")]), failing=True)
    assert "20 lines of 21" in str(told.failed[0])
    assert not shelf.folder.exists()


def test_an_empty_quarter_is_an_error(quarter: Quarter, shelf: Shelf) -> None:
    told = shelf.add(quarter(DEMO=[]), failing=True)
    assert "quarter 2017Q2 is empty" in str(told.failed[0])


def test_a_quarter_without_a_main_table_names_it(quarter: Quarter, tmp_path: Path) -> None:
    place = quarter()
    (place / "ascii" / "DRUG17Q2.txt").unlink()
    with pytest.raises(InputError, match=r"2017Q2 is incomplete, DRUG17Q2\.txt is missing"):
        ingest([place], tmp_path / "store")


def test_a_case_with_four_thousand_reactions_is_whole(quarter: Quarter, shelf: Shelf) -> None:
    shelf.add(quarter(REAC=[reac("1001", f"Term {i}") for i in range(4000)]))
    assert shelf.ask("SELECT count(*), count(DISTINCT event), max(seq) FROM events") == [(4000, 4000, 4000)]


def test_golden_counts_of_the_two_shared_extracts_together(shared: Path, shelf: Shelf) -> None:
    """Lines of the extracts (`wc -l`, headers taken off): 100 reports each, with all that goes with them."""
    told = shelf.add(shared / "signals" / "faers_ascii")
    assert [each.name[:12] for each in told.read] == ["FAERS 2004Q1", "FAERS 2017Q2"]
    assert [dict(each.counts) for each in told.read] == [
        {"reports": 100, "drugs": 386, "events": 416, "indications": 124, "rejected": 0, "withdrawn": 0},
        {"reports": 100, "drugs": 328, "events": 286, "indications": 232, "rejected": 0, "withdrawn": 0},
    ]
    assert shelf.ask(
        "SELECT quarter, count(*), sum(serious::INT), sum(death::INT), count(sex), count(age_years) FROM reports "
        "GROUP BY 1 ORDER BY 1"
    ) == [("2004Q1", 100, 71, 13, 95, 82), ("2017Q2", 100, 59, 10, 93, 60)]
    assert shelf.ask("SELECT event, count(*) FROM events WHERE lower(event) = 'asthenia' GROUP BY 1") == [
        ("Asthenia", 12)
    ]
