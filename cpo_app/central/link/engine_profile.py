"""OCPI's charging profiles in the engine's words, and back (docs/charge-point.md). Pure.

Sources: mod_charging_profiles, ChargingProfile and ActiveChargingProfile classes.
"""

from __future__ import annotations

from db_interface.json_data import JsonMapping, JsonObject
from domain.schemas import ActiveChargingProfile, SchemaError, validate

_RENAMED = (("start_date_time", "start"), ("duration", "duration_s"))


def to_engine(profile: JsonMapping) -> JsonObject:
    """An OCPI ChargingProfile as the command's `limit`."""
    limit: JsonObject = {
        "unit": profile["charging_rate_unit"],
        "periods": [
            {"start_s": period["start_period"], "limit": period["limit"]}
            for period in profile.get("charging_profile_period") or ()
        ],
    }
    for ocpi, ours in (*_RENAMED, ("min_charging_rate", "min_charging_rate")):
        if profile.get(ocpi) is not None:
            limit[ours] = profile[ocpi]
    return limit


def from_engine(answer: JsonMapping) -> JsonObject:
    """The engine's /active_profile as an OCPI ActiveChargingProfile.

    Raises ValueError for an answer that is none.
    """
    profile = {
        "start_date_time": answer.get("start"),
        "duration": answer.get("duration_s"),
        "charging_rate_unit": answer.get("charging_rate_unit"),
        "min_charging_rate": answer.get("min_charging_rate"),
        "charging_profile_period": answer.get("periods"),
    }
    given = {name: value for name, value in profile.items() if value is not None}
    try:
        return validate(
            ActiveChargingProfile,
            {"start_date_time": answer.get("start"), "charging_profile": given},
        )
    except SchemaError as error:
        raise ValueError(str(error)) from None
