"""Cases of the targeted vaccines of the French schedule, read from ``france_targeted.txt``."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import NamedTuple

from tests.solutions.vaccination.french import person

from lab39.solutions.vaccination import Patient, france

TODAY = dt.date(2026, 11, 24)
SCHEDULE = france.open_france()
SECTIONS = ("gets", "gets not", "forbids", "forbids not", "immune", "conflicts")
CASES = Path(__file__).with_name("france_targeted.txt")


class Case(NamedTuple):
    """One line of a table, with the day it is asked about."""

    rule: str
    words: str
    rest: tuple[str, ...]
    on: dt.date

    def __str__(self) -> str:
        return f"{self.rule}: {self.words}"

    @property
    def patient(self) -> Patient:
        who, _, doses = self.words.partition(";")
        born, sex, *observed = who.split()
        found = [each.partition("@") for each in observed]
        history = [each.strip() for each in doses.split("+") if each.strip()]
        return person(SCHEDULE, born, sex, *history, observed=tuple((code, day) for code, _, day in found))


def table(section: str) -> list[Case]:
    """The cases of one section of the file."""
    found, here = [], ""
    for line in CASES.read_text("utf-8").splitlines():
        if line.startswith("["):
            here = line.strip("[]")
        elif here == section and line and not line.startswith("#"):
            row, _, day = line.partition(" on 20")
            rule, words, *rest = (each.strip() for each in row.split("|"))
            found.append(Case(rule, words, tuple(rest), dt.date.fromisoformat(f"20{day}") if day else TODAY))
    assert found, section
    return found


def reached() -> list[str]:
    """The rule, contraindication, immunity or conflict of every case, once for each."""
    return [each.rule for section in SECTIONS for each in table(section)]
