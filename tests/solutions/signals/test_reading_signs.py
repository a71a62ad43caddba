"""What a sign is and is not, in which units results are read, what is not stopped alone, who is too young."""

from __future__ import annotations

from typing import Any

import pytest
from tests.solutions.signals.records import (
    ICD10,
    ON,
    around,
    fever,
    found,
    has,
    measured,
    rash,
    said,
    takes,
    told,
)

from lab39 import fhir
from lab39.core.finding import Severity, When
from lab39.solutions.signals.findings import findings

SKIN = "reaction.severe-skin"
ALLOPURINOL = takes("M04AA01", words="Allopurinol 200 mg", id="allopurinol")


# -- words and codes that are not the sign ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("atc", "words", "code"),
    [
        ("H03BB01", "Angine de poitrine", "reaction.agranulocytosis"),
        ("N05BA12", "Chute de cheveux", "reaction.falls"),
        ("N05BA12", "Risque de chute élevé", "reaction.falls"),
        ("M04AA01", "Bulles d'emphysème", SKIN),
        ("M04AA01", "Éruption dentaire", SKIN),
        ("N05AH02", "Vaccination contre la fièvre jaune", "reaction.agranulocytosis"),
        ("G03AA07", "Antécédent familial de phlébite", "reaction.thrombosis"),
        ("N05AX08", "Dyskinésie biliaire", "reaction.extrapyramidal"),
    ],
)
def test_words_that_mean_something_else_are_feared_or_past_are_no_complaint(atc: str, words: str, code: str):
    assert code not in found(takes(atc, "2026-11-01"), told(words))


@pytest.mark.parametrize(
    ("atc", "words", "code"),
    [
        ("H03BB01", "Angine, suivi pour angine de poitrine", "reaction.agranulocytosis"),
        ("N05BA12", "Chute ce matin, chute de cheveux ancienne", "reaction.falls"),
        ("N05BA12", "Antécédents d'AVC, chutes", "reaction.falls"),
    ],
)
def test_beside_such_words_the_complaint_is_still_read(atc: str, words: str, code: str):
    assert code in found(takes(atc, "2026-11-01"), told(words))


@pytest.mark.parametrize(
    ("atc", "icd10", "code"),
    [
        ("C07AB07", "I44.7", "reaction.slow-heart"),  # bundle branch block
        ("N03AX11", "H53.5", "reaction.angle-closure"),  # colour vision
        ("M01AE01", "N10", "reaction.kidney-injury"),  # pyelonephritis
        ("N02AX02", "G40.9", "reaction.seizures"),  # epilepsy
    ],
)
def test_a_code_beside_the_sign_is_not_the_sign(atc: str, icd10: str, code: str):
    assert code not in found(takes(atc, "2026-11-01"), has(icd10, system=ICD10))


def test_a_mild_hyponatraemia_of_an_epileptic_on_carbamazepine_calls_no_ambulance():
    epileptic = has("G40.9", None, system=ICD10)
    told_ = found(takes("N03AF01", "2020-01-01"), measured("2951-2", 131, "mmol/L"), epileptic)
    assert told_["reaction.hyponatraemia"].severity is Severity.WARNING


@pytest.mark.parametrize(
    ("atc", "icd10", "code"),
    [
        ("N06AB10", "I45.8", "reaction.torsades"),
        ("A10BB09", "E16.2", "reaction.hypoglycaemia"),
        ("C03DA01", "E87.5", "reaction.hyperkalaemia"),
    ],
)
def test_a_diagnosis_without_a_result_is_told_without_a_figure(atc: str, icd10: str, code: str):
    assert not any(c.isdigit() for c in found(takes(atc), has(icd10, system=ICD10))[code].reasons[0].text.fr)


def test_an_embolism_on_the_pill_is_not_called_a_swollen_leg():
    told_ = found(takes("G03AA07", "2026-01-01"), has("I26.9", system=ICD10))["reaction.thrombosis"]
    assert (told_.severity, told_.when) == (Severity.CRITICAL, When.TODAY)
    assert told_.summary.fr.startswith("Embolie pulmonaire sous")
    assert "Ne pas reprendre la contraception avant le résultat" in [s.label.fr for s in told_.suggestions]


def test_nausea_alone_on_metformin_is_no_lactic_acidosis_and_asks_for_ketones_on_a_gliflozin():
    nausea = has("422587007")
    assert "reaction.lactic-acidosis" not in found(takes("A10BA02"), nausea)
    assert found(takes("A10BK01"), nausea)["reaction.ketoacidosis"].when is When.TODAY


