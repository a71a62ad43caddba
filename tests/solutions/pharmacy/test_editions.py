"""Two editions compared: rules, classes, and the pairs of substances that a change reaches."""

from __future__ import annotations

import datetime as dt

import pytest

from lab39.solutions.pharmacy import graph
from lab39.solutions.pharmacy.editions import Change, Membership, PairChange, compare, pair_changes
from lab39.solutions.pharmacy.model import Level, LevelText, Rule, Thesaurus

AD, APEC, CI, PE = Level.AD, Level.APEC, Level.CI, Level.PE


def rule(a, b, *levels, mechanism="Effet.", conduct=""):
    return Rule(a, b, tuple(LevelText(level, conduct) for level in levels), mechanism)


def edition(year, classes, *rules):
    substances: dict[str, tuple[str, ...]] = {"ALPHA": (), "DELTA": ()}
    for name, members in classes.items():
        for each in members:
            substances[each] = (*substances.get(each, ()), name)
    return Thesaurus(dt.date(year, 10, 1), substances, classes, rules)


OLD = edition(
    2020,
    {"BETAS": ("beta-un", "beta-deux"), "GAMMAS": ("gamma",)},
    rule("ALPHA", "BETAS", PE),
    rule("ALPHA", "DELTA", AD),
    rule("BETAS", "GAMMAS", CI, PE),
    rule("DELTA", "GAMMAS", AD, mechanism="Risque d’effet"),
)


def changes(new):
    return [(c.change, c.rule.a, c.rule.b) for c in compare(OLD, new).rules]


def test_an_edition_does_not_differ_from_itself_however_printed():
    again = edition(
        2021,
        {"Bêtas": ("BÊTA-UN", "beta-deux"), "GAMMAS": ("gamma",)},
        rule("alpha", "BETAS", PE, mechanism="effet"),
        rule("ALPHA", "DELTA", AD),
        rule("BETAS", "GAMMAS", CI, PE),
        rule("DELTA", "GAMMAS", AD, mechanism="Risque\nd'effet."),
    )
    found = compare(OLD, again)
    assert (found.rules, found.joined, found.left) == ((), (), ())
    assert (found.substances_new, found.substances_gone, found.classes_new, found.classes_gone) == ((), (), (), ())
    assert pair_changes(graph.build(OLD), graph.build(again)) == ()


def test_each_way_a_rule_can_change_is_told():
    new = edition(
        2023,
        dict(OLD.classes),
        rule("ALPHA", "BETAS", AD),
        rule("BETAS", "GAMMAS", CI),
        rule("DELTA", "GAMMAS", APEC),
        rule("ALPHA", "GAMMAS", PE),
    )
    assert changes(new) == [
        (Change.RAISED, "ALPHA", "BETAS"),
        (Change.GONE, "ALPHA", "DELTA"),
        (Change.NEW, "ALPHA", "GAMMAS"),
        (Change.LEVELS, "BETAS", "GAMMAS"),
        (Change.LOWERED, "DELTA", "GAMMAS"),
    ]
    assert compare(OLD, new).counted() == {"new": 1, "gone": 1, "raised": 1, "lowered": 1, "levels": 1, "text": 0}


def test_another_text_with_the_same_level_is_told_with_both_texts():
    rules = [*OLD.rules[:3], rule("DELTA", "GAMMAS", AD, mechanism="Risque d’effet", conduct="Surveiller.")]
    (found,) = compare(OLD, edition(2023, dict(OLD.classes), *rules)).rules
    assert found.change is Change.TEXT
    assert (found.before.levels[0].conduct, found.after.levels[0].conduct) == ("", "Surveiller.")


