"""Bad input, from the file to the ranked pairs: a clear error in both languages, the other sources whole, no NaN.

Each source below comes with a good one: what is wrong with the first takes nothing from the second.
"""

from __future__ import annotations

import gzip
import math
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lab39.core.errors import LabError
from lab39.solutions.signals import CountTable, Detection, Pairs, Store, detect
from lab39.solutions.signals.evaluation import read_known
from lab39.solutions.signals.readers import Summary, ingest
from lab39.solutions.signals.readers.store import Store as Shelf

from .readers.conftest import FAERS, row

pytestmark = [pytest.mark.filterwarnings("ignore:fetch_arrow_table:DeprecationWarning")]  # Ibis 12 with DuckDB 2

GOOD = "case,drug,event\n" + "".join(f"g{i},D{i % 5},E{i % 7}\n" for i in range(60))
R2 = (
    '<?xml version="1.0"?>\n{0}<ichicsr><safetyreport><safetyreportid>R2-1</safetyreportid><patient>'
    "<drug><medicinalproduct>IRON</medicinalproduct></drug>"
    "<reaction><primarysourcereaction>{1}</primarysourcereaction></reaction></patient></safetyreport></ichicsr>"
)
BOMB = (
    '<!DOCTYPE ichicsr [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">'
    '<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">]>\n'
)


def faers(folder: Path, **tables: str) -> Path:
    """A quarter with one good report, then what the test gives in place of a table's text."""
    place = folder / "faers"
    place.mkdir()
    rows = {
        "DEMO": row(FAERS["DEMO"], primaryid="1001", caseid="100", fda_dt="20170406"),
        "DRUG": row(FAERS["DRUG"], primaryid="1001", drug_seq="1", role_cod="PS", drugname="ASPIRIN"),
        "REAC": row(FAERS["REAC"], primaryid="1001", pt="Nausea"),
    }
    for table, line in rows.items():
        text = tables.get(table, f"{FAERS[table]}\r\n{line}\r\n")
        (place / f"{table}17Q2.txt").write_bytes(text.encode())
    return place


def truncated_zip(folder: Path) -> Path:
    packed = folder / "quarter.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        for file in sorted(faers(folder).iterdir()):
            archive.write(file, file.name)
    packed.write_bytes(packed.read_bytes()[:-60])
    return packed


def wrong_delimiter(folder: Path) -> Path:
    return faers(folder, DRUG=f"{FAERS['DRUG'].replace('$', ',')}\r\n1001,100,1,PS,ASPIRIN\r\n")


def missing_header(folder: Path) -> Path:
    return faers(folder, REAC="1001$100$Nausea$\r\n")


def empty_quarter(folder: Path) -> Path:
    return faers(folder, DEMO=f"{FAERS['DEMO']}\r\n")


def text(name: str, body: str) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        file = folder / name
        file.write_text(body, "utf-8")
        return file

    return write


def together(bad: Path, folder: Path) -> tuple[Summary, Detection]:
    """The bad source and the good one, ingested in one call, then counted."""
    good = folder / "good.csv"
    good.write_text(GOOD, "utf-8")
    told = ingest([bad, good], folder / "store")
    return told, finite(detect(Store(folder / "store")))


def finite(found: Detection) -> Detection:
    """The same, once looked at: no NaN in any column, nothing infinite but what has no end."""
    for name in found.table.column_names[2:]:
        values = [each for each in found.table[name].to_pylist() if each is not None]
        assert not any(math.isnan(each) for each in values), name
        if not name.endswith("975") and name not in ("prr", "ror"):
            assert all(math.isfinite(each) for each in values), name
    return found


def asked(folder: Path, query: str) -> list[tuple[Any, ...]]:
    con = Shelf.open(folder / "store").connect()
    try:
        return con.sql(query).fetchall()
    finally:
        con.close()


