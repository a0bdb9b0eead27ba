"""Every charge point by its own kind of link: those of a station by OCPP, the others by HTTP."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from cpo_app.central.link.link import ChargePointLink, LinkAnswer
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

    async def start(
        self,
        cp_id: str,
        command_id: str,
        *,
        session_id: str,
        id_tag: str,
        connector_id: str | None = None,
        reservation_id: str | None = None,
        timeout_s: float | None = None,
    ) -> LinkAnswer:
        return await (await self._of(cp_id)).start(
            cp_id,
            command_id,
            session_id=session_id,
            id_tag=id_tag,
            connector_id=connector_id,
            reservation_id=reservation_id,
            timeout_s=timeout_s,
        )

    async def stop(
        self, cp_id: str, command_id: str, *, session_id: str, timeout_s: float | None = None
    ) -> LinkAnswer:
        link = await self._of(cp_id)
        return await link.stop(cp_id, command_id, session_id=session_id, timeout_s=timeout_s)

    async def unlock(
        self,
        cp_id: str,
        command_id: str,
        *,
        connector_id: str | None = None,
        timeout_s: float | None = None,
    ) -> LinkAnswer:
        link = await self._of(cp_id)
        return await link.unlock(cp_id, command_id, connector_id=connector_id, timeout_s=timeout_s)

    async def reserve(
        self,
        cp_id: str,
        command_id: str,
        *,
        reservation_id: str,
        id_tag: str,
        expiry: datetime,
        connector_id: str | None = None,
        timeout_s: float | None = None,
    ) -> LinkAnswer:
        return await (await self._of(cp_id)).reserve(
            cp_id,
            command_id,
            reservation_id=reservation_id,
            id_tag=id_tag,
            expiry=expiry,
            connector_id=connector_id,
            timeout_s=timeout_s,
        )

    async def cancel_reservation(
        self, cp_id: str, command_id: str, *, reservation_id: str, timeout_s: float | None = None
    ) -> LinkAnswer:
        link = await self._of(cp_id)
        return await link.cancel_reservation(
            cp_id, command_id, reservation_id=reservation_id, timeout_s=timeout_s
        )

    async def set_limit(
        self,
        cp_id: str,
        command_id: str,
        *,
        session_id: str,
        limit: JsonMapping,
        timeout_s: float | None = None,
    ) -> LinkAnswer:
        return await (await self._of(cp_id)).set_limit(
            cp_id, command_id, session_id=session_id, limit=limit, timeout_s=timeout_s
        )

    async def clear_limit(
        self, cp_id: str, command_id: str, *, session_id: str, timeout_s: float | None = None
    ) -> LinkAnswer:
        link = await self._of(cp_id)
        return await link.clear_limit(cp_id, command_id, session_id=session_id, timeout_s=timeout_s)

    async def active_profile(
        self, cp_id: str, *, session_id: str, duration_s: int, timeout_s: float | None = None
    ) -> JsonMapping | None:
        link = await self._of(cp_id)
        return await link.active_profile(
            cp_id, session_id=session_id, duration_s=duration_s, timeout_s=timeout_s
        )

    async def set_operative(
        self, cp_id: str, command_id: str, *, operative: bool, timeout_s: float | None = None
    ) -> LinkAnswer:
        link = await self._of(cp_id)
        return await link.set_operative(cp_id, command_id, operative=operative, timeout_s=timeout_s)

    async def get_status(
        self, cp_id: str, command_id: str, *, timeout_s: float | None = None
    ) -> LinkAnswer:
        link = await self._of(cp_id)
        return await link.get_status(cp_id, command_id, timeout_s=timeout_s)
