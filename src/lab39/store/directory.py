"""Finding somebody of the lab to share with or to ask.

Professionals and experts are found by a part of their name. Anybody else is found by whoever knows their whole
address or professional number already: that a patient has an account here is nobody's business.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import sqlalchemy as sa

from lab39.store import people
from lab39.store.belongings import KEEPERS
from lab39.store.people import Person, Profession, Role

WORDS_MIN = 2
WORDS_MAX = 254


@dataclass(frozen=True, slots=True)
class Entry:
    """Somebody, as whoever looks for them is told: never with their address.

    Attributes:
        professions: who they are to a register of professionals, and who vouches for it; newest first.
    """

    id: str
    name: str
    roles: frozenset[Role]
    professions: tuple[Profession, ...]


def search(
    tx: sa.Connection, words: str, *, among: Collection[Role], but: Collection[str] = (), limit: int = 10
) -> tuple[Entry, ...]:
    """Who answers to a name, an address or a professional number, by name.

    Args:
        among: only people with one of these roles.
        but: ids of people who are not looked for.
    """
    words = " ".join(words.replace("\0", " ").split())[:WORDS_MAX]
    if len(words) < WORDS_MIN:
        return ()
    table = people.people
    exact = [table.c.email == words.lower()]
    if words.isascii() and words.isdigit():
        numbered = sa.select(people.professions.c.person_id).where(people.professions.c.number == words)
        exact.append(table.c.id.in_(numbered))
    named = sa.and_(
        _with(KEEPERS),
        *(sa.func.lower(table.c.display_name).contains(part.lower(), autoescape=True) for part in words.split()),
    )
    chosen = (
        sa.select(table.c.id)
        .where(table.c.erased_at.is_(None), _with(among), table.c.id.not_in(but), sa.or_(*exact, named))
        .order_by(sa.func.lower(table.c.display_name), table.c.id)
        .limit(limit)
    )
    return tuple(entry(tx, people.get(tx, found)) for found in tx.scalars(chosen).all())


def entry(tx: sa.Connection, person: Person) -> Entry:
    """Somebody as they are told to others."""
    return Entry(person.id, person.display_name, person.roles, people.professions_of(tx, person.id))


def _with(roles: Collection[Role]) -> sa.ColumnElement[bool]:
    held = sa.select(people.roles.c.person_id).where(people.roles.c.role.in_([role.value for role in roles]))
    return people.people.c.id.in_(held)
