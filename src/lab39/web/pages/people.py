"""The people of the lab, for its managers: who is here, with which roles; invitations."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import RedirectResponse, Response

from lab39.core.errors import InputError, LabError
from lab39.core.text import NO_TEXT, Text
from lab39.store import audit, credentials, people, sessions
from lab39.store.people import Person, Role
from lab39.web import security
from lab39.web.errors import status_of
from lab39.web.house import Here, House
from lab39.web.pages.account import ROLES, erase_unless_last, profession
from lab39.web.roles import Needs
from lab39.web.signin import codes, door, local
from lab39.web.templating import render
from lab39.web.viewer import See, Viewer

router = APIRouter(
    prefix="/people",
    dependencies=[Depends(Needs("people.manage")), Depends(security.form_is_ours)],
    include_in_schema=False,
)
Field = Annotated[str, Form()]
Roles = Annotated[list[str] | None, Form()]
PAGE = 50

DONE = {
    "roles": Text(
        "Les rôles sont enregistrés\u202f; la personne se reconnecte.",
        "The roles are saved; the person signs in again.",
    ),
    "sessions": Text("Ses sessions sont fermées.", "Their sessions are closed."),
    "erased": Text("La personne est effacée.", "The person is erased."),
}


@router.get("")
def everyone(
    request: Request, here: Here, words: str = "", page: Annotated[int, Query(ge=1, le=100_000)] = 1, done: str = ""
) -> Response:
    """Who is here."""
    return _list(request, here, words=words, page=page, done=DONE.get(done, NO_TEXT))


@router.post("")
def add(
    request: Request,
    here: Here,
    viewer: See,
    name: Field = "",
    email: Field = "",
    lang: Field = "fr",
    role: Roles = None,
) -> Response:
    """Add somebody and make their invitation."""
    try:
        if not email.strip():
            raise InputError(Text("une adresse de courriel est nécessaire", "a mail address is needed"), "email")
        with here.store.writing() as tx:
            at = here.now()
            made = people.add(
                tx,
                name=name,
                email=email,
                lang="en" if lang == "en" else "fr",
                at=at,
                given=_roles(role),
                given_by=viewer.person,
            )
            said = {"roles": sorted(made.roles)}
            audit.append(tx, at=at, actor=_me(viewer), action="account", subject=made.id, about=said)
            code = codes.invitation(tx, here.secret, made.id, at=at)
    except security.ForgedError:
        raise
    except LabError as error:
        return _list(request, here, error=error, draft={"name": name, "email": email, "roles": role or []})
    return _one(request, here, viewer, made.id, code=code)


@router.get("/{person}")
def one(request: Request, here: Here, viewer: See, person: str, done: str = "") -> Response:
    """One person."""
    return _one(request, here, viewer, person, done=DONE.get(done, NO_TEXT))


@router.post("/{person}/roles")
def set_roles(request: Request, here: Here, viewer: See, person: str, role: Roles = None) -> Response:
    """Set the roles; the sessions of the person end, so that what they may do now starts with a new one."""
    wanted = frozenset(_roles(role))
    own = person == viewer.person
    try:
        with here.store.writing() as tx:
            at = here.now()
            before = _present(tx, person)
            for each in sorted(wanted - before.roles):
                people.give_role(tx, person, each, at=at, by=viewer.person)
                _told(tx, here, viewer, person, each, given=True)
            for each in sorted(before.roles - wanted):
                people.take_role(tx, person, each)
                _told(tx, here, viewer, person, each, given=False)
            token = None
            if wanted != before.roles:
                token = door.rotate(tx, request, here) if own else None
                sessions.revoke_all(tx, person, but=token)
    except security.ForgedError:
        raise
    except LabError as error:
        return _one(request, here, viewer, person, error=error)
    response = RedirectResponse(f"/people/{person}?done=roles", 303)
    if token:
        door.keep(request, response, here, token)
    return response


@router.post("/{person}/invitation")
def invite(request: Request, here: Here, viewer: See, person: str) -> Response:
    """A new invitation: to come in for the first time, or to choose another password."""
    with here.store.writing() as tx:
        found = _present(tx, person)
        code = codes.invitation(tx, here.secret, found.id, at=here.now())
        said = {"invited": True}
        audit.append(tx, at=here.now(), actor=_me(viewer), action="account", subject=found.id, about=said)
    return _one(request, here, viewer, person, code=code)


@router.post("/{person}/sign-out")
def sign_out(here: Here, viewer: See, person: str) -> Response:
    """End every session of a person."""
    with here.store.writing() as tx:
        ended = sessions.revoke_all(tx, _present(tx, person).id)
        said = {"sessions": ended}
        audit.append(tx, at=here.now(), actor=_me(viewer), action="sign-out", subject=person, about=said)
    return RedirectResponse(f"/people/{person}?done=sessions", 303)


@router.post("/{person}/erase")
def erase(
    request: Request, here: Here, viewer: See, person: str, password: Field = "", sure: Field = ""
) -> Response:
    """Erase a person; the manager gives their own password again."""
    with here.store.reading() as tx:
        found = _present(tx, person)
        me = people.get(tx, _me(viewer))
    try:
        if sure != "yes":
            raise LabError(Text("cocher la case pour confirmer", "tick the box to confirm"))
        local.confirm(request, here, me, password)
        erase_unless_last(here, found, by=me.id)
    except LabError as error:
        return _one(request, here, viewer, person, error=error)
    return RedirectResponse("/people?done=erased", 303)


def link(request: Request, here: House, code: str) -> str:
    """The link of an invitation. Its code stands after the #, which browsers send to no server."""
    return f"{here.settings.public_url or str(request.base_url).rstrip('/')}/invitation#{code}"


