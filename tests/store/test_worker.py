"""The worker: it delivers, runs, and gives back."""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from lab39.core.background import JobError, JobKind, Subscription
from lab39.core.text import Text
from lab39.settings import Settings
from lab39.store import Store, StoreUnavailableError, events, jobs, worker
from lab39.store.context import OpenTransaction
from lab39.store.jobs import Job, State
from lab39.store.leases import LostLeaseError
from lab39.store.registry import DELIVER, Registry
from lab39.store.work import Interrupted, Work
from lab39.store.worker import Worker


@pytest.fixture
def working(store: Store) -> Callable[..., Worker]:
    """A worker that knows one kind of job, ``test.job``, and these subscriptions."""

    def make(handler: Any = None, *subscriptions: Subscription, wait: Any = None, **more: Any) -> Worker:
        kinds = [JobKind(name="test.job", handler=handler, **more)] if handler else []
        registry = Registry.of(kinds, subscriptions)
        return Worker(store, Settings(), registry, wait=wait or (lambda _: None), chance=random.Random(1))

    return make


def add(store: Store, **payload: Any) -> Job:
    with store.writing() as tx:
        return jobs.add(tx, "test.job", payload, at=store.clock())


def get(store: Store, job: Job) -> Job:
    with store.reading() as tx:
        return jobs.get(tx, job.id)


def publish(store: Store, topic: str = "skin.answered", **payload: Any) -> int:
    with store.writing() as tx:
        return events.publish(tx, topic, payload, at=store.clock()).sequence


def of_kind(store: Store, kind: str) -> tuple[Job, ...]:
    with store.reading() as tx:
        return jobs.find(tx, kind=kind)


def test_a_job_is_done_with_what_its_handler_gives(store: Store, working):
    job = add(store, a=2, b=3)
    at_work = working(lambda work: {"sum": work.payload["a"] + work.payload["b"]})
    assert at_work.run_once()
    assert not at_work.run_once()
    done = get(store, job)
    assert (done.state, done.result, done.progress_fraction, done.error) == (State.DONE, {"sum": 5}, 1.0, "")


def test_a_handler_is_named_as_module_and_function(store: Store, working):
    job = add(store)
    working("tests.store.handlers:noted").run_once()
    assert get(store, job).result == {"noted": job.id}


def test_a_handler_that_takes_the_transaction_is_kept_with_its_completion_or_not_at_all(store: Store, working):
    job = add(store)

    def write(tx: OpenTransaction, work: Work) -> str:
        work.progress("half", 0.5)
        tx.add_job("test.written", {})
        if work.job.attempts == 1:
            raise ValueError("Madame Durand, 7 mg")
        return "done"

    at_work = working(write, takes_tx=True)
    at_work.run_once()
    assert of_kind(store, "test.written") == ()
    failed = get(store, job)
    assert (failed.state, failed.attempts) == (State.QUEUED, 1)
    store.clock.forward(hours=1)
    at_work.run_once()
    assert len(of_kind(store, "test.written")) == 1
    assert get(store, job).state is State.DONE


def test_nobody_takes_a_job_whose_transaction_is_open_however_long_it_lasts(
    store: Store, second_store: Store, working
):
    if store.dialect == "sqlite":
        return  # there, nobody else writes meanwhile
    add(store)

    def slow(tx: OpenTransaction, work: Work) -> None:
        store.clock.forward(hours=1)
        assert not Worker(second_store, Settings(), at_work.registry)._work()

    at_work = working(slow, takes_tx=True)
    at_work.run_once()
    assert [job.state for job in of_kind(store, "test.job")] == [State.DONE]


def test_the_last_writes_of_a_long_job_are_kept_with_its_completion(store: Store, working):
    job = add(store)

    def write(work: Work) -> None:
        with work.finishing({"count": 1}) as tx:
            tx.add_job("test.written", {})

    working(write).run_once()
    assert len(of_kind(store, "test.written")) == 1
    assert get(store, job).result == {"count": 1}


def test_what_a_slow_worker_finishes_after_another_took_the_job_is_not_written(store: Store, working, caplog):
    job = add(store)
    runs: list[str] = []

    def slow(work: Work) -> None:
        runs.append(work.job.worker)
        if len(runs) == 1:
            store.clock.forward(hours=1)  # meanwhile, not a word
            assert working(slow).run_once()
        with work.finishing() as tx:
            tx.add_job("test.written", {})

    working(slow).run_once()
    assert len(set(runs)) == 2
    assert len(of_kind(store, "test.written")) == 1
    assert (get(store, job).state, get(store, job).attempts) == (State.DONE, 2)
    assert "another worker" in caplog.text


