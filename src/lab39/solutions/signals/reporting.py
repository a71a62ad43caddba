"""One case of a file, written as a message: E2B(R3) or FHIR, and looked at with the schemas that a user has."""

from __future__ import annotations

import datetime as dt
import re
import tempfile
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal

from lab39.core.errors import InputError, UnknownNameError
from lab39.core.text import Text
from lab39.fhir.jsontext import dumps
from lab39.fhir.outputs import NAMESPACE
from lab39.solutions.signals.figures import Noun, counted
from lab39.solutions.signals.readers import (
    Case,
    Drug,
    Event,
    Indication,
    Report,
    e2b_write,
    fhir_write,
    ingest,
    missing_for_e2b,
)
from lab39.solutions.signals.readers import Store as Reports
from lab39.solutions.signals.readers.e2b_schema import Checked, check

LISTED = 10
SHOWN_FAULTS = 20
_FAULTS: Noun = (Text("faute", "fault"), Text("fautes", "faults"))
_FILES: Noun = (Text("fichier de schéma", "schema file"), Text("fichiers de schéma", "schema files"))
UNKNOWN = "UNKNOWN"
_SENDER = Text("l'identifiant de l'expéditeur (N.1.3)", "the sender's identifier (N.1.3)")
_LANGUAGE = Text(
    "la langue des mots du notificateur, fra ou eng (E.i.1.1b)",
    "the language of the reporter's words, fra or eng (E.i.1.1b)",
)
_NUMBER = Text(
    "un numéro de la forme pays-organisme-numéro, tel que FR-CHU-2025001 (C.1.1)",
    "a number such as country-organisation-number, FR-CHU-2025001 (C.1.1)",
)
_ICH_NUMBER = re.compile(r"[A-Z]{2}-[^-]+-.+")
_RECEIVER = Text("l'identifiant du destinataire (N.1.4)", "the receiver's identifier (N.1.4)")


@dataclass(frozen=True, slots=True)
class Written:
    """A message.

    Attributes:
        case: number of the case.
        content: the XML or JSON.
        missing: what a report that is sent must have, and this one has not.
    """

    case: str
    content: str
    missing: tuple[Text, ...]


def read(path: Path, number: str = "", columns: Mapping[str, str] | None = None) -> Case:
    """The case of a file, in whatever form that ``lab39 signals ingest`` reads.

    Args:
        path: the file.
        number: of the case, when the file has several.
        columns: of a CSV, by role.

    Raises:
        InputError: the file cannot be read, or has several cases and no number is given.
        UnknownNameError: no case of that number.
    """
    with tempfile.TemporaryDirectory(prefix="lab39-case-") as folder:
        done = ingest([path], Path(folder) / "store", columns=columns)
        if done.failed:
            raise done.failed[0]
        found = _cases(Reports.open(Path(folder) / "store"))
    if number:
        if number not in found:
            raise UnknownNameError(
                Text(
                    f"aucun cas de ce numéro\u202f; {_some(found, 'fr')}",
                    f"no case of that number; {_some(found, 'en')}",
                ),
                number[:80],
            )
        return found[number]
    if len(found) != 1:
        raise InputError(
            Text(
                f"{len(found)} cas\u202f: en choisir un avec --case\u202f; {_some(found, 'fr')}",
                f"{len(found)} cases: choose one with --case; {_some(found, 'en')}",
            ),
            str(path),
        )
    return next(iter(found.values()))


def write(
    case: Case,
    to: Literal["e2b", "fhir"],
    *,
    sender: str,
    receiver: str,
    organization: str,
    at: str,
    language: str = "",
) -> Written:
    """The message of a case.

    Args:
        case: to be written.
        to: the form.
        sender: identifier agreed with the receiver (N.1.3); ``receiver`` its own (N.1.4).
        receiver: its identifier.
        organization: of the sender (C.3.2).
        at: when it is made, ``CCYYMMDDhhmmss`` with its zone.
        language: of the reporter's words, three letters of ISO 639-2.

    Raises:
        InputError: a case without a reaction, for FHIR; a language that is not three letters.
    """
    if language and not re.fullmatch("[a-z]{3}", language):
        raise InputError(
            Text(
                "attendu trois lettres (ISO 639-2)\u202f: fra, eng",
                "three letters (ISO 639-2) are expected: fra, eng",
            ),
            "--language",
        )
    number = case.report.report_id
    batch = str(uuid.uuid5(NAMESPACE, f"signals batch {number} {at}"))
    envelope = e2b_write.Envelope(
        created=at,
        sender=sender or UNKNOWN,
        receiver=receiver or UNKNOWN,
        batch=batch,
        organization=organization,
        language=language,
    )
    missing = tuple(
        Text(f"{each.name.fr} ({each.code})", f"{each.name.en} ({each.code})")
        for each in missing_for_e2b(case, envelope)
    )
    if to == "e2b":
        words = any(each.event and each.event != f"MedDRA {each.code}" for each in case.events)
        asked = (
            (_ICH_NUMBER.fullmatch(number), _NUMBER),
            (language or not words, _LANGUAGE),
            (sender, _SENDER),
            (receiver, _RECEIVER),
        )
        parties = tuple(words for given, words in asked if not given)
        return Written(number, e2b_write.write(case, envelope), (*missing, *parties))
    return Written(number, dumps(fhir_write.write(case), indent=1) + "\n", missing)


