"""What is said of a record: its differential, that nothing stands out, or what is missing to tell."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal

from lab39.core import terms
from lab39.core.entries import HYPOTHETICAL, Condition, Phenotype
from lab39.core.finding import Bar, Confidence, Finding, Input, Missing, Reason, Severity, Source, Suggestion
from lab39.core.record import Record
from lab39.core.text import Text, number, percent
from lab39.solutions.raredisease.labels import NO_FRENCH, Labels
from lab39.solutions.raredisease.model import Explanation, Query, Question, RankedDisease, Ranking, TermEvidence
from lab39.solutions.raredisease.statements import say

BARS = 5
SIGNS = 5
Standing = Literal["one", "several", "none"]
Others = Literal["shown", "idle", "no-signs", "no-pack"]
NONE_OF_THESE = Text("aucune de ces maladies", "none of these diseases")
PRESENT, ABSENT = Text("présent", "present"), Text("absent", "absent")
EQUAL_PRIORS = Text(
    "Toutes les maladies ont la même probabilité de départ\u202f: la fréquence des maladies n'est pas prise en "
    "compte.",
    "All diseases start with the same probability: how common they are is not taken into account.",
)
REFER = Text(
    "Demander l'avis d'un centre de référence ou de compétence maladies rares (annuaire\u202f: orpha.net)",
    "Ask an expert centre for rare diseases (directory: orpha.net)",
)
ASK_FIRST = Text(
    "Rechercher d'abord les signes qui départagent, puis demander un avis spécialisé",
    "First look for the signs that separate them, then ask a specialist",
)


@cache
def knowledge() -> Mapping[str, Any]:
    """Thresholds and rules, ``knowledge/findings.toml``."""
    path = files("lab39.solutions.raredisease") / "knowledge" / "findings.toml"
    return tomllib.loads(path.read_text("utf-8"))


def standing(ranking: Ranking) -> Standing:
    """Whether one disease, several or none stand out."""
    threshold = knowledge()["threshold"]
    if not ranking.stands_out or ranking.candidates[0].posterior < threshold["several"]["value"]:
        return "none"
    return "one" if ranking.candidates[0].posterior >= threshold["one"]["value"] else "several"


@dataclass(frozen=True, slots=True)
class Seen:
    """The HPO-coded signs of a record, present and excluded, and the French labels to show them with."""

    signs: tuple[Phenotype, ...]
    labels: Labels

    def inputs(self, ranking: Ranking, english: Mapping[str, str]) -> tuple[Input, ...]:
        """Each sign used, with its date and place in the record."""
        mapped = {m.given: m.used for m in ranking.mapped}
        rows: dict[str, Input] = {}
        for sign in self.signs:
            given = hpo_id(sign)
            term = mapped.get(given, given)
            used = ranking.excluded if sign.excluded else ranking.observed
            if term in used:
                name = self.labels.label(term, english.get(term, sign.term.display or term))
                date = sign.date.written if sign.date else ""
                rows.setdefault(term, Input(name, ABSENT if sign.excluded else PRESENT, date, sign.ref))
        return tuple(rows[term] for term in (*ranking.observed, *ranking.excluded) if term in rows)


def hpo_id(sign: Phenotype) -> str:
    """``HP:0001250``, however the record writes it (``HP_0001250``, ``0001250``)."""
    code = sign.term.code.strip().replace("HP_", "HP:")
    return f"HP:{code}" if code.isdecimal() else code


def query_of(record: Record) -> Query:
    """The query of a record: its HPO-coded signs, present and excluded."""
    signs = record.phenotypes()
    return Query(
        observed=tuple(hpo_id(s) for s in signs if not s.excluded),
        excluded=tuple(hpo_id(s) for s in signs if s.excluded),
        sex=record.sex if record.sex in ("female", "male") else None,
    )


def differential(
    ranking: Ranking, seen: Seen, questions: Iterable[Question], english: Mapping[str, str], unusable: int = 0
) -> Finding:
    """The finding for a ranking.

    Args:
        english: English label of each term.
        unusable: annotation rows that the ontology of the same pack does not know.
    """
    level = standing(ranking)
    first = ranking.candidates[0]
    n = len(ranking.observed)
    asked = () if level == "none" else tuple(_missing(q, seen.labels) for q in questions)
    inputs = seen.inputs(ranking, english)
    reasons = (_reason("likelihood-ratio", inputs), _reason("annotations", date=ranking.versions["hpoa"]))
    return Finding(
        code={"one": "one-stands-out", "several": "several-fit", "none": "nothing-stands-out"}[level],
        severity=Severity.WARNING if level == "one" else Severity.INFO,
        summary=_summary(level, first, n),
        detail=_detail(level, ranking, seen.labels, unusable),
        reasons=(*reasons, _reason("standing")),
        suggestions={"one": (Suggestion(REFER),), "several": (Suggestion(ASK_FIRST),), "none": ()}[level],
        missing=asked,
        confidence=None if level == "none" else Confidence(first.posterior, _probability_of(first, ranking)),
        focus=tuple(dict.fromkeys(i.ref for i in inputs if i.ref)),
        bars=bars(ranking),
        payload=ranking,
    )


def no_signs(excluded_only: bool = False) -> Finding:
    """A record without a sign that can be ranked on."""
    why = (
        Text("que des signes absents, aucun présent", "only absent signs, none present")
        if excluded_only
        else Text("aucun signe codé HPO dans le dossier", "no HPO-coded sign in the record")
    )
    return Finding(
        code="no-signs",
        severity=Severity.INFO,
        summary=Text(
            f"Maladies rares non évaluées\u202f: {why.fr}",
            f"Rare diseases not evaluated: {why.en}",
        ),
        missing=(
            Missing(
                "hpo-signs",
                Text(
                    "signes codés en termes HPO, présents et absents",
                    "signs coded as HPO terms, present and absent",
                ),
                Text(
                    "sans eux aucune maladie rare n'est évoquée ni écartée (chercher un terme\u202f: "
                    "lab39 raredisease signs MOTS)",
                    "without them no rare disease is suggested or ruled out (find a term: "
                    "lab39 raredisease signs WORDS)",
                ),
            ),
        ),
    )


def no_usable_sign(ranking: Ranking) -> Finding:
    """A record whose HPO codes cannot be used: each is told with why."""
    return Finding(
        code="no-usable-sign",
        severity=Severity.INFO,
        summary=Text(
            "Maladies rares non évaluées\u202f: aucun des signes codés n'est utilisable",
            "Rare diseases not evaluated: none of the coded signs can be used",
        ),
        missing=tuple(Missing(i.term, Text.same(i.term), i.text) for i in ranking.ignored),
        payload=ranking,
    )


def diagnosed(condition: Condition) -> str | None:
    """``OMIM:154700`` or ``ORPHA:558`` for a diagnosis already made; ``None`` for anything else."""
    if condition.verification in ("refuted", "entered-in-error", *HYPOTHETICAL):
        return None
    for system, prefix in ((terms.OMIM, "OMIM"), (terms.ORPHA, "ORPHA")):
        if (code := condition.concept.code(system)) is not None:
            return f"{prefix}:{code.rpartition(':')[2]}"
    return None


def explains(condition: Condition, fit: Explanation | None) -> bool:
    """Whether a diagnosis makes it idle to look for another: confirmed, and probable on the signs alone."""
    if condition.verification != "confirmed" or fit is None:
        return False
    return bool(fit.disease.posterior >= knowledge()["threshold"]["explains"]["value"])


def known_diagnosis(
    condition: Condition,
    disease: str,
    fit: Explanation | None,
    others: Others,
) -> Finding:
    """The finding for a diagnosis already made, with how the signs of the record fit it when that is known.

    Args:
        others: whether other diseases were looked at beside it, or why not.
    """
    name = condition.concept.label or (fit.disease.name if fit else disease)
    parts: list[Text] = []
    if fit is not None:
        rank = Text(number(fit.disease.rank, "fr"), number(fit.disease.rank, "en"))
        chance = share(fit.disease.posterior)
        parts.append(
            Text(
                f"Sur les signes du dossier seuls, le modèle la classe au rang {rank.fr} ({chance.fr}).",
                f"On the signs of the record alone, the model ranks it {rank.en} ({chance.en}).",
            )
        )
    parts.append(_OTHERS[others])
    detail = Text(" ".join(p.fr for p in parts), " ".join(p.en for p in parts))
    confirmed = condition.verification == "confirmed"
    date = condition.recorded or condition.onset
    shown = Input(
        Text("diagnostic", "diagnosis"), Text.same(f"{disease} {name}"), date.written if date else "", condition.ref
    )
    return Finding(
        code="known-diagnosis",
        severity=Severity.INFO,
        summary=Text(f"Diagnostic déjà posé\u202f: {short(name, 80)}", f"Already diagnosed: {short(name, 80)}")
        if confirmed
        else Text(
            f"Diagnostic inscrit, non dit confirmé\u202f: {short(name, 80)}",
            f"Diagnosis in the record, not said to be confirmed: {short(name, 80)}",
        ),
        detail=detail,
        reasons=(_reason("known-diagnosis", (shown,)),),
        focus=(condition.ref,) if condition.ref else (),
        payload=fit,
    )


_OTHERS: Mapping[Others, Text] = {
    "shown": Text("Les autres maladies ont aussi été cherchées.", "Other diseases were looked at too."),
    "idle": Text(
        "Elle explique les signes\u202f: les autres maladies n'ont pas été cherchées.",
        "It explains the signs: other diseases were not looked at.",
    ),
    "no-signs": Text(
        "Aucun signe présent codé HPO\u202f: les autres maladies n'ont pas été cherchées.",
        "No HPO-coded sign that is present: other diseases were not looked at.",
    ),
    "no-pack": Text(
        "Les autres maladies n'ont pas été cherchées\u202f: le pack «\u202fhpo\u202f» n'est pas installé (lab39 "
        "data install hpo).",
        "Other diseases were not looked at: the pack “hpo” is not installed (lab39 data install hpo).",
    ),
}


def bars(ranking: Ranking) -> tuple[Bar, ...]:
    """The first candidates, all others together, and "none of these"; the bars sum to 1."""
    shown = ranking.candidates[:BARS]
    rows = [Bar(Text.same(d.name), _share(d.posterior), Text.same(d.id)) for d in shown]
    others = ranking.n_candidates - len(shown)
    if others:
        rest = _share(1 - ranking.p_background - sum(d.posterior for d in shown))
        label = Text(f"les {number(others, 'fr')} autres maladies", f"the {number(others, 'en')} other diseases")
        rows.append(Bar(label, rest))
    return (*rows, Bar(NONE_OF_THESE, _share(ranking.p_background)))


def short(words: str, length: int) -> str:
    """The words, cut at a space with an ellipsis when they are too long."""
    if len(words) <= length:
        return words
    return words[: length - 1].rpartition(" ")[0].rstrip(",;") + "…"


def share(value: float) -> Text:
    """A share of 1 as every face of the lab writes it."""
    return Text(percent(value, "fr"), percent(value, "en"))


def _share(value: float) -> float:
    return min(1.0, max(0.0, value))


def _summary(level: Standing, first: RankedDisease, n: int) -> Text:
    chance = share(first.posterior)
    if level == "one":
        name = short(first.name, 60)
        return Text(
            f"Penser à «\u202f{name}\u202f» ({chance.fr}) et demander l'avis d'un centre de référence",
            f"Think of “{name}” ({chance.en}) and ask an expert centre",
        )
    if level == "several":
        name = short(first.name, 50)
        return Text(
            f"Plusieurs maladies rares possibles, d'abord «\u202f{name}\u202f» ({chance.fr})\u202f: "
            "préciser les signes",
            f"Several rare diseases fit, first “{name}” ({chance.en}): look for the signs that separate them",
        )
    signs = (
        Text("Le signe relevé ne désigne", "The sign recorded points")
        if n == 1
        else Text(f"Les {n} signes relevés ne désignent", f"The {n} signs recorded point")
    )
    return Text(f"{signs.fr} aucune maladie rare en particulier", f"{signs.en} to no rare disease in particular")


def _detail(level: Standing, ranking: Ranking, labels: Labels, unusable: int) -> Text:
    first = ranking.candidates[0]
    parts: list[Text] = []
    if level == "none":
        parts.append(
            Text(
                "Cela n'écarte aucune maladie rare\u202f: d'autres signes, présents ou absents, peuvent changer ce "
                "constat.",
                "This rules out no rare disease: other signs, present or absent, may change it.",
            )
        )
    else:
        parts += _weighed(Text("Pour", "For"), first.evidence_for, labels)
        parts += _weighed(Text("Contre", "Against"), first.evidence_against, labels)
    parts.append(EQUAL_PRIORS)
    parts += [Text(f"{m.text.fr}.", f"{m.text.en}.") for m in ranking.mapped]
    parts += [Text(f"{i.text.fr}.", f"{i.text.en}.") for i in ranking.ignored]
    if unusable:
        parts.append(
            Text(
                f"{number(unusable, 'fr')} annotations citent un terme inconnu de cette édition de hp.obo\u202f: "
                "non utilisées.",
                f"{number(unusable, 'en')} annotations cite a term unknown to this edition of hp.obo: not used.",
            )
        )
    french = [p.fr for p in parts] + ([] if labels else [NO_FRENCH.fr])
    return Text(" ".join(french), " ".join(p.en for p in parts))


def _weighed(what: Text, signs: tuple[TermEvidence, ...], labels: Labels) -> list[Text]:
    if not signs:
        return []
    names = [labels.label(e.term, e.label) for e in signs[:SIGNS]]
    absent = [" (absent)" if e.kind == "excluded" else "" for e in signs[:SIGNS]]
    more = "…" if len(signs) > SIGNS else "."
    fr = ", ".join(name.fr + mark for name, mark in zip(names, absent, strict=True))
    en = ", ".join(name.en + mark for name, mark in zip(names, absent, strict=True))
    return [Text(f"{what.fr}\u202f: {fr}{more}", f"{what.en}: {en}{more}")]


def _probability_of(first: RankedDisease, ranking: Ranking) -> Text:
    among = Text(number(ranking.n_candidates, "fr"), number(ranking.n_candidates, "en"))
    return Text(
        f"probabilité de «\u202f{first.name}\u202f» selon le modèle, parmi {among.fr} maladies et "
        "«\u202faucune\u202f», toutes supposées également fréquentes",
        f"probability of “{first.name}” under the model, among {among.en} diseases and “none”, all taken to be "
        "equally common",
    )


def _missing(question: Question, labels: Labels) -> Missing:
    name = short(question.disease_name, 60)
    usual = share(question.background)
    if question.statement is not None:
        often = say(question.statement, question.term)
        fr = f"départage\u202f: «\u202f{name}\u202f», {often.fr}, contre {usual.fr} en moyenne"
        en = f"it separates: “{name}”, {often.en}, against {usual.en} on average"
    else:
        fr = f"départage\u202f: décrit dans «\u202f{name}\u202f» (fréquence non précisée), {usual.fr} en moyenne"
        en = f"it separates: described in “{name}” (frequency not stated), {usual.en} on average"
    return Missing(question.term, labels.label(question.term, question.label), Text(fr, en))


def _reason(rule: str, inputs: tuple[Input, ...] = (), date: str = "") -> Reason:
    row = knowledge()["rule"][rule]
    source = Source(
        row["document"], date or row.get("date", ""), row.get("place", ""), row.get("url", ""), row["verified"]
    )
    return Reason(f"raredisease.{rule}", Text.of({"fr": row["fr"], "en": row["en"]}), source, inputs)
