"""The form that reports an adverse event: what is read, what is missing, its files, what a record begins."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from lab39 import fhir
from lab39.core import terms
from lab39.core.errors import InputError
from lab39.core.faces import Call, Download, Fields, Upload, View
from lab39.fhir import examples
from lab39.solutions.signals import prefill, report_case, report_form, report_pages
from lab39.solutions.signals.readers import e2b_r3, fhir_event
from lab39.solutions.signals.readers.model import Case
from lab39.solutions.signals.readers.sources import Item

ON = dt.date(2026, 11, 27)
NUMBER = "FR-LAB39-0123456789abcdef"
DRUG = {
    "drug": "Allopurinol 200 mg", "role": "S", "dose": "200 mg par jour", "route": "orale", "start": "03/11/2026",
    "stop": "24/11/2026", "indication": "Goutte", "action": "withdrawn", "lot": "A12",
}  # fmt: skip
ALSO = dict.fromkeys(DRUG, "") | {"drug": "Apixaban", "role": "C", "start": "2020"}
REACTION = {"reaction": "Éruption", "code": "", "onset": "22/11/2026", "ended": "", "outcome": "not-recovered"}
SINGLE = {
    "number": NUMBER, "age": "82", "sex": "F", "weight": "54,5", "country": "fr", "history": "Insuffisance rénale",
    "serious": "yes", "reporter": "physician", "organization": "Cabinet du Port",
    "narrative": "Fièvre & éruption <2 j>",
}  # fmt: skip


def sent(*, criteria: tuple[str, ...] = ("hospitalisation",), **changed: str) -> Fields:
    single = SINGLE | {name: value for name, value in changed.items() if name in SINGLE}
    drugs = [DRUG | {name: value for name, value in changed.items() if name in DRUG}, ALSO]
    reaction = REACTION | {name: value for name, value in changed.items() if name in REACTION}
    rows = [pair for row in (*drugs, reaction) for pair in row.items()]
    rest = [(name, value) for name, value in changed.items() if name in ("do", "checked")]
    return Fields([*single.items(), *(("criterion", each) for each in criteria), *rows, *rest])


def call(form: Fields | None = None, path: str = "", **query: str) -> Call:
    ctx: Any = SimpleNamespace()
    return Call(ctx=ctx, on=ON, lang="fr", form=form or Fields(), query=Fields(query.items()), path={"form": path})


def test_the_case_is_what_was_typed():
    case = report_case.case(report_form.read(sent()), ON)
    told = case.report
    assert (told.report_id, told.sex, told.age_years, told.weight_kg, told.country) == (
        NUMBER,
        "F",
        82.0,
        54.5,
        "FR",
    )
    assert (told.serious, told.hospitalisation, told.death) == (True, True, None)
    assert told.event_date is None  # each reaction has its own onset, or none
    assert [(each.drug, each.role, each.start_date, each.end_date) for each in case.drugs] == [
        ("Allopurinol 200 mg", "S", "2026-11-03", "2026-11-24"),
        ("Apixaban", "C", "2020", None),
    ]


def test_absent_is_never_false_nor_zero():
    blank = Fields([*dict.fromkeys(SINGLE, "").items(), *dict.fromkeys(DRUG, "").items()])
    case = report_case.case(report_form.read(blank), ON)
    assert (case.report.serious, case.report.death, case.report.age_years) == (None, None, None)
    assert (case.drugs, case.events) == ((), ())


def test_not_serious_denies_every_criterion():
    report = report_case.case(report_form.read(sent(serious="no", criteria=())), ON).report
    assert (report.serious, report.death, report.other_serious) == (False, False, False)


@pytest.mark.parametrize(
    ("name", "value", "place"),
    [
        ("age", "200", "age"),
        ("age", "old", "age"),
        ("weight", "-1", "weight"),
        ("country", "France", "country"),
        ("start", "31/02/2026", "start-0"),
        ("start", "28/11/2026", "start-0"),
        ("stop", "01/11/2026", "stop-0"),
        ("onset", "hier", "onset-0"),
        ("code", "123", "code-0"),
        ("serious", "no", "serious"),
    ],
)
def test_what_cannot_be_is_told_at_its_field(name, value, place):
    with pytest.raises(InputError) as caught:
        report_case.case(report_form.read(sent(**{name: value})), ON)
    assert caught.value.place == place


def test_everything_that_cannot_be_is_told_at_once_in_the_order_of_the_form_and_kept_as_typed():
    form = sent(age="200", country="France", onset="hier", start="31/02/2026", stop="28/11/2026", code="123")
    view = report_pages.step(call(form, do="check"))
    places = ["age", "country", "onset-0", "code-0", "start-0", "stop-0"]
    assert [each.place for each in report_case.faults(report_form.read(form), ON)] == places
    assert [each.place for each in view.values["faults"]] == places
    assert list(view.values["at_fault"]) == places[::-1]
    assert view.wrong is not None, "so that the answer is a refusal"
    assert [label.fr for label in view.values["named"].values()] == [
        "âge", "pays", "début (Éruption)", "code MedDRA (Éruption)", "début (Allopurinol 200 mg)",
        "arrêt (Allopurinol 200 mg)",
    ]  # fmt: skip
    kept = view.values["sheet"]
    assert (kept.single["age"], kept.reactions[0]["onset"], kept.drugs[0]["start"]) == ("200", "hier", "31/02/2026")
    assert kept.drugs[0]["drug"] == "Allopurinol 200 mg"


def test_a_field_is_faulty_once():
    blank = sent(drug="", role="", reporter="")
    places = [each.place for each in report_form.missing(report_form.read(blank)) if each.needed]
    assert places == ["role-1", "drug-0", "reporter"]


def test_an_admissible_report_needs_a_person_a_reporter_a_suspect_and_a_reaction():
    lacks = report_form.missing(report_form.empty())
    assert [each.place for each in lacks if each.needed] == ["age", "drug-0", "reaction-0", "reporter"]
    assert not [each for each in report_form.missing(report_form.read(sent())) if each.needed]
    only_taken = report_form.missing(report_form.read(sent(role="C")))
    assert [each.place for each in only_taken if each.needed] == ["role-0"]


def test_what_would_help_is_asked_field_by_field():
    sheet = report_form.read(sent(dose="", action="", onset="", narrative="", criteria=()))
    assert [each.place for each in report_form.missing(sheet)] == [
        "criteria", "dose-0", "action-0", "onset-0", "narrative",
    ]  # fmt: skip


def test_rows_come_and_go_without_losing_what_is_typed():
    sheet = report_form.read(sent())
    more = report_form.changed(sheet, "add-drug")
    assert [row["drug"] for row in more.drugs] == ["Allopurinol 200 mg", "Apixaban", ""]
    assert [row["drug"] for row in report_form.changed(more, "drop-drug-0").drugs] == ["Apixaban", ""]
    assert report_form.changed(sheet, "drop-reaction-0").reactions == (dict.fromkeys(REACTION, ""),)
    assert report_form.changed(sheet, "drop-drug-77") == sheet
    assert report_form.read(Fields(more.pairs)) == more


def test_the_number_stays_from_one_step_to_the_next_and_is_drawn_once():
    assert report_form.read(sent()).single["number"] == NUMBER
    drawn = report_form.read(sent(number="<script>")).single["number"]
    assert drawn != NUMBER
    assert drawn.startswith("FR-LAB39-")


def read_back(found: Any, folder: Path, reader: Any) -> Case:
    assert isinstance(found, Download)
    file = folder / found.name
    file.write_bytes(found.content)
    [case] = reader.read(Item(file))
    return case


def test_the_e2b_message_says_what_was_typed(tmp_path):
    back = read_back(report_pages.download(call(sent(), "e2b")), tmp_path, e2b_r3)
    case = report_case.case(report_form.read(sent()), ON)
    assert back.drugs == case.drugs
    assert back.events == case.events
    for name in ("report_id", "sex", "age_years", "weight_kg", "country", "reporter", "serious", "hospitalisation",
                 "narrative", "history", "sender", "received", "report_type"):  # fmt: skip
        assert getattr(back.report, name) == getattr(case.report, name), name


def test_the_fhir_bundle_says_what_was_typed(tmp_path):
    back = read_back(report_pages.download(call(sent(), "fhir")), tmp_path, fhir_event)
    assert [(each.drug, each.start_date) for each in back.drugs if each.role == "S"] == [
        ("Allopurinol 200 mg", "2026-11-03")
    ]
    assert [(each.event, each.onset, each.outcome) for each in back.events] == [
        ("Éruption", "2026-11-22", "not-recovered")
    ]
    assert (back.report.serious, back.report.hospitalisation, back.report.sex) == (True, True, "F")


def test_the_sheet_is_a_pdf_and_the_same_twice():
    first, again = (report_pages.download(call(sent(), "sheet")) for _ in range(2))
    assert isinstance(first, Download)
    assert isinstance(again, Download)
    assert first.content[:5] == b"%PDF-"
    assert first.content == again.content


def test_a_message_that_would_not_be_admissible_is_not_made():
    found = report_pages.download(call(sent(reporter=""), "e2b"))
    assert isinstance(found, View)
    assert [each.place for each in found.values["faults"]] == ["reporter"]
    both = report_pages.download(call(sent(reporter="", age="vieux"), "e2b"))
    assert [each.place for each in both.values["faults"]] == ["age", "reporter"]
    assert isinstance(report_pages.download(call(sent(reporter=""), "sheet")), Download)  # to be completed by hand


def test_a_link_begins_the_form_and_names_nobody():
    sheet = report_pages.form(call(drug="allopurinol", reaction="DRESS")).values["sheet"]
    assert (sheet.drugs[0]["drug"], sheet.drugs[0]["role"]) == ("allopurinol", "S")
    assert sheet.reactions[0]["reaction"] == "DRESS"


def test_a_record_begins_the_form_with_its_treatment_and_no_name():
    example = examples.example("running-story")
    sheet = prefill.of_record(example.record, example.day, "fr", "allopurinol", "Éruption")
    assert (sheet.single["age"], sheet.single["sex"], sheet.single["weight"]) == ("82", "F", "54")
    assert "allopurinol" in sheet.drugs[0]["drug"].casefold()
    assert [row["role"] for row in sheet.drugs].count("S") == 1
    assert len(sheet.drugs) > 10
    assert "/2026" in sheet.drugs[0]["start"]
    assert example.record.name not in json.dumps(sheet.pairs)
    report_case.case(report_form.read(Fields(sheet.pairs)), ON)  # its dates are read as they were written


def test_a_medicine_that_was_stopped_is_there_when_it_is_the_suspect():
    taken = [
        {"resourceType": "MedicationStatement", "id": name, "status": status, "subject": {"reference": "Patient/p"},
         "medicationCodeableConcept": {"text": name}}
        for name, status in (("Allopurinol", "stopped"), ("Apixaban", "active"))
    ]  # fmt: skip
    entries = [{"resource": each} for each in ({"resourceType": "Patient", "id": "p"}, *taken)]
    record = fhir.record({"resourceType": "Bundle", "type": "collection", "entry": entries})
    suspected = prefill.of_record(record, ON, "fr", "allopurinol").drugs
    assert [(row["drug"], row["role"]) for row in suspected] == [("Allopurinol", "S"), ("Apixaban", "C")]
    assert [row["drug"] for row in prefill.of_record(record, ON, "fr").drugs] == ["Apixaban"]


def test_the_running_story_proposes_its_suspect_and_says_that_it_is_a_proposal():
    values = report_pages.form(call(example="running-story")).values
    assert values["proposed"]
    assert "llopurinol" in values["sheet"].drugs[0]["drug"]
    assert values["sheet"].drugs[0]["role"] == "S"
    reactions = [(row["reaction"], row["onset"]) for row in values["sheet"].reactions]
    assert reactions == [("éruption cutanée", "22/11/2026"), ("fièvre", "22/11/2026")], (
        "what was seen, no diagnosis"
    )
    history = values["sheet"].single["history"]
    assert "Goutte" in history
    assert "ruption" not in history
    assert "ièvre" not in history


def test_every_suspect_that_the_finding_names_is_ticked():
    """The skin reaction of the running story may be of allopurinol, or of ibuprofen: both, the first one first."""
    roles = [
        (row["drug"], row["role"]) for row in report_pages.form(call(example="running-story")).values["sheet"].drugs
    ]
    suspects = [drug for drug, role in roles if role == "S"]
    assert [name.partition(" ")[0].casefold() for name in suspects] == ["allopurinol", "ibuprofène"]
    assert {role for _, role in roles[2:]} == {"C"}


def taking(*medicines: tuple[str, str, str], seen: str) -> Any:
    """A record: medicines with their ATC code and first day, and what is seen since."""
    entries = [
        {"resourceType": "MedicationStatement", "id": code, "status": "active",
         "subject": {"reference": "Patient/p"},
         "medicationCodeableConcept": {"text": name, "coding": [{"system": terms.ATC, "code": code}]},
         "effectivePeriod": {"start": start}}
        for name, code, start in medicines
    ] + [
        {"resourceType": "Condition", "id": "c", "subject": {"reference": "Patient/p"}, "code": {"text": seen},
         "onsetDateTime": "2026-11-24"},
    ]  # fmt: skip
    people = [{"resource": each} for each in ({"resourceType": "Patient", "id": "p"}, *entries)]
    return fhir.record({"resourceType": "Bundle", "type": "collection", "entry": people})


def test_medicines_that_do_it_together_are_ticked_as_interacting():
    """A gliptin raises the risk of angioedema in someone on an ACE inhibitor: the source says so."""
    gliptin, ace = ("Sitagliptine", "A10BH01", "2026-10-01"), ("Ramipril", "C09AA05", "2026-06-01")
    record = taking(gliptin, ace, ("Paracétamol", "N02BE01", "2026-01-01"), seen="Angiœdème")
    proposal = prefill.suspected(record, ON, "fr")
    assert proposal is not None
    sheet = prefill.of_record(record, ON, "fr", proposal=proposal)
    assert [(row["drug"], row["role"]) for row in sheet.drugs] == [
        ("Ramipril", "I"), ("Sitagliptine", "I"), ("Paracétamol", "C"),
    ]  # fmt: skip
    assert not [each for each in report_form.missing(sheet) if each.place.startswith("role")]
    alone = prefill.suspected(taking(ace, seen="Angiœdème"), ON, "fr")
    assert alone is not None
    assert set(alone.roles.values()) == {"S"}


def test_a_route_that_is_coded_is_said_in_the_words_of_the_reader():
    example = examples.example("running-story")
    for lang, words in (("fr", "orale"), ("en", "oral")):
        sheet = prefill.of_record(example.record, example.day, lang, "allopurinol", "x")
        assert sheet.drugs[0]["route"] == words
    given = report_pages.form(call(example="running-story", drug="apixaban")).values
    assert not given["proposed"]
    assert "pixaban" in given["sheet"].drugs[0]["drug"]
    assert not report_pages.form(call(example="health-worker")).values["proposed"]


def test_a_file_begins_the_form_and_a_bad_one_is_told_at_its_field():
    document = examples.example("running-story").document.encode()
    good = Call(ctx=SimpleNamespace(), on=ON, files=(Upload("file", "r.json", "", document),))  # type: ignore[arg-type]
    assert report_pages.bring(good).values["sheet"].single["sex"] == "F"
    bad = Call(ctx=SimpleNamespace(), on=ON, files=(Upload("file", "r.json", "", b"\xff{"),))  # type: ignore[arg-type]
    view = report_pages.bring(bad)
    assert view.wrong is not None
    assert view.wrong.place == "file"
