"""What systems send: the body as it came, with its size and digest, before anything reads it."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from fastapi import Request
from pydantic import BaseModel, ValidationError

from lab39.core.errors import InputError
from lab39.core.text import Text
from lab39.fhir import jsontext
from lab39.settings import Settings
from lab39.web.api.refusals import unsupported

M = TypeVar("M", bound=BaseModel)
JSON = ("application/json",)
FHIR = ("application/fhir+json", "application/json")


@dataclass(frozen=True, slots=True)
class Body:
    """One request's body.

    Attributes:
        sha256: of the bytes, in hexadecimal; what the audit log keeps of them.
    """

    raw: bytes
    sha256: str

    def parsed(self, settings: Settings) -> dict[str, Any]:
        """The JSON object it holds, decimals exact.

        Raises:
            InputError: not one strict JSON object, with the line and column.
        """
        found = jsontext.loads(self.raw, max_depth=settings.max_depth)
        if not isinstance(found, dict):
            raise InputError(Text("un objet JSON est attendu", "a JSON object is expected"))
        return found


def reads(*types: str) -> Callable[[Request], Awaitable[Body]]:
    """A dependency that gives the body when it is announced as one of these media types.

    Raises:
        MediaTypeError: another type, or none.
        TooLargeError: over the limit of the lab.
    """

    async def body(request: Request) -> Body:
        given = request.headers.get("content-type", "")
        if media_type(given) not in types:
            raise unsupported(given, types)
        raw = await request.body()
        return Body(raw, hashlib.sha256(raw).hexdigest())

    return body


def read(model: type[M], document: Mapping[str, Any], place: str = "") -> M:
    """A part of what was sent.

    Raises:
        InputError: naming the first member that cannot be read, and never its value.
    """
    try:
        return model.model_validate(document)
    except ValidationError as error:
        raise unread(error, place) from None


def unread(error: ValidationError, place: str = "") -> InputError:
    """The first member that cannot be read, and never its value."""
    first = error.errors(include_input=False, include_context=False, include_url=False)[0]
    where = ".".join(str(part) for part in (*filter(None, [place]), *first["loc"]))
    said = first["msg"]
    return InputError(Text(f"requête invalide\u202f: {said}", f"invalid request: {said}"), where)


def media_type(header: str) -> str:
    """The type of a ``Content-Type`` header, without its parameters."""
    return header.split(";")[0].strip().lower()
