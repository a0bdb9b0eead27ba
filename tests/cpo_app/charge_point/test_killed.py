"""An engine that is killed the instant after it answered: what it said still holds."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx

from tests import forks
from tests.serving import free_port

LINK_KEY, COMMAND_KEY = "l" * 32, "c" * 64


class EngineProcess:
    """`cpo engine` in a process of its own, always on the same port and state directory."""

    def __init__(self, state_dir: Path) -> None:
        self.port = free_port()
        self._cwd = state_dir
        self._env = {
            **os.environ,
            "CP_STATE_DIR": str(state_dir),
            "CP_ENGINE_CP_ID": "CP-001",
            "CP_ENGINE_HOST": "127.0.0.1",
            "CP_ENGINE_HEALTH_PORT": str(self.port),
            "CP_ENGINE_LINK_KEY": LINK_KEY,
            "CP_ENGINE_TELEMETRY_INTERVAL": "0.1",
        }

    @contextlib.contextmanager
    def until_killed(self) -> Iterator[httpx.Client]:
        process = forks.forked("cpo_app.cli", "engine", cwd=self._cwd, env=self._env)
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{self.port}", trust_env=False) as http:
                self._link(http, process)
                yield http
        finally:
            process.kill()
            process.wait()

    def _link(self, http: httpx.Client, process: forks.Fork) -> None:
        link = {
            "cp_id": "CP-001",
            "central_url": "http://127.0.0.1:9",
            "command_key": COMMAND_KEY,
        }
        headers = {"Authorization": f"Bearer {LINK_KEY}"}
        deadline = time.monotonic() + 30
        while True:
            with contextlib.suppress(httpx.TransportError):
                assert http.put("/link", json=link, headers=headers).status_code == 200
                return
            assert process.poll() is None and time.monotonic() < deadline, "it never came up"
            time.sleep(0.05)


def command(http: httpx.Client, command_id: str, kind: str) -> dict[str, Any]:
    answer = http.post(
        "/command",
        json={"command_id": command_id, "kind": kind, "session_id": "S1"},
        headers={"Authorization": f"Bearer {COMMAND_KEY}"},
    )
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def test_an_acknowledged_start_and_stop_survive_kill_9(tmp_path: Path) -> None:
    engine = EngineProcess(tmp_path)
    with engine.until_killed() as http:
        started = command(http, "C1", "start")
        assert started["result"] == "ACCEPTED"
    with engine.until_killed() as http:
        assert command(http, "C1", "start") == started
        health = http.get("/health").json()
        assert health["state"] == "CHARGING"
        assert health["waiting_messages"] >= 2
        stopped = command(http, "C2", "stop")
        assert stopped["result"] == "ACCEPTED"
    with engine.until_killed() as http:
        assert command(http, "C2", "stop") == stopped
        again = command(http, "C3", "stop")
    assert (again["result"], again["ended"]) == ("UNKNOWN_SESSION", stopped["ended"])
