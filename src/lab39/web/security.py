"""What protects every request: limits on size, response headers, a token on every form."""

from __future__ import annotations

import hmac
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated, Any

from fastapi import Depends, Request
from starlette.datastructures import FormData, Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lab39.core.errors import LabError
from lab39.core.text import Text
from lab39.store import keyfile
from lab39.web.viewer import See

SAFE = ("GET", "HEAD", "OPTIONS")
CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; manifest-src 'self'"
)
HEADERS = {
    "content-security-policy": CONTENT_POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(self), microphone=(), geolocation=(), payment=()",
    "cache-control": "no-store",
}


TRANSPORT = "max-age=31536000; includeSubDomains"
"""Told over https only: browsers then never ask for this host, or one under it, over http."""


class TooLargeError(LabError):
    """More was sent than the lab reads."""


class TooManyError(LabError):
    """Too many requests in too short a time.

    Attributes:
        seconds: how long to wait.
    """

    seconds = 1


class ForgedError(LabError):
    """A form that this lab did not give to this browser, or gave too long ago."""


def lab_secret(keys: Path) -> bytes:
    """The lab's own secret, made on first use.

    Raises:
        InputError, StoreUnavailableError: see :func:`lab39.store.keyfile.key`.
    """
    return keyfile.key(keys / "web.key")


class ResponseHeaders:
    """Adds the security headers to every answer; static files keep their own caching."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        static = scope["path"].startswith("/static/")
        secure = scope["scheme"] == "https" or scope["app"].state.house.settings.public_url.startswith("https:")

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    if name == "cache-control" and static:
                        value = "public, max-age=86400"
                    headers.setdefault(name, value)
                if secure:
                    headers.setdefault("strict-transport-security", TRANSPORT)
            await send(message)

        await self.app(scope, receive, with_headers)


class BodyLimit:
    """Refuses a body over the limit, announced or not, before anything reads it whole."""

    def __init__(self, app: ASGIApp, max_bytes: int) -> None:
        self.app = app
        self.max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        announced = Headers(scope=scope).get("content-length", "")
        too_large = announced.isdigit() and int(announced) > self.max_bytes
        read = 0

        async def counted() -> Message:
            nonlocal read
            if too_large:
                raise self._refusal()
            message: Message = await receive()
            read += len(message.get("body", b""))
            if read > self.max_bytes:
                raise self._refusal()
            return message

        await self.app(scope, counted, send)

    def _refusal(self) -> TooLargeError:
        mib = self.max_bytes // 1024**2
        return TooLargeError(
            Text(
                f"plus de {mib} Mio\u202f: refusé. Un dossier par requête, ou du NDJSON à la commande lab39.",
                f"over {mib} MiB: refused. Send one record a request, or NDJSON to the lab39 command.",
            )
        )


async def form_is_ours(request: Request, viewer: See) -> None:
    """A page's form carries the token this browser was given.

    Raises:
        ForgedError: no token, another browser's, or a request that another site started.
    """
    if request.method in SAFE:
        return
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise _forged()
    given: Any = request.headers.get("x-form-token")
    if given is None:
        given = (await form_of(request)).get("form_token")
    same = isinstance(given, str) and hmac.compare_digest(given.encode(), viewer.form_token.encode())
    if not (viewer.form_token and same):
        raise _forged()


async def form_of(request: Request) -> FormData:
    """The form that was sent; one field may be as large as a record, since people paste them."""
    limit = request.app.state.house.settings.max_bytes
    return await request.form(max_files=20, max_fields=200, max_part_size=limit)


async def posted(request: Request) -> AsyncIterator[FormData]:
    """The form that was sent, its files closed at the end of the request. Declared fields would turn a body over
    the limit into a vague 400."""
    form = await form_of(request)
    try:
        yield form
    finally:
        await form.close()


Posted = Annotated[FormData, Depends(posted)]


def _forged() -> ForgedError:
    return ForgedError(
        Text(
            "ce formulaire a expiré ou vient d'ailleurs\u202f: revenir à la page, l'actualiser, recommencer",
            "this form has expired or comes from elsewhere: go back to the page, refresh it, start again",
        )
    )
