"""One's own account: who I am here, how I come in, what I agreed to, what is kept about me."""

from __future__ import annotations

import tempfile
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import FileResponse, RedirectResponse, Response
from starlette.background import BackgroundTask

from lab39.core.errors import LabError, UnknownNameError
from lab39.core.text import LANGS, NO_TEXT, Text
from lab39.store import audit, consents, credentials, people, privacy, sessions, sharing, tokens
from lab39.store.people import Person, Role
from lab39.web import security
from lab39.web.errors import status_of
from lab39.web.house import Here, House
from lab39.web.pages.signin import relying, set_out
from lab39.web.roles import Needs
from lab39.web.signin import door, local
from lab39.web.templating import render
from lab39.web.viewer import LANG_COOKIE, SESSION_COOKIE, See, Viewer, cookie, drop_cookie

router = APIRouter(
    prefix="/account",
    dependencies=[Depends(Needs("account.own")), Depends(security.form_is_ours)],
    include_in_schema=False,
)
Field = Annotated[str, Form()]

ROLES = {
    Role.PATIENT: Text("patient", "patient"),
    Role.STUDENT: Text("étudiant", "student"),
    Role.PROFESSIONAL: Text("professionnel", "professional"),
    Role.EXPERT: Text("expert", "expert"),
    Role.START_UP: Text("jeune pousse", "start-up"),
    Role.MODERATOR: Text("modérateur", "moderator"),
    Role.MANAGER: Text("gestionnaire", "manager"),
}
"""Roles that are given; everybody is a visitor."""

DONE = {
    "profile": Text("C'est enregistré.", "Saved."),
    "password": Text(
        "Votre mot de passe est changé\u202f; vos autres sessions sont fermées.",
        "Your password is changed; your other sessions are closed.",
    ),
    "email": Text("Votre adresse est changée.", "Your address is changed."),
    "sessions": Text("C'est fermé.", "Closed."),
    "consent": Text("Votre choix est enregistré.", "Your choice is saved."),
    "linked": Text("Ce compte ouvre maintenant le vôtre.", "That account now signs you in."),
}


@dataclass(frozen=True, slots=True)
class Purpose:
    """Something people are asked to agree to.

    Attributes:
        wording: version of the text, kept with each answer.
        asked: on the page of the account; otherwise it is given elsewhere and only taken back there.
    """

    name: str
    wording: str
    title: Text
    text: Text
    asked: bool


@cache
def purposes() -> tuple[Purpose, ...]:
    """Those of ``knowledge/consents.toml``."""
    read = tomllib.loads(files("lab39.web").joinpath("knowledge/consents.toml").read_text("utf-8"))["purpose"]
    return tuple(
        Purpose(name, row["wording"], Text.of(row["title"]), Text.of(row["text"]), row.get("asked", True))
        for name, row in read.items()
    )


@cache
def _professions() -> dict[str, Text]:
    read = tomllib.loads(files("lab39.web").joinpath("knowledge/professions.toml").read_text("utf-8"))
    return {code: Text.of(row) for code, row in read["profession"].items()}


def profession(code: str) -> Text:
    """The name of a profession; its code when the lab has no name for it."""
    return _professions().get(code, Text(f"profession {code}", f"profession {code}"))


@router.get("")
def account(request: Request, here: Here, viewer: See, done: str = "") -> Response:
    """Everything about one's account on one page."""
    return _page(request, here, viewer, done=DONE.get(done, NO_TEXT))


@router.post("/profile")
def profile(request: Request, here: Here, viewer: See, name: Field = "", lang: Field = "") -> Response:
    """Change the name shown and the language."""
    try:
        with here.store.writing() as tx:
            chosen = next((each for each in LANGS if each == lang), None)
            people.change(tx, _me(viewer), name=name, lang=chosen)
            _changed(tx, here, viewer, "profile")
    except LabError as error:
        return _page(request, here, viewer, error=error)
    response = _done("profile")
    drop_cookie(response, request, here, LANG_COOKIE)
    return response


