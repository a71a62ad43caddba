"""Which person of the lab an account elsewhere signs in, and what it makes of them.

An account elsewhere is known by its issuer and subject, never by an address of mail: whoever can claim an address
there would otherwise take the account here. It is linked only by somebody who is in already and gave their password
again, or who holds an invitation.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from lab39.core.text import Text
from lab39.store import audit, people
from lab39.store.people import Person, Role, professions, roles
from lab39.web.house import House
from lab39.web.signin import psc
from lab39.web.signin.local import RefusedError
from lab39.web.signin.providers import Provider
from lab39.web.signin.psc import ProfessionalClaims

RPPS = "rpps"


class NotAdmittedError(RefusedError):
    """The issuer says who it is, and the lab does not let them in; ``why`` is for the audit log."""

    def __init__(self, why: str, text: Text) -> None:
        super().__init__(text)
        self.why = why


def admit(tx: sa.Connection, here: House, provider: Provider, said: Mapping[str, Any], *, link: str = "") -> Person:
    """The person to open a session for.

    Args:
        said: claims that were checked.
        link: the person who links this account to theirs.

    Raises:
        NotAdmittedError
    """
    subject = str(said["sub"])
    owner = people.by_identity(tx, provider.issuer, subject)
    claimed = psc.read(said) if provider.claims == "pro-sante-connect" else None
    if claimed is not None:
        _only_once(tx, provider, claimed, link or (owner.id if owner else ""))
    if link:
        person = _link(tx, here, provider, subject, owner, link)
    elif owner is not None:
        person = owner
    else:
        person = _new(tx, here, provider, said, claimed)
    _professional(tx, here, provider, person, claimed)
    return people.get(tx, person.id)


def _link(
    tx: sa.Connection, here: House, provider: Provider, subject: str, owner: Person | None, person: str
) -> Person:
    if owner is not None and owner.id != person:
        raise NotAdmittedError(
            "linked elsewhere",
            Text(
                f"ce compte {provider.title} ouvre déjà un autre compte du laboratoire",
                f"this {provider.title} account signs in to another account of the lab already",
            ),
        )
    if owner is None:
        people.link_identity(tx, person, provider.issuer, subject, at=here.now())
        said = {"changed": "identity", "provider": provider.name}
        audit.append(tx, at=here.now(), actor=person, action="account", subject=person, about=said)
    return people.get(tx, person)


def _new(
    tx: sa.Connection, here: House, provider: Provider, said: Mapping[str, Any], claimed: ProfessionalClaims | None
) -> Person:
    if provider.admits != "professionals" or claimed is None:
        raise NotAdmittedError(
            "unknown account",
            Text(
                f"ce compte {provider.title} n'est pas connu ici\u202f: demander une invitation à un gestionnaire "
                "du laboratoire, l'accepter avec ce compte",
                f"this {provider.title} account is not known here: ask a manager of the lab for an invitation and "
                "accept it with this account",
            ),
        )
    at = here.now()
    made = people.add(tx, name=psc.name(said) or provider.title, at=at, given=[Role.PROFESSIONAL])
    people.link_identity(tx, made.id, provider.issuer, str(said["sub"]), at=at)
    about = {"provider": provider.name, "roles": [Role.PROFESSIONAL.value]}
    audit.append(tx, at=at, actor=made.id, action="account", subject=made.id, about=about)
    return made


def _only_once(tx: sa.Connection, provider: Provider, claimed: ProfessionalClaims, person: str) -> None:
    """One number of the register, one person here: a second account with it is a mistake or a theft."""
    here = sa.and_(
        professions.c.system == RPPS,
        professions.c.number == claimed.rpps,
        professions.c.asserted_by == provider.issuer,
        professions.c.person_id != person,
    )
    if tx.execute(sa.select(professions.c.person_id).where(here)).first() is not None:
        raise NotAdmittedError(
            "number taken",
            Text(
                "ce numéro RPPS est déjà celui d'un autre compte du laboratoire\u202f: voir un gestionnaire",
                "this RPPS number already belongs to another account of the lab: see a manager",
            ),
        )


def _professional(
    tx: sa.Connection, here: House, provider: Provider, person: Person, claimed: ProfessionalClaims | None
) -> None:
    """What the issuer says today replaces what it said before. The role that came with it goes when it goes."""
    at, before = here.now(), people.professions_of(tx, person.id, by=provider.issuer)
    if claimed is not None:
        people.assert_profession(
            tx,
            person.id,
            system=RPPS,
            number=claimed.rpps,
            profession=claimed.profession,
            by=provider.issuer,
            at=at,
        )
        if Role.PROFESSIONAL not in person.roles:
            people.give_role(tx, person.id, Role.PROFESSIONAL, at=at)
            _told(tx, here, provider, person, given=True)
    elif before:
        tx.execute(
            professions.delete().where(
                professions.c.person_id == person.id, professions.c.asserted_by == provider.issuer
            )
        )
        if not people.professions_of(tx, person.id) and _came_with_it(tx, person):
            people.take_role(tx, person.id, Role.PROFESSIONAL)
            _told(tx, here, provider, person, given=False)


def _came_with_it(tx: sa.Connection, person: Person) -> bool:
    """Whether the role was given by no manager."""
    mine = sa.and_(roles.c.person_id == person.id, roles.c.role == Role.PROFESSIONAL.value)
    row = tx.execute(sa.select(roles.c.given_by).where(mine)).first()
    return row is not None and row[0] is None


def _told(tx: sa.Connection, here: House, provider: Provider, person: Person, *, given: bool) -> None:
    said = {"role": Role.PROFESSIONAL.value, "given": given, "provider": provider.name}
    audit.append(tx, at=here.now(), actor="", action="role", subject=person.id, about=said)