def test_a_class_renamed_keeps_its_rules():
    renamed = {"BETAS PUISSANTS": ("beta-un", "beta-deux", "beta-trois"), "GAMMAS": ("gamma",)}
    rules = [rule(*(n.replace("BETAS", "BETAS PUISSANTS") for n in (r.a, r.b)), *(t.level for t in r.levels),
                  mechanism=r.mechanism) for r in OLD.rules]  # fmt: skip
    found = compare(OLD, edition(2023, renamed, *rules))
    assert found.renamed == {"BETAS": "BETAS PUISSANTS"}
    assert found.rules == ()
    assert found.joined == (Membership("beta-trois", "BETAS PUISSANTS"),)
    assert (found.classes_new, found.classes_gone) == ((), ())


def test_a_class_with_other_members_is_another_class():
    other = {"EPSILONS": ("epsilon", "beta-un"), "GAMMAS": ("gamma",)}
    found = compare(OLD, edition(2023, other, *OLD.rules[1:2]))
    assert found.renamed == {}
    assert (found.classes_new, found.classes_gone) == (("EPSILONS",), ("BETAS",))


def test_a_substance_that_joins_a_class_changes_the_level_of_its_pairs():
    joined = {"BETAS": ("beta-un", "beta-deux", "DELTA"), "GAMMAS": ("gamma", "epsilon")}
    new = edition(2023, joined, *OLD.rules)
    found = compare(OLD, new)
    assert found.rules == ()
    assert found.joined == (Membership("DELTA", "BETAS"), Membership("epsilon", "GAMMAS"))
    assert found.substances_new == ("epsilon",)
    assert pair_changes(graph.build(OLD), graph.build(new)) == (
        PairChange(Change.LEVELS, "alpha", "delta", (AD,), (AD, PE), listed=True),
        PairChange(Change.NEW, "beta deux", "epsilon", (), (CI, PE), listed=False),
        PairChange(Change.NEW, "beta un", "epsilon", (), (CI, PE), listed=False),
        PairChange(Change.NEW, "delta", "epsilon", (), (CI, AD, PE), listed=False),
        PairChange(Change.RAISED, "delta", "gamma", (AD,), (CI, AD, PE), listed=True),
    )


def test_a_substance_that_leaves_a_class_loses_its_pairs():
    new = edition(2023, {"BETAS": ("beta-un",), "GAMMAS": ("gamma",)}, *OLD.rules)
    found = compare(OLD, new)
    assert found.left == (Membership("beta-deux", "BETAS"),)
    assert [(p.change, p.a, p.b, p.after) for p in pair_changes(graph.build(OLD), graph.build(new))] == [
        (Change.GONE, "alpha", "beta deux", ()),
        (Change.GONE, "beta deux", "gamma", ()),
    ]


@pytest.mark.parametrize("swap", [False, True])
def test_what_is_new_one_way_is_gone_the_other(swap):
    new = edition(2023, dict(OLD.classes), *OLD.rules[:-1], rule("ALPHA", "GAMMAS", PE))
    one, two = (new, OLD) if swap else (OLD, new)
    told = {(c.rule.a, c.rule.b): c.change for c in compare(one, two).rules}
    assert told == {
        ("ALPHA", "GAMMAS"): Change.GONE if swap else Change.NEW,
        ("DELTA", "GAMMAS"): Change.NEW if swap else Change.GONE,
    }


def test_a_class_whose_members_one_source_does_not_tell_is_not_compared():
    told = edition(2020, {**OLD.classes, "DELTAS": ("delta-un",)}, *OLD.rules, rule("ALPHA", "DELTAS", PE))
    untold = edition(2023, dict(OLD.classes), *OLD.rules, rule("ALPHA", "DELTAS", PE))
    for one, two in ((told, untold), (untold, told)):
        found = compare(one, two)
        assert (found.joined, found.left, found.classes_new, found.classes_gone) == ((), (), (), ())
        assert (found.substances_new, found.substances_gone) == ((), ())


def test_a_text_that_lost_words_in_its_source_is_not_taken_for_a_change():
    cut = [*OLD.rules[:3], rule("DELTA", "GAMMAS", AD, mechanism="Risque […]")]
    assert compare(edition(2020, dict(OLD.classes), *cut), OLD).rules == ()
