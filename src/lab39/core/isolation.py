"""Running somebody's code with a time limit, so that one solution never stops the others.

The work runs in a daemon thread. When it overruns, an exception is raised inside that thread, which ends any
loop written in Python; a call into C that never returns keeps its thread (the lab then stops asking that
solution).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

T = TypeVar("T")
GRACE_SECONDS = 0.5


class Overrun(BaseException):
    """Raised inside work that took too long; not an ``Exception``, so that ``except Exception`` lets it pass."""


class TimeLimitExceeded(Exception):  # noqa: N818
    """The work was stopped. ``stuck`` tells that its thread could not be ended."""

    def __init__(self, seconds: float, *, stuck: bool) -> None:
        super().__init__(f"more than {seconds:g} s")
        self.seconds = seconds
        self.stuck = stuck


class Stopwatch:
    """Counts the time of one piece of work, without that spent waiting for another solution."""

    def __init__(self, limit_seconds: float) -> None:
        self.limit_seconds = limit_seconds
        # Spent so far, and since when it runs; one tuple, so that another thread never sees half a change.
        self._state: tuple[float, float | None] = (0.0, time.monotonic())

    @property
    def remaining(self) -> float:
        """Seconds left; negative after the limit."""
        spent, since = self._state
        running = time.monotonic() - since if since is not None else 0.0
        return self.limit_seconds - spent - running

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Stop counting inside the block."""
        spent, since = self._state
        spent += time.monotonic() - since if since is not None else 0.0
        self._state = (spent, None)
        try:
            yield
        finally:
            self._state = (spent, time.monotonic())


class _Outcome(Generic[T]):
    value: T
    error: BaseException | None = None


def run(work: Callable[[], T], watch: Stopwatch) -> T:
    """Run ``work`` within the limit of ``watch``.

    Raises:
        TimeLimitExceeded: it overran.
        Exception: whatever the work raised; an exit or interrupt raised by the work becomes ``RuntimeError``.
    """
    outcome: _Outcome[T] = _Outcome()
    done = threading.Event()

    def target() -> None:
        try:
            outcome.value = work()
        except BaseException as error:
            outcome.error = error
        finally:
            done.set()

    thread = threading.Thread(target=target, daemon=True, name="lab39-solution")
    thread.start()
    while not done.wait(max(0.001, min(watch.remaining, 1.0))):
        if watch.remaining <= 0:
            raise TimeLimitExceeded(watch.limit_seconds, stuck=not _stop(thread, done))
    if outcome.error is None:
        return outcome.value
    if isinstance(outcome.error, Exception):
        raise outcome.error
    raise RuntimeError(f"{type(outcome.error).__name__}: {outcome.error}") from outcome.error


def _stop(thread: threading.Thread, done: threading.Event) -> bool:
    import ctypes

    if thread.ident is not None:
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident), ctypes.py_object(Overrun))
    return done.wait(GRACE_SECONDS) or not thread.is_alive()
