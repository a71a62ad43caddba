"""Compile the BDPM into the catalogue: one SQLite file, opened read-only by :mod:`catalogue`.

Tables: ``product``, ``ingredient``, ``presentation``, ``moiety``, ``name`` (every way to call a product or a
substance), ``word`` (holders, extensions of brands), ``generic`` and ``condition`` (for the steps to come),
``broken`` and ``meta``.
"""

from __future__ import annotations

import re
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from pathlib import Path

from lab39.solutions.pharmacy import bdpm, routes
from lab39.solutions.pharmacy.normal import (
    fold,
    is_homeopathic,
    joined,
    moiety_key,
    plain,
    salt_words,
    skeleton,
    words,
)
from lab39.solutions.pharmacy.vocabulary import head, is_number, vocabulary

FORMAT = "catalogue-v5.sqlite"

SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;
CREATE TABLE product (cis TEXT PRIMARY KEY, label TEXT, folded TEXT, head TEXT, form TEXT, routes TEXT, atc TEXT,
  marketed INT, status TEXT, homeopathic INT, moieties TEXT) WITHOUT ROWID;
CREATE TABLE ingredient (cis TEXT, rank INT, moiety TEXT, substance TEXT, amount_mg TEXT, per TEXT,
  PRIMARY KEY (cis, rank)) WITHOUT ROWID;
CREATE TABLE presentation (cip13 TEXT PRIMARY KEY, cip7 TEXT, cis TEXT, label TEXT, marketed INT) WITHOUT ROWID;
CREATE TABLE moiety (key TEXT PRIMARY KEY, label TEXT, atc TEXT, homeopathic INT) WITHOUT ROWID;
CREATE TABLE name (name TEXT, kind TEXT, moieties TEXT, products INT,
  PRIMARY KEY (name, kind, moieties)) WITHOUT ROWID;
