"""``lab39 token`` and ``lab39 cds``."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from lab39.settings import Settings
from lab39.store import Store, audit, cds, people, tokens


@pytest.fixture
def store(run: Callable[..., Any]) -> Any:
    run("db", "migrate")
    opened = Store.of(Settings.from_env())
    with opened.writing() as tx:
        people.add(tx, name="Ada", email="ada@example.org", at=opened.clock())
    yield opened
    opened.close()


def test_a_token_is_shown_once_and_opens(run: Callable[..., Any], store: Store):
    made = run("token", "add", "ada@example.org", "--name", "Logiciel", "--days", "30")
    assert made.code == 0
    secret = made.out.strip()
    with store.reading() as tx:
        found = tokens.find(tx, secret, at=store.clock())
        assert found is not None
        assert found.name == "Logiciel"
        assert [e.action for e in audit.entries(tx)] == ["account"]
    listed = run("token", "list", "ada@example.org", "--json")
    assert secret not in listed.out
    assert listed.json["tokens"][0]["holds"] is True
    assert "Logiciel" in run("token", "list", "ada@example.org").out


def test_a_revoked_token_opens_nothing(run: Callable[..., Any], store: Store):
    made = run("token", "add", "ada@example.org", "--name", "x", "--json").json
    assert run("token", "revoke", made["id"]).code == 0
    with store.reading() as tx:
        assert tokens.find(tx, made["token"], at=store.clock()) is None
    assert run("token", "list", "ada@example.org", "--json").json["tokens"][0]["holds"] is False


@pytest.mark.parametrize(
    "words",
    [
        ("add", "nobody", "--name", "x"),
        ("list", "nobody"),
        ("revoke", "nobody"),
        ("add", "ada@example.org", "--name", " "),
    ],
)
def test_what_does_not_exist_is_told(run: Callable[..., Any], store: Store, words: tuple[str, ...]):
    done = run("token", *words)
    assert done.code == 2
    assert "Traceback" not in done.err


def test_feedback_is_shown_by_kind_of_finding(run: Callable[..., Any], store: Store):
    at = dt.datetime(2026, 11, 24, 9, tzinfo=dt.UTC)
    card = cds.Card("4e0a3a1e-3283-4575-ab82-028d55fe2719", "lab39-patient-view", "calm", "age", "info")
    said = cds.Feedback(card.uuid, "overridden", at, reason_code="already-done", comment="Fait hier")
    with store.writing() as tx:
        cds.give(tx, [card], at=store.clock())
        cds.receive(tx, card.service, [said, replace(said, card="0" * 36)], client="", at=at)
    shown = run("cds", "feedback")
    assert "calm.age" in shown.out
    assert "already-done 1" in shown.out
    assert "Fait hier" not in shown.out
    assert "Fait hier" in run("cds", "feedback", "--comments").out
    found = run("cds", "feedback", "--json", "--comments").json
    assert found["feedback"][1]["overridden"] == 1
    assert found["comments"][0]["comment"] == "Fait hier"
