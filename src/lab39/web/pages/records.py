"""The records a person keeps: the list, what they bring, the history of each, its title, its end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.datastructures import UploadFile

from lab39.core.errors import InputError, LabError
from lab39.core.text import NO_TEXT, Text
from lab39.fhir import examples
from lab39.store import access, assessments, audit, people, questions, records
from lab39.store.access import Level
from lab39.web import errors, security
from lab39.web.desk import asking, changes, keeping, kept, posting, uploads, view
from lab39.web.house import Here, House
from lab39.web.pages import naming
from lab39.web.pages.desk import FORMS
from lab39.web.roles import Needs
from lab39.web.templating import render
from lab39.web.viewer import See, Viewer

router = APIRouter(
    prefix="/records",
    dependencies=[Depends(Needs("records.own")), Depends(security.form_is_ours)],
    include_in_schema=False,
)
PAGE = 50
TOLD = {
    "deleted": Text("dossier supprimé", "record deleted"),
    "given-up": Text("accès rendu\u202f: ce dossier n'est plus dans votre liste", "access given up"),
    "out-of-reach": Text(
        "ce dossier ne vous est plus accessible\u202f: l'accès a pris fin, ou le dossier a été supprimé",
        "this record is out of your reach: the access has ended, or the record was deleted",
    ),
}


@router.get("")
def mine(request: Request, here: Here, who: See, q: str = "", page: int = 1, said: str = "") -> HTMLResponse:
    """My records, and those I was given access to; those of a page, latest change first."""
    return _list(request, here, who, q=q, page=page, told=TOLD.get(said, NO_TEXT))


@router.post("")
def bring(request: Request, here: Here, who: See, form: security.Posted) -> Response:
    """A file, a pasted text, or a fictional record: kept and assessed."""
    try:
        brought = _brought(here, form)
        done = keeping.keep(here, _id(who), brought.readable, title=posting.word(form, "title"))
    except (InputError, security.TooLargeError) as error:
        return _list(request, here, who, wrong=error, form=form, status=errors.status_of(error))
    if brought.refused:
        return _list(request, here, who, done=done, refused=brought.refused)
    if len(done) == 1:
        said = "added" if done[0].new else "known"
        return _go(request, f"/records/{done[0].record}?said={said}")
    return _list(request, here, who, done=done)


@router.get("/{record}/history")
def history(record: str, request: Request, here: Here, who: See) -> HTMLResponse:
    """Versions, assessments and decisions, newest first."""
    at = here.now()
    with here.store.reading() as tx:
        stored = access.require(tx, record, _id(who), Level.READ, at=at)
        level = access.level(tx, record, _id(who), at=at) or Level.READ
        versions = records.history(tx, record)
        documents = {v.number: records.version(tx, record, v.number) for v in versions[: PAGE + 1]}
        heads = assessments.of(tx, record, limit=PAGE)
        reports = {h.id: kept.report(assessments.get(tx, h.id).report, keeping.titles(here)) for h in heads}
        decided = assessments.decisions_of(tx, record)
        by = {v.by for v in versions} | {h.by for h in heads} | {d.by for d in decided}
        asked = questions.of(tx, record)
        names = {person: people.get(tx, person).display_name for person in by}
        shown_asked = asking.shown(tx, reversed(asked), _id(who), at=at)
    read = {number: keeping.read(here, version) for number, version in documents.items()}
    rows = [
        (v, changes.records(read[v.number - 1], read[v.number]) if v.number - 1 in read else None) for v in versions
    ]
    findings = {changes.key(f): f.summary for report in reports.values() for f in report.findings}
    shown = [
        (
            view.Decided(d.finding, d.action.value, d.reason, names[d.by], here.day(d.at)),
            findings.get(d.finding, NO_TEXT),
        )
        for d in reversed(decided)
    ]
    _looked(here, who, record, {"history": True, "version": stored.version})
    return render(
        request,
        "history.html.jinja",
        {
            "record": stored,
            "owner": stored.owner_id == who.person,
            "can_write": level.rank >= Level.WRITE.rank,
            "asked": [(each, findings.get(each.finding, NO_TEXT)) for each in shown_asked],
            "versions": rows,
            "assessments": [(h, keeping.waiting(reports[h.id])) for h in heads],
            "decisions": shown,
            "names": names,
        },
    )


@router.get("/{record}/compare")
def compare(record: str, request: Request, here: Here, who: See, a: str = "", b: str = "") -> HTMLResponse:
    """Two assessments side by side, the latest and the one before unless named: what is new, gone, changed."""
    with here.store.reading() as tx:
        stored = access.require(tx, record, _id(who), Level.READ, at=here.now())
        heads = assessments.of(tx, record, limit=PAGE)
        newest = b or (heads[0].id if heads else "")
        other = a or next((h.id for h in heads if (h.version, h.on) != (heads[0].version, heads[0].on)), "")
        seen = [assessments.get(tx, each) for each in (other, newest)] if other and newest else []
        if any(each.record_id != record for each in seen):
            raise records.unknown(record)
        versions = [records.version(tx, record, each.version) for each in seen]
    _looked(here, who, record, {"compared": [each.id for each in seen]})
    values: dict[str, Any] = {"record": stored, "heads": heads, "seen": seen, "found": None, "data": None}
    if seen:
        before, after = (kept.report(each.report, keeping.titles(here)) for each in seen)
        values["found"] = changes.between(before, after)
        values["title_of"] = after.title
        values["data"] = changes.records(*(keeping.read(here, version) for version in versions))
    return render(request, "compare.html.jinja", values)


@router.get("/{record}/assessments/{assessment}")
def assessed(record: str, assessment: str, request: Request, here: Here, who: See) -> HTMLResponse:
    """An assessment as it was shown."""
    at = here.now()
    with here.store.writing() as tx:
        stored = access.require(tx, record, _id(who), Level.READ, at=at)
        seen = assessments.get(tx, assessment)
        if seen.record_id != record:
            raise records.unknown(record)
        version = records.version(tx, record, seen.version)
        about = {"version": version.number, "assessment": seen.id}
        audit.append(tx, at=at, actor=_id(who), action="access", subject=record, about=about)
        decided = [d for d in keeping.decided(here, tx, record) if d.at <= here.day(seen.at)]
    shown = view.desk(
        keeping.read(here, version),
        kept.report(seen.report, keeping.titles(here)),
        base=f"/records/{record}",
        decisions=decided,
        version=seen.version,
        token=seen.id,
        can_write=False,
        owner=stored.owner_id == who.person,
        name=Text.same(stored.pseudonym),
    )
    values = {"desk": shown, "pseudonym": stored.pseudonym, "title": stored.title, "embedded": False}
    return render(request, "record.html.jinja", values | FORMS | naming.words(request, here) | {"past": seen})


@router.post("/{record}/title")
def rename(record: str, here: Here, who: See, form: security.Posted) -> Response:
    """Another title."""
    with here.store.writing() as tx:
        access.require(tx, record, _id(who), Level.WRITE, at=here.now())
        records.rename(tx, record, posting.word(form, "title"))
    return RedirectResponse(f"/records/{record}?said=renamed", 303)


@router.post("/{record}/delete")
def delete(record: str, here: Here, who: See, form: security.Posted) -> Response:
    """The end of a record, by its owner, who ticks that they mean it."""
    keeping.delete(here, _id(who), record, sure=posting.word(form, "sure") == "yes")
    return RedirectResponse("/records?said=deleted", 303)


def _looked(here: House, who: Viewer, record: str, about: Mapping[str, Any]) -> None:
    """Keep in the audit log that somebody looked at what a record holds or held."""
    with here.store.writing() as tx:
        audit.append(tx, at=here.now(), actor=_id(who), action="access", subject=record, about=about)


def _brought(here: House, form: Any) -> uploads.Brought:
    file, pasted, name = form.get("file"), posting.word(form, "text"), posting.word(form, "example")
    if isinstance(file, UploadFile) and (file.filename or file.size):
        return uploads.read(file.filename or "", file.file.read(), here.settings)
    if pasted.strip():
        return uploads.read(uploads.PASTED, pasted.encode("utf-8", "surrogatepass"), here.settings)
    if name:
        chosen = examples.example(name)
        return uploads.Brought(((chosen.document, chosen.record),), ())
    raise InputError(
        Text(
            "choisir un fichier, coller un texte ou prendre un dossier fictif",
            "choose a file, paste a text or take a fictional record",
        )
    )


def _list(
    request: Request,
    here: House,
    who: Viewer,
    *,
    q: str = "",
    page: int = 1,
    wrong: LabError | None = None,
    form: Mapping[str, Any] | None = None,
    done: tuple[keeping.Kept, ...] = (),
    refused: tuple[LabError, ...] = (),
    told: Text = NO_TEXT,
    status: int = 200,
) -> HTMLResponse:
    words, page = q.strip()[:100], min(max(page, 1), 10_000)
    at = here.now()
    with here.store.reading() as tx:
        rows = access.visible_to(tx, _id(who), at=at, words=words, limit=PAGE + 1, offset=PAGE * (page - 1))
        latest = {row.record.id: keeping.last_waiting(here, tx, row.record.id) for row in rows[:PAGE]}
    values = {
        "rows": rows[:PAGE],
        "latest": latest,
        "q": words,
        "page": page,
        "more": len(rows) > PAGE,
        "examples": list(examples.all_examples().values()),
        "wrong": wrong,
        "form": form or {},
        "done": done,
        "refused": refused,
        "told": told,
        "limit_mib": here.settings.max_bytes // 1024**2,
        "most": uploads.MOST,
        "self_path": "/records",
    }
    return render(request, "records.html.jinja", values, status=status)


def _go(request: Request, where: str) -> Response:
    if request.headers.get("hx-request") == "true":
        return Response(status_code=204, headers={"HX-Redirect": where})
    return RedirectResponse(where, 303)


def _id(who: Viewer) -> str:
    assert who.person is not None, "records.own is of roles that people have"
    return who.person
