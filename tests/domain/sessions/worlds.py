"""A site with a charge point, tokens and tariffs in a real store, and sessions played on it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta, timezone
from typing import Any, TypeVar

from db_interface.database import Database
from db_interface.interface import DbInterface
from db_interface.json_data import JsonObject
from db_interface.transaction import Tx
from domain.objects.locations import owned_location
from domain.objects.tariffs import owned_tariff
from domain.schemas import Tariff, validate
from domain.sessions import charging_sessions, session_doubts
from domain.sessions.session_rules import Rules
from domain.sessions.session_segments import Reading
from domain.versions.own import Location
from tests.clock import Clock
from tests.conftest import Loop

T = TypeVar("T")

START = datetime(2025, 5, 5, 14, 30, tzinfo=timezone.utc)  # a Monday, 16:30 in Amsterdam
STAMP = "2025-01-01T00:00:00Z"

QUICK = Rules(max_power_factor=20)
"""Stories are told faster than a connector of 22 kW charges."""

TOKEN = {
    "country_code": "DE",
    "party_id": "MSP",
    "uid": "CARD-1",
    "type": "RFID",
    "contract_id": "DE-MSP-C00000001-1",
    "group_id": "FLEET",
}


def after(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def tariff(tariff_id: str = "T1", *elements: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A tariff of 0.40 per kWh, unless elements are given."""
    return {
        "country_code": "NL",
        "party_id": "EVC",
        "id": tariff_id,
        "currency": "EUR",
        "elements": list(elements) or [element("ENERGY", 0.4)],
        "last_updated": STAMP,
        **more,
    }


def element(kind: str, price: float, step_size: int = 1, **restrictions: Any) -> dict[str, Any]:
    component = {"type": kind, "price": price, "vat": 20.0, "step_size": step_size}
    made: dict[str, Any] = {"price_components": [component]}
    if restrictions:
        made["restrictions"] = restrictions
    return made


def reading(seconds: float, energy_wh: float, power_w: float = 11000.0, **more: Any) -> Reading:
    return Reading(
        at=after(seconds),
        energy_wh=energy_wh,
        power_w=power_w,
        current_a=round(power_w / 690, 2),
        voltage_v=230.0,
        phases=3,
        **more,
    )


def location(tariff_ids: list[str], **evse: Any) -> dict[str, Any]:
    connector = {
        "id": "1",
        "standard": "IEC_62196_T2",
        "format": "SOCKET",
        "power_type": "AC_3_PHASE",
        "max_voltage": 230,
        "max_amperage": 32,
        "max_electric_power": 22000,
        "tariff_ids": tariff_ids,
        "last_updated": STAMP,
    }
    return {
        "country_code": "NL",
        "party_id": "EVC",
        "id": "LOC1",
        "publish": True,
        "name": "Market square",
        "address": "A very long street name that no CDR has room for 123",
        "city": "Amsterdam",
        "postal_code": "1011AB",
        "state": "Province of North Holland",
        "country": "NLD",
        "coordinates": {"latitude": "52.370216", "longitude": "4.895168"},
        "evses": [
            {
                "uid": "CP-001",
                "evse_id": "NL*EVC*ECP001",
                "status": "AVAILABLE",
                "connectors": [connector],
                "last_updated": STAMP,
                **evse,
            }
        ],
        "operator": {"name": "EVC"},
        "time_zone": "Europe/Amsterdam",
        "last_updated": STAMP,
    }