# -- results in the units that laboratories write ---------------------------------------------------------


@pytest.mark.parametrize(
    ("atc", "loinc", "value", "unit", "code", "severity"),
    [
        ("M05BX04", "17861-6", 8.2, "mg/dL", "reaction.hypocalcaemia", Severity.WARNING),  # 2.05 mmol/L
        ("M05BX04", "2000-8", 82, "mg/L", "reaction.hypocalcaemia", Severity.WARNING),
        ("M05BX04", "17861-6", 7.0, "mg/dL", "reaction.hypocalcaemia", Severity.CRITICAL),  # 1.75 mmol/L
        ("A02BC01", "19123-9", 1.5, "mg/dL", "reaction.hypomagnesaemia", Severity.WARNING),  # 0.62 mmol/L
        ("C03CA01", "2823-3", 3.0, "meq/L", "reaction.hypokalaemia", Severity.WARNING),
        ("N05AH02", "751-8", 400, "/mm3", "reaction.agranulocytosis", Severity.CRITICAL),
        ("N05AH02", "751-8", 400, "/uL", "reaction.agranulocytosis", Severity.CRITICAL),
    ],
)
def test_a_result_is_read_in_mass_in_milliequivalents_and_in_cells(
    atc: str, loinc: str, value: float, unit: str, code: str, severity: Severity
):
    assert found(takes(atc, "2026-01-01"), measured(loinc, value, unit))[code].severity is severity


@pytest.mark.parametrize(("loinc", "value"), [("17861-6", 9.0), ("2000-8", 2.3)])
def test_a_normal_calcium_says_nothing_in_either_unit(loinc: str, value: float):
    unit = "mg/dL" if loinc == "17861-6" else "mmol/L"
    assert "reaction.hypocalcaemia" not in found(takes("M05BX04", "2026-01-01"), measured(loinc, value, unit))


@pytest.mark.parametrize("first", ["2000-8", "29265-6"])
def test_a_calcium_corrected_for_albumin_counts_before_the_total_of_the_same_day(first: str):
    rows = [measured("2000-8", 2.05, "mmol/L"), measured("29265-6", 2.3, "mmol/L")]
    ordered = rows if first == "2000-8" else rows[::-1]
    assert "reaction.hypocalcaemia" not in found(takes("M05BX04", "2026-01-01"), *ordered)


def test_a_count_is_said_in_a_unit_that_people_read():
    told_ = found(takes("B01AB05", "2026-11-16"), measured("777-3", 60, "10*9/L"))["reaction.heparin-platelets"]
    assert "60\u202fG/L" in told_.summary.fr
    assert "10*9" not in told_.summary.fr + told_.summary.en


# -- how deep a result lies, and how long a medicine still acts ------------------------------------------


@pytest.mark.parametrize(
    ("atc", "loinc", "value", "code", "severity", "when"),
    [
        ("C03CA01", "2823-3", 3.2, "reaction.hypokalaemia", Severity.WARNING, When.THIS_WEEK),
        ("C03CA01", "2823-3", 2.5, "reaction.hypokalaemia", Severity.WARNING, When.THIS_WEEK),
        ("C03CA01", "2823-3", 2.4, "reaction.hypokalaemia", Severity.CRITICAL, When.TODAY),
        ("A02BC01", "2601-3", 0.6, "reaction.hypomagnesaemia", Severity.WARNING, When.THIS_WEEK),
        ("A02BC01", "2601-3", 0.4, "reaction.hypomagnesaemia", Severity.WARNING, When.TODAY),
    ],
)
def test_a_very_low_potassium_or_magnesium_does_not_wait_until_this_week(
    atc: str, loinc: str, value: float, code: str, severity: Severity, when: When
):
    told_ = found(takes(atc, "2025-01-01"), measured(loinc, value, "mmol/L"))[code]
    assert (told_.severity, told_.when) == (severity, when)


def test_a_seizure_with_a_low_magnesium_calls_an_ambulance():
    rows = (takes("A02BC01", "2025-01-01"), measured("2601-3", 0.4, "mmol/L"), has("91175000"))
    assert found(*rows)["reaction.hypomagnesaemia"].severity is Severity.CRITICAL


