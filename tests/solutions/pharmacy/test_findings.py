"""From interactions to findings: one card a problem, the gravest first; what is missing is asked, never guessed."""

from __future__ import annotations

import json
import re
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.solutions.pharmacy.treatments import DAY, medicine, observation, opened, record, reviewed

from lab39.core.finding import SUMMARY_MAX, Severity, When, jsonable
from lab39.fhir import outputs
from lab39.solutions.pharmacy import starter
from lab39.solutions.pharmacy.cards import Tier, cards
from lab39.solutions.pharmacy.problems import ALONE, problem_of, problems
from lab39.solutions.pharmacy.review import findings, review
from lab39.solutions.pharmacy.solution import Pharmacy
from lab39.solutions.pharmacy.starter_catalogue import starter_catalogue


def told(*medicines, about=frozenset(), **more):
    return {f.code: f for f in findings(reviewed(*medicines, **more), about)}


def test_rules_of_one_problem_share_one_card_that_names_the_gravest_pair_first():
    found = told("apixaban", "ibuprofène", "sertraline", "tramadol")
    card = found["interaction.bleeding"]
    assert card.summary.fr.startswith("Apixaban avec ibuprofène\u202f: association déconseillée (saignement)")
    pairs = [reason.text.fr.split("\u202f:")[0] for reason in card.reasons]
    assert pairs[0] == "Apixaban + ibuprofène"
    assert set(pairs[1:]) >= {"Apixaban + sertraline", "Apixaban + tramadol", "Ibuprofène + sertraline"}
    assert (card.severity, card.when) == (Severity.WARNING, When.TODAY)


def test_a_contraindication_is_for_today_and_critical():
    found = told("warfarine", "miconazole")
    card = found["interaction.bleeding"]
    assert (card.severity, card.when) == (Severity.CRITICAL, When.TODAY)
    assert "contre-indiqué" in card.summary.fr
    assert "contraindicated" in card.summary.en


def test_a_level_that_depends_on_the_dose_is_asked_and_never_told_as_certain():
    found = told("apixaban", "aspirine", "ibuprofène")
    card = found["interaction-open.bleeding"]
    assert "peut-être contre-indiqué" in card.summary.fr
    assert card.severity is not Severity.CRITICAL
    assert card.missing
    assert "Apixaban avec ibuprofène" in found["interaction.bleeding"].summary.fr, "a question hides no answer"


def test_a_record_without_medicines_says_that_nothing_was_looked_for():
    (only,) = Pharmacy().assess(record(), DAY, SimpleNamespace(about=frozenset()))
    assert (only.code, only.severity) == ("no-treatment", Severity.INFO)
    assert [m.code for m in only.missing] == ["medications"]
    ordered = SimpleNamespace(about=frozenset({"MedicationRequest/1"}))
    assert list(Pharmacy().assess(record(), DAY, ordered)) == []


def test_every_rule_and_code_has_a_name_that_all_solutions_can_share():
    name = re.compile(r"[a-z0-9]+([.-][a-z0-9]+)*")
    for found in (told("apixaban", "ibuprofène", "sertraline", "tramadol"), told("paracétamol", "bisoprolol")):
        for code, each in found.items():
            assert name.fullmatch(code)
            assert all(name.fullmatch(r.rule) and r.rule.startswith("pharmacy.") for r in each.reasons)


def test_what_is_only_to_be_known_stands_in_one_passive_card():
    found = told("hydrochlorothiazide", "sertraline", "bisoprolol", "ibuprofène")
    card = found["interactions-to-know"]
    assert (card.severity, card.when) == (Severity.INFO, When.NEXT_VISIT)
    assert {"Hydrochlorothiazide + sertraline", "Bisoprolol + ibuprofène"} <= {
        reason.text.fr.split("\u202f:")[0] for reason in card.reasons
    }


