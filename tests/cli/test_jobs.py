"""``lab39 jobs``."""

from __future__ import annotations

import os
import signal
from typing import Any

import pytest

from lab39.cli.jobs import age
from lab39.core.background import JobKind
from lab39.settings import Settings
from lab39.store import Store, jobs
from lab39.store.registry import Registry
from lab39.store.worker import Worker


@pytest.fixture
def store(run, monkeypatch):
    monkeypatch.setattr("lab39.core.lab.entry_points", dict)
    monkeypatch.delenv("LAB39_DATABASE_URL", raising=False)
    assert run("db", "migrate").code == 0
    opened = Store.of(Settings.from_env())
    yield opened
    opened.close()


def kinds(monkeypatch, handler: Any) -> None:
    registry = Registry.of([JobKind(name="test.job", handler=handler, max_attempts=1)])
    monkeypatch.setattr(Registry, "of_lab", classmethod(lambda cls: registry))


def add(store: Store, **payload: object) -> str:
    with store.writing() as tx:
        return jobs.add(tx, JobKind(name="test.job", handler=print, max_attempts=1), payload, at=store.clock()).id


def state(store: Store, job: str) -> str:
    with store.reading() as tx:
        return jobs.get(tx, job).state


def test_an_empty_queue_is_said_so_with_every_count(run, store):
    ran = run("jobs", "list")
    assert (ran.code, ran.out) == (0, "")
    assert "en attente 0" in ran.err
    assert run("jobs", "list", "--json").json == {
        "counts": {"queued": 0, "running": 0, "done": 0, "dead": 0, "cancelled": 0},
        "jobs": [],
    }


def test_a_worker_once_does_what_is_due_and_the_list_shows_it(run, store, monkeypatch):
    kinds(monkeypatch, lambda work: {"secret": "Madame Durand"})
    job = add(store, who="Madame Durand")
    assert "en attente" in run("jobs", "list").out
    ran = run("jobs", "run", "--once", "--json")
    assert (ran.code, ran.json["done"]) == (0, 1)
    listed = run("jobs", "list", "--state", "done", "--json")
    (shown,) = listed.json["jobs"]
    assert (shown["id"], shown["attempts"], shown["progress_fraction"]) == (job, 1, 1.0)
    assert "Durand" not in listed.out, "what a job works with and finds is not for the list"
    shown_to_a_person = run("--lang", "en", "jobs", "list").out
    for word in ("test.job", "done", "1/1", "100%"):
        assert word in shown_to_a_person


def test_a_dead_job_shows_why_and_is_retried_by_name_or_all_at_once(run, store, monkeypatch):
    def wrong(work: Any) -> None:
        raise ValueError("Madame Durand")

    kinds(monkeypatch, wrong)
    dead = [add(store), add(store)]
    run("jobs", "run", "--once")
    (one, two) = run("jobs", "list", "--state", "dead", "--json").json["jobs"]
    assert one["error"].startswith("ValueError at ")
    assert "ValueError at" in run("jobs", "list").out.replace("\n", " ")
    assert run("jobs", "retry", dead[0]).code == 0
    assert (state(store, dead[0]), state(store, dead[1])) == ("queued", "dead")
    assert run("jobs", "retry", "--all-dead", "--json").json["jobs"] == [{"id": dead[1], "state": "queued"}]
    assert two["id"] in dead


def test_retry_takes_all_or_nothing(run, store):
    job = add(store)
    run("jobs", "cancel", job)
    ran = run("jobs", "retry", job, "nothing")
    assert ran.code == 2
    assert "nothing" in ran.err
    assert state(store, job) == "cancelled"
    for words in ((), (job, "--all-dead")):
        assert run("jobs", "retry", *words).code == 2


def test_a_waiting_job_is_cancelled(run, store):
    job = add(store)
    assert run("jobs", "cancel", job, "--json").json["jobs"] == [{"id": job, "state": "cancelled"}]
    ran = run("jobs", "cancel", job)
    assert ran.code == 2
    assert "cancelled" in ran.err


def test_an_unknown_state_is_told_with_those_there_are(run, store):
    ran = run("jobs", "list", "--state", "lost")
    assert ran.code == 2
    assert "queued" in ran.err


def test_told_to_end_the_worker_finishes_what_it_does_and_ends_well(run, store, monkeypatch):
    kinds(monkeypatch, lambda work: os.kill(os.getpid(), signal.SIGTERM))
    job, other = add(store), add(store)
    before = signal.getsignal(signal.SIGTERM)
    assert run("jobs", "run").code == 0
    assert sorted([state(store, job), state(store, other)]) == ["done", "queued"]
    assert signal.getsignal(signal.SIGTERM) == before


def test_a_solution_that_does_not_load_is_told_and_ends_with_1(run, store, monkeypatch):
    registry = Registry.of(broken={"broken": "ImportError: on purpose"})
    monkeypatch.setattr(Registry, "of_lab", classmethod(lambda cls: registry))
    monkeypatch.setattr(Worker, "run_once", lambda self: False)
    ran = run("jobs", "run", "--once")
    assert ran.code == 1
    assert "on purpose" in ran.err


def test_an_age_is_told_in_its_largest_unit():
    import datetime as dt

    told = [age(dt.timedelta(seconds=s), "fr").replace("\u00a0", " ") for s in (-5, 0, 59, 60, 7200, 200_000)]
    assert told == ["0 s", "0 s", "59 s", "1 min", "2 h", "2 j"]
