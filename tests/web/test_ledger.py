"""Writes of many requests in one transaction: each is whole, and none harms another."""

from __future__ import annotations

import threading
from typing import Any

import pytest
import sqlalchemy as sa

from lab39.store import Store, StoreUnavailableError, audit
from lab39.web.api.ledger import Ledger


def add(store: Store, number: int) -> Any:
    return lambda tx: audit.append(tx, at=store.clock(), actor=str(number), action="assessment").number


def actors(store: Store) -> list[str]:
    with store.reading() as tx:
        return [entry.actor for entry in audit.entries(tx)]


def test_what_returns_is_written(store: Store):
    assert Ledger(store).write(add(store, 1)) == 1
    assert actors(store) == ["1"]


def test_writes_that_wait_together_share_a_transaction(store: Store, monkeypatch: pytest.MonkeyPatch):
    ledger = Ledger(store)
    opened = 0
    real = store.writing

    def counted() -> Any:
        nonlocal opened
        opened += 1
        return real()

    monkeypatch.setattr(ledger, "_open", counted)
    with ledger._leading:
        threads = [threading.Thread(target=ledger.write, args=(add(store, i),)) for i in range(20)]
        for each in threads:
            each.start()
        while len(ledger._queue) < 20:
            pass
    for each in threads:
        each.join()
    assert opened == 1
    assert len(actors(store)) == 20


def test_work_that_fails_undoes_itself_and_nobody_elses(store: Store):
    ledger = Ledger(store)
    errors: list[Exception] = []

    def fails(tx: sa.Connection) -> None:
        add(store, 99)(tx)
        raise ZeroDivisionError

    def one(work: Any) -> None:
        try:
            ledger.write(work)
        except ZeroDivisionError as error:
            errors.append(error)

    with ledger._leading:
        threads = [threading.Thread(target=one, args=(w,)) for w in (add(store, 1), fails, add(store, 2))]
        for each in threads:
            each.start()
        while len(ledger._queue) < 3:
            pass
    for each in threads:
        each.join()
    assert sorted(actors(store)) == ["1", "2"]
    assert len(errors) == 1


def test_a_database_that_is_gone_is_told_to_each(store: Store, monkeypatch: pytest.MonkeyPatch):
    ledger = Ledger(store)

    def gone() -> Any:
        from lab39.core.text import Text

        raise StoreUnavailableError(Text("partie", "gone"))

    monkeypatch.setattr(ledger, "_open", gone)
    with pytest.raises(StoreUnavailableError):
        ledger.write(add(store, 1))
    monkeypatch.setattr(ledger, "_open", store.writing)
    ledger.write(add(store, 2))
    assert actors(store) == ["2"]
