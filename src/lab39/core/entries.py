"""What a record holds, in typed form: conditions, medications, doses, results, signs.

Each entry keeps ``ref`` (where it stands in the record) and ``raw`` (the resource as received)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal

from lab39.core.dates import PartialDate
from lab39.core.terms import Coding, Concept
from lab39.core.units import Quantity

Resource = Mapping[str, Any]
PROPOSED = ("proposal", "plan", "option")
"""MedicationRequest.intent values that authorise nothing (R4 value set medicationrequest-intent)."""
HYPOTHETICAL = ("provisional", "differential", "unconfirmed")
"""Verification status codes of what is only supposed (R4 value set condition-ver-status)."""
NOT_GIVEN = ("not-done", "entered-in-error")
"""Statuses of an immunization that was not given."""
Value = Quantity | Concept | PartialDate | Decimal | str | bool | int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """Common to all entries: place in the record and the resource itself."""

    ref: str
    raw: Resource = field(repr=False, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition(Entry):
    """A disease or problem. ``clinical`` and ``verification`` are the R4 codes, ``None`` when not said."""

    concept: Concept
    clinical: str | None
    verification: str | None
    onset: PartialDate | None
    abatement: PartialDate | None
    recorded: PartialDate | None

    @property
    def active(self) -> bool | None:
        """Whether the condition is present; ``None`` when the record does not say."""
        if self.verification == "refuted":
            return False
        if self.clinical in ("active", "recurrence", "relapse"):
            return True
        if self.clinical in ("inactive", "remission", "resolved") or self.abatement:
            return False
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Dosage:
    """One line of a dosage. ``per_day`` is how many doses in 24 h, when the timing says so."""

    text: str
    dose: Quantity | None
    per_day: Decimal | None
    as_needed: bool | None
    route: Concept | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Medication(Entry):
    """A medicine ordered, taken or given. ``prescribed`` is ``None`` when the record does not say."""

    concept: Concept
    status: str | None
    start: PartialDate | None
    end: PartialDate | None
    dosages: tuple[Dosage, ...]
    prescribed: bool | None

    @property
    def current(self) -> bool | None:
        """Whether it is being taken; ``None`` when the record does not say.

        An order not to take it (``doNotPerform``) is no treatment; a proposal or plan tells nothing.
        """
        if self.raw.get("doNotPerform") is True:
            return False
        if self.raw.get("intent") in PROPOSED:
            return None
        if self.status in ("active", "on-hold", "in-progress"):
            return self.status != "on-hold"
        return None if self.status in (None, "unknown", "draft", "intended") else False


@dataclass(frozen=True, slots=True, kw_only=True)
class Immunization(Entry):
    """A vaccine dose given, or recorded as not given (``status`` ``not-done``)."""

    concept: Concept
    status: str | None
    date: PartialDate | None
    lot: str | None
    expires: PartialDate | None
    dose_number: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation(Entry):
    """A measurement or finding; ``value`` is ``None`` when absent, with ``absent_reason`` if one is given."""

    concept: Concept
    status: str | None
    value: Value
    date: PartialDate | None
    absent_reason: str | None
    components: tuple[tuple[Concept, Value], ...]

    @property
    def quantity(self) -> Quantity | None:
        """The value when it is a quantity."""
        return self.value if isinstance(self.value, Quantity) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Impression(Entry):
    """A clinician's assessment; ``findings`` are those given as codes."""

    status: str | None
    date: PartialDate | None
    findings: tuple[Concept, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Phenotype(Entry):
    """A sign in HPO terms, present or expressly excluded."""

    term: Coding
    excluded: bool
    date: PartialDate | None
    onset: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Allergy(Entry):
    """An allergy or intolerance; ``concept`` may say that none is known."""

    concept: Concept
    clinical: str | None
    verification: str | None
    criticality: Literal["low", "high", "unable-to-assess"] | None
    reactions: tuple[Concept, ...]

    @property
    def active(self) -> bool | None:
        """Whether the risk is present; ``None`` when the record does not say."""
        if self.verification == "refuted":
            return False
        return {"active": True, "inactive": False, "resolved": False}.get(self.clinical or "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Procedure(Entry):
    """An act done, or recorded as not done."""

    concept: Concept
    status: str | None
    date: PartialDate | None
