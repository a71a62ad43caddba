"""The desk of a professional: one record they keep, what is found about it, what is missing, what they decided."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from lab39.core.errors import InputError
from lab39.core.text import NO_TEXT, Text
from lab39.fhir import inputs
from lab39.store import access, assessments, audit, records
from lab39.store.access import Level
from lab39.store.records import StaleVersionError
from lab39.web import security
from lab39.web.desk import answers as given
from lab39.web.desk import downloads, keeping, kept, posting, view
from lab39.web.house import Here, House
from lab39.web.pages import naming
from lab39.web.roles import Needs
from lab39.web.templating import render
from lab39.web.viewer import See, Viewer

router = APIRouter(
    prefix="/records",
    dependencies=[Depends(Needs("records.own")), Depends(security.form_is_ours)],
    include_in_schema=False,
)
FORMS: dict[str, Any] = {"wrong": None, "conflict": None, "draft": None, "reply": None}
"""What the forms of a desk came back with; nothing, unless something was not right."""
SAID = {
    "added": Text("dossier enregistré et évalué", "record kept and assessed"),
    "known": Text("ce dossier était déjà là\u202f: le voici", "this record was there already: here it is"),
    "answers": Text("enregistré, le rapport est recalculé", "kept, the report is computed again"),
    **{f"decision-{action.value}": text for action, text in posting.DECIDED.items()},
    "asked": Text("question envoyée", "question sent"),
    "answered": Text("réponse envoyée", "answer sent"),
    "question-withdrawn": Text("question retirée", "question withdrawn"),
    "renamed": Text("titre changé", "title changed"),
}
"""What a page says after a form, when it is loaded again; by the word in its address."""


@router.get("/{record}")
def desk(record: str, request: Request, here: Here, who: See, said: str = "", at: str = "") -> HTMLResponse:
    """The record, assessed for today."""
    return page(request, here, who, record, said=SAID.get(said, NO_TEXT), place=posting.valid(at))


@router.post("/{record}/answers")
def answers(record: str, request: Request, here: Here, who: See, form: security.Posted) -> Response:
    """Something filled in: a newer version of the record, and the report computed again."""
    spot = posting.place(form)
    expected = _version(posting.word(form, "version"))
    try:
        answer = given.read(posting.answer_fields(form), here.today())
        try:
            keeping.answer(here, _id(who), record, answer, expected=expected)
        except StaleVersionError:
            if not keeping.holds(here, _id(who), record, answer):  # the same form sent twice is one answer
                return page(
                    request,
                    here,
                    who,
                    record,
                    status=409,
                    place=spot,
                    conflict=posting.conflict(form, answer, expected),
                )
    except InputError as error:
        return page(request, here, who, record, status=422, place=spot, wrong=posting.wrong(form, error))
    return back(request, here, who, record, "answers", spot, posting.recomputed(answer.say()))


@router.post("/{record}/decisions")
def decisions(record: str, request: Request, here: Here, who: See, form: security.Posted) -> Response:
    """A finding is done, dismissed with a reason, asked about, or taken up again."""
    finding, action, reason = posting.decision(form)
    keeping.decide(here, _id(who), record, posting.word(form, "assessment"), finding, action, reason)
    said = f"decision-{action.value}"
    return back(request, here, who, record, said, posting.place(form), SAID[said])


@router.get("/{record}/export/{form}")
def export(record: str, form: str, here: Here, who: See, assessment: str = "") -> Response:
    """The findings as FHIR or JSON, or the record itself; what left, and to whom, is in the audit log."""
    if form not in ("fhir", "json", "record"):
        raise downloads.unknown(form)
    at = here.now()
    with here.store.reading() as tx:
        stored = access.require(tx, record, _id(who), Level.READ, at=at)
        heads = assessments.of(tx, record, limit=1)
        seen = assessments.get(tx, assessment or heads[0].id) if assessment or heads else None
        if form != "record" and (seen is None or seen.record_id != record):
            raise records.unknown(record)
        version = records.version(tx, record, seen.version if seen and seen.record_id == record else None)
    stem = downloads.stem(stored.pseudonym)
    known = inputs.record(version.document, "", here.settings)
    if form == "record" or seen is None:
        file = downloads.record(known, stem, version.document)
    elif form == "json":
        file = downloads.json(kept.report(seen.report, {}), stem)
    else:
        found = kept.report(seen.report, {})
        if found.versions == here.lab.versions():  # found again, so that each solution writes its own resource
            found = here.lab.assess(known, found.on)
        file = downloads.fhir(here.lab, found, stem, who.lang, at)
    with here.store.writing() as tx:
        about = {"form": form, "version": version.number, "assessment": seen.id if seen else ""}
        audit.append(tx, at=at, actor=_id(who), action="export", subject=record, about=about)
    return file.response()


def back(request: Request, here: House, who: Viewer, record: str, said: str, spot: str, told: Text) -> Response:
    """The part of the page that changed, or the way back to the page when there is no script."""
    if request.headers.get("hx-request") == "true":
        return page(request, here, who, record, said=told, place=spot)
    where = f"?said={said}&at={spot}#{spot}" if spot else f"?said={said}"
    return RedirectResponse(f"/records/{record}{where}", 303)


def page(
    request: Request,
    here: House,
    who: Viewer,
    record: str,
    *,
    said: Text = NO_TEXT,
    place: str = "",
    status: int = 200,
    **more: Any,
) -> HTMLResponse:
    found = keeping.opened(here, _id(who), record)
    shown = view.desk(
        found.record,
        found.found,
        base=f"/records/{record}",
        decisions=found.decisions,
        since=found.since,
        version=found.version.number,
        token=found.assessment.id,
        can_write=found.can_write,
        can_share=found.can_share,
        owner=found.stored.owner_id == who.person,
        circle=found.others,
        asked=found.asked,
        said=said,
        place=place,
        name=Text.same(found.stored.pseudonym),
    )
    values = FORMS | more
    values |= {"desk": shown, "pseudonym": found.stored.pseudonym, "title": found.stored.title, "embedded": False}
    values |= naming.words(request, here) | {"asks_consent": found.asks_consent}
    values["self_path"] = f"/records/{record}"
    whole = request.headers.get("hx-request") != "true"
    return render(request, "record.html.jinja" if whole else "desk_body.html.jinja", values, status=status)


def _version(written: str) -> int:
    if not written.isdecimal() or len(written) > 9:
        raise InputError(
            Text("formulaire incomplet\u202f: actualiser la page", "incomplete form: refresh the page")
        )
    return int(written)


def _id(who: Viewer) -> str:
    assert who.person is not None, "records.own is of roles that people have"
    return who.person
