"""CDS Hooks: who may call, and whom the lab calls back."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, OctKey, RSAKey
from starlette.testclient import TestClient
from tests.cli.solutions_for_tests import Calm
from tests.store.conftest import MovableClock
from tests.web.fhir_server import LocalFhir, searchset
from tests.web.people import house_of
from tests.web.systems import PATIENT, Duplicates, lab, order
from tests.web.test_cds import INSTANCE, VIEW, call, codes, overridden

from lab39.core.errors import InputError
from lab39.settings import Settings
from lab39.store import audit
from lab39.web.api.cds import clients, gathering, servers

Open = Callable[..., TestClient]
EHR = "https://ehr.example.org"
URL = "https://lab.example.org/cds-services/lab39-patient-view"
KEY = ECKey.generate_key("P-384", {"kid": "k1", "use": "sig", "alg": "ES384"})
OTHER = ECKey.generate_key("P-384", {"kid": "k1"})


# -- signed calls --------------------------------------------------------------------------------------


@pytest.fixture
def guarded(open_lab: Open, tmp_path: Path) -> TestClient:
    """A lab that asks for signatures."""
    (tmp_path / "ehr.json").write_text(json.dumps(KeySet([KEY]).as_dict(private=False)))
    (tmp_path / "clients.toml").write_text(f'[[client]]\nissuer = "{EHR}"\njwks = "ehr.json"\n')
    return open_lab(lab=lab(Calm), public_url="https://lab.example.org", cds_clients_file=tmp_path / "clients.toml")


def claims(clock: MovableClock, **changed: Any) -> dict[str, Any]:
    now = int(clock().timestamp())
    found = {"iss": EHR, "aud": URL, "iat": now, "exp": now + 300, "jti": "n1"} | changed
    return {name: value for name, value in found.items() if value is not None}


def signed(payload: dict[str, Any], key: Any = KEY, **header: Any) -> dict[str, str]:
    head = {"alg": "ES384", "kid": "k1", "typ": "JWT"} | header
    token = jwt.encode({k: v for k, v in head.items() if v is not None}, payload, key, algorithms=[head["alg"]])
    return {"authorization": f"Bearer {token}"}


def b64(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def test_a_call_signed_by_a_known_client_is_answered_and_its_name_audited(guarded: TestClient, clock: MovableClock):
    answer = guarded.post(VIEW, json=call("patient-view"), headers=signed(claims(clock)))
    assert codes(answer) == ["calm.age"]
    with house_of(guarded).store.reading() as tx:
        assert [e.about["client"] for e in audit.entries(tx)] == [EHR]


def test_discovery_needs_no_signature(guarded: TestClient):
    assert guarded.get("/cds-services").status_code == 200


@pytest.mark.parametrize(
    "change",
    [
        {"iat": -400, "exp": -100},
        {"iat": 100_000, "exp": 100_300},
        {"exp": 90_000},
        {"exp": None},
        {"iat": None},
        {"exp": "soon"},
        {"exp": True},
        {"aud": "https://elsewhere.example"},
        {"aud": "https://lab.example.org/cds-services/lab39-order-sign"},
        {"aud": None},
        {"aud": 3},
        {"iss": "https://other.example.org"},
        {"iss": None},
        {"jti": None},
        {"jti": ""},
        {"jti": 5},
    ],
    ids=str,
)
def test_claims_that_do_not_hold_are_refused(guarded: TestClient, clock: MovableClock, change: dict[str, Any]):
    now = int(clock().timestamp())
    moved = {
        k: now + v if k in ("exp", "iat") and isinstance(v, int) and not isinstance(v, bool) else v
        for k, v in change.items()
    }
    answer = guarded.post(VIEW, json=call("patient-view"), headers=signed(claims(clock, **moved)))
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.json()["issue"][0]["code"] == "login"


def test_forged_signatures_are_refused(guarded: TestClient, clock: MovableClock):
    payload = claims(clock)
    good = signed(payload)["authorization"].split()[1]
    head, body, mark = good.split(".")
    public = json.dumps(KEY.as_dict(private=False)).encode()
    forged = [
        signed(payload, OTHER)["authorization"],
        signed(payload, RSAKey.generate_key(2048), alg="RS384")["authorization"],
        signed(payload, OctKey.import_key(public), alg="HS256")["authorization"],
        signed(payload, kid=None)["authorization"],
        signed(payload, kid="k2")["authorization"],
        f"Bearer {b64({'alg': 'none', 'kid': 'k1'})}.{b64(payload)}.",
        f"Bearer {head}.{b64({**payload, 'jti': 'n2'})}.{mark}",
        f"Bearer {head}.{body}.{mark[:-4]}AAAA",
        f"Bearer {head}.{body}",
        "Bearer x.y.z",
        f"Bearer {'a' * 10_000}",
        f"Basic {good}",
        "Bearer",
        "",
    ]
    for header in forged:
        answer = guarded.post(VIEW, json=call("patient-view"), headers={"authorization": header})
        assert answer.status_code == 401, header[:60]
    with house_of(guarded).store.reading() as tx:
        assert list(audit.entries(tx)) == []


def test_a_token_is_used_once(guarded: TestClient, clock: MovableClock):
    header = signed(claims(clock))
    assert guarded.post(VIEW, json=call("patient-view"), headers=header).status_code == 200
    again = guarded.post(VIEW, json=call("patient-view"), headers=header)
    assert again.status_code == 401
    assert "jti" in again.text
    feedback = guarded.post(f"{VIEW}/feedback", json=overridden(INSTANCE), headers=header)
    assert feedback.status_code == 401


def test_a_little_skew_of_clocks_is_borne(guarded: TestClient, clock: MovableClock):
    now = int(clock().timestamp())
    late = signed(claims(clock, iat=now - 330, exp=now - 30))
    early = signed(claims(clock, iat=now + 30, jti="n2"))
    assert guarded.post(VIEW, json=call("patient-view"), headers=late).status_code == 200
    assert guarded.post(VIEW, json=call("patient-view"), headers=early).status_code == 200


def test_feedback_is_signed_for_its_own_address_or_that_of_the_service(guarded: TestClient, clock: MovableClock):
    for i, audience in enumerate((URL, [f"{URL}/feedback"])):
        header = signed(claims(clock, aud=audience, jti=f"f{i}"))
        assert guarded.post(f"{VIEW}/feedback", json=overridden(INSTANCE), headers=header).status_code == 200


def test_keys_that_change_in_the_file_are_read_again(guarded: TestClient, clock: MovableClock, tmp_path: Path):
    assert guarded.post(VIEW, json=call("patient-view"), headers=signed(claims(clock))).status_code == 200
    new = ECKey.generate_key("P-384", {"kid": "k9"})
    path = tmp_path / "ehr.json"
    path.write_text(json.dumps(KeySet([new]).as_dict(private=False)))
    header = signed(claims(clock, jti="n9"), new, kid="k9")
    assert guarded.post(VIEW, json=call("patient-view"), headers=header).status_code == 200
    old = signed(claims(clock, jti="n10"))
    assert guarded.post(VIEW, json=call("patient-view"), headers=old).status_code == 401


def _of_url(tmp_path: Path, fetch: Callable[[str], bytes]) -> clients.Clients:
    path = tmp_path / "clients.toml"
    path.write_text(f'[[client]]\nissuer = "{EHR}"\njwks_url = "{EHR}/jwks.json"\n')
    return clients.of(Settings(cds_clients_file=path, public_url="https://lab.example.org"), fetch)


def test_keys_at_an_address_are_asked_for_once_and_again_for_an_unknown_one_but_not_at_will(
    tmp_path: Path, clock: MovableClock
):
    asked: list[str] = []

    def fetch(url: str) -> bytes:
        asked.append(url)
        return json.dumps(KeySet([KEY]).as_dict(private=False)).encode()

    known = _of_url(tmp_path, fetch)
    audiences = frozenset({URL})
    for _ in range(3):
        found = known.check(signed(claims(clock))["authorization"], audiences, clock())
        assert found is not None
        assert found.issuer == EHR
    with pytest.raises(clients.TokenError):
        known.check(signed(claims(clock), OTHER, kid="k2")["authorization"], audiences, clock())
    assert asked == [f"{EHR}/jwks.json"]


def test_keys_that_cannot_be_had_open_nothing(tmp_path: Path, clock: MovableClock):
    def fetch(url: str) -> bytes:
        raise OSError("ConnectError")

    with pytest.raises(clients.TokenError, match="cannot be read"):
        _of_url(tmp_path, fetch).check(signed(claims(clock))["authorization"], frozenset({URL}), clock())


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[[client]]\n",
        f'[[client]]\nissuer = "{EHR}"\n',
        f'[[client]]\nissuer = "{EHR}"\njwks = "a"\njwks_url = "https://a"\n',
        f'[[client]]\nissuer = "{EHR}"\njwks_url = "http://a"\n',
        "client = 3",
        "not toml [",
    ],
)
def test_a_lab_told_to_check_signatures_does_not_start_when_it_cannot(open_lab: Open, tmp_path: Path, text: str):
    path = tmp_path / "clients.toml"
    path.write_text(text)
    with pytest.raises(InputError, match=r"clients\.toml"):
        open_lab(lab=lab(Calm), public_url="https://lab.example.org", cds_clients_file=path)


def test_signatures_are_checked_only_by_a_lab_that_knows_its_own_address(open_lab: Open, tmp_path: Path):
    """Else the caller's Host header would say whom a token is meant for, and a token of another lab would do."""
    path = tmp_path / "clients.toml"
    path.write_text(f'[[client]]\nissuer = "{EHR}"\njwks = "ehr.json"\n')
    with pytest.raises(InputError, match="LAB39_URL"):
        open_lab(lab=lab(Calm), cds_clients_file=path)


