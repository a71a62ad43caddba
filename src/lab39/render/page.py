"""Reports as one self-contained page: both languages inside, no network, no build step."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from lab39.core.dates import PartialDate
from lab39.core.errors import LabError
from lab39.core.evidence import EvidenceCard, Figure, Measured
from lab39.core.finding import Report, Severity, When
from lab39.core.text import LANGS, Lang, Text, date, number, percent
from lab39.render.console import value
from lab39.render.snapshot import Snapshot
from lab39.render.words import BANDS, COLON, DISCLAIMER, MARKS, SEVERITIES, WORDS

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup


@dataclass(frozen=True, slots=True)
class Person:
    """One record with its report, and the anchor it has on the page."""

    anchor: str
    seen: Snapshot
    found: Report


@dataclass(frozen=True, slots=True)
class Card:
    """One solution's evidence."""

    id: str
    title: Text
    purpose: Text
    card: EvidenceCard


@dataclass(frozen=True, slots=True)
class Row:
    """One line of an evidence picture; positions are percentages of the axis."""

    name: str
    shown: Text
    at: float
    low: float | None
    high: float | None
    ours: bool


def page(
    people: Sequence[tuple[Snapshot, Report]],
    cards: Iterable[Card],
    *,
    on: dt.date,
    lang: Lang,
    failed: Iterable[LabError] = (),
) -> str:
    """The whole HTML document.

    Args:
        people: each record with its report.
        failed: records that were refused; named at the top, so that a partial result is never taken as whole.
        lang: the language it opens in; the other is one click away.
    """
    rows = [Person(f"p{i}", seen, found) for i, (seen, found) in enumerate(people, start=1)]
    return (
        _environment()
        .get_template("report.html.jinja")
        .render(
            people=rows,
            cards=list(cards),
            on=Text(date(on, "fr"), date(on, "en")),
            lang=lang,
            failed=[Text(e.say("fr"), e.say("en")) for e in failed],
            css=_static("lab39.css"),
            versions=people[0][1].versions if people else {},
            warnings=list(dict.fromkeys(w for _, found in people for w in found.warnings)),
        )
    )


def picture(figure: Figure) -> tuple[Row, ...]:
    """Ours first, then the peers, on one axis: 0 to 100 % for shares, 0 to the largest value otherwise."""
    measured: list[Measured] = [figure.ours, *figure.peers]
    top = 1.0 if figure.unit == "fraction" else max([m.high or m.value for m in measured] + [1e-9]) * 1.1

    def place(x: float | None) -> float | None:
        return None if x is None else round(100 * x / top, 2)

    return tuple(
        Row(
            m.name,
            Text(value(m, figure.unit, "fr"), value(m, figure.unit, "en")),
            round(100 * m.value / top, 2),
            place(m.low),
            place(m.high),
            i == 0,
        )
        for i, m in enumerate(measured)
    )


def _both(text: Text) -> Markup:
    """Both languages, one of them shown; once when they read the same."""
    from markupsafe import Markup, escape

    if text.fr == text.en:
        return escape(text.fr)
    return Markup("").join(Markup('<span lang="{}">{}</span>').format(lang, text[lang]) for lang in LANGS)


def _day(written: str) -> Text:
    """A date of an input in the reader's form; as written when it is not a date."""
    try:
        read = PartialDate.parse(written)
    except ValueError:
        return Text.same(written)
    return Text(read.say("fr"), read.say("en"))


def _counts(found: Report) -> dict[When, tuple[int, Severity]]:
    """How many findings each band has, and the gravest."""
    return {
        when: (len(band), min((f.severity for f in band), key=lambda s: s.rank))
        for when in When
        if (band := found.band(when))
    }


@cache
def _static(name: str) -> str:
    return files("lab39.render").joinpath("static", name).read_text("utf-8")


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    env = Environment(
        loader=PackageLoader("lab39.render"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.filters["both"] = _both
    equip(env)
    return env


def equip(env: Environment) -> None:
    """What ``parts.html.jinja`` needs, here and on the pages of the web; each brings its own ``both``."""
    env.filters["day"] = _day
    env.globals.update(
        w=WORDS,
        bands=BANDS,
        severities=SEVERITIES,
        marks=MARKS,
        disclaimer=DISCLAIMER,
        colon=COLON,
        picture=picture,
        counts=_counts,
        count=lambda n: Text(number(n, "fr"), number(n, "en")),
        share=lambda x: Text(percent(x, "fr"), percent(x, "en")),
        when_order=tuple(When),
    )
