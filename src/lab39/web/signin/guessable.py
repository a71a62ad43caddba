"""Passwords that are long and still easy to guess: of the person's own name, the lab's, the rows of a keyboard."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Iterator
from functools import cache
from importlib.resources import files

from lab39.core.text import Text
from lab39.store.credentials import Hashed, PasswordError, hash_password

REST = 6
"""Characters that must be left when the words are taken away."""


def acceptable(password: str, *, name: str, email: str) -> Hashed:
    """What is kept of a password that this person may choose.

    Raises:
        PasswordError: with what to do instead.
    """
    hashed = hash_password(password)
    left = _plain(password)
    for word in sorted({*_words(), *_own(name, email)}, key=len, reverse=True):
        left = left.replace(word, "")
    if len(set(left)) < REST or len(left) < REST:
        raise PasswordError(
            Text(
                "trop facile à deviner ici\u202f: choisir d'autres mots que le nom, l'adresse, le laboratoire ou "
                "une suite du clavier",
                "too easy to guess here: choose other words than the name, the address, the lab or a row of keys",
            ),
            "password",
        )
    return hashed


@cache
def _words() -> frozenset[str]:
    read = tomllib.loads(files("lab39.web").joinpath("knowledge/guessable.toml").read_text("utf-8"))
    return frozenset(_plain(word) for word in read["words"])


def _own(name: str, email: str) -> Iterator[str]:
    for word in re.split(r"\W+", f"{name} {email}"):
        if len(word) >= 3:
            yield _plain(word)


def _plain(text: str) -> str:
    """In lower case, without accents or spaces."""
    apart = unicodedata.normalize("NFKD", text.casefold())
    return "".join(c for c in apart if not unicodedata.combining(c) and not c.isspace())
