"""What changed between two reports, and between two versions of a record."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from lab39.core.entries import Entry, Observation
from lab39.core.finding import Finding, Report
from lab39.core.record import Record
from lab39.core.signs import ABSENT, PRESENT
from lab39.core.terms import SNOMED, Concept
from lab39.core.text import Text
from lab39.fhir import jsontext
from lab39.web.desk.answers import SEXES

PRESENT_WORDS, ABSENT_WORDS = Text("présent", "present"), Text("absent", "absent")


def name(finding: Finding) -> str:
    """What a finding is about, whatever it says of it: solution, code, focus."""
    focus = hashlib.sha256("|".join(finding.focus).encode()).hexdigest()[:12] if finding.focus else "-"
    return f"{finding.solution[:60]}/{finding.code[:120]}/{focus}"


def said(finding: Finding) -> str:
    """What it says, in short: changes when the severity or the summary does."""
    return hashlib.sha256(f"{finding.severity}|{finding.summary.fr}".encode()).hexdigest()[:12]


def key(finding: Finding) -> str:
    """What a decision is about: this finding, saying this."""
    return f"{name(finding)}#{said(finding)}"


@dataclass(frozen=True, slots=True)
class Changes:
    """From one report to a later one.

    Attributes:
        changed: findings that say something else, before and after.
    """

    added: tuple[Finding, ...]
    gone: tuple[Finding, ...]
    changed: tuple[tuple[Finding, Finding], ...]

    def __bool__(self) -> bool:
        return bool(self.added or self.gone or self.changed)

    def say(self) -> Text:
        """The counts in words; ``no change`` when there is none."""
        if not self:
            return Text("aucun constat ne change", "no finding changes")
        fr, en = [], []
        for rows, one, many, english in (
            (self.added, "nouveau", "nouveaux", "new"),
            (self.changed, "modifié", "modifiés", "changed"),
            (self.gone, "disparu", "disparus", "gone"),
        ):
            if rows:
                n = len(rows)
                fr.append(f"{n} constat{'s' * (n > 1)} {many if n > 1 else one}")
                en.append(f"{n} finding{'s' * (n > 1)} {english}")
        return Text(", ".join(fr), ", ".join(en))


def between(before: Report, after: Report) -> Changes:
    """What is new, gone or says something else. A finding that only changes what it is about is the same one, when
    its solution gives one finding of that code in both."""
    old, new = _by_name(before, after), _by_name(after, before)
    return Changes(
        added=tuple(f for n, f in new.items() if n not in old),
        gone=tuple(f for n, f in old.items() if n not in new),
        changed=tuple((old[n], f) for n, f in new.items() if n in old and said(old[n]) != said(f)),
    )


def _by_name(report: Report, other: Report) -> dict[str, Finding]:
    """Findings by name; by solution and code alone where both reports have one such finding."""
    counts = [Counter((f.solution, f.code) for f in each.findings) for each in (report, other)]
    found: dict[str, Finding] = {}
    for finding in report.findings:
        kind = (finding.solution, finding.code)
        same = f"{finding.solution}/{finding.code}" if all(c[kind] == 1 for c in counts) else name(finding)
        found.setdefault(same, finding)
    return found


def records(before: Record, after: Record) -> tuple[tuple[Text, ...], tuple[Text, ...]]:
    """What came into a record and what left it, in words."""
    old, new = _said(before), _said(after)
    return _less(new, old), _less(old, new)


def _less(rows: Counter[Text], others: Counter[Text]) -> tuple[Text, ...]:
    return tuple((rows - others).elements())


def _said(record: Record) -> Counter[Text]:
    rows: Counter[Text] = Counter()
    if record.birth_date is not None:
        born = record.birth_date
        rows[Text(f"né(e) le {born.say('fr')}", f"born {born.say('en')}")] += 1
    if record.sex is not None:
        sex = SEXES.get(record.sex, Text.same(record.sex))
        rows[Text(f"sexe\u202f: {sex.fr}", f"sex: {sex.en}")] += 1
    read: dict[int, Text] = {}
    for entry in _entries(record):
        read[id(entry.raw)] = _entry(entry)
    for raw in record.resources():
        if raw.get("resourceType") != "Patient":
            rows[read.get(id(raw)) or _raw(raw)] += 1
    return rows


def _entries(record: Record) -> Iterable[Any]:
    yield from record.conditions()
    yield from record.medications()
    yield from record.immunizations()
    yield from record.observations()
    yield from record.allergies()
    yield from record.procedures()


def _entry(entry: Entry) -> Text:
    label = getattr(entry, "concept").label or entry.ref  # noqa: B009  every kind of entry has one
    date = getattr(entry, "date", None) or getattr(entry, "start", None) or getattr(entry, "onset", None)
    value = entry.value if isinstance(entry, Observation) else None
    if isinstance(entry, Observation) and entry.quantity is not None:
        shown = Text(entry.quantity.say("fr"), entry.quantity.say("en"))
    elif value is not None:
        shown = _value(value)
    else:
        shown = Text.same("")
    when = Text(date.say("fr"), date.say("en")) if date else Text.same("")
    fr = " ".join(part for part in (label, shown.fr, f"({when.fr})" if when else "") if part)
    en = " ".join(part for part in (label, shown.en, f"({when.en})" if when else "") if part)
    return Text(fr, en)


def _value(value: Any) -> Text:
    """A value that is no quantity; whether a sign is there is said in the reader's language."""
    for stated, codes, words in ((True, PRESENT, PRESENT_WORDS), (False, ABSENT, ABSENT_WORDS)):
        if value is stated or (isinstance(value, Concept) and value.has(SNOMED, *codes)):
            return words
    return Text.same(str(getattr(value, "label", value)))


def _raw(raw: Any) -> Text:
    digest = hashlib.sha256(jsontext.dumps(raw).encode()).hexdigest()[:8]
    return Text.same(f"{raw.get('resourceType')} {raw.get('id') or digest}")