@router.post("/email")
def email(request: Request, here: Here, viewer: See, email: Field = "", password: Field = "") -> Response:
    """Change the address one signs in with."""
    try:
        local.confirm(request, here, _person(here, viewer), password)
        with here.store.writing() as tx:
            people.change(tx, _me(viewer), email=email)
            _changed(tx, here, viewer, "email")
            token = _rotated(tx, request, here, viewer)
    except LabError as error:
        return _page(request, here, viewer, error=error)
    return _kept(request, here, token, "email")


@router.post("/password")
def password(request: Request, here: Here, viewer: See, old: Field = "", new: Field = "") -> Response:
    """Change one's password; the sessions elsewhere end."""
    try:
        token = local.change_password(request, here, _person(here, viewer), old, new)
    except LabError as error:
        return _page(request, here, viewer, error=error)
    return _kept(request, here, token, "password")


@router.post("/sessions/end")
def end_session(request: Request, here: Here, viewer: See, session: Field = "") -> Response:
    """End one session of one's own; all the others when none is named."""
    token = cookie(request, here, SESSION_COOKIE)
    with here.store.writing() as tx:
        if session:
            ended = sessions.revoke_of(tx, _me(viewer), session)
        else:
            ended = sessions.revoke_all(tx, _me(viewer), but=token)
        if ended:
            said = {"sessions": ended}
            audit.append(tx, at=here.now(), actor=_me(viewer), action="sign-out", subject=_me(viewer), about=said)
    return _done("sessions")


@router.post("/tokens/revoke")
def revoke_token(here: Here, viewer: See, token: Field = "") -> Response:
    """End a program's token of one's own."""
    with here.store.writing() as tx:
        if token not in {each.id for each in tokens.of(tx, _me(viewer))}:
            raise UnknownNameError(Text("jeton inconnu", "no such token"))
        tokens.revoke(tx, token, at=here.now())
        said = {"token": token, "revoked": True}
        audit.append(tx, at=here.now(), actor=_me(viewer), action="account", subject=_me(viewer), about=said)
    return _done("sessions")


@router.post("/sign-out-everywhere")
def everywhere(request: Request, here: Here, viewer: See) -> Response:
    """End every session, this one too."""
    return door.close(request, here, viewer.person, everywhere=True)


@router.post("/consents")
def consent(here: Here, viewer: See, purpose: Field = "", given: Field = "") -> Response:
    """Agree, or take it back."""
    known = next((each for each in purposes() if each.name == purpose), None)
    if known is None or (given == "yes" and not known.asked):
        raise UnknownNameError(Text("consentement inconnu", "no such consent"))
    at, me = here.now(), _me(viewer)
    with here.store.writing() as tx:
        if given == "yes":
            consents.give(tx, me, known.name, wording=known.wording, channel="web", at=at)
        else:
            consents.withdraw(tx, me, known.name, channel="web", at=at)
            if known.name == sharing.CONSENT:
                sharing.consent_taken_back(tx, me, at=at)
        said = {"purpose": known.name, "given": given == "yes", "wording": known.wording}
        audit.append(tx, at=at, actor=me, action="consent", subject=me, about=said)
    return _done("consent")


@router.post("/export")
def export(here: Here, viewer: See) -> Response:
    """Everything the lab keeps about me, in one file."""
    folder = tempfile.TemporaryDirectory(prefix="lab39-export-")
    path = Path(folder.name) / "lab39.zip"
    try:
        privacy.export_person(here.store, _me(viewer), path, by=_me(viewer))
    except BaseException:
        folder.cleanup()
        raise
    name = f"lab39-{here.today().isoformat()}.zip"
    return FileResponse(
        path, filename=name, media_type="application/zip", background=BackgroundTask(folder.cleanup)
    )


