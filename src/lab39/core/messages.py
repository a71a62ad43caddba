"""What the lab writes to people: a subject and a body in both languages, with places to fill in."""

from __future__ import annotations

import string
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass

from lab39.core.errors import InputError
from lab39.core.text import Lang, Text

GIVEN = frozenset({"name", "lab"})
"""Places filled in by whoever sends: the reader's name, the address of the lab."""


@dataclass(frozen=True, slots=True)
class Template:
    """A message of ``messages.toml``.

    A message leaves the lab and crosses servers of others: it says that there is something to read and where, never
    what. Its subject has no place to fill in.

    Attributes:
        id: ``<solution>.<name>``.
        body: ``{name}`` and ``{lab}`` are filled in by the lab, the other places by ``parameters``.
    """

    id: str
    subject: Text
    body: Text

    @classmethod
    def read_all(cls, toml: str, owner: str) -> tuple[Template, ...]:
        """The templates of a file.

        Raises:
            ValueError: a text in one language, a subject with a place to fill in, bodies that differ in theirs.
        """
        found = []
        for name, row in tomllib.loads(toml).items():
            made = cls(f"{owner}.{name}", Text.of(row["subject"]), Text.of(row["body"]))
            if _places(made.subject.fr) or _places(made.subject.en):
                raise ValueError(f"{made.id}: a subject has no place to fill in")
            if _places(made.body.fr) != _places(made.body.en):
                raise ValueError(f"{made.id}: both languages have the same places to fill in")
            found.append(made)
        return tuple(found)

    @property
    def places(self) -> frozenset[str]:
        """What ``parameters`` must fill in."""
        return _places(self.body.fr) - GIVEN

    def check(self, parameters: Mapping[str, str]) -> None:
        """Refuse parameters that do not fill in every place, or fill in none.

        Raises:
            InputError
        """
        if set(parameters) != self.places or not all(isinstance(v, str) for v in parameters.values()):
            names = ", ".join(sorted(self.places)) or "–"
            raise InputError(Text(f"paramètres attendus\u202f: {names}", f"parameters expected: {names}"), self.id)

    def fill(self, lang: Lang, given: Mapping[str, str]) -> str:
        """The body in a language."""
        return self.body[lang].format_map(given)


def _places(text: str) -> frozenset[str]:
    return frozenset(name for _, name, _, _ in string.Formatter().parse(text) if name is not None)
