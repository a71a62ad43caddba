"""Jobs: work to be done later, once, whatever is killed meanwhile.

A job is a row, added in the transaction of the write that needs it. How a worker takes one and gives an account of
it stands in :mod:`lab39.store.leases`.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from lab39.core.background import MAX_ATTEMPTS, JobKind
from lab39.core.errors import InputError, LabError, UnknownNameError
from lab39.core.text import NO_TEXT, Text
from lab39.store import privacy
from lab39.store.engine import new_id
from lab39.store.schema import Instant, Json, metadata

jobs = sa.Table(
    "jobs",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("kind", sa.String(100), nullable=False),
    sa.Column("payload", Json),
    sa.Column("key", sa.String(200)),
    sa.Column("person_id", sa.ForeignKey("people.id"), index=True),
    sa.Column("state", sa.String(10), nullable=False),
    sa.Column("priority", sa.Integer, nullable=False),
    sa.Column("run_at", Instant, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("max_attempts", sa.Integer, nullable=False),
    sa.Column("worker", sa.String(80), nullable=False),
    sa.Column("leased_until", Instant),
    sa.Column("cancel_asked", sa.Boolean, nullable=False),
    sa.Column("progress_what", sa.String(200), nullable=False),
    sa.Column("progress_fraction", sa.Float),
    sa.Column("added_at", Instant, nullable=False),
    sa.Column("started_at", Instant),
    sa.Column("ended_at", Instant),
    sa.Column("result", Json),
    sa.Column("error", sa.String(300), nullable=False),
    sa.UniqueConstraint("kind", "key"),
    sa.Index("ix_jobs_state_priority_run_at", "state", "priority", "run_at"),
    sa.Index("ix_jobs_state_leased_until", "state", "leased_until"),
)

PAYLOAD_BYTES = 65_536


class State(StrEnum):
    """Where a job stands."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    DEAD = "dead"
    CANCELLED = "cancelled"


class UnknownJobError(UnknownNameError):
    """No job has this identifier."""


class JobStateError(LabError):
    """The job is not in a state in which this may be done."""


@dataclass(frozen=True, slots=True)
class Job:
    """One job.

    Attributes:
        payload: what its handler needs: ids and parameters, JSON; ``None`` once it was erased with a person.
        key: the same key of the same kind is the same job, however often it is added.
        person_id: whom it is about, if anybody: it is erased with them.
        priority: smaller goes first; 0 unless told.
        run_at: not before.
        attempts: times it was started.
        worker: who runs it; empty when nobody does.
        leased_until: when its worker is taken for dead, unless it is heard of before.
        cancel_asked: it runs, and is to stop.
        progress_fraction: done so far, 0 to 1; ``None`` when its handler does not tell.
        error: why its last attempt failed: kind and place of the error, never data.
    """

    id: str
    kind: str
    payload: Mapping[str, Any] | None
    key: str | None
    person_id: str | None
    state: State
    priority: int
    run_at: dt.datetime
    attempts: int
    max_attempts: int
    worker: str
    leased_until: dt.datetime | None
    cancel_asked: bool
    progress_what: str
    progress_fraction: float | None
    added_at: dt.datetime
    started_at: dt.datetime | None
    ended_at: dt.datetime | None
    result: Any
    error: str


