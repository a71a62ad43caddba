"""The printed lines of a PDF with their places, by PDFium (pypdfium2, BSD and Apache licences).

A line ends where its baseline does or at a wide gap: the cells of one row of a table are lines of their own.
"""

from __future__ import annotations

import ctypes
import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from lab39.core.errors import InputError
from lab39.core.text import Text

BASELINE_POINTS = 1.5
"""Letters whose baselines differ by less stand on one line."""
CELL_GAP = 1.0
"""A gap wider than so many times the height of the letters ends a line."""
_ONE_AT_A_TIME = threading.Lock()  # PDFium is not made for threads
_DRAWN = {"\x02": "-", "\x1a": "→"}
"""PDFium's mark of a hyphen at the end of a line; 0x1A of code page 437, drawn as an arrow."""


@dataclass(frozen=True, slots=True)
class Line:
    """Some letters on one baseline.

    Attributes:
        page: of the file, from 1.
        x, right: where its first letter begins and its last one ends, in points from the left of the page.
        y: its baseline, in points from the bottom of the page.
        height: of its letters, in points.
        size: of its font, in the file's own unit.
    """

    page: int
    x: float
    y: float
    right: float
    height: float
    size: float
    text: str


def read_lines(
    path: Path, progress: Callable[[float], None] = lambda _fraction: None, pages: int | None = None
) -> list[list[Line]]:
    """The lines of each page, from its top to its bottom, those of one baseline from left to right.

    Args:
        progress: is given the fraction done.
        pages: only so many, from the first.

    Raises:
        InputError: not a PDF, encrypted, or not whole.
    """
    import pypdfium2 as pdfium

    if not is_pdf(path):
        raise InputError(Text("ce fichier n'est pas un PDF", "this file is not a PDF"), str(path))
    if not _ends_whole(path):
        raise _refused(path)
    found = []
    with _ONE_AT_A_TIME:
        try:
            document = pdfium.PdfDocument(path)
            try:
                count = len(document) if pages is None else min(pages, len(document))
                for number in range(1, count + 1):
                    found.append(_page(document, number))
                    progress(number / count)
            finally:
                document.close()
        except pdfium.PdfiumError as error:
            raise _refused(path, str(error)) from error
    return found


def is_pdf(path: Path) -> bool:
    """Whether a file begins as a PDF does."""
    with path.open("rb") as stream:
        return b"%PDF-" in stream.read(1024)


def _ends_whole(path: Path) -> bool:
    with path.open("rb") as stream:
        stream.seek(max(0, stream.seek(0, os.SEEK_END) - 1024))
        return b"%%EOF" in stream.read()


def _page(document: Any, number: int) -> list[Line]:
    page = document[number - 1]
    text = page.get_textpage()
    try:
        rows: list[list[_Letter]] = []
        for letter in sorted(_letters(text), key=lambda letter: -letter[0]):
            if not rows or rows[-1][0][0] - letter[0] > BASELINE_POINTS:
                rows.append([])
            rows[-1].append(letter)
        return [line for row in rows for line in _lines(number, row)]
    finally:
        text.close()
        page.close()


_Letter: TypeAlias = tuple[float, float, float, float, float, str]
"""Baseline, left, right, height, size of the font; the letter, with a space before it where PDFium finds one."""


def _letters(text: Any) -> Iterator[_Letter]:
    import pypdfium2.raw as pdfium

    box, x, y = pdfium.FS_RECTF(), ctypes.c_double(), ctypes.c_double()
    box_at, x_at, y_at = ctypes.byref(box), ctypes.byref(x), ctypes.byref(y)
    space = ""
    for i in range(text.count_chars()):
        letter = chr(pdfium.FPDFText_GetUnicode(text, i))
        if letter.isspace() or letter == "\ufeff":
            space = " "
            continue
        pdfium.FPDFText_GetLooseCharBox(text, i, box_at)
        pdfium.FPDFText_GetCharOrigin(text, i, x_at, y_at)
        size = pdfium.FPDFText_GetFontSize(text, i)
        yield y.value, box.left, box.right, box.top - box.bottom, size, space + _DRAWN.get(letter, letter)
        space = ""


def _lines(page: int, row: list[_Letter]) -> Iterator[Line]:
    row.sort(key=lambda letter: letter[1])
    start = 0
    for i in range(1, len(row) + 1):
        if i == len(row) or row[i][1] - row[i - 1][2] > CELL_GAP * row[i - 1][3]:
            part = row[start:i]
            y, x, _, height, size, _ = part[0]
            text = "".join(letter[5] for letter in part)
            yield Line(page, x, y, part[-1][2], height, size, " ".join(text.split()))
            start = i


def _refused(path: Path, why: str = "") -> InputError:
    if "assword" in why:
        return InputError(
            Text(
                "PDF protégé par un mot de passe\u202f: en enregistrer une copie sans mot de passe et l'importer",
                "PDF protected by a password: save a copy of it without password and import that",
            ),
            str(path),
        )
    return InputError(
        Text(
            "PDF illisible ou incomplet\u202f: le télécharger de nouveau depuis ansm.sante.fr",
            "unreadable or incomplete PDF: download it again from ansm.sante.fr",
        ),
        str(path),
    )
