"""Three eMSPs on one platform, one of each OCPI version: handshake, pull, push, cards, a session
from START to CDR, rotation of tokens; and the servers die in the middle of it.

Each finds nothing wrong with only its own text in hand: what it is sent is checked by its
version's tables, and refused otherwise.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from cpo_app.demo_emsp.registered import Door, Registered, Role, registered
from db_interface.json_data import JsonObject
from domain.schemas import validate
from domain.versions import VERSIONS, ObjectKind, OcpiVersion
from tests.conftest import Loop
from tests.e2e.charging_system import CP, PLACE, TARIFF, ChargingSystem, charging_system
from tests.e2e.processes import eventually

pytestmark = [pytest.mark.processes, pytest.mark.timeout(240)]

SPEED = 30
SINCE = "?date_from=2020-01-01T00:00:00Z"
SENT = {
    "locations": ObjectKind.LOCATION,
    "tariffs": ObjectKind.TARIFF,
    "sessions": ObjectKind.SESSION,
    "cdrs": ObjectKind.CDR,
}
"""What a peer is told, and reads lists of."""


@dataclass
class Partner:
    """An eMSP of one version with one card, on a server of its own."""

    loop: Loop
    version: OcpiVersion
    party: tuple[str, str]
    peer_id: str = ""
    results: dict[str, JsonObject] = field(default_factory=dict)
    """what came to its response URLs, by their last parts"""
    seen: list[JsonObject] = field(default_factory=list)
    """every state of a session that it was sent"""

    @property
    def card(self) -> JsonObject:
        country_code, party_id = self.party
        return {
            "country_code": country_code,
            "party_id": party_id,
            "uid": f"CARD-{party_id}",
            "type": "RFID",
            "contract_id": f"{country_code}-{party_id}-C00000001-X",
            "issuer": "An eMSP",
            "valid": True,
            "whitelist": "ALWAYS",
            "last_updated": "2026-01-01T00:00:00Z",
        }

    def heard(self, module: str, object_id: str, data: JsonObject) -> None:
        if module == "commands":
            self.results[object_id] = data
        elif module == "sessions":
            self.seen.append(dict(data))

    def join(self, stack: contextlib.ExitStack, system: ChargingSystem) -> None:
        """Register with an invitation, for as long as the stack is open."""
        invited = json.loads(system.cpo("peers", "invite", "--name", "Any", "--any-party"))
        self.peer_id = invited["peer_id"]
        role = Role(self.party, [self.card], self.heard, version=self.version)
        block = registered(invited["versions_url"], invited["token"], role, Door())
        self.emsp: Registered = self.loop.run(block.__aenter__())
        stack.callback(lambda: self.loop.run(block.__aexit__(None, None, None)))

    def all(self, module: str) -> list[JsonObject]:
        """The CPO's list, each object checked."""
        query = SINCE if module == "sessions" else ""

        async def read() -> list[JsonObject]:
            return [row async for row in self.me.crawl(module, query=query)]

        rows = self.loop.run(read())
        for row in rows:
            self.check(module, row)
        return rows

    def told(self, module: str) -> list[JsonObject]:
        """What it holds of a module; it has checked each as it came."""
        held = dict(self.emsp.receiver.memory.objects)
        return [dict(value) for key, value in held.items() if key[0] == module]

    def check(self, module: str, row: JsonObject) -> None:
        assert validate(self.version.models[SENT[module]], row) == row

    @property
    def me(self) -> Any:
        """How it speaks with the CPO now: with the token of the latest handshake."""
        return self.emsp.receiver.cpo

    def push_card(self) -> None:
        url = self.me.endpoints["tokens"].rstrip("/")
        place = f"{url}/{'/'.join(self.party)}/{self.card['uid']}"
        body = self.version.render(ObjectKind.TOKEN, self.card).object
        answer = self.loop.run(self.me.call("PUT", place, body))
        assert answer["status_code"] == 1000
        kept = self.loop.run(self.me.call("GET", place))["data"]
        assert kept == body

    def command(self, name: str, **fields: Any) -> None:
        """Send it; wait for its result, and see that it was accepted."""
        place = f"{name}/{len(self.results)}"
        body = {"response_url": f"{self.emsp.commands_url}/{place}", **fields}
        answer = self.loop.run(self.me.command(name, body))
        assert answer["result"] == "ACCEPTED"
        result = eventually(lambda: self.results.get(place), what=f"a result of {name}")
        assert result["result"] == "ACCEPTED"

    def start(self) -> None:
        card = self.version.render(ObjectKind.TOKEN, self.card).object
        self.command("START_SESSION", token=card, **PLACE)

    def session(self, status: str, kwh: float = 0.0) -> JsonObject:
        """Its session as it was pushed last, once it is so."""

        def found() -> JsonObject | None:
            for row in self.told("sessions"):
                if row["status"] == status and row["kwh"] >= kwh:
                    return row
            return None

        return eventually(found, what=f"a session of {self.version.number} that is {status}")

    def cdr(self) -> JsonObject:
        """Its one CDR, once it is there."""
        (cdr,) = eventually(lambda: self.told("cdrs"), what=f"a CDR in {self.version.number}")
        return cdr

    def knows_price(self, price: float) -> None:
        """Wait until the tariff that it was sent has it."""

        def prices() -> list[float]:
            return [
                component["price"]
                for tariff in self.told("tariffs")
                for element in tariff["elements"]
                for component in element["price_components"]
            ]

        eventually(lambda: price in prices(), what=f"the price in {self.version.number}")


