"""What the page shows of a treatment beside the findings: names understood, a matrix, what would settle levels."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from lab39.core.finding import Report
from lab39.core.text import NO_TEXT, Lang, Text, number
from lab39.solutions.pharmacy import needs
from lab39.solutions.pharmacy.consultation import Consultation
from lab39.solutions.pharmacy.interactions import Pair
from lab39.solutions.pharmacy.medicines import Read
from lab39.solutions.pharmacy.model import Candidate, Interaction, Level, Line, Match, Need, Posology
from lab39.solutions.pharmacy.notes import PARTIAL, SEVERAL, once
from lab39.solutions.pharmacy.review import Review
from lab39.solutions.pharmacy.sentences import LEVELS

SIGNS = {Level.CI: "■", Level.AD: "▲", Level.PE: "◆", Level.APEC: "●"}
_PRODUCT = ("cip", "cip7", "cip13", "cis", "label", "brand", "beginning")
"""Ways to name a product and not its substance."""
MATRIX_MAX = 24
"""More lines than this make no readable matrix; the cards say the same."""


@dataclass(frozen=True, slots=True)
class Option:
    """One meaning to choose."""

    value: str
    label: str


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the form and what became of it.

    Attributes:
        state: ``found``, ``ambiguous`` or ``unknown``.
        detail: dose and route as they were understood.
    """

    number: int
    text: str
    state: str
    label: str = ""
    detail: Text = NO_TEXT
    notes: tuple[Text, ...] = ()
    options: tuple[Option, ...] = ()


@dataclass(frozen=True, slots=True)
class Cell:
    """Two medicines that interact."""

    level: str
    sign: str
    resolved: bool
    says: Text


@dataclass(frozen=True, slots=True)
class MatrixRow:
    """One medicine against those before it."""

    name: str
    cells: tuple[Cell | None, ...]


