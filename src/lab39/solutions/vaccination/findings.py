"""From a result to findings: one card for what is due, one for the doses to repeat, one for what was not used."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lab39.core.entries import Immunization
from lab39.core.errors import Issue
from lab39.core.finding import Finding, Input, Missing, Reason, Severity, Source, When
from lab39.core.record import Record
from lab39.core.text import NO_TEXT, Text
from lab39.solutions.vaccination import asking, entitled, illness, remarks, sentences, words
from lab39.solutions.vaccination.codes import NO_MAPS, Maps
from lab39.solutions.vaccination.engine import run
from lab39.solutions.vaccination.given import Uncounted
from lab39.solutions.vaccination.illness import Noted, Wait
from lab39.solutions.vaccination.model import Schedule
from lab39.solutions.vaccination.outcome import Dose, GroupForecast, Patient, Result
from lab39.solutions.vaccination.repeats import Repeated, to_repeat
from lab39.solutions.vaccination.standing import TO_GIVE, Kind, Standing, campaign, coming, due, standings
from lab39.solutions.vaccination.verdicts import verdict


@dataclass(frozen=True, slots=True)
class Assessed:
    """What findings are written from: a record, what of it could be used, and what the engine says of it."""

    record: Record
    schedule: Schedule
    patient: Patient
    issues: tuple[Issue, ...]
    result: Result
    uncounted: tuple[Uncounted, ...] = ()
    noted: tuple[Noted, ...] = ()

    @property
    def wait(self) -> Wait | None:
        """That every dose waits for the end of an acute illness."""
        return illness.wait(self.noted)


def findings(found: Assessed, mind: Sequence[Reason] = (), unasked: Sequence[Missing] = ()) -> Iterator[Finding]:
    """Few cards: what to give or what comes next, the doses to repeat, the entries that were not used.

    Args:
        mind: what to mind when giving a vaccine, and ``unasked`` what of it could not be evaluated.
    """
    stand = standings(found.result)
    yield _to_give(found, stand, mind, unasked) if due(stand) else _up_to_date(found, stand)
    repeated = to_repeat(found.schedule, found.patient, found.result, stand)
    if repeated:
        yield _to_repeat(found, repeated)
    unused = tuple(unused_entries(found))
    if unused:
        yield _unused(unused)


def no_birth_date(issue: Issue) -> Finding:
    """That nothing can be told without a whole birth date."""
    return Finding(
        code="birth-date-missing",
        severity=Severity.INFO,
        summary=Text(
            "Vaccinations non évaluées\u202f: renseigner la date de naissance complète",
            "Vaccination not assessed: fill in the whole date of birth",
        ),
        missing=(Missing("birthDate", Text("date de naissance", "date of birth"), issue.text),),
    )


# -- what is due -----------------------------------------------------------------------------------------


def _to_give(
    found: Assessed, stand: Sequence[Standing], mind: Sequence[Reason], unasked: Sequence[Missing]
) -> Finding:
    to_give, wait = due(stand), found.wait
    overdue = any(each.kind is Kind.OVERDUE for each in to_give)
    return Finding(
        code="due",
        severity=Severity.INFO,
        when=When.THIS_WEEK if overdue and wait is None else When.NEXT_VISIT,
        summary=sentences.to_give(
            [words.group(each.group) for each in to_give], found.schedule.name, wait.until if wait else NO_TEXT
        ),
        detail=sentences.inside(to_give, coming(stand), wait.until if wait else NO_TEXT),
        reasons=(
            *((illness.reason(wait),) if wait else ()),
            *(group_reason(found, each) for each in to_give),
            *unread_reasons(found),
            *mind,
        ),
        missing=(*illness.to_ask(found.noted), *_missing(found), *unasked),
        focus=tuple(dose.id for dose in found.patient.doses if dose.id),
        payload=payload(found, to_give),
    )


def _up_to_date(found: Assessed, stand: Sequence[Standing]) -> Finding:
    return Finding(
        code="up-to-date",
        severity=Severity.INFO,
        when=When.NEXT_VISIT,
        summary=sentences.nothing_due(coming(stand)[:1], found.schedule.name),
        reasons=(
            *(tuple(group_reason(found, each) for each in coming(stand)[:3]) or (_everything(found),)),
            *unread_reasons(found),
        ),
        missing=tuple(_missing(found)),
        focus=tuple(dose.id for dose in found.patient.doses if dose.id),
        payload=payload(found, ()),
    )


def payload(found: Assessed, to_give: Sequence[Standing]) -> dict[str, object]:
    """What other solutions and programs read: the groups to give, their dates, why they wait if they do."""
    return {
        "schedule": found.schedule.name,
        "edition": found.schedule.version,
        "wait": found.wait.as_dict() if found.wait else None,
        "groups": [
            {
                "group": each.group,
                "kind": str(each.kind),
                "dose_number": each.forecast.number,
                "earliest": each.forecast.earliest,
                "recommended": each.forecast.recommended,
                "past_due": each.forecast.past_due,
                "vaccines": [vaccine.code for vaccine in each.forecast.vaccines],
            }
            for each in to_give
        ],
    }


def group_reason(found: Assessed, each: Standing) -> Reason:
    """Why a group is due, or when it will be: its dates, the rule, and the doses it counted."""
    rule, source = cited(found.schedule, each.forecast)
    says = sentences.group_line(each, found.result.on, found.wait.until if found.wait else NO_TEXT)
    doubt = sentences.doubt([row.vaccine for row in in_doubt(found, each)])
    mind = remarks.with_dose(remarks.rules_of(found.schedule, remarks.together(each, found.result.on)))
    return Reason(
        rule=rule,
        text=words.joined([part for part in (says, doubt, mind) if part.fr], " "),
        source=source,
        inputs=(
            *_person(found),
            *_counted(found, each.forecast),
            *_limits(found, each),
            *_rights(found, each),
        ),
    )


def unread_reasons(found: Assessed) -> Iterator[Reason]:
    """The rules that concern this person and compute nothing: to know, or not verified and then no advice."""
    for rule in remarks.unread(found.schedule, found.patient, found.result.on):
        text = rule.cited[0].source
        yield Reason(
            rule=f"vaccination.{_slug(found.schedule.name)}.{_slug(rule.id)}",
            text=remarks.in_words(rule),
            source=Source(
                text.title, date=text.date, place=rule.cited[0].place, url=text.url, verified=rule.verified
            ),
            inputs=_person(found),
        )


def _rights(found: Assessed, each: Standing) -> Iterator[Input]:
    said = entitled.line(found.schedule, found.patient, found.result, each) if each.kind in TO_GIVE else None
    if said is not None:
        sources = ", ".join(source.title for source in said.sources)
        value = Text(f"{said.says.fr} ({sources})", f"{said.says.en} ({sources})")
        yield Input(Text("droits et remboursement", "rights and reimbursement"), value)


def in_doubt(found: Assessed, each: Standing) -> tuple[Uncounted, ...]:
    """The doses that were not counted and may be of this vaccine group: what it asks for may be wrong."""
    if each.group not in found.schedule.groups:
        return ()
    antigens = set(found.schedule.groups[each.group].antigens)
    return tuple(row for row in found.uncounted if antigens & set(row.antigens))


def cited(schedule: Schedule, forecast: GroupForecast) -> tuple[str, Source]:
    """The rule a forecast rests on, and its source: the text that an authored rule cites, else the edition."""
    for series in forecast.series:
        rule = schedule.rules.get(series.series.rule)
        if rule is not None and rule.cited:
            text, place = rule.cited[0].source, rule.cited[0].place
            return (
                f"vaccination.{_slug(schedule.name)}.{_slug(rule.id)}",
                Source(text.title, date=text.date, place=place, url=text.url, verified=rule.verified),
            )
    document, url = words.document(schedule)
    return (
        f"vaccination.{_slug(schedule.name)}.{_slug(forecast.group)}",
        Source(document, date=schedule.version, place=forecast.group, url=url),
    )


def _everything(found: Assessed) -> Reason:
    document, url = words.document(found.schedule)
    return Reason(
        rule=f"vaccination.{_slug(found.schedule.name)}.none",
        text=Text(
            "Chaque groupe de vaccins a été regardé\u202f: aucun n'a de dose à faire ni à venir.",
            "Every vaccine group was looked at: none has a dose to give or to come.",
        ),
        source=Source(document, date=found.schedule.version, url=url),
        inputs=_person(found),
    )


def _person(found: Assessed) -> tuple[Input, ...]:
    return (Input(Text("naissance", "birth"), sentences.day(found.patient.birth_date)),)


def _counted(found: Assessed, forecast: GroupForecast) -> Iterator[Input]:
    seen: set[Dose] = set()
    for series in forecast.series:
        for done in series.evaluations:
            if done.dose in seen:
                continue
            seen.add(done.dose)
            verdict_found = verdict(found.result, done.dose, forecast.group) or done
            yield Input(
                words.vaccine(found.schedule, done.dose.code),
                words.status(verdict_found.status),
                done.dose.date.isoformat(),
                done.dose.id,
            )


def _limits(found: Assessed, each: Standing) -> Iterator[Input]:
    """What the authored rules warn of, and the campaign whose dates they had to assume."""
    forecasts = remarks.together(each, found.result.on)
    for note in dict.fromkeys(rule.note for rule in remarks.rules_of(found.schedule, forecasts) if rule.note):
        yield Input(Text("à savoir", "to know"), note)
    for season in dict.fromkeys(campaign(one, found.result.on) for one in each.forecast.series):
        if season is not None and season.assumed:
            yield Input(Text("campagne", "campaign"), sentences.assumed(season))


def _missing(found: Assessed) -> Iterator[Missing]:
    yield from asking.questions(found.schedule, found.patient, found.result)
    if not found.record.immunizations():
        yield Missing(
            "immunizations",
            Text("carnet de vaccination", "immunization record"),
            Text(
                "aucun vaccin dans le dossier\u202f: les doses déjà faites ne sont pas décomptées",
                "no vaccine in the record: doses already given are not taken off",
            ),
        )
    if found.patient.sex == "Unknown":
        yield Missing(
            "gender",
            Text("sexe", "sex"),
            Text(
                "les vaccinations propres à un sexe n'ont pas été regardées",
                "vaccinations of one sex were not looked at",
            ),
        )


# -- doses that do not count -----------------------------------------------------------------------------


def _to_repeat(found: Assessed, rows: Sequence[Repeated]) -> Finding:
    reasons: dict[str, Reason] = {}
    for row in rows:
        base = group_reason(found, row.standing)
        rule = f"{base.rule}.repeat"
        said = sentences.does_not_count(found.schedule, row.dose, row.reasons)
        before = reasons.get(rule)
        text = words.joined([before.text, said], " ") if before else said
        reasons[rule] = Reason(rule, text, base.source, base.inputs)
    return Finding(
        code="doses-to-repeat",
        severity=Severity.INFO,
        when=When.NEXT_VISIT,
        summary=sentences.to_repeat([(words.group(row.standing.group), row.dose.date) for row in rows]),
        reasons=tuple(reasons.values()),
        focus=tuple(row.dose.id for row in rows if row.dose.id),
    )


# -- what could not be used ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Unused:
    """An entry of the record that was not used, as it is written, and why."""

    ref: str
    label: Text
    why: Text


def unused_entries(found: Assessed) -> Iterator[Unused]:
    """The doses of a record that were not counted."""
    given = {each.ref: each for each in found.record.immunizations()}
    for row in found.uncounted:
        label = _written(given[row.ref]) if row.ref in given else Text.same(row.vaccine or "–")
        yield Unused(row.ref, label, row.text)


def _written(entry: Immunization) -> Text:
    name = (entry.concept.text or next((c.display or c.code for c in entry.concept.codings), "") or "–")[:60]
    if entry.date is None:
        return Text(f"{name}, sans date", f"{name}, undated")
    return Text(f"{name}, {entry.date.written[:10]}", f"{name}, {entry.date.written[:10]}")


def _unused(rows: Sequence[Unused]) -> Finding:
    return Finding(
        code="doses-not-used",
        severity=Severity.INFO,
        when=When.NEXT_VISIT,
        summary=sentences.not_used([row.label for row in rows]),
        missing=tuple(Missing(f"dose:{i}", row.label, row.why) for i, row in enumerate(rows)),
        focus=tuple(row.ref for row in rows),
    )


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def assessed(record: Record, schedule: Schedule, on: dt.date, maps: Maps = NO_MAPS) -> Assessed | Issue:
    """Everything findings need; the issue when the record has no whole birth date."""
    from lab39.solutions.vaccination.reading import read_patient

    known = read_patient(record, schedule, on, maps)
    if known.patient is None:
        return known.issues[0]
    result = run(schedule, known.patient, on)
    return Assessed(record, schedule, known.patient, known.issues, result, known.uncounted, known.noted)
