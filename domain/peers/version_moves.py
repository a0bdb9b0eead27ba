"""A peer moves to another version of OCPI: what it could not be told of in the old one is sent,
what it is not told of in the new one is taken away.

A version may have no word for something (`Description.shows_only_published`), and say nothing of an
object because of it (db_interface/views.py, UNSAID): whoever spoke it has never heard of that, and
would not come upon it by a pull by date; whoever comes to speak it would keep for ever what it had.

The move is noted on the peer's document in the transaction of its credentials (`Peers.connect`),
and seen to by a worker: a process that dies in between loses nothing. Done again, it opens and
takes away the same.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace

from db_interface.interface import DbInterface
from db_interface.lease import Lease
from domain.outbox.marks import FOR_EVERY_READER, mark_matching, mark_unpublished, reader_of
from domain.outbox.opening import open_matching, open_to
from domain.peers.peer_document import PEERS, PeerDocument
from domain.peers.statuses import REGISTERED
from domain.peers.switches import mark_again_later
from domain.rounds import Rounds
from domain.versions import VERSIONS, OcpiVersion, version_of
from domain.views.making import view_of
from domain.views.unsayable import unsayable
from domain.visibility import Reader, visible

logger = logging.getLogger("cpo.peers")

PAUSE_S = 5.0
LEASE_S = 60.0
_LEASE = Lease("move_owner", "move_until")


@dataclass(frozen=True)
class Moved:
    """How many objects were opened to a peer, and how many taken from it."""

    opened: int = 0
    closed: int = 0


class VersionMoves:
    """The worker: runs in every process, each peer is one process's at a time. `rounds.start` and
    `rounds.stop`."""

    def __init__(self, store: DbInterface) -> None:
        self._store = store
        self._owner = uuid.uuid4().hex
        self.rounds = Rounds("moves to other OCPI versions", self.round, PAUSE_S, logger=logger)

    async def round(self) -> list[Moved]:
        """See to all moves that nobody else is at."""
        done = []
        while (peer := await self._claimed()) is not None:
            moved = await see_to(self._store, peer)
            await self._done(peer)
            logger.info(
                "peer %s speaks OCPI %s now: %d objects are sent to it, %d taken away",
                peer["_id"],
                peer["version"],
                moved.opened,
                moved.closed,
            )
            done.append(moved)
        return done

    async def _claimed(self) -> PeerDocument | None:
        return await PEERS.of(self._store.db).update_and_find(
            {
                "moved_from": {"$exists": True},
                "status": {"$in": list(REGISTERED)},
                **_LEASE.free_for(self._owner),
            },
            [{"$set": _LEASE.taken(self._owner, LEASE_S)}],
        )

    async def _done(self, peer: PeerDocument) -> None:
        """If it has moved on meanwhile, that is seen to next."""
        peers, mine = PEERS.of(self._store.db), {"_id": peer["_id"]}
        as_read = {"version": peer["version"], "moved_from": peer["moved_from"]}
        await peers.update_one({**mine, **as_read}, {"$unset": {"moved_from": ""}})
        let_go = {"$unset": {_LEASE.owner: "", _LEASE.until: ""}}
        await peers.update_one({**mine, **_LEASE.held_by(self._owner)}, let_go)


async def see_to(store: DbInterface, peer: PeerDocument) -> Moved:
    """Open and take away what its move (its document as it is now) does."""
    before = [VERSIONS[number] for number in peer.get("moved_from", ()) if number in VERSIONS]
    now, form = reader_of(peer), version_of(peer["version"])
    if form is None:
        return Moved()
    return Moved(
        opened=await _open(store, peer, before, now),
        closed=await _close(store, peer, before, now, form),
    )


async def _open(
    store: DbInterface, peer: PeerDocument, before: Sequence[OcpiVersion], now: Reader
) -> int:
    number = 0
    if not now.narrowed and any(as_in(peer, version).narrowed for version in before):
        number += await open_to(store, peer, replace(now, narrowed=True))
    names = [view_of(version).name for version in before]
    for module in FOR_EVERY_READER:
        wanted = {**visible(module, now), "unsaid": {"$in": names}}
        number += await open_matching(store, peer, module, wanted)
    if number:
        await mark_again_later(store, peer["_id"])
    return number


async def _close(
    store: DbInterface,
    peer: PeerDocument,
    before: Sequence[OcpiVersion],
    now: Reader,
    form: OcpiVersion,
) -> int:
    number = 0
    if now.narrowed and not all(as_in(peer, version).narrowed for version in before):
        number += await mark_unpublished(store, peer)
    for module in FOR_EVERY_READER:
        keys = await unsayable(store, module, visible(module, now), form)
        number += await mark_matching(store, peer, module, {"_id": {"$in": keys}})
    return number


def as_in(peer: PeerDocument, version: OcpiVersion) -> Reader:
    """The peer as visibility knew it when it spoke that version."""
    then: PeerDocument = {**peer, "version": version.number}
    return reader_of(then)