@pytest.mark.parametrize(
    ("atc", "loinc", "value", "end", "told_"),
    [
        ("A10BB09", "14749-6", 2.6, "2026-11-22", True),  # a sulfonylurea still acts
        ("A10BB09", "14749-6", 2.6, "2026-11-15", False),
        ("A02BC01", "2601-3", 0.6, "2026-11-17", True),
        ("A02BC01", "2601-3", 0.6, "2026-10-17", False),
    ],
)
def test_what_was_just_stopped_still_explains_a_low_result(
    atc: str, loinc: str, value: float, end: str, told_: bool
):
    stopped = takes(atc, "2025-01-01", end=end, status="completed")
    code = "reaction.hypoglycaemia" if atc == "A10BB09" else "reaction.hypomagnesaemia"
    assert (code in found(stopped, measured(loinc, value, "mmol/L"))) is told_


# -- what must not be stopped alone, what is no NSAID, what harms only beside another ---------------------


def test_a_jaundice_on_valproate_asks_a_physician_before_the_next_dose_and_orders_no_stop():
    told_ = found(takes("N03AG01", "2026-10-01"), has("18165001"))
    assert "reaction.liver-injury" not in told_
    liver = told_["reaction.valproate-liver"]
    assert (liver.severity, liver.when) == (Severity.CRITICAL, When.TODAY)
    assert liver.summary.fr.startswith("Avis médical aujourd'hui, avant la dose suivante")
    assert "Suspendre" not in liver.summary.fr + said(liver)
    assert "Ne pas l'arrêter de soi-même" in said(liver)


def test_a_cough_alone_on_nitrofurantoin_does_not_wait_until_this_week():
    told_ = found(takes("J01XE01", "2026-11-15"), has("49727002"))["reaction.nitrofurantoin-lung"]
    assert told_.when is When.TODAY


def test_nitrofurantoin_and_amiodarone_are_each_told_what_is_theirs():
    told_ = found(takes("J01XE01", "2026-11-15"), takes("C01BD01", "2022-01-01", id="a"), has("267036007"))
    assert "L'arrêt se décide" not in said(told_["reaction.nitrofurantoin-lung"])
    assert "nitrofurantoïne" not in said(told_["reaction.lung-injury"])


def test_less_suspected_medicines_are_not_to_be_stopped_without_a_physician():
    others = [takes(atc, "2026-10-20", id=atc.lower()) for atc in ("C07AB07", "A10AE04", "B01AF02", "H02AB07")]
    steps = [s.label.fr for s in found(ALLOPURINOL, rash(), fever(), *others)[SKIN].suggestions]
    [row] = [step for step in steps if "bisoprolol" in step]
    assert row.startswith("Moins suspects, à arrêter seulement sur avis du médecin")
    assert not any("suspendre" in step for step in steps)


def test_clozapine_is_not_taken_again_at_its_dose_after_two_days():
    rows = has("J02.9", system=ICD10), fever()
    assert "48 heures" in said(found(takes("N05AH02", "2026-10-01"), *rows)["reaction.agranulocytosis"])
    assert "48 heures" not in said(found(takes("H03BB01", "2026-10-01"), *rows)["reaction.agranulocytosis"])


@pytest.mark.parametrize(("atc", "told_"), [("M01AE01", True), ("M01AX25", False), ("M01AX05", False)])
def test_chondroitin_and_glucosamine_are_no_anti_inflammatory(atc: str, told_: bool):
    rows = takes(atc, "2026-11-01"), has("14669001"), has("2901004")
    assert ("reaction.kidney-injury" in found(*rows)) is told_
    assert ("reaction.bleeding" in found(*rows)) is told_


def test_an_nsaid_that_was_stopped_is_not_to_be_suspended():
    stopped = takes("M01AE01", "2026-11-01", end="2026-11-20", status="completed")
    told_ = found(stopped, has("14669001"))["reaction.kidney-injury"].summary
    assert "ne pas reprendre l'anti-inflammatoire" in told_.fr
    assert "suspendre" not in told_.fr
    assert "do not restart the NSAID" in told_.en


@pytest.mark.parametrize(
    ("code", "sign", "atc", "other"),
    [
        ("reaction.bleeding", [has("249366005")], "N06AB06", "M01AE01"),
        ("reaction.serotonin", [has("26079004"), has("415690000")], "N02CC01", "N06AB06"),
    ],
)
def test_what_its_source_speaks_of_beside_another_medicine_is_not_suspected_alone(
    code: str, sign: list[dict[str, Any]], atc: str, other: str
):
    alone = found(takes(atc, "2026-01-15"), *sign)
    beside = found(takes(atc, "2026-01-15"), takes(other, "2026-10-01", id="other"), *sign)
    assert code not in alone
    assert atc in [c for each in beside[code].payload["suspects"] for c in each["atc"]]


