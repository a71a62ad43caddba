"""Members of JSON objects, by the type they must have: what has another is an :class:`Issue` with its place."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, TypeVar

from lab39.core import entries as e
from lab39.core import terms
from lab39.core.dates import PartialDate
from lab39.core.errors import Issue
from lab39.core.text import Text
from lab39.core.units import Quantity

T = TypeVar("T")
Resource = Mapping[str, Any]

MAX_EXPONENT = 40
"""Powers of ten beyond which a number measures nothing (Avogadro's is 23); arithmetic on them would never end."""


@dataclass(slots=True)
class Reading:
    """Collects issues while a record is read; ``resolve`` follows a reference inside it."""

    resolve: Callable[[str], Resource | None] = lambda _ref: None
    issues: list[Issue] = field(default_factory=list)
    _systems: set[str] = field(default_factory=set)

    def note(self, code: str, place: str, fr: str, en: str, severity: str = "error") -> None:
        """Keep one issue."""
        self.issues.append(Issue(code, place, Text(fr, en), severity))

    def take(self, where: Resource, key: str, kind: type[T], place: str) -> T | None:
        """A member of the expected JSON type, or ``None`` with an issue when it is of another."""
        value = where.get(key)
        if value is None:
            return None
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            self.note(
                "structure",
                f"{place}.{key}",
                f"type inattendu ({type(value).__name__}), valeur ignorée",
                f"unexpected type ({type(value).__name__}), value not used",
            )
            return None
        return value

    def many(self, where: Resource, key: str, place: str) -> Iterator[tuple[Resource, str]]:
        """The objects of a list member, each with its place."""
        for i, item in enumerate(self.take(where, key, list, place) or ()):
            spot = f"{place}.{key}[{i}]"
            if isinstance(item, Mapping):
                yield item, spot
            else:
                self.note("structure", spot, "un objet est attendu", "an object is expected")

    def date(self, where: Resource, key: str, place: str) -> PartialDate | None:
        """A date member."""
        written = self.take(where, key, str, place)
        if written is None:
            return None
        try:
            return PartialDate.parse(written)
        except ValueError:
            self.note(
                "value",
                f"{place}.{key}",
                f"«\u202f{written[:40]}\u202f» n'est pas une date FHIR (AAAA, AAAA-MM ou AAAA-MM-JJ)",
                f"“{written[:40]}” is not a FHIR date (YYYY, YYYY-MM or YYYY-MM-DD)",
            )
            return None

    def concept(self, where: Resource, key: str, place: str) -> terms.Concept:
        """A CodeableConcept member; empty when absent."""
        value = self.take(where, key, dict, place)
        return self.codeable(value, f"{place}.{key}") if value else terms.Concept()

    def codeable(self, value: Resource, place: str) -> terms.Concept:
        """A CodeableConcept."""
        codings = []
        for coding, spot in self.many(value, "coding", place):
            system = self.take(coding, "system", str, spot) or ""
            code = self.take(coding, "code", str, spot)
            if code is None:
                continue
            if not terms.is_known(system) and system not in self._systems:
                self._systems.add(system)
                self.note(
                    "code-invalid",
                    f"{spot}.system",
                    f"système de codes inconnu «\u202f{system}\u202f»\u202f: conservé, non interprété"
                    if system
                    else "code sans système\u202f: conservé, non interprété",
                    f"unknown code system “{system}”: kept, not interpreted"
                    if system
                    else "a code without a system: kept, not interpreted",
                    "warning",
                )
            display = self.take(coding, "display", str, spot) or ""
            codings.append(terms.Coding(terms.canonical(system), code, display))
        return terms.Concept(tuple(codings), self.take(value, "text", str, place) or "")

    def flag(self, where: Resource, key: str, place: str) -> str | None:
        """The code of a one-coding status concept (``clinicalStatus``, ``verificationStatus``)."""
        concept = self.concept(where, key, place)
        return concept.codings[0].code if concept.codings else None

    def decimal(self, where: Resource, key: str, place: str) -> Decimal | None:
        """A number member, every digit kept."""
        value = where.get(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | Decimal | float):
            self.note("value", f"{place}.{key}", "un nombre est attendu", "a number is expected")
            return None
        read = Decimal(str(value))
        if not read.is_finite() or abs(read.adjusted()) > MAX_EXPONENT:
            self.note("value", f"{place}.{key}", "nombre hors de toute mesure", "a number beyond any measure")
            return None
        return read

    def quantity(self, where: Resource, key: str, place: str) -> Quantity | None:
        """A Quantity member; ``None`` when it has no value. A missing unit stays an empty unit."""
        raw = self.take(where, key, dict, place)
        value = self.decimal(raw, "value", f"{place}.{key}") if raw else None
        if raw is None or value is None:
            return None
        spot = f"{place}.{key}"
        ucum = terms.canonical(self.take(raw, "system", str, spot) or "") == terms.UCUM
        code, unit = self.take(raw, "code", str, spot), self.take(raw, "unit", str, spot)
        shown = (code if ucum and code else unit or code) or ""
        if not shown:
            self.note("value", spot, "quantité sans unité", "a quantity without a unit", "warning")
        return Quantity(value, shown, self.take(raw, "comparator", str, spot) or "")

    def value(self, where: Resource, place: str) -> e.Value:
        """The ``value[x]`` of an Observation or a component."""
        if "valueQuantity" in where:
            return self.quantity(where, "valueQuantity", place)
        if "valueCodeableConcept" in where:
            return self.concept(where, "valueCodeableConcept", place)
        if "valueDateTime" in where:
            return self.date(where, "valueDateTime", place)
        if "valueString" in where:
            return self.take(where, "valueString", str, place)
        if "valueBoolean" in where:
            return self.take(where, "valueBoolean", bool, place)
        if "valueInteger" in where:
            return self.take(where, "valueInteger", int, place)
        self.unread(where, "value", place)
        return None

    def when(self, where: Resource, stem: str, place: str) -> PartialDate | None:
        """A ``stem[x]`` given as dateTime, instant or Period (its start)."""
        for key in (f"{stem}DateTime", f"{stem}Instant", f"{stem}Date"):
            if key in where:
                return self.date(where, key, place)
        period = self.take(where, f"{stem}Period", dict, place)
        if period is None:
            self.unread(where, stem, place)
        return self.date(period, "start", f"{place}.{stem}Period") if period else None

    def unread(self, where: Resource, stem: str, place: str) -> None:
        """Name a choice element that is there in a type no accessor reads (``valueRange``, ``onsetAge``…)."""
        for key in where:
            if key.startswith(stem) and key[len(stem) : len(stem) + 1].isupper():
                self.note(
                    "not-supported",
                    f"{place}.{key}",
                    "gardé dans le dossier, non lu sous cette forme",
                    "kept in the record, not read in this form",
                    "warning",
                )
