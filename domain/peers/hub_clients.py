"""A hub's clients: the parties that are reached through it, and which of them the operator knows.

Until OCPI 2.2.1 a hub's credentials name the hub alone ("A Hub SHALL NOT report all the other
connected parties as a role on the platform"), and its clients it tells by HubClientInfo; since
2.3.0 its credentials name them, too (hub_credentials.py). That makes them nobody yet: the
operator approves each, or the hub as a whole ("approve_clients" in the peer's settings). From then
on what is for the client is open to the hub, until the client has a connection of its own: a
party that another peer holds is never a hub's, and none is the client of two.

`client_audiences` of the hub's document says what follows from this, for all who ask what a peer
may see; it is written here alone.
"""

from __future__ import annotations

from collections.abc import Collection as Among
from collections.abc import Sequence
from datetime import datetime
from typing import TypedDict

from db_interface.collection import Collection, Where
from db_interface.json_data import JsonMapping
from db_interface.owned_objects import party_key
from db_interface.transaction import Tx
from domain.peers import claims
from domain.peers.peer_document import PEERS, PeerDocument
from domain.peers.statuses import REGISTERED

CONNECTED = "CONNECTED"
_SENDERS_OF_OBJECTS = ("CPO", "HUB")
"""Roles of which nothing is pushed to a client, and no driver charges: no clients of ours."""


class HubClient(TypedDict, total=False):
    """A document of `hub_clients`. Complete as stored; some readers ask for less."""

    _id: str
    """ "peer id/folded party" """
    peer_id: str
    party: str
    """folded"""
    country_code: str
    party_id: str
    role: str
    status: str
    """of mod_hub_client_info; CONNECTED: requests reach it"""
    told: bool
    """whether the hub names it; False: it has ceased to, or it is the operator's word alone"""
    approved: bool | None
    """the operator's yes or no; None: he has not decided"""
    changed: datetime


HUB_CLIENTS: Collection[HubClient] = Collection("hub_clients")


async def of_hub(where: Where, peer_id: str) -> list[HubClient]:
    return await HUB_CLIENTS.of(where).find({"peer_id": peer_id}, sort=[("_id", 1)])


async def not_connected(where: Where, peer_id: str) -> frozenset[str]:
    """The parties, folded, that no request reaches through this hub, by its own word."""
    found = await HUB_CLIENTS.of(where).find(
        {"peer_id": peer_id, "status": {"$ne": CONNECTED}}, {"party": 1}
    )
    return frozenset(client["party"] for client in found)


async def learn(tx: Tx, peer_id: str, info: JsonMapping) -> None:
    """The hub says this (a valid ClientInfo) of one of its clients."""
    if info["role"] in _SENDERS_OF_OBJECTS:
        return
    party = party_key(info["country_code"], info["party_id"])
    await HUB_CLIENTS.of(tx).update_one(
        {"_id": f"{peer_id}/{party}"},
        {
            "$set": {
                "country_code": info["country_code"],
                "party_id": info["party_id"],
                "role": info["role"],
                "status": info["status"],
                "told": True,
                "changed": tx.now,
            },
            "$setOnInsert": {"peer_id": peer_id, "party": party, "approved": None},
        },
        upsert=True,
    )


async def named(tx: Tx, peer_id: str, roles: Sequence[JsonMapping]) -> None:
    """The hub's credentials name these, and no other, as parties behind it (since OCPI 2.3.0): so
    they are connected."""
    for role in roles:
        await learn(tx, peer_id, {**role, "status": CONNECTED})
    await forget_others(
        tx, peer_id, {party_key(role["country_code"], role["party_id"]) for role in roles}
    )


async def forget_others(tx: Tx, peer_id: str, named: Among[str]) -> None:
    """The hub has named these parties (folded) and no other: those are not reached by it."""
    await HUB_CLIENTS.of(tx).update_many(
        {"peer_id": peer_id, "party": {"$nin": sorted(named)}, "told": True},
        {"$set": {"told": False, "status": "OFFLINE", "changed": tx.now}},
    )


async def decide(tx: Tx, peer_id: str, party: tuple[str, str], *, approved: bool) -> None:
    """The operator's yes or no to one client. One that the hub has not named (not every hub has
    HubClientInfo) is there by his word alone."""
    folded = party_key(*party)
    await HUB_CLIENTS.of(tx).update_one(
        {"_id": f"{peer_id}/{folded}"},
        {
            "$set": {"approved": approved, "changed": tx.now},
            "$setOnInsert": {
                "peer_id": peer_id,
                "party": folded,
                "country_code": party[0].upper(),
                "party_id": party[1].upper(),
                "role": "EMSP",
                "status": CONNECTED,
                "told": False,
            },
        },
        upsert=True,
    )


async def decide_all(tx: Tx, peer_id: str, *, approved: bool) -> None:
    """The operator's yes or no to every client that the hub names now."""
    await HUB_CLIENTS.of(tx).update_many(
        {"peer_id": peer_id, "told": True}, {"$set": {"approved": approved, "changed": tx.now}}
    )


async def settle(tx: Tx, peer_id: str) -> list[str]:
    """Write into the hub's document what its clients open to it; the audiences that are new."""
    peer = await PEERS.of(tx).find_one({"_id": peer_id})
    if peer is None:
        return []
    before = peer.get("client_audiences") or []
    present = await _audiences(tx, peer)
    if present != before:
        await PEERS.of(tx).update_one({"_id": peer_id}, {"$set": {"client_audiences": present}})
    return [audience for audience in present if audience not in before]


async def have_own_connection(tx: Tx, parties: Sequence[str]) -> None:
    """The parties (folded) are a peer's own from now on, and so no hub's."""
    lost = [one for party in parties for one in (await claims.history_of(tx, party))]
    await PEERS.of(tx).update_many(
        {"client_audiences": {"$in": lost}}, {"$pull": {"client_audiences": {"$in": lost}}}
    )


async def why_not(where: Where, party: str, hub_id: str) -> str | None:
    """Why the (folded) party cannot be this hub's client; None: it can."""
    claim = await claims.of(where, party)
    if claim is None:
        return None
    if claim["peer_id"] not in (None, hub_id):
        return "it has a connection of its own"
    other = await PEERS.of(where).find_one(
        {"client_audiences": {"$in": claim["history"]}, "_id": {"$ne": hub_id}}, {"_id": 1}
    )
    return None if other is None else "it is reached through another hub"


async def forget(where: Where, peer_id: str) -> None:
    await HUB_CLIENTS.of(where).delete_many({"peer_id": peer_id})


def is_hub(peer: PeerDocument | JsonMapping) -> bool:
    """Whether the peer (its document) has the role HUB."""
    return any(role.get("role") == "HUB" for role in peer.get("roles") or ())


async def _audiences(tx: Tx, peer: PeerDocument) -> list[str]:
    if not is_hub(peer) or peer["status"] not in REGISTERED:
        return []
    every = bool((peer.get("settings") or {}).get("approve_clients"))
    own = set(peer.get("parties") or ())
    found: list[str] = []
    for client in await of_hub(tx, peer["_id"]):
        wanted = client["approved"] or (every and client["approved"] is None and client["told"])
        if not wanted or client["party"] in own:
            continue
        if await why_not(tx, client["party"], peer["_id"]) is None:
            found += await claims.lend(tx, client["party"], peer["_id"])
    return found
