"""The solutions' own pages and operations, mounted behind the same guards as the lab's."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fastapi import FastAPI

    from lab39.web.house import House


def install(app: FastAPI, here: House) -> None:
    """Add what every solution brings, after the lab's own routes; what does not load is told on its page."""
    from lab39.web.faces import pages
    from lab39.web.faces.loading import load

    app.state.faces = {name: load(each, app) for name, each in here.lab.solutions.items()}
    for name, faces in app.state.faces.items():
        pages.mount(app, name, faces)
    for name in here.lab.broken:
        pages.mount_broken(app, name)