# -- calling back --------------------------------------------------------------------------------------

TOKEN = {
    "access_token": "s3cret",
    "token_type": "Bearer",
    "expires_in": 300,
    "scope": "patient/*.read",
    "subject": "lab39",
    "patient": "p1",
}


@pytest.fixture
def ehr() -> Iterator[LocalFhir]:
    with LocalFhir() as running:
        yield running


def bare(server: LocalFhir, **changed: Any) -> dict[str, Any]:
    """A call without prefetch."""
    body = call("patient-view", fhirServer=server.base, fhirAuthorization=dict(TOKEN), **changed)
    del body["prefetch"]
    return body


def test_what_was_not_sent_is_fetched_with_the_token_that_came(open_lab: Open, ehr: LocalFhir):
    client = open_lab(lab=lab(Calm, Duplicates), fhir_servers=(ehr.base,))
    ehr.has("Patient/p1", PATIENT)
    ehr.searches("p1", medicationrequests=[order("m1", "Zinc"), order("m2", "Zinc")])
    assert codes(client.post(VIEW, json=bare(ehr))) == ["duplicates.twice", "calm.age"]
    assert {path for path, _ in ehr.asked} >= {"/fhir/Patient/p1", "/fhir/Condition?patient=p1"}
    assert {headers["authorization"] for _, headers in ehr.asked} == {"Bearer s3cret"}
    assert all("cookie" not in headers for _, headers in ehr.asked)


