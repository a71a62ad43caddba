"""Records and assessments kept for people: opened, assessed, filled in, decided about, each in one transaction that
the audit log is part of."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from lab39.core.errors import InputError
from lab39.core.finding import Report, Severity, When
from lab39.core.record import Record
from lab39.core.text import Text
from lab39.fhir import inputs, jsontext
from lab39.store import access, assessments, audit, people, records, sharing
from lab39.store.access import Level
from lab39.store.assessments import Action, AssessmentHead
from lab39.store.directory import Entry
from lab39.store.records import StoredRecord, Version
from lab39.web.desk import answers as given
from lab39.web.desk import asking, changes, circle, kept, view
from lab39.web.desk.answers import Answer
from lab39.web.desk.asked import Placed
from lab39.web.desk.view import Decided
from lab39.web.house import House


@dataclass(frozen=True, slots=True)
class Opened:
    """One record of somebody's, with what was found about a version of it.

    Attributes:
        level: what this person may do with it.
        assessment: the one shown.
        previous: the report before it, and what changed since; ``None`` when there is none.
        decisions: everything decided about the record, in order.
        asked: what colleagues were asked about it; ``others``, who else may open it.
        asks_consent: to share it takes the word of the person it is about.
    """

    stored: StoredRecord
    level: Level
    version: Version
    record: Record
    assessment: AssessmentHead
    found: Report
    since: changes.Changes | None
    decisions: tuple[Decided, ...]
    asked: Placed
    others: tuple[Entry, ...]
    asks_consent: bool

    @property
    def can_write(self) -> bool:
        """Whether this person may fill in, decide and ask."""
        return self.level.rank >= Level.WRITE.rank

    @property
    def can_share(self) -> bool:
        """Whether this person may let others see it."""
        return self.level is Level.SHARE


def read(here: House, version: Version) -> Record:
    """The record of a version."""
    return inputs.record(version.document, "", here.settings)


def opened(here: House, person: str, record: str) -> Opened:
    """The latest version of a record, assessed for today by the solutions of today.

    A report that was kept is shown again; another is made when the record, the day or the lab has changed.

    Raises:
        UnknownRecordError: no such record, or not for this person.
    """
    at, on = here.now(), here.today()
    with here.store.reading() as tx:
        stored = access.require(tx, record, person, Level.READ, at=at)
        version = records.version(tx, record)
        heads = assessments.of(tx, record, limit=20)
        current = _current(here, tx, heads, version, on)
    known = read(here, version)
    found = kept.report(current[1], titles(here)) if current else here.lab.assess(known, on)
    with here.store.writing() as tx:
        level = access.level(tx, record, person, at=at) or Level.READ
        access.require(tx, record, person, Level.READ, at=at)
        asked = asking.on_desk(tx, record, found, person, titles(here), at=at)
        others = circle.others(tx, record, person, at=at)
        consent = sharing.asks_consent(tx, stored, by=person)
        if current:
            head = current[0]
            about = {"version": version.number, "assessment": head.id}
            audit.append(tx, at=at, actor=person, action="access", subject=record, about=about)
        else:
            head = keep_report(tx, person, version, found, at=at)
        since = _since(here, tx, heads, head, found)
        decisions = decided(here, tx, record)
    return Opened(stored, level, version, known, head, found, since, decisions, asked, others, consent)


def keep_report(
    tx: sa.Connection, person: str, version: Version, found: Report, *, at: dt.datetime
) -> AssessmentHead:
    """Keep what was found about a version, and say so in the audit log, without health data."""
    made = assessments.add(
        tx, version.record_id, version.number, on=found.on, report=kept.text(found), by=person, at=at
    )
    about = {
        "assessment": made.id,
        "version": version.number,
        "sha256": version.sha256,
        "on": found.on.isoformat(),
        "findings": len(found.findings),
        "lab39": str(found.versions.get("lab39", "")),
        "solutions": {str(k): str(v) for k, v in found.versions.get("solutions", {}).items()},
    }
    audit.append(tx, at=at, actor=person, action="assessment", subject=version.record_id, about=about)
    return AssessmentHead(made.id, made.record_id, made.version, made.on, made.at, made.by)


@dataclass(frozen=True, slots=True)
class Kept:
    """A record that was brought: kept now, or there already."""

    record: str
    new: bool


def keep(
    here: House, person: str, brought: Iterable[tuple[str, Record]], *, title: str = "", on: dt.date | None = None
) -> tuple[Kept, ...]:
    """Keep records with what is found about each: all of them, or none.

    The same text brought twice by the same person is one record: a form sent again makes no second one.

    Args:
        brought: the text as it came, and the record read from it.
    """
    day = on or here.today()
    rows = [(text, here.lab.assess(record, day)) for text, record in brought]
    at = here.now()
    done = []
    with here.store.writing() as tx:
        for text, found in rows:
            same = _same(tx, person, text)
            if same is not None:
                done.append(Kept(same, new=False))
                continue
            stored = records.add(tx, text, owner=person, at=at, title=title)
            version = records.version(tx, stored.id)
            about = {"version": 1, "sha256": version.sha256, "bytes": len(text.encode())}
            audit.append(tx, at=at, actor=person, action="upload", subject=stored.id, about=about)
            keep_report(tx, person, version, found, at=at)
            done.append(Kept(stored.id, new=True))
    return tuple(done)


def answer(here: House, person: str, record: str, said: Answer, *, expected: int) -> None:
    """Fill something in: a newer version of the record, assessed.

    Args:
        expected: number of the version the answer starts from.

    Raises:
        StaleVersionError: there is a newer one; nothing is kept.
        UnknownRecordError, AccessError, InputError
    """
    at, on = here.now(), here.today()
    with here.store.reading() as tx:
        access.require(tx, record, person, Level.WRITE, at=at)
        start = records.version(tx, record, expected)
    grown = given.apply(read(here, start), said)
    text = jsontext.dumps(grown.origin)
    found = here.lab.assess(grown, on)
    with here.store.writing() as tx:
        access.require(tx, record, person, Level.WRITE, at=at)
        version = records.add_version(tx, record, text, expected=expected, by=person, at=at)
        about = {"version": version.number, "sha256": version.sha256, "bytes": len(text.encode())}
        audit.append(tx, at=at, actor=person, action="upload", subject=record, about=about)
        keep_report(tx, person, version, found, at=at)


def decide(
    here: House, person: str, record: str, assessment: str, finding: str, action: Action, reason: str
) -> None:
    """Keep what was decided about a finding of an assessment.

    Raises:
        UnknownRecordError, UnknownAssessmentError, AccessError, InputError
    """
    at = here.now()
    with here.store.writing() as tx:
        access.require(tx, record, person, Level.WRITE, at=at)
        seen = assessments.get(tx, assessment)
        report = kept.report(seen.report, {})
        if seen.record_id != record or finding not in {changes.key(f) for f in report.findings}:
            raise records.unknown(record)
        made = assessments.decide(tx, assessment, finding, action, by=person, at=at, reason=reason)
        about = {"assessment": assessment, "decision": action.value, "number": made.number}
        about["finding"] = finding.rpartition("/")[0]  # solution and code; what it says is health data
        audit.append(tx, at=at, actor=person, action="decision", subject=record, about=about)


def decided(here: House, tx: sa.Connection, record: str) -> tuple[Decided, ...]:
    """Every decision about a record with who took it, in order."""
    rows = assessments.decisions_of(tx, record)
    names = {person: people.get(tx, person).display_name for person in {row.by for row in rows}}
    return tuple(Decided(r.finding, r.action.value, r.reason, names[r.by], here.day(r.at)) for r in rows)


def titles(here: House) -> dict[str, Text]:
    """How solutions are called today."""
    return {name: s.title for name, s in here.lab.solutions.items()}


def _current(
    here: House, tx: sa.Connection, heads: Iterable[AssessmentHead], version: Version, on: dt.date
) -> tuple[AssessmentHead, str] | None:
    """The kept report that still holds: of this version, for this day, by these solutions and packs."""
    head = next(iter(heads), None)
    if head is None or head.version != version.number or head.on != on:
        return None
    seen = assessments.get(tx, head.id)
    said = jsontext.loads(seen.report, max_depth=200)
    failed = any(f["code"] == "could-not-run" for f in said["findings"])  # it may run now
    return (head, seen.report) if said["versions"] == here.lab.versions() and not failed else None


def _since(
    here: House, tx: sa.Connection, heads: Iterable[AssessmentHead], shown: AssessmentHead, found: Report
) -> changes.Changes | None:
    """What changed since the assessment before; ``None`` when there is none."""
    before = next((h for h in heads if h.id != shown.id and (h.version, h.on) != (shown.version, shown.on)), None)
    if before is None:
        return None
    return changes.between(kept.report(assessments.get(tx, before.id).report, titles(here)), found)


def _same(tx: sa.Connection, person: str, text: str) -> str | None:
    """The record of this person whose latest version is this very text."""
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    latest = sa.and_(
        records.versions.c.record_id == records.records.c.id,
        records.versions.c.number == records.records.c.version,
    )
    chosen = (
        sa.select(records.records.c.id)
        .join(records.versions, latest)
        .where(records.records.c.owner_id == person, records.versions.c.sha256 == digest)
        .limit(1)
    )
    return tx.scalar(chosen)


def holds(here: House, person: str, record: str, said: Answer) -> bool:
    """Whether the latest version already holds an answer: filling it in again would change nothing that is told.

    Raises:
        UnknownRecordError
    """
    with here.store.reading() as tx:
        access.require(tx, record, person, Level.READ, at=here.now())
        known = read(here, records.version(tx, record))
    return given.holds(known, said)


@dataclass(frozen=True, slots=True)
class Waiting:
    """What a record waits for, by its latest assessment.

    Attributes:
        bands: of each band with findings nobody dealt with: how many, and the gravest.
        unknown: how many findings could not be evaluated for want of data.
    """

    bands: Mapping[When, tuple[int, Severity]]
    unknown: int


def waiting(found: Report, decisions: Iterable[Decided] = ()) -> Waiting:
    """What is left to do of a report."""
    rows: dict[When, list[Severity]] = {}
    for band in view.bands(found, decisions, None):
        for row in band.rows:
            when = row.finding.when
            if when is not None and not row.settled and not row.finding.not_evaluated:
                rows.setdefault(when, []).append(row.finding.severity)
    gravest = {when: (len(each), min(each, key=lambda s: s.rank)) for when, each in rows.items()}
    return Waiting(gravest, len(found.not_evaluated))


def last_waiting(here: House, tx: sa.Connection, record: str) -> Waiting | None:
    """What a record waits for; ``None`` when it was never assessed."""
    heads = assessments.of(tx, record, limit=1)
    if not heads:
        return None
    return waiting(kept.report(assessments.get(tx, heads[0].id).report, titles(here)), decided(here, tx, record))


def delete(here: House, person: str, record: str, *, sure: bool) -> None:
    """The end of a record, with its versions, assessments and decisions. The audit log keeps that it was deleted.

    Raises:
        UnknownRecordError, AccessError: not theirs.
        InputError: they did not tick that they mean it, or it must be kept until a day that has not come.
    """
    at = here.now()
    with here.store.writing() as tx:
        stored = access.require(tx, record, person, Level.READ, at=at)
        if stored.owner_id != person:
            raise access.AccessError(
                Text("seul son propriétaire supprime un dossier", "only its owner deletes a record"), record
            )
        if not sure:
            raise InputError(
                Text("cocher la case pour confirmer la suppression", "tick the box to confirm the deletion"), "sure"
            )
        if stored.retain_until is not None and stored.retain_until > at:
            day = here.day(stored.retain_until).isoformat()
            raise InputError(
                Text(f"ce dossier doit être conservé jusqu'au {day}", f"this record must be kept until {day}"),
                record,
            )
        records.delete(tx, record)
        about = {"versions": stored.version}
        audit.append(tx, at=at, actor=person, action="delete", subject=record, about=about)
