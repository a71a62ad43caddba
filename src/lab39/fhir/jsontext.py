"""JSON in and out without losing a digit: decimals stay decimals, and every error says where."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import simplejson

from lab39.core.errors import InputError
from lab39.core.text import Text


def loads(text: str | bytes, place: str = "", *, max_depth: int = 64) -> Any:
    """Parse strict JSON; numbers with a point or exponent become ``Decimal``.

    Raises:
        InputError: not UTF-8, not JSON (NaN and Infinity are not), a key given twice, nesting over
            ``max_depth``; the message has the line and column.
    """
    if isinstance(text, bytes):
        try:
            text = text.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise InputError(
                Text(
                    f"octet {error.start} : le fichier n'est pas en UTF-8 ; l'enregistrer en UTF-8",
                    f"byte {error.start}: the file is not UTF-8; save it as UTF-8",
                ),
                place,
            ) from error
    _check_depth(text, place, max_depth)
    try:
        return simplejson.loads(text, use_decimal=True, object_pairs_hook=_no_duplicates, allow_nan=False)
    except simplejson.JSONDecodeError as error:
        cut = error.pos >= len(text.rstrip())
        fr = "le fichier s'arrête avant la fin du JSON (tronqué ?)" if cut else "JSON invalide ici"
        en = "the file ends before the JSON does (truncated?)" if cut else "invalid JSON here"
        raise InputError(
            Text(
                f"ligne {error.lineno}, colonne {error.colno} : {fr} [{error.msg}]",
                f"line {error.lineno}, column {error.colno}: {en} [{error.msg}]",
            ),
            place,
        ) from error
    except _DuplicateKeyError as error:
        key = str(error)[:60]
        raise InputError(
            Text(
                f"la clé « {key} » est donnée deux fois dans le même objet : une valeur serait perdue",
                f"the key “{key}” is given twice in one object: a value would be lost",
            ),
            place,
        ) from error
    except (ValueError, ArithmeticError) as error:
        raise InputError(
            Text(f"nombre illisible : {str(error)[:80]}", f"unreadable number: {str(error)[:80]}"), place
        ) from error


def dumps(value: Any, *, indent: int | None = None) -> str:
    """JSON text; a ``Decimal`` is written with the digits it was read with."""
    return simplejson.dumps(value, use_decimal=True, ensure_ascii=False, allow_nan=False, indent=indent)


class _DuplicateKeyError(Exception):
    pass


def _no_duplicates(pairs: list[tuple[str, Any]]) -> Mapping[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        raise _DuplicateKeyError(next(k for k, _ in pairs if k in seen or seen.add(k)))  # type: ignore[func-returns-value]
    return found


_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_NOT_BRACKETS = bytes(c for c in range(256) if c not in b"{}[]")


def _check_depth(text: str, place: str, limit: int) -> None:
    """Refuse deep nesting before any recursive parser sees it: peel brackets off, one level a turn."""
    left = _STRING.sub(b"", text.encode()).translate(None, _NOT_BRACKETS)
    for _ in range(limit):
        if not left:
            return
        left, before = left.replace(b"{}", b"").replace(b"[]", b""), left
        if left == before and not _deep(left, limit):
            return  # unbalanced: the parser will say where
    if _deep(left, 0):
        raise InputError(
            Text(
                f"plus de {limit} niveaux imbriqués : refusé",
                f"more than {limit} nested levels: refused",
            ),
            place,
        )


def _deep(brackets: bytes, limit: int) -> bool:
    return brackets.count(b"{") + brackets.count(b"[") > limit
