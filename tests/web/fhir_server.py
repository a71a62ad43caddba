"""A CDS client's FHIR server on this machine, with what tests put in it; it keeps what it was asked."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

Answer = tuple[int, dict[str, str], bytes]


class LocalFhir:
    """Answers by path; ``asked`` holds the paths and headers it saw."""

    def __init__(self) -> None:
        self.answers: dict[str, Callable[[], Answer] | Answer] = {}
        self.asked: list[tuple[str, dict[str, str]]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.asked.append((self.path, {k.lower(): v for k, v in self.headers.items()}))
                found = outer.answers.get(self.path, (404, {}, b"{}"))
                status, headers, body = found() if callable(found) else found
                self.send_response(status)
                for name, value in {"content-length": str(len(body)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                """Quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.base = f"http://127.0.0.1:{self._server.server_address[1]}/fhir"

    def __enter__(self) -> LocalFhir:
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, e: BaseException | None, tb: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()

    def has(self, query: str, document: Any) -> None:
        """Answer a query with a document."""
        self.answers[f"/fhir/{query}"] = (
            200,
            {"content-type": "application/fhir+json"},
            json.dumps(document).encode(),
        )

    def searches(self, patient: str, **found: list[Any]) -> None:
        """Answer every search of the prefetch templates: what is not named is empty."""
        from lab39.web.api.cds.catalogue import prefetches

        for each in prefetches():
            if not each.required:
                rows = found.get(each.key, [])
                self.has(each.address(patient), searchset(*rows))


def searchset(*resources: Any, following: str = "") -> dict[str, Any]:
    """A page of results."""
    page: dict[str, Any] = {
        "resourceType": "Bundle",
        "type": "searchset",
        "entry": [
            {"fullUrl": f"urn:{i}", "resource": r, "search": {"mode": "match"}} for i, r in enumerate(resources)
        ],
    }
    if following:
        page["link"] = [{"relation": "next", "url": following}]
    return page
