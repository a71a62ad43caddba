"""Who is around a record: those who may open it now, and whoever else of the lab may be looked for."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from functools import cache

import sqlalchemy as sa

from lab39.core.errors import InputError
from lab39.core.text import Text
from lab39.store import access, directory, people
from lab39.store.directory import Entry
from lab39.store.people import Role
from lab39.web.house import House
from lab39.web.roles import permissions
from lab39.web.signin import limits

MOST = 10
GONE = Text("compte effacé", "erased account")
LAB = Text("le laboratoire", "the lab")


@cache
def openers() -> frozenset[Role]:
    """Roles that open records: without one, an access to a record opens nothing."""
    return frozenset(role for role in Role if role.value in permissions()["records.own"])


def opens_nothing() -> InputError:
    """The error for somebody to whom an access would open nothing."""
    return InputError(
        Text(
            "le rôle de cette personne n'ouvre pas les dossiers\u202f: un gestionnaire peut le changer",
            "this person's role opens no record; a manager can change it",
        ),
        "to",
    )


def name(tx: sa.Connection, person: str) -> Text:
    """How somebody is called; the lab itself is nobody, and an erased account has no name left."""
    if not person:
        return LAB
    return Text.same(people.get(tx, person).display_name) or GONE


def names(tx: sa.Connection, ids: Collection[str]) -> dict[str, Text]:
    """How each is called."""
    return {person: name(tx, person) for person in set(ids)}


def others(tx: sa.Connection, record: str, but: str, *, at: dt.datetime) -> tuple[Entry, ...]:
    """Those who can open a record now, except one; by name."""
    found = [people.get(tx, each) for each in access.viewers(tx, record, at=at) if each != but]
    there = [each for each in found if each.erased_at is None and not openers().isdisjoint(each.roles)]
    return tuple(directory.entry(tx, each) for each in sorted(there, key=lambda each: each.display_name.lower()))


def look_for(here: House, person: str, words: str, record: str) -> tuple[Entry, ...]:
    """Who answers to these words and does not see the record yet.

    Raises:
        TooManyError: this person looked in vain too often: an address is not to be guessed.
    """
    if len(words.strip()) < directory.WORDS_MIN:
        return ()
    limits.may_look(here, person)
    with here.store.reading() as tx:
        there = access.viewers(tx, record, at=here.now())
        found = directory.search(tx, words, among=openers(), but=there, limit=MOST)
    if not found:
        limits.looked_in_vain(here, person)
    return found
