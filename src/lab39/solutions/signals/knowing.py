"""What is known before any base of reports is opened: complaints, reactions, their medicines, the sources.

The facts stand in ``knowledge/``: ``complaints.toml``, ``reactions/*.toml``, ``reaction_sources.toml``,
``substances.csv``. A pair whose source was not opened is ``verified = false`` and gives no advice.
"""

from __future__ import annotations

import csv
import re
import tomllib
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, cached_property
from importlib.resources import files
from typing import Any

from lab39.core.finding import Severity, Source, When
from lab39.core.text import NO_TEXT, Text

NEW_DAYS = 56
"""A medicine begun in the last eight weeks is new: severe skin reactions fall in them (EuroSCAR)."""


class Weight(StrEnum):
    """How well a medicine is known for a reaction."""

    STRONG = "strong"
    MODERATE = "moderate"
    REPORTED = "reported"
    UNLISTED = "unlisted"

    @property
    def rank(self) -> int:
        """0 for the best known."""
        return list(Weight).index(self)


@dataclass(frozen=True, slots=True)
class Measure:
    """A result that is a complaint when it lies outside a bound.

    Attributes:
        units: accepted as they are; another unit is converted to the first, or the result is not used.
        analyte: of ``core/knowledge/units.toml``, to convert between mass and substance.
    """

    name: Text
    loinc: tuple[str, ...]
    units: tuple[str, ...]
    below: float | None
    at_least: float | None
    analyte: str | None


@dataclass(frozen=True, slots=True)
class Complaint:
    """One way in which reactions show themselves; see ``complaints.toml``.

    Attributes:
        unless: longer words in which one of ``words`` means something else.
    """

    token: str
    label: Text
    recent_days: int
    episodes: bool
    snomed: frozenset[str]
    icd10: tuple[str, ...]
    hpo: frozenset[str]
    words: re.Pattern[str] | None
    unless: re.Pattern[str] | None
    terms: tuple[str, ...]
    measure: Measure | None


@dataclass(frozen=True, slots=True)
class Level:
    """What is said at one level of alarm; ``summary`` has places for what was found."""

    severity: Severity
    when: When
    summary: Text


@dataclass(frozen=True, slots=True)
class Check:
    """A test to ask for when the record has none that is recent.

    Attributes:
        clears: a result of at least this, since the complaint began, answers the level ``lone``.
    """

    loinc: tuple[str, ...]
    name: Text
    unit: str
    days: int
    clears: float | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """What to do.

    Attributes:
        levels: at which it is said.
        atc: beginnings of codes: said only when one of the most suspected medicines has one; empty for all.
    """

    levels: frozenset[str]
    say: Text
    atc: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reaction:
    """An adverse reaction.

    Attributes:
        needs: of each group at least one complaint is present.
        alarms: complaints that make it urgent; ``emergencies`` those that make it an emergency.
        lone: complaints that alone suffice, under the medicines whose pair says so (``Pair.lone``).
        days: first, last usual and last possible day after the start; ``None`` when it comes at any time.
        stays_days: how long after the last dose it may still begin.
        new_medicines: any medicine begun in the last eight weeks is looked at, listed or not.
        levels: ``plain``, and where they exist ``alarm``, ``emergency``, ``unknown`` (an alarm, dates not known),
            and each with ``-new`` (the most suspected medicine is new, with no known link); ``lone``; ``over``
            (the reaction is over, and a medicine well known for it is still taken).
        steps: what to do, in this order.
        change: what would change the answer.
        from_years: not looked for in a child who is surely younger.
        emergency_days: an emergency only when a suspect was begun at most so long before, or on an unknown day.
    """

    id: str
    name: Text
    needs: tuple[frozenset[str], ...]
    alarms: frozenset[str]
    emergencies: frozenset[str]
    lone: frozenset[str]
    days: tuple[int, int, int] | None
    stays_days: int
    new_medicines: bool
    levels: Mapping[str, Level]
    steps: tuple[Step, ...]
    change: Text
    checks: tuple[Check, ...]
    source: Source
    from_years: int = 0
    emergency_days: int | None = None


@dataclass(frozen=True, slots=True)
class Again:
    """A course soon after another one of the same medicines.

    Attributes:
        within_days: from the last dose of the earlier course to the first of the new one, at most.
        gap_days: at least: a shorter one is the same course.
        days: first, last usual and last possible day after the new start.
    """

    within_days: int
    gap_days: int
    days: tuple[int, int, int]
    note: Text
    source: Source


