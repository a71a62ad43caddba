"""The board of signals: one signal a pair, moves by the workflow, nothing edited, everything signed."""

from __future__ import annotations

import json
import threading
import zipfile
from pathlib import Path

import pytest
import sqlalchemy as sa
from tests.store.houses import person

from lab39.core.background import Subscription
from lab39.core.errors import InputError, UnknownNameError
from lab39.core.lab import Lab
from lab39.settings import Settings
from lab39.solutions.signals import board, board_store
from lab39.solutions.signals.board_store import OvertakenError, UnknownSignalError
from lab39.solutions.signals.board_tables import PART
from lab39.solutions.signals.solution import Signals
from lab39.store import Store, audit, events
from lab39.store.context import LabContext
from lab39.store.people import Role
from lab39.store.privacy import erase_person, export_person
from lab39.store.registry import Registry
from lab39.store.worker import Worker

FIGURES = {"run": "2017Q2", "figures": {"n": 12, "eb05": 3.25, "ic025": 1.5e-7}}
"""A small number is written as 1.5e-7 by Python and as 0.00000015 by PostgreSQL: the digest must not see it."""


@pytest.fixture
def ana(store: Store) -> str:
    return person(store, "Ana", given=[Role.EXPERT]).id


@pytest.fixture
def ben(store: Store) -> str:
    return person(store, "Ben", given=[Role.EXPERT]).id


def ctx(store: Store, actor: str) -> LabContext:
    return LabContext(lambda: Lab([Signals()], Settings()), store, "signals", actor=actor)


def opened(store: Store, by: str, drug: str = "ALLOPURINOL", event: str = "DRESS") -> str:
    with ctx(store, by).writing() as tx:
        return board_store.open_signal(tx, drug, event, reason="EB05 élevé", details=FIGURES).signal


def decide(store: Store, by: str, signal: str, move: str, seen: int, reason: str = "lu", **given: object):
    with ctx(store, by).writing() as tx:
        return board_store.decide(tx, signal, move, seen=seen, reason=reason, given=given)


def signal_of(store: Store, signal: str) -> board_store.Signal:
    with store.reading() as tx:
        return board_store.get(tx, signal)


def history(store: Store, signal: str) -> tuple[board.Entry, ...]:
    with store.reading() as tx:
        return board_store.history(tx, signal)


def whole(store: Store, by: str) -> str:
    """A signal taken to its recommendation."""
    signal = opened(store, by)
    decide(store, by, signal, "validate", 1)
    decide(store, by, signal, "confirm", 2)
    decide(store, by, signal, "prioritise", 3, priority="high")
    decide(store, by, signal, "assess", 4, conclusion="new-risk")
    decide(store, by, signal, "recommend", 5, recommendations=["product-information", "study"])
    return signal


def test_a_pair_opened_twice_is_one_signal(store: Store, ana: str, ben: str):
    first = opened(store, ana)
    with ctx(store, ben).writing() as tx:
        again = board_store.open_signal(tx, " allopurinol ", "Dress", reason="autre")
    assert (again.signal, again.new) == (first, False)
    assert [(each.kind, each.by, each.reason) for each in history(store, first)] == [("open", ana, "EB05 élevé")]
    with store.reading() as tx:
        assert board_store.of_pair(tx, "Allopurinol", "dress") == board_store.get(tx, first)
        assert board_store.of_pair(tx, "allopurinol", "nausea") is None


def test_each_decision_keeps_who_when_and_why(store: Store, ana: str, ben: str, clock):
    signal = opened(store, ana)
    clock.forward(hours=2)
    decide(store, ben, signal, "validate", 1, "trois cas bien documentés")
    found = signal_of(store, signal)
    assert (found.state, found.last, found.decided) == ("validated", 2, 2)
    entry = history(store, signal)[-1]
    assert (entry.by, entry.at, entry.reason) == (ben, clock.now, "trois cas bien documentés")
    assert (entry.before, entry.after) == ("detected", "validated")


def test_every_entry_is_in_the_audit_log_by_its_digest(store: Store, ana: str):
    signal = whole(store, ana)
    told = history(store, signal)
    with store.reading() as tx:
        kept = {each.about["entry"]: each for each in audit.entries(tx, subject=signal)}
    assert [kept[each.number].action for each in told] == [f"signals.{each.kind}" for each in told]
    assert [kept[each.number].about["sha256"] for each in told] == [each.digest(signal) for each in told]
    assert "EB05" not in json.dumps([each.about for each in kept.values()])


def test_an_entry_is_never_changed_nor_deleted(store: Store, ana: str):
    opened(store, ana)
    for statement in ("UPDATE signals_entries SET reason = 'autre'", "DELETE FROM signals_entries"):
        with pytest.raises(sa.exc.DBAPIError, match="append-only"), store.writing() as tx:
            tx.exec_driver_sql(statement)


def test_the_second_of_two_assessors_is_told_and_nothing_is_lost(store: Store, ana: str, ben: str):
    signal = opened(store, ana)
    decide(store, ana, signal, "validate", 1, "valide")
    with pytest.raises(OvertakenError, match="validated"):
        decide(store, ben, signal, "refute", 1, "doublons")
    assert signal_of(store, signal).state == "validated"
    decide(store, ben, signal, "refute", 2, "doublons")
    assert [(each.kind, each.by) for each in history(store, signal)][1:] == [("validate", ana), ("refute", ben)]


