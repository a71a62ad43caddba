"""Whether a schedule treats vaccines alike, wherever it names one: then which of them was given changes nothing."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from dataclasses import replace

from lab39.solutions.vaccination.model import Schedule

_KEPT = 1024

_known: dict[tuple[int, tuple[str, ...]], tuple[Schedule, bool]] = {}


def alike(schedule: Schedule, codes: Iterable[str]) -> bool:
    """Whether every rule of the schedule says the same of these vaccines; looked up once for a schedule."""
    key = id(schedule), tuple(sorted(codes))
    if key not in _known:
        if len(_known) >= _KEPT:
            _known.clear()
        _known[key] = schedule, len({frozenset(_said(schedule, code)) for code in key[1]}) == 1
    return _known[key][1]


def _said(schedule: Schedule, code: str) -> Iterator[Hashable]:
    for association in schedule.vaccines.get(code, ()):
        yield "antigen", association
    for name, rule in schedule.conflicts.get(code, {}).items():
        yield "after", name, rule
    for name, rules in schedule.conflicts.items():
        if code in rules:
            yield "before", name, rules[code]
    for antigen in schedule.antigens.values():
        for number, each in enumerate(antigen.contraindications):
            if code in each.vaccines:
                yield antigen.name, "contraindication", number, each.vaccines[code]
        for series in antigen.series:
            for dose in series.doses:
                at = (antigen.name, series.name, dose.number)
                for kind, vaccines in (("preferable", dose.preferable), ("allowable", dose.allowable)):
                    if code in vaccines:
                        yield *at, kind, tuple(replace(each, code="", name="") for each in vaccines[code])
                if code in dose.inadvertent:
                    yield *at, "inadvertent"
                for number, interval in enumerate((*dose.intervals, *dose.allowable_intervals)):
                    if code in interval.from_recent:
                        yield *at, "interval", number
                for number, condition in enumerate(
                    c for skip in dose.skips for part in skip.sets for c in part.conditions
                ):
                    if code in condition.vaccines:
                        yield *at, "skip", number
