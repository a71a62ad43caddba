"""Telling R4 from the releases beside it, by what only they write."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from lab39.core.errors import InputError
from lab39.core.text import Text

_JSON = {"array": list, "object": dict, "string": str}


@dataclass(frozen=True, slots=True)
class Sign:
    """What tells a release.

    Attributes:
        element: ``""`` when the resource type itself tells.
        json: the JSON type that tells; ``""`` when the presence of the element does.
    """

    version: str
    resource: str
    element: str = ""
    json: str = ""

    @property
    def where(self) -> str:
        """``Condition.participant``."""
        return f"{self.resource}.{self.element}" if self.element else self.resource

    def shown_by(self, raw: Mapping[str, Any]) -> bool:
        """Whether a resource of that type shows it."""
        if not self.element:
            return True
        value = raw.get(self.element)
        return value is not None and (not self.json or isinstance(value, _JSON[self.json]))


@cache
def signs() -> tuple[Sign, ...]:
    """The rows of ``knowledge/versions.toml``."""
    table = tomllib.loads(files("lab39.fhir").joinpath("knowledge/versions.toml").read_text("utf-8"))
    found = [Sign(row["version"], name) for row in table["resources"] for name in row["names"]]
    for version, resources in table["elements"].items():
        found += [Sign(version, resource, element) for resource, row in resources.items() for element in row]
    for version, resources in table["types"].items():
        for resource, row in resources.items():
            found += [Sign(version, resource, element, json) for element, json in row.items()]
    return tuple(found)


def refuse_other_releases(resources: Iterable[Mapping[str, Any]], source: str = "") -> None:
    """Refuse a document written in another release: read as R4 it would lose medicines and statuses.

    Raises:
        InputError: naming the element and the release.
    """
    by_resource: dict[str, list[Sign]] = {}
    for sign in signs():
        by_resource.setdefault(sign.resource, []).append(sign)
    for raw in resources:
        for sign in by_resource.get(str(raw.get("resourceType")), ()):
            if sign.shown_by(raw):
                name = f"{sign.resource}/{raw.get('id', '?')}"
                raise InputError(
                    Text(
                        f"{sign.where} ({name}) est du FHIR {sign.version}\u202f; Lab39 lit R4. À convertir.",
                        f"{sign.where} ({name}) is FHIR {sign.version}; Lab39 reads R4. Convert it first.",
                    ),
                    source,
                )
