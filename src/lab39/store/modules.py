"""The modules that keep something: each declares its tables and registers what it keeps about a person.

A solution that keeps something names its own module in ``Solution.tables``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module

MODULES = (
    "lab39.store.people",
    "lab39.store.credentials",
    "lab39.store.sessions",
    "lab39.store.tokens",
    "lab39.store.belongings",  # records, access, assessments
    "lab39.store.consents",
    "lab39.store.cds",
    "lab39.store.blobs",
    "lab39.store.jobs",
    "lab39.store.events",
    "lab39.store.outbox",
    "lab39.store.questions",
    "lab39.store.audit.erasure",
    "lab39.store.throttle",
)


@dataclass(frozen=True, slots=True)
class Loaded:
    """What is installed.

    Attributes:
        migrations: packages that hold the migrations of solutions.
        broken: id of each solution that does not load, and why; whoever erases or exports must tell it.
    """

    migrations: tuple[str, ...]
    broken: Mapping[str, str]


def load() -> Loaded:
    """Import every module that keeps something, the lab's and the solutions'."""
    from lab39.core.lab import entry_points

    for name in MODULES:
        import_module(name)
    migrations, broken = [], {}
    for name, point in entry_points().items():
        try:
            solution = point.load()
            if solution.tables:
                import_module(solution.tables)
            if solution.migrations:
                migrations.append(solution.migrations)
        except Exception as error:
            broken[name] = f"{type(error).__name__}: {error}"
    return Loaded(tuple(migrations), broken)