def test_two_who_decide_at_the_same_instant_leave_one_decision(
    store: Store, second_store: Store, ana: str, ben: str
):
    signal = opened(store, ana)
    told: list[str] = []
    gate = threading.Barrier(2)

    def act(where: Store, who: str, move: str) -> None:
        gate.wait()
        try:
            decide(where, who, signal, move, 1)
            told.append(move)
        except OvertakenError:
            told.append("overtaken")

    threads = [
        threading.Thread(target=act, args=row) for row in ((store, ana, "validate"), (second_store, ben, "refute"))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert told.count("overtaken") == 1
    assert len(history(store, signal)) == 2


def test_a_comment_does_not_overtake_a_decision(store: Store, ana: str, ben: str):
    signal = opened(store, ana)
    with ctx(store, ben).writing() as tx:
        board_store.comment(tx, signal, "voir aussi l'interaction", seen=1)
    decide(store, ana, signal, "validate", 1)
    assert [each.kind for each in history(store, signal)] == ["open", "comment", "validate"]


def test_what_is_sent_twice_is_kept_once(store: Store, ana: str):
    signal = opened(store, ana)
    first = decide(store, ana, signal, "validate", 1, "lu")
    assert decide(store, ana, signal, "validate", 1, " lu \n") == board_store.Kept(signal, first.number, new=False)
    for _ in range(2):
        with ctx(store, ana).writing() as tx:
            board_store.comment(tx, signal, "à revoir", seen=2)
    with ctx(store, ana).writing() as tx:
        board_store.comment(tx, signal, "à revoir", seen=3)
    assert [each.kind for each in history(store, signal)] == ["open", "validate", "comment", "comment"]


def test_a_decision_that_lacks_something_writes_nothing(store: Store, ana: str):
    signal = opened(store, ana)
    with pytest.raises(InputError):
        decide(store, ana, signal, "validate", 1, " \n ")
    with pytest.raises(board.ForbiddenMoveError):
        decide(store, ana, signal, "recommend", 1, recommendations=["none"])
    with pytest.raises(UnknownNameError):
        decide(store, ana, signal, "destroy", 1)
    with pytest.raises(UnknownSignalError):
        decide(store, ana, "0" * 32, "validate", 1)
    assert len(history(store, signal)) == 1


def test_what_was_refuted_is_reopened_where_it_was(store: Store, ana: str):
    signal = opened(store, ana)
    decide(store, ana, signal, "validate", 1)
    decide(store, ana, signal, "refute", 2)
    assert signal_of(store, signal).ended
    decide(store, ana, signal, "reopen", 3, "nouveaux cas")
    assert signal_of(store, signal).state == "validated"


def test_a_recommendation_is_published_and_a_reopening_after_it_too(store: Store, ana: str):
    signal = whole(store, ana)
    decide(store, ana, signal, "close", 6)
    decide(store, ana, signal, "reopen", 7)
    with store.reading() as tx:
        first, second = events.find(tx)
    assert (first.topic, first.subject, first.actor) == ("signals.recommended", signal, ana)
    assert first.payload == {
        "signal": signal,
        "drug": "ALLOPURINOL",
        "event": "DRESS",
        "entry": 6,
        "recommendations": ["product-information", "study"],
        "conclusion": "new-risk",
        "priority": "high",
        "run": "",
        "synthetic": False,
    }
    assert (second.topic, second.subject) == ("signals.reopened", signal)


def test_signals_are_found_by_state_words_person_and_priority(store: Store, ana: str, ben: str, clock):
    one = opened(store, ana)
    clock.forward(minutes=1)
    two = opened(store, ben, "Amoxicilline 100 %", "Urticaire")
    clock.forward(minutes=1)
    decide(store, ana, one, "validate", 1)
    with store.reading() as tx:
        ids = lambda **by: [each.id for each in board_store.find(tx, **by)]  # noqa: E731
        assert ids() == [one, two]
        assert ids(states=("detected",)) == [two]
        assert ids(text="urti AMOX") == [two]
        assert ids(text="100 %") == [two]
        assert ids(text="100_") == []
        assert ids(mine=ana) == [one]
        assert ids(priority="high") == []
        found = board_store.counts(tx)
        assert found["detected"] == found["validated"] == 1
        assert list(found) == list(board.workflow().states)


def test_a_person_is_given_what_they_wrote_and_erased_from_it(store: Store, ana: str, ben: str, tmp_path: Path):
    signal = opened(store, ana)
    decide(store, ben, signal, "validate", 1, "mes mots")
    target = tmp_path / "ben.zip"
    export_person(store, ben, target)
    with zipfile.ZipFile(target) as archive:
        rows = [json.loads(line) for line in archive.read("data/signals.ndjson").decode().splitlines()]
    assert [(row["table"], row["reason"]) for row in rows] == [("signals_entries", "mes mots")]
    done = erase_person(store, ben)
    (outcome,) = [each for each in done.outcomes if each.what == PART.title]
    assert (outcome.erased, outcome.kept) == (0, 1)
    assert history(store, signal)[1].reason == "mes mots"


def test_another_solution_that_subscribes_hears_a_recommendation(store: Store, ana: str):
    heard = []
    ear = Subscription(
        name="pharmacy.signals", topics=("signals.recommended",), handler=lambda _tx, event: heard.append(event)
    )
    signal = whole(store, ana)
    Worker(store, Settings(), Registry.of((), [ear]), wait=lambda _: None).run_once()
    (event,) = heard
    assert (event.subject, event.payload["recommendations"]) == (signal, ["product-information", "study"])
