"""A process of its own that changes objects and sends events, for tests that kill it.

`python -m tests.cpo_app.events.driver MONGO_URL BROKERS PREFIX ROUND`: it makes the round's changes
and sends until its stdin ends.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

from cpo_app.events.sender import EventSender
from db_interface.database import Database
from db_interface.interface import DbInterface
from db_interface.transaction import Tx
from domain.events import stream
from domain.objects.locations import owned_location
from domain.outbox.publishing import publish
from tests.cpo_app.ocpi.push.objects import cdr, location, session, tariff
from tests.settings_of import settings_of


async def main(mongo_url: str, brokers: str, prefix: str, number: str) -> None:
    db = Database.connect(mongo_url)
    store = DbInterface(db)
    settings = settings_of(
        CPO_KAFKA_BROKERS=brokers, CPO_KAFKA_TOPIC_PREFIX=prefix, CPO_KAFKA_CREATE_TOPICS=False
    )
    await stream.register(db, brokers)
    sender = EventSender(settings, store)
    sender.start()
    for module, obj in [
        ("locations", owned_location(location("LOC1", name=f"Round {number}"))),
        ("tariffs", tariff("T1", float(number))),
        ("sessions", session(f"S{number}", 1.0, "COMPLETED")),
        ("cdrs", cdr(f"C{number}", f"S{number}")),
        ("locations", owned_location(location(f"LOC-{number}"))),
    ]:

        async def work(tx: Tx, module: str = module, obj: Any = obj) -> str:
            return await publish(store, module, obj, tx)

        await store.transact(work)
    await asyncio.to_thread(sys.stdin.read)
    await sender.stop()
    db.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
