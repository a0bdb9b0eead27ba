"""Simulated OCPP charge points in the soak's own process, and their drivers: what each has
delivered is known here, whoever is killed meanwhile."""

from __future__ import annotations

import asyncio
import contextlib
import random
from dataclasses import dataclass, field, replace

from cpo_app.charge_point.ocpp import fleet
from cpo_app.charge_point.ocpp.keeping import Access, Keeping
from cpo_app.charge_point.ocpp.local_list import Entry
from cpo_app.charge_point.simulation import SimAction
from cpo_app.charge_point.states import Refused
from db_interface.backoff import Backoff
from db_interface.json_data import JsonObject

SPEED = 60
"""Cars are charged so many times faster than time."""
BACKOFF = Backoff(first_s=0.2, max_s=1.0)


@dataclass
class Visited:
    """One charge point with its drivers' card, which its local list has, too: it charges also while
    nobody can be asked."""

    keeping: Keeping
    version: fleet.Version
    card: str
    session_ids: list[str] = field(default_factory=list)
    """As the charge point calls them."""

    @property
    def cp_id(self) -> str:
        return self.keeping.station.station_id

    async def visits(self, chance: random.Random) -> None:
        """Drivers, until cancelled."""
        while True:
            await asyncio.sleep(chance.uniform(0.1, 1.0))
            await self._act("plug")
            swiped = (await self._act("swipe", token_uid=self.card)).get("swipe", {})
            if swiped.get("result") == "ACCEPTED":
                self.session_ids.append(swiped["session_id"])
                await asyncio.sleep(chance.uniform(0.3, 2.5))
                if chance.random() < 0.5:
                    await self._act("swipe", token_uid=self.card)
            await self._act("unplug")

    async def leave(self) -> None:
        await self._act("unplug")

    def is_silent(self) -> bool:
        """Whether everything that happened was answered."""
        return self.keeping.online.is_set() and not self.waiting()

    def waiting(self) -> int:
        """How many messages were not answered yet."""
        return self.keeping.station.store.waiting()

    def left(self) -> str:
        """What it still has to say."""
        store, there = self.keeping.station.store, self.keeping.online.is_set()
        waiting = store.batch(3)
        first = [] if waiting is None else waiting[1]
        state = "online" if there else "offline"
        return f"{self.cp_id} is {state}, {store.waiting()} messages wait: {first}"

    def delivered_wh(self) -> list[float]:
        """Of each session that it knows to have ended."""
        ends = [self.keeping.station.recorder.ended(one) for one in self.session_ids]
        return [end["energy_wh"] for end in ends if end is not None]

    async def _act(self, action: str, **fields: object) -> JsonObject:
        told = SimAction.parse_obj({"action": action, **fields})
        with contextlib.suppress(Refused):
            return await self.keeping.simulations[1].play(told)
        return {}


def visited(cp_id: str, version: fleet.Version, url: str, password: str, card: str) -> Visited:
    made = replace(fleet.hardware(), speed=SPEED)
    box = fleet.Box(cp_id, version, Access(url, password), made, tick_s=0.2)
    keeping = fleet.build(box, backoff=BACKOFF)
    values = keeping.station.configuration.values
    values["MeterValueSampleInterval"] = "1"
    # A message that a dying gateway could not take is never given up.
    values["TransactionMessageAttempts"] = "1000"
    values["TransactionMessageRetryInterval"] = "1"
    keeping.station.local_list.update(1, True, [(card, Entry("Accepted"))])
    return Visited(keeping, version, card)