@dataclass(frozen=True, slots=True)
class Pair:
    """That medicines are known for a reaction.

    Attributes:
        atc: beginnings of ATC codes.
        unless: beginnings that are not meant.
        together: beginnings of the codes of the medicines with which the source says that it does it, a medicine of
            each group; empty when the source names none.
        days: in place of those of the reaction.
        frequency: as the source gives it; ``NO_TEXT`` when not known.
        lone: source that one complaint alone (``Reaction.lone``) asks to act under these medicines.
        again: when they are taken again soon after an earlier course, how the reaction comes sooner.
        alone: false when the source speaks of them beside the medicines of ``together`` only.
    """

    id: str
    reaction: str
    atc: tuple[str, ...]
    unless: tuple[str, ...]
    weight: Weight
    days: tuple[int, int, int] | None
    frequency: Text
    note: Text
    source: Source
    lone: Source | None = None
    again: Again | None = None
    together: tuple[tuple[str, ...], ...] = ()
    alone: bool = True

    def covers(self, codes: Iterable[str]) -> bool:
        """Whether one of these ATC codes is meant."""
        return any(
            code.startswith(self.atc) and not (self.unless and code.startswith(self.unless)) for code in codes
        )


@dataclass(frozen=True, slots=True)
class Substance:
    """A substance by name.

    Attributes:
        the: French article, with its space where it takes one (``l'``, ``la ``).
        also: other names that records write.
        same: its other codes; whatever its code, it is the same for every rule.
    """

    atc: str
    name: Text
    the: str
    also: tuple[str, ...] = ()
    same: tuple[str, ...] = ()


@dataclass(frozen=True)
class Knowledge:
    """Everything of ``knowledge/`` that findings use."""

    complaints: Mapping[str, Complaint]
    reactions: Mapping[str, Reaction]
    pairs: tuple[Pair, ...]
    substances: Mapping[str, Substance]

    @cached_property
    def by_name(self) -> Mapping[str, Substance]:
        """Substances by their folded names in both languages."""
        return {
            folded(name): each
            for each in self.substances.values()
            for name in (each.name.fr, each.name.en, *each.also)
        }

    @cached_property
    def causes(self) -> Mapping[str, tuple[Pair, ...]]:
        """Pairs by reaction."""
        found: dict[str, list[Pair]] = {}
        for each in self.pairs:
            found.setdefault(each.reaction, []).append(each)
        return {reaction: tuple(pairs) for reaction, pairs in found.items()}

    @cached_property
    def names(self) -> re.Pattern[str]:
        """Finds the name of a substance in folded words, the longest first."""
        ordered = sorted(self.by_name, key=len, reverse=True)
        return re.compile(r"\b(?:" + "|".join(map(re.escape, ordered)) + r")\b")

    @cached_property
    def codes(self) -> Mapping[tuple[str, str], tuple[str, ...]]:
        """Complaints by system (``snomed``, ``hpo``) and code."""
        found: dict[tuple[str, str], list[str]] = {}
        for each in self.complaints.values():
            for system in ("snomed", "hpo"):
                for code in getattr(each, system):
                    found.setdefault((system, code), []).append(each.token)
        return {key: tuple(tokens) for key, tokens in found.items()}


def folded(words: str) -> str:
    """Lower case, without accents, ligatures apart, one space between words."""
    apart = words.lower().replace("œ", "oe").replace("æ", "ae").replace("\u2019", "'")
    plain = "".join(c for c in unicodedata.normalize("NFD", apart) if not unicodedata.combining(c))
    return " ".join(plain.split())


@cache
def knowledge() -> Knowledge:
    """The tables, read once."""
    sources = {key: _source(row) for key, row in _toml("reaction_sources.toml").items()}
    complaints = [_complaint(row) for row in _toml("complaints.toml")["complaint"]]
    reactions: list[Reaction] = []
    pairs: list[Pair] = []
    folder = files("lab39.solutions.signals").joinpath("knowledge", "reactions")
    for file in sorted(folder.iterdir(), key=lambda each: each.name):
        table = tomllib.loads(file.read_text("utf-8"))
        reactions += [_reaction(row, sources) for row in table.get("reaction", ())]
        pairs += [_pair(row, sources) for row in table.get("pair", ())]
    rows = csv.DictReader(_read("substances.csv").splitlines())
    substances = [_substance(row) for row in rows]
    return Knowledge(
        {each.token: each for each in complaints},
        {each.id: each for each in reactions},
        tuple(pairs),
        {code: each for each in substances for code in (each.atc, *each.same)},
    )


