"""The application factory."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.resources import files

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool
from starlette.staticfiles import StaticFiles

from lab39 import __version__
from lab39.core.lab import Lab
from lab39.settings import Settings
from lab39.store import Store
from lab39.web import api, errors, faces, logs, ops, roles, security
from lab39.web.house import House
from lab39.web.pages import (
    access,
    account,
    audit,
    demo,
    desk,
    jobs,
    people,
    questions,
    records,
    showroom,
    signin,
    unsubscribe,
)
from lab39.web.signin.limits import RequestPace
from lab39.web.signin.oidc import Relying
from lab39.web.signin.providers import providers


def create_app(settings: Settings | None = None, *, lab: Lab | None = None, store: Store | None = None) -> FastAPI:
    """One lab behind HTTP.

    Args:
        settings: from the environment when none are given.
        lab, store: brought by tests; otherwise made from the settings.
    """
    settings = settings or Settings.from_env()
    here = House(
        settings=settings,
        lab=lab or Lab.discover(settings),
        store=store or Store.of(settings),
        secret=security.lab_secret(settings.keys),
    )

    @asynccontextmanager
    async def life(_: FastAPI) -> AsyncIterator[None]:
        for name, error in (await run_in_threadpool(here.lab.prepare)).items():
            logs.log.warning("not prepared", solution=name, **logs.told(error))
        yield
        here.store.close()

    app = FastAPI(title="Lab39", version=__version__, lifespan=life, docs_url=None, redoc_url=None)
    app.state.house = here
    app.state.relying = {name: Relying(each) for name, each in providers(settings).items()}
    api.install(app, here)  # first: programs call most often, and every route before theirs takes its time
    app.include_router(showroom.router)
    for page in (demo, records, desk, access, questions, signin, account, people, audit, jobs, unsubscribe):
        app.include_router(page.router)
    errors.install(app)
    app.add_middleware(security.BodyLimit, max_bytes=settings.max_bytes)
    app.add_middleware(RequestPace, api=settings.api_rate, forms=settings.form_rate)
    app.add_middleware(logs.Contained)
    app.add_middleware(security.ResponseHeaders)
    ops.install(app, here)
    faces.install(app, here)
    app.mount("/static", StaticFiles(directory=str(files("lab39.web") / "static")), name="static")
    roles.check_every_route(app.routes)
    return app
