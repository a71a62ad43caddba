"""Messages to people: queued in the transaction that has something to say, sent by a job, never without consent.

The consent is looked at when the message leaves, not when it is written. A message that is sent again after a crash
carries the same key.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, partial
from importlib.resources import files
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from lab39.core.background import JobKind
from lab39.core.context import Transaction
from lab39.core.errors import UnknownNameError
from lab39.core.messages import Template
from lab39.core.text import NO_TEXT, Text
from lab39.store import consents, jobs, notify, people, privacy
from lab39.store.engine import new_id
from lab39.store.schema import Instant, Json, metadata

if TYPE_CHECKING:
    from lab39.settings import Settings
    from lab39.store.work import Work

outbox = sa.Table(
    "outbox",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("person_id", sa.ForeignKey("people.id"), nullable=False, index=True),
    sa.Column("channel", sa.String(20), nullable=False),
    sa.Column("template", sa.String(100), nullable=False),
    sa.Column("parameters", Json),
    sa.Column("purpose", sa.String(60), nullable=False),
    sa.Column("key", sa.String(200), nullable=False, unique=True),
    sa.Column("state", sa.String(12), nullable=False),
    sa.Column("why", sa.String(60), nullable=False),
    sa.Column("queued_at", Instant, nullable=False),
    sa.Column("ended_at", Instant),
    sa.Column("unsubscribed_at", Instant),
)

KIND = "lab.send-message"


class State(StrEnum):
    """Where a message stands."""

    QUEUED = "queued"
    SENT = "sent"
    FAILED = "failed"
    SUPPRESSED = "suppressed"


class Why(StrEnum):
    """Why a message was not sent."""

    NONE = ""
    NO_CONSENT = "no-consent"
    NO_ADDRESS = "no-address"
    ERASED = "erased"
    REFUSED = "refused"


class UnknownMessageError(UnknownNameError):
    """No message, or no template, has this name."""


@dataclass(frozen=True, slots=True)
class Message:
    """A message to one person.

    Attributes:
        id: carried to the receiver, the same at every sending.
        purpose: the consent it needs.
        parameters: what fills in the template; ``None`` once erased with the person.
        key: the same key is the same message, however often it is added.
        why: the reason it was suppressed, or failed.
        ended_at: when it was sent, suppressed or given up.
        unsubscribed_at: when its link was used.
    """

    id: str
    person_id: str
    channel: str
    template: str
    parameters: Mapping[str, str] | None
    purpose: str
    key: str
    state: State
    why: Why
    queued_at: dt.datetime
    ended_at: dt.datetime | None
    unsubscribed_at: dt.datetime | None


def add(
    tx: sa.Connection,
    person: str,
    template: str,
    parameters: Mapping[str, str],
    *,
    purpose: str,
    at: dt.datetime,
    channel: str = notify.MAIL,
    key: str | None = None,
    run_at: dt.datetime | None = None,
) -> Message:
    """Queue a message; it exists when the caller's transaction does. Added again with its key, it is the first one.

    Args:
        person: the recipient.
        template: ``<solution>.<name>``, or ``lab.notice``.
        parameters: what fills it in; no health data.
        purpose: the consent it needs.
        run_at: not before.

    Raises:
        UnknownMessageError: no such template.
        InputError: parameters that do not fill it in, or a name that is too long.
    """
    template_of(template).check(parameters)
    jobs.check_fits(outbox, channel=channel, template=template, purpose=purpose, key=key or "")
    identifier = new_id()
    values = {
        "id": identifier,
        "person_id": person,
        "channel": channel,
        "template": template,
        "parameters": dict(parameters),
        "purpose": purpose,
        "key": key or identifier,
        "state": State.QUEUED.value,
        "why": "",
        "queued_at": at,
    }
    dialect = postgresql if tx.dialect.name == "postgresql" else sqlite
    tx.execute(dialect.insert(outbox).values(**values).on_conflict_do_nothing(index_elements=["key"]))
    made = _message(tx.execute(sa.select(outbox).where(outbox.c.key == values["key"])).mappings().one())
    if made.id == identifier:
        jobs.add(tx, KIND, {"message": made.id}, made.id, run_at, at=at, person=person)
    return made


def get(tx: sa.Connection, identifier: str) -> Message:
    """One message.

    Raises:
        UnknownMessageError
    """
    row = tx.execute(sa.select(outbox).where(outbox.c.id == identifier)).mappings().one_or_none()
    if row is None:
        raise UnknownMessageError(Text("aucun message n'a cet identifiant", "no such message"), identifier)
    return _message(row)


def find(
    tx: sa.Connection, *, person: str | None = None, states: Collection[State] = (), limit: int = 50
) -> tuple[Message, ...]:
    """Messages, latest first."""
    chosen = sa.select(outbox)
    if person is not None:
        chosen = chosen.where(outbox.c.person_id == person)
    if states:
        chosen = chosen.where(outbox.c.state.in_([state.value for state in states]))
    chosen = chosen.order_by(outbox.c.queued_at.desc(), outbox.c.id).limit(limit)
    return tuple(_message(row) for row in tx.execute(chosen).mappings())


def counts(tx: sa.Connection) -> dict[State, int]:
    """How many messages are in each state; every state is named."""
    found: dict[str, int] = dict(
        tx.execute(sa.select(outbox.c.state, sa.func.count()).group_by(outbox.c.state)).all()
    )
    return {state: found.get(state.value, 0) for state in State}


def template_of(name: str) -> Template:
    """A template by its id, the lab's own or a solution's.

    Raises:
        UnknownMessageError: with those there are.
    """
    from lab39.core.lab import entry_points

    owner = name.partition(".")[0]
    if owner == "lab":
        known = _own()
    elif owner in entry_points():
        known = {each.id: each for each in entry_points()[owner].load()().messages()}
    else:
        known = {}
    if name not in known:
        names = ", ".join(sorted(known)) or "–"
        raise UnknownMessageError(
            Text(f"aucun message de ce nom. Il y a\u202f: {names}", f"no message of this name. There are: {names}"),
            name,
        )
    return known[name]


def kind(transport: notify.Transport | None = None) -> JobKind:
    """The job that sends a message, by the transport of the settings unless one is given."""
    return JobKind(name=KIND, handler=partial(send, transport=transport), on_dead=_given_up)


def send(work: Work, transport: notify.Transport | None = None) -> None:
    """Send one message, or say why it is not to be sent.

    Raises:
        DeliveryError: it did not leave.
    """
    with work.store.reading() as tx:
        message = get(tx, str(work.payload["message"]))
        person = people.get(tx, message.person_id)
        agreed = consents.has_consent(tx, person.id, message.purpose, work.store.clock())
    if message.state in (State.SENT, State.SUPPRESSED):
        return
    why = Why.NONE
    if person.erased_at is not None or message.parameters is None:
        why = Why.ERASED
    elif not agreed:
        why = Why.NO_CONSENT
    elif message.channel == notify.MAIL and person.email is None:
        why = Why.NO_ADDRESS
    else:
        (transport or notify.of(work.settings)).send(_outgoing(message, person, work.settings))
    with work.finishing() as tx:
        _end(tx.connection, message.id, State.SUPPRESSED if why else State.SENT, why, tx.at)
        if not why:
            about = {"message": message.id, "template": message.template, "channel": message.channel}
            tx.audit("message", about, subject=person.id)


def _outgoing(message: Message, person: people.Person, settings: Settings) -> notify.Outgoing:
    from lab39.store import unsubscribe

    if not settings.public_url:
        raise notify.DeliveryError(
            Text(
                "LAB39_URL n'est pas réglé\u202f: un message porte un lien pour ne plus en recevoir",
                "LAB39_URL is not set: a message carries a link to receive no more",
            )
        )
    template = template_of(message.template)
    link = settings.public_url + unsubscribe.PATH + unsubscribe.token(unsubscribe.key(settings.keys), message.id)
    given = {**(message.parameters or {}), "name": person.display_name, "lab": settings.public_url}
    foot = Text("Ne plus recevoir ces messages\u202f:", "Receive no more of these messages:")
    return notify.Outgoing(
        channel=message.channel,
        to=person.email or "",
        subject=template.subject[person.lang],
        body=f"{template.fill(person.lang, given).strip()}\n\n-- \n{foot[person.lang]} {link}\n",
        key=message.id,
        unsubscribe=link,
    )


def _given_up(tx: Transaction, job: jobs.Job) -> None:
    if job.payload is not None:
        _end(tx.connection, str(job.payload["message"]), State.FAILED, Why.REFUSED, job.ended_at)


def _end(tx: sa.Connection, identifier: str, state: State, why: Why, at: dt.datetime | None) -> None:
    open_ = outbox.c.state.in_([State.QUEUED.value, State.FAILED.value])
    here = sa.and_(outbox.c.id == identifier, open_)
    tx.execute(outbox.update().where(here).values(state=state.value, why=why.value, ended_at=at))


@cache
def _own() -> dict[str, Template]:
    text = files("lab39.store").joinpath("knowledge/messages.toml").read_text("utf-8")
    return {each.id: each for each in Template.read_all(text, "lab")}


def _message(row: sa.RowMapping) -> Message:
    return Message(**{**row, "state": State(row["state"]), "why": Why(row["why"])})


def _erase(tx: sa.Connection, person: str, at: dt.datetime) -> Iterator[privacy.Outcome]:
    theirs = outbox.c.person_id == person
    waiting = sa.and_(theirs, outbox.c.state.in_([State.QUEUED.value, State.FAILED.value]))
    ended = {"state": State.SUPPRESSED.value, "why": Why.ERASED.value, "ended_at": at}
    tx.execute(outbox.update().where(waiting).values(**ended))
    full = sa.and_(theirs, outbox.c.parameters.is_not(None))
    erased = tx.execute(outbox.update().where(full).values(parameters=sa.null())).rowcount
    kept = tx.scalar(sa.select(sa.func.count()).where(theirs)) or 0
    why = Text("qu'un message fut envoyé reste, vide", "that a message was sent stays, empty")
    yield privacy.Outcome(PART.title, erased=erased, kept=kept, why=why if kept else NO_TEXT)


PART = privacy.Part(
    name="messages",
    title=Text("messages envoyés", "messages sent"),
    tables=(outbox,),
    export=lambda tx, person: privacy.rows(tx, outbox, outbox.c.person_id == person),
    erase=_erase,
)
privacy.register(PART)
