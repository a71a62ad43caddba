"""The desk of somebody who is not signed in, on a fictional record: what they fill in and decide travels with the
form, signed, and nothing is kept."""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from lab39.core.record import Record
from lab39.core.text import Text
from lab39.fhir.examples import Example
from lab39.web.desk import answers as given
from lab39.web.desk.answers import Answer
from lab39.web.desk.view import Decided
from lab39.web.security import ForgedError, TooLargeError

MOST = 60
"""Answers and decisions that one demonstration carries."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What was filled in and decided about one fictional record."""

    example: str
    answers: tuple[Answer, ...] = ()
    decisions: tuple[tuple[str, str, str], ...] = ()

    def sealed(self, secret: bytes) -> str:
        """As a form carries it: readable, and worth nothing once changed."""
        value = {"e": self.example, "a": [a.as_dict() for a in self.answers], "d": self.decisions}
        text = base64.urlsafe_b64encode(json.dumps(value, separators=(",", ":")).encode()).decode()
        return f"{text}.{_seal(secret, text)}"

    @classmethod
    def opened(cls, sealed: str, example: str, secret: bytes) -> Trial:
        """What a form brought back; an empty one when it brought nothing.

        Raises:
            ForgedError: not what this lab gave, or for another record.
        """
        if not sealed:
            return cls(example)
        text, _, seal = sealed.rpartition(".")
        if not hmac.compare_digest(seal.encode("utf-8", "replace"), _seal(secret, text).encode()):
            raise _forged()
        try:
            value: Mapping[str, Any] = json.loads(base64.urlsafe_b64decode(text))
        except (binascii.Error, ValueError) as error:  # pragma: no cover - what was sealed can be read
            raise _forged() from error
        if value["e"] != example:
            raise _forged()
        return cls(
            example,
            tuple(given.of_dict(a) for a in value["a"]),
            tuple((str(f), str(a), str(r)) for f, a, r in value["d"]),
        )

    def answered(self, answer: Answer) -> Trial:
        """With one more answer.

        Raises:
            TooLargeError: it carries enough.
        """
        return replace(self._room(), answers=(*self.answers, answer))

    def decided(self, finding: str, action: str, reason: str) -> Trial:
        """With one more decision.

        Raises:
            TooLargeError: it carries enough.
        """
        return replace(self._room(), decisions=(*self.decisions, (finding, action, reason)))

    def without(self, index: int) -> Trial:
        """Without one of its answers."""
        return replace(self, answers=tuple(a for i, a in enumerate(self.answers) if i != index))

    def record(self, example: Example) -> Record:
        """The fictional record with what was filled in."""
        record = example.record
        for answer in self.answers:
            record = given.apply(record, answer)
        return record

    def shown(self, on: dt.date) -> tuple[Decided, ...]:
        """The decisions as the desk shows them."""
        return tuple(Decided(finding, action, reason, "", on) for finding, action, reason in self.decisions)

    def _room(self) -> Trial:
        if len(self.answers) + len(self.decisions) >= MOST:
            raise TooLargeError(
                Text(
                    f"une démonstration garde {MOST} saisies au plus\u202f: recommencer, ou se connecter",
                    f"a demonstration holds {MOST} entries at most: start again, or sign in",
                )
            )
        return self


def _seal(secret: bytes, text: str) -> str:
    return hmac.new(secret, b"trial\0" + text.encode("utf-8", "replace"), hashlib.sha256).hexdigest()


def _forged() -> ForgedError:
    return ForgedError(
        Text(
            "cette démonstration ne vient pas de ce laboratoire, ou il a changé de clé\u202f: la recommencer",
            "this demonstration was not given by this lab, or its key has changed: start again",
        )
    )
