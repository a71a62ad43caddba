"""``lab39 people``: the accounts of the lab from its own console."""

from __future__ import annotations

import pytest

from lab39.settings import Settings
from lab39.store import Store, audit, sessions
from lab39.web.security import lab_secret
from lab39.web.signin import codes


@pytest.fixture
def settings(run, monkeypatch) -> Settings:
    """A lab with a migrated database; no solution installed."""
    monkeypatch.setattr("lab39.core.lab.entry_points", dict)
    monkeypatch.delenv("LAB39_DATABASE_URL", raising=False)
    assert run("db", "migrate").code == 0
    return Settings.from_env()


def test_before_anybody_is_here_the_code_of_the_first_manager_is_given(run, settings):
    store = Store.of(settings)
    code = run("people", "invite", "--json").json["code"]
    assert codes.is_first_code(lab_secret(settings.keys), code, store.clock())
    assert code in run("people", "invite").out
    assert run("people", "add", "Ana Roux", "--email", "ana@example.org").code == 0
    refused = run("people", "invite")
    assert refused.code == 2
    assert "lab39 people list" in refused.err
    store.close()


def test_somebody_is_added_with_roles_and_a_link_that_lets_them_in_once(run, settings, monkeypatch):
    monkeypatch.setenv("LAB39_URL", "https://lab.example.org")
    made = run("people", "add", "Ana Roux", "--email", "Ana@example.org", "--role", "expert", "--json").json
    assert made["roles"] == ["expert"]
    site, _, code = made["invitation"].partition("#")
    assert site == "https://lab.example.org/invitation"
    store = Store.of(settings)
    with store.reading() as tx:
        assert codes.invited(tx, lab_secret(settings.keys), code, at=store.clock()).id == made["id"]
        (entry,) = audit.entries(tx)
    assert (entry.action, entry.actor, entry.subject) == ("account", "", made["id"])
    store.close()
    again = run("people", "invite", "ana@example.org")
    assert again.code == 0
    assert "https://lab.example.org/invitation#" in again.out


def test_people_are_listed_and_looked_for(run, settings):
    for name in ("Ana", "Ben"):
        run("people", "add", name, "--email", f"{name}@example.org")
    assert [each["name"] for each in run("people", "list", "--json").json["people"]] == ["Ben", "Ana"]
    assert [each["name"] for each in run("people", "list", "an", "--json").json["people"]] == ["Ana"]
    assert "ben@example.org" in run("people", "list").out


def test_roles_are_given_and_taken_back_and_sessions_end(run, settings):
    ana = run("people", "add", "Ana", "--email", "ana@example.org", "--role", "manager", "--json").json["id"]
    run("people", "add", "Ben", "--email", "ben@example.org")
    store = Store.of(settings)
    with store.writing() as tx:
        token = sessions.start(tx, ana, at=store.clock())
    changed = run("people", "roles", ana, "--give", "expert", "--json").json
    assert changed["roles"] == ["expert", "manager"]
    with store.reading() as tx:
        assert sessions.find(tx, token, at=store.clock()) is None
    store.close()
    last = run("people", "roles", "ana@example.org", "--take", "manager")
    assert last.code == 2
    assert "dernier" in last.err
    assert run("people", "roles", "ana@example.org", "--take", "expert").out.strip() == "manager"


@pytest.mark.parametrize(
    "words",
    [
        ("add", "Ana", "--email", "not an address"),
        ("add", "Ana", "--email", "ana@example.org", "--role", "root"),
        ("roles", "nobody@example.org", "--give", "expert"),
        ("invite", "nobody@example.org"),
    ],
    ids=" ".join,
)
def test_what_cannot_be_is_refused_and_nothing_is_made(run, settings, words):
    ran = run("people", *words)
    assert ran.code == 2
    assert ran.err
    assert run("people", "list", "--json").json["people"] == []