def add(
    tx: sa.Connection,
    kind: str | JobKind,
    payload: Mapping[str, Any],
    key: str | None = None,
    run_at: dt.datetime | None = None,
    *,
    at: dt.datetime,
    priority: int = 0,
    person: str | None = None,
) -> Job:
    """Add a job; it exists when the caller's transaction does. Added again with its key, it is the first one.

    Args:
        payload: ids and parameters, JSON; no clinical content.
        run_at: not before; at once when not given.
        person: whom it is about.

    Raises:
        InputError: a payload that is not JSON or too large.
    """
    name, attempts = (kind.name, kind.max_attempts) if isinstance(kind, JobKind) else (kind, MAX_ATTEMPTS)
    check_json(payload, f"job {name}")
    check_fits(jobs, kind=name, key=key or "")
    values = {
        "id": new_id(),
        "kind": name,
        "payload": dict(payload),
        "key": key,
        "person_id": person,
        "state": State.QUEUED.value,
        "priority": priority,
        "run_at": run_at or at,
        "attempts": 0,
        "max_attempts": attempts,
        "worker": "",
        "cancel_asked": False,
        "progress_what": "",
        "added_at": at,
        "error": "",
    }
    dialect = postgresql if tx.dialect.name == "postgresql" else sqlite
    tx.execute(dialect.insert(jobs).values(**values).on_conflict_do_nothing(index_elements=["kind", "key"]))
    same = jobs.c.id == values["id"] if key is None else sa.and_(jobs.c.kind == name, jobs.c.key == key)
    return job(tx.execute(sa.select(jobs).where(same)).mappings().one())


def get(tx: sa.Connection, identifier: str) -> Job:
    """One job.

    Raises:
        UnknownJobError
    """
    return _one(tx, sa.select(jobs).where(jobs.c.id == identifier), identifier)


def locked(tx: sa.Connection, identifier: str) -> Job:
    """One job that nobody else changes until the transaction ends.

    Raises:
        UnknownJobError
    """
    return _one(tx, sa.select(jobs).where(jobs.c.id == identifier).with_for_update(), identifier)


def find(
    tx: sa.Connection, *, states: Collection[State] = (), kind: str | None = None, limit: int = 50, offset: int = 0
) -> tuple[Job, ...]:
    """Jobs, latest added first."""
    chosen = sa.select(jobs)
    if states:
        chosen = chosen.where(jobs.c.state.in_([state.value for state in states]))
    if kind is not None:
        chosen = chosen.where(jobs.c.kind == kind)
    chosen = chosen.order_by(jobs.c.added_at.desc(), jobs.c.id).limit(limit).offset(offset)
    return tuple(job(row) for row in tx.execute(chosen).mappings())


def counts(tx: sa.Connection) -> dict[State, int]:
    """How many jobs are in each state; every state is named."""
    found: dict[str, int] = dict(tx.execute(sa.select(jobs.c.state, sa.func.count()).group_by(jobs.c.state)).all())
    return {state: found.get(state.value, 0) for state in State}


def oldest_due(tx: sa.Connection, at: dt.datetime) -> dt.datetime | None:
    """Since when the job that waits longest could have been run; ``None`` when none waits."""
    due = sa.and_(jobs.c.state == State.QUEUED.value, jobs.c.run_at <= at)
    found: dt.datetime | None = tx.scalar(sa.select(jobs.c.run_at).where(due).order_by(jobs.c.run_at).limit(1))
    return found


def cancel(tx: sa.Connection, identifier: str, *, at: dt.datetime) -> Job:
    """Cancel a job: at once when it waits; when it runs, its worker is asked to stop at its next progress.

    Raises:
        UnknownJobError
        JobStateError: it has ended.
    """
    found = locked(tx, identifier)
    if found.state is State.QUEUED:
        return change(tx, identifier, state=State.CANCELLED, ended_at=at)
    if found.state is State.RUNNING:
        return change(tx, identifier, cancel_asked=True)
    raise _wrong(
        found, Text("elle est finie\u202f; il n'y a rien à annuler", "it has ended; there is nothing to cancel")
    )


def retry(tx: sa.Connection, identifier: str, *, at: dt.datetime) -> Job:
    """Queue a dead or cancelled job again, with all its attempts.

    Raises:
        UnknownJobError
        JobStateError: it is not dead or cancelled, or what it needs was erased.
    """
    found = locked(tx, identifier)
    if found.state not in (State.DEAD, State.CANCELLED):
        raise _wrong(
            found,
            Text(
                "seule une tâche abandonnée ou annulée peut être relancée",
                "only a dead or cancelled job is retried",
            ),
        )
    if found.payload is None:
        raise _wrong(
            found,
            Text("ses données ont été effacées avec une personne", "what it needs was erased with a person"),
        )
    fresh = {"attempts": 0, "run_at": at, "ended_at": None, "cancel_asked": False}
    return change(tx, identifier, state=State.QUEUED, **fresh)


