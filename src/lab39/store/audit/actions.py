"""The actions the audit log tells of; a solution adds its own under its id (``signals.validated``)."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from lab39.core.errors import UnknownNameError
from lab39.core.text import Text

OWN = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*\.[a-z][a-z0-9-]{0,28}")
"""An action of a solution: its id, a dot, a name."""
LONGEST = 60


class UnknownActionError(UnknownNameError):
    """No action has this name."""


@dataclass(frozen=True, slots=True)
class Coding:
    """A code of FHIR."""

    system: str
    code: str
    display: str


@dataclass(frozen=True, slots=True)
class Action:
    """One kind of entry.

    Attributes:
        crud: ``AuditEvent.action`` (C, R, U, D, E).
        type: ``AuditEvent.type``.
        subtype: ``AuditEvent.subtype``.
        refused: it tells of something that did not succeed.
    """

    name: str
    title: Text
    crud: str
    type: Coding
    subtype: Coding | None
    refused: bool


@cache
def actions() -> Mapping[str, Action]:
    """The lab's own actions by name."""
    read = tomllib.loads(files(__package__).joinpath("knowledge/actions.toml").read_text("utf-8"))
    systems: dict[str, str] = read["systems"]

    def coding(row: list[str] | None) -> Coding | None:
        return Coding(systems[row[0]], row[1], row[2]) if row else None

    found = {}
    for name, row in read["action"].items():
        kind = coding(row["type"])
        assert kind is not None
        subtype, refused = coding(row.get("subtype")), row.get("refused", False)
        found[name] = Action(name, Text.of(row), row["crud"], kind, subtype, refused)
    return found


def action(name: str) -> Action:
    """An action by name; a solution's own is an application activity.

    Raises:
        UnknownActionError: naming those that exist.
    """
    found = actions().get(name)
    if found is not None:
        return found
    if OWN.fullmatch(name) and len(name) <= LONGEST:
        job = actions()["job"]
        return Action(name, Text.same(name), "E", job.type, None, refused=False)
    names = ", ".join(actions())
    raise UnknownActionError(
        Text(
            f"action d'audit inconnue\u202f: {names}, ou «\u202fsolution.action\u202f»",
            f"unknown audit action: {names}, or “solution.action”",
        ),
        name[:60],
    )
