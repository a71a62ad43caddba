"""``/api/v1``: a record in, the report of the command line out; records of people and of their programs."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.cli.solutions_for_tests import Calm, Failing
from tests.store.conftest import MovableClock
from tests.web.people import house_of, new_person, signed_in
from tests.web.systems import DAY, FHIR, JSON, PATIENT, Duplicates, bundle, lab, order, with_token

from lab39.store import access, audit, tokens
from lab39.store.access import Level
from lab39.web.api import models
from lab39.web.api.samples import BUNDLE, PACKET

Open = Callable[..., TestClient]
TWICE = bundle(order("m1", "Amoxicilline"), order("m2", "Amoxicilline"))


@pytest.fixture
def client(open_lab: Open) -> TestClient:
    return open_lab(lab=lab(Calm, Duplicates))


def entries(client: TestClient) -> list[Any]:
    with house_of(client).store.reading() as tx:
        return list(reversed(list(audit.entries(tx))))


def kept(client: TestClient, document: Any = TWICE, **params: str) -> dict[str, Any]:
    answer = client.post("/api/v1/records", json=document, params=params)
    assert answer.status_code in (200, 201), answer.text
    return answer.json()


# -- assess --------------------------------------------------------------------------------------------


def test_a_bundle_gives_the_report_of_the_command_line(client: TestClient):
    answer = client.post(f"/api/v1/assess?on={DAY}", json=TWICE)
    assert answer.status_code == 200
    models.Reports.model_validate(answer.json())
    (report,) = answer.json()["reports"]
    here = house_of(client)
    from lab39 import fhir

    expected = here.lab.assess(fhir.record(json.dumps(TWICE)), here.today()).as_dict()
    assert report == json.loads(json.dumps(expected))
    assert [f["code"] for f in report["findings"]] == ["twice", "age"]


@pytest.mark.parametrize("document", [BUNDLE, PACKET, PATIENT], ids=["bundle", "phenopacket", "resource"])
def test_it_reads_what_the_command_line_reads(client: TestClient, document: Any):
    answer = client.post("/api/v1/assess", json=document)
    assert answer.status_code == 200
    assert answer.json()["reports"][0]["on"] == DAY


def test_only_the_named_solutions_are_asked(client: TestClient):
    answer = client.post("/api/v1/assess?only=calm", json=TWICE)
    assert {f["solution"] for f in answer.json()["reports"][0]["findings"]} == {"calm"}
    unknown = client.post("/api/v1/assess?only=nobody", json=TWICE)
    assert unknown.status_code == 404
    assert "calm" in unknown.json()["detail"]


def test_a_solution_that_fails_is_a_finding_and_not_an_error(open_lab: Open):
    answer = open_lab(lab=lab(Failing, Calm)).post("/api/v1/assess", json=TWICE)
    assert answer.status_code == 200
    assert {f["code"] for f in answer.json()["reports"][0]["findings"]} == {"could-not-run", "age"}


def test_every_assessment_is_audited_without_what_is_in_it(client: TestClient):
    raw = json.dumps(TWICE).encode()
    client.post("/api/v1/assess", content=raw, headers=JSON)
    (entry,) = entries(client)
    assert entry.action == "assessment"
    assert entry.about == {
        "door": "rest",
        "bytes": len(raw),
        "sha256": hashlib.sha256(raw).hexdigest(),
        "lab39": entry.about["lab39"],
        "solutions": {"calm": "1", "duplicates": "1"},
    }


def test_nothing_is_answered_when_the_audit_log_cannot_be_written(client: TestClient):
    here = house_of(client)
    with here.store.engine.connect() as tx:
        tx.exec_driver_sql("DROP TRIGGER IF EXISTS audit_tree_keeps_rows_delete")
        tx.exec_driver_sql("DELETE FROM audit_tree")
        tx.commit()
    assert client.post("/api/v1/assess", json=TWICE).status_code >= 400


REFUSED: dict[str, tuple[bytes, dict[str, str], int]] = {
    "another media type": (b"<Bundle/>", {"content-type": "application/fhir+xml"}, 415),
    "a form": (b"a=1", {"content-type": "application/x-www-form-urlencoded"}, 415),
    "no media type": (b"{}", {}, 415),
    "nothing": (b"", JSON, 422),
    "half a document": (b'{"resourceType": "Patient"', JSON, 422),
    "a list": (b"[]", JSON, 422),
    "a key given twice": (b'{"resourceType": "Patient", "resourceType": "Patient"}', JSON, 422),
    "not a number": (b'{"resourceType": "Patient", "x": NaN}', JSON, 422),
    "infinity": (b'{"resourceType": "Patient", "x": -Infinity}', JSON, 422),
    "a number without end": (b'{"resourceType": "Patient", "x": ' + b"9" * 5000 + b"}", JSON, 422),
    "deep nesting": (b'{"resourceType": "Patient", "x": ' + b"[" * 5000 + b"]" * 5000 + b"}", JSON, 422),
    "not UTF-8": (b'{"resourceType": "Patient", "x": "\xff"}', JSON, 422),
    "UTF-16": ('{"resourceType": "Patient"}'.encode("utf-16"), JSON, 422),
    "half a character": (b'{"resourceType": "Patient", "id": "\\ud800"}', JSON, 422),
    "two people": (json.dumps(bundle({**PATIENT, "id": "p2"})).encode(), JSON, 422),
    "no resource": (b'{"resourceType": "Bundle", "type": "collection"}', JSON, 422),
    "another thing": (b'{"hello": 1}', JSON, 422),
}


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.parametrize("path", ["/api/v1/assess", "/fhir/$assess", "/cds-services/lab39-patient-view"])
def test_what_cannot_be_read_is_refused_in_words(client: TestClient, path: str, name: str):
    body, headers, status = REFUSED[name]
    answer = client.post(path, content=body, headers=headers)
    assert answer.status_code == status
    problem = answer.headers["content-type"].startswith("application/problem+json")
    assert problem == path.startswith("/api/")
    said = answer.json()["detail"] if problem else answer.json()["issue"][0]["details"]["text"]
    assert len(said) > 10
    assert entries(client) == []


@pytest.mark.parametrize("path", ["/api/v1/assess", "/fhir/$assess", "/cds-services/lab39-patient-view"])
def test_a_body_over_the_limit_is_refused_announced_or_not(open_lab: Open, path: str):
    client = open_lab(lab=lab(Calm), max_bytes=10_000)
    large = b'{"resourceType": "Patient", "x": "' + b"x" * 20_000 + b'"}'
    assert client.post(path, content=large, headers=JSON).status_code == 413
    streamed = client.post(path, content=iter([large[:9_000], large[9_000:]]), headers=JSON)
    assert streamed.status_code == 413


def test_a_day_is_a_full_date(client: TestClient):
    for wrong in ("0", "20261124", "2026-W48-2", "2026-13-01", "tomorrow"):
        refused = client.post(f"/api/v1/assess?on={wrong}", json=TWICE)
        assert refused.status_code == 422
        assert refused.json()["place"] == "query.on"


def test_errors_speak_the_language_of_the_caller(client: TestClient):
    english = client.post("/api/v1/assess", content=b"[]", headers=JSON | {"accept-language": "en"})
    french = client.post("/api/v1/assess", content=b"[]", headers=JSON)
    assert "object is expected" in english.json()["detail"]
    assert "objet JSON" in french.json()["detail"]


# -- solutions -----------------------------------------------------------------------------------------


def test_the_solutions_and_their_evidence_are_listed(client: TestClient):
    rows = client.get("/api/v1/solutions").json()["solutions"]
    assert [row["id"] for row in rows] == ["calm", "duplicates"]
    assert client.get("/api/v1/solutions/calm").json() == rows[0]
    card = client.get("/api/v1/solutions/calm/evidence").json()
    models.Evidence.model_validate(card)
    assert card["card"]["figures"][0]["synthetic"] is True
    assert client.get("/api/v1/solutions/nobody/evidence").status_code == 404


# -- records -------------------------------------------------------------------------------------------


def test_a_record_is_kept_to_the_byte_assessed_and_audited(client: TestClient):
    person = signed_in(client, "professional")
    text = '{"resourceType":  "Patient", "id":"p1","multipleBirthInteger": 2,\n "x": 7.10}'
    answer = client.post("/api/v1/records?title=Essai", content=text, headers=FHIR)
    assert answer.status_code == 201
    record = answer.json()
    assert answer.headers["location"] == f"/api/v1/records/{record['id']}"
    assert record["title"] == "Essai"
    assert record["level"] == "share"
    document = client.get(f"/api/v1/records/{record['id']}/document")
    assert document.text == text
    assert document.headers["etag"] == '"1"'
    assert [(e.action, e.actor) for e in entries(client)] == [
        ("upload", person.id),
        ("assessment", person.id),
        ("access", person.id),
    ]
    assert len(client.get(f"/api/v1/records/{record['id']}/assessments").json()["assessments"]) == 1


def test_the_same_text_sent_again_makes_no_second_record(client: TestClient):
    signed_in(client, "professional")
    first = client.post("/api/v1/records", json=TWICE)
    second = client.post("/api/v1/records", json=TWICE)
    assert (first.status_code, second.status_code) == (201, 200)
    assert second.json()["id"] == first.json()["id"]


def test_a_newer_version_says_which_one_it_starts_from(client: TestClient):
    signed_in(client, "professional")
    path = f"/api/v1/records/{kept(client)['id']}"
    blind = client.put(f"{path}/document", json=PATIENT)
    assert blind.status_code == 428
    done = client.put(f"{path}/document", json=PATIENT, headers={"if-match": '"1"'})
    assert done.status_code == 200
    assert done.json()["version"] == 2
    stale = client.put(f"{path}/document", json=TWICE, headers={"if-match": '"1"'})
    assert stale.status_code == 409
    assert client.get(f"{path}/document").json() == PATIENT
    assert client.get(f"{path}/document?version=1").json() == TWICE
    assert [v["version"] for v in client.get(f"{path}/versions").json()["versions"]] == [2, 1]


def test_a_finding_is_decided_about_by_its_key(client: TestClient):
    person = signed_in(client, "professional")
    path = f"/api/v1/records/{kept(client)['id']}"
    made = client.post(f"{path}/assessments?only=duplicates")
    assert made.status_code == 201
    models.Assessed.model_validate(made.json())
    assessment, (key,) = made.json()["id"], made.json()["keys"]
    again = client.get(f"{path}/assessments/{assessment}").json()
    assert again == made.json()
    body = {"assessment": assessment, "finding": key, "action": "dismissed", "reason": "Vu avec la patiente"}
    done = client.post(f"{path}/decisions", json=body)
    assert done.status_code == 201
    (decision,) = client.get(f"{path}/decisions").json()["decisions"]
    assert (decision["action"], decision["by"]) == ("dismissed", person.id)
    no_reason = client.post(f"{path}/decisions", json={**body, "reason": ""})
    assert no_reason.status_code == 422
    another = client.post(f"{path}/decisions", json={**body, "finding": "calm.age/"})
    assert another.status_code == 404


def test_an_assessment_is_read_under_its_own_record_only(client: TestClient):
    signed_in(client, "professional")
    first, second = kept(client)["id"], kept(client, bundle())["id"]
    (head,) = client.get(f"/api/v1/records/{first}/assessments").json()["assessments"]
    assert client.get(f"/api/v1/records/{first}/assessments/{head['id']}").status_code == 200
    assert client.get(f"/api/v1/records/{second}/assessments/{head['id']}").status_code == 404


def test_somebody_elses_record_does_not_exist(client: TestClient):
    signed_in(client, "professional")
    record = kept(client)["id"]
    path = f"/api/v1/records/{record}"
    stranger = with_token(client, "professional")
    client.cookies.clear()
    for method, where in [
        ("get", ""),
        ("get", "/document"),
        ("get", "/versions"),
        ("get", "/assessments"),
        ("get", "/decisions"),
        ("delete", ""),
        ("post", "/assessments"),
    ]:
        answer = client.request(method, path + where, headers=stranger)
        assert answer.status_code == 404, where
    put = client.put(f"{path}/document", json=PATIENT, headers=stranger | {"if-match": '"1"'})
    assert put.status_code == 404
    assert client.get("/api/v1/records", headers=stranger).json() == {"records": []}


def test_a_reader_reads_and_changes_nothing(client: TestClient):
    owner = signed_in(client, "professional")
    record = kept(client)["id"]
    here = house_of(client)
    reader = new_person(client, "professional")
    with here.store.writing() as tx:
        access.grant(tx, record, reader.id, Level.READ, by=owner.id, at=here.now())
    signed_in(client, person=reader)
    assert client.get(f"/api/v1/records/{record}").json()["level"] == "read"
    assert client.post(f"/api/v1/records/{record}/assessments").status_code == 403
    put = client.put(f"/api/v1/records/{record}/document", json=PATIENT, headers={"if-match": '"1"'})
    assert put.status_code == 403
    assert client.delete(f"/api/v1/records/{record}").status_code == 403


def test_its_owner_deletes_a_record_and_the_log_keeps_that_it_was(client: TestClient):
    signed_in(client, "professional")
    record = kept(client)["id"]
    assert client.delete(f"/api/v1/records/{record}").status_code == 204
    assert client.get(f"/api/v1/records/{record}").status_code == 404
    assert entries(client)[-1].action == "delete"


# -- who asks ------------------------------------------------------------------------------------------


def test_records_are_for_people_and_the_answer_says_how(client: TestClient):
    answer = client.get("/api/v1/records")
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"


def test_a_program_acts_for_a_person_without_cookie_or_form(client: TestClient):
    headers = with_token(client, "professional")
    made = client.post("/api/v1/records", json=TWICE, headers=headers)
    assert made.status_code == 201
    assert len(client.get("/api/v1/records", headers=headers).json()["records"]) == 1


def test_a_cookie_alone_changes_nothing(client: TestClient):
    signed_in(client, "professional")
    del client.headers["x-form-token"]
    assert client.get("/api/v1/records").status_code == 200
    assert client.post("/api/v1/records", json=TWICE).status_code == 403
    from_elsewhere = client.post("/api/v1/assess", json=TWICE, headers={"sec-fetch-site": "cross-site"})
    assert from_elsewhere.status_code == 403


def test_a_token_that_opens_nothing_is_told_and_never_taken_for_a_visitor(client: TestClient, clock: MovableClock):
    headers = with_token(client, "professional", days=2)
    forged = {"authorization": headers["authorization"][:-3] + "abc"}
    assert client.get("/api/v1/solutions", headers=forged).status_code == 401
    clock.forward(days=3)
    assert client.get("/api/v1/records", headers=headers).status_code == 401


def test_a_revoked_token_opens_nothing(client: TestClient):
    headers = with_token(client, "professional")
    here = house_of(client)
    with here.store.writing() as tx:
        found = tokens.find(tx, headers["authorization"].split()[1], at=here.now())
        assert found is not None
        tokens.revoke(tx, found.id, at=here.now())
    assert client.get("/api/v1/records", headers=headers).status_code == 401


def test_a_token_does_what_its_person_may_and_no_more(client: TestClient):
    assert client.get("/api/v1/records", headers=with_token(client, "start-up")).status_code == 403


# -- the document --------------------------------------------------------------------------------------


def test_the_openapi_document_describes_every_refusal_and_gives_an_example_of_every_body(client: TestClient):
    document = client.get("/api/openapi.json").json()
    assert document["openapi"] == "3.1.0"
    assert set(document["paths"]) >= {"/api/v1/assess", "/fhir/$assess", "/cds-services/{service}"}
    for path, methods in document["paths"].items():
        for method, row in methods.items():
            assert {"500", "503"} <= set(row["responses"]), (path, method)
            assert row["description"], (path, method)
            for content in row.get("requestBody", {"content": {}})["content"].values():
                assert content["examples"], (path, method)
    assert "HTTPValidationError" not in document["components"]["schemas"]
    assert "/solutions" not in document["paths"]


def test_the_page_of_the_document_asks_for_nothing_from_outside(client: TestClient):
    page = client.get("/api/docs", headers={"accept-language": "en"})
    assert page.status_code == 200
    assert "/api/v1/assess" in page.text
    assert "http://" not in page.text.replace("http://terminology.hl7.org", "").replace(
        "http://human-phenotype-ontology.org", ""
    ).replace("http://snomed.info", "").replace("http://lab39.org", "")
    assert "<script>" not in page.text
    assert "style=" not in page.text
