"""A machine without a browser: one is installed where that may be, and never in vain in silence."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.browser import chromium

REPOSITORY = Path(__file__).parents[2]


def apt_get(directory: Path, body: str) -> str:
    """A stand-in for apt-get that writes down what it was asked; the PATH that finds it."""
    script = directory / "apt-get"
    script.write_text(f'#!/bin/sh\necho "$*" >> {directory}/asked\n{body}\n')
    script.chmod(0o755)
    return f"{directory}:{os.environ['PATH']}"


def asked(directory: Path) -> list[str]:
    return [line.split("-o ")[-1].split(" ", 1)[1] for line in (directory / "asked").open()]


def test_it_is_installed_once_the_lists_are_new(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    knows_it = f"""case "$*" in
      *update) touch {tmp_path}/new ;;
      *) test -e {tmp_path}/new ;;
    esac"""
    monkeypatch.setenv("PATH", apt_get(tmp_path, knows_it))

    assert chromium.installed()

    install = "install --no-install-recommends chromium\n"
    assert asked(tmp_path) == [install, "update\n", install]


def test_an_installation_that_hangs_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", apt_get(tmp_path, "exec sleep 600"))

    assert not chromium.installed(within_s=0.2)


def test_a_run_without_a_browser_says_so_in_its_last_lines(tmp_path: Path) -> None:
    walk = "tests/browser/test_walks.py::test_a_charge_is_watched_live"
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", f"--rootdir={REPOSITORY}", walk],
        cwd=REPOSITORY,
        env={**os.environ, "CHROMIUM": str(tmp_path / "none")},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout
    assert "NOT TESTED: 1 walks through the console, as no Chromium starts here" in done.stdout
    assert "CHROMIUM=/path" in done.stdout
