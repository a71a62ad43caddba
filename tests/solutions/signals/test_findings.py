"""What a record makes one think of: who is suspected, how urgent it is, what is missing, what is left out."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from tests.solutions.signals.records import (
    HPO,
    ICD10,
    ON,
    around,
    fever,
    found,
    has,
    measured,
    rash,
    record,
    said,
    takes,
    told,
)

from lab39.core.finding import Finding, Input, Reason, Severity, Source, When
from lab39.core.text import Lang, Text
from lab39.solutions.signals import saying
from lab39.solutions.signals.knowing import knowledge

SKIN = "reaction.severe-skin"
ALLOPURINOL = takes("M04AA01", words="Allopurinol 200 mg", id="allopurinol")


def skin(*rows: dict[str, Any], **more: Any) -> Finding:
    return found(*rows, **more)[SKIN]


# -- a medicine begun lately, a rash, a fever ---------------------------------------------------------


def test_a_febrile_rash_three_weeks_after_allopurinol_is_for_today():
    told_ = skin(ALLOPURINOL, rash(), fever())
    assert (told_.severity, told_.when) == (Severity.CRITICAL, When.TODAY)
    assert told_.summary == Text(
        "Arrêter l'allopurinol et orienter aujourd'hui\u202f: éruption cutanée et fièvre, 19 jours après le début",
        "Stop allopurinol and refer today: rash and fever, 19 days after the start",
    )
    assert told_.focus[0].endswith("allopurinol")
    assert [reason.rule for reason in told_.reasons] == ["signals.severe-skin", "signals.severe-skin.allopurinol"]
    assert all(reason.source.verified for reason in told_.reasons)
    assert told_.detail.fr.startswith("Ce qui changerait l'avis")


def test_who_to_see_and_what_to_prepare_are_said():
    suggestions = skin(ALLOPURINOL, rash(), fever()).suggestions
    steps = " ".join(s.label.fr for s in suggestions)
    assert "Médecin aujourd'hui" in steps
    assert "urgences (15 ou 112)" in steps
    assert suggestions[0].label.fr.startswith("Médecin aujourd'hui")
    assert "(112, or your emergency number)" in suggestions[0].label.en
    assert "Préparer la déclaration" in steps
    assert [s.page for s in suggestions if s.page] == ["/signals/report"]


@pytest.mark.parametrize(("atc", "told_"), [("M04AA01", False), ("N03AF01", True)])
def test_what_replaces_an_antiepileptic_is_said_of_one_only(atc: str, told_: bool):
    steps = [s.label.fr for s in skin(takes(atc), rash(), fever()).suggestions]
    assert any(step.startswith("Antiépileptique") for step in steps) is told_


def test_a_sign_that_was_not_looked_at_is_not_present():
    unseen = {
        "resourceType": "Observation",
        "id": "unseen",
        "status": "final",
        "code": {"coding": [{"system": "http://snomed.info/sct", "code": "386661006"}]},
        "effectiveDateTime": "2026-11-23",
        "dataAbsentReason": {"text": "not done"},
    }
    assert skin(ALLOPURINOL, rash(), unseen).severity is Severity.WARNING


@pytest.mark.parametrize("code", ["26284000", "445088006"], ids=["mucosal lesions", "swollen face"])
def test_mucosal_lesions_or_a_swollen_face_call_an_ambulance(code: str):
    told_ = skin(ALLOPURINOL, rash(), has(code))
    assert told_.severity is Severity.CRITICAL
    assert told_.summary.fr.startswith("Arrêter l'allopurinol et appeler le 15")


def test_without_an_alarm_sign_a_rash_waits_for_advice_this_week():
    told_ = skin(ALLOPURINOL, rash())
    assert (told_.severity, told_.when) == (Severity.WARNING, When.THIS_WEEK)
    assert "sans délai si fièvre" in told_.summary.fr


def test_a_temperature_counts_as_fever_from_38_on():
    assert skin(ALLOPURINOL, rash(), measured("8310-5", 38.0, "Cel")).severity is Severity.CRITICAL
    assert skin(ALLOPURINOL, rash(), measured("8310-5", 37.9, "Cel")).severity is Severity.WARNING


@pytest.mark.parametrize(
    ("value", "unit", "severity"),
    [
        (100.4, "[degF]", Severity.CRITICAL),  # 38 °C
        (100.3, "[degF]", Severity.WARNING),
        (38.0, "[degF]", Severity.WARNING),
        (101.3, "°F", Severity.CRITICAL),
        (38.6, "°C", Severity.CRITICAL),
        (101.3, "", Severity.WARNING),  # no unit: nobody can tell
        (38.6, "", Severity.WARNING),
    ],
)
def test_a_temperature_is_read_in_fahrenheit_too_and_without_a_unit_not_at_all(
    value: float, unit: str, severity: Severity
):
    seen = measured("8310-5", value, unit)
    if "[" not in unit:
        seen["valueQuantity"] = {"value": value} | ({"unit": unit} if unit else {})
    assert skin(ALLOPURINOL, rash(), seen).severity is severity


def test_what_is_missing_is_asked_for_with_its_code():
    codes = {missing.code for missing in skin(ALLOPURINOL, rash(), fever()).missing}
    assert codes == {"1742-6", "711-2"}
    recent = measured("1742-6", 30, "U/L", "2026-11-20")
    assert {m.code for m in skin(ALLOPURINOL, rash(), fever(), recent).missing} == {"711-2"}


def test_the_best_known_medicine_is_named_and_the_others_follow():
    ibuprofen = takes("M01AE01", "2026-11-10", words="Ibuprofène 400 mg", id="ibuprofen")
    told_ = skin(ibuprofen, ALLOPURINOL, rash(), fever())
    assert [s["atc"] for s in told_.payload["suspects"]] == [["M04AA01"], ["M01AE01"]]
    assert any("ibuprofène (12 jours après le début)" in s.label.fr for s in told_.suggestions)


def test_any_medicine_begun_in_the_last_eight_weeks_counts_but_is_not_stopped_by_rule():
    told_ = skin(takes("A10AE04", "2026-11-10", words="Insuline glargine"), rash(), fever())
    assert told_.severity is Severity.CRITICAL
    assert told_.summary.fr.startswith("Orienter aujourd'hui")
    assert "Arrêter" not in told_.summary.fr
    assert told_.reasons[1].rule == "signals.severe-skin.new-medicine"


def test_a_medicine_taken_for_years_is_not_new():
    assert SKIN not in found(takes("A10AE04", "2023-11-06"), rash(), fever())


def test_allopurinol_taken_for_years_is_not_suspected():
    assert SKIN not in found(takes("M04AA01", "2020-01-01"), rash(), fever())


@pytest.mark.parametrize(
    ("start", "suspected"), [("2026-09-27", True), ("2026-09-26", False), ("2026-11-18", True)]
)
def test_the_time_from_the_start_has_bounds(start: str, suspected: bool):
    assert (SKIN in found(takes("M04AA01", start), rash(), fever())) is suspected


def test_a_rash_two_days_after_the_first_dose_is_too_early():
    assert SKIN not in found(takes("M04AA01", "2026-11-20"), rash(), fever())


def test_a_later_time_than_usual_is_said_and_does_not_rule_it_out():
    told_ = skin(takes("M04AA01", "2026-10-10"), rash(), fever())
    assert "Plus tard que d'habitude" in told_.reasons[1].text.fr


# -- what is absent, over, or denied ------------------------------------------------------------------


def test_without_a_start_it_is_asked_for_before_anything_is_stopped():
    told_ = skin(takes("M04AA01", None, id="undated"), rash(), fever())
    assert (told_.severity, told_.when) == (Severity.WARNING, When.TODAY)
    assert "dates inconnues" in told_.summary.fr
    assert next(m.code for m in told_.missing) == "start:MedicationStatement/undated"


def test_a_start_known_to_the_month_is_not_made_up():
    told_ = skin(takes("M04AA01", "2026-11"), rash(), fever())
    assert "0 à 21 jours après le début" in told_.summary.fr


def test_an_undated_febrile_rash_is_for_a_physician_today_and_its_date_is_asked():
    told_ = skin(ALLOPURINOL, rash(None), fever())
    assert (told_.severity, told_.when) == (Severity.WARNING, When.TODAY)
    assert "dates inconnues\u202f: avis médical aujourd'hui" in told_.summary.fr
    assert "dates unknown: medical advice today" in told_.summary.en
    assert told_.suggestions[0].label.fr.startswith("Médecin aujourd'hui")
    assert any(m.code == "onset:Condition/c271807003" for m in told_.missing)


def test_a_medicine_without_a_code_is_read_from_its_words():
    assert (
        skin(takes(words="ALLOPURINOL 100MG CPR", start="2026-11-03"), rash(), fever()).severity
        is Severity.CRITICAL
    )


def test_a_name_that_nobody_knows_is_told_and_asked_to_the_pharmacy():
    ctx = around()
    found_ = found(takes(words="Zyloric 100 mg", start="2026-11-03"), rash(), ctx=ctx)
    assert ctx.asked == ["pharmacy"]
    assert "Zyloric" in found_["names-not-understood"].summary.fr


LONG = (
    "Préparation magistrale au clobétasol",
    "Solution buvable sans nom en flacon de verre",
    "Poudre inconnue",
)


def test_names_that_have_no_room_are_counted_and_never_cut_in_a_word():
    rows = [takes(words=name, id=str(at)) for at, name in enumerate(LONG)]
    said = found(*rows, rash())["names-not-understood"].summary
    assert said.fr == (
        f"Médicaments non reconnus\u202f: {LONG[0]} et 2 autres. Leurs effets indésirables n'ont pas été cherchés"
    )
    assert said.en.endswith("and 2 others. Their adverse reactions were not looked for")
    assert max(len(said.fr), len(said.en)) < 140
    alone = found(takes(words=f"{LONG[0]} et autres corps gras de la pharmacie"), rash())["names-not-understood"]
    assert alone.summary.fr == (
        f"Médicaments non reconnus\u202f: {LONG[0]} et autres corps gras de…. "
        "Leurs effets indésirables n'ont pas été cherchés"
    )


def test_words_are_shortened_between_two_words():
    assert saying.shortened("one two three", 13) == "one two three"
    assert saying.shortened("one two three", 12) == "one two…"
    assert saying.shortened("onetwothree", 6) == "onetw…"
    assert saying.listed_in(["a" * 10, "b" * 10, "c"], "en", 3, 30) == f"{'a' * 10}, {'b' * 10} and c"
    assert saying.listed_in(["a" * 10, "b" * 10, "c"], "en", 3, 23) == f"{'a' * 10} and 2 others"
    assert saying.listed_in(["aaa bbb", "c" * 20], "fr", 2, 15) == "aaa… et 1 autre"


def test_the_pharmacy_lends_its_names():
    said = Input(Text.same("Allopurinol"), Text.same("Zyloric 100 mg"), "", "MedicationStatement/m")
    why = Reason("pharmacy.x", Text("x", "y"), Source("x"), (said,))
    answer = Finding(code="no-interaction-listed", severity=Severity.INFO, summary=Text("a", "b"), reasons=(why,))
    found_ = found(takes(words="Zyloric 100 mg"), rash(), fever(), ctx=around(answer=(answer,)))
    assert found_[SKIN].summary.en.startswith("Stop allopurinol")
    assert "names-not-understood" not in found_


def test_nobody_is_asked_when_every_name_is_understood_or_nothing_is_complained_of():
    ctx = around()
    found(ALLOPURINOL, rash(), fever(), ctx=ctx)
    found(takes(words="Zyloric 100 mg"), ctx=ctx)
    assert ctx.asked == []


def test_a_medicine_stopped_long_before_the_rash_is_left_out():
    assert SKIN not in found(takes("M04AA01", "2026-10-20", end="2026-11-07", status="completed"), rash(), fever())


def test_a_medicine_stopped_just_before_the_rash_is_suspected_and_the_stop_is_said():
    told_ = skin(takes("J01EE01", "2026-11-10", end="2026-11-20", status="completed"), rash(), fever())
    assert "Arrêté le 20/11/2026" in told_.reasons[1].text.fr


def test_what_was_stopped_already_is_not_to_be_taken_again_instead_of_stopped():
    stopped = takes("M04AA01", "2026-11-03", end="2026-11-21", status="stopped", words="Allopurinol 200 mg")
    assert skin(stopped, rash(), fever()).summary == Text(
        "Ne pas reprendre l'allopurinol et orienter aujourd'hui\u202f: éruption cutanée et fièvre, "
        "19 jours après le début",
        "Do not restart allopurinol and refer today: rash and fever, 19 days after the start",
    )


@pytest.mark.parametrize("verb", ["Stop", "Suspend", "Arrêter", "Suspendre"])
def test_every_order_to_stop_has_words_for_what_was_stopped_already(verb: str):
    lang: Lang = "en" if verb in ("Stop", "Suspend") else "fr"
    orders = [level.summary[lang] for each in knowledge().reactions.values() for level in each.levels.values()]
    orders = [each for each in orders if "{the}" in each]
    assert [each for each in orders if each.startswith(verb)]
    assert not [each for each in orders if not any(order in each for order, _ in saying._STOPPED[lang])]


@pytest.mark.parametrize(
    ("start", "fr", "en"),
    [
        ("2025-03-22", "20 mois après le début", "20 months after the start"),
        ("2024-11-20", "plus de 2 ans après le début", "over 2 years after the start"),
    ],
)
def test_a_long_time_runs_from_the_start_to_the_complaint_not_to_today(start: str, fr: str, en: str):
    told_ = found(takes("N05CF02", start, words="Zolpidem"), has("1912002", "2026-11-22"))["reaction.falls"]
    assert fr in told_.reasons[1].text.fr
    assert en in told_.reasons[1].text.en


def test_a_long_sentence_keeps_what_is_seen_and_the_first_suspect_and_drops_the_others():
    many = [takes(atc, None, words=atc, id=f"m{atc}") for atc in ("M04AA01", "N06AB06", "N02AX02", "M01AE01")]
    said = skin(*many, has("271807003", None), measured("8310-5", 38.6, "Cel")).summary
    assert "Éruption cutanée et température 38,6" in said.fr
    assert "sous allopurinol, dates inconnues" in said.fr


def test_what_is_left_out_of_a_sentence_says_what_it_is():
    assert saying.listed(["éruption", "fièvre"], "fr", 1, "signe") == "éruption et 1 autre signe"
    assert saying.listed(["rash", "fever", "cough"], "en", 1, "sign") == "rash and 2 other signs"
    assert saying.listed(["a", "b", "c"], "en", 1) == "a and 2 others"


def test_a_medicine_stopped_on_an_unknown_day_is_suspected_while_it_is_recent():
    assert (
        "on ne sait pas quand" in skin(takes("J01EE01", "2026-11-10", status="stopped"), rash()).reasons[1].text.fr
    )
    assert SKIN not in found(takes("J01EE01", "2024-11-10", status="stopped"), rash())


def test_a_rash_older_than_the_medicine_is_left_out():
    assert SKIN not in found(takes("M04AA01", "2026-11-03"), rash("2026-11-01"), fever())


def test_at_whatever_time_a_reaction_comes_it_follows_the_first_dose():
    rows = takes("N06AB06", "2026-11-20"), measured("2951-2", 131, "mmol/L", "2026-11-10")
    assert "reaction.hyponatraemia" not in found(*rows)


@pytest.mark.parametrize(
    "over",
    [
        rash(clinical="resolved"),
        rash(verified="refuted"),
        rash(verified="provisional"),
        rash("2026-06-01"),
        rash("2026-12-24"),
        told("Pas d'éruption"),
        told("sans éruption cutanée"),
    ],
    ids=["resolved", "refuted", "supposed", "old", "later", "denied", "denied too"],
)
def test_what_is_over_supposed_or_denied_is_not_a_rash(over: dict[str, Any]):
    for start in ("2026-05-20", "2026-11-03"):
        told_ = found(takes("M04AA01", start), over, fever()).get(SKIN)
        assert told_ is None or told_.payload["level"] == "over-alarm"


def ended(row: dict[str, Any], day: str = "2026-11-23") -> dict[str, Any]:
    """A condition that is over since a day."""
    return {key: value for key, value in row.items() if key != "clinicalStatus"} | {"abatementDateTime": day}


def test_a_medicine_still_taken_after_a_febrile_rash_is_asked_about_before_the_next_dose():
    told_ = skin(ALLOPURINOL, ended(rash()), ended(fever()))
    assert (told_.severity, told_.when) == (Severity.WARNING, When.TODAY)
    assert told_.summary == Text(
        "L'allopurinol reste au traitement après éruption cutanée et fièvre\u202f: avis du prescripteur avant la "
        "prochaine prise",
        "Allopurinol is still taken after rash and fever: ask the prescriber before the next dose",
    )
    steps = [s.label.fr for s in told_.suggestions]
    assert steps[0].startswith("Joindre le prescripteur")
    assert steps[1].startswith("Sans son accord, ni continuer ni reprendre")
    assert told_.suggestions[-1].page == "/signals/report"
    assert told_.reasons[0].source.document.startswith("Collège des enseignants en dermatologie")
    assert told_.reasons[0].text.fr.startswith("Constaté ces dernières semaines")


def test_without_fever_a_rash_that_is_over_waits_until_this_week():
    told_ = skin(ALLOPURINOL, ended(rash()))
    assert (told_.severity, told_.when) == (Severity.WARNING, When.THIS_WEEK)


def test_a_rash_that_is_over_while_the_mouth_is_still_sore_is_no_reaction_that_is_over():
    assert skin(ALLOPURINOL, ended(rash()), has("26284000")).payload["level"] == "emergency"


@pytest.mark.parametrize(
    "rows",
    [
        (takes("M04AA01", end="2026-11-22", status="stopped"), ended(rash())),
        (takes("M04AA01", "2020-01-01"), ended(rash())),
        (takes("N06AB06", words="Sertraline"), ended(rash())),
        (takes("M04AA01", "2026-09-01"), ended(rash("2026-09-20"), "2026-10-24")),
        (ALLOPURINOL, ended(rash(verified="refuted"))),
        (ALLOPURINOL, ended(rash(None))),
    ],
    ids=["stopped", "taken for years", "less well known", "over for a month", "refuted", "undated"],
)
def test_what_is_over_says_nothing_more(rows: tuple[dict[str, Any], ...]):
    assert SKIN not in found(*rows)


def test_a_sign_denied_later_is_not_present():
    seen = {
        "resourceType": "Observation",
        "id": "none",
        "status": "final",
        "code": {"coding": [{"system": HPO, "code": "HP:0000988"}]},
        "subject": {"reference": "Patient/p"},
        "effectiveDateTime": "2026-11-24",
        "valueBoolean": False,
    }
    assert SKIN not in found(ALLOPURINOL, rash(), fever(), seen)


@pytest.mark.parametrize("status", ["not-taken", "entered-in-error", "intended"])
def test_a_medicine_never_taken_is_left_out(status: str):
    assert SKIN not in found(takes("M04AA01", status=status), rash(), fever())


@pytest.mark.parametrize(
    "words", ["Éruption fébrile du tronc", "rash", "Exanthème"], ids=["french", "english", "accents"]
)
def test_a_complaint_in_words_is_read(words: str):
    assert SKIN in found(ALLOPURINOL, told(words))


@pytest.mark.parametrize(("system", "code"), [(ICD10, "R21"), (HPO, "HP:0000988"), (ICD10, "L27.0")])
def test_a_complaint_is_read_in_each_code_system(system: str, code: str):
    assert SKIN in found(ALLOPURINOL, has(code, system=system))


def test_a_prescription_renewed_is_not_a_new_medicine():
    years = [takes("M04AA01", f"{year}-11-03", status="completed", id=f"m{year}") for year in (2024, 2025)]
    assert SKIN not in found(*years, takes("M04AA01", "2026-11-03"), rash(), fever())


def test_a_medicine_taken_again_after_a_long_stop_is_begun_anew():
    once = takes("M04AA01", "2022-01-01", end="2022-03-01", status="completed", id="once")
    assert SKIN in found(once, takes("M04AA01", "2026-11-03"), rash(), fever())


# -- other reactions ------------------------------------------------------------------------------------

CASES = {
    "ACE inhibitor, swollen face": (
        "reaction.angioedema",
        [takes("C09AA05", "2020-06-22"), has("41291007")],
        "critical",
    ),
    "metformin, vomiting and fatigue": (
        "reaction.lactic-acidosis",
        [takes("A10BA02", "2012-05-10"), has("422400008"), has("84229001")],
        "warning",
    ),
    "gliflozin, vomiting": ("reaction.ketoacidosis", [takes("A10BK01", "2025-01-01"), has("422400008")], "warning"),
    "SSRI, sodium 131": (
        "reaction.hyponatraemia",
        [takes("N06AB06", "2024-02-19"), measured("2951-2", 131, "mmol/L")],
        "warning",
    ),
    "SSRI, sodium 120": (
        "reaction.hyponatraemia",
        [takes("N06AB06", "2024-02-19"), measured("2951-2", 120, "mmol/L")],
        "critical",
    ),
    "carbimazole, sore throat and fever": (
        "reaction.agranulocytosis",
        [takes("H03BB01", "2026-10-20"), has("J02.9", system=ICD10), fever()],
        "critical",
    ),
    "statin, muscle pain": ("reaction.muscle-injury", [takes("C10AA05", "2026-08-01"), has("68962001")], "info"),
    "statin, muscle pain, dark urine": (
        "reaction.muscle-injury",
        [takes("C10AA05", "2026-08-01"), has("68962001"), has("HP:0040319", system=HPO)],
        "warning",
    ),
    "co-amoxiclav stopped, jaundice": (
        "reaction.liver-injury",
        [takes("J01CR02", "2026-10-20", end="2026-10-27", status="completed"), has("18165001")],
        "critical",
    ),
    "tramadol and SSRI, tremor and sweats": (
        "reaction.serotonin",
        [takes("N02AX02", "2026-11-20"), has("26079004"), has("415690000")],
        "warning",
    ),
    "citalopram, QTc 510": (
        "reaction.torsades",
        [takes("N06AB04", "2025-01-01"), measured("8636-3", 510, "ms")],
        "critical",
    ),
    "zolpidem, falls": (
        "reaction.falls",
        [takes("N05CF02", "2024-05-27"), has("1912002", "2026-08-19")],
        "warning",
    ),
    "apixaban, melaena": ("reaction.bleeding", [takes("B01AF02", "2020-01-14"), has("2901004")], "warning"),
    "ciprofloxacin, Achilles tendon": (
        "reaction.tendon-injury",
        [takes("J01MA02", "2026-11-10"), has("M76.6", system=ICD10)],
        "warning",
    ),
    "heparin, platelets 60": (
        "reaction.heparin-platelets",
        [takes("B01AB05", "2026-11-16"), measured("777-3", 60, "10*9/L")],
        "critical",
    ),
    "bisoprolol, slow pulse, syncope": (
        "reaction.slow-heart",
        [takes("C07AB07", "2026-08-01"), measured("8867-4", 42, "/min"), has("271594007")],
        "critical",
    ),
    "bisoprolol, slow pulse": (
        "reaction.slow-heart",
        [takes("C07AB07", "2026-08-01"), measured("8867-4", 42, "/min")],
        "warning",
    ),
    "clozapine for years, sore throat and fever": (
        "reaction.agranulocytosis",
        [takes("N05AH02", "2020-10-20"), has("J02.9", system=ICD10), fever()],
        "critical",
    ),
    "methotrexate, cough": (
        "reaction.methotrexate-lung",
        [takes("L04AX03", "2024-01-01"), has("49727002")],
        "warning",
    ),
    "enoxaparin, melaena": ("reaction.bleeding", [takes("B01AB05", "2026-11-16"), has("2901004")], "warning"),
    "fluindione, melaena": ("reaction.bleeding", [takes("B01AA12", "2020-01-14"), has("2901004")], "warning"),
    "repaglinide, low glucose": (
        "reaction.hypoglycaemia",
        [takes("A10BX02", "2024-01-14"), measured("14749-6", 2.6, "mmol/L")],
        "warning",
    ),
    "oxybutynin, vision": (
        "reaction.anticholinergic-eye",
        [takes("G04BD04", "2020-11-10"), has("7973008")],
        "warning",
    ),
    "topiramate, vision": ("reaction.angle-closure", [takes("N03AX11", "2026-11-10"), has("7973008")], "critical"),
    "amoxicillin, diarrhoea": (
        "reaction.c-difficile",
        [takes("J01CA04", "2026-11-05", end="2026-11-12", status="completed"), has("62315008")],
        "warning",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_other_reactions_are_met_at_their_level(name: str):
    code, rows, severity = CASES[name]
    told_ = found(*rows)[code]
    assert told_.severity.value == severity
    assert told_.suggestions
    assert all(len(told_.summary[lang]) < 140 for lang in ("fr", "en"))


def test_a_cough_on_methotrexate_is_for_today():
    told_ = found(takes("L04AX03", "2024-01-01"), has("49727002"))["reaction.methotrexate-lung"]
    assert told_.when is When.TODAY


def test_fever_and_sweats_on_an_antidepressant_are_no_serotonin_syndrome():
    """A muscle sign is needed: a flu on an antidepressant taken for years must not call an ambulance."""
    rows = takes("N06AB06", "2020-01-01"), fever(), has("415690000")
    assert "reaction.serotonin" not in found(*rows)


def test_tremor_with_fever_on_an_antidepressant_calls_an_ambulance_before_anything_is_stopped():
    told_ = found(takes("N06AB10", "2026-11-20"), has("26079004"), fever())["reaction.serotonin"]
    assert told_.severity is Severity.CRITICAL
    assert told_.summary.fr.startswith("Appeler le 15, ne rien reprendre avant")


def test_a_seizure_with_low_glucose_is_given_nothing_by_mouth():
    rows = takes("A10BB09", "2024-01-01"), measured("14749-6", 1.9, "mmol/L"), has("91175000")
    told_ = found(*rows)["reaction.hypoglycaemia"]
    assert told_.summary.fr.startswith("Appeler le 15")
    assert "rien par la bouche" in told_.summary.fr
    assert any("glucagon" in s.label.en for s in told_.suggestions)


# -- fever alone, heparin again, other names ----------------------------------------------------------------

AGRANULOCYTOSIS, HEPARIN = "reaction.agranulocytosis", "reaction.heparin-platelets"


@pytest.mark.parametrize(
    ("atc", "start"),
    [
        ("N05AH02", "2020-01-01"),
        ("H03BB01", "2026-10-20"),
        ("H03BB02", "2026-10-20"),
        ("A07EC01", "2026-10-20"),
        ("L04AX03", "2024-01-01"),
        ("L01BA01", "2024-01-01"),
    ],
)
def test_fever_alone_under_what_may_take_the_neutrophils_asks_for_a_blood_count_today(atc: str, start: str):
    told_ = found(takes(atc, start), fever())[AGRANULOCYTOSIS]
    assert (told_.severity, told_.when, told_.payload["level"]) == (Severity.WARNING, When.TODAY, "lone")
    assert "numération et avis médical aujourd'hui, avant la dose suivante" in told_.summary.fr
    assert all(reason.source.verified for reason in told_.reasons)
    assert [missing.code for missing in told_.missing] == ["751-8"]


def test_fever_alone_says_nothing_of_other_causes():
    for atc in ("J01EE01", "B01AC05", "N02BE01"):
        assert AGRANULOCYTOSIS not in found(takes(atc, "2026-10-20"), fever())
    assert AGRANULOCYTOSIS not in found(takes("H03BB01", "2026-11-20"), fever())


@pytest.mark.parametrize(
    ("value", "day", "told_"),
    [(2.0, "2026-11-22", False), (1.9, "2026-11-23", True), (4.0, "2026-11-21", True), (4.0, "2026-11-24", False)],
)
def test_a_normal_count_since_the_fever_answers(value: float, day: str, told_: bool):
    rows = takes("N05AH02", "2020-01-01"), fever(), measured("751-8", value, "10*9/L", day)
    assert (AGRANULOCYTOSIS in found(*rows)) is told_


def test_with_a_sore_throat_fever_is_no_longer_alone():
    rows = takes("H03BB01", "2026-10-20"), fever(), has("J02.9", system=ICD10)
    assert found(*rows)[AGRANULOCYTOSIS].payload["level"] == "alarm"


def platelets(day: str) -> dict[str, Any]:
    return measured("777-3", 60, "10*9/L", day)


def earlier(end: str, atc: str = "B01AB05") -> dict[str, Any]:
    return takes(atc, "2026-07-20", end=end, status="completed", id="earlier")


def test_platelets_that_fall_the_day_after_heparin_is_taken_again_are_for_the_hospital():
    again = takes("B01AB05", "2026-11-20", id="again")
    told_ = found(earlier("2026-09-01"), again, platelets("2026-11-21"))[HEPARIN]
    assert told_.severity is Severity.CRITICAL
    assert "1 jour après la reprise" in told_.summary.fr
    assert "dès les premières heures" in told_.reasons[1].text.fr
    assert told_.reasons[1].source.document.startswith("Warkentin")


@pytest.mark.parametrize("atc", ["B01AB01", "B01AB10"])
def test_an_earlier_heparin_of_another_name_counts_too(atc: str):
    again = takes("B01AB05", "2026-11-20", id="again")
    assert HEPARIN in found(earlier("2026-09-01", atc), again, platelets("2026-11-21"))


@pytest.mark.parametrize(
    "rows",
    [
        (takes("B01AB05", "2026-11-20"),),
        (earlier("2026-08-11"), takes("B01AB05", "2026-11-20", id="again")),
        (earlier("2026-11-19"), takes("B01AB05", "2026-11-20", id="again")),
        (
            takes("B01AF02", "2026-07-20", end="2026-09-01", id="earlier"),
            takes("B01AB05", "2026-11-20", id="again"),
        ),
    ],
    ids=["first time", "101 days apart", "without a stop", "after something else"],
)
def test_platelets_too_early_otherwise_are_not_of_heparin(rows: tuple[dict[str, Any], ...]):
    assert HEPARIN not in found(*rows, platelets("2026-11-21"))


def test_a_renewal_after_the_new_start_hides_nothing():
    rows = (
        takes("B01AB05", "2026-11-10", end="2026-11-19", id="again"),
        takes("B01AB05", "2026-11-20", id="renewed"),
    )
    assert HEPARIN in found(earlier("2026-09-01"), *rows, platelets("2026-11-21"))


@pytest.mark.parametrize(
    ("code", "row"),
    [
        ("reaction.jaw-osteonecrosis", has("M87.1", system=ICD10)),
        ("reaction.atypical-fracture", told("douleur de cuisse")),
    ],
)
def test_denosumab_is_known_for_jaw_and_thigh(code: str, row: dict[str, Any]):
    told_ = found(takes("M05BX04", "2022-01-01", words="Prolia"), row)[code]
    assert told_.severity is Severity.WARNING
    assert "dénosumab" in told_.summary.fr
    assert "Ne pas sauter" in told_.reasons[1].text.fr


def test_a_bleed_on_fondaparinux_is_for_today():
    told_ = found(takes("B01AX05", "2026-11-16"), has("2901004"))["reaction.bleeding"]
    assert told_.when is When.TODAY
    assert "fondaparinux" in told_.summary.fr


@pytest.mark.parametrize(
    ("atc", "words"),
    [
        ("", "Aspirine 75 mg"),
        ("", "acide acétylsalicylique"),
        ("", "Aspirin"),
        ("B01AC06", "Aspirine"),
        ("N02BA01", "x"),
    ],
)
def test_aspirin_is_aspirin_however_it_is_written(atc: str, words: str):
    told_ = found(takes(atc, "2020-01-01", words=words), has("2901004"))["reaction.bleeding"]
    (suspect,) = told_.payload["suspects"]
    assert suspect["name"]["en"] == "aspirin"
    assert {"B01AC06", "N02BA01"} <= set(suspect["atc"])


def test_a_bleed_on_an_anticoagulant_is_not_told_to_stop_it():
    told_ = found(takes("B01AF02", "2020-01-14"), has("2901004"))["reaction.bleeding"]
    assert "Arrêter" not in told_.summary.fr
    assert any("Ne pas arrêter de soi-même un anticoagulant" in s.label.fr for s in told_.suggestions)


@pytest.mark.parametrize(
    ("atc", "reactions"),
    [
        ("A10BD15", {"reaction.lactic-acidosis", "reaction.ketoacidosis"}),  # metformin and dapagliflozin
        ("A10BD21", {"reaction.ketoacidosis"}),  # saxagliptin and dapagliflozin
        ("A10BD07", {"reaction.lactic-acidosis"}),  # metformin and sitagliptin
        ("A10BD06", set()),  # glimepiride and pioglitazone
    ],
)
def test_a_fixed_combination_is_what_it_holds(atc: str, reactions: set[str]):
    acid = {"reaction.lactic-acidosis", "reaction.ketoacidosis"}
    assert set(found(takes(atc, "2025-01-01"), has("422400008"))) & acid == reactions


@pytest.mark.parametrize(("atc", "suspected"), [("M05BA04", True), ("M05BA08", False)])
def test_a_bisphosphonate_given_by_vein_does_not_hurt_the_oesophagus(atc: str, suspected: bool):
    assert ("reaction.oesophagitis" in found(takes(atc, "2026-01-01"), has("40739000"))) is suspected


def test_a_normal_sodium_is_no_complaint():
    assert "reaction.hyponatraemia" not in found(takes("N06AB06"), measured("2951-2", 135, "mmol/L"))


def test_only_the_newest_result_counts():
    rows = measured("2951-2", 128, "mmol/L", "2026-11-01") | {"id": "older"}, measured("2951-2", 139, "mmol/L")
    assert "reaction.hyponatraemia" not in found(takes("N06AB06", "2024-01-01"), *rows)


def test_a_result_in_a_unit_that_cannot_be_read_tells_nothing():
    assert "reaction.hyponatraemia" not in found(takes("N06AB06", "2024-01-01"), measured("2951-2", 131, "kg"))


def test_a_later_fall_is_explained_by_a_medicine_begun_after_the_first():
    rows = has("1912002", "2026-02-10"), has("R29.6", "2026-11-01", system=ICD10)
    told_ = found(takes("N02AX02", "2026-08-20", words="Tramadol"), *rows)["reaction.falls"]
    assert told_.payload["suspects"][0]["atc"] == ["N02AX02"]


def test_a_reaction_whose_source_was_not_opened_gives_no_advice():
    told_ = found(takes("N05AA02", "2026-11-01"), has("267064002"))["reaction.anticholinergic"]
    assert (told_.severity, told_.when, told_.suggestions) == (Severity.INFO, When.NEXT_VISIT, ())
    assert "source non relue" in told_.summary.fr


# -- what a source opened later brought ---------------------------------------------------------------------


def calcium(value: float) -> dict[str, Any]:
    return measured("29265-6", value, "mmol/L")


@pytest.mark.parametrize(
    ("value", "level", "severity", "when"),
    [
        (2.1, "plain", Severity.WARNING, When.THIS_WEEK),
        (1.9, "plain", Severity.WARNING, When.THIS_WEEK),
        (1.89, "emergency", Severity.CRITICAL, When.TODAY),
    ],
)
def test_a_low_calcium_on_denosumab_is_told_by_its_depth(value: float, level: str, severity: Severity, when: When):
    told_ = found(takes("M05BX04", "2026-09-01"), calcium(value))["reaction.hypocalcaemia"]
    assert (told_.payload["level"], told_.severity, told_.when) == (level, severity, when)
    assert "magnésium, vitamine D" in said(told_)
    assert all(reason.source.verified for reason in told_.reasons)
    assert [missing.code for missing in told_.missing] == ["14682-9", "2601-3"]


def test_tingling_with_a_low_calcium_on_denosumab_is_for_today():
    rows = takes("M05BX04", "2026-09-01"), calcium(2.0), has("91019004")
    told_ = found(*rows)["reaction.hypocalcaemia"]
    assert (told_.payload["level"], told_.when) == ("alarm", When.TODAY)
    assert "sans la sauter de soi-même" in said(told_)


def test_a_low_calcium_without_denosumab_or_a_normal_one_with_it_says_nothing():
    assert "reaction.hypocalcaemia" not in found(takes("M05BA04", "2026-09-01"), calcium(1.8))
    assert "reaction.hypocalcaemia" not in found(takes("M05BX04", "2026-09-01"), calcium(2.2))


def test_nitrofurantoin_is_stopped_at_once_when_the_lungs_suffer_and_amiodarone_is_not():
    stop = "Arrêter la nitrofurantoïne aussitôt"
    assert stop in said(found(takes("J01XE01", "2026-11-15"), has("267036007"))["reaction.nitrofurantoin-lung"])
    other = said(found(takes("C01BD01", "2026-01-15"), has("267036007"))["reaction.lung-injury"])
    assert stop not in other
    assert "L'arrêt se décide avec le prescripteur" in other


def test_a_swollen_leg_on_tamoxifen_speaks_of_tamoxifen_and_on_the_pill_of_the_pill():
    on_tamoxifen = said(found(takes("L02BA01", "2026-01-01"), has("128053003"))["reaction.thrombosis"])
    on_the_pill = said(found(takes("G03AA07", "2026-01-01"), has("128053003"))["reaction.thrombosis"])
    assert "oncologue" in on_tamoxifen
    assert "contraception" not in on_tamoxifen
    assert "contraception" in on_the_pill
    assert "oncologue" not in on_the_pill


def test_kidney_failure_on_a_proton_pump_inhibitor_does_not_speak_of_an_nsaid():
    told_ = found(takes("A02BC01", "2026-09-15"), has("14669001"))
    assert "reaction.kidney-injury" not in told_
    assert told_["reaction.interstitial-nephritis"].when is When.THIS_WEEK
    assert "anti-inflammatoire" not in told_["reaction.interstitial-nephritis"].summary.fr
    late = found(takes("A02BC01", "2024-09-15"), has("14669001"))
    assert "reaction.interstitial-nephritis" not in late


@pytest.mark.parametrize(
    ("atc", "start", "told_"),
    [
        ("A02BC01", "2026-10-15", True),
        ("A02BC01", "2026-03-15", False),  # ongoing: no association in the study
        ("A02BC03", "2026-10-15", False),  # lansoprazole: none either
        ("N02AX02", "2026-10-15", True),
        ("N02AX02", "2026-03-15", False),
    ],
)
def test_a_low_sodium_is_put_down_to_what_was_begun_in_the_last_three_months(atc: str, start: str, told_: bool):
    rows = takes(atc, start), measured("2951-2", 131, "mmol/L")
    assert ("reaction.hyponatraemia" in found(*rows)) is told_


def test_one_reaction_of_several_medicines_is_one_finding():
    told_ = found(
        takes("N06AB06", "2024-02-19"), takes("C03AA03", "2021-03-09", id="n"), measured("2951-2", 131, "mmol/L")
    )
    assert "sertraline et hydrochlorothiazide" in told_["reaction.hyponatraemia"].summary.fr


# -- new medicines, orders, no treatment --------------------------------------------------------------


def test_new_medicines_are_a_fact_for_those_who_ask():
    told_ = found(takes("M04AA01", "2026-11-03"), takes("N06AB06", "2024-02-19", id="old"))["new-medicines"]
    assert told_.severity is Severity.INFO
    assert [(m["atc"], m["days"]) for m in told_.payload["medicines"]] == [(["M04AA01"], 21)]


@pytest.mark.parametrize(("start", "new"), [("2026-09-29", True), ("2026-09-28", False), ("2026-11-25", False)])
def test_new_means_begun_in_the_last_eight_weeks(start: str, new: bool):
    assert ("new-medicines" in found(takes("M04AA01", start))) is new


def test_about_an_order_only_what_concerns_it_is_said():
    rows = (
        ALLOPURINOL,
        takes("N06AB06", "2024-02-19", id="ssri"),
        rash(),
        fever(),
        measured("2951-2", 131, "mmol/L"),
    )
    about = frozenset({"MedicationStatement/ssri"})
    assert set(found(*rows, ctx=around(about=about))) == {"reaction.hyponatraemia"}


def test_without_any_medicine_nothing_is_looked_for_and_it_says_so():
    assert set(found(rash(), fever())) == {"no-treatment"}
    assert found(rash(), ctx=around(about=frozenset({"x"}))) == {}


def test_the_same_record_gives_the_same_findings_on_the_same_day_only():
    rows = ALLOPURINOL, rash(), fever()
    assert found(*rows) == found(*rows)
    assert SKIN not in found(*rows, on=ON + dt.timedelta(days=90))


def test_a_record_in_odd_shapes_raises_nothing():
    odd = {"resourceType": "MedicationStatement", "id": "odd", "status": "active"}
    assert record(odd).medications()
    found(odd, rash(), {"resourceType": "Condition", "id": "bare"}, fever())
