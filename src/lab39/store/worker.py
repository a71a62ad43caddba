"""A worker: delivers events, runs jobs, gives back what it holds when it is told to stop.

Any number of them work on one database. Whatever is killed, and when, what was acknowledged is still done: at once
by whoever is there, or when the lease of the dead worker ends.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import logging
import os
import random
import socket
import threading
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import sqlalchemy as sa

from lab39.core.background import JobError, Subscription, load
from lab39.core.lab import Lab
from lab39.settings import Settings
from lab39.store import events, jobs, leases
from lab39.store.context import OpenTransaction
from lab39.store.engine import Store, StoreUnavailableError, new_id
from lab39.store.jobs import Job
from lab39.store.leases import Lease, LostLeaseError
from lab39.store.registry import DELIVER, Registry
from lab39.store.work import Interrupted, Work

LEASE = dt.timedelta(seconds=60)
BATCH = 20
SHORTEST_WAIT, LONGEST_WAIT = 0.05, 1.0
UNREACHABLE_WAIT = 5.0
KEPT = dt.timedelta(days=30)
"""How long a job that is done stays, and with it the memory of its key."""
CATCH_UP = 500
"""A place this far behind the last event is moved on, though nothing in between is for its subscriber."""

log = logging.getLogger("lab39.worker")


class Worker:
    """One worker; one job at a time.

    Args:
        registry: what it can do; what is installed when not given.
        lease: after so long without a word it is taken for dead.
        wait: waits for some seconds, or less when told to stop; tests bring their own.
        chance: makes workers that failed together try again apart.
        lab: what handlers ask; the installed one when not given, made when one first asks.
    """

    def __init__(
        self,
        store: Store,
        settings: Settings,
        registry: Registry | None = None,
        *,
        lease: dt.timedelta = LEASE,
        wait: Callable[[float], object] | None = None,
        chance: random.Random | None = None,
        lab: Lab | None = None,
    ) -> None:
        self.store = store
        self.settings = settings
        self.registry = registry or Registry.of_lab()
        self.name = f"{socket.gethostname()[:30]}:{os.getpid()}:{new_id()[:8]}"
        self.lease = lease
        self._stopped = threading.Event()
        self._wait = wait or self._stopped.wait
        self._chance = chance or random.Random()  # noqa: S311  spreads retries, hides nothing
        self._lab = lab
        self._subscribed = False
        self._swept: dt.datetime | None = None

    def stop(self) -> None:
        """Ask it to stop: it finishes what it does, or gives it back at its next progress."""
        self._stopped.set()

    @property
    def stopping(self) -> bool:
        """Whether it was asked to stop."""
        return self._stopped.is_set()

    def lab(self) -> Lab:
        """The lab that handlers ask."""
        if self._lab is None:
            self._lab = Lab.discover(self.settings)
        return self._lab

    def run(self) -> None:
        """Work until asked to stop; a database that cannot be reached is waited for."""
        for name, why in self.registry.broken.items():
            log.warning("solution left out: %s: %s", name, why)
        pause = SHORTEST_WAIT
        while not self.stopping:
            try:
                worked = self.run_once()
            except StoreUnavailableError as error:
                log.warning("waiting for the database: %s", error)
                self._wait(UNREACHABLE_WAIT)
                continue
            if worked:
                pause = SHORTEST_WAIT
                continue
            self._wait(pause)
            pause = min(pause * 2, LONGEST_WAIT)

    def run_until_idle(self) -> int:
        """Work until nothing is due; how many times something was done."""
        done = 0
        while not self.stopping and self.run_once():
            done += 1
        return done

    def run_once(self) -> bool:
        """Deliver the events that are there, then run one job; whether there was anything to do.

        Raises:
            StoreUnavailableError
        """
        self._sweep()
        delivered = [self._deliver(each) for each in self._subscriptions()]
        return self._work() or any(delivered)

    def _subscriptions(self) -> tuple[Subscription, ...]:
        heard = tuple(self.registry.subscriptions.values())
        if heard and not self._subscribed:
            with self.store.writing() as tx:
                for each in heard:
                    events.subscribe(tx, each.name, from_start=each.from_start)
            self._subscribed = True
        return heard

    def _deliver(self, to: Subscription) -> bool:
        with self.store.reading() as tx:
            behind = events.last(tx) - events.acknowledged(tx).get(to.name, 0)
            if behind == 0 or (behind < CATCH_UP and not events.pull(tx, to.name, to.topics, 1)):
                return False
        with self.store.writing() as tx:
            last = events.last(tx)  # before pulling: every event up to here is seen below
            pulled = events.pull(tx, to.name, to.topics, BATCH)
            for event in pulled:
                if event.payload is not None:
                    self._hand_over(tx, to, event)
                events.ack(tx, to.name, event.sequence)
            if not pulled and events.place(tx, to.name) is not None:
                events.ack(tx, to.name, last)
        return bool(pulled)

    def _hand_over(self, tx: sa.Connection, to: Subscription, event: events.Event) -> None:
        """One event to its handler; when that fails, its writes are undone and a job tries again."""
        try:
            with OpenTransaction.within(tx, to.name, at=self.store.clock()) as theirs:
                load(to.handler)(theirs, event)
        except Exception as error:
            if isinstance(error, sa.exc.DBAPIError) and error.connection_invalidated:
                raise
            said = describe(error)
            log.warning("event %s: %s failed: %s", event.sequence, to.name, said)
            at = self.store.clock()
            again = at + leases.delay(1, self._chance)
            payload = {"subscriber": to.name, "event": event.sequence}
            made = jobs.add(tx, DELIVER, payload, f"{to.name}:{event.sequence}", again, at=at)
            jobs.change(tx, made.id, error=said)

    def _work(self) -> bool:
        kinds = self.registry.kinds
        with self.store.reading() as tx:
            if not leases.is_due(tx, kinds, at=self.store.clock()):
                return False
        with self.store.writing() as tx:
            job = leases.claim(tx, self.name, kinds, at=self.store.clock(), lease=self.lease)
        if job is not None:
            self._attempt(job)
        return job is not None

    def _attempt(self, job: Job) -> None:
        lease = Lease.of(job)
        try:
            self._handle(job, lease)
        except LostLeaseError:
            log.warning("job %s (%s): taken by another worker meanwhile", job.id, job.kind)
        except Interrupted:
            with contextlib.suppress(LostLeaseError), self.store.writing() as tx:
                ended = leases.give_back(tx, lease, at=self.store.clock())
                log.info("job %s (%s): %s", job.id, job.kind, ended.state)
        except (Exception, SystemExit) as error:
            said = describe(error)
            again = leases.delay(job.attempts, self._chance)
            with contextlib.suppress(LostLeaseError), self.store.writing() as tx:
                at = self.store.clock()
                ended = leases.fail(tx, lease, at=at, error=said, again=again, kinds=self.registry.kinds)
                log.warning("job %s (%s): attempt %s failed: %s", job.id, job.kind, job.attempts, said)
                if ended.state is jobs.State.DEAD:
                    log.error("job %s (%s): dead; lab39 jobs retry %s", job.id, job.kind, job.id)

    def _handle(self, job: Job, lease: Lease) -> None:
        kind = self.registry.kinds[job.kind]
        handler = load(kind.handler)
        work = Work(
            self.store,
            self.settings,
            job,
            lease=self.lease,
            lab=self.lab,
            stopping=lambda: self.stopping,
            in_transaction=kind.takes_tx,
        )
        if kind.takes_tx:
            with work.ctx.writing() as tx:
                leases.hold(tx.connection, lease)
                result = handler(tx, work)
                leases.complete(tx.connection, lease, at=self.store.clock(), result=result)
            return
        with self._beating(work):
            result = handler(work)
        if not work.finished:
            with work.finishing(result):
                pass

    @contextlib.contextmanager
    def _beating(self, work: Work) -> Iterator[None]:
        """Renew the lease while a handler works, whether it tells its progress or not."""
        done = threading.Event()

        def beat() -> None:
            while not done.wait(self.lease.total_seconds() / 3):
                try:
                    work.beat()
                except LostLeaseError:
                    return
                except StoreUnavailableError as error:
                    log.warning("job %s: lease not renewed: %s", work.job.id, error)

        thread = threading.Thread(target=beat, name="lab39-heartbeat", daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()

    def _sweep(self) -> None:
        at = self.store.clock()
        if self._swept is None or at - self._swept >= dt.timedelta(days=1):
            with self.store.writing() as tx:
                jobs.sweep(tx, before=at - KEPT)
            self._swept = at


def describe(error: BaseException) -> str:
    """Why something failed, without data: the words of a :class:`JobError`, else the kind of error and where."""
    if isinstance(error, JobError | StoreUnavailableError):
        return error.say("en")[:300]
    frames = traceback.extract_tb(error.__traceback__)
    if not frames:
        return type(error).__name__
    path = Path(frames[-1].filename)
    return f"{type(error).__name__} at {path.parent.name}/{path.name}:{frames[-1].lineno}"[:300]
