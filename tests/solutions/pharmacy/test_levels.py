"""Levels: every rule with several levels has its cases, and the text of each edition is the one that was read."""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab39.core.text import Text
from lab39.solutions.pharmacy import levels, predicates, readings
from lab39.solutions.pharmacy.atoms import Dosed, Fact, Female, Formed, Indicated, Measured, Routed, Taken, Untold
from lab39.solutions.pharmacy.expressions import ExpressionError, compile_condition
from lab39.solutions.pharmacy.facts import facts
from lab39.solutions.pharmacy.model import (
    Level,
    LevelText,
    Line,
    Moiety,
    Need,
    Person,
    Posology,
    Product,
    Route,
    Rule,
    Thesaurus,
)
from lab39.solutions.pharmacy.needs import in_words
from lab39.solutions.pharmacy.predicates import Side
from lab39.solutions.pharmacy.thesaurus_pdf import read_pdf

EDITIONS = ("2020-10", "2023-09")
CASES = [
    rule
    for name in ("level_cases.toml", "scope_cases.toml")
    for rule in tomllib.loads(Path(__file__).with_name(name).read_text("utf-8"), parse_float=Decimal)["rule"]
]


@dataclass(frozen=True)
class Example:
    """One case of the file, in one edition."""

    pair: tuple[str, str]
    edition: str
    row: Mapping[str, Any]

    def __str__(self) -> str:
        known = ", ".join(
            f"{key}={value}" for key, value in self.row.items() if key not in ("level", "open", "asks")
        )
        return f"{self.edition} {self.pair[0][:24]} + {self.pair[1][:24]}: {known}"

    def side(self, letter: str) -> Side:
        row = self.row
        node = self.pair["ab".index(letter)]
        name = row.get(letter, node.lower())
        posology = Posology(*(_decimal(row.get(f"{letter}_{measure}")) for measure in ("intake", "day", "week")))
        line = Line(
            name,
            (Moiety(name, name),),
            route=Route(row[f"{letter}_route"]) if f"{letter}_route" in row else None,
            posology=posology,
            product=Product("", name, row[f"{letter}_form"], (), ()) if f"{letter}_form" in row else None,
            indications=frozenset(row[f"{letter}_for"]) if f"{letter}_for" in row else None,
        )
        nodes = frozenset({node, name.upper(), *row.get(f"{letter}_in", ())})
        return Side(name, node, nodes, line, "ab".index(letter))

    @property
    def person(self) -> Person:
        return Person(
            age_years=self.row.get("age"),
            sex=self.row.get("sex"),
            creatinine_clearance_ml_min=self.row.get("clearance"),
            facts=self.row.get("facts", {}),
        )

    @property
    def treatment(self) -> frozenset[str] | None:
        return frozenset(self.row["with"]) if "with" in self.row else None


def _decimal(value: Any) -> Decimal | None:
    return None if value is None else Decimal(value)


def examples() -> Iterator[Example]:
    for rule in CASES:
        pair = tuple(rule["pair"])
        for edition in rule["page"]:
            for row in rule["cases"]:
                if row.get("only", edition) == edition:
                    yield Example(pair, edition, row)


EXAMPLES = list(examples())


@dataclass(frozen=True)
class Edition:
    """The readings of one edition over rules without their printed text: that text is not ours to ship."""

    rules: Mapping[tuple[str, str], Rule]
    levels: levels.Levels


@pytest.fixture(scope="module")
def editions() -> Mapping[str, Edition]:
    found = {}
    for edition in EDITIONS:
        thesaurus, known = _without_text(edition)
        rules = {(rule.a, rule.b): rule for rule in thesaurus.rules}
        found[edition] = Edition(rules, levels.bind(thesaurus, known))
    return found


def _without_text(edition: str) -> tuple[Thesaurus, readings.Readings]:
    known = readings.readings()
    kept = [reading for reading in known.rules if edition in reading.pages]
    rules, read = [], []
    for number, reading in enumerate(kept):
        printed = sorted(reading.printed[0], key=lambda level: level.rank)
        rule = Rule(*reading.pair, tuple(LevelText(level, f"text {number}") for level in printed))
        rules.append(rule)
        read.append(dataclasses.replace(reading, texts={edition: (readings.fingerprint(rule),)}))
    names = set(_names_asked(read, known))
    thesaurus = Thesaurus(dt.date.fromisoformat(f"{edition}-01"), dict.fromkeys(names, ()), {}, tuple(rules))
    return thesaurus, dataclasses.replace(known, rules=tuple(read))


