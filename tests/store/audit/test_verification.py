"""Whatever is changed is seen, with the first entry it concerns; what is as it was raises no alarm."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
import sqlalchemy as sa
from benchmarks.prove_audit import ATTACKS, Target, _disarm, _rewrite_all, attempt, target
from tests.store.audit.examples import AT, add, filled

from lab39.settings import Settings
from lab39.store import Store, audit
from lab39.store.audit import heads, keys
from lab39.store.audit.log import log
from lab39.store.audit.verification import Verification, check, verify

SAMPLE = 50


@pytest.fixture
def on(store: Store, settings: Settings) -> Target:
    return target(store, settings)


def whole(store: Store, settings: Settings) -> Verification:
    return verify(store, settings.heads, keys.trusted(settings.keys))


@pytest.mark.parametrize("kind", ATTACKS)
def test_attacks_are_detected_against_exported_heads(kind: str, on: Target):
    missed = [i for i in range(SAMPLE) if attempt(ATTACKS[kind], random.Random(f"test-{kind}-{i}"), on).ok]
    assert missed == []
    with on.store.reading() as tx:
        assert check(tx, on.heads, on.keys).ok


def test_a_thorough_attacker_is_seen_by_the_heads_only(on: Target):
    with on.store.engine.connect() as tx, tx.begin() as undo:
        _disarm(tx)
        _rewrite_all(tx, random.Random(7), on)
        assert check(tx, (), {}).ok
        found = check(tx, on.heads, on.keys)
        undo.rollback()
    assert {problem.kind for problem in found.problems} == {"fork"}


def test_an_untouched_log_is_whole(on: Target, settings: Settings):
    found = whole(on.store, settings)
    assert found.ok
    assert (found.size, found.heads, found.covered, found.erased) == (300, 3, 300, 9)
    assert found.notes == ()


def test_entries_since_the_last_head_are_told(on: Target, settings: Settings):
    filled(on.store, 4)
    found = whole(on.store, settings)
    assert found.ok
    assert found.covered == 300
    assert "4 entries since" in found.notes[0].en


def test_a_log_without_heads_is_compared_with_itself_only(store: Store, settings: Settings):
    filled(store, 4)
    found = whole(store, settings)
    assert found.ok
    assert "itself only" in found.notes[0].en


def test_heads_that_disappeared_are_a_problem(store: Store, settings: Settings):
    filled(store, 4)
    heads.sign(store, settings)
    for path in settings.heads.glob("*.json"):
        path.unlink()
    assert [p.kind for p in whole(store, settings).problems] == ["head"]


@pytest.mark.parametrize(
    ("change", "kind", "number", "words"),
    [
        (log.update().where(log.c.number == 3).values(subject="r9"), "alter", 3, "columns for searching"),
        (log.update().where(log.c.number == 3).values(at=AT), "alter", 3, "columns for searching"),
        (log.update().where(log.c.number == 3).values(entry="{}"), "alter", 3, "content is not the one"),
        (log.update().where(log.c.number == 3).values(salt=b"x" * 31), "alter", 3, "incomplete"),
        (log.update().where(log.c.number == 3).values(salt=None), "alter", 3, "incomplete"),
        (log.delete().where(log.c.number.in_([3, 4])), "delete", 3, "entry 3–4: absent"),
        (log.delete().where(log.c.number > 6), "truncate", 7, "absent from 7 on"),
    ],
)
def test_the_first_bad_entry_is_named(
    change: sa.Update | sa.Delete, kind: str, number: int, words: str, store: Store, settings: Settings
):
    filled(store, 5)
    heads.sign(store, settings)
    filled(store, 5)
    heads.sign(store, settings)
    with store.writing() as tx:
        _disarm(tx)
        tx.execute(change)
    found = whole(store, settings)
    first = found.problems[0]
    assert (first.kind, first.number) == (kind, number)
    assert words in first.text.en
    assert found.covered < number


def test_an_entry_moved_says_where_it_was_written(store: Store, settings: Settings):
    filled(store, 5)
    with store.writing() as tx:
        _disarm(tx)
        for old, new in ((2, -2), (4, 2), (-2, 4)):
            tx.execute(log.update().where(log.c.number == old).values(number=new))
    first = whole(store, settings).problems[0]
    assert (first.kind, first.number) == ("reorder", 2)
    assert "written under number 4" in first.text.en


def test_a_database_restored_from_an_older_copy_is_told(store: Store, second_store: Store, settings: Settings):
    filled(store, 5)
    heads.sign(store, settings)
    with store.writing() as tx:
        _disarm(tx)
        tx.execute(log.delete())
        tx.execute(sa.text("UPDATE audit_tree SET size = 0, frontier = :none"), {"none": b""})
    first = whole(store, settings).problems[0]
    assert (first.kind, first.number) == ("truncate", 1)
    assert "restored from an older copy" in first.text.en


def test_heads_of_another_lab_are_not_accepted(store: Store, settings: Settings, tmp_path: Path):
    filled(store, 5)
    heads.sign(store, settings)
    other = keys.signing_key(tmp_path / "other").public_key()
    found = verify(store, settings.heads, {keys.key_id(other): other})
    assert [p.kind for p in found.problems] == ["key"]
    assert found.covered == 0


def test_a_copy_of_some_heads_is_enough_to_check_against(on: Target, settings: Settings, tmp_path: Path):
    copy = tmp_path / "copy"
    copy.mkdir()
    (copy / on.heads[1].file).write_bytes(on.heads[1].text)
    found = verify(on.store, copy, on.keys)
    assert found.ok
    assert found.covered == 200
    assert any("older than" in note.en for note in found.notes)


def test_what_is_not_even_of_the_right_type_is_a_problem_and_no_crash(store: Store, settings: Settings):
    if store.dialect != "sqlite":
        return  # PostgreSQL refuses to store such values
    filled(store, 5)
    for statement in (
        "UPDATE audit_entries SET at = 'yesterday' WHERE number = 3",
        "UPDATE audit_entries SET commitment = 5.5 WHERE number = 3",
        "UPDATE audit_entries SET entry = CAST(x'ff' AS TEXT) WHERE number = 3",
    ):
        with store.engine.connect() as tx, tx.begin() as undo:
            _disarm(tx)
            tx.execute(sa.text(statement))
            found = check(tx, (), {})
            undo.rollback()
        assert found.problems[0].kind == "alter", statement


def test_a_row_of_the_tree_that_cannot_be_read_is_a_problem(store: Store):
    with store.engine.connect() as tx, tx.begin() as undo:
        add(tx)
        _disarm(tx)
        tx.execute(sa.text("UPDATE audit_tree SET size = 7"))
        found = check(tx, (), {})
        with pytest.raises(audit.AuditError, match="damaged"):
            add(tx)
        undo.rollback()
    assert not found.ok
