"""What a CDS client sends: read strictly where safety depends on it, leniently for fields of later versions."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from lab39.core.errors import InputError
from lab39.core.text import Text
from lab39.web.api.bodies import read
from lab39.web.api.cds.catalogue import Service

UUID = r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"
FHIR_ID = r"^[A-Za-z0-9\-.]{1,64}$"
INSTANT = r"^\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})$"
"""RFC 3339, section 5.6."""


class Lenient(BaseModel):
    """Members that are not known here (extensions, later versions) are let through and not read."""

    model_config = ConfigDict(extra="allow", strict=True)


class Authorization(Lenient):
    """A token for the client's FHIR server."""

    access_token: Annotated[str, Field(min_length=1, max_length=16_384, pattern=r"^[\x21-\x7e]+$")]
    token_type: Literal["Bearer"]
    expires_in: int
    scope: str
    subject: str
    patient: str | None = None


class Bundle(Lenient):
    """Draft orders, as FHIR."""

    resourceType: Literal["Bundle"]  # noqa: N815
    entry: list[dict[str, Any]] = []


class Context(Lenient):
    """What every hook of this lab says: who looks at whom."""

    userId: Annotated[str, Field(min_length=1)]  # noqa: N815
    patientId: Annotated[str, Field(pattern=FHIR_ID)]  # noqa: N815
    encounterId: str | None = None  # noqa: N815


class OrderContext(Context):
    """The orders that are not signed yet; ``selections`` names those just chosen (order-select)."""

    draftOrders: Bundle  # noqa: N815
    selections: list[str] | None = None


class SelectContext(OrderContext):
    """With ``selections``."""

    selections: list[str]


class Request(Lenient):
    """One call of a service."""

    hook: str
    hookInstance: Annotated[str, Field(pattern=UUID)]  # noqa: N815
    fhirServer: str | None = None  # noqa: N815
    fhirAuthorization: Authorization | None = None  # noqa: N815
    context: dict[str, Any]
    prefetch: dict[str, dict[str, Any] | None] | None = None


class Suggestion(Lenient):
    """A suggestion that was accepted."""

    id: Annotated[str, Field(pattern=UUID)]


class Coding(Lenient):
    """A reason chosen from a list."""

    code: Annotated[str, Field(min_length=1, max_length=200)]
    system: Annotated[str, Field(max_length=500)] | None = None
    display: Annotated[str, Field(max_length=500)] | None = None


class OverrideReason(Lenient):
    """Why a card was set aside."""

    reason: Coding | None = None
    userComment: Annotated[str, Field(max_length=20_000)] | None = None  # noqa: N815


class Feedback(Lenient):
    """What somebody did with a card."""

    card: Annotated[str, Field(pattern=UUID)]
    outcome: Literal["accepted", "overridden"]
    acceptedSuggestions: Annotated[list[Suggestion], Field(max_length=100)] | None = None  # noqa: N815
    overrideReason: OverrideReason | None = None  # noqa: N815
    outcomeTimestamp: Annotated[str, Field(pattern=INSTANT)]  # noqa: N815

    @property
    def at(self) -> dt.datetime:
        """When."""
        return dt.datetime.fromisoformat(self.outcomeTimestamp.upper().replace(" ", "T"))


class FeedbackBody(Lenient):
    """What the feedback endpoint reads."""

    feedback: Annotated[list[Feedback], Field(max_length=100)]


CONTEXTS: Mapping[str, type[Context]] = {
    "patient-view": Context,
    "order-select": SelectContext,
    "order-sign": OrderContext,
}


def call(document: Mapping[str, Any], service: Service) -> tuple[Request, Context]:
    """A call and its context.

    Raises:
        InputError: not a call of this service's hook, or about two patients.
    """
    request = read(Request, document)
    if request.hook != service.hook:
        raise InputError(
            Text(f"ce service répond à «\u202f{service.hook}\u202f»", f"this service answers “{service.hook}”"),
            "hook",
        )
    context = read(CONTEXTS[service.hook], request.context, "context")
    given = request.fhirAuthorization
    if given is not None and not request.fhirServer:
        raise InputError(
            Text("obligatoire avec fhirAuthorization", "required with fhirAuthorization"), "fhirServer"
        )
    if given is not None and given.patient not in (None, context.patientId):
        raise InputError(
            Text("ce n'est pas le patient du contexte", "this is not the patient of the context"),
            "fhirAuthorization.patient",
        )
    return request, context


def feedback(document: Mapping[str, Any]) -> tuple[Feedback, ...]:
    """The feedback that was sent (rules cds-fb-1 to cds-fb-3 of the specification's own validation).

    Raises:
        InputError
    """
    found = tuple(read(FeedbackBody, document).feedback)
    for i, each in enumerate(found):
        place = f"feedback.{i}"
        if each.outcome == "accepted" and not each.acceptedSuggestions:
            raise InputError(
                Text("obligatoire quand outcome vaut accepted", "required when outcome is accepted"),
                f"{place}.acceptedSuggestions",
            )
        why = each.overrideReason
        if why is not None and why.reason is None and not why.userComment:
            raise InputError(
                Text("il faut reason, userComment, ou les deux", "it needs reason, userComment, or both"),
                f"{place}.overrideReason",
            )
        try:
            each.at  # noqa: B018
        except ValueError as error:
            raise InputError(
                Text("ce n'est pas un instant (RFC 3339)", "this is not an instant (RFC 3339)"),
                f"{place}.outcomeTimestamp",
            ) from error
    return found
