"""Watches what a solution does while it assesses: connections, programs, files, the clock.

Audit hooks (PEP 578) see every connection and every file that is opened for writing, however the call was imported;
a profile function sees every call of a clock. Both stay for the life of the process, so they live in the probe's.
"""

from __future__ import annotations

import datetime as dt
import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

CONNECTIONS = (
    "socket.connect",
    "socket.bind",
    "socket.sendto",
    "socket.getaddrinfo",
    "socket.gethostbyname",
    "socket.gethostbyaddr",
)
PROGRAMS = ("subprocess.Popen", "os.system", "os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn")
CHANGES = ("os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.link", "os.symlink", "os.truncate", "os.chmod")
ADDING = ("os.link", "os.symlink")
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
CLOCKS = (time.time, time.time_ns, time.localtime, time.gmtime, time.ctime, time.strftime, time.clock_gettime)
CALENDARS = ("today", "now", "utcnow")
IMPORTING = "<frozen importlib._bootstrap>"
HARMLESS = (f"{os.sep}logging{os.sep}__init__.py",)
"""Stamps log lines, which are no part of what a solution says."""


@dataclass(slots=True)
class Guards:
    """What was seen.

    Args:
        folder: of the solution's own modules; a place inside it is the one shown.
        writable: where files may be written (``LAB39_HOME``).
    """

    folder: Path
    writable: Path
    network: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    clock: list[str] = field(default_factory=list)
    _closed: bool = False

    def install(self) -> None:
        """Start to listen; nothing is refused before :meth:`closed`."""
        sys.addaudithook(self._audit)

    @contextmanager
    def closed(self) -> Iterator[None]:
        """Inside the block, connections, programs and writing elsewhere are refused and noted."""
        self._closed = True
        try:
            yield
        finally:
            self._closed = False

    @contextmanager
    def clock_watched(self) -> Iterator[None]:
        """Inside the block, each reading of the clock is noted, in new threads too. It slows the work down."""
        threading.setprofile(self._profile)
        sys.setprofile(self._profile)
        try:
            yield
        finally:
            sys.setprofile(None)
            threading.setprofile(None)

    def _audit(self, event: str, args: tuple[Any, ...]) -> None:
        if not self._closed:
            return
        if event in CONNECTIONS or event in PROGRAMS:
            _once(self.network, f"{event}{self._target(args)}{self._place(sys._getframe(1))}")
            raise PermissionError(
                f"{event}: a solution opens no connection and starts no program while it assesses"
            )
        if event == "open" and isinstance(args[2], int) and args[2] & WRITING:
            self._written("open", args[0])
        elif event in CHANGES:
            for target in args[1:2] if event in ADDING else args[:2] if event == "os.rename" else args[:1]:
                self._written(event, target)
        elif event == "sqlite3.connect" and not str(args[0]).startswith((":memory:", "file:")):
            self._written(event, args[0])

    def _written(self, event: str, target: Any) -> None:
        if isinstance(target, int):
            return
        path = Path(os.fsdecode(target)).absolute()
        if path == Path(os.devnull) or path.is_relative_to(self.writable):
            return
        _once(self.files, f"{event} {path}{self._place(sys._getframe(2))}")
        raise PermissionError(f"{path}: a solution writes under LAB39_HOME only")

    def _profile(self, frame: FrameType, event: str, called: Any) -> None:
        if event != "c_call":
            return
        name = getattr(called, "__name__", "")
        owner = getattr(called, "__self__", None)
        if called in CLOCKS:
            what = f"time.{name}"
        elif name in CALENDARS and isinstance(owner, type) and issubclass(owner, dt.date):
            what = f"{owner.__name__}.{name}"
        else:
            return
        if not frame.f_code.co_filename.endswith(HARMLESS) and not self._imported_by_others(frame):
            _once(self.clock, what + self._place(frame))

    def _imported_by_others(self, frame: FrameType) -> bool:
        """Whether the call comes from loading a module that is not the solution's."""
        step: FrameType | None = frame
        while step is not None and not self._mine(step):
            if step.f_code.co_filename == IMPORTING:
                return True
            step = step.f_back
        return False

    def _mine(self, frame: FrameType) -> bool:
        return Path(frame.f_code.co_filename).is_relative_to(self.folder)

    def _place(self, frame: FrameType | None) -> str:
        while frame is not None:
            if self._mine(frame):
                inside = Path(frame.f_code.co_filename).relative_to(self.folder.parent)
                return f" ({inside}:{frame.f_lineno})"
            frame = frame.f_back
        return ""

    @staticmethod
    def _target(args: tuple[Any, ...]) -> str:
        shown = next((a for a in args if isinstance(a, str | tuple | list)), "")
        return f" {shown}" if shown else ""


def _once(seen: list[str], what: str) -> None:
    if what not in seen:
        seen.append(what)
