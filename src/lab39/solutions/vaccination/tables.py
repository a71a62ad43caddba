"""Plans, trials, recalls and coverage on a terminal (Rich)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from rich.console import Console
from rich.table import Table

from lab39.core.dates import completed_years
from lab39.core.text import Lang, Text, date, percent
from lab39.fhir.outputs import COLON
from lab39.solutions.vaccination import differing, words
from lab39.solutions.vaccination.coverage import Cell, Coverage
from lab39.solutions.vaccination.covering import LeftOut
from lab39.solutions.vaccination.model import Schedule
from lab39.solutions.vaccination.outcome import GroupForecast
from lab39.solutions.vaccination.plan import MISSED, Plan, PlannedDose
from lab39.solutions.vaccination.recalls import Recall, Receipt
from lab39.solutions.vaccination.whatif import WhatIf

_GOALS = {
    "visits": Text("le moins de visites", "fewest visits"),
    "injections": Text("le moins d'injections", "fewest injections"),
    "earliest": Text("au plus tôt", "as early as possible"),
}
_NEAR = {
    "same": Text("", ""),
    "look-alike": Text("caractères ressemblants", "look-alike characters"),
    "longer": Text("plus long ou plus court", "longer or shorter"),
    "one character": Text("un caractère de différence", "one character differs"),
}
_LIVE = Text(
    "* Vaccin vivant\u202f: s'assurer qu'il n'y a ni immunodépression ni grossesse.",
    "* Live vaccine: make sure that there is neither immunosuppression nor pregnancy.",
)
_TO_CHECK = Text(
    "† Âge hors de l'autorisation telle qu'elle est connue ici, non vérifiée\u202f: lire la notice.",
    "† Age outside the licence as it is known here, not verified: read the leaflet.",
)
_ALL_YEARS = Text("toutes", "all")


def plan(console: Console, found: Plan, birth: dt.date, lang: Lang) -> None:
    """One line a dose, under its visit."""
    count = len(found.visits)
    goal, doses, one, only = _GOALS[found.wishes.goal], found.injections, count < 2, found.injections < 2
    title = Text(
        f"{goal.fr}\u202f: {count} visite{'' if one else 's'}, {doses} dose{'' if only else 's'} "
        f"jusqu'au {date(found.until, 'fr')}",
        f"{goal.en}: {count} visit{'' if count == 1 else 's'}, {doses} dose{'' if doses == 1 else 's'} "
        f"until {date(found.until, 'en')}",
    )
    _line(console, title[lang], "bold")
    table = _table(
        Text("Jour", "Day"), Text("Âge", "Age"), Text("Vaccin", "Vaccine"), Text("Pour", "For"), lang=lang
    )
    for visit in found.visits:
        for i, dose in enumerate(visit.doses):
            serves = ", ".join(
                words.group(s.group)[lang] + (f" {s.number}" if s.number is not None else "") for s in dose.serves
            )
            first = (date(visit.date, lang), _age(birth, visit.date, lang)) if i == 0 else ("", "")
            table.add_row(*first, f"{dose.name} ({dose.code}){_marks(dose)}", serves)
    if found.visits:
        console.print(table)
    if any(dose.live for visit in found.visits for dose in visit.doses):
        _line(console, _LIVE[lang])
    if any(dose.to_check for visit in found.visits for dose in visit.doses):
        _line(console, _TO_CHECK[lang])
    if found.left_out:
        rows = words.joined([_left_out(each) for each in found.left_out], "\u202f; ")
        head = Text(f"Produits laissés de côté\u202f: {rows.fr}.", f"Products left out: {rows.en}.")
        _line(console, head[lang], "dim")
    for asked in found.to_ask:
        _line(console, f"{words.capital(asked.name)[lang]}{COLON[lang]}{asked.consequence[lang]}.", "bold")
    for each in found.left:
        said = (_LEFT.get(each.reason) or words.reason(each.reason))[lang]
        _line(console, f"{words.group(each.group)[lang]}: {said}" if lang == "en" else
              f"{words.group(each.group)[lang]}\u202f: {said}")  # fmt: skip
    if not found.exhaustive:
        _line(console, Text("Meilleur plan trouvé, sans preuve qu'il n'en est pas de plus court.",
                            "Best plan found, without proof that none is shorter.")[lang], "dim")  # fmt: skip
    console.print()


_LEFT = {
    "no product": Text("aucun vaccin possible", "no vaccine possible"),
    MISSED: Text("dû, mais aucune visite de ce plan à temps", "due, but no visit of this plan in time"),
}


def _left_out(each: LeftOut) -> Text:
    begin, end = ([differing.duration(age)] if age else [] for age in each.ages)
    ages = words.joined(
        [
            *(Text(f"dès {age.fr}", f"from {age.en}") for age in begin),
            *(Text(f"avant {age.fr}", f"before {age.en}") for age in end),
        ]
    )
    why = {
        "age": Text(f"autorisé {ages.fr}", f"licensed {ages.en}"),
        "licence": Text(f"autorisation à vérifier, {ages.fr}", f"licence to be checked, {ages.en}"),
        "contraindicated": Text("contre-indiqué", "contraindicated"),
    }[each.why]
    return Text(f"{each.name} ({why.fr})", f"{each.name} ({why.en})")


def _marks(dose: PlannedDose) -> str:
    return (" *" if dose.live else "") + (" †" if dose.to_check else "")


def what_if(console: Console, found: WhatIf, schedule: Schedule, lang: Lang) -> None:
    """The verdict, then what is not the same afterwards."""
    name = schedule.vaccine_names.get(found.dose.code) or found.dose.code
    _line(console, f"{name} ({found.dose.code}), {date(found.dose.date, lang)}", "bold")
    for why in found.forbidden:
        _line(console, Text(f"  contre-indiqué\u202f: {why.fr}", f"  contraindicated: {why.en}")[lang], "bold")
    for why in found.to_ask:
        _line(
            console, Text(f"  à demander d'abord\u202f: {why.fr}", f"  to be asked first: {why.en}")[lang], "bold"
        )
    if found.unnamed:
        _line(console, f"  {words.UNNAMED[lang]}", "bold")
    for each in found.verdicts:
        reasons = ", ".join(words.reason(reason)[lang] for reason in each.reasons)
        status = words.status(str(each.status))[lang]
        _line(console, f"  {words.group(each.group)[lang]}  {status}" + (f" ({reasons})" if reasons else ""))
    if not found.verdicts:
        _line(
            console,
            Text(
                "  pas recommandé à cette personne par ce calendrier\u202f: la dose ne serait pas jugée",
                "  not recommended to this person by this schedule: the dose would not be judged",
            )[lang],
        )
    for dose in found.harmed:
        name, when = schedule.vaccine_names.get(dose.code) or dose.code, dose.date
        _line(
            console,
            Text(
                f"  {name} du {date(when, 'fr')} ne compterait plus",
                f"  {name} of {date(when, 'en')} would no longer count",
            )[lang],
            "bold",
        )
    for change in found.changes:
        _line(
            console,
            f"  {words.group(change.group)[lang]}  {_state(change.before, lang)} → {_state(change.after, lang)}",
        )


def recall(console: Console, found: Recall, lang: Lang) -> None:
    """Who received it, then what to check by hand."""
    n, of, seen = len(found.found), found.doses, found.records
    title = Text(
        f"Lot {found.lot}\u202f: {n} dose{'s' if n > 1 else ''}, "
        f"sur {of} de {seen} dossier{'s' if seen > 1 else ''}",
        f"Lot {found.lot}: {n} dose{'' if n == 1 else 's'}, of {of} in {seen} record{'' if seen == 1 else 's'}",
    )
    _line(console, title[lang], "bold")
    _receipts(console, found.found, lang)
    if found.near:
        _line(console, Text("À vérifier à la main", "To check by hand")[lang], "bold")
        _receipts(console, found.near, lang)
    if found.no_lot:
        one = Text("1 dose sans lot au dossier\u202f: rien ne l'écarte.",
                   "1 dose without a lot on record: nothing rules it out.")  # fmt: skip
        many = Text(
            f"{found.no_lot} doses sans lot au dossier\u202f: rien ne les écarte.",
            f"{found.no_lot} doses without a lot on record: nothing rules them out.",
        )
        _line(console, (one if found.no_lot == 1 else many)[lang])


def coverage(console: Console, found: Coverage, lang: Lang) -> None:
    """One line a vaccine group and birth year."""
    missed = any(each.missed for each in found.totals())
    table = _table(
        Text("Vaccin", "Vaccine"),
        Text("Naissance", "Born"),
        Text("Personnes", "Persons"),
        Text("À jour", "Covered"),
        Text("Complets", "Complete"),
        Text("À faire", "Due"),
        Text("En retard", "Late"),
        *([Text("Campagne passée", "Campaign over")] if missed else []),
        Text("Couverture", "Coverage"),
        lang=lang,
    )
    cells: dict[str, list[Cell]] = {}
    for each in (*found.totals(), *found.cells()):
        if each.persons:
            cells.setdefault(each.group, []).append(each)
    for group, rows in cells.items():
        for each in rows:
            table.add_row(
                words.group(group)[lang] if each.year == 0 else "",
                _ALL_YEARS[lang] if each.year == 0 else str(each.year),
                *(str(n) for n in (each.persons, each.covered, each.complete, each.due, each.late)),
                *([str(each.missed)] if missed else []),
                percent(each.share, lang) if each.share is not None else "–",
            )
    console.print(table)
    for one, many, number in _beside(found):
        said = one if number == 1 else many
        _line(console, f"{number} {said[lang]}")


def _beside(found: Coverage) -> Iterator[tuple[Text, Text, int]]:
    """What is counted under the table, in the singular and in the plural; what is none is left out, save late."""
    rows = (
        (Text("dossier lu", "record read"), Text("dossiers lus", "records read"), found.records),
        (
            Text("personne en retard", "person late"), Text("personnes en retard", "persons late"),
            len({each.record for each in found.calls}),
        ),
        (
            Text("dossier sans date de naissance utilisable, dans aucune case",
                 "record without a usable birth date, in no cell"),
            Text("dossiers sans date de naissance utilisable, dans aucune case",
                 "records without a usable birth date, in no cell"),
            found.unread,
        ),
        (
            Text("dossier dont l'identifiant revient, compté chaque fois",
                 "record whose identifier comes back, counted each time"),
            Text("dossiers dont l'identifiant revient, comptés chaque fois",
                 "records whose identifier comes back, counted each time"),
            found.repeated,
        ),
        (
            Text("personne décédée, laissée de côté", "person who has died, left out"),
            Text("personnes décédées, laissées de côté", "persons who have died, left out"),
            found.deceased,
        ),
    )  # fmt: skip
    yield from (row for place, row in enumerate(rows) if row[2] or place < 2)


def _receipts(console: Console, rows: tuple[Receipt, ...], lang: Lang) -> None:
    if not rows:
        return
    table = _table(
        Text("Date", "Date"), Text("Dossier", "Record"), Text("Nom", "Name"), Text("Naissance", "Born"),
        Text("Vaccin", "Vaccine"), Text("Lot écrit", "Lot as written"), Text("", ""), lang=lang,
    )  # fmt: skip
    for each in rows:
        table.add_row(each.date, each.record, each.name, each.birth, each.vaccine, each.lot, _NEAR[each.near][lang])
    console.print(table)


def _state(forecast: GroupForecast | None, lang: Lang) -> str:
    if forecast is None:
        return "–"
    said = words.status(str(forecast.status))[lang]
    if forecast.number is not None:
        said += f", dose {forecast.number}"
    if forecast.recommended is not None:
        said += f", {date(forecast.recommended, lang)}"
    return said


def _age(birth: dt.date, day: dt.date, lang: Lang) -> str:
    """Months before two years, then years."""
    months = (day.year - birth.year) * 12 + day.month - birth.month - (day.day < birth.day)
    if months < 24:
        return f"{months} mois" if lang == "fr" else f"{months} mo"
    years = completed_years(birth, day)
    return f"{years} ans" if lang == "fr" else f"{years} y"


def _table(*heads: Text, lang: Lang) -> Table:
    table = Table(box=None, pad_edge=False)
    for head in heads:
        table.add_column(head[lang])
    return table


def _line(console: Console, text: str, style: str = "") -> None:
    console.print(text, markup=False, highlight=False, soft_wrap=True, style=style)
