"""Quantities that carry their unit, and the few conversions medicine needs every day."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Any, cast

from lab39.core.errors import LabError
from lab39.core.text import Lang, Text, number

_TENTH = Decimal("0.1")


class UnitError(LabError):
    """A quantity whose unit is absent, unknown, or of another kind than asked for."""


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number with its unit.

    Attributes:
        value: as received, every digit kept.
        unit: the UCUM code where one is given (``umol/L``), else the unit as written.
        comparator: ``<``, ``<=``, ``>=``, ``>`` when the value is a bound, else empty.
    """

    value: Decimal
    unit: str
    comparator: str = ""

    def to(self, unit: str, *, analyte: str | None = None) -> Decimal:
        """The value in another UCUM unit.

        Args:
            analyte: name in ``knowledge/units.toml`` (``creatinine``, ``glucose``…); needed between mass
                and substance units, which its molar mass links.

        Raises:
            UnitError: when the unit is absent or unknown, or of another kind.
        """
        mine, other = _unit(self.unit), _unit(unit)
        base = (self.value - mine.zero) * mine.factor / mine.divided_by
        if mine.kind == other.kind:
            return base * other.divided_by / other.factor + other.zero
        molar = _molar_mass_g_mol(analyte) if analyte else None
        if molar and (mine.kind, other.kind) == ("mass_concentration", "substance_concentration"):
            return base / molar / other.factor
        if molar and (mine.kind, other.kind) == ("substance_concentration", "mass_concentration"):
            return base * molar / other.factor
        raise UnitError(
            Text(
                f"«\u202f{self.unit}\u202f» ne se convertit pas en «\u202f{unit}\u202f»",
                f"“{self.unit}” does not convert to “{unit}”",
            )
        )

    def say(self, lang: Lang) -> str:
        """Number and unit as a reader of the language writes them; a temperature in °F is told in °C too."""
        shown = _labels().get(self.unit, Text.same(self.unit))[lang]
        space = "\u202f" if lang == "fr" else "\u00a0"
        said = f"{self.comparator}{number(self.value, lang)}{space}{shown}".strip()
        if other := _said_in().get(self.unit):
            return f"{said} ({Quantity(self.to(other).quantize(_TENTH), other, self.comparator).say(lang)})"
        return said


@dataclass(frozen=True, slots=True)
class _Unit:
    kind: str
    factor: Decimal
    divided_by: Decimal = Decimal(1)
    zero: Decimal = Decimal(0)


@cache
def _table() -> dict[str, object]:
    return tomllib.loads(
        files("lab39.core").joinpath("knowledge/units.toml").read_text("utf-8"), parse_float=Decimal
    )


@cache
def _units() -> dict[str, _Unit]:
    units: dict[str, _Unit] = {}
    for row in _rows("unit"):
        shape = (Decimal(str(row[name])) for name in ("factor", "divided_by", "zero") if name in row)
        unit = _Unit(str(row["kind"]), *shape)
        for code in (str(row["code"]), *(str(a) for a in row.get("also", []))):
            units[code] = unit
    return units


@cache
def _labels() -> dict[str, Text]:
    return {str(row["code"]): Text.of(row["label"]) for row in _rows("unit") if "label" in row}


@cache
def _said_in() -> dict[str, str]:
    return {
        str(name): str(row["said_in"])
        for row in _rows("unit")
        if "said_in" in row
        for name in (row["code"], *row.get("also", []))
    }


def _rows(name: str) -> list[dict[str, Any]]:
    return cast(list[dict[str, Any]], _table()[name])


def _molar_mass_g_mol(analyte: str) -> Decimal:
    for row in _rows("analyte"):
        if row["name"] == analyte:
            return Decimal(str(row["molar_mass_g_mol"]))
    raise UnitError(
        Text(f"masse molaire inconnue pour «\u202f{analyte}\u202f»", f"no molar mass known for “{analyte}”")
    )


def _unit(code: str) -> _Unit:
    if not code:
        raise UnitError(Text("valeur sans unité", "a value without a unit"))
    found = _units().get(code.replace("\u03bc", "\u00b5"))  # Greek mu and the micro sign look the same
    if found is None:
        raise UnitError(Text(f"unité inconnue\u202f: «\u202f{code}\u202f»", f"unknown unit: “{code}”"))
    return found
