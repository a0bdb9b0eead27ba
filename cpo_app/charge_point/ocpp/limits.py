"""Charging profiles as OCPP stacks them, and the one limit that comes of them. Pure.

Of each purpose the highest stack level that says anything counts; of all purposes the least
(OCPP 1.6 section 3.13, 2.0.1 K01). TxProfile takes the place of TxDefaultProfile.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from cpo_app.charge_point.power import Supply
from cpo_app.charge_point.profile import ChargingLimit
from db_interface.json_data import JsonObject
from domain.times import parse_datetime, utc_now

TX, TX_DEFAULT = "TxProfile", "TxDefaultProfile"
STATION_MAX = frozenset({"ChargePointMaxProfile", "ChargingStationMaxProfile"})
PURPOSES = frozenset({TX, TX_DEFAULT, *STATION_MAX})
WHOLE_STATION = 0


@dataclass(frozen=True)
class StackedProfile:
    profile_id: int
    evse: int
    purpose: str
    stack_level: int
    schedule: JsonObject
    """unit, periods, start?, duration_s?, min_charging_rate?: what ChargingLimit reads."""
    valid_from: datetime | None = None
    valid_to: datetime | None = None
    session_id: str | None = None
    """The one session that a TxProfile is for; none named: whichever runs."""

    def limit(self, began: datetime) -> ChargingLimit:
        return ChargingLimit.parse(self.schedule, began)

    def holds_at(self, instant: datetime) -> bool:
        after = self.valid_from is None or instant >= self.valid_from
        return after and (self.valid_to is None or instant < self.valid_to)


def read_profile(
    told: JsonObject, schedule: JsonObject, evse: int, session_id: str | None
) -> StackedProfile:
    """Out of either version's form. Raises ValueError for what this charge point cannot do."""
    if told["chargingProfileKind"] == "Recurring":
        raise ValueError("recurring profiles are not supported")
    purpose = told["chargingProfilePurpose"]
    if purpose not in PURPOSES:
        raise ValueError(f"{purpose} is not supported")
    periods = [
        {"start_s": row["startPeriod"], "limit": row["limit"]}
        for row in schedule["chargingSchedulePeriod"]
    ]
    read: JsonObject = {"unit": schedule["chargingRateUnit"], "periods": periods}
    if told["chargingProfileKind"] == "Absolute" and schedule.get("startSchedule"):
        read["start"] = schedule["startSchedule"]
    if schedule.get("duration") is not None:
        read["duration_s"] = schedule["duration"]
    if schedule.get("minChargingRate") is not None:
        read["min_charging_rate"] = schedule["minChargingRate"]
    profile = StackedProfile(
        profile_id=int(told["chargingProfileId"] if "chargingProfileId" in told else told["id"]),
        evse=evse,
        purpose=purpose,
        stack_level=told["stackLevel"],
        schedule=read,
        valid_from=_moment(told.get("validFrom")),
        valid_to=_moment(told.get("validTo")),
        session_id=session_id if purpose == TX else None,
    )
    profile.limit(utc_now())  # refused now, and not when it is to be followed
    return profile


class Stack:
    """All profiles of a charge point."""

    def __init__(self) -> None:
        self.profiles: list[StackedProfile] = []

    def put(self, profile: StackedProfile) -> None:
        """The same id, or the same purpose and level at the same EVSE, is replaced."""
        place = (profile.evse, profile.purpose, profile.stack_level)
        self.profiles = [
            one
            for one in self.profiles
            if one.profile_id != profile.profile_id
            and (one.evse, one.purpose, one.stack_level) != place
        ]
        self.profiles.append(profile)

    def clear(
        self,
        profile_id: int | None = None,
        evse: int | None = None,
        purpose: str | None = None,
        stack_level: int | None = None,
    ) -> bool:
        """Whether there was one; what is not given does not matter."""

        def meant(one: StackedProfile) -> bool:
            if profile_id is not None:
                return one.profile_id == profile_id
            asked = ((evse, one.evse), (purpose, one.purpose), (stack_level, one.stack_level))
            return all(wanted is None or wanted == there for wanted, there in asked)

        before = len(self.profiles)
        self.profiles = [one for one in self.profiles if not meant(one)]
        return len(self.profiles) < before

    def end(self, session_id: str, evse: int) -> None:
        """The session is over: its TxProfiles go with it."""
        self.profiles = [
            one for one in self.profiles if not (one.purpose == TX and _for(one, session_id, evse))
        ]

    def limit(
        self, session_id: str, evse: int, began: datetime, now: datetime, supply: Supply
    ) -> ChargingLimit | None:
        """The one limit in W of a session from `now` on; None: there is none."""
        stacks = list(self._stacks(session_id, evse))
        if not stacks:
            return None
        parsed = [[(one, one.limit(began)) for one in stack] for stack in stacks]
        until = now + timedelta(days=366)
        instants = {now}
        for stack in parsed:
            for one, limit in stack:
                instants |= set(limit.changes(now, until))
                edges = (one.valid_from, one.valid_to)
                instants |= {edge for edge in edges if edge is not None and now < edge < until}
        periods: list[tuple[int, float]] = []
        for instant in sorted(instants):
            said = [_said_by(stack, instant, supply) for stack in parsed]
            known = [watts for watts in said if watts is not None]
            watts = min(known) if known else supply.max_w
            start_s = -(-(instant - now) // timedelta(seconds=1))
            if not periods or periods[-1][1] != watts:
                periods.append((int(start_s), watts))
        return ChargingLimit("W", now, tuple(dict(periods).items()))

    def _stacks(self, session_id: str, evse: int) -> Iterator[list[StackedProfile]]:
        mine = sorted(self.profiles, key=lambda one: -one.stack_level)
        own = [one for one in mine if one.purpose == TX and _for(one, session_id, evse)]
        usual = [one for one in mine if one.purpose == TX_DEFAULT and one.evse == evse]
        usual += [one for one in mine if one.purpose == TX_DEFAULT and one.evse == WHOLE_STATION]
        whole = [one for one in mine if one.purpose in STATION_MAX]
        return (stack for stack in (own or usual, whole) if stack)


def _for(one: StackedProfile, session_id: str, evse: int) -> bool:
    return one.session_id == session_id if one.session_id else one.evse == evse


def _said_by(
    stack: list[tuple[StackedProfile, ChargingLimit]], instant: datetime, supply: Supply
) -> float | None:
    for one, limit in stack:
        value = limit.at(instant) if one.holds_at(instant) else None
        if value is not None:
            return supply.watts(value, limit.unit)
    return None


def _moment(text: object) -> datetime | None:
    return parse_datetime(str(text)) if text else None
