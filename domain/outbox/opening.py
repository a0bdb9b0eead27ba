"""What opens to a reader without having changed: to all it becomes as new as what has changed.

A peer that was told that it is REMOVED may ignore what does not claim to be newer, and one that
pulls by date asks for what is new. An object bears one `last_updated` for everybody, so everybody
who sees it is marked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from db_interface.interface import DbInterface
from db_interface.json_data import JsonMapping
from db_interface.transaction import Tx
from domain.outbox.changes import tell_of
from domain.outbox.marks import (
    FOR_EVERY_READER,
    Changed,
    mark_opened,
    offers,
    reader_of,
    unseen,
)
from domain.outbox.stamping import as_new
from domain.peers.peer_document import PeerDocument
from domain.peers.statuses import BLOCKED
from domain.views.making import views_for
from domain.visibility import Reader

_BATCH = 100


async def open_to(store: DbInterface, peer: PeerDocument, before: Reader) -> int:
    """Everything that the peer (its document) may see now and could not as `before`: it is sent
    that. How much that is."""
    return sum(
        [
            await open_matching(store, peer, module, unseen(module, reader_of(peer), before))
            for module in FOR_EVERY_READER
        ]
    )


async def open_matching(
    store: DbInterface, peer: PeerDocument, module: str, wanted: JsonMapping
) -> int:
    """What of the module matches: the peer (its document) is sent that, as it cannot have had it.
    How much that is."""
    stream = store.objects(module).of(store.db).stream(wanted, {"_id": 1})
    # All of them first: they are written, and must not be come upon again.
    keys = [document["_id"] async for document in stream]
    sent = offers(peer, module) and peer["status"] != BLOCKED  # else when it is resumed
    for start in range(0, len(keys), _BATCH):
        batch = keys[start : start + _BATCH]

        async def work(tx: Tx, batch: Sequence[str] = batch) -> None:
            if sent:
                await mark_opened(peer["_id"], module, batch, tx)
            await renew(module, batch, tx)

        await store.transact(work)
    return len(keys) if sent else 0


async def renew(module: str, keys: Sequence[str], tx: Tx) -> None:
    """Stamp these objects as new; whoever sees them is marked."""
    objects = tx.store.objects(module)
    found = await objects.documents({"_id": {"$in": list(keys)}}, tx)
    make_views = views_for(module, tx)
    renewed = [as_new(document, tx.now) for document in found]
    states = [
        (document, replace(obj, views=await make_views(obj)))
        for document, obj in zip(found, renewed, strict=True)
    ]
    replaced = await objects.rewrite(states, tx)
    changes = [
        Changed(obj.key, before, obj) for before, (_, obj) in zip(replaced, states, strict=True)
    ]
    tell_of(module, changes, tx)
