"""Entries are added with what they tell of, numbered without a gap, and never changed."""

from __future__ import annotations

import datetime as dt
import threading
from typing import Any

import pytest
import sqlalchemy as sa
from tests.store.audit.examples import add, filled
from tests.store.conftest import MovableClock

from lab39.core.errors import LabError
from lab39.store import Store, audit
from lab39.store.audit import merkle
from lab39.store.audit.commitments import commit
from lab39.store.audit.log import log, range_root, rows, subtrees, tree


def test_entries_are_numbered_from_one_and_read_back(store: Store, clock: MovableClock):
    with store.writing() as tx:
        first = audit.append(tx, at=clock(), actor="anne", action="upload", subject="r1", about={"version": 1})
        second = audit.append(tx, at=clock(), actor="", action="job", about={"kind": "mail", "ok": True})
    assert (first.number, second.number) == (1, 2)
    with store.reading() as tx:
        assert audit.get(tx, 1) == first
        assert audit.entries(tx) == (second, first)


def test_the_tree_is_that_of_the_commitments(store: Store):
    filled(store, 300)
    with store.reading() as tx:
        found = audit.state(tx)
        leaves = [merkle.leaf_hash(row.commitment) for row in rows(tx)]
        stored = list(rows(tx))
    assert found.size == 300
    assert found.root == merkle.root(leaves)
    assert all(commit(row.salt, row.entry.encode()) == row.commitment for row in stored if row.salt and row.entry)


def test_what_is_undone_leaves_no_entry_and_no_gap(store: Store):
    filled(store, 3)
    with pytest.raises(ZeroDivisionError), store.writing() as tx:  # noqa: PT012
        add(tx)
        raise ZeroDivisionError
    with store.writing() as tx:
        assert add(tx).number == 4


def test_a_page_of_what_was_done_to_one_record(store: Store):
    filled(store, 20)
    with store.reading() as tx:
        found = audit.entries(tx, subject="r1", limit=2)
        older = audit.entries(tx, subject="r1", before=found[-1].number, limit=2)
        assert [e.number for e in found] == [17, 12]
        assert [e.number for e in older] == [7, 2]
        assert audit.entries(tx, actor="nobody") == ()
        assert {e.action for e in audit.entries(tx, action="upload")} == {"upload"}


def test_roots_of_ranges_are_those_of_the_leaves_with_and_without_kept_subtrees(store: Store):
    filled(store, 530)
    with store.reading() as tx:
        leaves = [merkle.leaf_hash(row.commitment) for row in rows(tx)]
        kept = {(r.level, r.position) for r in tx.execute(sa.select(subtrees))}
        assert kept == {(8, 0), (8, 1)}
        for start, end in [(0, 530), (0, 512), (256, 512), (512, 530), (512, 513), (0, 1), (0, 300), (0, 128)]:
            assert range_root(tx, start, end) == merkle.root(leaves[start:end]), (start, end)


def test_writers_at_the_same_time_leave_no_gap(store: Store, second_store: Store):
    errors: list[BaseException] = []

    def write(to: Store) -> None:
        try:
            for _ in range(25):
                with to.writing() as tx:
                    add(tx)
        except BaseException as error:
            errors.append(error)

    writers = [threading.Thread(target=write, args=(to,)) for to in (store, second_store, store, second_store)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert errors == []
    with store.reading() as tx:
        assert [row.number for row in rows(tx)] == list(range(1, 101))
        leaves = [merkle.leaf_hash(row.commitment) for row in rows(tx)]
        assert audit.state(tx).root == merkle.root(leaves)


@pytest.mark.parametrize(
    "statement",
    [
        log.update().where(log.c.number == 2).values(actor="other"),
        log.update().where(log.c.number == 2).values(commitment=b"x" * 32),
        log.update().where(log.c.number == 2).values(salt=None, entry=None),
        log.update().where(log.c.number == 2).values(number=99),
        log.delete().where(log.c.number == 2),
        tree.update().values(size=1, frontier=b"x" * 32),
        tree.update().values(size=99, log="other"),
        tree.delete(),
    ],
)
def test_the_database_itself_refuses_to_change_entries(store: Store, statement: Any):
    filled(store, 3)
    with pytest.raises(sa.exc.DBAPIError, match="append-only"), store.writing() as tx:
        tx.execute(statement)


def test_kept_subtrees_are_not_changed_either(store: Store):
    filled(store, 256)
    with pytest.raises(sa.exc.DBAPIError, match="append-only"), store.writing() as tx:
        tx.execute(subtrees.update().values(hash=b"x" * 32))


@pytest.mark.parametrize(
    ("wrong", "place"),
    [
        ({"action": "signed-in"}, "signed-in"),
        ({"actor": "Anne Petit"}, "actor"),
        ({"subject": "é"}, "subject"),
        ({"actor": "a" * 65}, "actor"),
        ({"about": {"dose": 1.5}}, "$.about.dose"),
        ({"about": {"text": "x" * 5000}}, "about"),
    ],
)
def test_an_entry_that_cannot_be_written_says_why_and_leaves_nothing(store: Store, wrong: Any, place: str):
    with store.writing() as tx:
        with pytest.raises(LabError) as caught:
            add(tx, **wrong)
        assert caught.value.place == place
        assert audit.state(tx).size == 0


def test_a_solution_tells_of_its_own_actions(store: Store):
    with store.writing() as tx:
        assert add(tx, action="signals.validated").number == 1


def test_a_moment_without_a_time_zone_is_refused(store: Store):
    with store.writing() as tx, pytest.raises(ValueError, match="time zone"):
        add(tx, at=dt.datetime(2026, 1, 1))  # noqa: DTZ001


def test_an_entry_that_does_not_exist(store: Store):
    with store.reading() as tx, pytest.raises(audit.UnknownEntryError, match="no entry"):
        audit.get(tx, 7)


def test_a_moment_is_kept_in_utc(store: Store):
    paris = dt.timezone(dt.timedelta(hours=2))
    with store.writing() as tx:
        add(tx, at=dt.datetime(2026, 7, 1, 10, 0, 0, 5, tzinfo=paris))
    with store.reading() as tx:
        assert audit.get(tx, 1).at == dt.datetime(2026, 7, 1, 8, 0, 0, 5, tzinfo=dt.UTC)
        assert b'"at":"2026-07-01T08:00:00.000005Z"' in audit.get(tx, 1).text
