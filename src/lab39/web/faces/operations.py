"""Operations of solutions: ``/api/<id>/<path>`` and ``/fhir/$name``, behind the guards of the lab's own doors."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from fastapi import Depends, FastAPI, Request
from fastapi.responses import Response
from pydantic import BaseModel, TypeAdapter, ValidationError

from lab39 import fhir
from lab39.core.errors import InputError, LabError
from lab39.core.faces import Call, Operation
from lab39.core.finding import jsonable
from lab39.core.isolation import TimeLimitExceeded
from lab39.core.record import Record
from lab39.core.text import Text
from lab39.fhir import outputs
from lab39.store import audit
from lab39.store.worker import describe
from lab39.web import logs
from lab39.web.api import samples
from lab39.web.api.answers import Exact, ExactFhir, outcomes, problems
from lab39.web.api.assessing import InLang
from lab39.web.api.bodies import FHIR, JSON, Body, reads, unread
from lab39.web.api.fhir import acceptable
from lab39.web.api.guard import asked_for
from lab39.web.api.ledger import ledger
from lab39.web.api.refusals import RefusedError
from lab39.web.faces import calls
from lab39.web.faces.loading import Faces
from lab39.web.house import Here, House
from lab39.web.roles import Needs
from lab39.web.viewer import See, Viewer

STATUSES = (403, 404, 413, 415, 422, 429)


class CouldNotRunError(RefusedError):
    """A solution's operation that raised or overran; the rest of the lab works."""

    status = 500


def address(name: str, operation: Operation) -> str:
    """Where an operation stands."""
    return f"/fhir/{operation.path}" if operation.fhir else f"/api/{name}/{operation.path}"


def mount(app: FastAPI, name: str, faces: Faces) -> None:
    """Add the operations of one solution."""
    for each in faces.operations:
        _mount(app, name, each)


def _mount(app: FastAPI, name: str, operation: Operation) -> None:
    door = [Depends(acceptable)] if operation.fhir else []
    documented = outcomes(406, *STATUSES) if operation.fhir else problems(*STATUSES, gives=operation.answer)
    app.add_api_route(
        address(name, operation),
        _endpoint(name, operation),
        methods=[operation.method],
        tags=["FHIR" if operation.fhir else app.state.house.lab.solution(name).title.en],
        summary=operation.summary,
        description=operation.summary,
        operation_id=f"{name}-{operation.method}-{operation.path}".lower(),
        response_class=ExactFhir if operation.fhir else Exact,
        response_model=None,
        responses=documented,
        openapi_extra=_documented(app, name, operation),
        dependencies=[*door, Depends(asked_for), Depends(Needs(operation.permission))],
    )


def _endpoint(name: str, operation: Operation) -> Callable[..., Response]:
    media = FHIR if operation.body is Record or operation.fhir else JSON

    def post(
        request: Request, here: Here, who: See, body: Body = Depends(reads(*media)), lang: InLang = None
    ) -> Response:
        del lang  # read by the viewer
        answer = _answer(request, here, who, name, operation, _read(operation, body, here))
        _trace(here, who, name, operation, body)
        return answer

    def get(request: Request, here: Here, who: See, lang: InLang = None) -> Response:
        del lang
        return _answer(request, here, who, name, operation, None)

    return post if operation.method == "POST" else get


def _read(operation: Operation, body: Body, here: House) -> Any:
    """What was sent, as the operation reads it.

    Raises:
        InputError: with the place of what cannot be read.
    """
    if operation.body is Record:
        return fhir.record(body.raw, settings=here.settings)
    parsed = body.parsed(here.settings)
    if operation.fhir and not isinstance(parsed.get("resourceType"), str):
        raise InputError(Text("une ressource FHIR est attendue", "a FHIR resource is expected"), "resourceType")
    if operation.body is None:
        return parsed
    try:
        return TypeAdapter(operation.body).validate_json(body.raw, strict=True)
    except ValidationError as error:
        raise unread(error) from None


def _answer(request: Request, here: House, who: Viewer, name: str, operation: Operation, body: Any) -> Response:
    def work(call: Call) -> Response:
        found = operation.handler(call)
        if operation.fhir:
            try:
                outputs.validate(found)
            except LabError as error:  # the solution's mistake, not the caller's
                raise ValueError("not a valid resource of FHIR R4") from error
            return ExactFhir(found)
        return Exact(found.model_dump(mode="json") if isinstance(found, BaseModel) else jsonable(found))

    try:
        return calls.run(here, request, who, name, work, body=body, audited=False)
    except LabError:
        raise
    except Exception as error:
        logs.log.error("could not run", solution=name, **logs.told(error))
        late = isinstance(error, TimeLimitExceeded)
        why = Text("temps limite dépassé", "time limit exceeded") if late else Text.same(describe(error))
        said = Text(f"cette solution n'a pas pu répondre ({why.fr})", f"this solution could not answer ({why.en})")
        raise CouldNotRunError(said, name) from error


def _trace(here: House, who: Viewer, name: str, operation: Operation, body: Body) -> None:
    """That it was asked is in the audit log before anything is answered: how much was read, which code answered."""
    versions = here.lab.versions()
    about = {
        "door": f"{name}/{operation.path}",
        "bytes": len(body.raw),
        "sha256": body.sha256,
        "lab39": str(versions["lab39"]),
        "solutions": dict(versions["solutions"]),
    }
    actor = who.person or ""
    ledger(here.store).write(
        lambda tx: audit.append(tx, at=here.now(), actor=actor, action="assessment", about=about)
    )


def _documented(app: FastAPI, name: str, operation: Operation) -> dict[str, Any]:
    """What OpenAPI is told beside what FastAPI finds out."""
    found: dict[str, Any] = {}
    if operation.query:
        found["parameters"] = [
            {"name": each, "in": "query", "required": False, "schema": {"type": "string"}, "description": about}
            for each, about in operation.query.items()
        ]
    if operation.method == "GET":
        return found
    if operation.body is Record:
        return found | {"requestBody": samples.documents("A FHIR R4 Bundle or resource, or a Phenopacket v2.")}
    content: dict[str, Any] = {"schema": _schema(app, name, operation)}
    if operation.example is not None:
        content["examples"] = {"example": {"value": jsonable(operation.example)}}
    media = FHIR if operation.fhir else JSON
    return found | {"requestBody": {"required": True, "content": dict.fromkeys(media, content)}}


def _schema(app: FastAPI, name: str, operation: Operation) -> Mapping[str, Any]:
    if operation.body is None:
        return {"$ref": "#/components/schemas/FhirResource"} if operation.fhir else {"type": "object"}
    owner = "".join(word.capitalize() for word in name.split("-"))
    schema = TypeAdapter(operation.body).json_schema(ref_template=f"#/components/schemas/{owner}{{model}}")
    app.state.schemas.update({f"{owner}{each}": part for each, part in schema.pop("$defs", {}).items()})
    return schema
