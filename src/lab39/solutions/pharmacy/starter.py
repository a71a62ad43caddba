"""The interactions of a lab without a thesaurus: a small table, partial and told so."""

from __future__ import annotations

import datetime as dt
import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

from lab39.solutions.pharmacy.model import Level, LevelText, Rule, Thesaurus


@cache
def thesaurus() -> Thesaurus:
    """The small table, in the form of an edition.

    Its ``edition`` is that of the document its rules cite; it is not the whole of it.
    """
    rows = tomllib.loads(
        files("lab39.solutions.pharmacy").joinpath("knowledge/starter_thesaurus.toml").read_text("utf-8")
    )
    classes: dict[str, tuple[str, ...]] = {name: tuple(members) for name, members in rows["classes"].items()}
    rules = tuple(_rule(row) for row in rows["rule"])
    alone = {node.lower() for rule in rules for node in (rule.a, rule.b) if _is_substance(node, classes)}
    names = sorted({member for members in classes.values() for member in members} | alone)
    edition: dt.date = rows["source"]["edition"]
    return Thesaurus(
        edition=edition,
        substances={name: tuple(c for c, members in classes.items() if name in members) for name in names},
        classes=classes,
        rules=rules,
    )


def _rule(row: dict[str, Any]) -> Rule:
    levels = tuple(LevelText(Level(level), said) for level, said in zip(row["levels"], row["conduct"], strict=True))
    a, b = sorted((row["a"], row["b"]))
    return Rule(a, b, levels, row["mechanism"], row["page"])


def _is_substance(node: str, classes: dict[str, tuple[str, ...]]) -> bool:
    return node not in classes and not node.startswith(("AUTRES ", "PAMPLEMOUSSE"))
