"""A throw-away PostgreSQL: its own folder, a Unix socket only, gone with the tests."""

from __future__ import annotations

import contextlib
import os
import pwd
import re
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Any

import psycopg

USER = "postgres"
FAST = ("fsync=off", "full_page_writes=off", "max_connections=60", "shared_buffers=32MB", "autovacuum=off")


def programs() -> Path | None:
    """The folder of the newest server installed."""
    found = [*Path("/usr/lib/postgresql").glob("*/bin/initdb"), *filter(None, [_which("initdb")])]
    newest = sorted(found, key=lambda path: [int(n) for n in re.findall(r"\d+", str(path))])
    return newest[-1].parent if newest else None


def why_absent() -> str:
    """What to install when there is no server to start; empty when there is one."""
    if programs() is None:
        return "no PostgreSQL server here: apt-get install postgresql"
    if os.getuid() == 0:
        try:
            pwd.getpwnam(USER)
        except KeyError:
            return f"PostgreSQL refuses to run as root and there is no user {USER!r}: apt-get install postgresql"
    return ""


class Cluster:
    """One server; ``stop`` and ``start`` let a test see it go and come back."""

    def __init__(self) -> None:
        found = programs()
        assert found is not None
        self.programs = found
        self.folder = Path(tempfile.mkdtemp(prefix="lab39-pg-"))
        self._as: dict[str, Any] = {}
        if os.getuid() == 0:
            entry = pwd.getpwnam(USER)
            self._as = {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
            os.chown(self.folder, entry.pw_uid, entry.pw_gid)
        self.server: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Cluster:
        command = [self.programs / "initdb", "-D", self.folder / "data", "-U", USER, "-A", "trust", "-N"]
        self._run([*command, "-E", "UTF8", "--locale=C.UTF-8"])
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def start(self) -> None:
        options = [word for option in FAST for word in ("-c", option)]
        command = [self.programs / "postgres", "-D", self.folder / "data", "-k", self.folder, "-h", "", *options]
        with (self.folder / "log").open("ab") as log:
            self.server = subprocess.Popen(command, stdout=log, stderr=log, cwd="/", **self._as)
        for _ in range(600):
            with contextlib.suppress(psycopg.OperationalError):
                psycopg.connect(self._dsn(USER)).close()
                return
            assert self.server.poll() is None, (self.folder / "log").read_text()
            time.sleep(0.05)
        raise AssertionError((self.folder / "log").read_text())

    def stop(self) -> None:
        if self.server is not None:
            self.server.send_signal(signal.SIGINT)  # fast shutdown: sessions are ended
            self.server.wait(timeout=30)
            self.server = None

    def url(self, database: str) -> str:
        """For SQLAlchemy."""
        return f"postgresql+psycopg://{USER}@/{database}?host={self.folder}"

    def create(self, database: str, template: str = "template0") -> None:
        self._sql(f"CREATE DATABASE {database} TEMPLATE {template} STRATEGY FILE_COPY")

    def drop(self, database: str) -> None:
        self._sql(f"DROP DATABASE IF EXISTS {database} WITH (FORCE)")

    def _sql(self, statement: str) -> None:
        with psycopg.connect(self._dsn(USER), autocommit=True) as connection:
            connection.execute(statement)  # type: ignore[call-overload]

    def _dsn(self, database: str) -> str:
        return f"host={self.folder} user={USER} dbname={database}"

    def _run(self, command: list[Any]) -> None:
        done = subprocess.run(command, capture_output=True, text=True, cwd="/", check=False, **self._as)
        assert done.returncode == 0, done.stderr


def _which(name: str) -> Path | None:
    found = shutil.which(name)
    return Path(found).resolve() if found else None
