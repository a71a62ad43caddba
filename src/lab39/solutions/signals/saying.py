"""Suspicions in words: one sentence that says what to do, why, what else to look at, what is missing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lab39.core.finding import SUMMARY_MAX, Finding, Input, Reason, Severity, Suggestion, When
from lab39.core.record import Record
from lab39.core.text import Lang, Text
from lab39.solutions.signals import lacking
from lab39.solutions.signals.knowing import Reaction, Weight
from lab39.solutions.signals.matching import Suspect, Suspicion, Timing
from lab39.solutions.signals.taking import Taken

_LONG_DAYS = 90
_SHOWN = 6
_WEIGHTS = {
    Weight.STRONG: Text("cause bien établie", "a well-established cause"),
    Weight.MODERATE: Text("cause possible, moins fréquente", "a possible cause, less common"),
    Weight.REPORTED: Text("cause rapportée", "a reported cause"),
    Weight.UNLISTED: Text("médicament récent, sans lien connu ici", "a recent medicine, no link known here"),
}
_GRAVE = ("alarm", "emergency", "alarm-new", "emergency-new")
_PRIORITY = {
    "emergency": 1000,
    "emergency-new": 990,
    "alarm": 900,
    "alarm-new": 890,
    "unknown": 500,
    "lone": 450,
    "over-alarm": 400,
}
REPORT = Suggestion(
    Text(
        "Préparer la déclaration au centre régional de pharmacovigilance",
        "Prepare the report to the pharmacovigilance centre",
    ),
    page="/signals/report",
)


def finding(suspicion: Suspicion, record: Record, on: dt.date) -> Finding:
    """One suspicion as a finding."""
    reaction, level = suspicion.reaction, suspicion.reaction.levels[suspicion.level]
    first = suspicion.first
    verified = first.verified
    faint = suspicion.level == "plain" and first.timing is Timing.UNKNOWN and first.weight is not Weight.STRONG
    return Finding(
        code=f"reaction.{reaction.id}",
        severity=level.severity if verified and not faint else Severity.INFO,
        when=level.when if verified else When.NEXT_VISIT,
        summary=_summary(suspicion, level.summary if verified else _UNVERIFIED),
        detail=reaction.change,
        reasons=(_rule(suspicion), *(_reason(reaction, each) for each in suspicion.suspects[:_SHOWN])),
        suggestions=_suggestions(suspicion) if verified else (),
        missing=lacking.lacking(suspicion, record, on),
        focus=_focus(suspicion),
        payload=payload(suspicion),
        priority=_PRIORITY.get(suspicion.level, 100) - first.weight.rank,
    )


_UNVERIFIED = Text(
    "{Signs} sous {drugs}\u202f: effet rapporté, source non relue, à vérifier avant d'en tenir compte",
    "{Signs} on {drugs}: reported, but its source was not opened; to be checked before it counts",
)


def payload(suspicion: Suspicion) -> dict[str, Any]:
    """What other solutions read: the reaction, its level, what it orders, the signs, the suspects."""
    return {
        "reaction": suspicion.reaction.id,
        "name": suspicion.reaction.name.as_dict(),
        "level": suspicion.level,
        "dispensing": _dispensing(suspicion),
        "signs": [
            {"token": sign.token, "began": sign.began.written if sign.began else None, "ref": sign.ref}
            for sign in suspicion.signs
        ],
        "suspects": [
            {
                "ref": each.medicine.ref,
                "name": each.medicine.name.as_dict(),
                "the": each.medicine.the,
                "atc": list(each.medicine.atc),
                "start": each.medicine.start.written if each.medicine.start else None,
                "days": list(each.days) if each.days else None,
                "weight": each.weight.value,
                "timing": each.timing.value,
                "verified": each.verified,
            }
            for each in suspicion.suspects
        ],
    }


def _dispensing(suspicion: Suspicion) -> str:
    """What the sentence does with the most suspected: ``stop``, ``hold`` until advice, ``ask`` who prescribes."""
    told = suspicion.reaction.levels[suspicion.level].summary.fr
    order = next((order for order, _ in _STOPPED["fr"] if order in told), "")
    if not order or not suspicion.first.verified:
        return "ask"
    return "stop" if order.lower().startswith("arrêter") else "hold"


# -- the sentence -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Room:
    """How many words a sentence may take.

    Attributes:
        others: the suspects after the first are named or counted.
        named: the medicine by its name, or « ce médicament ».
    """

    signs: int = 3
    drugs: int = 3
    when: bool = True
    others: bool = True
    named: bool = True


_ROOMS = (
    _Room(),
    _Room(signs=2),
    _Room(signs=2, drugs=2),
    _Room(signs=2, drugs=2, when=False),
    _Room(signs=2, drugs=1, when=False),
    _Room(signs=2, drugs=1, when=False, others=False),
    _Room(signs=1, drugs=1, when=False, others=False),
    _Room(signs=1, drugs=1, when=False, named=False),
)


def filled(template: Text, suspicion: Suspicion, room: _Room = _Room()) -> Text:
    """A sentence of the knowledge with what was found in its places."""
    return Text(_filled(template, suspicion, "fr", room), _filled(template, suspicion, "en", room))


def _filled(template: Text, suspicion: Suspicion, lang: Lang, room: _Room) -> str:
    first = suspicion.first.medicine
    the = first.the if lang == "fr" else first.name.en
    drug = first.name[lang]
    names = [s.medicine.name[lang] for s in suspicion.suspects if s.verified] or [drug]
    if not room.others:
        names = names[:1]
    if not room.named:
        the = drug = "ce médicament" if lang == "fr" else "this medicine"
        names = [the]
    shown = listed([s.says[lang] for s in suspicion.signs], lang, room.signs, {"fr": "signe", "en": "sign"}[lang])
    words = template[lang]
    if first.stopped:
        for ordered, kept in _STOPPED[lang]:
            words = words.replace(ordered, kept)
    return words.format(
        the=the,
        The=capital(the),
        drug=drug,
        Drug=capital(drug),
        drugs=listed(names, lang, room.drugs),
        signs=shown,
        Signs=capital(shown),
        when=after(suspicion.first, short=not room.when)[lang],
    )


_STOPPED: Mapping[Lang, tuple[tuple[str, str], ...]] = {
    "fr": (
        ("Arrêter {the}", "Ne pas reprendre {the}"),
        ("Suspendre {the}", "Ne pas reprendre {the}"),
        ("suspendre {the}", "ne pas reprendre {the}"),
        ("suspendre l'anti-inflammatoire", "ne pas reprendre l'anti-inflammatoire"),
        ("suspendre la prise", "ne pas reprendre"),
        ("arrêter et remplacer {the}", "remplacer sans reprendre {the}"),
    ),
    "en": (
        ("Stop {the}", "Do not restart {the}"),
        ("Suspend {the}", "Do not restart {the}"),
        ("suspend {the}", "do not restart {the}"),
        ("suspend the NSAID", "do not restart the NSAID"),
        ("withhold it", "do not restart it"),
        ("stop and replace {the}", "replace without restarting {the}"),
    ),
}
"""What is said of a medicine that was stopped already, in place of stopping it."""


def _summary(suspicion: Suspicion, template: Text) -> Text:
    """The sentence, with fewer words until it fits in both languages."""
    for room in _ROOMS:
        said = filled(template, suspicion, room)
        if max(len(said.fr), len(said.en)) < SUMMARY_MAX:
            return said
    return Text(shortened(said.fr, SUMMARY_MAX - 1), shortened(said.en, SUMMARY_MAX - 1))


def listed(words: Sequence[str], lang: Lang, most: int, noun: str = "") -> str:
    """Words in a row, each once: « a, b et 2 autres », « a et 1 autre signe » when told what they are."""
    unique = list(dict.fromkeys(words))
    left = len(unique) - most
    last = " et " if lang == "fr" else " and "
    if left > 0:
        plural = "s" if left > 1 else ""
        of = f" {noun}{plural}" if noun else ""
        if lang == "fr":
            others = f"{left} autre{plural}{of}"
        else:
            others = f"{left} other{of}" if noun else f"{left} other{plural}"
        return ", ".join(unique[:most]) + last + others
    return last.join(filter(None, [", ".join(unique[:-1]), unique[-1]]))


def listed_in(words: Sequence[str], lang: Lang, most: int, room: int) -> str:
    """Words in a row as :func:`listed` says them, as many as ``room`` letters hold; one too long alone loses
    its last words.
    """
    unique = list(dict.fromkeys(words))
    for few in range(min(most, len(unique)), 0, -1):
        if len(said := listed(unique, lang, few)) <= room:
            return said
    others = listed(unique, lang, 1)[len(unique[0]) :]
    return shortened(unique[0], room - len(others)) + others


def shortened(words: str, room: int) -> str:
    """Words that fit in ``room`` letters, the last ones left out and « … » in their place; a word alone is cut."""
    if len(words) <= room:
        return words
    kept = words[: max(room, 1)]
    whole = kept.rpartition(" ")[0] or kept[:-1]
    return whole.rstrip(" ,;:(/-") + "…"


def after(suspect: Suspect, *, short: bool = False) -> Text:
    """The time from the first dose to the complaint, in words."""
    if suspect.days is None:
        return Text("délai inconnu", "time from the start unknown")
    least, most = suspect.days
    start = (
        Text("après la reprise", "after the new start")
        if suspect.again
        else Text("après le début", "after the start")
    )
    if most > _LONG_DAYS:
        if least < 30:
            return Text("délai imprécis", "time not precise")
        return Text(f"{_long(least, 'fr')} {start.fr}", f"{_long(least, 'en')} {start.en}")
    if short:
        days = str(least) if least == most else f"{least}-{most}"
        return Text(f"à {days}\u202fj", f"day {days}")
    if least == most:
        n = Text(f"{least} jour{'s' if least > 1 else ''}", f"{least} day{'' if least == 1 else 's'}")
    else:
        n = Text(f"{least} à {most} jours", f"{least} to {most} days")
    return Text(f"{n.fr} {start.fr}", f"{n.en} {start.en}")


def _long(days: int, lang: Lang) -> str:
    """Many days in months, from two years on in years, rounded down."""
    if (years := int(days / 365.25)) >= 2:
        return f"plus de {years} ans" if lang == "fr" else f"over {years} years"
    months = days // 30
    return f"{months} mois" if lang == "fr" else f"{months} month{'' if months == 1 else 's'}"


def capital(words: str) -> str:
    """With a capital first letter."""
    return words[:1].upper() + words[1:]


# -- why ------------------------------------------------------------------------------------------------------


def _rule(suspicion: Suspicion) -> Reason:
    reaction, over = suspicion.reaction, suspicion.level.startswith("over")
    signs = Text(
        listed([s.says.fr for s in suspicion.signs], "fr", 6), listed([s.says.en for s in suspicion.signs], "en", 6)
    )
    seen = Text("Constaté ces dernières semaines", "Seen in the last weeks") if over else Text("Constaté", "Seen")
    return Reason(
        rule=f"signals.{reaction.id}",
        text=Text(
            f"{seen.fr}\u202f: {signs.fr}. Réaction envisagée\u202f: {reaction.name.fr}.",
            f"{seen.en}: {signs.en}. Reaction considered: {reaction.name.en}.",
        ),
        source=reaction.source,
        inputs=tuple(
            Input(Text("constaté", "seen"), sign.says, sign.began.written if sign.began else "", sign.ref)
            for sign in suspicion.signs
        ),
    )


def _reason(reaction: Reaction, suspect: Suspect) -> Reason:
    medicine, pair = suspect.medicine, suspect.pair
    weight, when = _WEIGHTS[suspect.weight], after(suspect)
    parts = [
        Text(
            f"{capital(medicine.the)}\u202f: {weight.fr}, {when.fr}.",
            f"{capital(medicine.name.en)}: {weight.en}, {when.en}.",
        )
    ]
    if suspect.timing is Timing.POSSIBLE:
        parts.append(
            Text("Plus tard que d'habitude, sans l'exclure.", "Later than usual, which does not rule it out.")
        )
    if medicine.stopped:
        parts.append(_stopped(medicine))
    if pair is not None:
        parts.append(pair.note)
        if pair.frequency:
            parts.append(Text(f"Fréquence\u202f: {pair.frequency.fr}.", f"Frequency: {pair.frequency.en}."))
    usual = (pair and pair.days) or reaction.days
    if suspect.again is not None:
        parts.append(suspect.again.note)
    elif usual:
        parts.append(
            Text(
                f"Délai habituel\u202f: {usual[0]} à {usual[1]} jours après le début.",
                f"Usual time: {usual[0]} to {usual[1]} days after the start.",
            )
        )
    return Reason(
        rule=f"signals.{reaction.id}.{pair.id if pair else 'new-medicine'}",
        text=Text(" ".join(p.fr for p in parts), " ".join(p.en for p in parts)),
        source=suspect.source or reaction.source,
        inputs=(
            Input(
                Text(capital(medicine.name.fr), capital(medicine.name.en)),
                Text.same(medicine.words or "–"),
                medicine.start.written if medicine.start else "",
                medicine.ref,
            ),
        ),
    )


def _stopped(medicine: Taken) -> Text:
    if medicine.end is None:
        return Text("Arrêté, on ne sait pas quand.", "Stopped, on an unknown day.")
    return Text(f"Arrêté le {medicine.end.say('fr')}.", f"Stopped on {medicine.end.say('en')}.")


def _suggestions(suspicion: Suspicion) -> tuple[Suggestion, ...]:
    codes = [code for each in suspicion.headline for code in each.medicine.atc]
    said = [
        Suggestion(filled(step.say, suspicion))
        for step in suspicion.reaction.steps
        if suspicion.level in step.levels and (not step.atc or any(code.startswith(step.atc) for code in codes))
    ]
    others = [s for s in suspicion.suspects if s not in suspicion.headline and s.verified]
    if others and suspicion.level in _GRAVE:
        shown = Text(
            listed([f"{s.medicine.name.fr} ({after(s).fr})" for s in others], "fr", 4),
            listed([f"{s.medicine.name.en} ({after(s).en})" for s in others], "en", 4),
        )
        said.append(
            Suggestion(
                Text(
                    f"Moins suspects, à arrêter seulement sur avis du médecin\u202f: {shown.fr}",
                    f"Less suspected, stopped only on a physician's advice: {shown.en}",
                )
            )
        )
    if suspicion.level in (*_GRAVE, "over", "over-alarm"):
        said.append(REPORT)
    return tuple(said)


def _focus(suspicion: Suspicion) -> tuple[str, ...]:
    refs = [each.medicine.ref for each in suspicion.suspects] + [sign.ref for sign in suspicion.signs]
    return tuple(dict.fromkeys(refs))
