"""Peers, who holds which party, and how peers may differ from the specification."""

from __future__ import annotations

from fastapi import APIRouter, Response

from cpo_app.actions.house import House
from cpo_app.actions.peer_facts import facts
from cpo_app.api.lists import Cursor, Id, Limit, OfPeer, not_there, page
from cpo_app.api.routes import answered
from db_interface.json_data import JsonObject
from domain.audit.redaction import shown
from domain.operator import hub_clients
from domain.peers.claims import CLAIMS
from domain.peers.claims import shown as party_shown
from domain.peers.peer import DEFAULT_QUIRKS, Peer
from domain.peers.peer_document import PEERS
from domain.peers.peer_listing import newest_peers


def add_peers(router: APIRouter, house: House) -> None:
    db = house.store.db

    @router.get("/peers", tags=["peers"])
    async def peer_list(limit: Limit = 100, cursor: Cursor = None) -> Response:
        """The newest first."""
        found, following = await newest_peers(db, limit=limit, cursor=cursor)
        return page([shown(facts(one)) for one in found], following)

    @router.get("/peers/{peer_id}", tags=["peers"])
    async def peer(peer_id: Id) -> Response:
        """With a hub's clients."""
        found = await PEERS.of(db).find_one({"_id": peer_id})
        if found is None:
            raise not_there("peer", peer_id)
        clients = await hub_clients.rows_of(db, peer_id)
        known = {**facts(Peer.of(found)), "clients": clients}
        return answered(shown(known))

    @router.get("/claims", tags=["peers"])
    async def claim_list(
        limit: Limit = 100, cursor: Cursor = None, peer: OfPeer = None
    ) -> Response:
        """Which peer holds which party, by party."""
        query: JsonObject = {} if cursor is None else {"_id": {"$gt": cursor}}
        if peer is not None:
            query["peer_id"] = peer
        found = await CLAIMS.of(db).find(query, sort=[("_id", 1)], limit=limit + 1)
        rows = [
            {
                "party": party_shown(row["_id"]),
                "peer_id": row["peer_id"],
                "since": row["since"],
                "by": row["by"],
            }
            for row in found[:limit]
        ]
        return page(rows, found[limit - 1]["_id"] if len(found) > limit else None)

    @router.get("/quirks", tags=["peers"])
    async def quirk_list() -> Response:
        """The ways in which a peer may differ from the specification, and what is so without a
        word; those of one peer stand in `/peers/{peer_id}`."""
        rows = [{"name": name, "usual": usual} for name, usual in DEFAULT_QUIRKS.items()]
        return page(rows, None)
