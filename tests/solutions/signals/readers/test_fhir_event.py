"""FHIR AdverseEvent: what is read, and what is written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lab39.core.errors import InputError
from lab39.fhir import jsontext
from lab39.solutions.signals.readers import fhir_event, fhir_write
from lab39.solutions.signals.readers.model import Case, Event, Report
from lab39.solutions.signals.readers.streams import Item

from .conftest import Shelf
from .test_e2b import full_case


def read(document: Any, folder: Path) -> list[Case]:
    file = folder / "in.json"
    file.write_text(document if isinstance(document, str) else jsontext.dumps(document), "utf-8")
    return list(fhir_event.read(Item(file)))


ALONE: dict[str, Any] = {
    "resourceType": "AdverseEvent",
    "id": "ae1",
    "actuality": "actual",
    "event": {
        "coding": [{"system": "http://terminology.hl7.org/CodeSystem/mdr", "code": "10037087"}],
        "text": "Pruritus",
    },
    "subject": {"reference": "#p"},
    "date": "2026-11-02T10:00:00Z",
    "recordedDate": "2026-11-20",
    "seriousness": {"coding": [{"code": "Non-serious"}]},
    "outcome": {"coding": [{"code": "resolved"}]},
    "suspectEntity": [{"instance": {"reference": "#m"}}, {"instance": {"display": "AMOXICILLINE"}}],
    "contained": [
        {"resourceType": "Patient", "id": "p", "gender": "female", "birthDate": "2000-11-02"},
        {
            "resourceType": "Medication",
            "id": "m",
            "code": {"text": "ZECLAR"},
            "ingredient": [{"itemCodeableConcept": {"text": "clarithromycine"}}],
            "batch": {"lotNumber": "L1"},
        },
    ],
}


def test_a_resource_alone_is_a_report(tmp_path: Path) -> None:
    [case] = read(ALONE, tmp_path)
    report = case.report
    assert (report.report_id, report.sex, report.received, report.quarter) == ("ae1", "F", "2026-11-20", "2026Q4")
    assert report.age_years == pytest.approx(26.0, abs=0.01)
    assert (report.serious, report.death) == (False, None)
    assert case.events == (
        Event(event="Pruritus", code="10037087", code_system="MedDRA", onset="2026-11-02", outcome="recovered"),
    )
    assert [(each.drug, each.ingredient, each.lot, each.role) for each in case.drugs] == [
        ("ZECLAR", "clarithromycine", "L1", "S"),
        ("AMOXICILLINE", None, None, "S"),
    ]


def test_an_event_that_could_have_happened_is_no_report(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no AdverseEvent resource"):
        read(ALONE | {"actuality": "potential"}, tmp_path)


def test_one_resource_a_line_gives_one_report_a_line(tmp_path: Path, shelf: Shelf) -> None:
    file = tmp_path / "events.ndjson"
    file.write_text("\n".join(jsontext.dumps(ALONE | {"id": f"ae{i}"}) for i in range(3)))
    shelf.add(file)
    assert shelf.ask("SELECT report_id, line FROM reports") == [("ae0", 1), ("ae1", 2), ("ae2", 3)]


def test_a_line_that_is_not_json_is_an_error_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(InputError) as refused:
        read(jsontext.dumps(ALONE) + '\n{"resourceType": }\n', tmp_path)
    assert refused.value.place.startswith("in.json:2")


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    case = full_case()
    [back] = read(fhir_write.write(case), tmp_path)
    no_place = {"source", "report_type", "age_group", "sender", "sender_case", "narrative", "history"}
    derived = {"life_threatening", "first_received", "event_date", "file", "line"}
    for name in set(Report.__slots__) - no_place - derived:
        assert getattr(back.report, name) == getattr(case.report, name), name
    assert [
        (each.drug, each.ingredient, each.dose, each.route, each.start_date, each.lot) for each in back.drugs
    ] == [
        ("ELIQUIS 5 mg", "apixaban", "5 mg matin et soir", "orale", "2026-10-01", "AB12"),
        ("IBUPROFENE", None, None, None, None, None),
        ("RAMIPRIL", None, None, None, None, None),
    ]
    assert [each.role for each in back.drugs] == ["S", "S", "C"]  # FHIR R4 has no interacting role
    assert [(each.event, each.code, each.onset, each.outcome, each.criteria) for each in back.events] == [
        ("Hématome", "10018852", "2026-11-02", "recovered", "hospitalisation"),
        ("Chute", None, "2026", "unknown", None),
    ]


def test_a_report_not_known_to_be_serious_or_not_says_neither() -> None:
    bundle = fhir_write.write(Case(Report(report_id="1"), events=(Event(event="Fever"),)))
    [told] = [each["resource"] for each in bundle["entry"] if each["resource"]["resourceType"] == "AdverseEvent"]
    assert "seriousness" not in told
    assert "outcome" not in told


def test_a_case_without_a_reaction_cannot_be_written() -> None:
    with pytest.raises(InputError, match="no reaction in this case"):
        fhir_write.write(Case(Report(report_id="1")))
