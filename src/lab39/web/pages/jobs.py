"""The queue of background jobs, for managers: what waits, runs, failed; try again, cancel."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import RedirectResponse, Response

from lab39.core.errors import LabError
from lab39.core.text import NO_TEXT, Text
from lab39.store import audit, jobs
from lab39.store.jobs import State
from lab39.web import security
from lab39.web.errors import status_of
from lab39.web.house import Here, House
from lab39.web.roles import Needs
from lab39.web.templating import render
from lab39.web.viewer import See, Viewer

router = APIRouter(
    prefix="/jobs",
    dependencies=[Depends(Needs("jobs.see")), Depends(security.form_is_ours)],
    include_in_schema=False,
)
PAGE = 50

STATES = {
    State.QUEUED: Text("en attente", "waiting"),
    State.RUNNING: Text("en cours", "running"),
    State.DONE: Text("faite", "done"),
    State.DEAD: Text("abandonnée", "given up"),
    State.CANCELLED: Text("annulée", "cancelled"),
}
DONE = {
    "retry": Text("La tâche est de nouveau en attente.", "The job waits again."),
    "cancel": Text("L'annulation est demandée.", "It is being cancelled."),
}


@router.get("")
def queue(
    request: Request, here: Here, state: str = "", page: Annotated[int, Query(ge=1, le=100_000)] = 1, done: str = ""
) -> Response:
    """Jobs, latest first."""
    return _page(request, here, state=state, page=page, done=DONE.get(done, NO_TEXT))


@router.post("/{job}/retry")
def retry(request: Request, here: Here, viewer: See, job: str) -> Response:
    """Queue it again."""
    return _change(request, here, viewer, job, "retry")


@router.post("/{job}/cancel")
def cancel(request: Request, here: Here, viewer: See, job: str) -> Response:
    """Cancel it."""
    return _change(request, here, viewer, job, "cancel")


def _change(request: Request, here: House, viewer: Viewer, job: str, what: str) -> Response:
    act = jobs.retry if what == "retry" else jobs.cancel
    try:
        with here.store.writing() as tx:
            found = act(tx, job, at=here.now())
            said = {"job": found.id, "kind": found.kind, "what": what}
            audit.append(tx, at=here.now(), actor=viewer.person or "", action="job", about=said)
    except jobs.JobStateError as error:
        return _page(request, here, error=error)
    return RedirectResponse(f"/jobs?done={what}", 303)


def _page(
    request: Request,
    here: House,
    *,
    state: str = "",
    page: int = 1,
    done: Text = NO_TEXT,
    error: LabError | None = None,
) -> Response:
    chosen = [each for each in State if each.value == state]
    with here.store.reading() as tx:
        found = jobs.find(tx, states=chosen, limit=PAGE + 1, offset=PAGE * (page - 1))
        counts = jobs.counts(tx)
    values = {
        "jobs": found[:PAGE],
        "more": len(found) > PAGE,
        "page": page,
        "counts": counts,
        "states": STATES,
        "state": chosen[0] if chosen else None,
        "done": done,
        "error": error,
        "zone": here.settings.timezone,
    }
    if request.method == "POST":
        values["self_path"] = "/jobs"
    return render(request, "door/jobs.html.jinja", values, status=status_of(error) if error else 200)
