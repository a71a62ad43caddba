"""``phenotype.hpoa``: which signs each disease has, in how many patients, according to which reference.

Format: HPO Annotations file, 12 columns (https://obophenotype.github.io/human-phenotype-ontology/annotations/
phenotype_hpoa). Only aspect ``P`` describes signs; inheritance, onset and course rows are counted, not used.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from lab39.core.errors import InputError
from lab39.core.text import Text

Kind = Literal["count", "share", "class", "none"]
COLUMNS = (
    "database_id",
    "disease_name",
    "qualifier",
    "hpo_id",
    "reference",
    "evidence",
    "onset",
    "frequency",
    "sex",
    "modifier",
    "aspect",
    "biocuration",
)
_COUNT = re.compile(r"(\d+)/(\d+)")
_SHARE = re.compile(r"(\d+(?:\.\d+)?)\s*%")


@dataclass(frozen=True, slots=True)
class Frequency:
    """A frequency as written.

    Attributes:
        kind: ``count`` (m of n patients), ``share`` (a percentage), ``class`` (an HPO frequency term), ``none``.
        affected, patients: m and n; for a share, the share (0-1) and 0.
        term: the frequency term of a class.
    """

    kind: Kind
    affected: float = 0.0
    patients: float = 0.0
    term: str = ""


UNSTATED = Frequency("none")


@dataclass(frozen=True, slots=True)
class Annotation:
    """One sign of one disease. ``negated``: the source says that the disease does not show it."""

    disease: str
    name: str
    term: str
    references: tuple[str, ...]
    frequency: Frequency
    negated: bool


@dataclass(frozen=True, slots=True)
class Annotations:
    """The rows about signs without their repeats, and what the file says of itself.

    ``repeated`` rows were left out: the same sign of the same disease from the same references. When their
    counts differ (one row an onset), the one with most patients affected stays.
    """

    version: str
    rows: tuple[Annotation, ...]
    repeated: int
    other_aspects: int


def parse_frequency(text: str) -> Frequency:
    """Read the ``frequency`` column.

    Raises:
        ValueError: neither ``m/n``, nor a percentage, nor an HPO term; or ``m`` above ``n``.
    """
    text = text.strip()
    if not text:
        return UNSTATED
    if found := _COUNT.fullmatch(text):
        affected, patients = int(found[1]), int(found[2])
        if affected > patients:
            raise ValueError(text)
        return Frequency("count", affected, patients) if patients else UNSTATED
    if found := _SHARE.fullmatch(text):
        share = float(found[1]) / 100
        if share > 1:
            raise ValueError(text)
        return Frequency("share", share)
    if re.fullmatch(r"HP:\d{7}", text):
        return Frequency("class", term=text)
    raise ValueError(text)


def read_annotations(path: Path) -> Annotations:
    """Read ``phenotype.hpoa``.

    Raises:
        InputError: not such a file, or a line that does not follow it, named by number.
    """
    try:
        with path.open(encoding="utf-8") as lines:
            return _read(lines, str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            Text(f"lecture impossible\u202f: {error}", f"cannot be read: {error}"), str(path)
        ) from error


def release(path: Path) -> str:
    """The version a header names (``2025-01-16``); ``""`` when it names none."""
    with path.open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            if not line.startswith("#"):
                break
            if line.startswith(("#version:", "#date:")):
                return line.partition(":")[2].strip()
    return ""


def _read(lines: Iterable[str], place: str) -> Annotations:
    version = ""
    header = False
    kept: dict[tuple[str, str, bool, tuple[str, ...]], Annotation] = {}
    seen = other = 0
    for number, line in enumerate(lines, 1):
        if line.startswith("#"):
            if line.startswith(("#version:", "#date:")):
                version = version or line.partition(":")[2].strip()
            continue
        cells = line.rstrip("\r\n").split("\t")
        if not header:
            if tuple(cells) != COLUMNS:
                raise InputError(
                    Text(
                        "colonnes inattendues\u202f: ce n'est pas phenotype.hpoa "
                        "(12 colonnes, de «\u202fdatabase_id\u202f» à «\u202fbiocuration\u202f»)",
                        "unexpected columns: this is not phenotype.hpoa (12 columns, “database_id” to "
                        "“biocuration”)",
                    ),
                    f"{place}:{number}",
                )
            header = True
            continue
        if len(cells) != len(COLUMNS):
            raise InputError(
                Text(
                    f"{len(cells)} colonnes au lieu de 12 (fichier tronqué\u202f?)",
                    f"{len(cells)} columns, not 12 (truncated file?)",
                ),
                f"{place}:{number}",
            )
        disease, name, qualifier, term, cited, _, _, frequency, _, _, aspect, _ = cells
        sources = tuple(sorted({r for r in re.split("[;,]", cited) if r}))
        if aspect != "P":
            other += 1
            continue
        try:
            row = Annotation(disease, name, term, sources, parse_frequency(frequency), qualifier == "NOT")
        except ValueError as error:
            raise InputError(
                Text(f"fréquence illisible\u202f: «\u202f{error}\u202f»", f"unreadable frequency: “{error}”"),
                f"{place}:{number}",
            ) from error
        seen += 1
        key = (disease, term, row.negated, sources)
        if key not in kept or _weight(row) > _weight(kept[key]):
            kept[key] = row
    if not kept:
        raise InputError(Text("aucune annotation", "no annotation"), place)
    return Annotations(
        version=version,
        rows=tuple(kept.values()),
        repeated=seen - len(kept),
        other_aspects=other,
    )


def _weight(row: Annotation) -> tuple[bool, float, float]:
    return (row.frequency.kind != "none", row.frequency.affected, row.frequency.patients)