def sweep(tx: sa.Connection, *, before: dt.datetime) -> int:
    """Delete the jobs that were done or cancelled before a moment; how many. Dead ones stay until seen to."""
    ended = [State.DONE.value, State.CANCELLED.value]
    return tx.execute(jobs.delete().where(jobs.c.state.in_(ended), jobs.c.ended_at < before)).rowcount


def change(tx: sa.Connection, identifier: str, **values: Any) -> Job:
    """Set columns of a job that the caller has locked."""
    row = tx.execute(jobs.update().where(jobs.c.id == identifier).values(**values).returning(jobs)).mappings().one()
    return job(row)


def job(row: sa.RowMapping) -> Job:
    """The job a row holds."""
    return Job(**{**row, "state": State(row["state"])})


def check_json(payload: Any, place: str) -> None:
    """Refuse what could not be kept as it is.

    Raises:
        InputError
    """
    try:
        size = len(json.dumps(payload, allow_nan=False).encode())
    except (TypeError, ValueError):  # its text would show the value
        raise InputError(Text("ce n'est pas du JSON", "not JSON"), place) from None
    if size > PAYLOAD_BYTES:
        raise InputError(
            Text(
                f"plus de {PAYLOAD_BYTES} octets\u202f: garder le contenu ailleurs et donner son identifiant",
                f"over {PAYLOAD_BYTES} bytes: keep the content elsewhere and give its identifier",
            ),
            place,
        )


def check_fits(table: sa.Table, **values: str) -> None:
    """Refuse what is longer than its column: one back end would cut it off, the other keep it.

    Raises:
        InputError
    """
    for name, value in values.items():
        length = getattr(table.c[name].type, "length", None)
        if length is not None and len(value) > length:
            raise InputError(
                Text(f"plus de {length} caractères", f"over {length} characters"), f"{table.name}.{name}"
            )


def _one(tx: sa.Connection, chosen: sa.Select[Any], identifier: str) -> Job:
    row = tx.execute(chosen).mappings().one_or_none()
    if row is None:
        raise UnknownJobError(
            Text("aucune tâche n'a cet identifiant\u202f: lab39 jobs list", "no such job: lab39 jobs list"),
            identifier,
        )
    return job(row)


def _wrong(found: Job, why: Text) -> JobStateError:
    return JobStateError(Text(f"{why.fr} ({found.state})", f"{why.en} ({found.state})"), found.id)


def _erase(tx: sa.Connection, person: str, at: dt.datetime) -> Iterator[privacy.Outcome]:
    """Jobs about the person lose what they were to work with; those that wait are cancelled."""
    theirs = jobs.c.person_id == person
    waiting = sa.and_(theirs, jobs.c.state.in_([State.QUEUED.value, State.DEAD.value]))
    tx.execute(jobs.update().where(waiting).values(state=State.CANCELLED.value, ended_at=at))
    tx.execute(jobs.update().where(theirs, jobs.c.state == State.RUNNING.value).values(cancel_asked=True))
    full = sa.and_(theirs, jobs.c.payload.is_not(None))
    empty = {"payload": sa.null(), "result": sa.null(), "progress_what": "", "error": ""}
    erased = tx.execute(jobs.update().where(full).values(**empty)).rowcount
    kept = tx.scalar(sa.select(sa.func.count()).where(theirs)) or 0
    why = Text("leur trace reste, vide", "their trace stays, empty") if kept else NO_TEXT
    yield privacy.Outcome(PART.title, erased=erased, kept=kept, why=why)


PART = privacy.Part(
    name="jobs",
    title=Text("tâches de fond", "background jobs"),
    tables=(jobs,),
    export=lambda tx, person: privacy.rows(tx, jobs, jobs.c.person_id == person),
    erase=_erase,
)
privacy.register(PART)
