"""The queue of jobs: what is added is done once, whoever is killed."""

from __future__ import annotations

import datetime as dt
import random
import threading
from typing import Any

import hypothesis.strategies as st
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck
from hypothesis import settings as examples
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, multiple, rule, run_state_machine_as_test
from tests.store.conftest import MovableClock
from tests.store.houses import person

from lab39.core.background import JobKind
from lab39.core.errors import InputError
from lab39.store import Store, jobs, leases
from lab39.store.jobs import Job, JobStateError, State, UnknownJobError
from lab39.store.leases import Lease, LostLeaseError
from lab39.store.privacy import erase_person, export_person

MINUTE = dt.timedelta(minutes=1)
KINDS = {"test.count": JobKind(name="test.count", handler=print, max_attempts=3)}
KIND = KINDS["test.count"]


def add(store: Store, number: int = 1, **more: Any) -> Job:
    with store.writing() as tx:
        return jobs.add(tx, KIND, {"number": number}, at=store.clock(), **more)


def claim(store: Store, worker: str = "w1", kinds=KINDS) -> Job | None:
    with store.writing() as tx:
        return leases.claim(tx, worker, kinds, at=store.clock(), lease=MINUTE)


def get(store: Store, job: Job) -> Job:
    with store.reading() as tx:
        return jobs.get(tx, job.id)


def fail(store: Store, job: Job, kinds=KINDS) -> Job:
    with store.writing() as tx:
        return leases.fail(
            tx, Lease.of(job), at=store.clock(), error="ValueError at x.py:1", again=MINUTE, kinds=kinds
        )


def complete(store: Store, job: Job, result: Any = None) -> Job:
    with store.writing() as tx:
        return leases.complete(tx, Lease.of(job), at=store.clock(), result=result)


def test_a_job_exists_when_the_transaction_that_adds_it_does(store: Store):
    def half() -> None:
        with store.writing() as tx:
            jobs.add(tx, KIND, {}, at=store.clock())
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        half()
    assert claim(store) is None
    kept = add(store, 7)
    assert (kept.state, kept.payload, kept.attempts, kept.progress_fraction) == (
        State.QUEUED,
        {"number": 7},
        0,
        None,
    )
    assert get(store, kept) == kept


def test_added_again_with_its_key_it_is_the_first_one(store: Store):
    first = add(store, 1, key="r1")
    assert add(store, 2, key="r1") == first
    assert add(store, 3, key="r2") != first
    with store.writing() as tx:
        assert jobs.add(tx, "test.other", {}, "r1", at=store.clock()).id != first.id, "a key is one of a kind"
    assert add(store).id != add(store).id, "without a key, each is its own"


def test_two_that_add_the_same_key_at_once_are_given_the_same_job(store: Store, second_store: Store):
    found: list[Job] = []
    with store.writing() as tx:
        mine = jobs.add(tx, KIND, {}, "once", at=store.clock())
        other = threading.Thread(target=lambda: found.append(add(second_store, key="once")))
        other.start()
    other.join()
    assert found[0].id == mine.id


def test_a_payload_that_is_not_json_or_too_large_is_refused_without_being_shown(store: Store):
    for payload in ({"x": {1}}, {"x": float("nan")}, {"x": "s3cret" * 20_000}):
        with pytest.raises(InputError) as told, store.writing() as tx:
            jobs.add(tx, KIND, payload, at=store.clock())
        assert "s3cret" not in str(told.value)


def test_a_name_or_a_key_longer_than_is_kept_is_refused(store: Store):
    for kind, key in (("x" * 101, None), ("test.count", "x" * 201)):
        with pytest.raises(InputError, match="over"), store.writing() as tx:
            jobs.add(tx, kind, {}, key, at=store.clock())


def test_the_next_is_the_most_urgent_then_due_longest_and_none_before_its_time(store: Store, clock):
    later = add(store, 1, run_at=clock() + MINUTE / 2)
    plain, urgent = add(store, 2), add(store, 3, priority=-5)
    assert [claim(store).id, claim(store).id, claim(store)] == [urgent.id, plain.id, None]
    clock.forward(seconds=30)
    assert claim(store, "w2").id == later.id


def test_two_workers_never_take_the_same_job(store: Store, second_store: Store):
    first, second = add(store), add(store)
    found: list[Job | None] = []
    with store.writing() as tx:
        mine = leases.claim(tx, "w1", KINDS, at=store.clock(), lease=MINUTE)
        other = threading.Thread(target=lambda: found.append(claim(second_store, "w2")))
        other.start()
        if store.dialect == "postgresql":
            other.join()  # it does not wait: what is locked is skipped
    other.join()
    assert {mine.id, found[0].id} == {first.id, second.id}