REFUSED = {
    "truncated zip": (truncated_zip, "quarter.zip", "download it again", "téléchargez-la de nouveau"),
    "wrong delimiter": (wrong_delimiter, "DRUG17Q2.txt:1", "delimiter “$” is not in", "délimiteur"),
    "missing header": (missing_header, "REAC17Q2.txt:1", "its header is missing", "manque l'en-tête"),
    "empty quarter": (empty_quarter, "DEMO17Q2.txt", "2017Q2 is empty", "2017Q2 vide"),
    "CSV without a header": (text("c.csv", "1,A,X\n2,B,Y\n"), "c.csv:1", "Name the columns", "Nommez les colonnes"),
    "CSV with another delimiter": (
        text("c.csv", "case drug event\n1 A X\n"), "c.csv:1", "separate columns by", "séparez les colonnes",
    ),
    "XML bomb": (text("b.xml", R2.format(BOMB, "&c;")), "b.xml:2", "uses an XML entity", "entité XML"),
    "entity that reads a file": (
        text("b.xml", R2.format('<!DOCTYPE ichicsr [<!ENTITY c SYSTEM "file:///etc/hostname">]>\n', "&c;")),
        "b.xml:2", "uses an XML entity", "entité XML",
    ),
    "entity of an external DTD": (
        text("b.xml", R2.format('<!DOCTYPE ichicsr SYSTEM "icsr21xml.dtd">\n', "Migr&eacute;ne")),
        "b.xml:3", "uses an XML entity", "entité XML",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_read_says_where_and_what_to_do_and_takes_nothing_from_the_others(
    what: str, tmp_path: Path
) -> None:
    make, place, english, french = REFUSED[what]
    told, found = together(make(tmp_path), tmp_path)
    [error] = told.failed
    assert isinstance(error, LabError)
    assert error.place.endswith(place)
    assert english in error.text.en
    assert french in error.text.fr
    assert "\u202f:" in error.text.fr or ":" not in error.text.fr
    assert [each.name for each in told.read] == ["good.csv"]
    assert (found.counts.n_total, int(found.counts.n.sum())) == (60, 60)


@pytest.mark.parametrize("what", [*REFUSED, "pairs", "an empty file", "VAERS without its tables"])
def test_in_a_folder_a_file_that_cannot_be_read_takes_nothing_from_the_others(what: str, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    (folder / "bad").mkdir(parents=True)
    more = {
        "pairs": text("pairs.csv", "drug,event\nA,X\n"),
        "an empty file": text("empty.csv", ""),
        "VAERS without its tables": text("2021VAERSDATA.csv", "VAERS_ID,RECVDATE\n1,01/01/2021\n"),
    }
    (REFUSED[what][0] if what in REFUSED else more[what])(folder / "bad")
    (folder / "good.csv").write_text(GOOD, "utf-8")
    if what == "truncated zip":
        shutil.rmtree(folder / "bad" / "faers")  # what it was made of
    told = ingest([folder], tmp_path / "store")
    assert [each.name for each in told.read] == ["good.csv"]
    assert len(told.failed) == 1 or told.ignored == ("c.csv",)  # a CSV that is of no kind may be anything
    assert told.counts["rows"]["reports"] == 60


def test_every_file_that_cannot_be_read_is_told_when_none_can(tmp_path: Path) -> None:
    paths = [text(f"{name}.csv", "")(tmp_path) for name in ("a", "b")]
    told = ingest(paths, tmp_path / "store")
    assert [error.place for error in told.failed] == ["a.csv", "b.csv"]
    assert not (tmp_path / "store").exists()


def test_a_bad_source_alone_is_an_error_and_leaves_no_store(tmp_path: Path) -> None:
    with pytest.raises(LabError, match="uses an XML entity"):
        ingest([text("b.xml", R2.format(BOMB, "&c;"))(tmp_path)], tmp_path / "store")
    assert not (tmp_path / "store").exists()


def test_a_dtd_that_is_only_named_is_never_opened_and_its_report_is_read(tmp_path: Path) -> None:
    """The files of the agencies name one; here it would rewrite the report, were it followed."""
    dtd = tmp_path / "icsr21xml.dtd"
    dtd.write_text("<!ENTITY % all \"<!ATTLIST drug medicinalproduct CDATA 'ARSENIC'>\"> %all;")
    named = text("r.xml", R2.format(f'<!DOCTYPE ichicsr SYSTEM "{dtd.as_uri()}">\n', "Rash"))(tmp_path)
    dtd.chmod(0)
    told, found = together(named, tmp_path)
    assert not told.failed
    assert found.counts.n_total == 61
    assert ("IRON", "Rash", 1) in [(r["drug"], r["event"], r["n"]) for r in found.table.to_pylist()]


@pytest.mark.parametrize(
    ("subset", "says"),
    [
        ('<!ENTITY who "IRON">', "uses an XML entity"),
        ('<!ENTITY % more SYSTEM "more.dtd"> %more;', "uses an XML entity"),
        ("<!ELEMENT ichicsr ANY>", "declares its own grammar"),
        ("<!ATTLIST drug medicinalproduct CDATA 'ARSENIC'>", "declares its own grammar"),
        ('<!NOTATION gif SYSTEM "gif">', "declares its own grammar"),
    ],
)
def test_a_dtd_that_is_named_is_refused_with_anything_declared_beside_it(
    tmp_path: Path, subset: str, says: str
) -> None:
    kind = f'<!DOCTYPE ichicsr SYSTEM "icsr21xml.dtd" [{subset}]>\n'
    with pytest.raises(LabError, match=says):
        ingest([text("r.xml", R2.format(kind, "Rash"))(tmp_path)], tmp_path / "store")
    told, _ = together(text("r.xml", R2.format(kind.replace(subset, " "), "Rash"))(tmp_path), tmp_path)
    assert not told.failed


def test_encodings_that_mix_in_one_file_are_letters_not_losses(tmp_path: Path) -> None:
    file = tmp_path / "mixed.csv"
    lines = [b"case,drug,event", "m1,A,Sjögren".encode(), "m2,A,Sjögren".encode("cp1252"), b"m3,B,Rash"]
    file.write_bytes(b"\n".join(lines) + b"\n")
    told, found = together(file, tmp_path)
    assert not told.failed
    assert found.counts.n_total == 63
    assert [r["n"] for r in found.table.to_pylist() if r["event"] == "Sjögren"] == [2]


def test_a_line_in_two_encodings_is_read_piece_by_piece_and_told(tmp_path: Path) -> None:
    file = tmp_path / "mixed.csv"
    both = "m1,A,nausée ".encode() + "Sjögren".encode("cp1252")
    lost = b"m3,A,Na\x81usea"
    file.write_bytes(b"\n".join([b"case,drug,event", both, "m2,A,fièvre".encode("cp1252"), lost]) + b"\n")
    told, found = together(file, tmp_path)
    mixed = next(each for each in told.read if each.name == "mixed.csv")
    assert dict(mixed.notes) == {"lines in two encodings": 1, "lines not in UTF-8": 2}
    assert mixed.counts["rejected"] == 1
    terms = {row["event"] for row in found.table.to_pylist()}
    assert {"nausée Sjögren", "fièvre"} <= terms
    assert not any("Ã" in term or "\x81" in term for term in terms)


def test_a_drug_whose_report_is_nowhere_is_kept_apart_and_never_counted(tmp_path: Path) -> None:
    header, good = (
        FAERS["DRUG"],
        row(FAERS["DRUG"], primaryid="1001", drug_seq="1", role_cod="PS", drugname="ASPIRIN"),
    )
    lost = row(header, primaryid="9999", drug_seq="1", role_cod="PS", drugname="NOWHERE")
    told, found = together(faers(tmp_path, DRUG=f"{header}\r\n{good}\r\n{lost}\r\n"), tmp_path)
    assert not told.failed
    assert asked(tmp_path, "SELECT file, line, reason FROM rejected") == [
        ("DRUG17Q2.txt", 3, "its report is in no DEMO row")
    ]
    assert "NOWHERE" not in found.counts.drugs.to_pylist()
    assert found.counts.n_total == 61


def test_a_report_without_a_drug_counts_in_the_total_and_in_no_pair(tmp_path: Path) -> None:
    told, found = together(text("c.csv", "case,drug,event\nn1,,E1\nn2,D1,\n")(tmp_path), tmp_path)
    assert told.read[0].counts["rejected"] == 2  # each told with its line
    assert asked(tmp_path, "SELECT line, reason FROM rejected ORDER BY 1") == [(2, "no drug"), (3, "no event")]
    assert (found.counts.n_total, int(found.counts.n.sum())) == (62, 60)


def test_a_store_where_all_counts_are_equal_is_ranked_without_gps_and_says_so(tmp_path: Path) -> None:
    body = "".join(f"c{d}{e},D{d},E{e}\n" for d in range(8) for e in range(8))
    file = text("equal.csv", "case,drug,event\n" + body)(tmp_path)
    ingest([file], tmp_path / "store")
    found = finite(detect(Store(tmp_path / "store")))
    assert found.fit is None
    assert found.why_no_gps is not None
    assert "every pair has the same count, 1" in found.why_no_gps.text.en
    assert "ne peut pas s'ajuster" in found.why_no_gps.text.fr
    assert found.table.num_rows == found.table["eb05"].null_count == 64
    assert not found.table["ic025"].null_count


def test_a_case_with_four_thousand_reactions_gives_four_thousand_pairs(tmp_path: Path) -> None:
    header = FAERS["REAC"]
    lines = [row(header, primaryid="1001", pt=f"Term {i}") for i in range(4000)]
    told, found = together(faers(tmp_path, REAC="\r\n".join([header, *lines, ""])), tmp_path)
    assert not told.failed
    assert found.counts.n_total == 61
    rows = [row for row in found.table.to_pylist() if row["drug"] == "ASPIRIN"]
    assert len(rows) == 4000
    assert {row["n"] for row in rows} == {1}


@pytest.mark.parametrize(
    ("body", "english", "french"),
    [
        ("", "no header or unknown delimiter", "en-tête absent"),
        ("report drug event\n1 A X\n", "no header or unknown delimiter", "séparateur inconnu"),
        ("1,A,X\n2,B,Y\n", 'no column for "report_id"', "introuvable"),
        ("report_id,drug,event\n", "nothing to count", "rien à compter"),
    ],
    ids=["empty", "wrong delimiter", "missing header", "no row"],
)
def test_bad_rows_given_straight_to_the_counts_are_refused(
    body: str, english: str, french: str, tmp_path: Path
) -> None:
    file = text("pairs.csv", body)(tmp_path)
    with pytest.raises(LabError) as told:
        detect(Pairs(file))
    assert "pairs.csv" in told.value.place
    assert english in told.value.text.en
    assert french in told.value.text.fr


@pytest.mark.parametrize(
    ("rows", "line"), [("1,A,X\n2,B\n", 3), ("1,A,X\n2,B,Y,Z\n", 3), ('1,A,"X\n2,B,Y\n', 2)],
    ids=["too few fields", "too many", "quotation mark"],
)  # fmt: skip
def test_a_broken_line_of_pairs_is_told_by_its_number_and_no_other_line_is_skipped(
    rows: str, line: int, tmp_path: Path
) -> None:
    path = text("pairs.csv", f"report_id,drug,event\n{rows}")(tmp_path)
    with pytest.raises(LabError, match="has not the fields of the header") as told:
        detect(Pairs(path))
    assert told.value.place == f"{path}:{line}"


def test_a_count_that_is_no_whole_number_is_named(tmp_path: Path) -> None:
    path = text("counts.csv", 'drug,event,n\nA,X,3\nB,Y,"1,000"\n')(tmp_path)
    with pytest.raises(LabError, match="the first one, B × Y"):
        detect(CountTable(path))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
def test_pairs_and_counts_are_read_in_the_encodings_that_cases_are_read_in(
    encoding: str, packed: bool, tmp_path: Path
) -> None:
    def write(name: str, body: str) -> Path:
        raw = body.encode(encoding)
        file = tmp_path / (f"{name}.gz" if packed else name)
        file.write_bytes(gzip.compress(raw) if packed else raw)
        return file

    rows = "numéro;médicament;réaction\r\n" + "".join(
        f'{n};"Paracétamol";{"Sjögren" if n < 3 else "Fièvre"}\r\n' for n in range(6)
    )
    columns = {"report_id": "numéro", "drug": "médicament", "event": "réaction"}
    found = finite(detect(Pairs(write("pairs.csv", rows), columns)))
    assert found.counts.n_total == 6
    assert {(r["drug"], r["event"]): r["n"] for r in found.table.to_pylist()} == {
        ("Paracétamol", "Fièvre"): 3,
        ("Paracétamol", "Sjögren"): 3,
    }
    counts = "drug;event;n\nParacétamol;Sjögren;3\nIbuprofène;Fièvre;1\n"
    told = detect(CountTable(write("counts.csv", counts)))
    assert {r["drug"] for r in told.table.to_pylist()} == {"Paracétamol", "Ibuprofène"}
    known = write("known.csv", "drug;event\nParacétamol;Sjögren\n")
    assert read_known(known) == [("Paracétamol", "Sjögren")]


def test_lines_of_pairs_in_two_encodings_are_read_each_in_its_own(tmp_path: Path) -> None:
    file = tmp_path / "pairs.csv"
    both = ["1,A,Sjögren".encode(), "2,A,Sjögren".encode("cp1252"), b"3,A," + "Fièvre".encode("cp1252")]
    file.write_bytes(b"\n".join([b"report_id,drug,event", *both]) + b"\n")
    assert {r["event"]: r["n"] for r in detect(Pairs(file)).table.to_pylist()} == {"Fièvre": 1, "Sjögren": 2}


def test_a_letter_of_no_known_encoding_is_refused_with_its_line_and_what_to_do(tmp_path: Path) -> None:
    file = tmp_path / "pairs.csv"
    file.write_bytes(b"report_id,drug,event\n1,A,X\n2,A,Na\x81usea\n")
    with pytest.raises(LabError, match="letters in no known encoding: save the file as UTF-8") as told:
        detect(Pairs(file))
    assert told.value.place == f"{file}:3"
    assert "enregistrer le fichier en UTF-8" in told.value.text.fr


def test_a_broken_line_of_a_file_in_another_encoding_is_told_in_the_file_that_was_given(tmp_path: Path) -> None:
    file = tmp_path / "pairs.csv"
    file.write_bytes("report_id,drug,event\n1,Paracétamol,X\n2,B\n".encode("cp1252"))
    with pytest.raises(LabError, match="has not the fields of the header") as told:
        detect(Pairs(file))
    assert told.value.place == f"{file}:3"


def test_a_utf_16_file_that_is_cut_is_told(tmp_path: Path) -> None:
    file = tmp_path / "pairs.csv"
    file.write_bytes("report_id,drug,event\n1,A,X\n".encode("utf-16")[:-1])
    with pytest.raises(LabError, match="UTF-16 file is cut or damaged"):
        detect(Pairs(file))
