"""The compiled file of one edition: read once from its source, opened in some milliseconds afterwards.

One JSON object: ``format``, ``edition``, ``substances``, ``classes``, ``preambles``; ``rules`` as rows
``[a, b, [[level, conduct]…], mechanism, page]`` and ``conflicts`` as pairs of such rows.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lab39.core.errors import InputError
from lab39.core.text import Text
from lab39.solutions.pharmacy.model import Level, LevelText, Printing, Rule, Thesaurus

FORMAT = 3


def write(thesaurus: Thesaurus, target: Path) -> None:
    """Write the compiled file."""
    body = {
        "format": FORMAT,
        "edition": thesaurus.edition.isoformat(),
        "substances": dict(thesaurus.substances),
        "classes": dict(thesaurus.classes),
        "preambles": dict(thesaurus.preambles),
        "rules": [_row(r.a, r.b, r) for r in thesaurus.rules],
        "conflicts": [[_row(p.under, p.other, p) for p in both] for both in thesaurus.conflicts],
    }
    target.write_text(json.dumps(body, ensure_ascii=False, separators=(",", ":")), "utf-8")


def load(path: Path) -> Thesaurus:
    """Open a compiled file.

    Raises:
        InputError: damaged, or of another format; delete it and it is made again.
    """
    try:
        body = json.loads(path.read_bytes())
        if body["format"] != FORMAT:
            raise ValueError(f"format {body['format']}, not {FORMAT}")
        return Thesaurus(
            edition=dt.date.fromisoformat(body["edition"]),
            substances={name: tuple(named) for name, named in body["substances"].items()},
            classes={name: tuple(named) for name, named in body["classes"].items()},
            rules=tuple(
                Rule(a, b, _levels(texts), mechanism, page) for a, b, texts, mechanism, page in body["rules"]
            ),
            preambles=body["preambles"],
            conflicts=tuple((_printing(first), _printing(second)) for first, second in body["conflicts"]),
        )
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise InputError(
            Text(
                f"thésaurus compilé illisible ({error})\u202f: supprimer ce fichier, il sera refait",
                f"unreadable compiled thesaurus ({error}): delete this file, it will be made again",
            ),
            str(path),
        ) from error


def _row(first: str, second: str, entry: Rule | Printing) -> list[Any]:
    return [first, second, [[t.level.value, t.conduct] for t in entry.levels], entry.mechanism, entry.page]


def _levels(texts: Sequence[Sequence[str]]) -> tuple[LevelText, ...]:
    return tuple(LevelText(Level(level), conduct) for level, conduct in texts)


def _printing(row: Sequence[Any]) -> Printing:
    under, other, texts, mechanism, page = row
    return Printing(under, other, _levels(texts), mechanism, page)
