"""What a solution declares to be done later: kinds of jobs, and events it wants to hear of.

Handlers are named ``module:function`` and imported when they are needed; a callable will do as well. ``tx`` is a
:class:`~lab39.core.context.Transaction`, ``work.ctx`` a :class:`~lab39.core.context.WorkContext`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from lab39.core.errors import LabError

Handler = str | Callable[..., Any]

MAX_ATTEMPTS = 8


class JobError(LabError):
    """What a handler raises to say in words why it failed: they are kept and shown, so no health data in them.

    Of any other error, only its kind and its place in the code are kept.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class JobKind:
    """A kind of job.

    A handler may be called more than once for one job (a crash, a retry): what it does outside the database must
    bear it, with the job's id or key as an idempotency key.

    Attributes:
        name: ``<solution>.<what>`` (``vaccination.recall``).
        handler: called with a ``Work``; with ``(tx, work)`` when ``takes_tx``. What it returns is the job's result:
            JSON, without health data.
        takes_tx: it runs inside one transaction that also completes the job: all of it is kept, or none. It must
            be short: a minute at most.
        max_attempts: after so many failures the job is dead until somebody retries it.
        on_dead: called with ``(tx, job)`` in the transaction that declares a job dead; none when empty.
    """

    name: str
    handler: Handler
    takes_tx: bool = False
    max_attempts: int = MAX_ATTEMPTS
    on_dead: Handler = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """Events to hear of, each at least once and in order; one whose handler fails is tried again aside, as a job.

    Attributes:
        name: of the subscriber, ``<solution>.<what>``; its place in the events is kept under it.
        topics: ``skin.case-answered``; ``skin.*`` for all that begin so.
        handler: called with ``(tx, event)``; what it writes and its place are kept together. It must be short:
            long work is a job that it adds.
        from_start: a new subscriber hears of events of before; otherwise of those to come.
    """

    name: str
    topics: tuple[str, ...]
    handler: Handler
    from_start: bool = True


def load(handler: Handler) -> Callable[..., Any]:
    """The function a handler names.

    Raises:
        ImportError, AttributeError: there is none.
    """
    if not isinstance(handler, str):
        return handler
    module, _, name = handler.partition(":")
    found: Callable[..., Any] = getattr(import_module(module), name)
    return found
