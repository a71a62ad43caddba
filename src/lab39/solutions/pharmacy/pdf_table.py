"""The table of the thesaurus out of the lines of its PDF.

It is read by where things stand, not by what they say. From left to right begin: headings (a substance or a class,
in larger letters), the ``+`` of each entry under it, the text under a heading, the mechanism, and the cell of the
levels with their conducts. The places are learnt from the document, as editions differ by some points.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from lab39.solutions.pharmacy import cells
from lab39.solutions.pharmacy.pdf_lines import Line

LARGER = 1.2
"""Headings are printed at least so much larger than the cells."""
NEAR_POINTS = 1.2
"""What begins a column stands no farther from its place."""
BLANK = 1.5
"""Between lines farther apart than so many heights stands a blank one."""
FITS = 1.3
"""A word that would have fitted so many times where the line above ends was put on a new line on purpose."""


@dataclass(frozen=True, slots=True)
class Columns:
    """Where the parts of the table begin, in points from the left, and the size of the letters in its cells."""

    heading: float
    entry: float
    mechanism: float
    levels: float
    size: float

    @classmethod
    def of(cls, lines: Sequence[Line]) -> Columns | None:
        """Learnt from lines of a table; ``None`` when there is none."""
        levels = _mode(line.x for line in lines if cells.heading(line.text))
        entry = _mode(line.x for line in lines if line.text.startswith("+") and line.x < (levels or 0))
        if levels is None or entry is None:
            return None
        size = _mode(line.size for line in lines if cells.heading(line.text)) or 0
        least = entry + (levels - entry) / 8  # what stands under a heading begins before
        mechanism = _mode(line.x for line in lines if least < line.x < levels - NEAR_POINTS)
        heading = _mode(line.x for line in lines if line.x < entry - NEAR_POINTS and line.size > LARGER * size)
        if mechanism is None or heading is None:
            return None
        return cls(heading, entry, mechanism, levels, size)


@dataclass(slots=True)
class Entry:
    """One entry as printed: its other node, and the lines of its two cells."""

    other: str
    page: int
    mechanism: list[Line] = field(default_factory=list)
    levels: list[Line] = field(default_factory=list)

    def rows(self) -> list[tuple[list[Line], list[Line]]]:
        """Mechanism and levels of each row of the entry: some are printed in several.

        A row begins where a level in words stands beside the first line of a new mechanism.
        """
        fresh = {_place(below) for above, below in pairwise(self.mechanism) if _blank(above, below)}
        starts = [0, *(i for i, x in enumerate(self.levels) if i and cells.heading(x.text) and _place(x) in fresh)]
        found = []
        for start, end in pairwise([*starts, len(self.levels)]):
            top = _place(self.levels[start]) if start else None
            bottom = _place(self.levels[end]) if end < len(self.levels) else None
            beside = [
                x
                for x in self.mechanism
                if not _before(_place(x), top) and (not bottom or _before(_place(x), bottom))
            ]
            found.append((beside, self.levels[start:end]))
        return found


@dataclass(slots=True)
class Block:
    """A heading with what stands under it."""

    heading: str
    page: int
    under: list[Line] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)


def without_running(pages: Sequence[Sequence[Line]]) -> list[list[Line]]:
    """The lines without those that every page has at its top or bottom, whatever the numbers in them."""
    seen = Counter(key for page in pages for key in {_running(line) for line in page})
    least = max(2, len(pages) // 2)
    return [[line for line in page if seen[_running(line)] < least] for page in pages]


def read_table(pages: Iterable[Sequence[Line]], columns: Columns) -> tuple[list[Block], list[Line]]:
    """The blocks in their order, and the lines whose part in the table is not known (none in a sound edition)."""
    blocks: list[Block] = []
    strays: list[Line] = []
    last: Line | None = None
    for line in (line for page in pages for line in page):
        block = blocks[-1] if blocks else None
        entry = block.entries[-1] if block and block.entries else None
        if abs(line.x - columns.heading) < NEAR_POINTS and line.size > LARGER * columns.size:
            if block and last is not None and not block.under and entry is None and _wrapped(last, line):
                block.heading += f" {line.text}"
            else:
                blocks.append(Block(line.text, line.page))
        elif block is None:
            strays.append(line)
        elif abs(line.x - columns.entry) < NEAR_POINTS and line.text.startswith("+"):
            block.entries.append(Entry(line.text[1:].strip(), line.page))
        elif line.x > columns.levels - NEAR_POINTS and entry:
            entry.levels.append(line)
        elif line.x > columns.mechanism - NEAR_POINTS and entry:
            entry.mechanism.append(line)
        elif entry is None:
            block.under.append(line)
        elif not entry.mechanism and not entry.levels:
            entry.other += f" {line.text}"
        else:
            strays.append(line)
        last = line
    return blocks, strays


def spaced(lines: Sequence[Line], limit: float | None = None) -> list[str]:
    """The words of some lines of one column, with an empty line where a blank one stands between them.

    Args:
        limit: where lines of this column end at most. A line that ends though the next word would have fitted
            ends a paragraph when that word begins with a capital: an empty line follows it too.
    """
    words: list[str] = []
    for i, line in enumerate(lines):
        if i and (_blank(lines[i - 1], line) or (limit is not None and _on_purpose(lines[i - 1], line, limit))):
            words.append("")
        words.append(line.text)
    return words


def limit_of(lines: Iterable[Line]) -> float:
    """Where the lines of a column end at most."""
    return max((line.right for line in lines), default=0.0)


def _place(line: Line) -> tuple[int, int]:
    """Page and line of letters, which the cells of a row share."""
    return line.page, round(line.y)


def _before(place: tuple[int, int], other: tuple[int, int] | None) -> bool:
    return other is not None and (place[0], -place[1]) < (other[0], -other[1])


def _blank(above: Line, below: Line) -> bool:
    return above.page == below.page and above.y - below.y > BLANK * above.height


def _on_purpose(above: Line, below: Line, limit: float) -> bool:
    first = below.text.partition(" ")[0]
    if not (first[:1].isupper() or above.text.endswith(":")):
        return False
    letter = (below.right - below.x) / max(1, len(below.text))
    return above.right + FITS * letter * (len(first) + 1) < limit


def _wrapped(above: Line, below: Line) -> bool:
    return above.page == below.page and above.size == below.size and above.y - below.y < LARGER * above.height


def _mode(values: Iterable[float]) -> float | None:
    common = Counter(round(value, 1) for value in values).most_common(1)
    return common[0][0] if common else None


def _running(line: Line) -> tuple[int, str]:
    return round(line.y), re.sub(r"\d+", "#", line.text)