def _names_asked(read: list[readings.Reading], known: readings.Readings) -> Iterator[str]:
    texts = [branch.when for reading in read for branch in reading.branches] + [r.applies for r in read]
    texts += [named.true + named.false for named in known.named.values()]
    for call in re.findall(r"(?:among|taken)\(([^)]*(?:\([^)]*\)[^)]*)*)\)", " ".join(texts)):
        for single, double in re.findall(r"'([^']*)'|\"([^\"]*)\"", call):
            yield single or double
    for node in known.nodes:
        yield from node.members


def _resolved(example: Example, edition: Edition, *, turned: bool = False) -> levels.Outcome:
    a, b = example.side("a"), example.side("b")
    sides = (b, a) if turned else (a, b)
    return edition.levels.resolve(edition.rules[example.pair], *sides, example.person, example.treatment)


# -- the cases --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_golden_level_of_each_case_read_by_hand_in_the_official_pdf(example, editions):
    found = _resolved(example, editions[example.edition])
    row = example.row
    if "open" in row:
        assert not found.resolved
        assert [level.value for level in found.possible] == row["open"]
        assert found.level is found.possible[0]
        assert [need.token for need in found.needs] == row["asks"]
    elif row["level"] == "none":
        assert (found.level, found.resolved, found.applies, found.needs) == (None, True, False, ())
        assert found.because
    else:
        assert (found.level, found.resolved, found.applies) == (Level(row["level"]), True, True)
        assert (found.possible, found.needs) == ((found.level,), ())
        assert found.because


@pytest.mark.parametrize("edition", EDITIONS)
def test_every_rule_with_several_levels_has_a_case_for_each_of_them_and_one_where_data_is_missing(edition):
    for reading in readings.readings().rules:
        if edition not in reading.pages:
            continue
        mine = [e for e in EXAMPLES if e.edition == edition and e.pair == reading.pair]
        shown = {Level(e.row["level"]) for e in mine if e.row.get("level", "none") != "none"}
        elsewhere = {b.level for b in reading.branches if Untold in _atoms(b.when)}
        assert shown | elsewhere == {b.level for b in reading.branches}, reading.pair
        assert bool(reading.applies) <= ("none" in {e.row.get("level") for e in mine}), reading.pair
        asks = [e for e in mine if "open" in e.row and e.row["asks"] != [levels.NOT_COVERED]]
        assert asks or not _depends_on_data(reading), reading.pair


def _depends_on_data(reading: readings.Reading) -> bool:
    """Whether something beyond the two substances tells the level."""
    atoms = set().union(*map(_atoms, [reading.applies, *(branch.when for branch in reading.branches)]))
    return bool(atoms & {Dosed, Fact, Female, Formed, Indicated, Measured, Routed, Taken, Untold})


def _atoms(text: str) -> set[type[predicates.Condition]]:
    if not text:
        return set()
    condition = compile_condition(text, readings.readings().named, lambda name: frozenset((name,)))
    return {type(each) for each in predicates.walk(condition)}


def test_the_page_of_each_case_is_that_of_its_reading():
    for rule in CASES:
        for edition, page in rule["page"].items():
            found = [r for r in readings.readings().rules if r.pair == tuple(rule["pair"]) and edition in r.pages]
            assert [min(reading.pages[edition]) for reading in found] == [page], rule["pair"]


# -- what holds for every case ----------------------------------------------------------------------------


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_the_two_sides_may_come_in_either_order(example, editions):
    edition = editions[example.edition]
    assert _resolved(example, edition) == _resolved(example, edition, turned=True)


FACTS = sorted(facts().facts)


