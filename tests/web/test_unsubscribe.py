"""The link in a message: opening it asks, posting it takes the consent back, nobody else's link does anything."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from lab39.settings import Settings
from lab39.store import Store, consents, outbox, people, unsubscribe


@pytest.fixture
def person(store: Store) -> str:
    with store.writing() as tx:
        made = people.add(tx, name="Ana", email="ana@example.org", at=store.clock()).id
        consents.give(tx, made, "news", wording="2026-01", channel="web", at=store.clock())
    return made


@pytest.fixture
def link(store: Store, settings: Settings, person: str) -> str:
    with store.writing() as tx:
        parameters = {"link": "https://lab.example.org/desk"}
        message = outbox.add(tx, person, "lab.notice", parameters, purpose="news", at=store.clock())
    return unsubscribe.PATH + unsubscribe.token(unsubscribe.key(settings.keys), message.id)


def agrees(store: Store, person: str) -> bool:
    with store.reading() as tx:
        return consents.has_consent(tx, person, "news", store.clock())


def test_opening_the_link_changes_nothing_since_mail_scanners_open_links(client: TestClient, store, person, link):
    assert "Ne plus les recevoir" in client.get(link).text
    assert agrees(store, person)


def test_one_click_without_signing_in_takes_the_consent_back_and_twice_is_once(
    client: TestClient, store, person, link
):
    for _ in range(2):
        done = client.post(link, data={"List-Unsubscribe": "One-Click"})
        assert done.status_code == 200
        assert "ne vous enverra plus" in done.text
    assert not agrees(store, person)


def test_a_link_this_lab_did_not_give_is_refused(client: TestClient, store, person, link):
    assert client.post(link[:-2] + "xx").status_code == 422
    assert agrees(store, person)
