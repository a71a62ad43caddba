"""How a benchmark gives what it found: as JSON on standard output, and in a file when asked."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def give(found: Mapping[str, Any], out: Path | None) -> None:
    """Print, and keep in ``out`` when there is one."""
    text = json.dumps(found, ensure_ascii=False, indent=1)
    print(text)
    if out:
        out.write_text(text, "utf-8")
