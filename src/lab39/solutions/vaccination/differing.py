"""The words of a difference: what is more, what is less, what is instead of what."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from typing import Any, TypeVar

from lab39.core.text import Text, date
from lab39.solutions.vaccination.dates import Duration

_T = TypeVar("_T")
Said = tuple[str, Text]
"""A kind of change (``age``, ``interval``, ``vaccine``…) and its sentence."""
AGES: Mapping[str, Text] = {"begin": Text("à partir de", "from"), "end": Text("jusqu'à", "until")}


def keyed(
    old: Mapping[Any, _T],
    new: Mapping[Any, _T],
    kind: str,
    label: Text,
    name: Callable[[Any], Text],
    changed: Callable[[_T, _T], Iterable[Text]],
) -> Iterator[Said]:
    """Each key that is more or less, and what ``changed`` says of those that both have."""
    for key in dict.fromkeys((*old, *new)):
        title = name(key)
        if key not in old:
            yield kind, Text(f"{label.fr} en plus\u202f: {title.fr}", f"{label.en} added: {title.en}")
        elif key not in new:
            yield kind, Text(f"{label.fr} en moins\u202f: {title.fr}", f"{label.en} removed: {title.en}")
        else:
            texts = tuple(changed(old[key], new[key]))
            if not texts and old[key] != new[key]:
                texts = (Text("texte ou détail modifié", "wording or detail changed"),)
            for text in texts:
                yield kind, Text(f"{label.fr} {title.fr}, {text.fr}", f"{label.en} {title.en}, {text.en}")


def at_least(said: Iterator[Said]) -> Iterator[Said]:
    """What is said, or that something changed when nothing else is said of it."""
    empty = True
    for each in said:
        empty = False
        yield each
    if empty:
        yield "rule", Text("détail modifié", "detail changed")


def ages_of(one: Any, two: Any) -> Iterator[Text]:
    """What differs in the ages that something holds for."""
    yield from fields_of(one, two, AGES)


def fields_of(one: Any, two: Any, labels: Mapping[str, Text]) -> Iterator[Text]:
    """The fields of two dataclasses that differ, by their labels."""
    names = [each.name for each in fields(one) if each.name in labels]
    for name in names:
        before, after = getattr(one, name), getattr(two, name)
        if before != after:
            yield instead(labels[name], value_of(before), value_of(after))


def instead(label: Text, before: Text | None, after: Text | None) -> Text:
    """What is now, instead of what was."""
    none = Text("rien", "nothing")
    was, now = before or none, after or none
    return Text(f"{label.fr}\u202f: {now.fr} au lieu de {was.fr}", f"{label.en}: {now.en} instead of {was.en}")


def value_of(value: object) -> Text:
    """A value of supporting data in words."""
    if value is None or value == frozenset():
        return Text("rien", "nothing")
    if isinstance(value, bool):
        return Text("oui", "yes") if value else Text("non", "no")
    if isinstance(value, Duration):
        return duration(value)
    if isinstance(value, dt.date):
        return Text(date(value, "fr"), date(value, "en"))
    if isinstance(value, frozenset):
        return codes_of(value)
    return Text.same(str(value))


def codes_of(codes: Iterable[str]) -> Text:
    """Codes, in order."""
    return Text.same(", ".join(sorted(codes))) if codes else Text("aucun", "none")


def joined(rows: Sequence[Text]) -> Text | None:
    """Texts one after the other; ``None`` when there are none."""
    return Text(", ".join(r.fr for r in rows), ", ".join(r.en for r in rows)) if rows else None


def duration(value: Duration) -> Text:
    """A length of time in words: ``6 semaines``, ``12 mois − 4 jours``."""
    parts = [_unit(value.months, 12, ("an", "year"), ("mois", "month"))] if value.months else []
    if value.days or not value.months:
        parts.append(_unit(value.days, 7, ("semaine", "week"), ("jour", "day")))
    return Text(_sum([p.fr for p in parts]), _sum([p.en for p in parts]))


def _unit(count: int, size: int, large: tuple[str, str], small: tuple[str, str]) -> Text:
    whole = count % size == 0 and count != 0 and not (size == 12 and abs(count) == 12)
    number, (fr, en) = (count // size, large) if whole else (count, small)
    many = abs(number) > 1
    return Text(
        f"{number} {fr}{'s' if many and not fr.endswith('s') else ''}",
        f"{number} {en}{'s' if abs(number) != 1 else ''}",
    )


def _sum(parts: Sequence[str]) -> str:
    return " + ".join(parts).replace("+ -", "− ")
