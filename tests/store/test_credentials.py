"""Passwords."""

from __future__ import annotations

import pytest
from argon2 import PasswordHasher
from tests.store.houses import person

from lab39.store import Store, credentials
from lab39.store.credentials import PasswordError, check_password, hash_password, set_password

GOOD = "correct cheval agrafe"


@pytest.fixture(autouse=True)
def fast(monkeypatch: pytest.MonkeyPatch):
    hasher = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
    monkeypatch.setattr(credentials, "_hasher", lambda: hasher)


@pytest.fixture
def ana(store: Store):
    made = person(store, "Ana", email="ana@example.org")
    with store.writing() as tx:
        set_password(tx, made.id, hash_password(GOOD), at=store.clock())
    return made


def test_the_right_password_opens_and_any_other_does_not(store: Store, ana):
    assert check_password(store, "ANA@example.org", GOOD) == ana
    for wrong in ("", GOOD + " ", GOOD[:-1], GOOD.upper(), "x" * 100_000):
        assert check_password(store, "ana@example.org", wrong) is None


def test_the_same_letters_typed_on_another_keyboard_are_the_same_password(store: Store, ana):
    composed, decomposed = "mot de passé sûr", "mot de passe\u0301 su\u0302r"
    with store.writing() as tx:
        set_password(tx, ana.id, hash_password(composed), at=store.clock())
    assert check_password(store, "ana@example.org", decomposed) == ana


def test_a_long_password_is_not_cut(store: Store, ana):
    long = "abcdé " * 100
    with store.writing() as tx:
        set_password(tx, ana.id, hash_password(long), at=store.clock())
    assert check_password(store, "ana@example.org", long) == ana
    assert check_password(store, "ana@example.org", long[:-1]) is None


@pytest.mark.parametrize("bad", ["", "onze lettre", "x" * 1025, "aaaaaaaaaaaaaaaa", "abababababababab"])
def test_a_weak_password_is_refused_with_what_to_do(bad: str):
    with pytest.raises(PasswordError) as told:
        hash_password(bad)
    assert any(char.isdigit() for char in told.value.text.fr)


def test_nobody_and_no_password_cost_one_verification_as_a_wrong_password_does(store: Store, ana, monkeypatch):
    person(store, "Bob", email="bob@example.org")
    credentials._nobody()
    verified: list[str] = []
    real = credentials._hasher()

    class Counting:
        check_needs_rehash = real.check_needs_rehash

        def verify(self, known: str, password: str) -> bool:
            verified.append(known)
            return real.verify(known, password)

    monkeypatch.setattr(credentials, "_hasher", Counting)
    for email in ("ana@example.org", "bob@example.org", "nobody@example.org"):
        assert check_password(store, email, "not the password") is None
    assert len(verified) == 3
    assert len({tuple(known.split("$")[:4]) for known in verified}) == 1, "same parameters, same time"


def test_a_hash_of_older_parameters_is_renewed_at_the_next_sign_in(store: Store, ana, monkeypatch):
    with store.reading() as tx:
        before = tx.execute(credentials.credentials.select()).one().hash
    stronger = PasswordHasher(time_cost=2, memory_cost=64, parallelism=1)
    monkeypatch.setattr(credentials, "_hasher", lambda: stronger)
    assert check_password(store, "ana@example.org", GOOD) == ana
    with store.reading() as tx:
        after = tx.execute(credentials.credentials.select()).one().hash
    assert before != after
    assert not stronger.check_needs_rehash(after)
    assert check_password(store, "ana@example.org", GOOD) == ana


def test_production_hashes_as_rfc_9106_says(monkeypatch):
    monkeypatch.undo()
    assert hash_password(GOOD).startswith("$argon2id$v=19$m=65536,t=3,p=4$")
