"""Stations that say what happened, to the gateway's handlers on a real store; the clock is the
test's. Both sides are held to the schemas."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, cast

from ocpp.messages import MessageType

from cpo_app.central.service import Central
from cpo_app.ocpp import v16, v201
from cpo_app.ocpp.charging.gathered_readings import GatheredReadings
from cpo_app.ocpp.connection import Connection
from cpo_app.ocpp.handlers import Incoming
from cpo_app.ocpp.signing import Certifying
from cpo_app.ocpp_process import Side
from db_interface.database import Database
from db_interface.interface import DbInterface
from db_interface.json_data import JsonMapping, JsonObject
from db_interface.transaction import Tx
from domain.authorization.authorization import Authorizer
from domain.charge_points import charge_points, dead_letters
from domain.commands.command_targets import place_of
from domain.objects.tokens import owned_token
from domain.ocpp import connections, stations, transactions
from domain.ocpp.adding import add_station
from domain.ocpp.transactions import Transaction
from domain.reservations import reservations
from domain.reservations.reservation_sessions import ReservationSessions
from domain.reservations.reservations import Reservation
from domain.secrets import Vault
from domain.sessions import charging_sessions
from domain.sessions.session_records import SESSIONS
from tests.clock import Clock
from tests.conftest import Loop
from tests.domain.authorization.test_authorization import FakeEmsps, token
from tests.peers.ocpp_box import demand_valid
from tests.settings_of import settings_of

VAULT = Vault("v" * 40)
HANDLERS = {"ocpp1.6": v16.HANDLERS, "ocpp2.0.1": v201.HANDLERS}
VERSIONS = {"ocpp1.6": "1.6", "ocpp2.0.1": "2.0.1"}
GATEWAY = "gateway-of-the-test"
METADATA = {"site_id": "SITE-1", "power_rating": "22kW", "type": "AC"}
CARD = "CARD"
Session = JsonMapping


class FakeConnection:
    """What handlers see of a connection."""

    def __init__(self, station: stations.Station, protocol: str, since: datetime) -> None:
        self.id = uuid.uuid4().hex
        self.station = station
        self.protocol = protocol
        self.since = since
        self.outdated = False

    @property
    def station_id(self) -> str:
        return self.station["_id"]


@dataclass
class ChargingWorld:
    """One station, CP-007, of that protocol."""

    db: Database
    loop: Loop
    protocol: str = "ocpp1.6"
    settings: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.clock = self.db.clock = Clock()
        self.store = DbInterface(self.db)
        self.made = settings_of(**{"CENTRAL_SWEEP_AFTER_S": 600, **self.settings})
        self.central = Central(self.store, self.made, VAULT, admit=_nobody, gather_s=0)
        self.emsps = FakeEmsps()
        self.side = Side(self.central, Authorizer(self.store, self.emsps, timeout_s=5))
        self.gathered = GatheredReadings(
            self.store, self.side.rules, self.side.give_way, gather_s=0
        )
        self.run(self._begin())

    def run(self, story: Coroutine[Any, Any, Any]) -> Any:
        return self.loop.run(story)

    async def _begin(self) -> None:
        party = self.made.parties[0]
        await self.store.transact(
            lambda tx: add_station(
                tx,
                "CP-007",
                party=party,
                location="Berlin",
                metadata=METADATA,  # type: ignore[arg-type]
                password_hash=None,
            )
        )
        # A lease that holds through all that the test's clock is turned to.
        lease = {"$set": {"until": self.clock.at + timedelta(days=1000)}}
        await connections.GATEWAYS.of(self.db).update_one({"_id": GATEWAY}, lease, upsert=True)
        await self.connect()

    # what the world knows

    async def knows(self, uid: str = CARD, **changed: Any) -> None:
        """A token that charges unasked, unless `changed`."""
        await self.store.create(
            "tokens", owned_token(token(uid, **{"whitelist": "ALWAYS", **changed}))
        )

    async def commanded(self, uid: str = "APP", **changed: Any) -> str:
        """START_SESSION has opened a session for that token; its id."""

        async def work(tx: Tx) -> str:
            place = await place_of(tx, "CP-007")
            assert place is not None
            return await charging_sessions.open_session(
                tx,
                cp_id="CP-007",
                location=place.location,
                evse=place.evse,
                connector=place.connector(None),
                token=token(uid, type="APP_USER"),
                auth_method="COMMAND",
                authorization_reference="REF",
                source="remote",
            )

        return str(await self.store.transact(work))

    async def reserves(self, uid: str) -> str:
        """The id of the OCPI Session of a reservation for that token."""
        reservation: Reservation = {
            "_id": "R-1",
            "peer_id": "peer-tnm",
            "reservation_id": "R1",
            "owner": "de*cpo",
            "cp_id": "CP-007",
            "connector_id": "1",
            "location_id": "SITE-1",
            "evse_uid": "CP-007",
            "token": token(uid),
            "authorization_reference": "RESERVED-1",
            "expiry_date": self.clock.at + timedelta(hours=3),
            "command_id": "command",
            "answer_to": {},
        }
        work = partial(
            reservations.hold,
            party=self.made.parties[0],
            reservation=reservation,
            billing=ReservationSessions(),
        )
        await self.store.transact(work)
        (session,) = await self.sessions()
        return str(session["_id"])

    async def reservation_status(self) -> str:
        found = await reservations.get(self.db, "R-1")
        assert found is not None
        return found["status"]

    # what the station does

    async def connect(self) -> None:
        station = await stations.get(self.db, "CP-007")
        assert station is not None
        self.connection = FakeConnection(station, self.protocol, self.db.now())
        await connections.take(
            self.db,
            {
                "_id": "CP-007",
                "connection": self.connection.id,
                "holder": GATEWAY,
                "protocol": self.protocol,
                "address": "127.0.0.1",
                "since": self.connection.since,
            },
        )
        await self.side.heartbeat("CP-007", 3600, None, [])

    async def say(self, action: str, payload: JsonObject) -> JsonObject:
        version = VERSIONS[self.protocol]
        demand_valid(version, MessageType.Call, action, payload)
        incoming = Incoming(
            connection=cast("Connection", self.connection),
            central=self.side,
            store=self.store,
            settings=self.made,
            received_at=self.db.now(),
            message_id=uuid.uuid4().hex,
            readings=self.gathered,
            certifying=Certifying(self.store, {}, None),
        )
        answer = await HANDLERS[self.protocol][action](incoming, payload)
        demand_valid(version, MessageType.CallResult, action, answer)
        return answer

    def at(self, ago_s: float = 0) -> str:
        moment = self.clock.at - timedelta(seconds=ago_s)
        return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def passes(self, minutes: float) -> None:
        self.clock.advance(minutes * 60)

    async def start(self, meter_wh: int = 1000, **fields: Any) -> JsonObject:
        told = {"connectorId": 1, "idTag": CARD, "meterStart": meter_wh, "timestamp": self.at()}
        return await self.say("StartTransaction", {**told, **fields})

    async def stop(self, transaction_id: int, meter_wh: int, **fields: Any) -> JsonObject:
        told = {"transactionId": transaction_id, "meterStop": meter_wh, "timestamp": self.at()}
        return await self.say("StopTransaction", {**told, **fields})

    async def meter(
        self, transaction_id: int | None, *sampled: JsonObject, when: str | None = None
    ) -> None:
        named = {} if transaction_id is None else {"transactionId": transaction_id}
        values = [{"timestamp": when or self.at(), "sampledValue": list(sampled)}]
        await self.say("MeterValues", {"connectorId": 1, "meterValue": values, **named})

    async def event(
        self, kind: str, number: int, register_wh: float | None = None, **fields: Any
    ) -> JsonObject:
        """A TransactionEvent of the transaction T-1, unless `info` says otherwise."""
        payload: JsonObject = {
            "eventType": kind,
            "timestamp": fields.pop("when", None) or self.at(),
            "triggerReason": "Authorized",
            "seqNo": number,
            "transactionInfo": {"transactionId": "T-1", **fields.pop("info", {})},
        }
        if number == 0:
            payload["evse"] = {"id": 1, "connectorId": 1}
        if (card := fields.pop("card", None)) is not None:
            payload["idToken"] = {"idToken": card, "type": "ISO14443"}
        if register_wh is not None:
            sampled = [{"value": register_wh, "unitOfMeasure": {"unit": "Wh"}}]
            payload["meterValue"] = [{"timestamp": payload["timestamp"], "sampledValue": sampled}]
        return await self.say("TransactionEvent", {**payload, **fields})

    # what became of it

    async def sessions(self) -> list[Session]:
        return list(await SESSIONS.of(self.db).find({}, sort=[("created", 1)]))

    async def session(self) -> Session:
        (one,) = await self.sessions()
        return one

    async def cdrs(self) -> list[JsonMapping]:
        rows = await self.store.objects("cdrs").documents({})
        return [row["fields"] for row in rows]

    async def billed_kwh(self) -> list[float]:
        return [float(cdr["total_energy"]) for cdr in await self.cdrs()]

    async def letters(self) -> list[dead_letters.Shown]:
        return await dead_letters.listed(self.db, None, 50)

    async def transactions(self) -> list[Transaction]:
        return await transactions.latest(self.db, "CP-007", 50)

    async def state(self, cp_id: str = "CP-007") -> str:
        known = await charge_points.get(self.db, cp_id)
        assert known is not None
        return known["ocpi_status"]


async def _nobody(
    token: str | None,
    cp_id: str,
    *,
    required: bool,
    certificate: str | None = None,
    at_leisure: bool = False,
) -> None:
    raise AssertionError("no charge point comes in by HTTP")


def wh(value: float, **more: Any) -> JsonObject:
    """A sampled register of 1.6."""
    return {"value": str(value), "measurand": "Energy.Active.Import.Register", **more}


Story = Callable[[ChargingWorld], Coroutine[Any, Any, None]]


def documented(version: str) -> list[str]:
    """The cases of docs/ocpp-sessions.md that are of that version."""
    page = (Path(__file__).parents[3] / "docs" / "ocpp-sessions.md").read_text()
    rows = page.split("| case | versions |")[1].split("\n\n")[0].splitlines()[2:]
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]
    return [name for name, versions in cells if version in versions.split(", ")]