@router.post("/erase")
def erase(request: Request, here: Here, viewer: See, password: Field = "", sure: Field = "") -> Response:
    """Erase what the lab keeps about me, at once."""
    person = _person(here, viewer)
    try:
        if sure != "yes":
            raise LabError(Text("cocher la case pour confirmer", "tick the box to confirm"))
        local.confirm(request, here, person, password)
        erase_unless_last(here, person, by=person.id)
    except LabError as error:
        return _page(request, here, viewer, error=error)
    response = RedirectResponse("/sign-in?done=erased", 303)
    drop_cookie(response, request, here, SESSION_COOKIE)
    response.headers["clear-site-data"] = '"cache", "storage"'
    return response


@router.post("/link")
def link(request: Request, here: Here, viewer: See, provider: Field = "", password: Field = "") -> Response:
    """Let an account elsewhere sign me in: my password first, then its own site."""
    known = relying(request, provider)
    try:
        local.confirm(request, here, _person(here, viewer), password)
        return set_out(request, here, known, person=_me(viewer))
    except LabError as error:
        return _page(request, here, viewer, error=error)


def erase_unless_last(here: House, person: Person, *, by: str) -> None:
    """Erase somebody, unless they are the last to manage a lab that others are in.

    Raises:
        InputError
    """
    privacy.erase_person(
        here.store, person.id, by=by, unless=lambda tx: people.keep_a_manager(tx, person.id, alone=True)
    )


def _page(
    request: Request,
    here: House,
    viewer: Viewer,
    *,
    done: Text = NO_TEXT,
    error: LabError | None = None,
) -> Response:
    at, me = here.now(), _me(viewer)
    with here.store.reading() as tx:
        current = sessions.find(tx, cookie(request, here, SESSION_COOKIE), at=at)
        agreed = [(each, consents.has_consent(tx, me, each.name, at)) for each in purposes()]
        values = {
            "person": people.get(tx, me),
            "protected": credentials.has_password(tx, me),
            "professions": people.professions_of(tx, me),
            "identities": people.identities_of(tx, me),
            "sessions": sessions.of(tx, me, at=at),
            "current_session": current.token_sha256 if current else "",
            "tokens": [each for each in tokens.of(tx, me) if each.holds(at)],
            "purposes": [(each, given) for each, given in agreed if each.asked or given],
            "purpose_titles": {each.name: each.title for each in purposes()},
            "history": consents.history(tx, me)[::-1],
        }
    linked = {each.issuer for each in values["identities"]}  # type: ignore[attr-defined]
    known = [each.provider for each in request.app.state.relying.values()]
    values |= {
        "titles": {each.issuer: each.title for each in known},
        "others": [each for each in known if each.issuer not in linked],
        "roles": ROLES,
        "self_path": "/account",
        "profession": profession,
        "zone": here.settings.timezone,
        "done": done,
        "error": error,
    }
    return render(request, "door/account.html.jinja", values, status=status_of(error) if error else 200)


def _me(viewer: Viewer) -> str:
    assert viewer.person is not None, "account.own is for signed-in people"
    return viewer.person


def _person(here: House, viewer: Viewer) -> Person:
    with here.store.reading() as tx:
        return people.get(tx, _me(viewer))


def _changed(tx: Any, here: House, viewer: Viewer, what: str) -> None:
    me = _me(viewer)
    audit.append(tx, at=here.now(), actor=me, action="account", subject=me, about={"changed": what})


def _rotated(tx: Any, request: Request, here: House, viewer: Viewer) -> str | None:
    """A new token here, every other session over: what one signs in with has changed."""
    token = door.rotate(tx, request, here)
    sessions.revoke_all(tx, _me(viewer), but=token)
    return token


def _kept(request: Request, here: House, token: str | None, done: str) -> Response:
    if token is None:
        return RedirectResponse("/sign-in?done=again", 303)
    response = _done(done)
    door.keep(request, response, here, token)
    return response


def _done(what: str) -> Response:
    return RedirectResponse(f"/account?done={what}", 303)
