"""The pharmacist's page: a treatment typed or scanned, seen as a matrix and as ranked cards."""

from __future__ import annotations

import csv
import io
from typing import Any

from lab39 import fhir
from lab39.core.errors import InputError, LabError
from lab39.core.faces import Call, Download, Page, View
from lab39.core.record import Record
from lab39.core.text import Text
from lab39.solutions.pharmacy import consultation
from lab39.solutions.pharmacy.answer import Answer, answer_of
from lab39.solutions.pharmacy.consultation import Consultation
from lab39.solutions.pharmacy.opened import open_all
from lab39.solutions.pharmacy.review import review

EXAMPLE = """apixaban 5 mg 2 fois par jour
ramipril 5 mg 1 fois par jour
hydrochlorothiazide 12,5 mg 1 fois par jour
sertraline 50 mg 1 fois par jour
tramadol 50 mg 3 fois par jour
zolpidem 10 mg 1 fois par jour
ibuprofène 400 mg 3 fois par jour
allopurinol 200 mg 1 fois par jour"""
_FIELDS = ("born", "sex", "weight", "creatinine", "creatinine_unit")


def treatment(call: Call) -> View:
    """The form, and under it what was understood and found."""
    lines, wrong, scanned = call.form.get("lines", ""), None, None
    if call.form.text("act") == "example":
        lines = scanned = EXAMPLE
    photograph = call.file("scan")
    if photograph is not None and photograph.content:
        from lab39.solutions.pharmacy import boxes

        try:
            lines = scanned = "\n".join(filter(None, [lines.rstrip(), *boxes.read(photograph.content)]))
        except InputError as error:
            wrong = error
    found: Answer | None = None
    try:
        asked = _asked(call, lines)
        if asked.lines:
            found = _found(call, asked)
    except InputError as error:
        wrong = error
    values: dict[str, Any] = {
        "form": {"lines": lines} | {name: call.form.text(name) for name in _FIELDS},
        "answer": found,
        "renewed_lines": scanned if call.part else None,
        "on": call.on,
    }
    return View(
        template="treatment.html.jinja",
        values=values,
        part="treatment_answer.html.jinja",
        wrong=wrong,
        said=Text("boîte ajoutée", "box added") if scanned and not wrong and photograph else Text("", ""),
    )


def export(call: Call) -> Download:
    """What was found, as a spreadsheet or as FHIR."""
    asked = _asked(call, call.form.get("lines", ""))
    if not asked.lines:
        raise InputError(Text("saisir au moins un médicament", "type at least one medicine"), "lines")
    record = _record(call, asked)
    if call.path["form"] == "fhir":
        from lab39.fhir import outputs

        report = call.ctx.assess(record, call.on, only=("pharmacy",))
        from lab39.solutions.pharmacy.solution import Pharmacy

        created = f"{call.on.isoformat()}T00:00:00Z"
        whole = outputs.bundle(report, Pharmacy().to_fhir, call.lang, created=created)
        content = fhir.dumps(whole).encode()
        return Download(content=content, name="interactions.fhir.json", media_type="application/fhir+json")
    if call.path["form"] != "csv":
        raise LabError(Text("formats\u202f: csv, fhir", "formats: csv, fhir"), call.path["form"])
    found = _found(call, asked)
    text = io.StringIO()
    rows = csv.writer(text, delimiter=";" if call.lang == "fr" else ",")
    rows.writerow(_heads(call.lang))
    rows.writerows(found.table(call.lang))
    return Download(
        content=b"\xef\xbb\xbf" + text.getvalue().encode(),
        name="interactions.csv",
        media_type="text/csv; charset=utf-8",
    )


def _heads(lang: str) -> list[str]:
    french = [
        "a",
        "b",
        "niveau",
        "tranché",
        "niveaux possibles",
        "mécanisme",
        "conduite",
        "édition",
        "page",
        "manque",
    ]
    english = ["a", "b", "level", "settled", "possible", "mechanism", "conduct", "edition", "page", "needs"]
    return french if lang == "fr" else english


def _asked(call: Call, lines: str) -> Consultation:
    from lab39.core.faces import Fields

    rest = [(name, value) for name, value in call.form.pairs() if name != "lines"]
    return consultation.read(Fields([("lines", lines), *rest]), call.on)


def _record(call: Call, asked: Consultation) -> Record:
    return fhir.record(consultation.bundle(asked, call.on))


def _found(call: Call, asked: Consultation) -> Answer:
    """The findings of the lab about the record that the form makes, and the same treatment as a table."""
    record = _record(call, asked)
    report = call.ctx.assess(record, call.on, only=("pharmacy",))
    return answer_of(asked, review(record, call.on, open_all(call.ctx.packs)), report)


pages = (
    Page(
        path="",
        title=Text("Vérifier un traitement", "Check a treatment"),
        handler=treatment,
        permission="assess.once",
        methods=("GET", "POST"),
    ),
    Page(
        path="export/{form}",
        title=Text("Exporter", "Export"),
        handler=export,
        permission="assess.once",
        methods=("POST",),
        listed=False,
    ),
)
