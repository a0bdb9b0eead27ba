"""What `make` installs, when, and what it says where it cannot."""

from __future__ import annotations

import os
import shutil
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
        ["make", "-s", f"VENV={venv}", f"PYTHON={python}", "run"],
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


INSTALLS = """#!/bin/sh
case "$*" in
  *"-m venv"*)
    rm -f "$VENV_OF_TEST"/.runs* && mkdir -p "$VENV_OF_TEST/bin"
    cp "$0" "$VENV_OF_TEST/bin/python"
    printf '#!/bin/sh\\n' > "$VENV_OF_TEST/bin/cpo" && chmod +x "$VENV_OF_TEST/bin/cpo" ;;
  *"-m pip"*) echo "$*" >> "$VENV_OF_TEST/asked" ;;
  *) exec "$REAL_PYTHON" "$@" ;;
esac
"""


def test_only_what_reads_otherwise_is_installed_again(tmp_path: Path) -> None:
    python, venv, house = tmp_path / "python", tmp_path / "venv", tmp_path / "house"
    python.write_text(INSTALLS)
    python.chmod(0o755)
    (house / "scripts").mkdir(parents=True)
    for name in ("Makefile", "pyproject.toml", "requirements.lock", "requirements-dev.lock"):
        shutil.copy(REPOSITORY / name, house / name)
    shutil.copy(REPOSITORY / "scripts/find-python", house / "scripts/find-python")

    def installed() -> int:
        subprocess.run(
            ["make", "-s", f"VENV={venv}", f"PYTHON={python}", "run"],
            cwd=house,
            env={**os.environ, "VENV_OF_TEST": str(venv), "REAL_PYTHON": sys.executable},
            capture_output=True,
            check=True,
        )
        return (venv / "asked").read_text().count("--require-hashes")

    assert installed() == 1
    os.utime(house / "pyproject.toml", (2_000_000_000, 2_000_000_000))  # newer than any stamp
    assert installed() == 1
    with (house / "requirements.lock").open("a") as lock:
        lock.write("# a change\n")
    assert installed() == 2
