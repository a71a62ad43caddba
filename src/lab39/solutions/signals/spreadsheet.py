"""CSV files of the pages, all written one way, in every language: see docs/how-to/signals-data.md.

Commas, UTF-8 with a byte order mark; a decimal point and no thousands separator; ``true`` and ``false``; days as
``2026-11-27`` and moments as ``2026-11-27T09:30:00+00:00``, in UTC; absent is empty. A text that a spreadsheet
would take for a formula begins with an apostrophe.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Iterable
from typing import Any

from lab39.core.faces import Download

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def cell(value: Any) -> str:
    """A value as it is written; empty when absent."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:.10g}"
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).isoformat(timespec="seconds")
    if isinstance(value, dt.date):
        return value.isoformat()
    words = str(value)
    return f"'{words}" if isinstance(value, str) and words.startswith(_FORMULA) else words


def download(rows: Iterable[Iterable[Any]], name: str) -> Download:
    """Rows as a file to keep, the names of the columns first."""
    text = io.StringIO()
    csv.writer(text).writerows([cell(each) for each in row] for row in rows)
    return Download(
        content=b"\xef\xbb\xbf" + text.getvalue().encode(),
        name=name,
        media_type="text/csv; charset=utf-8",
    )
