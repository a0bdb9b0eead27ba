"""README's first ten minutes, walked line by line as they stand there; the ports are others."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.processes import REPOSITORY, Processes, eventually
from tests.serving import free_port

pytestmark = [pytest.mark.processes, pytest.mark.timeout(180)]

SECTION = re.compile(r"^## The first ten minutes$(.*?)^## ", re.MULTILINE | re.DOTALL)
BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
EXPORT = re.compile(r"^export (\w+)='(.*)'$", re.MULTILINE)


class Terminal:
    """Where a newcomer pastes README's blocks."""

    def __init__(self, directory: Path, ports: dict[str, str]) -> None:
        self._ports = ports
        # What README calls .venv/bin/cpo is the command of whatever runs this test.
        script = directory / ".venv" / "bin" / "cpo"
        script.parent.mkdir(parents=True)
        script.write_text(f'#!/bin/sh\nexec {sys.executable} -m cpo_app.cli "$@"\n')
        script.chmod(0o755)
        self._directory = directory
        self.environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}

    def shown(self, block: str) -> str:
        for port, ours in self._ports.items():
            block = block.replace(f"127.0.0.1:{port}", f"127.0.0.1:{ours}")
        return block.replace("curl ", "curl -sS ")

    def paste(self, block: str) -> str:
        """What the block prints; it has to end well."""
        done = subprocess.run(
            ["sh", "-ec", self.shown(block)],
            cwd=self._directory,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def data(self, block: str) -> list[Any]:
        """The `data` of each answer that the block prints."""
        rest, answers = self.paste(block).strip(), []
        while rest:
            answer, end = json.JSONDecoder().raw_decode(rest)
            assert answer["status_code"] == 1000, answer
            answers.append(answer["data"])
            rest = rest[end:].strip()
        return answers


def test_from_make_run_to_a_cdr(running: Processes) -> None:
    section = SECTION.search((REPOSITORY / "README.md").read_text())
    assert section is not None
    blocks = BLOCK.findall(section[1])
    make_run, play, by_hand, lend, look_and_start, stop, cdrs, make = blocks
    assert make_run == "make run\n" and make.startswith("make test")
    port, registry_port = free_port(), free_port()
    up = running.cpo("up", f"--port={port}", f"--registry-port={registry_port}")
    terminal = Terminal(running.directory, {"8000": str(port), "8080": str(registry_port)})
    eventually(lambda: up.said("OCPI CPO backend is up"), timeout_s=100, what="the panel")
    eventually(lambda: up.output.count("CP registered") >= 2, what="charge points")

    played = terminal.paste(play)
    assert "CP-001" in played

    versions, details = terminal.data(by_hand)
    assert "2.2.1" in [row["version"] for row in versions]
    assert details["version"] == "2.2.1"

    lender = running.run("sh", "-c", terminal.shown(lend), **terminal.environment)
    eventually(lambda: len(EXPORT.findall(lender.output)) == 4, what="the lender's token")
    terminal.environment |= dict(EXPORT.findall(lender.output))
    locations, started = terminal.data(look_and_start)
    assert len(locations) == 2
    assert started["result"] == "ACCEPTED"

    def stopped() -> bool:
        """README says "some seconds later": before that there may be no session to name yet."""
        answer = json.loads(terminal.paste(stop))
        return bool((answer.get("data") or {}).get("result") == "ACCEPTED")

    eventually(stopped, what="a session to stop")
    eventually(lambda: terminal.data(cdrs)[0], what="the CDR")
    (cdr,) = terminal.data(cdrs)[0]
    assert cdr["cdr_token"]["uid"] == "DEMO-CARD-1"
    assert cdr["total_cost"]["excl_vat"] > 0, "the quickstart has a tariff"
    os.killpg(lender.pid, signal.SIGTERM)
    assert up.stop() == 0
