"""`cpo up --demo`: what a newcomer sees move, within the first minute and without a hand."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from domain.outbox.deliveries import delivered_cdrs
from tests.conftest import Loop
from tests.e2e.embedded_store import store_of
from tests.e2e.processes import Processes, alive, children_of, eventually
from tests.serving import free_port

pytestmark = [pytest.mark.processes, pytest.mark.timeout(180)]


def test_drivers_come_and_charge_and_an_emsp_is_told(running: Processes, loop: Loop) -> None:
    port = free_port()
    up = running.cpo(
        "up",
        "--demo",
        f"--port={port}",
        f"--registry-port={free_port()}",
        "--charge-points=6",
        "--data-dir=data",
    )

    def charge_points() -> list[dict[str, Any]]:
        auth = ("admin", (running.directory / "data/admin.password").read_text().strip())
        answer = httpx.get(f"http://127.0.0.1:{port}/cp", auth=auth)
        return answer.json()["charge_points"] if answer.status_code == 200 else []

    def charging() -> set[str]:
        return {cp["session"] for cp in charge_points() if cp["ocpi_status"] == "CHARGING"}

    def data_of(*command: str) -> Any:
        done = running.command(*command, "--json", "--data-dir", "data")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    # Drivers come to several charge points; the last one is left for whoever tries a command
    seen: set[str] = set()

    def several() -> bool:
        seen.update(charging())
        return len(seen) >= 3

    eventually(several, 60, "three sessions")
    assert next(cp for cp in charge_points() if cp["id"] == "CP-006")["session"] is None

    # One more speaks OCPP, and charges as they do
    def over_ocpp() -> bool:
        charging = [cp["id"] for cp in charge_points() if cp["ocpi_status"] == "CHARGING"]
        return "OCPP16-001" in charging

    eventually(over_ocpp, 90, "a session over OCPP")

    # They leave, and their sessions are billed to the demonstration eMSP's cards
    eventually(lambda: up.said(" COMPLETED: local"), 60, "a session that its driver ended")
    billed = data_of("cdrs", "list")["cdrs"]
    assert billed
    for cdr in billed:
        assert cdr["token_uid"].startswith("DEMO-CARD-")
        assert cdr["total_energy"] > 0 and cdr["total_cost_incl_vat"] > 0.35

    # The eMSP takes all that it is told
    (peer,) = data_of("peers", "list")

    with store_of(running.directory / "data", loop) as db:
        eventually(lambda: loop.run(delivered_cdrs(db, peer["peer_id"])), what="a CDR delivered")
    pushed = data_of("peers", "show", peer["peer_id"])["push"]
    assert pushed["cdrs_delivered"] and pushed["state"] == "working" and not pushed["held_back"]

    children = children_of(up.pid)
    assert up.stop() == 0
    assert not [child for child in children if alive(child)]
    assert "Traceback" not in up.output
