"""A process of its own that changes objects and pushes them, for tests that kill it.

`python -m tests.cpo_app.ocpi.push.driver MONGO_URL ROUND`: it makes the round's changes, says
"changed", and pushes until its stdin ends.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

from cpo_app.ocpi.peer_client.client import PeerClient
from cpo_app.ocpi.push import Push
from db_interface.database import Database
from db_interface.interface import DbInterface
from db_interface.transaction import Tx
from domain.objects.locations import owned_location
from domain.outbox.publishing import publish
from domain.peers.peers import Peers
from domain.secrets import Vault
from tests.cpo_app.ocpi.push.objects import cdr, location, session, tariff
from tests.settings_of import settings_of


async def main(mongo_url: str, number: str) -> None:
    db = Database.connect(mongo_url)
    store = DbInterface(db)
    client = PeerClient(allow_private=True)
    settings = settings_of(CPO_PEER_TIMEOUT_S=1)
    push = Push(settings, store, Peers(db, Vault("k" * 32)), client)
    await push.start()
    for module, obj in [
        ("locations", owned_location(location("LOC1", name=f"Round {number}"))),
        ("tariffs", tariff("T1", float(number))),
        ("sessions", session(f"S{number}", 1.0, "COMPLETED")),
        ("cdrs", cdr(f"C{number}", f"S{number}")),
        ("locations", owned_location(location(f"LOC-{number}"))),
    ]:

        async def work(tx: Tx, module: str = module, obj: Any = obj) -> str:
            return await publish(store, module, obj, tx)

        await DbInterface(db).transact(work)
    sys.stdout.write("changed\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.read)
    await push.stop()
    await client.aclose()
    db.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2]))
