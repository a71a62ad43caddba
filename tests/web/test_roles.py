"""Every role against every route: the table of permissions is what happens, for pages and for systems."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.routing import iter_route_contexts
from starlette.testclient import TestClient
from tests.web.paged import Weighing
from tests.web.people import house_of, new_person, signed_in

from lab39.core.lab import Lab
from lab39.store import people, records
from lab39.store.people import Person, Role
from lab39.web.roles import EVERYBODY, SIGNED_IN, check_every_route, needs_of, permissions
from lab39.web.viewer import form_token

NOBODY = "nobody"
VIEWERS = (NOBODY, "no role", *(role.value for role in Role if role is not Role.VISITOR))
VALUES = {"lang": "en", "form": "json"}
BUNDLE = '{"resourceType": "Bundle", "type": "collection", "entry": [{"resource": {"resourceType": "Patient"}}]}'


def routes(client: TestClient) -> Iterator[tuple[str, str, str]]:
    """Method, path and permission of every route."""
    for found in iter_route_contexts(client.app.routes):  # type: ignore[attr-defined]
        route: Any = found.original_route
        if not hasattr(route, "dependant"):
            continue
        names = set(needs_of(route))
        if not names:
            assert found.path == "/openapi.json"
            continue
        (permission,) = names
        for method in sorted(set(route.methods) - {"HEAD"}):
            yield method, str(found.path), permission


def call(client: TestClient, method: str, path: str, **values: str) -> Any:
    """Ask for a route; what stands between braces is given, or is the identifier of nothing."""
    known = VALUES | values
    path = re.sub(r"\{(\w+)\}", lambda found: known.get(found[1], "0" * 32), path)
    if method in ("GET", "DELETE"):
        return client.request(method, path)
    if path.startswith(("/api/", "/fhir", "/cds-services")):
        media = "application/fhir+json" if path.startswith("/fhir") else "application/json"
        return client.request(method, path, content=BUNDLE, headers={"content-type": media, "if-match": '"1"'})
    return client.request(method, path, data={})


def is_refused(response: Any) -> bool:
    """Turned away at the door; a form that tells of a wrong password is not that."""
    if response.status_code in (301, 302, 303, 307):
        return bool(response.headers["location"].startswith("/sign-in?next="))
    if response.status_code == 401:
        return 'id="wrong"' not in response.text
    return bool(response.status_code == 403)


def may(viewer: str, permission: str) -> bool:
    """What the table says, read here a second time."""
    roles = permissions()[permission]
    return EVERYBODY in roles or viewer in roles or (SIGNED_IN in roles and viewer != NOBODY)


@pytest.fixture
def client(open_lab, settings) -> TestClient:
    opened: TestClient = open_lab(
        lab=Lab([Weighing()], settings)
    )  # its pages and operations are routes like others
    opened._transport.client = ("127.0.0.1", 50_000)  # type: ignore[attr-defined]
    new_person(opened, "manager")
    return opened


@pytest.mark.parametrize("viewer", VIEWERS)
def test_each_route_opens_to_whom_the_table_names_and_to_nobody_else(client, viewer: str):
    person = new_person(client, *({viewer} - {NOBODY, "no role"}), name="Ana Roux")
    wrong = []
    for method, path, permission in routes(client):
        client.cookies.clear()
        client.headers.pop("x-form-token", None)
        if viewer != NOBODY:
            signed_in(client, person=person)
        elif method != "GET":
            client.get("/sign-in")  # a visitor's forms carry a token too
            here = house_of(client)
            client.headers["x-form-token"] = form_token(here.secret, client.cookies.get("lab39_visitor", ""))
        response = call(client, method, path)
        if is_refused(response) is may(viewer, permission) or response.status_code >= 500:
            wrong.append((method, path, permission, response.status_code))
    assert wrong == []


def test_pages_and_operations_of_solutions_are_among_the_routes(client):
    every = {(method, path): permission for method, path, permission in routes(client)}
    assert every["POST", "/weighing/kept"] == "records.own"
    assert every["POST", "/api/weighing/weigh"] == "assess.once"


def test_what_only_managers_may_is_written_here_a_second_time():
    only = {name for name, roles in permissions().items() if roles == {"manager"}}
    assert only >= {"people.manage", "jobs.see", "audit.see"}


def test_roles_that_do_not_exist_are_in_no_permission():
    known = {role.value for role in Role} | {EVERYBODY, SIGNED_IN}
    assert {role for roles in permissions().values() for role in roles} <= known


def test_a_role_taken_away_is_gone_at_the_next_request(client):
    ben = signed_in(client, "manager")
    assert client.get("/people").status_code == 200
    here = house_of(client)
    with here.store.writing() as tx:
        people.take_role(tx, ben.id, Role.MANAGER)
    assert client.get("/people").status_code == 403


def test_a_route_without_a_permission_keeps_the_application_from_starting(client):
    client.app.add_api_route("/open", lambda: None)  # type: ignore[attr-defined]
    with pytest.raises(RuntimeError, match="/open"):
        check_every_route(client.app.routes)  # type: ignore[attr-defined]


# One record and another


@pytest.fixture
def theirs(client: TestClient) -> str:
    """A record of somebody else."""
    return record_of(client, new_person(client, "professional"))


def record_of(client: TestClient, person: Person) -> str:
    here = house_of(client)
    with here.store.writing() as tx:
        return records.add(tx, BUNDLE, owner=person.id, at=here.now()).id


def about_records(client: TestClient) -> list[tuple[str, str]]:
    return [(method, path) for method, path, _ in routes(client) if "{record}" in path]


@pytest.mark.parametrize("role", ["patient", "student", "professional", "expert", "moderator", "manager"])
def test_the_record_of_somebody_else_does_not_exist_for_anybody(client, theirs: str, role: str):
    person = new_person(client, role)
    told = []
    for method, path in about_records(client):
        signed_in(client, person=person)
        other, nothing = (call(client, method, path, record=each) for each in (theirs, "f" * 32))
        same = [re.sub(r"[0-9a-fA-F]{32,}", "", each.text) for each in (other, nothing)]
        if other.status_code not in (404, 422) or other.status_code != nothing.status_code or same[0] != same[1]:
            told.append((method, path, other.status_code, nothing.status_code))
    assert len(about_records(client)) > 10
    assert told == []
    here = house_of(client)
    with here.store.reading() as tx:
        assert records.get(tx, theirs).version == 1


def test_ones_own_record_does(client):
    ana = signed_in(client, "professional")
    mine = record_of(client, ana)
    opened = [path for method, path in about_records(client) if method == "GET" and "{assessment}" not in path]
    assert {
        path: call(client, "GET", path, record=mine).status_code for path in opened if "compare" not in path
    } == {path: 200 for path in opened if "compare" not in path}
