"""The door itself: a session is opened or closed, in the database, in the browser and in the audit log at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from fastapi import Request
from fastapi.responses import RedirectResponse, Response

from lab39.store import audit, sessions
from lab39.web.house import House
from lab39.web.paths import local
from lab39.web.signin.limits import KNOWN_COOKIE, KNOWN_DAYS, known_browser
from lab39.web.viewer import SESSION_COOKIE, VISITOR_COOKIE, cookie, drop_cookie, set_cookie


def open_session(
    tx: sa.Connection,
    request: Request,
    here: House,
    person: str,
    *,
    about: Mapping[str, Any],
    action: str = "sign-in",
) -> str:
    """A new session for a person; the one this browser had is over. Gives the token for :func:`let_in`."""
    at = here.now()
    old = cookie(request, here, SESSION_COOKIE)
    if old:
        sessions.revoke(tx, old)
    sessions.sweep(tx, at=at)
    token = sessions.start(tx, person, at=at)
    audit.append(tx, at=at, actor=person, action=action, subject=person, about=about)
    return token


def let_in(request: Request, here: House, token: str, target: str | None, *, account: str = "") -> Response:
    """Send a browser with a new session to where it wanted to go.

    Args:
        account: the address it signed in with: its failures are counted apart from now on.
    """
    response = RedirectResponse(local(target, "/records"), 303)
    keep(request, response, here, token)
    drop_cookie(response, request, here, VISITOR_COOKIE)
    if account:
        seconds = KNOWN_DAYS * 86_400
        set_cookie(response, request, here, KNOWN_COOKIE, known_browser(here, account), seconds=seconds)
    return response


def keep(request: Request, response: Response, here: House, token: str) -> None:
    """Give the browser the token of its session."""
    set_cookie(response, request, here, SESSION_COOKIE, token)


def refused(here: House, why: str, *, subject: str = "", **about: str) -> None:
    """Keep in the audit log that somebody was not let in, and why, in one word."""
    with here.store.writing() as tx:
        said = {"why": why, **about}
        audit.append(tx, at=here.now(), actor="", action="sign-in-refused", subject=subject, about=said)


def rotate(tx: sa.Connection, request: Request, here: House) -> str | None:
    """A new token for this browser's session, after its rights or its password changed."""
    return sessions.rotate(tx, cookie(request, here, SESSION_COOKIE), at=here.now())


def close(request: Request, here: House, person: str | None, *, everywhere: bool = False) -> Response:
    """End this browser's session, or all of the person's, and send the browser to the door."""
    token = cookie(request, here, SESSION_COOKIE)
    with here.store.writing() as tx:
        ended = int(sessions.revoke(tx, token)) if token else 0
        if everywhere and person is not None:
            ended += sessions.revoke_all(tx, person)
        if person is not None and ended:
            at = here.now()
            audit.append(tx, at=at, actor=person, action="sign-out", subject=person, about={"sessions": ended})
    response = RedirectResponse("/sign-in?done=signed-out", 303)
    drop_cookie(response, request, here, SESSION_COOKIE)
    response.headers["clear-site-data"] = '"cache"'
    return response
