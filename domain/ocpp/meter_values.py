"""Meter values as OCPP 1.6, 2.0.1 and 2.1 write them, read as one thing. Pure.

Samples of one moment become one `Measured`: register, interval, power, current per phase, voltage,
state of charge, what the charge point offers, and signed values as they came. What decides:

- Import alone: what a car gives back is nobody's charge. Reactive and apparent values say nothing
  here. The outlet (the default) alone: an inlet's meter counts for the whole station, and energy
  that the car or the cable measures is no bill's.
- Phases are added up where no value is for all of them. Current is told per phase; without a
  phase it is for all, and power and voltage say for how many.
- `Sample.Clock` is taken at full hours for the grid, whoever charges: no session's data.
- Units as written, the standard's where they are left out; `multiplier` is a power of ten.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from statistics import fmean

from db_interface.json_data import JsonMapping
from domain.ocpp.signed_values import SignedValue, signed_of
from domain.ocpp.times import time_of

REGISTER = "Energy.Active.Import.Register"
INTERVAL = "Energy.Active.Import.Interval"
POWER, POWER_OFFERED = "Power.Active.Import", "Power.Offered"
CURRENT, CURRENT_OFFERED = "Current.Import", "Current.Offered"
VOLTAGE, SOC = "Voltage", "SoC"
CLOCK_ALIGNED = "Sample.Clock"
OUTLET = "Outlet"

UNITS: Mapping[str, Mapping[str, Decimal]] = {
    REGISTER: {"wh": Decimal(1), "kwh": Decimal(1000), "mwh": Decimal(1_000_000)},
    INTERVAL: {"wh": Decimal(1), "kwh": Decimal(1000), "mwh": Decimal(1_000_000)},
    POWER: {"w": Decimal(1), "kw": Decimal(1000)},
    POWER_OFFERED: {"w": Decimal(1), "kw": Decimal(1000)},
    CURRENT: {"a": Decimal(1), "ma": Decimal("0.001")},
    CURRENT_OFFERED: {"a": Decimal(1), "ma": Decimal("0.001")},
    VOLTAGE: {"v": Decimal(1), "kv": Decimal(1000), "mv": Decimal("0.001")},
    SOC: {"percent": Decimal(1), "%": Decimal(1)},
}
"""Of what is read, every unit and its size; the first is what stands for one left out."""
_IGNORED_PHASES = frozenset({"N"})
_LINE_TO_LINE = frozenset({"L1-L2", "L2-L3", "L3-L1"})
_LEAST_STEP_WH = Decimal(1)
_MAX_DIGITS = 30


@dataclass(frozen=True)
class Sample:
    """A sampled value in the base unit (Wh, W, A, V, %); `step` is the last digit it is told to."""

    measurand: str
    phase: str | None
    value: Decimal
    step: Decimal


@dataclass(frozen=True)
class Measured:
    """What was measured at one moment; None: not told. Current is per phase."""

    at: datetime
    register_wh: Decimal | None = None
    register_step_wh: Decimal = _LEAST_STEP_WH
    """To what the register is told: one of whole kWh falls by nothing when it says 12 after 12345
    Wh."""
    interval_wh: Decimal | None = None
    power_w: float | None = None
    current_a: float | None = None
    voltage_v: float | None = None
    phases: int = 1
    soc: float | None = None
    offered_w: float | None = None
    signed: tuple[SignedValue, ...] = ()

    @property
    def says_nothing(self) -> bool:
        told = (self.register_wh, self.interval_wh, self.power_w, self.current_a, self.soc)
        return all(value is None for value in told) and not self.signed


def measured_of(
    meter_values: Iterable[JsonMapping], received_at: datetime, *, of_session: bool = True
) -> list[Measured]:
    """The moments of a `meterValue` list, in order of time; one without a usable timestamp is of
    when it came. `of_session` False: also what was taken at full hours."""
    moments = []
    for entry in meter_values:
        sampled = [
            one
            for one in entry.get("sampledValue") or ()
            if not (of_session and one.get("context") == CLOCK_ALIGNED)
        ]
        moment = _moment(time_of(entry.get("timestamp")) or received_at, sampled)
        if not moment.says_nothing:
            moments.append(moment)
    return sorted(moments, key=lambda one: one.at)


def _moment(at: datetime, sampled: Sequence[JsonMapping]) -> Measured:
    samples = [sample for one in sampled if (sample := _sample(one)) is not None]
    register = _energy(samples, REGISTER)
    interval = _energy(samples, INTERVAL)
    voltage_v = _voltage(samples)
    power_w = _sum(samples, POWER)
    current_a, phases = _current(samples, CURRENT, power_w, voltage_v)
    if power_w is None and current_a is not None and voltage_v is not None:
        power_w = current_a * voltage_v * phases
    soc = _sum(samples, SOC)
    return Measured(
        at=at,
        register_wh=None if register is None else register[0],
        register_step_wh=_LEAST_STEP_WH if register is None else register[1],
        interval_wh=None if interval is None else interval[0],
        power_w=_rounded(power_w),
        current_a=_rounded(current_a),
        voltage_v=_rounded(voltage_v),
        phases=phases,
        soc=soc if soc is not None and 0 <= soc <= 100 else None,
        offered_w=_rounded(_offered(samples, voltage_v, phases)),
        signed=tuple(value for one in sampled if (value := signed_of(one)) is not None),
    )


def _sample(sampled: JsonMapping) -> Sample | None:
    """None for what is not read here, cannot be read, or is signed (1.6 writes that as value)."""
    measurand = sampled.get("measurand") or REGISTER
    units = UNITS.get(measurand)
    if units is None or sampled.get("format") == "SignedData":
        return None
    if measurand != SOC and (sampled.get("location") or OUTLET) != OUTLET:
        return None
    phase = sampled.get("phase")
    if phase in _IGNORED_PHASES:
        return None
    of_measure = sampled.get("unitOfMeasure") or {}
    unit = of_measure.get("unit") or sampled.get("unit")
    factor = units.get(str(unit).lower()) if unit else next(iter(units.values()))
    number = decimal_of(sampled.get("value"))
    if factor is None or number is None:
        return None
    power = of_measure.get("multiplier") or 0
    if not isinstance(power, int) or abs(power) > _MAX_DIGITS:
        return None
    factor = factor.scaleb(power)
    exponent = number.as_tuple().exponent
    digit = Decimal(1).scaleb(min(0, exponent if isinstance(exponent, int) else 0))
    return Sample(measurand, phase, number * factor, digit * factor)


def decimal_of(value: object) -> Decimal | None:
    """A finite number, also as text, also with a decimal comma; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str, Decimal)):
        return None
    try:
        number = Decimal(str(value).strip().replace(",", "."))
    except InvalidOperation:
        return None
    if not number.is_finite() or abs(number.adjusted()) > _MAX_DIGITS:
        return None
    return number


