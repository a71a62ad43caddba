"""The consultation: signs told one by one, found by words; the differential and what to look for next."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from lab39.core.errors import InputError
from lab39.core.finding import Finding
from lab39.core.text import LANGS, NO_TEXT, Text, number
from lab39.solutions.raredisease import findings
from lab39.solutions.raredisease.explanation import explain
from lab39.solutions.raredisease.knowing import Knowing
from lab39.solutions.raredisease.model import Explanation, Query, Question, Ranking, SignMatch, TermEvidence
from lab39.solutions.raredisease.obo import PHENOTYPE
from lab39.solutions.raredisease.questions import next_signs
from lab39.solutions.raredisease.ranking import rank
from lab39.solutions.raredisease.search import search
from lab39.solutions.raredisease.statements import UNSTATED, say

MOST = 100
"""Signs in one consultation."""
PROPOSED = 8
EXPLAINED = 5
ASKED = 4


@dataclass(frozen=True, slots=True)
class Signs:
    """What was told so far: HPO ids of the signs present and absent, in the order they were told."""

    present: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()

    @classmethod
    def told(cls, present: Iterable[str], absent: Iterable[str]) -> Signs:
        """Each sign once; what was told last of a sign is kept.

        Raises:
            InputError: more than a consultation holds.
        """
        found = cls()
        for term in present:
            found = found.with_present(term)
        for term in absent:
            found = found.with_absent(term)
        if len(found.present) + len(found.absent) > MOST:
            raise InputError(Text(f"plus de {MOST} signes", f"more than {MOST} signs"))
        return found

    def with_present(self, term: str) -> Signs:
        """The same with a sign present."""
        rest = self.without(term)
        return replace(rest, present=(*rest.present, _id(term)))

    def with_absent(self, term: str) -> Signs:
        """The same with a sign looked for and not found."""
        rest = self.without(term)
        return replace(rest, absent=(*rest.absent, _id(term)))

    def without(self, term: str) -> Signs:
        """The same without what was told of a sign."""
        gone = _id(term)
        return Signs(tuple(t for t in self.present if t != gone), tuple(t for t in self.absent if t != gone))

    @property
    def query(self) -> Query:
        """What is ranked."""
        return Query(self.present, self.absent)

    @property
    def address(self) -> str:
        """The query of an address that tells the same signs again."""
        return "?" + urlencode(
            [("present", t) for t in self.present] + [("absent", t) for t in self.absent], safe=":"
        )


@dataclass(frozen=True, slots=True)
class Differential:
    """What is shown for some signs.

    Attributes:
        finding: the same words and bars as for a record with these signs.
        why: the first diseases explained; empty when no sign can be used.
        questions: what to look for next, the most telling first.
    """

    finding: Finding
    ranking: Ranking
    why: tuple[Explanation, ...]
    questions: tuple[Question, ...]


def suggestions(known: Knowing, words: str, told: Signs) -> tuple[SignMatch, ...]:
    """Signs whose names are like the words and that were not told yet."""
    found = search(known.index, words, known.labels, top=PROPOSED + len(told.present) + len(told.absent),
                   known=known.names)  # fmt: skip
    return tuple(match for match in found if match.term not in (*told.present, *told.absent))[:PROPOSED]


def differential(known: Knowing, told: Signs) -> Differential | None:
    """The differential of what was told; ``None`` when nothing was told to be present."""
    if not told.present:
        return None
    ranking = rank(known.index, told.query)
    if not ranking.candidates:
        return Differential(findings.no_usable_sign(ranking), ranking, (), ())
    asked = next_signs(known.index, told.query, ranking, top=ASKED)
    english = dict(zip(known.index.term_ids, known.index.labels, strict=True))
    seen = findings.Seen((), known.labels)
    found = findings.differential(ranking, seen, asked, english, int(known.index.meta["unusable"]))
    why = tuple(explain(known.index, told.query, each.id, expected=5) for each in ranking.candidates[:EXPLAINED])
    return Differential(found, ranking, why, asked)


def asked_because(question: Question) -> Text:
    """Why a sign is worth looking for."""
    often = say(question.statement, question.term) if question.statement else UNSTATED
    usual = findings.share(question.background)
    return Text(f"{often.fr}, contre {usual.fr} en moyenne", f"{often.en}, against {usual.en} on average")


def weight(sign: TermEvidence) -> Text:
    """The likelihood ratio of a sign, to two figures: ``× 250`` speaks for the disease, ``÷ 3`` against it."""
    ratio = math.exp(abs(sign.log_lr))
    digits = 1 if ratio < 10 else 0
    rounded = ratio if ratio < 100 else round(ratio, 1 - math.floor(math.log10(ratio)))
    mark = "×" if sign.log_lr > 0 else "÷"
    return Text(*(f"{mark}\u202f{number(rounded, lang, digits=digits)}" for lang in LANGS))


def through(known: Knowing, sign: TermEvidence) -> Text:
    """The broader sign by which a disease was compared, when it is not the sign itself."""
    if not sign.distance or sign.matched in (None, PHENOTYPE):
        return NO_TEXT
    return known.label(str(sign.matched))


def _id(term: str) -> str:
    return term.strip().upper()[:40]
