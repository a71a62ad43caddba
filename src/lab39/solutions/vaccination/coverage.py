"""Coverage of a population by birth year and vaccine group, who is late, and whom to call back.

A person is covered in a group when nothing is due in it on the day: the series is complete or immune, or begun with
the next dose for later. Persons whom the group does not concern (contraindicated, aged out, not recommended), or
not yet (nothing given, nothing due), are counted apart, outside the share; so are records that could not be read.
What is only on offer concerns nobody, given or not: those who took it would be the only ones counted.
In a group of campaigns, a person is covered by the dose of the last one begun, also once it is over.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lab39.core.record import Record
from lab39.core.text import Lang, Text, date
from lab39.solutions.vaccination import words
from lab39.solutions.vaccination.engine import run
from lab39.solutions.vaccination.model import Schedule
from lab39.solutions.vaccination.reading import Known
from lab39.solutions.vaccination.standing import Kind, Standing, last_campaign_has_dose, standings

Reader = Callable[[Record, Schedule, dt.date], Known]
_DONE = (Kind.COMPLETE, Kind.IMMUNE)
_AHEAD = (Kind.POSSIBLE, Kind.LATER)
_DUE = (Kind.DUE, Kind.OVERDUE)
_COUNTED = ("complete", "covered", "due", "late", "missed", "not_yet", "outside", "in_doubt")
_SPREADSHEET = ("=", "+", "-", "@", "\t", "\r")
HEADS: Mapping[str, Text] = {
    "record": Text("dossier", "record"),
    "birth_date": Text("naissance", "birth date"),
    "group": Text("vaccin", "vaccine"),
    "dose_number": Text("dose", "dose"),
    "recommended": Text("recommandée le", "recommended on"),
    "days_late": Text("jours de retard", "days late"),
    "in_doubt": Text("dose non comptée au dossier", "uncounted dose on record"),
}


@dataclass(frozen=True, slots=True)
class Cell:
    """One birth year in one vaccine group; counts of persons.

    Attributes:
        complete: series complete or immune; ``covered`` includes them.
        due: due and not late; ``late``: past the last recommended date.
        missed: without a dose of the last campaign, which is over.
        not_yet: nothing given and nothing due; ``outside``: persons whom the group does not concern.
        in_doubt: covered, due or late, with a dose on record that could not be counted.
    """

    year: int
    group: str
    complete: int
    covered: int
    due: int
    late: int
    missed: int
    not_yet: int
    outside: int
    in_doubt: int

    @property
    def persons(self) -> int:
        """Those whom the group concerns."""
        return self.covered + self.due + self.late + self.missed

    @property
    def share(self) -> float | None:
        """Covered among those concerned, from 0 to 1; ``None`` when it concerns nobody."""
        return self.covered / self.persons if self.persons else None

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "birth_year": self.year,
            "group": self.group,
            "persons": self.persons,
            "covered": self.covered,
            "complete": self.complete,
            "due": self.due,
            "late": self.late,
            "missed": self.missed,
            "not_yet": self.not_yet,
            "outside": self.outside,
            "in_doubt": self.in_doubt,
            "share": self.share,
        }


@dataclass(frozen=True, slots=True)
class Call:
    """One person to call back for one vaccine group."""

    record: str
    birth: dt.date
    group: str
    number: int | None
    recommended: dt.date | None
    days_late: int
    in_doubt: bool

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON and CSV."""
        return {
            "record": self.record,
            "birth_date": self.birth,
            "group": self.group,
            "dose_number": self.number,
            "recommended": self.recommended,
            "days_late": self.days_late,
            "in_doubt": self.in_doubt,
        }


