"""An acute illness that the record itself tells: present now, the doses that are due wait; in doubt, it is asked.

What counts is in ``knowledge/counter.toml`` (``noted``): a fever that is not said to be over, a temperature above
38 °C, an acute severe illness. Present is what is dated within days. What has no date, or an older one, defers
nothing by itself and is asked about; what is over, refuted or only supposed says nothing. The rule is that of the
schedule (:mod:`precautions`): it tells which of them makes doses wait, and a rule that nobody verified none.
"""

from __future__ import annotations

import datetime as dt
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from lab39.core import terms
from lab39.core.dates import PartialDate
from lab39.core.entries import Observation
from lab39.core.finding import Input, Missing, Reason, Source
from lab39.core.record import Record
from lab39.core.signs import ABSENT, PRESENT, UNDONE
from lab39.core.terms import Concept
from lab39.core.text import Text
from lab39.core.units import Quantity, UnitError
from lab39.solutions.vaccination import precautions, questions, words
from lab39.solutions.vaccination.authored import Rule
from lab39.solutions.vaccination.model import Schedule
from lab39.solutions.vaccination.precautions import Precaution
from lab39.solutions.vaccination.questions import Told

_FEVER, _ILLNESS = "fever", "acute-illness"
_ICD10 = (terms.ICD10, "http://hl7.org/fhir/sid/icd-10-cm")
_UNTIL = {
    _FEVER: Text("une fois la fièvre passée", "once the fever is over"),
    _ILLNESS: Text("une fois la maladie aiguë passée", "once the acute illness is over"),
}


@dataclass(frozen=True, slots=True)
class Noted:
    """What the record tells of an acute illness.

    Attributes:
        kind: ``fever`` or ``acute-illness``.
        label: in the words of the record, or the temperature.
        since: when it began, or was seen; ``None`` when nothing says it.
        present: told as there now.
        told: the rule, in words.
        defers: doses wait for its end. Otherwise it is to be asked, in the words of ``asks``.
    """

    kind: str
    label: Text
    since: PartialDate | None
    ref: str
    present: bool
    told: Told
    rule: Rule
    defers: bool
    asks: Text

    @property
    def dated(self) -> Text:
        """With its date."""
        fr = self.since.say("fr") if self.since else "sans date"
        en = self.since.say("en") if self.since else "undated"
        return Text(f"{self.label.fr}, {fr}", f"{self.label.en}, {en}")


@dataclass(frozen=True, slots=True)
class Wait:
    """That every dose waits, and until when, in words."""

    until: Text
    noted: tuple[Noted, ...]

    @property
    def seen(self) -> Text:
        """What the record notes, in one sentence."""
        seen = [each.dated for each in self.noted]
        fr, en = "\u202f; ".join(each.fr for each in seen), "; ".join(each.en for each in seen)
        return Text(f"Le dossier note\u202f: {fr}", f"The record notes: {en}")

    @property
    def says(self) -> Text:
        """Why, and the rule, in one sentence each."""
        seen, rule = self.seen, self.noted[0].told.note
        return Text(f"{seen.fr}. {rule.fr}.", f"{seen.en}. {rule.en}.")

    def as_dict(self) -> dict[str, Any]:
        """As plain values."""
        return {
            "until": self.until.as_dict(),
            "says": self.says.as_dict(),
            "source": self.noted[0].told.source,
            "noted": [
                {
                    "kind": each.kind,
                    "label": each.label.as_dict(),
                    "date": each.since.written if each.since else None,
                    "ref": each.ref,
                }
                for each in self.noted
            ],
        }


def wait(found: Sequence[Noted]) -> Wait | None:
    """That the doses wait, when an illness that defers them is present; a fever is named first."""
    present = tuple(each for each in found if each.defers)
    if not present:
        return None
    kind = _FEVER if all(each.kind == _FEVER for each in present) else _ILLNESS
    return Wait(_UNTIL[kind], present)


def reason(found: Wait) -> Reason:
    """Why the doses wait, with the source."""
    rule = found.noted[0].rule
    cited = rule.cited[0]
    source = Source(
        cited.source.title, date=cited.source.date, place=cited.place, url=cited.source.url, verified=rule.verified
    )
    inputs = tuple(
        Input(Text("constaté", "seen"), each.label, each.since.written if each.since else "", each.ref)
        for each in found.noted
    )
    return Reason("vaccination.precaution.acute-illness", found.says, source, inputs)


