"""Attacks on the audit log, each by somebody who may write anything to the database and knows how the log is made.

1,000 alterations, deletions, reorderings, truncations and forks each, drawn at random from the naive (a row
changed) to the thorough (everything computed again, so that the log agrees with itself). Each must be detected
against the heads exported before. What the attacker does not have: copies of the heads and, but for some forks, the
key.

    python benchmarks/prove_audit.py [--n 1000] [--seed 39] [--url postgresql+psycopg://…]
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import random
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from lab39.settings import Settings
from lab39.store import Store, audit, migrate
from lab39.store.audit import heads as signing
from lab39.store.audit import keys, merkle, verification
from lab39.store.audit.commitments import canonical, commit, new_salt
from lab39.store.audit.heads import Head
from lab39.store.audit.log import TILE_LEVELS, Row, log, rows, subtrees, tree

AT = dt.datetime(2026, 11, 24, 9, 0, tzinfo=dt.UTC)
SIZES = (100, 200, 300)
"""Sizes at which heads are exported; over 256, so that kept subtrees are attacked too."""


class _UndoError(Exception):
    """Ends the transaction of an attack."""


@dataclass(frozen=True, slots=True)
class Target:
    """A log with entries, some of them erased, and its exported heads."""

    store: Store
    heads: tuple[Head, ...]
    keys: Mapping[str, Any]
    key: Ed25519PrivateKey

    @property
    def size(self) -> int:
        """Number of entries; the last head covers them all."""
        return self.heads[-1].size


Attack = Callable[[sa.Connection, random.Random, Target], Sequence[Head]]
"""Does its harm in a transaction; gives the heads as the attacker leaves them."""


def target(store: Store, settings: Settings) -> Target:
    """Fill an empty, migrated log."""
    for size in SIZES:
        with store.writing() as tx:
            while audit.state(tx).size < size:
                i = audit.state(tx).size
                at = AT + dt.timedelta(seconds=i)
                subject, actor = f"record-{i % 17}", f"person-{i % 5}"
                audit.append(tx, at=at, actor=actor, action="access", subject=subject, about={"i": i})
                if i == 150:
                    audit.forget(tx, "record-3", at=at)
        signing.sign(store, settings)
    found, problems = signing.read(settings.heads)
    assert not problems
    return Target(store, found, keys.trusted(settings.keys), keys.signing_key(settings.keys))


def attempt(attack: Attack, rng: random.Random, on: Target) -> verification.Verification:
    """One attack, what the verification says of it, and everything as it was again."""
    found: list[verification.Verification] = []
    try:
        with on.store.writing() as tx:
            _disarm(tx)
            left = attack(tx, rng, on)
            found.append(verification.check(tx, left, on.keys))
            raise _UndoError
    except _UndoError:
        return found[0]


# --- alterations ------------------------------------------------------------------------------------------------


def alter(tx: sa.Connection, rng: random.Random, on: Target) -> Sequence[Head]:
    """One thing says something else than it said."""
    ways: tuple[Attack, ...] = (
        _alter_column, _alter_text, _alter_bytes, _alter_tree, _alter_subtree, _alter_head,
        _blank, _rewrite_row, _rewrite_all,
    )  # fmt: skip
    return rng.choice(ways)(tx, rng, on)


def _alter_column(tx: sa.Connection, rng: random.Random, on: Target) -> Sequence[Head]:
    row, name = _living(tx, rng), rng.choice(["actor", "subject", "action", "at"])
    value = AT - dt.timedelta(days=1) if name == "at" else f"other-{rng.random()}"
    return _update(tx, row.number, on, **{name: value})


def _alter_text(tx: sa.Connection, rng: random.Random, on: Target) -> Sequence[Head]:
    row = _living(tx, rng)
    said = _said(row) | {"actor": "somebody-else"}
    return _update(tx, row.number, on, actor="somebody-else", entry=canonical(said).decode())


def _alter_bytes(tx: sa.Connection, rng: random.Random, on: Target) -> Sequence[Head]:
    row, name = _living(tx, rng), rng.choice(["salt", "commitment"])
    return _update(tx, row.number, on, **{name: _flip(getattr(row, name), rng)})


def _alter_tree(tx: sa.Connection, rng: random.Random, on: Target) -> Sequence[Head]:
    kept = tx.execute(sa.select(tree)).mappings().one()
    changes: list[dict[str, Any]] = [{"frontier": _flip(kept["frontier"], rng)}, {"log": "0" * 32}]
    value = rng.choice(changes)
    tx.execute(tree.update().values(value))
    return on.heads


def _alter_subtree(tx: sa.Connection, rng: random.Random, on: Target) -> Sequence[Head]:
    kept = tx.scalars(sa.select(subtrees.c.hash)).first()
    assert kept is not None
    tx.execute(subtrees.update().values(hash=_flip(kept, rng)))
    return on.heads


def _blank(tx: sa.Connection, rng: random.Random, on: Target) -> Sequence[Head]:
    names = ("salt", "entry", "at", "actor", "action", "subject")
    return _update(tx, _living(tx, rng).number, on, **dict.fromkeys(names))


def _rewrite_row(tx: sa.Connection, rng: random.Random, on: Target) -> Sequence[Head]:
    row = _living(tx, rng)
    changed = _with(row, action="decision")
    values = {name: getattr(changed, name) for name in ("salt", "entry", "action", "commitment")}
    return _update(tx, row.number, on, **values)


def _rewrite_all(tx: sa.Connection, rng: random.Random, on: Target) -> Sequence[Head]:
    row = _living(tx, rng)
    _replace(tx, [_with(each, actor="x") if each.number == row.number else each for each in rows(tx)])
    return on.heads


def _alter_head(tx: sa.Connection, rng: random.Random, on: Target) -> Sequence[Head]:
    del tx
    which = rng.randrange(len(on.heads))
    head, name = on.heads[which], rng.choice(["root", "signature", "previous", "at"])
    value = "2020-01-01T00:00:00.000000Z"
    if name != "at":
        value = _flip(bytes.fromhex(getattr(head, name) or "00" * 32), rng).hex()
    changed = replace(head, **{name: value})  # type: ignore[arg-type]
    return [*on.heads[:which], changed, *on.heads[which + 1 :]]


# --- deletions --------------------------------------------------------------------------------------------------


def delete(tx: sa.Connection, rng: random.Random, on: Target) -> Sequence[Head]:
    """Entries, or a head, are no longer there; sometimes the rest closes ranks."""
    first = rng.randrange(1, on.size)
    gone = set(range(first, min(first + rng.choice([1, 1, 1, 5, 50]), on.size)))
    way = rng.randrange(4)
    if way == 0:  # a head in the middle
        return [on.heads[0], *on.heads[2:]]
    if way == 1:
        tx.execute(log.delete().where(log.c.number.in_(gone)))
    else:
        left = [each for each in rows(tx) if each.number not in gone]
        _replace(tx, left, renumber=way == 2)
    return on.heads


# --- reorderings ------------------------------------------------------------------------------------------------


def reorder(tx: sa.Connection, rng: random.Random, on: Target) -> Sequence[Head]:
    """Entries change places, as they are or written anew."""
    found = list(rows(tx))
    way = rng.randrange(3)
    if way == 2:  # a whole stretch, the other way round
        first = rng.randrange(0, on.size - 2)
        last = rng.randrange(first + 2, on.size + 1)
        ordered = [*found[:first], *reversed(found[first:last]), *found[last:]]
    else:
        a, b = rng.sample(range(on.size), 2)
        ordered = list(found)
        ordered[a], ordered[b] = ordered[b], ordered[a]
    if way == 0:  # rows only: the tree is left as it was
        moved = [(i, each) for i, each in enumerate(ordered, start=1) if each.number != i]
        tx.execute(log.delete().where(log.c.number.in_([number for number, _ in moved])))
        tx.execute(log.insert(), [_values(replace(each, number=number)) for number, each in moved])
    else:
        _replace(tx, ordered, renumber=rng.random() < 0.5)
    return on.heads


# --- truncations ------------------------------------------------------------------------------------------------


def truncate(tx: sa.Connection, rng: random.Random, on: Target) -> Sequence[Head]:
    """The end is gone, and perhaps every sign of it in the database."""
    size = rng.randrange(0, on.size)
    way = rng.randrange(3)
    if way == 0:
        tx.execute(log.delete().where(log.c.number > size))
    else:
        _replace(tx, [each for each in rows(tx) if each.number <= size])
        if way == 2:  # an older state of the log's own row, as from a backup, with the newest heads gone but one
            return [head for head in on.heads if head.size <= size] + [on.heads[-1]]
    return on.heads


# --- forks ------------------------------------------------------------------------------------------------------


def fork(tx: sa.Connection, rng: random.Random, on: Target) -> Sequence[Head]:
    """The log grows again from an earlier state; some attackers sign, with a key of theirs or the lab's own."""
    size = rng.randrange(0, on.size)
    _replace(tx, [each for each in rows(tx) if each.number <= size])
    until = rng.choice([on.size, on.size, on.size + rng.randrange(1, 40)])
    while audit.state(tx).size < until:
        audit.append(tx, at=AT, actor="person-1", action="access", subject=f"record-{rng.random()}")
    way = rng.randrange(4)
    found, kept = audit.state(tx), [head for head in on.heads if head.size <= size]
    if way == 0:
        return on.heads
    if way == 1:  # the lab's key, beside the exported heads: two roots for one size, or two heads after one
        return sorted([*on.heads, _signed(found, on.key, kept)], key=lambda head: (head.size, head.at, head.root))
    if way == 2:  # a key of their own, in place of the exported heads
        return [*kept, _signed(found, Ed25519PrivateKey.generate(), kept)]
    moved = replace(found, log="0" * 32)  # another log's heads, signed by the lab
    tx.execute(tree.update().values(log=moved.log))
    return on.heads


