"""Sentences for people: what to do, from when, why a dose does not count. No term of the method is left in them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from lab39.core.finding import SUMMARY_MAX
from lab39.core.text import LANGS, NO_TEXT, Text, date
from lab39.solutions.vaccination import words
from lab39.solutions.vaccination.authored import Season
from lab39.solutions.vaccination.model import Schedule
from lab39.solutions.vaccination.outcome import Dose, GroupForecast
from lab39.solutions.vaccination.standing import Kind, Standing

LONG_AGO_DAYS = 3 * 365
"""A date that passed longer ago tells a reader nothing: the dose is to catch up."""


def day(value: dt.date) -> Text:
    """A date in both languages."""
    return Text(date(value, "fr"), date(value, "en"))


def fitting(before: Text, names: Sequence[Text]) -> Text:
    """A summary that lists as many names as its length allows, and counts the others."""
    return Text(*(_fit(before[lang], [each[lang] for each in names], lang) for lang in LANGS))


def _fit(before: str, names: Sequence[str], lang: str) -> str:
    for shown in range(len(names), 0, -1):
        rest = len(names) - shown
        more = (
            (f" et {rest} autre{'s' if rest > 1 else ''}" if lang == "fr" else f" and {rest} more") if rest else ""
        )
        whole = before + ", ".join(names[:shown]) + more
        if len(whole) < SUMMARY_MAX:
            return whole
    return before + str(len(names))


def by_whom(schedule: str) -> Text:
    """The schedule, in brackets, unless it is the one that readers expect."""
    if schedule == words.OWN:
        return Text("", "")
    title = words.schedule_title(schedule)
    return Text(f" ({title.fr})", f" ({title.en})")


def to_give(groups: Sequence[Text], schedule: str, until: Text = NO_TEXT) -> Text:
    """The summary of what is due; ``until`` is what the doses wait for."""
    tag = by_whom(schedule)
    if until.fr:
        before = Text(f"Dus, à faire {until.fr}{tag.fr}\u202f: ", f"Due, to give {until.en}{tag.en}: ")
        return fitting(before, groups)
    return fitting(Text(f"À faire maintenant{tag.fr}\u202f: ", f"To give now{tag.en}: "), groups)


def nothing_due(following: Sequence[Standing], schedule: str) -> Text:
    """The summary when nothing is due, with what comes next."""
    tag = by_whom(schedule)
    if not following or following[0].forecast.recommended is None:
        return Text(f"Aucun vaccin à faire ni à venir{tag.fr}", f"No vaccine to give, now or later{tag.en}")
    group, when = words.group(following[0].group), day(following[0].forecast.recommended)
    return Text(
        f"Aucun vaccin à faire aujourd'hui{tag.fr}. Prochain\u202f: {group.fr}, à partir du {when.fr}",
        f"No vaccine due today{tag.en}. Next: {group.en}, from {when.en}",
    )


def inside(rows: Sequence[Standing], following: Sequence[Standing], until: Text = NO_TEXT) -> Text:
    """Under the summary: every group that is due, and what comes next."""
    names = words.joined([words.group(each.group) for each in rows])
    then = Text(f" {until.fr}", f" {until.en}") if until.fr else NO_TEXT
    says = Text(f"À faire{then.fr}\u202f: {names.fr}.", f"To give{then.en}: {names.en}.")
    if not following or following[0].forecast.recommended is None:
        return says
    group, when = words.group(following[0].group), day(following[0].forecast.recommended)
    return Text(
        f"{says.fr} Ensuite\u202f: {group.fr}, à partir du {when.fr}.",
        f"{says.en} Next: {group.en}, from {when.en}.",
    )


def group_line(each: Standing, on: dt.date, until: Text = NO_TEXT) -> Text:
    """One vaccine group in a sentence; ``until`` is what every dose waits for."""
    name, says = words.capital(words.group(each.group)), state(each.forecast, each.kind, on, until)
    return Text(f"{name.fr}\u202f: {says.fr}.", f"{name.en}: {says.en}.")


def state(forecast: GroupForecast, kind: Kind, on: dt.date, until: Text = NO_TEXT) -> Text:
    """What a group asks for, and from when; ``until`` is what every dose waits for."""
    number = f"dose {forecast.number}, " if forecast.number and forecast.number > 1 else ""
    dated = day(forecast.recommended) if forecast.recommended else Text("", "")
    if kind in (Kind.OVERDUE, Kind.DUE):
        return _now(forecast, kind, on, number, until)
    if kind is Kind.UNDATED:
        return Text(f"{number}à faire, date à préciser", f"{number}to give, date to be made precise")
    if kind is Kind.POSSIBLE:
        return Text(
            f"{number}à partir du {dated.fr}\u202f; possible {until.fr or 'dès maintenant'}",
            f"{number}from {dated.en}; possible {until.en or 'now'}",
        )
    if kind is Kind.OPTIONAL:
        return Text(f"{number}peut être proposé", f"{number}may be offered")
    if kind is Kind.LATER:
        return Text(f"{number}à partir du {dated.fr}", f"{number}from {dated.en}")
    if forecast.reasons:
        return words.joined([words.reason(each) for each in forecast.reasons])
    return words.status(forecast.status)


def _now(forecast: GroupForecast, kind: Kind, on: dt.date, number: str, until: Text) -> Text:
    """What is due, and since when, unless that is long ago.

    Who is concerned by a situation (a disease, a place) may be so since yesterday: nothing is said to be caught up.
    """
    since = forecast.past_due if kind is Kind.OVERDUE else forecast.recommended
    assert since is not None
    then = until if until.fr else Text("maintenant", "now")
    says, when = Text(f"{number}à faire {then.fr}", f"{number}give {then.en}"), day(since)
    for_a_situation = any(each.series.type == "Risk" for each in forecast.series)
    if (on - since).days > LONG_AGO_DAYS:
        late = kind is Kind.OVERDUE and not for_a_situation
        return Text(f"{says.fr}, en rattrapage", f"{says.en}, to catch up") if late else says
    if kind is Kind.OVERDUE:
        return Text(f"{says.fr}, en retard depuis le {when.fr}", f"{says.en}, overdue since {when.en}")
    if since == on:
        return says
    return Text(f"{says.fr}, recommandé depuis le {when.fr}", f"{says.en}, recommended since {when.en}")


def assumed(season: Season) -> Text:
    """A campaign whose dates were not published when the schedule was written."""
    start, end = day(season.start), day(season.end)
    return Text(
        f"{season.name}, du {start.fr} au {end.fr}\u202f: dates supposées d'après les années passées, à vérifier",
        f"{season.name}, {start.en} to {end.en}: dates assumed from past years, check them",
    )


def doubt(vaccines: Sequence[str]) -> Text:
    """That doses of the record may change it; empty when there are none."""
    if not vaccines:
        return NO_TEXT
    named = ", ".join(short[:60] for short in dict.fromkeys(vaccines))
    return Text(f"À vérifier\u202f: {named}, non compté.", f"To be checked: {named}, not counted.")


def does_not_count(schedule: Schedule, dose: Dose, reasons: Sequence[str]) -> Text:
    """Why a dose does not count."""
    name, when, why = (
        words.vaccine(schedule, dose.code),
        day(dose.date),
        words.joined([words.reason(each) for each in reasons]),
    )
    return Text(
        f"{name.fr} du {when.fr}\u202f: ne compte pas, {why.fr}.",
        f"{name.en} of {when.en}: does not count, {why.en}.",
    )


def to_repeat(rows: Sequence[tuple[Text, dt.date]]) -> Text:
    """The summary of the doses that do not count."""
    n = len(rows)
    before = Text(
        f"{n} doses ne comptent pas et restent à faire\u202f: " if n > 1 else "Une dose ne compte pas\u202f: ",
        f"{n} doses do not count and must be given again: " if n > 1 else "One dose does not count: ",
    )
    return fitting(before, [Text(f"{g.fr} du {date(d, 'fr')}", f"{g.en} of {date(d, 'en')}") for g, d in rows])


def not_used(labels: Sequence[Text]) -> Text:
    """The summary of what was not counted."""
    n = len(labels)
    before = Text(
        f"{n} vaccins du dossier à préciser, non comptés\u202f: " if n > 1
        else "Un vaccin du dossier à préciser, non compté\u202f: ",
        f"{n} vaccines of the record to be made precise, not counted: " if n > 1
        else "One vaccine of the record to be made precise, not counted: ",
    )  # fmt: skip
    return fitting(before, labels)
