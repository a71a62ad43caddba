"""What cannot be read whole is refused: the message names the place and what to do; nothing is half read."""

from __future__ import annotations

import json
import os
import tracemalloc
from pathlib import Path

import pytest
from tests.fhir.bad_inputs import BAD, PATIENT, bundle

from lab39 import fhir
from lab39.core.errors import InputError
from lab39.fhir import Failed, outputs
from lab39.settings import Settings


@pytest.mark.parametrize("name", BAD)
def test_it_is_refused_with_its_place_in_both_languages(name, tmp_path):
    bad = BAD[name]
    path = tmp_path / bad.file
    bad.write(path)
    found = list(fhir.iter_records([path]))
    assert found
    assert all(isinstance(item, Failed) for item in found)
    error = found[0].error
    assert isinstance(error, InputError)
    assert bad.file in error.place
    for words in bad.says:
        assert words in error.say("en")
    assert error.text.fr != error.text.en


@pytest.mark.parametrize("name", BAD)
def test_the_refusal_is_a_valid_operation_outcome_that_names_the_place(name, tmp_path):
    bad = BAD[name]
    bad.write(tmp_path / bad.file)
    with pytest.raises(InputError) as refused:
        fhir.load(tmp_path / bad.file)
    outcome = outputs.error_outcome(refused.value, "fr")
    outputs.validate(outcome)
    (row,) = outcome["issue"]
    assert (row["severity"], row["code"]) == ("error", "invalid")
    assert bad.file in row["details"]["text"]


@pytest.mark.parametrize(
    ("text", "line", "key"),
    [
        ('{"a": {"b": 1},\n"b": 2,\n"c": 1,\n"c": 2}', 4, "c"),
        ('{"a": 1,\n"b": "b",\n"\\u0062": [{"b": 1}]}', 3, "b"),
        ('[{"a": "}"},\n{"a": ["a", "a"],\n\n"d": 1, "d": 2}]', 4, "d"),
    ],
)
def test_a_key_given_twice_is_named_with_its_line(text, line, key):
    with pytest.raises(InputError, match=f"line {line}: the key “{key}”"):
        fhir.loads(text)


def test_a_200_mb_file_is_refused_without_being_read(tmp_path):
    BAD["200 MB"].write(tmp_path / "big.json")
    tracemalloc.start()
    list(fhir.iter_records([tmp_path / "big.json"]))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1_000_000


@pytest.mark.parametrize("name", ["a bomb in a zip", "a bomb in a gz", "a bomb of lines", "200 MB in one line"])
def test_what_is_packed_or_in_lines_is_read_no_further_than_the_limit(name, tmp_path):
    path = tmp_path / BAD[name].file
    BAD[name].write(path)
    tracemalloc.start()
    list(fhir.iter_records([path], Settings(max_bytes=1_000_000)))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 10_000_000


def test_a_broken_line_is_named_and_the_others_are_read(tmp_path):
    path = tmp_path / "many.ndjson"
    rows = [json.dumps(PATIENT), '{"resourceType": "Pat', "", json.dumps(PATIENT | {"id": "p4"})]
    path.write_text("\n".join(rows))
    first, broken, last = fhir.iter_records([path])
    assert (first.id, last.id) == ("p1", "p4")
    assert broken.source == f"{path}:2"
    assert last.source == f"{path}:4"
    with pytest.raises(InputError, match=r"many\.ndjson:2"):
        fhir.load(path)


def test_two_records_are_not_one(tmp_path):
    (tmp_path / "two.ndjson").write_text(json.dumps(PATIENT) + "\n" + json.dumps(PATIENT))
    with pytest.raises(InputError, match="2 records, one is expected"):
        fhir.load(tmp_path / "two.ndjson")


def test_a_folder_gives_every_file_in_order_good_and_bad(tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "b.json").write_text(json.dumps(PATIENT | {"id": "b"}))
    (tmp_path / "a.json").write_text("{")
    (tmp_path / "sub" / "c.jsonl").write_text(json.dumps(PATIENT | {"id": "c"}))
    (tmp_path / "notes.txt").write_text("not for us")
    bad, b, c = fhir.iter_records([tmp_path])
    assert isinstance(bad, Failed)
    assert (b.id, c.id) == ("b", "c")


def test_a_name_that_is_no_text_is_shown_as_far_as_it_is(tmp_path):
    (tmp_path / os.fsdecode(b"caf\xe9.json")).write_text("{")
    (failed,) = fhir.iter_records([tmp_path])
    assert "caf\ufffd.json" in failed.error.say("fr")
    failed.error.say("fr").encode()


def test_a_pipe_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.json")
    (failed,) = fhir.iter_records([tmp_path / "pipe.json"])
    assert "neither a file nor a folder" in failed.error.say("en")


def test_a_file_that_may_not_be_read_is_named(tmp_path, monkeypatch):
    (tmp_path / "mine.json").write_text("{}")

    def refused(*_args, **_kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refused)
    (failed,) = fhir.iter_records([tmp_path / "mine.json"])
    assert failed.error.say("en").endswith("mine.json: cannot be read: Permission denied")


