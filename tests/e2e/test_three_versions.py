"""Three eMSPs on one platform, one of each OCPI version: handshake, pull, push, cards, a session
from START to CDR, rotation of tokens, moves to another version; and the servers die in the middle.

Each finds nothing wrong with only its own text in hand: what it is sent is checked by its
version's tables, and refused otherwise.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import urlsplit

import pytest

from cpo_app.demo_emsp.emsp import Emsp as DemoEmsp
from cpo_app.demo_emsp.registered import Door, Registered, Role, listening, registered
from cpo_app.ocpi_caller import CallError
from db_interface.json_data import JsonObject
from domain.schemas import validate
from domain.versions import VERSIONS, ObjectKind, OcpiVersion
from tests.conftest import Loop
from tests.domain.schemas.samples import evse, location
from tests.e2e.charging_system import CP, PLACE, TARIFF, ChargingSystem, charging_system
from tests.e2e.processes import eventually

pytestmark = [pytest.mark.processes, pytest.mark.timeout(240)]

T = TypeVar("T")
SPEED = 30
SINCE = "?date_from=2020-01-01T00:00:00Z"
HIDDEN = location(
    country_code="DE",
    party_id="CPO",
    id="HIDDEN",
    postal_code="10115",
    publish=False,
    evses=[evse()],
)
"""What 2.1.1 cannot say: it is not to be published."""
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
    leaves: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)
    """ends what it serves"""
    results: dict[str, JsonObject] = field(default_factory=dict)
    """what came to its response URLs, by their last parts"""
    seen: list[JsonObject] = field(default_factory=list)
    """every state of a session that it was sent"""

    @property
    def card(self) -> JsonObject:
        """The one that it pushes."""
        return self._card("CARD")

    @property
    def kept_card(self) -> JsonObject:
        """One that the CPO has to fetch."""
        return self._card("KEPT")

    def _card(self, uid: str) -> JsonObject:
        country_code, party_id = self.party
        return {
            "country_code": country_code,
            "party_id": party_id,
            "uid": f"{uid}-{party_id}",
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

    @property
    def role(self) -> Role:
        return Role(self.party, [self.card, self.kept_card], self.heard, version=self.version)

    def join(self, system: ChargingSystem) -> None:
        """Register with an invitation."""
        invited = system.act("/peers", name="Any", any_party=True)
        self.peer_id = invited["peer_id"]
        block = registered(invited["versions_url"], invited["token"], self.role, Door())
        self.emsp = self._entered(block)

    def comes_back_in(self, version: OcpiVersion) -> None:
        """Its software is exchanged for one that speaks that version alone, at the same place, with
        the same tokens, and without a memory of what it was told."""
        before, port = self.emsp.receiver, urlsplit(self.emsp.receiver.base_url).port
        assert before.cpo is not None and port is not None
        token, theirs, versions_url = before.token, before.cpo.token, before.cpo.versions_url
        before.cpo = None  # it takes no leave
        self.leaves.close()
        self.version = version
        receiver = self._entered(listening(self.role, Door(port)))
        receiver.token, receiver.registered = token, True
        receiver.cpo = me = DemoEmsp(receiver.http, versions_url, version, theirs)
        self.emsp = Registered(me, {}, receiver)
        self.loop.run(me.discover())

    def moves(self) -> None:
        """Tell the CPO by PUT of its credentials in the version that it speaks now."""
        ours = self.emsp.receiver.credentials()
        answer = self.loop.run(self.me.call("PUT", self.me.endpoints["credentials"], ours))
        self.me.token = answer["data"]["token"]

    def _entered(self, block: AbstractAsyncContextManager[T]) -> T:
        entered = self.loop.run(block.__aenter__())
        self.leaves.callback(lambda: self.loop.run(block.__aexit__(None, None, None)))
        return entered

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
        body = self.version.render(ObjectKind.TOKEN, self.card).object
        answer = self.loop.run(self.me.call("PUT", self._place(self.card), body))
        assert answer["status_code"] == 1000
        assert self.kept(self.card) == body

    def card_is_pulled(self) -> None:
        """Wait until the CPO has fetched the one that it was not told of."""
        body = self.version.render(ObjectKind.TOKEN, self.kept_card).object

        def there() -> bool:
            with contextlib.suppress(CallError):
                return self.kept(self.kept_card) == body
            return False

        eventually(there, what=f"a card that is pulled in {self.version.number}")

    def kept(self, card: JsonObject) -> JsonObject:
        """The card as the CPO has it. Raises CallError."""
        found: JsonObject = self.loop.run(self.me.call("GET", self._place(card)))["data"]
        return found

    def _place(self, card: JsonObject) -> str:
        url = self.me.endpoints["tokens"].rstrip("/")
        return f"{url}/{'/'.join(self.party)}/{card['uid']}"

    def place_is(self, location_id: str, *, offered: bool) -> None:
        """Wait until it has been told so of the Location."""

        def told() -> bool:
            found = [row for row in self.told("locations") if row["id"] == location_id]
            statuses = {evse["status"] for row in found for evse in row["evses"]}
            return bool(statuses) and (statuses != {"REMOVED"}) is offered

        eventually(told, what=f"{location_id} in {self.version.number}, offered: {offered}")

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


def import_price(system: ChargingSystem, price: float) -> None:
    changed = json.loads(json.dumps(TARIFF))
    changed["elements"][0]["price_components"][1]["price"] = price
    system.act("/tariffs", objects=[changed])


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
            stack.callback(partner.leaves.close)
            partner.join(system)
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
        partner.card_is_pulled()

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
        system.act(f"/peers/{partner.peer_id}/rotate")
        assert partner.emsp.receiver.token != before
        assert partner.all("cdrs")
    import_price(system, 0.75)
    for partner in partners:
        partner.knows_price(0.75)

    # The first moves to the newest version, by our word, and back, by its own. The servers die each
    # time once that is agreed on: what it opens and takes away is left to those that come next
    system.act("/locations", objects=[HIDDEN])
    first, oldest = partners[0], partners[0].version
    *_, newest = VERSIONS.values()
    first.comes_back_in(newest)
    system.act(f"/peers/{first.peer_id}/refresh")
    system.central.kill()
    system.central.start()
    system.ready()
    first.place_is(HIDDEN["id"], offered=True)
    assert HIDDEN["id"] in [row["id"] for row in first.all("locations")]
    import_price(system, 0.8)
    first.knows_price(0.8)

    first.comes_back_in(oldest)
    first.moves()
    system.central.kill()
    system.central.start()
    system.ready()
    first.place_is(HIDDEN["id"], offered=False)
    assert [row["id"] for row in first.all("locations")] == [CP]
    import_price(system, 0.85)
    first.knows_price(0.85)
    (cdr,) = first.all("cdrs")
    assert not first.told("cdrs"), "it is not billed once more"
    assert "Traceback" not in system.central.output
    assert not system.first.server.complaints
