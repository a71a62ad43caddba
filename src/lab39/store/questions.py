"""Questions to a colleague about something that was found, and their answers.

A question reaches one person who may see the record, as long as they may: when their access ends it is no longer
shown to them, and the one who asked is told. One question has one answer, which nobody writes over. The same words
about the same finding to the same person are the same question, however often they are sent.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from lab39.core.errors import InputError, LabError, UnknownNameError
from lab39.core.text import NO_TEXT, Text
from lab39.store import access, assessments, audit, belongings, outbox, privacy, records
from lab39.store.access import Level
from lab39.store.engine import new_id
from lab39.store.outbox import State
from lab39.store.schema import Instant, metadata

questions = sa.Table(
    "questions",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("key", sa.String(64), unique=True),
    sa.Column("record_id", sa.ForeignKey("records.id", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("assessment_id", sa.ForeignKey("assessments.id", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("finding", sa.String(255), nullable=False),
    sa.Column("words", sa.Text, nullable=False),
    sa.Column("asked_by", sa.ForeignKey("people.id"), nullable=False, index=True),
    sa.Column("asked_of", sa.ForeignKey("people.id"), nullable=False, index=True),
    sa.Column("asked_at", Instant, nullable=False),
    sa.Column("seen_at", Instant),
    sa.Column("answer", sa.Text),
    sa.Column("answered_at", Instant),
    sa.Column("answer_seen_at", Instant),
    sa.Column("withdrawn_at", Instant),
)

WORDS_MAX = 1000
PURPOSE = "mail"
"""The consent that a message about a question needs."""
PAGE = "/questions"
AGAIN = dt.timedelta(days=1)
"""How long one message stands for everything that waits unseen."""


class UnknownQuestionError(UnknownNameError):
    """No such question, or none that this person may see: the two are told alike."""


class ClosedError(LabError):
    """The question was answered or withdrawn meanwhile; nothing was saved."""


@dataclass(frozen=True, slots=True)
class Question:
    """A question, and its answer when there is one.

    Attributes:
        assessment_id: where the finding was read, and ``finding`` its key there.
        seen_at: when the one who is asked first saw it; ``answer_seen_at``, the one who asked, its answer.
        withdrawn_at: when the one who asked took it back, before any answer.
    """

    id: str
    record_id: str
    assessment_id: str
    finding: str
    words: str
    asked_by: str
    asked_of: str
    asked_at: dt.datetime
    seen_at: dt.datetime | None
    answer: str | None
    answered_at: dt.datetime | None
    answer_seen_at: dt.datetime | None
    withdrawn_at: dt.datetime | None

    @property
    def open(self) -> bool:
        """Whether it waits for an answer."""
        return self.answered_at is None and self.withdrawn_at is None

    def waits_for(self, person: str) -> bool:
        """Whether somebody has something to do about it: answer it, or read its answer."""
        if self.asked_of == person and self.open:
            return True
        return self.asked_by == person and self.answered_at is not None and self.answer_seen_at is None


@dataclass(frozen=True, slots=True)
class Kept:
    """A question or an answer that was sent: kept now, or there already."""

    question: Question
    new: bool


def ask(
    tx: sa.Connection,
    assessment: str,
    finding: str,
    words: str,
    *,
    of: str,
    by: str,
    at: dt.datetime,
    lab: str = "",
) -> Kept:
    """Ask somebody who may see the record; they are written to when they agreed to it.

    Args:
        finding: its key in the report of the assessment.
        lab: public address of the lab, for the link of the message.

    Raises:
        UnknownAssessmentError, UnknownRecordError, AccessError: the one who asks may not.
        InputError: no words, or somebody who does not see the record.
    """
    record = assessments.get(tx, assessment).record_id
    access.require(tx, record, by, Level.WRITE, at=at)
    words = _words(words, Text("écrire la question", "write the question"))
    if of == by:
        raise InputError(Text("choisir quelqu'un d'autre que soi", "choose somebody else than yourself"), "to")
    if access.level(tx, record, of, at=at) is None:
        raise InputError(
            Text(
                "cette personne ne voit pas ce dossier\u202f: le partager avec elle pour lui poser la question",
                "this person does not see this record: share it with them to ask",
            ),
            "to",
        )
    key = hashlib.sha256("\0".join((record, finding, by, of, words)).encode()).hexdigest()
    mine = new_id()
    values = {"id": mine, "key": key, "record_id": record, "assessment_id": assessment, "finding": finding}
    values |= {"words": words, "asked_by": by, "asked_of": of}
    dialect = postgresql if tx.dialect.name == "postgresql" else sqlite
    added = dialect.insert(questions).values(**values, asked_at=at)
    tx.execute(added.on_conflict_do_nothing(index_elements=["key"]))
    kept = _one(tx, questions.c.key == key)
    if kept.id != mine:
        return Kept(kept, new=False)
    _tell(tx, kept, of, "asked", lab, at)
    _log(tx, kept, by, at, asked_of=of)
    return Kept(kept, new=True)


def answer(tx: sa.Connection, question: str, words: str, *, by: str, at: dt.datetime, lab: str = "") -> Kept:
    """Answer a question that one was asked. The same words again are the same answer.

    Raises:
        UnknownQuestionError: not theirs to answer, or no longer.
        ClosedError: it was withdrawn, or answered otherwise in another tab; nothing is kept.
        InputError: no words.
    """
    found = get(tx, question, by, at=at)
    if found.asked_of != by:
        raise _unknown(question)
    words = _words(words, Text("écrire la réponse", "write the answer"))
    here = sa.and_(
        questions.c.id == question, questions.c.answered_at.is_(None), questions.c.withdrawn_at.is_(None)
    )
    kept = tx.execute(questions.update().where(here).values(answer=words, answered_at=at)).rowcount
    found = _one(tx, questions.c.id == question)
    if kept:
        _tell(tx, found, found.asked_by, "answered", lab, at)
        _log(tx, found, by, at, answered=True)
        return Kept(found, new=True)
    if found.answer == words:
        return Kept(found, new=False)
    raise ClosedError(
        Text(
            "cette question a été retirée entre-temps\u202f; votre réponse n'est pas enregistrée",
            "this question was withdrawn meanwhile; your answer was not saved",
        )
        if found.answer is None
        else Text(
            "vous avez déjà répondu à cette question\u202f; ce second texte n'est pas enregistré",
            "you have answered this question already; this second text was not saved",
        ),
        "words",
    )


def withdraw(tx: sa.Connection, question: str, *, by: str, at: dt.datetime) -> Kept:
    """Take one's question back before it is answered; it stays readable. Done again, it changes nothing.

    Raises:
        UnknownQuestionError: not theirs.
        ClosedError: it is answered.
    """
    found = get(tx, question, by, at=at)
    if found.asked_by != by:
        raise _unknown(question)
    here = sa.and_(
        questions.c.id == question, questions.c.answered_at.is_(None), questions.c.withdrawn_at.is_(None)
    )
    done = tx.execute(questions.update().where(here).values(withdrawn_at=at, key=None)).rowcount
    found = _one(tx, questions.c.id == question)
    if found.answered_at is not None:
        raise ClosedError(
            Text("cette question a déjà sa réponse\u202f: la voici", "this question has its answer: here it is")
        )
    if done:
        _log(tx, found, by, at, withdrawn=True)
    return Kept(found, new=bool(done))


def get(tx: sa.Connection, question: str, person: str, *, at: dt.datetime) -> Question:
    """A question about a record that this person may see.

    Raises:
        UnknownQuestionError
    """
    row = tx.execute(sa.select(*_SHOWN).where(questions.c.id == question)).mappings().one_or_none()
    if row is None or access.level(tx, row["record_id"], person, at=at) is None:
        raise _unknown(question)
    return Question(**row)


def of(tx: sa.Connection, record: str) -> tuple[Question, ...]:
    """Every question about a record, in order."""
    chosen = sa.select(*_SHOWN).where(questions.c.record_id == record)
    found = tx.execute(chosen.order_by(questions.c.asked_at, questions.c.id)).mappings()
    return tuple(Question(**row) for row in found)


def waiting(tx: sa.Connection, person: str, *, at: dt.datetime, limit: int = 200) -> tuple[Question, ...]:
    """Open questions of others to this person, answers to theirs that they have not seen, and their own that wait;
    only about records they may see; oldest first."""
    return _some(tx, _theirs(person, at), sa.or_(_open(), _unread(person)), limit=limit)


def closed(
    tx: sa.Connection, person: str, *, at: dt.datetime, limit: int = 20, offset: int = 0
) -> tuple[Question, ...]:
    """Questions of this person or to them that are over, latest first; only about records they may see."""
    over = sa.not_(sa.or_(_open(), _unread(person)))
    last = sa.func.coalesce(questions.c.answered_at, questions.c.withdrawn_at).desc()
    return _some(tx, _theirs(person, at), over, limit=limit, offset=offset, order=last)


def count(tx: sa.Connection, person: str, *, at: dt.datetime) -> int:
    """How many questions wait for this person: to be answered, or their answer to be read."""
    todo = sa.or_(sa.and_(questions.c.asked_of == person, _open()), _unread(person))
    chosen = sa.select(sa.func.count()).select_from(questions.join(records.records))
    return tx.scalar(chosen.where(access.seen_by(person, at), todo)) or 0


def seen(tx: sa.Connection, shown: Collection[Question], person: str, *, at: dt.datetime) -> None:
    """Keep that questions, and the answers of those that are one's own, were shown to somebody."""
    ids = [each.id for each in shown]
    for whose, when, here in (
        (questions.c.asked_of, questions.c.seen_at, sa.true()),
        (questions.c.asked_by, questions.c.answer_seen_at, questions.c.answered_at.is_not(None)),
    ):
        fresh = sa.and_(questions.c.id.in_(ids), whose == person, when.is_(None), here)
        tx.execute(questions.update().where(fresh).values({when: at}))


