"""What CDS Hooks leaves behind: which cards were given, and what clinicians did with them.

A card is kept as the kind of finding it showed, never with what it said; nothing here names a patient. Comments are
free text: they stay in the database and are shown to managers only.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from lab39.core.text import Text
from lab39.store import privacy
from lab39.store.schema import Instant, Serial, metadata

cards = sa.Table(
    "cds_cards",
    metadata,
    sa.Column("uuid", sa.String(36), primary_key=True),
    sa.Column("service", sa.String(60), nullable=False),
    sa.Column("solution", sa.String(60), nullable=False),
    sa.Column("code", sa.String(120), nullable=False),
    sa.Column("severity", sa.String(10), nullable=False),
    sa.Column("at", Instant, nullable=False, index=True),
)

feedback = sa.Table(
    "cds_feedback",
    metadata,
    sa.Column("number", Serial, primary_key=True),
    sa.Column("card", sa.String(36), nullable=False),
    sa.Column("service", sa.String(60), nullable=False),
    sa.Column("solution", sa.String(60), nullable=False),
    sa.Column("code", sa.String(120), nullable=False),
    sa.Column("outcome", sa.String(10), nullable=False),
    sa.Column("suggestions", sa.Integer, nullable=False),
    sa.Column("reason_system", sa.Text, nullable=False),
    sa.Column("reason_code", sa.Text, nullable=False),
    sa.Column("comment", sa.Text, nullable=False),
    sa.Column("outcome_at", Instant, nullable=False),
    sa.Column("received_at", Instant, nullable=False),
    sa.Column("client", sa.Text, nullable=False),
    sa.UniqueConstraint("card", "outcome", "outcome_at"),
)

nonces = sa.Table(
    "cds_nonces",
    metadata,
    sa.Column("digest", sa.String(64), primary_key=True),
    sa.Column("expires_at", Instant, nullable=False, index=True),
)

KEPT = dt.timedelta(days=180)
"""How long the kind of a card is remembered; feedback keeps a copy."""
COMMENT_MAX = 2000


@dataclass(frozen=True, slots=True)
class Card:
    """One card that was given: the kind of finding it showed."""

    uuid: str
    service: str
    solution: str
    code: str
    severity: str


@dataclass(frozen=True, slots=True)
class Feedback:
    """What somebody did with a card.

    Attributes:
        outcome: ``accepted`` or ``overridden``.
        suggestions: how many suggestions of the card were accepted.
        reason_system, reason_code: why it was overridden; empty when not said.
        outcome_at: when they did it, by the caller's clock.
    """

    card: str
    outcome: str
    outcome_at: dt.datetime
    suggestions: int = 0
    reason_system: str = ""
    reason_code: str = ""
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Count:
    """How one kind of finding was received.

    Attributes:
        given: cards of it remembered now (those of the last six months).
        reasons: how often each reason for overriding was given.
    """

    solution: str
    code: str
    given: int
    accepted: int
    overridden: int
    reasons: Mapping[str, int] = field(default_factory=dict)


def give(tx: sa.Connection, given: Iterable[Card], *, at: dt.datetime) -> None:
    """Remember the cards of one answer. An answer that is given again has the same cards."""
    rows = [{name: getattr(card, name) for name in card.__dataclass_fields__} | {"at": at} for card in given]
    if rows:
        new = postgresql.insert if tx.dialect.name == "postgresql" else sqlite.insert
        tx.execute(new(cards).on_conflict_do_nothing(), rows)


def receive(tx: sa.Connection, service: str, received: Iterable[Feedback], *, client: str, at: dt.datetime) -> int:
    """Keep feedback; what was sent before is kept once. How many are new."""
    added = 0
    for each in received:
        same = (
            feedback.c.card == each.card,
            feedback.c.outcome == each.outcome,
            feedback.c.outcome_at == each.outcome_at,
        )
        if tx.scalar(sa.select(sa.func.count()).select_from(feedback).where(*same)):
            continue
        card = tx.execute(sa.select(cards).where(cards.c.uuid == each.card)).mappings().one_or_none()
        values = {name: getattr(each, name) for name in each.__dataclass_fields__}
        values["comment"] = each.comment.replace("\0", " ")[:COMMENT_MAX]
        kind = {"solution": card["solution"], "code": card["code"]} if card else {"solution": "", "code": ""}
        tx.execute(feedback.insert().values(**values, **kind, service=service, client=client, received_at=at))
        added += 1
    return added


def counts(tx: sa.Connection) -> tuple[Count, ...]:
    """How each kind of finding was received; feedback on a card that is not remembered has no kind."""
    found: dict[tuple[str, str], dict[str, Any]] = {}

    def row(solution: str, code: str) -> dict[str, Any]:
        return found.setdefault((solution, code), {"given": 0, "accepted": 0, "overridden": 0, "reasons": {}})

    number = sa.func.count()
    kinds = (cards.c.solution, cards.c.code)
    for solution, code, n in tx.execute(sa.select(*kinds, number).group_by(*kinds)):
        row(solution, code)["given"] = n
    kinds = (feedback.c.solution, feedback.c.code)
    chosen = sa.select(*kinds, feedback.c.outcome, number).group_by(*kinds, feedback.c.outcome)
    for solution, code, outcome, n in tx.execute(chosen):
        row(solution, code)[outcome] = n
    why = (feedback.c.reason_system, feedback.c.reason_code)
    chosen = sa.select(*kinds, *why, number).where(feedback.c.reason_code != "").group_by(*kinds, *why)
    for solution, code, system, reason, n in tx.execute(chosen):
        row(solution, code)["reasons"][f"{system}|{reason}" if system else reason] = n
    return tuple(Count(solution, code, **values) for (solution, code), values in sorted(found.items()))


def comments(tx: sa.Connection, *, limit: int = 100) -> tuple[tuple[str, str, dt.datetime, str], ...]:
    """What clinicians wrote, newest first: solution, code, when, words."""
    shown = (feedback.c.solution, feedback.c.code, feedback.c.outcome_at, feedback.c.comment)
    chosen = sa.select(*shown).where(feedback.c.comment != "").order_by(feedback.c.number.desc()).limit(limit)
    return tuple((solution, code, at, words) for solution, code, at, words in tx.execute(chosen))


def first_use(tx: sa.Connection, issuer: str, nonce: str, *, expires_at: dt.datetime) -> bool:
    """Whether a signed request comes for the first time; it is kept until it would be refused for its age."""
    digest = _digest(issuer, nonce)
    if tx.scalar(sa.select(sa.func.count()).select_from(nonces).where(nonces.c.digest == digest)):
        return False
    tx.execute(nonces.insert().values(digest=digest, expires_at=expires_at))
    return True


def sweep(tx: sa.Connection, *, at: dt.datetime) -> int:
    """Forget cards older than six months and nonces that no longer matter; how many."""
    old = tx.execute(cards.delete().where(cards.c.at <= at - KEPT)).rowcount
    return old + tx.execute(nonces.delete().where(nonces.c.expires_at <= at)).rowcount


def _digest(issuer: str, nonce: str) -> str:
    return hashlib.sha256(f"{issuer}\0{nonce}".encode("utf-8", "surrogatepass")).hexdigest()


PART = privacy.Part(
    name="cds",
    title=Text("cartes rendues aux logiciels, et leurs retours", "cards given to systems, and their feedback"),
    tables=(cards, feedback, nonces),
    export=lambda _tx, _person: (),
    erase=lambda _tx, _person, _at: (),
)
"""Holds no identifier of anybody."""
privacy.register(PART)
