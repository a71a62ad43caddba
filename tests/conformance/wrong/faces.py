"""Solutions whose pages or operations are wrong, each in one way."""

from __future__ import annotations

from dataclasses import dataclass

from wrong.solutions import Right

from lab39.core.errors import InputError
from lab39.core.faces import Operation, Page, View
from lab39.core.text import Text


def right(call):
    """A page that shows what is typed."""
    return View(template="right.html.jinja", values={"typed": call.query.text("typed")})


def shows(template):
    """A page of another template."""
    return lambda call: View(template=template, values={"typed": call.query.text("typed")})


def raises(call):
    """A mistake."""
    raise KeyError("nothing")


def careless(call):
    """A mistake for those who type."""
    return View(template="right.html.jinja", values={"typed": int(call.query.text("typed") or "0")})


def page(handler, path="", permission="showroom.see"):
    """One page."""
    return Page(path=path, title=Text("Page", "Page"), handler=handler, permission=permission)


right_pages = (page(right), page(right, "of/{thing}", "records.own"))
raising = (page(raises),)
unknown_permission = (page(right, permission="everything"),)
wrong_pages = (
    page(right, "right"),
    page(careless, "careless"),
    page(shows("unescaped.html.jinja"), "unescaped"),
    page(shows("one_language.html.jinja"), "one-language"),
    page(shows("out.html.jinja"), "out"),
    page(shows("inline.html.jinja"), "inline"),
    page(shows("unstyled.html.jinja"), "unstyled"),
)


class RightWithFaces(Right):
    pages = "wrong.faces:right_pages"
    operations = "wrong.faces:right_operations"


class PagesThatDoNotLoad(Right):
    pages = "wrong.nowhere:pages"


class UnknownPermission(Right):
    pages = "wrong.faces:unknown_permission"


class PageThatRaises(Right):
    pages = "wrong.faces:raising"


class Everything(Right):
    pages = "wrong.faces:wrong_pages"
    operations = "wrong.faces:wrong_operations"


@dataclass(frozen=True)
class Numbers:
    """What is added."""

    a: int
    b: int


def add(call):
    """A sum, of numbers that are not negative."""
    if call.body.a < 0:
        raise InputError(Text("négatif", "negative"), "a")
    return {"sum": call.body.a + call.body.b}


def operation(handler, path="sum", **more):
    """One operation."""
    base = {"summary": "Add", "permission": "assess.once", "body": Numbers}
    return Operation(**(base | {"handler": handler, "path": path} | more))


right_operations = (operation(add, example={"a": 1, "b": 2}),)
raising_operations = (operation(raises, example={"a": 1, "b": 2}),)
wrong_operations = (
    operation(add, "negative", example={"a": -1, "b": 2}),
    operation(add, "bare"),
    operation(lambda call: {"sum": 3}, "$sum", body=None, definition="urn:x"),
)


class OperationThatRaises(Right):
    operations = "wrong.faces:raising_operations"
