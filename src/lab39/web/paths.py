"""Where a form or a link may send a browser next: a page of this lab, never elsewhere."""

from __future__ import annotations

from urllib.parse import urlsplit


def local(target: str | None, default: str = "/") -> str:
    """The path and query of a page of this lab, or the default when it is anything else."""
    if not target or not target.startswith("/") or target.startswith("//"):
        return default
    if "\\" in target or any(ord(c) < 33 or ord(c) == 127 for c in target):  # browsers mend these into "//host"
        return default
    try:
        parts = urlsplit(target)
    except ValueError:
        return default
    return target if not parts.scheme and not parts.netloc else default
