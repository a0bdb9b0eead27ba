"""Lists that peers read are cut into counted stretches in the background
(db_interface/stretches.py): by them a page far from the beginning is found at once.

Every process does it, and none is in another's way. Each round some of the stretches are counted
again, each in its turn: a process of an earlier version knows nothing of them.
"""

from __future__ import annotations

import asyncio
import logging

from db_interface.interface import DbInterface
from db_interface.owned_objects import LISTED
from db_interface.stretches import count_again, cut
from domain.rounds import Rounds

logger = logging.getLogger("cpo.store")

PAUSE_S = 60.0
BREATH_S = 0.02
"""Between two stretches: requests come first."""
COUNTED_AGAIN = 3
"""Stretches of a module, each round."""


class StretchCutting:
    """`rounds.start` and `rounds.stop` the background work."""

    def __init__(self, store: DbInterface) -> None:
        self._store = store
        self._counted: dict[str, int] = {}
        """Of each module, where the stretch begins that was counted again last."""
        self.rounds = Rounds("stretches of lists", self.round, PAUSE_S, logger=logger)

    async def round(self) -> None:
        """Cut what can be cut; count some again."""
        for module in LISTED:
            more = True
            while more:
                more = await cut(self._store, module)
                await asyncio.sleep(BREATH_S)
            for _ in range(COUNTED_AGAIN):
                behind = self._counted.get(module, -1)
                done = await count_again(self._store, module, behind)
                self._counted[module] = -1 if done is None else done
                if done is None:
                    break
                await asyncio.sleep(BREATH_S)
