"""POST /sim: what drivers and broken hardware do, for demonstrations and tests.

Only for whoever holds the link key, or from this host where CP_ENGINE_SIMULATION is set.
"""

from collections.abc import Callable
from typing import Literal, Protocol

from pydantic import BaseModel, Field

from cpo_app.charge_point.evse import Evse
from cpo_app.charge_point.power import Car
from db_interface.json_data import JsonObject


class SimAction(BaseModel):
    """`soc` in percent; car fields that are not given come from the engine's settings."""

    action: Literal["plug", "unplug", "swipe", "fault", "clear_fault", "speed"]
    token_uid: str | None = Field(default=None, min_length=1, max_length=36)
    code: str | None = Field(default=None, min_length=1, max_length=64)
    message: str = Field(default="", max_length=255)
    factor: float | None = Field(default=None, gt=0, le=100_000)
    soc: float | None = Field(default=None, ge=0, le=100)
    battery_kwh: float | None = Field(default=None, gt=0, le=2000)
    car_kw: float | None = Field(default=None, gt=0, le=1000)


class Reader(Protocol):
    """Where a card is shown, whoever decides on it."""

    async def swipe(self, token_uid: str) -> JsonObject:
        """What came of it."""


class Simulation:
    """`keep` is called once something has happened."""

    def __init__(self, evse: Evse, reader: Reader, keep: Callable[[], object]) -> None:
        self._evse = evse
        self._reader = reader
        self._keep = keep

    async def play(self, sim: SimAction) -> JsonObject:
        """Returns {status, swipe?}. Raises ValueError for a missing field, states.Refused."""
        outcome: JsonObject = {}
        if sim.action == "plug":
            self._evse.plug(self._car(sim))
        elif sim.action == "unplug":
            self._evse.unplug()
        elif sim.action == "swipe":
            if not sim.token_uid:
                raise ValueError("token_uid is needed")
            outcome["swipe"] = await self._reader.swipe(sim.token_uid)
        elif sim.action == "fault":
            self._evse.fault(sim.code or "OTHER_ERROR", sim.message)
        elif sim.action == "clear_fault":
            self._evse.clear_fault(sim.code)
        else:
            if sim.factor is None:
                raise ValueError("factor is needed")
            self._evse.set_speed(sim.factor)
        self._keep()
        return {"status": self._evse.status(), **outcome}

    def _car(self, sim: SimAction) -> Car:
        usual = self._evse.config.new_car
        return Car(
            battery_wh=usual.battery_wh if sim.battery_kwh is None else sim.battery_kwh * 1000,
            soc=usual.soc if sim.soc is None else sim.soc / 100,
            max_w=usual.max_w if sim.car_kw is None else sim.car_kw * 1000,
        )
