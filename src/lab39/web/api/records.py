"""``/api/v1/records``: records kept for somebody, their versions, assessments and decisions.

What a page of the desk does, by the same functions; each change is one transaction, with the audit log.
"""

from __future__ import annotations

import re
from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import APIRouter, Depends, Header, Path, Query
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from lab39 import fhir
from lab39.core.finding import Report, jsonable
from lab39.core.text import Text
from lab39.fhir import jsontext
from lab39.store import access, assessments, audit, records
from lab39.store.access import Level
from lab39.store.assessments import Action, Assessment, AssessmentHead
from lab39.store.records import StoredRecord
from lab39.web.api import models
from lab39.web.api.answers import Exact, problems
from lab39.web.api.assessing import OnDay, OnlyThese
from lab39.web.api.bodies import FHIR, JSON, Body, read, reads
from lab39.web.api.guard import asked_for
from lab39.web.api.ledger import ledger
from lab39.web.api.refusals import MustMatchError
from lab39.web.api.samples import documents
from lab39.web.desk import changes, keeping, kept
from lab39.web.house import Here, House
from lab39.web.roles import Needs
from lab39.web.viewer import See, Viewer

router = APIRouter(
    prefix="/api/v1/records",
    tags=["Records"],
    dependencies=[Depends(Needs("records.own")), Depends(asked_for)],
)
Id = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$", description="Identifier, 32 hexadecimal digits.")]
Limit = Annotated[int, Query(ge=1, le=200, description="How many at most.")]
Offset = Annotated[int, Query(ge=0, le=1_000_000, description="How many to leave out first.")]


@router.get("", response_class=Exact, responses=problems(401, 403, 422, gives=models.Records))
def list_records(
    here: Here,
    viewer: See,
    words: Annotated[str, Query(max_length=200, description="In the title or the pseudonym.")] = "",
    limit: Limit = 50,
    offset: Offset = 0,
) -> Exact:
    """The records this person may see, latest change first; never with what is in them."""
    with here.store.reading() as tx:
        found = access.visible_to(
            tx, _person(viewer), at=here.now(), words=words.replace("\0", " "), limit=limit, offset=offset
        )
    return Exact({"records": [_record(row.record, row.level) for row in found]})


@router.post(
    "",
    status_code=201,
    response_class=Exact,
    responses=problems(401, 403, 413, 415, 422, gives=models.Record, status=201)
    | {200: {"model": models.Record, "description": "This very text is kept already; nothing was added"}},
    openapi_extra={"requestBody": documents("The record, kept to the byte.")},
)
def keep_record(
    here: Here,
    viewer: See,
    body: Annotated[Body, Depends(reads(*FHIR))],
    title: Annotated[str, Query(max_length=200, description="Shown in lists; no name, please.")] = "",
) -> Exact:
    """Keep a record and assess it. The same text sent again by the same person makes no second record."""
    text = _text(body)
    record = fhir.record(text, settings=here.settings)
    (done,) = keeping.keep(here, _person(viewer), [(text, record)], title=title)
    answer = _one(here, viewer, done.record)
    answer.status_code = 201 if done.new else 200
    answer.headers["location"] = f"/api/v1/records/{done.record}"
    return answer


@router.get("/{record}", response_class=Exact, responses=problems(401, 403, 404, 422, gives=models.Record))
def see_record(here: Here, viewer: See, record: Id) -> Exact:
    """One record, without what is in it."""
    return _one(here, viewer, record)


@router.delete("/{record}", status_code=204, response_class=Response, responses=problems(401, 403, 404, 422))
def delete_record(here: Here, viewer: See, record: Id) -> Response:
    """Delete a record with its versions, assessments and decisions; its owner only. That it was deleted stays in
    the audit log."""
    keeping.delete(here, _person(viewer), record, sure=True)
    return Response(status_code=204)


@router.get(
    "/{record}/document",
    response_class=Exact,
    responses=problems(401, 403, 404, 422)
    | {
        200: {
            "description": "The document as it came, to the byte",
            "content": {"application/json": {"schema": {"type": "object"}}},
            "headers": {"ETag": {"schema": {"type": "string"}}},
        }
    },
)
def see_document(
    here: Here,
    viewer: See,
    record: Id,
    version: Annotated[int | None, Query(ge=1, le=1_000_000, description="The latest when absent.")] = None,
) -> Response:
    """What the record holds, as it came; looking at it is in the audit log."""
    at, person = here.now(), _person(viewer)
    with here.store.reading() as tx:
        access.require(tx, record, person, Level.READ, at=at)
        found = records.version(tx, record, version)
    about = {"version": found.number}
    ledger(here.store).write(
        lambda tx: audit.append(tx, at=at, actor=person, action="access", subject=record, about=about)
    )
    return Response(found.document, media_type="application/json", headers={"etag": f'"{found.number}"'})


