"""Consents."""

from __future__ import annotations

import datetime as dt

import pytest
import sqlalchemy as sa
from tests.store.houses import person

from lab39.store import Store
from lab39.store.consents import give, has_consent, history, withdraw


def test_silence_is_not_consent_and_the_last_word_counts_at_each_moment(store: Store, clock):
    ana = person(store).id
    start = clock()
    with store.writing() as tx:
        assert not has_consent(tx, ana, "mail", start)
        give(tx, ana, "mail", wording="2026-01", channel="web", at=clock.forward(days=1))
        withdraw(tx, ana, "mail", channel="mail", at=clock.forward(days=1))
        give(tx, ana, "mail", wording="2026-02", channel="web", at=clock.forward(days=1))
        days = [has_consent(tx, ana, "mail", start + dt.timedelta(days=day)) for day in range(5)]
        assert days == [False, True, False, True, True]
        assert not has_consent(tx, ana, "research", clock())
        assert [(c.given, c.wording, c.channel) for c in history(tx, ana)] == [
            (True, "2026-01", "web"),
            (False, "2026-01", "mail"),
            (True, "2026-02", "web"),
        ]


def test_two_words_at_the_same_moment_count_in_the_order_they_were_said(store: Store):
    ana = person(store).id
    with store.writing() as tx:
        give(tx, ana, "mail", wording="1", channel="web", at=store.clock())
        withdraw(tx, ana, "mail", channel="web", at=store.clock())
        assert not has_consent(tx, ana, "mail", store.clock())


@pytest.mark.parametrize("change", ["UPDATE consents SET given = NOT given", "DELETE FROM consents"])
def test_the_history_cannot_be_rewritten(store: Store, change: str):
    ana = person(store).id
    with store.writing() as tx:
        given = give(tx, ana, "mail", wording="1", channel="web", at=store.clock())
    with pytest.raises(sa.exc.DBAPIError, match="append-only"), store.writing() as tx:
        tx.exec_driver_sql(change)
    with store.reading() as tx:
        assert history(tx, ana) == (given,)
