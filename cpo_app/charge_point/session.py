"""A charging session and a reservation as the engine keeps them. Values only, no behaviour
beyond reading and writing their JSON form.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from cpo_app.charge_point.profile import ChargingLimit
from db_interface.json_data import JsonObject
from domain.times import format_datetime, parse_datetime


@dataclass
class Session:
    """`started_at` is None while an authorised session waits (until `plug_by`) for its car."""

    session_id: str
    connector_id: str
    source: str
    id_tag: str | None
    plug_by: datetime
    started_at: datetime | None = None
    start_register_wh: float = 0.0
    limit: ChargingLimit | None = None
    signed_begin: str | None = None

    def belongs_to(self, token_uid: str) -> bool:
        """Token uids are CiStrings: case does not matter."""
        return self.id_tag is not None and self.id_tag.lower() == token_uid.lower()

    def as_dict(self) -> JsonObject:
        return {
            "session_id": self.session_id,
            "connector_id": self.connector_id,
            "source": self.source,
            "id_tag": self.id_tag,
            "plug_by": format_datetime(self.plug_by),
            "started_at": format_datetime(self.started_at) if self.started_at else None,
            "start_register_wh": self.start_register_wh,
            "signed_begin": self.signed_begin,
            "limit": self.limit.as_dict() if self.limit else None,
        }

    @classmethod
    def from_dict(cls, data: JsonObject) -> Session:
        plug_by = parse_datetime(data["plug_by"])
        return cls(
            session_id=data["session_id"],
            connector_id=data["connector_id"],
            source=data["source"],
            id_tag=data["id_tag"],
            plug_by=plug_by,
            started_at=parse_datetime(data["started_at"]) if data["started_at"] else None,
            start_register_wh=data["start_register_wh"],
            signed_begin=data.get("signed_begin"),
            limit=ChargingLimit.parse(data["limit"], plug_by) if data["limit"] else None,
        )


@dataclass(frozen=True)
class Reservation:
    reservation_id: str
    id_tag: str | None
    expiry: datetime

    def admits(self, id_tag: str | None, reservation_id: str | None) -> bool:
        """Whether this token or this named reservation may start. Who belongs to the token's
        group is Central's knowledge: it names the reservation."""
        if reservation_id is not None and reservation_id == self.reservation_id:
            return True
        return (
            id_tag is not None
            and self.id_tag is not None
            and (id_tag.lower() == self.id_tag.lower())
        )

    def as_dict(self) -> JsonObject:
        return {
            "reservation_id": self.reservation_id,
            "id_tag": self.id_tag,
            "expiry": format_datetime(self.expiry),
        }

    @classmethod
    def from_dict(cls, data: JsonObject) -> Reservation:
        return cls(data["reservation_id"], data["id_tag"], parse_datetime(data["expiry"]))
