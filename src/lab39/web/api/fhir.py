"""``/fhir``: what this server can do, and ``$assess``: a record in, findings out, all of it FHIR R4."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request

from lab39 import fhir
from lab39.core.errors import InputError
from lab39.core.record import Record
from lab39.core.text import LANGS, Lang, Text
from lab39.web.api import capability
from lab39.web.api.answers import ExactFhir, outcomes
from lab39.web.api.assessing import Caller, Day, InLang, OnDay, OnlyThese, as_fhir, assess, read_day
from lab39.web.api.bodies import FHIR, Body, media_type, reads
from lab39.web.api.guard import asked_for
from lab39.web.api.refusals import NotAcceptableError
from lab39.web.api.samples import BUNDLE, documents
from lab39.web.house import Here
from lab39.web.roles import Needs
from lab39.web.viewer import See

WRITTEN = ("application/fhir+json", "application/json", "application/*", "*/*", "text/json")
FORMATS = ("json", "application/json", "application/fhir+json", "application/fhir json")
"""Values of ``_format``; a ``+`` that was not escaped arrives as a space."""


def acceptable(request: Request) -> None:
    """Refuse a caller that does not read JSON.

    Raises:
        NotAcceptableError
    """
    wanted = request.query_params.get("_format")
    if wanted is not None:
        fits = wanted in FORMATS
    else:
        ranges = [part for part in request.headers.get("accept", "*/*").split(",") if part.strip()]
        fits = not ranges or any(media_type(r) in WRITTEN and not _refused(r) for r in ranges)
    if not fits:
        raise NotAcceptableError(
            Text("seul le JSON est écrit ici (application/fhir+json)", "only JSON is written here"), "Accept"
        )


def _refused(media_range: str) -> bool:
    """``q=0`` says that a form is not wanted."""
    weights = [p.strip()[2:] for p in media_range.split(";")[1:] if p.strip().startswith("q=")]
    return bool(weights) and weights[0].strip("0") in ("", ".")


router = APIRouter(prefix="/fhir", tags=["FHIR"], dependencies=[Depends(acceptable), Depends(asked_for)])


@router.get(
    "/metadata",
    dependencies=[Depends(Needs("showroom.see"))],
    response_class=ExactFhir,
    responses=outcomes(406),
)
def metadata(request: Request, here: Here) -> ExactFhir:
    """The CapabilityStatement."""
    brought = [
        (each.path[1:], each.definition)
        for faces in request.app.state.faces.values()
        for each in faces.operations
        if each.fhir
    ]
    return ExactFhir(capability.statement(_base(request, here), here.now(), brought))


@router.get(
    f"/{capability.OPERATION}",
    dependencies=[Depends(Needs("showroom.see"))],
    response_class=ExactFhir,
    responses=outcomes(406),
)
def operation(request: Request, here: Here) -> ExactFhir:
    """The definition of ``$assess``."""
    return ExactFhir(capability.definition(_base(request, here)))


PARAMETERS = {
    "resourceType": "Parameters",
    "parameter": [{"name": "record", "resource": BUNDLE}, {"name": "on", "valueDate": "2026-11-24"}],
}


def _documented() -> dict[str, Any]:
    body = documents("A Bundle or a resource of R4, or Parameters that hold it as `record`.", packets=False)
    for content in body["content"].values():
        content["examples"]["parameters"] = {"value": PARAMETERS}
    return body


@router.post(
    "/$assess",
    dependencies=[Depends(Needs("assess.once"))],
    response_class=ExactFhir,
    responses=outcomes(403, 404, 406, 413, 415, 422, 429),
    openapi_extra={"requestBody": _documented()},
)
def assess_as_fhir(
    here: Here,
    viewer: See,
    body: Annotated[Body, Depends(reads(*FHIR))],
    on: OnDay = None,
    only: OnlyThese = [],  # noqa: B006
    lang: InLang = None,
) -> ExactFhir:
    """Assess one record; the answer is a Bundle of findings. The record is not kept."""
    asked = _asked(body.parsed(here.settings), on, tuple(only), lang)
    record = asked.record(here)
    caller = Caller(viewer.person or "", "fhir")
    report = assess(here, record, body, caller, on=asked.on, only=asked.only)
    return ExactFhir(as_fhir(here, report, asked.lang or viewer.lang))


@dataclass(frozen=True, slots=True)
class _Asked:
    """What ``$assess`` was given, in the address or in Parameters."""

    document: Mapping[str, Any]
    on: dt.date | None
    only: tuple[str, ...]
    lang: Lang | None

    def record(self, here: Here) -> Record:
        """The record."""
        return fhir.record(self.document, settings=here.settings)


def _asked(document: Mapping[str, Any], on: Day | None, only: tuple[str, ...], lang: Lang | None) -> _Asked:
    if document.get("resourceType") != "Parameters":
        return _Asked(document, on, only, lang)
    rows = document.get("parameter")
    if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
        raise InputError(Text("une liste est attendue", "a list is expected"), "Parameters.parameter")
    record: Mapping[str, Any] | None = None
    for i, row in enumerate(rows):
        name, place = row.get("name"), f"Parameters.parameter[{i}]"
        if name == "record" and record is None and isinstance(row.get("resource"), Mapping):
            record = row["resource"]
        elif name == "on" and isinstance(value := row.get("valueDate"), str):
            on = read_day(value, f"{place}.valueDate")
        elif name == "only" and isinstance(value := row.get("valueCode"), str):
            only = (*only, value)
        elif name == "lang" and (value := row.get("valueCode")) in LANGS:
            lang = value
        else:
            shown = str(name)[:40]
            raise InputError(
                Text(
                    f"paramètre «\u202f{shown}\u202f» inconnu, répété ou d'un autre type. Connus\u202f: "
                    "record (resource), on (valueDate), only (valueCode), lang (valueCode\u202f: fr, en)",
                    f"parameter “{shown}” is unknown, repeated or of another type. Known: record (resource), "
                    "on (valueDate), only (valueCode), lang (valueCode: fr, en)",
                ),
                place,
            )
    if record is None:
        raise InputError(
            Text("le paramètre «\u202frecord\u202f» manque", "the parameter “record” is missing"), "Parameters"
        )
    return _Asked(record, on, only, lang)


def _base(request: Request, here: Here) -> str:
    return f"{here.settings.public_url or str(request.base_url).rstrip('/')}/fhir"
