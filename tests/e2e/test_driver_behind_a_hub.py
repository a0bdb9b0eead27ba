"""A driver of an eMSP behind a hub charges, and his eMSP holds the CDR: every service of ours a
process, the hub in the test's hand."""

from __future__ import annotations

import json

import httpx
import pytest

from domain.operator.hub_clients import rows_of
from tests.conftest import Loop
from tests.e2e.embedded_store import store_of
from tests.e2e.processes import Processes, eventually
from tests.peers.hub import hub_on
from tests.serving import free_port

pytestmark = [pytest.mark.processes, pytest.mark.timeout(180)]

CLIENT = ("FR", "CLI")


def test_he_starts_and_stops_and_his_emsp_holds_the_cdr(running: Processes, loop: Loop) -> None:
    port = free_port()
    up = running.cpo(
        "up",
        f"--port={port}",
        f"--registry-port={free_port()}",
        "--charge-points=1",
        "--data-dir=data",
        CENTRAL_MAX_POWER_FACTOR="0",  # cars are charged faster than time
        CPO_ALLOW_PRIVATE_URLS="true",
    )

    def cpo(*command: str) -> str:
        done = running.command(*command, "--data-dir", "data")
        assert done.returncode == 0, done.stderr
        return done.stdout

    def charge_point() -> dict[str, str] | None:
        auth = ("admin", (running.directory / "data/admin.password").read_text().strip())
        found = httpx.get(f"http://127.0.0.1:{port}/cp", auth=auth).json()["charge_points"]
        return found[0] if found and found[0]["ocpi_status"] == "AVAILABLE" else None

    place = eventually(charge_point, 60, f"a charge point\n{up.log}")
    invited = json.loads(cpo("peers", "invite", "--name", "Hub", "--hub", "--any-party"))
    with hub_on(loop) as hub, store_of(running.directory / "data", loop) as db:
        mailbox = hub.mailbox
        loop.run(hub.register(invited["versions_url"], invited["token"]))

        def known() -> bool:
            rows = loop.run(rows_of(db, invited["peer_id"]))
            return {row["approval"] for row in rows} == {"waits for you"} and len(rows) == 3

        eventually(known, 30, "the hub's clients are read")
        cpo("peers", "clients", invited["peer_id"], "--approve", "FR/CLI")
        [location] = json.loads(cpo("locations", "list", "--json"))

        def started() -> bool:
            # A server may go by what it knew a second ago.
            return loop.run(hub.start("FR/CLI", location["id"], place["id"])) == "ACCEPTED"

        eventually(started, 20, "the command is taken")
        loop.run(mailbox.until(lambda: bool(mailbox.of("sessions", CLIENT)), 40), timeout_s=50)

        def charging() -> bool:
            rows = loop.run(hub.sessions("FR/CLI"))
            return [row["status"] for row in rows] == ["ACTIVE"]

        eventually(charging, 40, "the car is charged")

        # He cannot be reached for a while: nothing is sent, and nothing is lost
        loop.run(hub.set_status("FR/CLI", "OFFLINE"))
        assert loop.run(hub.stop("FR/CLI")) == "ACCEPTED"

        def ended() -> bool:
            rows = loop.run(hub.sessions("FR/CLI"))
            return [row["status"] for row in rows] == ["COMPLETED"]

        eventually(ended, 40, "the session has ended")
        assert mailbox.of("cdrs") == []
        hub.faults.coming.extend(["500", "half-json"])
        loop.run(hub.set_status("FR/CLI", "CONNECTED"))
        loop.run(mailbox.until(lambda: bool(mailbox.of("cdrs", CLIENT)), 60), timeout_s=70)

        cdr = mailbox.of("cdrs", CLIENT)[0]
        assert cdr.to == CLIENT
        assert cdr.body["cdr_token"]["uid"] == "FR-CLI-CARD-1"
        assert cdr.body["cdr_token"]["party_id"] == "CLI"
        [session] = [body for (module, _), body in mailbox.objects.items() if module == "sessions"]
        assert (session["status"], session["id"]) == ("COMPLETED", cdr.body["session_id"])
        assert mailbox.of("commands", CLIENT)[0].body == {"result": "ACCEPTED"}
        assert mailbox.of("cdrs", ("DE", "KUN")) == []