def _list(
    request: Request,
    here: House,
    *,
    words: str = "",
    page: int = 1,
    done: Text = NO_TEXT,
    error: LabError | None = None,
    draft: dict[str, Any] | None = None,
) -> Response:
    with here.store.reading() as tx:
        found = people.everyone(tx, words=words.strip(), limit=PAGE + 1, offset=PAGE * (page - 1))
    values = {
        "people": found[:PAGE],
        "more": len(found) > PAGE,
        "page": page,
        "words": words,
        "roles": ROLES,
        "done": done,
        "error": error,
        "self_path": "/people",
        "draft": draft or {"name": "", "email": "", "roles": []},
        "zone": here.settings.timezone,
    }
    return render(request, "door/people.html.jinja", values, status=status_of(error) if error else 200)


def _one(
    request: Request,
    here: House,
    viewer: Viewer,
    person: str,
    *,
    done: Text = NO_TEXT,
    error: LabError | None = None,
    code: str = "",
) -> Response:
    with here.store.reading() as tx:
        found = _present(tx, person)
        values = {
            "person": found,
            "own": found.id == viewer.person,
            "protected": credentials.has_password(tx, found.id),
            "professions": people.professions_of(tx, found.id),
            "identities": people.identities_of(tx, found.id),
            "sessions": sessions.of(tx, found.id, at=here.now()),
        }
    titles = {each.provider.issuer: each.provider.title for each in request.app.state.relying.values()}
    values |= {
        "roles": ROLES,
        "titles": titles,
        "self_path": f"/people/{found.id}",
        "profession": profession,
        "link": link(request, here, code) if code else "",
        "done": done,
        "error": error,
        "zone": here.settings.timezone,
    }
    return render(request, "door/person.html.jinja", values, status=status_of(error) if error else 200)


def _present(tx: Any, person: str) -> Person:
    """A person who was not erased.

    Raises:
        UnknownPersonError
    """
    found = people.get(tx, person)
    if found.erased_at is not None:
        raise people.UnknownPersonError(Text("cette personne a été effacée", "this person was erased"))
    return found


def _roles(names: list[str] | None) -> list[Role]:
    known = {role.value: role for role in ROLES}
    for name in names or ():
        if name not in known:
            raise InputError(Text("rôle inconnu", "no such role"), "role")
    return [known[name] for name in names or ()]


def _me(viewer: Viewer) -> str:
    assert viewer.person is not None, "people.manage is for managers"
    return viewer.person


def _told(tx: Any, here: House, viewer: Viewer, person: str, role: Role, *, given: bool) -> None:
    said = {"role": role.value, "given": given}
    audit.append(tx, at=here.now(), actor=_me(viewer), action="role", subject=person, about=said)
