"""A calendar file (RFC 5545) of the next doses: one event a visit, in French and English, with alarms.

Nothing in it says who the person is unless a name is given. The identifier of an event is made from the record and
the doses it announces, not from its date: importing a later edition moves the event instead of adding another.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from lab39.core.text import Text, date
from lab39.solutions.vaccination import words
from lab39.solutions.vaccination.model import Schedule
from lab39.solutions.vaccination.outcome import Result
from lab39.solutions.vaccination.plan import Plan
from lab39.solutions.vaccination.standing import TO_GIVE, Kind, standings

PRODUCT = "-//Lab39//vaccination//FR"
DAYS_BEFORE = (14, 1)


@dataclass(frozen=True, slots=True)
class Item:
    """One dose to come: vaccine group, number when the schedule states one, and the product planned, if any."""

    group: str
    number: int | None
    vaccine: str = ""

    @property
    def text(self) -> Text:
        """In one line."""
        name = words.capital(words.group(self.group))
        fr, en = name.fr, name.en
        if self.number is not None:
            fr, en = f"{fr}, dose {self.number}", f"{en}, dose {self.number}"
        if self.vaccine:
            fr, en = f"{fr} ({self.vaccine})", f"{en} ({self.vaccine})"
        return Text(fr, en)


@dataclass(frozen=True, slots=True)
class Reminder:
    """One day; ``late`` is the last day before one of its doses is late."""

    date: dt.date
    items: tuple[Item, ...]
    late: dt.date | None = None


def of_plan(plan: Plan, *, waiting: bool = False) -> tuple[Reminder, ...]:
    """One reminder a visit, the visits of the day of the plan itself left out: the person is there.

    Args:
        waiting: nothing is given that day, its doses wait: its visit is kept, or it would be forgotten.
    """
    return tuple(
        Reminder(
            visit.date,
            tuple(Item(s.group, s.number, dose.name) for dose in visit.doses for s in dose.serves),
        )
        for visit in plan.visits
        if visit.date > plan.on or waiting
    )


def of_result(result: Result, until: dt.date) -> tuple[Reminder, ...]:
    """One reminder a day on which the schedule recommends a dose; what is due already is for the day of the result.

    Args:
        until: last day of interest.
    """
    days: dict[dt.date, list[tuple[Item, dt.date | None]]] = {}
    for each in standings(result):
        recommended = each.forecast.recommended
        if recommended is None or each.kind not in (*TO_GIVE, Kind.POSSIBLE, Kind.LATER):
            continue
        day = max(recommended, result.on)
        if day <= until:
            days.setdefault(day, []).append((Item(each.group, each.forecast.number), each.forecast.past_due))
    return tuple(
        Reminder(
            day,
            tuple(item for item, _ in rows),
            min((late for _, late in rows if late is not None and late >= day), default=None),
        )
        for day, rows in sorted(days.items())
    )


def while_waiting(until: Text, on: dt.date) -> tuple[Text, ...]:
    """What every event says while doses wait: which ones, until when, and that later dates count from them."""
    return (
        Text(
            f"Les doses du {date(on, 'fr')} sont à faire {until.fr}. Les dates qui suivent en dépendent\u202f: "
            "les recalculer alors.",
            f"The doses of {date(on, 'en')} are to be given {until.en}. The dates that follow depend on them: "
            "work them out again then.",
        ),
    )


def calendar(
    reminders: Iterable[Reminder],
    record: str,
    at: dt.datetime,
    schedule: Schedule,
    *,
    name: str = "",
    days_before: Sequence[int] = DAYS_BEFORE,
    notes: Sequence[Text] = (),
) -> bytes:
    """The file.

    Args:
        record: what tells this person's events from another's; only its digest is written.
        at: when the file was made, with its time zone.
        name: written in the titles; empty writes none.
        days_before: an alarm at 9 o'clock, this many days before each event.
        notes: what every event says beside its doses.
    """
    from icalendar import Alarm, Calendar, Event

    made = Calendar()
    made.add("prodid", PRODUCT)
    made.add("version", "2.0")
    made.add("method", "PUBLISH")
    for each, identifier in identified(reminders, record, schedule.name):
        title = _title(each, name)
        event = Event()
        event.add("uid", identifier)
        event.add("dtstamp", at.astimezone(dt.UTC))
        event.add("dtstart", each.date)
        event.add("dtend", each.date + dt.timedelta(days=1))
        event.add("summary", f"{title.fr} / {title.en}" if title.fr != title.en else title.fr)
        event.add("description", _description(each, schedule, notes))
        event.add("class", "PRIVATE")
        event.add("transp", "TRANSPARENT")
        for before in days_before:
            alarm = Alarm()
            alarm.add("action", "DISPLAY")
            alarm.add("description", title.fr)
            alarm.add("trigger", dt.timedelta(hours=9) - dt.timedelta(days=before))
            event.add_component(alarm)
        made.add_component(event)
    content: bytes = made.to_ical()
    return content


def identified(reminders: Iterable[Reminder], record: str, schedule: str) -> Iterator[tuple[Reminder, str]]:
    """Each reminder with the identifier of its event: no two of a file have the same."""
    met: Counter[str] = Counter()
    for each in reminders:
        first = uid(each, record, schedule)
        yield each, uid(each, record, schedule, met[first])
        met[first] += 1


def uid(reminder: Reminder, record: str, schedule: str, earlier: int = 0) -> str:
    """The same for the same doses of the same record, whatever the day.

    Args:
        earlier: how many reminders before it announce the same doses (two series of a vaccine group, a campaign).
    """
    doses = sorted(f"{item.group} {item.number}" for item in reminder.items)
    digest = hashlib.sha256("\n".join((record, schedule, *doses, *["again"] * earlier)).encode()).hexdigest()
    return f"{digest[:32]}@lab39.vaccination"


def _title(reminder: Reminder, name: str) -> Text:
    groups = words.joined([words.group(group) for group in dict.fromkeys(i.group for i in reminder.items)])
    who = f" ({name})" if name else ""
    return Text(f"Vaccins{who}\u202f: {groups.fr}", f"Vaccines{who}: {groups.en}")


def _description(reminder: Reminder, schedule: Schedule, notes: Sequence[Text]) -> str:
    titled = words.schedule_title(schedule.name)
    lines: list[str] = [*(note.fr for note in notes), *(f"- {item.text.fr}" for item in reminder.items)]
    if reminder.late:
        lines.append(f"À faire avant le {date(reminder.late + dt.timedelta(days=1), 'fr')}.")
    lines += [f"D'après\u202f: {titled.fr}, édition {schedule.version}. À confirmer le jour même.", ""]
    lines += [*(note.en for note in notes), *(f"- {item.text.en}" for item in reminder.items)]
    if reminder.late:
        lines.append(f"To be done before {date(reminder.late + dt.timedelta(days=1), 'en')}.")
    lines.append(f"According to: {titled.en}, edition {schedule.version}. To be confirmed on the day.")
    return "\n".join(lines)
