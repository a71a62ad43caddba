"""Who may see a record, and why: shared with somebody, withdrawn, given up; who opened it, and when."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from fastapi import APIRouter, Depends, Query, Request
from fastapi.datastructures import FormData
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from lab39.core.errors import InputError
from lab39.core.text import NO_TEXT, Text
from lab39.store import access, audit, directory, people, questions, sharing
from lab39.store.access import Grant, Level
from lab39.store.audit import trail
from lab39.store.directory import Entry
from lab39.store.records import StoredRecord
from lab39.web import security
from lab39.web.desk import circle, posting
from lab39.web.desk import sharing as terms
from lab39.web.house import Here, House
from lab39.web.pages import naming
from lab39.web.pages.questions import NOBODY
from lab39.web.roles import Needs
from lab39.web.templating import render
from lab39.web.viewer import See, Viewer

router = APIRouter(
    prefix="/records/{record}",
    dependencies=[Depends(Needs("records.own")), Depends(security.form_is_ours)],
    include_in_schema=False,
)
PAGE = 30
SAID = {
    "shared": Text("accès donné", "access given"),
    "same": Text("cet accès était déjà donné, dans les mêmes termes", "this access was given already, as it is"),
    "withdrawn": Text("accès retiré, il prend fin à l'instant", "access withdrawn, it ends now"),
    "ended": Text("cet accès avait déjà pris fin", "this access had ended already"),
}


@dataclass(frozen=True, slots=True)
class Holder:
    """Somebody who may see the record today.

    Attributes:
        grant: how they came to it; ``None`` for the owner.
        opens: their role opens records; without it the access opens nothing.
        by: who gave it.
        opened: how often they opened the record; ``None`` when they never did.
        asked: open questions that wait for them here.
    """

    entry: Entry
    level: Level
    me: bool
    opens: bool
    grant: Grant | None
    by: Text
    opened: trail.Opened | None
    asked: int


@dataclass(frozen=True, slots=True)
class Look:
    """Somebody opened the record, read a question about it or exported it, once or often on a day."""

    actor: str
    what: str
    last: dt.datetime
    times: int


@dataclass(frozen=True, slots=True)
class Ended:
    """An access that is over.

    Attributes:
        at: when it ended.
        how: what ended it.
    """

    name: Text
    grant: Grant
    at: dt.datetime
    how: Text


@router.get("/access")
def who_may(
    record: str,
    request: Request,
    here: Here,
    who: See,
    said: str = "",
    before: Annotated[int | None, Query(ge=1)] = None,
    own: bool = False,
) -> HTMLResponse:
    """Who may see it and why, for those who may share it; one's own access, for the others."""
    return _page(request, here, who, record, said=SAID.get(said, NO_TEXT), before=before, own=own)


@router.post("/access/search")
def search(record: str, request: Request, here: Here, who: See, form: security.Posted) -> HTMLResponse:
    """Look for somebody to share with. A form, so that what is typed stands in no address and no log."""
    with here.store.reading() as tx:
        access.require(tx, record, _id(who), Level.SHARE, at=here.now())
    found, fields = _looked(here, _id(who), record, form)
    wrong = NO_TEXT if found else NOBODY
    return _page(request, here, who, record, found=found, fields=fields, wrong=wrong, field="who")


@router.post("/access")
def share(record: str, request: Request, here: Here, who: See, form: security.Posted) -> Response:
    """Share it with somebody, on the terms of the form."""
    me, to = _id(who), posting.word(form, "to")
    with here.store.reading() as tx:
        access.require(tx, record, me, Level.SHARE, at=here.now())
    try:
        if not to:
            raise InputError(Text("choisir avec qui partager", "choose whom to share with"), "to")
        given = terms.read(form, here)
        with here.store.writing() as tx:
            if circle.openers().isdisjoint(people.get(tx, to).roles):
                raise circle.opens_nothing()
            done = sharing.share(
                tx,
                record,
                to,
                given.level,
                purpose=given.purpose,
                basis=given.basis,
                until=given.until,
                by=me,
                at=here.now(),
            )
    except InputError as error:
        found, fields = _looked(here, me, record, form)
        return _page(
            request,
            here,
            who,
            record,
            found=found,
            fields=fields,
            wrong=error.text,
            field=error.place,
            status=422,
        )
    return RedirectResponse(f"/records/{record}/access?said={'shared' if done.new else 'same'}", 303)


@router.post("/access/withdraw")
def withdraw(record: str, here: Here, who: See, form: security.Posted) -> Response:
    """End somebody's access, or give up one's own."""
    me, whose = _id(who), posting.word(form, "person")
    with here.store.writing() as tx:
        ended = sharing.withdraw(tx, record, whose, by=me, at=here.now())
    if ended and whose == me:
        return RedirectResponse("/records?said=given-up", 303)
    return RedirectResponse(f"/records/{record}/access?said={'withdrawn' if ended else 'ended'}", 303)