CREATE TABLE word (word TEXT, kind TEXT, PRIMARY KEY (word, kind)) WITHOUT ROWID;
CREATE TABLE generic (cis TEXT, grp TEXT, label TEXT, kind INT, rank INT, PRIMARY KEY (cis, grp)) WITHOUT ROWID;
CREATE TABLE condition (cis TEXT, text TEXT);
CREATE TABLE broken (file TEXT, line INT, fr TEXT, en TEXT);
"""
_INDEXES = """
CREATE INDEX product_head ON product (head);
CREATE INDEX product_folded ON product (folded);
CREATE INDEX product_moieties ON product (moieties);
CREATE INDEX product_atc ON product (atc);
CREATE INDEX presentation_cip7 ON presentation (cip7);
CREATE INDEX ingredient_moiety ON ingredient (moiety);
CREATE INDEX condition_cis ON condition (cis);
"""
SEPARATOR = "|"
"""Between the moieties of a set and between the routes of a product."""


def build(
    files: Mapping[str, Path], target: Path, edition: str = "", without: frozenset[str] = frozenset()
) -> None:
    """Write the catalogue.

    Args:
        files: of the pack, by role.
        target: a file that is empty or does not exist.
        edition: day of the pack, ``YYYY-MM-DD``.
        without: CIS codes to leave out, for benchmarks.
    """
    connection = sqlite3.connect(target, isolation_level=None)
    try:
        connection.executescript(
            "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA locking_mode=EXCLUSIVE;" + SCHEMA
        )
        connection.execute("BEGIN")
        _fill(connection, files, edition, without)
        connection.execute("COMMIT")
        connection.executescript(_INDEXES + "PRAGMA optimize;")
    finally:
        connection.close()


def _fill(db: sqlite3.Connection, files: Mapping[str, Path], edition: str, without: frozenset[str]) -> None:
    reading = bdpm.Reading()
    atc = {
        row.cis: row.atc
        for row in _optional(files, "mitm", reading)
        if len(row.atc) == 7 and row.cis not in without
    }
    accents: Counter[str] = Counter()
    composed, substances = _compositions(files, reading, without, accents)
    holders: set[str] = set()
    names: Counter[tuple[str, str, str]] = Counter()
    atc_of: defaultdict[str, Counter[str]] = defaultdict(Counter)
    remedies: Counter[tuple[str, bool]] = Counter()
    for row in bdpm.specialities(files["cis"], reading):
        if row.cis in without:
            continue
        parts = composed.get(row.cis, [])
        homeopathic = row.homeopathic or any(is_homeopathic(substance) for _, substance, *_ in parts)
        moieties = tuple(dict.fromkeys(key for key, *_ in parts))
        joint = SEPARATOR.join(sorted(moieties))
        top = head(row.label)
        db.execute(
            "INSERT OR REPLACE INTO product VALUES (?,?,?,?,?,?,?,?,?,?,?)",
            (
                row.cis,
                row.label,
                fold(row.label),
                joined(top),
                row.form,
                SEPARATOR.join(dict.fromkeys(routes.of_bdpm(r) for r in row.routes)),
                atc.get(row.cis, ""),
                None if row.marketed is None else int(row.marketed and row.status == "Autorisation active"),
                row.status,
                int(homeopathic),
                joint,
            ),
        )
        for rank, (key, substance, amount, per) in enumerate(parts):
            db.execute("INSERT INTO ingredient VALUES (?,?,?,?,?,?)", (row.cis, rank, key, substance, amount, per))
        for key in moieties:
            remedies[key, homeopathic] += 1
        if len(moieties) == 1 and row.cis in atc and not homeopathic:
            atc_of[moieties[0]][atc[row.cis]] += 1
        if not moieties:
            continue
        holders |= {w for w in words(row.holder) if len(w) > 1}
        if row.cis in atc:
            names["atc:" + atc[row.cis], "atc", joint] += 1
        for name, kind in called(top, moieties):
            names[name, f"homeopathic {kind}" if homeopathic else kind, joint] += 1
    for substance, keys in substances.items():
        names[substance, "substance", SEPARATOR.join(sorted(keys))] += 1
    db.executemany("INSERT OR IGNORE INTO name VALUES (?,?,?,?)", ((*key, n) for key, n in names.items()))
    _moieties(db, remedies, atc_of, accents)
    laboratories = _laboratories(db, holders)
    kinds = {"laboratory": laboratories, "extension": _extensions(db) - laboratories}
    db.executemany(
        "INSERT INTO word VALUES (?,?)", ((w, kind) for kind, some in kinds.items() for w in sorted(some))
    )
    for box in bdpm.presentations(files["cip"], reading):
        if box.cis not in without:
            db.execute(
                "INSERT OR REPLACE INTO presentation VALUES (?,?,?,?,?)",
                (box.cip13 or box.cip7, box.cip7, box.cis, box.label, box.marketed),
            )
    references: defaultdict[str, set[str]] = defaultdict(set)
    for group in _optional(files, "gener", reading):
        if group.cis in without:
            continue
        db.execute(
            "INSERT OR REPLACE INTO generic VALUES (?,?,?,?,?)",
            (group.cis, group.group, group.label, group.kind, group.order),
        )
        composition = composed.get(group.cis, [])
        for name in reference_names(group.label) if composition else ():
            references[name].add(SEPARATOR.join(sorted({key for key, *_ in composition})))
    for name, sets in references.items():
        if len(sets) == 1:
            db.execute("INSERT OR IGNORE INTO name VALUES (?,?,?,?)", (name, "reference", sets.pop(), 0))
    for each in _optional(files, "cpd", reading):
        db.execute("INSERT INTO condition VALUES (?,?)", (each.cis, each.text))
    db.executemany(
        "INSERT INTO broken VALUES (?,?,?,?)", ((b.file, b.line, b.why.fr, b.why.en) for b in reading.broken)
    )
    meta = {"edition": edition, "source": "bdpm", "encodings": repr(reading.encodings)}
    db.executemany("INSERT INTO meta VALUES (?,?)", meta.items())


def _optional(files: Mapping[str, Path], role: str, reading: bdpm.Reading) -> Iterable:  # type: ignore[type-arg]
    return bdpm.READERS[role](files[role], reading) if role in files else ()


Part = tuple[str, str, str | None, str]


def _compositions(
    files: Mapping[str, Path], reading: bdpm.Reading, without: frozenset[str], accents: Counter[str]
) -> tuple[dict[str, list[Part]], dict[str, set[str]]]:
    """Ingredients of each product, and the moieties that each written substance stands for."""
    rows: defaultdict[str, defaultdict[str, list[bdpm.Component]]] = defaultdict(lambda: defaultdict(list))
    for row in bdpm.components(files["compo"], reading):
        if row.cis not in without:
            rows[row.cis][row.link].append(row)
            if "HOM" not in row.substance:
                accents.update(w for w in re.findall(r"[\w]+", row.substance.lower()))
    composed: dict[str, list[Part]] = {}
    substances: defaultdict[str, set[str]] = defaultdict(set)
    for cis, links in rows.items():
        parts: dict[str, Part] = {}
        for linked in links.values():
            actives = [r for r in linked if r.nature == "SA"] or linked
            fractions = [r for r in linked if r.nature == "FT"]
            for active in actives:
                keys = active_parts(active.substance, [f.substance for f in fractions])
                for key in keys:
                    own = [f for f in fractions if moiety_key(f.substance) == key and f.dose]
                    dosed = own[0] if own else active
                    amount = milligrams(dosed.dose) if own or len(keys) == 1 else None
                    parts.setdefault(key, (key, active.substance, amount, dosed.per))
                substances[fold(active.substance)] |= set(keys)
        composed[cis] = list(parts.values())
    return composed, substances


def active_parts(substance: str, fractions: list[str]) -> list[str]:
    """The moieties of a substance: one, or those of a complex (« complexe sodique sacubitril valsartan »).

    The fractions thérapeutiques decide when they are parts of the substance's own name. A fraction may also be an
    element or a metabolite (iode for ioversol, dexamfétamine for lisdexamfétamine); the substance is then kept.
    """
    key = moiety_key(substance)
    fraction_keys = list(dict.fromkeys(moiety_key(f) for f in fractions))
    if key in fraction_keys or not fraction_keys:
        return [key]
    own = set(words(substance))
    parts = [k for k in fraction_keys if k and set(words(k)) < own and len(words(key)) > len(words(k))]
    return parts or [key]


_MASS = {"mg": Decimal(1), "g": Decimal(1000), "microgrammes": Decimal("0.001"), "microgramme": Decimal("0.001"),
         "µg": Decimal("0.001"), "ug": Decimal("0.001"), "ng": Decimal("0.000001"),
         "nanogrammes": Decimal("0.000001"), "kg": Decimal(1000000)}  # fmt: skip


def milligrams(dose: str) -> str | None:
    """A stated dose in milligrams (``1 000,00 mg`` -> ``1000``); ``None`` when it is not a mass."""
    found = re.fullmatch(r"([\d\s]+(?:[.,]\d+)?)\s*([a-zµ]+)", plain_number(dose))
    if not found or found[2] not in _MASS:
        return None
    try:
        value = Decimal(re.sub(r"\s", "", found[1]).replace(",", ".")) * _MASS[found[2]]
    except InvalidOperation:
        return None
    return format(value.normalize(), "f")


def plain_number(dose: str) -> str:
    """A dose with ordinary spaces, in lower case."""
    return re.sub(r"\s+", " ", dose.replace("\u00a0", " ").replace("\u202f", " ")).strip().lower().replace("μ", "µ")


def called(top: tuple[str, ...], moieties: tuple[str, ...]) -> Iterable[tuple[str, str]]:
    """The names that a label gives: what stands before the dose, and its beginnings."""
    if not top:
        return
    yield joined(top), "brand"
    ordinary = vocabulary().ordinary
    spelt = {word for key in moieties for word in words(key)} | {"acide", "et"}
    for length in range(1, len(top)):
        start = top[:length]
        if all(w in ordinary or is_number(w) or len(w) < 3 for w in start) or start[-1] in (
            "d'",
            "l'",
            "de",
            "du",
            "et",
        ):
            continue
        if set(start) <= spelt or set(start) <= salt_words() or moiety_key(joined(start)) in moieties:
            continue
        yield joined(start), "beginning"


def reference_names(label: str) -> list[str]:
    """The brands that the label of a generic group names after its substance.

    >>> reference_names("CIMETIDINE 200 mg - TAGAMET 200 mg, comprimé pelliculé")
    ['tagamet']
    """
    _, *brands = re.split(r"\s-\s", label)
    tops = [head(brand) for brand in brands if "quival" not in brand]
    return [joined(top) for top in tops if len(joined(top)) > 3 and not top[0][0].isdigit()]


def _laboratories(db: sqlite3.Connection, holders: set[str]) -> set[str]:
    """Words that follow the ingredients in names of generics and name their holder."""
    found: Counter[str] = Counter()
    for top, joint in db.execute("SELECT head, moieties FROM product WHERE moieties != '' AND NOT homeopathic"):
        parts = words(top)
        spelt = {w for key in joint.split(SEPARATOR) for w in words(key)}
        if not parts or parts[0] not in spelt | {"acide"}:
            continue
        found.update(set(parts) - spelt)
    heads = {w for (w,) in db.execute("SELECT key FROM moiety")}
    return {
        w
        for w, n in found.items()
        if n and w in holders | {"conseil", "generiques", "lab", "labo"} and w not in heads
    }


def _extensions(db: sqlite3.Connection) -> set[str]:
    """Words that make another medicine of a brand: « rhume », « codéiné », « duo ».

    They follow the first word of a label, and products that share this word have several compositions.
    """
    sets: defaultdict[str, set[str]] = defaultdict(set)
    after: defaultdict[str, set[str]] = defaultdict(set)
    for top, joint in db.execute("SELECT head, moieties FROM product WHERE moieties != '' AND NOT homeopathic"):
        first, *rest = words(top)
        sets[first].add(joint)
        after[first] |= {w for w in rest if len(w) > 1 and not is_number(w)}
    ordinary = vocabulary().ordinary | {w for (key,) in db.execute("SELECT key FROM moiety") for w in words(key)}
    return {w for first, some in sets.items() if len(some) > 1 and first not in ordinary for w in after[first]}


def _moieties(
    db: sqlite3.Connection,
    remedies: Counter[tuple[str, bool]],
    atc_of: Mapping[str, Counter[str]],
    accents: Counter[str],
) -> None:
    accented: dict[str, str] = {}
    for word, _ in sorted(accents.items(), key=lambda pair: (pair[1], pair[0])):
        if len(word) > 2 and (word != plain(word) or plain(word) not in accented):
            accented[plain(word)] = word
    for key in {key for key, _ in remedies}:
        label = joined(accented.get(w, w) for w in words(key))
        codes = SEPARATOR.join(
            code for code, _ in sorted(atc_of.get(key, Counter()).items(), key=lambda p: (-p[1], p[0]))
        )
        only = int(remedies[key, False] == 0)
        if not only and len(key) > 4:
            db.execute("INSERT OR IGNORE INTO name VALUES (?,?,?,?)", ("~" + skeleton(key), "skeleton", key, 0))
        db.execute("INSERT INTO moiety VALUES (?,?,?,?)", (key, label, codes, only))
