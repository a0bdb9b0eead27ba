"""How much power flows, and the energy it adds up to. Pure: no clock, no session, no wire.

The car charges at constant current until 80 % state of charge, then at constant voltage with
falling current. Power that falls linearly over the state of charge falls exponentially over
time, which is what a CV phase looks like; the floor lets it end.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

TAPER_FROM_SOC = 0.8
TAPER_FLOOR = 0.1
#: Longest stretch over which power is taken as constant (seconds of charging).
_MAX_STEP_S = 10.0
_MAX_STEPS = 2000


@dataclass(frozen=True)
class Supply:
    """What the EVSE can give: `max_w` in all, at `voltage_v` per phase."""

    max_w: float
    voltage_v: float
    phases: int
    dc: bool = False

    def watts(self, limit: float, unit: str) -> float:
        """A limit in W (total) or A (per phase; OCPI ChargingRateUnit) as watts."""
        return limit if unit == "W" else limit * self.voltage_v * self.phases

    def amperes(self, watts: float) -> float:
        """Current per phase at `watts`."""
        return watts / (self.voltage_v * self.phases)

    def in_unit(self, watts: float, unit: str) -> float:
        return watts if unit == "W" else self.amperes(watts)


@dataclass
class Car:
    """The plugged car's battery. `soc` from 0 to 1; `max_w` is what its charger takes."""

    battery_wh: float
    soc: float
    max_w: float

    @property
    def full(self) -> bool:
        return self.soc >= 1.0

    def accepts_w(self) -> float:
        if self.full:
            return 0.0
        if self.soc <= TAPER_FROM_SOC:
            return self.max_w
        left = (1.0 - self.soc) / (1.0 - TAPER_FROM_SOC)
        return self.max_w * (TAPER_FLOOR + (1.0 - TAPER_FLOOR) * left)

    def as_dict(self) -> dict[str, float]:
        return asdict(self)


def flowing_w(supply: Supply, car: Car, limit_w: float | None) -> float:
    """Power that flows: the least of what the EVSE gives, the limit allows and the car takes."""
    power = min(supply.max_w, car.accepts_w())
    if limit_w is not None:
        power = min(power, max(0.0, limit_w))
    return power


def charge(supply: Supply, car: Car, limit_w: float | None, seconds: float) -> float:
    """Charge `car` for `seconds` at a constant limit; its soc rises. Returns the energy in Wh."""
    steps = min(_MAX_STEPS, max(1, int(-(-seconds // _MAX_STEP_S))))
    step_s = seconds / steps
    total_wh = 0.0
    for _ in range(steps):
        power = flowing_w(supply, car, limit_w)
        if power <= 0:
            break
        room_wh = (1.0 - car.soc) * car.battery_wh
        wh = power * step_s / 3600.0
        if wh >= room_wh:
            total_wh += room_wh
            car.soc = 1.0
            break
        total_wh += wh
        car.soc += wh / car.battery_wh
    return total_wh
