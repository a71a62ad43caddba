"""``/cds-services``: discovery, the three services, feedback."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable
from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import APIRouter, Depends, Path, Request

from lab39.core.finding import Finding, Report
from lab39.core.lab import NO_ANSWER
from lab39.core.text import Text
from lab39.fhir import jsontext
from lab39.store import audit
from lab39.store import cds as kept
from lab39.web.api import models
from lab39.web.api.answers import Exact, outcomes
from lab39.web.api.assessing import Caller, keep
from lab39.web.api.bodies import JSON, Body, reads
from lab39.web.api.cds import catalogue, clients, gathering, samples
from lab39.web.api.cds import request as asked
from lab39.web.api.cds.cards import Deck, partial, unread
from lab39.web.api.cds.clients import Clients, Signed
from lab39.web.api.ledger import ledger
from lab39.web.api.refusals import TokenError
from lab39.web.house import Here, House
from lab39.web.roles import Needs
from lab39.web.viewer import language

BASE = "/cds-services"
SWEEP_EVERY = dt.timedelta(hours=1)
router = APIRouter(prefix=BASE, tags=["CDS Hooks"])
ServiceId = Annotated[str, Path(description="Id of a service.", examples=list(catalogue.services())[:1])]


@router.get(
    "",
    dependencies=[Depends(Needs("showroom.see"))],
    response_class=Exact,
    responses=outcomes(gives=models.CdsServices),
)
def discovery(request: Request) -> Exact:
    """The services, the moment each answers to, and the data it asks for."""
    return Exact(catalogue.discovery(language(request)))


@router.post(
    "/{service}",
    dependencies=[Depends(Needs("assess.once"))],
    response_class=Exact,
    responses=outcomes(401, 404, 412, 413, 415, 422, 429, gives=models.CdsResponse),
    openapi_extra={"requestBody": samples.call()},
)
def call(request: Request, here: Here, service: ServiceId, body: Annotated[Body, Depends(reads(*JSON))]) -> Exact:
    """Cards for one patient.

    Data that was not sent is fetched from `fhirServer` when the lab may call it; what stays absent is told on a
    card. For orders, only what the new ones change is shown.
    """
    chosen = catalogue.service(service)
    signed = _signed(request, here, f"{BASE}/{service}")
    sent, context = asked.call(body.parsed(here.settings), chosen)
    gathered = gathering.gather(sent, context, here.settings)
    report, findings, known = _findings(here, gathered, context)
    if gathered.absent:
        findings.append(partial(gathered.absent))
    if (doubt := unread(report.issues)) is not None:
        findings.append(doubt)
    deck = Deck(chosen, sent.hookInstance.lower(), _base(request, here), language(request), known)
    cards = deck.cards(report, findings)
    rows = [
        kept.Card(card["uuid"], service, f.solution[:60], f.code[:120], f.severity.value)
        for card, f in zip(cards, findings, strict=True)
    ]

    def also(tx: sa.Connection) -> None:
        _once(tx, signed)
        kept.give(tx, rows, at=here.now())
        _sweep(request, here, tx)

    keep(here, report, body, Caller("", service, signed.issuer if signed else ""), also)
    return Exact({"cards": cards})


@router.post(
    "/{service}/feedback",
    dependencies=[Depends(Needs("assess.once"))],
    response_class=Exact,
    responses=outcomes(401, 404, 413, 415, 422, 429, gives=models.Nothing),
    openapi_extra={"requestBody": samples.feedback()},
)
def feedback(
    request: Request, here: Here, service: ServiceId, body: Annotated[Body, Depends(reads(*JSON))]
) -> Exact:
    """What clinicians did with cards: kept, and counted by kind of finding."""
    catalogue.service(service)
    signed = _signed(request, here, f"{BASE}/{service}/feedback", f"{BASE}/{service}")
    rows = [_kept(each) for each in asked.feedback(body.parsed(here.settings))]
    client = signed.issuer if signed else ""

    def write(tx: sa.Connection) -> None:
        _once(tx, signed)
        new = kept.receive(tx, service, rows, client=client, at=here.now())
        about: dict[str, Any] = {"door": service, "received": len(rows), "new": new}
        audit.append(
            tx, at=here.now(), actor="", action="feedback", about=about | ({"client": client} if client else {})
        )

    ledger(here.store).write(write)
    return Exact({})


def _findings(
    here: House, gathered: gathering.Gathered, context: asked.Context
) -> tuple[Report, list[Finding], frozenset[str]]:
    """What is shown, the report it comes from, and what the caller holds."""
    on = here.today()
    if not isinstance(context, asked.OrderContext):
        record = gathering.record(gathered.entries, here.settings)
        report = here.lab.assess(record, on)
        return report, list(report.told), _names(gathered.entries)
    before, after, ordered = gathering.ordered(gathered, context)
    report = here.lab.assess(gathering.record(after, here.settings), on, about=ordered)
    known: tuple[Finding, ...] = ()
    if speaking := {f.solution for f in report.findings}:  # what the others said before changes nothing
        known = here.lab.assess(gathering.record(before, here.settings), on, speaking).told
    return report, changed(known, report.told), _names(after)


def changed(before: Iterable[Finding], after: Iterable[Finding]) -> list[Finding]:
    """The findings that the new orders bring or change; one that says the same in another order is the same.

    One that failed is always told: what it would have said of the orders is not known.
    """
    left, other = list(before), []
    for finding in after:
        if finding.code != NO_ANSWER[0] and finding in left:  # most of them: to compare contents costs far more
            left.remove(finding)
        else:
            other.append(finding)
    codes = {finding.code for finding in other}
    known = Counter(_content(finding) for finding in left if finding.code in codes)
    found = []
    for finding in other:
        content = _content(finding)
        if finding.code == NO_ANSWER[0] or not known[content]:
            found.append(finding)
        else:
            known[content] -= 1
    return found


def _content(finding: Finding) -> str:
    return jsontext.dumps(_unordered(finding.as_dict()))


def _unordered(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _unordered(value[name]) for name in sorted(value)}
    if isinstance(value, list):
        return sorted((_unordered(each) for each in value), key=jsontext.dumps)
    return value


def _names(entries: Any) -> frozenset[str]:
    raws = [entry["resource"] for entry in entries]
    return frozenset(f"{raw.get('resourceType')}/{raw['id']}" for raw in raws if raw.get("id"))


def _kept(each: asked.Feedback) -> kept.Feedback:
    why = each.overrideReason
    reason = why.reason if why else None
    return kept.Feedback(
        card=each.card.lower(),
        outcome=each.outcome,
        outcome_at=each.at,
        suggestions=len(each.acceptedSuggestions or ()),
        reason_system=(reason.system or "") if reason else "",
        reason_code=reason.code if reason else "",
        comment=(why.userComment or "") if why else "",
    )


def _signed(request: Request, here: House, *paths: str) -> Signed | None:
    """Who signed this request, when signatures are asked for."""
    known: Clients = request.app.state.cds_clients
    base = _base(request, here)
    header = request.headers.get("authorization", "")
    return known.check(header, frozenset(f"{base}{path}" for path in paths), here.now())


def _sweep(request: Request, here: House, tx: sa.Connection) -> None:
    """Forget what is old, once an hour."""
    at, state = here.now(), request.app.state
    if at - state.cds_swept_at >= SWEEP_EVERY:
        state.cds_swept_at = at
        kept.sweep(tx, at=at)


def _once(tx: sa.Connection, signed: Signed | None) -> None:
    if signed is not None and not kept.first_use(tx, signed.issuer, signed.nonce, expires_at=signed.expires_at):
        raise TokenError(Text("ce jeton a déjà servi (jti)", "this token was used before (jti)"), "Authorization")


def _base(request: Request, here: House) -> str:
    return here.settings.public_url or str(request.base_url).rstrip("/")


def install(app: Any, here: House) -> None:
    """What the routes need of the application, once.

    Raises:
        InputError: the file of clients cannot be used; the lab does not start without the guard it was told of.
    """
    app.state.cds_swept_at = here.now()
    app.state.cds_clients = clients.of(here.settings)
    app.include_router(router)