@st.composite
def more_data(draw) -> Mapping[str, Any]:
    """Anything that may come to be known of a case: doses that a day can hold, a route, facts, values."""
    row: dict[str, Any] = {}
    for letter in "ab":
        intake = draw(st.none() | st.sampled_from([10, 40, 75, 500, 1000]))
        times = draw(st.none() | st.sampled_from([1, 2, 4]))
        if intake is not None:
            row[f"{letter}_intake"] = intake
        if times is not None:
            row[f"{letter}_day"] = times * (intake or 75)
        row |= draw(
            st.just({}) | st.sampled_from(["oral", "intravenous"]).map(lambda r, k=letter: {f"{k}_route": r})
        )
    row["facts"] = draw(st.dictionaries(st.sampled_from(FACTS), st.booleans()))
    for name, values in (("age", [40, 64, 65, 80]), ("clearance", [25.0, 59.0, 75.0, 95.0])):
        row |= draw(st.just({}) | st.sampled_from(values).map(lambda v, k=name: {k: v}))
    row |= draw(st.just({}) | st.sampled_from([["CICLOSPORINE"], []]).map(lambda v: {"with": v}))
    return row


@given(example=st.sampled_from(EXAMPLES), more=more_data())
def test_more_data_never_changes_a_settled_level_and_only_narrows_an_open_one(editions, example, more):
    if any(key.startswith(f"{letter}_{what}") for letter in "ab" for what in ("intake", "day", "week")
           for key in example.row) or any(key.endswith("_for") for key in example.row):  # fmt: skip
        more = {key: value for key, value in more.items() if not key.endswith(("_intake", "_day"))}
    told = {**more, **example.row, "facts": {**_consistent(more["facts"]), **example.row.get("facts", {})}}
    before = _resolved(example, editions[example.edition])
    after = _resolved(dataclasses.replace(example, row=told), editions[example.edition])
    if before.resolved:
        assert (after.level, after.resolved) == (before.level, True)
    elif after.resolved:
        assert after.level in before.possible or (after.level is None and before.applies is None)
    else:
        assert set(after.possible) <= set(before.possible)


def _consistent(told: Mapping[str, bool]) -> Mapping[str, bool]:
    """Without facts that contradict what another brings."""
    brought = {also for token, value in told.items() if value for also in facts().facts[token].also}
    return {token: value for token, value in told.items() if value or token not in brought}


# -- what was not read ------------------------------------------------------------------------------------


def test_a_text_that_changed_is_not_settled_by_an_older_reading(editions):
    thesaurus, known = _without_text("2020-10")
    changed = [
        dataclasses.replace(r, levels=tuple(LevelText(t.level, "another text") for t in r.levels))
        for r in thesaurus.rules
    ]
    bound = levels.bind(dataclasses.replace(thesaurus, rules=tuple(changed)), known)
    several = [r for r in changed if len(r.levels) > 1]
    assert list(bound.unread) == several
    for rule in changed:
        if rule not in several and not _of_a_conditional_node(rule):
            sides = (Side(node, node, frozenset((node,))) for node in (rule.a, rule.b))
            assert bound.resolve(rule, *sides, Person()).possible == (rule.levels[0].level,)
    example = next(e for e in EXAMPLES if e.row.get("level") == "CI" and e.edition == "2020-10")
    rule = next(r for r in changed if (r.a, r.b) == example.pair)
    found = bound.resolve(rule, example.side("a"), example.side("b"), example.person)
    assert (found.level, found.resolved, found.needs) == (Level.CI, False, (Need(levels.NOT_READ),))
    assert found.possible == tuple(text.level for text in rule.levels)


def _of_a_conditional_node(rule: Rule) -> bool:
    return not {rule.a, rule.b}.isdisjoint(node.node for node in readings.readings().nodes)


def test_a_rule_printed_with_other_levels_over_the_same_text_is_not_settled():
    thesaurus, known = _without_text("2023-09")
    rule = next(r for r in thesaurus.rules if r.a == "AMIODARONE")
    graver = dataclasses.replace(rule, levels=(LevelText(Level.CI, rule.levels[0].conduct), rule.levels[1]))
    bound = levels.bind(dataclasses.replace(thesaurus, rules=(graver,)), known)
    assert bound.unread == (graver,)


