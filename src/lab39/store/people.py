"""People: who they are to the lab, their roles, what they practise, the accounts they come with from elsewhere.

A person who was erased keeps an empty row: its identifier, which leads to nobody, stays the author of what others
may still need to read.
"""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from lab39.core.errors import InputError, UnknownNameError
from lab39.core.text import Lang, Text
from lab39.store import privacy
from lab39.store.engine import new_id
from lab39.store.schema import Instant, metadata

NAME_MAX = 200
EMAIL_MAX = 254
"""RFC 5321, 4.5.3.1.3, less the brackets of a path."""

people = sa.Table(
    "people",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("display_name", sa.Text, nullable=False),
    sa.Column("email", sa.Text, unique=True),
    sa.Column("lang", sa.String(2), nullable=False),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("erased_at", Instant),
)

roles = sa.Table(
    "person_roles",
    metadata,
    sa.Column("person_id", sa.ForeignKey("people.id"), primary_key=True),
    sa.Column("role", sa.String(20), primary_key=True),
    sa.Column("given_at", Instant, nullable=False),
    sa.Column("given_by", sa.ForeignKey("people.id")),
)

professions = sa.Table(
    "professional_identities",
    metadata,
    sa.Column("person_id", sa.ForeignKey("people.id"), primary_key=True),
    sa.Column("system", sa.String(10), primary_key=True),
    sa.Column("asserted_by", sa.String(255), primary_key=True),
    sa.Column("number", sa.String(20), nullable=False),
    sa.Column("profession", sa.String(20), nullable=False),
    sa.Column("asserted_at", Instant, nullable=False),
)

identities = sa.Table(
    "external_identities",
    metadata,
    sa.Column("issuer", sa.String(255), primary_key=True),
    sa.Column("subject", sa.String(255), primary_key=True),
    sa.Column("person_id", sa.ForeignKey("people.id"), nullable=False, index=True),
    sa.Column("linked_at", Instant, nullable=False),
)

SELF = "self"
"""Who asserted a professional identity, when it is the person alone: nobody checked it."""

DIGITS = {"rpps": 11, "adeli": 9}
"""Length of a number of each register of professionals (Annuaire Santé, « identifiants nationaux »)."""


class Role(StrEnum):
    """What a person does in the lab; the values are those of the web's permissions."""

    VISITOR = "visitor"
    PATIENT = "patient"
    STUDENT = "student"
    PROFESSIONAL = "professional"
    EXPERT = "expert"
    START_UP = "start-up"
    MODERATOR = "moderator"
    MANAGER = "manager"


class UnknownPersonError(UnknownNameError):
    """Nobody here has this identifier or address."""


class TakenError(InputError):
    """An address, or an account from elsewhere, already belongs to somebody."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody the lab knows.

    Attributes:
        email: in lower case; ``None`` for an account that has none.
        erased_at: when everything about them was erased; their row is empty since.
    """

    id: str
    display_name: str
    email: str | None
    lang: Lang
    created_at: dt.datetime
    erased_at: dt.datetime | None
    roles: frozenset[Role]


@dataclass(frozen=True, slots=True)
class Profession:
    """A professional identity and who vouches for it.

    Attributes:
        system: ``rpps`` or ``adeli``.
        profession: code of the profession (TRE-G15: ``10`` physician, ``21`` pharmacist…).
        asserted_by: the issuer of the account it came with, or :data:`SELF`.
    """

    system: str
    number: str
    profession: str
    asserted_by: str
    asserted_at: dt.datetime


@dataclass(frozen=True, slots=True)
class Identity:
    """An account elsewhere that signs this person in."""

    issuer: str
    subject: str
    person_id: str
    linked_at: dt.datetime


def add(
    tx: sa.Connection,
    *,
    name: str,
    at: dt.datetime,
    email: str | None = None,
    lang: Lang = "fr",
    given: Iterable[Role] = (),
    given_by: str | None = None,
) -> Person:
    """A new person.

    Raises:
        TakenError: the address belongs to somebody.
        InputError: a name or an address that cannot be one.
    """
    person = new_id()
    values = {"display_name": _name(name), "email": _email(email), "lang": lang, "created_at": at}
    with _unique("email"), tx.begin_nested():
        tx.execute(people.insert().values(id=person, **values))
    for role in dict.fromkeys(given):
        give_role(tx, person, role, at=at, by=given_by)
    return get(tx, person)


def get(tx: sa.Connection, person: str) -> Person:
    """A person by identifier, erased or not.

    Raises:
        UnknownPersonError
    """
    found = _some(tx, people.c.id == person)
    if not found:
        raise UnknownPersonError(Text("personne inconnue", "no such person"), person)
    return found[0]