def test_an_error_is_told_by_its_kind_and_place_never_by_its_words(store: Store, working, caplog):
    job = add(store, name="Madame Durand")

    def wrong(work: Work) -> None:
        raise ValueError(work.payload["name"])

    with caplog.at_level(logging.DEBUG):
        working(wrong).run_once()
    failed = get(store, job)
    assert failed.error.startswith("ValueError at store/test_worker.py:")
    assert failed.error in caplog.text
    assert "Durand" not in failed.error + caplog.text


def test_an_error_made_to_be_told_is_told_in_its_words(store: Store, working):
    job = add(store)

    def wrong(work: Work) -> None:
        raise JobError(Text("le service ne répond pas", "the service does not answer"), "https://x")

    working(wrong).run_once()
    assert get(store, job).error == "https://x: the service does not answer"


@pytest.mark.parametrize("wrong", [lambda work: {1, 2}, lambda work: exit(3), "tests.store.handlers:absent"])
def test_a_handler_that_gives_no_json_or_ends_the_process_or_is_absent_is_a_failure(store: Store, working, wrong):
    job = add(store)
    working(wrong).run_once()
    assert (get(store, job).state, get(store, job).attempts) == (State.QUEUED, 1)
    assert get(store, job).error


def test_a_job_that_always_fails_is_dead_in_the_end_and_others_go_on(store: Store, working):
    def wrong(work: Work) -> None:
        if work.payload["bad"]:
            raise ValueError

    bad, good = add(store, bad=True), add(store, bad=False)
    at_work = working(wrong)
    for _ in range(20):
        at_work.run_until_idle()
        store.clock.forward(hours=2)
    assert (get(store, bad).state, get(store, bad).attempts) == (State.DEAD, 8)
    assert get(store, good).state is State.DONE


def test_progress_is_seen_while_the_job_runs(store: Store, working):
    job = add(store)
    seen: list[tuple[str, float | None]] = []

    def tell(work: Work) -> None:
        for what, fraction in (("read", None), ("too soon", 0.1), ("write", 0.5)):
            if what != "too soon":
                store.clock.forward(seconds=2)
            work.progress(what, fraction)
            now = get(store, job)
            seen.append((now.progress_what, now.progress_fraction))

    working(tell).run_once()
    assert seen == [("read", None), ("read", None), ("write", 0.5)]


def test_a_running_job_that_is_cancelled_stops_at_its_next_progress(store: Store, working):
    job = add(store)
    reached: list[str] = []

    def long(work: Work) -> None:
        with store.writing() as tx:
            jobs.cancel(tx, job.id, at=store.clock())
        try:
            work.progress()
        except Exception:
            reached.append("a handler that catches every Exception does not hold it")
        reached.append("never")

    working(long).run_once()
    assert reached == []
    assert get(store, job).state is State.CANCELLED


def test_a_worker_told_to_stop_gives_its_job_back_at_its_next_progress(store: Store, working):
    job = add(store)
    at_work = working()

    def long(work: Work) -> None:
        at_work.stop()
        work.progress()

    at_work.registry = Registry.of([JobKind(name="test.job", handler=long)])
    at_work.run()
    assert (get(store, job).state, get(store, job).attempts) == (State.QUEUED, 0)


def test_a_worker_told_to_stop_finishes_a_job_that_does_not_say_where_to_stop(store: Store, working):
    job = add(store)
    other = add(store)
    at_work = working()
    at_work.registry = Registry.of([JobKind(name="test.job", handler=lambda work: at_work.stop())])
    at_work.run()
    assert {get(store, job).state, get(store, other).state} == {State.DONE, State.QUEUED}


def test_an_idle_worker_waits_longer_and_longer_up_to_a_second_and_wakes_up_for_work(store: Store, working):
    waited: list[float] = []

    def wait(seconds: float) -> None:
        waited.append(seconds)
        if len(waited) == 8:
            add(store)
        if len(waited) == 10:
            at_work.stop()

    at_work = working(lambda work: None, wait=wait)
    at_work.run()
    assert waited == [0.05, 0.1, 0.2, 0.4, 0.8, 1.0, 1.0, 1.0, 0.05, 0.1]


def test_a_worker_waits_for_a_database_that_cannot_be_reached(store: Store, working, monkeypatch, caplog):
    waited: list[float] = []
    at_work = working(lambda work: None, wait=lambda seconds: (waited.append(seconds), at_work.stop()))

    def gone() -> bool:
        raise StoreUnavailableError(Text("la base a disparu", "the database is gone"))

    monkeypatch.setattr(at_work, "run_once", gone)
    at_work.run()
    assert waited == [worker.UNREACHABLE_WAIT]
    assert "the database is gone" in caplog.text


