"""French vaccines: what each product holds, its codes, its licence and its market, from ``knowledge/france``.

A name is recognised through accents, spelling and the words of a full label; a number in it never changes, and
between two products nothing is chosen.

>>> find("infanrix-hexa").product.name
'Infanrix Hexa'
>>> find("Prevenar 14").product is None
True
"""

from __future__ import annotations

import datetime as dt
import re
import tomllib
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Literal

from lab39.core.text import NO_TEXT, Text
from lab39.solutions.vaccination.dates import Duration, parse

Kind = Literal["vaccine", "antibody", "unspecified"]
Confidence = Literal["O", "S", "M"]
How = Literal["code", "name", "spelling", "several", "unknown"]
_SHORTEST = 5
"""Below this length a name must be written exactly: two short names are too near each other."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where a fact was read, and the day of that state."""

    key: str
    title: str
    date: dt.date
    url: str


@dataclass(frozen=True, slots=True)
class Product:
    """One product.

    Attributes:
        kind: ``unspecified`` for a vaccine that a record names by disease only.
        valences: ids of :func:`valences`; lower case ``d`` and ``ap`` are reduced doses.
        marketed: as declared on the date of ``source``; ``stopped`` is the day of the declared end.
        age_from: licence, from this age; ``age_to``: before this age. ``None`` is not stated.
        ages: how well the licence ages are known; ``M`` decides nothing. ``ages_source``: where, if not ``source``.
        volume_ml: of one dose.
        rate: per cent reimbursed in town as the public database states it; ``None`` when it states none.
        confidence: of codes, valences and market.
        doubt: what is uncertain of this row.
    """

    name: str
    nuva: str
    kind: Kind
    valences: tuple[str, ...]
    live: bool
    marketed: bool
    since: dt.date | None
    stopped: dt.date | None
    age_from: Duration | None
    age_to: Duration | None
    ages: Confidence
    ages_source: Source | None
    route: tuple[str, ...]
    volume_ml: float | None
    cip13: tuple[str, ...]
    cis: tuple[str, ...]
    rate: int | None
    aliases: tuple[str, ...]
    source: Source
    confidence: Confidence
    doubt: Text

    @property
    def label(self) -> Text:
        """Its name, with the valences of one that is named by disease only."""
        if self.kind != "unspecified":
            return Text.same(self.name)
        held = [valences()[each] for each in self.valences]
        return Text(self.name, ", ".join(each.en for each in held) + " (unspecified)")


@dataclass(frozen=True, slots=True)
class Found:
    """What a name or a code may mean.

    Attributes:
        product: the only meaning; ``None`` when unknown or when several are possible.
        candidates: every possible meaning, nearest first.
        how: ``spelling`` when letters had to be forgiven, ``several`` when nothing was chosen.
    """

    text: str
    product: Product | None
    candidates: tuple[Product, ...]
    how: How

    @property
    def valences(self) -> tuple[str, ...]:
        """The valences that every candidate has in common when they agree entirely, else none."""
        held = {each.valences for each in self.candidates}
        return next(iter(held)) if len(held) == 1 else ()


@cache
def products() -> tuple[Product, ...]:
    """Every product, in the order of the file."""
    body = _body()
    sources = {row["key"]: Source(row["key"], row["title"], row["date"], row["url"]) for row in body["source"]}
    return tuple(_product(row, sources) for row in body["product"])


@cache
def valences() -> Mapping[str, Text]:
    """The name of each valence by its id."""
    return {key: Text.of(row) for key, row in _body()["valences"].items()}


def edition() -> str:
    """The day of this state of the file."""
    return str(_body()["edition"])


def by_nuva(code: str) -> Product | None:
    """The product of a NUVA code."""
    return _index("nuva").get(code.strip().upper())


def by_cip13(code: str) -> Product | None:
    """The product of a CIP13; spaces and points are left out."""
    return _index("cip13").get(_digits(code))


def by_cis(code: str) -> Product | None:
    """The product of a CIS code."""
    return _index("cis").get(_digits(code))


def by_gtin(code: str) -> Product | None:
    """The product of a GTIN-14 (``0`` before the CIP13) or of a GTIN-13."""
    digits = _digits(code)
    return by_cip13(digits[1:] if len(digits) == 14 and digits.startswith("0") else digits)


def find(text: str) -> Found:
    """The product that a name, a label or a code names.

    Codes are read first, then names exactly, then up to two letters wrong. A brand of several products
    (``Prevenar``) and a spelling that is near two are answered with every candidate and no choice.
    """
    written = text.strip()
    coded = by_nuva(written) or by_gtin(written) or by_cis(written)
    if coded is not None:
        return Found(text, coded, (coded,), "code")
    tries = [written, re.split(r",(?!\d)", written, maxsplit=1)[0], *_without_form(written)]
    for said in dict.fromkeys(filter(None, tries)):
        exact = _exact(said)
        if exact:
            brand = _brand(exact[0], said)
            return _told(text, brand, "name")
    for said in dict.fromkeys(filter(None, tries)):
        near = _near(_plain(said))
        if near:
            return _told(text, near, "spelling")
    begun = _begun(_plain(written))
    return Found(text, None, begun, "several" if begun else "unknown")