@pytest.mark.parametrize(
    ("code", "rows", "dispensing"),
    [
        (SKIN, [takes("M04AA01"), rash(), fever()], "stop"),
        (SKIN, [takes("H02AB07"), rash(), fever()], "ask"),  # only new
        ("reaction.hypoglycaemia", [takes("A10AE04"), measured("14749-6", 1.8, "mmol/L"), has("91175000")], "ask"),
        ("reaction.bleeding", [takes("B01AF02"), has("2901004"), has("271594007")], "ask"),
        ("reaction.slow-heart", [takes("C07AB07"), measured("8867-4", 38, "/min"), has("271594007")], "ask"),
        ("reaction.valproate-liver", [takes("N03AG01"), has("18165001")], "ask"),
        ("reaction.agranulocytosis", [takes("N05AH02"), has("J02.9", system=ICD10), fever()], "hold"),
        ("reaction.angioedema", [takes("C09CA01"), has("41291007")], "stop"),
    ],
)
def test_whether_the_medicine_is_stopped_held_or_asked_about_is_told_to_who_dispenses(
    code: str, rows: list[dict[str, Any]], dispensing: str
):
    told_ = found(*rows)[code]
    assert told_.severity is Severity.CRITICAL
    assert told_.payload["dispensing"] == dispensing


# -- words that people write, substances by their names ---------------------------------------------------


@pytest.mark.parametrize(
    ("medicine", "words", "code"),
    [
        ("Bupropion 150 mg", "Crise convulsive ce matin", "reaction.seizures"),
        ("Losartan 50 mg", "Gonflement de la langue", "reaction.angioedema"),
        ("Losartan 50 mg", "Visage gonflé", "reaction.angioedema"),
        ("Amiodarone 200 mg", "Dyspnoea on exertion", "reaction.lung-injury"),
        ("Apixaban 5 mg", "Melaena", "reaction.bleeding"),
        ("Apixaban 5 mg", "Saignements de nez répétés", "reaction.bleeding"),
        ("Énoxaparine 4000 UI", "Plaquettes basses", "reaction.heparin-platelets"),
        ("Clozapine 100 mg", "Aphte", "reaction.agranulocytosis"),
        ("Terbinafine 250 mg", "Ictère", "reaction.liver-injury"),
        ("Acide zolédronique 5 mg", "Hypocalcémie", "reaction.hypocalcaemia"),
    ],
)
def test_a_sign_and_a_medicine_in_plain_words_are_read(medicine: str, words: str, code: str):
    assert code in found(takes("", "2026-11-15", words=medicine), told(words))


def test_vertebrae_are_spoken_of_under_denosumab_only():
    low = measured("2000-8", 2.0, "mmol/L")
    assert "vertèbres" in said(found(takes("M05BX04", "2026-11-01"), low)["reaction.hypocalcaemia"])
    assert "vertèbres" not in said(found(takes("M05BA08", "2026-11-01"), low)["reaction.hypocalcaemia"])


def test_a_long_name_of_a_pill_stays_in_the_sentence_about_an_embolism():
    told_ = found(takes("G03AA07", "2026-01-01"), has("I26.9", system=ICD10))["reaction.thrombosis"]
    assert "lévonorgestrel" in told_.summary.fr


@pytest.mark.parametrize(("born", "told_"), [("2026-02-01", False), ("2024-02-01", True), (None, True)])
def test_c_difficile_is_not_looked_for_in_an_infant(born: str | None, told_: bool):
    person = {"resourceType": "Patient", "id": "p"} | ({"birthDate": born} if born else {})
    rows = (person, takes("J01CA04", "2026-11-18"), has("62315008"))
    read = fhir.record({"resourceType": "Bundle", "type": "collection", "entry": [{"resource": r} for r in rows]})
    assert read is not None
    codes = {each.code for each in findings(read, ON, around())}
    assert ("reaction.c-difficile" in codes) is told_


@pytest.mark.parametrize(
    ("rows", "severity"),
    [
        ([takes("N06AB06", "2018-01-01")], Severity.WARNING),
        ([takes("N06AB06", "2018-01-01"), takes("N02AX02", "2026-11-20", id="new")], Severity.CRITICAL),
        ([takes("N06AB06", None)], Severity.CRITICAL),
    ],
    ids=["for years", "another one added", "undated"],
)
def test_tremor_and_fever_after_years_of_one_antidepressant_call_no_ambulance(
    rows: list[dict[str, Any]], severity: Severity
):
    told_ = found(*rows, has("26079004"), fever())["reaction.serotonin"]
    assert (told_.severity, told_.when) == (severity, When.TODAY)
