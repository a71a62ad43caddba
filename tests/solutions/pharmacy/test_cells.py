"""The cell of an entry: levels, the gravest first, each with its conduct."""

from __future__ import annotations

import pytest

from lab39.solutions.pharmacy.cells import heading, paragraphs, read_cell, section
from lab39.solutions.pharmacy.model import Level

AD, APEC, CI, PE = Level.AD, Level.APEC, Level.CI, Level.PE


def read(*lines: str) -> list[tuple[Level, str]]:
    return [(each.level, each.conduct) for each in read_cell(lines)]


@pytest.mark.parametrize(
    ("line", "levels"),
    [
        ("CONTRE-INDICATION", (CI,)),
        ("Association DECONSEILLEE", (AD,)),
        ("Précaution d’emploi", (PE,)),
        ("A prendre en compte", (APEC,)),
        ("CI - ASDEC - APEC", (CI, AD, APEC)),
        ("ASDEC-PE", (AD, PE)),
        ("Contre-indication relative", ()),
        ("CI - BIENTÔT", ()),
        ("", ()),
    ],
)
def test_the_first_line_names_the_levels_in_words_or_in_short(line, levels):
    assert heading(line) == levels


@pytest.mark.parametrize(
    ("line", "opened"),
    [
        ("Contre-indication avec :", (CI, "avec :")),
        ("Associations déconseillées", (AD, "")),
        ("Association nécessitant une précaution d'emploi :", (PE, "")),
        ("Précaution d'emploi (seul) :", (PE, "(seul) :")),
        ("précaution d'emploi au milieu d'une phrase", None),
        ("- contre-indication dans une liste", None),
        ("Contre-indiqué sauf hypokaliémie", None),
        ("Contre-indications multiples", None),
    ],
)
def test_a_section_begins_with_its_level_at_the_start_of_a_sentence(line, opened):
    assert section(line) == opened


def test_one_level_has_the_whole_text():
    assert read("Précaution d'emploi", "Surveiller", "l'INR.") == [(PE, "Surveiller l'INR.")]


def test_one_level_whose_text_repeats_it_keeps_it():
    assert read("A prendre en compte", "", "A prendre en compte :", "- à forte dose") == [
        (APEC, "A prendre en compte :\n- à forte dose")
    ]


def test_a_section_that_the_heading_leaves_out_is_a_level_too():
    assert read(
        "Association DECONSEILLEE", "Contre-indication :", "- un", "Association déconseillée:", "- deux"
    ) == [
        (CI, "- un"),
        (AD, "- deux"),
    ]


def test_a_level_of_the_heading_that_no_section_tells_has_the_whole_text():
    assert read("CI - APEC", "A prendre en compte :", "- tous, sauf X (contre-indication)") == [
        (CI, "A prendre en compte :\n- tous, sauf X (contre-indication)"),
        (APEC, "- tous, sauf X (contre-indication)"),
    ]


def test_without_sections_all_levels_have_the_one_text():
    assert read("CI - PE", "Voir l'AMM.") == [(CI, "Voir l'AMM."), (PE, "Voir l'AMM.")]


def test_the_gravest_level_comes_first_however_printed_and_texts_of_one_level_are_joined():
    assert read("PE - CI", "Précaution d'emploi :", "- un", "Contre-indication :", "- deux", "Précaution d'emploi",
                "- trois") == [(CI, "- deux"), (PE, "- un\n- trois")]  # fmt: skip


def test_a_cell_without_a_level_is_none():
    assert read("Surveiller.") == []
    assert read() == []


def test_lines_are_joined_into_paragraphs_and_items():
    lines = ["Les anti-", "inflammatoires et", "les autres :", "- un", "  suite", "- deux", "", "Fin", "de texte"]
    assert paragraphs(lines) == "Les anti-inflammatoires et les autres :\n- un suite\n- deux\nFin de texte"