ATTACKS: Mapping[str, Attack] = {
    "alterations": alter,
    "deletions": delete,
    "reorderings": reorder,
    "truncations": truncate,
    "forks": fork,
}


# --- what attackers use -----------------------------------------------------------------------------------------


def _disarm(tx: sa.Connection) -> None:
    """The triggers stop nobody who may drop them."""
    if tx.dialect.name == "postgresql":
        for table in (log, subtrees, tree):
            tx.execute(sa.text(f"ALTER TABLE {table.name} DISABLE TRIGGER USER"))
        return
    chosen = sa.text("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name LIKE 'audit_%'")
    for name in tx.scalars(chosen).all():
        tx.execute(sa.text(f"DROP TRIGGER {name}"))


def _living(tx: sa.Connection, rng: random.Random) -> Row:
    return rng.choice([each for each in rows(tx) if each.salt is not None])


def _said(row: Row) -> dict[str, Any]:
    said: dict[str, Any] = json.loads(row.entry or "{}")
    return said


def _with(row: Row, **changes: Any) -> Row:
    """The row of another entry, with a commitment that opens; an erased row has nothing to change."""
    if row.salt is None:
        return replace(row, **changes)
    said, salt = _said(row) | changes, new_salt()
    text = canonical(said)
    columns = {name: value for name, value in changes.items() if name != "number"}
    number = changes.get("number", row.number)
    return replace(row, **columns, number=number, salt=salt, entry=text.decode(), commitment=commit(salt, text))


