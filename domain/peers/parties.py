"""Who a peer is, as the operator's terms and the claims have it: its roles judged, its parties
claimed, its audiences written into its document. Whoever changes one of these comes through here.
"""

from __future__ import annotations

from collections.abc import Sequence

from db_interface.interface import DbInterface
from db_interface.json_data import JsonMapping, JsonObject
from db_interface.transaction import Tx
from domain.audit import entries as audit
from domain.peers import claims, hub_clients
from domain.peers.claims import BY_OPERATOR, BY_PEER
from domain.peers.peer_document import PEERS, PeerDocument, UnknownPeer
from domain.peers.statuses import DISCONNECTED
from domain.peers.terms import HUB, Terms, party_of, role_key


async def identity(
    tx: Tx,
    peer_id: str,
    terms: Terms,
    declared: Sequence[JsonMapping],
    *,
    by: str = BY_PEER,
    approve_unnamed: bool = False,
) -> JsonObject:
    """The fields of a peer's document that say who it is, with the claims that they need.

    `declared`: the roles of its credentials. `approve_unnamed`: where the terms name nobody, all
    but HUB is granted. Raises claims.PartyTaken for a party of another's, granted or not.
    """
    for role in declared:
        await claims.check_free(tx, party_of(role), peer_id)
    if approve_unnamed and terms.names_nobody:
        terms = terms.also(role for role in declared if role["role"] != HUB)
    granted, waiting = terms.judged(declared)
    parties = sorted({*map(party_of, granted)})
    audiences: list[str] = []
    for party in parties:
        audiences += await claims.take(tx, party, peer_id, by)
    await hub_clients.have_own_connection(tx, parties)
    return {
        "terms": terms.document(),
        "roles": [dict(role) for role in granted],
        "waiting": [dict(role) for role in waiting],
        "parties": parties,
        "audiences": audiences,
    }


async def approve(store: DbInterface, peer_id: str) -> list[JsonObject]:
    """The operator's yes to all that waits: the roles that it was. Raises UnknownPeer,
    claims.PartyTaken."""

    async def work(tx: Tx) -> list[JsonObject]:
        peer = await _document(tx, peer_id)
        waiting = peer.get("waiting") or []
        await _settle(tx, peer, Terms.of(peer.get("terms")).also(waiting))
        await audit.record(
            tx,
            "peers.approve",
            audit.peer(peer_id),
            *map(audit.party, sorted({*map(party_of, waiting)})),
            before={"waiting": [role_key(role) for role in waiting]},
            after={"approved": [role_key(role) for role in waiting]},
        )
        return waiting

    return await store.transact(work)


async def release(store: DbInterface, party: str) -> str:
    """The (folded) party is nobody's from now on; who held it. A peer that is still there keeps
    its other parties. Raises claims.NoClaim."""

    async def work(tx: Tx) -> str:
        holder = await claims.let_go(tx, party)
        await _lose(tx, holder, party)
        await audit.record(
            tx,
            "peers.release_party",
            audit.party(party),
            audit.peer(holder),
            before={"holder": holder},
            after={"holder": None},
        )
        return holder

    return await store.transact(work)


async def release_all(tx: Tx, peer_id: str) -> None:
    """The peer is removed: its parties are free."""
    for claim in await claims.held_by(tx, peer_id):
        await claims.let_go(tx, claim["_id"])


async def move(store: DbInterface, party: str, peer_id: str) -> None:
    """The (folded) party is that peer's from now on, with the tokens, sessions and CDRs that were
    ever made for it; whoever held it loses it. Raises UnknownPeer."""

    async def work(tx: Tx) -> None:
        peer = await _document(tx, peer_id)
        before = await claims.of(tx, party)
        await claims.hand_over(tx, party, peer_id)
        if before is not None and before["peer_id"] not in (None, peer_id):
            await _lose(tx, str(before["peer_id"]), party)
        await _settle(tx, peer, Terms.of(peer.get("terms")).with_party(party))
        holder = None if before is None else before["peer_id"]
        await audit.record(
            tx,
            "peers.move_party",
            audit.party(party),
            audit.peer(peer_id),
            *([] if holder in (None, peer_id) else [audit.peer(str(holder))]),
            before={"holder": holder},
            after={"holder": peer_id},
        )

    await store.transact(work)


async def foreign(tx: Tx, peer: PeerDocument) -> list[str]:
    """Parties that the peer's document names and that are another's by now: none, as long as all
    go by this file."""
    named = peer.get("parties") or []
    held = [claim["_id"] for claim in await claims.held_by(tx, peer["_id"])]
    return [party for party in named if party not in held]


async def _lose(tx: Tx, peer_id: str, party: str) -> None:
    peer = await PEERS.of(tx).find_one({"_id": peer_id})
    if peer is None:
        return
    terms = Terms.of(peer.get("terms")).without_party(party, peer.get("roles") or [])
    await _settle(tx, peer, terms, without=party)


async def _settle(tx: Tx, peer: PeerDocument, terms: Terms, *, without: str | None = None) -> None:
    """Write who the peer is under these terms; `without`: a party that is another's now."""
    change: JsonObject = {"terms": terms.document(), "updated": tx.now}
    declared = [*(peer.get("roles") or []), *(peer.get("waiting") or [])]
    if peer["status"] != DISCONNECTED and declared:
        mine = [role for role in declared if party_of(role) != without]
        lost = [role for role in declared if party_of(role) == without]
        change |= await identity(tx, peer["_id"], terms, mine, by=BY_OPERATOR)
        change["waiting"] += lost
    await PEERS.of(tx).update_one({"_id": peer["_id"]}, {"$set": change})
    await hub_clients.settle(tx, peer["_id"])


async def _document(tx: Tx, peer_id: str) -> PeerDocument:
    found = await PEERS.of(tx).find_one({"_id": peer_id})
    if found is None:
        raise UnknownPeer(peer_id)
    return found
