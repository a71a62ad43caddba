"""Which vaccine a record names: CVX, NUVA, CIP, CIS and ATC codes, and how they lead to each other.

The maps come from the pack ``nuva`` (NUVA, International Vaccine Codes initiative, CC BY 4.0). What they say of a
pair is kept: the same vaccine, a broader one, or several between which nobody has chosen.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from lab39.core import terms
from lab39.core.errors import InputError
from lab39.core.terms import Coding, Concept
from lab39.core.text import Text
from lab39.solutions.vaccination.alike import alike
from lab39.solutions.vaccination.compile import cvx
from lab39.solutions.vaccination.model import Schedule

PRODUCTS: Mapping[str, str] = {
    terms.CIP: "cip",
    "http://base-donnees-publique.medicaments.gouv.fr/cip13": "cip",
    terms.CIS: "cis",
    "http://base-donnees-publique.medicaments.gouv.fr/cis": "cis",
    terms.ATC: "atc",
}
"""Systems that lead to NUVA, the precise ones first, and the map that each is looked up in."""
ROLES: Mapping[str, tuple[str, ...]] = {
    "core": ("NUVA", "label", "comment", "abstract"),
    "from-cvx": ("CVX", "NUVA"),
    "to-cvx": ("NUVA", "CVX", "Best"),
    "cip": ("CIP", "NUVA"),
    "cis": ("CIS", "NUVA"),
    "atc": ("ATC", "NUVA"),
}
"""The files of the publisher by the columns they have."""
_WORDS = re.compile(r"^    (VAC\d+)L: '?(.+?)'?\s*$")


class Exactness(StrEnum):
    """How well a code of the schedule says what the record says."""

    EXACT = "exact"
    BROADER = "broader"
    AMBIGUOUS = "ambiguous"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Coded:
    """What :func:`code_of` found.

    Attributes:
        code: in the system of the schedule; empty when none can be told.
        by: the coding of the record that led to it, or that came nearest.
        candidates: codes between which nobody has chosen, when ambiguous.
        conflict: another coding of the same record that names a vaccine against other diseases.
    """

    code: str = ""
    exactness: Exactness = Exactness.UNKNOWN
    by: Coding | None = None
    candidates: tuple[str, ...] = ()
    conflict: Coding | None = None


@dataclass(frozen=True, slots=True)
class Maps:
    """The code maps of one edition of NUVA; empty without the pack.

    Attributes:
        to_cvx: a NUVA code to the CVX codes that say it best (several when they say it equally well).
        from_cvx: a CVX code to the NUVA code of the same meaning.
        products: by map (``cip``, ``cis``, ``atc``), a code to its NUVA code.
        names: a NUVA code to its name.
    """

    version: str = ""
    to_cvx: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    from_cvx: Mapping[str, str] = field(default_factory=dict)
    products: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    names: Mapping[str, Text] = field(default_factory=dict)

    def nuva(self, coding: Coding) -> str:
        """The NUVA code of a coding; empty when it has none."""
        if coding.system == terms.NUVA:
            return coding.code.upper()
        if coding.system == terms.CVX:
            return self.from_cvx.get(cvx(coding.code), "")
        return self.products.get(PRODUCTS.get(coding.system, ""), {}).get(
            re.sub(r"\s", "", coding.code).upper(), ""
        )


NO_MAPS = Maps()


def code_of(concept: Concept, schedule: Schedule, maps: Maps = NO_MAPS) -> Coded:
    """The vaccine of a record in the codes of a schedule (``schedule.system``), and how exactly it is known.

    A code of the schedule's own system comes first, then what the maps make of the others, the precise ones first;
    ATC, which names classes, last. Where the maps give several codes that the schedule does not treat alike, none
    is chosen.
    """
    found = [_read(coding, schedule, maps) for coding in sorted(concept.codings, key=lambda c: _rank(c, schedule))]
    if not found:
        return Coded()
    best = min(found, key=_worth)
    return _with_conflict(best, found, schedule)


def _worth(found: Coded) -> tuple[bool, bool, int]:
    """What is known at all, then what is not by class, then how exactly: a class never settles a doubt."""
    by_class = found.by is not None and found.by.system == terms.ATC
    return found.exactness is Exactness.UNKNOWN, by_class, list(Exactness).index(found.exactness)


def _rank(coding: Coding, schedule: Schedule) -> int:
    order = (schedule.system, terms.NUVA, terms.CVX, *PRODUCTS)
    return order.index(coding.system) if coding.system in order else len(order)


def _read(coding: Coding, schedule: Schedule, maps: Maps) -> Coded:
    if coding.system == schedule.system:
        code = cvx(coding.code) if coding.system == terms.CVX else coding.code.upper()
        if code in schedule.vaccines:
            return Coded(code, Exactness.EXACT, coding)
    nuva = maps.nuva(coding)
    if not nuva:
        return Coded(by=coding)
    loose = coding.system == terms.ATC
    if schedule.system == terms.NUVA:
        if nuva in schedule.vaccines:
            return Coded(nuva, Exactness.BROADER if loose else Exactness.EXACT, coding)
        return _nearest(_wider(nuva, schedule, maps) or _narrower(nuva, schedule, maps), coding, schedule)
    known = tuple(dict.fromkeys(code for code in maps.to_cvx.get(nuva, ()) if code in schedule.vaccines))
    same = tuple(code for code in known if maps.from_cvx.get(code) == nuva)
    if len(same) == 1 and not loose:
        return Coded(same[0], Exactness.EXACT, coding)
    return _nearest(known, coding, schedule)


def _nearest(known: tuple[str, ...], coding: Coding, schedule: Schedule) -> Coded:
    if not known:
        return Coded(by=coding)
    if len(known) > 1 and not alike(schedule, known):
        return Coded("", Exactness.AMBIGUOUS, coding, known)
    return Coded(known[0], Exactness.BROADER, coding)


def _wider(nuva: str, schedule: Schedule, maps: Maps) -> tuple[str, ...]:
    """What says the same less precisely: a vaccine type for a product that the schedule does not name."""
    wide = (maps.from_cvx.get(code, "") for code in maps.to_cvx.get(nuva, ()))
    return tuple(dict.fromkeys(code for code in wide if code in schedule.vaccines))


def _narrower(nuva: str, schedule: Schedule, maps: Maps) -> tuple[str, ...]:
    """The products of a vaccine type, where the schedule names those only."""
    if nuva not in maps.from_cvx.values():
        return ()
    wanted = {*maps.to_cvx.get(nuva, ())}
    return tuple(code for code in schedule.vaccines if wanted & {*maps.to_cvx.get(code, ())})


def _with_conflict(best: Coded, found: Iterable[Coded], schedule: Schedule) -> Coded:
    if not best.code:
        return best
    held = _antigens(best.code, schedule)
    for each in found:
        if each.code and _antigens(each.code, schedule) != held:
            return Coded(best.code, best.exactness, best.by, (), each.by)
    return best


def _antigens(code: str, schedule: Schedule) -> frozenset[str]:
    return frozenset(each.antigen for each in schedule.vaccines[code])


def read_maps(files: Mapping[str, Path], version: str = "") -> Maps:
    """The files of the publisher, by role (:data:`ROLES`, ``names`` for the French names).

    Raises:
        InputError: a file that cannot be read, with its name.
    """
    to_cvx: dict[str, list[str]] = {}
    for row in _rows(files, "to-cvx"):
        if row["Best"] == "True" and row["CVX"]:
            to_cvx.setdefault(row["NUVA"], []).append(cvx(_bare(row["CVX"])))
    english = {row["NUVA"]: row["label"] for row in _rows(files, "core")}
    french = _french(files["names"]) if "names" in files else {}
    products = {
        name: {_bare(row[name.upper()]): row["NUVA"] for row in _rows(files, name)}
        for name in ("cip", "cis", "atc")
    }
    return Maps(
        version=version,
        to_cvx={code: tuple(dict.fromkeys(found)) for code, found in to_cvx.items()},
        from_cvx={cvx(_bare(row["CVX"])): row["NUVA"] for row in _rows(files, "from-cvx")},
        products=products,
        names={code: Text(french.get(code, label), label) for code, label in english.items()},
    )


def role_of(path: Path) -> str:
    """What a file of the publisher is, by its columns; empty for another file."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            if path.suffix.lower() in (".yml", ".yaml"):
                return "names" if stream.readline().strip() == "fr:" else ""
            if path.suffix.lower() == ".md":
                return "licence" if "Creative Commons Attribution 4.0" in stream.readline() else ""
            heads = next(csv.reader(stream), [])
    except (OSError, UnicodeDecodeError, csv.Error):
        return ""
    found = [role for role, columns in ROLES.items() if set(columns) <= set(heads)]
    return max(found, key=lambda role: len(ROLES[role]), default="")


def _rows(files: Mapping[str, Path], role: str) -> Iterator[Mapping[str, str]]:
    if role not in files:
        return
    try:
        with files[role].open(encoding="utf-8-sig", newline="") as stream:
            for number, row in enumerate(csv.DictReader(stream), 2):
                if any(row.get(column) is None for column in ROLES[role]):
                    raise InputError(
                        Text("ligne incomplète", "a line that is not whole"), f"{files[role].name}:{number}"
                    )
                yield row
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(Text(f"illisible\u202f: {error}", f"cannot be read: {error}"), files[role].name) from error


def _french(path: Path) -> dict[str, str]:
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(Text(f"illisible\u202f: {error}", f"cannot be read: {error}"), path.name) from error
    found: dict[str, str] = {}
    last = ""
    for line in lines:
        if read := _WORDS.match(line):
            last = read[1]
            found[last] = read[2].strip()
        elif last and line.startswith("      "):  # a long name goes on
            found[last] += " " + line.strip().rstrip("'")
        else:
            last = ""
    return found


def _bare(code: str) -> str:
    """Without the name of the system in front (``CVX-03``)."""
    return code.partition("-")[2].strip().upper() if "-" in code else code.strip().upper()
