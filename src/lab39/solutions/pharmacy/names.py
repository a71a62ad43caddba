"""Understand the name of a medicine: a code, a label, a substance, free text -> moieties, or a question.

The steps go from exact to approximate, and the first that answers ends the search: code, whole label, names known
as they are written (with salt, hydrate, English form), spelling, likeness. What is not certain is asked
(:attr:`Match.AMBIGUOUS`, with the possible meanings); what is not known is told. Nothing is guessed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from lab39.core.text import Text
from lab39.solutions.pharmacy import notes as say
from lab39.solutions.pharmacy.catalogue import Catalogue, Row
from lab39.solutions.pharmacy.codes import Code, read_code
from lab39.solutions.pharmacy.matching import Found, alike, chunks, cover, is_salt_only, taken
from lab39.solutions.pharmacy.model import Candidate, Match, Moiety, Resolution
from lab39.solutions.pharmacy.narrowing import narrowed
from lab39.solutions.pharmacy.normal import fold, joined, words

MAX_CANDIDATES = 8
_DILUTION = re.compile(r"\b\d+\s?(?:ch|dh|k)\b")
_TOGETHER = re.compile(r"[+/&]|\bet\b")


def resolve(text: str, catalogue: Catalogue) -> Resolution:
    """What a text names.

    Args:
        text: a code, a label, a name, a line of prescription.
        catalogue: of :func:`catalogue.open_catalogue`.

    Returns:
        ``FOUND`` with one candidate, ``AMBIGUOUS`` with those to choose from, or ``UNKNOWN``. Never raises.
    """
    partial = (say.PARTIAL,) if catalogue.partial else ()
    code = read_code(text)
    answer = _of_code(text, code, catalogue) if code else _of_label(text, catalogue) or _of_words(text, catalogue)
    return Resolution(answer.text, answer.match, answer.candidates, answer.notes + partial, answer.box)


def _of_code(text: str, code: Code, catalogue: Catalogue) -> Resolution:
    if code.kind == "atc":
        return _of_atc(text, code.value, catalogue)
    problem = {"bad-digit": say.BAD_DIGIT, "other-gtin": say.OTHER_GTIN, "bad-box": say.BAD_BOX}.get(code.kind)
    if problem:
        return Resolution(text, Match.UNKNOWN, (), (problem,), code.box)
    row = catalogue.by_cis(code.value) if code.kind == "cis" else catalogue.by_cip(code.value)
    if row is None:
        return Resolution(text, Match.UNKNOWN, (), (say.unknown_code(code.kind, code.value),), code.box)
    return Resolution(text, Match.FOUND, (_product(row, code.kind, catalogue),), _told(row), code.box)


def _of_atc(text: str, atc: str, catalogue: Catalogue) -> Resolution:
    sets = sorted({row.moieties for row in catalogue.named("atc:" + atc) if row.moieties})
    if not sets:
        return Resolution(text, Match.UNKNOWN, (), (say.unknown_code("atc", atc),))
    options = tuple(_candidate(keys, 1.0 if len(sets) == 1 else 0.5, "atc", atc, catalogue, atc) for keys in sets)
    if len(options) == 1:
        return Resolution(text, Match.FOUND, options)
    return Resolution(text, Match.AMBIGUOUS, options[:MAX_CANDIDATES], (say.SEVERAL_OF_CODE,))


def _of_label(text: str, catalogue: Catalogue) -> Resolution | None:
    """A whole label of the BDPM."""
    rows = catalogue.by_label(fold(text))
    sets = {row.moieties for row in rows}
    if not rows or len(sets) > 1:
        return None
    sold = [row for row in rows if row.marketed] or rows
    if len(sold) == 1 or len({row.folded for row in sold}) == 1:
        return Resolution(text, Match.FOUND, (_product(sold[0], "label", catalogue),), _told(sold[0]))
    return None


def _of_words(text: str, catalogue: Catalogue) -> Resolution:
    parts = words(text)
    if not any(any(c.isalpha() for c in word) for word in parts):
        return Resolution(text, Match.UNKNOWN, (), (say.NO_NAME,))
    found, left = cover(parts, catalogue)
    notes: list[Text] = []
    aside: list[str] = []
    for start, end in chunks(parts, left):
        group = parts[start:end]
        if is_salt_only(group) and found:
            continue
        written = joined(group)
        near = alike(written, catalogue) or _each_alike(group, catalogue)
        best = taken(near, written) if len(near) else None
        if best and not found:
            found.append(Found(start, end, best.name, "fuzzy", best.sets, best.score / 100))
            notes.append(say.read_as(written, best.name))
        elif near:
            options = tuple(
                _candidate(keys, row.score / 100, "fuzzy", row.name, catalogue) for row in near for keys in row.sets
            )
            known = tuple(_options(found, text, parts, catalogue)) if found else ()
            return Resolution(
                text, Match.AMBIGUOUS, (known + options)[:MAX_CANDIDATES], (*notes, say.near(written))
            )
        else:
            aside.append(written)
    found.sort(key=lambda each: each.start)
    if not found:
        return Resolution(text, Match.UNKNOWN, (), (say.unknown(" ".join(aside) or text.strip()),))
    if aside:
        notes.append(say.set_aside(aside))
    return _decide(text, parts, found, aside, notes, catalogue)


def _each_alike(group: Sequence[str], catalogue: Catalogue) -> list:  # type: ignore[type-arg]
    rows = [row for word in group for row in alike(word, catalogue)] if len(group) > 1 else []
    return sorted(rows, key=lambda row: -row.score)


def _decide(
    text: str,
    parts: Sequence[str],
    found: list[Found],
    aside: list[str],
    notes: list[Text],
    catalogue: Catalogue,
) -> Resolution:
    if _DILUTION.search(fold(text)) or all(each.how == "homeopathic" for each in found):
        name = found[0].name
        return Resolution(text, Match.FOUND, (Candidate((), 0.9, "homeopathic", name),), (*notes, say.HOMEOPATHIC))
    found = _distinct(found)
    options = _options(found, text, parts, catalogue)
    if len(found) > 1 and len(options) == 1 and not _TOGETHER.search(text.casefold()):
        pairs = [_candidate(keys, 0.5, each.how, each.name, catalogue) for each in found for keys in each.sets]
        if options[0].product is None and not catalogue.by_moieties([m.key for m in options[0].moieties]):
            both = [*options, *pairs][:MAX_CANDIDATES]
            return Resolution(text, Match.AMBIGUOUS, tuple(both), (*notes, say.TWO_NAMES))
    if len(options) == 1:
        only = options[0]
        if aside:
            only = Candidate(only.moieties, min(only.score, 0.8), only.how, only.label, None, only.atc, only.routes)
        withdrawn = _withdrawn(only)
        return Resolution(text, Match.FOUND, (only,), (*notes, *withdrawn))
    return Resolution(text, Match.AMBIGUOUS, tuple(options[:MAX_CANDIDATES]), (*notes, say.SEVERAL))


def _distinct(found: list[Found]) -> list[Found]:
    """Without the names that repeat an ingredient of another (« Augmentin (amoxicilline) »)."""
    kept: list[Found] = []
    for each in found:
        inside = [
            other
            for other in found
            if other is not each
            and len(other.sets) == 1
            and len(each.sets) == 1
            and set(each.sets[0]) <= set(other.sets[0])
            and (len(each.sets[0]) < len(other.sets[0]) or other.start < each.start)
        ]
        if not inside:
            kept.append(each)
    return kept or found


def _options(found: list[Found], text: str, parts: Sequence[str], catalogue: Catalogue) -> list[Candidate]:
    """Every meaning of the names together."""
    combined: list[tuple[tuple[str, ...], float, str, str]] = [((), 1.0, "", "")]
    for each in found:
        combined = [
            (
                tuple(dict.fromkeys((*keys, *more))),
                min(score, each.score),
                how or each.how,
                f"{name} + {each.name}" if name else each.name,
            )
            for keys, score, how, name in combined
            for more in each.sets
        ][:64]
    brand = found[0].name if len(found) == 1 and found[0].how in ("brand", "beginning", "fuzzy") else ""
    options = []
    for keys, score, how, name in combined:
        rows = [r for r in catalogue.by_head(brand) if r.moieties == tuple(sorted(keys))] if brand else []
        rows = narrowed(rows or catalogue.by_moieties(keys), text, parts)
        shown = _candidate(keys, score * _CONFIDENCE[how], how, name, catalogue)
        options.append(_with_rows(shown, rows, catalogue))
    return options


_CONFIDENCE = {
    "brand": 1.0,
    "substance": 1.0,
    "beginning": 0.97,
    "spelling": 0.98,
    "fuzzy": 0.95,
    "homeopathic": 0.9,
}


def _with_rows(candidate: Candidate, rows: Sequence[Row], catalogue: Catalogue) -> Candidate:
    codes = {row.atc for row in rows if row.atc}
    routes = tuple(dict.fromkeys(route for row in rows for route in row.routes))
    product = catalogue.product(rows[0].cis) if len(rows) == 1 else None
    atc = next(iter(codes)) if len(codes) == 1 else ""
    return Candidate(candidate.moieties, candidate.score, candidate.how, candidate.label, product, atc, routes)


def _candidate(
    keys: Sequence[str], score: float, how: str, label: str, catalogue: Catalogue, atc: str = ""
) -> Candidate:
    moieties = tuple(catalogue.moiety(key) or Moiety(key, key) for key in keys)
    return Candidate(moieties, round(score, 3), how, label or joined(keys), None, atc)


def _product(row: Row, how: str, catalogue: Catalogue) -> Candidate:
    product = catalogue.product(row.cis)
    moieties: tuple[Moiety, ...] = ()
    if product and not row.homeopathic:
        moieties = tuple(dict.fromkeys(i.moiety for i in product.ingredients))
    return Candidate(
        moieties, 1.0, "homeopathic" if row.homeopathic else how, row.label, product, row.atc, row.routes
    )


def _told(row: Row) -> tuple[Text, ...]:
    notes = []
    if row.homeopathic:
        notes.append(say.HOMEOPATHIC)
    if row.marketed is False:
        notes.append(say.not_marketed(row.label))
    if not row.moieties:
        notes.append(say.NO_COMPOSITION)
    return tuple(notes)


def _withdrawn(candidate: Candidate) -> tuple[Text, ...]:
    if candidate.product and candidate.product.marketed is False:
        return (say.not_marketed(candidate.product.label),)
    return ()
