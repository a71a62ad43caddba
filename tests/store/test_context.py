"""What pages, operations, jobs and commands of a solution may use of the lab: one context, one transaction."""

from __future__ import annotations

import datetime as dt
from contextlib import contextmanager

import pytest
from tests.cli.solutions_for_tests import Calm
from tests.core.makers import record

from lab39.core.background import JobKind
from lab39.core.errors import InputError, LabError
from lab39.core.lab import Lab
from lab39.settings import Settings
from lab39.store import Store, audit, events, jobs
from lab39.store.context import LabContext
from lab39.store.registry import Registry
from lab39.store.worker import Worker

ON = dt.date(2026, 11, 24)


class Broken(Calm):
    id = "broken"

    def assess(self, record, on, ctx):
        raise ValueError


def lab() -> Lab:
    return Lab([Calm(), Broken()], Settings())


@pytest.fixture
def ctx(store: Store) -> LabContext:
    return LabContext(lab, store, "calm", actor="ana")


def entries(store: Store, action: str) -> tuple[audit.Entry, ...]:
    with store.reading() as tx:
        return audit.entries(tx, action=action)


def test_what_is_written_is_kept_with_who_and_when(store: Store, ctx: LabContext):
    with ctx.writing() as tx:
        job = tx.add_job("calm.later", {"n": 1}, key="once")
        assert tx.add_job("calm.later", {"n": 2}, key="once") == job
        tx.publish("calm.done", {"n": 1}, subject="record")
        tx.audit("calm.done", {"n": 1}, subject="record")
    with store.reading() as connection:
        (event,) = events.find(connection)
        assert (event.topic, event.actor, event.subject, event.at) == ("calm.done", "ana", "record", store.clock())
        assert [each.payload for each in jobs.find(connection)] == [{"n": 1}]
    (entry,) = entries(store, "calm.done")
    assert (entry.actor, entry.subject) == ("ana", "record")


def test_when_the_block_raises_nothing_is_kept(store: Store, ctx: LabContext):
    def write() -> None:
        with ctx.writing() as tx:
            tx.publish("calm.done", {})
            tx.add_job("calm.later", {})
            tx.audit("calm.done")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write()
    with store.reading() as connection:
        assert events.find(connection) == ()
        assert jobs.find(connection) == ()
    assert entries(store, "calm.done") == ()
    with ctx.writing() as tx:  # the next one is not spoilt
        tx.audit("calm.done")
    assert len(entries(store, "calm.done")) == 1


def test_others_publish_while_a_transaction_is_open(store: Store, ctx: LabContext):
    """What others wait for is held at the end only."""
    with ctx.writing() as tx:
        tx.publish("calm.first", {})
        tx.audit("calm.first")
        events.publish(tx.connection, "other.second", {}, at=tx.at)
    with store.reading() as connection:
        assert [each.topic for each in events.find(connection)] == ["other.second", "calm.first"]


@pytest.mark.parametrize(
    "speak",
    [
        lambda tx: tx.publish("skin.done", {}),
        lambda tx: tx.publish("calmer.done", {}),
        lambda tx: tx.add_job("lab.send-message", {}),
        lambda tx: tx.audit("skin.validated"),
        lambda tx: tx.send("ana", "lab.notice", {}, purpose="news"),
    ],
)
def test_nobody_speaks_for_another(ctx: LabContext, speak):
    with ctx.writing() as tx, pytest.raises(InputError, match=r"a name in “calm\.” is expected"):
        speak(tx)


@pytest.mark.parametrize(
    "wrong", [lambda tx: tx.publish("calm.Done", {}), lambda tx: tx.publish("calm.done", {"x": object()})]
)
def test_what_cannot_be_told_is_refused_at_once(ctx: LabContext, wrong):
    with ctx.writing() as tx, pytest.raises(InputError):
        wrong(tx)


def test_an_action_that_does_not_exist_is_refused_at_once(ctx: LabContext):
    with ctx.writing() as tx:
        with pytest.raises(LabError):
            tx.audit("assessing")
        tx.audit("export", {"form": "csv"})  # one of the lab's own


def test_an_id_with_hyphens_has_actions_of_its_own(store: Store):
    with LabContext(lab, store, "travel-vaccines").writing() as tx:
        tx.audit("travel-vaccines.planned")
    assert len(entries(store, "travel-vaccines.planned")) == 1


