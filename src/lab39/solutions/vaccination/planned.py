"""What a plan is: what is asked of it, its visits, and what it leaves."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any, Literal

from lab39.core.finding import Missing, jsonable
from lab39.solutions.vaccination.covering import LeftOut

Goal = Literal["visits", "injections", "earliest"]
GOALS: tuple[Goal, ...] = ("visits", "injections", "earliest")


@dataclass(frozen=True, slots=True)
class Wishes:
    """What is asked of a plan.

    Attributes:
        goal: fewest visits, fewest injections, or protection as early as possible.
        months: horizon; doses recommended after it are left for later.
        most: injections (or oral doses) at one visit; ``None`` is no limit.
        wait_days: how long a dose that is late may still wait to share a visit.
        between_days: the least number of days between two visits.
    """

    goal: Goal = "visits"
    months: int = 24
    most: int | None = None
    wait_days: int = 28
    between_days: int = 7


@dataclass(frozen=True, slots=True)
class Served:
    """One vaccine group that a planned dose serves, with the number of the dose and the date recommended."""

    group: str
    number: int | None
    recommended: dt.date | None


@dataclass(frozen=True, slots=True)
class PlannedDose:
    """A product at a visit.

    Attributes:
        live: whether the person is pregnant or immunosuppressed has to be known before. ``None`` when neither the
            table of products nor the schedule tells.
        to_check: its licence, only remembered, does not cover the age: the schedule names it, read the leaflet.
    """

    code: str
    name: str
    serves: tuple[Served, ...]
    live: bool | None = None
    to_check: bool = False


@dataclass(frozen=True, slots=True)
class Visit:
    """One day, and what is given together."""

    date: dt.date
    doses: tuple[PlannedDose, ...]


@dataclass(frozen=True, slots=True)
class Left:
    """A vaccine group due within the horizon that is not served.

    Attributes:
        reason: ``no product``, ``too late`` (no visit in time), or the reasons of the engine.
    """

    group: str
    recommended: dt.date | None
    reason: str


@dataclass(frozen=True, slots=True)
class Plan:
    """Visits in order.

    Attributes:
        until: last day of the horizon.
        to_ask: what to ask first, and the vaccines that wait for it: none of them is planned.
        left_out: products that the schedule names for what is given, and that were not proposed, each with why.
        exhaustive: every choice of days was looked at; else the best found within a fixed effort.
    """

    schedule: str
    edition: str
    on: dt.date
    until: dt.date
    wishes: Wishes
    visits: tuple[Visit, ...]
    left: tuple[Left, ...]
    exhaustive: bool
    left_out: tuple[LeftOut, ...] = ()
    to_ask: tuple[Missing, ...] = ()

    @property
    def injections(self) -> int:
        """Doses over all visits."""
        return sum(len(each.doses) for each in self.visits)

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "schedule": self.schedule,
            "edition": self.edition,
            "on": self.on,
            "until": self.until,
            "goal": self.wishes.goal,
            "exhaustive": self.exhaustive,
            "visits": [
                {
                    "date": visit.date,
                    "doses": [
                        {
                            "code": dose.code,
                            "vaccine": dose.name,
                            "live": dose.live,
                            "licence_to_check": dose.to_check,
                            "serves": [
                                {"group": s.group, "dose_number": s.number, "recommended": s.recommended}
                                for s in dose.serves
                            ],
                        }
                        for dose in visit.doses
                    ],
                }
                for visit in self.visits
            ],
            "injections": self.injections,
            "left": [
                {"group": each.group, "recommended": each.recommended, "reason": each.reason} for each in self.left
            ],
            "to_ask": [jsonable(each) for each in self.to_ask],
            "left_out": [{"code": each.code, "vaccine": each.name, "why": each.why} for each in self.left_out],
        }
