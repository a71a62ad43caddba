"""The names of a lab without the BDPM: a small table, partial and told so."""

from __future__ import annotations

import sqlite3
import tomllib
from collections.abc import Iterable
from functools import cache
from importlib.resources import files

from lab39.solutions.pharmacy.catalogue import Catalogue
from lab39.solutions.pharmacy.catalogue_build import SCHEMA, SEPARATOR
from lab39.solutions.pharmacy.normal import fold, skeleton


def starter_catalogue(substances: Iterable[str] = ()) -> Catalogue:
    """The catalogue made of ``knowledge/starter.toml``, and of names of the thesaurus in use."""
    return Catalogue(_database(), substances)


@cache
def _database() -> sqlite3.Connection:
    text = files("lab39.solutions.pharmacy").joinpath("knowledge/starter.toml").read_text("utf-8")
    db = sqlite3.connect(":memory:", check_same_thread=False)
    db.executescript(SCHEMA)
    table = tomllib.loads(text)
    for row in table["medicine"]:
        key = fold(row["name"])
        db.execute("INSERT INTO moiety VALUES (?,?,?,?)", (key, row["name"], SEPARATOR.join(row.get("atc", [])), 0))
        db.execute("INSERT OR IGNORE INTO name VALUES (?,?,?,?)", ("~" + skeleton(key), "skeleton", key, 0))
        for other in (row["en"], *row.get("also", [])):
            db.execute("INSERT OR IGNORE INTO name VALUES (?,?,?,?)", (fold(other), "substance", key, 0))
        for code in row.get("atc", []):
            db.execute("INSERT OR IGNORE INTO name VALUES (?,?,?,?)", ("atc:" + code, "atc", key, 0))
        for brand in row.get("brands", []):
            db.execute("INSERT OR IGNORE INTO name VALUES (?,?,?,?)", (fold(brand), "brand", key, 0))
    for row in table.get("combination", []):
        joint = SEPARATOR.join(sorted(fold(name) for name in row["of"]))
        db.execute("INSERT OR IGNORE INTO name VALUES (?,?,?,?)", ("atc:" + row["atc"], "atc", joint, 0))
        for brand in row["brands"]:
            db.execute("INSERT OR IGNORE INTO name VALUES (?,?,?,?)", (fold(brand), "brand", joint, 0))
    db.execute("INSERT INTO meta VALUES ('source', 'starter')")
    db.commit()
    return db
