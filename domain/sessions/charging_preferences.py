"""What a driver prefers for a running session, and what can be made of it (mod_sessions, 9.2.1.2).

The decision is a table of rules, read from the top; nothing here knows the store. A profile type
is supported where the connector has a tariff for it (ChargingPreferences.profile_type); REGULAR
is always. GREEN, where all of the location's energy is: by the hour nobody knows.

Where the EVSE takes charging profiles CHEAP is a plan, which its charge point has to obey first
(charging_plans). A profile that a peer has set outranks every preference but REGULAR.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from domain.errors import NotFound
from domain.objects import OcpiObject
from domain.schemas import parse_datetime
from domain.sessions import charging_plans
from domain.sessions.session_document import ChargingPlan, ChargingSession
from domain.sessions.session_states import FINAL, Status

CAPABILITY = "CHARGING_PREFERENCES_CAPABLE"

ACCEPTED = "ACCEPTED"
DEPARTURE_REQUIRED = "DEPARTURE_REQUIRED"
ENERGY_NEED_REQUIRED = "ENERGY_NEED_REQUIRED"
NOT_POSSIBLE = "NOT_POSSIBLE"
PROFILE_TYPE_NOT_SUPPORTED = "PROFILE_TYPE_NOT_SUPPORTED"

_REGULAR, _CHEAP, _GREEN = "REGULAR", "CHEAP", "GREEN"
_PLANNED = frozenset({_CHEAP, _GREEN})
"""Profiles that move charging in time: they need to know until when, and how much."""


class PreferencesNotSupported(NotFound):
    """The EVSE is not CHARGING_PREFERENCES_CAPABLE: HTTP 404 with 2001 (mod_sessions, enum)."""

    status_code = 2001
    default = "This EVSE takes no charging preferences"


@dataclass(frozen=True)
class Decision:
    """A ChargingPreferencesResponse. `asks`: ACCEPTED only if the charge point obeys `plan`, or,
    where that is None, lets go of the one that it obeys now."""

    response: str
    asks: bool = False
    plan: ChargingPlan | None = None


def decide(
    preferences: OcpiObject, session: ChargingSession, now: datetime, *, green: bool = False
) -> Decision:
    """What is to be answered, and done. Raises PreferencesNotSupported.

    `preferences`: a valid ChargingPreferences; `session`: its document; `green`: whether all
    energy of its location is.
    """
    response = _response(preferences, session, now, green=green)
    if response != ACCEPTED:
        return Decision(response)
    if (
        preferences["profile_type"] == _CHEAP
        and charging_plans.CAPABILITY in (session["capabilities"])
    ):
        if session["started"] is None:
            return Decision(NOT_POSSIBLE)  # nothing charges that could be told when
        plan = charging_plans.plan_of(session, preferences, now)
        return Decision(NOT_POSSIBLE) if plan is None else Decision(ACCEPTED, True, plan)
    return Decision(ACCEPTED, asks="plan" in session and "profile" not in session)


def _response(
    preferences: OcpiObject, session: ChargingSession, now: datetime, *, green: bool
) -> str:
    if CAPABILITY not in session["capabilities"]:
        raise PreferencesNotSupported
    profile = preferences["profile_type"]
    if Status(session["status"]) in FINAL:
        return NOT_POSSIBLE
    if profile != _REGULAR and not _has_tariff(session, profile):
        return PROFILE_TYPE_NOT_SUPPORTED
    if profile == _GREEN and not green:
        return PROFILE_TYPE_NOT_SUPPORTED
    departure = preferences.get("departure_time")
    if profile in _PLANNED and departure is None:
        return DEPARTURE_REQUIRED
    need_kwh = preferences.get("energy_need")
    if profile in _PLANNED and need_kwh is None:
        return ENERGY_NEED_REQUIRED
    if profile != _REGULAR and "profile" in session:
        return NOT_POSSIBLE
    if departure is not None and not _can_be_done(
        session, parse_datetime(departure), need_kwh, now
    ):
        return NOT_POSSIBLE
    return ACCEPTED


def _has_tariff(session: ChargingSession, profile: str) -> bool:
    return any(tariff.get("type") == f"PROFILE_{profile}" for tariff in session["tariffs"])


def _can_be_done(
    session: ChargingSession, departure: datetime, need_kwh: float | None, now: datetime
) -> bool:
    """Whether the connector at full power gives what is still wanted before the departure."""
    hours = (departure - now).total_seconds() / 3600
    if hours <= 0:
        return False
    max_power_w = session.get("max_power_w")
    if need_kwh is None or not max_power_w:
        return True
    missing_wh = need_kwh * 1000 - session["energy_wh"]
    return missing_wh <= max_power_w * hours
