"""Running somebody's code with a time limit, so that one solution never stops the others.

The work runs in a daemon thread. When it overruns, an exception is raised inside that thread, which ends any
loop written in Python; a call into C that never returns keeps its thread (the lab then stops asking that
solution). C code that never returns *and* keeps Python's lock to itself (a regular expression that backtracks
without end) freezes the whole process: nothing in it can run to say so. A watchdog outside that lock then ends the
process and prints the line that hung, so that a freeze is never silent.
"""

from __future__ import annotations

import faulthandler
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

T = TypeVar("T")
GRACE_SECONDS = 0.5
FROZEN_SECONDS = 5.0
"""How long after a time limit nothing at all may run before the process is called frozen."""


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
    with _watchdog:
        thread.start()
        while not done.wait(max(0.001, min(watch.remaining, 1.0))):
            _watchdog.feed(watch.remaining)
            if watch.remaining <= 0:
                raise TimeLimitExceeded(watch.limit_seconds, stuck=not _stop(thread, done))
    if outcome.error is None:
        return outcome.value
    if isinstance(outcome.error, Exception):
        raise outcome.error
    raise RuntimeError(f"{type(outcome.error).__name__}: {outcome.error}") from outcome.error


class _Watchdog:
    """Ends the process when nothing in it has run for too long; fed about once a second by whoever waits."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting = 0

    def __enter__(self) -> None:
        with self._lock:
            self._waiting += 1
        self.feed(0.0)

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._waiting -= 1
            if not self._waiting:
                faulthandler.cancel_dump_traceback_later()

    def feed(self, remaining: float) -> None:
        """Somebody runs; allow the second until the next meal, and what is left of the limit."""
        stream = sys.__stderr__
        if stream is not None and not stream.closed:
            allowed = max(remaining, 1.0) + FROZEN_SECONDS
            faulthandler.dump_traceback_later(allowed, exit=True, file=stream)


_watchdog = _Watchdog()


def _stop(thread: threading.Thread, done: threading.Event) -> bool:
    import ctypes

    if thread.ident is not None:
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident), ctypes.py_object(Overrun))
    return done.wait(GRACE_SECONDS) or not thread.is_alive()
