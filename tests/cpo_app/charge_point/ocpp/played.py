"""A simulated charge point connected to a central system that tests play."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from cpo_app.charge_point.ocpp.fleet import Box, build, hardware
from cpo_app.charge_point.ocpp.keeping import Access, Keeping
from cpo_app.charge_point.simulation import SimAction
from db_interface.backoff import Backoff
from tests.cpo_app.charge_point.worlds import until
from tests.peers.ocpp_box import MessageType, demand_valid
from tests.peers.ocpp_csms import Csms, csms
from tests.peers.ocpp_wire import Payload, Wire

Version = Literal["1.6", "2.0.1"]
QUICK = Backoff(first_s=0.01, max_s=0.05)
STATION = "CP-7"


@dataclass
class Scene:
    """`csms` hears; `box` is the charge point."""

    version: Version
    csms: Csms
    box: Keeping
    task: asyncio.Task[None]

    async def ask(self, action: str, payload: Payload) -> Payload:
        """Both sides held to the schemas."""
        demand_valid(self.version, MessageType.Call, action, payload)
        answer = await self.wire.call(action, payload)
        demand_valid(self.version, MessageType.CallResult, action, answer)
        return answer

    @property
    def wire(self) -> Wire:
        return self.csms.stations[STATION]

    async def next(self, action: str) -> Payload:
        asked = await self.wire.next(action)
        demand_valid(self.version, MessageType.Call, action, asked.payload)
        return asked.payload

    async def sim(self, action: str, **fields: Any) -> Payload:
        """What a driver, or bad luck, does at EVSE 1."""
        told = SimAction.parse_obj({"action": action, **fields})
        return await self.box.simulations[1].play(told)

    async def waits_for_nothing(self) -> None:
        """Return when everything that happened was said."""
        await until(lambda: self.box.station.store.waiting() == 0)


@asynccontextmanager
async def playing(
    version: Version,
    *,
    state_dir: Path | None = None,
    evses: int = 1,
    answers: dict[str, Any] | None = None,
    signs: bool = False,
    sample_s: int = 0,
    **changes: Any,
) -> AsyncIterator[Scene]:
    async with csms(f"ocpp{version}", **(answers or {})) as played:
        made = replace(hardware(evses=evses), **{"auto_unplug_after_s": 0.05, **changes})
        access = Access(f"{played.url}/ocpp", "secret")
        box = build(
            Box(STATION, version, access, made, state_dir, signs, tick_s=0.02), backoff=QUICK
        )
        box.station.configuration.values["MeterValueSampleInterval"] = str(sample_s)
        task = asyncio.create_task(box.run())
        try:
            await asyncio.wait_for(box.online.wait(), 10)
            yield Scene(version, played, box, task)
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