def test_the_patient_is_fetched_before_anything_else(
    open_lab: Open, ehr: LocalFhir, monkeypatch: pytest.MonkeyPatch
):
    """A large answer about something else, fetched beside it, would otherwise use up what the patient needs."""
    before: list[str] = []

    class Pool(ThreadPoolExecutor):
        def __init__(self, at_once: int) -> None:
            before.extend(path for path, _ in ehr.asked)
            super().__init__(at_once)

    monkeypatch.setattr(gathering, "ThreadPoolExecutor", Pool)
    client = open_lab(lab=lab(Calm), fhir_servers=(ehr.base,))
    ehr.has("Patient/p1", PATIENT)
    ehr.searches("p1")
    assert codes(client.post(VIEW, json=bare(ehr))) == ["calm.age"]
    assert before == ["/fhir/Patient/p1"]


def test_only_what_is_missing_is_fetched(open_lab: Open, ehr: LocalFhir):
    client = open_lab(lab=lab(Calm), fhir_servers=(ehr.base,))
    body = call("patient-view", fhirServer=ehr.base + "/")
    del body["prefetch"]["allergies"]
    ehr.has("AllergyIntolerance?patient=p1", searchset())
    assert codes(client.post(VIEW, json=body)) == ["calm.age"]
    assert [path for path, _ in ehr.asked] == ["/fhir/AllergyIntolerance?patient=p1"]
    assert "authorization" not in ehr.asked[0][1]


def test_a_server_that_is_not_on_the_list_is_never_called(open_lab: Open, ehr: LocalFhir):
    for allowed in ((), ("https://other.example.org/fhir",), (ehr.base + "/sub",)):
        client = open_lab(lab=lab(Calm), fhir_servers=allowed)
        answer = client.post(VIEW, json=bare(ehr))
        assert answer.status_code == 412
        assert "LAB39_FHIR_SERVERS" in answer.text
    assert ehr.asked == []


