"""From what a CDS client sent, and what it lets the lab fetch, to one record; what is absent is named."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from lab39 import fhir
from lab39.core.errors import InputError, LabError
from lab39.core.record import Record
from lab39.core.text import Text
from lab39.settings import Settings
from lab39.web.api.cds.catalogue import Prefetch, prefetches
from lab39.web.api.cds.request import Context, OrderContext, Request
from lab39.web.api.cds.servers import PAGES, FhirServer, Opener, allowed
from lab39.web.api.refusals import PreconditionError

AT_ONCE = 4
Resource = Mapping[str, Any]
Entry = Mapping[str, Any]


@dataclass(slots=True)
class _Gathered:
    """One piece of the record; ``absent`` says why it is not whole, ``None`` when it is."""

    entries: list[Entry] = field(default_factory=list)
    absent: LabError | None = None


@dataclass(frozen=True, slots=True)
class Gathered:
    """What is known of one patient.

    Attributes:
        entries: of a Bundle.
        absent: pieces that were neither sent nor fetched, or not whole.
    """

    entries: tuple[Entry, ...]
    absent: tuple[Prefetch, ...]


def gather(request: Request, context: Context, settings: Settings, opener: Opener | None = None) -> Gathered:
    """Everything that was sent; what was not is fetched when it may be.

    Raises:
        PreconditionError: the patient was neither sent nor could be fetched.
        InputError: what was sent is about another patient.
    """
    sent = request.prefetch or {}
    base = allowed(request.fhirServer, settings)
    given = request.fhirAuthorization
    server = FhirServer(base, given.access_token if given else "", settings, opener) if base else None
    others = {p.key for p in prefetches()}
    extra = [_Gathered(list(_entries(value))) for key, value in sent.items() if key not in others and value]
    brought = {str(_kind(entry)) for piece in extra for entry in piece.entries}

    def piece(each: Prefetch) -> _Gathered:
        if each.key in sent and not (each.required and sent[each.key] is None):
            return _pages(sent[each.key], server)
        if each.kinds <= brought:  # sent under another name
            return _Gathered()
        if server is None:
            return _Gathered(absent=_not_sent(request))
        try:
            return _pages(server.get(each.address(context.patientId)), server)
        except LabError as error:
            return _Gathered(absent=error)

    wanted = sorted(prefetches(), key=lambda p: not p.required)
    pieces = [piece(each) for each in wanted if each.required]  # alone: nothing else uses up its time and size
    rest = wanted[len(pieces) :]
    if server is None:
        pieces += [piece(each) for each in rest]
    else:
        with ThreadPoolExecutor(AT_ONCE) as pool:
            pieces += pool.map(piece, rest)
    entries = _once(entry for each in (*pieces, *extra) for entry in each.entries)
    _about_the_patient(entries, context, pieces, wanted)
    absent = tuple(p for p, found in zip(wanted, pieces, strict=True) if found.absent is not None)
    return Gathered(tuple(entries), absent)


def record(entries: Sequence[Entry], settings: Settings) -> Record:
    """The record these entries make.

    Raises:
        InputError: another FHIR release, several patients.
    """
    return fhir.record({"resourceType": "Bundle", "type": "collection", "entry": list(entries)}, settings=settings)


def ordered(gathered: Gathered, context: OrderContext) -> tuple[list[Entry], list[Entry], list[str]]:
    """The entries without and with the new orders, as if these were signed, and the references of the new ones.

    New are those just chosen (``selections``, order-select), or all that wait for a signature (order-sign).
    """
    drafts = [_signed(entry, i) for i, entry in enumerate(_resources(context.draftOrders.entry))]
    chosen = context.selections
    old = [] if chosen is None else [d for d in drafts if _name(d) not in chosen]
    new = [d for d in drafts if d not in old]
    before = _replaced(gathered.entries, old)
    return before, _replaced(before, new), [str(d.get("fullUrl") or _name(d)) for d in new]


def _signed(entry: Entry, number: int) -> Entry:
    """A draft as it will be once signed: solutions are asked what would then be so. One without a name gets one."""
    raw = entry["resource"]
    if not (raw.get("id") or entry.get("fullUrl")):
        entry = {**entry, "fullUrl": f"urn:lab39:draft:{number}"}
    return {**entry, "resource": {**raw, "status": "active"}} if raw.get("status") == "draft" else entry


def _replaced(entries: Sequence[Entry], newer: Iterable[Entry]) -> list[Entry]:
    found = list(entries)
    for entry in newer:
        name = _name(entry)
        same = [i for i, known in enumerate(found) if name and _name(known) == name]
        if same:
            found[same[0]] = entry
        else:
            found.append(entry)
    return found


def _pages(first: Resource | None, server: FhirServer | None) -> _Gathered:
    """A resource, or every page of a search result."""
    found = _Gathered()
    page = first
    for _ in range(PAGES):
        if page is None:
            return found
        if page.get("resourceType") == "OperationOutcome" or any(_failed(e) for e in _raw(page)):
            found.absent = _incomplete()
        found.entries += _entries(page)
        address = _next(page)
        if address is None:
            return found
        if server is None or not server.is_here(address):
            break
        try:
            page = server.get(str(address))
        except LabError as error:
            found.absent = error
            return found
    found.absent = _incomplete()
    return found


def _entries(resource: Resource | None) -> list[Entry]:
    """The entries of a Bundle, or the one of a single resource; outcomes are no part of a record."""
    if resource is None or resource.get("resourceType") == "OperationOutcome":
        return []
    if resource.get("resourceType") != "Bundle":
        return [{"resource": resource}]
    return [e for e in _resources(_raw(resource)) if not _failed(e)]


def _raw(resource: Resource) -> list[Any]:
    rows = resource.get("entry") if resource.get("resourceType") == "Bundle" else None
    return rows if isinstance(rows, list) else []


def _resources(rows: Iterable[Any]) -> list[Entry]:
    """Entries that hold a resource, without what only a search result says of them."""
    return [
        {key: row[key] for key in ("fullUrl", "resource") if key in row}
        for row in rows
        if isinstance(row, Mapping) and isinstance(row.get("resource"), Mapping)
    ]


def _failed(entry: Any) -> bool:
    resource = entry.get("resource") if isinstance(entry, Mapping) else None
    return isinstance(resource, Mapping) and resource.get("resourceType") == "OperationOutcome"


def _next(page: Resource) -> object | None:
    links = page.get("link")
    for link in links if isinstance(links, list) else ():
        if isinstance(link, Mapping) and link.get("relation") == "next":
            return link.get("url")
    return None


def _kind(entry: Entry) -> object:
    return entry["resource"].get("resourceType")


def _name(entry: Entry) -> str:
    raw = entry["resource"]
    return f"{raw.get('resourceType')}/{raw['id']}" if raw.get("id") else ""


def _once(entries: Iterable[Entry]) -> list[Entry]:
    """Each resource once; of two versions of one, the one that changed last."""
    found: list[Entry] = []
    at: dict[str, int] = {}
    for entry in entries:
        name = _name(entry)
        if not name or name not in at:
            at[name] = len(found)
            found.append(entry)
        elif _changed(entry) > _changed(found[at[name]]):
            found[at[name]] = entry
    return found


def _changed(entry: Entry) -> str:
    meta = entry["resource"].get("meta")
    return str(meta.get("lastUpdated", "")) if isinstance(meta, Mapping) else ""


def _about_the_patient(
    entries: Sequence[Entry], context: Context, pieces: Sequence[_Gathered], wanted: Sequence[Prefetch]
) -> None:
    patients = [entry["resource"] for entry in entries if _kind(entry) == "Patient"]
    if not patients:
        why = next((p.absent for p, each in zip(pieces, wanted, strict=True) if each.required and p.absent), None)
        said = why.say("fr") if why else "", why.say("en") if why else ""
        raise PreconditionError(
            Text(
                f"le patient n'a été ni envoyé (prefetch) ni obtenu. {said[0]}".rstrip(),
                f"the patient was neither sent (prefetch) nor could be fetched. {said[1]}".rstrip(),
            ),
            "prefetch.patient",
        )
    if any(raw.get("id") not in (None, context.patientId) for raw in patients):
        raise InputError(
            Text("ce n'est pas le patient du contexte", "this is not the patient of the context"),
            "prefetch.patient.id",
        )


def _not_sent(request: Request) -> LabError:
    if request.fhirServer:
        return LabError(
            Text(
                "Ce serveur FHIR n'est pas de ceux que le laboratoire peut appeler (LAB39_FHIR_SERVERS).",
                "This FHIR server is not among those the lab may call (LAB39_FHIR_SERVERS).",
            )
        )
    return LabError(Text("Ni prefetch ni fhirServer.", "Neither prefetch nor fhirServer."))


def _incomplete() -> LabError:
    return LabError(Text("Réponse incomplète.", "The answer is not complete."))
