"""The lab's OpenAPI document: shapes used only by reference, who may call what, and words about the whole."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from lab39 import __version__
from lab39.fhir.outputs import DISCLAIMER
from lab39.web.api import models, samples
from lab39.web.api.cds.samples import schemas as cds_schemas
from lab39.web.roles import EVERYBODY, every_route, needs_of, permissions

PATH = "/api/openapi.json"
ABOUT = (
    "One person's health record goes in, findings come out, and every finding can say why.\n\n"
    "JSON is strict: UTF-8, no NaN, no key given twice; decimals keep the digits they were written with. "
    f"\n\n{DISCLAIMER.en}"
)
TAGS = [
    {"name": "Assess", "description": "A record is assessed and not kept."},
    {"name": "Solutions", "description": "What is installed and what it is worth."},
    {"name": "Records", "description": "Records kept for somebody who is signed in."},
    {"name": "FHIR", "description": "FHIR R4."},
    {"name": "CDS Hooks", "description": "CDS Hooks 2.0.1; fields of 3.0 are accepted."},
]
SCHEMES = {
    "token": {"type": "http", "scheme": "bearer", "description": "A token made with `lab39 token add`."},
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": "lab39_session",
        "description": "Somebody signed in; what changes something also needs the header X-Form-Token.",
    },
}
_BY_REFERENCE = (models.Problem, models.OperationOutcome)


def install(app: FastAPI) -> None:
    """Let ``app.openapi()`` give the document."""

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _document(app)
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]


def _document(app: FastAPI) -> dict[str, Any]:
    lab = app.state.house.lab
    brought = [lab.solution(name) for name, faces in app.state.faces.items() if faces.operations]
    found = get_openapi(
        title="Lab39",
        version=__version__,
        description=ABOUT,
        tags=[*TAGS, *({"name": each.title.en, "description": each.purpose.en} for each in brought)],
        routes=app.routes,
        openapi_version="3.1.0",
    )
    parts = found.setdefault("components", {})
    schemas = parts.setdefault("schemas", {})
    schemas.update(samples.SCHEMAS | cds_schemas() | app.state.schemas)
    for model in _BY_REFERENCE:
        schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas.update(schema.pop("$defs", {}))
        schemas[model.__name__] = schema
    for name in ("HTTPValidationError", "ValidationError"):  # FastAPI's own, which the lab never answers
        schemas.pop(name, None)
    parts["securitySchemes"] = SCHEMES
    for route in every_route(app.routes):
        if route.include_in_schema and not _open(route):
            for method in route.methods or ():
                found["paths"][route.path_format][method.lower()]["security"] = [{"token": []}, {"session": []}]
    return found


def _open(route: APIRoute) -> bool:
    return all(EVERYBODY in permissions()[name] for name in needs_of(route))