def to_ask(found: Sequence[Noted]) -> Iterator[Missing]:
    """What is in doubt: nothing waits because of it, and somebody asks."""
    for each in in_doubt(found):
        yield Missing(f"illness:{each.ref}", each.dated, each.asks)


def in_doubt(found: Sequence[Noted]) -> Iterator[Noted]:
    """What makes nothing wait; a fever that is present beside an illness that does adds no question."""
    waits = any(each.defers for each in found)
    return (each for each in found if not each.defers and not (waits and each.present))


def told(found: Sequence[Noted]) -> Iterator[Told]:
    """For who gives a dose: what is present, together, then what is in doubt."""
    waits = wait(found)
    if waits is not None:
        yield replace(waits.noted[0].told, says=waits.seen)
    yield from (each.told for each in in_doubt(found))


def asked(each: Missing) -> Text:
    """What is to be asked, in one sentence."""
    return Text(f"{each.name.fr}\u202f: {each.consequence.fr}", f"{each.name.en}: {each.consequence.en}")


def beside(found: Sequence[Noted]) -> tuple[Text, ...]:
    """Before a list of what is due: that the doses wait, and what is to be asked."""
    waits, asks = wait(found), tuple(asked(each) for each in to_ask(found))
    if waits is None:
        return asks
    source = waits.noted[0].told.source
    first = Text(
        f"Vaccins à faire {waits.until.fr}. {waits.says.fr} ({source})",
        f"Vaccines to give {waits.until.en}. {waits.says.en} ({source})",
    )
    return (first, *asks)


def printed(found: Sequence[Noted]) -> tuple[Text, ...]:
    """On paper that others may read: why the doses wait, or that something is to be asked, without what the record
    notes.
    """
    waits = wait(found)
    if waits is not None:
        told_ = waits.noted[0].told
        rule = words.capital(told_.note)
        return (Text(f"{rule.fr} ({told_.source}).", f"{rule.en} ({told_.source})."),)
    if not any(True for _each in in_doubt(found)):
        return ()
    unsure = "" if found[0].rule.verified else "\u202f; règle non vérifiée pour ce calendrier"
    unsure_en = "" if found[0].rule.verified else "; rule not verified for this schedule"
    return (
        Text(
            f"Fièvre ou maladie aiguë, aujourd'hui\u202f: à demander avant de vacciner{unsure}.",
            f"Fever or acute illness, today: to be asked before vaccinating{unsure_en}.",
        ),
    )


def as_dict(found: Sequence[Noted]) -> dict[str, Any]:
    """Plain values: ``wait``, why every dose waits, or nothing; ``illness_to_ask``, what is in doubt."""
    waits = wait(found)
    return {
        "wait": waits.as_dict() if waits else None,
        "illness_to_ask": [asked(each).as_dict() for each in to_ask(found)],
    }


# -- what the record tells ---------------------------------------------------------------------------------


def noted(record: Record, schedule: Schedule, on: dt.date) -> tuple[Noted, ...]:
    """What the record tells of a fever or an acute severe illness on a day, present or to be asked about."""
    row, rule = questions.body()["noted"], precautions.acute_illness(schedule)
    if rule is None:
        return ()
    measured = _temperature(record, on, row)
    found: dict[str, Noted] = {}
    for kind, label, since, ref in _stated(record, row):
        if not _lately(since, on, row["days"]):
            continue
        present = since is not None and (on - since.earliest).days <= row["present_days"]
        if present and since is not None and kind == _FEVER and _fallen(measured, since):
            assert measured is not None
            label = Text(f"{label.fr}\u202f; {measured.label.fr}", f"{label.en}; {measured.label.en}")
            present = False
        found.setdefault(ref, _noted(kind, label, since, ref, present, rule))
    if measured is not None and measured.high is not False and _lately(measured.day, on, row["days"]):
        present = bool(measured.high) and (on - measured.day.earliest).days <= row["temperature"]["present_days"]
        found.setdefault(measured.ref, _noted(_FEVER, measured.label, measured.day, measured.ref, present, rule))
    return tuple(found.values())


