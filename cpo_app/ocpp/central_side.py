"""What the gateway needs of EV_Central, which is handed in: rooms do not know each other."""

from __future__ import annotations

from typing import Protocol

from domain.charge_points.charge_point_documents import Fault
from domain.sites import Party


class CentralSide(Protocol):
    @property
    def party(self) -> Party:
        """Whose charge points are that name none."""

    async def heartbeat(
        self, cp_id: str, interval_s: float, engine_state: str | None, faults: list[Fault]
    ) -> None:
        """A sign of life; the next is due within `interval_s`."""
