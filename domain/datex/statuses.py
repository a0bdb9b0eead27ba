"""A Location as an EnergyInfrastructureSiteStatus: what changes from minute to minute. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from db_interface.json_data import JsonMapping, JsonObject
from domain.datex import identifiers, rates
from domain.datex.rates import Tariffs
from domain.datex.words import enum, reference, said

STATUSES: Mapping[str, str] = {
    "AVAILABLE": "available",
    "BLOCKED": "blocked",
    "CHARGING": "charging",
    "INOPERATIVE": "inoperative",
    "OUTOFORDER": "outOfOrder",
    "PLANNED": "planned",
    "REMOVED": "removed",
    "RESERVED": "reserved",
    "UNKNOWN": "unknown",
}
"""OCPI's Status to RefillPointStatusEnum."""


def site_status(location: JsonMapping, tariffs: Tariffs) -> JsonObject | None:
    """Its references are to what the table has; EVSEs that are removed stand here alone. None: it
    never had one."""
    evses = location.get("evses") or ()
    if not evses:
        return None
    present = identifiers.present(location)
    site = identifiers.site_id(location)
    prices = tariffs.of_site(location, present).all
    version = identifiers.version(location, prices)
    station = {
        "reference": reference(identifiers.station_id(site), version),
        "lastUpdated": location["last_updated"],
        "isAvailable": any(evse["status"] == "AVAILABLE" for evse in present),
        "refillPointStatus": [_point_status(evse, site, version) for evse in evses],
        **said(energyRateUpdate=rates.rate_updates(location, prices, tariffs, site)),
    }
    return {
        "reference": reference(site, version),
        "lastUpdated": location["last_updated"],
        "energyInfrastructureStationStatus": [station],
    }


def _point_status(evse: JsonMapping, site: str, version: str) -> JsonObject:
    return {
        "aegiElectricChargingPointStatus": {
            "reference": reference(identifiers.point_id(site, evse), version),
            "lastUpdated": evse["last_updated"],
            "status": enum(STATUSES[evse["status"]]),
            **said(
                plannedRefillPointStatus=[
                    {
                        "status": enum(STATUSES[planned["status"]]),
                        "overallPeriod": said(
                            overallStartTime=planned["period_begin"],
                            overallEndTime=planned.get("period_end"),
                        ),
                    }
                    for planned in evse.get("status_schedule") or ()
                ]
            ),
        }
    }
