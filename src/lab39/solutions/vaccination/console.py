"""Dues, traces and conformance on a terminal (Rich)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from lab39.core.text import Lang, Text, date, number
from lab39.fhir.outputs import COLON
from lab39.solutions.vaccination import asking, remarks, repeats, told, words
from lab39.solutions.vaccination.explaining import explained
from lab39.solutions.vaccination.model import Schedule
from lab39.solutions.vaccination.outcome import GroupForecast, Patient, Result
from lab39.solutions.vaccination.standing import standings
from lab39.solutions.vaccination.verdicts import verdict

_HEADS = (
    Text("Groupe", "Group"),
    Text("Statut", "Status"),
    Text("Dose", "Dose"),
    Text("Au plus tôt", "Earliest"),
    Text("Recommandé", "Recommended"),
    Text("En retard", "Past due"),
)
_DOSE_HEADS = (
    Text("Date", "Date"),
    Text("Vaccin", "Vaccine"),
    Text("Verdict", "Verdict"),
    Text("Raison", "Reason"),
)


def due(console: Console, result: Result, patient: Patient, schedule: Schedule, lang: Lang) -> None:
    """One line a vaccine group, what is due first; then one line a dose."""
    table = _table(_HEADS, lang)
    for each in sorted(result.groups, key=lambda group: (group.recommended or dt.date.max, group.group)):
        mark = " ←" if told.is_due(each, result.on) else ""
        table.add_row(
            _named(words.group(each.group), lang) + mark,
            words.status(each.status)[lang],
            str(each.number or ""),
            _day(each.earliest, lang),
            _day(each.recommended, lang),
            _day(each.past_due, lang),
        )
    console.print(table)
    for asked in asking.questions(schedule, patient, result):
        console.print(f"{asked.name[lang]}{COLON[lang]}{asked.consequence[lang]}", highlight=False, soft_wrap=True)
    if patient.doses:
        doses = _table(_DOSE_HEADS, lang)
        stand = standings(result)
        for dose in sorted(patient.doses, key=lambda each: each.date):
            found = verdict(result, dose)
            use = repeats.had_its_use(schedule, patient, result, stand, dose)
            doses.add_row(
                _day(dose.date, lang),
                f"{words.vaccine(schedule, dose.code)[lang]} ({dose.code})",
                (use or words.status(found.status))[lang] if found else "–",
                ", ".join(words.reason(each)[lang] for each in found.reasons) if found else "",
            )
        console.print(doses)
    told_beside(console, remarks.beside(schedule, patient, result), lang)
    label = {"fr": "Calendrier\u202f:", "en": "Schedule:"}[lang]
    console.print(f"{label} {schedule.name} {schedule.version}", highlight=False)


def told_beside(console: Console, lines: Sequence[Text], lang: Lang) -> None:
    """What goes with the doses, a line each."""
    for each in lines:
        console.print(each[lang], markup=False, highlight=False, soft_wrap=True)


def why(console: Console, forecast: GroupForecast, schedule: Schedule, lang: Lang) -> None:
    """Every decision of one vaccine group in words: what was decided, by which rule, from what."""
    title = f"{_named(words.group(forecast.group), lang)}, {words.status(forecast.status)[lang]}"
    console.print(title, markup=False, highlight=False, style="bold")
    for series in explained(forecast, schedule):
        if series.name:
            head = f"{_named(series.antigen, lang)}, {series.status[lang]} ({series.name})"
            console.print(f"\n{head}", markup=False, highlight=False, style="bold")
        for line in series.rule:
            console.print(f" {line[lang]}", markup=False, highlight=False, soft_wrap=True)
        for part in series.parts:
            conclusion = f", {part.conclusion[lang]}" if part.conclusion[lang] else ""
            console.print(f" {part.title[lang]}{conclusion}", markup=False, highlight=False)
            for row in part.decisions:
                inputs = ", ".join(f"{name[lang]} {value[lang]}".strip() for name, value in row.inputs)
                console.print(
                    f"  {row.rule}  {row.says[lang]} → {row.outcome[lang]}" + (f"  ({inputs})" if inputs else ""),
                    markup=False,
                    highlight=False,
                    soft_wrap=True,
                )


def conformance(console: Console, found: Mapping[str, Any], lang: Lang) -> None:
    """Figures first, then one line a failure."""
    head = Text("réussis", "passed")
    console.print(
        f"{found['passed']} / {found['n']} {head[lang]} ({_share(found['rate'], lang)})",
        markup=False,
        highlight=False,
    )
    for name in ("doses", "reasons"):
        row = found[name]
        if row["n"]:
            console.print(f"{name}: {row['passed']} / {row['n']}", markup=False, highlight=False)
    for row in found["failures"]:
        ruling = row["adjudication"]
        says = f"{ruling['rule']}: {ruling['says'][lang]}" if ruling else ", ".join(row["rules"])
        console.print(
            f"{row['id']}  {', '.join(row['wrong'])}  {says}", markup=False, highlight=False, soft_wrap=True
        )


def _named(name: Text, lang: Lang) -> str:
    return name[lang][:1].upper() + name[lang][1:]


def _table(heads: tuple[Text, ...], lang: Lang) -> Table:
    table = Table(box=None, pad_edge=False)
    for head in heads:
        table.add_column(head[lang])
    return table


def _day(day: dt.date | None, lang: Lang) -> str:
    return date(day, lang) if day else ""


def _share(rate: float, lang: Lang) -> str:
    return number(100 * rate, lang, digits=1) + ("\u202f%" if lang == "fr" else "%")
