"""GS1 element strings: what the DataMatrix of a box of medicine says.

Read as scanners send them: with FNC1 as the group separator (or as the words a keyboard writes for it), with an AIM
prefix, in brackets, or through a keyboard of another layout. Rules: GS1 General Specifications, sections 3
(application identifiers), 7.8 (element strings) and 7.12 (century of a two-digit year); identifiers as listed in
https://www.gs1.org/standards/barcodes/application-identifiers.

>>> read("(01)03400930000007(17)270200(10)AB-12").get("10")
'AB-12'
"""

from __future__ import annotations

import calendar
import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass

from lab39.core.errors import InputError
from lab39.core.text import Text

SEPARATOR = "\x1d"
GTIN, LOT, EXPIRY, SERIAL = "01", "10", "17", "21"

_FIXED = {"00": 18, "01": 14, "02": 14, "11": 6, "12": 6, "13": 6, "15": 6, "16": 6, "17": 6, "20": 2}
_VARIABLE = {"10": 20, "21": 20, "22": 20, "30": 8, "37": 8, "240": 30, "241": 30, "250": 30, "251": 30}
_VARIABLE |= {f"71{n}": 20 for n in range(7)} | {"90": 30} | {f"9{n}": 90 for n in range(1, 10)}
_AIM = re.compile(r"^\](?:d[0-6]|C[0-4]|Q[0-6]|e[0-3]|J[01])")
_WRITTEN = re.compile(r"<GS>|\{GS\}|\[GS\]|<FNC1>|\{FNC1\}|\^\]|\\x1d|\\u001d|␝", re.IGNORECASE)
_ALLOWED = re.compile(r"[!\"%&'()*+,\-./0-9:;<=>?A-Z_a-z]+")
_AZERTY = str.maketrans("&é\"'(-è_çàAQZWaqzw?,):!", "1234567890QAWZqawzMm-./")
"""A scanner that types as on a QWERTY keyboard, into a computer that reads AZERTY."""


@dataclass(frozen=True, slots=True)
class Element:
    """One application identifier with its value; ``position`` is its first character in the text, from 1."""

    ai: str
    value: str
    position: int


@dataclass(frozen=True, slots=True)
class ElementString:
    """What was read.

    Attributes:
        doubts: what a person should check: separators that were not sent, a keyboard of another layout, an unread
            end.
    """

    elements: tuple[Element, ...]
    doubts: tuple[Text, ...] = ()

    def get(self, ai: str) -> str:
        """The value of an identifier; empty when it is absent."""
        return next((each.value for each in self.elements if each.ai == ai), "")


def read(text: str) -> ElementString:
    """Every element of an element string.

    Raises:
        InputError: with the character where reading stopped: no known identifier, a value too short, too long or
            with a character that is not allowed, a GTIN whose check digit is wrong, an identifier given twice with
            different values.
    """
    written = text.strip(" \t\r\n")
    doubts: list[Text] = []
    if _is_azerty(written):
        written = written.translate(_AZERTY)
        doubts.append(
            Text(
                "lecteur réglé sur un clavier QWERTY\u202f: caractères rétablis, vérifier le lot",
                "scanner set for a QWERTY keyboard: characters restored, check the lot",
            )
        )
    if not written.strip("\x1d"):
        raise InputError(
            Text("rien à lire\u202f: scanner la boîte à nouveau", "nothing to read: scan the box again"), "1"
        )
    elements = list(_bracketed(written) if written.startswith("(") else _strung(written, doubts))
    if not elements:
        raise _error(1, "aucun identifiant connu", "no known identifier")
    seen: dict[str, Element] = {}
    for each in elements:
        _check(each)
        if each.ai in seen and seen[each.ai].value != each.value:
            raise _error(each.position, f"({each.ai}) donné deux fois", f"({each.ai}) given twice")
        seen.setdefault(each.ai, each)
    return ElementString(tuple(seen.values()), tuple(doubts))


