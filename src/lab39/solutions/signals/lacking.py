"""What a suspicion lacks: dates without which the time cannot be told, results that are old or absent."""

from __future__ import annotations

import datetime as dt

from lab39.core.finding import Missing
from lab39.core.record import Record
from lab39.core.text import Text
from lab39.solutions.signals.knowing import Reaction
from lab39.solutions.signals.matching import Suspicion, Timing


def lacking(suspicion: Suspicion, record: Record, on: dt.date) -> tuple[Missing, ...]:
    """What would change what is said, each with what its absence does."""
    return (*_undated(suspicion), *_checks(suspicion.reaction, record, on))


def _undated(suspicion: Suspicion) -> list[Missing]:
    """The dates without which the time cannot be told."""
    found = []
    consequence = Text(
        "sans elle, le délai ne peut pas être comparé à celui de la réaction",
        "without it the time cannot be compared with that of the reaction",
    )
    for each in suspicion.suspects:
        if each.timing is Timing.UNKNOWN and each.medicine.start is None:
            name = each.medicine
            found.append(
                Missing(
                    f"start:{name.ref}",
                    Text(f"{name.name.fr}, date de début", f"{name.name.en}, start date"),
                    consequence,
                )
            )
    for sign in suspicion.signs:
        if sign.began is None:
            found.append(
                Missing(
                    f"onset:{sign.ref}",
                    Text(f"{sign.says.fr}, date d'apparition", f"{sign.says.en}, date of onset"),
                    consequence,
                )
            )
    return found


def _checks(reaction: Reaction, record: Record, on: dt.date) -> list[Missing]:
    found = []
    for check in reaction.checks:
        seen = record.latest_quantity(*check.loinc, on=on)
        if seen is None or seen.date is None or (on - seen.date.latest).days > check.days:
            consequence = Text(
                f"aucun résultat depuis {check.days} jours, à demander",
                f"no result in the last {check.days} days, to be asked for",
            )
            found.append(Missing(check.loinc[0], check.name, consequence, check.unit))
    return found
