"""The workflow of a signal, as data: its states, the moves between them, what each needs."""

from __future__ import annotations

import datetime as dt
import itertools
import shutil
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab39.core.errors import InputError, UnknownNameError
from lab39.solutions.signals import Store, board, board_figures, causality, detect, runs
from lab39.solutions.signals.board import Entry, ForbiddenMoveError
from lab39.solutions.signals.board_figures import Figures
from lab39.solutions.signals.readers import store as stores
from lab39.solutions.signals.readers.model import Case, Drug, Event, Report
from lab39.solutions.signals.readers.settle import settle

AT = dt.datetime(2026, 11, 27, 9, tzinfo=dt.UTC)
NEEDS = {"priority": "high", "conclusion": "new-risk", "recommendations": ["study"]}
STATES = tuple(board.workflow().states)


def test_golden_the_activities_stand_in_the_order_of_regulation_520_2012_article_21():
    """Detection, validation, confirmation, analysis and prioritisation, assessment, recommendation for action."""
    order = ["detected", "validated", "confirmed", "prioritised", "assessed", "recommended"]
    assert [each for each in STATES if not board.state(each).ended] == order
    for before, after in itertools.pairwise(order):
        assert board.moves_from(before)[0].to == after, "the usual move comes first"


def test_at_each_step_a_signal_can_be_refuted_or_closed_and_from_there_only_reopened():
    for each in STATES:
        moves = {move.id for move in board.moves_from(each)}
        if board.state(each).ended:
            assert moves == {"reopen"}
        else:
            assert moves & {"refute", "close"} == ({"close"} if each == "recommended" else {"refute", "close"})


def test_every_move_leads_to_a_state_and_cites_a_source_that_was_opened():
    for move in board.workflow().moves.values():
        assert move.to in (*STATES, "same", "back")
        assert set(move.sources) <= set(STATES)
        assert move.needs in ("", *board.workflow().choices)
        assert move.source.verified
        assert move.source.place


@pytest.mark.parametrize("move", list(board.workflow().moves))
@pytest.mark.parametrize("before", STATES)
def test_a_move_is_made_from_its_states_and_from_no_other(before, move):
    if before in board.move(move).sources:
        assert board.decide(before, move, reason="lu", given=NEEDS).before == before
    else:
        with pytest.raises(ForbiddenMoveError):
            board.decide(before, move, reason="lu", given=NEEDS)


@pytest.mark.parametrize(
    ("before", "move", "given_", "place"),
    [
        ("confirmed", "prioritise", {}, "priority"),
        ("confirmed", "prioritise", {"priority": "tomorrow"}, "priority"),
        ("prioritised", "assess", {"conclusion": ""}, "conclusion"),
        ("assessed", "recommend", {"recommendations": []}, "recommendations"),
        ("assessed", "recommend", {"recommendations": ["none", "study"]}, "recommendations"),
        ("assessed", "recommend", {"recommendations": ["study", "magic"]}, "recommendations"),
    ],
)
def test_what_a_move_needs_is_asked_for_by_the_name_of_its_field(before, move, given_, place):
    with pytest.raises((InputError, UnknownNameError)) as told:
        board.decide(before, move, reason="lu", given=given_)
    assert told.value.place == place


def test_a_choice_that_a_move_does_not_need_is_not_kept():
    assert board.decide("detected", "validate", reason="lu", given=NEEDS).details == {}
    done = board.decide("prioritised", "reprioritise", reason="lu", given=NEEDS)
    assert (done.after, done.details) == ("prioritised", {"priority": "high"})


def entry(number: int, kind: str, before: str, after: str) -> Entry:
    return Entry(number=number, kind=kind, at=AT, by="ana", reason="lu", before=before, after=after)


def test_reopening_leads_back_to_where_it_ended_last():
    told = (
        entry(1, "open", "", "detected"),
        entry(2, "close", "detected", "closed"),
        entry(3, "reopen", "closed", "detected"),
        entry(4, "validate", "detected", "validated"),
        entry(5, "close", "validated", "closed"),
        entry(6, "comment", "closed", "closed"),
    )
    assert board.decide("closed", "reopen", reason="lu", history=told).after == "validated"


@given(st.text(max_size=200))
def test_words_are_kept_trimmed_or_refused(said):
    try:
        kept = board.words(said)
    except InputError:
        assert not said.replace("\0", " ").split()
    else:
        assert kept == board.words(kept)
        assert kept.split() == said.replace("\0", " ").split()


