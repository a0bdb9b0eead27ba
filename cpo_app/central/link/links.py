"""Every charge point by its own kind of link: those of a station by OCPP, the others by HTTP."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cpo_app.central.link.link import ChargePointLink, LinkAnswer, LinkCommand
from cpo_app.central.link.ocpp_link import OcppLink
from db_interface.database import Database
from db_interface.gathered import Gathered
from db_interface.json_data import JsonMapping
from domain.ocpp import stations
from domain.ocpp.stations import StationSeat

GATHERED_FOR_S = 0.02
"""Commands that come together are one question; one that comes alone waits for nobody."""


class Links(ChargePointLink):
    def __init__(self, db: Database, *, http: ChargePointLink, ocpp: OcppLink) -> None:
        self._http = http
        self._ocpp = ocpp

        async def read(cp_ids: Sequence[str]) -> Mapping[str, StationSeat]:
            return await stations.of_charge_points(db, cp_ids)

        self._seats: Gathered[StationSeat] = Gathered(db, read, GATHERED_FOR_S)

    async def _of(self, cp_id: str) -> ChargePointLink:
        """A charge point that Central has never heard of is the HTTP link's to refuse."""
        seat = await self._seats.get(cp_id)
        return self._http if seat is None else self._ocpp.at(seat)

    async def knows(self, cp_id: str) -> bool:
        return await (await self._of(cp_id)).knows(cp_id)

    async def start_up(self) -> None:
        await self._http.start_up()
        await self._ocpp.start_up()

    async def close(self) -> None:
        await self._ocpp.close()
        await self._http.close()

    async def carry_out(self, command: LinkCommand) -> LinkAnswer:
        return await (await self._of(command.cp_id)).carry_out(command)

    async def active_profile(
        self, cp_id: str, *, session_id: str, duration_s: int, timeout_s: float | None = None
    ) -> JsonMapping | None:
        link = await self._of(cp_id)
        return await link.active_profile(
            cp_id, session_id=session_id, duration_s=duration_s, timeout_s=timeout_s
        )
