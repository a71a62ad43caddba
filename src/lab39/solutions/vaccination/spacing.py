"""Products of one visit of which one must come some time after another: the one that can wait is left for later.

The engine counts two such doses given the same day (a dose given is not lost), but none of them is planned so.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator, Sequence

from lab39.solutions.vaccination.covering import Product
from lab39.solutions.vaccination.dates import add
from lab39.solutions.vaccination.model import Interval
from lab39.solutions.vaccination.outcome import GroupForecast, TargetStatus


def apart(chosen: Sequence[Product], due: Sequence[GroupForecast], day: dt.date) -> tuple[Product, ...]:
    """Those that may be given together on a day, of products ordered by urgency.

    Of two that must be apart, the less urgent waits, unless its last day would then be over.
    """
    kept = list(chosen)
    while pair := next(_pairs(kept, due, day), None):
        waits = sorted(pair, key=lambda each: (not _can_wait(each, kept, due, day), -kept.index(each)))
        kept.remove(waits[0])
    return tuple(kept)


def _pairs(
    chosen: Sequence[Product], due: Sequence[GroupForecast], day: dt.date
) -> Iterator[tuple[Product, Product]]:
    for each in chosen:
        for other in chosen:
            if other is not each and any(_after(each, {other.code}, due, day)):
                yield each, other


def _can_wait(each: Product, chosen: Sequence[Product], due: Sequence[GroupForecast], day: dt.date) -> bool:
    """Whether it may still be given once the delay after the others is over; without a rule, it may."""
    ready = max(_after(each, {other.code for other in chosen if other is not each}, due, day), default=day)
    return all(forecast.latest is None or ready <= forecast.latest for forecast in _mine(each, due))


def _after(each: Product, codes: Collection[str], due: Sequence[GroupForecast], day: dt.date) -> Iterator[dt.date]:
    """The days from which a product may be given, if one of these vaccines is given on a day."""
    for interval in _intervals(each, due):
        if interval.minimum is not None and not interval.from_recent.isdisjoint(codes):
            yield add(day, interval.minimum)


def _intervals(each: Product, due: Sequence[GroupForecast]) -> Iterator[Interval]:
    for forecast in _mine(each, due):
        for series in forecast.series:
            target = next((t for t in series.targets if t.status is TargetStatus.NOT_SATISFIED), None)
            if target is not None and series.series.antigen in each.covers:
                yield from target.dose.intervals


def _mine(each: Product, due: Sequence[GroupForecast]) -> Iterator[GroupForecast]:
    for forecast in due:
        if any(series.series.antigen in each.covers for series in forecast.series):
            yield forecast
