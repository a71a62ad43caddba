"""How a message leaves the lab: `Apprise <https://appriseit.com>`_ behind a protocol, one URL a channel."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import quote

from lab39.core.background import JobError
from lab39.core.text import Text
from lab39.settings import Settings

MAIL = "mail"
TO = "{to}"
"""In a URL of ``LAB39_APPRISE``: where the address of the recipient goes."""


class DeliveryError(JobError):
    """The message did not leave."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message on its way.

    Attributes:
        to: the recipient's address on the channel; empty where it has none.
        key: the same for the same message, however often it is sent: a receiver that knows it acts once.
        unsubscribe: URL that takes the consent back in one click (RFC 8058).
    """

    channel: str
    to: str
    subject: str
    body: str
    key: str
    unsubscribe: str


class Transport(Protocol):
    """What takes a message out."""

    def send(self, outgoing: Outgoing) -> None:
        """Hand the message over; when it returns, somebody else answers for it.

        Raises:
            DeliveryError: it was not taken; it may be tried again.
        """


class AppriseTransport:
    """Messages by any service that Apprise knows.

    Args:
        urls: Apprise's URL for each channel; ``{to}`` in it becomes the recipient's address.
    """

    def __init__(self, urls: Mapping[str, str]) -> None:
        self.urls = dict(urls)

    def send(self, outgoing: Outgoing) -> None:
        """Send; see :meth:`Transport.send`."""
        import apprise

        quiet = logging.getLogger("apprise")
        if quiet.getEffectiveLevel() < logging.WARNING:
            quiet.setLevel(logging.WARNING)  # below, it logs whole messages
        service = apprise.Apprise.instantiate(self.url(outgoing))
        if service is None:
            raise DeliveryError(
                Text(
                    f"LAB39_APPRISE\u202f: l'adresse du canal «\u202f{outgoing.channel}\u202f» n'est pas comprise",
                    f"LAB39_APPRISE: the URL of the channel “{outgoing.channel}” is not understood",
                )
            )
        if not service.notify(body=outgoing.body, title=outgoing.subject, body_format=apprise.NotifyFormat.TEXT):
            raise DeliveryError(
                Text(
                    f"le service du canal «\u202f{outgoing.channel}\u202f» a refusé le message ou ne répond pas",
                    f"the service of the channel “{outgoing.channel}” refused the message or does not answer",
                )
            )

    def url(self, outgoing: Outgoing) -> str:
        """The URL for one message; headers carry its key and how to unsubscribe.

        Raises:
            DeliveryError: the channel is not set.
        """
        found = self.urls.get(outgoing.channel)
        if found is None:
            raise DeliveryError(
                Text(
                    f"aucun service pour le canal «\u202f{outgoing.channel}\u202f»\u202f: "
                    f"LAB39_APPRISE={outgoing.channel}=mailtos://…",
                    f"no service for the channel “{outgoing.channel}”: LAB39_APPRISE={outgoing.channel}=mailtos://…",
                )
            )
        headers = {
            "Idempotency-Key": outgoing.key,
            "List-Unsubscribe": f"<{outgoing.unsubscribe}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        }
        query = "&".join(f"+{name}={quote(value, safe='')}" for name, value in headers.items())
        url = found.replace(TO, quote(outgoing.to, safe=""))
        return f"{url}{'&' if '?' in url else '?'}{query}"


def of(settings: Settings) -> Transport:
    """The transport of these settings."""
    return AppriseTransport(dict(settings.apprise))
