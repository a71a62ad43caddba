"""Every entry is a valid AuditEvent of FHIR R4B, and says there what it says here."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.store.audit.examples import AT

from lab39.core.text import LANGS
from lab39.fhir.outputs import validate
from lab39.store.audit import Entry, UnknownActionError, action, actions, audit_event


def entry(**said: Any) -> Entry:
    usual = {"number": 7, "at": AT, "actor": "p1", "action": "access", "subject": "r1", "about": {}}
    return Entry(**(usual | {"salt": b"s" * 32} | said))


@pytest.mark.parametrize("name", [*actions(), "signals.validated"])
def test_every_action_gives_a_valid_audit_event(name: str):
    for lang in LANGS:
        event = audit_event(
            entry(action=name, about={"n": 1, "why": "x", "list": [1, None]}), lang=lang, log="0" * 32
        )
        validate(event)
        assert {"type": "action", "valueString": name} in event["entity"][0]["detail"]


def test_an_entry_of_the_lab_itself_names_no_person():
    event = audit_event(entry(actor="", subject=""))
    validate(event)
    assert event["agent"][0]["requestor"] is False
    assert "what" not in event["entity"][0]


def test_a_refused_sign_in_is_a_failure_and_an_accepted_one_is_not():
    assert audit_event(entry(action="sign-in-refused"))["outcome"] == "4"
    assert audit_event(entry(action="sign-in"))["outcome"] == "0"


def test_who_whom_and_when_are_those_of_the_entry():
    event = audit_event(entry(at=dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.UTC)), log="a" * 32)
    assert event["id"] == "a" * 32 + "-7"
    assert event["recorded"] == "2026-01-02T03:04:05.000000Z"
    assert event["agent"][0]["who"]["identifier"]["value"] == "p1"
    assert event["entity"][0]["what"]["identifier"]["value"] == "r1"


@given(st.dictionaries(st.text(min_size=1, max_size=9), st.none() | st.text(max_size=9) | st.integers(0, 9)))
def test_whatever_an_entry_is_about_can_be_mirrored(about: dict[str, Any]):
    validate(audit_event(entry(about=about)))


@pytest.mark.parametrize("name", ["signin", "a.b.c", "Signals.validated", "", ".x"])
def test_an_unknown_action_is_refused_with_the_names_that_exist(name: str):
    with pytest.raises(UnknownActionError, match="sign-in-refused"):
        action(name)
