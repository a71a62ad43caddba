"""``/vaccination``: the vaccines of one person. What is asked stands in the address: it survives a restart."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from typing import Any

from lab39.core.errors import InputError, UnknownNameError
from lab39.core.faces import Call, Download, Page, Redirect, View
from lab39.core.finding import jsonable
from lab39.core.text import NO_TEXT, Text
from lab39.fhir import examples
from lab39.fhir.uploads import uploaded
from lab39.solutions.vaccination import (
    before,
    brought,
    consultation,
    counter_pages,
    explaining,
    findings,
    lots,
    persons,
    sources,
    words,
)
from lab39.solutions.vaccination.answer import SHAPES, Answer, age, answer
from lab39.solutions.vaccination.consultation import Asked
from lab39.solutions.vaccination.findings import Assessed
from lab39.solutions.vaccination.model import Schedule
from lab39.solutions.vaccination.persons import Person


def vaccines(call: Call) -> View | Redirect:
    """Whom to look at, and everything about their vaccines."""
    asked, wrong, person, found = Asked(), None, None, None
    schedule = _schedule(call, asked)
    problem: Text = NO_TEXT
    try:
        asked = consultation.read(call.query)
        schedule = _schedule(call, asked)
        changed = _changed(call, asked, schedule)
        if changed is not None and not call.part:
            return Redirect(f"/vaccination{changed.address()}#typed")
        person = persons.person(call, asked, schedule)
        if person.record is not None:
            said = findings.assessed(person.record, schedule, person.on, sources.open_maps(call.ctx.packs))
            if isinstance(said, Assessed):
                found = answer(said)
            else:
                problem = said.text
    except (InputError, UnknownNameError) as error:
        wrong = error
    return View(
        template="vaccines.html.jinja",
        wrong=wrong,
        values=_values(call, asked, schedule, person, found) | {"problem": problem},
    )


def why(call: Call) -> View:
    """The decisions behind one vaccine group, at an address of its own."""
    asked = consultation.read(call.query)
    schedule = _schedule(call, asked)
    person = persons.person(call, asked, schedule)
    group = call.query.text("group")
    if person.record is None:
        raise UnknownNameError(
            Text("choisir d'abord une personne", "choose a person first"), call.query.text("group")[:40]
        )
    said = findings.assessed(person.record, schedule, person.on, sources.open_maps(call.ctx.packs))
    if not isinstance(said, Assessed):
        raise InputError(said.text, "born")
    forecasts = [each for each in said.result.groups if each.group == group]
    if not forecasts:
        raise UnknownNameError(
            Text("pas de groupe de vaccins de ce nom pour cette personne", "no vaccine group of this name here"),
            group[:40],
        )
    shown = answer(said)
    row = next(each for each in shown.rows if each.group == group)
    return View(
        template="why.html.jinja",
        values=_values(call, asked, schedule, person, shown)
        | {
            "row": row,
            "forecasts": [(each, explaining.explained(each, schedule)) for each in forecasts],
            "status": words.status,
        },
    )


def bring(call: Call) -> View | Redirect:
    """A file, read and put into the form; nothing of it is kept."""
    wrong = None
    try:
        return Redirect(f"/vaccination{brought.of_record(uploaded(call.file('file')), call.on).address()}")
    except InputError as error:
        wrong = error
    return View(
        template="vaccines.html.jinja",
        wrong=wrong,
        values=_values(call, Asked(), _schedule(call, Asked()), None, None) | {"problem": NO_TEXT},
    )


def export(call: Call) -> Download:
    """The same as JSON or as a spreadsheet."""
    asked = consultation.read(call.query)
    schedule = _schedule(call, asked)
    person = persons.person(call, asked, schedule)
    form = call.path["form"]
    if form not in ("csv", "json"):
        raise UnknownNameError(Text("formats\u202f: csv, json", "formats: csv, json"), form[:40])
    if person.record is None:
        raise UnknownNameError(Text("choisir d'abord une personne", "choose a person first"), form)
    said = findings.assessed(person.record, schedule, person.on, sources.open_maps(call.ctx.packs))
    if not isinstance(said, Assessed):
        raise InputError(said.text, "born")
    from lab39.solutions.vaccination import answer as shown

    found = answer(said)
    if form == "json":
        content = json.dumps(jsonable(shown.as_json(found)), ensure_ascii=False, indent=1).encode()
        return Download(content=content, name="vaccination.json", media_type="application/json")
    text = io.StringIO()
    rows = csv.writer(text, delimiter=";" if call.lang == "fr" else ",")
    rows.writerow(_HEADS[call.lang])
    rows.writerows([_plain(cell) for cell in row] for row in shown.table(found, call.lang))
    return Download(
        content=b"\xef\xbb\xbf" + text.getvalue().encode(),
        name="vaccination.csv",
        media_type="text/csv; charset=utf-8",
    )


_HEADS = {
    "fr": ["sorte", "nom", "date", "verdict", "raison ou source", "au plus tôt", "recommandé", "en retard"],
    "en": ["kind", "name", "date", "verdict", "reason or source", "earliest", "recommended", "past due"],
}


def _plain(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{cell}" if cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell


def _changed(call: Call, asked: Asked, schedule: Schedule) -> Asked | None:
    """What the form adds or takes away."""
    if drop := call.query.text("drop"):
        return consultation.without_dose(asked, drop)
    changed = None
    if weeks := call.query.text("weeks"):
        changed = asked = consultation.with_term(asked, weeks, asked.on or call.on)
    if call.query.text("vaccine") or call.query.text("given"):
        changed = consultation.with_dose(asked, call.query.text("vaccine"), call.query.text("given"), schedule)
    return changed


def _schedule(call: Call, asked: Asked) -> Schedule:
    """The schedule that is asked for, or that of France."""
    at_hand = sources.at_hand(call.ctx.packs)
    if not asked.schedule:
        return sources.open_schedule(call.ctx.packs)
    if asked.schedule.partition("@")[0] not in at_hand:
        raise UnknownNameError(
            Text(
                f"calendrier inconnu ou absent. Présents\u202f: {', '.join(at_hand)}",
                f"schedule unknown or absent. At hand: {', '.join(at_hand)}",
            ),
            "schedule",
        )
    return sources.open_schedule(call.ctx.packs, asked.schedule)


def _values(
    call: Call, asked: Asked, schedule: Schedule, person: Person | None, found: Answer | None
) -> dict[str, Any]:
    at_hand = sources.at_hand(call.ctx.packs)
    typed = replace(asked, kind="typed") if asked.kind in ("", "typed") else Asked(schedule=asked.schedule)
    return {
        "before": before.choices(schedule),
        "asked": asked,
        "typed": typed,
        "sent": {name: call.query.text(name) for name in ("born", "vaccine", "given", "lmp", "weeks")},
        "person": person,
        "age": age(person.record, person.on) if person and person.record else NO_TEXT,
        "schedule": schedule,
        "schedule_title": words.schedule_title,
        "schedules": at_hand,
        "people": [each for each in examples.all_examples().values() if each.record.birth_date is not None],
        "records": persons.records(call),
        "names": _known_names(schedule),
        "found": found,
        "shapes": SHAPES,
        "unheld": consultation.UNHELD,
        "on": call.on,
    }


def _known_names(schedule: Schedule) -> list[Text]:
    """Names to choose among while typing: French products, then the vaccines of the schedule."""
    from lab39.solutions.vaccination import products

    brands = [each.label for each in products.products() if each.marketed]
    own = [
        Text(f"{words.vaccine(schedule, code).fr} ({code})", f"{words.vaccine(schedule, code).en} ({code})")
        for code in schedule.vaccines
    ]
    return list(dict.fromkeys([*brands, *sorted(own, key=lambda each: each.fr)]))


pages = (
    Page(
        path="",
        title=Text("Voir les vaccins d'une personne", "See a person's vaccines"),
        about=Text(
            "Ce qui est à faire, ce qui vient ensuite, chaque dose avec sa raison",
            "What is due, what comes next, every dose with its reason",
        ),
        handler=vaccines,
        permission="assess.once",
    ),
    Page(path="why", title=Text("Pourquoi", "Why"), handler=why, permission="assess.once", listed=False),
    Page(
        path="file",
        title=Text("Lire un fichier", "Read a file"),
        handler=bring,
        permission="assess.once",
        methods=("POST",),
        listed=False,
    ),
    Page(
        path="export/{form}",
        title=Text("Exporter", "Export"),
        handler=export,
        permission="assess.once",
        listed=False,
    ),
    *counter_pages.pages,
    *lots.pages,
)
