"""Every kind of input that must be refused: how to make the file, and what the message must say."""

from __future__ import annotations

import gzip
import json
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PATIENT: dict[str, Any] = {"resourceType": "Patient", "id": "p1", "birthDate": "1944-03-02"}


def bundle(*resources: dict[str, Any]) -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": r} for r in resources]}


@dataclass(frozen=True)
class Bad:
    """One refused input.

    Attributes:
        file: the name of the file (or folder) to give.
        write: makes it, at a path.
        says: what the English message must contain, besides the file's name.
    """

    file: str
    write: Callable[[Path], object]
    says: tuple[str, ...]


def _json(document: Any, **kwargs: Any) -> Callable[[Path], object]:
    return lambda path: path.write_text(json.dumps(document, **kwargs), "utf-8")


def _bytes(content: bytes) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(content)


def _sparse(size: int) -> Callable[[Path], object]:
    def write(path: Path) -> None:
        with path.open("wb") as stream:
            stream.truncate(size)

    return write


def _zip(name: str, content: bytes, *, then: Callable[[bytes], bytes] = bytes) -> Callable[[Path], object]:
    def write(path: Path) -> None:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(name, content)
        path.write_bytes(then(path.read_bytes()))

    return write


PACKET = {"id": "k1", "metaData": {"phenopacketSchemaVersion": "2.0"}}
SUBJECT = {"subject": {"id": "p1", "sex": "FEMALE"}}
SIGN = {"type": {"id": "HP:0001250"}}
WHOLE = json.dumps(bundle(PATIENT), indent=1)
ZEROS = b'{"a": "' + b"0" * 30_000_000 + b'"}'


def _packet(**rest: Any) -> Callable[[Path], object]:
    return _json(PACKET | SUBJECT | rest)


