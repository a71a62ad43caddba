"""``lab39 solutions`` and ``lab39 evidence``: what is installed, and what it is worth."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from lab39 import terminal
from lab39.core.errors import InputError, LabError, UnknownNameError
from lab39.core.evidence import EvidenceCard
from lab39.core.text import Text
from lab39.terminal import JsonOption

if TYPE_CHECKING:
    from lab39.core.solution import Solution


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(solutions)
    app.command()(evidence)


def solutions(json: JsonOption = False) -> None:
    """Les solutions installées. / The installed solutions."""
    lab = terminal.lab()
    rows: list[dict[str, Any]] = [
        {
            "id": each.id,
            "title": each.title,
            "purpose": each.purpose,
            "version": each.version,
            "packs": {spec.name: lab.packs.has(spec.name) for spec in each.packs()},
            "error": None,
        }
        for each in lab.solutions.values()
    ]
    rows += [{"id": name, "error": why} for name, why in lab.broken.items()]
    if json:
        terminal.emit({"solutions": rows})
        return
    from rich.table import Table

    lang = terminal.session().lang
    table = Table("id", "version", {"fr": "à quoi elle sert", "en": "what it is for"}[lang], "packs")
    for row in rows:
        if row["error"]:
            table.add_row(row["id"], "–", f"✗ {row['error']}", "–")
            continue
        packs = ", ".join(f"{name} {'✓' if there else '–'}" for name, there in row["packs"].items())
        table.add_row(row["id"], row["version"], f"{row['title'][lang]}. {row['purpose'][lang]}", packs or "–")
    terminal.out().print(table)


def evidence(
    name: Annotated[str | None, typer.Argument(metavar="[ID]", show_default=False)] = None,
    json: JsonOption = False,
) -> None:
    """Ce que valent les solutions, à côté de leurs pairs. / What they reach, beside their peers."""
    lab = terminal.lab()
    if name in lab.broken:
        raise UnknownNameError(Text.same(lab.broken[name]), name)
    chosen = [lab.solution(name)] if name else list(lab.solutions.values())
    cards = {each.id: _card(each) for each in chosen}
    unread = {key: found for key, found in cards.items() if isinstance(found, LabError)}
    if name in unread:
        raise unread[name]
    if json:
        rows = [{"id": s.id, "title": s.title, "card": None if s.id in unread else cards[s.id]} for s in chosen]
        terminal.emit({"evidence": rows})
    else:
        from lab39.render import console

        for each in chosen:
            if isinstance(shown := cards[each.id], EvidenceCard):
                console.card(terminal.out(), each.title, shown, terminal.session().lang)
    for error in unread.values():
        terminal.tell(error)


def _card(solution: Solution) -> EvidenceCard | LabError:
    """The card of one solution, or why it cannot be read: one bad card hides no other."""
    try:
        return solution.evidence()
    except Exception as error:
        why = f"{type(error).__name__}: {error}"
        return InputError(
            Text(f"fiche de preuve illisible\u202f: {why}", f"unreadable evidence card: {why}"), solution.id
        )


def show_solution(name: str) -> None:
    """What one solution is, for those that bring no command of their own."""
    each = terminal.lab(name).solution(name)
    lang = terminal.session().lang
    terminal.out().print(f"{each.title[lang]}. {each.purpose[lang]}", markup=False)
    terminal.out().print(f"lab39 assess … --only {name}", markup=False)