@pytest.mark.parametrize(
    "climb", ["/../admin", "/./../admin", "/%2e%2e/admin", "/x/..%2f..%2fadmin", "/..\\admin", "/..", "?_page=2"]
)
def test_a_next_page_that_the_caller_sends_never_climbs_out_of_the_server_s_base(
    open_lab: Open, ehr: LocalFhir, climb: str
):
    """Whoever may call the lab would otherwise reach, with a token or none, what the host keeps to itself."""
    client = open_lab(lab=lab(Calm), fhir_servers=(ehr.base,))
    body = call("patient-view", fhirServer=ehr.base)
    body["prefetch"]["conditions"] = searchset() | {"link": [{"relation": "next", "url": ehr.base + climb}]}
    answer = client.post(VIEW, json=body)
    assert "lab39.partial-record" in codes(answer)
    assert [path for path, _ in ehr.asked] == (["/fhir?_page=2"] if climb.startswith("?") else [])


@pytest.mark.parametrize("patient", [".", ".."])
def test_a_patient_whose_identifier_is_a_way_up_is_not_fetched(open_lab: Open, ehr: LocalFhir, patient: str):
    client = open_lab(lab=lab(Calm), fhir_servers=(ehr.base,))
    body = bare(ehr)
    body["context"]["patientId"] = body["fhirAuthorization"]["patient"] = patient
    assert client.post(VIEW, json=body).status_code == 412
    assert all(path.startswith("/fhir/") and "?patient=" in path for path, _ in ehr.asked)


@pytest.mark.parametrize(
    "address",
    [
        "{base}/../admin",
        "{base}@evil.example",
        "{base}.evil.example",
        "{base}?x=",
        "{base}#",
        "HTTP://169.254.169.254/latest",
        "file:///etc/passwd",
        "//127.0.0.1/fhir",
    ],
)
def test_an_address_that_only_looks_like_one_on_the_list_is_never_called(
    open_lab: Open, ehr: LocalFhir, address: str
):
    client = open_lab(lab=lab(Calm), fhir_servers=(ehr.base,))
    body = bare(ehr) | {"fhirServer": address.format(base=ehr.base)}
    assert client.post(VIEW, json=body).status_code == 412
    assert ehr.asked == []


def test_pages_are_followed_on_the_same_server_only(open_lab: Open, ehr: LocalFhir):
    client = open_lab(lab=lab(Duplicates), fhir_servers=(ehr.base,))
    ehr.has("Patient/p1", PATIENT)
    ehr.searches("p1")
    ehr.has("MedicationRequest?patient=p1", searchset(order("m1", "Zinc"), following=f"{ehr.base}?page=2"))
    ehr.answers["/fhir?page=2"] = (200, {}, json.dumps(searchset(order("m2", "Zinc"))).encode())
    assert codes(client.post(VIEW, json=bare(ehr))) == ["duplicates.twice"]
    elsewhere = searchset(order("m1", "Zinc"), following="http://169.254.169.254/latest")
    ehr.has("MedicationRequest?patient=p1", elsewhere)
    ehr.asked.clear()
    assert codes(client.post(VIEW, json=bare(ehr))) == ["lab39.partial-record"]
    assert not any("169.254" in path for path, _ in ehr.asked)


def test_pages_without_end_end(open_lab: Open, ehr: LocalFhir):
    client = open_lab(lab=lab(Calm), fhir_servers=(ehr.base,))
    ehr.has("Patient/p1", PATIENT)
    ehr.searches("p1")
    ehr.has("Condition?patient=p1", searchset(following=f"{ehr.base}/Condition?patient=p1"))
    assert codes(client.post(VIEW, json=bare(ehr))) == ["calm.age", "lab39.partial-record"]
    assert len(ehr.asked) < 40


def test_a_page_that_was_sent_is_continued(open_lab: Open, ehr: LocalFhir):
    client = open_lab(lab=lab(Duplicates), fhir_servers=(ehr.base,))
    body = call("patient-view", fhirServer=ehr.base)
    body["prefetch"]["medicationrequests"] = searchset(order("m1", "Zinc"), following=f"{ehr.base}/more?p=2")
    ehr.has("more?p=2", searchset(order("m2", "Zinc")))
    assert codes(client.post(VIEW, json=body)) == ["duplicates.twice"]


