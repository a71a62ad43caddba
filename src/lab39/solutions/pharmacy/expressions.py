"""Reads the conditions of the knowledge files: expressions such as ``a.per_day_mg >= 3000 and fact("…")``.

The grammar is the one of Python's expressions, of which only what :mod:`~lab39.solutions.pharmacy.predicates`
lists is accepted; nothing is ever evaluated as Python.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from lab39.solutions.pharmacy import atoms
from lab39.solutions.pharmacy import predicates as p
from lab39.solutions.pharmacy.model import Route


class ExpressionError(ValueError):
    """A condition of a knowledge file that cannot be read; says which."""


@dataclass(frozen=True, slots=True)
class Named:
    """A condition with a name, over one side (``x``), or over the pair and the person.

    Attributes:
        true: expression of when it holds.
        false: expression of when it does not; empty when that is simply whenever ``true`` is false.
    """

    name: str
    true: str
    false: str = ""


NamesOf = Callable[[str], frozenset[str]]
"""From a node as the knowledge files write it to the nodes of an edition as printed."""


def compile_condition(text: str, named: Mapping[str, Named], names_of: NamesOf) -> p.Condition:
    """The condition an expression tells, its nodes spelled as an edition prints them.

    Raises:
        ExpressionError: not an expression of the grammar.
    """
    try:
        return _Reader(named, names_of, {"a": "a", "b": "b"}).condition(_tree(text))
    except (SyntaxError, ExpressionError) as error:
        raise ExpressionError(f"{text.strip()}: {error}") from error


@dataclass(frozen=True, slots=True)
class _Reader:
    named: Mapping[str, Named]
    names_of: NamesOf
    sides: Mapping[str, p.Letter]

    def condition(self, node: ast.expr) -> p.Condition:
        """The condition that an expression writes.

        Raises:
            ExpressionError: not an expression of the grammar.
        """
        if isinstance(node, ast.BoolOp):
            parts = tuple(self.condition(value) for value in node.values)
            return p.Every(parts, ends=isinstance(node.op, ast.Or))
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            return p.Not(self.condition(node.operand))
        if isinstance(node, ast.Name) and node.id == "always":
            return p.Fixed(True)
        if isinstance(node, ast.Name) and node.id == "female":
            return atoms.Female()
        if isinstance(node, ast.Compare):
            return self._comparison(node)
        if isinstance(node, ast.Call) and not node.keywords:
            return self._call(node)
        raise ExpressionError(f"not understood: {ast.unparse(node)}")

    def _call(self, node: ast.Call) -> p.Condition:
        if isinstance(node.func, ast.Attribute):
            return self._about(self._letter(node.func.value), node.func.attr, _strings(node.args))
        name = node.func.id if isinstance(node.func, ast.Name) else ast.unparse(node.func)
        if name == "fact":
            (token,) = _strings(node.args)
            return atoms.Fact(token)
        if name == "taken":
            return atoms.Taken(self._nodes(_strings(node.args)))
        if name in self.named:
            return self._named(self.named[name], node.args)
        raise ExpressionError(f"no condition is named {name}")

    def _named(self, found: Named, args: list[ast.expr]) -> p.Condition:
        sides = {"x": self._letter(args[0])} if args else self.sides
        inside = _Reader(self.named, self.names_of, sides)
        true = inside.condition(_tree(found.true))
        if not found.false:
            return true
        return p.Twofold(true, inside.condition(_tree(found.false)))

    def _about(self, letter: p.Letter, what: str, words: tuple[str, ...]) -> p.Condition:
        if what == "among":
            return atoms.Among(letter, self._nodes(words))
        if what == "indicated":
            return atoms.Indicated(letter, frozenset(words))
        if what == "form":
            return atoms.Formed(letter, words[0])
        if what == "untold":
            return atoms.Untold(letter, words[0])
        if what == "route":
            try:
                return atoms.Routed(letter, frozenset(Route(word) for word in words))
            except ValueError as error:
                raise ExpressionError(str(error)) from error
        raise ExpressionError(f"a side has no .{what}()")

    def _nodes(self, words: Iterable[str]) -> frozenset[str]:
        return frozenset().union(*(self.names_of(word) for word in words))

    def _letter(self, node: ast.expr) -> p.Letter:
        if isinstance(node, ast.Name) and node.id in self.sides:
            return self.sides[node.id]
        raise ExpressionError(f"not a side: {ast.unparse(node)}")

    def _comparison(self, node: ast.Compare) -> p.Condition:
        bounds: dict[str, Any] = {}
        subject: ast.expr | None = None
        terms = [node.left, *node.comparators]
        for left, op, right in zip(terms, node.ops, terms[1:], strict=False):
            flipped = isinstance(left, ast.Constant)
            subject, limit = (right, left) if flipped else (left, right)
            if not isinstance(limit, ast.Constant) or not isinstance(limit.value, int | float):
                raise ExpressionError(f"a number is expected: {ast.unparse(limit)}")
            kind = cast(tuple[type[ast.cmpop], ...], (ast.Gt, ast.GtE))
            if not isinstance(op, ast.Gt | ast.GtE | ast.Lt | ast.LtE):
                raise ExpressionError("only < <= > >= compare")
            end = "low" if isinstance(op, kind) is not flipped else "high"
            bounds |= {end: float(limit.value), f"{end}_in": isinstance(op, ast.GtE | ast.LtE)}
        return self._between(subject, bounds)

    def _between(self, subject: ast.expr | None, bounds: Mapping[str, Any]) -> p.Condition:
        if isinstance(subject, ast.Attribute) and subject.attr in atoms.MEASURES:
            return atoms.Dosed(self._letter(subject.value), subject.attr, **bounds)
        if isinstance(subject, ast.Name) and subject.id in ("age", "clearance", "egfr"):
            return atoms.Measured(cast(Any, subject.id), **bounds)
        raise ExpressionError(f"not a measure: {ast.unparse(subject) if subject else ''}")


def _tree(text: str) -> ast.expr:
    return ast.parse(" ".join(text.split()), mode="eval").body


def _strings(args: Iterable[ast.expr]) -> tuple[str, ...]:
    words = tuple(a.value for a in args if isinstance(a, ast.Constant) and isinstance(a.value, str))
    if not words:
        raise ExpressionError("a text in quotes is expected")
    return words
