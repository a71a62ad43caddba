"""What a record makes one think of: reactions that what the person takes may cause, and signals of a base."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence

from lab39.core.finding import SUMMARY_MAX, Finding, Input, Missing, Reason, Severity, Source
from lab39.core.record import Record
from lab39.core.signs import UNDONE
from lab39.core.solution import Context
from lab39.core.text import LANGS, Text
from lab39.solutions.signals import complaining, emerging, matching, saying, taking
from lab39.solutions.signals.knowing import NEW_DAYS, Knowledge, knowledge
from lab39.solutions.signals.matching import Suspicion
from lab39.solutions.signals.taking import Taken

ASKED = "pharmacy"


def findings(record: Record, on: dt.date, ctx: Context) -> Iterator[Finding]:
    """Known reactions and emerging signals that match the complaints, and the new medicines.

    With ``ctx.about``, only what concerns one of these entries.
    """
    if not record.medications():
        if not ctx.about:
            yield no_treatment()
        return
    known = knowledge()
    signs, past = complaining.signs(record, on, known), complaining.past(record, on, known)
    medicines = taking.taken(record, on, known)
    if (signs or past) and taking.not_understood(medicines):
        others = ctx.ask(ASKED, record, on)
        if others:
            medicines = taking.taken(record, on, known, taking.named_by(others))
    suspected = [
        each
        for each in matching.suspicions(known, signs, medicines, on, past)
        if not (each.level == "lone" and _cleared(each, record, on, known)) and not _too_young(each, record, on)
    ]
    found = [saying.finding(each, record, on) for each in suspected]
    found = emerging.added(found, *emerging.met(known, signs, medicines, ctx.packs))
    if not ctx.about and (new := matching.new_medicines(medicines, on)):
        found.append(_new_medicines(new, on))
    unread = [each for each in taking.not_understood(medicines) if not each.stopped]
    if signs and unread and not ctx.about:
        found.append(_not_understood(unread))
    for each in found:
        if not ctx.about or not ctx.about.isdisjoint(each.focus):
            yield each


def _too_young(suspicion: Suspicion, record: Record, on: dt.date) -> bool:
    """Whether the person is surely younger than those in whom the reaction is looked for."""
    birth = record.birth_date
    return birth is not None and (on - birth.earliest).days < 365 * suspicion.reaction.from_years


def _cleared(suspicion: Suspicion, record: Record, on: dt.date, known: Knowledge) -> bool:
    """Whether the result that is asked for was made since the complaint began, and answers it."""
    begun = [sign.began.latest if sign.began else on for sign in suspicion.signs]
    for check in suspicion.reaction.checks:
        seen = record.latest_quantity(*check.loinc, on=on)
        measure = next(
            (c.measure for c in known.complaints.values() if c.measure and check.loinc[0] in c.measure.loinc), None
        )
        if check.clears is None or measure is None or seen is None or seen.quantity is None or seen.date is None:
            continue
        value = complaining.in_unit(seen.quantity, measure) if seen.status not in UNDONE else None
        if value is not None and value >= check.clears and seen.date.earliest >= max(begun):
            return True
    return False


def no_treatment() -> Finding:
    """That the record lists no medicine, so that no reaction was looked for: which is not that none is taken."""
    return Finding(
        code="no-treatment",
        severity=Severity.INFO,
        summary=Text(
            "Aucun médicament dans le dossier\u202f: effets indésirables non cherchés. Demander le traitement",
            "No medicine in the record: no adverse reaction looked for. Ask for the treatment",
        ),
        missing=(
            Missing(
                "medications",
                Text("traitement en cours, avec ses dates de début", "current treatment, with its start dates"),
                Text("sans lui, aucun effet indésirable n'est cherché", "without it no reaction is looked for"),
            ),
        ),
    )


def _new_medicines(new: tuple[Taken, ...], on: dt.date) -> Finding:
    """A fact more than an advice: what was begun lately, for those who meet a new complaint."""
    return Finding(
        code="new-medicines",
        severity=Severity.INFO,
        summary=_naming(
            Text(
                "Nouveau au dossier depuis moins de 8 semaines\u202f: {0}. Y penser devant tout signe nouveau",
                "New in the record in the last 8 weeks: {0}. Think of it before any new sign",
            ),
            [each.name for each in new],
            3,
        ),
        reasons=(
            Reason(
                "signals.new-medicine",
                Text(
                    f"Une réaction à un médicament se déclare le plus souvent dans les {NEW_DAYS} jours "
                    "qui suivent son début.",
                    f"A reaction to a medicine most often shows within {NEW_DAYS} days of its start.",
                ),
                Source("Lab39, docs/solutions/signals.md", place="Médicaments récents"),
                tuple(
                    Input(
                        Text(saying.capital(each.name.fr), saying.capital(each.name.en)),
                        Text.same(each.words or "–"),
                        each.start.written if each.start else "",
                        each.ref,
                    )
                    for each in new
                ),
            ),
        ),
        focus=tuple(each.ref for each in new),
        payload={
            "medicines": [
                {
                    "ref": each.ref,
                    "name": each.name.as_dict(),
                    "atc": list(each.atc),
                    "start": each.start.written if each.start else None,
                    "days": (on - each.start.latest).days if each.start else None,
                }
                for each in new
            ]
        },
    )


def _naming(says: Text, names: Sequence[Text], most: int) -> Text:
    """A summary with names in it, as many of them as it has room for."""
    made = {}
    for lang in LANGS:
        room = SUMMARY_MAX - 1 - len(says[lang].format(""))
        made[lang] = says[lang].format(saying.listed_in([name[lang] for name in names], lang, most, room))
    return Text(made["fr"], made["en"])


def _not_understood(unread: list[Taken]) -> Finding:
    return Finding(
        code="names-not-understood",
        severity=Severity.INFO,
        summary=_naming(
            Text(
                "Médicaments non reconnus\u202f: {0}. Leurs effets indésirables n'ont pas été cherchés",
                "Medicines not recognised: {0}. Their adverse reactions were not looked for",
            ),
            [Text.same(each.words or "–") for each in unread],
            2,
        ),
        missing=tuple(
            Missing(
                f"medicine:{each.ref}",
                Text.same(saying.shortened(each.words, 80) or "–"),
                Text(
                    "nom non reconnu\u202f: donner la substance ou le code ATC",
                    "name not recognised: give the substance or the ATC code",
                ),
            )
            for each in unread
        ),
        focus=tuple(each.ref for each in unread),
    )