def checked(made: Written, to: Literal["e2b", "fhir"], folder: Path) -> Checked:
    """An E2B(R3) message against the schemas of a folder; see :func:`.readers.e2b_schema.check`.

    Raises:
        InputError: the message is FHIR, or the schemas cannot be used.
    """
    if to != "e2b":
        raise InputError(
            Text("ces schémas sont ceux d'E2B\u202f: --to e2b", "these schemas are those of E2B: --to e2b"),
            "--validate-with",
        )
    return check(made.content, folder)


def by_schema(found: Checked) -> list[Text]:
    """What the schemas say of a message, in lines; a fault is told by its line in the message."""
    name, files = found.schema.name, counted(found.files, _FILES)
    if not found.faults:
        return [
            Text(
                f"valide selon {name} ({files.fr})\u202f; les règles métier du destinataire ne sont pas vérifiées",
                f"valid by {name} ({files.en}); the receiver's business rules are not checked",
            )
        ]
    many = counted(len(found.faults), _FAULTS)
    lines = [Text(f"non valide selon {name}\u202f: {many.fr}", f"not valid by {name}: {many.en}")]
    for each in found.faults[:SHOWN_FAULTS]:
        lines.append(Text(f"ligne {each.line}\u202f: {each.says}", f"line {each.line}: {each.says}"))
    if (more := len(found.faults) - SHOWN_FAULTS) > 0:
        lines.append(
            Text(f"et {more} de plus\u202f; --json les donne toutes", f"and {more} more; --json gives all")
        )
    return lines


def told_by_schema(found: Checked) -> dict[str, Any]:
    """The same for a program."""
    faults = [{"line": each.line, "says": each.says} for each in found.faults]
    return {"file": found.schema.name, "files": found.files, "valid": not faults, "faults": faults}


def now() -> str:
    """The time of this machine as E2B writes it."""
    return dt.datetime.now().astimezone().strftime("%Y%m%d%H%M%S%z")


def _cases(store: Reports) -> dict[str, Case]:
    """Every case of a store as its source gave it, by report number."""
    rows = {name: _rows(store, name) for name in ("reports", "drugs", "events", "indications")}
    made = {}
    for row in sorted(rows["reports"], key=lambda each: (each["line"] or 0, each["report_id"])):
        number = row["report_id"]
        mine = {
            name: sorted(
                (each for each in rows[name] if each["report_id"] == number),
                key=lambda each: each.get("seq") or each.get("drug_seq") or 0,
            )
            for name in ("drugs", "events", "indications")
        }
        made[number] = Case(
            _of(Report, row),
            tuple(_of(Drug, each) for each in mine["drugs"]),
            tuple(_of(Event, each) for each in mine["events"]),
            tuple(_of(Indication, each) for each in mine["indications"]),
        )
    return made


def _rows(store: Reports, name: str) -> list[dict[str, Any]]:
    import pyarrow.parquet as pq

    return [row for part in store.parts() for file in part.files(name) for row in pq.read_table(file).to_pylist()]


def _of(kind: Any, row: Mapping[str, Any]) -> Any:
    return kind(**{each.name: row.get(each.name) for each in fields(kind)})


def _some(found: Mapping[str, Case], lang: Literal["fr", "en"]) -> str:
    names = list(found)
    more = len(names) - LISTED
    beyond = {"fr": f" et {more} autres", "en": f" and {more} more"}[lang] if more > 0 else ""
    return {"fr": "le fichier a ", "en": "the file has "}[lang] + ", ".join(names[:LISTED]) + beyond
