"""Sharing a record: on whose word, for how long, and that it ends at once."""

from __future__ import annotations

import datetime as dt

import pytest
from tests.store.houses import person, record

from lab39.core.errors import InputError
from lab39.store import Store, access, audit, consents, sharing
from lab39.store.access import AccessError, Basis, Level
from lab39.store.people import Role, UnknownPersonError
from lab39.store.privacy import erase_person
from lab39.store.records import UnknownRecordError


def share(store: Store, kept: str, who: str, *, by: str, level: Level = Level.READ, **terms: object):
    with store.writing() as tx:
        given = {"purpose": "advice", "basis": Basis.GIVEN} | terms
        return sharing.share(tx, kept, who, level, by=by, at=store.clock(), **given)  # type: ignore[arg-type]


def withdraw(store: Store, kept: str, who: str, *, by: str) -> int:
    with store.writing() as tx:
        return sharing.withdraw(tx, kept, who, by=by, at=store.clock())


def level(store: Store, kept: str, who: str) -> Level | None:
    with store.reading() as tx:
        return access.level(tx, kept, who, at=store.clock())


def told(store: Store, kept: str) -> list[tuple[str, dict[str, object]]]:
    with store.reading() as tx:
        return [(e.action, dict(e.about)) for e in reversed(audit.entries(tx, subject=kept))]


@pytest.fixture
def doctors(store: Store) -> tuple[str, str, str]:
    """Two doctors, and a record the first keeps about a patient without an account."""
    ana, ben = (person(store, name, given=[Role.PROFESSIONAL]).id for name in ("Dr Ana", "Dr Ben"))
    return ana, ben, record(store, ana)


def test_what_is_shared_says_why_until_when_and_on_whose_word_and_is_in_the_audit_log(store: Store, doctors):
    ana, ben, kept = doctors
    end = store.clock() + dt.timedelta(days=7)
    made = share(store, kept, ben, by=ana, until=end, purpose=" advice  on a dose ")
    assert made.new
    with store.reading() as tx:
        (given,) = access.of(tx, kept)
        assert access.viewers(tx, kept, at=store.clock()) == (ana, ben)
    assert given == made.grant
    assert (given.purpose, given.basis, given.until) == ("advice on a dose", Basis.GIVEN, end)
    (entry,) = told(store, kept)
    assert entry == (
        "share",
        {"person": ben, "given": True, "level": "read", "basis": "given", "until": end.isoformat()},
    )


def test_an_access_ends_at_its_date_and_at_once_when_it_is_withdrawn(store: Store, doctors, clock):
    ana, ben, kept = doctors
    share(store, kept, ben, by=ana, until=store.clock() + dt.timedelta(days=1))
    assert level(store, kept, ben) is Level.READ
    clock.forward(days=1)
    assert level(store, kept, ben) is None
    share(store, kept, ben, by=ana)
    assert withdraw(store, kept, ben, by=ana) == 1
    assert level(store, kept, ben) is None
    assert withdraw(store, kept, ben, by=ana) == 0
    assert [about["given"] for _, about in told(store, kept)] == [True, True, False], "the second click is no event"


def test_the_same_terms_again_are_one_access_and_other_terms_replace_it(store: Store, doctors):
    ana, ben, kept = doctors
    first = share(store, kept, ben, by=ana)
    again = share(store, kept, ben, by=ana)
    assert (again.new, again.grant) == (False, first.grant)
    assert share(store, kept, ben, by=ana, level=Level.WRITE).new
    assert level(store, kept, ben) is Level.WRITE
    with store.reading() as tx:
        held = [each for each in access.of(tx, kept) if each.holds(store.clock())]
    assert [each.level for each in held] == [Level.WRITE]
    assert share(store, kept, ben, by=ana).new, "less than before is a change too"
    assert level(store, kept, ben) is Level.READ


def test_a_patient_who_is_not_here_must_have_said_something(store: Store, doctors):
    ana, ben, kept = doctors
    for basis in (None, Basis.OWN):
        with pytest.raises(InputError, match="what the person concerned agreed to"):
            share(store, kept, ben, by=ana, basis=basis)
    assert share(store, kept, ben, by=ana, basis=Basis.TEAM).grant.basis is Basis.TEAM


@pytest.mark.parametrize("role", [Role.PATIENT, Role.STUDENT, Role.MODERATOR, Role.MANAGER])
def test_a_care_team_is_made_of_professionals(store: Store, doctors, role: Role):
    ana, _, kept = doctors
    other = person(store, "Cléo", given=[role]).id
    with pytest.raises(InputError, match="a care team is made of professionals"):
        share(store, kept, other, by=ana, basis=Basis.TEAM)
    assert share(store, kept, other, by=ana, basis=Basis.GIVEN).new


def test_ones_own_record_is_shared_on_ones_own_word(store: Store, doctors):
    ana, _, _ = doctors
    patient = person(store, "Élise", given=[Role.PATIENT]).id
    mine = record(store, patient)
    assert share(store, mine, ana, by=patient, basis=None).grant.basis is Basis.OWN


