"""``/fhir``: FHIR in, FHIR out, FHIR when something is refused."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.cli.solutions_for_tests import SOURCE, Calm, Failing
from tests.web.systems import DAY, FHIR, JSON, PATIENT, Duplicates, bundle, lab, order

from lab39.core.finding import Finding, Reason, Severity
from lab39.core.text import Text
from lab39.fhir import jsontext, outputs

Open = Callable[..., TestClient]
TWICE = bundle(order("m1", "Amoxicilline"), order("m2", "Amoxicilline"))


@pytest.fixture
def client(open_lab: Open) -> TestClient:
    return open_lab(lab=lab(Calm, Duplicates))


def outcome(answer: Any) -> dict[str, Any]:
    """The one issue of an OperationOutcome, valid R4."""
    assert answer.headers["content-type"] == "application/fhir+json"
    body = answer.json()
    outputs.validate(body)
    assert body["resourceType"] == "OperationOutcome"
    return body["issue"][0]


def codes(answer: Any) -> list[str]:
    """The kinds of findings in a Bundle."""
    assert answer.status_code == 200, answer.text
    rows = [entry["resource"] for entry in answer.json()["entry"]]
    return [row["code"]["coding"][0]["code"] for row in rows if row["resourceType"] == "DetectedIssue"]


def test_the_server_says_what_it_can_do_in_valid_r4(client: TestClient):
    answer = client.get("/fhir/metadata")
    assert answer.headers["content-type"] == "application/fhir+json"
    statement = answer.json()
    outputs.validate(statement)
    assert statement["fhirVersion"] == "4.0.1"
    (operation,) = statement["rest"][0]["operation"]
    assert operation["definition"] == "http://testserver/fhir/OperationDefinition/lab39-assess"
    definition = client.get(operation["definition"])
    outputs.validate(definition.json())


def test_its_address_is_the_public_one_when_the_lab_has_one(open_lab: Open):
    statement = open_lab(lab=lab(Calm), public_url="https://lab.example.org").get("/fhir/metadata").json()
    assert statement["implementation"]["url"] == "https://lab.example.org/fhir"


def test_a_bundle_gives_a_valid_bundle_of_findings(client: TestClient):
    answer = client.post(f"/fhir/$assess?on={DAY}", json=TWICE, headers=FHIR)
    assert answer.headers["content-type"] == "application/fhir+json"
    outputs.validate(jsontext.loads(answer.content))
    assert codes(answer) == ["duplicates.twice", "calm.age"]
    assert answer.json()["entry"][-1]["resource"]["resourceType"] == "Provenance"


def test_parameters_carry_the_record_the_day_and_the_solutions(client: TestClient):
    parameters = {
        "resourceType": "Parameters",
        "parameter": [
            {"name": "record", "resource": TWICE},
            {"name": "on", "valueDate": "2026-11-20"},
            {"name": "only", "valueCode": "calm"},
            {"name": "lang", "valueCode": "en"},
        ],
    }
    answer = client.post("/fhir/$assess", json=parameters, headers=FHIR)
    assert codes(answer) == ["calm.age"]
    assert answer.json()["entry"][0]["resource"]["language"] == "en"


@pytest.mark.parametrize(
    "parameter",
    [
        {"name": "on", "valueDate": "2026"},
        {"name": "on", "valueString": "2026-11-20"},
        {"name": "lang", "valueCode": "de"},
        {"name": "unknown", "valueCode": "x"},
        {"name": "record", "resource": PATIENT},
        {},
    ],
)
def test_a_parameter_that_is_not_understood_is_refused_never_skipped(client: TestClient, parameter: Any):
    rows = [{"name": "record", "resource": TWICE}, parameter]
    answer = client.post("/fhir/$assess", json={"resourceType": "Parameters", "parameter": rows}, headers=FHIR)
    assert answer.status_code == 422
    assert "parameter[1]" in outcome(answer)["diagnostics"]


def test_parameters_without_a_record_are_refused(client: TestClient):
    for body in ({"resourceType": "Parameters"}, {"resourceType": "Parameters", "parameter": []}):
        answer = client.post("/fhir/$assess", json=body, headers=FHIR)
        assert answer.status_code == 422
        outcome(answer)


class Exact(Calm):
    """Gives back a decimal of the record in a resource of its own."""

    id = "exact"

    def assess(self, record: Any, on: Any, ctx: Any) -> Iterable[Finding]:
        (seen,) = record.observations()
        yield Finding(
            code="seen",
            severity=Severity.INFO,
            summary=Text("vu", "seen"),
            reasons=(Reason("exact.seen", Text("vu", "seen"), SOURCE),),
            payload={"raw": dict(seen.raw["valueQuantity"])},
        )

    def to_fhir(self, finding: Finding, subject: str, lang: str) -> Any:
        return {
            "resourceType": "Observation",
            "status": "final",
            "code": {"text": "echo"},
            "subject": {"reference": subject},
            "valueQuantity": finding.payload["raw"],
        }


def test_decimals_keep_their_digits_in_and_out(open_lab: Open):
    seen = {"resourceType": "Observation", "status": "final", "code": {"text": "HbA1c"}, "valueQuantity": "HERE"}
    text = json.dumps(bundle(seen)).replace('"HERE"', '{"value": 7.10, "unit": "%"}')
    answer = open_lab(lab=lab(Exact)).post("/fhir/$assess", content=text, headers=FHIR)
    assert '"value": 7.10' in answer.text


def test_a_solution_that_fails_is_in_the_bundle(open_lab: Open):
    answer = open_lab(lab=lab(Failing)).post("/fhir/$assess", json=TWICE, headers=FHIR)
    assert codes(answer) == ["failing.could-not-run"]


@pytest.mark.parametrize("accept", ["application/fhir+json", "application/json", "*/*", "text/html, */*;q=0.1", ""])
def test_who_reads_json_is_answered(client: TestClient, accept: str):
    assert client.get("/fhir/metadata", headers={"accept": accept}).status_code == 200


@pytest.mark.parametrize("accept", ["application/fhir+xml", "text/turtle", "application/json;q=0"])
def test_who_reads_only_something_else_is_told(client: TestClient, accept: str):
    answer = client.get("/fhir/metadata", headers={"accept": accept})
    assert answer.status_code == 406
    assert outcome(answer)["code"] == "not-supported"


def test_the_format_in_the_address_counts_more_than_the_header(client: TestClient):
    assert client.get("/fhir/metadata?_format=json", headers={"accept": "text/html"}).status_code == 200
    assert client.get("/fhir/metadata?_format=application/fhir+json").status_code == 200
    assert client.get("/fhir/metadata?_format=xml").status_code == 406


def test_every_refusal_is_an_operation_outcome(client: TestClient, open_lab: Open, monkeypatch: Any):
    assert outcome(client.get("/fhir/Patient/1"))["code"] == "not-found"
    method = client.get("/fhir/$assess")
    assert method.status_code == 405
    assert method.headers["allow"] == "POST"
    assert outcome(method)["code"] == "not-supported"
    assert outcome(client.post("/fhir/$assess", content=b"x"))["code"] == "not-supported"
    assert outcome(client.post("/fhir/$assess", content=b"x", headers=JSON))["code"] == "invalid"
    assert outcome(client.post("/fhir/$assess?on=x", json=TWICE))["code"] == "invalid"
    small = open_lab(lab=lab(Calm), max_bytes=100)
    large = small.post("/fhir/$assess", json=TWICE)
    assert (large.status_code, outcome(large)["code"]) == (413, "too-long")


def test_a_defect_of_the_lab_is_an_operation_outcome_without_a_traceback(open_lab: Open, monkeypatch: Any):
    client = open_lab(lab=lab(Calm))

    def broken(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError("marked health data")

    monkeypatch.setattr(outputs, "bundle", broken)
    answer = client.post("/fhir/$assess", json=TWICE)
    assert answer.status_code == 500
    assert outcome(answer)["code"] == "exception"
    assert "marked" not in answer.text