def test_a_kind_that_a_worker_does_not_know_waits_for_one_that_does(store: Store):
    job = add(store)
    assert claim(store, kinds={}) is None
    assert claim(store).id == job.id


def test_a_job_of_a_worker_that_is_lost_is_taken_again_when_its_lease_ends(store: Store, clock):
    job = add(store)
    lost = claim(store, "w1")
    clock.forward(seconds=59)
    assert claim(store, "w2") is None
    clock.forward(seconds=1)
    again = claim(store, "w2")
    assert (again.id, again.attempts, again.worker) == (job.id, 2, "w2")
    for account in (complete, fail):
        with pytest.raises(LostLeaseError):
            account(store, lost)
    assert complete(store, again).state is State.DONE
    assert get(store, job).attempts == 2


def test_a_lease_that_is_renewed_does_not_end(store: Store, clock):
    add(store)
    job = claim(store)
    for _ in range(5):
        clock.forward(seconds=50)
        with store.writing() as tx:
            asked = leases.renew(tx, Lease.of(job), until=clock() + MINUTE, what="page 3", fraction=0.25)
        assert not asked
        assert claim(store, "w2") is None
    now = get(store, job)
    assert (now.progress_what, now.progress_fraction) == ("page 3", 0.25)


def test_the_same_worker_at_a_later_attempt_is_another_lease(store: Store, clock):
    add(store)
    first = claim(store)
    clock.forward(minutes=1)
    second = claim(store)
    with pytest.raises(LostLeaseError):
        complete(store, first)
    complete(store, second)


def test_what_the_handler_wrote_and_the_completion_are_kept_together(store: Store):
    add(store)
    job = claim(store)

    def write_and_complete(lease: Lease) -> None:
        with store.writing() as tx:
            jobs.add(tx, "test.written", {}, at=store.clock())
            leases.complete(tx, lease, at=store.clock())

    with pytest.raises(LostLeaseError):
        write_and_complete(Lease(job.id, "somebody else", 1))
    with store.reading() as tx:
        assert jobs.find(tx, kind="test.written") == ()
    done = complete(store, job, {"count": 3})
    assert (done.state, done.result, done.ended_at, done.worker) == (State.DONE, {"count": 3}, store.clock(), "")


def test_a_job_that_fails_is_tried_again_then_dead_with_the_last_error_and_may_be_retried(store: Store, clock):
    job = add(store)
    for attempt in (1, 2):
        now = fail(store, claim(store))
        assert (now.state, now.attempts, now.run_at) == (State.QUEUED, attempt, clock() + MINUTE)
        assert claim(store) is None
        clock.forward(minutes=1)
    dead = fail(store, claim(store))
    assert (dead.state, dead.error, dead.ended_at) == (State.DEAD, "ValueError at x.py:1", clock())
    clock.forward(days=1)
    assert claim(store) is None
    with store.writing() as tx:
        back = jobs.retry(tx, job.id, at=clock())
    assert (back.state, back.attempts, back.error) == (State.QUEUED, 0, "ValueError at x.py:1")
    assert claim(store).id == job.id


def test_a_job_that_kills_its_workers_is_dead_in_the_end_and_the_next_one_goes_on(store: Store, clock):
    poison = add(store)
    for _ in range(3):
        assert claim(store).id == poison.id
        clock.forward(minutes=1)
    healthy = add(store)
    assert claim(store).id == healthy.id
    assert (get(store, poison).state, get(store, poison).error) == (State.DEAD, leases.WORKER_LOST)


def test_a_kind_has_the_last_word_about_its_dead_job_and_one_that_fails_does_not_bring_it_back(store: Store):
    heard: list[str] = []
    nonsense: Any = lambda tx, job: tx.connection.exec_driver_sql("nonsense")  # noqa: E731
    for on_dead in (lambda tx, job: heard.append(job.id), nonsense):
        kinds = {KIND.name: JobKind(name=KIND.name, handler=print, max_attempts=1, on_dead=on_dead)}
        with store.writing() as tx:
            job = jobs.add(tx, kinds[KIND.name], {}, at=store.clock())
        dead = fail(store, claim(store, kinds=kinds), kinds)
        assert dead.state is State.DEAD
    assert len(heard) == 1
    assert "on_dead" in get(store, job).error


