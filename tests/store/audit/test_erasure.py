"""What is erased cannot be read nor guessed; the tree stays verifiable, and the erasure itself is told."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from tests.store.audit.examples import AT, add, filled

from lab39.settings import Settings
from lab39.store import Store, audit, people, privacy, records
from lab39.store.audit import erasure, heads, keys, verification
from lab39.store.audit.erasure import ranges
from lab39.store.audit.log import ERASABLE, log, rows
from lab39.store.people import Role


def test_only_number_and_commitment_are_left(store: Store):
    filled(store, 10)
    with store.reading() as tx:
        before = list(rows(tx))
    with store.writing() as tx:
        audit.forget(tx, "r1", at=AT)
    with store.reading() as tx:
        after = list(rows(tx))
    for old, new in zip(before, after, strict=False):
        assert (old.number, old.commitment) == (new.number, new.commitment)
        emptied = all(getattr(new, column.name) is None for column in ERASABLE)
        assert emptied == (old.subject == "r1"), old.number


def test_the_log_says_which_entries_were_erased_by_whom_and_stays_whole(store: Store, settings: Settings):
    filled(store, 10)
    heads.sign(store, settings)
    with store.writing() as tx:
        (said,) = audit.forget(tx, "r1", at=AT, actor="boss")
    assert (said.action, said.actor, said.subject) == ("erase", "boss", "r1")
    assert said.about == {"entries": [[2, 2], [7, 7]]}
    found = verification.verify(store, settings.heads, keys.trusted(settings.keys))
    assert found.ok
    assert found.erased == 2


def test_a_person_takes_their_own_trail_along_and_leaves_what_they_did_to_others(store: Store):
    with store.writing() as tx:
        add(tx, actor="paul", action="sign-in", subject="")
        add(tx, actor="boss", action="role", subject="paul")
        add(tx, actor="paul", action="access", subject="anne-record")
        add(tx, actor="doctor", action="access", subject="paul-record")
        add(tx, actor="anne", action="sign-in", subject="")
    with store.writing() as tx:
        audit.erase(tx, "paul", at=AT, subjects=["paul-record"])
    with store.reading() as tx:
        assert [e.number for e in audit.entries(tx)] == [6, 5, 3]


def test_erasing_twice_finds_nothing_left(store: Store):
    filled(store, 10)
    with store.writing() as tx:
        assert len(audit.forget(tx, "r1", at=AT)) == 1
        assert audit.forget(tx, "r1", at=AT) == ()


def test_an_erasure_of_many_scattered_entries_is_told_in_several(store: Store, settings: Settings):
    with store.writing() as tx:
        for i in range(240):
            add(tx, subject=f"r{i % 2}")
        said = audit.forget(tx, "r1", at=AT)
    assert len(said) == 2
    assert verification.verify(store, settings.heads, {}).ok


def test_an_emptied_entry_that_no_erasure_names_is_seen(store: Store, settings: Settings):
    filled(store, 10)
    with store.writing() as tx:
        tx.execute(log.update().where(log.c.number == 4).values(dict.fromkeys([c.name for c in ERASABLE])))
    first = verification.verify(store, settings.heads, {}).problems[0]
    assert first.number == 4
    assert "no entry of an erasure says so" in first.text.en


def test_the_same_entry_under_another_salt_does_not_open_the_commitment(store: Store):
    """Without its salt a commitment cannot be told from that of anything else."""
    with store.writing() as tx:
        first, second = add(tx), add(tx)
    assert first.commitment != second.commitment
    assert len(first.salt) == 32


def test_erased_bytes_are_gone_from_the_file(store: Store):
    if store.dialect != "sqlite":
        return  # PostgreSQL overwrites in its own time
    with store.writing() as tx:
        salt = add(tx, subject="r1", about={"mark": "unmistakable"}).salt
        audit.forget(tx, "r1", at=AT)
    store.forget_deleted()
    with open(str(store.engine.url.database), "rb") as file:  # noqa: PTH123
        content = file.read()
    assert salt not in content
    assert b"unmistakable" not in content


def test_erasing_a_person_erases_their_part_of_the_log(store: Store, settings: Settings):
    with store.writing() as tx:
        paul = people.add(tx, name="Paul", at=AT, given=[Role.PATIENT]).id
        doctor = people.add(tx, name="Dr A", at=AT, given=[Role.PROFESSIONAL]).id
        record = records.add(tx, '{"resourceType": "Patient"}', owner=paul, at=AT).id
        add(tx, actor=paul, action="upload", subject=record)
        add(tx, actor=doctor, action="access", subject=record)
        add(tx, actor=doctor, action="sign-in", subject="")
    done = privacy.erase_person(store, paul)
    told = next(o for o in done.outcomes if o.what == erasure.PART.title)
    assert told.erased == 2
    with store.reading() as tx:
        assert {e.action for e in audit.entries(tx)} == {"sign-in", "erase"}
    assert verification.verify(store, settings.heads, {}).ok


def test_a_person_is_given_what_the_log_says_of_them(store: Store):
    with store.writing() as tx:
        paul = people.add(tx, name="Paul", at=AT, given=[Role.PATIENT]).id
        entry = add(tx, actor="doctor", action="access", subject=paul)
        add(tx, actor="doctor", action="access", subject="somebody")
        (row,) = erasure.PART.export(tx, paul)
    assert row["number"] == entry.number
    assert row["salt"] == entry.salt.hex()


@pytest.mark.parametrize(
    ("numbers", "spans"), [([], []), ([1], [(1, 1)]), ([1, 2, 3, 7, 9, 10], [(1, 3), (7, 7), (9, 10)])]
)
def test_numbers_are_told_as_ranges(numbers: list[int], spans: list[tuple[int, int]]):
    assert ranges(numbers) == spans


def test_entries_of_erasures_are_not_erased(store: Store):
    filled(store, 5)
    with store.writing() as tx:
        audit.forget(tx, "r1", at=AT)
        assert audit.forget(tx, "r1", at=AT) == ()
        assert tx.scalar(sa.select(sa.func.count()).where(log.c.action == "erase")) == 1
