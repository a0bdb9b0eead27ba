"""A question's charging profile as the station takes it, and its composite schedule as OCPI's.

What both versions of OCPP have in common of it; `limit` and `connector` are OCPI's objects.
"""

from __future__ import annotations

from cpo_app.ocpp.box import Asked
from cpo_app.ocpp.outcomes import Outcome, of_status, outcome
from db_interface.json_data import JsonMapping, JsonObject
from domain.ocpp.profiles import Schedule, Supply, active_profile, schedule_of
from domain.times import parse_datetime


def schedule_for(asked: Asked) -> Schedule | None:
    """None: the profile limits nothing. Raises ProfileNotPossible."""
    connector = asked.fields.get("connector")
    supply = None if connector is None else Supply.of(connector)
    return schedule_of(asked.fields["limit"], supply, asked.fields.get("rate_units") or ())


def composite(asked: Asked, said: JsonMapping, schedule: JsonMapping, start: object) -> JsonObject:
    """A GetCompositeSchedule's answer as `profile`, an OCPI ActiveChargingProfile."""
    if said.get("status") != "Accepted":
        return of_status(said, {})
    try:
        profile = active_profile(schedule, start, parse_datetime(asked.fields["now"]))
    except ValueError as error:
        return outcome(Outcome.REJECTED, f"no usable composite schedule: {error}")
    return outcome(Outcome.ACCEPTED, profile=profile)
