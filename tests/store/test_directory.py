"""Finding a colleague: by name who practises here, by their whole address or number anybody else."""

from __future__ import annotations

import pytest
from tests.store.houses import person

from lab39.store import Store, directory, people
from lab39.store.people import Role
from lab39.store.privacy import erase_person

MAY = frozenset(Role) - {Role.VISITOR, Role.START_UP}


@pytest.fixture
def town(store: Store) -> dict[str, str]:
    """People of a lab, by name."""
    made = {}
    for name, role, email in (
        ("Dr Élodie Roux", Role.PROFESSIONAL, "elodie@example.org"),
        ("Luc Rouxel", Role.EXPERT, "luc@example.org"),
        ("Paul Roux", Role.PATIENT, "paul@example.org"),
        ("Roux et fils", Role.START_UP, "fils@example.org"),
    ):
        made[name] = person(store, name, email=email, given=[role]).id
    with store.writing() as tx:
        people.assert_profession(
            tx,
            made["Dr Élodie Roux"],
            system="rpps",
            number="10001234567",
            profession="10",
            by="psc",
            at=store.clock(),
        )
    return made


def names(store: Store, words: str, **more: object) -> list[str]:
    with store.reading() as tx:
        return [each.name for each in directory.search(tx, words, among=MAY, **more)]  # type: ignore[arg-type]


def test_who_practises_here_is_found_by_a_part_of_their_name(store: Store, town):
    assert names(store, "roux") == ["Dr Élodie Roux", "Luc Rouxel"]
    assert names(store, " ROUX  élod ") == ["Dr Élodie Roux"]
    assert names(store, "rouxe") == ["Luc Rouxel"]


@pytest.mark.parametrize("words", ["paul", "paul roux", "paul@", "example.org", "%", "r", "", "_oux"])
def test_a_patient_is_not_found_by_a_part_of_anything(store: Store, town, words: str):
    assert "Paul Roux" not in names(store, words)


def test_anybody_who_may_open_records_is_found_by_their_whole_address(store: Store, town):
    assert names(store, "PAUL@example.org ") == ["Paul Roux"]
    assert names(store, "fils@example.org") == [], "a start-up opens no record"


def test_a_professional_number_finds_its_holder_and_says_who_vouches_for_it(store: Store, town):
    assert names(store, "10001234567") == ["Dr Élodie Roux"]
    assert names(store, "1000123456") == []
    with store.reading() as tx:
        (found,) = directory.search(tx, "élodie", among=MAY)
    assert [(p.number, p.asserted_by) for p in found.professions] == [("10001234567", "psc")]
    assert "@" not in repr(found)


def test_who_is_there_already_and_who_was_erased_are_left_out(store: Store, town):
    assert names(store, "roux", but=[town["Luc Rouxel"]]) == ["Dr Élodie Roux"]
    assert names(store, "roux", limit=1) == ["Dr Élodie Roux"]
    erase_person(store, town["Dr Élodie Roux"])
    assert names(store, "roux") == ["Luc Rouxel"]
