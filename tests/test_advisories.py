"""Known advisories fail the check unless somebody wrote down why they do not reach us."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

REPOSITORY = Path(__file__).parents[1]
SCRIPT = REPOSITORY / "scripts" / "check-advisories"


@pytest.fixture(scope="module")
def checker() -> ModuleType:
    loader = SourceFileLoader("check_advisories", str(SCRIPT))
    spec = importlib.util.spec_from_loader(loader.name, loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


def advisory(**changed: Any) -> dict[str, Any]:
    given = {"id": "CVE-1", "package": "h11", "fixed_in": "0.16.0", "what": "smuggling"}
    return {**given, **changed}


def test_the_locked_versions_are_answered_for() -> None:
    done = subprocess.run([sys.executable, str(SCRIPT)], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_known_advisory_fails(checker: ModuleType, tmp_path: Path) -> None:
    lock, listed = tmp_path / "lock", tmp_path / "list.json"
    lock.write_text("h11==0.14.0 \\\n    --hash=sha256:00\n")
    listed.write_text(json.dumps([advisory()]))
    assert checker.main([str(lock), str(listed)]) == 1
    assert checker.problems(lock.read_text(), [advisory()]) == [
        "h11 0.14.0: CVE-1 (smuggling), fixed in 0.16.0"
    ]


@pytest.mark.parametrize(
    ("version", "is_affected"),
    [("0.9", False), ("0.10", True), ("0.15.9", True), ("0.16", False), ("0.16.0", False)],
)
def test_versions_compare_as_numbers(checker: ModuleType, version: str, is_affected: bool) -> None:
    found = checker.problems(f"h11=={version}", [advisory(first="0.10.0")])
    assert bool(found) is is_affected


def test_an_exception_answers_for_it_and_goes_when_it_is_not_needed(checker: ModuleType) -> None:
    excused = advisory(exception="nobody parses with it")
    assert checker.problems("h11==0.14.0", [excused]) == []
    assert "remove its exception" in checker.problems("h11==0.16.0", [excused])[0]


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
def test_every_locked_version_has_its_hashes(lock: str) -> None:
    pins = (REPOSITORY / lock).read_text().split("\n")
    named = [number for number, line in enumerate(pins) if "==" in line and line[0].isalnum()]
    assert named
    for number in named:
        assert "--hash=sha256:" in pins[number + 1], pins[number]
    assert "--require-hashes" in (REPOSITORY / "Makefile").read_text()
    assert "--require-hashes" in (REPOSITORY / "Dockerfile").read_text()


def test_what_runs_is_locked_as_what_is_tested_and_holds_no_tools(checker: ModuleType) -> None:
    runs, tested = (
        set(checker.locked((REPOSITORY / lock).read_text()))
        for lock in ("requirements.lock", "requirements-dev.lock")
    )
    assert runs < tested
    assert not {"pytest", "mypy", "ruff", "hypothesis"} & {name for name, _ in runs}
