"""Vaccination for programs: the operation of the ImmDS guide, and what is due as plain JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.solutions.vaccination import releases
from tests.solutions.vaccination.records import CVX, PERSON, bundle, condition, immunization
from tests.web.systems import FHIR

from lab39.core.lab import Lab
from lab39.fhir import outputs
from lab39.solutions.vaccination.fhir_out import DATES, FORECASTS, REASON, WAITS
from lab39.solutions.vaccination.solution import Vaccination

STATUS = "http://terminology.hl7.org/CodeSystem/immunization-recommendation-status"
DOSE = "http://terminology.hl7.org/CodeSystem/immunization-evaluation-dose-status"


@pytest.fixture
def lab(settings, tmp_path: Path) -> Lab:
    """With two editions of a made-up schedule, the newest used."""
    made = Lab([Vaccination()], settings)
    made.packs.import_files("cdsi", [releases.write(tmp_path / "cdsi-4.63", "12 weeks")])
    made.packs.import_files("cdsi", [releases.write(tmp_path / "cdsi-4.64")])
    return made


@pytest.fixture
def client(open_lab, lab) -> TestClient:
    opened: TestClient = open_lab(lab=lab)
    opened.headers["accept-language"] = "en"
    return opened


def parameters(*more: dict[str, Any], on: str = "2025-04-10", person: dict[str, Any] = PERSON) -> dict[str, Any]:
    rows = [
        {"name": "assessmentDate", "valueDate": on},
        {"name": "patient", "resource": person},
        {"name": "schedule", "valueString": "cdsi"},
        *more,
    ]
    return {"resourceType": "Parameters", "parameter": rows}


def given(day: str, code: str = "901", **more: Any) -> dict[str, Any]:
    return {"name": "immunization", "resource": immunization(day, code, **more)}


def ask(client: TestClient, body: object):
    return client.post("/fhir/$immds-forecast", content=json.dumps(body), headers=FHIR)


def parts(answer, name: str) -> list[dict[str, Any]]:
    assert answer.status_code == 200, answer.text
    return [row["resource"] for row in answer.json()["parameter"] if row["name"] == name]


def code_of(concept: dict[str, Any], system: str) -> str | None:
    return next((row["code"] for row in concept["coding"] if row["system"] == system), None)


def test_nothing_given_is_forecast(client):
    answer = ask(client, parameters())
    assert parts(answer, "evaluation") == []
    (found,) = parts(answer, "recommendation")
    outputs.validate(found)
    assert (found["patient"], found["date"]) == ({"reference": "Patient/p"}, "2025-04-10")
    (row,) = found["recommendation"]
    dates = {each["code"]["coding"][0]["code"]: each["value"] for each in row["dateCriterion"]}
    assert dates == {"30981-5": "2025-03-14", "30980-7": "2025-03-31", "59778-1": "2025-04-30"}
    assert (row["doseNumberPositiveInt"], row["seriesDosesPositiveInt"]) == (1, 2)
    assert row["vaccineCode"][0]["coding"][0]["system"] == CVX
    assert row["vaccineCode"][0]["coding"][0]["code"] == "901"
    assert row["targetDisease"]["coding"][0]["code"] == "A"
    assert code_of(row["forecastStatus"], "http://hl7.org/fhir/us/immds/CodeSystem/ForecastStatus") == "notComplete"
    assert code_of(row["forecastStatus"], STATUS) == "due"
    assert "4.64" in found["authority"]["display"]


def test_what_is_late_is_overdue_and_what_comes_is_neither(client):
    for on, status in (("2025-05-01", "overdue"), ("2025-04-30", "due"), ("2025-03-30", None)):
        (found,) = parts(ask(client, parameters(on=on)), "recommendation")
        assert code_of(found["recommendation"][0]["forecastStatus"], STATUS) == status, on


def ill(code: str, name: str, onset: str | None = "2025-04-09") -> dict[str, Any]:
    resource = condition("http://hl7.org/fhir/sid/icd-10", code, id="ill")
    resource["code"]["text"] = name
    return {"name": "condition", "resource": resource | ({"onsetDateTime": onset} if onset else {})}


@pytest.mark.parametrize("on", ["2025-04-10", "2025-05-01"])
def test_in_an_acute_illness_what_is_due_waits_and_says_until_when(client, on):
    answer = ask(client, parameters(ill("J18.9", "Pneumonia", on), on=on))
    (found,) = parts(answer, "recommendation")
    outputs.validate(found)
    (row,) = found["recommendation"]
    status = row["forecastStatus"]
    assert code_of(status, "http://hl7.org/fhir/us/immds/CodeSystem/ForecastStatus") == "notComplete"
    assert code_of(status, STATUS) is None, "neither due nor overdue while it waits"
    reason = row["forecastReason"][0]
    assert code_of(reason, REASON) == WAITS
    assert reason["text"].startswith("Once the acute illness is over. The record notes: Pneumonia")
    assert "Red Book 2018" in reason["text"]
    assert row["supportingPatientInformation"] == [{"reference": "Condition/ill"}]
    dates = {each["code"]["coding"][0]["code"]: each["value"] for each in row["dateCriterion"]}
    assert dates["30980-7"] == "2025-03-31", "the dates of the schedule stay what they are"


def test_what_cannot_be_given_yet_does_not_wait_for_the_end_of_an_illness(client):
    (found,) = parts(
        ask(client, parameters(ill("J18.9", "Pneumonia", "2025-03-01"), on="2025-03-02")), "recommendation"
    )
    assert "forecastReason" not in found["recommendation"][0]


def test_an_illness_in_doubt_leaves_doses_due_and_is_an_issue(client):
    answer = ask(client, parameters(ill("J18.9", "Pneumonia", None)))
    (found,) = parts(answer, "recommendation")
    assert code_of(found["recommendation"][0]["forecastStatus"], STATUS) == "due"
    (issues,) = parts(answer, "issues")
    outputs.validate(issues)
    asked = [each for each in issues["issue"] if "Pneumonia, undated" in json.dumps(each)]
    assert [each["severity"] for each in asked] == ["warning"]


def test_with_the_french_schedule_a_fever_makes_every_dose_wait(client):
    body = parameters(ill("R50.9", "Fever"))
    body["parameter"][2]["valueString"] = "france"
    (found,) = parts(ask(client, body), "recommendation")
    outputs.validate(found)
    said = [code_of(row["forecastStatus"], STATUS) for row in found["recommendation"]]
    assert not {"due", "overdue"} & set(said)
    waits = [row for row in found["recommendation"] if WAITS in json.dumps(row.get("forecastReason", ""))]
    assert len(waits) > 1


def test_each_dose_is_evaluated_for_each_disease(client):
    answer = ask(client, parameters(given("2025-03-01", id="early"), given("2025-03-31", id="good")))
    early, good = parts(answer, "evaluation")
    for each in (early, good):
        outputs.validate(each)
        assert each["status"] == "completed"
        assert each["targetDisease"]["coding"][0]["code"] == "A"
        assert each["series"] == "A 2-dose series"
    assert early["immunizationEvent"] == {"reference": "Immunization/early"}
    assert code_of(early["doseStatus"], DOSE) == "notvalid"
    assert early["doseStatusReason"][0]["text"] == "given too young"
    assert (code_of(good["doseStatus"], DOSE), good["doseNumberPositiveInt"]) == ("valid", 1)
    (found,) = parts(answer, "recommendation")
    assert found["recommendation"][0]["supportingImmunization"] == [{"reference": "Immunization/good"}]
    assert found["recommendation"][0]["doseNumberPositiveInt"] == 2


def test_an_expired_lot_is_its_reason(client):
    (found,) = parts(ask(client, parameters(given("2025-03-31", expirationDate="2025-03-30"))), "evaluation")
    assert found["doseStatusReason"][0]["coding"][0]["code"] == "expired"


def test_a_dose_without_an_id_is_kept_inside_its_evaluation(client):
    (found,) = parts(ask(client, parameters(given("2025-03-31"))), "evaluation")
    outputs.validate(found)
    (inside,) = found["contained"]
    assert found["immunizationEvent"] == {"reference": f"#{inside['id']}"}
    assert inside["occurrenceDateTime"] == "2025-03-31"


def test_conditions_beyond_the_guide_are_used(client, lab, tmp_path):
    crosswalk = tmp_path / "crosswalk.json"
    crosswalk.write_text(json.dumps({"001": {"SNOMED": [{"code": "42", "text": "x"}]}}))
    lab.packs.import_files("cdsi", [releases.write(tmp_path / "cdsi-4.65"), crosswalk])
    found = {"resourceType": "Condition", "code": {"coding": [{"system": "http://snomed.info/sct", "code": "42"}]}}
    (row,) = parts(ask(client, parameters({"name": "condition", "resource": found})), "recommendation")
    status = row["recommendation"][0]["forecastStatus"]
    assert code_of(status, STATUS) == "contraindicated"
    assert "dateCriterion" not in row["recommendation"][0]


def test_what_could_not_be_used_is_said_with_its_place(client):
    answer = ask(
        client,
        parameters(
            given("2025-03", id="partial"),
            given("2025-03-31", "999", id="unknown"),
            {"name": "colour", "valueCode": "x"},
        ),
    )
    (issues,) = parts(answer, "issues")
    outputs.validate(issues)
    rows = {row["expression"][0]: row["details"]["text"] for row in issues["issue"]}
    assert "the day is missing" in rows["Immunization/partial"]
    assert "unknown to the schedule cdsi" in rows["Immunization/unknown"]
    assert "colour" in rows["Parameters.parameter[5]"]
    assert len(parts(answer, "recommendation")) == 1


def test_a_doubt_of_the_record_is_placed_among_the_parameters(client):
    odd = immunization("31/03/2025", id="odd")
    (issues,) = parts(ask(client, parameters({"name": "immunization", "resource": odd})), "issues")
    assert "Parameters.parameter[3].resource.occurrenceDateTime" in {
        row["expression"][0] for row in issues["issue"]
    }


def test_an_edition_is_chosen_and_a_new_one_is_used_at_once(client, lab, tmp_path):
    body = parameters()
    body["parameter"][2]["valueString"] = "cdsi@4.63"
    (old,) = parts(ask(client, body), "recommendation")
    assert old["recommendation"][0]["dateCriterion"][0]["value"] == "2025-04-25"
    releases_65 = releases.write(tmp_path / "cdsi-4.65", "9 weeks")
    Lab([Vaccination()], lab.settings).packs.import_files("cdsi", [releases_65])  # another process
    (new,) = parts(ask(client, parameters()), "recommendation")
    assert new["recommendation"][0]["dateCriterion"][0]["value"] == "2025-04-04"
    assert "4.65" in new["authority"]["display"]


@pytest.mark.parametrize(
    ("body", "place", "said"),
    [
        ({"resourceType": "Patient"}, "resourceType", "a Parameters resource is expected"),
        ({"resourceType": "Parameters"}, "assessmentDate", "no assessment date"),
        (parameters(on="2025-04"), "Parameters.parameter[0].valueDate", "a whole date is expected"),
        (
            parameters({"name": "assessmentDate", "valueDate": "2025-04-10"}),
            "Parameters.parameter[3]",
            "given twice",
        ),
        (parameters({"name": "patient", "resource": PERSON}), "patient", "one patient is expected, 2 given"),
        (
            {"resourceType": "Parameters", "parameter": [{"name": "assessmentDate", "valueDate": "2025-04-10"}]},
            "patient",
            "one patient is expected, 0 given",
        ),
        (
            parameters({"name": "immunization", "resource": PERSON}),
            "Parameters.parameter[3].resource",
            "Immunization",
        ),
        (parameters(person=PERSON | {"birthDate": "2025"}), "Patient.birthDate", "a whole birth date is needed"),
        (parameters({"name": "schedule", "valueString": "x"}), "Parameters.parameter[3]", "given twice"),
    ],
)
def test_what_cannot_be_answered_is_an_outcome_with_its_place(client, body, place, said):
    answer = ask(client, body)
    assert (answer.status_code, answer.json()["resourceType"]) == (422, "OperationOutcome")
    told = answer.json()["issue"][0]["details"]["text"]
    assert place in told
    assert said in told


def test_an_unknown_schedule_is_refused_with_those_there_are(client):
    body = parameters()
    body["parameter"][2]["valueString"] = "mars"
    answer = ask(client, body)
    assert answer.status_code in (404, 422)
    assert "france, cdsi, who-cdsi" in answer.json()["issue"][0]["details"]["text"]


def test_the_operation_is_named_with_its_definition(client):
    rows = client.get("/fhir/metadata").json()["rest"][0]["operation"]
    definition = "http://hl7.org/fhir/us/immds/OperationDefinition/ImmDSForecastOperation"
    assert {"name": "immds-forecast", "definition": definition} in rows


def test_what_is_due_as_plain_json(client):
    body = json.dumps(bundle(immunization("2025-03-31", id="d1", primarySource=False), immunization("2025-04")))
    answer = client.post("/api/vaccination/due?on=2025-04-10&schedule=cdsi@4.64", content=body, headers=FHIR)
    found = answer.json()
    assert (found["schedule"], found["edition"], found["on"]) == ("cdsi", "4.64", "2025-04-10")
    assert [(dose["status"], dose["reported"]) for dose in found["doses"]] == [("Valid", True)]
    assert found["groups"][0]["recommended"] == "2025-05-31"
    assert found["issues"][0]["code"] == "incomplete"
    wrong = client.post("/api/vaccination/due?on=soon", content=body, headers=FHIR)
    assert (wrong.status_code, wrong.json()["place"]) == (422, "on")


def test_the_french_schedule_answers_without_any_pack(open_lab, settings):
    opened = open_lab(lab=Lab([Vaccination()], settings))
    body = parameters(
        {
            "name": "immunization",
            "resource": immunization(
                "2025-03-31", "VAC0510", "http://smt.esante.gouv.fr/terminologie-nuva", id="h"
            ),
        }
    )
    body["parameter"][2]["valueString"] = "france"
    answer = ask(opened, body)
    (found,) = parts(answer, "recommendation")
    outputs.validate(found)
    assert len(parts(answer, "evaluation")) >= 5  # a hexavalent vaccine
    assert len(found["recommendation"]) > 1


def test_every_status_has_its_codes():
    from lab39.solutions.vaccination.outcome import SeriesStatus

    assert set(FORECASTS) == set(SeriesStatus)
    assert list(DATES) == ["earliest", "recommended", "past_due", "latest"]
