"""The door: sign in, the first manager, invitations, accounts elsewhere, sign out."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response

from lab39.core.errors import LabError, UnknownNameError
from lab39.core.text import NO_TEXT, Text
from lab39.store import audit
from lab39.web import security
from lab39.web.errors import status_of
from lab39.web.house import Here, House
from lab39.web.paths import local
from lab39.web.roles import Needs
from lab39.web.signin import admission, codes, door, oidc
from lab39.web.signin import local as accounts
from lab39.web.signin.limits import Attempt, address
from lab39.web.signin.oidc import STATE_COOKIE, Relying, Start
from lab39.web.signin.tokens import TokenError
from lab39.web.templating import render
from lab39.web.viewer import See, Viewer, cookie, drop_cookie, set_cookie

router = APIRouter(
    dependencies=[Depends(Needs("account.enter")), Depends(security.form_is_ours)], include_in_schema=False
)
Field = Annotated[str, Form()]

DONE = {
    "signed-out": Text("Vous êtes déconnecté.", "You are signed out."),
    "erased": Text("Votre compte et vos données ont été effacés.", "Your account and your data have been erased."),
    "again": Text(
        "Votre rôle ou votre mot de passe a changé\u202f: reconnectez-vous.",
        "Your role or your password has changed: sign in again.",
    ),
}


@router.get("/sign-in")
def entrance(request: Request, here: Here, viewer: See, next: str = "", done: str = "") -> Response:
    """The door; of a lab that nobody is in yet, the form of its first manager."""
    if viewer.person is not None:
        return RedirectResponse(local(next, "/records"), 303)
    with here.store.reading() as tx:
        empty = codes.nobody_yet(tx)
    if empty:
        return _first(request)
    return _entrance(request, target=next, done=DONE.get(done, NO_TEXT))


@router.post("/sign-in")
def sign_in(request: Request, here: Here, email: Field = "", password: Field = "", next: Field = "") -> Response:
    """With an address and a password of the lab."""
    try:
        token = accounts.sign_in(request, here, email, password)
    except (accounts.RefusedError, security.TooManyError) as error:
        return _entrance(request, target=next, email=email, error=error)
    return door.let_in(request, here, token, next, account=email)


@router.post("/sign-in/first")
def first(
    request: Request, here: Here, code: Field = "", name: Field = "", email: Field = "", password: Field = ""
) -> Response:
    """Create the first manager, with the code that the lab shows on its own console."""
    try:
        token = accounts.create_first(request, here, code, name=name, email=email, password=password)
    except security.ForgedError:
        raise
    except LabError as error:
        return _first(request, error=error, name=name, email=email, code=code)
    return door.let_in(request, here, token, "/people", account=email)


@router.get("/invitation")
def invitation(request: Request) -> Response:
    """The form of an invitation. Its code stands after the # of the link: browsers do not send that part."""
    return _invitation(request)


@router.post("/invitation")
def accept(request: Request, here: Here, code: Field = "", password: Field = "", provider: Field = "") -> Response:
    """Accept it: choose a password, or continue with an account elsewhere."""
    try:
        if provider:
            with here.store.reading() as tx:
                codes.invited(tx, here.secret, code, at=here.now())
            return set_out(request, here, relying(request, provider), invitation=code)
        token, person = accounts.accept(request, here, code, password)
    except security.ForgedError:
        raise
    except LabError as error:
        return _invitation(request, error=error, code=code)
    return door.let_in(request, here, token, "/records", account=person.email or "")


@router.post("/sign-out")
def sign_out(request: Request, here: Here, viewer: See) -> Response:
    """End this browser's session."""
    return door.close(request, here, viewer.person)


@router.get("/sign-in/with/{provider}")
def elsewhere(request: Request, here: Here, provider: str, next: str = "") -> Response:
    """Send the browser to an issuer."""
    known = relying(request, provider)
    start = oidc.begin(here, known.provider, target=local(next, "/records"))
    return _with_state(RedirectResponse(known.address(here, start), 303), request, here, start)


@router.get("/sign-in/with/{provider}/back")
def back(
    request: Request,
    here: Here,
    viewer: See,
    provider: str,
    state: str = "",
    code: str = "",
    error: str = "",
    iss: str = "",
) -> Response:
    """Where an issuer sends the browser back."""
    known = relying(request, provider)
    start = Start.opened(here.secret, cookie(request, here, STATE_COOKIE), here.now())
    try:
        response = _come_back(request, here, viewer, known, start, state=state, code=code, error=error, iss=iss)
    except _BackError as refused:
        response = _entrance(request, error=refused)
    drop_cookie(response, request, here, STATE_COOKIE)
    return response


class _BackError(accounts.RefusedError):
    """Came back from an issuer, and is not let in."""


