"""What every request can reach: the settings, the lab, the store."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Annotated, cast
from zoneinfo import ZoneInfo

from fastapi import Depends, Request

from lab39.core.lab import Lab
from lab39.settings import Settings
from lab39.store import Store


@dataclass(frozen=True, slots=True)
class House:
    """One running lab.

    Attributes:
        secret: key of this lab for tokens it gives out; 32 bytes, never shown.
    """

    settings: Settings
    lab: Lab
    store: Store
    secret: bytes

    def now(self) -> dt.datetime:
        """The moment, by the store's clock."""
        return self.store.clock()

    def day(self, at: dt.datetime) -> dt.date:
        """The day of a moment, where the lab is."""
        return at.astimezone(ZoneInfo(self.settings.timezone)).date()

    def today(self) -> dt.date:
        """The day where the lab is."""
        return self.day(self.now())


def house(request: Request) -> House:
    """The house this request came to."""
    return cast(House, request.app.state.house)


async def _here(request: Request) -> House:
    """The same for routes: async, so that it costs them no thread."""
    return house(request)


Here = Annotated[House, Depends(_here)]
