"""Sign-in with an account elsewhere, with an issuer on this machine that lies in every way a token can."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher
from starlette.testclient import TestClient
from tests.store.conftest import MovableClock
from tests.web.issuer import CLIENT, PSC, RPPS, SECRET, Issuer, confused, new_ec, new_rsa, unsigned
from tests.web.people import DOMAIN, fields, form, house_of, new_person, signed_in

from lab39.core.errors import InputError
from lab39.settings import Settings
from lab39.store import audit, credentials, people
from lab39.store.credentials import hash_password, set_password
from lab39.store.people import Person, Role
from lab39.web.signin import codes, psc
from lab39.web.signin.providers import providers

GOOD = "correct cheval agrafe"
CONFIGURED = """
[provider.psc]
title = "Pro Santé Connect"
issuer = "{url}"
client_id = "{client}"
client_secret_file = "{secret}"
scope = "openid scope_all"
claims = "pro-sante-connect"
admits = "professionals"
acr = ["eidas1"]

[provider.house]
title = "Hôpital"
issuer = "{url}"
client_id = "{client}"
client_secret_file = "{secret}"
"""


@pytest.fixture(autouse=True)
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    hasher = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
    monkeypatch.setattr(credentials, "_hasher", lambda: hasher)


@pytest.fixture
def issuer(clock: MovableClock) -> Iterator[Issuer]:
    made = Issuer(int(clock().timestamp()))
    yield made
    made.close()


@pytest.fixture
def oidc_file(issuer: Issuer, tmp_path: Path) -> Path:
    secret = tmp_path / "client.secret"
    secret.write_text(SECRET + "\n")
    path = tmp_path / "oidc.toml"
    path.write_text(CONFIGURED.format(url=issuer.url, client=CLIENT, secret=secret))
    return path


@pytest.fixture
def browser(open_lab, oidc_file: Path) -> TestClient:
    client: TestClient = open_lab(oidc_file=oidc_file, public_url="http://testserver")
    new_person(client, "manager")  # somebody is here already
    return client


def come_back(browser: TestClient, issuer: Issuer, provider: str = "psc", **changed: str) -> Any:
    """Set out, sign in at the issuer, come back."""
    address = browser.get(f"/sign-in/with/{provider}").headers["location"]
    given = issuer.sign_in(address) | changed
    return browser.get(f"/sign-in/with/{provider}/back", params=given)


def refused(browser: TestClient, response: Any, why: str) -> None:
    """A clear page, nobody let in, one word in the log."""
    assert response.status_code == 401, response.text
    assert 'role="alert"' in response.text
    assert browser.get("/account").status_code == 303
    with house_of(browser).store.reading() as tx:
        entry = audit.entries(tx, action="sign-in-refused")[0]
    assert entry.about["why"] == why


def everyone(browser: TestClient) -> list[Person]:
    with house_of(browser).store.reading() as tx:
        return [each for each in people.everyone(tx) if Role.MANAGER not in each.roles]


def test_a_professional_comes_in_with_what_the_issuer_asserts(browser, issuer):
    response = come_back(browser, issuer)
    assert response.status_code == 303
    assert response.headers["location"] == "/records"
    page = browser.get("/account").text
    assert "Sophie Leclerc" in page
    assert RPPS in page
    (person,) = everyone(browser)
    assert person.roles == {Role.PROFESSIONAL}
    assert person.email is None, "an address told elsewhere is nobody's proof here"
    with house_of(browser).store.reading() as tx:
        (profession,) = people.professions_of(tx, person.id)
        assert (profession.system, profession.number, profession.profession) == ("rpps", RPPS, "10")
        assert profession.asserted_by == issuer.url
        assert audit.entries(tx, action="sign-in")[0].about == {"with": "psc"}


def test_the_second_time_it_is_the_same_person(browser, issuer):
    come_back(browser, issuer)
    browser.cookies.clear()
    come_back(browser, issuer)
    assert len(everyone(browser)) == 1


def test_endpoints_and_keys_are_asked_for_once_an_hour(browser, issuer, clock):
    come_back(browser, issuer)
    come_back(browser, issuer)
    assert issuer.seen.count("/keys") == 1
    clock.forward(minutes=61)
    issuer.now = int(clock().timestamp())
    come_back(browser, issuer)
    assert issuer.seen.count("/keys") == 2


def test_keys_that_the_issuer_renewed_are_asked_for_again_but_not_at_every_token(browser, issuer, clock):
    come_back(browser, issuer)
    issuer.key = new_rsa("two")
    issuer.published.append(issuer.key)
    clock.forward(minutes=2)
    assert come_back(browser, issuer).status_code == 303
    issuer.key = new_rsa("three")
    browser.cookies.clear()
    refused(browser, come_back(browser, issuer), "key")
    asked = issuer.seen.count("/keys")
    refused(browser, come_back(browser, issuer), "key")
    assert issuer.seen.count("/keys") == asked


def test_a_key_pair_on_a_curve_signs_as_well(browser, issuer):
    issuer.key = new_ec("curve")
    issuer.published = [issuer.key]
    assert come_back(browser, issuer).status_code == 303


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"iss": "https://evil.example"}, "iss"),
        ({"iss": None}, "iss"),
        ({"aud": "another client"}, "aud"),
        ({"aud": ["another client"]}, "aud"),
        ({"aud": None}, "aud"),
        ({"aud": [CLIENT, "another client"]}, "azp"),
        ({"aud": [CLIENT, "another client"], "azp": "another client"}, "azp"),
        ({"azp": "another client"}, "azp"),
        ({"nonce": "another sign-in's"}, "nonce"),
        ({"nonce": None}, "nonce"),
        ({"exp": 1}, "exp"),
        ({"exp": None}, "exp"),
        ({"exp": "later"}, "exp"),
        ({"iat": 9_999_999_999}, "iat"),
        ({"iat": None}, "iat"),
        ({"nbf": 9_999_999_999}, "nbf"),
        ({"sub": None}, "sub"),
        ({"sub": ""}, "sub"),
        ({"sub": 7}, "sub"),
        ({"sub": "x" * 256}, "sub"),
        ({"sub": "somebody else"}, "userinfo"),
        ({"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"}, "at_hash"),
        ({"acr": "eidas0"}, "acr"),
        ({"acr": None}, "acr"),
    ],
    ids=repr,
)
def test_a_token_that_says_something_wrong_is_refused(browser, issuer, said: dict[str, Any], why: str):
    issuer.said = said
    refused(browser, come_back(browser, issuer), why)
    assert everyone(browser) == []


def test_clocks_may_differ_by_a_minute_and_no_more(browser, issuer):
    issuer.said = {"exp": issuer.now - 59, "iat": issuer.now + 59}
    assert come_back(browser, issuer).status_code == 303
    browser.cookies.clear()
    issuer.said = {"exp": issuer.now - 61}
    refused(browser, come_back(browser, issuer), "exp")


def test_nobody_signs_with_no_algorithm(browser, issuer):
    issuer.forge = unsigned
    refused(browser, come_back(browser, issuer), "algorithm")


def test_the_public_key_is_not_taken_for_a_shared_secret(browser, issuer):
    issuer.forge = lambda claims: confused(issuer.key, claims)
    refused(browser, come_back(browser, issuer), "algorithm")


def test_another_key_of_the_same_name_signs_nothing(browser, issuer):
    issuer.key = new_rsa("one")
    refused(browser, come_back(browser, issuer), "signature")


def test_a_key_that_the_token_brings_itself_is_not_used(browser, issuer):
    issuer.key = new_rsa("mine")
    issuer.header = {"jwk": issuer.key.as_dict(private=False), "kid": None}
    refused(browser, come_back(browser, issuer), "signature")


def test_a_token_that_names_no_key_is_not_tried_against_each(browser, issuer):
    issuer.published.append(new_rsa("two"))
    issuer.header = {"kid": None}
    refused(browser, come_back(browser, issuer), "key")


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "e30.e30.e30", "..", "é.é.é"])
def test_what_is_no_token_is_refused(browser, issuer, token: str):
    issuer.token = token or "."
    refused(browser, come_back(browser, issuer), "token")


def test_a_changed_token_is_refused(browser, issuer):
    signed = issuer.signed("x")
    head, body, mark = signed.split(".")
    issuer.token = f"{head}.{body[:-4]}AAAA.{mark}"
    refused(browser, come_back(browser, issuer), "signature")


def test_coming_back_twice_with_the_same_address_is_refused(browser, issuer):
    address = browser.get("/sign-in/with/psc").headers["location"]
    given = issuer.sign_in(address)
    kept = dict(browser.cookies)
    assert browser.get("/sign-in/with/psc/back", params=given).status_code == 303
    browser.cookies.clear()
    refused(browser, browser.get("/sign-in/with/psc/back", params=given), "state")
    browser.cookies.set("lab39_oidc", kept["lab39_oidc"], domain=DOMAIN)
    refused(browser, browser.get("/sign-in/with/psc/back", params=given), "code")


def test_an_address_that_another_browser_set_out_with_is_refused(browser, issuer, open_lab, oidc_file):
    eve = open_lab(oidc_file=oidc_file, public_url="http://testserver")
    given = issuer.sign_in(eve.get("/sign-in/with/psc").headers["location"])
    refused(browser, browser.get("/sign-in/with/psc/back", params=given), "state")
    browser.get("/sign-in/with/psc")
    refused(browser, browser.get("/sign-in/with/psc/back", params=given), "state")


def test_the_code_of_another_sign_in_is_refused_even_with_the_right_state(browser, issuer, open_lab, oidc_file):
    eve = open_lab(oidc_file=oidc_file, public_url="http://testserver")
    stolen = issuer.sign_in(eve.get("/sign-in/with/psc").headers["location"])["code"]
    refused(browser, come_back(browser, issuer, code=stolen), "code")


def test_a_state_of_ten_minutes_ago_is_refused(browser, issuer, clock):
    address = browser.get("/sign-in/with/psc").headers["location"]
    given = issuer.sign_in(address)
    clock.forward(minutes=10, seconds=1)
    refused(browser, browser.get("/sign-in/with/psc/back", params=given), "state")


def test_a_cookie_that_was_changed_is_refused(browser, issuer):
    given = issuer.sign_in(browser.get("/sign-in/with/psc").headers["location"])
    value = browser.cookies["lab39_oidc"]
    browser.cookies.set("lab39_oidc", "x" + value, domain=DOMAIN)
    refused(browser, browser.get("/sign-in/with/psc/back", params=given), "state")


def test_what_one_issuer_answers_is_not_taken_for_another(browser, issuer):
    given = issuer.sign_in(browser.get("/sign-in/with/psc").headers["location"])
    refused(browser, browser.get("/sign-in/with/house/back", params=given), "state")
    refused(browser, come_back(browser, issuer, iss="https://evil.example"), "iss")


def test_coming_back_without_having_set_out_is_slowed_down(browser):
    answers = [browser.get("/sign-in/with/psc/back", params={"state": "x", "code": "y"}) for _ in range(8)]
    assert [each.status_code for each in answers][-1] == 429
    with house_of(browser).store.reading() as tx:
        assert len(audit.entries(tx, action="sign-in-refused")) < 8


def test_giving_up_at_the_issuer_is_told_kindly(browser):
    address = browser.get("/sign-in/with/psc").headers["location"]
    state = re.search(r"state=([^&]+)", address)[1]
    response = browser.get("/sign-in/with/psc/back", params={"state": state, "error": "access_denied"})
    refused(browser, response, "cancelled")


@pytest.mark.parametrize(
    ("path", "status", "body"),
    [
        ("/.well-known/openid-configuration", 500, b""),
        ("/.well-known/openid-configuration", 200, b"<html>"),
        ("/.well-known/openid-configuration", 200, b"[]"),
        ("/.well-known/openid-configuration", 302, b"{}"),
        ("/keys", 200, b'{"keys": []}'),
        ("/keys", 200, b'{"keys": [{"kty": "oct", "k": "AAAA"}]}'),
        ("/keys", 200, b"[" * 100_000),
    ],
)
def test_an_issuer_that_does_not_answer_as_it_should_is_told_as_such(browser, issuer, path, status, body):
    issuer.broken[path] = (status, body)
    response = browser.get("/sign-in/with/psc")
    assert response.status_code == 502
    assert "Pro Santé Connect" in response.text


@pytest.mark.parametrize("path", ["/token", "/userinfo"])
def test_the_same_when_it_fails_on_the_way_back(browser, issuer, path):
    issuer.broken[path] = (500, b"{}")
    refused(browser, come_back(browser, issuer), "issuer")


def test_an_answer_without_end_is_not_read_to_the_end(browser, issuer):
    issuer.broken["/userinfo"] = (200, b" " * (2 * 1024**2))
    refused(browser, come_back(browser, issuer), "issuer")


def test_a_discovery_of_another_issuer_is_refused(browser, issuer):
    issuer.metadata = {"issuer": "https://evil.example"}
    assert browser.get("/sign-in/with/psc").status_code == 502
    issuer.metadata = {"token_endpoint": "http://evil.example/token"}
    assert browser.get("/sign-in/with/psc").status_code == 502


def test_a_short_key_signs_nothing(browser, issuer):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        issuer.published = [new_rsa("short", 1024)]
    assert browser.get("/sign-in/with/psc").status_code == 502


def test_an_unknown_issuer_is_no_page(browser):
    assert browser.get("/sign-in/with/nobody").status_code == 404
    assert browser.get("/sign-in/with/nobody/back").status_code == 404


# Who is let in, and accounts that nobody can steal


def test_who_is_no_professional_is_not_brought_in(browser, issuer):
    for told in (
        {},
        {**PSC, "SubjectNameID": "ANS20231122132732", "preferred_username": "ANS20231122132732"},
        {**PSC, "SubjectRefPro": None},
        {**PSC, "SubjectRefPro": {"exercices": [{"codeProfession": "10", "codeCategorieProfessionnelle": "E"}]}},
    ):
        issuer.told = told
        refused(browser, come_back(browser, issuer), "unknown account")
    assert everyone(browser) == []


def test_an_issuer_that_admits_nobody_brings_nobody_in(browser, issuer):
    refused(browser, come_back(browser, issuer, "house"), "unknown account")


def test_an_address_of_mail_told_elsewhere_opens_nobodys_account(browser, issuer):
    ana = new_person(browser, "professional", email="ana@example.org")
    issuer.told = {**PSC, "email": "ana@example.org", "email_verified": True}
    come_back(browser, issuer)
    with house_of(browser).store.reading() as tx:
        assert people.identities_of(tx, ana.id) == ()


def with_password(browser: TestClient) -> Person:
    ana = new_person(browser, "patient", name="Ana Roux", email="ana@example.org")
    here = house_of(browser)
    with here.store.writing() as tx:
        set_password(tx, ana.id, hash_password(GOOD), at=here.now())
    return ana


def link(browser: TestClient, issuer: Issuer, password: str = GOOD, provider: str = "house") -> Any:
    """Link an account from one's own page."""
    page = form(browser, "/account/link", provider=provider, password=password)
    if page.status_code != 200:
        return page
    address = re.search(r'href="(http[^"]+/authorize[^"]+)"', page.text)[1].replace("&amp;", "&")
    assert page.headers["refresh"] == f"0; url={address}"
    return browser.get(f"/sign-in/with/{provider}/back", params=issuer.sign_in(address))


