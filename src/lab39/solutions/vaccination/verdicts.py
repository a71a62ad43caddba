"""One verdict for a dose, among those it has in each best series of each of its antigens."""

from __future__ import annotations

from collections.abc import Iterable

from lab39.solutions.vaccination.outcome import Dose, DoseStatus, Evaluation, PatientSeries, Result

_ORDER = (DoseStatus.VALID, DoseStatus.NOT_VALID, DoseStatus.EXTRANEOUS, DoseStatus.SUB_STANDARD)
_STAGED = (DoseStatus.VALID, DoseStatus.EXTRANEOUS, DoseStatus.NOT_VALID, DoseStatus.SUB_STANDARD)
"""Where boosters are stages of their own, a dose more in one is extra, not too young for the next."""


def verdict(result: Result, dose: Dose, group: str | None = None) -> Evaluation | None:
    """The verdict of a dose: valid as soon as it satisfied a target dose of a best series.

    Args:
        group: the vaccine group that is asked about; the best series of its antigens, whatever group they name
            themselves of, are heard before those of others.

    Returns:
        ``None`` for a dose that no series knows: an unknown code, or one given after the assessment date.
    """
    asked = (group or "").casefold()
    best = [each for found in result.best.values() for each in found]
    antigens = {
        one.series.antigen for each in result.groups if each.group.casefold() == asked for one in each.series
    }
    mine = (s for s in best if s.series.vaccine_group.casefold() == asked or s.series.antigen in antigens)
    heard = _of(mine, dose) or _of(best, dose)
    every = [each for found in result.series.values() for each in found]
    heard += _of((each for each in every if each.outgrown), dose)
    if not heard:
        heard = _of(every, dose)
    if any(each.series.rule for each in best):  # a dose on time in one stage is not early because of another
        return min(heard, key=lambda each: (_STAGED.index(each.status), bool(each.reasons)), default=None)
    return min(heard, key=lambda each: _ORDER.index(each.status), default=None)


def _of(series: Iterable[PatientSeries], dose: Dose) -> list[Evaluation]:
    return [done for each in series for done in each.evaluations if done.dose == dose]
