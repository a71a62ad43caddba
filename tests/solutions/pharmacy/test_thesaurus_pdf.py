"""The thesaurus out of its official PDF, read by where things stand."""

from __future__ import annotations

import datetime as dt

import pytest
from tests.solutions.pharmacy import tiny_pdf

from lab39.core.errors import InputError
from lab39.solutions.pharmacy.model import Level, LevelText, Rule
from lab39.solutions.pharmacy.thesaurus_pdf import FRONT, edition_of, read_pdf


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    return read_pdf(tiny_pdf.thesaurus(tmp_path_factory.mktemp("pdf") / "t.pdf"))


def rule(found, a, b):
    return next(r for r in found.rules if (r.a, r.b) == (a, b))


def test_each_pair_stands_once_with_the_page_of_its_first_node_as_a_viewer_counts(found):
    assert [(r.a, r.b, r.page) for r in found.rules[:4]] == [
        ("ALPHAMINE", "BÊTATIQUES", 2),
        ("ALPHAMINE", "GAMMADOL", 2),
        ("AUTRES BÊTATIQUES", "BÊTATIQUES", 2),
        ("DELTAMINE", "GAMMADOL", 3),
    ]


def test_columns_part_mechanism_from_level_and_conduct(found):
    assert rule(found, "ALPHAMINE", "GAMMADOL") == Rule(
        "ALPHAMINE",
        "GAMMADOL",
        (
            LevelText(Level.CI, "- à doses > 20 mg"),
            LevelText(
                Level.PE,
                "- aux autres doses, avec une surveillance clinique étroite et le contrôle de la fonction rénale.\n"
                "Adapter la dose.",
            ),
        ),
        "Majoration de l’effet, notamment à doses élevées et chez le sujet âgé.",
        2,
    )


def test_names_that_run_over_two_lines_are_one(found):
    assert rule(
        found,
        "SUBSTANCES À ABSORPTION RÉDUITE PAR LES TOPIQUES ET ADSORBANTS",
        "UN NOM SI LONG QU'IL TIENT SUR DEUX LIGNES",
    ).levels == (LevelText(Level.PE, "Attendre."),)


def test_an_entry_told_in_a_sentence_under_a_heading_is_an_entry(found):
    told = rule(found, "DELTAMINE", "GAMMADOL")
    assert told.levels == (LevelText(Level.APEC),)
    assert told.mechanism == "le risque de chute chez le sujet âgé."


def test_see_also_brackets_and_explanation_are_told_apart(found):
    assert found.substances["ALPHAMINE"] == ("gammadols", "médicaments, a-risque", "b-risque")
    assert found.classes["BÊTATIQUES"] == ("betamol", "betanol (racemique)")
    assert found.preambles["BÊTATIQUES"] == "Les bêtatiques ont un risque :\n- connu,\n- prévisible."
    assert "GAMMADOL" not in found.classes  # « (voir aussi "…") » names no member
    assert found.preambles[FRONT].startswith("THESAURUS DES INTERACTIONS")


def test_levels_that_differ_between_the_two_places_are_both_told(found):
    ((first, second),) = found.conflicts
    assert [t.level for t in first.levels] == [Level.CI, Level.PE]
    assert (second.under, second.page, second.levels) == ("GAMMADOL", 3, (LevelText(Level.AD, "Toujours."),))


@pytest.mark.parametrize("shift", [-8.0, 0.0, 15.0])
def test_places_are_learnt_from_the_document(tmp_path, found, shift):
    assert read_pdf(tiny_pdf.thesaurus(tmp_path / "t.pdf", shift=shift)) == found


@pytest.mark.parametrize(
    ("written", "day"),
    [
        ("Octobre 2020", dt.date(2020, 10, 1)),
        ("SEPTEMBRE 2023 15 septembre 2023", dt.date(2023, 9, 15)),
        ("1er août 2016", dt.date(2016, 8, 1)),
        ("Mise à jour février 2025", dt.date(2025, 2, 1)),
    ],
)
def test_the_edition_is_the_one_its_first_pages_state(tmp_path, written, day):
    assert edition_of(tiny_pdf.thesaurus(tmp_path / "t.pdf", month=written)) == day


def test_progress_goes_up_to_the_whole(tmp_path):
    told = []
    read_pdf(tiny_pdf.thesaurus(tmp_path / "t.pdf"), told.append)
    assert told == pytest.approx([1 / 3, 2 / 3, 1])


def test_an_edition_that_states_no_date_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"t\.pdf: no edition found in the first pages"):
        read_pdf(tiny_pdf.thesaurus(tmp_path / "t.pdf", month="sans date"))


def test_what_is_no_pdf_is_refused(tmp_path):
    (tmp_path / "t.pdf").write_text("hello")
    with pytest.raises(InputError, match=r"t\.pdf: this file is not a PDF"):
        read_pdf(tmp_path / "t.pdf")


def test_another_pdf_is_refused_with_what_to_give(tmp_path):
    page = [(78.0, 700.0, 10.0, "GLIPTINES"), (78.0, 686.0, 10.0, "+ STATINES"), (78.0, 672.0, 10.0, "Risque.")]
    other = tiny_pdf.write(tmp_path / "t.pdf", [tiny_pdf.cover("THESAURUS", "15 septembre 2023"), page])
    with pytest.raises(InputError, match="neither its differential nor an index"):
        read_pdf(other)


