"""Interactions and names on a terminal of 80 columns (Rich)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text as Rich

from lab39.core.text import Lang, Text
from lab39.fhir.outputs import DISCLAIMER
from lab39.solutions.pharmacy import listing, needs
from lab39.solutions.pharmacy.editions import Change, Difference, RuleChange
from lab39.solutions.pharmacy.interactions import Pair
from lab39.solutions.pharmacy.listing import Answer, ReadRule
from lab39.solutions.pharmacy.model import Interaction, Level, Match, Resolution
from lab39.solutions.pharmacy.notes import PARTIAL, once
from lab39.solutions.pharmacy.population import Concerned, Totals
from lab39.solutions.pharmacy.sentences import LEVELS

WIDTH = 78
_COLOURS = {Level.CI: "bold red", Level.AD: "red", Level.PE: "yellow", Level.APEC: "cyan"}
CHANGES: Mapping[Change, Text] = {
    Change.NEW: Text("nouveau", "new"),
    Change.GONE: Text("retiré", "gone"),
    Change.RAISED: Text("aggravé", "raised"),
    Change.LOWERED: Text("allégé", "lowered"),
    Change.LEVELS: Text("niveaux", "levels"),
    Change.TEXT: Text("texte", "text"),
}
_MANY: Mapping[Change, Text] = {
    Change.NEW: Text("nouveaux", "new"),
    Change.GONE: Text("retirés", "gone"),
    Change.RAISED: Text("aggravés", "raised"),
    Change.LOWERED: Text("allégés", "lowered"),
    Change.LEVELS: Text("à niveaux changés", "with other levels"),
    Change.TEXT: Text("à texte changé", "with another text"),
}
_WORDS = {
    "new_substances": Text("Substances nouvelles", "New substances"),
    "gone_substances": Text("Substances retirées", "Substances gone"),
    "population_one": Text("1 dossier concerné sur {n}", "1 record concerned of {n}"),
    "population": Text("{m} dossiers concernés sur {n}", "{m} records concerned of {n}"),
    "unread_one": Text(
        "1 nom de médicament non compris\u202f: ses interactions n'ont pas été cherchées",
        "1 name of a medicine not understood: its interactions were not looked for",
    ),
    "unread": Text(
        "{n} noms de médicaments non compris\u202f: leurs interactions n'ont pas été cherchées",
        "{n} names of medicines not understood: their interactions were not looked for",
    ),
    "none": Text("Aucune interaction dans cette édition.", "No interaction in this edition."),
    "one": Text("1 association à voir", "1 pair to look at"),
    "many": Text("{n} associations à voir", "{n} pairs to look at"),
    "open": Text("non tranché\u202f: {possible}", "not settled: {possible}"),
    "needs": Text("il manque\u202f: {what}", "needs: {what}"),
    "if": Text("vaut selon\u202f: {what}", "holds depending on: {what}"),
    "page": Text("p.", "p."),
    "twice": Text(
        "{name}\u202f: sur plusieurs lignes, vérifier que c'est voulu",
        "{name}: on several lines, check it is meant",
    ),
    "unlisted": Text(
        "{name}\u202f: absent du thésaurus, aucune interaction n'y est décrite",
        "{name}: not in the thesaurus, no interaction is described there",
    ),
    "local": Text(
        "{name}\u202f: voie locale, les interactions des voies générales ne la concernent pas",
        "{name}: local route, the interactions of systemic routes do not concern it",
    ),
    "thesaurus": Text("Thésaurus ANSM", "ANSM thesaurus"),
    "read": Text("{n} règles du thésaurus {edition}", "{n} rules of the thesaurus {edition}"),
    "found": Text("compris", "understood"),
    "ambiguous": Text("à préciser", "to make precise"),
    "unknown": Text("inconnu", "unknown"),
}


def interactions(out: Console, answer: Answer, lang: Lang) -> None:
    """Each pair under its gravest level, then what has none for a reason."""
    checked, pairs = answer.checked, answer.checked.pairs
    if answer.warning:
        _line(out, Rich(answer.warning[lang], "yellow"))
    head = _WORDS["none"] if not pairs else _WORDS["one" if len(pairs) == 1 else "many"]
    _line(out, Rich(head[lang].format(n=len(pairs)), "bold"))
    for pair in pairs:
        _pair(out, pair, answer, lang)
    for _, _, moiety in {m.key: row for row in checked.repeated for m in row[2:]}.values():
        _line(out, Rich("! " + _WORDS["twice"][lang].format(name=moiety.label), "yellow"))
    for _, moiety in checked.unlisted:
        _line(out, Rich(_WORDS["unlisted"][lang].format(name=moiety.label), "dim"))
    for number in checked.local:
        _line(out, Rich(_WORDS["local"][lang].format(name=answer.lines[number].text), "dim"))
    for text, notes in answer.notes.items():
        for note in once(notes):
            _line(out, Rich(f"{text} – {note[lang]}", "dim"))
    if answer.catalogue.partial:
        _line(out, Rich(PARTIAL[lang], "yellow"))
    _line(out, Rich(f"{_WORDS['thesaurus'][lang]} {answer.engine.edition}", "dim"))
    _line(out, Rich(DISCLAIMER[lang], "dim"))


def names(out: Console, read: Sequence[Resolution], lang: Lang) -> None:
    """Each name with what it means, or what it may mean."""
    table = Table.grid(padding=(0, 2, 0, 0))
    for width in (26, 12, None):
        table.add_column(width=width, overflow="fold")
    styles = {Match.FOUND: "green", Match.AMBIGUOUS: "yellow", Match.UNKNOWN: "red"}
    for each in read:
        said = "; ".join(dict.fromkeys(listing.meaning(c) for c in each.candidates[: listing.SHOWN]))
        cell = Rich(said)
        for note in once(each.notes):
            cell.append(f"{'. ' if cell.plain else ''}{note[lang]}", "dim")
        table.add_row(Rich(each.text), Rich(_WORDS[each.match.value][lang], styles[each.match]), cell)
    _line(out, table)
    if any(PARTIAL in each.notes for each in read):
        _line(out, Rich(PARTIAL[lang], "yellow"))


def readings(out: Console, rows: Sequence[ReadRule], edition: str, lang: Lang) -> None:
    """Rules with what each of their levels takes."""
    for row in rows:
        page = f", {_WORDS['page'][lang]} {row.page}" if row.page else ""
        _line(out, Rich(f"{row.a} + {row.b}", "bold").append(page, "not bold"))
        for level, said in row.levels:
            _line(out, Rich(f"{level.value:<6}", _COLOURS[level]).append(said[lang], "default"), 3)
        if row.outside:
            _line(out, Rich(f"{'–':<6}{row.outside[lang]}", "dim"), 3)
    _line(out, Rich(_WORDS["read"][lang].format(n=len(rows), edition=edition), "dim"))


def difference(out: Console, found: Difference, lang: Lang) -> None:
    """What changed between two editions: how many rules, then each."""
    counts = found.counted()
    said = ", ".join(f"{n} {(CHANGES if n == 1 else _MANY)[c][lang]}" for c in Change if (n := counts[c.value]))
    head = f"{found.before:%Y-%m} → {found.after:%Y-%m}"
    _line(out, Rich(head, "bold").append(f"  {said}", "not bold"))
    for each in found.rules:
        if each.change is Change.TEXT:
            continue
        row = Rich(f"{CHANGES[each.change][lang]:<10}", "dim")
        _line(out, row.append(f"{each.rule.a} + {each.rule.b}", "default").append(_levels(each), "dim"))
    for names_, word in ((found.substances_new, "new_substances"), (found.substances_gone, "gone_substances")):
        if names_:
            _line(out, Rich(f"{_WORDS[word][lang]} ({len(names_)})", "bold"))
            _line(out, Rich(", ".join(names_)), 3)
    for former, present in found.renamed.items():
        _line(out, Rich(f"{former} → {present}", "dim"))


def population(out: Console, found: Iterable[Concerned], lang: Lang) -> None:
    """For whom it changes, as they are read, then how many."""
    totals = Totals()
    for each in found:
        totals.add(each)
        if each.told:
            _line(out, Rich(each.record, "bold").append(f"  {each.source}", "dim"))
        for told in each.told:
            levels = " → ".join(
                "/".join(level.value for level in side.possible) if side else "–"
                for side in (told.before, told.after)
            )
            _line(out, Rich(f"{levels:<20}{' + '.join(told.names)}"), 3)
    words = _WORDS["population_one" if totals.concerned == 1 else "population"][lang]
    _line(out, Rich(words.format(n=totals.records, m=totals.concerned), "bold"))
    if totals.unread:
        words = _WORDS["unread_one" if totals.unread == 1 else "unread"][lang]
        _line(out, Rich(words.format(n=totals.unread), "yellow"))


def _levels(each: RuleChange) -> str:
    before, after = (
        " ".join(text.level.value for text in rule.levels) if rule else "–" for rule in (each.before, each.after)
    )
    return f"  {before} → {after}" if each.before and each.after else f"  {after if each.after else before}"


def _pair(out: Console, pair: Pair, answer: Answer, lang: Lang) -> None:
    first = pair.gravest
    names_ = " + ".join(listing.partner(each, answer.lines) for each in (first.a, first.b))
    level = Rich(f"{first.level.value:<5}", _COLOURS[first.level])
    _line(out, level.append(names_, "bold").append(f"  {LEVELS[first.level][lang]}", "not bold"))
    for each in pair.interactions:
        _rule(out, each, answer, lang)


def _rule(out: Console, each: Interaction, answer: Answer, lang: Lang) -> None:
    page = answer.engine.levels.page(each.rule)
    where = f"{each.rule.a} + {each.rule.b}" + (f", {_WORDS['page'][lang]} {page}" if page else "")
    row = Rich(f"{each.level.value}  ", _COLOURS[each.level]).append(where, "dim")
    _line(out, row, 6)
    if not each.resolved:
        possible = ", ".join(level.value for level in each.possible)
        _line(out, Rich(_WORDS["open"][lang].format(possible=possible), "yellow"), 6)
    if each.because:
        _line(out, Rich(each.because[lang], "italic"), 6)
    if each.needs:
        key = "if" if each.conditional and each.resolved else "needs"
        what = "; ".join(dict.fromkeys(needs.word(need, answer.lines)[lang] for need in each.needs))
        _line(out, Rich(_WORDS[key][lang].format(what=what), "yellow"), 6)
    for text in (each.rule.mechanism, each.conduct):
        if text:
            _line(out, Rich(" ".join(text.split())), 6)


def _line(out: Console, what: Rich | Table, indent: int = 1) -> None:
    out.print(Padding(what, (0, 0, 0, indent)), width=min(out.width, WIDTH + 2))