def test_a_rule_of_two_classes_is_read_both_ways_when_each_medicine_is_of_both():
    rule = Rule("ALPHAS", "BETAS", (LevelText(Level.CI, "x"), LevelText(Level.PE, "y")))
    both, one = frozenset({"ALPHAS", "BETAS"}), frozenset({"BETAS"})
    branches = (
        readings.Branch(Level.CI, "a.among('GAMMADOL')", Text("gammadol", "gammadol")),
        readings.Branch(Level.PE, "", Text("un autre", "another")),
    )
    known = readings.Readings(
        (
            readings.Reading(
                ("ALPHAS", "BETAS"),
                {"2023-09": (1,)},
                {"2023-09": (readings.fingerprint(rule),)},
                "",
                Text("", ""),
                branches,
                (frozenset({Level.CI, Level.PE}),),
            ),
        ),
        (),
        {},
    )
    bound = levels.bind(Thesaurus(dt.date(2023, 9, 1), {"GAMMADOL": (), "DELTAMINE": ()}, {}, (rule,)), known)

    def level(gammadol: frozenset[str], deltamine: frozenset[str], node: str) -> set[Level | None]:
        one = Side("gammadol", node, gammadol | {"GAMMADOL"})
        other = Side("deltamine", "BETAS" if node == "ALPHAS" else "ALPHAS", deltamine | {"DELTAMINE"})
        return {bound.resolve(rule, *sides, Person()).level for sides in ((one, other), (other, one))}

    assert level(both, both, "ALPHAS") == level(both, both, "BETAS") == {Level.CI}
    assert level(both, one, "ALPHAS") == {Level.CI}
    assert level(one, both, "BETAS") == {Level.PE}


def test_a_rule_with_one_level_and_no_condition_needs_nothing():
    rule = Rule("ALPHAMINE", "GAMMADOL", (LevelText(Level.AD, "À éviter."),))
    bound = levels.bind(Thesaurus(dt.date(2023, 9, 1), {}, {}, (rule,)))
    found = bound.plain(rule)
    assert found is not None
    assert found == bound.resolve(rule, *(Side(n, n, frozenset((n,))) for n in ("ALPHAMINE", "GAMMADOL")), Person())
    assert (found.level, found.resolved, found.possible) == (Level.AD, True, (Level.AD,))


def test_readings_kept_as_json_are_the_same(tmp_path):
    readings.write(tmp_path / "readings.json")
    assert readings.load(tmp_path / "readings.json") == readings.readings()
    assert re.fullmatch(r"[0-9a-f]{16}", readings.digest())


def test_the_fingerprint_leaves_print_out_and_keeps_words():
    def rule(*conducts: str, mechanism: str = "Risque accru.") -> Rule:
        return Rule("A", "B", tuple(LevelText(Level.CI, text) for text in conducts), mechanism)

    one = readings.fingerprint(rule("Contre-indication :\n- à dose élevée", "Précaution d'emploi : autres doses"))
    assert one == readings.fingerprint(rule(" - À DOSE  ELEVEE Autres doses."))
    assert one != readings.fingerprint(rule("- à dose faible", "autres doses"))
    assert re.fullmatch(r"[0-9a-f]{8}", one)


# -- the knowledge files ----------------------------------------------------------------------------------


def test_tokens_asked_are_all_in_the_table_of_facts_and_all_have_words():
    known = readings.readings()
    texts = [branch.when for reading in known.rules for branch in reading.branches]
    texts += [reading.applies for reading in known.rules]
    for named in known.named.values():
        texts += [text.replace("x.", "a.").replace("(x)", "(a)") for text in (named.true, named.false)]
    seen = [compile_condition(text, known.named, lambda name: frozenset((name,))) for text in texts if text]
    atoms = [atom for condition in seen for atom in predicates.walk(condition)]
    assert {atom.token for atom in atoms if isinstance(atom, Fact)} <= set(facts().facts)
    assert {t for atom in atoms if isinstance(atom, Indicated) for t in atom.tokens} <= set(facts().indications)
    asked = {token for example in EXAMPLES for token in example.row.get("asks", ())}
    for token in asked:
        said = in_words(Need(token))
        assert said.fr != token
        assert said.fr != said.en
        assert not said.fr[0].isupper() or said.fr[1].isupper()
        assert not said.fr.endswith(".")


def test_questions_are_put_in_words():
    told = {
        "dose-per-day:acide acetylsalicylique": (
            "dose quotidienne d'acide acétylsalicylique",
            "daily dose of aspirin",
        ),
        "fact:peptic-ulcer-history": ("antécédent d'ulcère gastro-duodénal", "history of peptic ulcer"),
        "route:verapamil": ("voie d'administration de vérapamil", "route of verapamil"),
        "taken:CICLOSPORINE": ("prise de ciclosporine", "whether ciclosporin is taken"),
    }
    assert {token: (in_words(Need(token)).fr, in_words(Need(token)).en) for token in told} == told


