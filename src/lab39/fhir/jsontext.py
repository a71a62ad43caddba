"""JSON in and out without losing a digit: decimals stay decimals, and every error says where."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import simplejson

from lab39.core.errors import InputError
from lab39.core.text import Text

MAX_VALUES = 4_000_000
"""Far above 64 MiB of a real record (58 bytes a value in Synthea's); 15 million ``[]`` would take 1.2 GB."""


def loads(text: str | bytes, place: str = "", *, max_depth: int = 64, max_values: int = MAX_VALUES) -> Any:
    """Parse strict JSON; numbers with a point or exponent become ``Decimal``.

    Raises:
        InputError: not UTF-8, not JSON (NaN and Infinity are not), a key given twice, nesting over
            ``max_depth``, more values than ``max_values``; the message has the line and column.
    """
    if isinstance(text, bytes):
        raw = text
        try:
            text = text.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise InputError(_not_utf8(raw, error.start), place) from error
    else:
        text = text.removeprefix("\ufeff")
        _check_characters(text, place)
        raw = text.encode()
    _check_count(raw, place, max_values)
    _check_depth(raw, place, max_depth)
    try:
        found = simplejson.loads(text, use_decimal=True, object_pairs_hook=_no_duplicates, allow_nan=False)
    except simplejson.JSONDecodeError as error:
        why = _why(text, error)
        raise InputError(
            Text(
                f"ligne {error.lineno}, colonne {error.colno}\u202f: {why.fr}",
                f"line {error.lineno}, column {error.colno}: {why.en}",
            ),
            place,
        ) from error
    except _DuplicateKeyError as error:
        key = str(error)[:60]
        line = _line_of_duplicate(text)
        raise InputError(
            Text(
                f"ligne {line}\u202f: la clé «\u202f{key}\u202f» est donnée deux fois dans le même objet\u202f; "
                "une valeur serait perdue",
                f"line {line}: the key “{key}” is given twice in one object; a value would be lost",
            ),
            place,
        ) from error
    except RecursionError as error:
        raise _too_deep(place, max_depth) from error
    except (ValueError, ArithmeticError) as error:
        huge = _HUGE.search(text)
        line = text.count("\n", 0, huge.start() if huge else 0) + 1
        raise InputError(
            Text(f"ligne {line}\u202f: nombre démesuré, illisible", f"line {line}: a number too large to be read"),
            place,
        ) from error
    if _HALF.search(text):
        _check_characters(found, place)
    return found


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


_BINARY = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"%PDF", b"II*\0", b"MM\0*", b"\xd0\xcf\x11\xe0")
"""How images, PDF and old office files begin."""


def _not_utf8(raw: bytes, at: int) -> Text:
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return Text(
            "le fichier est en UTF-16\u202f; l'enregistrer en UTF-8", "the file is in UTF-16; save it as UTF-8"
        )
    if raw.startswith(_BINARY) or raw[128:132] == b"DICM" or b"\0" in raw[:1024]:
        return Text(
            "une image, un PDF ou un autre fichier binaire\u202f: donner le dossier en JSON",
            "an image, a PDF or another binary file: give the record as JSON",
        )
    line = raw.count(b"\n", 0, at) + 1
    return Text(
        f"ligne {line}, octet {at}\u202f: le fichier n'est pas en UTF-8\u202f; l'enregistrer en UTF-8",
        f"line {line}, byte {at}: the file is not UTF-8; save it as UTF-8",
    )


