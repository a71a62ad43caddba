"""``lab39 serve``: what it says, what it refuses, how its processes are kept, how it ends."""

from __future__ import annotations

import http.client
import itertools
import shutil
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from lab39.core.errors import InputError
from lab39.store import Store, audit, people
from lab39.store.migrate import migrate
from lab39.web import process, supervisor
from served import JOBS, WEB, Lab

pytestmark = pytest.mark.xdist_group("served")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """One lab for the tests that only look at it."""
    lab = Lab(tmp_path_factory.mktemp("served") / "home")
    lab.start()
    yield lab
    lab.kill()


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    """A lab that has not started."""
    made = Lab(tmp_path / "home")
    yield made
    made.kill()


def until(true: Callable[[], Any], seconds: float = 60) -> Any:
    end = time.monotonic() + seconds
    while not (found := true()):
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)
    return found


def roles_of(lab: Lab) -> list[str]:
    return sorted(role for _, role in lab.processes())


class TestRunning:
    def test_it_says_where_it_is_and_how_the_first_manager_comes_in(self, running: Lab):
        until(lambda: "First manager" in running.said)
        assert f"Lab39 is open: {running.url}" in running.said
        assert f"{running.url}/sign-in, code {running.first_code}" in running.said
        assert running.first_code not in running.logs

    def test_two_web_workers_and_one_for_jobs_run(self, running: Lab):
        until(lambda: roles_of(running) == [JOBS, WEB, WEB])

    def test_its_logs_are_json_and_hold_no_access_log(self, running: Lab):
        running.get("/solutions?q=Zibeline")
        rows = until(lambda: running.events("request"))
        assert "Zibeline" not in running.logs
        assert {row["route"] for row in rows} <= {"/readyz", "/solutions", "/metrics", "-"}

    def test_its_figures_are_those_of_every_worker(self, running: Lab):
        key = 'lab39_http_requests_total{method="GET",route="/fhir/metadata",status="200"}'

        def counted() -> float:
            rows = (line.rpartition(" ") for line in running.get("/metrics")[1].splitlines())
            return next((float(value) for name, _, value in rows if name == key), 0.0)

        before = counted()
        for _ in range(10):
            assert running.get("/fhir/metadata")[0] == 200
        assert [counted() for _ in range(5)] == [before + 10] * 5

    def test_it_does_not_say_what_it_runs_on(self, running: Lab):
        connection = http.client.HTTPConnection("127.0.0.1", running.port, timeout=10)
        connection.request("GET", "/healthz")
        assert connection.getresponse().getheader("server") is None
        connection.close()

    def test_headers_without_end_are_refused(self, running: Lab):
        connection = http.client.HTTPConnection("127.0.0.1", running.port, timeout=10)
        try:
            connection.request("GET", "/healthz", headers={f"x-{i}": "a" * 1000 for i in range(2000)})
            assert connection.getresponse().status == 400
        except ConnectionError:  # it was closed before all was sent
            pass
        finally:
            connection.close()

    def test_a_second_one_on_its_port_is_refused(self, running: Lab, run):
        refused = run("--lang", "en", "serve", "--port", running.port)
        assert refused.code == 2
        assert "this port is taken" in refused.err

    def test_a_worker_that_is_killed_is_started_again(self, running: Lab):
        for role in (WEB, JOBS):
            until(lambda: roles_of(running) == [JOBS, WEB, WEB])
            killed = running.kill_one(role)
            until(lambda: killed not in dict(running.processes()) and roles_of(running) == [JOBS, WEB, WEB])  # noqa: B023
            assert f"the {role} process {killed} ended (-9); it is started again" in running.said
            assert running.get("/readyz")[0] == 200


def test_it_creates_its_database_stops_in_order_and_signs_the_last_head(lab: Lab):
    lab.start("--workers", "1")
    code = until(lambda: lab.first_code)
    until(lambda: lab.events("audit head signed"))
    store = lab.store()
    with store.writing() as tx:
        people.add(tx, name="Ana", at=store.clock())
        audit.append(tx, at=store.clock(), actor="", action="account")
    store.close()
    children = [number for number, _ in lab.processes()]
    assert lab.stop() == 0
    assert "the lab is closed" in lab.said
    assert not any(Path(f"/proc/{number}").exists() for number in children)
    assert [row["entries"] for row in lab.events("audit head signed")] == [0, 1]
    lab.start("--workers", "1", "--no-jobs")
    assert lab.said.count("code") == 1, "somebody is in it: no code is shown"
    assert lab.first_code == code
    assert roles_of(lab) == [WEB]


