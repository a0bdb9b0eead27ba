"""`make run` on a machine without a network says so, and soon."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]
NO_NETWORK = """#!/bin/sh
case "$*" in
  *"-m venv"*) mkdir -p "$VENV_OF_TEST/bin" && cp "$0" "$VENV_OF_TEST/bin/python" ;;
  *"-m pip"*) echo "$*" >> "$VENV_OF_TEST/asked"; exit 1 ;;
  *) exec "$REAL_PYTHON" "$@" ;;
esac
"""


def test_packages_that_cannot_be_fetched_are_a_question_about_the_network(tmp_path: Path) -> None:
    python, venv = tmp_path / "python", tmp_path / "venv"
    python.write_text(NO_NETWORK)
    python.chmod(0o755)
    done = subprocess.run(
        ["make", "-s", f"VENV={venv}", f"PYTHON={python}", f"{venv}/.runs"],
        cwd=REPOSITORY,
        env={**os.environ, "VENV_OF_TEST": str(venv), "REAL_PYTHON": sys.executable},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert "could not be installed: is there a network" in done.stdout
    # pip's own five tries with growing pauses take a minute.
    (asked,) = (venv / "asked").read_text().splitlines()
    assert "--retries 2 " in asked and "--require-hashes" in asked
