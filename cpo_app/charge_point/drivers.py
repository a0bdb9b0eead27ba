"""Lifelike drivers for demonstrations: they come, plug in, show a card, charge, and leave.

Plays on an engine's simulation alone; knows neither Central nor OCPI.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Sequence

from cpo_app.charge_point.simulation import SimAction, Simulation
from cpo_app.charge_point.states import Refused

logger = logging.getLogger(__name__)

Sleep = Callable[[float], Awaitable[None]]

CHARGES_S = (25.0, 90.0)
FIRST_CHARGES_S = (6.0, 20.0)
"""The first driver is in a hurry: whoever starts a demonstration soon sees how a charge ends."""


class Drivers:
    """Who comes to one charge point. `chance` makes the days differ; seed it to repeat one."""

    def __init__(
        self,
        simulation: Simulation,
        cards: Sequence[str],
        chance: random.Random,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._simulation = simulation
        self._cards = cards
        self._chance = chance
        self._sleep = sleep

    async def run(self) -> None:
        """One driver after the other, until cancelled."""
        charges_s = FIRST_CHARGES_S
        while True:
            await self._pause(3, 20)
            try:
                await self.one_visit(charges_s)
                charges_s = CHARGES_S
            except Refused as refused:
                # An eMSP's command or a fault came between: the next driver tries again.
                logger.info("a driver could not charge: %s", refused)
            await self._leave()

    async def one_visit(self, charges_s: tuple[float, float] = CHARGES_S) -> None:
        """Plug in, card, charge (least and most seconds), card again. Raises Refused where the
        charge point declines."""
        card = SimAction(action="swipe", token_uid=self._chance.choice(self._cards))
        await self._act(SimAction(action="plug", soc=self._chance.uniform(10, 70)))
        await self._pause(1, 3)
        await self._act(card)
        await self._pause(*charges_s)
        if self._chance.random() < 0.05:
            await self._act(SimAction(action="fault", code="GROUND_FAILURE", message="simulated"))
            await self._pause(10, 20)
            await self._act(SimAction(action="clear_fault"))
            return
        await self._act(card)
        await self._pause(2, 5)

    async def _leave(self) -> None:
        try:
            await self._act(SimAction(action="unplug"))
        except Refused as refused:
            logger.debug("no car to take away: %s", refused)

    async def _act(self, action: SimAction) -> None:
        await self._simulation.play(action)

    async def _pause(self, min_s: float, max_s: float) -> None:
        await self._sleep(self._chance.uniform(min_s, max_s))
