"""Telling R4 from the releases beside it, by what only they write."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from lab39.core.errors import InputError
from lab39.core.record import Record
from lab39.core.text import Text

_JSON = {"array": list, "object": dict, "string": str}


@cache
def signs() -> tuple[Mapping[str, str], ...]:
    """The rows of ``knowledge/versions.toml``."""
    text = files("lab39.fhir").joinpath("knowledge/versions.toml").read_text("utf-8")
    return tuple(tomllib.loads(text)["sign"])


def refuse_other_releases(record: Record) -> None:
    """Refuse a record written in another release: read as R4 it would lose medicines and statuses.

    Raises:
        InputError: naming the element and the release.
    """
    by_resource: dict[str, list[Mapping[str, str]]] = {}
    for sign in signs():
        by_resource.setdefault(sign["resource"], []).append(sign)
    for raw in record.resources():
        for sign in by_resource.get(str(raw.get("resourceType")), ()):
            if _shows(raw, sign):
                where = f"{sign['resource']}.{sign['element']}"
                name = f"{sign['resource']}/{raw.get('id', '?')}"
                raise InputError(
                    Text(
                        f"{where} ({name}) est du FHIR {sign['version']}\u202f; Lab39 lit R4. À convertir.",
                        f"{where} ({name}) is FHIR {sign['version']}; Lab39 reads R4. Convert it first.",
                    ),
                    record.source,
                )


def _shows(raw: Mapping[str, Any], sign: Mapping[str, str]) -> bool:
    value = raw.get(sign["element"])
    if value is None:
        return False
    return sign["kind"] == "element" or isinstance(value, _JSON[sign["json"]])