def test_a_rule_that_warns_for_old_people_is_told_apart_for_them_only():
    old = told("tramadol", "apixaban", born="1940-01-01")
    young = told("tramadol", "apixaban", born="1990-01-01")
    unknown = told("tramadol", "apixaban", born="")
    assert "interaction.bleeding" in old
    assert "interaction.bleeding" not in young
    assert "interaction.bleeding" not in unknown, "an unknown age is not an old one"
    assert "personnes âgées" in old["interaction.bleeding"].reasons[0].text.fr


def test_the_value_that_a_conduct_looks_at_is_shown_with_its_date_or_asked():
    asked = told("ibuprofène", "ramipril")["interaction.kidney"]
    assert [m.code for m in asked.missing] == ["14682-9"]
    known = told("ibuprofène", "ramipril", more=(observation("14682-9", 118, "umol/L"),))["interaction.kidney"]
    assert known.missing == ()
    shown = [i for reason in known.reasons for i in reason.inputs if i.name.fr == "créatinine"]
    assert [(i.value.fr, i.date) for i in shown] == [("118\u202fµmol/L", "2026-11-20")]


def test_each_reason_has_the_page_of_the_official_document_and_the_medicines_as_written():
    card = told("apixaban 5 mg matin et soir", "ibuprofène 400 mg")["interaction.bleeding"]
    first = card.reasons[0]
    assert (first.source.place, first.source.date, first.source.verified) == ("p. 21", "2023-09", True)
    assert [i.value.fr for i in first.inputs[:2]] == ["apixaban 5 mg matin et soir", "ibuprofène 400 mg"]
    assert card.focus == ("MedicationStatement/m0", "MedicationStatement/m1")


def test_only_what_concerns_the_orders_in_question_is_told():
    everything = told("tramadol", "zolpidem", "apixaban", "ibuprofène")
    new = told("tramadol", "zolpidem", "apixaban", "ibuprofène", about=frozenset({"MedicationStatement/m3"}))
    assert "interaction.breathing" in everything
    assert "interaction.breathing" not in new
    pairs = [reason.text.fr for f in new.values() for reason in f.reasons]
    assert all("buprofène" in pair for pair in pairs)


def test_a_name_that_is_not_understood_is_told_and_the_others_are_checked_all_the_same():
    found = told("apixaban", "ibuprofène", "X de sodium", "💊")
    doubt = found["names-not-understood"]
    assert doubt.not_evaluated
    assert [m.name.fr for m in doubt.missing] == ["X de sodium", "💊"]
    assert "interaction.bleeding" in found


def test_the_same_substance_on_two_lines_is_a_duplicate_and_no_interaction():
    found = told("ibuprofène 200 mg", "ibuprofène 400 mg")
    assert "duplicate.ibuprofene" in found
    assert not [code for code in found if code.startswith("interaction")]


def test_a_stopped_medicine_a_plan_and_one_that_ended_do_not_count():
    stopped = medicine(1, "ibuprofène", status="stopped")
    ended = medicine(2, "kétoprofène", effectivePeriod={"start": "2026-01-01", "end": "2026-02-01"})
    plan = medicine(3, "naproxène", resourceType="MedicationRequest", intent="plan")
    assert not [code for code in told("apixaban", stopped, ended, plan) if code.startswith("interaction")]


def test_a_code_and_a_name_of_two_medicines_are_asked():
    row = medicine(0, "ibuprofène")
    row["medicationCodeableConcept"]["coding"] = [{"system": "http://www.whocc.no/atc", "code": "B01AF02"}]
    found = told(row, "sertraline")
    assert found["names-not-understood"].missing[0].name.fr == "ibuprofène"


def test_without_a_thesaurus_every_answer_says_that_the_table_is_small():
    doubt = told("apixaban", "ibuprofène")["partial-table"]
    assert "lab39 data install ansm" in doubt.missing[0].consequence.fr