@router.get("/watch")
def watch(record: str, here: Here, who: See) -> Response:
    """Whether the record may still be seen: an open page asks now and then, and leaves when it may not."""
    with here.store.reading() as tx:
        access.require(tx, record, _id(who), Level.READ, at=here.now())
    return Response(status_code=200)


def _looked(here: House, me: str, record: str, form: FormData) -> tuple[tuple[Entry, ...], dict[str, str]]:
    """Who answers to what was typed, and the fields as they were; the only one found is chosen."""
    names = ("who", "to", "level", "purpose", "words", "basis", "until")
    fields = {name: posting.word(form, name) for name in names}
    found = circle.look_for(here, me, fields["who"], record)
    if fields["to"] not in {each.id for each in found}:
        fields["to"] = found[0].id if len(found) == 1 else ""
    return found, fields


def _page(
    request: Request,
    here: House,
    who: Viewer,
    record: str,
    *,
    said: Text = NO_TEXT,
    found: tuple[Entry, ...] = (),
    fields: Mapping[str, str] | None = None,
    wrong: Text = NO_TEXT,
    field: str = "",
    before: int | None = None,
    own: bool = False,
    status: int = 200,
) -> HTMLResponse:
    at, me = here.now(), _id(who)
    with here.store.reading() as tx:
        stored = access.require(tx, record, me, Level.READ, at=at)
        level = access.level(tx, record, me, at=at)
        holders = _holders(tx, stored, me, at)
        full = level is Level.SHARE
        entries = trail.entries(tx, record, trail.OPENED, but="" if own else me, before=before, limit=PAGE + 1)
        values: dict[str, Any] = {
            "record": stored,
            "holders": [each for each in holders if full or each.me],
            "owner": next(each.entry.name for each in holders if each.grant is None),
            "ended": _ended(tx, stored, at) if full else (),
            "full": full,
            "entries": _grouped(here, entries[:PAGE]) if full else (),
            "more": entries[PAGE - 1].number if full and len(entries) > PAGE else None,
            "names": circle.names(tx, {each.actor for each in entries}),
            "asks_consent": sharing.asks_consent(tx, stored, by=me),
        }
    values |= naming.words(request, here)
    values |= {"said": said, "found": found, "fields": fields or {}, "wrong": wrong, "field": field, "own": own}
    values["self_path"] = f"/records/{record}/access"
    return render(request, "access.html.jinja", values, status=status)


def _holders(tx: sa.Connection, stored: StoredRecord, me: str, at: dt.datetime) -> tuple[Holder, ...]:
    opened = trail.opened(tx, stored.id)
    asked = [each.asked_of for each in questions.of(tx, stored.id) if each.open]
    grants = {each.person_id: each for each in access.of(tx, stored.id) if each.holds(at)}
    rows = []
    for person in access.viewers(tx, stored.id, at=at):
        known = people.get(tx, person)
        grant = None if person == stored.owner_id else grants[person]
        rows.append(
            Holder(
                entry=directory.entry(tx, known),
                level=grant.level if grant else Level.SHARE,
                me=person == me,
                opens=not circle.openers().isdisjoint(known.roles),
                grant=grant,
                by=circle.name(tx, grant.granted_by) if grant else NO_TEXT,
                opened=opened.get(person),
                asked=asked.count(person),
            )
        )
    return tuple(rows)


def _grouped(here: House, entries: tuple[audit.Entry, ...]) -> tuple[Look, ...]:
    """One row for what somebody did several times running on a day, by the last time."""
    rows: list[Look] = []
    zone = ZoneInfo(here.settings.timezone)
    for each in entries:
        what = "export" if each.action == "export" else "question" if "questions" in each.about else "open"
        before = rows[-1] if rows else None
        day = each.at.astimezone(zone).date()
        if before and (before.actor, before.what, before.last.astimezone(zone).date()) == (each.actor, what, day):
            rows[-1] = replace(before, times=before.times + 1)
        else:
            rows.append(Look(each.actor, what, each.at, 1))
    return tuple(rows)


def _ended(tx: sa.Connection, stored: StoredRecord, at: dt.datetime) -> tuple[Ended, ...]:
    rows = []
    for each in access.of(tx, stored.id):
        if each.holds(at):
            continue
        if each.revoked_at is None:
            end, how = each.until or at, Text("à sa date", "at its date")
        elif each.revoked_by == each.person_id:
            end, how = each.revoked_at, Text("rendu par cette personne", "given up by this person")
        else:
            by = circle.name(tx, each.revoked_by or "")
            end, how = each.revoked_at, Text(f"par {by.fr}", f"by {by.en}")
        rows.append(Ended(circle.name(tx, each.person_id), each, end, how))
    return tuple(sorted(rows, key=lambda each: each.at, reverse=True))


def _id(who: Viewer) -> str:
    assert who.person is not None, "records.own is of roles that people have"
    return who.person
