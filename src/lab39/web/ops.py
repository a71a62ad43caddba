"""``/healthz``, ``/readyz``, ``/metrics``: whether the server lives, whether it can work, how it is doing.

Whoever asks learns whether the lab is ready. Why not, and the figures, are for the addresses of ``LAB39_MONITORS``.
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.responses import JSONResponse, Response
from starlette.routing import Route

from lab39.core.errors import LabError, UnknownNameError
from lab39.core.text import NO_TEXT, Text
from lab39.store import migrate
from lab39.web import logs
from lab39.web.house import Here, House
from lab39.web.meters import TYPE, Meters
from lab39.web.roles import Needs

FORWARDED = ("forwarded", "x-forwarded-for", "x-real-ip")

router = APIRouter(include_in_schema=False, dependencies=[Depends(Needs("health.read"))])


def install(app: FastAPI, here: House) -> None:
    """Add these doors and count every request; call after every other middleware was added."""
    meters = Meters()
    app.state.meters = meters
    here.lab.observe = meters.assessed
    app.include_router(router)
    app.router.routes.append(Route("/healthz", _alive, methods=["GET"]))
    app.add_middleware(logs.Observed, meters=meters, trusting=bool(here.settings.proxies))


async def _alive(_: Request) -> Response:
    """The process answers. It asks nobody else: neither the database nor the threads that wait for it."""
    return JSONResponse({"status": "alive"})


class Verdict(StrEnum):
    """What one check says."""

    OK = "ok"
    REDUCED = "reduced"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at.

    Attributes:
        verdict: ``reduced``: the lab works, without something.
    """

    name: str
    verdict: Verdict
    reason: Text = NO_TEXT

    def as_dict(self) -> dict[str, Any]:
        """For the answer."""
        return {"name": self.name, "status": self.verdict.value, "reason": self.reason.as_dict()}


@router.get("/readyz")
def ready(request: Request, here: Here) -> Response:
    """Whether requests can be answered here: 200, or 503."""
    checks = tuple(look(here))
    failed = any(each.verdict is Verdict.FAILED for each in checks)
    said: dict[str, Any] = {"status": "not ready" if failed else "ready"}
    if is_monitor(request, here):
        said["checks"] = [each.as_dict() for each in checks]
    if failed:
        logs.log.warning("not ready", checks=[c.name for c in checks if c.verdict is Verdict.FAILED])
    return JSONResponse(said, 503 if failed else 200)


@router.get("/metrics")
def metrics(request: Request, here: Here) -> Response:
    """The figures, for Prometheus."""
    if not is_monitor(request, here):
        raise UnknownNameError(
            Text(
                "rien ici pour cette adresse\u202f; les mesures se lisent depuis celles de LAB39_MONITORS",
                "nothing here for this address; figures are read from those of LAB39_MONITORS",
            )
        )
    meters: Meters = request.app.state.meters
    return Response(meters.written(here), media_type=TYPE)


def is_monitor(request: Request, here: House) -> bool:
    """Whether a request comes from an address of ``LAB39_MONITORS``.

    A request that a proxy passed on comes from the proxy's own address, often this machine's: it counts as one of
    its sender only when the proxy is believed (``LAB39_PROXIES``).
    """
    if not here.settings.proxies and any(name in request.headers for name in FORWARDED):
        return False
    try:
        address = ipaddress.ip_address(request.client.host if request.client else "")
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return any((mapped or address) in ipaddress.ip_network(each) for each in here.settings.monitors)


def look(here: House) -> Iterator[Check]:
    """Look at everything that a request needs."""
    yield from _database(here)
    yield _files(here)
    yield _folder(here)
    yield from _packs(here)


def _database(here: House) -> Iterator[Check]:
    try:
        migrate.check(here.store)
    except migrate.SchemaError as error:
        yield Check("database", Verdict.OK)
        yield Check("migrations", Verdict.FAILED, error.text)
    except LabError as error:
        yield Check("database", Verdict.FAILED, error.text)
    else:
        yield Check("database", Verdict.OK)
        yield Check("migrations", Verdict.OK)


def _folder(here: House) -> Check:
    home = here.settings.home
    if os.access(home, os.W_OK | os.X_OK):
        return Check("folder", Verdict.OK)
    return Check(
        "folder",
        Verdict.FAILED,
        Text("le dossier du laboratoire ne peut être écrit", "the lab's folder cannot be written to"),
    )


def _files(here: House) -> Check:
    """Records and findings are in the database: without its files the lab does less, not nothing."""
    try:
        here.store.files.check()
    except LabError as error:
        return Check("files", Verdict.REDUCED, error.text)
    return Check("files", Verdict.OK)


def _packs(here: House) -> Iterator[Check]:
    """A lab works without a pack, and says so in each report: less, not nothing."""
    lab = here.lab
    for name, spec in lab.packs.specs.items():
        if lab.pack(name) is not None:
            yield Check(f"pack {name}", Verdict.OK)
        else:
            text = Text(f"absent\u202f: {spec.remedy}", f"absent: {spec.remedy}")
            yield Check(f"pack {name}", Verdict.REDUCED, text)
    failed = lab.prepare()
    for name in [*lab.broken, *failed]:
        text = Text(
            "ne se charge pas, ou ses données non plus\u202f; voir les journaux",
            "does not load, or its data do not; see the logs",
        )
        yield Check(f"solution {name}", Verdict.REDUCED, text)
