"""Questions to colleagues: they reach one person, once, as long as that person may see the record."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest
from tests.store.houses import furnished, person, record

from lab39.core.errors import InputError
from lab39.store import Store, access, assessments, audit, outbox, questions, records, sharing
from lab39.store.access import AccessError, Level
from lab39.store.archive import Reader
from lab39.store.people import Role
from lab39.store.privacy import erase_person, export_person
from lab39.store.questions import ClosedError, Kept, UnknownQuestionError
from lab39.store.records import UnknownRecordError

FINDING = "renal/slow/0123456789ab#fedcba987654"
LAB = "https://lab.example.org"


class Ward:
    """Ana keeps a record; Ben may read it; Cléo may not."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.ana, self.ben, self.cleo = (
            person(store, name, given=[Role.PROFESSIONAL]).id for name in ("Dr Ana", "Dr Ben", "Dr Cléo")
        )
        self.record = record(store, self.ana)
        with store.writing() as tx:
            access.grant(tx, self.record, self.ben, Level.READ, by=self.ana, at=store.clock())
        self.assessment = self.assess()

    def assess(self) -> str:
        with self.store.writing() as tx:
            at = self.store.clock()
            return assessments.add(tx, self.record, 1, on=at.date(), report="{}", by=self.ana, at=at).id

    def ask(self, words: str = "Which dose?", *, of: str = "", by: str = "", finding: str = FINDING) -> Kept:
        with self.store.writing() as tx:
            given = {"of": of or self.ben, "by": by or self.ana, "at": self.store.clock(), "lab": LAB}
            return questions.ask(tx, self.assessment, finding, words, **given)  # type: ignore[arg-type]

    def answer(self, question: str, words: str = "Half of it.", *, by: str = "") -> Kept:
        with self.store.writing() as tx:
            return questions.answer(tx, question, words, by=by or self.ben, at=self.store.clock(), lab=LAB)

    def withdraw(self, question: str, *, by: str = "") -> Kept:
        with self.store.writing() as tx:
            return questions.withdraw(tx, question, by=by or self.ana, at=self.store.clock())

    def counts(self) -> tuple[int, int]:
        """What waits for Ana, and for Ben."""
        with self.store.reading() as tx:
            at = self.store.clock()
            return questions.count(tx, self.ana, at=at), questions.count(tx, self.ben, at=at)

    def look(self, who: str) -> None:
        with self.store.writing() as tx:
            questions.seen(tx, questions.of(tx, self.record), who, at=self.store.clock())

    def messages(self, who: str) -> list[str]:
        with self.store.reading() as tx:
            return [each.key.partition(":")[0] for each in reversed(outbox.find(tx, person=who))]


@pytest.fixture
def ward(store: Store) -> Ward:
    return Ward(store)


def test_a_question_waits_for_the_one_who_is_asked_and_its_answer_for_the_one_who_asked(ward: Ward):
    asked = ward.ask().question
    assert ward.counts() == (0, 1)
    answered = ward.answer(asked.id)
    assert answered.question.answer == "Half of it."
    assert ward.counts() == (1, 0)
    ward.look(ward.ana)
    assert ward.counts() == (0, 0)
    with ward.store.reading() as tx:
        assert questions.waiting(tx, ward.ana, at=ward.store.clock()) == ()
        (kept,) = questions.closed(tx, ward.ben, at=ward.store.clock())
        assert questions.of(tx, ward.record) == (kept,)
    assert (kept.words, kept.answer, kept.open) == ("Which dose?", "Half of it.", False)


def test_the_same_question_sent_twice_is_one_and_other_words_are_another(ward: Ward):
    first, again = ward.ask(" Which  dose? "), ward.ask("Which dose?")
    assert (first.new, again.new, again.question) == (True, False, first.question)
    ward.assessment = ward.assess()
    assert not ward.ask().new, "a second tab that was opened later"
    assert ward.ask("When?").new
    assert ward.ask(finding=FINDING[:-1]).new
    ward.answer(first.question.id)
    assert not ward.ask().new, "sent again when the answer is there: it is shown, not asked twice"
    assert ward.messages(ward.ben) == ["question-asked"]


