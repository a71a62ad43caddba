"""Doors for systems: REST, FHIR, CDS Hooks."""

from __future__ import annotations

from fastapi import FastAPI


def install(app: FastAPI) -> None:
    """Add every door for systems, and the document that describes them."""
    from lab39.web.api import docs, fhir, openapi, rest

    for module in (rest, fhir, docs):
        app.include_router(module.router)
    openapi.install(app)
