"""What leaves the desk as a file: the findings as FHIR or JSON, and the record itself."""

from __future__ import annotations

import datetime as dt
import unicodedata
from dataclasses import dataclass

from fastapi.responses import Response

from lab39.core.errors import UnknownNameError
from lab39.core.finding import Report
from lab39.core.lab import Lab
from lab39.core.record import Record
from lab39.core.text import Lang, Text
from lab39.fhir import jsontext, outputs

FHIR = "application/fhir+json"
JSON = "application/json"


@dataclass(frozen=True, slots=True)
class File:
    """One file: its name holds no name of a person."""

    name: str
    media_type: str
    text: str

    def response(self) -> Response:
        """As a browser saves it."""
        headers = {"content-disposition": f'attachment; filename="{self.name}"'}
        return Response(self.text, media_type=self.media_type, headers=headers)


def stem(pseudonym: str) -> str:
    """The first part of a file's name, in letters that every system takes."""
    plain = unicodedata.normalize("NFKD", pseudonym).encode("ascii", "ignore").decode()
    return "lab39-" + "-".join(plain.lower().split())


def fhir(lab: Lab, found: Report, stem: str, lang: Lang, created: dt.datetime) -> File:
    """A Bundle of the findings, each as its solution writes it."""
    whole = outputs.bundle(found, lab.to_fhir, lang, created=created.isoformat(timespec="seconds"))
    return File(f"{stem}-fhir.json", FHIR, jsontext.dumps(whole, indent=1) + "\n")


def json(found: Report, stem: str) -> File:
    """What ``lab39 assess --json`` gives."""
    return File(f"{stem}.json", JSON, jsontext.dumps({"reports": [found.as_dict()]}, indent=1) + "\n")


def record(known: Record, stem: str, text: str | None = None) -> File:
    """The record as it is kept, to the byte when its text is given."""
    media_type = JSON if known.form == "phenopacket" else FHIR
    return File(f"{stem}-record.json", media_type, jsontext.dumps(known.origin, indent=1) if text is None else text)


def unknown(form: str) -> UnknownNameError:
    """The error for a form of export that does not exist."""
    return UnknownNameError(
        Text(
            f"pas d'export «\u202f{form[:20]}\u202f»\u202f: fhir, json, record",
            f"no export “{form[:20]}”: fhir, json, record",
        )
    )
