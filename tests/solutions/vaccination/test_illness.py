"""A fever that the record tells as present makes every dose wait; undated, it is asked about; over, it is left."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import run
from tests.solutions.vaccination import records, small
from tests.solutions.vaccination.test_certificate import text_of

from lab39.core.finding import Finding, When
from lab39.core.lab import Lab
from lab39.core.record import Record
from lab39.fhir import examples
from lab39.settings import Settings
from lab39.solutions.vaccination import answer, checks, counter, engine, findings, illness, precautions, questions
from lab39.solutions.vaccination.certificate import certificate
from lab39.solutions.vaccination.france import open_france
from lab39.solutions.vaccination.reading import read_patient

__all__ = ["run"]

ON = dt.date(2026, 11, 24)
RULE = "vaccination.precaution.acute-illness"
WAITS = "Dus, à faire une fois la fièvre passée\u202f: "
SNOMED, ICD10, HPO = (
    "http://snomed.info/sct",
    "http://hl7.org/fhir/sid/icd-10",
    "http://human-phenotype-ontology.org",
)
CLINICAL = "http://terminology.hl7.org/CodeSystem/condition-clinical"
VERIFIED = "http://terminology.hl7.org/CodeSystem/condition-ver-status"


@pytest.fixture(scope="module")
def schedule():
    return open_france()


def has(
    code: str = "386661006",
    onset: str | None = "2026-11-22",
    *,
    system: str = SNOMED,
    words: str = "Fièvre",
    clinical: str | None = "active",
    verified: str = "confirmed",
    **more: Any,
) -> dict[str, Any]:
    row: dict[str, Any] = {"resourceType": "Condition", "id": "illness", "code": {"text": words}}
    if code:
        row["code"]["coding"] = [{"system": system, "code": code}]
    if clinical:
        row["clinicalStatus"] = {"coding": [{"system": CLINICAL, "code": clinical}]}
    row["verificationStatus"] = {"coding": [{"system": VERIFIED, "code": verified}]}
    return row | ({"onsetDateTime": onset} if onset else {}) | more


def temperature(celsius: float, day: str = "2026-11-24") -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "id": f"t{day}",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "8310-5"}]},
        "effectiveDateTime": day,
        "valueQuantity": {"value": celsius, "system": "http://unitsofmeasure.org", "code": "Cel", "unit": "°C"},
    }


def measured(value: float, unit: str | None, *, ucum: bool = True) -> dict[str, Any]:
    """A temperature of today in another unit, or in none."""
    said = {"value": value} | ({"system": "http://unitsofmeasure.org", "code": unit} if ucum and unit else {})
    return temperature(0) | {"valueQuantity": said | ({"unit": unit} if unit else {})}


@pytest.mark.parametrize(
    ("value", "unit", "ucum", "said"),
    [
        (38.1, "Cel", True, "waits"),
        (38.0, "Cel", True, "nothing"),
        (100.6, "[degF]", True, "waits"),
        (100.4, "[degF]", True, "nothing"),  # 38 °C
        (98.6, "[degF]", True, "nothing"),
        (101.3, "°F", False, "waits"),
        (38.5, "°C", False, "waits"),
        (101.0, "[degF]", True, "waits"),
        (101.3, None, False, "asks"),  # no unit: nobody can tell
        (38.5, None, False, "asks"),
        (101.3, "F", True, "asks"),  # a farad
        (98.6, None, False, "nothing"),  # no fever in °C nor in °F
        (36.8, None, False, "nothing"),
    ],
)
def test_a_temperature_is_read_in_celsius_and_fahrenheit_and_never_guessed(
    schedule, value: float, unit: str | None, ucum: bool, said: str
):
    assert told(schedule, measured(value, unit, ucum=ucum)) == said


def test_a_temperature_without_unit_is_asked_about_and_does_not_end_a_fever(schedule):
    [found] = illness.noted(record(measured(38.5, None)), schedule, ON)
    assert found.label.en == "temperature 38.5, unit absent or unknown"
    assert told(schedule, has(), measured(38.5, None)) == "waits"


def test_a_temperature_in_fahrenheit_is_told_in_celsius_too(schedule):
    [found] = illness.noted(record(measured(101.3, "[degF]")), schedule, ON)
    assert found.label.fr == "température 101,3\u202f°F (38,5\u202f°C)"


def record(*rows: dict[str, Any]) -> Record:
    """A woman of 82 with these resources."""
    return records.record(*rows, person=records.PERSON | {"birthDate": "1944-03-02"})


def card(schedule: Any, *rows: dict[str, Any]) -> Finding:
    said = findings.assessed(record(*rows), schedule, ON)
    assert isinstance(said, findings.Assessed)
    (found,) = [each for each in findings.findings(said) if each.code == "due"]
    return found


def told(schedule: Any, *rows: dict[str, Any]) -> str:
    """``waits``, ``asks`` or ``nothing``: what the record makes of it."""
    found = illness.noted(record(*rows), schedule, ON)
    if illness.wait(found) is not None:
        return "waits"
    return "asks" if list(illness.to_ask(found)) else "nothing"


# -- what the record tells ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("onset", "said"),
    [
        ("2026-11-24", "waits"),
        ("2026-11-17", "waits"),
        ("2026-11-16", "asks"),  # eight days: nobody says that it lasts
        ("2026-11-10", "asks"),
        ("2026-11-09", "nothing"),
        ("2026-11-25", "nothing"),  # begins after the day
        ("2026-11", "asks"),  # any day of the month
        (None, "asks"),
    ],
)
def test_only_a_fever_dated_within_days_makes_doses_wait(schedule, onset: str | None, said: str):
    assert told(schedule, has(onset=onset)) == said


@pytest.mark.parametrize(
    "over",
    [
        {"clinical": "resolved"},
        {"clinical": "inactive"},
        {"clinical": None, "abatementDateTime": "2026-11-23"},
        {"verified": "refuted"},
        {"verified": "unconfirmed"},
    ],
    ids=str,
)
def test_a_fever_that_is_over_refuted_or_supposed_says_nothing(schedule, over: dict[str, Any]):
    assert told(schedule, has(**over)) == "nothing"


def test_the_day_it_was_recorded_stands_for_an_onset_that_nobody_wrote(schedule):
    assert told(schedule, has(onset=None, recordedDate="2026-11-23")) == "waits"


@pytest.mark.parametrize(("celsius", "said"), [(38.1, "waits"), (38.0, "nothing"), (37.2, "nothing")])
def test_a_temperature_counts_above_38_degrees(schedule, celsius: float, said: str):
    assert told(schedule, temperature(celsius)) == said


@pytest.mark.parametrize(
    ("day", "said"), [("2026-11-21", "waits"), ("2026-11-20", "asks"), ("2026-11-09", "nothing")]
)
def test_a_temperature_ages_faster_than_a_diagnosis(schedule, day: str, said: str):
    assert told(schedule, temperature(39, day)) == said


def test_the_newest_temperature_decides_between_two(schedule):
    assert told(schedule, temperature(39, "2026-11-22"), temperature(37, "2026-11-24")) == "nothing"


def test_a_fever_whose_temperature_has_fallen_since_is_asked_about(schedule):
    assert told(schedule, has(), temperature(37.2)) == "asks"
    assert told(schedule, has(), temperature(37.2, "2026-11-20")) == "waits"


@pytest.mark.parametrize(
    ("code", "system", "words", "said"),
    [
        ("R50.9", ICD10, "Fièvre, sans précision", "waits"),
        ("HP:0001945", HPO, "Fever", "waits"),
        ("", "", "Fièvre.", "waits"),
        ("", "", "fièvre jaune", "nothing"),
        ("", "", "pas de fièvre", "nothing"),
        ("", "", "rhume", "nothing"),
        ("38341003", SNOMED, "fièvre", "nothing"),  # a code says more than words
        ("J18.9", ICD10, "Pneumopathie", "waits"),
        ("J00", ICD10, "Rhinopharyngite", "nothing"),
    ],
)
def test_codes_tell_a_fever_and_words_only_where_there_is_no_code(schedule, code, system, words, said):
    assert told(schedule, has(code, system=system, words=words)) == said


def test_an_observed_fever_counts_and_one_that_is_denied_does_not(schedule):
    seen = {
        "resourceType": "Observation",
        "id": "seen",
        "status": "final",
        "code": {"coding": [{"system": SNOMED, "code": "386661006"}]},
        "effectiveDateTime": "2026-11-23",
    }
    assert told(schedule, seen | {"valueBoolean": True}) == "waits"
    assert told(schedule, seen | {"valueBoolean": False}) == "nothing"
    assert told(schedule, seen | {"dataAbsentReason": {"text": "not done"}}) == "nothing"


def test_a_schedule_with_rules_of_its_own_and_not_this_one_says_nothing(schedule):
    others = {name: rule for name, rule in schedule.rules.items() if name != "acute-illness"}
    assert illness.noted(record(has()), replace(schedule, rules=others), ON) == ()


# -- schedules whose supporting data say nothing of it -----------------------------------------------------------


PNEUMONIA = {"code": "J18.9", "system": ICD10, "words": "Pneumonia"}


@pytest.fixture(scope="module")
def cdsi():
    made = small.schedule({"Zoster": [small.dose(1, "60 years", ["903"])]}, {"903": ["Zoster"]})
    return replace(made, name="cdsi")


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (has(**PNEUMONIA), "waits"),
        (has(onset=None, **PNEUMONIA), "asks"),
        (has(clinical="resolved", **PNEUMONIA), "nothing"),
        (has(), "asks"),  # a fever alone tells no severity
        (temperature(39.5), "asks"),
    ],
)
def test_in_the_united_states_only_a_moderate_or_severe_illness_makes_doses_wait(cdsi, row, said):
    assert told(cdsi, row) == said


def test_its_card_cites_a_text_that_was_read(cdsi):
    found = card(cdsi, has(**PNEUMONIA))
    assert found.summary.en.startswith("Due, to give once the acute illness is over (")
    first = found.reasons[0]
    assert (first.rule, first.source.verified) == (RULE, True)
    assert "Red Book 2018" in str(first.source)
    assert "Moderate or severe acute illness" in first.text.en


def test_beside_an_illness_that_defers_a_present_fever_adds_no_question(cdsi):
    found = illness.noted(record(has(**PNEUMONIA), temperature(39.5)), cdsi, ON)
    assert illness.wait(found) is not None
    assert list(illness.to_ask(found)) == []


@pytest.mark.parametrize("name", ["cdsi-4.64", "cdsi@4.64", "cdsi"])
def test_every_edition_of_a_schedule_has_its_rule(cdsi, name):
    assert told(replace(cdsi, name=name), has(**PNEUMONIA)) == "waits"


@pytest.mark.parametrize("name", ["who-cdsi", "cdsix", "a folder"])
def test_a_rule_that_nobody_read_is_shown_and_makes_nothing_wait(cdsi, name):
    other = replace(cdsi, name=name)
    found = card(other, has(**PNEUMONIA))
    assert found.summary.fr.startswith("À faire maintenant")
    asked = next(each for each in found.missing if each.code == "illness:Condition/illness")
    assert "attendre la fin d'une maladie aiguë\u202f: règle non vérifiée" in asked.consequence.fr
    assert "ce n'est pas un conseil" in asked.consequence.fr
    assert RULE not in [each.rule for each in found.reasons]


def test_every_rule_of_these_schedules_that_makes_doses_wait_cites_an_address(cdsi):
    for name in ("cdsi", "who-cdsi"):
        held = precautions.acute_illness(replace(cdsi, name=name))
        assert held is not None
        assert held.rule.verified is all(each.source.url for each in held.rule.cited)


# -- on paper ---------------------------------------------------------------------------------------------------


def printed(schedule: Any, *rows: dict[str, Any]) -> dict[str, Any]:
    she = record(*rows)
    known = read_patient(she, schedule, ON)
    assert known.patient is not None
    return certificate(
        she, known.patient, engine.run(schedule, known.patient, ON), schedule, known.uncounted, known.noted
    ).as_dict(("fr",))


def test_on_paper_doses_are_to_be_given_later_and_the_illness_is_not_named(schedule):
    said = printed(schedule, has("J18.9", system=ICD10, words="Pneumopathie"))
    assert said["to_give"] == "À faire une fois la maladie aiguë passée"
    assert said["now"]
    assert "attendre quelques jours" in said["beside"][0]
    assert "Recomédicales" in said["beside"][0]
    assert "Pneumopathie" not in str(said)


def test_on_paper_a_doubt_is_asked_and_nothing_is_said_without_one(schedule):
    said = printed(schedule, has(onset=None))
    assert said["to_give"] == "À faire"
    assert said["beside"] == ["Fièvre ou maladie aiguë, aujourd'hui\u202f: à demander avant de vacciner."]
    well = printed(schedule)
    assert (well["to_give"], well["beside"]) == ("À faire", [])


def test_the_command_prints_it(tmp_path, run):
    file, out = written(tmp_path, has()), tmp_path / "record.pdf"
    ran = run("vaccination", "certificate", file, "--on", "2026-11-24", "--out", out, "--language", "en")
    assert ran.code == 0, ran.err
    assert "To be given once the fever is over" in text_of(out.read_bytes())


# -- the card -----------------------------------------------------------------------------------------------


def test_the_card_says_that_doses_are_due_and_wait_with_the_source(schedule):
    found = card(schedule, has(), temperature(38.6))
    assert found.summary.fr.startswith(WAITS)
    assert found.summary.en.startswith("Due, to give once the fever is over: ")
    assert "The record notes: Fever, 22 Nov 2026" in found.reasons[0].text.en
    assert found.when is When.NEXT_VISIT
    first = found.reasons[0]
    assert first.rule == RULE
    assert "Le dossier note\u202f: Fièvre, 22/11/2026\u202f; température 38,6\u202f°C, 24/11/2026." in first.text.fr
    assert "attendre quelques jours" in first.text.fr
    assert (first.source.place, first.source.verified) == ("administration des vaccins", True)
    assert [each.ref for each in first.inputs] == ["Condition/illness", "Observation/t2026-11-24"]
    said = " ".join(f"{each.text.fr} {each.text.en}" for each in found.reasons) + str(found.detail)
    assert "à faire une fois la fièvre passée" in said
    assert "maintenant" not in said
    assert " now" not in said


def test_an_acute_illness_is_named_as_such_even_beside_a_fever(schedule):
    found = card(schedule, has("J18.9", system=ICD10, words="Pneumopathie"), temperature(39))
    assert found.summary.fr.startswith("Dus, à faire une fois la maladie aiguë passée\u202f: ")


def test_an_undated_fever_leaves_the_doses_due_and_is_asked_about(schedule):
    found = card(schedule, has(onset=None))
    assert found.summary.fr.startswith("À faire maintenant\u202f: ")
    assert found.payload["wait"] is None
    assert RULE not in [each.rule for each in found.reasons]
    asked = next(each for each in found.missing if each.code == "illness:Condition/illness")
    assert asked.name.fr == "Fièvre, sans date"
    assert "la demander" in asked.consequence.fr


def test_a_fever_that_is_over_leaves_the_doses_due(schedule):
    found = card(schedule, has(clinical="resolved"))
    assert found.summary.fr.startswith("À faire maintenant\u202f: ")
    assert found.missing == card(schedule).missing


def test_on_the_running_story_the_doses_are_due_and_wait():
    report = Lab.discover(Settings.from_env()).assess(examples.example("running-story").record, ON)
    (found,) = [each for each in report.findings if each.code == "due"]
    assert found.summary.fr.startswith(WAITS)
    assert found.payload["wait"]["until"]["en"] == "once the fever is over"
    assert {"INFLUENZA", "ZOSTER"} <= {row["group"] for row in found.payload["groups"]}


# -- the page, the command, the counter ------------------------------------------------------------------------


def test_the_page_says_of_each_group_that_it_waits(schedule):
    said = findings.assessed(record(has()), schedule, ON)
    assert isinstance(said, findings.Assessed)
    shown = answer.answer(said)
    assert shown.due
    assert all("une fois la fièvre passée" in row.says.fr for row in shown.due)
    assert answer.as_json(shown)["wait"]["noted"][0]["ref"] == "Condition/illness"


def test_the_page_asks_about_a_fever_in_doubt(schedule):
    said = findings.assessed(record(has(onset=None)), schedule, ON)
    assert isinstance(said, findings.Assessed)
    assert any(note.fr.startswith("Fièvre, sans date") for note in answer.answer(said).notes)


def written(folder: Path, *rows: dict[str, Any]) -> Path:
    """A woman of 82, in a file."""
    file = folder / "she.json"
    person = {"resourceType": "Patient", "id": "p", "birthDate": "1944-03-02", "gender": "female"}
    entry = [{"resource": each} for each in (person, *rows)]
    file.write_text(json.dumps({"resourceType": "Bundle", "type": "collection", "entry": entry}), "utf-8")
    return file


@pytest.mark.parametrize("command", ["due", "plan"])
def test_the_command_says_it_before_the_list(tmp_path, command: str, run):
    ran = run("vaccination", command, written(tmp_path, has()), "--on", "2026-11-24")
    assert ran.code == 0, ran.err
    first = ran.out.splitlines()[0]
    assert first.startswith("Vaccins à faire une fois la fièvre passée. Le dossier note\u202f: Fièvre, 22/11/2026.")
    assert "Recomédicales" in first


def test_a_trial_says_it_before_its_verdict(tmp_path, run):
    file = written(tmp_path, has())
    asked = ("vaccination", "what-if", file, "--vaccine", "Shingrix", "--on", "2026-11-24")
    assert run(*asked).out.startswith("Vaccins à faire une fois la fièvre passée. ")
    said = run(*asked, "--json").json
    assert said["wait"]["until"]["en"] == "once the fever is over"
    doubt = run("vaccination", "what-if", written(tmp_path, has(onset=None)), *asked[3:])
    assert doubt.out.startswith("Fièvre, sans date\u202f: présence aujourd'hui non établie")


def test_the_calendar_file_keeps_the_doses_that_wait_and_does_not_name_the_illness(tmp_path, run):
    on = ("--on", "2026-11-24")
    well = run("vaccination", "remind", written(tmp_path), *on, "--json").json
    ill = written(tmp_path, has("J18.9", system=ICD10, words="Pneumopathie"))
    said = run("vaccination", "remind", ill, *on, "--json").json
    assert "2026-11-24" not in [each["date"] for each in well["events"]]
    assert said["events"][0]["date"] == "2026-11-24"
    assert {"INFLUENZA", "ZOSTER"} <= {each["group"] for each in said["events"][0]["doses"]}
    assert said["wait"]["until"]["en"] == "once the acute illness is over"
    ran = run("vaccination", "remind", ill, *on)
    content = ran.out.replace("\r\n ", "").replace("\n ", "")
    assert "Les doses du 24/11/2026 sont à faire une fois la maladie aiguë passée." in content
    assert "are to be given once the acute illness is over." in content
    assert "Pneumopathie" not in ran.out
    assert "une fois la maladie aiguë passée" in ran.err


def judged(schedule: Any, answers: dict[str, str], *rows: dict[str, Any]) -> dict[str, str]:
    said = findings.assessed(record(*rows), schedule, ON)
    assert isinstance(said, findings.Assessed)
    state = counter.Counter(answers=answers, vaccine="Shingrix")
    asked = questions.chosen(schedule, said.patient, ON, {"Zoster"}, state.product)
    return {each.says.fr: each.level for each in checks.judge(state, said, asked).checks}


def test_at_the_counter_a_no_does_not_hide_the_fever_of_the_record(schedule):
    said = judged(schedule, {"illness": "no", "allergy": "no"}, has(), temperature(38.6))
    assert said["Le dossier note\u202f: Fièvre, 22/11/2026\u202f; température 38,6\u202f°C, 24/11/2026"] == "warn"
    assert said["Ce vaccin est dû, à faire une fois la fièvre passée\u202f: zona"] == "ok"
    assert not any("à faire aujourd'hui" in each for each in said)


def test_at_the_counter_a_fever_without_date_is_told_too(schedule):
    assert (
        judged(schedule, {"illness": "no"}, has(onset=None))["Le dossier note\u202f: Fièvre, sans date"] == "warn"
    )
    said = judged(schedule, {"illness": "no"}, has(clinical="resolved"))
    assert not any(each.startswith("Le dossier note") for each in said)
