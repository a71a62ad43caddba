"""Consents: what a person agreed to, on which wording, when, and when they took it back. Rows are only added."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from lab39.core.text import Text
from lab39.store import privacy
from lab39.store.schema import Instant, Serial, metadata

consents = sa.Table(
    "consents",
    metadata,
    sa.Column("number", Serial, primary_key=True),
    sa.Column("person_id", sa.ForeignKey("people.id"), nullable=False),
    sa.Column("purpose", sa.String(60), nullable=False),
    sa.Column("given", sa.Boolean, nullable=False),
    sa.Column("wording", sa.String(60), nullable=False),
    sa.Column("channel", sa.String(30), nullable=False),
    sa.Column("at", Instant, nullable=False),
    sa.Index("ix_consents_person_id_purpose", "person_id", "purpose"),
)


@dataclass(frozen=True, slots=True)
class Consent:
    """One moment at which a person gave, or took back, their consent.

    Attributes:
        purpose: what for (``mail``, ``research``…).
        given: False when it was taken back.
        wording: version of the text they were shown.
        channel: where they said it (``web``, ``mail``, ``paper``…).
    """

    number: int
    person_id: str
    purpose: str
    given: bool
    wording: str
    channel: str
    at: dt.datetime


def give(tx: sa.Connection, person: str, purpose: str, *, wording: str, channel: str, at: dt.datetime) -> Consent:
    """Keep that a person agrees, and to which text."""
    return _add(tx, person, purpose, given=True, wording=wording, channel=channel, at=at)


def withdraw(tx: sa.Connection, person: str, purpose: str, *, channel: str, at: dt.datetime) -> Consent:
    """Keep that a person no longer agrees; the text is that of the consent they take back, if there was one."""
    last = _last(tx, person, purpose, at)
    wording = last.wording if last is not None else ""
    return _add(tx, person, purpose, given=False, wording=wording, channel=channel, at=at)


def has_consent(tx: sa.Connection, person: str, purpose: str, at: dt.datetime) -> bool:
    """Whether a person agreed and had not taken it back at a moment; silence is not consent."""
    last = _last(tx, person, purpose, at)
    return last is not None and last.given


def history(tx: sa.Connection, person: str, purpose: str | None = None) -> tuple[Consent, ...]:
    """Everything a person said, in order."""
    chosen = sa.select(consents).where(consents.c.person_id == person)
    if purpose is not None:
        chosen = chosen.where(consents.c.purpose == purpose)
    return tuple(Consent(**row) for row in tx.execute(chosen.order_by(consents.c.number)).mappings())


def _add(tx: sa.Connection, person: str, purpose: str, **said: Any) -> Consent:
    values = {"person_id": person, "purpose": purpose, **said}
    number = tx.execute(consents.insert().values(**values).returning(consents.c.number)).scalar_one()
    return Consent(number=number, **values)


def _last(tx: sa.Connection, person: str, purpose: str, at: dt.datetime) -> Consent | None:
    chosen = (
        sa.select(consents)
        .where(consents.c.person_id == person, consents.c.purpose == purpose, consents.c.at <= at)
        .order_by(consents.c.at.desc(), consents.c.number.desc())
        .limit(1)
    )
    row = tx.execute(chosen).mappings().one_or_none()
    return Consent(**row) if row is not None else None


def _erase(tx: sa.Connection, person: str, at: dt.datetime) -> Iterator[privacy.Outcome]:
    """What is in force is taken back; the history stays under an identifier that leads to nobody."""
    purposes = tx.scalars(sa.select(consents.c.purpose).where(consents.c.person_id == person).distinct()).all()
    taken_back = 0
    for purpose in sorted(purposes):
        if has_consent(tx, person, purpose, at):
            withdraw(tx, person, purpose, channel="erasure", at=at)
            taken_back += 1
    kept = tx.scalar(sa.select(sa.func.count()).where(consents.c.person_id == person)) or 0
    yield privacy.Outcome(
        PART.title,
        erased=0,
        kept=kept,
        why=Text(
            f"{taken_back} retiré(s)\u202f; l'historique reste comme preuve (RGPD, art. 7.1), sans nom ni adresse",
            f"{taken_back} taken back; the history stays as proof (GDPR, art. 7(1)), without name or address",
        ),
    )


PART = privacy.Part(
    name="consents",
    title=Text("consentements", "consents"),
    tables=(consents,),
    export=lambda tx, person: privacy.rows(tx, consents, consents.c.person_id == person),
    erase=_erase,
)
privacy.register(PART)
