"""The command line on a test's store, as a person or a script runs it."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cpo_app.cli.app import main


@dataclass
class Ran:
    code: int
    out: str
    err: str

    def json(self) -> Any:
        return json.loads(self.out)


Cpo = Callable[..., Ran]


@pytest.fixture
def cpo(
    own_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfdbinary: pytest.CaptureFixture[bytes],
) -> Cpo:
    """The command line on the test's store: exit code, stdout, stderr."""
    monkeypatch.setenv("CPO_MONGO_URL", own_url)
    monkeypatch.setenv("CPO_ENCRYPTION_KEY", "k" * 40)
    monkeypatch.setenv("REGISTRY_SECRET_KEY", "r" * 40)
    monkeypatch.setenv("CPO_PARTIES", "NL/EVC=Ours, DE/CPO=Ours too")
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> Ran:
        monkeypatch.setattr(sys, "argv", ["cpo", *arguments])
        with pytest.raises(SystemExit) as end:
            main()
        sys.stdout.flush()
        shown = capfdbinary.readouterr()
        code = end.value.code or 0
        assert isinstance(code, int)
        return Ran(code, shown.out.decode(), shown.err.decode())

    return run
