"""Its operations."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from lab39.core.errors import InputError, PackMissingError
from lab39.core.faces import Call, Operation
from lab39.core.record import Record
from lab39.core.text import Text


@dataclass(frozen=True)
class Thing:
    """One thing on the scale."""

    name: str
    grams: int


@dataclass(frozen=True)
class Load:
    """What is weighed."""

    things: list[Thing]
    day: dt.date | None = None


@dataclass(frozen=True)
class Weight:
    """What it weighs."""

    grams: int
    on: dt.date
    unit: str = "g"


def weigh(call: Call) -> Weight:
    """Add up."""
    if any(thing.grams < 0 for thing in call.body.things):
        raise InputError(Text("un poids est positif", "a weight is positive"), "things")
    return Weight(sum(thing.grams for thing in call.body.things), call.body.day or call.on)


def assess(call: Call) -> dict[str, object]:
    """Ask the whole lab about a record."""
    report = call.ctx.assess(call.body, call.on)
    return {"born": call.body.birth_date, "codes": [f.code for f in report.findings], "who": call.who.person}


def unit(call: Call) -> dict[str, str]:
    """One parameter."""
    return {"unit": call.query.choice("unit", ("g", "kg"), "g")}


def forecast(call: Call) -> dict[str, object]:
    """Whether parameters came."""
    got = call.body["resourceType"] == "Parameters"
    return {"resourceType": "Parameters", "parameter": [{"name": "got", "valueBoolean": got}]}


def invalid(call: Call) -> dict[str, object]:
    """Not FHIR."""
    return {"resourceType": "Parameters", "parameter": 3}


def raises(call: Call) -> None:
    """A mistake."""
    raise ZeroDivisionError("of Mrs Marqueur")


def absent(call: Call) -> None:
    """Its data is not here."""
    raise PackMissingError(Text("données absentes", "data absent"))


operations = (
    Operation(path="weigh", summary="Add up what things weigh", handler=weigh, permission="assess.once", body=Load,
              answer=Weight, example={"things": [{"name": "stone", "grams": 3}]}),
    Operation(path="record", summary="Ask about a record", handler=assess, permission="assess.once", body=Record),
    Operation(path="units/default", summary="The unit", handler=unit, permission="showroom.see", method="GET",
              query={"unit": "g or kg"}),
    Operation(path="private", summary="For those who are signed in", handler=unit, permission="records.own",
              method="GET"),
    Operation(path="$weigh-forecast", summary="Forecast", handler=forecast, permission="assess.once",
              definition="http://example.org/OperationDefinition/weigh-forecast"),
)  # fmt: skip

failing = (
    Operation(path="raises", summary="Raises", handler=raises, permission="assess.once"),
    Operation(path="absent", summary="Lacks its data", handler=absent, permission="assess.once"),
    Operation(path="$raises", summary="Raises", handler=raises, permission="assess.once", definition="urn:x"),
    Operation(path="$invalid", summary="Not FHIR", handler=invalid, permission="assess.once", definition="urn:y"),
)
