"""Accounts of the lab itself: an address and a password."""

from __future__ import annotations

import datetime as dt

from fastapi import Request

from lab39.core.text import Text
from lab39.store import audit, people, sessions
from lab39.store.credentials import check_password, has_password, set_password
from lab39.store.people import Person, Role
from lab39.web.api import refusals
from lab39.web.house import House
from lab39.web.signin import codes, door
from lab39.web.signin.guessable import acceptable
from lab39.web.signin.limits import Attempt, address
from lab39.web.viewer import SESSION_COOKIE, cookie

FIRST = "first manager"
RECENT = dt.timedelta(minutes=5)
"""Without a password here, a sign-in this recent says that the same person still sits there."""


class RefusedError(refusals.RefusedError):
    """Not let in; the reason that is told is the same for an unknown address and for a wrong password."""

    status = 401


def sign_in(request: Request, here: House, email: str, password: str) -> str:
    """Check an address and a password, and open a session; its token.

    Raises:
        RefusedError, TooManyError
    """
    attempt = Attempt(here, request, email)
    attempt.begin()
    person = check_password(here.store, email, password)
    if person is None:
        with here.store.reading() as tx:
            aimed = people.by_email(tx, email)
        door.refused(here, "password", subject=aimed.id if aimed else "")
        raise RefusedError(
            Text("adresse ou mot de passe incorrect", "the address or the password is not right"), ""
        )
    attempt.succeeded()
    with here.store.writing() as tx:
        return door.open_session(tx, request, here, person.id, about={"with": "password"})


def create_first(request: Request, here: House, code: str, *, name: str, email: str, password: str) -> str:
    """The first manager of a lab that nobody is in yet; the token of their session.

    Raises:
        RefusedError: the code is wrong, or somebody is here already.
        InputError: a name, address or password that cannot be one.
        TooManyError
    """
    attempt = Attempt(here, request, f"{FIRST} {address(request)}")
    attempt.begin()
    if not codes.is_first_code(here.secret, code, here.now()):
        door.refused(here, "first-code")
        raise RefusedError(
            Text(
                "ce n'est pas le code affiché au démarrage du laboratoire\u202f; il change chaque jour",
                "this is not the code shown when the lab was started; it changes every day",
            )
        )
    attempt.succeeded()
    hashed = acceptable(password, name=name, email=email)
    with here.store.writing() as tx:
        if not codes.nobody_yet(tx):
            raise RefusedError(Text("ce laboratoire a déjà un gestionnaire", "this lab has a manager already"))
        at = here.now()
        made = people.add(tx, name=name, email=email, at=at, given=[Role.MANAGER])
        set_password(tx, made.id, hashed, at=at)
        said = {"first": True, "roles": [Role.MANAGER.value]}
        audit.append(tx, at=at, actor=made.id, action="account", subject=made.id, about=said)
        return door.open_session(tx, request, here, made.id, about={"with": "first-code"})


def accept(request: Request, here: House, code: str, password: str) -> tuple[str, Person]:
    """Choose a password by invitation; the token of a session, and whose it is.

    Raises:
        CodeError: it cannot be guessed (160 bits), so that no attempt is counted.
        PasswordError
    """
    with here.store.reading() as tx:
        guest = codes.invited(tx, here.secret, code, at=here.now())
    hashed = acceptable(password, name=guest.display_name, email=guest.email or "")
    with here.store.writing() as tx:
        at = here.now()
        person = codes.invited(tx, here.secret, code, at=at)  # again: two tabs cannot use it twice
        sessions.revoke_all(tx, person.id)
        set_password(tx, person.id, hashed, at=at)
        audit.append(tx, at=at, actor=person.id, action="account", subject=person.id, about={"changed": "password"})
        return door.open_session(tx, request, here, person.id, about={"with": "invitation"}), person


def change_password(request: Request, here: House, person: Person, old: str, new: str) -> str | None:
    """Change one's password; every other session ends. The new token of this browser's session.

    Raises:
        RefusedError: the old one is wrong.
        PasswordError, TooManyError
    """
    confirm(request, here, person, old)
    hashed = acceptable(new, name=person.display_name, email=person.email or "")
    with here.store.writing() as tx:
        at = here.now()
        set_password(tx, person.id, hashed, at=at)
        token = door.rotate(tx, request, here)
        sessions.revoke_all(tx, person.id, but=token)
        audit.append(tx, at=at, actor=person.id, action="account", subject=person.id, about={"changed": "password"})
        return token


def confirm(request: Request, here: House, person: Person, password: str) -> None:
    """Make sure that it is still the same person who sits there, before something grave.

    Raises:
        RefusedError, TooManyError
    """
    with here.store.reading() as tx:
        protected = has_password(tx, person.id)
        session = sessions.find(tx, cookie(request, here, SESSION_COOKIE), at=here.now())
    if not protected:
        if session is not None and here.now() - session.created_at <= RECENT:
            return
        raise RefusedError(
            Text(
                "par sécurité, se déconnecter, se reconnecter, puis recommencer dans les cinq minutes",
                "to be safe, sign out, sign in again, then start again within five minutes",
            )
        )
    attempt = Attempt(here, request, person.email or person.id)
    attempt.begin()
    if check_password(here.store, person.email or "", password) is None:
        door.refused(here, "password", subject=person.id)
        raise RefusedError(Text("ce n'est pas votre mot de passe actuel", "this is not your present password"))
    attempt.succeeded()