def _noted(
    kind: str, label: Text, since: PartialDate | None, ref: str, present: bool, precaution: Precaution
) -> Noted:
    rule = questions.of_rule(precaution.rule, "warn")
    defers = present and precaution.waits_for(kind)
    made = Noted(kind, label, since, ref, present, rule, precaution.rule, defers, precaution.asks)
    says = Text(f"Le dossier note\u202f: {made.dated.fr}", f"The record notes: {made.dated.en}")
    return replace(made, told=replace(rule, says=says, note=words.capital(rule.says)))


def _lately(since: PartialDate | None, on: dt.date, days: int) -> bool:
    return since is None or (since.earliest <= on and (on - since.latest).days <= days)


def _stated(record: Record, row: Mapping[str, Any]) -> Iterator[tuple[str, Text, PartialDate | None, str]]:
    """The conditions, observations and signs that state one, and that nothing says to be over or absent."""
    for each in record.conditions():
        kind = _kind(each.concept, row)
        if kind and each.active is not False and each.verification in (None, "confirmed"):
            yield kind, _label(kind, each.concept), each.onset or each.recorded, each.ref
    for seen in record.observations():
        kind = _kind(seen.concept, row)
        if kind and seen.status not in UNDONE and not seen.raw.get("dataAbsentReason") and _present(seen):
            yield kind, _label(kind, seen.concept), seen.date, seen.ref


def _label(kind: str, concept: Concept) -> Text:
    """A fever is a fever in both languages; another illness keeps the words of the record."""
    return Text("Fièvre", "Fever") if kind == _FEVER else Text.same(concept.label[:60])


def _present(seen: Observation) -> bool:
    if isinstance(seen.value, Concept):
        return seen.value.has(terms.SNOMED, *PRESENT) and not seen.value.has(terms.SNOMED, *ABSENT)
    return seen.value is True or (seen.value is None and not seen.components)


def _kind(concept: Concept, row: Mapping[str, Any]) -> str:
    """Which of them a concept means, by its codes, or by its words alone when it has no code."""
    for one in row["of"]:
        for coding in concept.codings:
            if coding.system == terms.SNOMED and coding.code in one.get("snomed", ()):
                return str(one["kind"])
            if coding.system == terms.HPO and coding.code in one.get("hpo", ()):
                return str(one["kind"])
            if coding.system in _ICD10 and coding.code.startswith(tuple(one.get("icd10", ()))):
                return str(one["kind"])
        if not concept.codings and _folded(concept.text) in one.get("words", ()):
            return str(one["kind"])
    return ""


def _folded(said: str) -> str:
    plain = unicodedata.normalize("NFD", said.lower())
    return " ".join("".join(c for c in plain if not unicodedata.combining(c)).split()).strip(" .")


@dataclass(frozen=True, slots=True)
class _Measured:
    """``high`` is ``None`` when the unit is not known and the number may be a fever."""

    label: Text
    day: PartialDate
    ref: str
    high: bool | None


def _temperature(record: Record, on: dt.date, row: Mapping[str, Any]) -> _Measured | None:
    """The newest temperature; none when it is only a bound, or has no known unit and is no fever in any."""
    measure = row["temperature"]
    seen = record.latest_quantity(*measure["loinc"], on=on)
    if seen is None or seen.quantity is None or seen.date is None or seen.status in UNDONE:
        return None
    if seen.quantity.comparator:
        return None
    said = seen.quantity.say("fr"), seen.quantity.say("en")
    try:
        celsius = float(seen.quantity.to("Cel"))
    except UnitError:
        if not any(measure["above_cel"] < each <= measure["at_most_cel"] for each in _readings(seen.quantity)):
            return None
        label = Text(
            f"température {said[0]}, unité absente ou inconnue", f"temperature {said[1]}, unit absent or unknown"
        )
        return _Measured(label, seen.date, seen.ref, None)
    label = Text(f"température {said[0]}", f"temperature {said[1]}")
    return _Measured(label, seen.date, seen.ref, celsius > measure["above_cel"])


def _readings(quantity: Quantity) -> Iterator[float]:
    """What the number is in °C, were it in °C or in °F."""
    return (float(Quantity(quantity.value, unit).to("Cel")) for unit in ("Cel", "[degF]"))


def _fallen(measured: _Measured | None, since: PartialDate) -> bool:
    """Whether a temperature taken on the day the fever began, or later, is no fever."""
    return measured is not None and measured.high is False and measured.day.earliest >= since.latest
