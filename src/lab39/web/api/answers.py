"""What the doors for systems answer with: exact JSON, and how errors are documented."""

from __future__ import annotations

from typing import Any

from fastapi.responses import JSONResponse

from lab39.fhir import jsontext

PROBLEM = "application/problem+json"
FHIR_JSON = "application/fhir+json"

_TOLD = {
    400: "The request could not be read",
    401: "Nobody is signed in, or the token opens nothing",
    403: "This person may not do this, or the form does not come from this lab",
    404: "No such thing, or not for this person",
    405: "Not this method here",
    406: "Only JSON is written here",
    409: "It has changed meanwhile, or must be kept; nothing was saved",
    412: "Data that is needed was neither sent nor could be fetched",
    413: "More than the lab reads",
    415: "A media type that is not read here",
    422: "What was sent cannot be read as what it claims to be; the answer says where",
    428: "Say which version was changed (If-Match)",
    429: "Too many requests; try again after the time that Retry-After gives",
    500: "An error of the lab; nothing was saved",
    503: "The database, or data that is needed, cannot be used now; nothing was saved",
}
_HEADERS = {
    401: {"WWW-Authenticate": {"schema": {"type": "string"}}},
    405: {"Allow": {"schema": {"type": "string"}}},
    429: {"Retry-After": {"schema": {"type": "string"}}},
    503: {"Retry-After": {"schema": {"type": "string"}}},
}


class Exact(JSONResponse):
    """JSON with every decimal as it was given."""

    def render(self, content: Any) -> bytes:
        """To bytes; NaN and Infinity are refused."""
        return jsontext.dumps(content).encode()


class ExactFhir(Exact):
    """The same, as FHIR."""

    media_type = FHIR_JSON


Documented = dict[int | str, dict[str, Any]]


def problems(*statuses: int, gives: Any = None, status: int = 200) -> Documented:
    """What an operation of the lab's own API gives, and may refuse with, for OpenAPI."""
    ok: Documented = {status: {"model": gives}} if gives is not None else {}
    return ok | _documented(statuses, PROBLEM, "Problem")


def outcomes(*statuses: int, gives: Any = None) -> Documented:
    """The same in FHIR's words."""
    ok: Documented = {200: {"model": gives}} if gives is not None else {}
    return ok | _documented(statuses, FHIR_JSON, "OperationOutcome")


def _documented(statuses: tuple[int, ...], media: str, schema: str) -> Documented:
    found: Documented = {}
    for status in sorted({*statuses, 500, 503}):
        content = {media: {"schema": {"$ref": f"#/components/schemas/{schema}"}}}
        found[status] = {"description": _TOLD[status], "content": content}
        if status in _HEADERS:
            found[status]["headers"] = _HEADERS[status]
    return found