def test_a_waiting_job_is_cancelled_at_once_and_a_running_one_is_asked(store: Store, clock):
    waiting = add(store)
    with store.writing() as tx:
        assert jobs.cancel(tx, waiting.id, at=clock()).state is State.CANCELLED
    assert claim(store) is None
    add(store)
    running = claim(store)
    with store.writing() as tx:
        assert jobs.cancel(tx, running.id, at=clock()).state is State.RUNNING
    with store.writing() as tx:
        assert leases.renew(tx, Lease.of(running), until=clock() + MINUTE)
        assert leases.give_back(tx, Lease.of(running), at=clock()).state is State.CANCELLED
    with pytest.raises(JobStateError), store.writing() as tx:
        jobs.cancel(tx, running.id, at=clock())


def test_a_cancelled_job_whose_worker_is_lost_or_fails_does_not_run_again(store: Store, clock):
    for end in (lambda job: clock.forward(minutes=1), lambda job: fail(store, job)):
        add(store)
        job = claim(store)
        with store.writing() as tx:
            jobs.cancel(tx, job.id, at=clock())
        end(job)
        assert claim(store) is None
        assert get(store, job).state is State.CANCELLED


def test_a_job_given_back_is_due_at_once_and_the_attempt_does_not_count(store: Store):
    add(store)
    job = claim(store)
    with store.writing() as tx:
        back = leases.give_back(tx, Lease.of(job), at=store.clock())
    assert (back.state, back.attempts) == (State.QUEUED, 0)
    assert claim(store, "w2").id == job.id


def test_only_what_ended_badly_is_retried(store: Store):
    job = add(store)
    with pytest.raises(JobStateError, match="queued"), store.writing() as tx:
        jobs.retry(tx, job.id, at=store.clock())
    for act in (jobs.retry, jobs.cancel):
        with pytest.raises(UnknownJobError, match="lab39 jobs list"), store.writing() as tx:
            act(tx, "nothing", at=store.clock())


def test_counts_name_every_state_and_the_oldest_that_is_due_is_told(store: Store, clock):
    with store.reading() as tx:
        assert jobs.oldest_due(tx, clock()) is None
    since = clock()
    add(store)
    add(store, run_at=since + dt.timedelta(days=1))
    clock.forward(minutes=7)
    with store.reading() as tx:
        assert jobs.oldest_due(tx, clock()) == since
        assert jobs.counts(tx) == {State.QUEUED: 2} | {s: 0 for s in State if s is not State.QUEUED}


def test_sweeping_deletes_old_done_jobs_and_keeps_dead_ones(store: Store, clock):
    for _ in range(2):
        add(store)
    complete(store, claim(store))
    dead = claim(store)
    for _ in range(2):
        fail(store, dead)
        clock.forward(minutes=1)
        dead = claim(store)
    fail(store, dead)
    clock.forward(days=40)
    waiting = add(store)
    with store.writing() as tx:
        assert jobs.sweep(tx, before=clock() - dt.timedelta(days=30)) == 1
        assert {job.id for job in jobs.find(tx)} == {dead.id, waiting.id}


def test_the_wait_between_attempts_grows_to_an_hour_and_workers_do_not_wait_alike():
    for attempt, whole in ((1, 5), (2, 10), (5, 80), (10, 2560), (11, 3600), (400, 3600)):
        waits = [leases.delay(attempt, random.Random(seed)).total_seconds() for seed in range(50)]
        assert whole / 2 <= min(waits)
        assert max(waits) <= whole
        assert len(set(waits)) > 40
    assert leases.delay(3, random.Random(1)) == leases.delay(3, random.Random(1))


def test_erasing_a_person_empties_their_jobs_and_a_result_that_comes_later_is_not_kept(store: Store, tmp_path):
    ana = person(store)
    waiting, running = add(store, person=ana.id, priority=-1), add(store, person=ana.id)
    claim(store)
    held = claim(store)
    with store.writing() as tx:
        leases.give_back(tx, Lease.of(get(store, waiting)), at=store.clock())
    assert export_person(store, ana.id, tmp_path / "x.zip").rows["jobs"] == 2
    erase_person(store, ana.id)
    assert (get(store, waiting).state, get(store, waiting).payload) == (State.CANCELLED, None)
    assert get(store, running).cancel_asked
    assert complete(store, held, {"about": "Ana"}).result is None
    with pytest.raises(JobStateError, match="erased"), store.writing() as tx:
        jobs.retry(tx, waiting.id, at=store.clock())
    again = {o.what.en: o for o in erase_person(store, ana.id).outcomes}
    assert again["background jobs"].erased == 0


