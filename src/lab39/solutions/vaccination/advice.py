"""What to mind when giving a vaccine to this person: a risk of bleeding.

The risk of bleeding is read from two places: the medicines of the record, by ATC code, and what the pharmacy finds,
asked through the Context. The rules are those of the schedule; a schedule that does not hold them says nothing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence

from lab39.core import terms
from lab39.core.finding import Finding, Input, Missing, Reason, Source
from lab39.core.record import Record
from lab39.core.text import Text
from lab39.solutions.vaccination import questions
from lab39.solutions.vaccination.model import Schedule, Treatment
from lab39.solutions.vaccination.treated import counts, covers

ASKED = "pharmacy"
Others = tuple[Finding, ...] | None


def advice(record: Record, schedule: Schedule, on: dt.date, others: Others) -> tuple[Reason, ...]:
    """Reasons to add to what is due; none for a schedule without these rules.

    Args:
        others: what the pharmacy finds; ``None`` when it could not be asked.
    """
    return tuple(_bleeding(record, schedule, on, others or ()))


def unasked(record: Record, schedule: Schedule, on: dt.date, others: Others) -> tuple[Missing, ...]:
    """What could not be evaluated because the pharmacy gave no answer."""
    row = questions.body()["bleeding"]
    if others is not None or row["rule"] not in schedule.rules or not record.medications():
        return ()
    if any(True for _each in _medicines(record, on)):
        return ()
    return (
        Missing(
            "pharmacy",
            Text("avis de la pharmacie", "answer of the pharmacy"),
            Text(
                "le risque de saignement n'a pas été regardé\u202f: demander si un anticoagulant est pris",
                "the bleeding risk was not looked at: ask whether an anticoagulant is taken",
            ),
        ),
    )


def _bleeding(record: Record, schedule: Schedule, on: dt.date, others: Sequence[Finding]) -> Iterator[Reason]:
    row = questions.body()["bleeding"]
    if row["rule"] not in schedule.rules:
        return
    told = [each for each in others if row["problem"] in each.code.split(".")]
    inputs = [
        *(Input(Text("médicament", "medicine"), Text.same(name), "", ref) for ref, name in _medicines(record, on)),
        *(Input(Text("d'après la pharmacie", "from the pharmacy"), each.summary) for each in told),
    ]
    if inputs:
        rule = schedule.rules[row["rule"]]
        note = rule.note or Text("", "")
        text = Text(f"{rule.title.fr}. {note.fr}".strip(), f"{rule.title.en}. {note.en}".strip())
        yield Reason("vaccination.precaution.bleeding", text, _source(schedule, row["rule"]), tuple(inputs))


def _medicines(record: Record, on: dt.date) -> Iterator[tuple[str, str]]:
    """The medicines in course that favour bleeding, by reference and name."""
    written = questions.body()["bleeding"]["atc"]
    for each in record.medications():
        codes = [coding.code for coding in each.concept.codings if coding.system == terms.ATC and coding.code]
        if any(covers(atc, code) for atc in written for code in codes) and counts(each, Treatment(""), on):
            yield each.ref, each.concept.label[:60]


def _source(schedule: Schedule, name: str) -> Source:
    rule = schedule.rules[name]
    if not rule.cited:
        return Source(schedule.name, verified=False)
    text = rule.cited[0].source
    return Source(text.title, date=text.date, place=rule.cited[0].place, url=text.url, verified=rule.verified)
