"""Asking a colleague from the desk: who is asked, who is shown the record for it, what comes back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from lab39.core.errors import InputError
from lab39.core.finding import Report
from lab39.core.text import NO_TEXT, Text
from lab39.store import access, assessments, people, questions, records, sharing
from lab39.store.access import Level
from lab39.store.directory import Entry
from lab39.store.questions import Question
from lab39.web.desk import changes, circle, kept
from lab39.web.desk.asked import NONE, About, Asked, Lost, Placed, match
from lab39.web.desk.sharing import Terms
from lab39.web.house import House


def shown(tx: sa.Connection, rows: Iterable[Question], person: str, *, at: dt.datetime) -> tuple[Asked, ...]:
    """Questions as one person sees them."""
    rows = tuple(rows)
    names = circle.names(tx, {each for row in rows for each in (row.asked_by, row.asked_of)})
    there = {r: {e.id for e in circle.others(tx, r, "", at=at)} for r in {row.record_id for row in rows}}
    return tuple(
        Asked(
            id=row.id,
            assessment=row.assessment_id,
            finding=row.finding,
            words=row.words,
            by=names[row.asked_by],
            of=names[row.asked_of],
            at=row.asked_at,
            answer=row.answer or "",
            answered_at=row.answered_at,
            withdrawn_at=row.withdrawn_at,
            mine=row.asked_by == person,
            to_me=row.asked_of == person,
            fresh=row.asked_by == person and row.waits_for(person),
            reaches=row.asked_of in there[row.record_id],
        )
        for row in rows
    )


def on_desk(
    tx: sa.Connection, record: str, found: Report, person: str, titles: Mapping[str, Text], *, at: dt.datetime
) -> Placed:
    """The questions about a record where they stand today; that they were shown is kept."""
    rows = questions.of(tx, record)
    if not rows:
        return NONE
    by_key, lost = match(found, shown(tx, rows, person, at=at))
    questions.seen(tx, rows, person, at=at)
    groups: dict[str, list[Asked]] = {}
    for each in lost:
        groups.setdefault(each.finding, []).append(each)
    return Placed(by_key, tuple(_lost(tx, group, titles) for group in groups.values()))


def _lost(tx: sa.Connection, group: list[Asked], titles: Mapping[str, Text]) -> Lost:
    last = group[-1]
    said = about(report_of(tx, last.assessment, titles), last.finding)
    return Lost(said, last.assessment, tuple(group))


def report_of(tx: sa.Connection, assessment: str, titles: Mapping[str, Text]) -> Report:
    """The report of an assessment."""
    return kept.report(assessments.get(tx, assessment).report, titles)


def about(report: Report, finding: str) -> About:
    """What a finding said, in the report a question was asked on."""
    said = next((f for f in report.findings if changes.key(f) == finding), None)
    return About(said.summary, report.title(said.solution)) if said is not None else About(NO_TEXT, NO_TEXT)


@dataclass(frozen=True, slots=True)
class Draft:
    """A question being written.

    Attributes:
        place: of the card.
        to: id of who is asked.
        who: what was typed to look for somebody; ``people``, who answers to it.
        looked: whether anybody was looked for.
        wrong: what is not right yet, and ``field``, where.
    """

    place: str
    finding: str
    assessment: str
    words: str = ""
    to: str = ""
    who: str = ""
    until: str = ""
    basis: str = ""
    people: tuple[Entry, ...] = ()
    looked: bool = False
    wrong: Text = NO_TEXT
    field: str = ""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer that could not be kept: what was typed comes back with why."""

    question: str
    words: str
    wrong: Text


@dataclass(frozen=True, slots=True)
class Sent:
    """A question that was sent.

    Attributes:
        new: False for one that was there already.
        shared: the record was shared for it.
    """

    question: Question
    to: Text
    new: bool
    shared: bool

    @property
    def told(self) -> Text:
        """In words."""
        if not self.new:
            return Text(
                f"cette question à {self.to.fr} était déjà là", f"this question to {self.to.en} was there already"
            )
        if self.shared:
            return Text(
                f"dossier partagé avec {self.to.fr}, question envoyée",
                f"record shared with {self.to.en}, question sent",
            )
        return Text(f"question envoyée à {self.to.fr}", f"question sent to {self.to.en}")


def ask(here: House, person: str, record: str, draft: Draft, terms: Terms | None) -> Sent:
    """Ask a colleague; somebody who does not see the record yet is shown it in the same transaction.

    Args:
        terms: on which it is shared, when it must be.

    Raises:
        UnknownRecordError, UnknownAssessmentError, AccessError, InputError, UnknownPersonError
    """
    at = here.now()
    with here.store.writing() as tx:
        access.require(tx, record, person, Level.WRITE, at=at)
        seen = assessments.get(tx, draft.assessment)
        report = kept.report(seen.report, {})
        if seen.record_id != record or draft.finding not in {changes.key(f) for f in report.findings}:
            raise records.unknown(record)
        if not draft.to:
            raise InputError(Text("choisir à qui poser la question", "choose whom to ask"), "to")
        known = people.get(tx, draft.to)
        if circle.openers().isdisjoint(known.roles):
            raise circle.opens_nothing()
        shared = access.level(tx, record, known.id, at=at) is None
        if shared:
            given = terms or Terms()
            sharing.share(
                tx,
                record,
                known.id,
                Level.READ,
                purpose=given.purpose,
                basis=given.basis,
                until=given.until,
                by=person,
                at=at,
            )
        lab = here.settings.public_url
        done = questions.ask(tx, seen.id, draft.finding, draft.words, of=known.id, by=person, at=at, lab=lab)
        return Sent(done.question, circle.name(tx, known.id), done.new, shared)
