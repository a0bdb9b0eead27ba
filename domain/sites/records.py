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
        )


def _one_line(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
