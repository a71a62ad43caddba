"""Logs without health data: what happened, where in the code, how long; never what was sent, asked or answered.

One JSON object a line. Messages of the lab's own loggers are written without data and kept; of every other library
only the logger and the place are kept, since nobody knows what its messages hold. Of an error, its kind and its
place are kept, never its text.
"""

from __future__ import annotations

import errno
import logging
import re
import sys
import threading
import time
import traceback
import uuid
from collections.abc import Callable, MutableMapping
from pathlib import Path
from types import TracebackType
from typing import IO, Any

import structlog
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lab39.core.errors import LabError
from lab39.store import DiskFullError, StoreUnavailableError
from lab39.store.engine import FULL
from lab39.web import errors
from lab39.web.meters import Meters

Event = MutableMapping[str, Any]

OWN = ("lab39", "uvicorn")
PACKAGE = Path(__file__).parents[1]
"""Loggers whose messages are written without data."""
LEFT_OUT = "message left out: it may hold data"
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
REQUEST_ID = re.compile(r"[0-9a-fA-F][0-9a-fA-F-]{30,62}[0-9a-fA-F]")
"""What a proxy's request id looks like; anything else could be somebody's number."""
FRAMES = 25
CLOSED = 499
"""Status written when the caller left before the answer (nginx's)."""

_SHARED = (
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
)

log: structlog.stdlib.BoundLogger = structlog.wrap_logger(
    logging.getLogger("lab39.web"),
    wrapper_class=structlog.stdlib.BoundLogger,
    processors=[
        structlog.stdlib.filter_by_level,
        *_SHARED,
        structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
    ],
)


def configure(stream: IO[str] | None = None, *, as_json: bool = True) -> None:
    """Let every logger of this process, uncaught errors and warnings write such lines."""
    render: Any = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if as_json
        else structlog.dev.ConsoleRenderer(colors=bool(stream and stream.isatty()))
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[*_SHARED, _without_data],
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, render],
    )
    handler = logging.StreamHandler(stream or sys.stdout)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    for name in OWN:
        logging.getLogger(name).setLevel(logging.INFO)
    logging.captureWarnings(True)
    logging.raiseExceptions = False  # its report of a broken message shows the arguments
    sys.excepthook = _uncaught
    sys.unraisablehook = lambda found: log.error("ignored", **_told(found.exc_value))
    threading.excepthook = lambda found: log.error("uncaught", thread=True, **_told(found.exc_value))


def told(error: BaseException) -> dict[str, Any]:
    """What may be said of an error: its kind, those it came from, and the way through the code."""
    kinds: list[str] = []
    each: BaseException | None = error
    while each is not None and len(kinds) < 5:
        kinds.append(type(each).__name__)
        each = each.__cause__ or each.__context__
    frames = traceback.extract_tb(error.__traceback__)[-FRAMES:]
    return {"error": " < ".join(kinds), "trace": [_place(f.filename, f.lineno, f.name) for f in frames]}


def _told(error: BaseException | None) -> dict[str, Any]:
    return told(error) if error is not None else {}


def _place(file: str, line: int | None, name: str = "") -> str:
    path = Path(file)
    shown = path.relative_to(PACKAGE.parent).parts if path.is_relative_to(PACKAGE) else path.parts[-2:]
    return f"{'/'.join(shown)}:{line} {name}".rstrip()


def _without_data(_logger: Any, _method: str, event: Event) -> Event:
    record: logging.LogRecord = event["_record"]
    info = event.pop("exc_info", None)
    event.pop("stack_info", None)
    if record.name.split(".")[0] not in OWN:
        event["event"] = LEFT_OUT
        event["place"] = _place(record.pathname, record.lineno)
    if info and info is not True and info[1] is not None:
        event.update(told(info[1]))
    return event


def _uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if isinstance(error, LabError):
        log.critical("stopped", why=error.say("en") if isinstance(error, StoreUnavailableError) else kind.__name__)
    else:
        log.critical("stopped", **told(error.with_traceback(trace)))


class Observed:
    """Gives every request an id (``X-Request-Id``), writes one line about it, and counts it.

    Args:
        trusting: the id that a reverse proxy gave is kept.
    """

    def __init__(self, app: ASGIApp, meters: Meters, *, trusting: bool) -> None:
        self.app = app
        self.meters = meters
        self.trusting = trusting

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        state = scope.setdefault("state", {})
        state["id"] = identifier = self._id(scope)
        status, started = 0, time.perf_counter()

        async def observed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["x-request-id"] = identifier
            await send(message)

        with structlog.contextvars.bound_contextvars(request=identifier), self.meters.in_flight.track_inprogress():
            try:
                await self.app(scope, receive, observed)
            finally:
                self._write(scope, status or CLOSED, time.perf_counter() - started)

    def _id(self, scope: Scope) -> str:
        given = Headers(scope=scope).get("x-request-id", "") if self.trusting else ""
        return given if REQUEST_ID.fullmatch(given) else uuid.uuid4().hex

    def _write(self, scope: Scope, status: int, seconds: float) -> None:
        method = scope["method"] if scope["method"] in METHODS else "OTHER"
        route = route_of(scope)
        self.meters.requests.labels(method, route, str(status)).inc()
        self.meters.request_seconds.labels(method, route).observe(seconds)
        said: dict[str, Any] = {"method": method, "route": route, "status": status, "ms": round(seconds * 1000, 1)}
        error = scope["state"].get("error")
        if isinstance(error, LabError):
            said["refused"] = type(error).__name__
            if isinstance(error, StoreUnavailableError):
                said["why"] = error.say("en")
        quiet = route == "/healthz" and status == 200  # asked for every few seconds
        level = logging.ERROR if status >= 500 else logging.DEBUG if quiet else logging.INFO
        log.log(level, "request", **said)


class Contained:
    """An error that nobody expected becomes a logged place and an answer in the caller's form; inside the
    middleware that adds headers, so that this answer has them too."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        begun = False

        async def watched(message: Message) -> None:
            nonlocal begun
            begun = begun or message["type"] == "http.response.start"
            await send(message)

        try:
            await self.app(scope, receive, watched)
        except ClientDisconnect:
            return
        except Exception as error:
            if begun:
                log.error("cut short", route=route_of(scope), **told(error))
                raise _CutShortError from None  # the server closes the connection: a half must not look whole
            response = await run_in_threadpool(_answer, Request(scope, receive), error)
            await response(scope, receive, send)


class _CutShortError(Exception):
    """An answer that could not be finished; already logged."""


def _answer(request: Request, error: Exception) -> Response:
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        refused: LabError = DiskFullError(FULL)
        status = errors.status_of(refused)
    else:
        log.error("unexpected", route=route_of(request.scope), **told(error))
        refused, status = errors.unexpected(request), 500
    try:
        return errors.answer(request, refused, status)
    except Exception as again:
        log.error("unexpected", while_answering=True, **told(again))
        return PlainTextResponse(refused.say("en"), status)


def route_of(scope: Scope) -> str:
    """The template of the route a request came to (``/records/{id}``); ``-`` for none."""
    found: str | None = getattr(scope.get("route"), "path", None)
    if found is None and scope.get("endpoint") is not None:
        found = scope.get("root_path") or _plain(scope)
    return found or "-"


def _plain(scope: Scope) -> str:
    routes: Callable[..., Any] = scope["app"].routes
    plain = (each for each in routes if getattr(each, "endpoint", None) is scope["endpoint"])  # type: ignore[attr-defined]
    return next((str(each.path) for each in plain), "-")
