"""How a worker takes a job and gives an account of it.

A worker holds a job by a lease that it renews. When the lease ends, the worker is taken for dead and the job goes
to another. Every account is fenced: it counts only if the job is still in the same attempt of the same worker, so a
worker that was slow, not dead, changes nothing any more.
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from lab39.core.background import JobKind, load
from lab39.core.errors import LabError
from lab39.core.text import Text
from lab39.store import jobs as queue
from lab39.store.context import OpenTransaction
from lab39.store.jobs import Job, State, jobs

BASE = dt.timedelta(seconds=5)
LONGEST = dt.timedelta(hours=1)
WORKER_LOST = "its worker stopped without a word"


class LostLeaseError(LabError):
    """The job is no longer this worker's: nothing was written."""


@dataclass(frozen=True, slots=True)
class Lease:
    """One attempt of one worker at a job."""

    job: str
    worker: str
    attempt: int

    @classmethod
    def of(cls, taken: Job) -> Lease:
        """That of a job just claimed."""
        return cls(taken.id, taken.worker, taken.attempts)


def is_due(tx: sa.Connection, kinds: Mapping[str, JobKind], *, at: dt.datetime) -> bool:
    """Whether :func:`claim` may find something; changes nothing."""
    return any(tx.execute(chosen.limit(1)).first() is not None for chosen in _due(kinds, at))


def claim(
    tx: sa.Connection, worker: str, kinds: Mapping[str, JobKind], *, at: dt.datetime, lease: dt.timedelta
) -> Job | None:
    """Take the next job that is due; ``None`` when there is none.

    A job whose worker was lost is due when its lease has ended; lost at its last attempt, it is dead.

    Args:
        kinds: those this worker can run; others wait for one that can.
    """
    for found in _taken(tx, kinds, at):
        if found.cancel_asked:
            _ended(tx, found, State.CANCELLED, at)
        elif found.attempts >= found.max_attempts:
            _bury(tx, found, kinds, at, WORKER_LOST)
        else:
            return queue.change(
                tx,
                found.id,
                state=State.RUNNING,
                attempts=found.attempts + 1,
                worker=worker,
                leased_until=at + lease,
                started_at=at,
                progress_what="",
                progress_fraction=None,
            )
    return None


def hold(tx: sa.Connection, lease: Lease) -> Job:
    """The job, if it is still this worker's; nobody takes it until the transaction ends.

    Raises:
        LostLeaseError
    """
    row = tx.execute(sa.select(jobs).where(jobs.c.id == lease.job).with_for_update()).mappings().one_or_none()
    found = queue.job(row) if row is not None else None
    if found is None or found.state is not State.RUNNING or Lease.of(found) != lease:
        raise LostLeaseError(
            Text(
                "la tâche n'est plus à ce processus\u202f; rien n'a été enregistré",
                "the job is no longer this worker's; nothing was saved",
            ),
            lease.job,
        )
    return found


def renew(
    tx: sa.Connection, lease: Lease, *, until: dt.datetime, what: str | None = None, fraction: float | None = None
) -> bool:
    """Say that the job is being worked on, and how far; whether it was asked to stop.

    Raises:
        LostLeaseError
    """
    found = hold(tx, lease)
    said: dict[str, Any] = {} if what is None else {"progress_what": what[:200], "progress_fraction": fraction}
    queue.change(tx, found.id, leased_until=until, **said)
    return found.cancel_asked


def complete(tx: sa.Connection, lease: Lease, *, at: dt.datetime, result: Any = None) -> Job:
    """The job is done, in the transaction of what its handler wrote.

    Raises:
        LostLeaseError, InputError: the result is not JSON.
    """
    queue.check_json(result, lease.job)
    found = hold(tx, lease)
    kept = sa.null() if result is None or found.payload is None else result  # erased meanwhile: nothing is kept
    return _ended(tx, found, State.DONE, at, result=kept, error="", progress_fraction=1.0)


def fail(
    tx: sa.Connection,
    lease: Lease,
    *,
    at: dt.datetime,
    error: str,
    again: dt.timedelta,
    kinds: Mapping[str, JobKind],
) -> Job:
    """The attempt failed: the job is queued again after a while, or dead when it was the last.

    Raises:
        LostLeaseError
    """
    found = hold(tx, lease)
    if found.cancel_asked:
        return _ended(tx, found, State.CANCELLED, at, error=error[:300])
    if found.attempts >= found.max_attempts:
        return _bury(tx, found, kinds, at, error)
    return _queued(tx, found, run_at=at + again, error=error[:300])


def give_back(tx: sa.Connection, lease: Lease, *, at: dt.datetime) -> Job:
    """The worker stops: the job is due at once for another, and the attempt does not count.

    Raises:
        LostLeaseError
    """
    found = hold(tx, lease)
    if found.cancel_asked:
        return _ended(tx, found, State.CANCELLED, at)
    return _queued(tx, found, run_at=at, attempts=found.attempts - 1)


def delay(attempt: int, chance: random.Random) -> dt.timedelta:
    """The wait after a failed attempt (from 1): 5 s doubled each time, an hour at most, half of it random."""
    whole = min(BASE * (1 << min(attempt - 1, 20)), LONGEST)
    return whole * (0.5 + chance.random() / 2)


def _due(kinds: Mapping[str, JobKind], at: dt.datetime) -> tuple[sa.Select[Any], sa.Select[Any]]:
    """Jobs whose worker was lost, then those that wait; each has its index, so a long queue is as quick."""
    known = sa.select(jobs).where(jobs.c.kind.in_(list(kinds)))
    lost = known.where(jobs.c.state == State.RUNNING.value, jobs.c.leased_until <= at)
    waiting = known.where(jobs.c.state == State.QUEUED.value, jobs.c.run_at <= at)
    first = (jobs.c.priority, jobs.c.run_at, jobs.c.added_at, jobs.c.id)
    return lost.order_by(jobs.c.leased_until, jobs.c.id), waiting.order_by(*first)


def _taken(tx: sa.Connection, kinds: Mapping[str, JobKind], at: dt.datetime) -> Iterator[Job]:
    """Jobs that are due, one by one, each locked; the caller changes one before it asks for the next."""
    for chosen in _due(kinds, at):
        free = chosen.limit(1).with_for_update(skip_locked=True)
        while (row := tx.execute(free).mappings().one_or_none()) is not None:
            yield queue.job(row)


def _ended(tx: sa.Connection, found: Job, state: State, at: dt.datetime, **more: Any) -> Job:
    return queue.change(tx, found.id, state=state, ended_at=at, worker="", leased_until=None, **more)


def _queued(tx: sa.Connection, found: Job, **more: Any) -> Job:
    return queue.change(tx, found.id, state=State.QUEUED, worker="", leased_until=None, **more)


def _bury(tx: sa.Connection, found: Job, kinds: Mapping[str, JobKind], at: dt.datetime, error: str) -> Job:
    """Dead; the kind's own last word in a savepoint: one that fails does not bring the job back."""
    dead = _ended(tx, found, State.DEAD, at, error=error[:300])
    on_dead = kinds[found.kind].on_dead if found.kind in kinds else ""
    if on_dead:
        try:
            with OpenTransaction.within(tx, found.kind, at=at) as of_kind:
                load(on_dead)(of_kind, dead)
        except Exception as failed:
            said = f"{error}; then on_dead: {type(failed).__name__}"
            dead = queue.change(tx, found.id, error=said[:300])
    return dead