@router.put(
    "/{record}/document",
    response_class=Exact,
    responses=problems(401, 403, 404, 409, 413, 415, 422, 428, gives=models.Record),
    openapi_extra={"requestBody": documents("The whole record, as it is from now on.")},
)
def change_document(
    here: Here,
    viewer: See,
    record: Id,
    body: Annotated[Body, Depends(reads(*FHIR))],
    if_match: Annotated[
        str, Header(description='The version that was changed, as its ETag gave it: `"3"`.', examples=['"1"'])
    ] = "",
) -> Exact:
    """Keep a newer version, and assess it. Somebody else's change is never overwritten: it is told (409)."""
    at, person = here.now(), _person(viewer)
    expected = _expected(if_match)
    text = _text(body)
    with here.store.reading() as tx:
        access.require(tx, record, person, Level.WRITE, at=at)
    found = here.lab.assess(fhir.record(text, settings=here.settings), here.today())
    with here.store.writing() as tx:
        access.require(tx, record, person, Level.WRITE, at=at)
        version = records.add_version(tx, record, text, expected=expected, by=person, at=at)
        about = {"version": version.number, "sha256": version.sha256, "bytes": len(body.raw)}
        audit.append(tx, at=at, actor=person, action="upload", subject=record, about=about)
        keeping.keep_report(tx, person, version, found, at=at)
    return _one(here, viewer, record)


@router.get(
    "/{record}/versions", response_class=Exact, responses=problems(401, 403, 404, 422, gives=models.RecordVersions)
)
def list_versions(here: Here, viewer: See, record: Id) -> Exact:
    """Its versions, newest first."""
    with here.store.reading() as tx:
        access.require(tx, record, _person(viewer), Level.READ, at=here.now())
        rows = records.history(tx, record)
    shown = [{"version": row.number, "sha256": row.sha256, "at": row.at.isoformat(), "by": row.by} for row in rows]
    return Exact({"versions": shown})


@router.post(
    "/{record}/assessments",
    status_code=201,
    response_class=Exact,
    responses=problems(401, 403, 404, 422, gives=models.Assessed, status=201),
)
def assess_record(
    here: Here,
    viewer: See,
    record: Id,
    on: OnDay = None,
    only: OnlyThese = [],  # noqa: B006
) -> Exact:
    """Assess the latest version, and keep what is found."""
    at, person = here.now(), _person(viewer)
    with here.store.reading() as tx:
        access.require(tx, record, person, Level.WRITE, at=at)
        version = records.version(tx, record)
    found = here.lab.assess(keeping.read(here, version), on or here.today(), only)

    def write(tx: sa.Connection) -> AssessmentHead:
        access.require(tx, record, person, Level.WRITE, at=at)
        return keeping.keep_report(tx, person, version, found, at=at)

    head = ledger(here.store).write(write)
    return Exact(_head(head) | _report(found), status_code=201)


@router.get(
    "/{record}/assessments",
    response_class=Exact,
    responses=problems(401, 403, 404, 422, gives=models.Assessments),
)
def list_assessments(here: Here, viewer: See, record: Id, limit: Limit = 50, offset: Offset = 0) -> Exact:
    """Its assessments, newest first, without their reports."""
    with here.store.reading() as tx:
        access.require(tx, record, _person(viewer), Level.READ, at=here.now())
        rows = assessments.of(tx, record, limit=limit, offset=offset)
    return Exact({"assessments": [_head(row) for row in rows]})


@router.get(
    "/{record}/assessments/{assessment}",
    response_class=Exact,
    responses=problems(401, 403, 404, 422, gives=models.Assessed),
)
def see_assessment(here: Here, viewer: See, record: Id, assessment: Id) -> Exact:
    """One assessment as it was shown; looking at it is in the audit log."""
    at, person = here.now(), _person(viewer)
    with here.store.reading() as tx:
        access.require(tx, record, person, Level.READ, at=at)
        found: Assessment = assessments.get(tx, assessment)
    if found.record_id != record:
        raise assessments.UnknownAssessmentError(Text("évaluation introuvable", "no such assessment"), assessment)
    about = {"assessment": assessment, "version": found.version}
    ledger(here.store).write(
        lambda tx: audit.append(tx, at=at, actor=person, action="access", subject=record, about=about)
    )
    head = AssessmentHead(found.id, found.record_id, found.version, found.on, found.at, found.by)
    return Exact(_head(head) | _report(kept.report(found.report, {}), found.report))