def test_a_request_on_its_way_is_answered_before_it_stops(lab: Lab):
    lab.start("--workers", "1", "--no-jobs")
    body = b'{"resourceType": "Patient", "birthDate": "1950-01-01"}'
    head = "POST /api/v1/assess?on=2026-11-24 HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
    head += f"content-length: {len(body)}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", lab.port)) as half:
        half.sendall(head.encode() + body[:10])
        until(lambda: "lab39_http_requests_in_flight 2.0" in lab.get("/metrics")[1])
        assert lab.process is not None
        lab.process.send_signal(signal.SIGTERM)
        until(lambda: "Shutting down" in lab.logs)
        half.sendall(body[10:])
        assert half.recv(100).startswith(b"HTTP/1.1 200")
    assert lab.process.wait(60) == 0


def test_its_processes_end_when_it_is_killed(lab: Lab):
    lab.start()
    until(lambda: roles_of(lab) == [JOBS, WEB, WEB])
    assert lab.kill_supervisor() < 60
    lab.start()


def test_a_database_of_a_newer_version_is_refused_before_anything_runs(lab: Lab):
    store = lab.store()
    migrate(store)
    with store.writing() as tx:
        tx.execute(sa.text("INSERT INTO alembic_version VALUES ('9999_later')"))
    store.close()
    lab.begin()
    assert lab.process is not None
    assert lab.process.wait(60) == 2
    assert "written by a newer version" in lab.said
    assert lab.logs == ""


def test_a_process_that_cannot_start_ends_the_lab_with_its_reason_in_the_logs(lab: Lab, tmp_path: Path):
    (tmp_path / "uvicorn.py").write_text("raise RuntimeError")
    lab.env["PYTHONPATH"] = str(tmp_path)
    lab.begin("--no-jobs")
    assert lab.process is not None
    assert lab.process.wait(90) == 1
    assert "a process ends as soon as it starts; see the logs above" in lab.said
    assert lab.events("stopped")


# --- refusals, in this process ----------------------------------------------------------------------------------


def test_a_database_that_is_behind_is_refused_without_migrations(run):
    refused = run("--lang", "en", "serve", "--port", 0, "--no-migrate")
    assert refused.code == 2
    assert "run “lab39 db migrate”" in refused.err


