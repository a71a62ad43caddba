"""Words for readers: every reason, status and input of a decision has French of its own."""

from __future__ import annotations

import ast
import datetime as dt
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab39.core.text import LANGS, Text
from lab39.solutions.vaccination import engine, explaining, france, sentences, words
from lab39.solutions.vaccination.model import Schedule
from lab39.solutions.vaccination.outcome import Dose, DoseStatus, Patient, SeriesStatus

HERE = Path(words.__file__).parent
ENGINE = ("evaluate", "forecast", "groups", "best", "skip", "organize", "relevant", "walk", "engine")
ON = dt.date(2026, 11, 24)


def trees() -> Iterator[ast.Module]:
    for name in ENGINE:
        yield ast.parse((HERE / f"{name}.py").read_text("utf-8"))


def reasons() -> set[str]:
    """Every text that the engine holds and that is no documentation, rule id or key: what it can say."""
    found = set()
    for tree in trees():
        silent = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Step":
                silent |= {id(each) for each in ast.walk(node)}
            if isinstance(node, ast.Compare):
                silent |= {id(each) for each in ast.walk(node)}
        found |= {
            node.value
            for node in ast.walk(tree)
            if isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and id(node) not in silent
            and re.fullmatch(r"[A-Z][a-z]+:? [A-Za-z ]+", node.value)
        }
    return found


def inputs() -> set[str]:
    """Every name under which a decision gives what it was made from."""
    return {
        str(key.value)
        for tree in trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Step" and len(node.args) == 3
        for table in ast.walk(node.args[2])
        if isinstance(table, ast.Dict)
        for key in table.keys
        if isinstance(key, ast.Constant)
    }


def test_every_reason_that_the_engine_can_give_has_words():
    given = reasons()
    assert {"Age: Too Young", "Dose Condition", "Patient series is complete"} <= given, "they are found"
    assert [each for each in sorted(given - {"Evaluation Only"}) if not words.known("reason", each)] == []


def test_every_status_has_words():
    for each in (*SeriesStatus, *DoseStatus):
        assert words.known("status", each)


def test_every_input_of_a_decision_has_words():
    given = inputs()
    assert {"absolute minimum", "target"} <= given
    assert [each for each in sorted(given) if not words.known("input", each)] == []


def test_no_word_of_the_method_is_left_in_french():
    left = re.compile(r"\b(dose|series|patient|past due|earliest|recommended|aged|forecast|target)\b")
    for kind in ("reason", "status", "group"):
        for name in words._names()[kind]:
            said = words.named(kind, name).fr.replace("dose", "").replace("doses", "")
            assert not left.search(said), (kind, name)


def test_every_group_of_the_schedules_at_hand_has_words(cdsi: Schedule, who: Schedule):
    everyone = (cdsi, who, france.open_france())
    assert [each for schedule in everyone for each in schedule.groups if not words.known("group", each)] == []
    assert [name for schedule in everyone for name in schedule.antigens if not words.known("group", name)] == []


def test_the_codes_of_the_vaccines_that_are_named_exist(cdsi: Schedule):
    unknown = [code for code in words._names()["vaccine"] if code not in cdsi.vaccine_names]
    assert unknown == ["19"], "BCG is no vaccine of that schedule"


def test_what_an_engine_says_of_a_dose_reads_in_both_languages(tiny: Schedule):
    dose = Dose(dt.date(2025, 2, 10), "901")
    said = sentences.does_not_count(tiny, dose, ("Age: Too Young", "Interval: Too Soon"))
    assert said.fr == (
        "901 du 10/02/2025\u202f: ne compte pas, faite trop tôt pour l'âge, trop tôt après la dose précédente."
    )
    assert said.en.startswith("901 of 10 Feb 2025: does not count, given too young")


@pytest.mark.parametrize("many", [1, 3, 12, 60])
def test_a_summary_names_as_many_groups_as_it_can_and_counts_the_others(many: int):
    said = sentences.to_give([Text.same(f"vaccin numéro {i}") for i in range(many)], "cdsi")
    for lang in LANGS:
        assert len(said[lang]) < 140
        assert "vaccin numéro 0" in said[lang]
    named = said.fr.count("vaccin numéro")
    assert named == many or said.fr.endswith(f"et {many - named} autre{'s' if many - named > 1 else ''}")


def test_the_schedule_that_readers_expect_is_not_named():
    assert sentences.to_give([Text.same("grippe")], "france").fr == "À faire maintenant\u202f: grippe"


def test_every_decision_of_a_trace_is_said_without_a_value_of_the_program(tiny: Schedule):
    doses = (Dose(dt.date(2025, 2, 10), "901"), Dose(dt.date(2025, 4, 1), "909"), Dose(dt.date(2025, 5, 1), "901"))
    result = engine.run(tiny, Patient(dt.date(2025, 1, 31), "Female", doses), ON)
    for each in explaining.explained(result.groups[0], tiny):
        for part in each.parts:
            assert part.decisions
            for decision in part.decisions:
                told = " ".join([decision.outcome.fr, *(value.fr for _, value in decision.inputs)])
                assert not re.search(r"True|False|None|Verdict|datetime|\d{4}-\d\d-\d\d", told), told
