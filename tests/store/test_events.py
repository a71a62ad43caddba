"""Events: in one order, never changed, heard of at least once."""

from __future__ import annotations

import threading

import pytest
import sqlalchemy as sa
from tests.store.houses import person, record

from lab39.core.errors import InputError, UnknownNameError
from lab39.store import Store, events, people
from lab39.store.events import Event, UnknownEventError
from lab39.store.privacy import erase_person, export_person


def publish(store: Store, topic: str = "skin.answered", **given: object) -> Event:
    with store.writing() as tx:
        return events.publish(tx, topic, {"n": 1}, at=store.clock(), **given)  # type: ignore[arg-type]


def subscribe(store: Store, name: str = "test.all", **given: bool) -> None:
    with store.writing() as tx:
        events.subscribe(tx, name, **given)


def pulled(store: Store, name: str = "test.all", topics: tuple[str, ...] = ("*",), limit: int = 20) -> list[int]:
    with store.writing() as tx:
        return [event.sequence for event in events.pull(tx, name, topics, limit)]


def ack(store: Store, sequence: int, name: str = "test.all") -> None:
    with store.writing() as tx:
        events.ack(tx, name, sequence)


def test_an_event_exists_when_its_transaction_does_and_leaves_no_gap_otherwise(store: Store):
    first = publish(store)

    def half() -> None:
        with store.writing() as tx:
            events.publish(tx, "skin.answered", {}, at=store.clock())
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        half()
    second = publish(store, actor="a" * 32, subject="b" * 32)
    assert (first.sequence, second.sequence) == (1, 2)
    with store.reading() as tx:
        assert events.get(tx, 2) == second
        assert events.find(tx, subject="b" * 32) == (second,)
        assert events.last(tx) == 2
        with pytest.raises(UnknownEventError):
            events.get(tx, 3)


def test_who_publishes_later_is_never_seen_earlier(store: Store, second_store: Store):
    """A number given before the commit would let 2 be seen, and acknowledged, while 1 is still to come."""
    later = threading.Thread(target=lambda: publish(second_store, "late.one"))
    with store.writing() as tx:
        events.publish(tx, "early.one", {}, at=store.clock())
        later.start()
        later.join(0.3)
        assert later.is_alive(), "it waits for the one that publishes"
        with second_store.reading() as other:
            assert events.find(other) == ()
    later.join()
    with store.reading() as tx:
        assert [(e.sequence, e.topic) for e in events.find(tx)] == [(1, "early.one"), (2, "late.one")]


def test_many_that_publish_at_once_give_numbers_without_gaps_and_a_reader_never_skips_one(
    store: Store, second_store: Store
):
    stop = threading.Event()
    holes: list[list[int]] = []

    def watch() -> None:
        while not stop.is_set():
            with second_store.reading() as tx:
                seen = [event.sequence for event in events.find(tx, limit=1000)]
            if seen != list(range(1, len(seen) + 1)):
                holes.append(seen)

    def write() -> None:
        for _ in range(20):
            publish(store)

    watcher = threading.Thread(target=watch)
    writers = [threading.Thread(target=write) for _ in range(4)]
    for thread in (watcher, *writers):
        thread.start()
    for thread in writers:
        thread.join()
    stop.set()
    watcher.join()
    assert holes == []
    with store.reading() as tx:
        assert [event.sequence for event in events.find(tx, limit=1000)] == list(range(1, 81))


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE events SET topic = 'other.one'",
        "UPDATE events SET sequence = 9",
        """UPDATE events SET payload = '{"n": 2}'""",
        "UPDATE events SET payload = NULL, actor = 'x'",
        "DELETE FROM events",
        "UPDATE event_head SET last = 0",
        "DELETE FROM event_head",
    ],
)
def test_an_event_is_never_changed_or_deleted(store: Store, change: str):
    kept = publish(store)
    with pytest.raises(sa.exc.DBAPIError, match="append-only"), store.engine.begin() as connection:
        connection.exec_driver_sql(change)
    with store.reading() as tx:
        assert events.get(tx, 1) == kept