def find(tx: sa.Connection, words: str) -> Person:
    """A person by identifier or address, as one types them.

    Raises:
        UnknownPersonError
    """
    return by_email(tx, words) or get(tx, words)


def by_email(tx: sa.Connection, email: str) -> Person | None:
    """A person by address, whatever its case."""
    found = _some(tx, people.c.email == email.strip().lower())
    return found[0] if found else None


def by_identity(tx: sa.Connection, issuer: str, subject: str) -> Person | None:
    """The person whom an account elsewhere signs in."""
    owner = sa.select(identities.c.person_id).where(identities.c.issuer == issuer, identities.c.subject == subject)
    found = _some(tx, people.c.id.in_(owner))
    return found[0] if found else None


def everyone(tx: sa.Connection, *, words: str = "", limit: int = 50, offset: int = 0) -> tuple[Person, ...]:
    """People who are not erased, newest first; ``words`` is looked for in names and addresses."""
    where: list[sa.ColumnElement[bool]] = [people.c.erased_at.is_(None)]
    if words:
        where.append(
            sa.or_(
                sa.func.lower(people.c.display_name).contains(words.lower(), autoescape=True),
                people.c.email.contains(words.lower(), autoescape=True),
            )
        )
    return _some(tx, *where, limit=limit, offset=offset)


def change(
    tx: sa.Connection, person: str, *, name: str | None = None, email: str | None = None, lang: Lang | None = None
) -> Person:
    """Change what is given, keep the rest.

    Raises:
        UnknownPersonError, TakenError, InputError
    """
    values: dict[str, Any] = {}
    if name is not None:
        values["display_name"] = _name(name)
    if email is not None:
        values["email"] = _email(email)
    if lang is not None:
        values["lang"] = lang
    _not_erased(tx, person)
    if values:
        with _unique("email"), tx.begin_nested():
            tx.execute(people.update().where(people.c.id == person).values(**values))
    return get(tx, person)


def give_role(tx: sa.Connection, person: str, role: Role, *, at: dt.datetime, by: str | None = None) -> None:
    """Give a role; nothing happens when the person has it.

    Raises:
        UnknownPersonError
    """
    _not_erased(tx, person)
    with contextlib.suppress(sa.exc.IntegrityError), tx.begin_nested():
        tx.execute(roles.insert().values(person_id=person, role=role.value, given_at=at, given_by=by))


def take_role(tx: sa.Connection, person: str, role: Role) -> None:
    """Take a role back; the last manager keeps theirs.

    Raises:
        InputError: nobody would be left to manage the lab.
    """
    if role is Role.MANAGER:
        keep_a_manager(tx, person)
    tx.execute(roles.delete().where(roles.c.person_id == person, roles.c.role == role.value))


def keep_a_manager(tx: sa.Connection, person: str, *, alone: bool = False) -> None:
    """Refuse that the last manager goes; nobody else becomes or ceases to be one until the transaction ends.

    Args:
        alone: the last manager may go when nobody else is in the lab.

    Raises:
        InputError
    """
    held = sa.select(roles.c.person_id).where(roles.c.role == Role.MANAGER.value).with_for_update()
    others = sa.select(people.c.id).where(people.c.erased_at.is_(None), people.c.id != person).limit(1)
    if set(tx.scalars(held)) == {person} and not (alone and tx.scalar(others) is None):
        raise InputError(
            Text(
                "c'est le dernier gestionnaire\u202f: donner d'abord ce rôle à quelqu'un d'autre",
                "this is the last manager: give the role to somebody else first",
            ),
            person,
        )


def link_identity(tx: sa.Connection, person: str, issuer: str, subject: str, *, at: dt.datetime) -> None:
    """Let an account elsewhere sign this person in.

    Raises:
        TakenError: it signs somebody else in.
    """
    _not_erased(tx, person)
    owner = by_identity(tx, issuer, subject)
    if owner is not None and owner.id == person:
        return
    with _unique("identity"), tx.begin_nested():
        tx.execute(identities.insert().values(issuer=issuer, subject=subject, person_id=person, linked_at=at))


def identities_of(tx: sa.Connection, person: str) -> tuple[Identity, ...]:
    """The accounts elsewhere that sign this person in, oldest first."""
    chosen = sa.select(identities).where(identities.c.person_id == person).order_by(identities.c.linked_at)
    return tuple(Identity(**row) for row in tx.execute(chosen).mappings())


