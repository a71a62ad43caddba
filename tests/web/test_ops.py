"""Health, readiness, figures: what monitoring reads, and nobody else."""

from __future__ import annotations

import re

import pytest
import sqlalchemy as sa
from starlette.testclient import TestClient
from tests.core import makers
from tests.web.people import house_of, signed_in
from tests.web.systems import JSON, bundle

from lab39.core.errors import PackMissingError
from lab39.core.text import Text
from lab39.store import StoreUnavailableError, jobs
from lab39.web import ops


@pytest.fixture
def monitor(client: TestClient) -> TestClient:
    """Somebody on the machine itself."""
    return TestClient(client.app, client=("127.0.0.1", 50000), raise_server_exceptions=False)


def figures(client: TestClient) -> dict[str, float]:
    answer = client.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    rows = [line.rpartition(" ") for line in answer.text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in rows}


def test_a_process_lives_though_its_database_is_gone(client):
    house_of(client).store.close()
    for path in house_of(client).settings.home.glob("lab39.db*"):
        path.unlink()
    assert client.get("/healthz").json() == {"status": "alive"}


def test_a_lab_is_ready_when_its_database_its_folder_and_its_migrations_are(monitor):
    answer = monitor.get("/readyz")
    assert answer.status_code == 200
    assert answer.json()["status"] == "ready"
    assert {c["name"]: c["status"] for c in answer.json()["checks"]} == {
        "database": "ok",
        "migrations": "ok",
        "files": "ok",
        "folder": "ok",
    }


def test_a_lab_whose_database_is_gone_is_not_ready_and_says_so(monitor):
    monitor.get("/readyz")
    for path in house_of(monitor).settings.home.glob("lab39.db*"):
        path.unlink()
    answer = monitor.get("/readyz")
    assert (answer.status_code, answer.json()["status"]) == (503, "not ready")
    assert "gone" in answer.json()["checks"][0]["reason"]["en"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("DELETE FROM alembic_version", "run “lab39 db migrate”"),
        ("INSERT INTO alembic_version VALUES ('9999_later')", "written by a newer version"),
    ],
)
def test_a_database_of_another_shape_is_not_ready_and_says_so(monitor, change, said):
    with house_of(monitor).store.writing() as tx:
        tx.execute(sa.text(change))
    answer = monitor.get("/readyz")
    assert answer.status_code == 503
    (wrong,) = (c for c in answer.json()["checks"] if c["status"] == "failed")
    assert wrong["name"] == "migrations"
    assert said in wrong["reason"]["en"]


def test_a_folder_that_cannot_be_written_to_is_not_ready(monitor, monkeypatch):
    home, access = house_of(monitor).settings.home, ops.os.access
    monkeypatch.setattr(ops.os, "access", lambda path, mode: path != home and access(path, mode))
    answer = monitor.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["checks"][-1]["reason"]["fr"] == "le dossier du laboratoire ne peut être écrit"


def test_a_bucket_that_does_not_answer_makes_the_lab_less_not_unready(monitor, monkeypatch):
    def silent(_: object) -> None:
        raise StoreUnavailableError(Text.same("no route"), "LAB39_BLOBS")

    monkeypatch.setattr("lab39.store.blobstores.Folder.check", silent)
    answer = monitor.get("/readyz")
    assert answer.status_code == 200
    (reduced,) = (c for c in answer.json()["checks"] if c["status"] == "reduced")
    assert (reduced["name"], reduced["reason"]["en"]) == ("files", "no route")


def test_a_solution_that_does_not_load_makes_the_lab_less_not_unready(open_lab, settings):
    lab = makers.lab(home=settings.home, broken={"frailty": "ImportError: with a text"})
    monitor = TestClient(open_lab(lab=lab).app, client=("127.0.0.1", 50000))
    answer = monitor.get("/readyz")
    assert answer.status_code == 200
    assert answer.json()["checks"][-1]["name"] == "solution frailty"
    assert answer.json()["checks"][-1]["status"] == "reduced"
    assert "with a text" not in answer.text


def test_others_learn_whether_the_lab_is_ready_and_no_more(client):
    assert client.get("/readyz").json() == {"status": "ready"}
    assert client.get("/metrics").status_code == 404


def test_a_manager_elsewhere_reads_no_figures_either(client):
    signed_in(client, "manager")
    assert client.get("/metrics").status_code == 404


@pytest.mark.parametrize("name", ["X-Forwarded-For", "Forwarded", "X-Real-IP"])
def test_what_a_proxy_passed_on_does_not_come_from_this_machine(monitor, name):
    assert monitor.get("/metrics", headers={name: "127.0.0.1"}).status_code == 404
    assert "checks" not in monitor.get("/readyz", headers={name: "127.0.0.1"}).json()


