"""Records as EV_Registry keeps them, and the party that offers them: where these tests start."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any, NamedTuple

from domain.sites import Built, build_location

NOW = datetime(2024, 5, 1, 12, 0, 0, tzinfo=timezone.utc)
LATER = NOW + timedelta(hours=1)


class Acme(NamedTuple):
    country_code: str = "DE"
    party_id: str = "ABC"
    name: str = "Acme Charging"


def record(
    cp_id: str = "CP-001", location: str = "Berlin", day: int = 1, **changes: Any
) -> dict[str, Any]:
    """A record with `metadata`, `status` ... as given, registered on that day of January."""
    registered = datetime(2024, 1, day, tzinfo=timezone.utc)
    return {
        "cp_id": cp_id,
        "location": location,
        "metadata": {},
        "status": "REGISTERED",
        "registration_date": registered,
        "updated_at": registered,
        **changes,
    }


def built(*records: dict[str, Any], **options: Any) -> Built:
    """The location of the records, which must not be held back."""
    outcome = build_location(
        records, options.pop("statuses", {}), Acme(), **{"now": NOW, **options}
    )
    assert isinstance(outcome, Built), outcome
    return outcome


def reasons(*records: dict[str, Any]) -> list[str]:
    """Why the location of the records is held back, which it must be."""
    outcome = build_location(records, {}, Acme(), now=NOW)
    assert not isinstance(outcome, Built), outcome
    return outcome.reasons


def connectors(**metadata: Any) -> list[dict[str, Any]]:
    """The connectors of a charge point with this metadata, without their timestamps."""
    evse = built(record(metadata=metadata)).location["evses"][0]
    return [
        {key: value for key, value in connector.items() if key != "last_updated"}
        for connector in evse["connectors"]
    ]