def assert_profession(
    tx: sa.Connection, person: str, *, system: str, number: str, profession: str, by: str, at: dt.datetime
) -> Profession:
    """Keep a professional identity and who vouches for it; what the same one said before is replaced.

    Raises:
        InputError: a number that the register does not give.
    """
    _not_erased(tx, person)
    digits = DIGITS.get(system)
    if digits is None or not (number.isascii() and number.isdigit() and len(number) == digits):
        expected = ", ".join(f"{name} {count}" for name, count in DIGITS.items())
        raise InputError(
            Text(f"numéro professionnel\u202f: {expected} chiffres", f"professional number: {expected} digits"),
            system,
        )
    here = sa.and_(
        professions.c.person_id == person, professions.c.system == system, professions.c.asserted_by == by
    )
    tx.execute(professions.delete().where(here))
    row = {"system": system, "number": number, "profession": profession, "asserted_by": by, "asserted_at": at}
    tx.execute(professions.insert().values(person_id=person, **row))
    return professions_of(tx, person, by=by)[0]


def professions_of(tx: sa.Connection, person: str, *, by: str | None = None) -> tuple[Profession, ...]:
    """What is known of a person's profession, newest first; those one issuer vouches for when ``by`` is given."""
    chosen = sa.select(professions).where(professions.c.person_id == person)
    if by is not None:
        chosen = chosen.where(professions.c.asserted_by == by)
    found = tx.execute(chosen.order_by(professions.c.asserted_at.desc(), professions.c.system)).mappings()
    return tuple(Profession(**{k: v for k, v in row.items() if k != "person_id"}) for row in found)


def _some(
    tx: sa.Connection, *where: sa.ColumnElement[bool], limit: int = 50, offset: int = 0
) -> tuple[Person, ...]:
    order = (people.c.created_at.desc(), people.c.id)
    found = (
        tx.execute(sa.select(people).where(*where).order_by(*order).limit(limit).offset(offset)).mappings().all()
    )
    held: dict[str, set[Role]] = {row["id"]: set() for row in found}
    for row in tx.execute(sa.select(roles).where(roles.c.person_id.in_(held))).mappings():
        held[row["person_id"]].add(Role(row["role"]))
    return tuple(Person(roles=frozenset(held[row["id"]]), **row) for row in found)


def _not_erased(tx: sa.Connection, person: str) -> None:
    if get(tx, person).erased_at is not None:
        raise UnknownPersonError(Text("cette personne a été effacée", "this person was erased"), person)


def _name(name: str) -> str:
    name = " ".join(name.split())
    if not 0 < len(name) <= NAME_MAX:
        raise InputError(
            Text(f"un nom a de 1 à {NAME_MAX} caractères", f"a name has 1 to {NAME_MAX} characters"), "name"
        )
    return name


def _email(email: str | None) -> str | None:
    if email is None:
        return None
    email = email.strip().lower()
    before, _, after = email.rpartition("@")
    if not before or "." not in after or len(email) > EMAIL_MAX or any(c.isspace() for c in email):
        raise InputError(Text("ce n'est pas une adresse de courriel", "this is not a mail address"), "email")
    return email


@contextlib.contextmanager
def _unique(what: str) -> Iterator[None]:
    try:
        yield
    except sa.exc.IntegrityError:  # its text would show the address
        raise TakenError(
            Text("déjà utilisé par un autre compte", "already used by another account"), what
        ) from None


def _export(tx: sa.Connection, person: str) -> Iterator[dict[str, Any]]:
    for table, column in ((people, people.c.id), *((t, t.c.person_id) for t in (roles, professions, identities))):
        for row in privacy.rows(tx, table, column == person):
            yield {"table": table.name, **row}


def _erase(tx: sa.Connection, person: str, at: dt.datetime) -> Iterator[privacy.Outcome]:
    count = 0
    for table in (roles, professions, identities):
        count += tx.execute(table.delete().where(table.c.person_id == person)).rowcount
    empty = {"display_name": "", "email": None, "erased_at": at}
    emptied = people.update().where(people.c.id == person, people.c.erased_at.is_(None))
    count += tx.execute(emptied.values(**empty)).rowcount
    yield privacy.Outcome(
        PART.title,
        erased=count,
        kept=1,
        why=Text(
            "un identifiant au hasard reste, vide\u202f: il relie ce que d'autres doivent encore pouvoir lire",
            "a random identifier stays, empty: it ties together what others must still be able to read",
        ),
    )


PART = privacy.Part(
    name="person",
    title=Text("compte, rôles, identités", "account, roles, identities"),
    tables=(people, roles, professions, identities),
    export=_export,
    erase=_erase,
    order=100,
)
privacy.register(PART)
