"""What the lab hands to a solution: to look with, when it assesses; to look and act with, everywhere else.

``assess`` is given a :class:`Context` only. It is pure: it may be called twice, for a preview, or to compare before
and after, so nothing it does may leave a trace. Pages, operations, jobs and commands are given a
:class:`WorkContext`; what they write goes through its one :class:`Transaction`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from typing import Any, Protocol

from lab39.core.datapacks import Packs
from lab39.core.finding import Finding, Report
from lab39.core.record import Record


class Context(Protocol):
    """What ``assess`` is given besides the record."""

    @property
    def packs(self) -> Packs:
        """The data packs."""

    @property
    def about(self) -> frozenset[str]:
        """References of the entries that are in question (orders about to be signed); empty for the whole record.

        A solution that can says only what these entries change; one that ignores it is still right.
        """

    def ask(self, solution: str, record: Record, on: dt.date) -> tuple[Finding, ...] | None:
        """What another solution finds in the whole record; ``None`` when it cannot tell.

        It cannot tell when it is not installed, lacks its data, failed, or is itself waiting for the one that
        asks. ``None`` is not "nothing found": say what could not be evaluated without it.
        """


class Transaction(Protocol):
    """One open transaction of the lab's memory: everything done in it is kept, or nothing.

    A name a solution gives (a topic, a kind of job, a message, an action of the audit log) begins with its id.
    """

    @property
    def connection(self) -> Any:
        """The SQLAlchemy connection, for the solution's own tables and the functions of ``lab39.store``."""

    @property
    def at(self) -> dt.datetime:
        """The moment it began, by the lab's clock: written beside every change."""

    @property
    def actor(self) -> str:
        """Id of the person who acts; empty for the lab itself."""

    def publish(self, topic: str, about: Mapping[str, Any], *, subject: str = "") -> None:
        """Tell that something happened; those who subscribed hear of it once the transaction is saved.

        Args:
            topic: ``<id>.<what>`` (``skin.case-answered``).
            about: ids, codes and counts, JSON; clinical content stays in the record it names.
            subject: id of the person or record it is about.

        Raises:
            InputError: a topic or a content that cannot be one.
        """

    def add_job(
        self,
        kind: str,
        payload: Mapping[str, Any],
        *,
        key: str | None = None,
        run_at: dt.datetime | None = None,
        person: str | None = None,
    ) -> str:
        """Have something done later, once; the id of the job. Added again with its key, it is the first one.

        Args:
            kind: ``<id>.<what>``, one of ``Solution.jobs``.
            payload: ids and parameters, JSON; no clinical content.
            run_at: not before; at once when not given.
            person: whom it is about: it is erased with them.

        Raises:
            InputError: a payload that is not JSON or too large.
        """

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
        """Queue a message to a person, sent only with their consent to the purpose; the id of the message.

        Args:
            template: ``<id>.<name>``, of ``messages.toml``.
            parameters: what fills it in; no health data.

        Raises:
            UnknownNameError: no such template.
            InputError: parameters that do not fill it in.
        """

    def audit(self, action: str, about: Mapping[str, Any] | None = None, *, subject: str = "") -> None:
        """Add an entry to the audit log, last of all when the transaction is saved.

        Args:
            action: ``<id>.<what>`` (``signals.validated``).
            about: ids, codes and counts; never health data.
            subject: id of the person or record it was done to.
        """


class WorkContext(Context, Protocol):
    """What pages, operations, jobs and commands of a solution may use of the lab."""

    def assess(self, record: Record, on: dt.date, only: Iterable[str] = ()) -> Report:
        """What every solution finds, or those named; that it was asked is in the audit log, what it read is not.

        Raises:
            UnknownNameError: a solution that is not installed.
        """

    def reading(self) -> AbstractContextManager[Any]:
        """A SQLAlchemy connection on one consistent view of the lab's memory; nothing written in it is kept."""

    def writing(self) -> AbstractContextManager[Transaction]:
        """A transaction: everything in the block is kept when it ends well, nothing when it raises.

        Others wait meanwhile: open it late, do the work before.
        """
