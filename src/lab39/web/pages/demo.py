"""A desk on a fictional record, for anybody: nothing is kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, Response

from lab39.fhir import examples
from lab39.web import security
from lab39.web.desk import trying
from lab39.web.desk.trial import Trial
from lab39.web.house import Here, House
from lab39.web.roles import Needs
from lab39.web.templating import render

router = APIRouter(
    dependencies=[Depends(Needs("assess.once")), Depends(security.form_is_ours)], include_in_schema=False
)


@router.get("/demo/{name}")
def demo(name: str, request: Request, here: Here) -> HTMLResponse:
    """A fictional record, assessed now."""
    place = _place(name)
    return _page(request, here, place, Trial(name), {})


@router.post("/demo/{name}")
def shown_again(name: str, request: Request, here: Here, form: security.Posted) -> Response:
    """The same desk with what was filled in (a change of language)."""
    place = _place(name)
    return trying.with_language(
        request, here, _page(request, here, place, trying.opened(here, form, place.example), {})
    )


@router.post("/demo/{name}/{act}")
def act(name: str, act: str, request: Request, here: Here, form: security.Posted) -> Response:
    """An answer, a decision, or an export."""
    place = _place(name)
    return trying.act(request, here, place, act, form, lambda trial, more: _page(request, here, place, trial, more))


def _place(name: str) -> trying.Place:
    return trying.Place(f"/demo/{name}", examples.example(name))


def _page(
    request: Request, here: House, place: trying.Place, trial: Trial, more: Mapping[str, Any]
) -> HTMLResponse:
    values = dict(more) or trying.values(here, place, trial)
    status = values.pop("status", 200)
    whole = request.headers.get("hx-request") != "true"
    values |= {"example": place.example, "embedded": False}
    return render(request, "demo.html.jinja" if whole else "desk_body.html.jinja", values, status=status)
