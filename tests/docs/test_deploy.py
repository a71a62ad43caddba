"""The files in ``deploy/`` say what the lab reads, and what can be checked here holds."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from lab39.cli.serve import PORT
from lab39.settings import Settings
from lab39.web import process, supervisor

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
SETTINGS = set(re.findall(r'"(LAB39_[A-Z_]+)"', (ROOT / "src/lab39/settings.py").read_text("utf-8")))
OWN = {"LAB39_DB_PASSWORD"}
"""Read by compose, not by the lab."""


def unit() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in (DEPLOY / "lab39.service").read_text("utf-8").splitlines():
        if "=" in line and not line.startswith("#"):
            name, _, value = line.partition("=")
            found.setdefault(name, []).append(value)
    return found


@pytest.mark.parametrize(
    "path", [*sorted(DEPLOY.iterdir()), ROOT / "docs/how-to/operate.md"], ids=lambda path: path.name
)
def test_every_setting_it_names_is_one_of_the_lab(path: Path):
    named = set(re.findall(r"\bLAB39_[A-Z_]+\b", path.read_text("utf-8"))) - OWN
    assert named - SETTINGS - {"LAB39_NAME"} == set()


def test_the_operators_page_names_the_settings_of_serving():
    text = (ROOT / "docs/how-to/operate.md").read_text("utf-8")
    assert {"LAB39_PROXIES", "LAB39_MONITORS", "LAB39_URL"} <= set(re.findall(r"LAB39_[A-Z_]+", text))
    assert str(process.GRACE_SECONDS) in text
    assert f"{supervisor.GRACE_SECONDS:g} s" in text


def test_the_unit_gives_the_lab_the_time_it_takes_to_start_and_to_stop():
    (stop,), (start,) = unit()["TimeoutStopSec"], unit()["TimeoutStartSec"]
    assert int(stop) > supervisor.GRACE_SECONDS > process.GRACE_SECONDS
    assert int(start.removesuffix("min")) * 60 > supervisor.START_SECONDS
    assert unit()["Type"] == ["notify"]


def test_systemd_accepts_the_unit(tmp_path: Path):
    program = shutil.which("systemd-analyze")
    if program is None:
        return  # said in docs/how-to/operate.md; systemd is not on every machine
    path = tmp_path / "lab39.service"
    text = (DEPLOY / "lab39.service").read_text("utf-8")
    path.write_text(text.replace("/opt/lab39/bin/lab39", "/bin/true"))
    done = subprocess.run([program, "verify", str(path)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_compose_is_well_formed_and_listens_on_this_machine_only():
    found = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))
    lab, database = found["services"]["lab"], found["services"]["database"]
    assert lab["ports"] == [f"127.0.0.1:{PORT}:{PORT}"]
    assert "ports" not in database
    assert lab["read_only"]
    assert lab["cap_drop"] == ["ALL"]
    assert set(found["volumes"]) == {row.partition(":")[0] for s in (lab, database) for row in s["volumes"]}
    (network,) = found["networks"]["default"]["ipam"]["config"]
    assert lab["environment"]["LAB39_PROXIES"] == network["gateway"]
    assert int(lab["stop_grace_period"].removesuffix("s")) > supervisor.GRACE_SECONDS
    folders = {row.partition(":")[2] for row in lab["volumes"]}
    image = (DEPLOY / "Dockerfile").read_text("utf-8")
    assert all(f'"{folder}"' in image and f"={folder}" in image for folder in folders)


def test_what_the_image_copies_is_there_and_its_port_is_the_lab_s():
    text = (DEPLOY / "Dockerfile").read_text("utf-8")
    for line in re.findall(r"^COPY (?!--)(.+)$", text, re.MULTILINE):
        for source in line.split()[:-1]:
            assert (ROOT / source).exists(), source
    assert re.findall(r"127\.0\.0\.1:(\d+)", text) == [str(PORT)]
    assert f"EXPOSE {PORT}" in text


def test_nginx_passes_on_who_calls_takes_what_the_lab_takes_and_hides_the_figures():
    text = (DEPLOY / "nginx.conf").read_text("utf-8")
    assert f"server 127.0.0.1:{PORT};" in text
    assert f"client_max_body_size {Settings().max_bytes // 1024**2}m;" in text
    assert "proxy_set_header X-Forwarded-For $remote_addr;" in text, "what the visitor sent is not believed"
    assert "location = /metrics { return 404; }" in text
    (line,) = re.findall(r"^log_format .*", text, re.MULTILINE)
    said = set(re.findall(r"\$[a-z_0-9]+", line))
    assert said == {
        "$time_iso8601",
        "$request_method",
        "$status",
        "$body_bytes_sent",
        "$request_time",
        "$request_id",
    }
    assert text.count("{") == text.count("}")
