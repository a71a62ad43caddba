"""The words by which pages call people, what they may do with a record, what for, and on whose word."""

from __future__ import annotations

from typing import Any

from fastapi import Request

from lab39.web.desk import sharing
from lab39.web.house import House
from lab39.web.pages.account import ROLES, profession


def words(request: Request, here: House) -> dict[str, Any]:
    """What the templates about people and accesses read."""
    return {
        "roles": ROLES,
        "profession": profession,
        "vouchers": {each.provider.issuer: each.provider.title for each in request.app.state.relying.values()},
        "levels": sharing.levels(),
        "bases": sharing.bases(),
        "purposes": sharing.purposes().texts,
        "purpose_said": sharing.purposes().said,
        "last_day": lambda end: sharing.last_day(end, here),
        "today": here.today(),
        "usual_end": sharing.usual_end(here),
    }
