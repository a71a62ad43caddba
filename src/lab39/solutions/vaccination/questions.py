"""Three questions before a dose: those whose answer would forbid what would be given, and that no record answers.

Questions are in ``knowledge/counter.toml``; the rules they rest on, in ``knowledge/france/contraindications.toml``.
An answer that is not given, and "I do not know", are never "no".
"""

from __future__ import annotations

import datetime as dt
import tomllib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from typing import Any, Literal

from lab39.core.text import NO_TEXT, Text
from lab39.solutions.vaccination import france
from lab39.solutions.vaccination.authored import Rule
from lab39.solutions.vaccination.cd4 import UNKNOWN_CD4
from lab39.solutions.vaccination.dates import Duration, add, parse
from lab39.solutions.vaccination.model import Schedule
from lab39.solutions.vaccination.outcome import Observed, Patient
from lab39.solutions.vaccination.products import Product
from lab39.solutions.vaccination.treated import UNCLEAR

Effect = Literal["stop", "warn"]
MOST = 3
NO, UNKNOWN = "no", "unknown"
"""Answers besides the situations of a question; no answer at all is the empty text."""


@dataclass(frozen=True, slots=True)
class Situation:
    """One way to answer yes.

    Attributes:
        rules: ids of contraindications and precautions.
        observation: what the schedule calls it, for the engine to decide by; empty when it decides by no code.
        answered_by: observations of a record that make the question useless.
        sex, age_from, age_before: whom it has a sense for.
    """

    id: str
    label: Text
    rules: tuple[str, ...]
    effect: Effect
    observation: str = ""
    answered_by: frozenset[str] = frozenset()
    sex: str = ""
    age_from: Duration | None = None
    age_before: Duration | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """One question; ``unknown`` is what "I do not know" does."""

    id: str
    asks: Text
    situations: tuple[Situation, ...]
    unknown: Effect
    unknown_says: Text

    def situation(self, answer: str) -> Situation | None:
        """The one that an answer names."""
        return next((each for each in self.situations if each.id == answer), None)


@dataclass(frozen=True, slots=True)
class Told:
    """A rule that an answer, or a record, brings into force."""

    effect: Effect
    says: Text
    note: Text
    source: str
    url: str
    verified: bool


@cache
def questions() -> tuple[Question, ...]:
    """Every question, in the order they are asked."""
    return tuple(
        Question(
            row["id"],
            Text.of(row["asks"]),
            tuple(map(_situation, row["situation"])),
            row["unknown"],
            Text.of(row["unknown_says"]),
        )
        for row in body()["question"]
    )


def chosen(
    schedule: Schedule, patient: Patient, on: dt.date, given: Iterable[str], product: Product | None = None
) -> tuple[Question, ...]:
    """The questions that matter: three at most.

    Args:
        given: antigens that would be given.
        product: the one that would be given, when it is known: some rules name products.
    """
    antigens = set(given) if product is None else {each.antigen for each in schedule.vaccines.get(product.nuva, ())}
    known = {each.code for each in patient.observations}
    found = []
    for question in questions():
        left = tuple(
            each
            for each in question.situations
            if not (each.answered_by & known)
            and _possible(each, patient, on)
            and any(_concerns(rule, antigens, product) for rule in each.rules)
        )
        if left:
            found.append(replace(question, situations=left))
    return tuple(found[:MOST])


def observed(asked: Iterable[Question], answers: Mapping[str, str]) -> tuple[Observed, ...]:
    """What the answers add to what is known of a person."""
    said = (question.situation(answers.get(question.id, "")) for question in asked)
    return tuple(Observed(each.observation) for each in said if each is not None and each.observation)


def answered(
    known: Iterable[Observed], asked: Iterable[Question], answers: Mapping[str, str]
) -> tuple[Observed, ...]:
    """What is known after the answers; a "no" about live vaccines, when asked, ends a doubt on immunity."""
    asked = tuple(asked)
    clear = answers.get("live") == NO and any(
        question.id == "live" and any(each.id == "immunosuppression" for each in question.situations)
        for question in asked
    )
    kept = (each for each in known if not (clear and each.code in (UNCLEAR, UNKNOWN_CD4)))
    return (*kept, *observed(asked, answers))


def told(
    schedule: Schedule, question: Question, answer: str, antigens: Collection[str], product: Product | None
) -> tuple[Told, ...]:
    """What an answer means, with the rule it rests on; nothing for "no" and for a question not answered."""
    if answer == UNKNOWN:
        return (Told(question.unknown, question.unknown_says, NO_TEXT, "", "", verified=True),)
    situation = question.situation(answer)
    if situation is None:
        return ()
    rules = [rule for rule in situation.rules if _concerns(rule, antigens, product)]
    return tuple(of_rule(schedule.rules[rule], situation.effect) for rule in rules)


def of_rule(rule: Rule, effect: Effect) -> Told:
    """A rule as it is told where a dose is given."""
    cited = rule.cited[0] if rule.cited else None
    source = f"{cited.source.title}, {cited.place}" if cited else ""
    return Told(effect, rule.title, rule.note or NO_TEXT, source, cited.source.url if cited else "", rule.verified)


def titled(schedule: Schedule, title: str) -> str | None:
    """The id of the contraindication that the engine names by its title."""
    return next(
        (name for name in _rows() if name in schedule.rules and schedule.rules[name].title.fr == title), None
    )


def _concerns(rule: str, antigens: Collection[str], product: Product | None) -> bool:
    """Whether a rule is about one of the antigens, or about the product when it names some."""
    row = _rows()[rule]
    if "vaccines" in row:
        return product is not None and product.name in row["vaccines"]
    return "antigens" not in row or not set(row["antigens"]).isdisjoint(antigens)


def _possible(each: Situation, patient: Patient, on: dt.date) -> bool:
    if each.sex and patient.sex not in (each.sex, "Unknown"):
        return False
    if each.age_from is not None and on < add(patient.birth_date, each.age_from):
        return False
    return each.age_before is None or on < add(patient.birth_date, each.age_before)


@cache
def _rows() -> Mapping[str, Mapping[str, Any]]:
    """Contraindications and precautions as authored, by id."""
    authored = france.read().files["contraindications.toml"]
    return {row["id"]: row for kind in ("contraindication", "precaution") for row in authored[kind]}


@cache
def body() -> Mapping[str, Any]:
    """The file of the counter."""
    file = resources.files(__package__) / "knowledge" / "counter.toml"
    return tomllib.loads(file.read_text("utf-8"))


def _situation(row: Mapping[str, Any]) -> Situation:
    unknown = set(row["rules"]) - _rows().keys()
    if unknown:
        raise ValueError(f"{row['id']}: unknown rule {sorted(unknown)}")
    return Situation(
        row["id"],
        Text.of(row["label"]),
        tuple(row["rules"]),
        row["effect"],
        row.get("observation", ""),
        frozenset(row.get("answered_by", ())),
        row.get("sex", ""),
        parse(row["age_from"]) if "age_from" in row else None,
        parse(row["age_before"]) if "age_before" in row else None,
    )
