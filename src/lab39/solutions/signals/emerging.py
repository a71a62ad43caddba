"""Signals of a base that match what a person takes and complains of: reported more than expected, no more."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from lab39.core.datapacks import Pack, Packs
from lab39.core.finding import SUMMARY_MAX, Finding, Input, Missing, Reason, Severity, Source, When
from lab39.core.text import NO_TEXT, Lang, Text, number
from lab39.solutions.signals import pairindex, saying
from lab39.solutions.signals.complaining import Sign
from lab39.solutions.signals.knowing import NEW_DAYS, Knowledge, folded
from lab39.solutions.signals.pairindex import Standing
from lab39.solutions.signals.taking import Taken

_SHOWN = 5
_MOST_IN_KNOWN = 2
CAUTION = Text(
    "Un signal n'est pas une preuve\u202f: il dit que le couple est plus notifié qu'attendu dans la base.",
    "A signal is no proof: it only says that the pair is reported more than expected in the base.",
)


@dataclass(frozen=True, slots=True)
class Emerging:
    """A pair that stands out in the base, met in this person."""

    medicine: Taken
    sign: Sign
    pair: Standing


def met(
    known: Knowledge, signs: Sequence[Sign], medicines: Sequence[Taken], packs: Packs
) -> tuple[tuple[Emerging, ...], Pack | None]:
    """The pairs of the newest run that concern this person, the strongest first; and the run they are from."""
    current = [each for each in medicines if not each.stopped]
    if not signs or not current or (pack := pairindex.newest(packs)) is None:
        return (), None
    names: Mapping[str, Taken] = {name: each for each in current for name in _names(each)}
    of_term: dict[str, Sign] = {}
    for sign in signs:
        for term in known.complaints[sign.token].terms:
            of_term.setdefault(folded(term), sign)
    found = []
    for pair in pairindex.look(pairindex.path(packs, pack), names, of_term):
        medicine, sign = names[folded(pair.drug)], of_term[folded(pair.event)]
        if _before(sign, medicine):
            continue
        found.append(Emerging(medicine, sign, pair))
    return tuple(found), pack


def added(findings: Sequence[Finding], pairs: Sequence[Emerging], pack: Pack | None) -> list[Finding]:
    """Findings with the figures of the base beside what is already known; what is not known, in one of its own."""
    if pack is None or not pairs:
        return list(findings)
    source = _source(pack)
    left = list(pairs)
    grown = []
    for finding in findings:
        mine = [p for p in left if p.medicine.ref in finding.focus and p.sign.ref in finding.focus]
        left = [p for p in left if p not in mine]
        reasons = tuple(_reason(each, source) for each in mine[:_MOST_IN_KNOWN])
        grown.append(replace(finding, reasons=(*finding.reasons, *reasons)) if reasons else finding)
    return [*grown, _finding(left, source)] if left else grown


def _names(medicine: Taken) -> tuple[str, ...]:
    return tuple(dict.fromkeys(folded(name) for name in (medicine.name.en, medicine.name.fr)))


def _before(sign: Sign, medicine: Taken) -> bool:
    """Whether the complaint is certainly older than the medicine."""
    return sign.began is not None and medicine.start is not None and sign.began.latest < medicine.start.earliest


def _source(pack: Pack) -> Source:
    return Source(f"lab39 signals detect, {pack.version}", date=pack.edition.isoformat() if pack.edition else "")


def _finding(pairs: Sequence[Emerging], source: Source) -> Finding:
    first = pairs[0]
    drug, times = first.medicine.name, _times(first.pair)
    severity = Severity.WARNING if _recent(first) else Severity.INFO
    others = len({p.medicine.ref for p in pairs}) - 1
    also = NO_TEXT
    if others:
        also = Text(f", et {others} autre{'s' if others > 1 else ''}", f", and {others} more")
    return Finding(
        code="emerging",
        severity=severity,
        when=When.THIS_WEEK if severity is Severity.WARNING else When.NEXT_VISIT,
        summary=_summary(
            drug,
            first.sign.says,
            Text(
                f"{also.fr}\u202f: signal dans la base ({times.fr} fois l'attendu), pas une preuve. Y penser",
                f"{also.en}: a signal in the base ({times.en} times the expected), no proof. Think of it",
            ),
        ),
        detail=CAUTION,
        reasons=tuple(_reason(each, source) for each in pairs[:_SHOWN]),
        missing=tuple(
            Missing(
                f"start:{ref}",
                Text(f"{name.fr}, date de début", f"{name.en}, start date"),
                Text("sans elle, la chronologie n'est pas connue", "without it the order in time is not known"),
            )
            for ref, name in {p.medicine.ref: p.medicine.name for p in pairs if p.medicine.start is None}.items()
        ),
        focus=tuple(dict.fromkeys(ref for p in pairs[:_SHOWN] for ref in (p.medicine.ref, p.sign.ref))),
        payload={
            "pairs": [
                {"drug": p.pair.drug, "event": p.pair.event, "n": p.pair.n, "ref": p.medicine.ref} for p in pairs
            ]
        },
    )


def _summary(drug: Text, sign: Text, rest: Text) -> Text:
    """The two names, each shortened between two words where there is no room for both."""

    def words(lang: Lang, link: str) -> str:
        name = saying.shortened(saying.capital(drug[lang]), 40)
        room = SUMMARY_MAX - 1 - len(name) - len(link) - len(rest[lang])
        return f"{name}{link}{saying.shortened(sign[lang], room)}{rest[lang]}"

    return Text(words("fr", " et "), words("en", " and "))


def _recent(each: Emerging) -> bool:
    start, began = each.medicine.start, each.sign.began
    return (
        start is not None and began is not None and dt.timedelta(0) <= began.latest - start.earliest <= _EIGHT_WEEKS
    )


_EIGHT_WEEKS = dt.timedelta(days=NEW_DAYS)


def _times(pair: Standing) -> Text:
    return Text(number(2.0**pair.ic, "fr", digits=1), number(2.0**pair.ic, "en", digits=1))


def _reason(each: Emerging, source: Source) -> Reason:
    pair = each.pair
    low, high = 2.0**pair.ic025, 2.0**pair.ic975
    fr = (
        f"{saying.capital(each.medicine.name.fr)} et «\u202f{pair.event}\u202f»\u202f: rapporté "
        f"{number(pair.n, 'fr')} fois, {number(2.0**pair.ic, 'fr', digits=1)} fois plus qu'attendu "
        f"(IC 95\u202f% {number(low, 'fr', digits=1)} à {number(high, 'fr', digits=1)}). {CAUTION.fr}"
    )
    en = (
        f"{saying.capital(each.medicine.name.en)} and “{pair.event}”: reported {number(pair.n, 'en')} times, "
        f"{number(2.0**pair.ic, 'en', digits=1)} times more than expected "
        f"(95% CI {number(low, 'en', digits=1)} to {number(high, 'en', digits=1)}). {CAUTION.en}"
    )
    return Reason(
        rule="signals.emerging",
        text=Text(fr, en),
        source=source,
        inputs=(
            Input(
                Text(saying.capital(each.medicine.name.fr), saying.capital(each.medicine.name.en)),
                Text.same(each.medicine.words or "–"),
                each.medicine.start.written if each.medicine.start else "",
                each.medicine.ref,
            ),
            Input(
                Text("constaté", "seen"),
                each.sign.says,
                each.sign.began.written if each.sign.began else "",
                each.sign.ref,
            ),
        ),
    )
