"""Whose records are whose: what a person is given of them, and what becomes of them when the person is erased.

A record is about its ``subject_id``; when that is not known, about its owner, unless the owner is a professional
(their records are about patients).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from lab39.core.text import NO_TEXT, Text
from lab39.store import access, assessments, blobs, people, privacy, records
from lab39.store.access import Level, grants
from lab39.store.engine import Store
from lab39.store.people import Role
from lab39.store.records import StoredRecord

KEEPERS = frozenset({Role.PROFESSIONAL, Role.EXPERT})
"""Roles whose records are about other people."""


def about(tx: sa.Connection, person: str) -> tuple[StoredRecord, ...]:
    """The records that are about a person."""
    return tuple(r for r in _all(tx, person) if subject_of(tx, r) == person)


def _all(tx: sa.Connection, person: str) -> tuple[StoredRecord, ...]:
    table = records.records
    chosen = sa.select(table).where(sa.or_(table.c.owner_id == person, table.c.subject_id == person))
    return tuple(
        StoredRecord(**row) for row in tx.execute(chosen.order_by(table.c.created_at, table.c.id)).mappings()
    )


def subject_of(tx: sa.Connection, record: StoredRecord) -> str | None:
    """The person a record is about, as far as the lab knows them; ``None`` for a patient without an account."""
    if record.subject_id is not None:
        return record.subject_id
    return record.owner_id if KEEPERS.isdisjoint(people.get(tx, record.owner_id).roles) else None


def _export(tx: sa.Connection, person: str) -> Iterator[dict[str, Any]]:
    mine = {record.id for record in about(tx, person)}
    tables: tuple[tuple[sa.Table, sa.ColumnElement[bool]], ...] = (
        (records.records, records.records.c.id.in_([record.id for record in _all(tx, person)])),
        (records.versions, sa.or_(records.versions.c.record_id.in_(mine), records.versions.c.by == person)),
        (grants, sa.or_(grants.c.record_id.in_(mine), grants.c.person_id == person, grants.c.granted_by == person)),
        (
            assessments.assessments,
            sa.or_(assessments.assessments.c.record_id.in_(mine), assessments.assessments.c.by == person),
        ),
        (
            assessments.decisions,
            sa.or_(assessments.decisions.c.record_id.in_(mine), assessments.decisions.c.by == person),
        ),
    )
    for table, where in tables:
        for row in privacy.rows(tx, table, where):
            theirs = table is grants and row["record_id"] not in mine and row["granted_by"] != person
            hidden = ("document", "report", *(("purpose",) if theirs else ()))
            yield {"table": table.name} | {k: v for k, v in row.items() if k not in hidden}


def _files(store: Store, tx: sa.Connection, person: str) -> Iterator[tuple[str, bytes]]:
    """Documents and reports of the records about this person; those about others are theirs (GDPR, art. 15(4))."""
    for record in about(tx, person):
        folder = f"records/{record.pseudonym}"
        for head in records.history(tx, record.id):
            yield f"{folder}/v{head.number}.json", records.version(tx, record.id, head.number).document.encode()
        for done in assessments.of(tx, record.id, limit=1_000_000):
            yield f"{folder}/assessment-{done.id}.json", assessments.get(tx, done.id).report.encode()
        for use in blobs.of(tx, records.use(record.id)):
            yield f"{folder}/files/{use.sha256}", blobs.read(tx, store, use.sha256)


def _erase(tx: sa.Connection, person: str, at: dt.datetime) -> Iterator[privacy.Outcome]:
    erased = 0
    kept: dict[str, list[str]] = {"duty": [], "theirs": [], "passed": []}
    for record in _all(tx, person):
        mine = subject_of(tx, record) == person
        heir = None if mine else _heir(tx, record, at)
        if record.owner_id != person:
            _forget_subject(tx, record.id)
            kept["theirs"].append(record.pseudonym)
        elif record.retain_until is not None and record.retain_until > at:
            _forget_subject(tx, record.id)
            kept["duty"].append(record.pseudonym)
        elif heir is not None:
            records.hand_over(tx, record.id, heir)
            kept["passed"].append(record.pseudonym)
        else:
            records.delete(tx, record.id)
            erased += 1
    yield privacy.Outcome(PART.title, erased=erased)
    for why, names in kept.items():
        if names:
            yield privacy.Outcome(PART.title, erased=0, kept=len(names), why=_because(why, names))
    ended = grants.update().where(grants.c.person_id == person, grants.c.revoked_at.is_(None))
    count = tx.execute(ended.values(revoked_at=at, revoked_by=person)).rowcount
    yield privacy.Outcome(
        Text("accès aux dossiers d'autres personnes", "access to other people's records"),
        erased=0,
        kept=count,
        why=Text(
            "fin de l'accès\u202f; qui a pu voir un dossier reste traçable",
            "ended; who could see a record stays traceable",
        )
        if count
        else NO_TEXT,
    )


def _because(why: str, names: list[str]) -> Text:
    listed = ", ".join(names)
    return {
        "duty": Text(
            f"conservation imposée jusqu'à sa date (RGPD, art. 17.3)\u202f: {listed}",
            f"must be retained until its date (GDPR, art. 17(3)): {listed}",
        ),
        "theirs": Text(
            f"tenu par un autre, qui répond de sa garde\u202f; son lien à la personne est coupé\u202f: {listed}",
            f"kept by somebody else, who answers for its retention; its link to the person is cut: {listed}",
        ),
        "passed": Text(
            f"dossier d'autrui, transmis à la personne avec qui il était partagé\u202f: {listed}",
            f"about somebody else, passed on to the person it was shared with: {listed}",
        ),
    }[why]


def _heir(tx: sa.Connection, record: StoredRecord, at: dt.datetime) -> str | None:
    """Who had full access for longest, and is still there."""
    for given in access.of(tx, record.id):
        full = given.level is Level.SHARE and given.holds(at) and given.person_id != record.owner_id
        if full and people.get(tx, given.person_id).erased_at is None:
            return given.person_id
    return None


def _forget_subject(tx: sa.Connection, record: str) -> None:
    tx.execute(records.records.update().where(records.records.c.id == record).values(subject_id=None))


PART = privacy.Part(
    name="records",
    title=Text("dossiers, évaluations, décisions", "records, assessments, decisions"),
    tables=(records.records, records.versions, grants, assessments.assessments, assessments.decisions),
    export=_export,
    erase=_erase,
    files=_files,
    order=40,
)
privacy.register(PART)
