"""A catch-up plan in the fewest visits, and what a dose would change if it were given.

Every planned dose is given to the engine on its day and kept only when the engine finds it valid: minimum ages,
intervals, the spacing of live vaccines and contraindications hold by construction. A dose is never planned before
its recommended date. To share a visit it may wait, but never so long that it becomes late; one that is late already
waits :attr:`~lab39.solutions.vaccination.planned.Wishes.wait_days` at most.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from lab39.solutions.vaccination import asking
from lab39.solutions.vaccination.covering import LeftOut, cover, left_out
from lab39.solutions.vaccination.covering import Product as Chosen
from lab39.solutions.vaccination.dates import Duration, add
from lab39.solutions.vaccination.engine import run
from lab39.solutions.vaccination.model import Schedule
from lab39.solutions.vaccination.outcome import Dose, DoseStatus, GroupForecast, Patient, Result, SeriesStatus
from lab39.solutions.vaccination.planned import (
    GOALS,
    Goal,
    Left,
    Plan,
    PlannedDose,
    Served,
    Visit,
    Wishes,
)
from lab39.solutions.vaccination.products import by_nuva
from lab39.solutions.vaccination.spacing import apart

__all__ = ["GOALS", "Goal", "Left", "Plan", "PlannedDose", "Served", "Visit", "Wishes", "alternatives", "plan"]

PREFIX = "plan-"
_BUDGET = 240
MISSED = "too late"
"""Reason of a :class:`Left` that no visit serves in time: its last day, its season or the horizon comes first."""


def plan(schedule: Schedule, patient: Patient, on: dt.date, wishes: Wishes | None = None) -> Plan:
    """The plan of one person from a day on.

    Today is a visit as soon as something is due; the next days are searched by branch and bound, among those on
    which a dose becomes possible and the last on which it can wait.
    """
    asked = wishes or Wishes()
    until = add(on, Duration(asked.months, 0))
    return _Search(schedule, asked, on, until).solve(patient)


def alternatives(
    schedule: Schedule, patient: Patient, on: dt.date, wishes: Wishes | None = None
) -> tuple[Plan, ...]:
    """A plan for each goal, the goal asked for first; those that come to the same visits are told once."""
    asked = wishes or Wishes()
    found: list[Plan] = []
    for goal in sorted(GOALS, key=lambda each: each != asked.goal):
        each = plan(schedule, patient, on, replace(asked, goal=goal))
        if all(each.visits != other.visits for other in found):
            found.append(each)
    return tuple(found)


def is_live(schedule: Schedule, code: str) -> bool | None:
    """Whether a vaccine is live: by the table of products, else when the schedule spaces it from live ones."""
    product = by_nuva(code)
    if product is not None:
        return product.live
    return True if code in schedule.conflicts else None


@dataclass(frozen=True, slots=True)
class _State:
    patient: Patient
    visits: tuple[Visit, ...]
    left: tuple[Left, ...]
    delay: int

    @property
    def injections(self) -> int:
        return sum(len(each.doses) for each in self.visits)


class _Search:
    """Depth first over the day of the next visit, with a bound on what a plan already costs."""

    def __init__(self, schedule: Schedule, wishes: Wishes, on: dt.date, until: dt.date) -> None:
        self.schedule, self.wishes, self.on, self.until = schedule, wishes, on, until
        self.best: _State | None = None
        self.effort = 0
        self.cut = False
        self.known: dict[
            tuple[tuple[Dose, ...], tuple[Left, ...], dt.date], tuple[_State, list[GroupForecast]]
        ] = {}

    def solve(self, patient: Patient) -> Plan:
        self._explore(_State(patient, (), (), 0), self.on, first=True)
        best = self.best or _State(patient, (), (), 0)
        if self.wishes.goal != "earliest":
            best = self._tighten(best, patient)
        return Plan(
            self.schedule.name,
            self.schedule.version,
            self.on,
            self.until,
            self.wishes,
            best.visits,
            (*best.left, *self._forgone(patient, best)),
            not self.cut,
            tuple(self._left_out(patient, best.visits)),
            asking.questions(self.schedule, patient, run(self.schedule, patient, self.on)),
        )

    def _forgone(self, patient: Patient, best: _State) -> Iterable[Left]:
        """What is due at a visit, is not served there, and neither later: its season is over, or the horizon."""
        told = {each.group for each in best.left}
        found: dict[str, Left] = {}
        for visit in best.visits:
            served = {each.group for dose in visit.doses for each in dose.serves}
            for each in _awaited(run(self.schedule, patient, visit.date)):
                if each.recommended and each.recommended <= visit.date:
                    found[each.group] = Left(each.group, each.recommended, MISSED)
            for group in served | told:
                found.pop(group, None)
            given = tuple(Dose(visit.date, each.code) for each in visit.doses)
            patient = replace(patient, doses=(*patient.doses, *given))
        return found.values()

    def _left_out(self, patient: Patient, visits: Sequence[Visit]) -> Iterable[LeftOut]:
        """Each product that was not proposed at some visit and is planned at none, with why."""
        found: dict[str, LeftOut] = {}
        for visit in visits:
            served = {each.group for dose in visit.doses for each in dose.serves}
            due = [each for each in _awaited(run(self.schedule, patient, visit.date)) if each.group in served]
            for each in left_out(due, patient, self.schedule, visit.date):
                found.setdefault(each.code, each)
            given = tuple(Dose(visit.date, each.code) for each in visit.doses)
            patient = replace(patient, doses=(*patient.doses, *given))
        planned = {dose.code for visit in visits for dose in visit.doses}
        return (each for code, each in found.items() if code not in planned)

    def _explore(self, state: _State, day: dt.date, *, first: bool = False) -> None:
        if self.effort >= _BUDGET and self.best is not None:
            self.cut = True
            return
        self.effort += 1
        state, waiting = self._visit(state, day)
        days = list(self._next_days(waiting, day, first=first and not state.visits))
        if not days:
            if self.best is None or self._cost(state) < self._cost(self.best):
                self.best = state
            return
        if self.best is not None and self._cost(state, more=1) >= self._cost(self.best):
            return
        for each in days:
            self._explore(state, each)

    def _cost(self, state: _State, more: int = 0) -> tuple[int, ...]:
        visits, injections = len(state.visits) + more, state.injections + more
        days = sum(each.date.toordinal() for each in state.visits)
        if self.wishes.goal == "visits":
            return len(state.left), visits, state.delay, injections, days
        if self.wishes.goal == "injections":
            return len(state.left), injections, visits, state.delay, days
        return len(state.left), state.delay, visits, injections, days

    def _visit(self, state: _State, day: dt.date) -> tuple[_State, list[GroupForecast]]:
        """Give what is due on a day, as the engine accepts it, and say what waits. Looked up once for a history."""
        key = state.patient.doses, state.left, day
        if key not in self.known:
            self.known[key] = self._visited(state, day)
        return self.known[key]

    def _visited(self, state: _State, day: dt.date) -> tuple[_State, list[GroupForecast]]:
        patient = state.patient
        result = run(self.schedule, patient, day)
        closed = {each.group for each in state.left}
        due = [
            each
            for each in _awaited(result)
            if each.recommended and each.recommended <= day and each.group not in closed
        ]
        given, failed = _give(self.schedule, patient, due, day, self.wishes) if due else ((), ())
        if given:
            doses = tuple(
                Dose(day, each.code, id=f"{PREFIX}{len(state.visits) + 1}-{i}")
                for i, (each, _) in enumerate(given, 1)
            )
            patient = replace(patient, doses=(*patient.doses, *doses))
            served = [s for _, serves in given for s in serves]
            delay = sum((day - s.recommended).days for s in served if s.recommended)
            planned = [
                PlannedDose(each.code, each.name, serves, is_live(self.schedule, each.code), each.to_check)
                for each, serves in given
            ]
            visit = Visit(day, tuple(planned))
            state = replace(state, patient=patient, visits=(*state.visits, visit), delay=state.delay + delay)
            result = run(self.schedule, patient, day)
        if failed:
            state = replace(state, left=(*state.left, *failed))
            closed |= {each.group for each in failed}
        waiting = [each for each in _awaited(result) if each.group not in closed]
        missed = [each for each in waiting if self._is_missed(each, self._soonest(day, first=not state.visits))]
        if missed:
            lost = tuple(Left(each.group, each.recommended, MISSED) for each in missed)
            state = replace(state, left=(*state.left, *lost))
        return state, [each for each in waiting if each not in missed]

    def _soonest(self, day: dt.date, *, first: bool) -> dt.date:
        """The first day on which a visit may follow."""
        return day + dt.timedelta(days=1 if first else self.wishes.between_days)

    def _is_missed(self, each: GroupForecast, soonest: dt.date) -> bool:
        """Whether the last day of a dose within the horizon comes before the next visit may."""
        if each.recommended is None or each.recommended > self.until or each.latest is None:
            return False
        return each.latest < max(each.recommended, soonest)

    def _next_days(self, waiting: Iterable[GroupForecast], day: dt.date, *, first: bool) -> Iterator[dt.date]:
        """Days worth trying next: each on which one more dose is ready, and the last that keeps every wait."""
        windows = self._windows(waiting, day, first=first)
        if not windows:
            return
        if self.wishes.goal == "earliest":
            yield min(ready for ready, _ in windows)
            return
        must = min(limit for _, limit in windows)
        yield from sorted({must, *(ready for ready, _ in windows if ready <= must)}, reverse=True)

    def _windows(
        self, waiting: Iterable[GroupForecast], day: dt.date, *, first: bool
    ) -> list[tuple[dt.date, dt.date]]:
        """For each dose awaited within the horizon, the day from which it may be given and the last it may wait."""
        soonest = self._soonest(day, first=first)
        windows = []
        for each in waiting:
            if each.recommended is None or each.recommended > self.until:
                continue
            ready = max(each.recommended, soonest)
            limit = ready + dt.timedelta(days=self.wishes.wait_days)
            if each.past_due is not None and each.past_due >= each.recommended:
                limit = max(ready, each.past_due)
            if each.latest is not None:
                limit = min(limit, each.latest)
            if ready <= self.until:
                windows.append((ready, limit))
        return windows

    def _tighten(self, state: _State, patient: Patient) -> _State:
        """Each visit as early as the others allow, one after the other; the number of visits stays the same."""
        for index in range(1, len(state.visits)):
            days = [visit.date for visit in state.visits]
            low = days[index - 1] + dt.timedelta(days=self.wishes.between_days)
            while low < days[index]:
                middle = low + (days[index] - low) // 2
                tried = self._follow(patient, [*days[:index], middle, *days[index + 1 :]])
                if tried is not None and self._cost(tried) < self._cost(state):
                    state, days[index] = tried, middle
                else:
                    low = middle + dt.timedelta(days=1)
        return state

    def _follow(self, patient: Patient, days: Sequence[dt.date]) -> _State | None:
        """The plan of these very days; ``None`` when a dose would wait too long, or one is left to give."""
        state = _State(patient, (), (), 0)
        for number, day in enumerate(days, 1):
            state, waiting = self._visit(state, day)
            windows = self._windows(waiting, day, first=False)
            ahead = days[number] if number < len(days) else None
            if len(state.visits) < number or (ahead is None) is bool(windows):
                return None
            if ahead is not None and ahead > min(limit for _, limit in windows):
                return None
        return state


def _awaited(result: Result) -> list[GroupForecast]:
    """The first forecast of each vaccine group that asks for a dose."""
    found: dict[str, GroupForecast] = {}
    for each in result.groups:
        if each.level != "optional":
            found.setdefault(each.group, each)
    return [each for each in found.values() if each.status is SeriesStatus.NOT_COMPLETE and each.recommended]


def _give(
    schedule: Schedule, patient: Patient, due: Sequence[GroupForecast], day: dt.date, wishes: Wishes
) -> tuple[tuple[tuple[Chosen, tuple[Served, ...]], ...], tuple[Left, ...]]:
    """Products that the engine accepts for every antigen they are given for; what it refuses is offered no more."""
    refused: set[tuple[str, str]] = set()
    why: dict[str, str] = {}
    while True:
        chosen, bare = cover(due, patient, schedule, day, refused)
        visits = 1 if wishes.most is None else math.ceil(len(chosen) / wishes.most)
        queue = day + dt.timedelta(days=wishes.between_days * visits)
        ordered = sorted(chosen, key=lambda each: _urgency(each, due, queue))
        chosen = apart(ordered, due, day)[: wishes.most]
        doses = [Dose(day, each.code, id=f"{PREFIX}{i}") for i, each in enumerate(chosen, 1)]
        result = run(schedule, replace(patient, doses=(*patient.doses, *doses)), day, {each.group for each in due})
        wrong = {
            (dose.code, antigen): reasons
            for dose, each in zip(doses, chosen, strict=True)
            for antigen in each.covers
            if (reasons := _refusal(result, dose, antigen)) is not None
        }
        if not wrong:
            break
        refused |= wrong.keys()
        why |= {antigen: reasons for (_, antigen), reasons in wrong.items()}
    given = tuple((each, served) for each in chosen if (served := _served(each, due)))
    reached = {served.group for _, serves in given for served in serves}
    left = tuple(
        Left(each.group, each.recommended, why.get(antigen, "no product"))
        for each in due
        if each.group not in reached and (antigen := next((a for a in each.antigens if a in bare), ""))
    )
    return given, left


def _refusal(result: Result, dose: Dose, antigen: str) -> str | None:
    """Why the engine does not count a dose for an antigen; ``None`` when it does."""
    said = [done for each in result.best.get(antigen, ()) for done in each.evaluations if done.dose == dose]
    if any(done.status is DoseStatus.VALID for done in said):
        return None
    return ", ".join(dict.fromkeys(reason for done in said for reason in done.reasons)) or "not counted"


def _served(product: Chosen, due: Sequence[GroupForecast]) -> tuple[Served, ...]:
    return tuple(
        Served(each.group, each.number, each.recommended)
        for each in due
        if not product.covers.isdisjoint(series.series.antigen for series in each.series)
    )


def _urgency(
    product: Chosen, due: Sequence[GroupForecast], queue: dt.date
) -> tuple[dt.date, dt.date, dt.date, int, str]:
    """What would be missed if it came last in the queue goes first, then what is late."""
    mine = [each for each in due if not product.covers.isdisjoint(s.series.antigen for s in each.series)]
    late = min((each.past_due for each in mine if each.past_due), default=dt.date.max)
    soon = min((each.recommended for each in mine if each.recommended), default=dt.date.max)
    last = min((each.latest for each in mine if each.latest and each.latest < queue), default=dt.date.max)
    return last, late, soon, -len(product.covers), product.code