def _why(text: str, error: simplejson.JSONDecodeError) -> Text:
    if not text.strip():
        return Text("le fichier est vide", "the file is empty")
    if text.lstrip().startswith("<"):
        return Text(
            "du XML, ou une page web\u202f; Lab39 lit le FHIR en JSON\u202f: l'exporter ainsi",
            "XML, or a web page; Lab39 reads FHIR as JSON: export it so",
        )
    if text[:200].count("\0") > 1:
        return Text(
            "UTF-16 ou UTF-32 sans marque\u202f? L'enregistrer en UTF-8", "UTF-16 or UTF-32? Save it as UTF-8"
        )
    if error.pos >= len(text.rstrip()) or error.msg.startswith("Unterminated string"):
        return Text(
            "le fichier s'arrête avant la fin du JSON (tronqué\u202f?)",
            "the file ends before the JSON does (truncated?)",
        )
    if error.msg.startswith("Extra data"):
        return Text(
            "un second document commence ici\u202f; pour un document par ligne, nommer le fichier .ndjson",
            "a second document starts here; for one document a line, name the file .ndjson",
        )
    if text.startswith(("NaN", "Infinity", "-Infinity"), error.pos):
        return Text("NaN et Infinity ne sont pas du JSON", "NaN and Infinity are not JSON")
    said = error.msg.replace(" %r", "")  # left as it is by the parser
    return Text(f"JSON invalide ici [{said}]", f"invalid JSON here [{said}]")


def _check_count(raw: bytes, place: str, limit: int) -> None:
    """Refuse what takes far more memory than its text; there are at most as many values as commas and openings."""
    if sum(raw.count(mark) for mark in (b",", b"[", b"{")) > limit:
        raise InputError(
            Text(
                f"plus de {limit} valeurs\u202f: refusé. Donner du NDJSON, ou relever LAB39_MAX_VALUES.",
                f"more than {limit} values: refused. Give NDJSON, or raise LAB39_MAX_VALUES.",
            ),
            place,
        )


_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_NOT_BRACKETS = bytes(c for c in range(256) if c not in b"{}[]")


def _check_depth(raw: bytes, place: str, limit: int) -> None:
    """Refuse deep nesting before any recursive parser sees it.

    Brackets are peeled off, at most two levels a turn, without looking for strings: what vanishes is shallow
    (3 % of the time of a parse). What does not is counted exactly. A document whose strings were made to hide
    brackets from the first count meets the parser's own limit, which :func:`loads` reports in the same words.
    """
    left = raw.translate(None, _NOT_BRACKETS)
    for _ in range(limit // 2):
        if not left:
            return
        left, before = left.replace(b"{}", b"").replace(b"[]", b""), left
        if len(left) == len(before):
            break
    depth = 0
    for bracket in _STRING.sub(b"", raw).translate(None, _NOT_BRACKETS):
        depth += 1 if bracket in b"{[" else -1
        if depth > limit:
            raise _too_deep(place, limit)


def _too_deep(place: str, limit: int) -> InputError:
    return InputError(
        Text(f"plus de {limit} niveaux imbriqués\u202f: refusé", f"more than {limit} nested levels: refused"), place
    )


_TOKEN = re.compile(r'"([^"\\]*(?:\\.[^"\\]*)*)"(\s*:)?|[{}]', re.DOTALL)


def _line_of_duplicate(text: str) -> int:
    """The line of the first key given twice, counting from 1."""
    open_objects: list[set[str]] = []
    for token in _TOKEN.finditer(text):
        if token[0] == "{":
            open_objects.append(set())
        elif token[0] == "}":
            open_objects.pop()
        elif token[2] is not None:
            key = simplejson.loads(f'"{token[1]}"')
            if key in open_objects[-1]:
                return text.count("\n", 0, token.start()) + 1
            open_objects[-1].add(key)
    return 1


_HUGE = re.compile(r"\d{4000,}|[eE][+-]?\d{9,}")
_HALF = re.compile(r"\\u[dD][89a-fA-F]")


def _check_characters(value: Any, place: str) -> None:
    """Refuse half a surrogate pair (RFC 8259, section 8.2): such text can neither be written nor compared."""
    left = [value]
    while left:
        match left.pop():
            case str() as text:
                try:
                    text.encode()
                except UnicodeEncodeError as error:
                    shown = text[: error.start][-40:]
                    raise InputError(
                        Text(
                            f"après «\u202f{shown}\u202f»\u202f: une moitié de caractère (\\ud800 à \\udfff)",
                            f"after “{shown}”: half a character (\\ud800 to \\udfff)",
                        ),
                        place,
                    ) from error
            case Mapping() as members:
                left += [*members.keys(), *members.values()]
            case list() as items:
                left += items