def test_that_something_was_assessed_is_in_the_log_and_what_it_held_is_not(store: Store, ctx: LabContext):
    born = record(patient={"resourceType": "Patient", "birthDate": "1950-02-03"})
    report = ctx.assess(born, ON, only=("calm",))
    assert [finding.solution for finding in report.findings] == ["calm"]
    (entry,) = entries(store, "assessment")
    assert (entry.actor, entry.about["door"]) == ("ana", "calm")
    assert set(entry.about) == {"door", "sha256", "lab39", "solutions"}
    assert "1950" not in entry.text.decode()


def test_inside_a_transaction_an_assessment_is_told_with_it(store: Store, ctx: LabContext):
    """Told apart, it would wait for the transaction that waits for it."""
    with ctx.writing():
        ctx.assess(record(), ON)
        assert entries(store, "assessment") == ()
    assert len(entries(store, "assessment")) == 1


def test_another_that_cannot_tell_gives_none_and_one_that_finds_nothing_gives_nothing(ctx: LabContext):
    person = record()
    assert ctx.ask("broken", person, ON) is None
    assert ctx.ask("absent", person, ON) is None
    found = ctx.ask("calm", person, ON)
    assert found is not None
    assert [finding.solution for finding in found] == ["calm"]


def test_the_time_others_take_is_not_counted_by_who_waits_for_them(store: Store, monkeypatch: pytest.MonkeyPatch):
    waiting: list[bool] = []

    @contextmanager
    def pause():
        waiting.append(True)
        yield
        waiting.append(False)

    asked = lab()
    monkeypatch.setattr(asked, "observe", lambda *_: waiting.append(waiting[-1]))
    LabContext(lambda: asked, store, "calm", waiting=pause).assess(record(), ON, only=("calm",))
    assert waiting == [True, True, False]


def test_one_transaction_at_a_time(ctx: LabContext):
    with ctx.writing(), pytest.raises(RuntimeError, match="open already"), ctx.writing():
        pass


def test_a_job_has_the_same_context(store: Store):
    def handler(work) -> str:
        found = work.ctx.ask("calm", record(), ON)
        with work.finishing() as tx:
            tx.publish("calm.recalled", {"n": len(found)})
        return "not kept: finished already"

    with store.writing() as tx:
        job = jobs.add(tx, "calm.recall", {}, at=store.clock())
    worker = Worker(store, Settings(), Registry.of([JobKind(name="calm.recall", handler=handler)]), lab=lab())
    assert worker.run_once()
    with store.reading() as tx:
        assert jobs.get(tx, job.id).state is jobs.State.DONE
        assert [(each.topic, each.payload) for each in events.find(tx)] == [("calm.recalled", {"n": 1})]
    assert len(entries(store, "assessment")) == 1


def test_a_subscriber_speaks_for_its_solution_only(store: Store):
    from lab39.core.background import Subscription

    def handler(tx, event) -> None:
        tx.add_job("calm.later", {"event": event.sequence})
        tx.publish("calm.heard", {})

    def liar(tx, event) -> None:
        tx.publish("calm.heard", {})

    with store.writing() as tx:
        events.publish(tx, "skin.answered", {}, at=store.clock())
    ears = [Subscription(name=name, topics=("skin.*",), handler=each) for name, each in
            (("calm.ear", handler), ("liar.ear", liar))]  # fmt: skip
    Worker(store, Settings(), Registry.of((), ears), wait=lambda _: None).run_once()
    with store.reading() as tx:
        assert [each.topic for each in events.find(tx)] == ["skin.answered", "calm.heard"]
        assert len(jobs.find(tx, kind="calm.later")) == 1
        (failed,) = jobs.find(tx, kind="lab.deliver-event")
    assert failed.payload == {"subscriber": "liar.ear", "event": 1}


def test_a_command_has_the_same_context(store: Store, monkeypatch: pytest.MonkeyPatch, tmp_path):
    from lab39 import terminal
    from lab39.store.migrate import migrate

    settings = Settings(home=tmp_path)
    own = Store.of(settings)
    migrate(own)
    monkeypatch.setattr(terminal, "session", lambda: terminal.Session(settings, "en"))
    monkeypatch.setattr(terminal, "lab", lambda *_: lab())
    with terminal.context("calm") as ctx:
        assert ctx.ask("calm", record(), ON)
        with ctx.writing() as tx:
            tx.audit("calm.imported", {"rows": 3})
    assert len(entries(own, "calm.imported")) == 1
    own.close()