def test_an_account_elsewhere_is_linked_with_the_password_and_then_opens_the_same_person(browser, issuer):
    ana = with_password(browser)
    signed_in(browser, person=ana)
    assert link(browser, issuer, password="wrong").status_code == 401
    assert link(browser, issuer).headers["location"] == "/account?done=linked"
    browser.cookies.clear()
    assert come_back(browser, issuer, "house").status_code == 303
    assert "Ana Roux" in browser.get("/account").text


def test_an_account_that_opens_somebody_else_is_not_linked(browser, issuer, open_lab, oidc_file):
    come_back(browser, issuer)
    other = open_lab(oidc_file=oidc_file, public_url="http://testserver")
    ana = with_password(other)
    signed_in(other, person=ana)
    assert link(other, issuer).status_code == 401
    with house_of(other).store.reading() as tx:
        assert people.identities_of(tx, ana.id) == ()


def test_a_link_that_ana_began_is_not_ended_in_somebody_elses_session(browser, issuer):
    ana = with_password(browser)
    signed_in(browser, person=ana)
    page = form(browser, "/account/link", provider="house", password=GOOD)
    state = browser.cookies["lab39_oidc"]
    address = re.search(r'href="(http[^"]+/authorize[^"]+)"', page.text)[1].replace("&amp;", "&")
    eve = signed_in(browser, "patient")
    browser.cookies.set("lab39_oidc", state, domain=DOMAIN)
    response = browser.get("/sign-in/with/house/back", params=issuer.sign_in(address))
    assert response.status_code == 401
    with house_of(browser).store.reading() as tx:
        assert people.identities_of(tx, ana.id) == people.identities_of(tx, eve.id) == ()


