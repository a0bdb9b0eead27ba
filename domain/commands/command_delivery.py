"""What is to reach a peer in answer to a command, and how that can fail.

Central's worker knows when a `Delivery` is made; the OCPI side knows how (`Deliver`), and raises
NotDelivered.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypedDict

from db_interface.json_data import JsonMapping


class DeliveryRecord(TypedDict, total=False):
    """Where a command's result goes, as its document keeps it: `url`, or the peer's own endpoint
    of `module` with `path` behind it."""

    peer_id: str
    method: str
    url: str
    module: str
    path: str
    correlation_id: str | None
    from_party: list[str]
    to_party: list[str]
    version: str
    """the OCPI version that the command came in; none: it came before there were several"""
    until: datetime
    """It is not offered any more then, once it has been offered at all."""
    attempts: int
    error: str


@dataclass(frozen=True)
class Delivery:
    """`url`, or the peer's own endpoint of `module` with `path` behind it. Parties are
    (country_code, party_id): ours and theirs, for the routing headers. `version`: the OCPI version
    that the command came in, None for what we tell on our own account. `within_s`: no longer.
    `request_id`: the same whenever it is sent, so that the peer can tell a repeat."""

    peer_id: str
    method: str
    body: JsonMapping
    from_party: tuple[str, str]
    to_party: tuple[str, str]
    within_s: float
    request_id: str
    url: str | None = None
    module: str | None = None
    path: str | None = None
    correlation_id: str | None = None
    version: str | None = None

    @classmethod
    def of(
        cls, row: DeliveryRecord, body: JsonMapping, within_s: float, command_id: str
    ) -> Delivery:
        """Of a command's `delivery`, as kept. A command has one result: its id is the request's."""
        return cls(
            peer_id=row["peer_id"],
            method=row["method"],
            body=body,
            from_party=_pair(row["from_party"]),
            to_party=_pair(row["to_party"]),
            within_s=within_s,
            request_id=command_id,
            url=row.get("url"),
            module=row.get("module"),
            path=row.get("path"),
            correlation_id=row.get("correlation_id"),
            version=row.get("version"),
        )


def _pair(party: list[str]) -> tuple[str, str]:
    country_code, party_id = party
    return country_code, party_id


class NotDelivered(Exception):
    """`again`: trying later may help. The message holds no secret and no URL."""

    def __init__(self, reason: str, *, again: bool, retry_after_s: float | None = None) -> None:
        super().__init__(reason)
        self.again = again
        self.retry_after_s = retry_after_s


Deliver = Callable[[Delivery], Awaitable[None]]
"""Raises NotDelivered. Returning means that the peer has it."""
