"""Dose and rhythm in a line of prescription: « 500 mg x3/j », « 1 cp matin et soir », « tous les 7 jours ».

Only what is certain is read. A dose as needed gives no dose a day, a number without a unit gives no dose and is
told, and two readings that disagree give none.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from lab39.core.text import Text
from lab39.solutions.pharmacy.model import Posology, Product
from lab39.solutions.pharmacy.normal import plain

_MG = {
    "g": Decimal(1000), "gramme": Decimal(1000), "gram": Decimal(1000),
    "mg": Decimal(1), "milligramme": Decimal(1), "milligram": Decimal(1),
    "ug": Decimal("0.001"), "mcg": Decimal("0.001"), "gamma": Decimal("0.001"),
    "microgramme": Decimal("0.001"), "microgram": Decimal("0.001"),
}  # fmt: skip
_NUMBER = r"\d{1,3}(?: \d{3})+(?:[.,]\d+)?|\d+(?:[.,]\d+)?"
_UNIT = r"kg|g|mg|ug|mcg|(?:milli|micro)?gramm?e?s?|gammas?"
_CONCENTRATION = r"(?!\s?/\s?(?:ml|\d|l|h|cm|dose|act))"
_MASS = re.compile(rf"(?<![\w.,/])({_NUMBER})\s?({_UNIT})(?!\w){_CONCENTRATION}")
_OTHER_UNIT = re.compile(
    rf"(?<![\w.,])(?:{_NUMBER})\s?(?:m?ui|iu|u|unites?|units?|meq|mmol|ml|%|gouttes?|bouffees?|inhalations?|puffs?"
    r"|ch|dh|cm2?|mm|l)(?!\w)"
)
_FORM = (
    r"(?:cp|cpr|cps|comprimes?|gelules?|caps(?:ules?)?|sachets?|tab(?:let)?s?|ampoules?|suppos?(?:itoires?)?|patchs?"
    r"|doses?|prises?|unidoses?|lyocs?|stylos?)"
)
_COUNT = r"(?:\d{1,2}(?:[.,]\d)?|\d/\d|une?|deux|trois|quatre|cinq|six|demi|one|two|three|half)"
_NUMBERS = {
    "un": 1,
    "une": 1,
    "one": 1,
    "deux": 2,
    "two": 2,
    "trois": 3,
    "three": 3,
    "quatre": 4,
    "cinq": 5,
    "six": 6,
}
_INTAKE = re.compile(rf"(?<![\w.,/])({_COUNT}(?:\s?(?:et demie?|1/2))?)\s?{_FORM}(?!\w)")
_MOMENTS = r"matin|midi|soir|coucher|nuit|gouter|petit dejeuner|dejeuner|diner|morning|noon|evening|bedtime|night"
_MOMENT = re.compile(rf"\b({_MOMENTS})s?\b")
_AT = r"(?:\s?(?:a|le|au|in the|at)(?: la)?)?\s"
_BY_MOMENT = re.compile(rf"(?<![\w.,/])(\d(?:[.,]5|/2)?)(?:\s?{_FORM})?{_AT}(matin|midi|soir|coucher)\b")
_MASS_BY_MOMENT = re.compile(rf"({_NUMBER})\s?(g|mg|ug|mcg){_AT}({_MOMENTS})\b")
_SCHEME = re.compile(
    r"(?<![\w/.,-])(\d(?:[.,]5)?)\s?-\s?(\d(?:[.,]5)?)\s?-\s?(\d(?:[.,]5)?)(?:\s?-\s?(\d(?:[.,]5)?))?(?![\w/-])"
)
_WEEKDAY = re.compile(r"\b(lundi|mardi|mercredi|jeudi|vendredi|samedi|dimanche)s?\b")
_DAY = r"(?:jours?|jr|j|24\s?h|day|d)\b"
_PER = r"(?:/|par|a|per|chaque|each|every)\s?"
_TIMES_A_DAY = re.compile(
    rf"(?:x\s?(\d{{1,2}})|({_COUNT})\s?(?:x|fois|times|prises?)|({_COUNT}))\s?(?:{_PER}|en\s){_DAY}"
    rf"|(?<!\w)x\s?(\d{{1,2}})(?![\w/.,])|\b({_COUNT}) (?:fois|times)(?= quotid| daily)"
    r"|\b(once|twice) (?:a day|daily)"
)
_EVERY_HOURS = re.compile(r"\b(?:toutes les|every|/)\s?(\d{1,2})\s?(?:heures?|hours?|h)\b")
_EVERY_DAYS = re.compile(
    r"\b(?:tous les|every)\s(\d{1,2}|deux|trois|two)\s?(?:jours?|j|days?)\b|\bun jour sur (deux|trois)\b"
    r"|\b1 j(?:our)? sur ([23])\b"
)
_EVERY_DAY = re.compile(rf"(?:{_PER}|tous les |every ){_DAY}|\bquotidien(?:ne|nement)?s?\b|\bdaily\b|\bqd\b")
_WEEK = re.compile(
    rf"(?:(?:x\s?)?({_COUNT})\s?(?:x|fois|times)?\s?)?(?:{_PER}|tous les |toutes les )(?:semaines?|sem|week|wk)\b"
    r"|\b(once|twice) (?:a week|weekly)|\b(?:hebdomadaire|weekly)\b"
)
_WITH_PERIOD = re.compile(
    rf"({_NUMBER})\s?(g|mg|ug|mcg)\s?{_PER}(?:({_DAY})|(semaines?|sem|week|wk))(?: en (\d) (?:prises?|fois))?"
)
_NEEDED = re.compile(
    r"\bsi (?:besoin|douleurs?|fievre|crise|necessaire|nausees?|insomnie)|\bau besoin|\ben cas de|\bas needed"
    r"|\bprn\b|\bjusqu'?a\b|\bmax(?:i|imum)?\b|\bup to\b"
)
_ABBREVIATION = {"bid": 2, "tid": 3, "qid": 4, "bd": 2, "tds": 3}
_BARE = re.compile(
    r"(?<![\w.,/])(\d{2,4}(?:[.,]\d+)?)(?![\w.,/%])"
    r"(?!\s?(?:mg|g\b|ug|mcg|ui|u\b|ml|h\b|j\b|jours?|sem|mois|ans|cp|gel|fois|heures))"
)

AS_NEEDED = Text("À la demande\u202f: dose par jour non connue", "As needed: dose a day not known")
DISAGREE = Text("Doses qui ne concordent pas\u202f: dose non retenue", "Doses that disagree: no dose kept")


@dataclass(frozen=True, slots=True)
class Said:
    """What a line says of the dose.

    Attributes:
        notes: what is told to the reader (a dose without unit).
    """

    posology: Posology
    notes: tuple[Text, ...] = ()


def read_posology(text: str, product: Product | None = None) -> Said:
    """Dose and rhythm of a line.

    Args:
        text: the whole line, or the part after the name.
        product: when it is known: « 1 cp » is then so many milligrams.

    >>> read_posology("metformine 1000 mg matin et soir").posology.per_day_mg
    Decimal('2000')
    """
    line = _line(text)
    needed = bool(_NEEDED.search(line))
    day, week = _rhythm(line)
    notes = [no_unit(number) for number in _bare(line, product)]
    if needed and (day or week):
        notes.append(AS_NEEDED)
    found = _day_by_moment(line) or _with_period(line)
    masses = {_milligrams(number, unit) for number, unit in _MASS.findall(line)}
    if found is None and len(masses) > 1:
        return Said(Posology(), (*notes, DISAGREE) if product is None and (day or week) else tuple(notes))
    unit = next(iter(masses), _strength(product))
    if found is None and unit is not None:
        found = _counted(line, unit, day, week, bool(masses), needed)
    if found is None:
        return Said(Posology(), tuple(notes))
    if needed:
        found = Posology(per_intake_mg=found.per_intake_mg)
    return Said(found, tuple(notes))


def no_unit(number: str) -> Text:
    """A number that looks like a dose and says no unit."""
    return Text(f"Dose sans unité\u202f: {number}", f"Dose without a unit: {number}")


def _line(text: str) -> str:
    for before, after in (("×", "x"), ("\u00a0", " "), ("\u202f", " "), ("½", " 1/2")):
        text = text.replace(before, after)
    return re.sub(r"\s+", " ", plain(text)).strip()


def _counted(
    line: str, unit: Decimal, day: Decimal | None, week: Decimal | None, stated: bool, needed: bool
) -> Posology | None:
    """So many units of a strength, or the dose itself, with its rhythm.

    Args:
        unit: the mass in the line, or what one unit of the product holds.
        stated: whether the mass is in the line; alone, without rhythm, it is the strength of a product, no dose.
    """
    counts = _units_by_moment(line)
    if counts:
        alike = len(set(counts)) == 1
        return Posology(_decimal(unit * counts[0]) if alike else None, _decimal(unit * sum(counts)))
    count = _intake(line)
    if count is None and not (stated and (day or week or needed)):
        return None
    intake = unit if count is None else unit * count
    return Posology(
        per_intake_mg=_decimal(intake),
        per_day_mg=_decimal(intake * day) if day else None,
        per_week_mg=_decimal(intake * week) if week else None,
    )


def _milligrams(number: str, unit: str) -> Decimal:
    unit = unit if unit in _MG else unit.removesuffix("s").removesuffix("es")
    factor = _MG.get(unit, Decimal(1000000) if unit == "kg" else Decimal(1))
    return Decimal(number.replace(" ", "").replace(",", ".")) * factor


def _strength(product: Product | None) -> Decimal | None:
    """Milligrams in one unit of a product with one ingredient given by the unit."""
    if product is None or len(product.ingredients) != 1:
        return None
    only = product.ingredients[0]
    return only.amount_mg if re.fullmatch(r"(?:un|une|1) [a-z-]+", plain(only.per)) else None


def _day_by_moment(line: str) -> Posology | None:
    """« 500 mg le matin et 1000 mg le soir »: the sum of the day."""
    found = _MASS_BY_MOMENT.findall(line)
    moments = [moment for *_, moment in found]
    if len(found) < 2 or len(set(moments)) != len(moments) or len(_MOMENT.findall(line)) != len(found):
        return None
    doses = [_milligrams(number, unit) for number, unit, _ in found]
    return Posology(doses[0] if len(set(doses)) == 1 else None, _decimal(sum(doses, Decimal(0))))


def _with_period(line: str) -> Posology | None:
    """A mass with its period: « 75 mg/j », « 15 mg par semaine », « 3 g par jour en 3 prises »."""
    found = _WITH_PERIOD.search(line)
    if not found:
        return None
    amount = _milligrams(found[1], found[2])
    if found[4]:
        return Posology(per_week_mg=amount)
    parts = int(found[5] or 0) or len(set(_MOMENT.findall(line)))
    return Posology(per_intake_mg=_decimal(amount / parts) if parts else None, per_day_mg=amount)


def _units_by_moment(line: str) -> list[Decimal]:
    """Units at each moment: « 1-0-1 », « 1 matin, 1 midi, 2 soir »; those of none are left out."""
    scheme = _SCHEME.search(line)
    if scheme:
        counts = [Decimal(part.replace(",", ".")) for part in scheme.groups() if part]
    else:
        found = _BY_MOMENT.findall(line)
        moments = [moment for _, moment in found]
        if len(found) < 2 or len(set(moments)) != len(moments):
            return []
        counts = [_number(count) or Decimal(0) for count, _ in found]
    return [count for count in counts if count]


def _intake(line: str) -> Decimal | None:
    """Units taken at a time; ``None`` when not said or said twice."""
    found = {_number(count) for count in _INTAKE.findall(line)} - {None}
    return found.pop() if len(found) == 1 else None


def _rhythm(line: str) -> tuple[Decimal | None, Decimal | None]:
    """Intakes a day and intakes a week; ``None`` for what is not said, or said in two ways that disagree."""
    days = list(_days(line))
    weeks = list(_weeks(line))
    day = days[0] if days and len(set(days)) == 1 else None
    week = weeks[0] if weeks and len(set(weeks)) == 1 else None
    if weeks:
        return None, week
    return day, None


def _days(line: str) -> Iterable[Decimal]:
    for groups in _TIMES_A_DAY.findall(line):
        count = _number(next(g for g in groups if g))
        if count:
            yield count
    moments = set(_MOMENT.findall(line))
    if moments:
        yield Decimal(len(moments))
    for hours in _EVERY_HOURS.findall(line):
        if int(hours) and 24 % int(hours) == 0:
            yield Decimal(24 // int(hours))
    for word, times in _ABBREVIATION.items():
        if re.search(rf"\b{word}\b", line):
            yield Decimal(times)
    if _EVERY_DAY.search(line) and not _TIMES_A_DAY.search(line) and not moments:
        yield Decimal(1)


def _weeks(line: str) -> Iterable[Decimal]:
    for groups in _EVERY_DAYS.findall(line):
        days = _number(next(g for g in groups if g))
        if days and days > 1:
            yield Decimal(7) / days
    for count, english in _WEEK.findall(line):
        yield _number(count or english) or Decimal(1)
    weekdays = set(_WEEKDAY.findall(line))
    if weekdays and not _WEEK.search(line):
        yield Decimal(len(weekdays))


def _number(written: str) -> Decimal | None:
    written = written.strip()
    if written in ("once", "twice"):
        return Decimal(1 if written == "once" else 2)
    if written in ("demi", "half", "un demi", "1/2"):
        return Decimal("0.5")
    half = re.fullmatch(r"(\w+) ?(?:et demie?|1/2)", written)
    if half:
        whole = _number(half[1])
        return None if whole is None else whole + Decimal("0.5")
    if written in _NUMBERS:
        return Decimal(_NUMBERS[written])
    if re.fullmatch(r"\d/[1-9]", written):
        part = Fraction(written)
        return Decimal(part.numerator) / Decimal(part.denominator)
    return Decimal(written.replace(",", ".")) if re.fullmatch(r"\d+(?:[.,]\d)?", written) else None


def _bare(line: str, product: Product | None) -> list[str]:
    """The number that looks like a dose, has no unit, and that the product does not explain."""
    if _OTHER_UNIT.search(line) or _MASS.search(line):
        return []
    explained = re.findall(r"\d+(?:[.,]\d+)?", plain(product.label)) if product else []
    return [number for number in _BARE.findall(line) if number not in explained][:1]


def _decimal(value: Decimal) -> Decimal:
    """Without trailing zeros."""
    return value.quantize(Decimal(1)) if value == value.to_integral_value() else value.normalize()
