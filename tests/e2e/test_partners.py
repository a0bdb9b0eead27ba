"""The tools for partners as commands: an eMSP that waits, and the check of it."""

from __future__ import annotations

import json
import re

import pytest

from tests.e2e.processes import Process, Processes, eventually
from tests.serving import free_port

pytestmark = pytest.mark.processes


def waiting_emsp(running: Processes, *arguments: str) -> tuple[str, str]:
    """An eMSP that waits to be registered: its versions URL and its token."""
    process: Process = running.cpo("emsp", "--port", str(free_port()), *arguments)
    said = eventually(
        lambda: re.search(r"CPO_PEER_TOKEN=(\w+) .*--versions-url (\S+)", process.output),
        what="how to register",
    )
    return said[2], said[1]


@pytest.mark.parametrize("version", ["2.1.1", "2.3.0"])
def test_an_emsp_is_checked_and_forgets_it(running: Processes, version: str) -> None:
    url, token = waiting_emsp(running, "--version", version)
    asked = ("check", url, "--role", "emsp", "--register", "--version", version, "--json")
    checked = running.command(*asked, CPO_CHECK_TOKEN=token)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "0 FAIL" in checked.stderr
    sheet = {row["rule"]: row["verdict"] for row in json.loads(checked.stdout)}
    assert sheet["cdrs: POST of a CDR is taken"] == "PASS"
    assert sheet["What was sent is removed again"] == "PASS"


def test_an_emsp_that_fails_on_demand_is_found_out(running: Processes) -> None:
    url, token = waiting_emsp(running, "--half-json", "--seed", "5")
    asked = ("check", url, "--role", "emsp", "--register")
    checked = running.command(*asked, CPO_CHECK_TOKEN=token)
    assert checked.returncode == 1
    assert "with a body that is not JSON" in checked.stdout + checked.stderr


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("check", "http://x", "--role", "emsp", "--token", "t"), "--role emsp needs --party"),
        (("check", "http://x", "--version", "9.9", "--token", "t"), "there are 2.1.1, 2.2.1"),
        (("emsp", "--refuse", "often"), "--refuse: a share is written as"),
        (("emsp", "--start", "CP-1"), "need --versions-url"),
    ],
)
def test_what_makes_no_sense_is_one_clear_line(
    running: Processes, arguments: tuple[str, ...], complaint: str
) -> None:
    refused = running.command(*arguments)
    assert refused.returncode == 1
    (line,) = [line for line in refused.stderr.splitlines() if not line.startswith("warning: ")]
    assert line.startswith("cpo: ") and complaint in line
