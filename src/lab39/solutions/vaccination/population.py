"""Many records: what is due of each, and for whom another edition of a schedule changes something.

Records are read as they come and none is kept, so that a population of any size can be read.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lab39.core.errors import InputError, LabError
from lab39.core.record import Record
from lab39.core.text import Text
from lab39.fhir.inputs import Failed, iter_records
from lab39.settings import Settings
from lab39.solutions.vaccination import illness, told
from lab39.solutions.vaccination.codes import Maps
from lab39.solutions.vaccination.engine import run
from lab39.solutions.vaccination.model import Schedule
from lab39.solutions.vaccination.outcome import Patient, Result
from lab39.solutions.vaccination.reading import Known, read_patient, uncounted_dict
from lab39.solutions.vaccination.verdicts import verdict

_ALONE = Text(
    "une ressource seule\u202f: donner par ligne un Bundle, avec le patient et tout ce qui le concerne",
    "one resource alone: give a Bundle a line, with the patient and everything about them",
)
EXAMPLES = 5
"""How many records are named for one change, where only counts are shown."""


@dataclass(slots=True)
class Records:
    """The records of a file or folder, one at a time; what cannot be read is kept in ``failed``.

    A line that holds one resource alone is refused: a Patient without the doses that stand in another file would
    look like somebody who was never vaccinated.
    """

    path: Path
    settings: Settings
    failed: list[LabError] = field(default_factory=list)

    def __iter__(self) -> Iterator[Record]:
        for item in iter_records([self.path], self.settings):
            if isinstance(item, Failed):
                self.failed.append(item.error)
            elif item.form == "resource":
                self.failed.append(InputError(_ALONE, item.source))
            else:
                yield item


def lines_of(path: Path) -> int:
    """How many records a file of lines may hold, for a progress bar; 0 when that is not told by its lines."""
    if not path.is_file() or path.suffix not in (".ndjson", ".jsonl"):
        return 0
    with path.open("rb") as stream:
        return sum(chunk.count(b"\n") for chunk in iter(lambda: stream.read(1 << 20), b"")) or 1


# -- one schedule --------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Summary:
    """Counts over a population, as it is read.

    Attributes:
        not_evaluated: records without a whole birth date.
        deceased: persons who have died: nothing is due for them.
        uncounted: doses that could not be counted.
        due: by vaccine group, how many people it is due for.
    """

    records: int = 0
    not_evaluated: int = 0
    deceased: int = 0
    doses: int = 0
    uncounted: int = 0
    due: Counter[str] = field(default_factory=Counter)
    past_due: Counter[str] = field(default_factory=Counter)

    def as_dict(self) -> dict[str, Any]:
        """Plain values, the groups due for most first."""
        return {
            "records": self.records,
            "not_evaluated": self.not_evaluated,
            "deceased": self.deceased,
            "doses": self.doses,
            "doses_not_counted": self.uncounted,
            "due": dict(self.due.most_common()),
            "past_due": dict(self.past_due.most_common()),
        }


def evaluated(
    records: Iterable[Record], schedule: Schedule, maps: Maps, on: dt.date, summary: Summary
) -> Iterator[dict[str, Any]]:
    """One row a record: what is due, each vaccine group and dose, and what could not be used."""
    for record in records:
        known = read_patient(record, schedule, on, maps)
        summary.records += 1
        summary.uncounted += len(known.uncounted)
        row: dict[str, Any] = {"record": record.id, "source": record.source}
        if known.patient is None:
            summary.deceased += known.deceased
            summary.not_evaluated += not known.deceased
            row |= {"schedule": schedule.name, "edition": schedule.version, "on": on, "due": None}
        else:
            result = run(schedule, known.patient, on)
            row |= told.due_dict(result, known.patient, schedule) | uncounted_dict(known, schedule)
            row |= illness.as_dict(known.noted)
            _count(summary, result, known.patient)
        yield row | {"issues": [each.as_dict() for each in known.issues]}


def _count(summary: Summary, result: Result, patient: Patient) -> None:
    summary.doses += len(patient.doses)
    due = {each.group for each in result.groups if told.is_due(each, result.on)}
    late = {each.group for each in result.groups if each.past_due is not None and each.past_due < result.on}
    summary.due.update(due)
    summary.past_due.update(late & due)


# -- two schedules -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Verdict:
    """A dose that the other edition judges otherwise; ``None`` where it could not be read or judged."""

    ref: str
    date: dt.date
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class Concerned:
    """One record seen through both schedules.

    Attributes:
        becomes: vaccine groups due by the new one only. ``ceases``: by the old one only.
        evaluated: whether its birth date allows it, and they are alive; ``deceased`` tells the two apart.
    """

    record: str
    source: str
    becomes: tuple[str, ...] = ()
    ceases: tuple[str, ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    evaluated: bool = True
    deceased: bool = False

    @property
    def changed(self) -> bool:
        """Whether anything does."""
        return bool(self.becomes or self.ceases or self.verdicts)

    def as_dict(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "record": self.record,
            "source": self.source,
            "becomes_due": list(self.becomes),
            "no_longer_due": list(self.ceases),
            "doses": [
                {"ref": each.ref, "date": each.date, "before": each.before, "after": each.after}
                for each in self.verdicts
            ],
        }


@dataclass(slots=True)
class Totals:
    """Counts over a population and, for each change, the first records it concerns."""

    records: int = 0
    concerned: int = 0
    not_evaluated: int = 0
    deceased: int = 0
    verdicts: int = 0
    becomes: Counter[str] = field(default_factory=Counter)
    ceases: Counter[str] = field(default_factory=Counter)
    examples: dict[tuple[str, str], list[str]] = field(default_factory=dict)

    def add(self, each: Concerned) -> None:
        """One record more."""
        self.records += 1
        self.concerned += each.changed
        self.deceased += each.deceased
        self.not_evaluated += not each.evaluated and not each.deceased
        self.verdicts += len(each.verdicts)
        self.becomes.update(each.becomes)
        self.ceases.update(each.ceases)
        keys = [("becomes", g) for g in each.becomes] + [("ceases", g) for g in each.ceases]
        keys += [("verdict", "")] if each.verdicts else []
        for key in keys:
            named = self.examples.setdefault(key, [])
            if len(named) < EXAMPLES:
                named.append(each.record)

    def as_dict(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "records": self.records,
            "concerned": self.concerned,
            "not_evaluated": self.not_evaluated,
            "deceased": self.deceased,
            "becomes_due": dict(self.becomes.most_common()),
            "no_longer_due": dict(self.ceases.most_common()),
            "dose_verdicts_changed": self.verdicts,
        }


def people(records: Iterable[Record], old: Schedule, new: Schedule, maps: Maps, on: dt.date) -> Iterator[Concerned]:
    """Each record through both schedules."""
    for record in records:
        before, after = read_patient(record, old, on, maps), read_patient(record, new, on, maps)
        if before.patient is None or after.patient is None:
            yield Concerned(record.id, record.source, evaluated=False, deceased=before.deceased)
            continue
        one, two = run(old, before.patient, on), run(new, after.patient, on)
        was, now = _due(one), _due(two)
        yield Concerned(
            record.id,
            record.source,
            tuple(group for group in now if group not in was),
            tuple(group for group in was if group not in now),
            tuple(_verdicts(before, one, after, two)),
        )


def _due(result: Result) -> tuple[str, ...]:
    return tuple(dict.fromkeys(each.group for each in result.groups if told.is_due(each, result.on)))


def _verdicts(before: Known, one: Result, after: Known, two: Result) -> Iterator[Verdict]:
    was, now = _judged(before, one), _judged(after, two)
    for key in was | now:
        old, new = was.get(key), now.get(key)
        if old != new:
            yield Verdict(*key, old, new)


def _judged(known: Known, result: Result) -> dict[tuple[str, dt.date], str | None]:
    """By reference and day: a record may give two doses one id."""
    found: dict[tuple[str, dt.date], str | None] = {}
    for dose in known.patient.doses if known.patient else ():
        done = verdict(result, dose)
        found[dose.id, dose.date] = str(done.status) if done else None
    return found
