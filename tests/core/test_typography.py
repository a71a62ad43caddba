"""French as it is printed: a narrow no-break space before : ; ! ? » and after «, in every text a user reads."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import lab39

SOURCE = Path(lab39.__file__).parent
WRONG = re.compile(r"[ \u00a0][:;!?»]|«[ \u00a0]|«(?!\u202f)|(?<!\u202f)»|\w[;!?](?=\s|$)")


def words(node: ast.expr) -> str:
    """The words of a literal; what is filled in at run time stands as one letter."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(words(v) if isinstance(v, ast.Constant) else "x" for v in node.values)
    if isinstance(node, ast.IfExp):
        return f"{words(node.body)}\n{words(node.orelse)}"
    if isinstance(node, ast.BinOp):
        return words(node.left) + words(node.right)
    return ""


def in_python(text: str) -> Iterator[str]:
    """The French half of every ``Text(fr, en)`` and ``note(code, place, fr, en)``."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call) and len(node.args) >= 2:
            name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            if name == "Text":
                yield words(node.args[0])
            elif name == "note" and len(node.args) >= 4:
                yield words(node.args[2])


def in_toml(value: Any) -> Iterator[str]:
    """Every ``fr`` of a table, at any depth."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == "fr" and isinstance(inner, str):
                yield inner
            else:
                yield from in_toml(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from in_toml(inner)


def french(path: Path) -> list[str]:
    text = path.read_text("utf-8")
    return list(in_python(text) if path.suffix == ".py" else in_toml(tomllib.loads(text)))


FILES = [p for p in sorted(SOURCE.rglob("*")) if p.suffix in (".py", ".toml") and french(p)]


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.relative_to(SOURCE).as_posix())
def test_french_is_set_as_french(path):
    assert [text for text in french(path) if WRONG.search(text)] == []


def test_the_scan_sees_what_it_should():
    assert len(FILES) > 20
    seen = list(in_python('Text(f"a : {b}", "a: b"); r.note("c", "p", "« a »" if x else "b", "a")'))
    assert seen == ["a : x", "« a »\nb"]
    assert all(WRONG.search(text) for text in seen)
    assert not any(
        map(WRONG.search, ["a\u202f: b", "«\u202fa\u202f»", "12:30", "lab39://x", "oui\u202f!", "à 8:30"])
    )