@pytest.mark.parametrize("field", ["number", "kind", "at", "by", "reason", "before", "after", "details"])
def test_the_digest_of_an_entry_changes_with_anything_it_says(field):
    one = entry(2, "validate", "detected", "validated")
    other = {"number": 3, "at": AT + dt.timedelta(microseconds=1), "details": {"run": "2017Q2"}}.get(field, "autre")
    assert replace(one, **{field: other}).digest("s") != one.digest("s")
    assert one.digest("other") != one.digest("s")


def test_a_pair_is_the_same_whatever_its_letters_and_blanks():
    assert board.key("Allopurinol ", "DRESS") == board.key("ALLOPURINOL", " dress")
    assert board.key("ab", "c") != board.key("a", "bc")


@pytest.mark.parametrize("wrong", ["", "Élise Durand", "12 34", "x" * 65])
def test_a_case_is_a_number_and_no_name(wrong):
    with pytest.raises(InputError):
        board.case_id(wrong)
    assert board.case_id(" FR-AFSSAPS-PA20150001 ") == "FR-AFSSAPS-PA20150001"


def told(countries: tuple[str, ...] | None = None, **values: float | None) -> Figures:
    return Figures("2017Q1", "2026-11-27", found=True, values=values, countries=countries)


def test_what_moved_is_a_difference_only_where_both_runs_tell():
    found = board_figures.compare(told(("FR",), n=5, eb05=None), told(("DE", "FR", "IT"), n=9, eb05=2.5))
    assert [(row.name, row.change) for row in found.rows] == [("n", 4), ("eb05", None)]
    assert found.new_countries == ("DE", "IT")
    assert board_figures.compare(told(n=5), told(("FR",), n=9)).new_countries is None


def test_figures_read_back_as_they_were_kept():
    one = told(("FR",), n=5, eb05=1.25)
    assert Figures.of(one.as_details()) == one
    assert Figures.of({}) is None


PAIR = ("ALLOPURINOL", "Dress")


@pytest.fixture
def run(tmp_path) -> runs.Run:
    """A run over a base of five reports of a pair, one of them without a country, among forty."""
    base = stores.Store.create(tmp_path / "store")
    with base.adding("0" * 32, "made up", "made up") as part:
        for n in range(40):
            country = ("FR", "DE", "FR", "IT", None)[n] if n < 5 else "US"
            said = Report(report_id=f"{n:03}", case_id=f"{n:03}", quarter="2017Q1", country=country)
            drug, event = Drug(drug=PAIR[0] if n < 10 else "X"), Event(event=PAIR[1] if n < 5 else "nausea")
            part.add(Case(said, (drug,), (event,)))
    settle(base)
    store = tmp_path / "store"
    return runs.write(detect(Store(store)), tmp_path / "runs", "2017Q1", AT.date(), store=store)


@pytest.mark.parametrize("asked", [PAIR, ("allopurinol", "DRESS")])
def test_figures_of_a_pair_name_the_countries_of_its_reports(run, asked):
    found = board_figures.figures(run, *asked)
    assert (found.drug, found.event, found.values["n"]) == (*PAIR, 5)
    assert found.countries == ("DE", "FR", "IT")


def test_a_store_that_is_gone_leaves_countries_unknown_and_an_absent_pair_everything(run):
    assert run.store is not None
    shutil.rmtree(run.store)
    assert board_figures.figures(run, *PAIR).countries is None
    absent = board_figures.figures(run, PAIR[0], "fever")
    assert (absent.found, absent.values, absent.countries) == (False, {}, None)


@pytest.mark.parametrize(
    ("answers", "category", "says"),
    [
        ({"after": "yes"}, "possible", None),
        ({"after": "no"}, "unlikely", None),
        ({"after": "yes"}, "certain", "Naranjo says “possible”, WHO-UMC “certain”."),
        ({"after": "yes"}, "conditional", "WHO-UMC does not judge here"),
        ({}, "certain", None),
        ({"after": "yes"}, "", None),
    ],
)
def test_that_two_methods_differ_is_said_and_no_third_verdict_made(answers, category, says):
    scored = causality.naranjo(answers) if answers else None
    said = causality.differ(scored, causality.who_umc(category) if category else None)
    if says is None:
        assert said is None
    else:
        assert said is not None
        assert says in said.en
        assert "no third verdict" in said.en
        assert "9 not answered" in said.en
