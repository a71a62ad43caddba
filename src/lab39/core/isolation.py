"""Running somebody's code with a time limit, so that one solution never stops the others.

The work runs in a daemon thread, which serves again when it ends in time. When it overruns, an exception is raised
inside that thread, which ends any loop written in Python and the thread with it; a call into C that never returns
keeps its thread (the lab then stops asking that solution). C code that never returns *and* keeps Python's lock to
itself (a regular expression that backtracks without end) freezes the whole process: nothing in it can run to say
so. A watchdog outside that lock then ends the process and prints the line that hung: no freeze is silent.
"""

from __future__ import annotations

import atexit
import contextlib
import contextvars
import faulthandler
import queue
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Generic, TypeVar

T = TypeVar("T")
GRACE_SECONDS = 0.5
FROZEN_SECONDS = 5.0
"""How long after a time limit nothing at all may run before the process is called frozen."""
BEAT_SECONDS = 1.0
"""How often the watchdog is told that somebody runs."""


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


class _Job(Generic[T]):
    """One piece of work and what came of it."""

    value: T
    error: BaseException | None = None

    def __init__(self, work: Callable[[], T]) -> None:
        self.work = work
        self.done = threading.Event()

    def do(self) -> None:
        """As in a new thread: with a context of its own, watched by whoever watches new threads by now."""
        watching = threading.getprofile()
        try:
            if watching is not None:
                sys.setprofile(watching)
            self.value = contextvars.Context().run(self.work)
        except BaseException as error:
            self.error = error
        finally:
            if watching is not None:
                sys.setprofile(None)
            self.done.set()


class _Worker:
    """A thread that does one job after the other. It belongs to whoever gave it a job until that one is done."""

    def __init__(self) -> None:
        self._jobs: queue.SimpleQueue[_Job[Any] | None] = queue.SimpleQueue()
        self.thread = threading.Thread(target=self._work, daemon=True, name="lab39-solution")
        self.thread.start()

    def give(self, job: _Job[Any]) -> None:
        self._jobs.put(job)

    def leave(self) -> None:
        """End when the job at hand ends."""
        self._jobs.put(None)

    def _work(self) -> None:
        with contextlib.suppress(Overrun):  # raised a moment too late to end the job
            while (job := self._jobs.get()) is not None:
                job.do()
                del job


_idle: list[_Worker] = []


def run(work: Callable[[], T], watch: Stopwatch) -> T:
    """Run ``work`` within the limit of ``watch``.

    Raises:
        TimeLimitExceeded: it overran.
        Exception: whatever the work raised; an exit or interrupt raised by the work becomes ``RuntimeError``.
    """
    job = _Job(work)
    try:
        worker = _idle.pop()
    except IndexError:
        worker = _Worker()
    try:
        with _watchdog.watching(watch):
            worker.give(job)
            while not job.done.wait(max(0.001, min(watch.remaining, 1.0))):
                if watch.remaining <= 0:
                    raise TimeLimitExceeded(watch.limit_seconds, stuck=not _stop(worker.thread, job.done))
    except BaseException:
        worker.leave()
        raise
    _idle.append(worker)
    if job.error is None:
        return job.value
    if isinstance(job.error, Exception):
        raise job.error
    raise RuntimeError(f"{type(job.error).__name__}: {job.error}") from job.error


class _Watchdog:
    """Ends the process when nothing in it has run for too long. As long as there is work, a thread puts the end off
    every second; a piece of work then costs no timer of its own."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._watches: list[Stopwatch] = []
        self._awake = False
        atexit.register(faulthandler.cancel_dump_traceback_later)

    @contextmanager
    def watching(self, watch: Stopwatch) -> Iterator[None]:
        """Watch over one piece of work."""
        with self._lock:
            self._watches.append(watch)
            if not self._awake:
                self._awake = True
                self._put_off(0.0)
                threading.Thread(target=self._beat, daemon=True, name="lab39-watchdog").start()
        try:
            yield
        finally:
            with self._lock:
                self._watches.remove(watch)

    def _beat(self) -> None:
        while True:
            time.sleep(BEAT_SECONDS)
            with self._lock:
                if not self._watches:
                    faulthandler.cancel_dump_traceback_later()
                    self._awake = False
                    return
                self._put_off(max(watch.remaining for watch in self._watches))

    @staticmethod
    def _put_off(remaining: float) -> None:
        """Somebody runs; allow the time until the next beat, and what is left of the limit."""
        stream = sys.__stderr__
        if stream is not None and not stream.closed:
            allowed = max(remaining, BEAT_SECONDS) + FROZEN_SECONDS
            faulthandler.dump_traceback_later(allowed, exit=True, file=stream)


_watchdog = _Watchdog()


def _stop(thread: threading.Thread, done: threading.Event) -> bool:
    import ctypes

    if thread.ident is not None:
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident), ctypes.py_object(Overrun))
    return done.wait(GRACE_SECONDS) or not thread.is_alive()
