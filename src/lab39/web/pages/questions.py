"""Questions between colleagues: those for me and mine on one page; asked and answered on the card of a finding."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import sqlalchemy as sa
from fastapi import APIRouter, Depends, Query, Request
from fastapi.datastructures import FormData
from fastapi.responses import HTMLResponse, Response

from lab39.core.errors import InputError
from lab39.core.text import Text
from lab39.store import access, assessments, audit, questions, records
from lab39.store.access import Level
from lab39.store.questions import ClosedError, Question
from lab39.web import security
from lab39.web.desk import asking, circle, keeping, posting, sharing
from lab39.web.desk.asked import About, Asked, match
from lab39.web.desk.asking import Draft, Reply
from lab39.web.house import Here, House
from lab39.web.pages.desk import back, page
from lab39.web.roles import Needs
from lab39.web.templating import render
from lab39.web.viewer import See, Viewer

router = APIRouter(
    dependencies=[Depends(Needs("records.own")), Depends(security.form_is_ours)], include_in_schema=False
)
PAGE = 20
MOST = 60
"""Questions that wait, shown at once, the oldest first."""
NOBODY = Text(
    "personne ne répond à cette recherche\u202f: écrire le nom d'un professionnel, ou l'adresse ou le numéro "
    "professionnel complets",
    "nobody answers to this: type the name of a professional, or a whole address or professional number",
)


@router.get("/questions")
def mine(
    request: Request, here: Here, who: See, number: Annotated[int, Query(alias="page", ge=1, le=10_000)] = 1
) -> HTMLResponse:
    """What waits for my answer, the answers I have not read, what I wait for, and what is over."""
    at, me = here.now(), _id(who)
    with here.store.writing() as tx:
        waiting = questions.waiting(tx, me, at=at, limit=MOST)
        over = questions.closed(tx, me, at=at, limit=PAGE + 1, offset=PAGE * (number - 1))
        rows = [*waiting, *over[:PAGE]]
        shown = {each.id: each for each in asking.shown(tx, rows, me, at=at)}
        about = _about(here, tx, rows, shown)
        named = {record: records.get(tx, record) for record in {row.record_id for row in rows}}
        questions.seen(tx, rows, me, at=at)
        for record in sorted(named):
            said = {"questions": sum(row.record_id == record for row in rows)}
            audit.append(tx, at=at, actor=me, action="access", subject=record, about=said)
    values = {
        "to_me": [row for row in waiting if row.asked_of == me],
        "answered": [row for row in waiting if row.asked_by == me and not row.open],
        "mine": [row for row in waiting if row.asked_by == me and row.open],
        "over": over[:PAGE],
        "more": len(over) > PAGE,
        "number": number,
        "shown": shown,
        "about": about,
        "named": named,
    }
    return render(request, "questions.html.jinja", values)


@router.get("/questions/watch")
def watch(here: Here, who: See, record: Annotated[list[str] | None, Query(max_length=200)] = None) -> Response:
    """Whether everything on the open page may still be seen; it is loaded again when something may not."""
    with here.store.reading() as tx:
        visible = all(access.can_see(tx, each, _id(who), at=here.now()) for each in record or ())
    return Response(headers={} if visible else {"HX-Refresh": "true"})


@router.post("/records/{record}/questions")
def ask(record: str, request: Request, here: Here, who: See, form: security.Posted) -> Response:
    """Ask a colleague about a finding; or look for somebody to ask, and to share the record with."""
    me, draft = _id(who), _draft(form)
    looking = posting.word(form, "step") == "look"
    with here.store.reading() as tx:
        access.require(tx, record, me, Level.SHARE if looking else Level.WRITE, at=here.now())
    if looking:
        found = _looked(here, me, record, draft)
        return page(request, here, who, record, draft=found)
    try:
        sent = asking.ask(here, me, record, draft, sharing.for_an_answer(form, here) if draft.to else None)
    except InputError as error:
        again = _looked(here, me, record, draft) if draft.who else draft
        wrong = replace(again, wrong=error.text, field=error.place)
        return page(request, here, who, record, draft=wrong, status=422)
    return back(request, here, who, record, "asked", f"q-{sent.question.id}", sent.told)


@router.post("/records/{record}/questions/{question}/answer")
def answer(record: str, question: str, request: Request, here: Here, who: See, form: security.Posted) -> Response:
    """Answer, in place on the card."""
    me, words = _id(who), posting.word(form, "words")
    try:
        with here.store.writing() as tx:
            _of(here, tx, record, question, me)
            lab = here.settings.public_url
            done = questions.answer(tx, question, words, by=me, at=here.now(), lab=lab)
            asker = circle.name(tx, done.question.asked_by)
    except (InputError, ClosedError) as error:
        status = 409 if isinstance(error, ClosedError) else 422
        reply = Reply(question, words, error.text)
        return page(request, here, who, record, reply=reply, status=status)
    told = Text(f"réponse envoyée à {asker.fr}", f"answer sent to {asker.en}")
    return back(request, here, who, record, "answered", f"q-{question}", told)


@router.post("/records/{record}/questions/{question}/withdraw")
def withdraw(record: str, question: str, request: Request, here: Here, who: See) -> Response:
    """Take a question back before it is answered."""
    me = _id(who)
    try:
        with here.store.writing() as tx:
            _of(here, tx, record, question, me)
            questions.withdraw(tx, question, by=me, at=here.now())
    except ClosedError as error:
        return page(request, here, who, record, said=error.text, status=409)
    told = Text("question retirée", "question withdrawn")
    return back(request, here, who, record, "question-withdrawn", f"q-{question}", told)


def _draft(form: FormData) -> Draft:
    word = posting.word
    return Draft(
        place=posting.place(form),
        finding=word(form, "finding"),
        assessment=word(form, "assessment"),
        words=word(form, "words"),
        to=word(form, "to"),
        who=word(form, "who").strip(),
        until=word(form, "until"),
        basis=word(form, "basis"),
    )


def _looked(here: House, me: str, record: str, draft: Draft) -> Draft:
    """The draft with who answers to what was typed; the only one is chosen."""
    found = circle.look_for(here, me, draft.who, record)
    if not found:
        return replace(draft, looked=True, to="", wrong=NOBODY, field="who")
    alone = found[0].id if len(found) == 1 else ""
    known = draft.to if draft.to in {each.id for each in found} else alone
    return replace(draft, looked=True, people=found, to=known)


def _of(here: House, tx: sa.Connection, record: str, question: str, me: str) -> Question:
    """A question of this record that I may see.

    Raises:
        UnknownRecordError, UnknownQuestionError
    """
    access.require(tx, record, me, Level.READ, at=here.now())
    found = questions.get(tx, question, me, at=here.now())
    if found.record_id != record:
        raise questions.UnknownQuestionError(Text("question introuvable", "no such question"), question)
    return found


def _about(
    here: House, tx: sa.Connection, rows: list[Question], shown: dict[str, Asked]
) -> dict[str, tuple[About, str]]:
    """What each question was about, and whether that finding is there today: ``""``, ``changed`` or ``gone``."""
    titles = keeping.titles(here)
    standing: dict[str, str] = {}
    for record in {row.record_id for row in rows}:
        latest = asking.report_of(tx, assessments.of(tx, record, limit=1)[0].id, titles)
        by_key, lost = match(latest, [shown[row.id] for row in rows if row.record_id == record])
        standing |= {each.id: "changed" for group in by_key.values() for each in group if each.changed}
        standing |= {each.id: "gone" for each in lost}
    reports = {each: asking.report_of(tx, each, titles) for each in {row.assessment_id for row in rows}}
    return {
        row.id: (asking.about(reports[row.assessment_id], row.finding), standing.get(row.id, "")) for row in rows
    }


def _id(who: Viewer) -> str:
    assert who.person is not None, "records.own is of roles that people have"
    return who.person
