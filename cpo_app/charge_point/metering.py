"""The meter of an EVSE: brings the register up to now and reads it. No session, no state.

Energy is power integrated over the monotonic clock; what is read is rounded, what is kept is not.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from cpo_app.charge_point.clock import Clock
from cpo_app.charge_point.power import Car, Supply, charge, flowing_w
from cpo_app.charge_point.profile import ChargingLimit
from db_interface.json_data import JsonObject


class Meter:
    """`speed`: how many seconds of charging pass in one (demonstrations); power is not changed."""

    def __init__(self, supply: Supply, clock: Clock) -> None:
        self.supply = supply
        self.register_wh = 0.0
        self.speed = 1.0
        self._clock = clock
        self._read_at = clock.monotonic()

    def advance(self, car: Car | None, limit: ChargingLimit | None) -> None:
        """Count the energy since the last call; no car: time passes and nothing flows.

        Where the limit changed in between, each piece is counted under its own.
        """
        mono = self._clock.monotonic()
        elapsed = max(0.0, mono - self._read_at)
        self._read_at = mono
        if car is None or not elapsed:
            return
        end = self._clock.now()
        begin = end - timedelta(seconds=elapsed)
        cuts = list(limit.changes(begin, end)) if limit else []
        starts = [begin, *cuts]
        lengths = [(b - a).total_seconds() for a, b in zip(starts, cuts, strict=False)]
        lengths.append(elapsed - sum(lengths))
        for start, seconds in zip(starts, lengths, strict=True):
            limit_w = limit_in_watts(limit, self.supply, start)
            self.register_wh += charge(self.supply, car, limit_w, seconds * self.speed)

    def possible_w(self, car: Car | None, limit: ChargingLimit | None) -> float:
        """The power that would flow now."""
        if car is None:
            return 0.0
        return flowing_w(self.supply, car, limit_in_watts(limit, self.supply, self._clock.now()))

    def reading(self, power_w: float, car: Car | None, limit: ChargingLimit | None) -> JsonObject:
        """{register_wh, power_w, current_a (per phase), voltage_v, phases, soc? (DC, percent),
        limit_w? (where one is in force)}."""
        supply = self.supply
        reading: JsonObject = {
            "register_wh": round(self.register_wh, 3),
            "power_w": round(power_w, 1),
            "current_a": round(supply.amperes(power_w), 2),
            "voltage_v": supply.voltage_v,
            "phases": supply.phases,
        }
        if supply.dc and car:
            reading["soc"] = round(car.soc * 100, 1)
        limit_w = limit_in_watts(limit, supply, self._clock.now())
        if limit_w is not None:
            reading["limit_w"] = round(limit_w, 1)
        return reading


def limit_in_watts(limit: ChargingLimit | None, supply: Supply, instant: datetime) -> float | None:
    value = limit.at(instant) if limit else None
    return None if limit is None or value is None else supply.watts(value, limit.unit)
