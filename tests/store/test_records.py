"""Records, their versions, who may see them, what was found and decided."""

from __future__ import annotations

import datetime as dt
import hashlib

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.store.houses import DOCUMENT, furnished, person, record

from lab39.core.errors import InputError
from lab39.store import Store, access, assessments, records
from lab39.store.access import AccessError, Level
from lab39.store.assessments import Action, UnknownAssessmentError
from lab39.store.records import DamagedError, StaleVersionError, UnknownRecordError


def test_a_document_comes_back_to_the_byte(store: Store):
    kept = record(store, person(store).id)
    with store.reading() as tx:
        got = records.version(tx, kept)
    assert got.document == DOCUMENT
    assert got.sha256 == hashlib.sha256(DOCUMENT.encode()).hexdigest()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40)
@given(st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=300))
def test_any_text_comes_back_to_the_byte(store: Store, text: str):
    kept = record(store, person(store).id, text)
    with store.reading() as tx:
        assert records.version(tx, kept).document == text


@pytest.mark.parametrize("document", ["a\0b", "a\ud800b"])
def test_what_cannot_be_kept_exactly_is_refused_and_nothing_is_written(store: Store, document: str):
    ana = person(store).id
    with pytest.raises(InputError):
        record(store, ana, document)
    with store.reading() as tx:
        assert access.visible_to(tx, ana, at=store.clock()) == ()


def test_a_second_tab_does_not_overwrite_the_first(store: Store, clock):
    ana = person(store).id
    kept = record(store, ana)
    with store.writing() as tx:
        records.add_version(tx, kept, "first tab", expected=1, by=ana, at=clock.forward(minutes=1))
    with pytest.raises(StaleVersionError, match="version 2"), store.writing() as tx:
        records.add_version(tx, kept, "second tab", expected=1, by=ana, at=clock.forward(minutes=1))
    with store.reading() as tx:
        assert records.version(tx, kept).document == "first tab"
        assert records.version(tx, kept, 1).document == DOCUMENT
        assert [head.number for head in records.history(tx, kept)] == [2, 1]
    with pytest.raises(UnknownRecordError), store.writing() as tx:
        records.add_version(tx, "nothing", "x", expected=1, by=ana, at=clock())


def test_a_document_changed_behind_the_lab_is_not_given_out(store: Store):
    kept = record(store, person(store).id)
    with store.writing() as tx:
        tx.execute(records.versions.update().values(document="changed"))
    with store.reading() as tx, pytest.raises(DamagedError):
        records.version(tx, kept)


def test_lists_show_a_pseudonym_that_is_unique_and_says_nothing(store: Store, monkeypatch):
    ana = person(store).id
    monkeypatch.setattr(records.secrets, "randbelow", lambda _, draws=iter([7, 7, 7, 7, 8]): next(draws))
    monkeypatch.setattr(records.secrets, "choice", lambda words: words[0])
    for _ in range(2):
        record(store, ana)
    with store.reading() as tx:
        names = {v.record.pseudonym for v in access.visible_to(tx, ana, at=store.clock())}
    assert names == {"Acacia 0007", "Acacia 000008"}


def test_only_the_owner_sees_a_record_until_access_is_given_and_again_when_it_ends(store: Store, clock):
    ana, bob = person(store, "Ana").id, person(store, "Bob").id
    kept = record(store, ana)

    def seen() -> list[Level]:
        with store.reading() as tx:
            return [v.level for v in access.visible_to(tx, bob, at=clock())]

    assert seen() == []
    with store.writing() as tx:
        access.grant(tx, kept, bob, Level.READ, by=ana, at=clock(), until=clock() + dt.timedelta(days=2))
        access.grant(tx, kept, bob, Level.WRITE, by=ana, at=clock(), until=clock() + dt.timedelta(days=1))
        access.grant(tx, kept, bob, Level.READ, by=ana, at=clock(), until=clock() + dt.timedelta(days=1))
    assert seen() == [Level.WRITE]
    clock.forward(days=1)
    assert seen() == [Level.READ]
    clock.forward(days=1)
    assert seen() == []
    with store.writing() as tx:
        access.grant(tx, kept, bob, Level.SHARE, by=ana, at=clock())
    assert seen() == [Level.SHARE]
    with store.writing() as tx:
        assert access.revoke(tx, kept, bob, by=ana, at=clock.forward(hours=1)) == 1
        assert access.revoke(tx, kept, bob, by=ana, at=clock.forward(hours=1)) == 0
    assert seen() == []
    with store.reading() as tx:
        ended = access.of(tx, kept)
    assert [g.holds(clock()) for g in ended] == [False] * 4, "kept, and told as ended"
    assert ended[-1].revoked_by == ana


