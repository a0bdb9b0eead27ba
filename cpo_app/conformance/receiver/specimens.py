"""The objects that a partner is sent: harmless, and named so that nobody takes them for real.

Nothing is published where the version can say so, nobody can charge there, nothing costs anything.
Each is one of 2.2.1's, rendered for the version in use.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from db_interface.json_data import JsonObject
from domain.times import format_datetime, utc_now
from domain.versions import Context, ObjectKind, OcpiVersion, Party

NAME = "Conformance test, please ignore"
_HOUR = timedelta(hours=1)


@dataclass
class Specimens:
    """Test objects of `ours`; `theirs` is the partner's party, whose driver is made up."""

    version: OcpiVersion
    ours: tuple[str, str]
    theirs: tuple[str, str]
    run: str = field(default_factory=lambda: secrets.token_hex(4).upper())
    """In every id: no two runs meet."""
    _last: datetime = field(default_factory=utc_now)

    def id_of(self, what: str) -> str:
        return f"TEST-{what}-{self.run}"

    def now(self) -> str:
        """A moment for last_updated: each one is later than those before."""
        self._last = max(utc_now(), self._last + timedelta(seconds=1))
        return format_datetime(self._last.replace(microsecond=0))

    def location(self, location_id: str) -> JsonObject:
        inner = self._location(location_id)
        if self.version.description.shows_only_published:
            inner["publish"] = True  # it has no word for one that is not
        return self._rendered(ObjectKind.LOCATION, inner)

    def evse(self, uid: str) -> JsonObject:
        return self._rendered(ObjectKind.EVSE, self._evse(uid))

    def connector(self, connector_id: str) -> JsonObject:
        return self._rendered(ObjectKind.CONNECTOR, self._connector(connector_id))

    def tariff(self, tariff_id: str) -> JsonObject:
        free = {"type": "FLAT", "price": 0.0, "step_size": 1}
        inner = {
            **self._owner,
            "id": tariff_id,
            "currency": "EUR",
            "tariff_alt_text": [{"language": "en", "text": NAME}],
            "elements": [{"price_components": [free]}],
            "last_updated": self.now(),
        }
        return self._rendered(ObjectKind.TARIFF, inner)

    def session(self, session_id: str, status: str = "ACTIVE") -> JsonObject:
        inner = {
            **self._owner,
            "id": session_id,
            "start_date_time": self._hours_ago(1),
            "kwh": 0.0,
            "cdr_token": self._token,
            "auth_method": "WHITELIST",
            "location_id": self.id_of("LOC"),
            "evse_uid": self.id_of("EVSE"),
            "connector_id": "1",
            "currency": "EUR",
            "status": status,
            "last_updated": self.now(),
        }
        if status == "COMPLETED":
            inner["end_date_time"] = self._hours_ago(0)
        return self._rendered(ObjectKind.SESSION, inner)

    def cdr(self, cdr_id: str, credits: str | None = None) -> JsonObject:
        """A CDR over nothing; or one that takes the CDR `credits` back."""
        location = self._location(self.id_of("LOC"))
        evse = location["evses"][0]
        connector = evse["connectors"][0]
        inner = {
            **self._owner,
            "id": cdr_id,
            "start_date_time": self._hours_ago(1),
            "end_date_time": self._hours_ago(0),
            "session_id": self.id_of("SES"),
            "cdr_token": self._token,
            "auth_method": "WHITELIST",
            "cdr_location": {
                **{name: location[name] for name in ("id", "name", "address", "city")},
                **{name: location[name] for name in ("country", "coordinates")},
                "evse_uid": evse["uid"],
                "evse_id": evse["evse_id"],
                "connector_id": connector["id"],
                "connector_standard": connector["standard"],
                "connector_format": connector["format"],
                "connector_power_type": connector["power_type"],
            },
            "currency": "EUR",
            "charging_periods": [
                {
                    "start_date_time": self._hours_ago(1),
                    "dimensions": [{"type": "ENERGY", "volume": 0.0}],
                }
            ],
            "total_cost": {"excl_vat": 0.0},
            "total_energy": 0.0,
            "total_time": 0.0,
            "remark": NAME,
            "last_updated": self.now(),
        }
        if credits is not None:
            inner |= {"credit": True, "credit_reference_id": credits}
        return self._rendered(ObjectKind.CDR, inner)

    @property
    def _owner(self) -> JsonObject:
        return {"country_code": self.ours[0], "party_id": self.ours[1]}

    @property
    def _token(self) -> JsonObject:
        return {
            "country_code": self.theirs[0],
            "party_id": self.theirs[1],
            "uid": self.id_of("CARD"),
            "type": "RFID",
            "contract_id": f"{self.theirs[0]}-{self.theirs[1]}-CTEST0000-X",
        }

    def _location(self, location_id: str) -> JsonObject:
        return {
            **self._owner,
            "id": location_id,
            "publish": False,
            "name": NAME,
            "address": "Nowhere 1",
            "city": "Testville",
            "postal_code": "00000",
            "country": "DEU",
            "coordinates": {"latitude": "52.520000", "longitude": "13.405000"},
            "time_zone": "Europe/Berlin",
            "evses": [self._evse(self.id_of("EVSE"))],
            "last_updated": self.now(),
        }

    def _evse(self, uid: str) -> JsonObject:
        return {
            "uid": uid,
            "evse_id": f"{self.ours[0]}*{self.ours[1]}*ETEST{self.run}",
            "status": "INOPERATIVE",
            "connectors": [self._connector("1")],
            "last_updated": self.now(),
        }

    def _connector(self, connector_id: str) -> JsonObject:
        return {
            "id": connector_id,
            "standard": "IEC_62196_T2",
            "format": "SOCKET",
            "power_type": "AC_3_PHASE",
            "max_voltage": 230,
            "max_amperage": 16,
            "last_updated": self.now(),
        }

    def _hours_ago(self, hours: int) -> str:
        return format_datetime((self._last - hours * _HOUR).replace(microsecond=0))

    def _rendered(self, kind: ObjectKind, inner: JsonObject) -> JsonObject:
        location = None
        if kind in (ObjectKind.SESSION, ObjectKind.CDR):
            location = self._location(self.id_of("LOC"))
        context = Context(party=Party(*self.ours), location=location)
        return self.version.render(kind, inner, context).object
