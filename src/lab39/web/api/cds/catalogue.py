"""The services, the data they ask for, and the reasons to set a card aside: ``knowledge/cds.toml``."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from lab39.core.errors import UnknownNameError
from lab39.core.text import Lang, Text
from lab39.web.words import typeset


@dataclass(frozen=True, slots=True)
class Service:
    """One service a CDS client calls at one moment."""

    id: str
    hook: str
    title: Text
    about: Text


@dataclass(frozen=True, slots=True)
class Prefetch:
    """One piece of the record: its key, the query that gives it, the resources it is made of."""

    key: str
    query: str
    kinds: frozenset[str]
    required: bool
    name: Text

    def address(self, patient: str) -> str:
        """The query for one patient."""
        return self.query.replace("{{context.patientId}}", patient)


@cache
def services() -> Mapping[str, Service]:
    """The services by id."""
    rows = _knowledge()["service"]
    return {name: Service(name, row["hook"], _words(row), _words(row["about"])) for name, row in rows.items()}


def service(name: str) -> Service:
    """One service.

    Raises:
        UnknownNameError
    """
    if name not in services():
        names = ", ".join(services())
        raise UnknownNameError(Text(f"pas de service de ce nom\u202f: {names}", f"no such service: {names}"))
    return services()[name]


@cache
def prefetches() -> tuple[Prefetch, ...]:
    """What every service asks for."""
    return tuple(
        Prefetch(key, row["query"], frozenset(row["kinds"]), row.get("required", False), _words(row))
        for key, row in _knowledge()["prefetch"].items()
    )


@cache
def override_reasons(lang: Lang) -> tuple[Mapping[str, str], ...]:
    """Codings with a display, as a card carries them."""
    rows = _knowledge()["override"]
    return tuple(
        {"code": code, "system": rows["system"], "display": _words(row)[lang]}
        for code, row in rows["reason"].items()
    )


def discovery(lang: Lang) -> Mapping[str, Any]:
    """The answer of the discovery endpoint."""
    return {
        "services": [
            {
                "hook": each.hook,
                "title": each.title[lang],
                "description": each.about[lang],
                "id": each.id,
                "prefetch": {p.key: p.query for p in prefetches()},
                "usageRequirements": _words(_knowledge()["usage"])[lang],
            }
            for each in services().values()
        ]
    }


@cache
def _knowledge() -> dict[str, Any]:
    return tomllib.loads(files("lab39.web").joinpath("knowledge/cds.toml").read_text("utf-8"))


def _words(row: Mapping[str, Any]) -> Text:
    text = Text.of(dict(row))
    return Text(typeset(text.fr), text.en)