@pytest.fixture
def system(
    loop: Loop, tmp_path_factory: pytest.TempPathFactory, module_store_url: str
) -> Iterator[ChargingSystem]:
    directory = tmp_path_factory.mktemp("versions")
    settings = {"COMMAND_AWAIT_TIME": "20", "CPO_OCPI_VERSIONS": ",".join(VERSIONS)}
    with charging_system(loop, directory, module_store_url, settings) as system:
        system.at_charge_point("speed", factor=SPEED)
        yield system


@pytest.fixture
def partners(loop: Loop, system: ChargingSystem) -> Iterator[list[Partner]]:
    with contextlib.ExitStack() as stack:
        found = [
            Partner(loop, version, ("NL", f"V{number}X"))
            for number, version in enumerate(VERSIONS.values())
        ]
        for partner in found:
            partner.join(stack, system)
        yield found


def test_one_of_each_version_lives_on_one_platform(
    system: ChargingSystem, partners: list[Partner]
) -> None:
    # Each peer speaks its version, reads what there is, and pushes its card
    peers = json.loads(system.cpo("peers", "list", "--json"))
    spoken = {peer["peer_id"]: peer["version"] for peer in peers}
    for partner in partners:
        assert spoken[partner.peer_id] == partner.version.number
        assert [row["id"] for row in partner.all("locations")] == [CP]
        assert [row["id"] for row in partner.all("tariffs")] == ["E2E"]
        partner.push_card()

    # Each driver charges; the servers die under one of them
    for number, partner in enumerate(partners):
        partner.start()
        running = partner.session("ACTIVE", kwh=0.01)
        if number == 1:
            system.central.kill()
            system.central.start()
            system.ready()
            running = partner.session("ACTIVE", kwh=running["kwh"] + 0.01)
        partner.command("STOP_SESSION", session_id=running["id"])
        ended = partner.session("COMPLETED")
        cdr = partner.cdr()
        assert cdr["total_energy"] == ended["kwh"] >= running["kwh"]
        system.evse_is("AVAILABLE")

    # Everybody has his own session and bill, by push and by list, and nobody another's
    for partner in partners:
        for module in ("sessions", "cdrs"):
            told, listed = partner.told(module), partner.all(module)
            assert told == listed
            assert len(listed) == 1
        for state in partner.seen:
            partner.check("sessions", state)

    # New tokens on both sides; what changes then reaches everybody in his form
    for partner in partners:
        before = partner.emsp.receiver.token
        system.cpo("peers", "rotate", partner.peer_id)
        assert partner.emsp.receiver.token != before
        assert partner.all("cdrs")
    dearer = json.loads(json.dumps(TARIFF))
    dearer["elements"][0]["price_components"][1]["price"] = 0.75
    file = system.central.log.parent / "dearer.json"
    file.write_text(json.dumps(dearer))
    system.cpo("tariffs", "import", str(file))
    for partner in partners:
        partner.knows_price(0.75)
    assert "Traceback" not in system.central.output
    assert not system.first.server.complaints
