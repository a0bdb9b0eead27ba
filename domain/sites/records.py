"""What EV_Registry keeps of a charge point, read without trust: any shape becomes a `Record`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone

from db_interface.json_data import JsonMapping

DEREGISTERED = "DEREGISTERED"

_NEVER = datetime.max.replace(tzinfo=timezone.utc)


@dataclass(frozen=True)
class Record:
    """One charge point as it was registered; `location` on one line, times aware."""

    cp_id: str
    location: str
    metadata: JsonMapping
    deregistered: bool
    registered_at: datetime
    waiting: bool = False
    """it named another's site; neither the operator nor the site's owner has said yes"""
    guest: bool = False
    """it came to a site that was another's"""
    by_operator: bool = False
    """its facts are the operator's word"""

    @classmethod
    def read(cls, data: JsonMapping) -> Record:
        metadata, location = data.get("metadata"), data.get("location")
        registered_at = data.get("registration_date")
        if not isinstance(registered_at, datetime):
            registered_at = _NEVER
        elif registered_at.tzinfo is None:
            registered_at = registered_at.replace(tzinfo=timezone.utc)
        return cls(
            cp_id=str(data.get("cp_id", "")),
            location=_one_line(location) if isinstance(location, str) else "",
            metadata=metadata if isinstance(metadata, Mapping) else {},
            deregistered=data.get("status") == DEREGISTERED,
            registered_at=registered_at,
            waiting=data.get("site_waiting") is True,
            guest=data.get("site_guest") is True,
            by_operator=data.get("by_operator") is True,
        )


def _one_line(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
