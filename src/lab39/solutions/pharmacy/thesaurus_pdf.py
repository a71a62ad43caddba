"""Read any edition of the official PDF of the thesaurus, each entry with its page.

Pages are those of the file, from 1, as a viewer counts them: the number printed at the top of a page is one less in
the editions seen.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Sequence
from pathlib import Path

from lab39.core.errors import InputError
from lab39.core.text import Text
from lab39.solutions.pharmacy import cells, pdf_lines, pdf_table
from lab39.solutions.pharmacy.headings import under_heading
from lab39.solutions.pharmacy.model import Printing, Thesaurus
from lab39.solutions.pharmacy.pdf_lines import Line
from lab39.solutions.pharmacy.printings import Printed, assemble, fold, gravest_first

FRONT = ""
"""Key of the text before the first heading, among the preambles."""
FIRST_PAGES = 8
"""An edition is recognised by so many pages."""
MIRRORED = 0.97
"""Share of the entries that stand under both their nodes: in a whole document all but those with *AUTRES…*."""
ALONE = 5
"""So many entries may stand under one of their nodes only, however short the document."""
_MONTHS = (
    "janvier", "fevrier", "mars", "avril", "mai", "juin",
    "juillet", "aout", "septembre", "octobre", "novembre", "decembre",
)  # fmt: skip
_DATE = re.compile(rf"(?:(?<!\d)(\d\d?)(?:er)? )?({'|'.join(_MONTHS)}) (20\d\d)(?!\d)")


def edition_of(path: Path) -> dt.date:
    """The edition of a PDF of the thesaurus, by its first pages.

    Raises:
        InputError: not a PDF, another PDF, or one that states no edition.
    """
    pages = pdf_lines.read_lines(path, pages=FIRST_PAGES)
    front, table = _parted(pages)
    if pdf_table.Columns.of([line for page in table for line in page]) is None:
        raise InputError(
            Text(
                "ce PDF n'est pas le thésaurus\u202f: donner le document des interactions lui-même, "
                "ni son différentiel ni un index",
                "this PDF is not the thesaurus: give the document of the interactions itself, "
                "neither its differential nor an index",
            ),
            str(path),
        )
    day = _edition(front)
    if day is None:
        raise InputError(
            Text(
                "édition introuvable dans les premières pages (par exemple «\u202fOctobre 2020\u202f»)\u202f: "
                "prendre le document complet sur ansm.sante.fr",
                "no edition found in the first pages (such as “Octobre 2020”): "
                "take the complete document from ansm.sante.fr",
            ),
            str(path),
        )
    return day


def read_pdf(path: Path, progress: Callable[[float], None] = lambda _fraction: None) -> Thesaurus:
    """The whole document (some seconds); as :func:`printed_pdf`."""
    return assemble(printed_pdf(path, progress))


def printed_pdf(path: Path, progress: Callable[[float], None] = lambda _fraction: None) -> Printed:
    """The whole document as it is printed.

    Args:
        progress: is given the fraction done.

    Raises:
        InputError: as :func:`edition_of`, or a document that is not whole: an entry without a level, or entries
            that do not stand under both their nodes.
    """
    edition = edition_of(path)
    front, table = _parted(pdf_lines.read_lines(path, progress))
    columns = pdf_table.Columns.of([line for page in table for line in page])
    assert columns is not None
    blocks, strays = pdf_table.read_table(table, columns)
    if strays:
        _not_whole(path, strays[0].page, strays[0].text)
    return _printed(path, edition, front, blocks)


def _printed(path: Path, edition: dt.date, front: list[list[Line]], blocks: list[pdf_table.Block]) -> Printed:
    mechanisms = pdf_table.limit_of(x for block in blocks for entry in block.entries for x in entry.mechanism)
    conducts = pdf_table.limit_of(x for block in blocks for entry in block.entries for x in entry.levels)
    printings: list[Printing] = []
    substances: dict[str, tuple[str, ...]] = {}
    brackets: dict[str, tuple[str, ...]] = {}
    preambles = {FRONT: "\n".join(cells.paragraphs(pdf_table.spaced(page)) for page in front if page)}
    for block in blocks:
        under = under_heading(pdf_table.spaced(block.under))
        preambles[block.heading] = under.preamble
        if under.members:
            brackets[block.heading] = under.members
        if under.see_also or not under.members:
            substances[block.heading] = under.see_also
        for other, level, mechanism in under.entries:
            printings.append(Printing(block.heading, other, (level,), mechanism, block.page))
        for entry in block.entries:
            rows = [
                (
                    cells.paragraphs(pdf_table.spaced(beside, mechanisms)),
                    cells.read_cell(pdf_table.spaced(lines, conducts)),
                )
                for beside, lines in entry.rows()
            ]
            if not all(levels for _, levels in rows):
                _not_whole(path, entry.page, f"{block.heading} + {entry.other}")
            texts = "\n".join(dict.fromkeys(text for text, _ in rows if text))
            levels = gravest_first(each for _, levels in rows for each in levels)
            printings.append(Printing(block.heading, entry.other, levels, texts, entry.page))
    _check_mirrored(path, printings)
    return Printed(edition, tuple(printings), substances, brackets, preambles)


def _parted(pages: Sequence[Sequence[Line]]) -> tuple[list[list[Line]], list[list[Line]]]:
    """The pages before the table, and those of the table without what every page repeats."""
    first = next((i for i, page in enumerate(pages) if any(x.text.startswith("+ ") for x in page)), len(pages))
    return [list(page) for page in pages[:first]], pdf_table.without_running(pages[first:])


def _edition(front: Sequence[Sequence[Line]]) -> dt.date | None:
    """The day when the front states one in the month of the edition, else the first of that month."""
    text = fold(" ".join(line.text for page in front for line in page))
    dates = [(int(year), _MONTHS.index(month) + 1, int(day or 0)) for day, month, year in _DATE.findall(text)]
    if not dates or "thesaurus" not in text:
        return None
    year, month, _ = dates[0]
    days = [day for y, m, day in dates if (y, m) == (year, month)]
    return dt.date(year, month, max(1, *days))


def _check_mirrored(path: Path, printings: Sequence[Printing]) -> None:
    told = {(fold(p.under), fold(p.other)) for p in printings}
    alone = [p for p in printings if (fold(p.other), fold(p.under)) not in told]
    if len(alone) > max(ALONE, (1 - MIRRORED) * len(printings)):
        _not_whole(path, alone[-1].page or 0, f"{alone[-1].under} + {alone[-1].other}")


def _not_whole(path: Path, page: int, where: str) -> None:
    raise InputError(
        Text(
            f"document incomplet ou d'une mise en page inconnue (page {page}, «\u202f{where}\u202f»)\u202f: "
            "le télécharger de nouveau depuis ansm.sante.fr",
            f"incomplete document, or one laid out in an unknown way (page {page}, “{where}”): "
            "download it again from ansm.sante.fr",
        ),
        str(path),
    )
