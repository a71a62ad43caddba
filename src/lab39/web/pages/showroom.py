"""The showroom: every solution with what it is for, its evidence, and a live demonstration."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse

from lab39.web.house import Here
from lab39.web.roles import Needs
from lab39.web.templating import render

router = APIRouter(dependencies=[Depends(Needs("showroom.see"))], include_in_schema=False)


@router.get("/")
def home(request: Request, here: Here) -> HTMLResponse:
    """The front page."""
    return render(request, "home.html.jinja", {"solutions": list(here.lab.solutions.values())})