@pytest.mark.parametrize(
    "text",
    [
        "a.per_day_mg > 'x'",
        "open('/etc/passwd')",
        "a.dose > 3",
        "c.among('X')",
        "a.among()",
        "1 < 2",
        "a.route('x')",
    ],
)
def test_an_expression_outside_the_grammar_is_refused_by_name(text):
    with pytest.raises(ExpressionError, match=re.escape(text[:6])):
        compile_condition(text, {}, lambda name: frozenset((name,)))


# -- the official editions --------------------------------------------------------------------------------


@pytest.fixture(scope="module", params=["thesaurus_2020-10.pdf", "20230915-*septembre-2023.pdf"])
def official(request, shared) -> Thesaurus:
    """An edition of the thesaurus as the ANSM publishes it."""
    found = sorted((shared / "pharmacy/ansm").glob(request.param))
    if not found:
        pytest.skip(f"no {request.param} in the folder of real data")
    return read_pdf(next(path for path in found if "differentiel" not in path.name))


def test_every_rule_with_several_levels_of_an_official_edition_is_read(official):
    bound = levels.bind(official)
    assert [(rule.a, rule.b) for rule in bound.unread] == []
    several = [rule for rule in official.rules if len(rule.levels) > 1]
    assert len(several) >= 60
    read = {reading.pair for rule in official.rules if (reading := bound.reading(rule)) is not None}
    assert read == {r.pair for r in readings.readings().rules if bound.edition in r.pages}


def test_readings_name_only_what_an_official_edition_prints(official):
    bound = levels.bind(official)
    excused = {(name, r.pair) for r in readings.readings().rules for name in r.unprinted}
    assert set(bound.missing) - excused == set()


def test_pages_of_readings_are_those_of_an_official_edition(official):
    bound = levels.bind(official)
    for rule in official.rules:
        reading = bound.reading(rule)
        if reading is not None:
            assert rule.page in reading.pages[bound.edition], (rule.a, rule.b, rule.page)


def test_golden_cases_hold_on_the_official_edition_and_its_own_classes(official):
    bound = levels.bind(official)
    rules = {frozenset((readings.folded(r.a), readings.folded(r.b))): r for r in official.rules}
    nodes = {readings.folded(name): name for rule in official.rules for name in (rule.a, rule.b)}
    names = {readings.folded(name): name for name in official.substances}
    strangers = []
    for example in EXAMPLES:
        if example.edition != bound.edition:
            continue
        sides = []
        for side in map(example.side, "ab"):
            name = readings.folded(side.name)
            classes = {nodes.get(readings.folded(c), c) for c in official.substances.get(names.get(name, ""), ())}
            node = nodes[readings.folded(side.node)]
            if (
                node not in classes
                and node != nodes.get(name)
                and not node.startswith(("AUTRES ", "MÉDICAMENTS ADM"))
            ):
                strangers.append((side.name, node))
            own = frozenset({nodes.get(name, ""), names.get(name, ""), node, *classes})
            sides.append(dataclasses.replace(side, node=node, nodes=own))
        rule = rules[frozenset(map(readings.folded, example.pair))]
        found = bound.resolve(rule, *sides, example.person, example.treatment)
        expected = [Level(level) for level in example.row.get("open", ())]
        if not expected and example.row["level"] != "none":
            expected = [Level(example.row["level"])]
        assert list(found.possible) == expected, str(example)
    assert strangers == []


def test_levels_of_an_official_edition_do_not_depend_on_the_order_of_two_medicines(official):
    bound = levels.bind(official)
    members: dict[str, list[str]] = {}
    for name, classes in official.substances.items():
        for node in (name, *classes):
            members.setdefault(readings.folded(node), []).append(name)
    sides = {name: frozenset({name, *classes}) for name, classes in official.substances.items()}
    looked = 0
    for rule in official.rules:
        if bound.plain(rule) is not None:
            continue
        ones = members.get(readings.folded(rule.a), ())[:12]
        others = members.get(readings.folded(rule.b).removeprefix("autres"), ())[-12:]
        for one in ones:
            for other in others:
                a, b = Side(one, rule.a, sides[one], None, 0), Side(other, rule.b, sides[other], None, 1)
                assert bound.resolve(rule, a, b, Person()) == bound.resolve(rule, b, a, Person()), (one, other)
                looked += 1
    assert looked > 1000
