"""Drivers: they come to one charge point after the other as planned, by app or by card.

What does not work because something is broken just now does not work for them either: they give
up and go, and the next one comes.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Any

import httpx

from tests.soak.house import House
from tests.soak.plan import Visit


class ChargePoint:
    """One charge point as somebody sees it who stands before it: no uplink is needed for that."""

    def __init__(self, house: House, number: int, http: httpx.AsyncClient) -> None:
        self.cp_id = house.cp_ids[number]
        self._house, self._http = house, http
        self._token = house.tokens[number]
        self._url = f"http://127.0.0.1:{house.engine_ports[number]}"

    async def visits(self, planned: Sequence[Visit]) -> None:
        for visit in planned:
            await asyncio.sleep(visit.after_s)
            if visit.by_app:
                await self._by_app(visit.charges_s)
            else:
                await self._by_card(visit.charges_s)

    async def _by_app(self, charges_s: float) -> None:
        place = {"location_id": self.cp_id, "evse_uid": self.cp_id}
        if not await self._command("START_SESSION", token=self._token, **place):
            return
        await asyncio.sleep(charges_s)
        session_id = self._told_of()
        if session_id is None or not await self._command("STOP_SESSION", session_id=session_id):
            await self._at("unplug")

    async def _by_card(self, charges_s: float) -> None:
        await self._at("plug")
        answer = await self._at("swipe", token_uid=self._token["uid"])
        if answer is not None and answer["swipe"].get("result") == "ACCEPTED":
            await asyncio.sleep(charges_s)
            await self._at("swipe", token_uid=self._token["uid"])
        await self._at("unplug")

    def _told_of(self) -> str | None:
        """The session that the app shows."""
        for session_id, session in self._house.server.told("sessions").items():
            uid = session["cdr_token"]["uid"]
            if uid == self._token["uid"] and session["status"] == "ACTIVE":
                return session_id
        return None

    async def _command(self, command: str, **fields: Any) -> bool:
        """Whether it was accepted; what comes of it is seen at the charge point."""
        try:
            asked = await asyncio.to_thread(self._house.emsp.command, command, **fields)
        except (httpx.HTTPError, ValueError):
            return False
        return asked.answer.status_code == 1000 and asked.answer.data["result"] == "ACCEPTED"

    async def _at(self, action: str, **fields: Any) -> dict[str, Any] | None:
        """What a driver does there; None: it did not work."""
        body = {"action": action, **fields}
        try:
            answer = await self._http.post(f"{self._url}/sim", json=body)
        except httpx.HTTPError:
            return None
        return answer.json() if answer.status_code == 200 else None

    # --- at the end ---------------------------------------------------------------------------

    async def is_left(self) -> bool:
        """Whether nobody is there, after the driver was asked to go."""
        with contextlib.suppress(httpx.HTTPError):
            state = (await self._http.get(f"{self._url}/health")).json()["state"]
            if state == "AVAILABLE":
                return True
            await self._at("unplug")
        return False

    async def waiting_messages(self) -> int:
        answer = await self._http.get(f"{self._url}/health")
        return int(answer.json()["waiting_messages"])
