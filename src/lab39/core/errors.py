"""Errors that say where, what, and what to do next."""

from __future__ import annotations

from dataclasses import dataclass

from lab39.core.text import Lang, Text


class LabError(Exception):
    """Base of every error the lab raises on purpose; faces show ``text`` and never a traceback."""

    exit_code = 2

    def __init__(self, text: Text, place: str = "") -> None:
        self.text = text
        self.place = place
        super().__init__(self.say("en"))

    def say(self, lang: Lang) -> str:
        """The message with its place in front, in the reader's language."""
        sep = "\u202f: " if lang == "fr" else ": "
        return f"{self.place}{sep}{self.text[lang]}" if self.place else self.text[lang]

    def within(self, outer: str) -> LabError:
        """The same error seen from a wider place (a line of a file, an entry of a folder)."""
        return type(self)(self.text, f"{outer} › {self.place}" if self.place else outer)


class InputError(LabError):
    """What was given cannot be read as what it claims to be."""


class UnknownNameError(LabError):
    """A solution, pack, term or option that does not exist here."""


class PackMissingError(LabError):
    """A data pack is needed and absent; the text carries the command that installs it."""


@dataclass(frozen=True, slots=True)
class Issue:
    """Something in the input that could not be understood, kept and reported beside what could.

    Attributes:
        code: a FHIR issue-type code (``value``, ``code-invalid``, ``not-supported``, ``required``…).
        place: a FHIRPath-like place, e.g. ``Bundle.entry[3].resource.birthDate``.
        severity: ``error`` (this part was not used) or ``warning`` (used, with a doubt).
    """

    code: str
    place: str
    text: Text
    severity: str = "error"

    def as_dict(self) -> dict[str, object]:
        """The JSON form used by reports."""
        return {
            "severity": self.severity,
            "code": self.code,
            "place": self.place,
            "text": self.text.as_dict(),
        }
