"""French labels of signs: the official translation of the HPO, read from the files its users have.

``hp-fr.babelon.tsv`` (Babelon: one row a translated value) gives labels; ``hp-fr.synonyms.tsv`` gives synonyms,
used to find signs, never shown as labels. The HPO licence asks to cite it and to show its version.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from lab39.core.errors import InputError
from lab39.core.text import Text

BABELON = (
    "subject_id",
    "source_language",
    "translation_language",
    "predicate_id",
    "source_value",
    "translation_status",
    "translation_value",
)
SYNONYMS = ("subject_id", "translation_value", "comment", "Status")
_LABEL = "rdfs:label"
_UNUSED = ("NOT_TRANSLATED", "Status", "")


@dataclass(frozen=True, slots=True)
class Labels:
    """French labels and synonyms by HPO id; empty when no translation is there.

    ``version`` names the content; ``""`` for no translation.
    """

    french: Mapping[str, str] = field(default_factory=dict)
    synonyms: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    version: str = ""

    def __bool__(self) -> bool:
        return bool(self.french)

    def label(self, term: str, english: str) -> Text:
        """A sign in both languages; the English label stands for a French one that is absent."""
        return Text(self.french.get(term, english), english)


ENGLISH_ONLY = Labels()
NO_FRENCH = Text(
    "Libellés des signes en anglais\u202f: la traduction officielle n'est pas installée "
    "(lab39 data import hpo-fr hp-fr.babelon.tsv).",
    "French labels of signs are not installed (lab39 data import hpo-fr hp-fr.babelon.tsv).",
)


def load_labels(babelon: Path, synonyms: Path | None = None, version: str = "") -> Labels:
    """Read the French translation.

    Args:
        babelon: ``hp-fr.babelon.tsv``.
        synonyms: ``hp-fr.synonyms.tsv``, if the user has it.

    Raises:
        InputError: not such a file, or a row that is cut short, with its line.
    """
    french = {
        row[0]: row[6]
        for row in _rows(babelon, BABELON)
        if row[3] == _LABEL and row[2] == "fr" and row[6] and row[5] not in _UNUSED
    }
    if not french:
        raise InputError(Text("aucun libellé français", "no French label"), str(babelon))
    others: dict[str, tuple[str, ...]] = {}
    for row in _rows(synonyms, SYNONYMS) if synonyms else ():
        if row[0].startswith("HP:") and row[1] and row[3] not in _UNUSED:
            others[row[0]] = (*others.get(row[0], ()), row[1])
    return Labels(french, others, version)


def has_columns(path: Path, columns: tuple[str, ...]) -> bool:
    """Whether the first line of a file names these columns first."""
    with path.open(encoding="utf-8", errors="replace") as lines:
        return tuple(next(lines, "").rstrip("\r\n").split("\t"))[: len(columns)] == columns


def _rows(path: Path, columns: tuple[str, ...]) -> list[list[str]]:
    try:
        written = path.read_text("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            Text(f"lecture impossible\u202f: {error}", f"cannot be read: {error}"), str(path)
        ) from error
    if not written or tuple(written[0].split("\t"))[: len(columns)] != columns:
        raise InputError(
            Text(
                f"colonnes inattendues\u202f; attendues\u202f: {', '.join(columns)}",
                f"unexpected columns; expected: {', '.join(columns)}",
            ),
            f"{path}:1",
        )
    rows = []
    for number, line in enumerate(written[1:], 2):
        cells = line.split("\t")
        if len(cells) < len(columns):
            raise InputError(
                Text(
                    f"{len(cells)} colonnes au lieu de {len(columns)} (fichier tronqué\u202f?)",
                    f"{len(cells)} columns, not {len(columns)} (truncated file?)",
                ),
                f"{path}:{number}",
            )
        rows.append(cells)
    return rows
