"""``/vaccination/counter``: from the person to the dose recorded, the certificate and the reminder."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lab39.core.entries import Immunization
from lab39.core.errors import InputError, LabError, UnknownNameError
from lab39.core.faces import Call, Download, Page, Redirect, View
from lab39.core.text import NO_TEXT, Text
from lab39.fhir import examples
from lab39.solutions.vaccination import (
    before,
    checks,
    consultation,
    findings,
    persons,
    products,
    questions,
    recording,
    rights,
    sources,
    words,
)
from lab39.solutions.vaccination import counter as counters
from lab39.solutions.vaccination.answer import Answer, age, answer
from lab39.solutions.vaccination.checks import Judged
from lab39.solutions.vaccination.consultation import Asked
from lab39.solutions.vaccination.counter import Counter
from lab39.solutions.vaccination.findings import Assessed
from lab39.solutions.vaccination.outcome import Dose
from lab39.solutions.vaccination.persons import Person
from lab39.solutions.vaccination.questions import Question
from lab39.solutions.vaccination.reminders import Reminder

BASE = "/vaccination/counter"
AHEAD_DAYS = 731
"""How far reminders look."""
REMIND_DAYS = 14
"""How long before the next visit the message leaves."""
SHAPES: Mapping[str, str] = {"stop": "■", "ask": "○", "warn": "▲", "ok": "●"}


@dataclass(frozen=True, slots=True)
class Opened:
    """One person at the counter, and what is said of the box in hand, if any."""

    person: Person
    found: Assessed
    shown: Answer
    asked: tuple[Question, ...]
    judged: Judged | None


def counter(call: Call) -> View | Redirect:
    """Whom it is for, what is due, three questions, one box, and what is said of it."""
    wrong: LabError | None = None
    state, opened, problem = Counter(), None, NO_TEXT
    try:
        state = counters.read(call.query)
        scanned = call.query.text("scan")
        if scanned:
            state = counters.with_scan(state, scanned, call.on, _codes(call))
            return Redirect(f"{BASE}{state.address()}#verdict")
        if state.whom.kind:
            said = _open(call, state)
            opened, problem = (said, NO_TEXT) if isinstance(said, Opened) else (None, said)
    except (InputError, UnknownNameError) as error:
        wrong = error
        state, opened = _left(call, state, opened)
    if opened is None and not problem:
        return View(template="counter_whom.html.jinja", wrong=wrong, values=_whom(call))
    return View(
        template="counter.html.jinja",
        wrong=wrong,
        values=_values(call, state, opened) | {"problem": problem},
    )


def record(call: Call) -> Redirect:
    """Write the dose, once, if nothing keeps it from being given; else back to what does."""
    state = counters.read(call.form)
    person = _signed_in(call)
    opened, product = _open(call, state), state.product
    back = Redirect(f"{BASE}{state.address()}#verdict")
    if state.whom.kind != "record" or not isinstance(opened, Opened) or product is None:
        return back
    whole, on = opened.person.held, opened.found.result.on
    assert whole is not None
    dose = counters.dose_id(state.whom.name, product, state.lot, on)
    if not recording.holds(whole, dose):
        if opened.judged is None or not opened.judged.ready(checked=state.checked):
            return back
        resource = recording.immunization(state, state.whom.name, product, whole, on, opened.asked, call.lang)
        schedule = opened.found.schedule
        kept = recording.write(
            call.ctx,
            person,
            state.whom.name,
            resource,
            judged=whole,
            edition=f"{schedule.name} {schedule.version}",
            beside=before.conditions(whole, state.whom, schedule, call.lang, recorded=on),
        )
        if kept is None:
            return back  # somebody wrote meanwhile: the page judges what the record is now
    return Redirect(f"{BASE}/done?record={state.whom.name}&recorded={dose}")


def done(call: Call) -> View:
    """What was recorded, what comes next, the certificate, the reminder."""
    state = counters.read(call.query)
    opened = _whole(call, state)
    assert opened.person.record is not None
    dose = next(
        (
            each
            for each in opened.person.record.immunizations()
            if each.raw.get("id") == call.query.text("recorded")
        ),
        None,
    )
    if dose is None:
        raise UnknownNameError(
            Text("cette dose n'est pas dans le dossier", "this dose is not in the record"),
            call.query.text("recorded")[:40],
        )
    counted = _counted(opened, dose)
    site = dose.raw.get("site") or dose.raw.get("route") or {}
    upcoming = _upcoming(opened)
    reader, agreed = _reader(call, state) if call.who.person else ("", False)
    told = Text("rappel prévu", "reminder planned") if call.query.text("said") == "reminded" else NO_TEXT
    return View(
        template="counter_done.html.jinja",
        said=told,
        values=_values(call, state, opened)
        | {
            "dose": dose,
            "site_text": str(site.get("text", "")),
            "verdicts": _verdicts(opened, counted),
            "upcoming": upcoming,
            "reader": reader,
            "agreed": agreed,
            "dose_id": call.query.text("recorded"),
            "reminded": call.query.text("said") == "reminded",
        },
    )


def _counted(opened: Opened, dose: Immunization) -> Dose | None:
    """The dose as it was judged; one that was merged with another entry of its day stands under that entry."""
    doses, day = opened.found.patient.doses, dose.date.exact if dose.date else None
    codes = {coding.code for coding in dose.concept.codings}
    same = next((each for each in doses if each.id == dose.ref), None)
    return same or next((each for each in doses if each.date == day and each.code in codes), None)


def certificate(call: Call) -> Download:
    """The vaccination record to print and sign."""
    from lab39.solutions.vaccination import certificate as printed

    opened = _whole(call, counters.read(call.query))
    found = opened.found
    made = printed.certificate(
        found.record, found.patient, found.result, found.schedule, found.uncounted, found.noted
    )
    name = "releve-de-vaccination.pdf" if call.lang == "fr" else "vaccination-record.pdf"
    return Download(content=printed.pdf(made), name=name, media_type="application/pdf")


def calendar(call: Call) -> Download:
    """The next visits for a calendar; the file names nobody."""
    from lab39.solutions.vaccination import reminders

    state = counters.read(call.query)
    opened = _whole(call, state)
    at = dt.datetime.combine(call.on, dt.time(), dt.UTC)
    found, wait = opened.found, opened.found.wait
    notes = reminders.while_waiting(wait.until, found.result.on) if wait else ()
    content = reminders.calendar(
        _upcoming(opened, waiting=wait is not None), state.whom.name or "typed", at, found.schedule, notes=notes
    )
    name = "rappels-vaccins.ics" if call.lang == "fr" else "vaccine-reminders.ics"
    return Download(content=content, name=name, media_type="text/calendar; charset=utf-8")


def remind(call: Call) -> Redirect:
    """Queue one message before the next visit: to the person with an account here, else to who vaccinates.

    It leaves only with their consent to messages, and says no more than where to read.
    """
    from lab39.store import access

    state, person = counters.read(call.form), _signed_in(call)
    upcoming = _upcoming(_whole(call, state))
    if not upcoming:
        raise InputError(Text("aucune visite à venir", "no visit to come"), "record")
    day = upcoming[0].date
    leaves = dt.datetime.combine(day - dt.timedelta(days=REMIND_DAYS), dt.time(8), dt.UTC)
    with call.ctx.writing() as tx:
        stored = access.require(tx.connection, state.whom.name, person, access.Level.WRITE, at=tx.at)
        tx.send(
            stored.subject_id or person,
            "vaccination.visit",
            {"link": f"/records/{stored.id}"},
            purpose="mail",
            key=f"vaccination.visit:{stored.id}:{day.isoformat()}",
            run_at=max(leaves, tx.at),
        )
        tx.audit("vaccination.reminder-planned", {"on": day.isoformat()}, subject=stored.id)
    return Redirect(
        f"{BASE}/done?record={state.whom.name}&recorded={call.form.text('recorded')[:64]}&said=reminded"
    )


def _open(call: Call, state: Counter) -> Opened | Text:
    """The person and everything said of them; why not, when nothing can be said."""
    schedule = sources.open_schedule(call.ctx.packs)
    person = persons.person(call, state.whom, schedule)
    if person.record is None:
        return Text("choisir d'abord une personne", "choose a person first")
    said = findings.assessed(person.record, schedule, person.on, sources.open_maps(call.ctx.packs))
    if not isinstance(said, Assessed):
        return said.text
    shown = answer(said)
    due = {antigen for row in shown.due for antigen in schedule.groups[row.group].antigens}
    asked = questions.chosen(schedule, said.patient, person.on, due, state.product)
    judged = checks.judge(state, said, asked) if state.vaccine else None
    return Opened(person, said, shown, asked, judged)


def _whole(call: Call, state: Counter) -> Opened:
    """The same, for pages that have nothing to show without.

    Raises:
        InputError: what is missing.
    """
    opened = _open(call, state)
    if not isinstance(opened, Opened):
        raise InputError(opened, "record")
    return opened


def _left(call: Call, state: Counter, opened: Opened | None) -> tuple[Counter, Opened | None]:
    """What can still be shown when a field is wrong: the person, with what was typed."""
    try:
        whom = Asked()
        for name in ("record", "example"):
            if call.query.text(name):
                whom = Asked(kind=name, name=call.query.text(name))
        kept = Counter(whom=whom if whom.kind else state.whom)
        said = _open(call, kept) if kept.whom.kind else None
    except (InputError, UnknownNameError):
        return Counter(), None
    return kept, said if isinstance(said, Opened) else opened


def _upcoming(opened: Opened, *, waiting: bool = False) -> tuple[Reminder, ...]:
    """The visits to come, those of today left out, as the person is there, unless they are ``waiting``."""
    from lab39.solutions.vaccination import reminders

    on = opened.found.result.on
    rows = reminders.of_result(opened.found.result, on + dt.timedelta(days=AHEAD_DAYS))
    return tuple(each for each in rows if each.date > on or waiting)


def _verdicts(opened: Opened, dose: Any) -> Text:
    from lab39.solutions.vaccination.verdicts import verdict

    said = verdict(opened.found.result, dose) if dose is not None else None
    return words.status(str(said.status)) if said else Text("hors du calendrier", "not in the schedule")


def _reader(call: Call, state: Counter) -> tuple[str, bool]:
    """Who would get the message, ``person`` or ``self``, and whether they agreed to messages."""
    from lab39.store import consents, records

    assert call.who.person is not None
    with call.ctx.writing() as tx:
        stored = records.get(tx.connection, state.whom.name)
        to = stored.subject_id or call.who.person
        agreed = consents.has_consent(tx.connection, to, "mail", tx.at)
    return "person" if stored.subject_id else "self", agreed


def _signed_in(call: Call) -> str:
    if call.who.person is None:
        raise InputError(Text("se connecter pour enregistrer une dose", "sign in to record a dose"), "record")
    return call.who.person


def _codes(call: Call) -> Mapping[str, str]:
    """CIP13 to NUVA, of the pack when it is at hand."""
    return sources.open_maps(call.ctx.packs).products.get("cip", {})


def _can_write(call: Call, state: Counter) -> bool:
    """Whether the dose may be kept in this record by this person."""
    from lab39.store import access

    if state.whom.kind != "record" or call.who.person is None:
        return False
    with call.ctx.writing() as tx:
        level = access.level(tx.connection, state.whom.name, call.who.person, at=tx.at)
    return level is not None and level.rank >= access.Level.WRITE.rank


def _whom(call: Call) -> dict[str, Any]:
    return {
        "q": call.query.text("q"),
        "records": persons.records(call, call.query.text("q")),
        "people": [each for each in examples.all_examples().values() if each.record.birth_date is not None],
    }


def _values(call: Call, state: Counter, opened: Opened | None) -> dict[str, Any]:
    names = [each.label for each in products.products() if each.marketed and each.kind == "vaccine"]
    person = opened.person if opened else None
    return {
        "state": state,
        "whom": state.whom,
        "whom_pairs": consultation.pairs(state.whom),
        "form": {name: call.query.text(name) for name in counters.FIELDS},
        "person": person,
        "age": age(person.record, person.on) if person and person.record else NO_TEXT,
        "found": opened.found if opened else None,
        "shown": opened.shown if opened else None,
        "asked": opened.asked if opened else (),
        "answers": state.answers,
        "before": before.offered(state.whom, opened.found, opened.person.held) if opened else [],
        "before_said": before.said(state.whom),
        "judged": opened.judged if opened else None,
        "follows": checks.follows(opened.judged.after)
        if opened and opened.judged and opened.judged.after
        else NO_TEXT,
        "doubts": counters.doubts(state, call.on, _codes(call)),
        "treatment": opened.person.treatment if opened else "",
        "sites": counters.sites().values(),
        "professions": [(name, row[0]) for name, row in rights.professions().items()],
        "names": names,
        "shapes": SHAPES,
        "can_write": _can_write(call, state),
        "schedule_title": words.schedule_title,
        "on": call.on,
    }


pages = (
    Page(
        path="counter",
        title=Text("Vacciner au comptoir", "Vaccinate at the counter"),
        about=Text(
            "Ce qui est à faire, trois questions, la boîte, la dose inscrite, le relevé et le rappel",
            "What is due, three questions, the box, the dose recorded, the certificate and the reminder",
        ),
        handler=counter,
        permission="assess.once",
    ),
    Page(
        path="counter/record",
        title=Text("Enregistrer la dose", "Record the dose"),
        handler=record,
        permission="records.own",
        methods=("POST",),
        listed=False,
    ),
    Page(
        path="counter/done",
        title=Text("Dose enregistrée", "Dose recorded"),
        handler=done,
        permission="records.own",
        listed=False,
    ),
    Page(
        path="counter/certificate",
        title=Text("Relevé de vaccination", "Vaccination record"),
        handler=certificate,
        permission="assess.once",
        listed=False,
    ),
    Page(
        path="counter/calendar",
        title=Text("Rappels pour l'agenda", "Reminders for a calendar"),
        handler=calendar,
        permission="assess.once",
        listed=False,
    ),
    Page(
        path="counter/remind",
        title=Text("Prévoir un rappel", "Plan a reminder"),
        handler=remind,
        permission="records.own",
        methods=("POST",),
        listed=False,
    ),
)
