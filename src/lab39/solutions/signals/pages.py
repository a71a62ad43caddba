"""The pages of ``/signals``."""

from __future__ import annotations

from lab39.solutions.signals import board_pages

pages = (*board_pages.pages,)
