"""Differences between schedules and counts over populations, on a terminal and as JSON."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from rich.console import Console

from lab39.core.errors import LabError
from lab39.core.finding import jsonable
from lab39.core.text import Lang, Text, date
from lab39.fhir.jsontext import dumps
from lab39.fhir.outputs import COLON
from lab39.solutions.vaccination import words
from lab39.solutions.vaccination.differences import Change
from lab39.solutions.vaccination.model import Schedule
from lab39.solutions.vaccination.population import Concerned, Records, Summary, Totals

MAX_LINES = 20
"""Of one kind of change, under one vaccine group; the whole is in the JSON."""
_EVERY = Text("Tout le calendrier", "The whole schedule")
_DECEASED = Text("personnes décédées, laissées de côté", "persons who have died, left out")
_NOTHING = Text("Aucune différence", "No difference")


def changes_dict(old: Schedule, new: Schedule, found: Sequence[Change]) -> dict[str, Any]:
    """What changed, counted by kind."""
    return {
        "before": {"schedule": old.name, "edition": old.version},
        "after": {"schedule": new.name, "edition": new.version},
        "n": len(found),
        "counts": dict(Counter(each.kind for each in found)),
        "changes": [each.as_dict() for each in found],
    }


def changes(console: Console, old: Schedule, new: Schedule, found: Sequence[Change], lang: Lang) -> None:
    """One line a change, under its vaccine group and its series."""
    _print(console, f"{old.name} {old.version} → {new.name} {new.version}", bold=True)
    if not found:
        _print(console, _NOTHING[lang])
    for group, rows in groupby(found, key=lambda each: each.group):
        title = words.group(group)[lang] if group else _EVERY[lang]
        _print(console, f"\n{title[:1].upper()}{title[1:]}", bold=True)
        shown: Counter[str] = Counter()
        for each in rows:
            shown[each.kind] += 1
            if shown[each.kind] <= MAX_LINES:
                _print(console, f"  {_series(each, lang)}{each.text[lang]}")
        more = sum(max(0, number - MAX_LINES) for number in shown.values())
        if more:
            rest = Text(f"… et {more} autres, toutes avec --json", f"… and {more} more, all of them with --json")
            _print(console, f"  {rest[lang]}")


def _series(change: Change, lang: Lang) -> str:
    """The name of a series before what is said of it; titles in words have colons of their own."""
    title = change.title[lang] or change.series
    return f"{title}{COLON[lang] if title == change.series else ' – '}" if change.series else ""


def people(console: Console, found: Iterable[Concerned], on: dt.date, lang: Lang) -> None:
    """For whom it changes: counts, and the first records of each."""
    totals = Totals()
    for each in found:
        totals.add(each)
    n, of = totals.concerned, totals.records
    concerned = "personne concernée" if n < 2 else "personnes concernées"
    head = Text(
        f"{n} {concerned} sur {of} au {date(on, 'fr')}",
        f"{n} {'person' if n == 1 else 'people'} concerned out of {of} on {date(on, 'en')}",
    )
    _print(console, "\n" + head[lang], bold=True)
    if totals.not_evaluated:
        told = Text("sans date de naissance complète, non évaluées", "without a whole birth date, not evaluated")
        _print(console, f"  {totals.not_evaluated} {told[lang]}")
    if totals.deceased:
        _print(console, f"  {totals.deceased} {_DECEASED[lang]}")
    titles = {"becomes": Text("devient dû", "becomes due"), "ceases": Text("n'est plus dû", "is no longer due")}
    for kind, counts in (("becomes", totals.becomes), ("ceases", totals.ceases)):
        for group, number in counts.most_common():
            named = totals.examples[kind, group]
            listed = ", ".join(named) + ("…" if number > len(named) else "")
            title = f"{words.group(group)[lang]}, {titles[kind][lang]}"
            _print(console, f"  {title}{COLON[lang]}{number} ({listed})")
    if totals.verdicts:
        said = Text("doses jugées autrement", "doses judged otherwise")
        if totals.verdicts == 1:
            said = Text("dose jugée autrement", "dose judged otherwise")
        _print(console, f"  {totals.verdicts} {said[lang]} ({', '.join(totals.examples['verdict', ''])})")


def people_json(
    old: Schedule, new: Schedule, found: Sequence[Change], seen: Iterable[Concerned], records: Records, on: dt.date
) -> Iterator[str]:
    """One JSON document in pieces, those concerned as they are found: memory stays flat on a population."""
    head = dumps(jsonable(changes_dict(old, new, found)))
    yield f'{head.rstrip()[:-1]},\n"population": {{"on": "{on.isoformat()}", "people": ['
    totals, separator = Totals(), "\n"
    for each in seen:
        totals.add(each)
        if each.changed:
            yield f"{separator}{dumps(jsonable(each.as_dict())).strip()}"
            separator = ",\n"
    rest = {**totals.as_dict(), "failed": [error.say("en") for error in records.failed]}
    yield f"\n], {dumps(rest).strip()[1:]}}}\n"


def summary_dict(schedule: Schedule, on: dt.date, found: Summary, failed: Sequence[LabError]) -> Mapping[str, Any]:
    """Counts over a population; every line that could not be read is named."""
    return {
        "schedule": schedule.name,
        "edition": schedule.version,
        "on": on,
        **found.as_dict(),
        "failed": [error.say("en") for error in failed],
    }


def summary(console: Console, found: Summary, on: dt.date, lang: Lang) -> None:
    """Counts over a population."""
    head = Text(
        f"{found.records} dossiers au {date(on, 'fr')}, {found.doses} doses évaluées",
        f"{found.records} records on {date(on, 'en')}, {found.doses} doses evaluated",
    )
    _print(console, head[lang], bold=True)
    if found.uncounted:
        told = Text("doses non comptées", "doses not counted")
        _print(console, f"  {found.uncounted} {told[lang]}")
    if found.not_evaluated:
        told = Text("dossiers sans date de naissance complète", "records without a whole birth date")
        _print(console, f"  {found.not_evaluated} {told[lang]}")
    if found.deceased:
        _print(console, f"  {found.deceased} {_DECEASED[lang]}")
    late = Text("en retard", "past due")
    for group, number in found.due.most_common():
        behind = found.past_due[group]
        more = f" ({behind} {late[lang]})" if behind else ""
        _print(console, f"  {words.group(group)[lang]}{COLON[lang]}{number}{more}")


def _print(console: Console, line: str, bold: bool = False) -> None:
    console.print(line, markup=False, highlight=False, soft_wrap=True, style="bold" if bold else None)
