"""People, roles, identities."""

from __future__ import annotations

import threading

import pytest
from tests.store.houses import person

from lab39.core.errors import InputError
from lab39.store import Store, people, privacy
from lab39.store.people import Role, TakenError, UnknownPersonError


def test_a_person_is_found_by_id_by_address_in_any_case_and_by_what_signs_them_in(store: Store):
    ana = person(store, "  Ana   Roux ", email=" Ana@Example.org ", given=[Role.STUDENT, Role.STUDENT])
    with store.writing() as tx:
        people.link_identity(tx, ana.id, "https://issuer", "s1", at=store.clock())
        people.link_identity(tx, ana.id, "https://issuer", "s1", at=store.clock())
    with store.reading() as tx:
        assert people.get(tx, ana.id) == ana
        assert people.find(tx, "ANA@example.ORG") == ana
        assert people.by_identity(tx, "https://issuer", "s1") == ana
        assert people.by_identity(tx, "https://other", "s1") is None
        assert [i.subject for i in people.identities_of(tx, ana.id)] == ["s1"]
    assert (ana.display_name, ana.email, ana.roles) == ("Ana Roux", "ana@example.org", {Role.STUDENT})
    assert ana.created_at == store.clock()


def test_an_address_and_an_account_elsewhere_belong_to_one_person(store: Store):
    ana, bob = person(store, "Ana", email="a@example.org"), person(store, "Bob", email="b@example.org")
    with store.writing() as tx:
        people.link_identity(tx, ana.id, "https://issuer", "s1", at=store.clock())
    with pytest.raises(TakenError) as told:
        person(store, "Eve", email="A@example.org")
    assert "a@example.org" not in str(told.value).lower()
    with store.writing() as tx:
        with pytest.raises(TakenError):
            people.change(tx, bob.id, email="a@example.org")
        with pytest.raises(TakenError):
            people.link_identity(tx, bob.id, "https://issuer", "s1", at=store.clock())
        people.change(tx, bob.id, name="Robert")  # the transaction goes on after a refusal
    with store.reading() as tx:
        assert people.get(tx, bob.id).display_name == "Robert"


@pytest.mark.parametrize("email", ["", "x", "@example.org", "a b@example.org", "a@b", "a" * 250 + "@b.fr"])
def test_what_is_not_an_address_is_refused(store: Store, email: str):
    with pytest.raises(InputError):
        person(store, "Ana", email=email)


def test_people_without_an_address_do_not_disturb_each_other(store: Store):
    assert person(store).email is person(store).email is None


def test_the_last_manager_keeps_the_role(store: Store):
    ana, bob = person(store, given=[Role.MANAGER]), person(store)
    with store.writing() as tx:
        with pytest.raises(InputError):
            people.take_role(tx, ana.id, Role.MANAGER)
        people.give_role(tx, bob.id, Role.MANAGER, at=store.clock(), by=ana.id)
        people.give_role(tx, bob.id, Role.MANAGER, at=store.clock(), by=ana.id)
        people.take_role(tx, ana.id, Role.MANAGER)
    with store.reading() as tx:
        assert people.get(tx, ana.id).roles == frozenset()
        assert people.get(tx, bob.id).roles == {Role.MANAGER}


def test_a_professional_identity_says_who_vouches_for_it(store: Store, clock):
    ana = person(store)
    with store.writing() as tx:
        said = {"system": "rpps", "number": "10001234567", "profession": "21"}
        people.assert_profession(tx, ana.id, **said, by=people.SELF, at=clock())
        people.assert_profession(
            tx, ana.id, **said | {"profession": "10"}, by=people.SELF, at=clock.forward(days=1)
        )
        people.assert_profession(tx, ana.id, **said, by="https://psc", at=clock.forward(days=1))
        for wrong in (
            {"number": "123"},
            {"number": "1000123456X"},
            {"number": "１０００１２３４５６７"},
            {"system": "x"},
        ):
            with pytest.raises(InputError):
                people.assert_profession(tx, ana.id, **said | wrong, by=people.SELF, at=clock())
        known = people.professions_of(tx, ana.id)
    assert [(p.asserted_by, p.profession) for p in known] == [("https://psc", "21"), ("self", "10")]


def test_everyone_lists_the_newest_first_and_finds_accents_and_wildcards_as_written(store: Store, clock):
    for name in ("Élise", "100 %", "Zoé"):
        clock.forward(minutes=1)
        person(store, name)
    with store.reading() as tx:
        assert [p.display_name for p in people.everyone(tx)] == ["Zoé", "100 %", "Élise"]
        assert [p.display_name for p in people.everyone(tx, words="éLI")] == ["Élise"]
        assert [p.display_name for p in people.everyone(tx, words="%")] == ["100 %"]
        assert [p.display_name for p in people.everyone(tx, limit=1, offset=1)] == ["100 %"]


def test_nobody_is_told_as_nobody(store: Store):
    with store.reading() as tx, pytest.raises(UnknownPersonError):
        people.get(tx, "nobody")


def test_of_two_managers_who_are_erased_at_the_same_moment_one_stays(store: Store, second_store: Store):
    ana, bob = (person(store, name, given=[Role.MANAGER]) for name in ("Ana", "Bob"))
    person(store, "Eve")
    together, outcomes = threading.Barrier(2), []

    def erase(through: Store, who: str) -> None:
        together.wait()
        try:
            privacy.erase_person(through, who, unless=lambda tx: people.keep_a_manager(tx, who, alone=True))
            outcomes.append("erased")
        except InputError:
            outcomes.append("stays")

    threads = [threading.Thread(target=erase, args=each) for each in ((store, ana.id), (second_store, bob.id))]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert sorted(outcomes) == ["erased", "stays"]


def test_the_last_manager_may_go_when_nobody_else_is_there(store: Store):
    ana = person(store, "Ana", given=[Role.MANAGER])
    with store.writing() as tx:
        people.keep_a_manager(tx, ana.id, alone=True)
    person(store, "Eve")
    with store.writing() as tx, pytest.raises(InputError, match="last manager"):
        people.keep_a_manager(tx, ana.id, alone=True)
