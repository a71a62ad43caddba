"""One way to assess for every door: the lab is asked, and that it was asked is in the audit log."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import Query
from pydantic import BeforeValidator
from pydantic.json_schema import SkipJsonSchema

from lab39.core.errors import InputError
from lab39.core.finding import Report
from lab39.core.record import Record
from lab39.core.text import LANGS, Lang, Text
from lab39.fhir import outputs
from lab39.store import audit
from lab39.store.context import made_with
from lab39.web.api.bodies import Body
from lab39.web.api.ledger import ledger
from lab39.web.house import House


def read_day(value: str, place: str) -> dt.date:
    """A full date and nothing else: ``20261124`` and ``0`` are not dates here.

    Raises:
        InputError: naming the place.
    """
    try:
        return _full_date(value)
    except ValueError as error:
        shown = value[:20]
        raise InputError(
            Text(f"«\u202f{shown}\u202f» n'est pas une date (AAAA-MM-JJ)", f"“{shown}” is not a date (YYYY-MM-DD)"),
            place,
        ) from error


def _full_date(value: object) -> dt.date:
    if isinstance(value, str) and _FULL.fullmatch(value):
        return dt.date.fromisoformat(value)
    raise ValueError("a date is expected (YYYY-MM-DD)")


_FULL = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
Day = Annotated[dt.date, BeforeValidator(_full_date)]
OnDay = Annotated[Day | SkipJsonSchema[None], Query(description="Day of the assessment; today when absent.")]
OnlyThese = Annotated[
    list[str], Query(description="Ids of the solutions to ask; all of them when absent.", max_length=50)
]
InLang = Annotated[Lang | SkipJsonSchema[None], Query(description=f"Language of what is said: {', '.join(LANGS)}.")]


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, for the audit log.

    Attributes:
        person: id of somebody signed in; ``""`` for nobody.
        door: ``rest``, ``fhir``, or the id of a CDS service.
        client: the issuer that signed the request, when it was signed.
    """

    person: str
    door: str
    client: str = ""


def assess(
    here: House,
    record: Record,
    body: Body,
    caller: Caller,
    *,
    on: dt.date | None,
    only: Iterable[str] = (),
    also: Callable[[sa.Connection], None] | None = None,
) -> Report:
    """What the lab finds, once it is in the audit log that it was asked.

    Args:
        also: written in the same transaction as the audit entry.

    Raises:
        UnknownNameError: a solution that is not installed.
        StoreUnavailableError: the audit log cannot be written, so nothing is answered.
    """
    report = here.lab.assess(record, on or here.today(), only)
    keep(here, report, body, caller, also)
    return report


def keep(
    here: House,
    report: Report,
    body: Body,
    caller: Caller,
    also: Callable[[sa.Connection], None] | None = None,
) -> None:
    """Add an assessment to the audit log: who asked, how much was read, which code answered. No health data."""
    about: dict[str, Any] = {
        "door": caller.door,
        "bytes": len(body.raw),
        "sha256": body.sha256,
    } | made_with(report)
    if caller.client:
        about["client"] = caller.client

    def write(tx: sa.Connection) -> None:
        if also is not None:
            also(tx)
        audit.append(tx, at=here.now(), actor=caller.person, action="assessment", about=about)

    ledger(here.store).write(write)


def as_fhir(here: House, report: Report, lang: Lang) -> Any:
    """The report as a Bundle of findings, validated."""
    return outputs.bundle(report, here.lab.to_fhir, lang, created=here.now().isoformat(timespec="seconds"))
