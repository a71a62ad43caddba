"""From cards to findings: one sentence that says what to do, the rules with their pages, what is missing."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from lab39.core.finding import Finding, Input, Missing, Reason, Severity, Source, Suggestion, When
from lab39.core.record import Record
from lab39.core.terms import Coding
from lab39.core.text import Text
from lab39.solutions.pharmacy import sentences
from lab39.solutions.pharmacy.cards import Card, Tier, concerns, priority
from lab39.solutions.pharmacy.model import Interaction, Level, Line, Match, Need, Person, Resolution, Rule
from lab39.solutions.pharmacy.problems import ALONE, Value, folded
from lab39.solutions.pharmacy.sentences import LEVELS, capital, short
from lab39.solutions.pharmacy.terms import FACT

THESAURUS = "ANSM, Thésaurus des interactions médicamenteuses"
THESAURUS_URL = "https://ansm.sante.fr/documents/reference/thesaurus-des-interactions-medicamenteuses-1"
CONDUCT_MAX = 200

_CONCERNS = {
    "age": Text("la règle met en garde pour les personnes âgées", "the rule warns for older people"),
    "kidney": Text("la règle met en garde si les reins filtrent mal", "the rule warns when kidneys filter badly"),
}


@dataclass(frozen=True, slots=True)
class Known:
    """What findings are written from.

    Attributes:
        lines: the treatment; interactions name its lines by number.
        edition: of the thesaurus.
        word: a need in words.
        page: of a rule in the official document.
        record: for the laboratory values that a conduct looks at; ``None`` for a typed treatment.
    """

    lines: Sequence[Line]
    person: Person
    edition: dt.date
    on: dt.date
    word: Callable[[Need], Text]
    page: Callable[[Rule], int | None]
    record: Record | None = None


def interaction_finding(card: Card, known: Known) -> Finding:
    """One card as a finding."""
    if card.tier is Tier.PASSIVE:
        return _passive(card, known)
    severity, when = _urgency(card)
    inputs, absent = _values([value for problem in card.problems for value in problem.values], known)
    reasons = tuple(_reason(each, known, inputs if i == 0 else ()) for i, each in enumerate(card.interactions))
    return Finding(
        code=_code(card),
        severity=severity,
        when=when,
        summary=sentences.summary(card, known.word),
        reasons=reasons,
        suggestions=_suggestions(card),
        missing=(*_needs(card.interactions, known), *absent),
        focus=_focus(card.interactions, known),
        payload=card,
        priority=priority(card, known.person),
    )


def unread_names(found: Iterable[tuple[str, str, Resolution]]) -> Finding | None:
    """The medicines whose name was not understood, or means several; ``None`` when there is none.

    Args:
        found: reference of the entry, its words, what became of them.
    """
    rows = [(ref, words, each) for ref, words, each in found if each.match is not Match.FOUND]
    if not rows:
        return None
    n = len(rows)
    shown = ", ".join(short(words, 40) for _, words, _ in rows[:2]) + ("…" if n > 2 else "")
    one = n == 1
    return Finding(
        code="names-not-understood",
        severity=Severity.WARNING,
        summary=Text(
            f"{'Médicament non reconnu' if one else f'{n} médicaments non reconnus'}\u202f: {shown}. Préciser",
            f"{'Medicine' if one else f'{n} medicines'} not recognised: {shown}. Make it precise",
        ),
        missing=tuple(
            Missing(
                f"name:{i}",
                Text.same(short(words, 80) or "–"),
                _asked(each),
            )
            for i, (_, words, each) in enumerate(rows)
        ),
        focus=tuple(ref for ref, _, _ in rows if ref),
    )


def same_twice(moiety: str, numbers: Sequence[int], known: Known) -> Finding:
    """One substance on several lines."""
    lines = [known.lines[i] for i in numbers]
    name = capital(moiety)
    return Finding(
        code=f"duplicate.{_slug(moiety)}",
        severity=Severity.WARNING,
        when=When.TODAY,
        summary=Text(
            f"{short(name, 50)} sur {len(lines)} lignes\u202f: vérifier que c'est voulu et additionner les doses",
            f"{short(name, 50)} on {len(lines)} lines: check that it is meant and add up the doses",
        ),
        reasons=(
            Reason(
                "pharmacy.same-substance",
                Text(
                    "La même substance figure plusieurs fois dans le traitement.",
                    "The same substance is in the treatment more than once.",
                ),
                Source("Lab39, docs/solutions/pharmacy.md", place="Doublons"),
                tuple(_line_input(line) for line in lines),
            ),
        ),
        focus=tuple(line.ref for line in lines if line.ref),
    )


def partial_table(rules: int) -> Finding:
    """What is said beside every answer made without a thesaurus."""
    return Finding(
        code="partial-table",
        severity=Severity.INFO,
        summary=Text(
            f"Interactions cherchées dans {rules} règles seulement\u202f: installer le thésaurus de l'ANSM",
            f"Interactions looked for in {rules} rules only: install the ANSM thesaurus",
        ),
        missing=(
            Missing(
                "data-pack",
                Text("thésaurus des interactions", "thesaurus of interactions"),
                Text(
                    "ce qui n'est pas signalé n'a peut-être pas été cherché. Taper\u202f: lab39 data install ansm",
                    "what is not told may not have been looked for. Type: lab39 data install ansm",
                ),
            ),
        ),
    )


def no_treatment() -> Finding:
    """That the record lists no medicine, so that nothing was looked for: which is not that none is taken."""
    return Finding(
        code="no-treatment",
        severity=Severity.INFO,
        summary=Text(
            "Aucun médicament dans le dossier\u202f: interactions non cherchées. Demander le traitement",
            "No medicine in the record: no interaction looked for. Ask for the treatment",
        ),
        missing=(
            Missing(
                "medications",
                Text("traitement en cours", "current treatment"),
                Text("sans lui, aucune interaction n'est cherchée", "without it no interaction is looked for"),
            ),
        ),
    )


def nothing_listed(known: Known) -> Finding:
    """That everything was looked for and nothing is listed."""
    n = len(known.lines)
    return Finding(
        code="no-interaction-listed",
        severity=Severity.INFO,
        when=When.NEXT_VISIT,
        summary=Text(
            f"Aucune interaction entre les {n} médicaments dans le thésaurus ({known.edition:%m/%Y})",
            f"No interaction between the {n} medicines in the thesaurus ({known.edition:%Y-%m})",
        ),
        reasons=(
            Reason(
                "pharmacy.ansm.none",
                Text(
                    "Chaque paire a été cherchée. Un médicament que le thésaurus ne cite pas peut interagir.",
                    "Every pair was looked for. A medicine that the thesaurus does not name may interact.",
                ),
                Source(THESAURUS, date=f"{known.edition:%Y-%m}", url=THESAURUS_URL),
                tuple(_line_input(line) for line in known.lines),
            ),
        ),
    )


def source_of(rule: Rule, known: Known) -> Source:
    """The place of a rule in the official document."""
    page = known.page(rule)
    place = f"p. {page}" if page is not None else ""
    return Source(THESAURUS, date=f"{known.edition:%Y-%m}", place=place, url=THESAURUS_URL)


def _passive(card: Card, known: Known) -> Finding:
    return Finding(
        code="interactions-to-know",
        severity=Severity.INFO,
        when=When.NEXT_VISIT,
        summary=sentences.to_know(card),
        reasons=tuple(_reason(each, known) for each in card.interactions),
        missing=_needs(card.interactions, known),
        focus=_focus(card.interactions, known),
        payload=card,
    )


# -- why ------------------------------------------------------------------------------------------------


def _reason(each: Interaction, known: Known, values: tuple[Input, ...] = ()) -> Reason:
    settled = LEVELS[each.level]
    if each.because:
        settled = Text(f"{settled.fr}, {each.because.fr}", f"{settled.en}, {each.because.en}")
    if not each.resolved:
        possible = Text(
            ", ".join(LEVELS[x].fr for x in each.possible), ", ".join(LEVELS[x].en for x in each.possible)
        )
        settled = Text(f"non tranché ({possible.fr})", f"not settled ({possible.en})")
    who = f"{capital(each.a.name)} + {each.b.name}"
    printed = " ".join(part for part in (each.rule.mechanism, each.conduct) if part)
    mine = [_CONCERNS[what] for what in concerns(each, known.person)]
    also = Text("".join(f" {capital(m.fr)}." for m in mine), "".join(f" {capital(m.en)}." for m in mine))
    nodes = " + ".join((each.a.node, each.b.node))
    lines = [known.lines[p.line] for p in (each.a, each.b) if p.line is not None]
    used = tuple(
        Input(known.word(Need(token)), Text.same(value)) for token, value in each.used if known.word(Need(token))
    )
    return Reason(
        rule=f"pharmacy.ansm.{_slug(each.rule.a)}.{_slug(each.rule.b)}",
        text=Text(
            f"{who}\u202f: {settled.fr}. {printed}{also.fr}",
            f"{who}: {settled.en}. {_quoted(printed)}{also.en}",
        ),
        source=source_of(each.rule, known),
        inputs=(
            *(_line_input(line) for line in dict.fromkeys(lines)),
            Input(Text("règle", "rule"), Text.same(nodes)),
            *used,
            *values,
        ),
    )


def _quoted(printed: str) -> str:
    return f"The thesaurus (in French): “{printed}”" if printed else ""


def _line_input(line: Line) -> Input:
    name = capital(", ".join(m.label for m in line.moieties)) or line.text
    return Input(Text.same(short(name, 60)), Text.same(line.text), str(line.start or ""), line.ref)


def _needs(interactions: Iterable[Interaction], known: Known) -> tuple[Missing, ...]:
    """What would settle the levels, each thing once."""
    found: dict[str, Missing] = {}
    for each in interactions:
        for need in each.needs:
            pair = f"{each.a.name} + {each.b.name}"
            found.setdefault(
                need.token,
                Missing(
                    need.token,
                    known.word(need),
                    Text(f"niveau non tranché pour {pair}", f"the level is not settled for {pair}"),
                    condition=_condition(need),
                    medicine=_medicine(need, known),
                ),
            )
    return tuple(found.values())


def _condition(need: Need) -> Coding | None:
    kind, _, token = need.token.partition(":")
    return Coding(FACT, token) if kind == "fact" else None


def _medicine(need: Need, known: Known) -> str:
    if not need.token.startswith("dose-") or need.line is None:
        return ""
    return known.lines[need.line].ref


def _values(values: Sequence[Value], known: Known) -> tuple[tuple[Input, ...], tuple[Missing, ...]]:
    """The laboratory values that the conduct looks at: those known, and those to fill in."""
    if known.record is None:
        return (), ()
    inputs, missing = [], []
    for value in values:
        found = known.record.latest_quantity(value.code, *_also(value.code), on=known.on)
        if found is None or found.quantity is None:
            missing.append(
                Missing(
                    value.code,
                    value.name,
                    Text("la surveillance demandée part de cette valeur", "the watch asked for starts from it"),
                    value.unit,
                )
            )
            continue
        said = Text(found.quantity.say("fr"), found.quantity.say("en"))
        inputs.append(Input(value.name, said, found.date.written if found.date else "", found.ref))
    return tuple(inputs), tuple(missing)


def _also(code: str) -> tuple[str, ...]:
    """Other LOINC codes of the same analyte."""
    return {"14682-9": ("2160-0", "38483-4"), "2823-3": ("6298-4",), "2951-2": ("2947-0",)}.get(code, ())


def _suggestions(card: Card) -> tuple[Suggestion, ...]:
    """The conduct printed for the gravest, once for each rule of the headline."""
    found: dict[str, Suggestion] = {}
    for each in card.headline:
        if each.conduct and each.resolved:
            said = short(each.conduct, CONDUCT_MAX)
            pair = f"{capital(each.a.name)} + {each.b.name}"
            found.setdefault(
                said,
                Suggestion(Text(f"{pair}\u202f: {said}", f"{pair}: “{said}” (thesaurus, in French)")),
            )
    return tuple(found.values())[:3]


def _urgency(card: Card) -> tuple[Severity, When]:
    first = card.gravest
    if first.level is Level.CI:
        return (Severity.CRITICAL, When.TODAY) if first.resolved else (Severity.WARNING, When.TODAY)
    if first.level is Level.AD:
        return Severity.WARNING, When.TODAY if first.resolved else When.THIS_WEEK
    return Severity.INFO, When.THIS_WEEK


def _code(card: Card) -> str:
    kind = "interaction" if card.gravest.resolved else "interaction-open"
    if card.problem is ALONE:
        return f"{kind}.{_slug(card.gravest.rule.a)}.{_slug(card.gravest.rule.b)}"
    return ".".join((kind, *sorted(p.id for p in card.problems)))


def _focus(interactions: Iterable[Interaction], known: Known) -> tuple[str, ...]:
    numbers = sorted({p.line for i in interactions for p in (i.a, i.b) if p.line is not None})
    return tuple(known.lines[n].ref for n in numbers if known.lines[n].ref)


def _asked(resolution: Resolution) -> Text:
    if resolution.match is Match.AMBIGUOUS:
        shown = ", ".join(dict.fromkeys(c.label or _labels(c.moieties) for c in resolution.candidates[:5]))
        return Text(f"plusieurs sens possibles\u202f: {shown}", f"may mean several things: {shown}")
    return Text(
        "nom inconnu\u202f: ses interactions n'ont pas été cherchées",
        "unknown name: its interactions were not looked for",
    )


def _labels(moieties: Sequence[object]) -> str:
    return " + ".join(str(getattr(m, "label", m)) for m in moieties)


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", folded(text)).strip("-")