def _replace(tx: sa.Connection, left: Sequence[Row], *, renumber: bool = True) -> None:
    """Write these rows as the whole log, with a tree that agrees with them."""
    placed = []
    for i, row in enumerate(left, start=1):
        moved = row if row.number == i else _with(row, number=i) if renumber else replace(row, number=i)
        placed.append(moved)
    for table in (log, subtrees):
        tx.execute(table.delete())
    frontier, kept = merkle.Frontier(), []
    for row in placed:
        frontier, made = frontier.append(merkle.leaf_hash(row.commitment))
        kept += [n for n in made if n.level % TILE_LEVELS == 0]
    if placed:
        tx.execute(log.insert(), [_values(row) for row in placed])
    if kept:
        tx.execute(subtrees.insert(), [{"level": n.level, "position": n.position, "hash": n.hash} for n in kept])
    tx.execute(tree.update().values(size=frontier.size, frontier=frontier.to_bytes()))


def _values(row: Row) -> dict[str, Any]:
    return {name: getattr(row, name) for name in Row.__dataclass_fields__}


def _update(tx: sa.Connection, number: int, on: Target, **values: Any) -> Sequence[Head]:
    tx.execute(log.update().where(log.c.number == number).values(values))
    return on.heads


def _flip(data: bytes, rng: random.Random) -> bytes:
    changed = bytearray(data)
    changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def _signed(found: audit.Tree, key: Ed25519PrivateKey, before: Sequence[Head]) -> Head:
    head = Head(
        log=found.log,
        size=found.size,
        root=found.root.hex(),
        at="2026-11-25T09:00:00.000000Z",
        key=keys.key_id(key.public_key()),
        previous=before[-1].digest if before else "",
        signature="",
    )
    return replace(head, signature=key.sign(head.statement).hex())


def run(on: Target, n: int, seed: int) -> dict[str, Any]:
    """``n`` attacks of each kind; the seeds of those that were missed."""
    report: dict[str, Any] = {"entries": on.size, "heads": len(on.heads), "seed": seed}
    with on.store.reading() as tx:
        report["false_alarms"] = len(verification.check(tx, on.heads, on.keys).problems)
    for name, attack in ATTACKS.items():
        started = time.perf_counter()
        missed = [i for i in range(n) if attempt(attack, random.Random(f"{seed}-{name}-{i}"), on).ok]
        seconds = round(time.perf_counter() - started, 1)
        report[name] = {"n": n, "detected": n - len(missed), "failures": missed, "seconds": seconds}
        print(f"{name}: {n - len(missed)}/{n} ({seconds} s)", file=sys.stderr)
    return report


def main() -> None:
    """Print the report; exit 1 when an attack was missed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--n", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=39)
    parser.add_argument("--url", default="", help="an empty PostgreSQL database instead of SQLite")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(home=Path(folder), database=options.url)
        store = Store.of(settings)
        migrate.migrate(store)
        report = {"back_end": store.dialect, **run(target(store, settings), options.n, options.seed)}
        store.close()
    json.dump(report, sys.stdout, indent=1)
    print()
    missed = any(report[name]["failures"] for name in ATTACKS)
    sys.exit(1 if missed or report["false_alarms"] else 0)


if __name__ == "__main__":
    main()
