"""``/api/v1``: assess a record, see the solutions and what they are worth."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path

from lab39 import fhir
from lab39.core.finding import jsonable
from lab39.core.lab import Lab
from lab39.core.solution import Solution
from lab39.core.text import Text
from lab39.web.api import models
from lab39.web.api.answers import Exact, problems
from lab39.web.api.assessing import Caller, InLang, OnDay, OnlyThese, assess
from lab39.web.api.bodies import FHIR, Body, reads
from lab39.web.api.guard import asked_for
from lab39.web.api.refusals import UnreadableError
from lab39.web.api.samples import documents
from lab39.web.house import Here
from lab39.web.roles import Needs
from lab39.web.viewer import See

router = APIRouter(prefix="/api/v1", dependencies=[Depends(asked_for)])
SolutionId = Annotated[str, Path(description="Id of an installed solution.", examples=["raredisease"])]


@router.post(
    "/assess",
    tags=["Assess"],
    dependencies=[Depends(Needs("assess.once"))],
    response_class=Exact,
    responses=problems(403, 404, 413, 415, 422, 429, gives=models.Reports),
    openapi_extra={"requestBody": documents("A FHIR R4 Bundle or resource, or a Phenopacket v2.")},
)
def assess_once(
    here: Here,
    viewer: See,
    body: Annotated[Body, Depends(reads(*FHIR))],
    on: OnDay = None,
    only: OnlyThese = [],  # noqa: B006
    lang: InLang = None,
) -> Exact:
    """Assess one record. It is not kept: the audit log holds its size and digest, and nothing that is in it."""
    del lang  # read by the viewer; the report carries both languages
    record = fhir.record(body.raw, settings=here.settings)
    report = assess(here, record, body, Caller(viewer.person or "", "rest"), on=on, only=only)
    return Exact({"reports": [report.as_dict()], "failed": []})


@router.get(
    "/solutions",
    tags=["Solutions"],
    dependencies=[Depends(Needs("showroom.see"))],
    response_class=Exact,
    responses=problems(gives=models.Solutions),
)
def solutions(here: Here) -> Exact:
    """The installed solutions; one that does not load is there with the reason."""
    rows = [_solution(here.lab, each) for each in here.lab.solutions.values()]
    rows += [{"id": name, "error": why} for name, why in here.lab.broken.items()]
    return Exact({"solutions": rows})


@router.get(
    "/solutions/{solution}",
    tags=["Solutions"],
    dependencies=[Depends(Needs("showroom.see"))],
    response_class=Exact,
    responses=problems(404, 422, gives=models.Solution),
)
def solution(here: Here, solution: SolutionId) -> Exact:
    """One solution, and the data packs it uses."""
    return Exact(_solution(here.lab, here.lab.solution(solution)))


@router.get(
    "/solutions/{solution}/evidence",
    tags=["Solutions"],
    dependencies=[Depends(Needs("showroom.see"))],
    response_class=Exact,
    responses=problems(404, 422, gives=models.Evidence),
)
def evidence(here: Here, solution: SolutionId) -> Exact:
    """What one solution claims, what shows it beside its peers, and its limits."""
    chosen = here.lab.solution(solution)
    try:
        card = chosen.evidence()
    except Exception as error:
        why = f"{type(error).__name__}: {error}"[:300]
        raise UnreadableError(
            Text(f"fiche de preuve illisible\u202f: {why}", f"unreadable evidence card: {why}"), solution
        ) from error
    return Exact({"id": chosen.id, "title": chosen.title.as_dict(), "card": jsonable(card)})


def _solution(lab: Lab, each: Solution) -> dict[str, Any]:
    return {
        "id": each.id,
        "title": each.title.as_dict(),
        "purpose": each.purpose.as_dict(),
        "version": each.version,
        "packs": {spec.name: lab.packs.has(spec.name) for spec in each.packs()},
        "error": None,
    }
