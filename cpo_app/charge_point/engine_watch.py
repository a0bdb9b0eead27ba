"""The monitor's eye on its engine: asks for its health, hands it the link to Central.

A fault that is found here is a fault of the charge point: an engine that does not answer cannot
charge, and one that refuses the link cannot be commanded.
"""

from __future__ import annotations

import logging
import ssl
from typing import Any

import httpx

from cpo_app.addresses.host_names import can_be_rebound
from cpo_app.charge_point.engine_door import EngineDoor
from db_interface.json_data import JsonObject

logger = logging.getLogger(__name__)

UNREACHABLE = "ENGINE_UNREACHABLE"
LINK_REFUSED = "ENGINE_LINK_REFUSED"

_TIMEOUT_S = 2.0
#: More say nothing more, and Central takes no more.
_MAX_FAULTS = 40


class EngineWatch:
    def __init__(self, cp_id: str, door: EngineDoor, link_key: str) -> None:
        self._cp_id = cp_id
        self._door = door
        self._key = {"Authorization": f"Bearer {link_key}"}
        # Under such a name an engine tells of itself to its monitor alone. Else the key is kept.
        self._shown = self._key if can_be_rebound(door.host) else {}
        self._handed_over: tuple[object, ...] | None = None
        self._faults: list[str] = []
        #: Central refused the engine's token when last asked.
        self.token_refused = False

    async def look(self, link: JsonObject | None) -> JsonObject:
        """Health now, after handing over `link` where the engine lacks it.

        Returns the `engine` part of a heartbeat: {state, faults: [{code, message}], connector}.
        Never raises for what the engine does.
        """
        report = await self._health()
        if report.pop("linkable", False) and link is not None:
            boot_id = report.get("boot_id")
            if not report.pop("linked") or self._handed_over != (boot_id, *link.values()):
                refusal = await self._hand_over(link)
                self._handed_over = None if refusal else (boot_id, *link.values())
                if refusal:
                    report["faults"] = [*report["faults"], refusal]
        report.pop("linked", None)
        self._log_changes([fault["code"] for fault in report["faults"]])
        return report

    async def _health(self) -> JsonObject:
        try:
            answer = await self._ask("GET", "/health", headers=self._shown)
            data = answer.json()
            if data["cp_id"] != self._cp_id:
                return _faulty("another charge point answers there")
            self.token_refused = bool(data.get("token_refused"))
            return {
                "state": data["state"],
                "faults": list(data["faults"])[:_MAX_FAULTS],
                "connector": data.get("connector"),
                "boot_id": data.get("boot_id"),
                "linked": bool(data.get("linked")),
                "linkable": True,
            }
        except (httpx.HTTPError, ssl.SSLError) as error:
            return _faulty(type(error).__name__)
        except OSError as error:
            return _faulty(f"its certificate cannot be read: {error.strerror}")
        except (ValueError, KeyError, TypeError, httpx.InvalidURL):
            return _faulty("no usable answer to the health check")

    async def _hand_over(self, link: JsonObject) -> dict[str, str] | None:
        try:
            answer = await self._ask("PUT", "/link", json=link, headers=self._key)
        except (httpx.HTTPError, OSError, ValueError) as error:
            return {"code": LINK_REFUSED, "message": type(error).__name__}
        if answer.status_code == 200:
            return None
        hint = ""
        if answer.status_code == 401:
            hint = ": CP_MONITOR_LINK_KEY and CP_ENGINE_LINK_KEY differ, or the state directories"
        return {"code": LINK_REFUSED, "message": f"HTTP {answer.status_code}{hint}"}

    async def _ask(self, method: str, path: str, **kwargs: Any) -> httpx.Response:
        """One retry where the connection broke: a kept-alive one may just have been closed."""
        for last in (False, True):
            try:
                return await self._door.request(method, path, timeout=_TIMEOUT_S, **kwargs)
            except (httpx.NetworkError, httpx.RemoteProtocolError):
                if last:
                    raise
        raise AssertionError("unreachable")

    def _log_changes(self, codes: list[str]) -> None:
        for code in codes:
            if code not in self._faults:
                logger.warning("CP %s: fault %s", self._cp_id, code)
        if self._faults and not codes:
            logger.info("CP %s: engine healthy again", self._cp_id)
        self._faults = codes


def _faulty(message: str) -> JsonObject:
    return {"state": "FAULTED", "faults": [{"code": UNREACHABLE, "message": message}]}