def _come_back(
    request: Request, here: House, viewer: Viewer, known: Relying, start: Start | None, **given: str
) -> Response:
    """Everything that can be wrong is told in one sentence and kept in the audit log in one word."""
    provider = known.provider
    if start is None or start.provider != provider.name or not given["state"] or given["state"] != start.state:
        _limited(request, here)
        raise _said(here, provider.name, "state", _EXPIRED)
    if given["error"] or not given["code"]:
        why = "cancelled" if given["error"] == "access_denied" else "error"
        raise _said(here, provider.name, why, _stopped(provider.title))
    if given["iss"] and given["iss"] != provider.issuer:  # RFC 9207
        raise _said(here, provider.name, "iss", _unproven(provider.title))
    try:
        said = known.redeem(here, start, given["code"])
    except TokenError as error:
        raise _said(here, provider.name, error.why, _unproven(provider.title)) from error
    except oidc.IssuerError as error:
        raise _said(here, provider.name, "issuer", error.text) from error
    try:
        with here.store.writing() as tx:
            link = _link(tx, here, viewer, start)
            person = admission.admit(tx, here, provider, said, link=link)
            token = door.open_session(tx, request, here, person.id, about={"with": provider.name})
    except admission.NotAdmittedError as error:
        raise _said(here, provider.name, error.why, error.text) from error
    except codes.CodeError as error:
        raise _said(here, provider.name, "invitation", error.text) from error
    target = "/account?done=linked" if start.person else local(start.target, "/records")
    return door.let_in(request, here, token, target)


def _link(tx: Any, here: House, viewer: Viewer, start: Start) -> str:
    """The person who links the account: still signed in here, or still invited."""
    if start.invitation:
        return codes.invited(tx, here.secret, start.invitation, at=here.now()).id
    if start.person and start.person != viewer.person:
        raise admission.NotAdmittedError("other person", _EXPIRED)
    return start.person


def relying(request: Request, name: str) -> Relying:
    """One of the issuers of the settings.

    Raises:
        UnknownNameError
    """
    found: Relying | None = request.app.state.relying.get(name)
    if found is None:
        raise UnknownNameError(Text("cette page n'existe pas", "there is no such page"))
    return found


def set_out(request: Request, here: House, known: Relying, **purpose: str) -> Response:
    """After a form: a page that leads to the issuer. (A form itself may only lead to this site: its policy.)"""
    start = oidc.begin(here, known.provider, **purpose)
    address = known.address(here, start)
    page = render(request, "door/leave.html.jinja", {"title": known.provider.title, "address": address})
    page.headers["refresh"] = f"0; url={address}"
    return _with_state(page, request, here, start)


def _with_state(response: Response, request: Request, here: House, start: Start) -> Response:
    seconds = int(oidc.STATE_LIFE.total_seconds())
    set_cookie(response, request, here, STATE_COOKIE, start.sealed(here.secret), seconds=seconds)
    return response


def _limited(request: Request, here: House) -> None:
    """A browser that comes back without having set out: counted, so that nobody fills the audit log."""
    Attempt(here, request, f"back {address(request)}").begin()


def _said(here: House, provider: str, why: str, text: Text) -> _BackError:
    with here.store.writing() as tx:
        about = {"why": why, "provider": provider}
        audit.append(tx, at=here.now(), actor="", action="sign-in-refused", about=about)
    return _BackError(text)


_EXPIRED = Text(
    "cette connexion a expiré, a déjà servi, ou a commencé dans un autre onglet\u202f: recommencer ici",
    "this sign-in has expired, was used already, or was started in another tab: start again here",
)


def _stopped(title: str) -> Text:
    return Text(
        f"{title} n'a pas terminé la connexion\u202f: recommencer quand vous voulez",
        f"{title} did not complete the sign-in: start again when you like",
    )


def _unproven(title: str) -> Text:
    return Text(
        f"la réponse de {title} n'a pas pu être vérifiée\u202f: par sécurité, elle est refusée. Recommencer\u202f; "
        "si cela se répète, prévenir un gestionnaire",
        f"the answer of {title} could not be verified: to be safe, it is refused. Start again; if it happens "
        "again, tell a manager",
    )


def _entrance(
    request: Request, *, target: str = "", email: str = "", error: LabError | None = None, done: Text = NO_TEXT
) -> Response:
    values = {"target": local(target, ""), "email": email, "error": error, "done": done, **_others(request)}
    return _page(request, "door/sign_in.html.jinja", values, error)


def _first(
    request: Request, error: LabError | None = None, name: str = "", email: str = "", code: str = ""
) -> Response:
    values = {"error": error, "name": name, "email": email, "code": code}
    return _page(request, "door/first.html.jinja", values, error)


def _invitation(request: Request, error: LabError | None = None, code: str = "") -> Response:
    values = {"error": error, "code": code, **_others(request)}
    return _page(request, "door/invitation.html.jinja", values, error)


def _page(request: Request, name: str, values: dict[str, Any], error: LabError | None) -> Response:
    if request.method == "POST":
        values["self_path"] = "/invitation" if "invitation" in name else "/sign-in"
    page = render(request, name, values, status=status_of(error) if error else 200)
    if isinstance(error, security.TooManyError):
        page.headers["retry-after"] = str(error.seconds)
    return page


def _others(request: Request) -> dict[str, Any]:
    return {"others": [each.provider for each in request.app.state.relying.values()]}
