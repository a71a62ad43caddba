"""Many requests, one transaction: what several requests write at the same moment reaches the disk together.

Each write is acknowledged only when it is on the disk. Waiting for the disk once for all that wait is what lets a
lab audit several hundred assessments a second.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, TypeVar, cast
from weakref import WeakKeyDictionary

import sqlalchemy as sa

from lab39.store import Store, StoreUnavailableError
from lab39.store.engine import as_told

T = TypeVar("T")
BATCH = 100
"""Works in one transaction at most."""


class _Waiting:
    """One piece of work that waits for its transaction."""

    def __init__(self, work: Callable[[sa.Connection], Any]) -> None:
        self.work = work
        self.done = False
        self.value: Any = None
        self.error: BaseException | None = None

    def run(self, tx: sa.Connection) -> None:
        """In a savepoint: work that fails undoes itself and nobody else's."""
        try:
            with tx.begin_nested():
                self.value = self.work(tx)
        except sa.exc.DBAPIError as error:
            if error.connection_invalidated:
                raise
            self.error = as_told(error)
        except Exception as error:
            self.error = error


class Ledger:
    """Writes to one store, gathered. The thread that finds nobody writing writes for all that wait."""

    def __init__(self, store: Store) -> None:
        self._open = store.writing
        self._queue: list[_Waiting] = []
        self._adding = threading.Lock()
        self._leading = threading.Lock()

    def write(self, work: Callable[[sa.Connection], T]) -> T:
        """Do ``work`` in a transaction; when this returns, what it wrote is on the disk.

        Raises:
            StoreUnavailableError: nothing was written.
            Exception: what the work raised; nothing of it was written.
        """
        mine = _Waiting(work)
        with self._adding:
            self._queue.append(mine)
        while not mine.done:
            with self._leading:
                if not mine.done:
                    self._write_some()
        if mine.error is not None:
            raise mine.error
        return cast(T, mine.value)

    def _write_some(self) -> None:
        with self._adding:
            batch, self._queue = self._queue[:BATCH], self._queue[BATCH:]
        try:
            self._write_all(batch)
        except BaseException as error:  # nothing of the batch was written: everybody is told
            for each in batch:
                each.error = error
        for each in batch:
            each.done = True

    def _write_all(self, batch: list[_Waiting]) -> None:
        """All in one go, which is what happens; when one fails, all again, each in a savepoint of its own."""
        try:
            with self._open() as tx:
                for each in batch:
                    each.value = each.work(tx)
        except StoreUnavailableError:
            raise
        except Exception:
            if len(batch) == 1:
                raise
            with self._open() as tx:
                for each in batch:
                    each.run(tx)


_ledgers: WeakKeyDictionary[Store, Ledger] = WeakKeyDictionary()
_making = threading.Lock()


def ledger(store: Store) -> Ledger:
    """The ledger of a store; one a process."""
    with _making:
        if store not in _ledgers:
            _ledgers[store] = Ledger(store)
        return _ledgers[store]
