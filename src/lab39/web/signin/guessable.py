"""Passwords that are long and still easy to guess: of the person's own name, the lab's, the rows of a keyboard; of
what the most common passwords are made of.

How many guesses one takes is estimated by zxcvbn (Wheeler DL. zxcvbn: low-budget password strength estimation.
USENIX Security, 2016:157-173), whose lists hold the 30,000 most common passwords and 80,000 words and names.
"""

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
GUESSES = 1e8
"""Fewer are within reach of somebody who has the hash, or the time of many attempts (zxcvbn's score 3)."""
LOOKED_AT = 72
"""Characters; the estimator takes no more, and what follows only makes it harder."""


def acceptable(password: str, *, name: str, email: str) -> Hashed:
    """What is kept of a password that this person may choose.

    Raises:
        PasswordError: with what to do instead.
    """
    hashed = hash_password(password)
    left = _plain(password)
    for word in sorted({*_words(), *_own(name, email)}, key=len, reverse=True):
        left = left.replace(word, "")
    own = [*_own(name, email), *_words()]
    if len(set(left)) < REST or len(left) < REST or _guesses(password, own) < GUESSES:
        raise PasswordError(
            Text(
                "trop facile à deviner\u202f: choisir plusieurs mots sans lien, autres que le nom, l'adresse, le "
                "laboratoire, une suite du clavier ou un mot de passe courant",
                "too easy to guess: choose several words that have nothing to do with each other, other than the "
                "name, the address, the lab, a row of keys or a common password",
            ),
            "password",
        )
    return hashed


def _guesses(password: str, own: list[str]) -> float:
    from zxcvbn import zxcvbn

    return float(zxcvbn(password[:LOOKED_AT], user_inputs=own)["guesses"])


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
