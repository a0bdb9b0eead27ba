"""What the gateway needs of EV_Central, which is handed in: rooms do not know each other."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from db_interface.json_data import JsonObject
from db_interface.transaction import Tx
from domain.authorization.authorization import Authorizer
from domain.charge_points.charge_point_documents import Fault
from domain.charge_points.engine_clocks import EngineClock
from domain.sessions.session_rules import Rules
from domain.sites import Party


class CentralSide(Protocol):
    @property
    def party(self) -> Party:
        """Whose charge points are that name none."""

    @property
    def rules(self) -> Rules:
        """What the operator decides about sessions."""

    @property
    def authorizer(self) -> Authorizer:
        """Who says whether a card may charge."""

    def pressing(self) -> AbstractContextManager[None]:
        """While something is done that meter values give way to."""

    async def give_way(self) -> None:
        """Return when nothing pressing is in hand, or it has been waited for long enough."""

    async def heartbeat(
        self, cp_id: str, interval_s: float, engine_state: str | None, faults: list[Fault]
    ) -> None:
        """A sign of life; the next is due within `interval_s`."""

    async def take_in(
        self,
        tx: Tx,
        cp_id: str,
        messages: Sequence[JsonObject],
        *,
        clock: EngineClock | None = None,
    ) -> list[str]:
        """Telemetry's messages, without numbers, in the caller's transaction; the ids of the dead
        letters that were made of what was refused."""
