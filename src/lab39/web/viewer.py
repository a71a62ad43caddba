"""Who is looking: the signed-in person if any, their roles, their language, the token of their forms."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from contextlib import suppress
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request, Response
from starlette.concurrency import run_in_threadpool

from lab39.core.text import LANGS, Lang, Text
from lab39.store import StoreUnavailableError, people, sessions, tokens
from lab39.store.people import Person
from lab39.store.sessions import Session
from lab39.web.api.refusals import TokenError
from lab39.web.house import Here, House, house

SESSION_COOKIE = "lab39_session"
VISITOR_COOKIE = "lab39_visitor"
LANG_COOKIE = "lab39_lang"
SYSTEMS = ("/api/", "/cds-services", "/fhir")
"""Doors for systems; a program's token opens these only, no page."""
WATCH = "/watch"
"""What a page that stays open asks by itself: it is not somebody at work, and keeps no session open."""
YEAR = 365 * 24 * 3600
HOST = "__Host-"
"""Browsers accept a cookie of this prefix only from this very host, over https: no neighbour can set it."""


@dataclass(frozen=True, slots=True)
class Viewer:
    """One request's person.

    Attributes:
        person: id of the signed-in person; ``None`` for a visitor.
        name: as shown in the corner of the page.
        roles: always holds ``visitor``.
        lang: language of the answer.
        form_token: what a form must carry back (against forged requests).
        ended: the browser brought a session that has ended.
    """

    person: str | None
    name: str
    roles: frozenset[str]
    lang: Lang
    form_token: str
    ended: bool = False


def form_token(secret: bytes, cookie: str) -> str:
    """Bound to the browser by its cookie; tells nothing about it."""
    return hmac.new(secret, b"form\0" + cookie.encode(), hashlib.sha256).hexdigest() if cookie else ""


def language(request: Request, own: Lang | None = None) -> Lang:
    """Chosen by the person, else their own, else what the browser prefers, French when in doubt."""
    asked = request.query_params.get("lang") or cookie(request, house(request), LANG_COOKIE)
    if asked in LANGS:
        return asked
    if own is not None:
        return own
    for part in request.headers.get("accept-language", "").split(","):
        tongue = part.split(";")[0].strip()[:2].lower()
        if tongue in LANGS:
            return tongue
    return "fr"


def is_https(request: Request, here: House) -> bool:
    """Whether the browser came by https, as far as the server or the lab's public address tells."""
    return request.scope["scheme"] == "https" or here.settings.public_url.startswith("https:")


def cookie(request: Request, here: House, name: str) -> str:
    """A cookie of this lab; empty when there is none. Over https only the one a neighbour cannot set is read."""
    return request.cookies.get(HOST + name if is_https(request, here) else name, "")


def set_cookie(
    response: Response, request: Request, here: House, name: str, value: str, *, seconds: int | None = None
) -> None:
    """Give the browser a cookie that scripts cannot read and other sites do not send with a form.

    Args:
        seconds: how long it lives; until the browser closes when none are given.
    """
    secure = is_https(request, here)
    name = HOST + name if secure else name
    response.set_cookie(name, value, max_age=seconds, path="/", secure=secure, httponly=True, samesite="lax")


def remember_language(response: Response, request: Request, here: House, lang: Lang) -> None:
    """Read in this language from now on, in this browser."""
    set_cookie(response, request, here, LANG_COOKIE, lang, seconds=YEAR)


def drop_cookie(response: Response, request: Request, here: House, name: str) -> None:
    """Take a cookie back."""
    set_cookie(response, request, here, name, "", seconds=0)


def viewer(request: Request, here: House) -> Viewer:
    """The viewer of this request, read once."""
    known: Viewer | None = getattr(request.state, "viewer", None)
    if known is None:
        try:
            known = _read(request, here)
        except StoreUnavailableError:  # the page that tells so is shown to a visitor
            request.state.viewer = _visitor(request, here)
            raise
        request.state.viewer = known
    return known


def give_visitor(request: Request, response: Response, here: House) -> None:
    """Set the cookie that the form token of a new visitor is bound to, with the page that carries the form."""
    fresh = getattr(request.state, "fresh_visitor", "")
    if fresh:
        set_cookie(response, request, here, VISITOR_COOKIE, fresh)


def _read(request: Request, here: House) -> Viewer:
    secret = tokens.presented(request.headers.get("authorization", ""))
    if secret and request.url.path.startswith(SYSTEMS):
        return _by_token(request, here, secret)
    token = cookie(request, here, SESSION_COOKIE)
    if not token:
        return _visitor(request, here)
    at = here.now()
    with here.store.reading() as tx:
        session = sessions.find(tx, token, at=at)
        person = people.get(tx, session.person_id) if session else None
    if session is None or person is None or person.erased_at is not None:
        return _visitor(request, here)
    if sessions.is_due(session, at) and not request.url.path.endswith(WATCH):
        _seen(here, session)
    return _of(request, here, person, token)


def _of(request: Request, here: House, person: Person, token: str) -> Viewer:
    return Viewer(
        person=person.id,
        name=person.display_name,
        roles=frozenset({"visitor", *person.roles}),
        lang=language(request, person.lang),
        form_token=form_token(here.secret, token),
    )


def _by_token(request: Request, here: House, secret: str) -> Viewer:
    """The person whose program this is. A token that opens nothing is refused: it is never taken for a visitor."""
    at = here.now()
    with here.store.reading() as tx:
        token = tokens.find(tx, secret, at=at)
        person = people.get(tx, token.person_id) if token else None
    if token is None or person is None or person.erased_at is not None:
        request.state.viewer = _visitor(request, here)  # the answer that tells so is for nobody in particular
        raise TokenError(
            Text("jeton inconnu, expiré ou révoqué", "the token is unknown, expired or revoked"), "Authorization"
        )
    if tokens.is_due(token, at):
        with suppress(StoreUnavailableError), here.store.writing() as tx:
            tokens.used(tx, token, at=at)
    request.state.by_token = True
    return _of(request, here, person, "")


def _seen(here: House, session: Session) -> None:
    with suppress(StoreUnavailableError), here.store.writing() as tx:  # a busy database closes no page to a reader
        sessions.seen(tx, session, at=here.now())


def _visitor(request: Request, here: House) -> Viewer:
    """Nobody signed in. The token of a form is bound to the session that has ended, so that the form of a page
    opened before is told apart from a forged one."""
    ended = cookie(request, here, SESSION_COOKIE)
    known = ended or cookie(request, here, VISITOR_COOKIE)
    if not known:
        known = request.state.fresh_visitor = secrets.token_urlsafe(32)
    return Viewer(
        person=None,
        name="",
        roles=frozenset({"visitor"}),
        lang=language(request),
        form_token=form_token(here.secret, known),
        ended=bool(ended),
    )


async def _see(request: Request, here: Here) -> Viewer:
    """The same for routes; a thread is used only for somebody the database must be asked about."""
    if cookie(request, here, SESSION_COOKIE) or "authorization" in request.headers:
        return await run_in_threadpool(viewer, request, here)
    return viewer(request, here)


See = Annotated[Viewer, Depends(_see)]
