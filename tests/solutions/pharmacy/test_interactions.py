"""The interactions of a treatment."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.solutions.pharmacy import small as edition
from tests.solutions.pharmacy.small import AD, APEC, CI, PE, line

from lab39.solutions.pharmacy.engine import Engine
from lab39.solutions.pharmacy.interactions import by_pair, check, interactions
from lab39.solutions.pharmacy.model import Interaction, Need, Person, Product, Route

SMALL = edition.small_engine()
KEYS = sorted(SMALL.graph.members)


def told(found):
    return [(each.a.name, each.b.name, each.level) for each in found]


def treatment(*keys, **known):
    return [line(key, **known) for key in keys]


def between(engine: Engine, one: str, other: str, person: Person | None = None) -> list[Interaction]:
    return list(interactions(engine, treatment(one, other), person or Person()))


def said(each: Interaction, lines):
    """What is said, with lines instead of their numbers."""
    sides = frozenset((lines[p.line].text if p.line is not None else "", p.name, p.node) for p in (each.a, each.b))
    return each.rule, sides, each.level, each.resolved, each.possible, each.conditional, each.conduct


# -- pairs -------------------------------------------------------------------------------------------------


def test_two_lines_interact_through_their_nodes(small):
    (found,) = between(small, "warfarine", "miconazole")
    assert (found.a.name, found.a.node) == ("miconazole", "MICONAZOLE")
    assert (found.b.name, found.b.node) == ("warfarine", "ANTIVITAMINES K")
    assert (found.level, found.resolved, found.possible, found.conduct) == (CI, True, (CI,), "conduite CI")
    assert (found.needs, found.used, found.conditional) == ((), (), False)


def test_one_product_with_two_interacting_ingredients_is_found(small):
    (found,) = interactions(small, [line("warfarine", "miconazole")])
    assert found.level is CI
    assert (found.a.line, found.b.line) == (0, 0)


def test_the_gravest_comes_first_then_what_is_settled_then_names(small):
    found = interactions(small, treatment("lithium", "ibuprofene", "warfarine", "methotrexate", "miconazole"))
    assert [(each.level, each.resolved) for each in found] == [(CI, True), (AD, True), (AD, True), (AD, False)]
    assert [each.a.name for each in found[1:3]] == ["ibuprofene", "ibuprofene"]


def test_a_rule_with_several_levels_that_nobody_read_stays_open(small):
    (found,) = between(small, "lithium", "methotrexate")
    assert (found.level, found.resolved, found.possible) == (AD, False, (AD, PE))
    assert found.needs == (Need("reading"),)


def test_several_rules_of_a_pair_are_kept_under_the_gravest(small):
    found = interactions(small, treatment("enoxaparine", "ibuprofene"))
    (pair,) = by_pair(found)
    assert [each.level for each in pair.interactions] == [AD, APEC]
    assert pair.gravest is found[0]


# -- a class with itself, a substance with itself ----------------------------------------------------------


def test_two_substances_of_a_class_that_interacts_with_itself(small):
    found = between(small, "tramadol", "zolpidem")
    assert [each.level for each in found] == [APEC]


def test_one_substance_on_two_lines_is_a_duplication_and_no_interaction(small):
    checked = check(small, treatment("tramadol", "tramadol", "zolpidem"))
    assert [(a, b, moiety.key) for a, b, moiety in checked.repeated] == [(0, 1, "tramadol")]
    assert [{each.a.line, each.b.line} for each in checked.interactions] == [{0, 2}, {1, 2}]


def test_two_of_a_class_in_one_product_are_there_on_purpose(small):
    assert interactions(small, [line("tramadol", "zolpidem")]) == ()


def test_iron_by_mouth_and_by_injection_is_what_the_thesaurus_means(small):
    drip = line("fer", route=Route.INTRAVENOUS)
    assert told(interactions(small, [line("fer", route=Route.ORAL), drip])) == [("fer", "fer", AD)]
    assert interactions(small, [line("fer", route=Route.ORAL), line("fer", route=Route.ORAL)]) == ()


# -- routes ------------------------------------------------------------------------------------------------


def test_a_resin_meets_what_is_taken_by_mouth_even_what_the_thesaurus_does_not_know(small):
    resin = line("colestyramine", route=Route.ORAL)
    assert told(interactions(small, [resin, line("zorglubine", route=Route.ORAL)])) == [
        ("colestyramine", "zorglubine", PE)
    ]
    assert interactions(small, [resin, line("zorglubine", route=Route.INTRAVENOUS)]) == ()
    (open_,) = interactions(small, [resin, line("zorglubine")])
    assert (open_.conditional, open_.resolved) == (True, False)
    assert open_.needs == (Need("route:zorglubine", 1),)


def test_a_resin_does_not_meet_itself(small):
    assert interactions(small, [line("colestyramine", route=Route.ORAL)]) == ()
    assert interactions(small, treatment("colestyramine", "colestyramine", route=Route.ORAL)) == ()


def test_a_cream_has_none_of_the_interactions_of_a_tablet_and_that_is_told(small):
    checked = check(small, [line("warfarine"), line("ibuprofene", route=Route.CUTANEOUS)])
    assert checked.interactions == ()
    assert checked.local == (1,)


def test_an_unknown_route_keeps_the_interaction_and_asks(small):
    either = line("ibuprofene", routes=(Route.ORAL, Route.CUTANEOUS))
    (found,) = interactions(small, [line("warfarine"), either])
    assert (found.level, found.resolved, found.conditional) == (AD, True, True)
    assert found.needs == (Need("route:ibuprofene", 1),)


# -- conditions of nodes -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("age", "indications", "expected"),
    [
        (None, None, [(AD, True), (APEC, True)]),
        (80, None, [(AD, False)]),
        (40, None, [(AD, True), (APEC, True)]),
        (40, {"heparin-preventive-dose"}, [(APEC, False)]),
        (40, {"heparin-curative-dose"}, [(AD, False)]),
        (80, {"heparin-preventive-dose"}, [(AD, False)]),
    ],
)
def test_heparins_by_their_dose_and_by_age(small, age, indications, expected):
    heparin = line("enoxaparine", indications=None if indications is None else frozenset(indications))
    found = interactions(small, [heparin, line("ibuprofene")], Person(age_years=age))
    assert [(each.level, each.conditional) for each in found] == expected


def test_beta_blockers_in_heart_failure_ask_for_heart_failure(small):
    def levels(person):
        return [
            (each.level, each.conditional, [need.token for need in each.needs])
            for each in interactions(small, treatment("bisoprolol", "insuline glargine"), person)
        ]

    assert levels(Person()) == [(PE, True, ["fact:heart-failure"])]
    assert levels(Person(facts={"heart-failure": True})) == [(PE, False, [])]
    assert levels(Person(facts={"heart-failure": False})) == []


def test_a_protease_inhibitor_is_boosted_when_ritonavir_is_taken_too(small):
    (alone,) = between(small, "darunavir", "simvastatine")
    assert (alone.conditional, alone.needs) == (True, (Need("with:ritonavir", 0),))
    boosted = interactions(small, treatment("darunavir", "simvastatine", "ritonavir"))
    assert [(each.level, each.conditional) for each in boosted] == [(CI, False), (CI, False)]


def test_substances_that_a_node_means_together(small):
    (alone,) = between(small, "trimethoprime", "methotrexate")
    assert (alone.conditional, alone.needs) == (True, (Need("with:sulfamethoxazole", 0),))
    both = interactions(small, [line("sulfamethoxazole", "trimethoprime"), line("methotrexate")])
    assert [each.conditional for each in both] == [False, False]


def test_what_a_product_is_for_is_read_from_its_atc_code(small):
    def antitussive(atc):
        syrup = Product("1", "sirop", "sirop", (), (), atc)
        return interactions(small, [line("codeine", product=syrup), line("iproniazide")])

    assert [each.conditional for each in antitussive("R05DA04")] == [False]
    assert antitussive("N02AJ06") == ()
    assert [each.conditional for each in antitussive("")] == [True]


# -- food and drink ----------------------------------------------------------------------------------------


def test_food_and_drink_are_looked_at_on_demand(small):
    grapefruit = small.graph.known.thing("Jus de pamplemousse")
    assert interactions(small, treatment("simvastatine")) == ()
    (found,) = interactions(small, treatment("simvastatine"), things=[grapefruit])
    assert (found.level, found.b.line, found.b.name) == (AD, None, "pamplemousse")


def test_tea_brings_caffeine(small):
    tea, coffee = small.graph.known.thing("thé"), small.graph.known.thing("coffee")
    assert len(interactions(small, treatment("dipyridamole"), things=[tea])) == 2
    assert len(interactions(small, treatment("dipyridamole"), things=[coffee])) == 1


def test_a_food_has_no_interaction_with_another(small):
    assert interactions(small, [], things=small.graph.known.things) == ()


# -- what has no interaction -------------------------------------------------------------------------------


def test_a_substance_that_the_edition_does_not_know_is_told(small):
    checked = check(small, treatment("paracetamol", "zorglubine"))
    assert [(number, moiety.key) for number, moiety in checked.unlisted] == [(1, "zorglubine")]


# -- what always holds -------------------------------------------------------------------------------------

lines = st.lists(
    st.builds(
        lambda keys, route: line(*keys, route=route),
        st.lists(st.sampled_from(KEYS), min_size=1, max_size=2, unique=True),
        st.sampled_from([None, *Route]),
    ),
    max_size=6,
)
people = st.builds(
    Person,
    age_years=st.none() | st.integers(0, 100),
    facts=st.dictionaries(st.just("heart-failure"), st.booleans()),
)


@given(lines, people, st.randoms(use_true_random=False))
def test_the_order_of_lines_changes_nothing(drawn, person, random):
    turned = list(drawn)
    random.shuffle(turned)
    before, after = interactions(SMALL, drawn, person), interactions(SMALL, turned, person)
    assert sorted(map(repr, (said(each, drawn) for each in before))) == sorted(
        map(repr, (said(each, turned) for each in after))
    )


@given(lines, lines, people)
def test_a_line_more_takes_no_interaction_away(drawn, more, person):
    few = {(id(each.rule), each.a, each.b) for each in interactions(SMALL, drawn, person)}
    many = {(id(each.rule), each.a, each.b) for each in interactions(SMALL, [*drawn, *more], person)}
    assert few <= many


@given(lines, people)
def test_knowing_more_of_a_person_only_narrows(drawn, person):
    def possible(who):
        return {(id(e.rule), e.a, e.b): set(e.possible) for e in interactions(SMALL, drawn, who)}

    nothing, something = possible(Person()), possible(person)
    assert something.keys() <= nothing.keys()
    assert all(levels <= nothing[key] for key, levels in something.items())


@given(lines, people)
def test_what_is_open_says_what_would_settle_it(drawn, person):
    for each in interactions(SMALL, drawn, person):
        assert each.level is each.possible[0]
        assert bool(each.needs) == (each.conditional or not each.resolved)
        assert all(need.token.startswith("route:") for need in each.needs if each.resolved)


def test_every_pair_of_the_edition_is_symmetric(small):
    for one, other in itertools.combinations(KEYS, 2):
        there, back = treatment(one, other), treatment(other, one)
        assert {said(e, there) for e in interactions(small, there)} == {
            said(e, back) for e in interactions(small, back)
        }


# -- official editions -------------------------------------------------------------------------------------

# Read in the official PDF of September 2023; pages as a viewer counts, under the node first in the alphabet.
GOLDEN = [
    ("warfarine", "miconazole", CI, 31),
    ("warfarine", "econazole", PE, 31),
    ("colchicine", "clarithromycine", CI, 64),
    ("dabigatran", "ketoconazole", CI, 69),
    ("iproniazide", "tramadol", CI, 118),
    ("azathioprine", "allopurinol", CI, 26),
    ("ciclosporine", "simvastatine", CI, 55),
    ("acide fusidique", "rosuvastatine", CI, 6),
    ("diltiazem", "ivabradine", CI, 80),
    ("ergotamine", "sumatriptan", CI, 9),
    ("trinitrine", "sildenafil", CI, 74),
    ("acitretine", "methotrexate", CI, 7),
    ("ganciclovir", "maribavir", CI, 106),
    ("apomorphine", "ondansetron", CI, 34),
    ("apixaban", "carbamazepine", AD, 33),
    ("ibuprofene", "lithium", AD, 25),
    ("flucloxacilline", "paracetamol", AD, 99),
    ("disulfirame", "metronidazole", AD, 82),
    ("merbromine", "povidone iodee", AD, 28),
    ("fer", "levothyroxine", PE, 97),
    ("bosentan", "glibenclamide", PE, 43),
    ("salbutamol", "timolol", APEC, 39),
]


@pytest.mark.parametrize(("one", "other", "level", "page"), GOLDEN)
def test_golden_pairs_with_their_page(official, one, other, level, page):
    engine = official("2023-09")
    gravest = interactions(engine, treatment(other, one))[0]
    assert (gravest.level, gravest.resolved, gravest.conditional) == (level, True, False)
    assert engine.levels.page(gravest.rule) == page


@pytest.mark.parametrize(
    ("key", "thing", "level", "page"),
    [("metformine", "alcool", AD, 10), ("simvastatine", "pamplemousse", AD, 190), ("dipyridamole", "thé", PE, 81)],
)
def test_golden_food_and_drink(official, key, thing, level, page):
    engine = official("2023-09")
    found = interactions(engine, treatment(key), things=[engine.graph.known.thing(thing)])
    assert level in {each.level for each in found}
    assert page in {engine.levels.page(each.rule) for each in found if each.level is level}


def test_golden_iron_by_mouth_and_by_injection(official):
    engine = official("2023-09")
    (found,) = interactions(engine, [line("fer", route=Route.ORAL), line("fer", route=Route.INTRAVENOUS)])
    assert (found.level, engine.levels.page(found.rule)) == (AD, 97)


def test_golden_partial_opioid_antagonists_ask_whether_methadone_is_a_substitution(official):
    (found,) = between(official("2023-09"), "methadone", "naltrexone")
    assert (found.level, found.conditional) == (CI, True)
    assert [need.token for need in found.needs] == ["indication:opioid-substitution"]


def test_golden_an_inhaled_corticosteroid_is_concerned(official):
    engine = official("2023-09")
    (found,) = interactions(engine, [line("fluticasone", route=Route.INHALED), line("ritonavir")])
    assert (found.level, found.resolved, engine.levels.page(found.rule)) == (AD, True, 65)
    assert interactions(engine, [line("fluticasone", route=Route.NASAL), line("ritonavir")]) == ()


def test_golden_eye_drops_of_timolol_are_a_beta_blocker(official):
    drops = line("timolol", route=Route.OCULAR)
    (found,) = interactions(official("2023-09"), [drops, line("salbutamol", route=Route.INHALED)])
    assert found.level is APEC


def test_golden_two_sedatives_are_to_be_taken_into_account_but_for_oxybate(official):
    engine = official("2023-09")
    sedatives = interactions(engine, treatment("tramadol", "zolpidem"))
    assert {(each.level, each.resolved) for each in sedatives} == {(APEC, True)}
    assert between(engine, "oxybate de sodium", "morphine")[0].level is CI


@settings(max_examples=200)
@given(data=st.data())
def test_golden_symmetric_on_drawn_pairs_of_an_official_edition(official, data):
    engine = official("2023-09")
    keys = sorted(engine.graph.members)
    one, other = data.draw(st.sampled_from(keys)), data.draw(st.sampled_from(keys))
    there, back = treatment(one, other), treatment(other, one)
    assert {said(e, there) for e in interactions(engine, there)} == {
        said(e, back) for e in interactions(engine, back)
    }
