"""The audit log, for managers: what happened, whether it was tampered with, the signed head to keep elsewhere."""

from __future__ import annotations

from typing import Annotated

import sqlalchemy as sa
from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response

from lab39.core.errors import LabError
from lab39.core.text import Text
from lab39.store import audit, people
from lab39.store.audit import heads, keys, stamps, verification
from lab39.store.people import UnknownPersonError
from lab39.web import security
from lab39.web.errors import status_of
from lab39.web.house import Here, House
from lab39.web.roles import Needs
from lab39.web.templating import render
from lab39.web.viewer import See

router = APIRouter(
    prefix="/audit",
    dependencies=[Depends(Needs("audit.see")), Depends(security.form_is_ours)],
    include_in_schema=False,
)
PAGE = 50


@router.get("")
def log(
    request: Request,
    here: Here,
    who: str = "",
    action: str = "",
    before: Annotated[int | None, Query(ge=1, le=2**53)] = None,
) -> Response:
    """What happened, latest first."""
    return _page(request, here, who=who.strip(), action=action, before=before)


@router.post("/verification")
def verify(request: Request, here: Here) -> Response:
    """Compute the tree again, compare it with the exported heads."""
    settings = here.settings
    found = verification.verify(
        here.store, settings.heads, keys.trusted(settings.keys), stamps.read_roots(settings.tsa_roots)
    )
    return _page(request, here, verified=found)


@router.post("/head")
def head(request: Request, here: Here, viewer: See) -> Response:
    """Sign the log as it is, and give the head to keep where the lab's administrators cannot write."""
    try:
        done = heads.sign(here.store, here.settings)
    except LabError as error:
        return _page(request, here, error=error)
    with here.store.writing() as tx:
        said = {"what": "audit head", "size": done.head.size}
        audit.append(tx, at=here.now(), actor=viewer.person or "", action="export", about=said)
    disposition = f'attachment; filename="{done.head.file}"'
    return Response(done.head.text, media_type="application/json", headers={"content-disposition": disposition})


def _page(
    request: Request,
    here: House,
    *,
    who: str = "",
    action: str = "",
    before: int | None = None,
    verified: verification.Verification | None = None,
    error: LabError | None = None,
) -> Response:
    known = audit.actions()
    with here.store.reading() as tx:
        person = who
        if who:
            try:
                person = people.find(tx, who).id
            except UnknownPersonError:
                person = who  # the id of a record, or of somebody who is not here
        chosen = action if action in known or "." in action else None
        rows = _entries(tx, person, chosen, before)
        parts = {part for each in rows[:PAGE] for part in (each.actor, each.subject) if part}
        names = {part: name for part in parts if (name := _name(tx, part))}
        tree = audit.state(tx)
    values = {
        "entries": rows[:PAGE],
        "more": rows[PAGE - 1].number if len(rows) > PAGE else None,
        "names": names,
        "actions": known,
        "who": who,
        "action": action,
        "tree": tree,
        "verified": verified,
        "error": error,
        "zone": here.settings.timezone,
        "titled": lambda name: known[name].title if name in known else Text.same(name),
    }
    if request.method == "POST":
        values["self_path"] = "/audit"
    return render(request, "door/audit.html.jinja", values, status=status_of(error) if error else 200)


def _entries(tx: sa.Connection, who: str, action: str | None, before: int | None) -> list[audit.Entry]:
    """One more than a page; what somebody did, and what was done to them, when somebody is named."""
    sides: tuple[dict[str, str], ...] = ({"actor": who}, {"subject": who}) if who else ({},)
    found = {
        each.number: each
        for side in sides
        for each in audit.entries(tx, **side, action=action, before=before, limit=PAGE + 1)
    }
    return [found[number] for number in sorted(found, reverse=True)][: PAGE + 1]


def _name(tx: sa.Connection, identifier: str) -> str:
    try:
        return people.get(tx, identifier).display_name
    except UnknownPersonError:
        return ""
