"""How often one may try: passwords and codes, by account and by address, over all workers; requests, by worker.

An account that others attack is not closed to its owner: a browser that signed in before has a count of its own
(OWASP, “Device cookies”).
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import ipaddress
import math
import re
import secrets
import time
from collections import Counter
from collections.abc import Callable

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Receive, Scope, Send

from lab39.core.text import Text
from lab39.store import throttle
from lab39.store.throttle import Pace
from lab39.web.house import House, house
from lab39.web.security import SAFE, TooManyError
from lab39.web.viewer import SESSION_COOKIE, SYSTEMS, cookie

ACCOUNT = Pace(
    free=5, first=dt.timedelta(seconds=30), longest=dt.timedelta(minutes=15), forget=dt.timedelta(hours=24)
)
ADDRESS = Pace(
    free=20, first=dt.timedelta(seconds=30), longest=dt.timedelta(minutes=15), forget=dt.timedelta(hours=1)
)
LOOKING = Pace(
    free=30, first=dt.timedelta(seconds=10), longest=dt.timedelta(minutes=5), forget=dt.timedelta(hours=1)
)
"""For whoever looks for people in vain: that an address has an account here is not to be guessed."""
KNOWN_COOKIE = "lab39_known"
KNOWN_DAYS = 180


class Attempt:
    """One attempt to sign in, counted as a failure before anything is compared, so that none is free.

    Args:
        account: what is guessed at: an address of mail, the code of the first manager, an invitation.
    """

    def __init__(self, here: House, request: Request, account: str) -> None:
        self.here = here
        known = _known(here, request, account)
        self.account = _key(here, "browser", known) if known else _key(here, "account", account.strip().lower())
        self.address = _key(here, "address", address(request))

    def begin(self) -> None:
        """Count it.

        Raises:
            TooManyError: it is too early; nothing was counted.
        """
        at = self.here.now()
        with self.here.store.writing() as tx:
            left = throttle.wait(tx, (self.account, self.address), at=at)
            if not left:
                throttle.strike(tx, self.account, ACCOUNT, at=at)
                throttle.strike(tx, self.address, ADDRESS, at=at)
        if left:
            raise too_many(left)

    def succeeded(self) -> None:
        """Forget the failures of this account; those of the address but this one still count."""
        with self.here.store.writing() as tx:
            throttle.forgive(tx, self.account)
            throttle.take_back(tx, self.address, at=self.here.now())
            throttle.sweep(tx, at=self.here.now())


def may_look(here: House, person: str) -> None:
    """Refuse to look for people when this one did so in vain too often.

    Raises:
        TooManyError
    """
    with here.store.reading() as tx:
        left = throttle.wait(tx, (_key(here, "looking", person),), at=here.now())
    if left:
        raise too_many(left)


def looked_in_vain(here: House, person: str) -> None:
    """Count that somebody looked for people and found nobody."""
    with here.store.writing() as tx:
        throttle.strike(tx, _key(here, "looking", person), LOOKING, at=here.now())


def too_many(left: dt.timedelta) -> TooManyError:
    """The error that says how long to wait."""
    seconds = max(1, math.ceil(left.total_seconds()))
    minutes = math.ceil(seconds / 60)
    fr, en = (f"{minutes} min", f"{minutes} min") if seconds > 90 else (f"{seconds} s", f"{seconds} s")
    error = TooManyError(
        Text(
            f"trop de tentatives\u202f: attendre {fr}, puis réessayer",
            f"too many attempts: wait {en}, then try again",
        )
    )
    error.seconds = seconds
    return error


def address(request: Request) -> str:
    """Where a request comes from: an IPv4 address, or the /64 of an IPv6 one (a whole site has it)."""
    host = request.client.host if request.client else ""
    try:
        found = ipaddress.ip_address(host)
    except ValueError:
        return host
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped:
            return str(found.ipv4_mapped)
        return str(ipaddress.ip_network((found, 64), strict=False))
    return str(found)


def known_browser(here: House, account: str) -> str:
    """The value of the cookie given to a browser in which an account was signed in to."""
    number = secrets.token_hex(16)
    return f"{number}.{_key(here, 'known', number, account.strip().lower())}"


def _known(here: House, request: Request, account: str) -> str:
    """The number of this browser, when the account was signed in to in it; empty otherwise."""
    number, _, mark = cookie(request, here, KNOWN_COOKIE).partition(".")
    good = hmac.compare_digest(mark.encode(), _key(here, "known", number, account.strip().lower()).encode())
    return number if number and good else ""


def _key(here: House, *parts: str) -> str:
    return hmac.new(here.secret, "\0".join(("limits", *parts)).encode(), hashlib.sha256).hexdigest()


class Window:
    """Counts what each sender sends within a time that slides: all since the window began, and of the window before
    the share that still lies within its length. It remembers these two windows and nothing older.

    Args:
        rate: ``240 per minute``, ``6000 per 10 second``.
    """

    def __init__(self, rate: str, clock: Callable[[], float] = time.monotonic) -> None:
        found = _RATE.fullmatch(rate)
        if found is None:
            raise ValueError(rate)
        self.most, self.seconds = int(found["most"]), int(found["times"] or 1) * _SECONDS[found["unit"]]
        self.clock = clock
        self.number = 0.0
        self.now: Counter[str] = Counter()
        self.before: Counter[str] = Counter()

    def wait(self, who: str) -> float:
        """Seconds until this sender may try again, at least one; 0 when one more is let through, and counted."""
        number, into = divmod(self.clock(), self.seconds)
        if number != self.number:
            self.before, self.now = self.now if number == self.number + 1 else Counter(), Counter()
            self.number = number
        before, left = self.before[who], self.seconds - into
        if math.floor(before * left / self.seconds) + self.now[who] < self.most:
            self.now[who] += 1
            return 0.0
        return max(1.0, left % (self.seconds / before) if before else left)


_RATE = re.compile(r"(?P<most>\d+) (?:per|/) (?:(?P<times>\d+) )?(?P<unit>second|minute|hour)")
_SECONDS = {"second": 1, "minute": 60, "hour": 3600}


class RequestPace:
    """Refuses what comes too fast from one browser or address: calls of the API, and forms (uploads among them).

    Counted in memory, by each worker for itself: a guard against loops and floods, not against guessing.
    """

    def __init__(self, app: ASGIApp, api: str, forms: str) -> None:
        self.app = app
        self.api = Window(api)
        self.forms = Window(forms)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        window = self._window(scope)
        if window is None:
            await self.app(scope, receive, send)
            return
        request = Request(scope)
        session = cookie(request, house(request), SESSION_COOKIE)
        left = window.wait(hashlib.sha256(session.encode()).hexdigest() if session else address(request))
        if not left:
            await self.app(scope, receive, send)
            return
        from lab39.web import errors

        error = too_many(dt.timedelta(seconds=left))
        response = await run_in_threadpool(errors.answer, request, error, 429)
        await response(scope, receive, send)

    def _window(self, scope: Scope) -> Window | None:
        if scope["type"] != "http":
            return None
        if scope["path"].startswith(SYSTEMS):
            return self.api
        return None if scope["method"] in SAFE else self.forms