def test_each_level_allows_what_it_says_and_a_stranger_is_told_nothing_is_there(store: Store, clock):
    ana, bob, eve = (person(store, name).id for name in ("Ana", "Bob", "Eve"))
    kept = record(store, ana)
    for level in Level:
        with store.writing() as tx:
            access.grant(tx, kept, bob, level, by=ana, at=clock())
            for needed in Level:
                if needed.rank <= level.rank:
                    assert access.require(tx, kept, bob, needed, at=clock()).id == kept
                else:
                    with pytest.raises(AccessError):
                        access.require(tx, kept, bob, needed, at=clock())
    with store.writing() as tx:
        access.revoke(tx, kept, bob, by=bob, at=clock.forward(hours=1))  # anyone gives up their own
        access.grant(tx, kept, bob, Level.WRITE, by=ana, at=clock())
        for who, error in ((bob, AccessError), (eve, UnknownRecordError)):
            with pytest.raises(error):
                access.grant(tx, kept, eve, Level.READ, by=who, at=clock())
            with pytest.raises(error):
                access.revoke(tx, kept, ana, by=who, at=clock())
        told = [str(e.value) for e in (_raised(tx, kept, eve, clock()), _raised(tx, "0" * 32, eve, clock()))]
        with pytest.raises(InputError):
            access.grant(tx, kept, eve, Level.READ, by=ana, at=clock(), until=clock())
    assert told[0].replace(kept, "") == told[1].replace("0" * 32, "")


def _raised(tx, kept, who, at):
    with pytest.raises(UnknownRecordError) as told:
        access.require(tx, kept, who, Level.READ, at=at)
    return told


def test_the_list_shows_the_latest_change_first_and_narrows_by_words(store: Store, clock):
    ana = person(store).id
    kept = []
    for title in ("Été 2026", "suivi", "renouvellement"):
        clock.forward(minutes=1)
        kept.append(record(store, ana, title=title))
    with store.writing() as tx:
        records.add_version(tx, kept[0], "{}", expected=1, by=ana, at=clock.forward(minutes=1))
        everything = access.visible_to(tx, ana, at=clock())
        assert [v.record.title for v in everything] == ["Été 2026", "renouvellement", "suivi"]
        assert [v.record.title for v in access.visible_to(tx, ana, at=clock(), words="éTÉ")] == ["Été 2026"]
        assert [v.record.title for v in access.visible_to(tx, ana, at=clock(), limit=1, offset=2)] == ["suivi"]


def test_assessments_and_decisions_are_kept_in_order_as_they_were_shown(store: Store, clock):
    _, pharmacist, kept = furnished(store)
    with store.writing() as tx:
        later = assessments.add(
            tx, kept, 1, on=clock().date(), report='{"x": 2.50}', by=pharmacist.id, at=clock.forward(hours=1)
        )
        assessments.decide(tx, later.id, "pharmacy/x", Action.DONE, by=pharmacist.id, at=clock())
        with pytest.raises(InputError):
            assessments.decide(
                tx, later.id, "pharmacy/x", Action.DISMISSED, by=pharmacist.id, at=clock(), reason=" "
            )
        with pytest.raises(UnknownAssessmentError):
            assessments.decide(tx, "nothing", "x", Action.DONE, by=pharmacist.id, at=clock())
    with store.reading() as tx:
        assert assessments.of(tx, kept)[0].at == later.at
        assert assessments.get(tx, later.id).report == '{"x": 2.50}'
        decided = assessments.decisions_of(tx, kept)
        assert [(d.action, d.reason) for d in decided] == [(Action.DISMISSED, "déjà vu"), (Action.DONE, "")]
    with pytest.raises(sa.exc.IntegrityError), store.writing() as tx:  # no assessment of a version there is not
        assessments.add(tx, kept, 9, on=clock().date(), report="{}", by=pharmacist.id, at=clock())


def test_deleting_a_record_leaves_nothing_of_it(store: Store):
    _, _, kept = furnished(store)
    with store.writing() as tx:
        records.delete(tx, kept)
    with store.reading() as tx:
        for table in (
            records.records,
            records.versions,
            access.grants,
            assessments.assessments,
            assessments.decisions,
        ):
            assert tx.execute(sa.select(table)).all() == []
