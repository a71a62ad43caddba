"""Sessions."""

from __future__ import annotations

import pytest
from tests.store.houses import person

from lab39.store import Store, sessions


@pytest.fixture
def ana(store: Store) -> str:
    return person(store).id


def start(store: Store, who: str) -> str:
    with store.writing() as tx:
        return sessions.start(tx, who, at=store.clock())


def found(store: Store, token: str) -> bool:
    with store.reading() as tx:
        return sessions.find(tx, token, at=store.clock()) is not None


def test_the_token_opens_the_session_and_the_database_does_not_hold_it(store: Store, ana: str):
    token = start(store, ana)
    assert len(token) >= 43
    with store.reading() as tx:
        assert sessions.find(tx, token, at=store.clock()).person_id == ana
        assert token not in str(tx.execute(sessions.sessions.select()).all())
    for wrong in ("", token[:-1], token + "x", "é\udcff"):
        assert not found(store, wrong)


def test_it_ends_when_nothing_is_seen_of_it_and_lives_on_when_something_is(store: Store, ana: str, clock):
    token = start(store, ana)
    clock.forward(minutes=29)
    with store.writing() as tx:
        session = sessions.find(tx, token, at=clock())
        assert sessions.is_due(session, clock())
        sessions.seen(tx, session, at=clock())
    clock.forward(minutes=29)
    assert found(store, token)
    clock.forward(minutes=1)
    assert not found(store, token)


def test_one_that_nothing_was_seen_of_for_half_an_hour_is_not_listed_as_open(store: Store, ana: str, clock):
    start(store, ana)
    late = clock.forward(minutes=20)
    start(store, ana)
    clock.forward(minutes=10)
    with store.reading() as tx:
        assert [each.created_at for each in sessions.of(tx, ana, at=clock())] == [late]


def test_it_ends_after_twelve_hours_however_busy(store: Store, ana: str, clock):
    token = start(store, ana)
    for _ in range(24):
        clock.forward(minutes=29, seconds=59)
        with store.writing() as tx:
            sessions.seen(tx, sessions.find(tx, token, at=clock()), at=clock())
    assert found(store, token)
    clock.forward(minutes=1)
    assert not found(store, token)


def test_rotation_gives_a_new_token_and_the_old_one_is_worth_nothing(store: Store, ana: str, clock):
    old = start(store, ana)
    clock.forward(minutes=10)
    with store.writing() as tx:
        new = sessions.rotate(tx, old, at=clock())
        assert sessions.rotate(tx, old, at=clock()) is None
        (session,) = sessions.of(tx, ana, at=clock())
    assert not found(store, old)
    assert found(store, new)
    assert session.expires_at - session.created_at == sessions.ABSOLUTE, "its end has not moved"


def test_revoking_ends_one_or_all_but_one(store: Store, ana: str):
    one, two, three = (start(store, ana) for _ in range(3))
    other = start(store, person(store, "Bob").id)
    with store.writing() as tx:
        assert sessions.revoke(tx, one)
        assert not sessions.revoke(tx, one)
        assert sessions.revoke_all(tx, ana, but=two) == 1
    assert [found(store, token) for token in (one, two, three, other)] == [False, True, False, True]


def test_sweeping_deletes_what_has_ended_only(store: Store, ana: str, clock):
    start(store, ana)
    clock.forward(hours=1)
    fresh = start(store, ana)
    with store.writing() as tx:
        assert sessions.sweep(tx, at=clock()) == 1
    assert found(store, fresh)