BAD: dict[str, Bad] = {
    "truncated": Bad("t.json", _bytes(WHOLE[:-9].encode()), ("line 10", "the file ends before the JSON does")),
    "truncated in a string": Bad("s.json", _bytes(b'{"resourceType": "Pat'), ("line 1", "the file ends before")),
    "not JSON": Bad("n.json", _bytes(b"a letter"), ("line 1, column 1", "invalid JSON")),
    "XML": Bad("x.xml.json", _bytes(b"\n<Bundle/>"), ("XML", "reads FHIR as JSON")),
    "a picture": Bad("p.json", _bytes(b"\x89PNG\r\n\x1a\n\0\0\xfe"), ("an image", "as JSON")),
    "a PDF": Bad("p.json", _bytes(b"%PDF-1.7\n\xe2\xe3\xcf\xd3"), ("a PDF", "as JSON")),
    "a control character": Bad("c.json", _bytes(b'{"a": "\x01"}'), ("[Invalid control character at]",)),
    "a comma too many": Bad("c.json", _bytes(b'{\n"a": 1,\n}'), ("line 2", "invalid JSON")),
    "empty": Bad("e.json", _bytes(b""), ("the file is empty",)),
    "only spaces": Bad("e.json", _bytes(b" \n\n"), ("the file is empty",)),
    "empty NDJSON": Bad("e.ndjson", _bytes(b"\n\n"), ("the file is empty",)),
    "200 MB": Bad("big.json", _sparse(200_000_000), ("over 64 MiB", "LAB39_MAX_BYTES")),
    "200 MB in one line": Bad(
        "big.ndjson", _sparse(200_000_000), ("big.ndjson:1", "over 64 MiB", "all those after it were not read")
    ),
    "millions of values": Bad(
        "v.json", _bytes(b"[" + b"[]," * 3_000_000 + b"0]"), ("more than 4000000 values", "LAB39_MAX_VALUES")
    ),
    "R5": Bad(
        "r5.json",
        _json(bundle(PATIENT, {"resourceType": "MedicationRequest", "id": "m", "medication": {}})),
        ("MedicationRequest.medication (MedicationRequest/m)", "FHIR R5"),
    ),
    "STU3": Bad(
        "stu3.json",
        _json(bundle(PATIENT, {"resourceType": "Condition", "id": "c", "clinicalStatus": "active"})),
        ("Condition.clinicalStatus (Condition/c)", "FHIR STU3"),
    ),
    "two patients": Bad("two.json", _json(bundle(PATIENT, PATIENT | {"id": "p2"})), ("2 patients", "entry[1]")),
    "somebody else's result": Bad(
        "else.json",
        _json(bundle(PATIENT, {"resourceType": "Observation", "subject": {"reference": "Patient/p2"}})),
        ("Bundle.entry[1].resource.subject → p2",),
    ),
    "deep nesting": Bad("deep.json", _bytes(b"[" * 100_000 + b"]" * 100_000), ("more than 64 nested levels",)),
    "deep nesting, cut": Bad("deep.json", _bytes(b'{"a":[' * 50_000), ("more than 64 nested levels",)),
    "deep nesting, hidden": Bad("d.json", _bytes(b'["]",' * 2000 + b'"["' + b"]" * 2000), ("nested levels",)),
    "a bomb in a zip": Bad("b.zip", _zip("a.json", ZEROS), ("b.zip › a.json", "more than 200 times its size")),
    "a bomb in a gz": Bad("b.json.gz", _bytes(gzip.compress(ZEROS)), ("more than 200 times its size",)),
    "a bomb of lines": Bad(
        "b.ndjson.gz",
        _bytes(gzip.compress((b" " * 999 + b"\n") * 30_000)),
        ("b.ndjson.gz:", "more than 200 times", "all those after it were not read"),
    ),
    "a damaged zip": Bad(
        "d.zip",
        _zip("a.json", WHOLE.encode(), then=lambda b: b[:40] + b"\0" * 20 + b[60:]),
        ("d.zip › a.json", "damaged"),
    ),
    "a zip without its head": Bad("d.zip", _zip("a.json", b"{}", then=lambda b: b[-60:]), ("d.zip", "damaged")),
    "a cut gz": Bad("d.json.gz", _bytes(gzip.compress(WHOLE.encode())[:-12]), ("damaged",)),
    "a zip in a zip": Bad("z.zip", _zip("in.zip", b"PK"), ("z.zip › in.zip", "an archive inside an archive")),
    "a bomb in a gz in a zip": Bad(
        "z.zip", _zip("a.json.gz", gzip.compress(ZEROS)), ("z.zip › a.json.gz", "more than 200 times its size")
    ),
    "a page of a search": Bad(
        "p.json",
        _json(bundle(PATIENT) | {"type": "searchset", "link": [{"relation": "next", "url": "x"}]}),
        ("Bundle.link[0]", "gather all the pages"),
    ),
    "part of a search": Bad(
        "p.json", _json(bundle(PATIENT) | {"type": "searchset", "total": 40}), ("Bundle.total", "40 results")
    ),
    "DSTU2": Bad(
        "d.json",
        _json(bundle(PATIENT, {"resourceType": "MedicationOrder", "id": "m"})),
        ("MedicationOrder (MedicationOrder/m)", "FHIR DSTU2"),
    ),
    "a type that is none": Bad("o.json", _json({"resourceType": "Observatoin"}), ("“Observatoin” is no FHIR R4",)),
    "a zip of other things": Bad("o.zip", _zip("a.txt", b"hello"), ("an archive without .json",)),
    "NaN": Bad("nan.json", _bytes(b'{"resourceType": "Observation",\n "v": NaN}'), ("line 2", "NaN")),
    "Infinity": Bad("inf.json", _bytes(b'{"v":\n -Infinity}'), ("line 2", "Infinity are not JSON")),
    "an endless integer": Bad("i.json", _bytes(b'{"v":\n' + b"9" * 5000 + b"}"), ("line 2", "too large")),
    "an endless exponent": Bad("x.json", _bytes(b'{"v":\n 1e99999999999999999999}'), ("line 2", "too large")),
    "a key twice": Bad(
        "k.json",
        _bytes(b'{"resourceType": "Patient",\n "name": [{"family": "A",\n "family": "B"}]}'),
        ("line 3", "“family” is given twice"),
    ),
    "half a character": Bad(
        "h.json", _bytes(rb'{"resourceType": "Patient", "id": "a\ud800"}'), ("half a character",)
    ),
    "UTF-16": Bad("u.json", _bytes(WHOLE.encode("utf-16")), ("UTF-16", "save it as UTF-8")),
    "UTF-16 without a mark": Bad("u.json", _bytes(WHOLE.encode("utf-16-le")), ("UTF-16", "Save it as UTF-8")),
    "Latin-1": Bad("l.json", _bytes('{"a":\n"é"}'.encode("latin-1")), ("line 2, byte 7", "not UTF-8")),
    "a list": Bad("list.json", _json([PATIENT]), ("a JSON object is expected",)),
    "a bare value": Bad("bare.json", _bytes(b"7"), ("a JSON object is expected",)),
    "no resourceType": Bad("r.json", _json({"patient": "x"}), ("resourceType",)),
    "an empty bundle": Bad("b.json", _json({"resourceType": "Bundle", "type": "batch"}), ("no resource",)),
    "lines in a .json": Bad("m.json", _bytes(b"{}\n{}"), ("line 2", "name the file .ndjson")),
    "an empty folder": Bad("folder", lambda path: path.mkdir(), ("folder", "no .json")),
    "nothing there": Bad("none.json", lambda _path: None, ("no such file",)),
    "a family": Bad("f.json", _json({"id": "f", "proband": PACKET}), ("a family or cohort", "proband")),
    "a packet of schema 1": Bad(
        "v1.json",
        _json({"id": "k", "metaData": {"phenopacketSchemaVersion": "1.0.0"}}),
        ("metaData.phenopacketSchemaVersion", "schema 1.0.0"),
    ),
    "a negated sign": Bad("v1.json", _packet(phenotypicFeatures=[SIGN | {"negated": True}]), ("[0]", "negated")),
    "a sign without a type": Bad("p.json", _packet(phenotypicFeatures=[SIGN, {}]), ("Features[1]", "HPO")),
    "a sign excluded in words": Bad(
        "p.json", _packet(phenotypicFeatures=[SIGN | {"excluded": "no"}]), ("phenotypicFeatures[0]", "'no'")
    ),
    "a disease excluded in words": Bad("p.json", _packet(diseases=[{"excluded": "false"}]), ("diseases[0]",)),
    "signs that are no list": Bad("p.json", _packet(phenotypicFeatures={}), ("Features", "list of objects")),
    "a subject that is no object": Bad("p.json", _json(PACKET | {"subject": "p1"}), ("subject", "object")),
    "a mouse": Bad(
        "m.json",
        _packet(subject={"id": "m", "taxonomy": {"id": "NCBITaxon:10090", "label": "Mus musculus"}}),
        ("subject.taxonomy", "“NCBITaxon:10090” is not human"),
    ),
    "snake case": Bad("p.json", _json({"id": "k", "phenotypic_features": []}), ("camelCase",)),
}
