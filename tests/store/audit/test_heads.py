"""Heads are signed, exported, chained, and never signed over something that does not continue them."""

from __future__ import annotations

import json
import stat
from dataclasses import replace
from pathlib import Path

import pytest
from benchmarks.prove_audit import _disarm
from tests.store.audit.examples import add, filled
from tests.store.conftest import MovableClock

from lab39.core.errors import InputError
from lab39.settings import Settings
from lab39.store import Store, audit
from lab39.store.audit import heads, keys
from lab39.store.audit.log import log, tree


def test_a_head_says_what_the_tree_was_and_by_whom_it_was_signed(
    store: Store, settings: Settings, clock: MovableClock
):
    filled(store, 5)
    signed = heads.sign(store, settings)
    with store.reading() as tx:
        state = audit.state(tx)
    head = heads.parse(signed.path.read_bytes(), "")
    assert signed.new
    assert (head.log, head.size, head.root) == (state.log, 5, state.root.hex())
    assert head.at == "2026-11-24T09:00:00.000000Z"
    assert head.previous == ""
    public = keys.read_public(settings.heads / f"key-{head.key}.pub.pem")
    assert head.signed_by({head.key: public})
    assert (settings.heads / "latest.json").read_bytes() == signed.path.read_bytes()


def test_each_head_names_the_one_before(store: Store, settings: Settings):
    filled(store, 2)
    first = heads.sign(store, settings).head
    filled(store, 2)
    second = heads.sign(store, settings).head
    assert second.previous == first.digest
    found, problems = heads.read(settings.heads)
    assert (found, problems) == ((first, second), ())
    assert list(heads.check_chain(found, keys.trusted(settings.keys), first.log)) == []


def test_nothing_new_makes_no_new_head(store: Store, settings: Settings, clock: MovableClock):
    filled(store, 2)
    first = heads.sign(store, settings)
    clock.forward(hours=1)
    again = heads.sign(store, settings)
    assert (again.head, again.new) == (first.head, False)


def test_the_key_is_readable_by_its_user_only_and_the_heads_by_all(store: Store, settings: Settings):
    signed = heads.sign(store, settings)
    assert stat.S_IMODE((settings.keys / "audit-ed25519.pem").stat().st_mode) == 0o600
    assert stat.S_IMODE(settings.keys.stat().st_mode) == 0o700
    assert stat.S_IMODE(signed.path.stat().st_mode) == 0o644


def test_the_key_is_made_once(tmp_path: Path):
    first = keys.signing_key(tmp_path)
    assert keys.key_id(keys.signing_key(tmp_path).public_key()) == keys.key_id(first.public_key())


def test_a_restored_database_is_not_signed(store: Store, settings: Settings):
    filled(store, 3)
    with store.reading() as tx:
        before = audit.state(tx)
    filled(store, 3)
    heads.sign(store, settings)
    with store.writing() as tx:
        _disarm(tx)
        tx.execute(log.delete().where(log.c.number > 3))
        tx.execute(tree.update().values(size=3, frontier=before.frontier.to_bytes()))
    with pytest.raises(audit.AuditError, match="restored"):
        heads.sign(store, settings)
    filled(store, 9, actor="other")
    with pytest.raises(audit.AuditError, match="written anew"):
        heads.sign(store, settings)
    assert len(heads.read(settings.heads)[0]) == 1


def test_a_lost_key_is_asked_for_instead_of_replaced(store: Store, settings: Settings):
    filled(store, 3)
    heads.sign(store, settings)
    (settings.keys / "audit-ed25519.pem").unlink()
    with pytest.raises(audit.AuditError, match="put it back"):
        heads.sign(store, settings)


def test_a_key_can_be_succeeded_by_another(store: Store, settings: Settings):
    filled(store, 3)
    first = heads.sign(store, settings).head
    published = settings.heads / f"key-{first.key}.pub.pem"
    (settings.keys / "audit-former-2026.pub.pem").write_bytes(published.read_bytes())
    (settings.keys / "audit-ed25519.pem").unlink()
    filled(store, 3)
    second = heads.sign(store, settings).head
    assert second.key != first.key
    assert list(heads.check_chain([first, second], keys.trusted(settings.keys), first.log)) == []


def test_a_key_file_that_is_none_is_told(tmp_path: Path):
    (tmp_path / "audit-ed25519.pem").write_text("not a key")
    with pytest.raises(InputError, match="not a readable Ed25519 key"):
        keys.signing_key(tmp_path)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda d: d | {"more": 1},
        lambda d: {"head": d["head"]},
        lambda d: d | {"head": d["head"] | {"type": "other"}},
        lambda d: d | {"head": d["head"] | {"size": "5"}},
        lambda d: d | {"head": d["head"] | {"size": True}},
        lambda d: d | {"head": d["head"] | {"size": -1}},
        lambda d: d | {"head": d["head"] | {"root": "zz"}},
        lambda d: d | {"signature": None},
        lambda d: d | {"head": d["head"] | {"size": 2**60}},
        lambda d: [d],
    ],
)
def test_what_is_not_a_head_is_refused(spoil, store: Store, settings: Settings):
    whole = json.loads(heads.sign(store, settings).path.read_bytes())
    with pytest.raises(InputError, match="not an audit head"):
        heads.parse(json.dumps(spoil(whole)).encode(), "x")


def test_a_signature_of_something_else_does_not_hold(store: Store, settings: Settings):
    filled(store, 3)
    head = heads.sign(store, settings).head
    trusted = keys.trusted(settings.keys)
    assert head.signed_by(trusted)
    for changed in (
        replace(head, size=4),
        replace(head, previous="0" * 64),
        replace(head, signature="00" * 64),
        replace(head, signature="zz"),
        replace(head, key="0" * 32),
    ):
        assert not changed.signed_by(trusted)


def test_a_folder_that_lost_its_newest_head_file_says_so(store: Store, settings: Settings):
    filled(store, 3)
    heads.sign(store, settings)
    filled(store, 3)
    newest = heads.sign(store, settings)
    newest.path.unlink()
    found, problems = heads.read(settings.heads)
    assert [p.kind for p in problems] == ["head"]
    assert newest.head in found
    with pytest.raises(audit.AuditError):
        heads.sign(store, settings)


def test_an_entry_may_follow_while_a_head_is_signed(store: Store, second_store: Store, settings: Settings):
    filled(store, 3)
    with store.writing() as tx:
        add(tx)
        if store.dialect == "sqlite":
            assert heads.sign(second_store, settings).head.size == 3
    assert heads.sign(second_store, settings).head.size == 4
