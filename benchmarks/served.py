"""A lab served by the command that operators type, in processes of its own, to be looked at, stopped and killed."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lab39.settings import Settings
from lab39.store import Store

ROOT = Path(__file__).parents[1]
STARTS_WITHIN_SECONDS = 120.0
WEB, JOBS = "web", "jobs"


class Lab:
    """One lab on one port, over one home. It leads a process group of its own, which is what is killed.

    Args:
        home: its folder; compiled indexes are those of this machine's own lab, made once.
        database: URL; SQLite in ``home`` when empty.
        env: settings besides.
    """

    def __init__(self, home: Path, *, database: str = "", env: Mapping[str, str] | None = None) -> None:
        self.home = home
        self.port = free_port()
        self.settings = Settings(home=home, database=database)
        self.env = os.environ | {"LAB39_HOME": str(home), "LAB39_LANG": "en", **(env or {})}
        self.env.pop("LAB39_DATABASE_URL", None)
        if database:
            self.env["LAB39_DATABASE_URL"] = database
        self.process: subprocess.Popen[bytes] | None = None
        compiled = Settings.from_env().cache
        compiled.mkdir(parents=True, exist_ok=True)
        home.mkdir(parents=True, exist_ok=True)
        if not (home / "cache").exists():
            (home / "cache").symlink_to(compiled, target_is_directory=True)

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    def begin(self, *options: str) -> None:
        """Start it, without waiting for it to answer."""
        command = [str(Path(sys.executable).parent / "lab39"), "serve", "--port", str(self.port), *options]
        with (self.home / "logs.jsonl").open("ab") as logs, (self.home / "said.txt").open("ab") as said:
            self.process = subprocess.Popen(
                command, env=self.env, stdout=logs, stderr=said, cwd=ROOT, start_new_session=True
            )

    def start(self, *options: str) -> float:
        """Start it; the seconds until it was ready."""
        began, said = time.monotonic(), self.said
        self.begin(*options)
        while time.monotonic() - began < STARTS_WITHIN_SECONDS:
            assert self.process is not None
            if self.process.poll() is not None:
                raise RuntimeError(f"the lab ended by itself: {self.said}\n{self.logs[-3000:]}")
            if self.get("/readyz")[0] == 200 and "is open" in self.said[len(said) :]:
                return time.monotonic() - began
            time.sleep(0.02)
        raise RuntimeError(f"the lab did not start: {self.said}\n{self.logs[-3000:]}")

    def stop(self) -> int:
        """Ask it to end, as an operator does; its exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(60)
        self.process = None
        return code

    def kill(self) -> None:
        """Everything ends at once, as in a power cut."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.process = None

    def kill_supervisor(self) -> float:
        """The supervisor alone is killed; the seconds until its processes had ended by themselves."""
        assert self.process is not None
        orphans, began = [number for number, _ in self.processes()], time.monotonic()
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        while any(_runs(number) for number in orphans):
            if time.monotonic() - began > 60:
                raise RuntimeError("processes survive their supervisor")
            time.sleep(0.02)
        self.process = None
        return time.monotonic() - began

    def kill_one(self, role: str, which: int = 0) -> int:
        """One process is killed; its number, or 0 when none of this role runs at the moment."""
        found = [number for number, other in self.processes() if other == role]
        if not found:
            return 0
        number = found[which % len(found)]
        with contextlib.suppress(ProcessLookupError):
            os.kill(number, signal.SIGKILL)
        return number

    def processes(self) -> list[tuple[int, str]]:
        """The processes the supervisor keeps, each with its role."""
        assert self.process is not None
        folder = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        found = []
        for number in folder.read_text().split() if folder.exists() else []:
            with contextlib.suppress(OSError):
                words = Path(f"/proc/{number}/cmdline").read_bytes().split(b"\0")
                if b"lab39.web.process" in words:
                    found.append((int(number), words[words.index(b"lab39.web.process") + 1].decode()))
        return found

    def get(self, path: str) -> tuple[int, str]:
        """The status of a page and what it says; 0 when nobody answers."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        except (OSError, http.client.HTTPException):
            return 0, ""
        finally:
            connection.close()

    def store(self) -> Store:
        """Its database, seen from here; to be closed."""
        return Store.of(self.settings)

    @property
    def said(self) -> str:
        """What it told the person who started it."""
        path = self.home / "said.txt"
        return path.read_text("utf-8") if path.exists() else ""

    @property
    def logs(self) -> str:
        """Its logs."""
        return (self.home / "logs.jsonl").read_text("utf-8")

    def events(self, name: str) -> list[dict[str, Any]]:
        """The log lines of one event."""
        rows = [json.loads(line) for line in self.logs.splitlines()]
        return [row for row in rows if row["event"] == name]

    @property
    def first_code(self) -> str:
        """The code of the first manager, as it was shown."""
        found = re.findall(r"code ((?:[A-Z2-7]{5}-){3}[A-Z2-7]{5})", self.said)
        return str(found[-1]) if found else ""


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _runs(number: int) -> bool:
    try:
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
