"""A licensee's MedDRA: from the code of a term to its preferred term. MedDRA itself is never shipped.

The distribution's ASCII files have ``$`` between their fields: ``llt.asc`` (code, name, code of the preferred
term…) and ``pt.asc`` (code, name…).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from lab39.solutions.signals.readers.errors import refuse
from lab39.solutions.signals.readers.streams import Item, text_lines


def read(folder: Path) -> Mapping[str, str]:
    """From the code of a low-level or preferred term to the name of its preferred term.

    Raises:
        InputError: a file is missing, or a line has not its fields.
    """
    preferred = {row[0]: row[1] for row in _rows(folder, "pt.asc", 2)}
    lowest = {row[0]: row[2] for row in _rows(folder, "llt.asc", 3)}
    return preferred | {code: preferred[of] for code, of in lowest.items() if of in preferred}


def _rows(folder: Path, name: str, width: int) -> Iterator[list[str]]:
    found = next((each for each in sorted(folder.rglob("*")) if each.name.lower() == name), None)
    if found is None:
        raise refuse(
            folder,
            f"{name} est absent : donnez le dossier MedAscii de votre licence MedDRA",
            f"{name} is missing: give the MedAscii folder of your MedDRA licence",
        )
    for number, line in enumerate(text_lines(Item(found)), 1):
        if line.strip():
            row = line.rstrip("\r\n").split("$")
            if len(row) < width or not row[0].isdigit():
                raise refuse(
                    found,
                    f"ce n'est pas une ligne de {name} de MedDRA",
                    f"this is not a line of MedDRA's {name}",
                    number,
                )
            yield row
