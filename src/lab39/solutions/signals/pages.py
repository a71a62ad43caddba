"""``/signals``: the ranked table of a run. What is asked stands in the address: it survives a restart."""

from __future__ import annotations

from typing import Any

from lab39.core.errors import InputError, LabError, UnknownNameError
from lab39.core.faces import Call, Download, Page, View
from lab39.core.text import Lang, Text, number
from lab39.solutions.signals import board_pages, choosing, pair_pages, ranking, report_pages, spreadsheet, telling
from lab39.solutions.signals.choosing import Chosen
from lab39.solutions.signals.figures import figure
from lab39.solutions.signals.ranking import Asked, Found


def table(call: Call) -> View:
    """The pairs of a run, the most disproportionate first, narrowed and sorted as the address says."""
    wrong: LabError | None = None
    asked = Asked(run=call.query.text("run")[:64])
    try:
        asked = ranking.read(call.query)
    except InputError as error:
        wrong = error
    try:
        chosen = choosing.chosen(call.ctx.packs, asked.run, call.on)
    except UnknownNameError as error:
        wrong, asked = error, Asked()
        chosen = choosing.chosen(call.ctx.packs, "", call.on)
    found = ranking.found(chosen.run, asked)
    return View(
        template="signals.html.jinja",
        part="signals_found.html.jinja",
        wrong=wrong,
        push=asked.address(page=min(asked.page, found.pages)) or "?" if wrong is None else "",
        values=_values(call, asked, chosen, found),
    )


def export(call: Call) -> Download:
    """The pairs that pass the filters, every column, for a spreadsheet."""
    asked = ranking.read(call.query)
    chosen = choosing.chosen(call.ctx.packs, asked.run, call.on)
    names, rows, _ = ranking.every(chosen.run, asked)
    synthetic = {"fr": "-synthetique", "en": "-synthetic"}[call.lang] if chosen.synthetic else ""
    return spreadsheet.download([names, *rows], f"signals-{chosen.run.name}{synthetic}.csv")


def _values(call: Call, asked: Asked, chosen: Chosen, found: Found) -> dict[str, Any]:
    return {
        "asked": asked,
        "chosen": chosen,
        "run": chosen.run,
        "found": found,
        "form": {
            name: call.query.text(name) for name in ("drug", "event", "least", "ic", "eb", "serious", "unknown")
        },
        "shown": lambda value, digits: _shown(value, digits, call.lang),
        "awaited": telling.awaited,
        "a_page": ranking.A_PAGE,
        "page": min(asked.page, found.pages),
        "exported": ranking.EXPORTED,
        "says": ranking.says,
        "sorted_by": found.sorted_by,
        "turned": lambda name: "" if name != found.sort or asked.order else ranking.REVERSED,
    }


def _shown(value: float | None, digits: int | None, lang: Lang) -> str | None:
    """A figure of the table, with a true minus sign; None stays so."""
    if value is None:
        return None
    return figure(value, lang, digits) if digits else number(value, lang, digits=digits).replace("-", "\u2212")


own_pages = (
    Page(
        path="",
        title=Text("Voir les signaux", "See the signals"),
        about=Text(
            "Les couples médicament-événement les plus disproportionnés, avec leurs chiffres et leurs cas",
            "The most disproportionate drug-event pairs, with their figures and their cases",
        ),
        handler=table,
        permission="showroom.see",
    ),
    Page(path="export", title=Text("Exporter", "Export"), handler=export, permission="showroom.see", listed=False),
)

pages = (*own_pages, *pair_pages.pages, *report_pages.pages, *board_pages.pages)
