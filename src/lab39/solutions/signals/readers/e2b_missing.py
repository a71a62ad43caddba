"""What a case lacks before it can be sent as E2B(R3), in words that a form can show beside its fields."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from lab39.core.finding import Missing
from lab39.core.text import Text
from lab39.solutions.signals.readers import values
from lab39.solutions.signals.readers.model import CRITERIA, SUSPECT_ROLES, Case

if TYPE_CHECKING:
    from lab39.solutions.signals.readers.e2b_write import Envelope


@cache
def required() -> Mapping[str, Any]:
    """The elements that are asked for, from ``knowledge/e2b_required.toml``."""
    place = files("lab39.solutions.signals.readers") / "knowledge" / "e2b_required.toml"
    return tomllib.loads(place.read_text("utf-8"))


def missing_for_e2b(case: Case, envelope: Envelope | None = None) -> tuple[Missing, ...]:
    """What is required of a report and is not in this one; empty when it can be sent.

    Args:
        envelope: of the message; what it must bring is asked for when it is given.

    Returns:
        What makes a report valid first (person, reporter, suspect drug, reaction), then the rest; ``code``
        is ICH's number of the element.
    """
    lacking = {check for check, there in _checks(case, envelope) if not there}
    told = required()
    return tuple(
        Missing(each["code"], Text(each["fr"], each["en"]), Text(**told["consequence"][each["kind"]]))
        for each in told["element"]
        if each.get("check", each["code"]) in lacking
    )


def _checks(case: Case, envelope: Envelope | None) -> Iterator[tuple[str, bool]]:
    """Each element with whether it is there; what is said of each drug or reaction needs one to be asked for."""
    report = case.report
    yield "D", bool(report.sex or report.age_years is not None or values.back("age_group", report.age_group))
    yield "C.2.r.4", values.back("qualification", report.reporter) is not None
    yield "G.k.1", any(each.role in SUSPECT_ROLES for each in case.drugs)
    yield "E.i", bool(case.events)
    yield "G.k.2.2", all(each.drug or each.ingredient for each in case.drugs)
    yield "each role", all(each.role in (*SUSPECT_ROLES, "C", "N") for each in case.drugs)
    yield "E.i.2.1b", all(each.code and each.code_system == "MedDRA" for each in case.events)
    yield "C.1.1", bool(report.report_id)
    yield "C.1.4", bool(report.first_received or report.received)
    yield "C.2.r.3", bool(report.country)
    yield "H.1", bool(report.narrative)
    criteria = any(getattr(report, name) for name in CRITERIA) or any(each.criteria for each in case.events)
    yield "E.i.3.2", criteria or report.serious is not True
    yield "C.1.11.2", not report.nullified
    if envelope is not None:
        yield "E.i.2.1a", bool(envelope.meddra_version) or not any(each.code for each in case.events)
        yield "C.3.2", bool(envelope.organization or report.sender)
        yield "N", all((envelope.created, envelope.sender, envelope.receiver, envelope.batch))
