"""The tables of reactions hold together: names lead somewhere, texts are whole, rows have a source."""

from __future__ import annotations

import re
import tomllib
from importlib.resources import files

import pytest

from lab39.core.finding import SUMMARY_MAX
from lab39.core.text import Text
from lab39.solutions.signals import saying
from lab39.solutions.signals.complaining import Sign
from lab39.solutions.signals.knowing import Knowledge, Reaction, knowledge
from lab39.solutions.signals.matching import Suspect, Suspicion, Timing
from lab39.solutions.signals.taking import Taken

KNOWN: Knowledge = knowledge()
FOLDER = files("lab39.solutions.signals").joinpath("knowledge")
TABLES = [
    FOLDER.joinpath("complaints.toml"),
    *sorted(FOLDER.joinpath("reactions").iterdir(), key=lambda each: each.name),
]
reactions = pytest.mark.parametrize("reaction", KNOWN.reactions.values(), ids=KNOWN.reactions)


@reactions
def test_every_complaint_of_a_reaction_is_known(reaction: Reaction):
    named = frozenset().union(*reaction.needs) | reaction.alarms | reaction.emergencies | reaction.lone
    assert named <= set(KNOWN.complaints)
    assert reaction.emergencies <= reaction.alarms


@reactions
def test_a_reaction_has_a_source_that_was_opened_causes_and_levels_that_can_be_reached(reaction: Reaction):
    assert reaction.source.verified
    assert KNOWN.causes[reaction.id]
    bases = {"plain", "alarm", "emergency", "unknown", "lone", "over", "over-alarm"}
    bases |= {f"{b}-new" for b in ("plain", "alarm", "emergency")}
    assert ("lone" in reaction.levels) is bool(reaction.lone)
    assert reaction.lone or not any(pair.lone for pair in KNOWN.causes[reaction.id])
    assert {"plain"} <= set(reaction.levels) <= bases
    assert {level for step in reaction.steps for level in step.levels} <= set(reaction.levels)
    assert reaction.days is None or list(reaction.days) == sorted(reaction.days)


@reactions
def test_every_sentence_fits_and_is_filled(reaction: Reaction):
    sign = Sign("fever", Text("température 38,6 °C", "temperature 38.6 °C"), None, "Condition/x")
    long = "amoxicilline avec acide clavulanique"
    medicine = Taken(("X",), Text(long, long), f"l'{long}", long, None, None, False, ("M/x",))
    suspect = Suspect(medicine, KNOWN.causes[reaction.id][0], Timing.USUAL, (300, 331))
    for name, level in reaction.levels.items():
        found = Suspicion(reaction, name, (sign, sign), (suspect,))
        said = saying._summary(found, level.summary)
        for lang in ("fr", "en"):
            assert len(said[lang]) < SUMMARY_MAX
            assert not re.search(r"[{}…]", said[lang]), said[lang]
        for step in reaction.steps:
            assert "{" not in saying.filled(step.say, found).fr


NEVER_ABRUPTLY = ("B01A", "C07", "H02", "N02A", "N03", "N05B", "N05C", "N06A", "N07BC")
"""Anticoagulants and antiplatelets, beta-blockers, corticosteroids, opioids, antiepileptics, anxiolytics,
hypnotics, antidepressants, opioid substitution: stopped abruptly and alone they harm."""
STOPS = re.compile(
    r"\b(?:arrêter|suspendre|ne plus|ne rien reprendre|ne pas (?:prendre|reprendre))\b", re.IGNORECASE
)
SENDS = re.compile(r"\b(?:médecin|médical|prescripteur|hospitali\w+|hôpital|orienter|le 15|sans avis|soi-même)\b")


@reactions
def test_what_harms_when_stopped_abruptly_is_never_stopped_without_a_physician(reaction: Reaction):
    codes = [code for pair in KNOWN.causes[reaction.id] if pair.source.verified for code in pair.atc]
    if not any(code.startswith(NEVER_ABRUPTLY) for code in codes):
        return
    for level in reaction.levels.values():
        said = level.summary.fr
        assert not STOPS.search(said) or SENDS.search(said), said
    for step in reaction.steps:
        sent = all(SENDS.search(reaction.levels[name].summary.fr) for name in step.levels)
        assert not STOPS.search(step.say.fr) or SENDS.search(step.say.fr) or sent, step.say.fr


def test_no_two_pairs_of_a_reaction_share_an_id():
    names = [(pair.reaction, pair.id) for pair in KNOWN.pairs]
    assert len(names) == len(set(names))
    assert {pair.reaction for pair in KNOWN.pairs} == set(KNOWN.reactions)


def test_a_source_never_opened_is_never_verified():
    table = tomllib.loads(FOLDER.joinpath("reaction_sources.toml").read_text("utf-8"))
    cited = {p.source.document for p in KNOWN.pairs} | {r.source.document for r in KNOWN.reactions.values()}
    assert {row["document"] for row in table.values()} >= cited
    for row in table.values():
        assert (row["opened"] == "never") == (not row["url"])
    unread = {(pair.reaction, pair.id) for pair in KNOWN.pairs if not pair.source.verified}
    assert unread == {("anticholinergic", "other-phenothiazines")}


@pytest.mark.parametrize("table", TABLES, ids=lambda each: each.name)
def test_french_texts_have_narrow_spaces_and_no_exclamation(table):
    said = re.findall(r'fr = "((?:[^"\\]|\\.)*)"', table.read_text("utf-8"))
    assert said
    assert [text for text in said if re.search(r" [:;!?»%]|« |!", text)] == []


def test_atc_codes_and_icd_10_are_written_as_such():
    codes = [code for pair in KNOWN.pairs for code in (*pair.atc, *pair.unless)]
    assert [code for code in codes if not re.fullmatch(r"[A-V](\d\d([A-Z]([A-Z](\d\d)?)?)?)?", code)] == []
    icd = [code for each in KNOWN.complaints.values() for code in each.icd10]
    assert [code for code in icd if not re.fullmatch(r"[A-Z]\d\d(\.\d)?", code)] == []


def test_a_substance_has_the_code_that_the_who_gives_it_now():
    """Codes easily mistaken: B01AA02 is phenindione; gabapentinoids left N03AX in 2023, records hold both."""
    named = {code: KNOWN.substances[code].name.en for code in ("B01AA12", "N02BF01", "N02BF02", "N03AX12")}
    assert list(named.values()) == ["fluindione", "gabapentin", "pregabalin", "gabapentin"]
    assert "B01AA02" not in KNOWN.substances


def test_every_substance_has_its_article():
    for each in KNOWN.substances.values():
        vowel = re.match(r"[aeéèiouyh]", each.name.fr) is not None
        assert (each.the == "l'") is vowel or each.name.fr.startswith("h"), each.name.fr
        assert each.the in ("l'", "le ", "la ")
