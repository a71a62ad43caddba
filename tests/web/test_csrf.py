"""Forms that this lab did not give to this browser do nothing."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient
from tests.web.people import DOMAIN, fields, house_of, signed_in

from lab39.store import consents, unsubscribe
from lab39.web.paths import local
from lab39.web.roles import every_route
from lab39.web.security import SAFE, form_is_ours

AGREE = {"purpose": "mail", "given": "yes"}


@pytest.fixture
def ana(client: TestClient):
    """Signed in; her forms carry their token as a hidden field, as those of a page do."""
    person = signed_in(client, "patient", "manager")
    client.headers.pop("x-form-token")
    return person


def agreed(client: TestClient, person: str) -> bool:
    here = house_of(client)
    with here.store.reading() as tx:
        return consents.has_consent(tx, person, "mail", here.now())


def token(client: TestClient) -> str:
    return fields(client.get("/account").text)["form_token"]


def test_a_form_of_the_page_passes(client, ana):
    assert client.post("/account/consents", data=AGREE | {"form_token": token(client)}).status_code == 303
    assert agreed(client, ana.id)


@pytest.mark.parametrize("forged", [None, "", "x", "0" * 64, "é"])
def test_a_form_without_the_right_token_does_nothing(client, ana, forged):
    data = AGREE | ({} if forged is None else {"form_token": forged})
    response = client.post("/account/consents", data=data)
    assert response.status_code == 403
    assert "formulaire" in response.text, "and the page says what to do"
    assert not agreed(client, ana.id)


def test_the_token_of_another_browser_does_nothing(client, ana, open_lab):
    other = open_lab()
    signed_in(other, "patient")
    assert client.post("/account/consents", data=AGREE | {"form_token": token(other)}).status_code == 403


def test_the_token_of_a_visitor_is_worth_nothing_once_signed_in(client, open_lab):
    page = client.get("/sign-in")
    before = fields(page.text)["form_token"]
    ana = signed_in(client, "patient")
    client.headers.pop("x-form-token")
    assert client.post("/account/consents", data=AGREE | {"form_token": before}).status_code == 403
    assert not agreed(client, ana.id)


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_a_request_that_another_site_started_does_nothing_even_with_the_token(client, ana, site: str):
    data = AGREE | {"form_token": token(client)}
    response = client.post("/account/consents", data=data, headers={"sec-fetch-site": site})
    assert response.status_code == 403


def test_a_form_sent_twice_does_it_once_more_and_breaks_nothing(client, ana):
    data = AGREE | {"form_token": token(client)}
    assert [client.post("/account/consents", data=data).status_code for _ in range(2)] == [303, 303]
    invited = {"name": "Ben", "email": "ben@example.org", "form_token": token(client)}
    assert client.post("/people", data=invited).status_code == 200
    assert client.post("/people", data=invited).status_code == 422, "there is one Ben"


def test_a_form_of_a_second_tab_passes_too(client, ana):
    first, second = token(client), token(client)
    assert first == second
    for each in (second, first):
        assert client.post("/account/consents", data=AGREE | {"form_token": each}).status_code == 303


def test_a_form_that_was_open_when_the_session_ended_asks_to_sign_in_again(client, ana, clock):
    data = AGREE | {"form_token": token(client)}
    clock.forward(hours=1)
    response = client.post("/account/consents", data=data)
    assert response.status_code == 401
    assert "/sign-in" in response.text
    assert not agreed(client, ana.id)


def test_a_form_of_before_signing_out_does_nothing_after(client, ana):
    data = AGREE | {"form_token": token(client)}
    client.post("/sign-out", data={"form_token": data["form_token"]})
    assert client.post("/account/consents", data=data).status_code in (401, 403)
    assert not agreed(client, ana.id)


def test_somebody_cannot_be_signed_in_to_another_account_by_a_foreign_form(client):
    from lab39.web.signin import codes

    here = house_of(client)
    code = codes.first_code(here.secret, here.now())
    data = {"code": code, "name": "Eve", "email": "eve@example.org", "password": "correct cheval agrafe"}
    assert client.post("/sign-in/first", data=data).status_code == 403
    assert client.post("/sign-in", data={"email": "e", "password": "p"}).status_code == 403


def test_a_visitor_cookie_that_somebody_planted_makes_no_form_pass_over_https(open_lab):
    client = open_lab(base_url="https://testserver")
    page = client.get("/sign-in")
    data = fields(page.text) | {"email": "a@example.org", "password": "x"}
    client.cookies.clear()
    client.cookies.set("lab39_visitor", "planted by a neighbour", domain=DOMAIN)
    assert client.post("/sign-in", data=data).status_code == 403


def test_every_form_of_a_page_is_checked(client):
    """Pages change things only through forms; doors for systems are checked by their own rules, and the link of a
    message by the signature in it (mail programs post it)."""
    changing = [
        route
        for route in every_route(client.app.routes)  # type: ignore[attr-defined]
        if not route.include_in_schema and set(route.methods) - set(SAFE)
    ]
    assert len(changing) > 20
    assert [
        route.path
        for route in changing
        if not any(each.call is form_is_ours for each in route.dependant.dependencies)
        and not route.path.startswith(unsubscribe.PATH)
    ] == []


@pytest.mark.parametrize("good", ["/", "/records", "/records/1?on=2026-11-24#x", "/a//b", "/é"])
def test_a_path_of_the_lab_is_followed(good: str):
    assert local(good) == good


@pytest.mark.parametrize(
    "bad", [None, "", "records", "//evil", "///evil", "/\\evil", "\\evil", "http:evil", "/\n/evil", "/ x", "/\x7f"]
)
def test_nothing_else_is(bad):
    assert local(bad) == "/"