def _some(
    tx: sa.Connection,
    *where: sa.ColumnElement[bool],
    limit: int,
    offset: int = 0,
    order: sa.ColumnElement[Any] = questions.c.asked_at,
) -> tuple[Question, ...]:
    chosen = sa.select(*_SHOWN).select_from(questions.join(records.records)).where(*where)
    rows = tx.execute(chosen.order_by(order, questions.c.id).limit(limit).offset(offset)).mappings()
    return tuple(Question(**row) for row in rows)


def _theirs(person: str, at: dt.datetime) -> sa.ColumnElement[bool]:
    mine = sa.or_(questions.c.asked_by == person, questions.c.asked_of == person)
    return sa.and_(mine, access.seen_by(person, at))


def _open() -> sa.ColumnElement[bool]:
    return sa.and_(questions.c.answered_at.is_(None), questions.c.withdrawn_at.is_(None))


def _unread(person: str) -> sa.ColumnElement[bool]:
    fresh = sa.and_(questions.c.answered_at.is_not(None), questions.c.answer_seen_at.is_(None))
    return sa.and_(questions.c.asked_by == person, fresh)


_SHOWN = [column for column in questions.c if column.name != "key"]


def _one(tx: sa.Connection, where: sa.ColumnElement[bool]) -> Question:
    return Question(**tx.execute(sa.select(*_SHOWN).where(where)).mappings().one())