def _substance(row: Mapping[str, str]) -> Substance:
    also, same = ((row[column] or "").split() for column in ("also", "same"))
    return Substance(row["atc"], Text(row["fr"], row["en"]), _article(row["the"]), tuple(also), tuple(same))


def _article(written: str) -> str:
    return written if written.endswith("'") or not written else written + " "


def _read(name: str) -> str:
    return files("lab39.solutions.signals").joinpath("knowledge", name).read_text("utf-8")


def _toml(name: str) -> dict[str, Any]:
    return tomllib.loads(_read(name))


def _source(row: Mapping[str, Any]) -> Source:
    return Source(row["document"], str(row["date"]), row["place"], row["url"], row["opened"] != "never")


def _complaint(row: Mapping[str, Any]) -> Complaint:
    measure = row.get("result")
    return Complaint(
        token=row["token"],
        label=Text.of(row["label"]),
        recent_days=row["recent_days"],
        episodes=row.get("episodes", False),
        snomed=frozenset(row.get("snomed", ())),
        icd10=tuple(row.get("icd10", ())),
        hpo=frozenset(row.get("hpo", ())),
        words=_any_of(row.get("words", ())),
        unless=_any_of(row.get("unless", ())),
        terms=tuple(row["terms"]),
        measure=None
        if measure is None
        else Measure(
            Text.of(measure["name"]),
            tuple(measure["loinc"]),
            tuple(measure["units"]),
            measure.get("below"),
            measure.get("at_least"),
            measure.get("analyte"),
        ),
    )


def _any_of(words: Sequence[str]) -> re.Pattern[str] | None:
    return re.compile(r"\b(?:" + "|".join(map(re.escape, words)) + r")\b") if words else None


def _reaction(row: Mapping[str, Any], sources: Mapping[str, Source]) -> Reaction:
    days = row.get("days")
    return Reaction(
        id=row["id"],
        name=Text.of(row["name"]),
        needs=tuple(frozenset(group) for group in row["needs"]),
        alarms=frozenset(row.get("alarms", ())),
        emergencies=frozenset(row.get("emergencies", ())),
        lone=frozenset(row.get("lone", ())),
        days=(days[0], days[1], days[2]) if days else None,
        stays_days=row.get("stays_days", 0),
        new_medicines=row.get("new_medicines", False),
        levels={
            name: Level(Severity(level["severity"]), When(level["when"]), Text.of(level["summary"]))
            for name, level in row["levels"].items()
        },
        steps=tuple(
            Step(frozenset(step["at"]), Text.of(step["say"]), tuple(step.get("atc", ()))) for step in row["step"]
        ),
        change=Text.of(row["change"]),
        checks=tuple(
            Check(tuple(check["loinc"]), Text.of(check["name"]), check["unit"], check["days"], check.get("clears"))
            for check in row.get("check", ())
        ),
        source=sources[row["source"]],
        from_years=row.get("from_years", 0),
        emergency_days=row.get("emergency_days"),
    )


def _pair(row: Mapping[str, Any], sources: Mapping[str, Source]) -> Pair:
    days = row.get("days")
    return Pair(
        id=row["id"],
        reaction=row["reaction"],
        atc=tuple(row["atc"]),
        unless=tuple(row.get("unless", ())),
        weight=Weight(row["weight"]),
        days=(days[0], days[1], days[2]) if days else None,
        frequency=Text.of(row["frequency"]) if "frequency" in row else NO_TEXT,
        note=Text.of(row["note"]),
        source=sources[row["source"]],
        lone=sources[row["lone"]] if "lone" in row else None,
        again=_again(row["again"], sources) if "again" in row else None,
        together=tuple(tuple(group) for group in row.get("together", ())),
        alone=row.get("alone", True),
    )


def _again(row: Mapping[str, Any], sources: Mapping[str, Source]) -> Again:
    first, last, ever = row["days"]
    note, source = Text.of(row["note"]), sources[row["source"]]
    return Again(row["within_days"], row["gap_days"], (first, last, ever), note, source)
