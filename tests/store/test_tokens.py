"""Tokens of programs: given once, kept as a digest, ended by a date or by hand."""

from __future__ import annotations

import datetime as dt

import pytest
import sqlalchemy as sa
from tests.store.conftest import MovableClock

from lab39.core.errors import InputError
from lab39.store import Store, people, privacy, tokens

MONTH = dt.timedelta(days=30)


def made(store: Store, clock: MovableClock) -> tuple[str, tokens.Token, str]:
    with store.writing() as tx:
        person = people.add(tx, name="Ada", at=clock()).id
        token, secret = tokens.add(tx, person, name=" un  programme ", lasts=MONTH, at=clock())
    return person, token, secret


def test_a_token_is_found_by_its_secret_which_is_kept_nowhere(store: Store, clock: MovableClock):
    person, token, secret = made(store, clock)
    assert token.name == "un programme"
    assert secret.startswith("lab39_")
    with store.reading() as tx:
        assert tokens.find(tx, secret, at=clock()) == token
        assert tokens.find(tx, secret + "x", at=clock()) is None
        assert tokens.find(tx, "\ud800", at=clock()) is None
        assert tokens.of(tx, person) == (token,)
        rows = tx.execute(sa.select(tokens.tokens)).all()
    assert secret not in str(rows)


def test_it_opens_until_its_day_and_no_longer(store: Store, clock: MovableClock):
    _, token, secret = made(store, clock)
    with store.reading() as tx:
        assert tokens.find(tx, secret, at=token.expires_at - dt.timedelta(microseconds=1)) is not None
        assert tokens.find(tx, secret, at=token.expires_at) is None


def test_once_revoked_it_opens_nothing_and_keeps_the_first_moment(store: Store, clock: MovableClock):
    _, token, secret = made(store, clock)
    with store.writing() as tx:
        first = tokens.revoke(tx, token.id, at=clock())
        again = tokens.revoke(tx, token.id, at=clock.forward(days=1))
        assert tokens.find(tx, secret, at=clock()) is None
    assert again == first
    with store.writing() as tx, pytest.raises(tokens.UnknownTokenError):
        tokens.revoke(tx, "nobody", at=clock())


def test_its_last_use_is_kept_to_the_hour(store: Store, clock: MovableClock):
    person, token, _ = made(store, clock)
    assert tokens.is_due(token, clock())
    with store.writing() as tx:
        tokens.used(tx, token, at=clock())
        (used,) = tokens.of(tx, person)
    assert not tokens.is_due(used, clock.forward(minutes=59))
    assert tokens.is_due(used, clock.forward(minutes=1))


@pytest.mark.parametrize("lasts", [dt.timedelta(0), -MONTH, dt.timedelta(days=367)])
def test_it_lasts_a_day_to_a_year(store: Store, clock: MovableClock, lasts: dt.timedelta):
    with store.writing() as tx, pytest.raises(InputError):
        tokens.add(tx, people.add(tx, name="Ada", at=clock()).id, name="x", lasts=lasts, at=clock())


def test_it_has_a_name(store: Store, clock: MovableClock):
    with store.writing() as tx:
        person = people.add(tx, name="Ada", at=clock()).id
        for name in ("", "  ", "x" * 101):
            with pytest.raises(InputError):
                tokens.add(tx, person, name=name, lasts=MONTH, at=clock())


def test_it_goes_with_the_person(store: Store, clock: MovableClock):
    person, _, secret = made(store, clock)
    privacy.erase_person(store, person)
    with store.reading() as tx:
        assert tokens.find(tx, secret, at=clock()) is None
        assert tokens.of(tx, person) == ()


@pytest.mark.parametrize(
    ("header", "secret"),
    [
        ("Bearer lab39_abc", "lab39_abc"),
        ("bearer  lab39_abc ", "lab39_abc"),
        ("Bearer eyJ.x.y", ""),
        ("Basic lab39_abc", ""),
        ("lab39_abc", ""),
        ("", ""),
    ],
)
def test_a_header_carries_a_token_of_this_lab_or_none(header: str, secret: str):
    assert tokens.presented(header) == secret
