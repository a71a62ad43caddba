"""When every dose waits for the end of an acute illness: the rule of a schedule, and what of a record it is about.

One place decides, for every schedule: the French one holds its rule, the others have one of
``knowledge/precautions.toml``. A rule that is not verified makes nothing wait.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from lab39.core.text import Text
from lab39.solutions.vaccination import france, questions
from lab39.solutions.vaccination.authored import Rule
from lab39.solutions.vaccination.model import Schedule


@dataclass(frozen=True, slots=True)
class Precaution:
    """The rule, the kinds of illness that make doses wait, and what is asked where nothing waits."""

    rule: Rule
    defers: frozenset[str]
    asks: Text

    def waits_for(self, kind: str) -> bool:
        """Whether doses wait for the end of an illness of this kind."""
        return self.rule.verified and kind in self.defers


def acute_illness(schedule: Schedule) -> Precaution | None:
    """The rule of a schedule; ``None`` for one that states its own rules and not this one."""
    row = questions.body()["noted"]
    own = schedule.rules.get(row["rule"])
    if own is not None:
        return Precaution(own, frozenset(each["kind"] for each in row["of"]), Text.of(row["asks"]))
    if schedule.rules:
        return None
    return next((made for names, made in _general() if _named(schedule.name, names)), None)


def _named(name: str, names: tuple[str, ...]) -> bool:
    return any(each == "*" or re.match(rf"{re.escape(each)}(?![A-Za-z0-9])", name) for each in names)


@cache
def _general() -> tuple[tuple[tuple[str, ...], Precaution], ...]:
    """What ``knowledge/precautions.toml`` says, by the names of schedules."""
    body = _body()
    sources = {row["key"]: france.read_source(row) for row in body["source"]}
    return tuple(
        (
            tuple(row["schedules"]),
            Precaution(
                france.read_rule({"group": "", **row}, sources, "precaution"),
                frozenset(row["defers"]),
                Text.of(row["asks"]),
            ),
        )
        for row in body["precaution"]
    )


def _body() -> Mapping[str, Any]:
    file = resources.files(__package__) / "knowledge" / "precautions.toml"
    return tomllib.loads(file.read_text("utf-8"))