def test_the_person_it_is_about_may_be_shown_their_record_without_more(store: Store, doctors):
    ana, _, _ = doctors
    patient = person(store, "Élise", given=[Role.PATIENT]).id
    about_her = record(store, ana, subject=patient)
    assert share(store, about_her, patient, by=ana, basis=None).grant.basis is Basis.OWN


def test_a_consent_is_kept_with_the_person_who_gave_it_and_ends_what_rests_on_it(store: Store, doctors, clock):
    ana, ben, other = doctors
    patient = person(store, "Élise", given=[Role.PATIENT]).id
    about_her, cleo = record(store, ana, subject=patient), person(store, "Cléo", given=[Role.EXPERT]).id
    share(store, about_her, ben, by=ana)
    share(store, about_her, cleo, by=ana, basis=Basis.TEAM)
    share(store, other, ben, by=ana)
    with store.reading() as tx:
        (said,) = consents.history(tx, patient)
    assert (said.purpose, said.given, said.channel) == ("share", True, "professional")
    clock.forward(hours=1)
    with store.writing() as tx:
        assert sharing.consent_taken_back(tx, patient, at=store.clock()) == 1
        assert sharing.consent_taken_back(tx, patient, at=store.clock()) == 0
    assert level(store, about_her, ben) is None
    assert level(store, about_her, cleo) is Level.READ
    assert level(store, other, ben) is Level.READ, "somebody else's"
    assert told(store, about_her)[-1] == ("share", {"person": ben, "given": False, "ended": 1, "consent": False})


def test_whoever_was_let_in_shares_on_only_when_they_may_and_with_the_patient_s_word(store: Store, doctors):
    ana, ben, _ = doctors
    patient, cleo = person(store, "Élise", given=[Role.PATIENT]).id, person(store, "Cléo", given=[Role.EXPERT]).id
    mine = record(store, patient)
    share(store, mine, ana, by=patient)
    for who in (cleo, ben):
        with pytest.raises(AccessError):
            share(store, mine, who, by=ana)
    share(store, mine, ana, by=patient, level=Level.SHARE)
    with pytest.raises(InputError):
        share(store, mine, ben, by=ana, basis=None)
    assert share(store, mine, ben, by=ana).grant.basis is Basis.GIVEN
    with store.reading() as tx:
        assert consents.has_consent(tx, patient, "share", store.clock())
    assert withdraw(store, mine, ben, by=patient) == 1


def test_to_whom_it_cannot_be_shared(store: Store, doctors):
    ana, ben, kept = doctors
    share(store, kept, ben, by=ana, level=Level.SHARE)
    for who, by in ((ana, ana), (ana, ben), (ben, ben)):
        with pytest.raises(InputError, match="sees this record already"):
            share(store, kept, who, by=by)
    gone = person(store, "Gone", given=[Role.EXPERT]).id
    erase_person(store, gone)
    for who in (gone, "nobody"):
        with pytest.raises(UnknownPersonError):
            share(store, kept, who, by=ana)
    cleo = person(store, "Cléo", given=[Role.EXPERT]).id
    for words in ("", " \0 ", "x" * 601):
        with pytest.raises(InputError, match="what this access is for"):
            share(store, kept, cleo, by=ana, purpose=words)
    stranger = person(store, "Eve", given=[Role.PROFESSIONAL]).id
    with pytest.raises(UnknownRecordError):
        share(store, kept, stranger, by=stranger)


def test_an_access_is_given_up_by_whoever_has_it_and_by_nobody_without_the_right(store: Store, doctors):
    ana, ben, kept = doctors
    cleo = person(store, "Cléo", given=[Role.EXPERT]).id
    share(store, kept, ben, by=ana)
    share(store, kept, cleo, by=ana)
    with pytest.raises(AccessError):
        withdraw(store, kept, cleo, by=ben)
    assert withdraw(store, kept, ben, by=ben) == 1
    with pytest.raises(UnknownRecordError):
        withdraw(store, kept, ben, by=ben)


def test_who_opened_a_record_how_often_and_when_last(store: Store, doctors, clock):
    from lab39.store.audit import trail

    ana, ben, kept = doctors
    share(store, kept, ben, by=ana)
    for action in ("access", "export", "decision"):
        with store.writing() as tx:
            audit.append(tx, at=clock.forward(minutes=1), actor=ben, action=action, subject=kept)
    with store.reading() as tx:
        found = trail.opened(tx, kept)
        listed = trail.entries(tx, kept, trail.OPENED)
        older = trail.entries(tx, kept, trail.OPENED, before=listed[0].number)
    assert set(found) == {ben}
    assert (found[ben].times, found[ben].last) == (2, store.clock() - dt.timedelta(minutes=1))
    assert [e.action for e in listed] == ["export", "access"]
    assert [e.action for e in older] == ["access"]
