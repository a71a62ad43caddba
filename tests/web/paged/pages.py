"""Its pages."""

from __future__ import annotations

from decimal import Decimal

from lab39 import fhir
from lab39.core.errors import InputError
from lab39.core.faces import Call, Download, Page, Redirect, View
from lab39.core.text import Text


def scale(call: Call) -> View:
    """A form; what was weighed under it."""
    weight, wrong = call.query.text("weight"), None
    if weight and not weight.isdecimal():
        wrong = InputError(Text("un nombre est attendu", "a number is expected"), "weight")
    values = {"weight": weight, "shown": None if wrong or not weight else Decimal(weight), "on": call.on}
    return View(
        template="scale.html.jinja", values=values, part="shown.html.jinja", wrong=wrong, push=f"?weight={weight}"
    )


def sent(call: Call) -> View:
    """A form that is computed with, not kept."""
    file = call.file("picture")
    words = f"{call.form.text('words')}|{len(file.content) if file else '-'}|{file.name if file else ''}"
    return View(template="words.html.jinja", values={"words": words})


def found(call: Call) -> View:
    """A record assessed."""
    record = fhir.record('{"resourceType": "Patient", "gender": "female"}')
    report = call.ctx.assess(record, call.on)
    asked = call.ctx.ask("weighing", record, call.on), call.ctx.ask("nobody", record, call.on)
    return View(template="words.html.jinja", values={"words": f"{[f.code for f in report.findings]} {asked[1]}"})


def keep(call: Call) -> Redirect:
    """Something written: an event, a job, an audit entry."""
    with call.ctx.writing() as tx:
        tx.audit("weighing.kept", {"n": 1})
        tx.publish("weighing.kept", {"n": 1})
        tx.add_job("weighing.later", {"n": 1})
        if call.form.text("fail"):
            raise InputError(Text("refusé", "refused"), "fail")
    return Redirect("/weighing/word/kept")


def word(call: Call) -> View:
    """A word of the address."""
    return View(template="words.html.jinja", values={"words": call.path["word"]})


def table(call: Call) -> Download:
    """A file."""
    return Download(content=b"a;b\n", name="poids é.csv", media_type="text/csv; charset=utf-8")


def raises(call: Call) -> View:
    """A mistake."""
    raise ZeroDivisionError("of Mrs Marqueur")


def overruns(call: Call) -> View:
    """Never ends."""
    while True:
        pass


def mistaken(call: Call) -> View:
    """A template that uses what it was not given."""
    return View(template="words.html.jinja")


def nothing(call: Call) -> View:
    """Not an answer."""
    return None  # type: ignore[return-value]


def page(path, handler, permission="showroom.see", methods=("GET",), **more):
    return Page(path=path, title=Text(path or "Balance", path or "Scale"), handler=handler, permission=permission,
                methods=methods, **more)  # fmt: skip


pages = (
    page("found", found, "assess.once"),
    page("", scale, about=Text("Peser quelque chose", "Weigh something")),
    page("sent", sent, "assess.once", ("GET", "POST")),
    page("kept", keep, "records.own", ("POST",)),
    page("word/{word}", word),
    page("table", table, listed=False),
)

failing = (
    page("raises", raises, methods=("GET", "POST")),
    page("overruns", overruns),
    page("mistaken", mistaken),
    page("nothing", nothing),
)