def _energy(samples: Sequence[Sample], measurand: str) -> tuple[Decimal, Decimal] | None:
    """(value, to what it is told): that for all phases, else their sum. Energy is not negative."""
    found = [one for one in samples if one.measurand == measurand and one.value >= 0]
    whole = [one for one in found if one.phase is None]
    if whole:
        return whole[-1].value, max(_LEAST_STEP_WH, whole[-1].step)
    phases = {one.phase: one for one in found}
    if not phases:
        return None
    step = sum((one.step for one in phases.values()), Decimal(0))
    value = sum((one.value for one in phases.values()), Decimal(0))
    return value, max(_LEAST_STEP_WH, step)


def _sum(samples: Sequence[Sample], measurand: str) -> float | None:
    """That for all phases, else the sum over them; never below nothing."""
    found = {one.phase: one.value for one in samples if one.measurand == measurand}
    if not found:
        return None
    value = found[None] if None in found else sum(found.values(), Decimal(0))
    return max(0.0, float(value))


def _voltage(samples: Sequence[Sample]) -> float | None:
    """Between a phase and neutral: what one phase's current is multiplied with."""
    found = [one for one in samples if one.measurand == VOLTAGE and one.value > 0]
    to_neutral = [float(one.value) for one in found if one.phase not in _LINE_TO_LINE]
    if to_neutral:
        return fmean(to_neutral)
    between = [float(one.value) / math.sqrt(3) for one in found]
    return fmean(between) if between else None


def _current(
    samples: Sequence[Sample], measurand: str, power_w: float | None, voltage_v: float | None
) -> tuple[float | None, int]:
    """(per phase, over how many phases)."""
    found = {one.phase: float(one.value) for one in samples if one.measurand == measurand}
    by_phase = {phase: max(0.0, amps) for phase, amps in found.items() if phase is not None}
    if by_phase:
        flowing = [amps for amps in by_phase.values() if amps > 0]
        phases = min(3, max(1, len(flowing)))
        return sum(by_phase.values()) / phases, phases
    if None not in found:
        return None, 1
    amps = max(0.0, found[None])
    if power_w and voltage_v and amps > 0:
        return amps, min(3, max(1, round(power_w / (amps * voltage_v))))
    return amps, 1


def _offered(samples: Sequence[Sample], voltage_v: float | None, phases: int) -> float | None:
    offered_w = _sum(samples, POWER_OFFERED)
    if offered_w is not None:
        return offered_w
    amps, over = _current(samples, CURRENT_OFFERED, None, None)
    return None if amps is None else amps * (voltage_v or 230.0) * max(phases, over)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
