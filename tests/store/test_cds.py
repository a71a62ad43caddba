"""Cards that were given, and what became of them, on both back ends."""

from __future__ import annotations

import datetime as dt

from tests.store.conftest import MovableClock

from lab39.store import Store, cds

ONE = cds.Card("4e0a3a1e-3283-4575-ab82-028d55fe2719", "lab39-patient-view", "calm", "age", "info")
TWO = cds.Card("4e0a3a1e-3283-4575-ab82-028d55fe2720", "lab39-patient-view", "calm", "age", "info")


def test_an_answer_given_again_has_the_same_cards(store: Store, clock: MovableClock):
    with store.writing() as tx:
        cds.give(tx, [ONE], at=clock())
        cds.give(tx, [ONE, TWO], at=clock())
        cds.give(tx, [], at=clock())
        assert cds.counts(tx) == (cds.Count("calm", "age", given=2, accepted=0, overridden=0),)


def test_feedback_takes_the_kind_of_its_card_and_counts_once(store: Store, clock: MovableClock):
    said = cds.Feedback(ONE.uuid, "overridden", clock(), reason_system="urn:x", reason_code="no", comment="a\0b")
    with store.writing() as tx:
        cds.give(tx, [ONE], at=clock())
        assert cds.receive(tx, ONE.service, [said, said], client="", at=clock()) == 1
        assert cds.receive(tx, ONE.service, [said], client="", at=clock()) == 0
        (count,) = cds.counts(tx)
        assert (count.overridden, dict(count.reasons)) == (1, {"urn:x|no": 1})
        assert cds.comments(tx) == (("calm", "age", clock(), "a b"),)


def test_a_nonce_is_new_once_for_each_issuer(store: Store, clock: MovableClock):
    end = clock() + dt.timedelta(minutes=5)
    with store.writing() as tx:
        assert cds.first_use(tx, "a", "n", expires_at=end)
        assert not cds.first_use(tx, "a", "n", expires_at=end)
        assert cds.first_use(tx, "b", "n", expires_at=end)
        assert cds.first_use(tx, "\ud800", "n", expires_at=end)


def test_what_is_old_is_forgotten(store: Store, clock: MovableClock):
    with store.writing() as tx:
        cds.give(tx, [ONE], at=clock())
        cds.first_use(tx, "a", "n", expires_at=clock() + dt.timedelta(minutes=5))
        assert cds.sweep(tx, at=clock.forward(minutes=4)) == 0
        assert cds.sweep(tx, at=clock.forward(minutes=1)) == 1
        cds.give(tx, [TWO], at=clock())
        assert cds.sweep(tx, at=clock() + cds.KEPT - dt.timedelta(minutes=1)) == 1
        assert cds.sweep(tx, at=clock() + cds.KEPT) == 1
