"""What a person takes or took lately: each substance once, with the first day that is known."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from lab39.core import terms
from lab39.core.dates import PartialDate
from lab39.core.entries import PROPOSED, Medication
from lab39.core.finding import Finding
from lab39.core.record import Record
from lab39.core.text import Text
from lab39.solutions.signals.knowing import Knowledge, Substance, folded

NEW_COURSE_DAYS = 90
"""A medicine taken again after a longer stop is begun anew; a choice of Lab39."""
RENEWAL_DAYS = 366
"""When the end of an earlier course is not known, starts further apart are of two courses; a choice of Lab39."""
_NEVER = ("not-taken", "cancelled", "entered-in-error", "draft", "intended", "not-done")


@dataclass(frozen=True, slots=True)
class Taken:
    """One medicine.

    Attributes:
        atc: its codes; empty when it was not understood.
        name: of the substance, else the words of the record.
        the: the French name with its article.
        words: as the record writes it.
        start: first day known; ``None`` when no entry says it.
        end: last day, when it is stopped and the day is known.
        stopped: said to be stopped.
        refs: entries, the newest first.
        courses: first and last day of each entry whose first day is known, the oldest first.
    """

    atc: tuple[str, ...]
    name: Text
    the: str
    words: str
    start: PartialDate | None
    end: PartialDate | None
    stopped: bool
    refs: tuple[str, ...]
    courses: tuple[tuple[PartialDate, PartialDate | None], ...] = ()

    @property
    def ref(self) -> str:
        """The newest entry."""
        return self.refs[0]


@dataclass(frozen=True, slots=True)
class _Entry:
    medicine: Medication
    start: PartialDate | None
    end: PartialDate | None
    stopped: bool


def taken(
    record: Record, on: dt.date, known: Knowledge, named: Mapping[str, Sequence[str]] | None = None
) -> tuple[Taken, ...]:
    """The medicines of a record that are, or were, taken by a day; proposals and what was never taken are left out.

    Args:
        named: names of substances by reference of an entry, for what neither codes nor words tell.
    """
    groups: dict[tuple[str, ...] | str, list[tuple[_Entry, list[Substance], tuple[str, ...]]]] = defaultdict(list)
    for each in record.medications():
        if each.status in _NEVER or each.raw.get("doNotPerform") is True or each.raw.get("intent") in PROPOSED:
            continue
        entry = _entry(each, on)
        if entry.start is not None and entry.start.earliest > on:
            continue
        codes = _codes(each)
        found = _substances(each, codes, known, (named or {}).get(each.ref, ()))
        key: tuple[str, ...] | str = tuple(sorted(s.atc for s in found)) or codes or folded(each.concept.label)
        groups[key].append((entry, found, codes))
    return tuple(_joined(rows) for rows in groups.values())


def not_understood(medicines: Iterable[Taken]) -> tuple[Taken, ...]:
    """Those of which neither a code nor a name is known."""
    return tuple(each for each in medicines if not each.atc)


def named_by(findings: Iterable[Finding]) -> Mapping[str, tuple[str, ...]]:
    """Names of substances by reference of an entry, as the findings of another solution give them."""
    found: dict[str, dict[str, None]] = defaultdict(dict)
    for finding in findings:
        for reason in finding.reasons:
            for used in reason.inputs:
                if used.ref:
                    found[used.ref] |= dict.fromkeys(part.strip() for part in used.name.fr.split(","))
    return {ref: tuple(names) for ref, names in found.items()}


def _codes(each: Medication) -> tuple[str, ...]:
    return tuple(c.code.upper() for c in each.concept.codings if c.system == terms.ATC and c.code)


def _substances(
    each: Medication, codes: tuple[str, ...], known: Knowledge, named: Sequence[str]
) -> list[Substance]:
    coded = [known.substances[code] for code in codes if code in known.substances]
    if codes:
        return coded
    words = folded(" ".join(dict.fromkeys([each.concept.text, *(c.display for c in each.concept.codings)])))
    spoken = [known.by_name[name] for name in known.names.findall(words)]
    told = [known.by_name[name] for name in map(folded, named) if name in known.by_name]
    return list({s.atc: s for s in (spoken or told)}.values())


def _entry(each: Medication, on: dt.date) -> _Entry:
    start, end = each.start, each.end
    if each.raw.get("resourceType") == "MedicationAdministration":
        end = end or start
    stopped = each.current is False or (end is not None and end.latest < on)
    return _Entry(each, start, end, stopped)


def _apart(earlier: _Entry, began: PartialDate, start: PartialDate) -> bool:
    """Whether an earlier entry is of another course than the one that began later."""
    if not earlier.stopped:
        return False
    if earlier.end is not None:
        return (start.earliest - earlier.end.latest).days > NEW_COURSE_DAYS
    return (start.earliest - began.latest).days > RENEWAL_DAYS


def _joined(rows: list[tuple[_Entry, list[Substance], tuple[str, ...]]]) -> Taken:
    """The entries of one medicine: the first day of the course that the newest entry belongs to."""
    entries = sorted(
        (entry for entry, _, _ in rows),
        key=lambda e: (e.start is not None, e.start.earliest if e.start else dt.date.min),
    )
    newest = entries[-1]
    start = newest.start
    for earlier in reversed(entries[:-1]):
        if earlier.start is None or start is None or _apart(earlier, earlier.start, start):
            break
        start = earlier.start
    running = any(not entry.stopped for entry in entries)
    ends = [entry.end for entry in entries if entry.end is not None]
    substances = rows[0][1]
    codes = tuple(
        dict.fromkeys(
            code for _, found, own in rows for code in (*own, *(c for s in found for c in (s.atc, *s.same)))
        )
    )
    words = newest.medicine.concept.label
    if substances:
        name = Text(" + ".join(s.name.fr for s in substances), " + ".join(s.name.en for s in substances))
        the = substances[0].the + name.fr
    else:
        the = words.partition(",")[0].strip()[:60] or "–"
        name = Text.same(the)
    return Taken(
        atc=codes,
        name=name,
        the=the,
        words=words,
        start=start,
        end=None if running else max(ends, key=lambda d: d.latest, default=None),
        stopped=not running,
        refs=tuple(entry.medicine.ref for entry in reversed(entries)),
        courses=tuple((entry.start, entry.end) for entry in entries if entry.start is not None),
    )
