"""Which reactions what is taken may explain, among what is complained of: pure, from medicines and complaints.

A medicine is suspected of a reaction when it is known for it (or new, for reactions that any new medicine may
cause), when it was begun before the complaint, when it was not stopped long before, and when the time between the
two is one at which the reaction comes. What the record does not date is suspected and asked about.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from lab39.core.dates import PartialDate
from lab39.core.finding import Source
from lab39.solutions.signals.complaining import Sign
from lab39.solutions.signals.knowing import NEW_DAYS, Again, Knowledge, Pair, Reaction, Weight
from lab39.solutions.signals.taking import Taken


class Timing(StrEnum):
    """Where the beginning of a complaint lies, from the first dose."""

    USUAL = "usual"
    POSSIBLE = "possible"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Suspect:
    """A medicine that may explain a reaction.

    Attributes:
        pair: what is known of it; ``None`` for a medicine that is only new.
        days: from the first dose to the complaint, least and most; ``None`` when a date is missing.
        lone: suspected for a complaint that is alone (``Reaction.lone``).
        again: soon after an earlier course; the days are those from the new start.
    """

    medicine: Taken
    pair: Pair | None
    timing: Timing
    days: tuple[int, int] | None
    lone: bool = False
    again: Again | None = None

    @property
    def weight(self) -> Weight:
        """How well it is known for the reaction."""
        return self.pair.weight if self.pair else Weight.UNLISTED

    @property
    def source(self) -> Source | None:
        """Of what is known of it; ``None`` for a medicine that is only new."""
        if self.pair is None:
            return None
        if self.again is not None:
            return self.again.source
        return self.pair.lone if self.lone and self.pair.lone else self.pair.source

    @property
    def verified(self) -> bool:
        """Whether somebody opened the source."""
        return self.source is None or self.source.verified

    @property
    def order(self) -> tuple[bool, int, int, int, str]:
        """The most suspected first: well known, at the usual time, begun last."""
        times = list(Timing).index(self.timing)
        start = -self.medicine.start.earliest.toordinal() if self.medicine.start else 0
        return (not self.verified, self.weight.rank, times, start, self.medicine.name.fr)


@dataclass(frozen=True, slots=True)
class Suspicion:
    """A reaction that complaints may be, and the medicines that may explain it.

    Attributes:
        level: key of ``reaction.levels``.
        signs: those it needs first, then what makes it urgent.
        suspects: the most suspected first; never empty.
    """

    reaction: Reaction
    level: str
    signs: tuple[Sign, ...]
    suspects: tuple[Suspect, ...]

    @property
    def first(self) -> Suspect:
        """The most suspected."""
        return self.suspects[0]

    @property
    def headline(self) -> tuple[Suspect, ...]:
        """Those as well known as the most suspected."""
        first = self.first
        return tuple(s for s in self.suspects if s.weight is first.weight and s.verified is first.verified)


def suspicions(
    known: Knowledge,
    signs: Sequence[Sign],
    medicines: Sequence[Taken],
    on: dt.date,
    past: Sequence[Sign] = (),
) -> list[Suspicion]:
    """Every reaction that the complaints may be and that something taken may explain.

    Args:
        past: complaints that are over: a medicine well known for the reaction they were is not to be taken on.
    """
    found: list[Suspicion] = []
    tokens = {sign.token for sign in signs}
    ever = tokens | {sign.token for sign in past}
    for reaction in known.reactions.values():
        if all(group & tokens for group in reaction.needs):
            found += _present(known, reaction, signs, medicines, on)
        elif tokens & reaction.lone:
            found += _alone(known, reaction, signs, medicines, on)
        elif "over" in reaction.levels and all(group & ever for group in reaction.needs):
            # What would make it an emergency and is still there: the reaction is not over.
            judged = _present if tokens & reaction.emergencies else _over
            found += judged(known, reaction, (*past, *signs), medicines, on)
    return found


def _present(
    known: Knowledge, reaction: Reaction, signs: Sequence[Sign], medicines: Sequence[Taken], on: dt.date
) -> Iterator[Suspicion]:
    main, more = _of(reaction, signs)
    suspects = _ranked(known, reaction, _begun(main, known), medicines, on)
    if suspects:
        level = _level(reaction, {s.token for s in (*main, *more)}, suspects)
        yield Suspicion(reaction, level, _once((*main, *more)), suspects)


def _alone(
    known: Knowledge, reaction: Reaction, signs: Sequence[Sign], medicines: Sequence[Taken], on: dt.date
) -> Iterator[Suspicion]:
    """What is complained of alone, under a medicine under which that is enough to act."""
    main = [sign for sign in signs if sign.token in reaction.lone]
    ranked = _ranked(known, reaction, _begun(main, known), medicines, on)
    suspects = [replace(each, lone=True) for each in ranked if each.pair and each.pair.lone]
    if suspects:
        yield Suspicion(reaction, "lone", _once(main), tuple(sorted(suspects, key=lambda s: s.order)))


def _over(
    known: Knowledge, reaction: Reaction, signs: Sequence[Sign], medicines: Sequence[Taken], on: dt.date
) -> Iterator[Suspicion]:
    """What is over, while a medicine that is well known for it is still taken."""
    main, more = _of(reaction, signs)
    ranked = _ranked(known, reaction, _begun(main, known), medicines, on)
    suspects = tuple(
        each for each in ranked if each.weight is Weight.STRONG and each.verified and not each.medicine.stopped
    )
    if suspects:
        alarming = {sign.token for sign in (*main, *more)} & reaction.alarms
        level = "over-alarm" if alarming and "over-alarm" in reaction.levels else "over"
        yield Suspicion(reaction, level, _once((*main, *more)), suspects)


def _of(reaction: Reaction, signs: Sequence[Sign]) -> tuple[list[Sign], list[Sign]]:
    """The complaints that a reaction needs, and those besides that make it urgent."""
    needed = frozenset().union(*reaction.needs)
    main = [sign for sign in signs if sign.token in needed]
    return main, [sign for sign in signs if sign.token in reaction.alarms and sign.token not in needed]


def _ranked(
    known: Knowledge,
    reaction: Reaction,
    begun: Sequence[PartialDate | None],
    medicines: Sequence[Taken],
    on: dt.date,
) -> tuple[Suspect, ...]:
    return tuple(sorted(_suspects(known, reaction, begun, medicines, on), key=lambda s: s.order))


def interacting(suspicion: Suspicion, medicines: Iterable[Taken]) -> tuple[Taken, ...]:
    """The medicines that cause the reaction together, as a source that was opened says of one of the suspects.

    Suspects first. Another medicine counts when the source names it and it is not said to be stopped: it need not
    cause the reaction alone.
    """
    found: dict[tuple[str, ...], Taken] = {}
    taken = {each.refs: each for each in (*(s.medicine for s in suspicion.suspects), *medicines)}
    for suspect in suspicion.suspects:
        if suspect.pair is None or not suspect.verified or not suspect.pair.together:
            continue
        others = [
            other
            for other in taken.values()
            if other.refs != suspect.medicine.refs
            and (not other.stopped or any(other.refs == s.medicine.refs for s in suspicion.suspects))
        ]
        groups = _beside(suspect.pair, suspect.medicine, others)
        if all(groups):
            for each in (suspect.medicine, *(other for group in groups for other in group)):
                found[each.refs] = each
    return tuple(found.values())


def _beside(pair: Pair, medicine: Taken, others: Iterable[Taken]) -> list[list[Taken]]:
    """For each group of ``together``, those of the other medicines that are of it."""
    there = [other for other in others if other.refs != medicine.refs]
    return [[other for other in there if any(c.startswith(group) for c in other.atc)] for group in pair.together]


def new_medicines(medicines: Iterable[Taken], on: dt.date) -> tuple[Taken, ...]:
    """What was begun in the last eight weeks and is not said to be stopped, the newest first."""
    new = [(each.start, each) for each in medicines if not each.stopped and each.start is not None]
    found = [(start, each) for start, each in new if _is_new(start, on)]
    return tuple(each for _, each in sorted(found, key=lambda row: (-row[0].earliest.toordinal(), row[1].name.fr)))


def _is_new(start: PartialDate, on: dt.date) -> bool:
    return start.earliest <= on and (on - start.latest).days <= NEW_DAYS


def _begun(signs: Iterable[Sign], known: Knowledge) -> tuple[PartialDate | None, ...]:
    """The beginnings to compare with those of medicines: the first sign, each episode of what comes in episodes.

    ``None`` for signs one of which is undated, and may be earlier.
    """
    dates: list[PartialDate | None] = []
    once: list[PartialDate | None] = []
    for sign in signs:
        (dates if known.complaints[sign.token].episodes else once).append(sign.began)
    if once:
        dated = [each for each in once if each is not None]
        dates.append(min(dated, key=lambda d: d.earliest) if len(dated) == len(once) else None)
    return tuple(dict.fromkeys(dates))


def _suspects(
    known: Knowledge,
    reaction: Reaction,
    begun: Sequence[PartialDate | None],
    medicines: Sequence[Taken],
    on: dt.date,
) -> Iterator[Suspect]:
    pairs = known.causes.get(reaction.id, ())
    running = [each for each in medicines if not each.stopped]
    for medicine in medicines:
        pair = min(
            (
                pair
                for pair in pairs
                if pair.covers(medicine.atc) and (pair.alone or all(_beside(pair, medicine, running)))
            ),
            key=lambda p: (not p.source.verified, p.weight.rank),
            default=None,
        )
        found = [s for began in begun if (s := _suspect(reaction, medicine, pair, began, on)) is not None]
        found += [s for began in begun if pair and (s := _again(reaction, medicine, pair, began, medicines))]
        if found:
            yield min(found, key=lambda s: s.order)


def _suspect(
    reaction: Reaction, medicine: Taken, pair: Pair | None, began: PartialDate | None, on: dt.date
) -> Suspect | None:
    """The medicine as a suspect of what began on one day; ``None`` when it cannot explain it."""
    if pair is None and not (reaction.new_medicines and _new_before(medicine, began, on)):
        return None
    if _stopped_long_before(medicine, reaction, began):
        return None
    seen = _timing(medicine, (pair and pair.days) or reaction.days, began)
    return Suspect(medicine, pair, *seen) if seen is not None else None


def _again(
    reaction: Reaction, medicine: Taken, pair: Pair, began: PartialDate | None, medicines: Sequence[Taken]
) -> Suspect | None:
    """The medicine as a suspect of what began soon after it was taken again, soon after an earlier course."""
    again = pair.again
    if again is None or began is None or _stopped_long_before(medicine, reaction, began):
        return None
    start = _restart([s for s, _ in medicine.courses if s.earliest <= began.latest], again, pair, medicines)
    seen = _timing(replace(medicine, start=start), again.days, began) if start is not None else None
    return Suspect(medicine, pair, *seen, again=again) if seen is not None else None


def _restart(
    starts: Sequence[PartialDate], again: Again, pair: Pair, medicines: Sequence[Taken]
) -> PartialDate | None:
    """The last first day that follows an earlier course of the same medicines after a stop, soon enough."""
    courses = [course for each in medicines if pair.covers(each.atc) for course in each.courses]
    for start in reversed(starts):
        ends = [end for begun, end in courses if end is not None and begun.latest < start.earliest]
        gap = min(((start.earliest - end.latest).days for end in ends), default=None)
        if gap is None or gap > again.within_days:
            return None
        if gap >= again.gap_days:
            return start
    return None


def _new_before(medicine: Taken, began: PartialDate | None, on: dt.date) -> bool:
    return medicine.start is not None and _is_new(medicine.start, began.earliest if began else on)


def _stopped_long_before(medicine: Taken, reaction: Reaction, began: PartialDate | None) -> bool:
    if not medicine.stopped:
        return False
    if began is None:
        return medicine.end is not None or medicine.start is None
    if medicine.end is not None:
        return (began.earliest - medicine.end.latest).days > reaction.stays_days
    # The day it was stopped is not known: it counts while a course begun that day could still be the cause.
    if medicine.start is None:
        return True
    return (began.earliest - medicine.start.latest).days > max(NEW_DAYS, reaction.stays_days)


def _timing(
    medicine: Taken, usual: tuple[int, int, int] | None, began: PartialDate | None
) -> tuple[Timing, tuple[int, int] | None] | None:
    """Where the complaint lies from the first dose; ``None`` when the medicine cannot explain it."""
    if medicine.start is None or began is None:
        return (Timing.UNKNOWN if usual else Timing.USUAL), None
    least = (began.earliest - medicine.start.latest).days
    most = (began.latest - medicine.start.earliest).days
    if most < 0:  # the complaint is older than the medicine
        return None
    days = (max(least, 0), most)
    if usual is None:
        return Timing.USUAL, days
    first, last, ever = usual
    if most >= first and least <= last:
        return Timing.USUAL, days
    return (Timing.POSSIBLE, days) if most >= first and least <= ever else None


def _level(reaction: Reaction, tokens: set[str], suspects: Sequence[Suspect]) -> str:
    """The level of alarm; apart for a medicine that is only new, or whose dates have to be asked first."""
    first, level, most = suspects[0], "plain", reaction.emergency_days
    soon = most is None or any(each.days is None or each.days[0] <= most for each in suspects)
    if tokens & reaction.alarms and "alarm" in reaction.levels:
        level = "alarm"
    if soon and tokens & reaction.emergencies and "emergency" in reaction.levels:
        level = "emergency"
    if first.weight is Weight.UNLISTED and f"{level}-new" in reaction.levels:
        return f"{level}-new"
    if first.timing is Timing.UNKNOWN and level == "alarm" and "unknown" in reaction.levels:
        return "unknown"
    return level


def _once(signs: Iterable[Sign]) -> tuple[Sign, ...]:
    """Each complaint once, in the words of its first entry; a result that two bounds name, once."""
    found: dict[str, Sign] = {}
    for sign in signs:
        if not any(sign.ref == other.ref and sign.says == other.says for other in found.values()):
            found.setdefault(sign.token, sign)
    return tuple(found.values())
