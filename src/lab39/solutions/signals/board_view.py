"""What the pages of the board show of a signal: its history in words, what moved, who wrote."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from lab39.core.context import WorkContext
from lab39.core.errors import LabError, UnknownNameError
from lab39.core.text import NO_TEXT, Text
from lab39.solutions.signals import board, board_figures, board_store, causality, telling
from lab39.solutions.signals.board import Entry
from lab39.solutions.signals.board_figures import Comparison, Figures
from lab39.solutions.signals.board_store import Signal
from lab39.solutions.signals.figures import figure
from lab39.store import audit, people

_KINDS: Mapping[str, Text] = {
    board.OPENED: Text("ouvert", "opened"),
    board.COMMENT: Text("commentaire", "comment"),
    board.CASE: Text("imputabilité d'un cas", "causality of a case"),
    board.FIGURES: Text("chiffres notés", "figures noted"),
}
ERASED = Text("compte effacé", "erased account")


@dataclass(frozen=True, slots=True)
class Line:
    """One entry, in words.

    Attributes:
        who: the name of its author; that the account was erased, otherwise.
        said: priority, conclusion, recommendations, in words.
        case: of a form: the case, the scale, the result.
        figures: of that day, when the entry keeps them.
        signed: the audit log holds the digest of exactly this.
    """

    entry: Entry
    title: Text
    who: Text
    said: tuple[Text, ...]
    case: CaseForm | None
    figures: Figures | None
    signed: bool


@dataclass(frozen=True, slots=True)
class CaseForm:
    """The causality of one case, as it was assessed."""

    case: str
    naranjo: causality.Naranjo | None
    who_umc: causality.Category | None

    @property
    def differ(self) -> Text | None:
        """See :func:`causality.differ`."""
        return causality.differ(self.naranjo, self.who_umc)


@dataclass(frozen=True, slots=True)
class Assessed:
    """One case, both methods side by side.

    Attributes:
        naranjo: the last form that answers Naranjo's questions; ``who_umc`` the last one that chooses a category.
        forms: how many were kept of this case; the others are in the history.
    """

    case: str
    naranjo: Line | None
    who_umc: Line | None
    forms: int

    @property
    def form(self) -> CaseForm:
        """The two as one form."""
        scored = self.naranjo.case.naranjo if self.naranjo and self.naranjo.case else None
        chosen = self.who_umc.case.who_umc if self.who_umc and self.who_umc.case else None
        return CaseForm(self.case, scored, chosen)


@dataclass(frozen=True, slots=True)
class Opened:
    """A signal with everything its page shows.

    Attributes:
        at_opening: the figures it was opened with; ``None`` when it was opened without a run.
        now: what moved since, in the newest run; ``None`` when there is none other.
        why_not: why nothing can be compared.
    """

    signal: Signal
    lines: tuple[Line, ...]
    at_opening: Figures | None
    now: Comparison | None
    why_not: Text

    @property
    def state(self) -> board.State:
        """Where it stands."""
        return board.state(self.signal.state)

    @property
    def moves(self) -> tuple[board.Move, ...]:
        """What may be decided."""
        return board.moves_from(self.signal.state)

    @property
    def assessed(self) -> tuple[Assessed, ...]:
        """Each case once, with the last form of each method, in the order of their first forms."""
        forms: dict[str, list[Line]] = {}
        for each in self.cases:
            assert each.case is not None
            forms.setdefault(each.case.case, []).append(each)
        return tuple(
            Assessed(
                name,
                next((each for each in reversed(lines) if each.case and each.case.naranjo), None),
                next((each for each in reversed(lines) if each.case and each.case.who_umc), None),
                len(lines),
            )
            for name, lines in forms.items()
        )

    @property
    def cases(self) -> tuple[Line, ...]:
        """The forms of cases, in order."""
        return tuple(each for each in self.lines if each.case is not None)


def opened(ctx: WorkContext, signal: str) -> Opened:
    """A signal with its history, and what moved since.

    Raises:
        UnknownSignalError
    """
    with ctx.reading() as tx:
        found = board_store.get(tx, signal)
        entries = board_store.history(tx, signal)
        names = names_of(tx, {each.by for each in entries})
        sealed = _sealed(tx, signal, len(entries))
    lines = tuple(
        _line(each, names[each.by], signed=sealed.get(each.number) == each.digest(signal)) for each in entries
    )
    before = next((each.figures for each in lines if each.figures is not None), None)
    now, why = moved(ctx, found, before)
    return Opened(found, lines, before, now, why)


def moved(ctx: WorkContext, signal: Signal, before: Figures | None) -> tuple[Comparison | None, Text]:
    """What moved since the figures of an entry, in the newest run; why it cannot be told otherwise."""
    try:
        run = board_figures.newest(ctx.packs)
    except (LabError, UnknownNameError) as error:
        return None, error.text
    if run is None:
        return None, Text(
            "aucune analyse importée ici\u202f: lab39 data import signals DOSSIER",
            "no run imported here: lab39 data import signals FOLDER",
        )
    if before is None:
        after = board_figures.figures(run, signal.drug, signal.event)
        empty = Figures("", "", found=False, values={}, countries=None)
        return board_figures.compare(empty, after), NO_TEXT
    if run.name == before.run and run.made.isoformat() == before.made:
        return None, Text(f"l'analyse la plus récente est encore {run.name}", f"the newest run is still {run.name}")
    return board_figures.compare(before, board_figures.figures(run, signal.drug, signal.event)), NO_TEXT


def names_of(tx: sa.Connection, persons: set[str]) -> dict[str, Text]:
    """How people are called; those who were erased lead to nobody."""
    found = {}
    for each in persons:
        known = people.get(tx, each)
        found[each] = ERASED if known.erased_at else Text.same(known.display_name)
    return found


def case_form(details: Mapping[str, Any]) -> CaseForm | None:
    """The form an entry keeps, scored again from its answers."""
    if "case" not in details:
        return None
    answers, code = details.get("naranjo"), details.get("who_umc")
    return CaseForm(
        details["case"],
        causality.naranjo(answers) if answers else None,
        causality.who_umc(code) if code else None,
    )


def said(details: Mapping[str, Any]) -> tuple[Text, ...]:
    """Codes of a decision in words."""
    found = []
    for kind, rows in board.workflow().choices.items():
        value = details.get(kind)
        codes = value if isinstance(value, list) else [value] if value else []
        found += [rows[code] if code in rows else Text.same(code) for code in codes]
    return tuple(found)


def title(kind: str) -> Text:
    """What an entry did, as a past participle."""
    moves = board.workflow().moves
    return moves[kind].done if kind in moves else _KINDS.get(kind, Text.same(kind))


def written(name: str, value: float | None, lang: Any) -> str:
    """A figure as its column shows it; empty when the run does not tell."""
    if value is None:
        return ""
    if name == "expected":
        return telling.awaited(value)[lang]
    return figure(value, lang, board_figures.NAMES[name][1])


def _line(entry: Entry, who: Text, *, signed: bool) -> Line:
    return Line(
        entry=entry,
        title=title(entry.kind),
        who=who,
        said=said(entry.details),
        case=case_form(entry.details),
        figures=Figures.of(entry.details),
        signed=signed,
    )


def _sealed(tx: sa.Connection, signal: str, many: int) -> dict[int, str]:
    """Digest of each entry in the audit log, by its number."""
    found = audit.entries(tx, subject=signal, limit=10 * many + 50)
    return {row.about["entry"]: row.about["sha256"] for row in reversed(found) if "sha256" in row.about}