def test_an_invitation_is_accepted_with_an_account_elsewhere_once(browser, issuer):
    ben = new_person(browser, "patient", name="Ben Roy", email="ben@example.org")
    here = house_of(browser)
    with here.store.reading() as tx:
        code = codes.invitation(tx, here.secret, ben.id, at=here.now())
    page = browser.get("/invitation")
    page = browser.post("/invitation", data=fields(page.text) | {"code": code, "provider": "house"})
    assert code not in page.text
    address = re.search(r'href="(http[^"]+/authorize[^"]+)"', page.text)[1].replace("&amp;", "&")
    assert code not in address
    response = browser.get("/sign-in/with/house/back", params=issuer.sign_in(address))
    assert response.status_code == 303
    assert "Ben Roy" in browser.get("/account").text
    browser.cookies.clear()
    page = browser.get("/invitation")
    again = browser.post("/invitation", data=fields(page.text) | {"code": code, "password": GOOD})
    assert again.status_code == 422


def test_one_number_of_the_register_is_one_person(browser, issuer):
    come_back(browser, issuer)
    browser.cookies.clear()
    issuer.said, issuer.told = {"sub": "another"}, {**PSC, "sub": "another"}
    refused(browser, come_back(browser, issuer), "number taken")


def test_the_role_goes_when_the_issuer_no_longer_asserts_it_unless_a_manager_gave_it(browser, issuer):
    come_back(browser, issuer)
    (sophie,) = everyone(browser)
    issuer.told = {}
    come_back(browser, issuer)
    assert everyone(browser)[0].roles == frozenset()
    here = house_of(browser)
    with here.store.writing() as tx:
        assert people.professions_of(tx, sophie.id) == ()
        manager = next(each for each in people.everyone(tx) if Role.MANAGER in each.roles)
        people.give_role(tx, sophie.id, Role.PROFESSIONAL, at=here.now(), by=manager.id)
    issuer.told = dict(PSC)
    come_back(browser, issuer)
    issuer.told = {}
    come_back(browser, issuer)
    assert everyone(browser)[0].roles == {Role.PROFESSIONAL}


