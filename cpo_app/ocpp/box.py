"""A connected charging station, as far as it can be asked: one OCPP action, one answer.

The connection is one (session/connection.py); tests have others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from db_interface.json_data import JsonMapping, JsonObject

OCPP_16, OCPP_201, OCPP_21 = "ocpp1.6", "ocpp2.0.1", "ocpp2.1"


class CallRefused(Exception):
    """The station answered with a CALLERROR: `code` of OCPP-J, and its own words."""

    def __init__(self, code: str, description: str = "") -> None:
        super().__init__(f"{code}: {description}" if description else code)
        self.code = code
        self.description = description


class NotAnswered(Exception):
    """No answer came. `sent` False: the station surely did not get it; None: it may have."""

    def __init__(self, reason: str, *, sent: bool | None) -> None:
        super().__init__(reason)
        self.sent = sent


class Box(Protocol):
    @property
    def protocol(self) -> str:
        """OCPP_16, OCPP_201 or OCPP_21."""

    async def call(self, action: str, payload: JsonMapping, *, timeout_s: float) -> JsonObject:
        """Ask, after everything that was asked before. Raises CallRefused, NotAnswered."""


@dataclass(frozen=True)
class Asked:
    """A question to a station. `evse`: 0 is the whole station. `one_evse`: its connectors are all
    of one EVSE (OCPP 1.6 knows connectors alone, and else each of them is an EVSE)."""

    box: Box
    evse: int
    fields: JsonMapping
    timeout_s: float
    one_evse: bool = False
    connectors: Sequence[str] = field(default=("1",))
    """of the EVSE, as the station knows them"""

    async def call(self, action: str, payload: JsonMapping) -> JsonObject:
        return await self.box.call(action, payload, timeout_s=self.timeout_s)

    @property
    def connector(self) -> int:
        """The EVSE's connector that is meant, or its first; 0 is all of them."""
        if self.evse == 0:
            return 0
        named = self.fields.get("connector_id") or self.connectors[0]
        return int(named) if str(named).isdigit() else 1

    @property
    def all_16(self) -> int:
        """What OCPP 1.6 calls the EVSE with all of its connectors: a box of one EVSE is all of
        it."""
        return 0 if self.one_evse else self.evse

    @property
    def connector_16(self) -> int:
        """What OCPP 1.6 calls it: its connectors count through the station."""
        return self.connector if self.one_evse else self.evse
