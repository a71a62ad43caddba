"""Who is looking: the signed-in person if any, their roles, their language, the token of their forms."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from lab39.core.text import LANGS, Lang
from lab39.web.house import Here, House

SESSION_COOKIE = "lab39_session"
VISITOR_COOKIE = "lab39_visitor"
LANG_COOKIE = "lab39_lang"


@dataclass(frozen=True, slots=True)
class Viewer:
    """One request's person.

    Attributes:
        person: id of the signed-in person; ``None`` for a visitor.
        name: as shown in the corner of the page.
        roles: always holds ``visitor``.
        lang: language of the answer.
        form_token: what a form must carry back (against forged requests).
    """

    person: str | None
    name: str
    roles: frozenset[str]
    lang: Lang
    form_token: str


def form_token(secret: bytes, cookie: str) -> str:
    """Bound to the browser by its cookie; tells nothing about it."""
    return hmac.new(secret, b"form\0" + cookie.encode(), hashlib.sha256).hexdigest() if cookie else ""


def language(request: Request) -> Lang:
    """Chosen by the person, else what the browser prefers, French when in doubt."""
    asked = request.query_params.get("lang") or request.cookies.get(LANG_COOKIE)
    if asked in LANGS:
        return asked
    for part in request.headers.get("accept-language", "").split(","):
        tongue = part.split(";")[0].strip()[:2].lower()
        if tongue in LANGS:
            return tongue
    return "fr"


def viewer(request: Request, here: Here) -> Viewer:
    """The viewer of this request, read once."""
    known: Viewer | None = getattr(request.state, "viewer", None)
    if known is None:
        known = _read(request, here)
        request.state.viewer = known
    return known


def _read(request: Request, here: House) -> Viewer:
    cookie = request.cookies.get(SESSION_COOKIE) or request.cookies.get(VISITOR_COOKIE, "")
    return Viewer(
        person=None,
        name="",
        roles=frozenset({"visitor"}),
        lang=language(request),
        form_token=form_token(here.secret, cookie),
    )


See = Annotated[Viewer, Depends(viewer)]
