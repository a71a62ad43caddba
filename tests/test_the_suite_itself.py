"""What the suite promises about itself."""

from __future__ import annotations

import socket
import subprocess
import sys

import pytest

SKIPPING = """
import pytest

def test_needs_something():
    pytest.skip("no such thing here: install it")

@pytest.mark.xfail(strict=True)
def test_known():
    assert False
"""


def test_no_test_reaches_the_network():
    with socket.socket() as wire, pytest.raises(RuntimeError, match=r"192\.0\.2\.1"):
        wire.connect(("192.0.2.1", 80))


@pytest.mark.parametrize(("no_skip", "code", "said"), [("0", 0, "1 skipped"), ("1", 1, "1 failed")])
def test_a_skip_is_a_failure_with_its_reason_where_nothing_may_skip(pytestconfig, tmp_path, no_skip, code, said):
    (tmp_path / "conftest.py").write_text((pytestconfig.rootpath / "tests/conftest.py").read_text())
    (tmp_path / "test_sample.py").write_text(SKIPPING)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", str(tmp_path)]
    env = {"LAB39_NO_SKIP": no_skip, "PATH": ""}
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=env, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    assert said in done.stdout
    assert ("install it" in done.stdout) == (no_skip == "1")