@pytest.mark.parametrize(
    ("address", "status"),
    [("10.1.2.3", 200), ("10.2.2.3", 404), ("::ffff:10.1.9.9", 200), ("fd00::1", 404), ("nonsense", 404)],
)
def test_the_addresses_that_may_read_them_are_a_setting(open_lab, address, status):
    app = open_lab(monitors=("10.1.0.0/16",)).app
    assert TestClient(app, client=(address, 1)).get("/metrics").status_code == status


def test_requests_are_counted_by_template_and_status(monitor):
    signed_in(monitor, "professional")
    for name in ("one", "another"):
        monitor.get(f"/api/v1/solutions/{name}")
    monitor.get("/nowhere/Elise-Durand")
    monitor.request("DURAND", "/")
    monitor.get("/static/web.css")
    found = figures(monitor)
    counted = {name: n for name, n in found.items() if name.startswith("lab39_http_requests_total")}
    assert counted == {
        'lab39_http_requests_total{method="GET",route="/api/v1/solutions/{solution}",status="404"}': 2,
        'lab39_http_requests_total{method="GET",route="-",status="404"}': 1,
        'lab39_http_requests_total{method="OTHER",route="/",status="405"}': 1,
        'lab39_http_requests_total{method="GET",route="/static",status="200"}': 1,
    }
    key = 'lab39_http_request_seconds_count{method="GET",route="/api/v1/solutions/{solution}"}'
    assert found[key] == 2
    assert found["lab39_http_requests_in_flight"] == 1  # this one


def test_assessments_are_counted_by_solution_and_outcome(open_lab, settings):
    def fails(*_):
        raise ValueError("Élise Durand")

    def lacks(*_):
        raise PackMissingError(Text.same("lab39 data install x"))

    lab = makers.lab(
        makers.solution("finds", lambda *_: [makers.finding()]),
        makers.solution("silent", lambda *_: []),
        makers.solution("fails", fails),
        makers.solution("lacks", lacks),
        home=settings.home,
    )
    monitor = TestClient(open_lab(lab=lab).app, client=("127.0.0.1", 50000))
    assert monitor.post("/api/v1/assess", json=bundle(), headers=JSON).status_code == 200
    found = figures(monitor)
    assert {name: n for name, n in found.items() if name.startswith("lab39_assessments_total")} == {
        'lab39_assessments_total{outcome="findings",solution="finds"}': 1,
        'lab39_assessments_total{outcome="nothing",solution="silent"}': 1,
        'lab39_assessments_total{outcome="could-not-run",solution="fails"}': 1,
        'lab39_assessments_total{outcome="pack-missing",solution="lacks"}': 1,
    }
    assert found["lab39_audit_entries"] == 1


def test_the_queue_is_measured(monitor):
    here = house_of(monitor)
    with here.store.writing() as tx:
        jobs.add(tx, "lab.something", {}, at=here.now())
        jobs.add(tx, "lab.something", {}, at=here.now())
    here.store.clock.forward(minutes=2)
    found = figures(monitor)
    assert found['lab39_jobs{state="queued"}'] == 2
    assert found['lab39_jobs{state="dead"}'] == 0
    assert found["lab39_job_wait_seconds"] == 120
    assert found["lab39_database_up"] == 1


def test_what_a_database_that_is_gone_cannot_tell_is_absent_not_zero(monitor):
    house_of(monitor).store.close()
    for path in house_of(monitor).settings.home.glob("lab39.db*"):
        path.unlink()
    found = figures(monitor)
    assert found["lab39_database_up"] == 0
    assert not any(name.startswith(("lab39_jobs", "lab39_audit", "lab39_messages")) for name in found)


def test_packs_are_told_with_their_age(open_lab, clock):
    from lab39.core.lab import Lab
    from lab39.settings import Settings

    app = open_lab(lab=Lab.discover(Settings(), ["raredisease"])).app
    found = figures(TestClient(app, client=("127.0.0.1", 50000)))
    assert found['lab39_pack_installed{pack="hpo"}'] == 1
    assert found['lab39_pack_installed{pack="hpo-fr"}'] in (0, 1)
    assert found['lab39_pack_age_days{pack="hpo"}'] > 300


def test_no_figure_carries_an_identifier(monitor):
    ana = signed_in(monitor, "professional")
    made = monitor.post("/api/v1/records?title=ordonnance", json=bundle(), headers=JSON).json()
    monitor.get(f"/records/{made['id']}")
    text = monitor.get("/metrics").text
    assert 'route="/records/{record}"' in text
    assert not re.search(r"[0-9a-f]{32}", text)
    assert ana.display_name not in text
