"""What goes with a dose that is due: blood tests, rules that nobody could verify, the rule in words under “why”."""

from __future__ import annotations

import datetime as dt

import pytest
from tests.solutions.vaccination.french import person
from tests.solutions.vaccination.records import PERSON, SNOMED, condition, record

from lab39.core.finding import Finding, Reason
from lab39.solutions.vaccination import findings, remarks, run, told
from lab39.solutions.vaccination.checks import judge
from lab39.solutions.vaccination.codes import NO_MAPS
from lab39.solutions.vaccination.counter import Counter
from lab39.solutions.vaccination.explaining import explained
from lab39.solutions.vaccination.france import open_france

ON = dt.date(2026, 11, 24)
FRANCE = open_france()


def beside(born: str, *history: str, observed: tuple[tuple[str, str], ...] = ()) -> list[str]:
    someone = person(FRANCE, born, "F", *history, observed=observed)
    return [each.fr for each in remarks.beside(FRANCE, someone, run(FRANCE, someone, ON))]


def told_by_the_card(born: str, rule: str) -> tuple[findings.Assessed, Finding, Reason]:
    """What is found of a woman without any vaccine, her card, and what it says of a rule."""
    found = findings.assessed(record(person=PERSON | {"birthDate": born}), FRANCE, ON, NO_MAPS)
    assert isinstance(found, findings.Assessed)
    [card] = findings.findings(found)
    [reason] = [each for each in card.reasons if each.rule == f"vaccination.france.{rule}"]
    return found, card, reason


@pytest.mark.parametrize(
    ("born", "history", "told_to"),
    [
        ("1996-05-01", (), ["dtcap-none-known"]),
        ("1996-05-01", ("2014-05-01:Revaxis",), []),
        ("2008-11-24", (), ["dtcap-none-known"]),
        ("2008-11-25", (), ["dtcap-none-known-14-17"]),
        ("2012-11-24", (), ["dtcap-none-known-14-17"]),
        ("2012-11-24", ("2024-11-24:Repevax",), ["dtcap-few-known-14-17"]),
        ("2012-11-24", ("2013-01-24:Infanrix Hexa", "2024-11-24:Repevax"), ["dtcap-few-known-14-17"]),
        ("2012-11-24", ("2013-01-24:Infanrix Hexa", "2013-03-24:Infanrix Hexa", "2024-11-24:Repevax"), []),
        ("2012-11-25", (), ["dtcap-never-6-13"]),
        ("2020-11-24", (), ["dtcap-never-6-13"]),
        ("2020-11-25", (), []),
    ],
)
def test_a_rule_that_is_only_told_is_told_to_those_it_is_for_and_to_nobody_else(
    born: str, history: tuple[str, ...], told_to: list[str]
) -> None:
    someone = person(FRANCE, born, "F", *history)
    assert [rule.id for rule in remarks.unread(FRANCE, someone, ON)] == told_to


def test_who_began_at_13_and_turns_14_is_not_left_without_a_word() -> None:
    begun = person(FRANCE, "2012-12-27", "M", "2026-11-20:Tetravac-acellulaire")
    (due_,) = [each for each in run(FRANCE, begun, ON, ["DTCaPolio"]).groups if each.number == 2]
    assert due_.series[0].series.rule == "dtcap-resumed"
    told_to = [rule.id for rule in remarks.unread(FRANCE, begun, dt.date(2027, 1, 28))]
    assert told_to == ["dtcap-few-known-14-17"]
    never = person(
        FRANCE, "2012-12-27", "M", "2026-11-20:Tetravac-acellulaire", observed=(("never-vaccinated", ""),)
    )
    after = run(FRANCE, never, dt.date(2027, 1, 28), ["dTcaPolio"]).groups
    assert [each.number for each in after if each.series[0].series.rule == "dtcap-never-14-17"] == [2]
    assert remarks.unread(FRANCE, never, dt.date(2027, 1, 28)) == ()


def test_a_rule_that_is_not_verified_needs_the_situation_it_is_for() -> None:
    ill = person(
        FRANCE, "1980-05-01", "F", "2014-05-01:Revaxis", observed=(("reunion-resident", ""), ("diabetes", ""))
    )
    well = person(FRANCE, "1980-05-01", "F", "2014-05-01:Revaxis", observed=(("reunion-resident", ""),))
    assert [rule.id for rule in remarks.unread(FRANCE, ill, ON)] == ["chikungunya-resident"]
    assert remarks.unread(FRANCE, well, ON) == ()


def test_the_card_tells_it_with_a_source_marked_unverified_and_asks_for_nothing_more() -> None:
    found, card, reason = told_by_the_card("2014-05-01", "dtcap-never-6-13")
    assert reason.source.verified is False
    assert "ce n'est pas un conseil" in reason.text.fr
    assert "dtcap-never-6-13" not in str(card.payload)
    assert [row["rule"] for row in told.unverified(FRANCE, found.patient, ON)] == ["dtcap-never-6-13"]


def test_an_unknown_status_asks_for_serology_before_hepatitis_b_and_tetanus_antibodies_after() -> None:
    lines = beside("1996-05-01", "2014-05-01:Revaxis", observed=(("vaccination-unknown", ""),))
    assert lines == [
        "Rappel diphtérie, tétanos, coqueluche, polio\u202f: Contrôle entre 4 semaines et 8 semaines après la dose"
        "\u202f: anticorps antitétaniques.",
        "Hépatite B\u202f: Sérologie avant\u202f: antigène HBs, anticorps anti-HBs, anticorps anti-HBc. "
        "Contrôle entre 4 semaines et 8 semaines après la dose\u202f: anticorps anti-HBs.",
    ]


