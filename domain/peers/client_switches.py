"""What the operator decides of a hub's clients, and what the hub says of them, each with all that
belongs to it: what is for a client that is new to the hub is marked, what waited for one that is
back goes out.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from collections.abc import Collection as Among

from db_interface.interface import DbInterface
from db_interface.json_data import JsonMapping
from db_interface.owned_objects import OwnedObject, party_key
from db_interface.transaction import Tx
from domain.audit import entries as audit
from domain.commands import command_queue
from domain.outbox import due_marks, push_lanes
from domain.outbox.marks import mark_audiences
from domain.outbox.settling import CHANGES_END_WITHIN
from domain.peers import hub_clients
from domain.peers.hub_clients import CONNECTED
from domain.peers.peer_document import PEERS, PeerDocument, UnknownPeer
from domain.peers.statuses import MARKED_FOR
from domain.peers.switches import NotPossible
from domain.schemas import parse_datetime

MODULE = "hubclientinfo"


async def told(store: DbInterface, peer_id: str, info: JsonMapping) -> str:
    """Keep what the hub says (a valid ClientInfo) of a client; "created", "updated" or
    "unchanged"."""
    [outcome] = await _keep(store, peer_id, [info])
    return outcome


async def listed(store: DbInterface, peer_id: str, infos: Sequence[JsonMapping]) -> None:
    """Keep a page of the hub's list of its clients, but for what it has said since."""
    kept = {
        document["_id"]: document["last_updated"]
        for document in await store.objects(MODULE).documents(
            {"audience": peer_id}, fields={"last_updated": 1}
        )
    }
    objects = [_owned(info, peer_id) for info in infos]
    overtaken = {
        obj.key for obj in objects if kept.get(obj.key, obj.last_updated) > obj.last_updated
    }
    pairs = zip(infos, objects, strict=True)
    await _keep(store, peer_id, [info for info, obj in pairs if obj.key not in overtaken])


async def list_is_complete(store: DbInterface, peer_id: str, named: Among[str]) -> None:
    """The hub's list named these parties (folded) and no other."""

    async def work(tx: Tx) -> None:
        await hub_clients.forget_others(tx, peer_id, named)
        await hub_clients.settle(tx, peer_id)

    await store.transact(work)


async def _keep(store: DbInterface, peer_id: str, infos: Sequence[JsonMapping]) -> list[str]:
    async def work(tx: Tx) -> tuple[list[str], list[str]]:
        outcomes = []
        for info in infos:
            outcomes.append(await store.create(MODULE, _owned(info, peer_id), tx))
            await hub_clients.learn(tx, peer_id, info)
        return outcomes, await hub_clients.settle(tx, peer_id)

    before = await hub_clients.not_connected(store.db, peer_id)
    outcomes, new = await store.transact(work)
    await _mark(store, peer_id, new)
    back = {party_in(info) for info in infos if info["status"] == CONNECTED}
    if back & before:
        now = store.db.now()
        await due_marks.party_is_back(store.db, peer_id, now)
        await command_queue.party_is_back(store.db, peer_id, now)
    return outcomes


async def approve(store: DbInterface, peer_id: str, parties: Sequence[tuple[str, str]]) -> int:
    """The operator's yes to these clients; how many objects are for them. Raises UnknownPeer,
    NotPossible."""

    async def work(tx: Tx) -> None:
        for party in parties:
            problem = await hub_clients.why_not(tx, party_key(*party), peer_id)
            if problem is not None:
                raise NotPossible(f"{'/'.join(party)} cannot be its client: {problem}")
            await hub_clients.decide(tx, peer_id, party, approved=True)
        await _note(tx, "peers.approve_clients", peer_id, parties, {"approved": True})

    return await _decided(store, peer_id, work)


async def refuse(store: DbInterface, peer_id: str, parties: Sequence[tuple[str, str]]) -> int:
    """The operator's no: nothing of theirs is the hub's. Raises UnknownPeer, NotPossible."""

    async def work(tx: Tx) -> None:
        for party in parties:
            await hub_clients.decide(tx, peer_id, party, approved=False)
        await _note(tx, "peers.refuse_clients", peer_id, parties, {"approved": False})

    return await _decided(store, peer_id, work)


async def decide_all(store: DbInterface, peer_id: str, *, approved: bool) -> int:
    """Yes or no to all that the hub names now. Raises UnknownPeer, NotPossible."""

    async def work(tx: Tx) -> None:
        await hub_clients.decide_all(tx, peer_id, approved=approved)
        name = "peers.approve_clients" if approved else "peers.refuse_clients"
        await _note(tx, name, peer_id, (), {"approved": approved, "parties": "all"})

    return await _decided(store, peer_id, work)


async def approve_as_told(store: DbInterface, peer_id: str, *, on: bool) -> int:
    """Whether the hub's word is enough for clients that the operator has not decided upon."""

    async def work(tx: Tx) -> None:
        change = {"settings.approve_clients": on, "updated": tx.now}
        await PEERS.of(tx).update_one({"_id": peer_id}, {"$set": change})
        await _note(tx, "peers.clients_automatic", peer_id, (), {"approve_clients": on})

    return await _decided(store, peer_id, work)


async def _decided(
    store: DbInterface, peer_id: str, decision: Callable[[Tx], Awaitable[None]]
) -> int:
    async def work(tx: Tx) -> list[str]:
        peer = await PEERS.of(tx).find_one({"_id": peer_id})
        if peer is None:
            raise UnknownPeer(peer_id)
        if not hub_clients.is_hub(peer):
            raise NotPossible(f"peer {peer_id} is no hub: it has no clients")
        await decision(tx)
        return await hub_clients.settle(tx, peer_id)

    return await _mark(store, peer_id, await store.transact(work))


async def _note(
    tx: Tx,
    action: str,
    peer_id: str,
    parties: Sequence[tuple[str, str]],
    after: JsonMapping,
) -> None:
    about = [audit.party("/".join(party)) for party in parties]
    await audit.record(tx, action, audit.peer(peer_id), *about, after=after)


async def _mark(store: DbInterface, peer_id: str, audiences: Sequence[str]) -> int:
    """Mark what is open to the hub from now on; what was changing meanwhile is marked later."""
    if not audiences:
        return 0
    peer: PeerDocument | None = await PEERS.of(store.db).find_one({"_id": peer_id})
    if peer is None or peer["status"] not in MARKED_FOR:
        return 0
    number = await mark_audiences(store, peer, audiences)
    await push_lanes.settle_at(store.db, peer_id, store.db.now() + CHANGES_END_WITHIN)
    return number


def party_in(info: JsonMapping) -> str:
    """The folded party that a ClientInfo is of."""
    return party_key(info["country_code"], info["party_id"])


def _owned(info: JsonMapping, peer_id: str) -> OwnedObject:
    """Kept under the peer that sent it: two hubs may say different things of one party."""
    return OwnedObject(
        country_code=info["country_code"],
        party_id=info["party_id"],
        key_parts=(peer_id,),
        fields=info,
        last_updated=parse_datetime(info["last_updated"]),
        audience=peer_id,
    )