def test_a_folder_that_may_not_be_entered_is_named_and_the_others_are_read(tmp_path, monkeypatch):
    (tmp_path / "closed").mkdir()
    (tmp_path / "a.json").write_text(json.dumps(PATIENT))
    scandir = os.scandir

    def guarded(path):
        if str(path).endswith("closed"):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", guarded)
    failed, read = fhir.iter_records([tmp_path])
    assert failed.error.say("en") == f"{tmp_path}/closed: cannot be read: Permission denied"
    assert read.id == "p1"


# -- what is doubtful and still read ------------------------------------------------------------------


def test_a_byte_order_mark_is_no_obstacle(tmp_path):
    (tmp_path / "bom.json").write_bytes(b"\xef\xbb\xbf" + json.dumps(PATIENT).encode())
    assert fhir.load(tmp_path / "bom.json").id == "p1"
    assert fhir.record("\ufeff" + json.dumps(PATIENT)).id == "p1"


@pytest.mark.parametrize(
    ("document", "place", "said"),
    [
        (PATIENT | {"birthDate": "2020-13-01"}, "Patient.birthDate", "“2020-13-01” is not a FHIR date"),
        ({"resourceType": "Patient", "id": "p1"}, "Patient.birthDate", "no birth date"),
        (
            bundle(PATIENT, {"resourceType": "Condition", "code": {"coding": [{"system": "urn:x", "code": "1"}]}}),
            "Bundle.entry[1].resource.code.coding[0].system",
            "unknown code system “urn:x”",
        ),
        (
            {"id": "k", "subject": {"id": "p1", "dateOfBirth": "2020-13-01T00:00:00Z"}},
            "subject.birthDate",
            "2020-13",
        ),
        ({"id": "k", "metaData": {}, "phenotypicFeatures": []}, "phenotypicFeatures", "without any feature"),
        ({"id": "k", "metaData": {}}, "phenotypicFeatures", "without any feature"),
        ({"id": "k", "metaData": {}, "phenotypicfeatures": []}, "phenotypicfeatures", "no field of phenopackets"),
    ],
)
def test_a_doubt_is_told_with_its_place_and_the_rest_is_read(document, place, said):
    read = fhir.record(document)
    doubts = {issue.place: issue.text.en for issue in read.issues}
    assert said in doubts[place]
    outputs.validate(outputs.operation_outcome(read.issues))


def test_a_month_of_birth_is_no_doubt_at_all():
    read = fhir.record(PATIENT | {"birthDate": "2020-02"})
    assert read.birth_date.precision == "month"
    assert read.birth_date.exact is None
    assert read.issues == ()


def test_a_real_archive_is_read(tmp_path):
    import gzip
    import zipfile

    (tmp_path / "a.json.gz").write_bytes(gzip.compress(json.dumps(PATIENT | {"id": "a"}).encode()))
    with zipfile.ZipFile(tmp_path / "b.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("in/b.json", json.dumps(PATIENT | {"id": "b"}))
        archive.writestr("c.ndjson", json.dumps(PATIENT | {"id": "c"}) + "\n{\n")
    a, b, c, broken = fhir.iter_records([tmp_path])
    assert [r.id for r in (a, b, c)] == ["a", "b", "c"]
    assert broken.source.endswith("b.zip › c.ndjson:2")


def test_a_packed_file_in_an_archive_is_read(tmp_path):
    import gzip
    import zipfile

    with zipfile.ZipFile(tmp_path / "b.zip", "w") as archive:
        archive.writestr("folder.json/", "")
        archive.writestr("b.json.gz", gzip.compress(json.dumps(PATIENT | {"id": "b"}).encode()))
        archive.writestr("c.ndjson.gz", gzip.compress(json.dumps(PATIENT | {"id": "c"}).encode()))
    assert [r.id for r in fhir.iter_records([tmp_path / "b.zip"])] == ["b", "c"]


def test_as_many_values_as_the_limit_are_read_and_one_more_is_not():
    document = '{"resourceType": "Patient", "id": "p", "x": [1, [], {}]}'
    assert fhir.record(document, settings=Settings(max_values=8)).id == "p"
    with pytest.raises(InputError, match="more than 7 values"):
        fhir.record(document, settings=Settings(max_values=7))


def test_64_levels_are_read_and_65_are_not():
    def nested(levels: int) -> str:
        return '{"resourceType": "Patient", "x": ' + "[" * (levels - 1) + "]" * (levels - 1) + "}"

    assert fhir.record(nested(64)).resources()
    with pytest.raises(InputError, match="more than 64"):
        fhir.record(nested(65))


def test_brackets_in_words_are_no_nesting():
    assert fhir.record('{"resourceType": "Patient", "id": "p", "x": "' + "[{" * 500 + '\\""}').id == "p"
