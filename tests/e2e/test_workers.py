"""`cpo serve --workers N` as real processes: what the supervisor says, and who outlives whom."""

from __future__ import annotations

import os
import re
import signal
import time
from pathlib import Path

import httpx
import pytest

from tests.e2e.processes import Process, Processes, alive, children_of, eventually
from tests.serving import free_port

pytestmark = pytest.mark.processes

READY = "EV_Central and OCPI are ready"


def workers_of(server: Process) -> set[int]:
    """The processes that serve; not multiprocessing's own that tracks resources."""
    return {
        child
        for child in children_of(server.pid)
        if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()
    }


def test_a_worker_that_dies_is_replaced_and_none_outlives_its_parent(
    running: Processes, store_url: str
) -> None:
    port = free_port()
    server = running.cpo(
        "serve",
        f"--port={port}",
        "--workers=2",
        CPO_MONGO_URL=store_url,
        CPO_ENCRYPTION_KEY="e" * 32,
        REGISTRY_SECRET_KEY="r" * 32,
    )
    eventually(lambda: server.output.count(READY) == 2, 90)
    assert httpx.get(f"http://127.0.0.1:{port}/readyz").status_code == 200
    before = workers_of(server)
    assert len(before) == 2

    victim = min(before)
    # It dies while it is being asked whether it lives: within a second it is asked, and is silent.
    os.kill(victim, signal.SIGSTOP)
    time.sleep(1)
    os.kill(victim, signal.SIGKILL)
    eventually(lambda: server.output.count(READY) == 3, 40)
    (heir,) = workers_of(server) - before
    (said,) = (line for line in server.output.splitlines() if str(victim) in line)
    assert re.search(rf"worker {victim} ended \(signal 9, SIGKILL\); {heir} takes its place", said)

    family = children_of(server.pid)
    assert workers_of(server) <= set(family)
    server.kill()
    eventually(lambda: not [child for child in family if alive(child)], 15, "no orphans")
    assert "Traceback" not in server.output


@pytest.mark.parametrize("workers", ["1", "2"])
def test_what_cannot_start_ends_with_a_line_and_a_code(
    running: Processes, store_url: str, workers: str
) -> None:
    done = running.command(
        "serve",
        f"--port={free_port()}",
        f"--workers={workers}",
        CPO_MONGO_URL=store_url,
        CPO_ENCRYPTION_KEY="e" * 32,
        REGISTRY_SECRET_KEY="r" * 32,
        NO_AUTH="true",
    )
    assert done.returncode != 0
    assert "NO_AUTH is set" in done.stderr
    assert "Traceback" not in done.stderr
