"""What a job's handler is given."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from lab39.core.lab import Lab
from lab39.settings import Settings
from lab39.store import leases
from lab39.store.context import LabContext, OpenTransaction, owner_of
from lab39.store.engine import Store
from lab39.store.jobs import Job
from lab39.store.leases import Lease

TOLD_EVERY = dt.timedelta(seconds=1)
"""How often progress is written."""


class Interrupted(BaseException):
    """Raised by ``progress``: the job was cancelled, or its worker stops. Not an ``Exception``: let it pass."""


class Work:
    """One attempt at a job.

    Attributes:
        ctx: the lab, as the solution of this job may use it.
        store, settings: of the lab.
        job: as it was taken.
        finished: the handler completed it itself, in :meth:`finishing`.
    """

    def __init__(
        self,
        store: Store,
        settings: Settings,
        job: Job,
        *,
        lease: dt.timedelta,
        lab: Callable[[], Lab],
        stopping: Callable[[], bool] = lambda: False,
        in_transaction: bool = False,
    ) -> None:
        self.ctx = LabContext(lab, store, owner_of(job.kind))
        self.store = store
        self.settings = settings
        self.job = job
        self.finished = False
        self._lease = Lease.of(job)
        self._time = lease
        self._stopping = stopping
        self._in_transaction = in_transaction
        self._told: dt.datetime | None = None

    @property
    def payload(self) -> Mapping[str, Any]:
        """What was given when the job was added; empty once erased."""
        return self.job.payload or {}

    def progress(self, what: str = "", fraction: float | None = None) -> None:
        """Tell how far the work is; call it where it may be interrupted and done again later.

        Args:
            what: in a few words, without health data.
            fraction: done, 0 to 1; ``None`` when it is not known.

        Raises:
            Interrupted: the job was cancelled, or its worker stops and another will start it again.
            LostLeaseError: another worker has taken it.
        """
        if self._stopping():
            raise Interrupted
        at = self.store.clock()
        if self._in_transaction or (self._told is not None and at - self._told < TOLD_EVERY):
            return
        self._told = at
        if self.beat(what, fraction):
            raise Interrupted

    def beat(self, what: str | None = None, fraction: float | None = None) -> bool:
        """Renew the lease; whether the job was asked to stop.

        Raises:
            LostLeaseError
        """
        with self.store.writing() as tx:
            until = self.store.clock() + self._time
            return leases.renew(tx, self._lease, until=until, what=what, fraction=fraction)

    @contextmanager
    def finishing(self, result: Any = None) -> Iterator[OpenTransaction]:
        """A transaction for the last writes of a long job; the job is done with it, or nothing is.

        Raises:
            LostLeaseError: another worker has taken it; nothing was written.
        """
        with self.ctx.writing() as tx:
            leases.hold(tx.connection, self._lease)
            yield tx
            leases.complete(tx.connection, self._lease, at=self.store.clock(), result=result)
        self.finished = True