REDIRECT = (302, {"location": "http://169.254.169.254/latest"}, b"")
FAILING: dict[str, tuple[int, dict[str, str], bytes]] = {
    "refused": (403, {}, b"{}"),
    "elsewhere": REDIRECT,
    "broken": (500, {}, b"{}"),
    "not JSON": (200, {}, b"<html>"),
    "not FHIR": (200, {}, b"[]"),
    "too large": (200, {}, b'{"resourceType": "Bundle"}' + b" " * 300_000),
    "a key given twice": (200, {}, b'{"resourceType": "Bundle", "resourceType": "Bundle"}'),
    "cut short": (200, {"content-length": "999"}, b"{"),
}


@pytest.mark.parametrize("name", FAILING)
def test_what_could_not_be_fetched_is_told_and_never_empty(open_lab: Open, ehr: LocalFhir, name: str):
    client = open_lab(lab=lab(Calm), fhir_servers=(ehr.base,), max_bytes=200_000)
    ehr.has("Patient/p1", PATIENT)
    ehr.searches("p1")
    ehr.answers["/fhir/AllergyIntolerance?patient=p1"] = FAILING[name]
    answer = client.post(VIEW, json=bare(ehr), headers={"accept-language": "en"})
    assert codes(answer) == ["calm.age", "lab39.partial-record"]
    assert "allergies: nothing" in answer.text
    ehr.answers["/fhir/Patient/p1"] = FAILING[name]
    refused = client.post(VIEW, json=bare(ehr))
    assert refused.status_code == 412
    assert "s3cret" not in refused.text


def test_a_server_that_does_not_answer_in_time_is_given_up(
    open_lab: Open, ehr: LocalFhir, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(servers, "SECONDS", 0.0)
    client = open_lab(lab=lab(Calm), fhir_servers=(ehr.base,))
    assert client.post(VIEW, json=bare(ehr)).status_code == 412
    assert ehr.asked == []


def test_a_server_that_is_gone_is_told(open_lab: Open):
    with LocalFhir() as ehr:
        pass
    client = open_lab(lab=lab(Calm), fhir_servers=(ehr.base,))
    answer = client.post(VIEW, json=bare(ehr))
    assert answer.status_code == 412
    assert "cannot be reached" in answer.text


def test_another_patients_record_or_token_is_refused(open_lab: Open, ehr: LocalFhir):
    client = open_lab(lab=lab(Calm), fhir_servers=(ehr.base,))
    ehr.has("Patient/p1", {**PATIENT, "id": "p2"})
    ehr.searches("p1")
    assert client.post(VIEW, json=bare(ehr)).status_code == 422
    body = bare(ehr)
    body["fhirAuthorization"]["patient"] = "p2"
    assert client.post(VIEW, json=body).status_code == 422


@pytest.mark.parametrize("token", ["", "a b", "a\r\nx: y", "é", None, 3])
def test_a_token_that_is_no_token_is_refused_before_any_call(open_lab: Open, ehr: LocalFhir, token: Any):
    client = open_lab(lab=lab(Calm), fhir_servers=(ehr.base,))
    body = bare(ehr)
    body["fhirAuthorization"]["access_token"] = token
    assert client.post(VIEW, json=body).status_code == 422
    assert ehr.asked == []


@pytest.mark.parametrize(
    "value",
    ["http://ehr.example.org/fhir", "https://u:p@ehr.example.org", "ehr.example.org", "https://a/?x", "ftp://a"],
)
def test_a_list_of_servers_that_is_not_safe_is_refused_at_the_start(value: str):
    with pytest.raises(ValueError, match="LAB39_FHIR_SERVERS"):
        Settings.from_env({"LAB39_FHIR_SERVERS": value})


def test_the_list_of_servers_and_pages_is_read_from_the_environment():
    found = Settings.from_env(
        {
            "LAB39_FHIR_SERVERS": "https://ehr.example.org/fhir/r4/, http://localhost:8080/fhir",
            "LAB39_CDS_ORIGINS": "https://sandbox.cds-hooks.org",
        }
    )
    assert found.fhir_servers == ("https://ehr.example.org/fhir/r4", "http://localhost:8080/fhir")
    assert found.cds_origins == ("https://sandbox.cds-hooks.org",)
    with pytest.raises(ValueError, match="LAB39_CDS_ORIGINS"):
        Settings.from_env({"LAB39_CDS_ORIGINS": "https://a.example/path"})
