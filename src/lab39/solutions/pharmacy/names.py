"""Understand the name of a medicine: a code, a label, a substance, free text -> moieties, or a question.

The steps go from exact to approximate, and the first that answers ends the search: code, whole label, names known
as they are written (with salt, hydrate, English form), spelling, likeness. What is not certain is asked
(:attr:`Match.AMBIGUOUS`, with the possible meanings); what is not known is told. Nothing is guessed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import product as cartesian

from lab39.core.text import Text
from lab39.solutions.pharmacy import notes as say
from lab39.solutions.pharmacy.catalogue import Catalogue, Row
from lab39.solutions.pharmacy.codes import Code, read_code
from lab39.solutions.pharmacy.matching import (
    Alike,
    Found,
    alike,
    chunks,
    cover,
    only_neutral,
    only_salt,
    taken,
    whole,
)
from lab39.solutions.pharmacy.model import Candidate, Match, Moiety, Resolution, Route
from lab39.solutions.pharmacy.narrowing import common_atc, narrowed, on_the_market
from lab39.solutions.pharmacy.normal import fold, joined, plain, salt_words, words

MAX_CANDIDATES = 8
BRANDS = ("brand", "reference", "beginning", "fuzzy")
MAX_CHARACTERS = 600
CONFIDENCE = {
    "brand": 1.0,
    "reference": 0.97,
    "substance": 1.0,
    "beginning": 0.97,
    "spelling": 0.98,
    "fuzzy": 0.95,
    "several": 0.9,
}
ASIDE = 0.8
"""Confidence at most, when words of the text were not used."""
_DILUTION = re.compile(r"\b\d+\s?(?:ch|dh|k)\b|\bhomeopath")
_TOGETHER = re.compile(r"[+/&]|\b(?:et|and|avec|plus)\b")
_EXCIPIENTS = re.compile(r"\b(?:edulcore|aromatise|excipient|sweetened)e?s?\b.*")


def resolve(text: str, catalogue: Catalogue) -> Resolution:
    """What a text names. Never raises.

    Args:
        text: a code, a label, a name, a line of prescription.
        catalogue: of :func:`catalogue.open_catalogue`.

    Returns:
        ``FOUND`` with one candidate, ``AMBIGUOUS`` with those to choose from (one, when it must be confirmed), or
        ``UNKNOWN``.
    """
    code = read_code(text)
    if code:
        answer = _of_code(text, code, catalogue)
    elif len(text) > MAX_CHARACTERS:
        answer = Resolution(text, Match.UNKNOWN, (), (say.TOO_LONG,))
    else:
        answer = _of_label(text, catalogue) or _Reading(text, catalogue).answer()
    return replace(answer, notes=(*answer.notes, say.PARTIAL)) if catalogue.partial else answer


def resolve_all(lines: Iterable[str], catalogue: Catalogue) -> list[Resolution]:
    """Each line of a treatment; a line that repeats another says so."""
    answers = [resolve(line, catalogue) for line in lines]
    first: dict[str, int] = {}
    for i, answer in enumerate(answers):
        before = first.setdefault(fold(answer.text), i)
        if before != i:
            answers[i] = replace(answer, notes=(*answer.notes, say.same_as(before + 1)))
    return answers


def _of_code(text: str, code: Code, catalogue: Catalogue) -> Resolution:
    if code.kind == "atc":
        return of_atc(text, code.value, catalogue)
    problem = {"bad-digit": say.BAD_DIGIT, "other-gtin": say.OTHER_GTIN, "bad-box": say.BAD_BOX}.get(code.kind)
    if problem:
        return Resolution(text, Match.UNKNOWN, (), (problem,), code.box)
    row = catalogue.by_cis(code.value) if code.kind == "cis" else catalogue.by_cip(code.value)
    if row is None:
        return Resolution(text, Match.UNKNOWN, (), (say.unknown_code(code.kind, code.value),), code.box)
    return Resolution(text, Match.FOUND, (_product(row, code.kind, catalogue),), _told(row), code.box)


def of_atc(text: str, atc: str, catalogue: Catalogue) -> Resolution:
    """What an ATC code of the fifth level stands for."""
    sets = sorted({row.moieties for row in catalogue.named("atc:" + atc) if row.moieties})
    if not sets:
        return Resolution(text, Match.UNKNOWN, (), (say.unknown_code("atc", atc),))
    options = []
    for keys in sets:
        rows = [row for row in catalogue.by_atc(atc) if row.moieties == keys]
        shown = replace(_candidate(keys, 1.0 if len(sets) == 1 else 0.5, "atc", catalogue), atc=atc)
        options.append(replace(shown, routes=_routes(rows)))
    if len(options) == 1:
        return Resolution(text, Match.FOUND, tuple(options))
    return Resolution(text, Match.AMBIGUOUS, tuple(options[:MAX_CANDIDATES]), (say.SEVERAL_OF_CODE,))


def _of_label(text: str, catalogue: Catalogue) -> Resolution | None:
    """A whole label of the BDPM."""
    rows = catalogue.by_label(fold(text))
    if not rows or len({row.moieties for row in rows}) > 1:
        return None
    best = next((row for row in rows if row.marketed), rows[0])
    return Resolution(text, Match.FOUND, (_product(best, "label", catalogue),), _told(best))


@dataclass
class _Reading:
    """A text that is neither a code nor a whole label, being understood."""

    text: str
    catalogue: Catalogue
    notes: list[Text] = field(default_factory=list)
    aside: list[str] = field(default_factory=list)

    def answer(self) -> Resolution:
        """What the text names, with the words that explain it; unknown or several rather than a guess."""
        self.parts = words(_EXCIPIENTS.sub(" ", plain(self.text)))
        if not any(c.isalpha() for word in self.parts for c in word):
            return self._says(Match.UNKNOWN, (), say.NO_NAME)
        found, left = whole(self.text, self.parts, self.catalogue) or cover(self.parts, self.catalogue)
        if _DILUTION.search(plain(self.text)) or (found and all(each.how == "homeopathic" for each in found)):
            return self._says(Match.FOUND, [Candidate((), 0.9, "homeopathic", self.text.strip())], say.HOMEOPATHIC)
        found = [each for each in found if each.how != "homeopathic"]
        for start, end in chunks(self.parts, left):
            group = self.parts[start:end]
            if found and (only_salt(group) or (only_neutral(group) and not self._versatile(found))):
                continue
            question = self._unexplained(start, end, found)
            if question:
                return question
        found.sort(key=lambda each: each.start)
        if not found:
            return self._says(Match.UNKNOWN, (), say.unknown(self.text.strip()))
        if self.aside:
            self.notes.append(say.set_aside(self.aside))
        return self._decided(_distinct(found))

    def _unexplained(self, start: int, end: int, found: list[Found]) -> Resolution | None:
        """Words that are no known name: read as one, asked, or set aside."""
        group = [word for word in self.parts[start:end] if word not in salt_words()]
        written = joined(self.parts[start:end])
        near = alike(written, self.catalogue) or alike(joined(group), self.catalogue)
        if not near and len(group) > 1:
            each = [row for word in group for row in alike(word, self.catalogue)]
            near = sorted(each, key=lambda row: (row.distance, -row.score))
        best = taken(near, written)
        if best and not found:
            found.append(Found(start, end, best.name, "fuzzy", best.sets, best.score / 100))
            self.notes.append(say.read_as(written, best.name))
            return None
        before_any = all(end <= each.start for each in found)
        known = self._options(_distinct(found)) if found else []
        if near:
            return self._says(Match.AMBIGUOUS, [*known, *self._of_alike(near)], say.near(written))
        extends = any(each.end == start and self._may_extend(each, self.parts[start]) for each in found)
        if found and (extends or before_any):
            return self._says(Match.AMBIGUOUS, known, say.not_explained(written))
        self.aside.append(written)
        return None

    def _versatile(self, found: Sequence[Found]) -> bool:
        """Whether products that share the first word of a brand have several compositions."""
        brands = [each.name.split()[0] for each in found if each.how in BRANDS]
        return any(len({row.moieties for row in self.catalogue.by_head(brand)}) > 1 for brand in brands)

    def _may_extend(self, name: Found, word: str) -> bool:
        """Whether a word that follows a name may make another medicine of it: « Advil rhume », « insuline … »."""
        if name.how == "beginning":
            return True
        if name.how in ("brand", "reference"):
            return word in self.catalogue.extensions
        return len(name.sets) == 1 and len(name.sets[0]) == 1 and self.catalogue.begins_others(name.sets[0][0])

    def _decided(self, found: list[Found]) -> Resolution:
        options = self._options(found)
        if len(options) > 1:
            return self._says(Match.AMBIGUOUS, options, say.SEVERAL)
        only = options[0]
        if len(found) > 1 and not self.catalogue.by_moieties([m.key for m in only.moieties]):
            parts = [_candidate(keys, 0.5, each.how, self.catalogue) for each in found for keys in each.sets]
            if not _TOGETHER.search(plain(self.text)):
                return self._says(Match.AMBIGUOUS, [only, *parts], say.TWO_NAMES)
            self.notes.append(say.NOT_TOGETHER)
        if self.aside:
            only = replace(only, score=min(only.score, ASIDE), product=None)
        self.notes += [say.brand_gone(e.name.upper()) for e in found if e.how == "reference"]
        if only.product and only.product.marketed is False:
            self.notes.append(say.not_marketed(only.product.label))
        elif not self.catalogue.partial:
            for each in only.moieties:
                if not self.catalogue.sold(each.key):
                    kinds = self.catalogue.begins_others(each.key)
                    self.notes.append(say.general(each.label) if kinds else say.no_product(each.label))
        return self._says(Match.FOUND, [only])

    def _options(self, found: list[Found]) -> list[Candidate]:
        """Every meaning of the names together."""
        ways = {each.how for each in found}
        how = ways.pop() if len(found) == 1 or ways == {"substance"} else "several"
        score = min(each.score for each in found) * CONFIDENCE[how]
        brand = found[0].name if len(found) == 1 and how in BRANDS else ""
        options = []
        for chosen in list(cartesian(*(each.sets for each in found)))[: 4 * MAX_CANDIDATES]:
            keys = tuple(dict.fromkeys(key for some in chosen for key in some))
            options.append(self._with(_candidate(keys, score, how, self.catalogue, brand.upper()), brand))
        return options

    def _of_alike(self, near: Sequence[Alike]) -> list[Candidate]:
        rows = [(row, keys) for row in near for keys in row.sets]
        return [
            _candidate(
                keys, row.score / 100, "fuzzy", self.catalogue, row.name.upper() if row.how == "brand" else ""
            )
            for row, keys in rows
        ]

    def _with(self, candidate: Candidate, brand: str) -> Candidate:
        """A meaning with what its products share: those of the brand that fit the text, else all products of it."""
        keys = tuple(sorted(m.key for m in candidate.moieties))
        branded = [row for row in self.catalogue.by_head(brand) if row.moieties == keys] if brand else []
        everyone = self.catalogue.by_moieties(keys)
        own = narrowed(branded, self.text, self.parts, strict=True)
        fits = own or narrowed(everyone, self.text, self.parts)
        routes = _routes(own or on_the_market(everyone, self.text, self.parts))
        sure = own or (not brand and set(fits[0].routes) >= set(routes)) if len(fits) == 1 else False
        product = self.catalogue.product(fits[0].cis) if sure else None
        return replace(
            candidate,
            label=product.label if product else candidate.label,
            product=product,
            atc=common_atc(fits, branded, everyone),
            routes=routes,
        )

    def _says(self, match: Match, candidates: Sequence[Candidate], *notes: Text) -> Resolution:
        kept = tuple(dict.fromkeys(candidates))[:MAX_CANDIDATES]
        return Resolution(self.text, match, kept, (*self.notes, *notes))


def _distinct(found: Sequence[Found]) -> list[Found]:
    """Without the names that repeat an ingredient of another (« Augmentin (amoxicilline) »)."""

    def repeats(each: Found, other: Found) -> bool:
        if other is each or len(other.sets) != 1 or len(each.sets) != 1:
            return False
        mine, theirs = set(each.sets[0]), set(other.sets[0])
        return mine < theirs or (mine == theirs and other.start < each.start)

    return [each for each in found if not any(repeats(each, other) for other in found)]


def _candidate(keys: Sequence[str], score: float, how: str, catalogue: Catalogue, label: str = "") -> Candidate:
    moieties = tuple(catalogue.moiety(key) or Moiety(key, key) for key in keys)
    return Candidate(moieties, round(score, 3), how, label or " + ".join(m.label for m in moieties))


def _product(row: Row, how: str, catalogue: Catalogue) -> Candidate:
    product = catalogue.product(row.cis)
    moieties: tuple[Moiety, ...] = ()
    if product and not row.homeopathic:
        moieties = tuple(dict.fromkeys(i.moiety for i in product.ingredients))
    how = "homeopathic" if row.homeopathic else how
    atc = row.atc if row.atc or not moieties else common_atc([row], catalogue.by_moieties(row.moieties))
    return Candidate(moieties, 1.0, how, row.label, product, atc, row.routes)


def _routes(rows: Sequence[Row]) -> tuple[Route, ...]:
    return tuple(dict.fromkeys(route for row in rows for route in row.routes))


def _told(row: Row) -> tuple[Text, ...]:
    notes = []
    if row.homeopathic:
        notes.append(say.HOMEOPATHIC)
    elif not row.moieties:
        notes.append(say.NO_COMPOSITION)
    if row.marketed is False:
        notes.append(say.not_marketed(row.label))
    return tuple(notes)