class World:
    """One store; sessions at the connector 1 of CP-001."""

    def __init__(
        self,
        db: Database,
        loop: Loop,
        *tariffs: dict[str, Any],
        rules: Rules = QUICK,
        **evse: Any,
    ) -> None:
        self.db, self.loop, self.rules = db, loop, rules
        self.store = DbInterface(db)
        self.clock = db.clock = Clock(START)
        self.location = validate(Location, location([t["id"] for t in tariffs], **evse))
        self.put("locations", owned_location(self.location))
        for given in tariffs:
            self.put("tariffs", owned_tariff(validate(Tariff, given)))

    def put(self, module: str, obj: Any) -> None:
        self.loop.run(self.store.create(module, obj))

    def transact(self, work: Callable[[Tx], Awaitable[T]], seconds: float | None = None) -> T:
        """At that moment of the database's clock, if one is given."""
        if seconds is not None:
            self.clock.at = after(seconds)
        return self.loop.run(self.store.transact(work))

    async def opening(self, tx: Tx, **more: Any) -> str:
        evse = self.location["evses"][0]
        given: dict[str, Any] = {
            "cp_id": "CP-001",
            "location": self.location,
            "evse": evse,
            "connector": evse["connectors"][0],
            "token": TOKEN,
            "auth_method": "WHITELIST",
            "authorization_reference": "REF-1",
            "source": "local",
            **more,
        }
        return await charging_sessions.open_session(tx, **given)

    def open(self, seconds: float = 0, **more: Any) -> str:
        return self.transact(lambda tx: self.opening(tx, **more), seconds)

    def reserve(self, seconds: float = 0, **more: Any) -> str:
        evse = self.location["evses"][0]
        given: dict[str, Any] = {
            "token": TOKEN,
            "auth_method": "COMMAND",
            "authorization_reference": None,
            "reservation_id": "R1",
            **more,
        }
        return self.transact(
            lambda tx: charging_sessions.open_reservation(
                tx,
                cp_id="CP-001",
                location=self.location,
                evse=evse,
                connector=evse["connectors"][0],
                **given,
            ),
            seconds,
        )

    def end_reservation(
        self, seconds: float, *, expired: bool, over: float | None = None
    ) -> str | None:
        """`over`: since when it is, where that was noticed late."""
        return self.transact(
            lambda tx: charging_sessions.end_reservation(
                tx,
                "R1",
                expired=expired,
                at=None if over is None else after(over),
            ),
            seconds,
        )

    def begin(self, session_id: str, seconds: float = 0) -> str:
        return self.transact(
            lambda tx: charging_sessions.session_began(
                tx,
                session_id,
                at=after(seconds),
                register_wh=1000.0,
                rules=self.rules,
            ),
            seconds,
        )

    def meter(self, session_id: str, value: Reading, **more: Any) -> str:
        self.clock.at = value.at
        return self.transact(
            lambda tx: charging_sessions.meter_reading(
                tx,
                session_id,
                value,
                rules=self.rules,
                **more,
            )
        )

    def end(
        self, session_id: str, seconds: float, energy_wh: float, reason: str = "local", **more: Any
    ) -> str:
        return self.transact(
            lambda tx: charging_sessions.session_ended(
                tx,
                session_id,
                at=after(seconds),
                energy_wh=energy_wh,
                reason=reason,
                rules=self.rules,
                **more,
            ),
            seconds,
        )

    def abandon(self, session_id: str, seconds: float, reason: str = "gone") -> str | None:
        return self.transact(
            lambda tx: charging_sessions.abandon(tx, session_id, reason, self.rules), seconds
        )

    def fall_silent(self, session_id: str, seconds: float, why: str = "not heard of") -> bool:
        return self.transact(lambda tx: session_doubts.fell_silent(tx, session_id, why), seconds)

    def give_up(self, session_id: str, seconds: float) -> bool:
        return self.transact(lambda tx: session_doubts.give_up(tx, session_id, self.rules), seconds)

    def by_hand(
        self, seconds: float, work: Callable[..., Awaitable[T]], *args: Any, **more: Any
    ) -> T:
        return self.transact(
            lambda tx: work(tx, *args, by="ann", rules=self.rules, **more), seconds
        )

    def inner(self, session_id: str) -> charging_sessions.ChargingSession:
        found = self.loop.run(charging_sessions.get(self.db, session_id))
        assert found is not None
        return found

    def session(self, session_id: str) -> dict[str, Any]:
        """The Session as peers get it."""
        found = self.loop.run(self.store.get("sessions", f"nl/evc/{session_id}"))
        assert found is not None
        return found

    def cdrs(self) -> list[dict[str, Any]]:
        async def read() -> list[JsonObject]:
            rows = await self.store.objects("cdrs").documents({})
            return [dict(row["fields"]) for row in sorted(rows, key=lambda row: row["seq"])]

        return self.loop.run(read())
