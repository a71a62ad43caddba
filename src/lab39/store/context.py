"""What a solution may use of the lab when it does more than assess: one way for pages, operations, jobs, commands.

The protocols are in :mod:`lab39.core.context`.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import sqlalchemy as sa

from lab39.core.datapacks import Packs
from lab39.core.errors import InputError
from lab39.core.finding import Finding, Report
from lab39.core.lab import NO_ANSWER, Lab
from lab39.core.record import Record
from lab39.core.text import Text
from lab39.store import audit, events, jobs, outbox
from lab39.store.engine import Store

Write = Callable[[Callable[[sa.Connection], Any]], Any]
"""Does some work in a transaction."""


class OpenTransaction:
    """One open transaction in the name of a solution (:class:`lab39.core.context.Transaction`).

    Events and audit entries are written at its end, in this order: both hold what other writers wait for.

    Args:
        owner: id of the solution.
        actor: id of the person who acts; empty for the lab itself.
    """

    def __init__(self, connection: sa.Connection, owner: str, *, at: dt.datetime, actor: str = "") -> None:
        self.connection = connection
        self.owner = owner
        self.at = at
        self.actor = actor
        self._events: list[tuple[str, dict[str, Any], str]] = []
        self._entries: list[tuple[str, dict[str, Any], str]] = []

    @classmethod
    @contextmanager
    def within(cls, connection: sa.Connection, name: str, *, at: dt.datetime) -> Iterator[OpenTransaction]:
        """For a handler named ``<owner>.<what>``, in a savepoint: of one that raises nothing is kept."""
        with connection.begin_nested():
            tx = cls(connection, owner_of(name), at=at)
            yield tx
            tx.finish()

    def publish(self, topic: str, about: Mapping[str, Any], *, subject: str = "") -> None:
        """Tell that something happened.

        Raises:
            InputError
        """
        self._own(topic)
        events.check(topic, about)
        self._events.append((topic, dict(about), subject))

    def add_job(
        self,
        kind: str,
        payload: Mapping[str, Any],
        *,
        key: str | None = None,
        run_at: dt.datetime | None = None,
        person: str | None = None,
    ) -> str:
        """Have something done later.

        Raises:
            InputError
        """
        self._own(kind)
        return jobs.add(self.connection, kind, payload, key, run_at, at=self.at, person=person).id

    def send(
        self,
        person: str,
        template: str,
        parameters: Mapping[str, str],
        *,
        purpose: str,
        key: str | None = None,
        run_at: dt.datetime | None = None,
    ) -> str:
        """Queue a message.

        Raises:
            UnknownNameError, InputError
        """
        self._own(template)
        return outbox.add(
            self.connection, person, template, parameters, purpose=purpose, at=self.at, key=key, run_at=run_at
        ).id

    def audit(self, action: str, about: Mapping[str, Any] | None = None, *, subject: str = "") -> None:
        """Add an entry to the audit log; one of the lab's own actions, or one of the solution's.

        Raises:
            UnknownNameError, InputError
        """
        if "." in action:
            self._own(action)
        audit.action(action)
        self._entries.append((action, dict(about or {}), subject))

    def finish(self) -> None:
        """Write what was put off to the end."""
        for topic, payload, subject in self._events:
            events.publish(self.connection, topic, payload, at=self.at, actor=self.actor, subject=subject)
        for action, about, subject in self._entries:
            audit.append(self.connection, at=self.at, actor=self.actor, action=action, subject=subject, about=about)

    def _own(self, name: str) -> None:
        """Nobody speaks for another solution, or for the lab.

        Raises:
            InputError
        """
        if not name.startswith(f"{self.owner}."):
            start = f"{self.owner}."
            raise InputError(
                Text(
                    f"un nom qui commence par «\u202f{start}\u202f» est attendu", f"a name in “{start}” is expected"
                ),
                name[:100],
            )


class LabContext:
    """The lab as one solution may use it (:class:`lab39.core.context.WorkContext`).

    Args:
        lab: gives the lab, when it is first needed.
        owner: id of the solution.
        actor: id of the person who acts; empty for the lab itself.
        door: what is noted in the audit log as the way by which a record was assessed.
        write: how an audit entry reaches the disk; in a transaction of its own unless told.
        waiting: entered while others work, so that a time limit does not count it.
    """

    def __init__(
        self,
        lab: Callable[[], Lab],
        store: Store,
        owner: str,
        *,
        actor: str = "",
        door: str = "",
        write: Write | None = None,
        waiting: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        self._lab = lab
        self._store = store
        self._owner = owner
        self._actor = actor
        self._door = door or owner
        self._write = write or self._in_its_own
        self._waiting = waiting
        self._open: OpenTransaction | None = None

    @property
    def packs(self) -> Packs:
        """The data packs."""
        return self._lab().packs

    @property
    def about(self) -> frozenset[str]:
        """No entry in particular."""
        return frozenset()

    def ask(self, solution: str, record: Record, on: dt.date) -> tuple[Finding, ...] | None:
        """What another solution finds; ``None`` when it cannot tell."""
        if solution not in self._lab().solutions:
            return None
        found = self.assess(record, on, (solution,)).findings
        return None if any(f.code in NO_ANSWER for f in found) else found

    def assess(self, record: Record, on: dt.date, only: Iterable[str] = ()) -> Report:
        """What every solution finds, or those named, once it is in the audit log that it was asked.

        Raises:
            UnknownNameError: a solution that is not installed.
            StoreUnavailableError: the audit log cannot be written, so nothing is answered.
        """
        with self._waiting():
            report = self._lab().assess(record, on, only)
            about = {"door": self._door, "sha256": _digest(record)} | made_with(report)
            if self._open is not None:  # a second transaction would wait for this one
                self._open.audit("assessment", about)
            else:
                self._write(lambda tx: self._note(tx, about))
        return report

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """One consistent view; nothing written in it is kept."""
        with self._store.reading() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[OpenTransaction]:
        """A transaction: everything in the block, or nothing.

        Raises:
            StoreUnavailableError
        """
        if self._open is not None:
            raise RuntimeError("a transaction is open already: use it")
        with self._store.writing() as connection:
            self._open = OpenTransaction(connection, self._owner, at=self._store.clock(), actor=self._actor)
            try:
                yield self._open
                self._open.finish()
            finally:
                self._open = None

    def _note(self, tx: sa.Connection, about: Mapping[str, Any]) -> None:
        audit.append(tx, at=self._store.clock(), actor=self._actor, action="assessment", about=about)

    def _in_its_own(self, work: Callable[[sa.Connection], Any]) -> None:
        with self._store.writing() as tx:
            work(tx)


def owner_of(name: str) -> str:
    """The solution, or ``lab``, that a kind of job or a subscription belongs to."""
    return name.partition(".")[0]


def made_with(report: Report) -> dict[str, Any]:
    """Which code answered, for the audit log."""
    return {
        "lab39": str(report.versions.get("lab39")),
        "solutions": dict(report.versions.get("solutions", {})),
    }


def _digest(record: Record) -> str:
    import simplejson

    written = simplejson.dumps(record.origin, use_decimal=True, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(written.encode()).hexdigest()
