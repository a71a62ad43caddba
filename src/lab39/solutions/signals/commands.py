"""``lab39 signals explain | compare | evaluate | simulate | report``, beside those of :mod:`cli`."""

from __future__ import annotations

from lab39.solutions.signals.cli import app

__all__ = ["app"]