@pytest.mark.parametrize(
    "changed",
    [
        {"SubjectNameID": "810101201235"},
        {"SubjectNameID": "8" + "9" * 12},
        {"SubjectNameID": 810101201234, "preferred_username": None},
        {"SubjectRefPro": []},
        {"SubjectRefPro": {"exercices": {}}},
        {"SubjectRefPro": {"exercices": [None, "x", {"codeCategorieProfessionnelle": "C", "codeProfession": 10}]}},
        {"SubjectRefPro": {"exercices": [{"codeCategorieProfessionnelle": "C", "codeProfession": "' OR 1"}]}},
    ],
    ids=repr,
)
def test_claims_of_any_other_shape_tell_no_professional(changed: dict[str, Any]):
    assert psc.read(PSC) is not None
    assert psc.read(PSC | changed) is None


# The settings


def test_the_secret_is_never_shown(oidc_file):
    found = providers(Settings(oidc_file=oidc_file, public_url="http://testserver"))
    assert SECRET not in repr(found)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('title = "Hôpital"', ""),
        ('title = "Hôpital"', 'title = "Hôpital"\nadmits = "everybody"'),
        ('title = "Hôpital"', 'title = "Hôpital"\nadmits = "professionals"'),
        ('title = "Hôpital"', 'title = "Hôpital"\nalgorithms = ["HS256"]'),
        ('title = "Hôpital"', 'title = "Hôpital"\nalgorithms = ["none"]'),
        ('title = "Hôpital"', 'title = "Hôpital"\ncolour = "blue"'),
        ('title = "Hôpital"', 'title = "Hôpital"\nscope = "profile"'),
        ('title = "Hôpital"', 'title = "Hôpital"\ntoken_endpoint = "https://a.example/"'),
        ("[provider.house]", "[provider.House]"),
        ("http://127.0.0.1", "http://evil.example"),
        ("client.secret", "no.such.file"),
        ("[provider.house]", "[provider.house"),
    ],
)
def test_a_file_that_is_wrong_is_refused_with_its_place(oidc_file, old: str, new: str):
    oidc_file.write_text(oidc_file.read_text().replace(old, new))
    with pytest.raises(InputError) as told:
        providers(Settings(oidc_file=oidc_file, public_url="http://testserver"))
    assert str(oidc_file) in told.value.place


def test_the_public_address_is_needed(oidc_file):
    with pytest.raises(InputError, match="LAB39_URL"):
        providers(Settings(oidc_file=oidc_file))
