"""Reading what probes wrote down: texts in two languages, modules, differences."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from lab39.core.text import LANGS, Text


def bilingual(value: Any, place: str, *, differ: bool) -> Iterator[Text]:
    """What is wrong with a text in two languages.

    Args:
        differ: the text is a sentence, which cannot read the same in French and in English.
    """
    if not isinstance(value, Mapping) or not all(isinstance(value.get(lang), str) for lang in LANGS):
        yield Text(f"{place}\u202f: un Text(fr, en) est attendu", f"{place}: a Text(fr, en) is expected")
        return
    for lang in LANGS:
        if not value[lang].strip():
            yield Text(f"{place}\u202f: vide en «\u202f{lang}\u202f»", f"{place}: empty in “{lang}”")
            return
    if differ and value["fr"].strip() == value["en"].strip():
        yield Text(
            f"{place}\u202f: la même phrase dans les deux langues («\u202f{value['fr'][:60]}\u202f»)",
            f"{place}: the same sentence in both languages (“{value['en'][:60]}”)",
        )


def texts(value: Any, place: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every bilingual text inside plain values, with its place."""
    if isinstance(value, Mapping):
        if set(value) == set(LANGS):
            yield place, value
            return
        for name, inner in value.items():
            yield from texts(inner, f"{place}.{name}" if place else str(name))
    elif isinstance(value, list):
        for i, inner in enumerate(value):
            yield from texts(inner, f"{place}[{i}]")


def foreign(modules: Iterable[str], target: str) -> Counter[str]:
    """Modules of neither the standard library, nor the lab, nor the solution, counted by top package."""
    own = target.partition(":")[0].partition(".")[0]
    tops = (name.partition(".")[0] for name in modules)
    return Counter(top for top in tops if top not in (own, "lab39") and top not in sys.stdlib_module_names)


def difference(one: Any, other: Any, place: str = "") -> str | None:
    """The first place where two plain values differ, with both."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        for name in sorted({*one, *other}):
            if found := difference(one.get(name), other.get(name), f"{place}.{name}".lstrip(".")):
                return found
        return None
    if isinstance(one, list) and isinstance(other, list):
        if len(one) != len(other):
            return f"{place}: {len(one)} ≠ {len(other)}"
        for i, (a, b) in enumerate(zip(one, other, strict=True)):
            if found := difference(a, b, f"{place}[{i}]"):
                return found
        return None
    return None if one == other else f"{place}: {str(one)[:60]} ≠ {str(other)[:60]}"
