"""Which peers have a session or a CDR: since when, by which exchange, or why not (yet).

The truth is in the marks (what a peer has yet to see) and, of CDRs, in the proofs; the recorder's
exchanges say when and what the peer answered, as long as they are kept.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from db_interface.database import Database
from db_interface.owned_objects import OwnedDocument
from domain.exchanges.exchange import EXCHANGES, Direction, Exchange, Outcome
from domain.exchanges.search_keys import folded
from domain.outbox.deliveries import DELIVERIES, Delivery
from domain.outbox.marks import MARKS, MarkDocument, mark_id, offers
from domain.peers.peer_document import PEERS, PeerDocument
from domain.peers.statuses import CONNECTED

MAX_PEERS = 20
MAX_EXCHANGES = 100
_FACTS = dict.fromkeys(
    ("at", "peer_id", "method", "status", "ocpi_status", "outcome", "error", "took_ms"), 1
)

DELIVERED, WAITING, REFUSED, UNSURE, FETCHED = (
    "delivered",
    "waiting",
    "refused",
    "not known",
    "not pushed",
)


@dataclass(frozen=True)
class Delivered:
    """`state`: delivered, waiting, refused, not known (it was sent, the answer was lost) or not
    pushed (the peer takes no pushes: it reads lists). `at`: when it was delivered, or since when
    it waits. `url`: where the peer says that it has it. `why`: of what is not delivered."""

    peer_id: str
    name: str
    peer_status: str
    state: str
    at: datetime | None = None
    why: str | None = None
    attempts: int = 0
    url: str | None = None
    answer: str | None = None
    """of the latest exchange about it: "HTTP 200, OCPI 1000" """
    asked_at: datetime | None = None
    exchange_id: str | None = None


async def of_object(db: Database, module: str, document: OwnedDocument) -> list[Delivered]:
    """A row for each peer that may see it, by name."""
    peers = await PEERS.of(db).find(
        {"$or": [{name: document["audience"]} for name in ("audiences", "client_audiences")]},
        {"name": 1, "status": 1, "endpoints": 1},
        sort=[("name", 1)],
        limit=MAX_PEERS,
    )
    ids = [mark_id(peer["_id"], module, document["_id"]) for peer in peers]
    marks, proofs, exchanges = await asyncio.gather(
        MARKS.of(db).find({"_id": {"$in": ids}}),
        DELIVERIES.of(db).find({"_id": {"$in": ids}}) if module == "cdrs" else _nothing(),
        _exchanges(db, module, document["fields"]["id"]),
    )
    waits = {mark["peer_id"]: mark for mark in marks}
    proven = {proof["peer_id"]: proof for proof in proofs}
    return [
        _row(
            module,
            peer,
            waits.get(peer["_id"]),
            proven.get(peer["_id"]),
            exchanges.get(peer["_id"], ()),
        )
        for peer in peers
    ]


async def _nothing() -> list[Delivery]:
    return []


async def _exchanges(db: Database, module: str, object_id: str) -> Mapping[str, list[Exchange]]:
    """What we told each peer of it, the latest first."""
    found = await EXCHANGES.of(db).find(
        {"keys": folded(object_id), "module": module, "direction": Direction.OUT.value},
        _FACTS,
        sort=[("_id", -1)],
        limit=MAX_EXCHANGES,
    )
    by_peer: dict[str, list[Exchange]] = {}
    for one in found:
        by_peer.setdefault(one["peer_id"] or "", []).append(one)
    return by_peer


def _row(
    module: str,
    peer: PeerDocument,
    mark: MarkDocument | None,
    proof: Delivery | None,
    exchanges: Sequence[Exchange],
) -> Delivered:
    taken = next((one for one in exchanges if one["outcome"] == Outcome.OK.value), None)
    state, at, why = _state(module, peer, mark, proof, taken)
    shown = taken if state == DELIVERED else next(iter(exchanges), None)
    return Delivered(
        peer_id=peer["_id"],
        name=peer["name"],
        peer_status=peer["status"],
        state=state,
        at=at,
        why=why,
        attempts=0 if mark is None else mark.get("attempts", 0),
        url=None if proof is None else proof.get("location"),
        answer=None if shown is None else answer_of(shown),
        asked_at=None if shown is None else shown["at"],
        exchange_id=None if shown is None else shown["_id"],
    )


def _state(
    module: str,
    peer: PeerDocument,
    mark: MarkDocument | None,
    proof: Delivery | None,
    taken: Exchange | None,
) -> tuple[str, datetime | None, str | None]:
    if proof is not None:
        return DELIVERED, proof["at"], None
    if mark is not None:
        error = mark.get("error") or {}
        why = error.get("text")
        if error.get("refused"):
            return REFUSED, mark["since"], why
        if "posting" in mark:
            return UNSURE, mark["posting"], why or "it was sent, and no answer has come yet"
        if peer["status"] != CONNECTED:
            return WAITING, mark["since"], f"the peer is {peer['status']}"
        return WAITING, mark["since"], why
    if not offers(peer, module):
        return FETCHED, None, f"it has no endpoint for {module}: it reads them here"
    if taken is None and module == "cdrs":
        return WAITING, None, "nothing is under way: resync the peer to send it"
    return DELIVERED, None if taken is None else taken["at"], None


def answer_of(exchange: Exchange) -> str:
    """ "HTTP 200, OCPI 1000", or why there was none."""
    if not exchange["status"]:
        return exchange.get("error") or "no answer"
    ocpi = exchange.get("ocpi_status")
    return f"HTTP {exchange['status']}" + (f", OCPI {ocpi}" if ocpi else "")