def test_a_dose_of_the_record_settles_the_level_or_the_need_of_it():
    row = medicine(
        1,
        "aspirine",
        dosage=[{"doseAndRate": [{"doseQuantity": {"value": 75, "unit": "mg", "code": "mg"}}],
                 "timing": {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d"}}}],
    )  # fmt: skip
    line = reviewed("apixaban", row).lines[1]
    assert (line.posology.per_intake_mg, line.posology.per_day_mg) == (75, 75)
    weekly = medicine(
        1,
        "méthotrexate",
        dosage=[{"doseAndRate": [{"doseQuantity": {"value": 10, "unit": "mg", "code": "mg"}}],
                 "timing": {"repeat": {"frequency": 1, "period": 1, "periodUnit": "wk"}}}],
    )  # fmt: skip
    line = reviewed("apixaban", weekly).lines[1]
    assert (line.posology.per_week_mg, line.posology.per_day_mg) == (10, None)


def test_the_resource_is_a_valid_detected_issue_with_the_level_as_a_code():
    for finding in findings(reviewed("warfarine", "miconazole", "ibuprofène")):
        resource = Pharmacy().to_fhir(finding, "Patient/p1", "fr")
        if resource is None:
            continue
        outputs.validate(resource)
        level = next(c for c in resource["code"]["coding"] if c["system"].endswith("ansm-level"))
        assert {"CI": "high", "AD": "high", "PE": "moderate", "APEC": "low"}[level["code"]] == resource["severity"]


def test_every_rule_of_the_small_table_has_a_problem_or_stands_alone_and_every_problem_has_its_words():
    assert {p.id for p in problems()} >= {"bleeding", "kidney", "torsades", "serotonin"}
    assert problem_of("Risque hémorragique accru.").id == "bleeding"
    assert problem_of("Effet du spinraza") is ALONE, "« inr » inside a word is no INR"
    assert problem_of("commencer par un hypokaliémiant") is ALONE, "a class of drugs is not the harm"
    assert [r for r in starter.thesaurus().rules if problem_of(r.mechanism) is ALONE] != []


NAMES = sorted(name for name in starter.thesaurus().substances if starter_catalogue().moiety(name) is not None)


@given(st.lists(st.sampled_from(NAMES), min_size=1, max_size=12, unique=True))
def test_every_treatment_gives_findings_that_every_face_can_show(chosen):
    found = list(findings(review(record(*chosen), DAY, opened())))
    for finding in found:
        assert all(0 < len(finding.summary[lang]) < SUMMARY_MAX for lang in ("fr", "en"))
        json.dumps(jsonable(finding.as_dict()), allow_nan=False)
    codes = [f.code for f in found]
    assert len(codes) == len(set(codes)), "one card a problem"


@given(st.lists(st.sampled_from(NAMES), min_size=2, max_size=10, unique=True), st.randoms())
def test_the_order_of_the_lines_changes_nothing_that_is_told(chosen, random):
    shuffled = list(chosen)
    random.shuffle(shuffled)
    ours = cards(reviewed(*chosen).checked.interactions, reviewed(*chosen).person)
    theirs = cards(reviewed(*shuffled).checked.interactions, reviewed(*shuffled).person)
    assert [(c.problem.id, c.tier, len(c.interactions)) for c in ours] == [
        (c.problem.id, c.tier, len(c.interactions)) for c in theirs
    ]


@given(st.lists(st.sampled_from(NAMES), min_size=2, max_size=10, unique=True))
def test_no_interaction_is_lost_between_the_engine_and_the_cards(chosen):
    found = reviewed(*chosen)
    inside = {
        (i.rule.mechanism, frozenset((i.a.name, i.b.name)), i.level)
        for card in cards(found.checked.interactions, found.person)
        for i in card.interactions
    }
    engine = {(i.rule.mechanism, frozenset((i.a.name, i.b.name)), i.level) for i in found.checked.interactions}
    assert inside == engine


def test_the_tiers_are_read_in_order():
    assert Tier.ACT < Tier.WATCH < Tier.PASSIVE
    with pytest.raises(ValueError, match="4"):
        Tier(4)