def test_a_dose_without_blood_test_says_nothing() -> None:
    assert beside("1981-05-01", "2006-05-10:Repevax") == []


def test_why_tells_the_rule_in_words_with_its_sources_once() -> None:
    someone = person(FRANCE, "1980-05-01", "F", observed=(("immunosuppression", ""),))
    [zoster] = run(FRANCE, someone, ON, ["ZOSTER"]).groups
    [series, whole] = explained(zoster, FRANCE)
    title, sources, note = (each.fr for each in series.rule)
    assert title == FRANCE.rules["zoster-immunosuppressed"].title.fr
    assert "(avril 2024), 18 ans et plus, immunodéprimés" in sources
    assert sources.endswith("(page officielle lue)")
    assert note == "Si possible terminé 14 jours avant le traitement."
    assert whole.rule == ()
    [mmr] = run(FRANCE, someone, ON, ["MMR"]).groups
    assert [bool(each.rule) for each in explained(mmr, FRANCE)] == [True, False, False, False]


def test_every_blood_test_has_words_in_both_languages() -> None:
    from lab39.solutions.vaccination import words

    named = {test for rule in FRANCE.rules.values() for test in rule.tests}
    named |= {rule.control[0] for rule in FRANCE.rules.values() if rule.control}
    assert named
    assert all(words.known("test", each) for each in named)


def test_the_counter_warns_of_the_serology_that_comes_before_the_dose() -> None:
    liver = person(FRANCE, "1970-05-01", "M", "2016-05-10:Repevax", observed=(("chronic-liver-disease", ""),))
    found = findings.Assessed(record(), FRANCE, liver, (), run(FRANCE, liver, ON))
    said = {each.says.fr: each.level for each in judge(Counter(vaccine="Avaxim 160"), found, ()).checks}
    assert said["Sérologie avant\u202f: hépatite A."] == "warn"
    booster = judge(Counter(vaccine="Prevenar 20"), found, ()).checks
    assert not [each for each in booster if "rologie" in each.says.fr]


def test_what_decides_between_two_strengths_is_told_with_the_dose() -> None:
    lines = beside("2026-09-01")
    assert "VRS (bronchiolite)\u202f: Selon le poids\u202f: 50 mg sous 5 kg, 100 mg dès 5 kg." in lines


def test_an_adult_without_any_known_dose_is_told_the_two_ways_on_whose_word() -> None:
    found, _, reason = told_by_the_card("1996-05-01", "dtcap-none-known")
    assert reason.source.verified is True
    assert "two doses 2 months apart, a third 8 to 12 months later" in reason.text.en
    assert "Santé publique France" in reason.text.fr
    assert "ce n'est pas un conseil" not in reason.text.fr
    assert told.unverified(FRANCE, found.patient, ON) == []
    said = told.due_dict(found.result, found.patient, FRANCE)
    assert [row["rule"] for row in said["to_know"]] == ["dtcap-none-known"]


def test_from_14_to_17_the_deduced_series_is_told_as_such_and_a_lost_record_gets_no_advice() -> None:
    found, _, reason = told_by_the_card("2010-05-01", "dtcap-none-known-14-17")
    assert reason.source.verified is True
    assert "two doses 2 months apart, a third 8 to 12 months later" in reason.text.en
    assert "no text that was read says what follows at this age" in reason.text.en
    assert told.unverified(FRANCE, found.patient, ON) == []
    assert remarks.told(FRANCE.rules["dtcap-never-14-17"])[1].en.endswith("(deduced from rules read)")


def test_a_deduced_rule_is_told_as_such_with_the_dose_it_asks_for() -> None:
    never = beside("2010-05-01", observed=(("never-vaccinated", ""),))
    (line,) = [each for each in never if each.startswith("Rappel diphtérie")]
    assert "\u202f: Déduit de règles lues\u202f: " in line
    assert FRANCE.rules["dtcap-never-14-17"].title.fr in line
    assert not any("Déduit" in each for each in beside("1996-05-01", observed=(("never-vaccinated", ""),)))


@pytest.mark.parametrize("born", ["1996-05-01", "2010-05-01"])
@pytest.mark.parametrize("status", ["never-vaccinated", "vaccination-unknown"])
def test_once_it_is_stated_nothing_is_asked_any_more(status: str, born: str) -> None:
    someone = person(FRANCE, born, "F", observed=((status, ""),))
    assert remarks.unread(FRANCE, someone, ON) == ()


def stated(system: str, code: str) -> list[str]:
    """What a record with this condition is told besides."""
    ill = condition(system, code)
    someone = {"resourceType": "Patient", "id": "p", "birthDate": "1970-05-01", "gender": "female"}
    found = findings.assessed(record(ill, person=someone), FRANCE, ON, NO_MAPS)
    assert isinstance(found, findings.Assessed)
    return [rule.id for rule in remarks.unread(FRANCE, found.patient, ON)]


def test_a_lowered_immunity_and_hiv_are_told_that_the_response_may_be_weaker() -> None:
    assert "weak-response" in stated(SNOMED, "370388006")
    assert "weak-response-hiv" in stated(SNOMED, "86406008")
    assert "weak-response" not in stated(SNOMED, "73211009")


def test_a_record_states_a_situation_by_its_own_code_or_by_snomed() -> None:
    own = "http://lab39.org/fhir/CodeSystem/vaccination-situation"
    assert "dtcap-none-known" not in stated(own, "never-vaccinated")
    assert "dtcap-none-known" not in stated(SNOMED, "171278000")
    assert "dtcap-none-known" in stated(own, "no-such-thing")
