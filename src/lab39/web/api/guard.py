"""Requests that use somebody's rights come from that person: by a token of their own, or a form of ours."""

from __future__ import annotations

from fastapi import Request

from lab39.web import security
from lab39.web.viewer import See


async def asked_for(request: Request, viewer: See) -> None:
    """A dependency of every door that acts for the person a cookie names.

    A token is sent on purpose, a cookie is not: only the latter needs the form token (``X-Form-Token``).

    Raises:
        ForgedError
    """
    if viewer.person is not None and not getattr(request.state, "by_token", False):
        await security.form_is_ours(request, viewer)
