"""What several tests of the store put in it."""

from __future__ import annotations

from lab39.store import (
    Store,
    access,
    assessments,
    blobs,
    consents,
    credentials,
    people,
    questions,
    records,
    sessions,
)
from lab39.store.access import Level
from lab39.store.people import Person, Role

DOCUMENT = '{"resourceType": "Bundle", "entry": [], "weight": 7.10, "name": "Élise Durand"}\r\n'


def person(store: Store, name: str = "Ana", **given: object) -> Person:
    """Somebody, in a transaction of their own."""
    with store.writing() as tx:
        return people.add(tx, name=name, at=store.clock(), **given)  # type: ignore[arg-type]


def record(store: Store, owner: str, document: str = DOCUMENT, **given: object) -> str:
    """A record, in a transaction of its own."""
    with store.writing() as tx:
        return records.add(tx, document, owner=owner, at=store.clock(), **given).id  # type: ignore[arg-type]


def furnished(store: Store) -> tuple[Person, Person, str]:
    """A patient with one of everything, the pharmacist they share with, and the patient's record."""
    pharmacist = person(store, "Pharmacie des Lilas", email="officine@example.org", given=[Role.PROFESSIONAL])
    patient = person(store, "Élise Durand", email="elise@example.org", given=[Role.PATIENT])
    hashed = credentials.hash_password("une phrase assez longue")
    at = store.clock()
    kept = record(store, patient.id, title="ordonnance de mars")
    with store.writing() as tx:
        credentials.set_password(tx, patient.id, hashed, at=at)
        sessions.start(tx, patient.id, at=at)
        people.link_identity(tx, patient.id, "https://issuer.example", "sub-1", at=at)
        people.assert_profession(
            tx, pharmacist.id, system="rpps", number="10001234567", profession="21", by=people.SELF, at=at
        )
        consents.give(tx, patient.id, "mail", wording="2026-01", channel="web", at=at)
        access.grant(tx, kept, pharmacist.id, Level.SHARE, by=patient.id, at=at)
        done = assessments.add(tx, kept, 1, on=at.date(), report='{"findings": [1.50]}', by=pharmacist.id, at=at)
        assessments.decide(
            tx, done.id, "pharmacy/x", assessments.Action.DISMISSED, by=pharmacist.id, at=at, reason="déjà vu"
        )
        asked = questions.ask(
            tx, done.id, "pharmacy/x/-#1", "prise avec le repas ?", of=patient.id, by=pharmacist.id, at=at
        )
        questions.answer(tx, asked.question.id, "oui, le matin", by=patient.id, at=at)
        blobs.put(tx, store, b"a photo", used_by=records.use(kept), person=patient.id, at=at, name="elise.jpg")
        blobs.put(tx, store, b"a letter", used_by="letter:1", person=patient.id, at=at, name="lettre.pdf")
    return patient, pharmacist, kept
