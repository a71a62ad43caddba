"""The showroom: every solution with what it is for, its evidence, and a live demonstration."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import FileResponse, HTMLResponse, RedirectResponse, Response

from lab39.core.datapacks import Pack
from lab39.core.solution import Solution
from lab39.core.text import LANGS
from lab39.fhir import examples
from lab39.render.page import Card
from lab39.web import paths, security
from lab39.web.desk import guides, trying
from lab39.web.desk.trial import Trial
from lab39.web.house import Here, House
from lab39.web.roles import Needs
from lab39.web.templating import render
from lab39.web.viewer import remember_language

router = APIRouter(
    dependencies=[Depends(Needs("showroom.see")), Depends(security.form_is_ours)], include_in_schema=False
)


@router.get("/")
def home(request: Request, here: Here) -> HTMLResponse:
    """The front page."""
    return render(
        request,
        "home.html.jinja",
        {
            "solutions": list(here.lab.solutions.values()),
            "broken": here.lab.broken,
            "examples": list(examples.all_examples().values()),
            "tools": [
                (here.lab.solution(name), page)
                for name, faces in request.app.state.faces.items()
                for page in faces.linked
            ],
        },
    )


@router.get("/solutions")
def solutions(request: Request, here: Here) -> HTMLResponse:
    """Every solution."""
    rows = [(s, examples.best_for(s.id)) for s in here.lab.solutions.values()]
    return render(request, "solutions.html.jinja", {"solutions": rows, "broken": here.lab.broken})


@router.get("/solutions/{name}")
def solution(name: str, request: Request, here: Here) -> HTMLResponse:
    """One solution: what it is for, a live demonstration, its evidence, its documentation, its limits."""
    return _page(request, here, name, Trial(examples.best_for(name).id))


@router.post("/solutions/{name}")
def shown_again(name: str, request: Request, here: Here, form: security.Posted) -> Response:
    """The same page with what was filled in (a change of language)."""
    chosen = examples.best_for(name)
    answer = _page(request, here, name, trying.opened(here, form, chosen))
    return trying.with_language(request, here, answer)


@router.post("/solutions/{name}/{act}")
def act(name: str, act: str, request: Request, here: Here, form: security.Posted) -> Response:
    """An answer, a decision, or an export of the demonstration."""
    place = _place(here, name)
    return trying.act(request, here, place, act, form, lambda trial, more: _page(request, here, name, trial, more))


@router.get("/solutions/{name}/documentation")
def documentation(name: str, request: Request, here: Here) -> HTMLResponse:
    """Its page of the documentation."""
    found = here.lab.solution(name)
    return render(request, "guide.html.jinja", {"solution": found, "guide": guides.html(name)})


@router.get("/lang/{lang}")
def language(lang: str, request: Request, here: Here, next: str = "/") -> Response:
    """Read in another language, on the same page."""
    answer = RedirectResponse(paths.local(next), 303)
    if lang in LANGS:
        remember_language(answer, request, here, lang)
    return answer


@router.get("/static/report.css")
def report_style() -> FileResponse:
    """The style of the report, one file for the page and the web."""
    return FileResponse(str(files("lab39.render") / "static" / "lab39.css"), media_type="text/css")


def _page(
    request: Request, here: House, name: str, trial: Trial, more: Mapping[str, Any] | None = None
) -> HTMLResponse:
    found = here.lab.solution(name)
    place = _place(here, name)
    values = dict(more or trying.values(here, place, trial))
    status = values.pop("status", 200)
    whole = request.headers.get("hx-request") != "true"
    values |= {
        "solution": found,
        "faces": request.app.state.faces[name],
        **_card(found),
        "packs": [(spec, _pack(here, spec.name)) for spec in found.packs()],
        "guide": guides.exists(name),
        "example": place.example,
        "embedded": True,
    }
    return render(request, "solution.html.jinja" if whole else "desk_body.html.jinja", values, status=status)


def _place(here: House, name: str) -> trying.Place:
    here.lab.solution(name)
    return trying.Place(f"/solutions/{name}", examples.best_for(name), (name,))


def _pack(here: House, name: str) -> Pack | None:
    try:
        return here.lab.packs.get(name)
    except Exception:  # absent, or its inspector fails: the page names the command that brings it
        return None


def _card(found: Solution) -> dict[str, Any]:
    try:
        return {"card": Card(found.id, found.title, found.purpose, found.evidence()), "unreadable": ""}
    except Exception as error:  # somebody's file: the page says so and shows the rest
        return {"card": None, "unreadable": f"{type(error).__name__}: {error}"}
