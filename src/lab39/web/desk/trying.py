"""A desk on a fictional record, for anybody: the page, its answers and decisions, its exports."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from fastapi import Request
from fastapi.datastructures import FormData
from fastapi.responses import HTMLResponse, Response

from lab39.core.errors import InputError, UnknownNameError
from lab39.core.finding import Report
from lab39.core.record import Record
from lab39.core.text import NO_TEXT, Text
from lab39.fhir.examples import Example
from lab39.web.desk import answers as given
from lab39.web.desk import changes, downloads, posting, view
from lab39.web.desk.trial import Trial
from lab39.web.house import House
from lab39.web.viewer import language, remember_language

Page = Callable[[Trial, Mapping[str, Any]], HTMLResponse]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a demonstration stands.

    Attributes:
        base: path of its page.
        only: the solutions asked; all of them when empty.
    """

    base: str
    example: Example
    only: tuple[str, ...] = ()


def opened(here: House, form: FormData, example: Example) -> Trial:
    """What the form brought back.

    Raises:
        ForgedError
    """
    return Trial.opened(posting.word(form, "state"), example.id, here.secret)


def values(here: House, place: Place, trial: Trial, said: Text = NO_TEXT, spot: str = "") -> dict[str, Any]:
    """What the templates of the desk show."""
    record, found = _found(here, place, trial)
    since = None
    if trial.answers:
        before = replace(trial, answers=trial.answers[:-1])
        since = changes.between(_found(here, place, before)[1], found)
    shown = view.desk(
        record,
        found,
        base=place.base,
        demo=True,
        decisions=trial.shown(place.example.day),
        since=since,
        answers=trial.answers,
        token=trial.sealed(here.secret),
        said=said,
        place=spot,
        usual=not place.only,
        name=place.example.who,
    )
    return {
        "desk": shown,
        "wrong": None,
        "conflict": None,
        "draft": None,
        "reply": None,
        "pseudonym": "",
        "self_path": place.base,
    }


def act(request: Request, here: House, place: Place, what: str, form: FormData, page: Page) -> Response:
    """One of the forms of the desk.

    Raises:
        ForgedError, InputError, UnknownNameError
    """
    trial = opened(here, form, place.example)
    spot = posting.place(form)
    match what:
        case "answers":
            try:
                answer = given.read(posting.answer_fields(form), place.example.day)
                trial = trial.answered(answer)
                _found(here, place, trial)
            except InputError as error:
                trial = opened(here, form, place.example)
                return page(
                    trial,
                    values(here, place, trial, spot=spot) | {"wrong": posting.wrong(form, error), "status": 422},
                )
            told = posting.recomputed(answer.say())
        case "decisions":
            finding, action, reason = posting.decision(form)
            if finding not in {changes.key(f) for f in _found(here, place, trial)[1].findings}:
                raise UnknownNameError(Text("ce constat n'est plus là", "this finding is no longer there"))
            trial, told = trial.decided(finding, action.value, reason), posting.DECIDED[action]
        case "undo":
            index = posting.word(form, "index")
            trial = trial.without(int(index)) if index.isdecimal() and len(index) < 4 else trial
            told = Text("saisie retirée, le rapport est recalculé", "entry removed, the report is computed again")
        case "export":
            return _export(request, here, place, trial, posting.word(form, "form"))
        case _:
            raise UnknownNameError(Text("cette page n'existe pas", "there is no such page"))
    return page(trial, values(here, place, trial, told, spot))


def with_language(request: Request, here: House, answer: Response) -> Response:
    """Remember the language the page was asked in."""
    if request.query_params.get("lang"):
        remember_language(answer, request, here, language(request))
    return answer


def _found(here: House, place: Place, trial: Trial) -> tuple[Record, Report]:
    record = trial.record(place.example)
    return record, here.lab.assess(record, place.example.day, place.only)


def _export(request: Request, here: House, place: Place, trial: Trial, form: str) -> Response:
    record, found = _found(here, place, trial)
    stem = f"lab39-{place.example.id}"
    match form:
        case "fhir":
            return downloads.fhir(here.lab, found, stem, language(request), here.now()).response()
        case "json":
            return downloads.json(found, stem).response()
        case "record":
            return downloads.record(record, stem).response()
    raise downloads.unknown(form)