def test_a_pdf_behind_a_password_is_refused_with_what_to_do(tmp_path):
    with pytest.raises(InputError, match="save a copy of it without password"):
        read_pdf(tiny_pdf.thesaurus(tmp_path / "t.pdf", encrypted=True))


@pytest.mark.parametrize("kept", [0.3, 0.9, 0.999])
def test_a_pdf_cut_short_is_refused(tmp_path, kept):
    whole = tiny_pdf.thesaurus(tmp_path / "t.pdf").read_bytes()
    (tmp_path / "t.pdf").write_bytes(whole[: int(len(whole) * kept)])
    with pytest.raises(InputError, match="unreadable or incomplete PDF: download it again"):
        read_pdf(tmp_path / "t.pdf")


def test_a_document_without_some_of_its_pages_is_refused_with_an_entry_that_shows_it(tmp_path):
    page = tiny_pdf.Sheet(2).heading("ALPHAMINE")
    for i in range(7):
        page.entry(f"BETAMINE {i}", ["Effet."], ["A prendre en compte"])
    cut = tiny_pdf.write(
        tmp_path / "t.pdf", [tiny_pdf.cover("THESAURUS", "Octobre 2020"), page.put, tiny_pdf.Sheet(3).put]
    )
    with pytest.raises(InputError, match=r"incomplete document.*page 2, “ALPHAMINE \+ BETAMINE 6”"):
        read_pdf(cut)


def test_an_entry_without_a_level_is_refused_with_its_place(tmp_path):
    page = tiny_pdf.Sheet(2).heading("ALPHAMINE")
    page.entry("GAMMADOL", ["Effet."], ["A prendre en compte"])
    page.entry("DELTAMINE", ["Effet."], ["Attention"])
    odd = tiny_pdf.write(
        tmp_path / "t.pdf", [tiny_pdf.cover("THESAURUS", "Octobre 2020"), page.put, tiny_pdf.Sheet(3).put]
    )
    with pytest.raises(InputError, match=r"page 2, “ALPHAMINE \+ DELTAMINE”"):
        read_pdf(odd)


def page_of(tmp_path, *sheets):
    pages = [tiny_pdf.cover("THESAURUS", "Octobre 2020"), *(s.put for s in sheets), tiny_pdf.Sheet(9).put]
    return read_pdf(tiny_pdf.write(tmp_path / "t.pdf", pages))


def test_a_class_is_no_substance(found):
    assert "BÊTATIQUES" not in found.substances


def test_a_blank_line_begins_a_paragraph_whatever_follows(tmp_path):
    sheet = tiny_pdf.Sheet(2).heading("ALPHAMINE")
    sheet.entry("GAMMADOL", ["premier", "", "deuxième"], ["A prendre en compte"])
    assert page_of(tmp_path, sheet).rules[0].mechanism == "premier\ndeuxième"


def test_a_bracket_inside_the_explanation_is_not_the_members(tmp_path):
    sheet = tiny_pdf.Sheet(2).heading("BÊTATIQUES").under("Risque", "(connu) à redouter.", "", "(betamol, betanol)")
    found = page_of(tmp_path, sheet.entry("GAMMADOL", ["Effet."], ["A prendre en compte"]))
    assert found.classes["BÊTATIQUES"] == ("betamol", "betanol")
    assert found.preambles["BÊTATIQUES"] == "Risque (connu) à redouter."


def test_an_entry_printed_in_several_equal_rows_is_one(tmp_path):
    sheet = tiny_pdf.Sheet(2).heading("ALPHAMINE")
    sheet.entry(
        "GAMMADOL",
        ["Effet.", "", "", "Effet."],
        ["CONTRE-INDICATION", "Arrêter.", "", "CONTRE-INDICATION", "Arrêter."],
    )
    assert page_of(tmp_path, sheet).rules[0] == Rule(
        "ALPHAMINE", "GAMMADOL", (LevelText(Level.CI, "Arrêter."),), "Effet.", 2
    )


def test_an_entry_printed_in_rows_of_several_levels_has_them_all(tmp_path):
    sheet = tiny_pdf.Sheet(2).heading("ALPHAMINE")
    sheet.entry(
        "GAMMADOL", ["Un.", "", "", "Deux."], ["A prendre en compte", "", "", "CONTRE-INDICATION", "Arrêter."]
    )
    (rule,) = page_of(tmp_path, sheet).rules
    assert rule.levels == (LevelText(Level.CI, "Arrêter."), LevelText(Level.APEC))
    assert rule.mechanism == "Un.\nDeux."


def test_words_are_parted_and_put_in_order_by_where_they_stand(tmp_path):
    sheet = tiny_pdf.Sheet(2).heading("ALPHAMINE").entry("GAMMADOL", [], ["A prendre en compte"])
    y = next(y for _, y, _, words in sheet.put if words == "A prendre en compte")
    sheet.put += [(tiny_pdf.MECHANISM + 24, y, 7.0, "accru."), (tiny_pdf.MECHANISM, y, 7.0, "Risque")]
    assert page_of(tmp_path, sheet).rules[0].mechanism == "Risque accru."