@dataclass(slots=True)
class Coverage:
    """Counts, as records are read.

    Attributes:
        unread: records without a whole birth date on or before the day: in no cell.
        repeated: records whose id was met already; they are counted like the others.
        deceased: persons who have died: in no cell, never called back.
        calls: who is late, the longest first once read to the end.
    """

    on: dt.date
    schedule: str
    edition: str
    records: int = 0
    unread: int = 0
    repeated: int = 0
    deceased: int = 0
    counts: dict[tuple[int, str], Counter[str]] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)

    def cells(self) -> tuple[Cell, ...]:
        """Every birth year and vaccine group met, in order."""
        return tuple(
            Cell(
                year,
                group,
                *(found[name] for name in _COUNTED),
            )
            for (year, group), found in sorted(self.counts.items())
        )

    def totals(self) -> tuple[Cell, ...]:
        """Each vaccine group over all birth years; ``year`` is 0."""
        summed: dict[str, Counter[str]] = {}
        for (_, group), found in self.counts.items():
            summed.setdefault(group, Counter()).update(found)
        return tuple(Cell(0, group, *(summed[group][name] for name in _COUNTED)) for group in sorted(summed))

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "on": self.on,
            "schedule": self.schedule,
            "edition": self.edition,
            "n": self.records,
            "unread": self.unread,
            "repeated": self.repeated,
            "deceased": self.deceased,
            "cells": [each.as_dict() for each in self.cells()],
            "groups": [{k: v for k, v in each.as_dict().items() if k != "birth_year"} for each in self.totals()],
            "late": [each.as_dict() for each in self.calls],
        }


def coverage(
    records: Iterable[Record], schedule: Schedule, on: dt.date, read: Reader, groups: Sequence[str] = ()
) -> Coverage:
    """Count a population, one record at a time.

    Args:
        read: from a record to the patient that the engine knows.
        groups: vaccine groups wanted; every one when empty.
    """
    found = Coverage(on, schedule.name, schedule.version)
    met: set[str] = set()
    for record in records:
        found.records += 1
        found.repeated += record.id in met
        met.add(record.id)
        known = read(record, schedule, on)
        if known.patient is None:
            found.deceased += known.deceased
            found.unread += not known.deceased
            continue
        doubted = {antigen for each in known.uncounted for antigen in each.antigens}
        unknown = any(not each.antigens for each in known.uncounted)
        born = known.patient.birth_date
        for each in standings(run(schedule, known.patient, on, groups or None)):
            doubt = unknown or not doubted.isdisjoint(schedule.groups[each.group].antigens)
            cell = found.counts.setdefault((born.year, each.group), Counter())
            cell.update(_counted(each, on, doubt))
            if each.kind is Kind.OVERDUE:
                found.calls.append(_call(record, born, each, on, doubt))
    found.calls.sort(key=lambda each: (-each.days_late, each.record, each.group))
    return found


def to_csv(calls: Iterable[Call], lang: Lang) -> str:
    """The list of persons to call back; a value that a spreadsheet would take for a formula is made text."""
    written = io.StringIO()
    out = csv.writer(written, delimiter=";" if lang == "fr" else ",", lineterminator="\r\n")
    out.writerow(head[lang] for head in HEADS.values())
    for each in calls:
        out.writerow(
            (
                _safe(each.record),
                date(each.birth, lang),
                words.group(each.group)[lang],
                "" if each.number is None else each.number,
                date(each.recommended, lang) if each.recommended else "",
                each.days_late,
                ("oui" if lang == "fr" else "yes") if each.in_doubt else "",
            )
        )
    return written.getvalue()


def _counted(each: Standing, on: dt.date, doubt: bool) -> Iterator[str]:
    if each.forecast.level == "optional":
        yield "outside"
        return
    if each.kind in _DONE:
        yield from ("covered", "complete")
    elif each.kind in _AHEAD:
        begun = any(series.valid_doses for series in each.forecast.series)
        yield "covered" if begun else "not_yet"
        if not begun:
            return
    elif each.kind in _DUE:
        yield "late" if each.kind is Kind.OVERDUE else "due"
    elif each.kind is Kind.NOT_NOW and (done := last_campaign_has_dose(each.forecast, on)) is not None:
        yield "covered" if done else "missed"
    else:
        yield "outside"
        return
    if doubt:
        yield "in_doubt"


def _call(record: Record, born: dt.date, each: Standing, on: dt.date, doubt: bool) -> Call:
    late = each.forecast.past_due
    return Call(
        record.id,
        born,
        each.group,
        each.forecast.number,
        each.forecast.recommended,
        (on - late).days if late else 0,
        doubt,
    )


def _safe(value: str) -> str:
    return f"'{value}" if value.startswith(_SPREADSHEET) else value
