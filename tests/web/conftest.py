"""A lab behind HTTP, with a database of its own, a clock that tests move, and clients that stand for browsers."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.store.conftest import MovableClock

from lab39.core.lab import Lab
from lab39.settings import Settings
from lab39.store import Store
from lab39.store.migrate import migrate
from lab39.web.app import create_app

Open = Callable[..., TestClient]


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated database to copy."""
    path = tmp_path_factory.mktemp("template") / "lab39.db"
    store = Store(f"sqlite:///{path}", path.parent / "blobs")
    migrate(store)
    store.close()
    return path


@pytest.fixture
def settings(tmp_path: Path, template: Path) -> Settings:
    """Of a lab with an empty, migrated database."""
    home = tmp_path / "home"
    home.mkdir()
    for part in template.parent.glob("lab39.db*"):
        shutil.copyfile(part, home / part.name)
    return Settings(home=home)


@pytest.fixture
def store(settings: Settings, clock: MovableClock) -> Iterator[Store]:
    opened = Store.of(settings, clock)
    yield opened
    opened.close()


@pytest.fixture
def open_lab(settings: Settings, store: Store) -> Iterator[Open]:
    """Open the doors: ``open_lab(lab=…, base_url=…, **settings)`` gives a client that stands for one browser.
    What the server did not expect is raised, unless ``raising=False``."""
    with ExitStack() as stack:

        def open_it(
            *, lab: Lab | None = None, base_url: str = "http://testserver", raising: bool = True, **changed: Any
        ) -> TestClient:
            app = create_app(replace(settings, **changed), lab=lab or Lab([], settings), store=store)
            client = TestClient(app, base_url=base_url, follow_redirects=False, raise_server_exceptions=raising)
            return stack.enter_context(client)

        yield open_it


@pytest.fixture
def client(open_lab: Open) -> TestClient:
    """One browser, nobody signed in, a lab without solutions."""
    return open_lab()