def test_two_tabs_that_ask_at_the_same_moment_ask_once(ward: Ward):
    made: list[Kept] = []
    start = threading.Barrier(4)

    def tab() -> None:
        start.wait()
        made.append(ward.ask())

    threads = [threading.Thread(target=tab) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(each.new for each in made) == [False, False, False, True]
    assert len({each.question.id for each in made}) == 1
    with ward.store.reading() as tx:
        assert [e.action for e in audit.entries(tx, subject=ward.record)].count("question") == 1


def test_an_answer_sent_twice_is_one_and_another_is_not_written_over_it(ward: Ward):
    asked = ward.ask().question.id
    assert ward.answer(asked).new
    assert not ward.answer(asked, "  Half  of it. ").new
    with pytest.raises(ClosedError, match="have answered this question already"):
        ward.answer(asked, "All of it.")
    with ward.store.reading() as tx:
        assert questions.get(tx, asked, ward.ana, at=ward.store.clock()).answer == "Half of it."
        assert [e.action for e in audit.entries(tx, subject=ward.record)].count("question") == 2


def test_a_question_is_withdrawn_before_its_answer_only_and_may_then_be_asked_again(ward: Ward):
    asked = ward.ask().question.id
    assert ward.withdraw(asked).new
    assert not ward.withdraw(asked).new
    assert ward.counts() == (0, 0)
    with pytest.raises(ClosedError, match="withdrawn meanwhile"):
        ward.answer(asked)
    again = ward.ask()
    assert again.new
    ward.answer(again.question.id)
    with pytest.raises(ClosedError, match="has its answer"):
        ward.withdraw(again.question.id)


def test_only_the_one_who_is_asked_answers_and_only_the_one_who_asked_withdraws(ward: Ward):
    asked = ward.ask().question.id
    for who in (ward.ana, ward.cleo):
        with pytest.raises(UnknownQuestionError):
            ward.answer(asked, by=who)
    for who in (ward.ben, ward.cleo):
        with pytest.raises(UnknownQuestionError):
            ward.withdraw(asked, by=who)
    with pytest.raises(UnknownQuestionError):
        ward.answer("0" * 32)


def test_who_may_ask_and_whom(ward: Ward):
    with pytest.raises(InputError, match="does not see this record"):
        ward.ask(of=ward.cleo)
    with pytest.raises(InputError, match="somebody else"):
        ward.ask(of=ward.ana)
    with pytest.raises(AccessError):
        ward.ask(of=ward.ana, by=ward.ben)
    with pytest.raises(UnknownRecordError):
        ward.ask(by=ward.cleo)
    for words in (" \n ", "\0", "x" * 1001):
        with pytest.raises(InputError):
            ward.ask(words)


def test_lines_are_kept_and_spaces_are_not(ward: Ward):
    assert ward.ask("  a   b \n\n\n c\0d ").question.words == "a b\n\nc d"


def test_when_the_access_ends_the_question_is_out_of_reach_and_comes_back_with_it(ward: Ward):
    asked = ward.ask().question.id
    with ward.store.writing() as tx:
        sharing.withdraw(tx, ward.record, ward.ben, by=ward.ana, at=ward.store.clock())
    assert ward.counts() == (0, 0)
    with ward.store.reading() as tx:
        assert questions.waiting(tx, ward.ben, at=ward.store.clock()) == ()
        assert [each.id for each in questions.waiting(tx, ward.ana, at=ward.store.clock())] == [asked]
    with pytest.raises(UnknownQuestionError):
        ward.answer(asked)
    with ward.store.writing() as tx:
        access.grant(tx, ward.record, ward.ben, Level.READ, by=ward.ana, at=ward.store.clock())
    assert ward.counts() == (0, 1)
    assert ward.answer(asked).new


def test_a_message_says_that_there_is_something_and_where_and_nothing_of_it(ward: Ward):
    asked = ward.ask("Zélie Marqueur, which dose?").question.id
    ward.answer(asked, "Half of it for Zélie.")
    with ward.store.reading() as tx:
        found = [*outbox.find(tx, person=ward.ben), *outbox.find(tx, person=ward.ana)]
    assert [(each.template, each.purpose) for each in found] == [("lab.notice", "mail")] * 2
    assert [each.parameters for each in found] == [{"link": f"{LAB}/questions"}] * 2


def test_one_message_stands_for_what_waits_unseen_until_it_is_looked_at_or_a_day_has_passed(ward: Ward, clock):
    ward.ask("one?")
    ward.ask("two?")
    assert ward.messages(ward.ben) == ["question-asked"]
    ward.look(ward.ben)
    ward.ask("three?")
    assert ward.messages(ward.ben) == ["question-asked"] * 2
    clock.forward(days=1)
    ward.ask("four?")
    assert ward.messages(ward.ben) == ["question-asked"] * 3


def test_what_somebody_can_no_longer_see_keeps_no_message_from_them(ward: Ward):
    ward.ask("one?")
    with ward.store.writing() as tx:
        sharing.withdraw(tx, ward.record, ward.ben, by=ward.ana, at=ward.store.clock())
    other = Ward.__new__(Ward)
    other.__dict__ |= ward.__dict__
    other.record = record(ward.store, ward.ana)
    with ward.store.writing() as tx:
        access.grant(tx, other.record, ward.ben, Level.READ, by=ward.ana, at=ward.store.clock())
    other.assessment = other.assess()
    other.ask("two?")
    assert ward.messages(ward.ben) == ["question-asked"] * 2


def test_nothing_that_was_written_is_in_the_audit_log(ward: Ward):
    ward.answer(ward.ask("Marqueur?").question.id, "secret")
    with ward.store.reading() as tx:
        entries = audit.entries(tx, subject=ward.record, action="question")
    assert [e.about["finding"] for e in entries] == ["renal/slow"] * 2
    assert not any(word in str(e.about) for e in entries for word in ("Marqueur", "secret", FINDING))


def test_a_deleted_record_takes_its_questions_along(ward: Ward):
    ward.ask()
    with ward.store.writing() as tx:
        records.delete(tx, ward.record)
        assert questions.of(tx, ward.record) == ()
    assert ward.counts() == (0, 0)


# Given to the person, or erased


def rows(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in Reader(path).read("data/questions.ndjson").splitlines()]


def test_a_person_is_given_all_that_was_asked_about_their_record(store: Store, tmp_path: Path):
    patient, pharmacist, _ = furnished(store)
    export_person(store, patient.id, tmp_path / "patient.zip")
    (row,) = rows(tmp_path / "patient.zip")
    assert (row["words"], row["answer"]) == ("prise avec le repas ?", "oui, le matin")
    export_person(store, pharmacist.id, tmp_path / "pharmacist.zip")
    (row,) = rows(tmp_path / "pharmacist.zip")
    assert row["words"] == "prise avec le repas ?", "their own words"
    assert "answer" not in row, "somebody else's words about somebody else"


def test_whoever_answered_about_somebody_else_s_record_is_given_their_own_words(ward: Ward, tmp_path: Path):
    ward.answer(ward.ask().question.id)
    export_person(ward.store, ward.ben, tmp_path / "ben.zip")
    (row,) = rows(tmp_path / "ben.zip")
    assert row["answer"] == "Half of it."
    assert "words" not in row


def test_what_an_access_to_somebody_else_s_record_is_for_is_theirs(ward: Ward, tmp_path: Path):
    with ward.store.writing() as tx:
        given = {"purpose": "advice on Zélie", "basis": access.Basis.GIVEN}
        sharing.share(tx, ward.record, ward.cleo, Level.READ, by=ward.ana, at=ward.store.clock(), **given)
    for who, shown in ((ward.cleo, False), (ward.ana, True)):
        export_person(ward.store, who, tmp_path / f"{who}.zip")
        whole = Reader(tmp_path / f"{who}.zip").read("data/records.ndjson").decode()
        assert ("Zélie" in whole) is shown


def test_erasing_a_patient_erases_what_was_asked_about_them(store: Store):
    patient, _, kept = furnished(store)
    erase_person(store, patient.id)
    with store.reading() as tx:
        assert questions.of(tx, kept) == ()


def test_erasing_a_colleague_leaves_the_record_s_history_and_ends_what_they_waited_for(ward: Ward):
    with ward.store.writing() as tx:
        access.grant(tx, ward.record, ward.cleo, Level.WRITE, by=ward.ana, at=ward.store.clock())
    answered = ward.ask().question.id
    ward.answer(answered)
    ward.ask("mine?", by=ward.cleo)
    assert ward.counts()[1] == 1
    for who in (ward.cleo, ward.ben):
        done = erase_person(ward.store, who)
        assert any(o.kept and o.what.en == "questions and answers" for o in done.outcomes)
    assert ward.counts()[1] == 0
    with ward.store.reading() as tx:
        kept = questions.of(tx, ward.record)
    assert {(each.words, each.answer, each.open) for each in kept} == {
        ("Which dose?", "Half of it.", False),
        ("mine?", None, False),
    }