def _told(text: str, candidates: tuple[Product, ...], how: How) -> Found:
    if len(candidates) == 1:
        return Found(text, candidates[0], candidates, how)
    return Found(text, None, candidates, "several")


def _exact(said: str) -> tuple[Product, ...]:
    """By the letters; among names that differ by capitals only (``DTCaP``, ``dTcaP``), the one written so."""
    found = _names().get(_plain(said), ())
    if len(found) > 1:
        tight = said.replace(" ", "")
        cased = tuple(each for each in found if tight in (n.replace(" ", "") for n in (each.name, *each.aliases)))
        return cased or found
    return found


def _brand(product: Product, said: str) -> tuple[Product, ...]:
    """The product, with those that bear the same name and a number (``Gardasil``, ``Gardasil 9``)."""
    stem = _plain(said)
    if stem != _plain(product.name) or product.kind == "unspecified":
        return (product,) if len(_exact(said)) == 1 else _exact(said)
    numbered = (each for each in products() if re.match(rf"{re.escape(product.name)}\b.*\d", each.name))
    return tuple(dict.fromkeys((product, *numbered)))


def _near(plain: str) -> tuple[Product, ...]:
    """Products whose name is one or two letters away, its numbers being the same; the nearest distance only."""
    from rapidfuzz.distance import OSA

    if len(plain) < _SHORTEST:
        return ()
    allowed = 1 if len(plain) < 8 else 2
    numbers = re.findall(r"\d+", plain)
    found: dict[int, list[Product]] = {}
    for name, held in _names().items():
        if len(name) < _SHORTEST or re.findall(r"\d+", name) != numbers:
            continue
        distance = OSA.distance(plain, name, score_cutoff=allowed)
        if distance <= allowed:
            found.setdefault(distance, []).extend(held)
    return tuple(dict.fromkeys(each for distance in sorted(found) for each in found[distance]))


def _begun(plain: str) -> tuple[Product, ...]:
    """Products whose name begins so (``Engerix B``): to choose from, even when there is one."""
    if len(plain) < _SHORTEST:
        return ()
    return tuple(dict.fromkeys(each for name, held in _names().items() if name.startswith(plain) for each in held))


def _without_form(text: str) -> Iterable[str]:
    """A label without what the name of a form, a strength or a presentation adds."""
    bare = re.sub(
        r"\b(vaccin|suspension|solution|poudre|injectable|seringue|pr[ée]remplie)\b.*$", "", text, flags=re.I
    )
    yield bare.strip(" ,.-")
    yield re.sub(r"\s*\([^)]*\)", "", text).strip()
    yield re.sub(r"^vaccin\s+(?:contre\s+)?(?:le |la |les |l['’])?", "", text, flags=re.I).strip()


@cache
def _names() -> Mapping[str, tuple[Product, ...]]:
    found: dict[str, tuple[Product, ...]] = {}
    for product in products():
        for name in (product.name, *product.aliases):
            plain = _plain(name)
            if product not in found.get(plain, ()):
                found[plain] = (*found.get(plain, ()), product)
    return found


@cache
def _index(field: Literal["nuva", "cip13", "cis"]) -> Mapping[str, Product]:
    if field == "nuva":
        return {each.nuva: each for each in products()}
    return {code: each for each in products() for code in getattr(each, field)}


def _plain(text: str) -> str:
    """Letters and figures only, without accents or case; ``µg`` and its words are one."""
    bare = unicodedata.normalize("NFKD", text.replace("µ", "u").replace("μ", "u"))
    bare = "".join(each for each in bare.casefold() if not unicodedata.combining(each))
    bare = re.sub(r"\b(microgrammes?|mcg|ug)\b", "ug", bare)
    return re.sub(r"[^a-z0-9]", "", bare)


def _digits(code: str) -> str:
    return re.sub(r"[\s.\u00a0\u202f-]", "", code)


def _product(row: Mapping[str, Any], sources: Mapping[str, Source]) -> Product:
    return Product(
        name=row["name"],
        nuva=row["nuva"],
        kind=row.get("kind", "vaccine"),
        valences=tuple(row["valences"]),
        live=row["live"],
        marketed=row["marketed"],
        since=row.get("since"),
        stopped=row.get("stopped"),
        age_from=parse(row["age_from"]) if "age_from" in row else None,
        age_to=parse(row["age_to"]) if "age_to" in row else None,
        ages=row.get("ages", "M"),
        ages_source=sources[row["ages_source"]] if "ages_source" in row else None,
        route=tuple(row.get("route", ())),
        volume_ml=row.get("volume_ml"),
        cip13=tuple(row.get("cip13", ())),
        cis=tuple(row.get("cis", ())),
        rate=row.get("rate"),
        aliases=tuple(row.get("aliases", ())),
        source=sources[row["source"]],
        confidence=row["confidence"],
        doubt=Text.of(row["doubt"]) if "doubt" in row else NO_TEXT,
    )


@cache
def _body() -> Mapping[str, Any]:
    file = resources.files(__package__) / "knowledge" / "france" / "products.toml"
    return tomllib.loads(file.read_text("utf-8"))
