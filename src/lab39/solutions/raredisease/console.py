"""Rankings, explanations and evaluations on a terminal of 80 columns (Rich)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text as Rich

from lab39.core.text import Lang, Text, number
from lab39.fhir.outputs import COLON, DISCLAIMER
from lab39.solutions.raredisease.findings import EQUAL_PRIORS, NONE_OF_THESE, REFER, Standing, share, standing
from lab39.solutions.raredisease.labels import Labels
from lab39.solutions.raredisease.model import (
    Candidates,
    Explanation,
    IgnoredTerm,
    MappedTerm,
    Question,
    RankedDisease,
    Ranking,
    SignMatch,
    TermEvidence,
)
from lab39.solutions.raredisease.obo import PHENOTYPE
from lab39.solutions.raredisease.statements import UNSTATED, rests_on, say

WIDTH = 78
_BAR = 12
_WEIGHT = 8
_FULL = math.log(1000)
"""A likelihood ratio of 1 000 fills a bar."""

_SAID: Mapping[Standing, Text] = {
    "one": Text("Une maladie se détache.", "One disease stands out."),
    "several": Text(
        "Plusieurs maladies sont possibles\u202f: préciser les signes.", "Several diseases fit: look closer."
    ),
    "none": Text("Aucune maladie rare ne se détache.", "No rare disease stands out."),
}
_WORDS = {
    "diseases": Text("maladies", "diseases"),
    "others": Text("autres maladies", "other diseases"),
    "ask": Text("À rechercher", "To look for"),
    "told": Text("Termes corrigés ou non utilisés", "Terms mapped or not used"),
    "for": Text("Pour", "For"),
    "against": Text("Contre", "Against"),
    "expected": Text("Signes fréquents non renseignés", "Frequent signs not stated"),
    "frequent_absent": Text("Absents alors que fréquents", "Absent though frequent"),
    "denied": Text("Signes que les annotations disent absents", "Signs that the annotations say are absent"),
    "through": Text("par", "through"),
    "mean": Text("moy.", "mean"),
    "rank": Text("rang", "rank"),
    "model": Text("modèle", "model"),
    "nothing": Text("Aucun signe ressemblant. Essayer un autre mot.", "No sign like this. Try another word."),
    "nil": Text("Sans poids", "No weight"),
}


def differential(
    out: Console,
    found: Ranking,
    asked: Sequence[Question],
    labels: Labels,
    candidates: Candidates,
    lang: Lang,
    *,
    why: bool,
) -> None:
    """The differential, "none of these" beside it, what to look for next."""
    group = "" if candidates == "all" else f" {candidates}"
    present, absent = len(found.observed), len(found.excluded)
    seen = {
        "fr": f"{present} signe{_s(present)} présent{_s(present)}"
        + (f", {absent} absent{_s(absent)}" if absent else ""),
        "en": f"{present} sign{_s(present)} present" + (f", {absent} absent" if absent else ""),
    }[lang]
    level = standing(found)
    _line(out, Rich(_SAID[level][lang], "bold"))
    _line(out, Rich(f"{seen} · {number(found.n_candidates, lang)} {_WORDS['diseases'][lang]}{group}", "dim"))
    for each in found.candidates:
        _line(out, _candidate(str(each.rank), each.posterior, f"{each.name}  {each.id}", lang))
        if why:
            _evidence(out, each, labels, lang)
    others = found.n_candidates - len(found.candidates)
    if others:
        rest = max(0.0, 1 - found.p_background - sum(d.posterior for d in found.candidates))
        _line(out, _candidate("", rest, f"{number(others, lang)} {_WORDS['others'][lang]}", lang, dim=True))
    _line(out, _candidate("", found.p_background, NONE_OF_THESE[lang], lang, dim=True))
    _line(out, Rich(EQUAL_PRIORS[lang], "dim"))
    if level == "one":
        _line(out, Rich(f"→ {REFER[lang]}"))
    if asked:
        _line(out, Rich(_WORDS["ask"][lang], "bold"))
        for question in asked:
            stated = question.statement
            often = say(stated, question.term)[lang] if stated else UNSTATED[lang]
            name = labels.label(question.term, question.label)[lang]
            _line(out, Rich(f"? {name} ({question.term})"), 2)
            where = f"{often} · {question.disease_name} · {_WORDS['mean'][lang]} {share(question.background)[lang]}"
            _line(out, Rich(where, "dim"), 4)
    _told(out, found.mapped, found.ignored, lang)
    _foot(out, found.versions, lang)


def explanation(out: Console, found: Explanation, labels: Labels, lang: Lang) -> None:
    """One disease: its evidence, what is absent though frequent, what would be expected."""
    disease = found.disease
    _line(out, Rich(f"{disease.name}  {disease.id}", "bold"))
    rank = f"{_WORDS['rank'][lang]} {number(disease.rank, lang)} · {share(disease.posterior)[lang]}"
    _line(out, Rich(rank, "dim"))
    _evidence(out, disease, labels, lang, headed=True)
    for key, signs in (("frequent_absent", found.absent_though_frequent), ("denied", found.not_in_disease)):
        if signs:
            _line(out, Rich(_WORDS[key][lang], "bold"))
            for sign in signs:
                _line(out, Rich(f"! {labels.label(sign.term, sign.label)[lang]} ({sign.term})"), 2)
    if found.expected:
        _line(out, Rich(_WORDS["expected"][lang], "bold"))
        for each in found.expected:
            often = say(each.statement, each.term)[lang]
            figures = f"{often} · {_WORDS['mean'][lang]} {share(each.background)[lang]}"
            _line(out, Rich(f"? {labels.label(each.term, each.label)[lang]} ({each.term})"), 2)
            _line(out, Rich(figures, "dim"), 4)
    _told(out, found.mapped, found.ignored, lang)
    _foot(out, found.versions, lang)


def matches(out: Console, found: Iterable[SignMatch], lang: Lang) -> None:
    """Signs found by words."""
    shown = False
    for match in found:
        shown = True
        line = Rich(f"{match.term}  ").append(match.label[lang], "bold")
        if match.matched not in (match.label[lang], match.term):
            line.append(f"  ({match.matched})", "dim")
        _line(out, line)
    if not shown:
        _line(out, Rich(_WORDS["nothing"][lang]))


def evaluation(out: Console, found: Mapping[str, Any], lang: Lang) -> None:
    """The figures of an evaluation; a circular one says so first."""
    warning = f" [{found['label'][lang]}]" if found["label"] else ""
    _line(out, Rich(f"{found['regime']}{warning}", "bold"))
    table = Table(box=None, padding=(0, 2, 0, 0))
    heads = {
        "fr": ("maladie dans l'index", "tous les cas"),
        "en": ("disease in the index", "all cases"),
    }[lang]
    for head in ("", *heads):
        table.add_column(head, justify="left" if not head else "right")
    for key in ("n", "diseases", "top1", "top3", "top10", "macro_top1", "mrr", "ece"):
        table.add_row(key, _figure(found[key], lang), _figure(found["all"][key], lang))
    table.add_row("p95_ms", _figure(found["p95_ms"], lang), "")
    out.print(Padding(table, (0, 0, 0, 1)))
    missed = {
        "fr": f"{len(found['failures'])} cas hors des dix premiers (ids\u202f: --json)",
        "en": f"{len(found['failures'])} cases not among the first ten (ids: --json)",
    }[lang]
    _line(out, Rich(missed, "dim"))
    _foot(out, found["versions"], lang)


def _s(count: int) -> str:
    return "s" if count > 1 else ""


def _figure(value: float | int | None, lang: Lang) -> str:
    if value is None:
        return "–"
    return number(value, lang) if isinstance(value, int) else number(value, lang, digits=3)


def _candidate(place: str, chance: float, name: str, lang: Lang, *, dim: bool = False) -> Table:
    filled = round(min(1.0, max(0.0, chance)) * _BAR)
    row = Table.grid(padding=(0, 1, 0, 0))
    for width, justify in ((3, "right"), (9, "right"), (_BAR, "left"), (WIDTH - 28, "left")):
        row.add_column(width=width, justify=justify)  # type: ignore[arg-type]
    bar = Rich("█" * filled, "cyan").append("·" * (_BAR - filled), "dim")
    row.add_row(place, share(chance)[lang], bar, Rich(name, "dim" if dim else ""))
    return row


def _evidence(out: Console, disease: RankedDisease, labels: Labels, lang: Lang, *, headed: bool = False) -> None:
    for key, signs in (("for", disease.evidence_for), ("against", disease.evidence_against)):
        if headed and signs:
            _line(out, Rich(_WORDS[key][lang], "bold"))
        for sign in signs:
            _line(out, _weight(sign, labels, lang), 2 if headed else 5)
    if disease.evidence_nil:
        names = "\u202f; ".join(_name(sign, labels, lang) for sign in disease.evidence_nil)
        _line(out, Rich(f"{_WORDS['nil'][lang]}{COLON[lang]}{names}", "dim"), 1 if headed else 5)


def _weight(sign: TermEvidence, labels: Labels, lang: Lang) -> Table:
    filled = min(_WEIGHT, max(1, round(abs(sign.log_lr) / _FULL * _WEIGHT)))
    speaks = sign.log_lr > 0
    bar = Rich(("+" if speaks else "−") * filled, "cyan" if speaks else "red")
    name = Rich(_name(sign, labels, lang))
    if sign.distance and sign.matched != PHENOTYPE:
        through = labels.label(sign.matched or "", sign.matched_label or "")[lang]
        name.append(f" – {_WORDS['through'][lang]} {through}", "dim")
    row = Table.grid(padding=(0, 1, 0, 0))
    for width in (_WEIGHT, 34, 29):
        row.add_column(width=width)
    row.add_row(bar, name, Rich(_rests_on(sign, lang), "dim"))
    return row


def _name(sign: TermEvidence, labels: Labels, lang: Lang) -> str:
    return labels.label(sign.term, sign.label)[lang] + (" (absent)" if sign.kind == "excluded" else "")


def _rests_on(sign: TermEvidence, lang: Lang) -> str:
    stated = sign.statement is not None and sign.matched not in (None, PHENOTYPE) and sign.background is not None
    mean = f" · {_WORDS['mean'][lang]} {share(sign.background or 0.0)[lang]}" if stated else ""
    return f"{rests_on(sign)[lang]}{mean}"


def _told(out: Console, mapped: Sequence[MappedTerm], ignored: Sequence[IgnoredTerm], lang: Lang) -> None:
    texts = [m.text for m in mapped] + [i.text for i in ignored]
    if texts:
        _line(out, Rich(_WORDS["told"][lang], "bold"))
        for text in texts:
            _line(out, Rich(f"! {text[lang]}", "yellow"), 2)


def _foot(out: Console, versions: Mapping[str, str], lang: Lang) -> None:
    made = f"HPO {versions['hpo']}, phenotype.hpoa {versions['hpoa']}, {_WORDS['model'][lang]} {versions['model']}"
    _line(out, Rich(f"{made} · hpo.jax.org", "dim"))
    _line(out, Rich(DISCLAIMER[lang], "dim"))


def _line(out: Console, what: Rich | Table, indent: int = 1) -> None:
    out.print(Padding(what, (0, 0, 0, indent)), width=min(out.width, WIDTH + 2))
