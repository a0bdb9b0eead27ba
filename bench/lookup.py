"""What it costs to find out who is calling, with 10 and with 10,000 peers registered.

The authenticator's memory is emptied before each look-up: what is measured is the store's part.
"""

from __future__ import annotations

import asyncio
import random
import statistics
import time
from datetime import datetime, timezone

from auth.authenticator import OcpiAuthenticator
from auth.credentials_header import encoded
from bench.goals import Goal
from bench.ground import Ground, ground
from db_interface.database import Database
from db_interface.indexes import ensure_indexes
from db_interface.json_data import JsonObject
from domain.peers.peers import Peers
from domain.peers.statuses import CONNECTED
from domain.secrets import Vault, new_token

FEW, MANY = 10, 10_000

GOALS = {
    "token_look_up_many_of_few": Goal(
        at_most=1.25, why="who is calling: 10,000 peers / 10 peers (the same, but for noise)"
    )
}


def run(quick: bool = False) -> dict[str, float]:
    """Medians in milliseconds, few and many peers in turns."""
    with ground() as place:
        return asyncio.run(_measured(place, rounds=4 if quick else 10))


async def _measured(place: Ground, rounds: int, look_ups: int = 200) -> dict[str, float]:
    sides = [
        await _Side.made(Database.connect(place.mongo_url, f"{place.database}_{number}"), number)
        for number in (FEW, MANY)
    ]
    times: list[list[float]] = [[], []]
    for _ in range(rounds):
        for side, taken in zip(sides, times, strict=True):
            taken += [await side.look_up() for _ in range(look_ups)]
    for side in sides:
        await side.db.client.drop_database(side.db.name)
        side.db.close()
    few, many = (statistics.median(taken) * 1000 for taken in times)
    return {
        "token_look_up_10_peers_ms": few,
        "token_look_up_10000_peers_ms": many,
        "token_look_up_many_of_few": many / few,
    }


class _Side:
    """A database with a number of peers, and an authenticator on it."""

    def __init__(self, db: Database, vault: Vault, tokens: list[str]) -> None:
        self.db = db
        self._authenticator = OcpiAuthenticator(db, Peers(db, vault))
        self._headers = [encoded(token) for token in tokens]

    @classmethod
    async def made(cls, db: Database, number: int) -> _Side:
        vault, now = Vault("bench " * 6), datetime.now(timezone.utc)
        await ensure_indexes(db)
        tokens = [new_token() for _ in range(number)]
        documents: list[JsonObject] = [
            {
                "_id": f"peer-{index}",
                "name": f"Peer {index}",
                "status": CONNECTED,
                "token_hashes": [
                    {"hash": vault.digest(token), "kind": "C", "since": now, "kid": vault.kid}
                ],
                "roles": [{"role": "EMSP", "country_code": "DE", "party_id": "TNM"}],
                "last_seen": now,
            }
            for index, token in enumerate(tokens)
        ]
        await db["peers"].insert_many(documents)
        return cls(db, vault, tokens)

    async def look_up(self) -> float:
        """Seconds that one look-up took; raises RuntimeError when it found nobody."""
        header = random.choice(self._headers)
        self._authenticator.forget()
        began = time.perf_counter()
        caller = await self._authenticator.caller(header)
        taken = time.perf_counter() - began
        if caller is None:
            raise RuntimeError("a registered peer was not found")
        return taken
