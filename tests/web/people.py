"""People at the door of a lab under test."""

from __future__ import annotations

import itertools
import re
from typing import Any

from starlette.testclient import TestClient

from lab39.store import people, sessions
from lab39.store.people import Person, Role
from lab39.web.house import House
from lab39.web.viewer import HOST, SESSION_COOKIE, form_token

DOMAIN = "testserver.local"
"""How a client that stands for a browser files what the server gives it."""

_numbers = itertools.count(1)


def house_of(client: TestClient) -> House:
    """The lab this client talks to."""
    return client.app.state.house  # type: ignore[attr-defined,no-any-return]


def new_person(client: TestClient, *roles: str, name: str = "", email: str | None = None) -> Person:
    """Somebody the lab knows, with these roles."""
    here = house_of(client)
    with here.store.writing() as tx:
        return people.add(
            tx,
            name=name or f"Personne {next(_numbers)}",
            email=email,
            at=here.now(),
            given=[Role(role) for role in roles],
        )


def signed_in(client: TestClient, *roles: str, person: Person | None = None) -> Person:
    """Sign a new person with these roles, or one that exists, in to this client. Its forms then pass: the token
    goes with every request."""
    here = house_of(client)
    person = person or new_person(client, *roles)
    with here.store.writing() as tx:
        token = sessions.start(tx, person.id, at=here.now())
    https = str(client.base_url).startswith("https:")
    client.cookies.clear()
    client.cookies.set(HOST + SESSION_COOKIE if https else SESSION_COOKIE, token, domain=DOMAIN, path="/")
    client.headers["x-form-token"] = form_token(here.secret, token)
    return person


def fields(html: str) -> dict[str, str]:
    """The hidden fields of a page's forms, as a browser would send them back."""
    found: dict[str, str] = {}
    for tag in re.findall(r"<input[^>]*type=\"hidden\"[^>]*>", html):
        attributes: dict[str, Any] = dict(re.findall(r'(\w+)="([^"]*)"', tag))
        found[attributes["name"]] = attributes.get("value", "")
    return found


def form(client: TestClient, path: str, **given: str) -> Any:
    """Send a form whose token the client carries in a header; a new session's token is learnt afterwards."""
    response = client.post(path, data=given)
    https = str(client.base_url).startswith("https:")
    token = client.cookies.get(HOST + SESSION_COOKIE if https else SESSION_COOKIE)
    if token:
        client.headers["x-form-token"] = form_token(house_of(client).secret, token)
    return response
