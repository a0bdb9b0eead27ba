"""Which OCPI versions are in use, and by whom: those that some peer has registered with, and those
of open data where that is offered.

Each process asks once in LOOKED_UP_EVERY. Who goes by what was so before keeps a view that nobody
needs, or lacks one, which is then made by whoever reads: neither is wrong.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from weakref import WeakKeyDictionary

from db_interface.database import Database
from domain.peers.peer_document import PEERS
from domain.peers.statuses import REGISTERED
from domain.platform_facts import announced_address
from domain.versions import INNER_VERSION, VERSIONS, OcpiVersion

LOOKED_UP_EVERY = timedelta(seconds=5)
OF_OPEN_DATA = ("2.2.1", "2.3.0")
"""What anybody may read published objects in, where CPO_OPEN_DATA is on."""
OF_PARTIES = ("sessions", "cdrs")
"""What only the peer sees whose party it is for."""


@dataclass(frozen=True)
class InUse:
    """At a moment: the versions, and what is open to the peers of each."""

    at: datetime
    audiences: Mapping[str, frozenset[str]]
    """by the version's number; the inner one is always among them, whoever speaks it: most peers
    may, and nobody asks for whom all is kept anyhow"""

    def versions(self, module: str, audience: str) -> list[OcpiVersion]:
        """Those in which somebody may read an object of the module that is for this audience."""
        return [
            VERSIONS[number]
            for number, opened in self.audiences.items()
            if module not in OF_PARTIES or number == INNER_VERSION.number or audience in opened
        ]


_KNOWN: WeakKeyDictionary[Database, InUse] = WeakKeyDictionary()


async def in_use(db: Database) -> InUse:
    """What was so LOOKED_UP_EVERY ago at most."""
    known, now = _KNOWN.get(db), db.now()
    if known is not None and timedelta(0) <= now - known.at < LOOKED_UP_EVERY:
        return known
    found: dict[str, set[str]] = {INNER_VERSION.number: set()}
    others = [number for number in VERSIONS if number != INNER_VERSION.number]
    registered = {"version": {"$in": others}, "status": {"$in": list(REGISTERED)}}
    wanted = {"version": 1, "audiences": 1, "client_audiences": 1}
    for peer in await PEERS.of(db).find(registered, wanted):
        opened = found.setdefault(peer["version"], set())
        opened.update(peer.get("audiences") or (), peer.get("client_audiences") or ())
    if (await announced_address(db)).get("CPO_OPEN_DATA"):
        for number in OF_OPEN_DATA:
            found.setdefault(number, set())
    _KNOWN[db] = InUse(now, {number: frozenset(opened) for number, opened in found.items()})
    return _KNOWN[db]


def look_again(db: Database) -> None:
    """A peer of this process has just registered, or left."""
    _KNOWN.pop(db, None)