def test_a_folder_that_cannot_be_written_to_is_refused(run, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("LAB39_HOME", str(tmp_path / "file" / "home"))
    refused = run("--lang", "en", "serve", "--port", 0)
    assert refused.code == 2
    assert "the lab's folder cannot be written to (Not a directory)" in refused.err


@pytest.mark.parametrize(
    ("setting", "content", "said"),
    [
        ("LAB39_OIDC_FILE", '[provider.psc]\ntitle = "P"\n', "psc.issuer"),
        ("LAB39_CDS_CLIENTS_FILE", "[[client]]\n", "issuer"),
        ("LAB39_HOME/keys/web.key", "", "32"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_with_its_place_before_anything_runs(
    run, tmp_path, monkeypatch, setting, content, said
):
    path = tmp_path / "home/keys/web.key" if "/" in setting else tmp_path / "given.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    if "/" not in setting:
        monkeypatch.setenv(setting, str(path))
    monkeypatch.setenv("LAB39_URL", "https://lab.example.org")
    done = run("--lang", "en", "serve", "--port", "0")
    assert done.code == 2
    assert str(path) in done.err
    assert said in done.err


@pytest.mark.parametrize("zone", ["Nope", "../etc/passwd", ""])
def test_a_time_zone_that_does_not_exist_is_refused_by_every_command(run, monkeypatch, zone):
    monkeypatch.setenv("LAB39_TIMEZONE", zone)
    done = run("--home", "nowhere", "solutions")
    assert done.code == 2
    assert "LAB39_TIMEZONE" in done.err


def test_a_database_that_cannot_be_reached_is_refused(run, monkeypatch):
    monkeypatch.setenv("LAB39_DATABASE_URL", "postgresql+psycopg://lab:hunter2@/x?host=/nonexistent")
    refused = run("--lang", "en", "serve", "--port", 0)
    assert refused.code == 2
    assert "the database cannot be reached" in refused.err
    assert "hunter2" not in refused.err


@pytest.mark.parametrize(("host", "said"), [("192.0.2.1", "not an address of this machine")])
def test_an_address_of_another_machine_is_refused(run, host, said):
    refused = run("--lang", "en", "serve", "--host", host, "--port", 0)
    assert refused.code == 2
    assert said in refused.err


def test_a_reserved_port_is_told(monkeypatch):
    def refuse(*_: Any) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(socket.socket, "bind", refuse)
    with pytest.raises(InputError, match="reserved for the system"):
        supervisor.listen("127.0.0.1", 80)


# --- the supervisor, with processes of the tests' own -------------------------------------------------------------


class Programs(supervisor.Supervisor):
    """Runs a line of Python for each role instead of a lab."""

    alive = True

    def __init__(self, lines: dict[str, str]) -> None:
        super().__init__(supervisor.listen("127.0.0.1", 0), jobs="jobs" in lines)
        self.lines = lines

    def _start(self, role, environment, parent):
        import subprocess

        return subprocess.Popen([sys.executable, "-c", self.lines[role]], env=dict(environment), pass_fds=(parent,))

    def _answers(self):
        return self.alive


SLEEP = "import time; time.sleep(60)"
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); time.sleep(60)"


def test_one_that_does_not_end_is_killed_after_its_time(monkeypatch):
    monkeypatch.setattr(supervisor, "GRACE_SECONDS", 1.0)
    kept = Programs({"web": STUBBORN})
    found: list[int] = []

    def ready() -> None:
        found.extend(kept.processes)
        time.sleep(0.5)
        kept.stop()

    kept.run(ready)
    assert found
    assert not Path(f"/proc/{found[0]}").exists()


def test_one_that_ends_again_and_again_is_started_after_longer_and_longer_pauses(monkeypatch):
    kept = Programs({"web": SLEEP, "jobs": "pass", "head": "pass"})
    said: list[str] = []
    kept.said = lambda text: said.append(text.en)
    now = [0.0]
    dues: list[float] = []

    def sleep(seconds: float) -> None:
        now[0] += seconds
        jobs = kept._kept[-1]
        if jobs.process is not None:
            jobs.process.wait()
        if jobs.due > (dues[-1] if dues else 0.0):
            dues.append(jobs.due)
        if len(dues) == 9:
            kept.stop()

    monkeypatch.setattr(supervisor.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(supervisor.time, "sleep", sleep)
    kept.run()
    pauses = [round(b - a) for a, b in itertools.pairwise(dues)]
    assert pauses == sorted(pauses)
    assert pauses[-1] == supervisor.LONGEST_PAUSE
    assert len(said) >= 9


def test_the_last_head_is_signed_when_all_have_ended_even_if_no_worker_for_jobs_ran(tmp_path, monkeypatch):
    signed = tmp_path / "signed"
    kept = Programs(
        {"web": SLEEP, "jobs": "pass", "head": f"import pathlib; pathlib.Path({str(signed)!r}).touch()"}
    )
    found: list[int] = []

    def ready() -> None:
        found.extend(kept.processes)
        kept.stop()

    end = kept._end
    monkeypatch.setattr(kept, "_end", lambda: (end(), found.append(signed.exists())))
    kept.run(ready)
    assert found[-1] is False
    assert signed.exists()


def test_a_last_head_that_takes_too_long_is_left(monkeypatch):
    monkeypatch.setattr(supervisor, "HEAD_SECONDS", 0.2)
    kept = Programs({"web": SLEEP, "jobs": "pass", "head": STUBBORN})
    start, heads = kept._start, []

    def started(role, environment, parent):
        made = start(role, environment, parent)
        if role == "head":
            heads.append(made)
        return made

    monkeypatch.setattr(kept, "_start", started)
    kept.run(kept.stop)
    assert [each.returncode for each in heads] == [-signal.SIGKILL]


def test_the_service_manager_is_told_when_the_lab_is_ready_and_when_it_stops(tmp_path, monkeypatch):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(5)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        kept = Programs({"web": SLEEP})
        kept.run(kept.stop)
        assert [manager.recv(100), manager.recv(100)] == [b"READY=1", b"STOPPING=1"]


def test_a_head_that_cannot_be_signed_is_logged_and_stops_nothing(tmp_path, caplog):
    from lab39.settings import Settings

    settings = Settings(home=tmp_path)
    store = Store.of(settings)
    process.sign_head(store, settings)  # no table yet
    migrate(store)
    process.sign_head(store, settings)
    shutil.rmtree(tmp_path / "heads")
    (tmp_path / "heads").write_text("in the way")
    with store.writing() as tx:
        people.add(tx, name="Ana", at=store.clock())
    process.sign_head(store, settings)
    store.close()
    events = [record.msg["event"] for record in caplog.records if isinstance(record.msg, dict)]
    assert events.count("audit head not signed") == 2
