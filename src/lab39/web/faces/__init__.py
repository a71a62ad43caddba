"""The solutions' own pages and operations, mounted behind the same guards as the lab's."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fastapi import FastAPI

    from lab39.web.house import House


def install(app: FastAPI, here: House) -> None:
    """Add what every solution brings, after the lab's own routes; what does not load is told on its page."""
    from lab39.web.faces import operations, pages
    from lab39.web.faces.loading import load

    app.state.faces, app.state.schemas = {}, {}
    for name, solution in here.lab.solutions.items():
        app.state.faces[name] = faces = load(solution, app)
        pages.mount(app, name, faces)
        operations.mount(app, name, faces)
    for name in here.lab.broken:
        pages.mount_broken(app, name)