def _unknown(question: str) -> UnknownQuestionError:
    return UnknownQuestionError(Text("question introuvable", "no such question"), question)


def _words(words: str, absent: Text) -> str:
    lines = [" ".join(line.split()) for line in words.replace("\0", " ").strip().splitlines()]
    words = "\n".join(line for i, line in enumerate(lines) if line or (i and lines[i - 1]))
    if not words:
        raise InputError(absent, "words")
    if len(words) > WORDS_MAX:
        raise InputError(Text(f"{WORDS_MAX} caractères au plus", f"at most {WORDS_MAX} characters"), "words")
    return words


def _tell(tx: sa.Connection, question: Question, person: str, what: str, lab: str, at: dt.datetime) -> None:
    """A message that there is something to read, never what; none when one was written lately for something that
    they have not looked at yet."""
    asked = sa.and_(questions.c.asked_of == person, _open(), questions.c.seen_at.is_(None))
    unseen = sa.and_(questions.c.id != question.id, sa.or_(asked, _unread(person)), access.seen_by(person, at))
    others = tx.scalars(sa.select(questions.c.id).select_from(questions.join(records.records)).where(unseen))
    keys = [f"question-{kind}:{each}" for each in others for kind in ("asked", "answered")]
    told = sa.select(outbox.outbox.c.id).where(
        outbox.outbox.c.person_id == person,
        outbox.outbox.c.key.in_(keys),
        outbox.outbox.c.state.in_([State.QUEUED.value, State.SENT.value]),
        outbox.outbox.c.queued_at > at - AGAIN,
    )
    if tx.execute(told.limit(1)).first() is None:
        key = f"question-{what}:{question.id}"
        outbox.add(tx, person, "lab.notice", {"link": lab + PAGE}, purpose=PURPOSE, at=at, key=key)


def _log(tx: sa.Connection, question: Question, by: str, at: dt.datetime, **said: Any) -> None:
    about = {"question": question.id, "assessment": question.assessment_id, **said}
    about["finding"] = question.finding.partition("#")[0].rpartition("/")[0]  # solution and code, nothing it says
    audit.append(tx, at=at, actor=by, action="question", subject=question.record_id, about=about)


def _export(tx: sa.Connection, person: str) -> Iterator[dict[str, Any]]:
    """All about their records; elsewhere what they wrote themself, and that they were asked."""
    mine = {record.id for record in belongings.about(tx, person)}
    concerned = sa.or_(
        questions.c.record_id.in_(mine), questions.c.asked_by == person, questions.c.asked_of == person
    )
    for row in privacy.rows(tx, questions, concerned):
        hidden = {"key"}
        if row["record_id"] not in mine:
            hidden.add("answer" if row["asked_by"] == person else "words")
        yield {name: value for name, value in row.items() if name not in hidden}


def _erase(tx: sa.Connection, person: str, at: dt.datetime) -> Iterator[privacy.Outcome]:
    """Runs when the records that are about the person are gone, and their questions with them."""
    mine = sa.and_(questions.c.asked_by == person, _open())
    tx.execute(questions.update().where(mine).values(withdrawn_at=at, key=None))
    known = sa.or_(questions.c.asked_by == person, questions.c.asked_of == person)
    kept = tx.scalar(sa.select(sa.func.count()).where(known)) or 0
    why = Text(
        "ce qui fut demandé et répondu fait partie du dossier d'autrui\u202f; sans nom désormais",
        "what was asked and answered is part of somebody else's record; without a name from now on",
    )
    yield privacy.Outcome(PART.title, erased=0, kept=kept, why=why if kept else NO_TEXT)


PART = privacy.Part(
    name="questions",
    title=Text("questions et réponses", "questions and answers"),
    tables=(questions,),
    export=_export,
    erase=_erase,
)
privacy.register(PART)
