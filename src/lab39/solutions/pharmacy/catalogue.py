"""The catalogue: every way to call a product or a substance, and what it stands for.

One SQLite file compiled from the BDPM (:mod:`catalogue_build`) and kept by ``packs.compiled``, or a small one made
in memory from ``knowledge/starter.toml`` when the pack is not installed. It is opened read-only, read as needed.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property, lru_cache
from pathlib import Path

from lab39.core.datapacks import Pack, Packs
from lab39.core.errors import InputError
from lab39.core.text import Text
from lab39.solutions.pharmacy.bdpm import PACK, Broken
from lab39.solutions.pharmacy.catalogue_build import FORMAT, SEPARATOR, build
from lab39.solutions.pharmacy.model import Ingredient, Moiety, Product, Route
from lab39.solutions.pharmacy.normal import moiety_key, skeleton, upright_label


@dataclass(frozen=True, slots=True)
class Named:
    """What a name stands for.

    Attributes:
        kind: ``brand`` (what a label prints before the dose), ``beginning`` (its first words), ``substance``,
            ``reference`` (a brand that a generic group names), ``homeopathic brand``, ``homeopathic beginning``,
            ``skeleton``, ``atc``.
        moieties: keys of the set, sorted.
        products: how many products bear the name.
    """

    name: str
    kind: str
    moieties: tuple[str, ...]
    products: int


@dataclass(frozen=True, slots=True)
class Row:
    """A product as the catalogue keeps it; :meth:`Catalogue.product` gives the whole."""

    cis: str
    label: str
    folded: str
    form: str
    routes: tuple[Route, ...]
    atc: str
    marketed: bool | None
    status: str
    homeopathic: bool
    moieties: tuple[str, ...]


class Catalogue:
    """An open catalogue.

    Args:
        connection: to a database of the format of :mod:`catalogue_build`.
        substances: names that are known though no product bears them: those of the thesaurus, which lists
            medicines that left the French market.
    """

    def __init__(self, connection: sqlite3.Connection, substances: Iterable[str] = ()) -> None:
        self._db = connection
        self._substances = tuple(substances)
        try:
            self.meta: dict[str, str] = dict(connection.execute("SELECT key, value FROM meta"))
        except sqlite3.DatabaseError as error:
            raise InputError(Text("catalogue illisible", "unreadable catalogue"), str(error)) from error
        self.moiety = lru_cache(maxsize=4096)(self._moiety)
        self.named = lru_cache(maxsize=16384)(self._named)

    @classmethod
    def open(cls, path: Path, substances: Iterable[str] = ()) -> Catalogue:
        """A compiled file, read-only."""
        uri = f"{path.resolve().as_uri()}?mode=ro&immutable=1"
        return cls(sqlite3.connect(uri, uri=True, check_same_thread=False), substances)

    @property
    def partial(self) -> bool:
        """Whether this is the small authored table, in which most medicines are absent."""
        return self.meta.get("source") != PACK

    @property
    def edition(self) -> str:
        """Day of the data, ``YYYY-MM-DD``; empty when not known."""
        return self.meta.get("edition", "")

    def broken(self) -> list[Broken]:
        """The lines of the source that could not be used."""
        rows = self._db.execute("SELECT file, line, fr, en FROM broken")
        return [Broken(file, line, Text(fr, en)) for file, line, fr, en in rows]

    def by_cis(self, cis: str) -> Row | None:
        """A product by its code."""
        return next(iter(self._rows("cis = ?", cis)), None)

    def by_cip(self, code: str) -> Row | None:
        """The product of a box, by CIP13 or CIP7."""
        column = "cip13" if len(code) == 13 else "cip7"
        found = self._db.execute(f"SELECT cis FROM presentation WHERE {column} = ?", (code,)).fetchone()  # noqa: S608
        return self.by_cis(found[0]) if found else None

    def by_label(self, folded: str) -> list[Row]:
        """Products whose whole label is this, folded."""
        return self._rows("folded = ?", folded)

    def by_head(self, name: str) -> list[Row]:
        """Products whose label begins with this name, in whole words."""
        return self._rows("head = ? OR (head >= ? AND head < ?)", name, name + " ", name + "!")

    def by_moieties(self, keys: Sequence[str]) -> list[Row]:
        """Products made of exactly these moieties."""
        return self._rows("moieties = ? AND NOT homeopathic", SEPARATOR.join(sorted(keys)))

    def sold(self, key: str) -> bool:
        """Whether some product holds this moiety."""
        return self._db.execute("SELECT 1 FROM ingredient WHERE moiety = ? LIMIT 1", (key,)).fetchone() is not None

    def begins_others(self, key: str) -> bool:
        """Whether other moieties begin with this one's name: « insuline »."""
        query = "SELECT 1 FROM moiety WHERE key > ? AND key < ? AND NOT homeopathic LIMIT 1"
        return self._db.execute(query, (key + " ", key + "!")).fetchone() is not None

    def by_atc(self, code: str) -> list[Row]:
        """Products of an ATC code."""
        return self._rows("atc = ?", code)

    def product(self, cis: str) -> Product | None:
        """A product with its ingredients."""
        row = self.by_cis(cis)
        if row is None:
            return None
        parts = self._db.execute(
            "SELECT moiety, substance, amount_mg, per FROM ingredient WHERE cis = ? ORDER BY rank", (cis,)
        )
        ingredients = tuple(
            Ingredient(self.moiety(key) or Moiety(key, key), substance, Decimal(amount) if amount else None, per)
            for key, substance, amount, per in parts
        )
        return Product(row.cis, row.label, row.form, row.routes, ingredients, row.atc, row.marketed)

    def conditions(self, cis: str) -> list[str]:
        """Conditions of prescription and dispensing of a product."""
        return [text for (text,) in self._db.execute("SELECT text FROM condition WHERE cis = ?", (cis,))]

    def generics(self, cis: str) -> list[tuple[str, str, int]]:
        """Generic groups of a product: number, label, kind (0 reference, 1 generic, 2 and 4 see CIS_GENER)."""
        return list(self._db.execute("SELECT grp, label, kind FROM generic WHERE cis = ?", (cis,)))

    @cached_property
    def laboratories(self) -> frozenset[str]:
        """Words that name a holder in labels of generics."""
        return self._words("laboratory")

    @cached_property
    def extensions(self) -> frozenset[str]:
        """Words that make another medicine of a brand (« rhume », « duo »)."""
        return self._words("extension")

    @cached_property
    def spellings(self) -> dict[str, list[str]]:
        """Every name by its first letter, for the search of misspelt ones."""
        found: dict[str, list[str]] = {}
        query = (
            "SELECT DISTINCT name FROM name WHERE kind IN ('brand', 'reference', 'beginning', 'substance') "
            "UNION SELECT key FROM moiety WHERE NOT homeopathic"
        )
        for name in dict.fromkeys([*(row[0] for row in self._db.execute(query)), *self._known]):
            if len(name) > 3:
                found.setdefault(name[0], []).append(name)
        return found

    @cached_property
    def _known(self) -> dict[str, str]:
        return {moiety_key(name): name for name in self._substances}

    @cached_property
    def _skeletons(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for key in self._known:
            found.setdefault("~" + skeleton(key), []).append(key)
        return found

    def _words(self, kind: str) -> frozenset[str]:
        return frozenset(word for (word,) in self._db.execute("SELECT word FROM word WHERE kind = ?", (kind,)))

    def _moiety(self, key: str) -> Moiety | None:
        row = self._db.execute("SELECT label, atc, homeopathic FROM moiety WHERE key = ?", (key,)).fetchone()
        if row and not row[2]:
            return Moiety(key, row[0], tuple(filter(None, row[1].split(SEPARATOR))))
        return Moiety(key, upright_label(self._known[key])) if key in self._known else None

    def _named(self, name: str) -> tuple[Named, ...]:
        rows = self._db.execute("SELECT name, kind, moieties, products FROM name WHERE name = ?", (name,))
        found = [Named(n, kind, tuple(filter(None, m.split(SEPARATOR))), count) for n, kind, m, count in rows]
        if name.startswith("~"):
            found += [Named(name, "skeleton", (key,), 0) for key in self._skeletons.get(name, ())]
        return tuple(found)

    def _rows(self, where: str, *values: str) -> list[Row]:
        query = (
            "SELECT cis, label, folded, form, routes, atc, marketed, status, homeopathic, moieties "  # noqa: S608
            f"FROM product WHERE {where} ORDER BY cis"
        )
        return [
            Row(
                cis,
                label,
                folded,
                form,
                tuple(Route(r) for r in filter(None, routes.split(SEPARATOR))),
                atc,
                None if marketed is None else bool(marketed),
                status,
                bool(homeopathic),
                tuple(filter(None, moieties.split(SEPARATOR))),
            )
            for cis, label, folded, form, routes, atc, marketed, status, homeopathic, moieties in self._db.execute(
                query, values
            )
        ]


def catalogue_path(packs: Packs) -> Path:
    """The compiled catalogue of the newest ``bdpm`` pack, built now if it is not there yet (some seconds).

    Raises:
        PackMissingError: with the command that brings the pack.
    """
    return compiled_catalogue(packs, packs.get(PACK))


def compiled_catalogue(packs: Packs, pack: Pack) -> Path:
    """The compiled catalogue of an edition of the ``bdpm`` pack, built now if it is not there yet."""
    edition = pack.edition.isoformat() if pack.edition else ""
    return packs.compiled(pack, FORMAT, lambda target: build(pack.files, target, edition))


def open_catalogue(packs: Packs, substances: Iterable[str] = ()) -> Catalogue:
    """The catalogue of the ``bdpm`` pack; the small authored one when it is not installed. A damaged file is built
    again, once.

    Args:
        substances: of the thesaurus in use, so that its names are known even when no product bears them.
    """
    if not packs.has(PACK):
        from lab39.solutions.pharmacy.starter_catalogue import starter_catalogue

        return starter_catalogue(substances)
    path = catalogue_path(packs)
    try:
        return Catalogue.open(path, substances)
    except InputError:
        path.unlink(missing_ok=True)
        return Catalogue.open(catalogue_path(packs), substances)
