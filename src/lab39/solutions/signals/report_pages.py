"""``/signals/report``: report an adverse event. The form itself holds everything; the lab keeps nothing of it."""

from __future__ import annotations

import datetime as dt
from typing import Any

from lab39 import fhir
from lab39.core.errors import InputError, LabError, UnknownNameError
from lab39.core.faces import Call, Download, Page, View
from lab39.core.record import Record
from lab39.core.text import Text
from lab39.fhir import examples
from lab39.fhir.uploads import uploaded
from lab39.solutions.signals import prefill, report_case, report_form, report_sheet, telling
from lab39.solutions.signals.readers.model import Case
from lab39.solutions.signals.report_form import Lack, Sheet

RECORDS = 20
_FILES = {
    "e2b": ("xml", "application/xml"),
    "fhir": ("json", "application/fhir+json"),
    "sheet": ("pdf", "application/pdf"),
}


def form(call: Call) -> View:
    """A new form: empty, from a link (``drug``, ``reaction``), or from a record (``record``, ``example``)."""
    drug, reaction = call.query.text("drug"), call.query.text("reaction")
    wrong: LabError | None = None
    sheet = report_form.empty(drug, reaction)
    proposed = False
    try:
        record, day = _asked(call)
        if record is not None:
            proposal = None if drug or reaction else prefill.suspected(record, day, call.lang)
            proposed = proposal is not None
            sheet = prefill.of_record(record, day, call.lang, drug, reaction, proposal)
    except (InputError, UnknownNameError) as error:
        wrong = error
    return _view(call, sheet, wrong=wrong, proposed=proposed)


def _asked(call: Call) -> tuple[Record | None, dt.date]:
    """The record that the address names, and the day it is read on.

    Raises:
        LabError: no such record, or not theirs to see.
    """
    if name := call.query.text("example"):
        example = examples.example(name)
        return example.record, example.day
    if not (name := call.query.text("record")):
        return None, call.on
    from lab39.store.opening import opened

    return fhir.record(opened(call.ctx, call.who.person, name, "report").document), call.on


def step(call: Call) -> View:
    """The form again, with a row more or less, and what is missing."""
    sheet, do = report_form.read(call.form), call.form.text("do")
    if do in ("", "check"):
        return _view(call, sheet, faults=report_case.faults(sheet, call.on), checked=True)
    return _view(call, report_form.changed(sheet, do), checked=bool(call.form.text("checked")))


def bring(call: Call) -> View:
    """A form begun from a file, of which nothing is kept."""
    sheet = report_form.read(call.form) if call.form else report_form.empty()
    try:
        record = uploaded(call.file("file"))
        proposal = prefill.suspected(record, call.on, call.lang)
        sheet = prefill.of_record(record, call.on, call.lang, proposal=proposal)
    except InputError as error:
        return _view(call, sheet, wrong=error)
    return _view(call, sheet, proposed=proposal is not None)


def download(call: Call) -> View | Download:
    """The report as E2B(R3), as FHIR, or on paper; the form with what is missing when it cannot be made."""
    kind = call.path["form"]
    if kind not in _FILES:
        raise UnknownNameError(Text("formats\u202f: e2b, fhir, sheet", "formats: e2b, fhir, sheet"), kind[:40])
    sheet = report_form.read(call.form)
    lacks = report_form.missing(sheet)
    faults = report_case.faults(sheet, call.on)
    if kind != "sheet":  # on paper it is completed by hand
        faults += tuple(_lacking(each) for each in lacks if each.needed)
    if faults:
        return _view(call, sheet, faults=faults, checked=True)
    extension, media_type = _FILES[kind]
    return Download(
        content=_content(kind, report_case.case(sheet, call.on), lacks, sheet, call),
        name=f"{sheet.single['number'].lower()}.{extension}",
        media_type=media_type,
    )


def _lacking(lack: Lack) -> InputError:
    return InputError(Text(f"dire {lack.asks.fr}", f"tell {lack.asks.en}"), lack.place)