def test_the_lease_is_renewed_while_a_handler_that_tells_nothing_works(store: Store, working):
    job = add(store)
    renewed = threading.Event()

    def silent(work: Work) -> None:
        before = get(store, job).leased_until
        store.clock.forward(milliseconds=20)
        original = work.beat
        work.beat = lambda *said: (original(*said), renewed.set())  # type: ignore[method-assign]
        assert renewed.wait(10)
        assert get(store, job).leased_until > before

    at_work = working(silent)
    at_work.lease = worker.dt.timedelta(milliseconds=30)
    at_work.run_once()
    assert (get(store, job).state, get(store, job).attempts) == (State.DONE, 1)


def test_a_lost_lease_is_told_to_the_handler_at_its_next_progress(store: Store, working):
    add(store)
    told: list[type] = []

    def slow(work: Work) -> None:
        if told:
            return
        store.clock.forward(hours=1)
        told.append(Interrupted)
        working(slow).run_once()
        try:
            work.progress()
        except LostLeaseError as error:
            told.append(type(error))
            raise

    working(slow).run_once()
    assert told == [Interrupted, LostLeaseError]


def test_events_reach_their_subscriber_in_order_and_once(store: Store, working):
    heard: list[int] = []
    at_work = working(
        None, Subscription(name="test.ear", topics=("skin.*",), handler=lambda tx, e: heard.append(e.sequence))
    )
    publish(store)
    publish(store, "stress.high")
    publish(store)
    at_work.run_until_idle()
    publish(store)
    at_work.run_until_idle()
    assert heard == [1, 3, 4]


def test_what_a_subscriber_writes_and_its_place_are_kept_together(store: Store, working, monkeypatch):
    def note(tx: OpenTransaction, event: events.Event) -> None:
        tx.add_job("test.noted", {"event": event.sequence})

    at_work = working(None, Subscription(name="test.ear", topics=("*",), handler=note))
    for _ in range(3):
        publish(store)
    real = events.ack

    def dies(tx: sa.Connection, subscriber: str, sequence: int) -> None:
        real(tx, subscriber, sequence)
        if sequence == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(events, "ack", dies)
    with pytest.raises(KeyboardInterrupt):
        at_work.run_once()
    assert of_kind(store, "test.noted") == ()
    monkeypatch.undo()
    at_work.run_until_idle()
    assert sorted(job.payload["event"] for job in of_kind(store, "test.noted")) == [1, 2, 3]


def test_an_event_whose_handler_fails_is_tried_again_aside_and_dead_in_the_end_while_others_go_on(
    store: Store, working
):
    heard: list[int] = []

    def picky(tx: OpenTransaction, event: events.Event) -> None:
        tx.add_job("test.half", {})
        if event.payload.get("bad"):
            raise ValueError("Madame Durand")
        heard.append(event.sequence)

    other: list[int] = []
    at_work = working(
        None,
        Subscription(name="test.picky", topics=("*",), handler=picky),
        Subscription(name="test.other", topics=("*",), handler=lambda tx, e: other.append(e.sequence)),
    )
    publish(store)
    publish(store, bad=True)
    publish(store)
    at_work.run_until_idle()
    assert (heard, other) == ([1, 3], [1, 2, 3])
    assert len(of_kind(store, "test.half")) == 2, "what the failing handler wrote is undone"
    (again,) = of_kind(store, DELIVER)
    assert (again.payload, again.state) == ({"subscriber": "test.picky", "event": 2}, State.QUEUED)
    assert again.error.startswith("ValueError at ")
    for _ in range(20):
        store.clock.forward(hours=2)
        at_work.run_until_idle()
    (dead,) = of_kind(store, DELIVER)
    assert dead.state is State.DEAD
    assert len(of_kind(store, "test.half")) == 2


def test_an_event_that_failed_reaches_its_subscriber_when_it_is_tried_again(store: Store, working):
    heard: list[int] = []

    def moody(tx: OpenTransaction, event: events.Event) -> None:
        heard.append(event.sequence)
        if len(heard) == 1:
            raise ValueError

    at_work = working(None, Subscription(name="test.moody", topics=("*",), handler=moody))
    publish(store)
    at_work.run_until_idle()
    store.clock.forward(minutes=1)
    at_work.run_until_idle()
    assert heard == [1, 1]
    assert of_kind(store, DELIVER)[0].state is State.DONE