def day(yymmdd: str, on: dt.date) -> dt.date:
    """A date of six figures; day 00 is the last day of the month.

    Args:
        on: the day of reading, which tells the century: a year 51 or more ahead is of the last century, one 50 or
            more behind is of the next (section 7.12).

    Raises:
        InputError: no such date.
    """
    if re.fullmatch(r"[0-9]{6}", yymmdd):
        year, month, number = int(yymmdd[:2]), int(yymmdd[2:4]), int(yymmdd[4:])
        ahead = year - on.year % 100
        century = on.year // 100 - (ahead >= 51) + (ahead <= -50)
        try:
            last = calendar.monthrange(100 * century + year, month)[1]
            return dt.date(100 * century + year, month, number or last)
        except (ValueError, calendar.IllegalMonthError):
            pass  # no such day or month: refused below, as what is not six figures is
    raise InputError(
        Text(
            f"date «\u202f{yymmdd[:12]}\u202f» impossible\u202f: AAMMJJ attendu",
            f"impossible date “{yymmdd[:12]}”: YYMMDD expected",
        ),
        "date",
    )


def check_digit(digits: str) -> int:
    """The check digit that follows these figures (section 7.9): weights 3 and 1 from the right."""
    total = sum(int(figure) * (1 if i % 2 else 3) for i, figure in enumerate(reversed(digits)))
    return -total % 10


def _bracketed(text: str) -> Iterator[Element]:
    marks = list(re.finditer(r"\((\d{2,4})\)", text))
    marks = [mark for mark in marks if mark[1] in _FIXED or mark[1] in _VARIABLE]
    if not marks or marks[0].start():
        raise _error(1, "aucun identifiant connu", "no known identifier")
    for mark, after in zip(marks, [*marks[1:], None], strict=True):
        value = text[mark.end() : after.start() if after else None]
        yield Element(mark[1], value.strip(" " + SEPARATOR), mark.start() + 1)


def _strung(text: str, doubts: list[Text]) -> Iterator[Element]:
    prefix = _AIM.match(text)
    offset = 1 + (prefix.end() if prefix else 0)
    bare = _WRITTEN.sub(SEPARATOR, text[offset - 1 :])
    position = 0
    while position < len(bare):
        if bare[position] == SEPARATOR:
            position += 1
            continue
        ai = next((bare[position : position + n] for n in (2, 3) if _known(bare[position : position + n])), "")
        if not ai:
            if position == 0:
                raise _error(offset, "aucun identifiant connu", "no known identifier")
            unread = bare[position:][:20].replace(SEPARATOR, " ")
            doubts.append(Text(f"fin non lue\u202f: {unread}", f"end not read: {unread}"))
            return
        start, position = position, position + len(ai)
        if ai in _FIXED:
            end = position + _FIXED[ai]
        else:
            stop = bare.find(SEPARATOR, position)
            end = len(bare) if stop < 0 else stop
        value = bare[position:end]
        if ai in (LOT, SERIAL) and SEPARATOR not in bare and re.search(r".(?:21|10|17\d{6})", value):
            doubts.append(
                Text(
                    "aucun séparateur reçu\u202f: lot et numéro de série peuvent être mêlés, comparer à la boîte",
                    "no separator received: lot and serial number may be mixed, compare with the box",
                )
            )
        yield Element(ai, value, start + offset)
        position = end


def _check(element: Element) -> None:
    ai, value, position = element.ai, element.value, element.position
    if ai in _FIXED and (len(value) != _FIXED[ai] or not re.fullmatch(r"[0-9]+", value)):
        raise _error(position, f"({ai}) attend {_FIXED[ai]} chiffres", f"({ai}) takes {_FIXED[ai]} figures")
    if ai in _VARIABLE:
        if not value or len(value) > _VARIABLE[ai]:
            raise _error(
                position,
                f"({ai}) attend 1 à {_VARIABLE[ai]} caractères",
                f"({ai}) takes 1 to {_VARIABLE[ai]} characters",
            )
        if not _ALLOWED.fullmatch(value):
            raise _error(position, f"caractère non permis dans ({ai})", f"character not allowed in ({ai})")
    if ai == GTIN and check_digit(value[:-1]) != int(value[-1]):
        raise _error(
            position,
            f"code {value}\u202f: clé de contrôle fausse, scanner à nouveau",
            f"code {value}: wrong check digit, scan again",
        )


def _known(ai: str) -> bool:
    return ai in _FIXED or ai in _VARIABLE


def _is_azerty(text: str) -> bool:
    """Whether figures came as the French keyboard writes them without shift: ``01`` is ``à&``."""
    return text.startswith("à&") and not re.search(r"[0-9]", text)


def _error(position: int, fr: str, en: str) -> InputError:
    return InputError(Text(fr, en), f"caractère {position} / character {position}")
