"""The pictures of the documentation, taken from a served lab: ``python benchmarks/pictures.py``. Needs Chromium."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from urllib.error import URLError
from urllib.parse import urlencode

from playwright.sync_api import FloatRect, sync_playwright

IMAGES = Path(__file__).parents[1] / "docs" / "images"
CHROMIUM = os.environ.get("LAB39_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
STARTS_WITHIN_SECONDS = 120
SCT = "sct"
PICTURES: dict[str, list[tuple[str, str]]] = {
    "vaccination-infant": [("born", "2026-07-24"), ("sex", "male"), ("on", "2026-11-24")],
    "vaccination-pregnancy": [("example", "pregnant-in-autumn"), ("on", "2026-10-20")],
    "vaccination-diabetes": [
        ("born", "1960-05-10"),
        ("sex", "male"),
        ("on", "2026-11-24"),
        ("has", f"{SCT}|44054006"),
        ("dose", "nuva|VAC0030~2005-06-14~Revaxis"),
        ("dose", "nuva|VAC1347~2025-10-21~Efluelda"),
    ],
    "vaccination-immunosuppression": [("example", "immunosuppressed-adult"), ("on", "2026-11-24")],
}
"""What each picture asks of the page: a child of 4 months late on everything, a pregnant woman in October, a man of
66 with diabetes, an adult whose treatment lowers immunity. All are fictional."""


def main() -> int:
    """Start a lab of its own, take each picture, stop it."""
    with tempfile.TemporaryDirectory() as home, socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        program = str(Path(sys.executable).with_name("lab39"))
        command = [program, "serve", "--port", str(port), "--workers", "1", "--no-jobs"]
        served = subprocess.Popen(command, env=os.environ | {"LAB39_HOME": home, "LAB39_LANG": "fr"})
        try:
            wait(f"http://127.0.0.1:{port}/static/icon.svg")
            take(f"http://127.0.0.1:{port}")
        finally:
            served.terminate()
            served.wait()
    return 0


def take(lab: str) -> None:
    """Every picture, at the width of a phone held sideways, down to the end of the timeline."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": 900, "height": 1000}, device_scale_factor=1)
        for name, asked in PICTURES.items():
            page.goto(f"{lab}/lang/fr?{urlencode({'next': f'/vaccination?{urlencode(asked)}'})}")
            box = page.locator(".frieze").first.bounding_box()
            bottom = box["y"] + box["height"] + 64 if box else 1000
            clip: FloatRect = {"x": 0, "y": 0, "width": 900, "height": bottom}
            page.screenshot(path=IMAGES / f"{name}.png", clip=clip, full_page=True)
        browser.close()


def wait(address: str) -> None:
    """Until the lab answers."""
    end = time.monotonic() + STARTS_WITHIN_SECONDS
    while True:
        try:
            urllib.request.urlopen(address, timeout=5).close()
        except (URLError, ConnectionError, TimeoutError):
            if time.monotonic() > end:
                raise
            time.sleep(0.2)
        else:
            return


if __name__ == "__main__":
    raise SystemExit(main())
