"""``/api/docs``: the OpenAPI document as a plain page, offline and without script."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse
from markupsafe import Markup, escape

from lab39.core.text import Text
from lab39.fhir import jsontext
from lab39.web.api import openapi
from lab39.web.api.answers import Exact
from lab39.web.house import Here
from lab39.web.roles import Needs
from lab39.web.templating import render

GROUPS = {
    "Assess": Text("Évaluer une fois", "Assess once"),
    "Solutions": Text("Solutions", "Solutions"),
    "Records": Text("Dossiers conservés", "Records kept"),
    "FHIR": Text("FHIR R4", "FHIR R4"),
    "CDS Hooks": Text("CDS Hooks 2.0.1", "CDS Hooks 2.0.1"),
}
"""The groups of operations, as the page calls them."""

router = APIRouter(include_in_schema=False, dependencies=[Depends(Needs("showroom.see"))])


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of an operation."""

    name: str
    where: str
    required: bool
    type: str
    description: str


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation, as the page shows it."""

    anchor: str
    method: str
    path: str
    summary: Markup
    description: Markup
    needs_person: bool
    parameters: tuple[Parameter, ...]
    body: Markup
    media: str
    example: str
    answers: tuple[tuple[str, str, str], ...]


@router.get("/api/docs")
def page(request: Request, here: Here) -> HTMLResponse:
    """Every operation, with an example to copy."""
    document = request.app.openapi()
    names = {each.title.en: each.title for each in here.lab.solutions.values()} | GROUPS
    tags = {row["name"]: row["description"] for row in document["tags"]}
    groups = [
        (names[name], about, [o for tag, o in _operations(document) if tag == name]) for name, about in tags.items()
    ]
    return render(
        request,
        "api.html.jinja",
        {"groups": [g for g in groups if g[2]], "document": document, "where": openapi.PATH},
    )


@router.get(openapi.PATH)
def document(request: Request) -> Exact:
    """The document itself."""
    return Exact(request.app.openapi())


def _operations(document: Mapping[str, Any]) -> Iterator[tuple[str, Operation]]:
    for path, methods in document["paths"].items():
        for method, row in methods.items():
            description = str(row.get("description", ""))
            first, _, rest = description.partition("\n\n")
            media, body, example = _body(row.get("requestBody"))
            yield (
                (row.get("tags") or [""])[0],
                Operation(
                    anchor=str(row["operationId"]),
                    method=method.upper(),
                    path=path,
                    summary=_said(first),
                    description=_said(rest),
                    needs_person=bool(row.get("security")),
                    parameters=tuple(_parameter(p) for p in row.get("parameters", ())),
                    body=_said(body),
                    media=media,
                    example=example,
                    answers=tuple(
                        (status, str(answer["description"]), ", ".join(answer.get("content", {})))
                        for status, answer in sorted(row["responses"].items())
                    ),
                ),
            )


_CODE = re.compile(r"`{1,2}([^`]+)`{1,2}")


def _said(text: str) -> Markup:
    """Words of a docstring, with what stands between backquotes as code."""
    return Markup(_CODE.sub(r"<code>\1</code>", str(escape(" ".join(text.split())))))  # noqa: S704 (escaped)


def _parameter(row: Mapping[str, Any]) -> Parameter:
    schema = row.get("schema", {})
    kind = str(schema.get("format") or schema.get("type") or "")
    if "enum" in schema:
        kind = ", ".join(map(str, schema["enum"]))
    if schema.get("type") == "array":
        kind = f"{schema.get('items', {}).get('type', '')}, repeatable"
    said = str(row.get("description") or schema.get("description") or "")
    return Parameter(row["name"], row["in"], bool(row.get("required")), kind, said)


def _body(row: Mapping[str, Any] | None) -> tuple[str, str, str]:
    """The media types, what the body is, and an example."""
    if row is None:
        return "", "", ""
    content = row["content"]
    first = next(iter(content.values()))
    shown: Any = first.get("example")
    for each in first.get("examples", {}).values():
        shown = shown or each["value"]
    example = jsontext.dumps(shown, indent=2) if shown is not None else ""
    return ", ".join(content), str(row.get("description", "")), example
