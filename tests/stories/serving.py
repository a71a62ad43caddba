"""A lab served by a process of its own, that tests kill and start again."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from urllib.error import URLError

from lab39.settings import Settings
from lab39.store import Store, people, sessions
from lab39.store.migrate import migrate
from lab39.store.people import Role

ROOT = Path(__file__).parents[2]
STARTS_WITHIN_SECONDS = 90.0


class Served:
    """One lab on one port, over one home; ``start`` and ``kill`` as often as one likes."""

    def __init__(self, home: Path, app: str = "app") -> None:
        self.home, self.app = home, app
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.process: subprocess.Popen[bytes] | None = None
        ready = Settings.from_env().cache  # indexes compiled once for every test
        ready.mkdir(parents=True, exist_ok=True)
        home.mkdir(parents=True, exist_ok=True)
        (home / "cache").symlink_to(ready)
        with self.store() as store:
            migrate(store)

    def store(self) -> _Closing:
        """Its database, seen from here."""
        return _Closing(Store.of(Settings(home=self.home)))

    def start(self) -> None:
        """Begin to answer."""
        command = [
            sys.executable,
            "-m",
            "uvicorn",
            "--factory",
            f"tests.stories.served:{self.app}",
            "--port",
            str(self.port),
        ]
        env = os.environ | {
            "LAB39_HOME": str(self.home),
            "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}",
            "LAB39_LANG": "fr",
            "LAB39_TIME_LIMIT": "60",  # a story does not depend on how busy the machine is
        }
        log = (self.home / "server.log").open("ab")
        with log:
            self.process = subprocess.Popen(command, cwd=ROOT, env=env, stdout=log, stderr=log)
        end = time.monotonic() + STARTS_WITHIN_SECONDS
        while time.monotonic() < end:
            try:
                urllib.request.urlopen(f"{self.url}/static/icon.svg", timeout=5).close()
            except (URLError, ConnectionError, TimeoutError):
                assert self.process.poll() is None, (self.home / "server.log").read_text("utf-8", "replace")[-4000:]
                time.sleep(0.1)
            else:
                return
        raise AssertionError("the lab did not start")

    def kill(self) -> None:
        """End at once, as a power cut would."""
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            self.process = None

    def signed_in(self, name: str = "Dr Anne Valois", role: Role = Role.PROFESSIONAL) -> str:
        """The session of a new person."""
        with self.store() as store, store.writing() as tx:
            person = people.add(tx, name=name, at=store.clock(), given=[role])
            return sessions.start(tx, person.id, at=store.clock())


class _Closing:
    def __init__(self, store: Store) -> None:
        self._store = store

    def __enter__(self) -> Store:
        return self._store

    def __exit__(self, *_: object) -> None:
        self._store.close()
