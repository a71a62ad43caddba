"""What a solution brings to the web, or why it cannot be mounted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from lab39.core import isolation
from lab39.core.faces import Operation, Page, load_operations, load_pages, package_of
from lab39.core.lab import LOAD_LIMIT_SECONDS
from lab39.core.solution import Solution
from lab39.web.roles import every_route, permissions


@dataclass(frozen=True, slots=True)
class Faces:
    """One solution's pages and operations.

    Attributes:
        package: holds its ``templates`` and ``static`` folders; empty when it has no pages.
        broken: why its pages or operations do not load; empty when they do.
    """

    pages: tuple[Page, ...] = ()
    operations: tuple[Operation, ...] = ()
    package: str = ""
    broken: str = ""

    @property
    def linked(self) -> tuple[Page, ...]:
        """The pages that a link leads to, the first page first."""
        return tuple(sorted((page for page in self.pages if page.linked), key=lambda page: page.path != ""))

    @property
    def static(self) -> Path | None:
        """Its folder of static files."""
        folder = Path(str(files(self.package) / "static")) if self.package else None
        return folder if folder is not None and folder.is_dir() else None


def load(solution: Solution, app: FastAPI) -> Faces:
    """What a solution brings; a failure is a reason to show, never an error."""
    try:
        return isolation.run(lambda: _load(solution, app), isolation.Stopwatch(LOAD_LIMIT_SECONDS))
    except Exception as error:
        return Faces(broken=f"{type(error).__name__}: {error}")


def _load(solution: Solution, app: FastAPI) -> Faces:
    pages, operations = load_pages(solution.pages), load_operations(solution.operations)
    every: tuple[Page | Operation, ...] = (*pages, *operations)
    for each in every:
        if each.permission not in permissions():
            raise ValueError(f"{each.path or '/'}: permissions.toml has no {each.permission!r}")
    taken = first_segments(app.routes)
    if solution.id in taken:
        raise ValueError(f"/{solution.id} is an address of the lab")
    for name in (each.path for each in operations if each.fhir):
        if f"/fhir/{name}" in {route.path for route in every_route(app.routes)}:
            raise ValueError(f"/fhir/{name} is taken")
    return Faces(pages, operations, package_of(solution.pages) if solution.pages else "")


def first_segments(routes: Sequence[object]) -> frozenset[str]:
    """The first words of the addresses of an application, which no solution may have."""
    paths = [str(getattr(each.original_route, "path", "")) for each in iter_route_contexts(routes)]  # type: ignore[arg-type]
    words = {path.split("/")[1] for path in paths if path.startswith("/") and len(path) > 1}
    return frozenset(word for word in words if word and "{" not in word)
