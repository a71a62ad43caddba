"""A solution's own operations: documented, guarded and audited like the lab's own doors."""

from __future__ import annotations

import json

import pytest
from starlette.testclient import TestClient
from tests.web.paged import Failing, Weighing
from tests.web.people import house_of
from tests.web.systems import DAY, FHIR, JSON, bundle, with_token

from lab39.core.lab import Lab
from lab39.store import audit


@pytest.fixture
def client(open_lab, settings) -> TestClient:
    opened: TestClient = open_lab(lab=Lab([Weighing(), Failing()], settings))
    return opened


def weigh(client: TestClient, body: object, **headers: str):
    return client.post("/api/weighing/weigh", content=json.dumps(body), headers=JSON | headers)


def test_a_body_is_read_as_the_type_it_is_declared_as(client):
    answer = weigh(client, {"things": [{"name": "stone", "grams": 3}, {"name": "pen", "grams": 4}], "day": DAY})
    assert answer.json() == {"grams": 7, "on": DAY, "unit": "g"}


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({"things": [{"name": "stone", "grams": "3"}]}, "things.0.grams"),
        ({"things": [{"name": "stone"}]}, "things.0.grams"),
        ({}, "things"),
        ({"things": [], "day": "24/11/2026"}, "day"),
        ({"things": [{"name": "stone", "grams": -1}]}, "things"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_place(client, body, place):
    answer = weigh(client, body)
    assert (answer.status_code, answer.json()["place"]) == (422, place)
    assert answer.headers["content-type"] == "application/problem+json"


def test_the_body_is_strict_json_of_the_lab(client):
    twice = client.post("/api/weighing/weigh", content='{"things": [], "things": []}', headers=JSON)
    assert twice.status_code == 422
    assert (
        client.post("/api/weighing/weigh", content="{}", headers={"content-type": "text/plain"}).status_code == 415
    )


def test_each_call_is_in_the_audit_log_once_and_what_it_held_is_not(client):
    answer = client.post("/api/weighing/record", content=json.dumps(bundle()), headers=FHIR)
    assert answer.json()["codes"] == ["weighed", "weighed"]
    assert answer.json()["born"] == "1944-03-02"
    with house_of(client).store.reading() as tx:
        (entry,) = audit.entries(tx, action="assessment")
    assert entry.about["door"] == "weighing/record"
    assert entry.about["bytes"] == len(json.dumps(bundle()))
    assert "1944" not in json.dumps(dict(entry.about))


def test_a_call_that_is_refused_is_not_in_the_log(client):
    weigh(client, {})
    with house_of(client).store.reading() as tx:
        assert audit.entries(tx, action="assessment") == ()


def test_a_token_acts_for_its_person(client):
    token = with_token(client, "professional")
    authorization = {"authorization": token["authorization"]}
    answer = client.post("/api/weighing/record", content=json.dumps(bundle()), headers=FHIR | authorization)
    with house_of(client).store.reading() as tx:
        (entry,) = audit.entries(tx, action="assessment")
    assert answer.json()["who"] == entry.actor != ""
    assert client.get("/api/weighing/private", headers=authorization).status_code == 200
    assert client.get("/api/weighing/private").status_code == 401


def test_a_parameter_of_the_address_is_checked_by_the_handler(client):
    assert client.get("/api/weighing/units/default?unit=kg").json() == {"unit": "kg"}
    wrong = client.get("/api/weighing/units/default?unit=stone")
    assert (wrong.status_code, wrong.json()["place"]) == (422, "unit")


def test_an_operation_of_fhir_answers_in_the_words_of_fhir(client):
    answer = client.post("/fhir/$weigh-forecast", content='{"resourceType": "Parameters"}', headers=FHIR)
    assert answer.json()["parameter"][0] == {"name": "got", "valueBoolean": True}
    assert answer.headers["content-type"] == "application/fhir+json"
    for body in ("[]", "{}", '{"resourceType": 3}'):
        wrong = client.post("/fhir/$weigh-forecast", content=body, headers=FHIR)
        assert (wrong.status_code, wrong.json()["resourceType"]) == (422, "OperationOutcome")
    rest = client.get("/fhir/metadata").json()["rest"][0]
    definition = "http://example.org/OperationDefinition/weigh-forecast"
    assert {"name": "weigh-forecast", "definition": definition} in rest["operation"]
    assert rest["operation"][0]["name"] == "assess"


@pytest.mark.parametrize("path", ["/api/failing/raises", "/fhir/$raises", "/fhir/$invalid"])
def test_an_operation_that_fails_says_so_in_the_form_of_its_door(client, path: str):
    answer = client.post(path, content='{"resourceType": "Parameters"}', headers=FHIR | {"accept-language": "en"})
    if path.startswith("/api"):
        answer = client.post(path, content="{}", headers=JSON | {"accept-language": "en"})
        told = "failing: this solution could not answer (ZeroDivisionError at paged/operations.py:"
        assert answer.json()["detail"].startswith(told)
    else:
        assert answer.json()["issue"][0]["code"] == "exception"
    assert answer.status_code == 500
    assert "Marqueur" not in answer.text
    assert client.get("/api/v1/solutions").status_code == 200


def test_data_that_is_absent_is_told_as_unavailable(client):
    answer = client.post("/api/failing/absent", content="{}", headers=JSON)
    assert (answer.status_code, answer.json()["detail"]) == (503, "données absentes")


def test_two_solutions_cannot_have_one_operation_of_fhir(open_lab, settings):
    class Same(Weighing):
        id = "same"

    opened = open_lab(lab=Lab([Weighing(), Same()], settings))
    answer = opened.post("/fhir/$weigh-forecast", content='{"resourceType": "Parameters"}', headers=FHIR)
    assert answer.status_code == 200
    assert "/fhir/$weigh-forecast is taken" in opened.get("/solutions/same").text


def test_it_is_documented_like_the_lab_s_own(client):
    document = client.get("/api/openapi.json").json()
    row = document["paths"]["/api/weighing/weigh"]["post"]
    assert row["tags"] == ["Weighing"]
    schema = row["requestBody"]["content"]["application/json"]["schema"]
    assert schema["properties"]["things"]["items"] == {"$ref": "#/components/schemas/WeighingThing"}
    assert document["components"]["schemas"]["WeighingThing"]["required"] == ["name", "grams"]
    assert "Weight" in json.dumps(row["responses"]["200"])
    assert {"422", "415", "500"} <= set(row["responses"])
    private = document["paths"]["/api/weighing/private"]["get"]
    assert private["security"]
    assert "parameters" in document["paths"]["/api/weighing/units/default"]["get"]
    page = client.get("/api/docs").text
    assert "/api/weighing/weigh" in page
