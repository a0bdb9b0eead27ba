"""The server that anybody's uvicorn starts: what cannot be is said in a line, and nothing runs."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest


@pytest.mark.processes
def test_a_setting_that_cannot_be_ends_the_start() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "uvicorn", "cpo_app.main:app", "--port", "0"],
        capture_output=True,
        text=True,
        env={**os.environ, "COUNTRY_CODE": "GERMANY"},
        timeout=60,
        check=False,
    )
    assert ended.returncode == 3
    assert "cpo: COUNTRY_CODE: 'GERMANY' is not a country code of two letters" in ended.stderr
    assert "Traceback" not in ended.stderr
