"""What the page shows of a person: what is due in big, what comes next, the timeline, the doses, what is unused."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lab39.core.errors import Issue
from lab39.core.finding import Source
from lab39.core.record import Record
from lab39.core.text import NO_TEXT, Lang, Text
from lab39.solutions.vaccination import entitled, findings, illness, remarks, repeats, sentences, told, words
from lab39.solutions.vaccination.entitled import Rights
from lab39.solutions.vaccination.findings import Assessed, Unused
from lab39.solutions.vaccination.outcome import Dose, GroupForecast
from lab39.solutions.vaccination.reading import uncounted_dict
from lab39.solutions.vaccination.standing import TO_GIVE, Kind, Standing, coming, due, standings
from lab39.solutions.vaccination.timeline import Line, Timeline, given_in, timeline
from lab39.solutions.vaccination.verdicts import verdict

SOON_DAYS = 3 * 366
"""What is recommended further away is told apart."""
SHAPES = {"valid": "●", "invalid": "✕", "extra": "○"}


@dataclass(frozen=True, slots=True)
class Row:
    """One vaccine group in words."""

    group: str
    kind: Kind
    name: Text
    says: Text
    vaccines: Text
    doubt: Text
    source: Source
    rights: Rights | None = None


@dataclass(frozen=True, slots=True)
class DoseRow:
    """One dose with its verdict in each vaccine group."""

    day: dt.date
    name: Text
    status: Text
    shape: str
    why: Text
    groups: Text


@dataclass(frozen=True, slots=True)
class Answer:
    """Everything shown."""

    found: Assessed
    due: tuple[Row, ...]
    next: tuple[Row, ...]
    later: tuple[Row, ...]
    rest: tuple[Row, ...]
    drawn: Timeline
    lines: tuple[tuple[Line, Row, Text], ...]
    doses: tuple[DoseRow, ...]
    unused: tuple[Unused, ...]
    notes: tuple[Text, ...]

    @property
    def rows(self) -> tuple[Row, ...]:
        """Every vaccine group."""
        return (*self.due, *self.next, *self.later, *self.rest)


def answer(found: Assessed) -> Answer:
    """What is shown of a person."""
    stand = standings(found.result)
    rows = {each.group: row(found, each) for each in stand}
    uses = {
        dose: use
        for dose in found.patient.doses
        if (use := repeats.had_its_use(found.schedule, found.patient, found.result, stand, dose)) is not None
    }
    drawn = timeline(stand, found.result, found.schedule, found.patient.birth_date, uses)
    given = {issue.place for issue in found.issues} & {each.ref for each in found.uncounted}
    to_give, following = due(stand), coming(stand)
    soon = found.result.on + dt.timedelta(days=SOON_DAYS)
    near = [each for each in following if each.forecast.recommended and each.forecast.recommended <= soon]
    undated = tuple(each for each in stand if each.kind is Kind.UNDATED)
    told_already = {each.group for each in (*to_give, *following, *undated)}
    return Answer(
        found=found,
        due=tuple(rows[each.group] for each in to_give),
        next=tuple(rows[each.group] for each in (*undated, *near)),
        later=tuple(rows[each.group] for each in following if each not in near),
        rest=tuple(rows[each.group] for each in stand if each.group not in told_already),
        drawn=drawn,
        lines=tuple((line, rows[line.standing.group], line_in_words(line)) for line in drawn.lines),
        doses=tuple(dose_rows(found, stand, uses)),
        unused=tuple(findings.unused_entries(found)),
        notes=(
            *(illness.asked(each) for each in illness.to_ask(found.noted)),
            *_notes(found.issues, given),
            *(remarks.in_words(each) for each in remarks.unread(found.schedule, found.patient, found.result.on)),
        ),
    )


def row(found: Assessed, each: Standing) -> Row:
    """One vaccine group."""
    vaccines = [words.vaccine(found.schedule, vaccine.code) for vaccine in each.forecast.vaccines]
    return Row(
        each.group,
        each.kind,
        words.capital(words.group(each.group)),
        sentences.state(each.forecast, each.kind, found.result.on, found.wait.until if found.wait else NO_TEXT),
        words.joined(list(dict.fromkeys(vaccines))),
        _doubt(found, each),
        findings.cited(found.schedule, each.forecast)[1],
        entitled.line(found.schedule, found.patient, found.result, each) if each.kind in TO_GIVE else None,
    )


def _doubt(found: Assessed, each: Standing) -> Text:
    """Doses of the record that may change what is said, and the blood tests that go with the dose."""
    doubt = sentences.doubt([one.vaccine for one in findings.in_doubt(found, each)])
    mind = remarks.with_dose(remarks.rules_of(found.schedule, remarks.together(each, found.result.on)))
    return words.joined([part for part in (doubt, mind) if part.fr], " ")


def line_in_words(line: Line) -> Text:
    """The marks of a line, for who cannot see them."""
    said = []
    for mark in line.marks:
        when, status = sentences.day(mark.day), words.status(mark.status)
        said.append(Text(f"{when.fr} {status.fr}", f"{when.en} {status.en}"))
    return words.joined(said) if said else Text("aucune dose", "no dose")


def dose_rows(found: Assessed, stand: Sequence[Standing], uses: Mapping[Dose, Text]) -> Iterator[DoseRow]:
    """Every dose, the newest first; ``uses`` tells those that do not count and had their use."""
    by_group = {each.group: given_in(found.result, found.schedule, each.group) for each in stand}
    for dose in sorted(found.patient.doses, key=lambda each: each.date, reverse=True):
        here = [(group, done) for group, rows in by_group.items() for done in rows if done.dose == dose]
        best = verdict(found.result, dose)
        if best is None:
            yield DoseRow(
                dose.date,
                words.vaccine(found.schedule, dose.code),
                Text("hors calendrier", "not in the schedule"),
                "○",
                Text("aucun groupe de vaccins ne la compte", "no vaccine group counts it"),
                Text("", ""),
            )
            continue
        wrong = [(group, done) for group, done in here if done.status != best.status or done.reasons]
        alike = len(wrong) == len(here) and len({(done.status, done.reasons) for _, done in wrong}) == 1
        why = [_why(group, done.status, done.reasons, single=alike) for group, done in wrong]
        shape = {"Valid": "valid", "Extraneous": "extra"}.get(best.status, "extra" if dose in uses else "invalid")
        yield DoseRow(
            dose.date,
            words.vaccine(found.schedule, dose.code),
            uses.get(dose) or words.status(best.status),
            SHAPES[shape],
            _listed(list(dict.fromkeys(why))),
            words.joined([words.group(group) for group, _ in here]),
        )


def _listed(why: Sequence[Text]) -> Text:
    return Text("\u202f; ".join(each.fr for each in why), "; ".join(each.en for each in why))


def _why(group: str, status: str, reasons: Sequence[str], *, single: bool) -> Text:
    why = words.joined([words.reason(each) for each in reasons]) if reasons else words.status(status)
    if single:
        return why
    name = words.group(group)
    return Text(f"{name.fr}\u202f: {why.fr}", f"{name.en}: {why.en}")


def _notes(issues: Sequence[Issue], told_already: set[str]) -> Iterator[Text]:
    """What is in doubt besides the doses that were not counted."""
    for issue in issues:
        if issue.place not in told_already:
            yield issue.text


def table(found: Answer, lang: Lang) -> list[list[str]]:
    """The doses and the vaccine groups as rows of a spreadsheet."""
    rows: list[list[str]] = []
    for dose in found.doses:
        rows.append(["dose", dose.name[lang], dose.day.isoformat(), dose.status[lang], dose.why[lang], "", "", ""])
    for each in found.rows:
        forecast = _forecast(found, each.group)
        days = [forecast.earliest, forecast.recommended, forecast.past_due] if forecast else [None] * 3
        rows.append(
            [
                {"fr": "groupe de vaccins", "en": "vaccine group"}[lang],
                each.name[lang],
                "",
                each.says[lang],
                str(each.source),
                *(day.isoformat() if day else "" for day in days),
            ]
        )
    for entry in found.unused:
        label = {"fr": "non compté", "en": "not counted"}[lang]
        rows.append([label, entry.label[lang], "", "", entry.why[lang], "", "", ""])
    return rows


def as_json(found: Answer) -> dict[str, Any]:
    """The same as ``lab39 vaccination due --json``."""
    said = found.found
    return {
        **told.due_dict(said.result, said.patient, said.schedule),
        **uncounted_dict(said, said.schedule),
        **illness.as_dict(said.noted),
        "issues": [each.as_dict() for each in said.issues],
    }


def _forecast(found: Answer, group: str) -> GroupForecast | None:
    return next((each.forecast for each in standings(found.found.result) if each.group == group), None)


def age(record: Record, on: dt.date) -> Text:
    """The age in words; empty when it is not known."""
    born = record.birth_date
    known = record.age(on)
    if born is None or known is None:
        return Text("", "")
    if born.exact is not None:
        months = (on.year - born.exact.year) * 12 + on.month - born.exact.month - (on.day < born.exact.day)
        if months < 24:
            return Text(f"{months} mois", f"{months} months")
        return Text(f"{months // 12} ans", f"{months // 12} years")
    return Text("", "")
