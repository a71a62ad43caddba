"""The link in each message: one click takes the consent back, without signing in (RFC 8058).

Opening the link only asks, since mail scanners open links; the mail program's own button, and the one on the page,
send a POST. The signed token in the path stands for the form's token.
"""

from __future__ import annotations

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import HTMLResponse

from lab39.store import unsubscribe
from lab39.web.house import Here
from lab39.web.roles import Needs
from lab39.web.templating import render

router = APIRouter(dependencies=[Depends(Needs("account.enter"))], include_in_schema=False)
TEMPLATE = "unsubscribe.html.jinja"


@router.get(unsubscribe.PATH + "{token}")
def ask(request: Request, token: str) -> HTMLResponse:
    """The question; nothing changes."""
    return render(request, TEMPLATE, {"token": token, "done": False})


@router.post(unsubscribe.PATH + "{token}")
def take_back(request: Request, token: str, here: Here) -> Response:
    """No more messages of this kind."""
    secret = unsubscribe.key(here.settings.keys)
    with here.store.writing() as tx:
        unsubscribe.withdraw(tx, secret, token, at=here.now())
    return render(request, TEMPLATE, {"token": token, "done": True})
