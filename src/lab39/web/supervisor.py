"""Keeps the processes of a served lab running: web workers on one socket, and a worker for jobs.

Processes are started anew rather than forked: what one of them holds is its own. One that ends is started again, at
once the first time, then after longer and longer pauses. One that cannot start at all ends the lab, with its reason
in the logs, rather than in an endless loop.
"""

from __future__ import annotations

import contextlib
import errno
import http.client
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from lab39.core.errors import InputError, LabError
from lab39.core.text import Text
from lab39.web.meters import FOLDER

GRACE_SECONDS = 30.0
"""After so long a process that was told to end is killed; more than it gives its own requests."""
HEAD_SECONDS = 10.0
"""What the last head of the audit log is given, once they have all ended."""
STEADY_SECONDS = 10.0
"""A process that lived so long had started well."""
LONGEST_PAUSE = 15.0
START_SECONDS = 900.0
"""Indexes may have to be compiled first."""
BACKLOG = 2048
_ELSEWHERE = Text("adresse inconnue de cette machine", "not an address of this machine")


class StartError(LabError):
    """The lab did not start."""

    exit_code = 1


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens, or a clear reason why not.

    Raises:
        InputError: the port is taken, reserved, or the address is not this machine's.
    """
    place = f"{host}:{port}"
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        made = socket.socket(family, kind, protocol)
    except OSError as error:
        raise InputError(_ELSEWHERE, place) from error
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(address)
        made.listen(BACKLOG)
    except OSError as error:
        made.close()
        raise InputError(_why_not(error), place) from error
    made.set_inheritable(True)
    return made


def _why_not(error: OSError) -> Text:
    known = {
        errno.EADDRINUSE: Text(
            "ce port est déjà pris, peut-être par un autre lab39\u202f: arrêter l'autre ou choisir --port",
            "this port is taken, perhaps by another lab39: stop the other or choose --port",
        ),
        errno.EACCES: Text(
            "ce port est réservé au système\u202f: en choisir un au-dessus de 1024 (--port)",
            "this port is reserved for the system: choose one above 1024 (--port)",
        ),
        errno.EADDRNOTAVAIL: _ELSEWHERE,
    }
    return known.get(error.errno or 0, Text.same(error.strerror or type(error).__name__))


@dataclass
class _Kept:
    """One process that is kept running."""

    role: str
    process: subprocess.Popen[bytes] | None = None
    since: float = 0.0
    failures: int = 0
    due: float = 0.0


@dataclass
class Supervisor:
    """Runs until it is told to stop.

    Args:
        socket: listens; every web worker answers what comes to it.
        workers: how many web workers.
        jobs: whether a worker for jobs runs too.
        text_logs: logs to read on a terminal rather than JSON.
        said: told what happens, in one line.
    """

    socket: socket.socket
    workers: int = 1
    jobs: bool = True
    text_logs: bool = False
    reload: bool = False
    said: Callable[[Text], None] = lambda _: None
    _stopping: bool = field(default=False, init=False)
    _kept: list[_Kept] = field(default_factory=list, init=False)

    def run(self, ready: Callable[[], None] = lambda: None) -> None:
        """Start the processes, call ``ready`` once the lab answers, keep them running, stop them in order.

        Raises:
            StartError: a process ended again and again before the lab ever answered.
        """
        with self._told_to_stop(), tempfile.TemporaryDirectory(prefix="lab39-") as folder, self._parent() as parent:
            environment = os.environ | {FOLDER: folder} | ({"LAB39_TEXT_LOGS": "1"} if self.text_logs else {})
            self._kept = [_Kept("web") for _ in range(self.workers)] + [_Kept("jobs")] * self.jobs
            try:
                self._until_ready(environment, parent)
                if not self._stopping:
                    notify("READY=1")
                    ready()
                while not self._stopping:
                    self._look(environment, parent, self._kept)
                    time.sleep(0.1)
            finally:
                notify("STOPPING=1")
                self._end()
            if self.jobs:
                self._sign(environment, parent)

    def stop(self, *_: object) -> None:
        """Ask it to stop. Safe in a signal handler."""
        self._stopping = True

    @property
    def processes(self) -> Mapping[int, str]:
        """The role of each process that runs, by its number."""
        return {each.process.pid: each.role for each in self._kept if each.process is not None}

    def _until_ready(self, environment: Mapping[str, str], parent: int) -> None:
        """One web worker first: what is compiled once is not compiled by several at the same time."""
        until = time.monotonic() + START_SECONDS
        while not self._stopping:
            self._look(environment, parent, self._kept[:1], starting=True)
            if self._answers():
                return
            if time.monotonic() > until:
                raise StartError(
                    Text(
                        f"pas de réponse après {START_SECONDS:g} s\u202f; voir les journaux ci-dessus",
                        f"no answer after {START_SECONDS:g} s; see the logs above",
                    )
                )
            time.sleep(0.05)

    def _look(
        self, environment: Mapping[str, str], parent: int, kept: list[_Kept], *, starting: bool = False
    ) -> None:
        """Start what is due, and note what has ended."""
        now = time.monotonic()
        for each in kept:
            if each.process is not None and each.process.poll() is not None:
                self._ended(each, environment, now, starting=starting)
                if starting and each.failures > 2:
                    raise StartError(
                        Text(
                            "un processus s'arrête dès qu'il démarre\u202f; voir les journaux ci-dessus",
                            "a process ends as soon as it starts; see the logs above",
                        )
                    )
            if each.process is None and now >= each.due and not self._stopping:
                each.process, each.since = self._start(each.role, environment, parent), now

    def _ended(self, each: _Kept, environment: Mapping[str, str], now: float, *, starting: bool) -> None:
        assert each.process is not None
        code, number = each.process.returncode, each.process.pid
        each.process = None
        _forget(environment[FOLDER], number)
        steady = now - each.since >= STEADY_SECONDS and not starting
        each.failures = 0 if steady else each.failures + 1
        pause = 0.0 if each.failures < 2 else min(0.5 * 2 ** (each.failures - 2), LONGEST_PAUSE)
        each.due = now + pause
        if not self._stopping:
            self.said(
                Text(
                    f"le processus {each.role} {number} s'est arrêté ({code})\u202f; il est relancé",
                    f"the {each.role} process {number} ended ({code}); it is started again",
                )
            )

    def _start(self, role: str, environment: Mapping[str, str], parent: int) -> subprocess.Popen[bytes]:
        listening = self.socket.fileno()
        command = [sys.executable, "-m", "lab39.web.process", role, "--parent", str(parent)]
        if role == "web":
            command += ["--listen", str(listening)] + ["--reload"] * self.reload
        command += ["--text-logs"] * self.text_logs
        passed = (parent, listening) if role == "web" else (parent,)
        return subprocess.Popen(command, env=dict(environment), pass_fds=passed)  # noqa: S603

    def _answers(self) -> bool:
        """Whether a worker says that it lives (the socket alone would accept before any does)."""
        host, port = self.socket.getsockname()[:2]
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
        connection = http.client.HTTPConnection(host, port, timeout=1)
        try:
            connection.request("GET", "/healthz")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def _end(self) -> None:
        running = [each.process for each in self._kept if each.process is not None]
        for each in running:
            with contextlib.suppress(ProcessLookupError):
                each.terminate()
        until = time.monotonic() + GRACE_SECONDS
        for each in running:
            try:
                each.wait(timeout=max(until - time.monotonic(), 0))
            except subprocess.TimeoutExpired:
                each.kill()
                each.wait()
        self.socket.close()

    def _sign(self, environment: Mapping[str, str], parent: int) -> None:
        """A head of the audit log that covers what each of them wrote, however and whenever it ended."""
        last = self._start("head", environment, parent)
        try:
            last.wait(timeout=HEAD_SECONDS)
        except subprocess.TimeoutExpired:
            last.kill()
            last.wait()

    @contextlib.contextmanager
    def _told_to_stop(self) -> Iterator[None]:
        def stop(_number: int, _frame: FrameType | None) -> None:
            self.stop()

        before = {each: signal.signal(each, stop) for each in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    @contextlib.contextmanager
    def _parent(self) -> Iterator[int]:
        """A pipe whose other end only this process holds: it closes with it, even when it is killed."""
        read, write = os.pipe()
        os.set_inheritable(read, True)
        try:
            yield read
        finally:
            os.close(write)
            os.close(read)


def notify(state: str) -> None:
    """Tell systemd (``sd_notify``), when it asked to be told."""
    path = os.environ.get("NOTIFY_SOCKET", "")
    if not path:
        return
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as to:
        to.connect("\0" + path[1:] if path.startswith("@") else path)
        to.send(state.encode())


def _forget(folder: str, number: int) -> None:
    """What a process that is gone was doing counts no more; what it did still does."""
    for path in Path(folder).glob(f"gauge_live*_{number}.db"):
        path.unlink(missing_ok=True)
