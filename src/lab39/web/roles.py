"""Who may do what: one table, ``knowledge/permissions.toml``; every route names its permission or the application
does not start."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from fastapi import Request
from fastapi.routing import APIRoute, iter_route_contexts

from lab39.core.errors import LabError
from lab39.core.text import Text
from lab39.web.viewer import See, Viewer

EVERYBODY = "everybody"
SIGNED_IN = "signed-in"


class NotAllowedError(LabError):
    """The person is known and may not do this."""


class SignInNeededError(LabError):
    """This needs a person, and nobody is signed in."""


@cache
def permissions() -> Mapping[str, frozenset[str]]:
    """Each permission with the roles that have it; ``everybody`` and ``signed-in`` stand for all of them."""
    text = files("lab39.web").joinpath("knowledge/permissions.toml").read_text("utf-8")
    return {name: frozenset(row["roles"]) for name, row in tomllib.loads(text)["permission"].items()}


def allowed(permission: str, viewer: Viewer) -> bool:
    """Whether this viewer has a permission."""
    roles = permissions()[permission]
    return (
        EVERYBODY in roles
        or (viewer.person is not None and SIGNED_IN in roles)
        or not roles.isdisjoint(viewer.roles)
    )


class Needs:
    """A route's permission: ``dependencies=[Depends(Needs("records.own"))]``."""

    def __init__(self, permission: str) -> None:
        if permission not in permissions():
            raise ValueError(f"permissions.toml has no {permission!r}")
        self.permission = permission

    async def __call__(self, request: Request, viewer: See) -> Viewer:
        """The viewer, allowed.

        Raises:
            SignInNeededError, NotAllowedError
        """
        del request
        if allowed(self.permission, viewer):
            return viewer
        if viewer.person is None:
            raise SignInNeededError(Text("se connecter d'abord", "sign in first"))
        raise NotAllowedError(
            Text(
                "votre rôle ne donne pas accès à cette page\u202f; demander à un gestionnaire du laboratoire",
                "your role does not give access to this page; ask a manager of the lab",
            )
        )


def needs_of(route: APIRoute) -> Iterator[str]:
    """The permissions a route names."""
    stack: list[Any] = [*route.dependant.dependencies]
    while stack:
        dependant = stack.pop()
        if isinstance(dependant.call, Needs):
            yield dependant.call.permission
        stack += dependant.dependencies


def every_route(routes: Sequence[Any]) -> Iterator[APIRoute]:
    """The routes of an application, those of its included routers among them (FastAPI keeps these apart)."""
    for found in iter_route_contexts(routes):
        if isinstance(found.original_route, APIRoute):
            yield found.original_route


def check_every_route(routes: Sequence[Any]) -> None:
    """Refuse to start with a route that names no permission.

    Raises:
        RuntimeError: naming the route.
    """
    for route in every_route(routes):
        if not any(needs_of(route)):
            raise RuntimeError(f"{route.path} names no permission (web/knowledge/permissions.toml)")
