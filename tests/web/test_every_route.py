"""The application does not start with a route that anybody may call by mistake."""

from __future__ import annotations

import pytest
from fastapi import APIRouter, FastAPI

from lab39.web import roles


def test_a_route_that_names_no_permission_is_refused_in_an_included_router_too():
    router = APIRouter()
    router.add_api_route("/naked", lambda: None)
    app = FastAPI()
    app.include_router(router)
    with pytest.raises(RuntimeError, match="/naked names no permission"):
        roles.check_every_route(app.routes)


def test_every_route_of_the_lab_is_looked_at(client):
    paths = {route.path for route in roles.every_route(client.app.routes)}
    assert {"/", "/api/v1/assess", "/fhir/$assess"} <= paths