def test_the_table_cannot_be_emptied_at_once(store: Store):
    if store.dialect == "sqlite":
        return  # it has no TRUNCATE
    publish(store)
    with pytest.raises(sa.exc.DBAPIError, match="append-only"), store.engine.begin() as connection:
        connection.exec_driver_sql("TRUNCATE events")


def test_a_subscriber_is_given_the_same_events_until_it_acknowledges_them(store: Store, second_store: Store):
    subscribe(store)
    for _ in range(5):
        publish(store)
    assert pulled(store, limit=2) == pulled(second_store, limit=2) == [1, 2]
    ack(store, 2)
    assert pulled(second_store) == [3, 4, 5]
    ack(store, 1)
    assert pulled(store) == [3, 4, 5], "its place never goes back"


def test_each_subscriber_has_its_own_place(store: Store):
    subscribe(store, "test.one")
    subscribe(store, "test.two")
    publish(store)
    ack(store, 1, "test.one")
    assert (pulled(store, "test.one"), pulled(store, "test.two")) == ([], [1])
    with store.reading() as tx:
        assert events.acknowledged(tx) == {"test.one": 1, "test.two": 0}
    with store.writing() as tx:
        assert events.unsubscribe(tx, "test.two")
        assert not events.unsubscribe(tx, "test.two")


def test_a_new_subscriber_hears_of_what_was_or_only_of_what_comes(store: Store):
    publish(store)
    subscribe(store, "test.old")
    subscribe(store, "test.new", from_start=False)
    publish(store)
    assert (pulled(store, "test.old"), pulled(store, "test.new")) == ([1, 2], [2])
    subscribe(store, "test.old", from_start=False)
    assert pulled(store, "test.old") == [1, 2], "one that is known keeps its place"


def test_topics_are_whole_begun_or_all(store: Store):
    subscribe(store)
    for topic in ("skin.answered", "skin.case.closed", "skinny.answered", "stress.high"):
        publish(store, topic)
    assert pulled(store, topics=("skin.*",)) == [1, 2]
    assert pulled(store, topics=("skin.answered", "stress.*")) == [1, 4]
    assert pulled(store, topics=("skin.case.*",)) == [2]
    assert pulled(store, topics=("*",)) == [1, 2, 3, 4]


@pytest.mark.parametrize(
    "topic", ["", "skin", "Skin.answered", "skin.", "skin.%", "skin answered", "x" * 120 + ".y"]
)
def test_what_is_not_a_topic_is_refused(store: Store, topic: str):
    with pytest.raises(InputError):
        publish(store, topic)
    subscribe(store)
    if len(topic) < 100:
        with pytest.raises(InputError):
            pulled(store, topics=(topic,))


def test_an_unknown_subscriber_is_told_so(store: Store):
    with pytest.raises(UnknownNameError, match=r"test\.nobody"):
        pulled(store, "test.nobody")


def test_while_a_worker_pulls_for_a_subscriber_another_is_given_nothing(store: Store, second_store: Store):
    if store.dialect == "sqlite":
        return  # there, the other waits for the whole transaction
    subscribe(store)
    publish(store)
    with store.writing() as tx:
        assert events.pull(tx, "test.all", ("*",))
        assert pulled(second_store) == []
        with second_store.reading() as other:
            assert len(events.pull(other, "test.all", ("*",))) == 1, "whoever only looks is not kept waiting"
    assert pulled(second_store) == [1]


def test_erasing_a_person_empties_what_was_said_of_them_and_keeps_the_order(store: Store, tmp_path):
    ana, doctor = person(store, "Ana", given=[people.Role.PATIENT]), person(store, "Dr")
    kept = record(store, ana.id)
    publish(store, subject=ana.id, actor=doctor.id)
    publish(store, subject=kept, actor=doctor.id)
    publish(store, actor=ana.id)
    publish(store, subject=doctor.id, actor=ana.id)
    assert export_person(store, ana.id, tmp_path / "x.zip").rows["events"] == 4
    done = {o.what.en: o.erased for o in erase_person(store, ana.id).outcomes}
    assert done["events"] == 3
    with store.reading() as tx:
        found = events.find(tx)
    assert [(e.sequence, e.payload) for e in found] == [(1, None), (2, None), (3, None), (4, {"n": 1})]
    assert {o.what.en: o.erased for o in erase_person(store, ana.id).outcomes}["events"] == 0
