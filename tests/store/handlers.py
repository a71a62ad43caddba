"""Handlers that tests name as module and function."""

from __future__ import annotations

from lab39.store.work import Work


def noted(work: Work) -> dict[str, str]:
    return {"noted": work.job.id}
