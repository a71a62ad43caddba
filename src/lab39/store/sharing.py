"""Sharing a record: with whom, what for, until when, on which word of the person it is about; and the end of it.

Every change stands in the audit log, in the transaction that makes it. An access ends when it is withdrawn, at its
date, or when the person it rests on takes their consent back: it is looked at in each request, never remembered.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import sqlalchemy as sa

from lab39.core.errors import InputError
from lab39.core.text import Text
from lab39.store import access, audit, belongings, consents, people
from lab39.store.access import Basis, Grant, Level
from lab39.store.people import Person, UnknownPersonError
from lab39.store.records import StoredRecord, records

CONSENT = "share"
"""What a person agrees to when somebody who keeps a record about them shares it."""
WORDING = "share-2026-11"
"""Version of the words they are shown (``web/knowledge/consents.toml``)."""
CHANNEL = "professional"
"""Where they said it: to whoever shares, who keeps that they did."""
PURPOSE_MAX = 600


@dataclass(frozen=True, slots=True)
class Shared:
    """An access that was given, or was there already in the same terms."""

    grant: Grant
    new: bool


def asks_consent(tx: sa.Connection, record: StoredRecord, *, by: str, with_: str = "") -> bool:
    """Whether what the person it is about said must be kept to share a record: not when they share it themself, nor
    when it is shared with them."""
    return belongings.subject_of(tx, record) not in (by, with_ or by)


def share(
    tx: sa.Connection,
    record: str,
    person: str,
    level: Level,
    *,
    purpose: str,
    by: str,
    at: dt.datetime,
    basis: Basis | None = None,
    until: dt.datetime | None = None,
) -> Shared:
    """Let somebody see a record, or change what they were given. The same terms again change nothing.

    Args:
        purpose: what for; never empty.
        basis: what the person it is about said, when it must be kept (:func:`asks_consent`).

    Raises:
        UnknownRecordError, AccessError: the one who shares may not.
        UnknownPersonError: nobody to share with.
        InputError: their own record, no purpose, no word of the person it is about, an end that is past.
    """
    stored = access.require(tx, record, by, Level.SHARE, at=at)
    known = _present(tx, person)
    if person in (by, stored.owner_id):
        raise InputError(Text("cette personne voit déjà ce dossier", "this person sees this record already"), "to")
    basis = _basis(tx, stored, known, by, basis)
    purpose = " ".join(purpose.replace("\0", " ").split())
    if not 0 < len(purpose) <= PURPOSE_MAX:
        raise InputError(Text("dire à quoi sert cet accès", "say what this access is for"), "purpose")
    tx.execute(
        sa.select(records.c.id).where(records.c.id == record).with_for_update()
    )  # two tabs, one after the other
    held = [each for each in access.of(tx, record) if each.person_id == person and each.holds(at)]
    for each in held:
        if (each.level, each.until, each.purpose, each.basis) == (level, until, purpose, basis):
            return Shared(each, new=False)
    if held:
        access.revoke(tx, record, person, by=by, at=at)
    made = access.grant(tx, record, person, level, by=by, at=at, until=until, purpose=purpose, basis=basis)
    subject = belongings.subject_of(tx, stored)
    about = {"person": person, "given": True, "level": level.value, "basis": basis.value}
    if basis is Basis.GIVEN and subject is not None:
        consents.give(tx, subject, CONSENT, wording=WORDING, channel=CHANNEL, at=at)
        said = {"purpose": CONSENT, "given": True, "wording": WORDING, "record": record}
        audit.append(tx, at=at, actor=by, action="consent", subject=subject, about=said)
    until_day = {"until": until.isoformat()} if until is not None else {}
    audit.append(tx, at=at, actor=by, action="share", subject=record, about=about | until_day)
    return Shared(made, new=True)


def withdraw(tx: sa.Connection, record: str, person: str, *, by: str, at: dt.datetime) -> int:
    """End what a person may do with a record, or give one's own access up; how many accesses ended. Done again, it
    changes nothing.

    Raises:
        UnknownRecordError, AccessError: the one who withdraws may not.
    """
    access.require(tx, record, by, Level.READ, at=at)
    ended = access.revoke(tx, record, person, by=by, at=at)
    if ended:
        about = {"person": person, "given": False, "ended": ended}
        audit.append(tx, at=at, actor=by, action="share", subject=record, about=about)
    return ended


def consent_taken_back(tx: sa.Connection, person: str, *, at: dt.datetime) -> int:
    """End every access that rests on the consent of a person; how many. To be called when they take it back."""
    resting = [
        each
        for record in belongings.about(tx, person)
        for each in access.of(tx, record.id)
        if each.basis is Basis.GIVEN and each.holds(at)
    ]
    for each in resting:
        access.end(tx, each, by=person, at=at)
    for each in resting:
        about = {"person": each.person_id, "given": False, "ended": 1, "consent": False}
        audit.append(tx, at=at, actor=person, action="share", subject=each.record_id, about=about)
    return len(resting)


def _basis(tx: sa.Connection, stored: StoredRecord, known: Person, by: str, basis: Basis | None) -> Basis:
    if not asks_consent(tx, stored, by=by, with_=known.id):
        return Basis.OWN
    if basis not in (Basis.TEAM, Basis.GIVEN):
        raise InputError(
            Text(
                "dire ce que la personne concernée a accepté\u202f: sans cela, le dossier n'est pas partagé",
                "say what the person concerned agreed to: without it the record is not shared",
            ),
            "basis",
        )
    if basis is Basis.TEAM and belongings.KEEPERS.isdisjoint(known.roles):
        raise InputError(
            Text(
                "l'équipe de soins est faite de professionnels\u202f: avec cette personne, il faut l'accord de la "
                "personne concernée",
                "a care team is made of professionals: with this person, the person concerned must agree",
            ),
            "basis",
        )
    return basis


def _present(tx: sa.Connection, person: str) -> Person:
    known = people.get(tx, person)
    if known.erased_at is not None:
        raise UnknownPersonError(Text("cette personne a été effacée", "this person was erased"), person)
    return known
