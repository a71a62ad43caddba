"""``/signals/board``: signals under assessment, from a run to a recommendation."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from lab39.core.errors import InputError, LabError, UnknownNameError
from lab39.core.faces import Call, Download, Fields, Page, Redirect, View
from lab39.core.text import NO_TEXT, Text
from lab39.solutions.signals import (
    board,
    board_export,
    board_figures,
    board_store,
    board_view,
    causality,
    spreadsheet,
)
from lab39.solutions.signals.board_figures import Figures
from lab39.solutions.signals.board_view import CaseForm, Opened

BASE = "/signals/board"
A_PAGE = 50
SEE, ASSESS = "signals.see", "signals.assess"
_TOLD: Mapping[str, Text] = {
    "opened": Text("signal ouvert", "signal opened"),
    "there": Text("ce couple était déjà suivi\u202f: voici son signal", "this pair was on the board: here it is"),
    "decided": Text("décision enregistrée et signée", "decision saved and signed"),
    "commented": Text("commentaire enregistré", "comment saved"),
    "case": Text("imputabilité enregistrée", "causality saved"),
    "figures": Text("chiffres notés dans l'historique", "figures noted in the history"),
}


def listing(call: Call) -> View:
    """The signals, by state, the last changed first."""
    asked = {name: call.query.text(name)[:200] for name in ("q", "state", "priority", "mine")}
    workflow, wrong = board.workflow(), None
    try:
        call.query.choice("state", workflow.states, next(iter(workflow.states)))
        call.query.choice("priority", workflow.choices["priority"], "routine")
    except InputError as error:
        wrong, asked = error, asked | {"state": "", "priority": ""}
    page = max(1, int(call.query.text("page"))) if call.query.text("page").isdecimal() else 1
    mine = (call.who.person or "") if asked["mine"] else ""
    by: dict[str, Any] = {"text": asked["q"], "mine": mine, "priority": asked["priority"]}
    with call.ctx.reading() as tx:
        counts = board_store.counts(tx, **by)
        rows = board_store.find(
            tx,
            states=(asked["state"],) if asked["state"] else (),
            **by,
            limit=A_PAGE + 1,
            offset=(page - 1) * A_PAGE,
        )
        first = board_store.first_details(tx, rows[:A_PAGE])
    return View(
        template="board.html.jinja",
        wrong=wrong,
        values={
            "asked": asked,
            "counts": counts,
            "total": sum(counts.values()),
            "rows": rows[:A_PAGE],
            "more": len(rows) > A_PAGE,
            "page": page,
            "first": {each: Figures.of(details) for each, details in first.items()},
            "workflow": workflow,
            "written": lambda name, value: board_view.written(name, value, call.lang),
        },
    )


def export_list(call: Call) -> Download:
    """The list as a spreadsheet."""
    heads = Text(
        "médicament,événement,état,priorité,analyse,ouvert le,changé le,adresse",
        "drug,event,state,priority,run,opened on,changed on,address",
    )
    made: list[list[Any]] = [heads[call.lang].split(",")]
    workflow = board.workflow()
    with call.ctx.reading() as tx:
        rows = board_store.find(tx, limit=100_000)
        some = (rows[at : at + A_PAGE] for at in range(0, len(rows), A_PAGE))
        first = {name: details for part in some for name, details in board_store.first_details(tx, part).items()}
        for each in rows:
            priority = workflow.choices["priority"].get(each.priority, NO_TEXT)[call.lang]
            figures = Figures.of(first.get(each.id, {}))
            run = figures.title[call.lang] if figures else None
            state = workflow.states[each.state].title[call.lang]
            days = (each.opened_at.astimezone(dt.UTC).date(), each.changed_at.astimezone(dt.UTC).date())
            made.append([each.drug, each.event, state, priority, run, *days, f"{BASE}/{each.id}"])
    return spreadsheet.download(made, Text("signaux.csv", "signals.csv")[call.lang])


def new(call: Call) -> View:
    """Open a signal: the pair, what the run says of it, why."""
    return _new(call, call.query, None)


def open_one(call: Call) -> View | Redirect:
    """Put the pair on the board, with the figures of the run at that time."""
    try:
        run = board_figures.named(call.ctx.packs, call.form.text("run"))
        drug, event = _pair(call.form)
        reason = board.words(call.form.text("reason"))
        told = board_figures.figures(run, drug, event) if run else None
        if told is not None and told.found:
            drug, event = told.drug, told.event
        details = told.as_details() if told is not None else {}
        with call.ctx.writing() as tx:
            kept = board_store.open_signal(tx, drug, event, reason=reason, details=details)
    except InputError as error:
        return _new(call, call.form, error)
    return Redirect(f"{BASE}/{kept.signal}?said={'opened' if kept.new else 'there'}")


def one(call: Call) -> View:
    """One signal: where it stands, what moved, what to decide, its history."""
    return _one(call, board_view.opened(call.ctx, call.path["signal"]), call.query)


def decide(call: Call) -> View | Redirect:
    """Take a decision, or be told that somebody decided meanwhile: what was typed is still there."""
    signal, form = call.path["signal"], call.form
    given: dict[str, Any] = {}
    try:
        if not form.text("move"):
            raise InputError(Text("choisir une décision", "choose a decision"), "move")
        chosen = board.move(form.text("move"))
        if chosen.needs:
            several = chosen.needs == "recommendations"
            given[chosen.needs] = list(form.all(chosen.needs)) if several else form.text(chosen.needs)
        with call.ctx.reading() as connection:
            found = board_store.get(connection, signal)
        run = board_figures.newest(call.ctx.packs)
        details = board_figures.figures(run, found.drug, found.event).as_details() if run else {}
        with call.ctx.writing() as tx:
            board_store.decide(
                tx,
                signal,
                chosen.id,
                seen=_seen(form),
                reason=form.text("reason"),
                given=given,
                details=details,
            )
    except board_store.UnknownSignalError:
        raise
    except (InputError, UnknownNameError, board.ForbiddenMoveError, board_store.OvertakenError) as error:
        return _one(call, board_view.opened(call.ctx, signal), form, wrong=error)
    return Redirect(f"{BASE}/{signal}?said=decided")


def comment(call: Call) -> View | Redirect:
    """Add a comment."""
    signal = call.path["signal"]
    try:
        with call.ctx.writing() as tx:
            board_store.comment(tx, signal, call.form.text("comment"), seen=_seen(call.form))
    except InputError as error:
        return _one(call, board_view.opened(call.ctx, signal), call.form, wrong=error)
    return Redirect(f"{BASE}/{signal}?said=commented#history")


def note(call: Call) -> Redirect:
    """Keep the figures of the newest run in the history."""
    signal = call.path["signal"]
    with call.ctx.reading() as connection:
        found = board_store.get(connection, signal)
    run = board_figures.newest(call.ctx.packs)
    if run is None:
        raise InputError(Text("aucune analyse importée ici", "no run imported here"), "run")
    details = board_figures.figures(run, found.drug, found.event).as_details()
    with call.ctx.writing() as tx:
        board_store.add(tx, signal, board.FIGURES, "", details, seen=_seen(call.form))
    return Redirect(f"{BASE}/{signal}?said=figures#history")


def case(call: Call) -> View:
    """The form of a case; what is answered stands in the address, and is scored."""
    return _case(call, call.query, None)


def keep_case(call: Call) -> View | Redirect:
    """Keep the form of a case with the signal."""
    signal = call.path["signal"]
    try:
        details = _answers(call.form)
        with call.ctx.writing() as tx:
            board_store.add(tx, signal, board.CASE, "", details, seen=_seen(call.form))
    except InputError as error:
        return _case(call, call.form, error)
    return Redirect(f"{BASE}/{signal}?said=case#cases")


def export(call: Call) -> Download:
    """One signal as a spreadsheet, as FHIR, or on paper."""
    found, form = board_view.opened(call.ctx, call.path["signal"]), call.path["form"]
    if form == "csv":
        return board_export.as_csv(found, call.lang)
    if form == "fhir":
        return board_export.as_fhir(found, call.lang)
    if form == "pdf":
        return board_export.as_pdf(found, call.on)
    raise UnknownNameError(Text("formats\u202f: csv, fhir, pdf", "formats: csv, fhir, pdf"), form[:40])


def _new(call: Call, sent: Fields, wrong: LabError | None) -> View:
    drug, event, figures, there, run = sent.text("drug"), sent.text("event"), None, None, None
    try:
        run = board_figures.named(call.ctx.packs, sent.text("run"))
    except InputError as error:
        wrong = wrong or error
    if drug and event:
        figures = board_figures.figures(run, drug, event) if run else None
        with call.ctx.reading() as tx:
            there = board_store.of_pair(tx, drug, event)
    return View(
        template="board_new.html.jinja",
        wrong=wrong,
        values={
            "form": {name: sent.text(name) for name in ("drug", "event", "run", "reason")},
            "figures": figures,
            "run": run,
            "there": there,
            "names": board_figures.NAMES,
            "written": lambda name, value: board_view.written(name, value, call.lang),
        },
    )


def _pair(form: Fields) -> tuple[str, str]:
    return (
        board.name_of(form.text("drug"), "drug", Text("écrire le médicament", "write the drug")),
        board.name_of(form.text("event"), "event", Text("écrire l'événement", "write the event")),
    )


def _one(call: Call, found: Opened, sent: Fields, *, wrong: LabError | None = None) -> View:
    moves = {each.id for each in found.moves}
    chosen = sent.text("move") if sent.text("move") in moves else ""  # a signed decision is nobody's default
    return View(
        template="board_signal.html.jinja",
        wrong=wrong,
        said=_TOLD.get(sent.text("said"), NO_TEXT) if wrong is None else NO_TEXT,
        values={
            "found": found,
            "signal": found.signal,
            "chosen": chosen,
            "form": {
                name: sent.text(name) if wrong else "" for name in ("reason", "comment", "priority", "conclusion")
            },
            "ticked": sent.all("recommendations") if wrong else (),
            "workflow": board.workflow(),
            "steps": [each for each in board.workflow().states.values() if not each.ended],
            "names": board_figures.NAMES,
            "written": lambda name, value: board_view.written(name, value, call.lang),
            "french": causality.french(),
        },
    )


def _case(call: Call, sent: Fields, wrong: LabError | None) -> View:
    with call.ctx.reading() as tx:
        signal = board_store.get(tx, call.path["signal"])
    found: CaseForm | None = None
    if wrong is None and (sent.text("case") or any(sent.text(each.id) for each in causality.questions())):
        try:
            found = board_view.case_form(_answers(sent))
        except InputError as error:
            wrong = error
    return View(
        template="board_case.html.jinja",
        wrong=wrong,
        values={
            "signal": signal,
            "form": {name: sent.text(name) for name in ("case", "who_umc")}
            | {each.id: sent.text(each.id) for each in causality.questions()},
            "questions": causality.questions(),
            "answers": causality.ANSWERS,
            "categories": causality.categories(),
            "sources": {name: causality.source(name) for name in ("naranjo", "who-umc")},
            "french": causality.french(),
            "found": found,
        },
    )


def _answers(sent: Fields) -> dict[str, Any]:
    """The form of a case as an entry keeps it.

    Raises:
        InputError: no case, an unknown answer, or nothing answered.
    """
    kept: dict[str, Any] = {"case": board.case_id(sent.text("case"))}
    answers = {each.id: sent.text(each.id) for each in causality.questions() if sent.text(each.id)}
    if answers:
        causality.naranjo(answers)
        kept["naranjo"] = answers
    if sent.text("who_umc"):
        kept["who_umc"] = causality.who_umc(sent.text("who_umc")).code
    if len(kept) == 1:
        raise InputError(
            Text("répondre aux questions, ou choisir une catégorie", "answer the questions, or choose a category"),
            "who_umc",
        )
    return kept


def _seen(form: Fields) -> int:
    written = form.text("seen")
    return int(written) if written.isascii() and written.isdigit() and len(written) < 10 else 0


def _page(path: str, title: Text, handler: Any, permission: str, **more: Any) -> Page:
    return Page(
        path=f"board{path}", title=title, handler=handler, permission=permission, **{"listed": False, **more}
    )


_SIGNAL = Text("Signal", "Signal")
pages = (
    _page(
        "",
        Text("Suivre les signaux", "Follow the signals"),
        listing,
        SEE,
        listed=True,
        about=Text(
            "De la détection à la recommandation\u202f: décisions signées, cas, ce qui a changé depuis",
            "From detection to recommendation: signed decisions, cases, what changed since",
        ),
    ),
    _page("/export", Text("Exporter la liste", "Export the list"), export_list, SEE),
    _page("/new", Text("Ouvrir un signal", "Open a signal"), new, ASSESS),
    _page("/open", Text("Ouvrir un signal", "Open a signal"), open_one, ASSESS, methods=("POST",)),
    _page("/{signal}", _SIGNAL, one, SEE),
    _page("/{signal}/decide", Text("Décider", "Decide"), decide, ASSESS, methods=("POST",)),
    _page("/{signal}/comment", Text("Commenter", "Comment"), comment, SEE, methods=("POST",)),
    _page("/{signal}/note", Text("Noter les chiffres", "Note the figures"), note, ASSESS, methods=("POST",)),
    _page("/{signal}/case", Text("Imputabilité d'un cas", "Causality of a case"), case, ASSESS),
    _page("/{signal}/case/keep", Text("Enregistrer", "Save"), keep_case, ASSESS, methods=("POST",)),
    _page("/{signal}/export/{form}", Text("Exporter", "Export"), export, SEE),
)