def test_a_handler_whose_statement_fails_spoils_nothing(store: Store, working):
    nonsense: Any = lambda tx, e: tx.connection.exec_driver_sql("nonsense")  # noqa: E731
    at_work = working(None, Subscription(name="test.sql", topics=("*",), handler=nonsense))
    publish(store)
    at_work.run_until_idle()
    with store.reading() as tx:
        assert events.acknowledged(tx) == {"test.sql": 1}
    assert len(of_kind(store, DELIVER)) == 1


def test_an_erased_event_is_not_delivered(store: Store, working):
    heard: list[int] = []
    publish(store)
    publish(store)
    with store.writing() as tx:
        tx.execute(events.events.update().where(events.events.c.sequence == 1).values(payload=sa.null()))
    subscription = Subscription(name="test.ear", topics=("*",), handler=lambda tx, e: heard.append(e.sequence))
    working(None, subscription).run_until_idle()
    assert heard == [2]


def test_the_place_of_a_subscriber_follows_though_nothing_is_for_it(store: Store, working, monkeypatch):
    monkeypatch.setattr(worker, "CATCH_UP", 3)
    at_work = working(None, Subscription(name="test.ear", topics=("skin.*",), handler=print))
    for _ in range(5):
        publish(store, "stress.high")
    at_work.run_until_idle()
    with store.reading() as tx:
        assert events.acknowledged(tx) == {"test.ear": 5}


def test_two_workers_at_once_do_everything_once(store: Store, second_store: Store):
    heard: list[int] = []
    done: list[str] = []
    lock = threading.Lock()

    def note(into: list[Any], value: Any) -> None:
        with lock:
            into.append(value)

    registry = Registry.of(
        [JobKind(name="test.job", handler=lambda work: note(done, work.job.id))],
        [Subscription(name="test.ear", topics=("*",), handler=lambda tx, e: note(heard, e.sequence))],
    )
    made = {add(store).id for _ in range(20)}
    sequences = [publish(store) for _ in range(30)]
    both = [Worker(each, Settings(), registry, wait=lambda _: None) for each in (store, second_store)]
    threads = [threading.Thread(target=each.run_until_idle) for each in both]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(done) == sorted(made)
    assert heard == sequences


def test_old_jobs_are_swept_once_a_day(store: Store, working):
    add(store)
    at_work = working(lambda work: None)
    at_work.run_until_idle()
    store.clock.forward(days=31)
    at_work.run_until_idle()
    assert of_kind(store, "test.job") == ()


class Solution:
    """What an entry point gives."""

    def __init__(self, kinds: tuple[JobKind, ...] = (), heard: tuple[Subscription, ...] = ()) -> None:
        self._kinds, self._heard = kinds, heard

    def jobs(self) -> tuple[JobKind, ...]:
        return self._kinds

    def subscriptions(self) -> tuple[Subscription, ...]:
        return self._heard


def test_solutions_bring_their_kinds_and_one_that_cannot_is_named_and_disturbs_no_other(monkeypatch, caplog, store):
    class Point:
        def __init__(self, *made: Any) -> None:
            self.made = made

        def load(self) -> Any:
            if not self.made:
                raise ImportError("on purpose")
            return lambda: Solution(*self.made)

    good = JobKind(name="good.work", handler=print)
    ear = Subscription(name="good.ear", topics=("skin.*",), handler=print)
    wrong_topic = Subscription(name="deaf.ear", topics=("Skin",), handler=print)
    points = {
        "good": Point((good,), (ear,)),
        "absent": Point(),
        "thief": Point((JobKind(name="good.other", handler=print),)),
        "deaf": Point((), (wrong_topic,)),
    }
    monkeypatch.setattr("lab39.core.lab.entry_points", lambda: points)
    registry = Registry.of_lab()
    assert set(registry.kinds) == {"lab.send-message", DELIVER, "good.work"}
    assert set(registry.subscriptions) == {"good.ear"}
    assert set(registry.broken) == {"absent", "thief", "deaf"}
    at_work = Worker(store, Settings(), registry)
    at_work.stop()
    at_work.run()
    assert "on purpose" in caplog.text


def test_an_event_for_a_subscriber_that_left_says_so(store: Store, working):
    with store.writing() as tx:
        sequence = events.publish(tx, "skin.answered", {}, at=store.clock()).sequence
        made = jobs.add(tx, DELIVER, {"subscriber": "gone.ear", "event": sequence}, at=store.clock())
    working().run_once()
    assert "no longer installed" in get(store, made).error
