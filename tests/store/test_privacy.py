"""Everything about one person: given, or erased."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest
import sqlalchemy as sa
from tests.store.houses import DOCUMENT, furnished, person, record

from lab39.store import (
    Store,
    StoreUnavailableError,
    access,
    audit,
    blobs,
    credentials,
    modules,
    people,
    privacy,
    records,
)
from lab39.store.access import Level
from lab39.store.archive import Reader
from lab39.store.people import Role, UnknownPersonError
from lab39.store.privacy import erase_person, export_person
from lab39.store.schema import metadata

TRACES = (b"lise Durand", b"elise@example.org", b"a letter", b"sub-1", b"ordonnance de mars")


@pytest.fixture(autouse=True)
def every_solution_loads(monkeypatch):
    monkeypatch.setattr("lab39.core.lab.entry_points", dict)


def test_every_table_belongs_to_a_part_or_holds_nothing_about_anybody():
    modules.load()
    owned = [table.name for part in privacy.parts() for table in part.tables]
    assert len(owned) == len(set(owned))
    assert set(metadata.tables) - set(owned) == set()


def test_an_export_holds_everything_to_the_byte_and_can_be_read_without_the_lab(store: Store, tmp_path: Path):
    patient, _, kept = furnished(store)
    done = export_person(store, patient.id, tmp_path / "elise.zip")
    archive = Reader(tmp_path / "elise.zip")
    with store.reading() as tx:
        pseudonym = records.get(tx, kept).pseudonym
    assert archive.read(f"records/{pseudonym}/v1.json").decode() == DOCUMENT
    assert {archive.read(name) for name in archive.files if name.startswith("files/")} >= {b"a photo", b"a letter"}
    assert any(archive.read(n) == b'{"findings": [1.50]}' for n in archive.files if "assessment-" in n)
    rows = {
        name: [json.loads(line) for line in archive.read(f"data/{name}.ndjson").splitlines()] for name in done.rows
    }
    assert {name: len(found) for name, found in rows.items()} == dict(done.rows)
    assert {row["table"] for row in rows["person"]} == {"people", "person_roles", "external_identities"}
    assert rows["consents"][0]["wording"] == "2026-01"
    assert "records/" in archive.read("README.md").decode()
    whole = b"".join(archive.read(name) for name in archive.files)
    for trace in TRACES:
        assert trace in whole, trace
    assert b"$argon2id" not in whole
    assert (tmp_path / "elise.zip").stat().st_mode & 0o777 == 0o600


def test_an_export_says_nothing_of_other_people(store: Store, tmp_path: Path):
    _, pharmacist, _ = furnished(store)
    record(store, pharmacist.id, '{"name": "Somebody Else"}')
    export_person(store, pharmacist.id, tmp_path / "one.zip")
    archive = Reader(tmp_path / "one.zip")
    whole = b"".join(archive.read(name) for name in archive.files)
    assert b"10001234567" in whole
    assert b"Somebody Else" not in whole
    for trace in TRACES[:2]:
        assert trace not in whole


def test_erasure_leaves_no_trace_in_the_database_or_on_the_disk(store: Store, tmp_path: Path):
    patient, _, kept = furnished(store)
    done = erase_person(store, patient.id)
    assert {o.what.en for o in done.outcomes if o.erased} >= {"files", "records, assessments, decisions"}
    with store.reading() as tx:
        gone = people.get(tx, patient.id)
        assert (gone.display_name, gone.email, gone.roles, gone.erased_at) == ("", None, set(), store.clock())
        for table in metadata.sorted_tables:
            assert not any(b in str(tx.execute(sa.select(table)).all()).encode() for b in TRACES), table.name
        with pytest.raises(records.UnknownRecordError):
            records.get(tx, kept)
    assert credentials.check_password(store, "elise@example.org", "une phrase assez longue") is None
    if store.dialect == "sqlite":
        store.close()
    for path in (tmp_path / "home").rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert not any(trace in content for trace in TRACES), path
    with pytest.raises(UnknownPersonError), store.writing() as tx:
        people.change(tx, patient.id, name="again")


def test_erasing_twice_finds_nothing_left_and_keeps_the_first_moment(store: Store, clock):
    patient, _, _ = furnished(store)
    first = erase_person(store, patient.id)
    clock.forward(days=1)
    again = erase_person(store, patient.id)
    assert again.at == first.at
    assert sum(outcome.erased for outcome in again.outcomes) == 0
    with pytest.raises(UnknownPersonError):
        erase_person(store, "nobody")


def test_an_export_and_an_erasure_are_in_the_audit_log_once_each(store: Store, tmp_path: Path):
    patient, pharmacist, _ = furnished(store)
    export_person(store, patient.id, tmp_path / "x.zip", by=pharmacist.id)
    for _ in range(2):
        erase_person(store, patient.id, by=pharmacist.id)
    with store.reading() as tx:
        done = [(e.action, e.actor, e.subject) for e in audit.entries(tx)]
    assert done.count(("erase", pharmacist.id, patient.id)) == 1
    assert ("export", pharmacist.id, patient.id) not in done, "what was said of the person went with them"


def test_the_address_of_an_erased_person_is_free_again(store: Store):
    patient, _, _ = furnished(store)
    erase_person(store, patient.id)
    assert person(store, "Élise", email="elise@example.org").id != patient.id


def kept_because(done: privacy.Erasure) -> str:
    return " ".join(outcome.why.en for outcome in done.outcomes if outcome.kept)


def test_a_record_that_must_be_retained_stays_until_its_day_and_loses_its_link(store: Store, clock):
    patient = person(store, "Ana", given=[Role.PATIENT])
    kept = record(store, patient.id, subject=patient.id, retain_until=clock.forward(days=30))
    clock.forward(days=-20)
    assert "must be retained" in kept_because(erase_person(store, patient.id))
    with store.reading() as tx:
        assert records.get(tx, kept).subject_id is None
        assert records.version(tx, kept).document == DOCUMENT


def test_a_record_that_a_professional_keeps_stays_theirs(store: Store):
    patient, doctor = person(store, "Ana"), person(store, "Dr", given=[Role.PROFESSIONAL])
    kept = record(store, doctor.id, subject=patient.id)
    assert "answers for its retention" in kept_because(erase_person(store, patient.id))
    with store.reading() as tx:
        assert records.get(tx, kept).subject_id is None
        assert [v.record.id for v in access.visible_to(tx, doctor.id, at=store.clock())] == [kept]


def test_records_of_patients_pass_to_the_colleague_they_were_shared_with(store: Store):
    doctor, colleague = (person(store, name, given=[Role.PROFESSIONAL]) for name in ("Dr A", "Dr B"))
    shared, alone = record(store, doctor.id), record(store, doctor.id)
    with store.writing() as tx:
        access.grant(tx, shared, colleague.id, Level.SHARE, by=doctor.id, at=store.clock())
    assert "passed on" in kept_because(erase_person(store, doctor.id))
    with store.reading() as tx:
        assert records.get(tx, shared).owner_id == colleague.id
        with pytest.raises(records.UnknownRecordError):
            records.get(tx, alone)


def test_a_patient_s_own_record_is_erased_however_widely_it_was_shared(store: Store):
    patient, _, kept = furnished(store)  # shared with a pharmacist at the highest level
    erase_person(store, patient.id)
    with store.reading() as tx, pytest.raises(records.UnknownRecordError):
        records.get(tx, kept)


def test_a_failure_half_way_erases_nothing(store: Store, monkeypatch):
    patient, _, kept = furnished(store)

    def fail(*_: object) -> list[privacy.Outcome]:
        raise ZeroDivisionError

    whole = privacy.parts()
    broken = privacy.Part(name="late", title=whole[0].title, tables=(), export=lambda *_: [], erase=fail, order=99)
    monkeypatch.setitem(privacy._parts, "late", broken)
    with pytest.raises(ZeroDivisionError):
        erase_person(store, patient.id)
    with store.reading() as tx:
        assert people.get(tx, patient.id) == patient
        assert records.version(tx, kept).document == DOCUMENT
        assert {c.problem.en for c in blobs.verify(store)} == {""}


def test_a_solution_that_does_not_load_is_told_and_never_left_out_in_silence(store: Store, tmp_path, monkeypatch):
    class Point:
        def load(self) -> None:
            raise ImportError("on purpose")

    monkeypatch.setattr("lab39.core.lab.entry_points", lambda: {"broken": Point()})
    patient, _, _ = furnished(store)
    told = {"broken": "ImportError: on purpose"}
    assert export_person(store, patient.id, tmp_path / "x.zip").missing == told
    assert json.loads(zipfile.ZipFile(tmp_path / "x.zip").read("manifest.json"))["missing"] == told
    assert erase_person(store, patient.id).missing == told


def test_an_export_that_cannot_be_written_leaves_no_file(store: Store, tmp_path: Path):
    patient, _, _ = furnished(store)
    for path in store.blobs.rglob("*"):
        if path.is_file():
            path.unlink()
    with pytest.raises(blobs.BlobError):
        export_person(store, patient.id, tmp_path / "out" / "x.zip")
    assert list((tmp_path / "out").iterdir()) == []
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreUnavailableError):
        export_person(store, patient.id, tmp_path / "file" / "x.zip")