@dataclass(frozen=True, slots=True)
class Matrix:
    """The medicines that interact with another, each pair once."""

    names: tuple[str, ...]
    rows: tuple[MatrixRow, ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """Something that would settle a level: a fact of the person, or the dose of a line."""

    words: Text
    token: str = ""
    number: int = 0
    value: str = ""


@dataclass(frozen=True, slots=True)
class Key:
    """One level in the legend."""

    code: str
    sign: str
    words: Text


@dataclass(frozen=True, slots=True)
class Answer:
    """Everything under the form."""

    rows: tuple[Row, ...]
    report: Report
    headline: Text
    matrix: Matrix | None
    matrix_says: Text
    key: tuple[Key, ...]
    facts: tuple[Asked, ...]
    doses: tuple[Asked, ...]
    interactions: tuple[Interaction, ...]
    edition: str
    labels: Mapping[str, str]
    partial: Text = NO_TEXT

    def table(self, lang: Lang) -> Iterable[list[str]]:
        """One row an interaction, for a spreadsheet."""
        for each in self.interactions:
            asked = "; ".join(needs.in_words(n, self.labels)[lang] for n in each.needs)
            yield [
                _safe(each.a.name),
                _safe(each.b.name),
                each.level.value,
                _yes(each.resolved, lang),
                " ".join(level.value for level in each.possible),
                _safe(each.rule.mechanism),
                _safe(each.conduct),
                self.edition,
                str(each.rule.page or ""),
                asked,
            ]


def answer_of(asked: Consultation, found: Review, report: Report) -> Answer:
    """The page's view of a review."""
    numbers = _numbers(found)
    labels = {m.key: m.label for line in found.lines for m in line.moieties}
    interactions = found.checked.interactions
    pairs = found.checked.pairs
    facts = {
        need.token.removeprefix("fact:"): None
        for each in interactions
        for need in each.needs
        if need.token.startswith("fact:")
    }
    doses = {
        need.line: need
        for each in interactions
        for need in each.needs
        if need.token.startswith("dose-") and need.line is not None
    }
    shown = dict.fromkeys([*asked.facts, *facts])
    return Answer(
        rows=tuple(_row(i, each) for i, each in enumerate(found.read)),
        report=report,
        headline=_headline(pairs, len(found.lines)),
        matrix=_matrix(pairs, found.lines),
        matrix_says=_says(pairs),
        key=tuple(Key(level.value, SIGNS[level], LEVELS[level]) for level in Level),
        facts=tuple(
            Asked(needs.in_words(Need(f"fact:{token}")), token=token, value=_answered(asked, token))
            for token in shown
        ),
        doses=tuple(
            Asked(
                needs.in_words(need, labels),
                number=numbers[line],
                value=asked.doses.get(numbers[line], ""),
            )
            for line, need in doses.items()
        ),
        interactions=interactions,
        edition=found.opened.engine.edition,
        labels=labels,
        partial=PARTIAL if found.opened.names.catalogue.partial else NO_TEXT,
    )


def _numbers(found: Review) -> dict[int, int]:
    """Number of a treatment's line -> number of the line on the form."""
    understood = [i for i, each in enumerate(found.read) if each.line is not None]
    return dict(enumerate(understood))


def _row(at: int, each: Read) -> Row:
    resolution = each.resolution
    notes = tuple(note for note in once(resolution.notes) if note != SEVERAL)
    if resolution.match is Match.AMBIGUOUS:
        options = tuple(Option(_value(c), _label(c)) for c in resolution.candidates)
        return Row(at, each.words, "ambiguous", options=options, notes=notes)
    if resolution.found is None:
        return Row(at, each.words, "unknown", notes=notes)
    line = each.line
    detail = _detail(line) if line else NO_TEXT
    return Row(at, each.words, "found", _label(resolution.found), detail, notes)


def _value(candidate: Candidate) -> str:
    return candidate.product.cis if candidate.product else "+".join(m.key for m in candidate.moieties)


def _label(candidate: Candidate) -> str:
    substances = " + ".join(m.label for m in candidate.moieties)
    if candidate.product and candidate.how in _PRODUCT:
        return f"{candidate.product.label} ({substances})" if substances else candidate.product.label
    return substances or candidate.label


def _detail(line: Line) -> Text:
    dose = _dose(line.posology)
    parts = [dose] if dose else []
    return Text(", ".join(p.fr for p in parts), ", ".join(p.en for p in parts))


def _dose(posology: Posology) -> Text:
    """The dose as it was understood, the widest period first."""
    for mg, fr, en in (
        (posology.per_day_mg, "par jour", "a day"),
        (posology.per_week_mg, "par semaine", "a week"),
        (posology.per_intake_mg, "par prise", "an intake"),
    ):
        if mg is not None:
            return Text(f"{number(mg, 'fr')}\u202fmg {fr}", f"{number(mg, 'en')} mg {en}")
    return NO_TEXT


def _headline(pairs: tuple[Pair, ...], lines: int) -> Text:
    if not pairs:
        return Text(
            f"Aucune interaction trouvée entre {lines} médicament{'s' if lines > 1 else ''}",
            f"No interaction found between {lines} medicine{'s' if lines > 1 else ''}",
        )
    n = len(pairs)
    return Text(
        f"{n} paire{'s' if n > 1 else ''} en interaction parmi {lines} médicaments",
        f"{n} pair{'s' if n > 1 else ''} that interact{'s' if n == 1 else ''} among {lines} medicines",
    )


def _matrix(pairs: tuple[Pair, ...], lines: tuple[Line, ...]) -> Matrix | None:
    cells: dict[frozenset[int], Cell] = {}
    for pair in pairs:
        first = pair.gravest
        if first.a.line is None or first.b.line is None or first.a.line == first.b.line:
            continue
        cells.setdefault(frozenset((first.a.line, first.b.line)), _cell(first))
    involved = sorted({n for pair in cells for n in pair})
    if not involved or len(involved) > MATRIX_MAX:
        return None
    names = {n: _name(lines[n]) for n in involved}
    rows = tuple(
        MatrixRow(names[n], tuple(cells.get(frozenset((n, m))) for m in involved[:-1] if m < n))
        for n in involved[1:]
    )
    width = len(involved) - 1
    padded = tuple(MatrixRow(r.name, r.cells + (None,) * (width - len(r.cells))) for r in rows)
    return Matrix(tuple(names[n] for n in involved[:-1]), padded)


def _cell(first: Interaction) -> Cell:
    words = LEVELS[first.level]
    open_fr, open_en = ("", "") if first.resolved else (", non tranché", ", not settled")
    says = Text(
        f"{first.a.name} + {first.b.name}\u202f: {words.fr}{open_fr}",
        f"{first.a.name} + {first.b.name}: {words.en}{open_en}",
    )
    return Cell(first.level.value, SIGNS[first.level], first.resolved, says)


def _says(pairs: tuple[Pair, ...]) -> Text:
    """The message of the matrix in one sentence."""
    parts_fr, parts_en = [], []
    for level in Level:
        settled = sum(p.gravest.level is level and p.gravest.resolved for p in pairs)
        open_ = sum(p.gravest.level is level and not p.gravest.resolved for p in pairs)
        if settled:
            parts_fr.append(f"{LEVELS[level].fr}\u202f: {settled}")
            parts_en.append(f"{LEVELS[level].en}: {settled}")
        if open_:
            parts_fr.append(f"{LEVELS[level].fr} à confirmer\u202f: {open_}")
            parts_en.append(f"{LEVELS[level].en}, to be confirmed: {open_}")
    return Text(" · ".join(parts_fr), " · ".join(parts_en))


def _name(line: Line) -> str:
    return " + ".join(m.label for m in line.moieties)


def _answered(asked: Consultation, token: str) -> str:
    return "" if token not in asked.facts else "yes" if asked.facts[token] else "no"


def _yes(value: bool, lang: Lang) -> str:
    return {"fr": ("non", "oui"), "en": ("no", "yes")}[lang][value]


def _safe(cell: str) -> str:
    """A cell that a spreadsheet takes for text, whatever it begins with."""
    return f"'{cell}" if cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell
