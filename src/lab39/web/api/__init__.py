"""Doors for systems: REST, FHIR, CDS Hooks."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fastapi import FastAPI

    from lab39.web.house import House


def install(app: FastAPI, here: House) -> None:
    """Add every door for systems, and the document that describes them.

    Raises:
        InputError: a file that the settings name cannot be used.
    """
    from lab39.web.api import docs, fhir, openapi, records, rest
    from lab39.web.api.cds import cors, routes

    for module in (rest, records, fhir, docs):
        app.include_router(module.router)
    routes.install(app, here)
    openapi.install(app)
    if here.settings.cds_origins:
        app.add_middleware(cors.ServicesFromPages, origins=here.settings.cds_origins)