def _content(kind: str, case: Case, lacks: tuple[Lack, ...], sheet: Sheet, call: Call) -> bytes:
    if kind == "sheet":
        return report_sheet.pdf(case, lacks, call.on, call.lang)
    if kind == "e2b":
        from lab39.solutions.signals.readers import e2b_write

        return e2b_write.write(case, report_form.envelope(sheet, call.on)).encode()
    from lab39.fhir import jsontext
    from lab39.solutions.signals.readers import fhir_write

    return jsontext.dumps(fhir_write.write(case), indent=1).encode()


def _rows(faults: tuple[InputError, ...]) -> set[str]:
    """The rows of drugs that have a fault, which are then shown open."""
    told = (each.place.partition("-") for each in faults)
    return {row for name, _, row in told if name in report_form.OF_DRUG}


def _view(
    call: Call,
    sheet: Sheet,
    *,
    wrong: LabError | None = None,
    faults: tuple[InputError, ...] = (),
    checked: bool = False,
    proposed: bool = False,
) -> View:
    """The page; ``faults`` are told each at its field and together above the form, ``wrong`` at its own place."""
    from lab39.store.opening import listed

    lacks = report_form.missing(sheet)
    values: dict[str, Any] = {
        "sheet": sheet,
        "lacks": lacks,
        "needed": [each for each in lacks if each.needed],
        "useful": [each for each in lacks if not each.needed],
        "lacking": {each.place for each in lacks} if checked else set(),
        "faults": faults,
        "at_fault": {each.place: each.text for each in reversed(faults)},
        "named": {each.place: report_form.label(each.place, sheet) for each in faults},
        "rows_at_fault": {f"drug-{row}" for row in _rows(faults)},
        "checked": checked,
        "proposed": proposed,
        "yes_no": {"yes": Text("oui", "yes"), "no": Text("non", "no")},
        "sexes": report_sheet.SEXES,
        "roles": report_sheet.ROLES,
        "actions": report_sheet.ACTIONS,
        "reporters": report_sheet.REPORTERS,
        "outcomes": {name: telling.OUTCOMES[name] for name in report_form.OUTCOMES},
        "criteria": {name: telling.CRITERIA[name] for name in report_form.TICKED},
        "known": report_form.knowledge(),
        "who": Text.of({lang: report_form.knowledge()["who"][lang] for lang in ("fr", "en")}),
        "records": listed(call.ctx, call.who.person, RECORDS),
        "people": list(examples.all_examples().values()),
    }
    if call.form or call.files:  # in the other language, the form is sent again as it is
        do = (("checked", "yes"), ("do", "check")) if checked else (("do", "again"),)
        values |= {"self_path": "/signals/report", "again": (*sheet.pairs, *do)}
    return View(
        template="report.html.jinja",
        part="report_form.html.jinja",
        wrong=wrong or next(iter(faults), None),
        values=values,
    )


pages = (
    Page(
        path="report",
        title=Text("Notifier un effet indésirable", "Report an adverse reaction"),
        about=Text(
            "Une feuille guidée, puis le message E2B(R3), la ressource FHIR et la feuille à signer",
            "A guided sheet, then the E2B(R3) message, the FHIR resource and the sheet to sign",
        ),
        handler=form,
        permission="assess.once",
    ),
    Page(
        path="report",
        title=Text("Notifier un effet indésirable", "Report an adverse reaction"),
        handler=step,
        permission="assess.once",
        methods=("POST",),
        listed=False,
    ),
    Page(
        path="report/file",
        title=Text("Partir d'un fichier", "Begin from a file"),
        handler=bring,
        permission="assess.once",
        methods=("POST",),
        listed=False,
    ),
    Page(
        path="report/{form}",
        title=Text("Fichier de la notification", "File of the report"),
        handler=download,
        permission="assess.once",
        methods=("POST",),
        listed=False,
    ),
)
