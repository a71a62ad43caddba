"""Records of a CSV: a quotation mark that is not closed takes its line away, and never the rest of the file."""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterable, Iterator

LONGEST = 16 * 2**20
"""Letters of a field: where a mark that is not closed is given up."""
csv.field_size_limit(LONGEST)


def records(lines: Iterable[str], delimiter: str) -> Iterator[tuple[int, list[str] | None, str]]:
    """The records of a CSV, each with the number of its last line and its text.

    Where a quotation mark is not closed before the end of the file, or is closed in the middle of a field, the line
    that opens it is given alone, without fields, and reading goes on from the line below. A line that has its marks
    in pairs is read as it can be (``"5 mg" daily`` is ``5 mg daily``).
    """
    coming, back, held = iter(lines), deque[str](), list[str]()

    def feed() -> Iterator[str]:
        while True:
            line = back.popleft() if back else next(coming, None)
            if line is None:
                return
            held.append(line)
            yield line

    number = 0
    while True:
        try:
            for row in csv.reader(feed(), delimiter=delimiter, strict=True):
                number += len(held)
                yield number, row, "".join(held)
                held.clear()
        except csv.Error:
            first, *below = held
            held.clear()
            back.extendleft(reversed(below))
            number += 1
            paired = not below and first.count('"') % 2 == 0
            yield number, next(csv.reader([first], delimiter=delimiter)) if paired else None, first
        else:
            return