class Queue(RuleBasedStateMachine):
    """Workers take jobs, finish, fail, crash, come back late; somebody cancels and retries meanwhile."""

    made = Bundle("made")
    held = Bundle("held")

    def __init__(self, store: Store, clock: MovableClock) -> None:
        super().__init__()
        self.store, self.clock = store, clock
        with store.writing() as tx:
            tx.execute(sa.delete(jobs.jobs))
        self.known: dict[str, str | None] = {}
        self.completed: dict[str, int] = {}
        self.worker = 0

    @rule(target=made, key=st.none() | st.sampled_from("abc"), wait=st.integers(0, 90), priority=st.integers(-1, 1))
    def add(self, key: str | None, wait: int, priority: int) -> str:
        run_at = self.clock() + dt.timedelta(seconds=wait)
        job = add(self.store, key=key, run_at=run_at, priority=priority)
        if key is not None and key in self.known.values():
            assert self.known[job.id] == key, "the same key is the same job"
        self.known[job.id] = key
        return job.id

    @rule(target=held)
    def claim(self) -> Any:
        self.worker += 1
        job = claim(self.store, f"w{self.worker}")
        if job is None:
            return multiple()
        assert job.run_at <= self.clock()
        assert job.attempts <= KIND.max_attempts
        return job

    @rule(job=held, seconds=st.integers(1, 90))
    def renew(self, job: Job, seconds: int) -> None:
        with self._stale_or_not(job), self.store.writing() as tx:
            leases.renew(tx, Lease.of(job), until=self.clock() + dt.timedelta(seconds=seconds))

    @rule(job=held)
    def complete(self, job: Job) -> None:
        with self._stale_or_not(job):
            complete(self.store, job)
            self.completed[job.id] = self.completed.get(job.id, 0) + 1

    @rule(job=held)
    def fail(self, job: Job) -> None:
        with self._stale_or_not(job):
            fail(self.store, job)

    @rule(job=held)
    def give_back(self, job: Job) -> None:
        with self._stale_or_not(job), self.store.writing() as tx:
            leases.give_back(tx, Lease.of(job), at=self.clock())

    @rule(seconds=st.integers(1, 120))
    def time_passes_and_whoever_crashed_is_silent(self, seconds: int) -> None:
        self.clock.forward(seconds=seconds)

    @rule(job=made, act=st.sampled_from([jobs.cancel, jobs.retry]))
    def somebody_asks(self, job: str, act: Any) -> None:
        try:
            with self.store.writing() as tx:
                act(tx, job, at=self.clock())
        except JobStateError:
            return

    def _stale_or_not(self, job: Job) -> Any:
        """An account counts if and only if the job is still in that attempt."""
        with self.store.reading() as tx:
            now = jobs.get(tx, job.id)
        if now.state is State.RUNNING and Lease.of(now) == Lease.of(job):
            return _Nothing()
        return pytest.raises(LostLeaseError)

    @invariant()
    def nothing_is_lost_and_nothing_is_completed_twice(self) -> None:
        with self.store.reading() as tx:
            found = {job.id: job for job in jobs.find(tx, limit=10_000)}
        assert set(found) == set(self.known)
        for job in found.values():
            assert self.completed.get(job.id, 0) == (job.state is State.DONE)
            assert (job.state is State.RUNNING) == bool(job.worker) == (job.leased_until is not None)
            assert (job.ended_at is not None) == (job.state in (State.DONE, State.DEAD, State.CANCELLED))

    def teardown(self) -> None:
        """Every worker is dead; a new one comes: all that was not given up on purpose is done."""
        for _ in range(5):
            self.clock.forward(hours=1)
            while (job := claim(self.store, "last")) is not None:
                self.complete(job)
        self.nothing_is_lost_and_nothing_is_completed_twice()
        with self.store.reading() as tx:
            counts = jobs.counts(tx)
        assert counts[State.QUEUED] == counts[State.RUNNING] == 0


class _Nothing:
    def __enter__(self) -> None: ...

    def __exit__(self, *_: object) -> None: ...


def test_whatever_happens_nothing_is_lost_and_nothing_is_completed_twice(store: Store, clock: MovableClock):
    run_state_machine_as_test(
        lambda: Queue(store, clock),
        settings=examples(max_examples=15, stateful_step_count=30, suppress_health_check=list(HealthCheck)),
    )