class DecisionBody(BaseModel):
    """What was decided about a finding; `finding` is one of the assessment's `keys`."""

    model_config = ConfigDict(extra="forbid", strict=True)
    assessment: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
    finding: Annotated[str, Field(min_length=1, max_length=255)]
    action: Annotated[str, Field(pattern="^(done|dismissed|asked|reopened)$")]
    reason: Annotated[str, Field(max_length=2000)] = ""


DECISION = {"assessment": "0" * 32, "finding": "raredisease.no-signs/", "action": "done", "reason": ""}


@router.post(
    "/{record}/decisions",
    status_code=201,
    response_class=Exact,
    responses=problems(401, 403, 404, 413, 415, 422, gives=models.Decisions, status=201),
    openapi_extra={
        "requestBody": {
            "description": "A decision; to dismiss a finding, give a reason.",
            "required": True,
            "content": {
                "application/json": {
                    "schema": DecisionBody.model_json_schema(),
                    "examples": {"done": {"value": DECISION}},
                }
            },
        }
    },
)
def decide(here: Here, viewer: See, record: Id, body: Annotated[Body, Depends(reads(*JSON))]) -> Exact:
    """Keep what was decided about a finding. Deciding again adds; the last decision counts."""
    said = read(DecisionBody, body.parsed(here.settings))
    keeping.decide(here, _person(viewer), record, said.assessment, said.finding, Action(said.action), said.reason)
    return Exact(_decisions(here, record), status_code=201)


@router.get(
    "/{record}/decisions", response_class=Exact, responses=problems(401, 403, 404, 422, gives=models.Decisions)
)
def list_decisions(here: Here, viewer: See, record: Id) -> Exact:
    """Everything decided about it, in order."""
    with here.store.reading() as tx:
        access.require(tx, record, _person(viewer), Level.READ, at=here.now())
    return Exact(_decisions(here, record))


def _person(viewer: Viewer) -> str:
    assert viewer.person is not None  # records.own is for people
    return viewer.person


def _one(here: House, viewer: Viewer, record: str) -> Exact:
    at, person = here.now(), _person(viewer)
    with here.store.reading() as tx:
        found = access.require(tx, record, person, Level.READ, at=at)
        level = access.level(tx, record, person, at=at)
    assert level is not None
    return Exact(_record(found, level), headers={"etag": f'"{found.version}"'})


def _record(found: StoredRecord, level: Level) -> dict[str, Any]:
    return {
        "id": found.id,
        "pseudonym": found.pseudonym,
        "title": found.title,
        "version": found.version,
        "created_at": found.created_at.isoformat(),
        "changed_at": found.changed_at.isoformat(),
        "retain_until": found.retain_until.isoformat() if found.retain_until else None,
        "level": level.value,
    }


def _head(row: AssessmentHead) -> dict[str, Any]:
    return {
        "id": row.id,
        "version": row.version,
        "on": row.on.isoformat(),
        "at": row.at.isoformat(),
        "by": row.by,
    }


def _report(found: Report, text: str | None = None) -> dict[str, Any]:
    """The report, and the key of each finding in its order, which decisions name."""
    report = jsontext.loads(text, max_depth=200) if text is not None else found.as_dict()
    return {"report": report, "keys": [changes.key(finding) for finding in found.findings]}


def _decisions(here: House, record: str) -> dict[str, Any]:
    with here.store.reading() as tx:
        rows = assessments.decisions_of(tx, record)
    shown = ("number", "assessment_id", "finding", "action", "reason", "by")
    return {
        "decisions": [
            {name: jsonable(getattr(row, name)) for name in shown} | {"at": row.at.isoformat()} for row in rows
        ]
    }


def _text(body: Body) -> str:
    """The body as text, as it is kept; what is not UTF-8 is refused by whoever reads it."""
    try:
        return body.raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        jsontext.loads(body.raw)
        raise


_TAG = re.compile(r'"([0-9]{1,6})"')


def _expected(if_match: str) -> int:
    match = _TAG.fullmatch(if_match.strip())
    if match is None:
        raise MustMatchError(
            Text(
                'indiquer la version modifiée, comme son ETag la donne\u202f: If-Match: "3"',
                'say which version was changed, as its ETag gives it: If-Match: "3"',
            ),
            "If-Match",
        )
    return int(match[1])
