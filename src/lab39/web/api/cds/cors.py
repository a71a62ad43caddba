"""CDS clients that run in a browser: the services, and nothing else of the lab, answer to the pages named."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

PREFIX = "/cds-services"


class ServicesFromPages:
    """CORS for the CDS services, without cookies."""

    def __init__(self, app: ASGIApp, origins: Sequence[str]) -> None:
        self.app = app
        self.shared = CORSMiddleware(
            app,
            allow_origins=list(origins),
            allow_methods=["GET", "POST"],
            allow_headers=["authorization", "content-type", "accept", "accept-language"],
            max_age=600,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        chosen = self.shared if scope["type"] == "http" and scope["path"].startswith(PREFIX) else self.app
        await chosen(scope, receive, send)
