"""The push of one process: it starts a lane for every peer that has something to see.

Any number of processes may run it on one store; a lane belongs to one of them at a time. New
marks are heard of through the store (a change stream), whoever wrote them; a look around every
second finds what was missed, peers whose pause is over, and leases that a dead process left.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import time
import uuid
from collections.abc import Collection, Sequence
from datetime import datetime

from cpo_app.log_ids import bound
from cpo_app.ocpi.peer_client.client import PeerClient
from cpo_app.ocpi.push.lane import Lane, PushContext
from cpo_app.settings import Settings
from db_interface.database import STORE_ERRORS
from db_interface.interface import DbInterface
from db_interface.json_data import JsonObject
from db_interface.watching import NoChangeStream, inserted
from domain.outbox import due_marks, push_lanes
from domain.outbox.marks import MARKS, mark_everything
from domain.outbox.settling import CHANGES_END_WITHIN
from domain.peers.found_by import registered_of
from domain.peers.peers import Peers
from domain.rounds import Rounds

logger = logging.getLogger("cpo.push")

LOOK_EVERY_S = 1.0
_WITHOUT_STREAM_S = 0.5
_TIDY_EVERY_S = 60.0


class Push:
    """`start` returns at once; `stop` leaves nothing running and every unseen object marked.

    concurrency   requests that are out to one peer at once
    """

    def __init__(
        self,
        settings: Settings,
        store: DbInterface,
        peers: Peers,
        client: PeerClient,
        *,
        concurrency: int = 8,
    ) -> None:
        self._push_on_connect = settings.CPO_PUSH_ON_CONNECT
        self._store = store
        self._peers = peers
        self._context = PushContext(
            store=store,
            peers=peers,
            client=client,
            timeout_s=settings.CPO_PEER_TIMEOUT_S,
            concurrency=concurrency,
            owner=f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}",
        )
        self._lanes: dict[str, tuple[Lane, asyncio.Task[None]]] = {}
        self._news: set[str] = set()
        self._look_everywhere = True
        self._looked_at_all = False
        self._look_every_s = LOOK_EVERY_S
        self._listening: asyncio.Task[None] | None = None
        self._looked = self._tidied = 0.0
        self._rounds = Rounds("push", self._look_around, LOOK_EVERY_S, logger=logger)

    async def start(self) -> None:
        self._listening = asyncio.create_task(self._listen())
        self._rounds.start()

    async def stop(self) -> None:
        """Requests that are out are broken off; their objects stay marked."""
        await self._rounds.stop()
        running = [task for _, task in self._lanes.values()]
        if self._listening is not None:
            running.append(self._listening)
            self._listening = None
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        self._lanes.clear()

    def wake(self) -> None:
        """Look at every peer now."""
        self._look_everywhere = True
        self._rounds.wake()

    async def _listen(self) -> None:
        try:
            async for peer_ids in inserted(self._store.db, MARKS.name, "peer_id"):
                if peer_ids is None:
                    self.wake()
                    continue
                for peer_id in peer_ids:
                    running = self._lanes.get(peer_id)
                    if running is not None:
                        running[0].poke()
                    else:
                        self._news.add(peer_id)
                        self._rounds.wake()
        except NoChangeStream:
            logger.warning("no change streams: new marks are looked for twice a second")
            self._look_every_s = _WITHOUT_STREAM_S

    async def _look_around(self) -> None:
        due = time.monotonic() - self._looked >= self._look_every_s
        everywhere = self._look_everywhere or due
        self._look_everywhere = False
        news, self._news = self._news, set()
        if everywhere:
            self._looked = time.monotonic()
        try:
            await self._start_lanes({*news, *(await self._to_look_at() if everywhere else ())})
            if everywhere:
                self._looked_at_all = True
                await self._keep_house()
        except Exception:
            self._look_everywhere = True
            raise
        self._rounds.within(self._looked + self._look_every_s - time.monotonic())

    async def _to_look_at(self) -> Collection[str]:
        db, now = self._store.db, self._store.db.now()
        found = await push_lanes.to_look_at(db, now, now - CHANGES_END_WITHIN)
        if not self._looked_at_all:
            found.update(await push_lanes.never_greeted(db))
        return found

    async def _start_lanes(self, peer_ids: Collection[str]) -> None:
        now = self._store.db.now()
        rows = await push_lanes.waiting(self._store.db, now, peer_ids) if peer_ids else []
        await self._greet([row["_id"] for row in rows if not row.get("lane", {}).get("greeted")])
        for row in rows:
            peer_id, lane = row["_id"], row.get("lane", {})
            if lane.get("settles_at") and lane["settles_at"] <= now:
                await self._settle(peer_id, lane["settles_at"])
            running = self._lanes.get(peer_id)
            if running is not None:
                running[0].poke()
            elif row["due"] and not row["leased"] and _is_its_turn(row, lane, now):
                fresh = Lane(self._context, peer_id)
                task = asyncio.create_task(self._run(fresh))
                self._lanes[peer_id] = (fresh, task)

    async def _run(self, lane: Lane) -> None:
        try:
            with bound(peer_id=lane.peer_id):
                await lane.run()
        except STORE_ERRORS as error:
            logger.warning("push to %s: the store: %s", lane.peer_id, type(error).__name__)
        except Exception:
            logger.exception("push to %s broke off", lane.peer_id)
        finally:
            self._lanes.pop(lane.peer_id, None)
            # A mark may have come while the lane was closing.
            self._news.add(lane.peer_id)
            self._rounds.wake()

    async def _greet(self, peer_ids: Sequence[str]) -> None:
        """Peers that are connected for the first time: by setting they are sent everything."""
        if not peer_ids:
            return
        for peer_id in peer_ids if self._push_on_connect else ():
            peer = await self._peers.get(peer_id)
            number = await mark_everything(self._store, peer.document)
            logger.info("first push to %s: %d objects", peer_id, number)
        db = self._store.db
        await push_lanes.greeted(db, peer_ids, db.now() + CHANGES_END_WITHIN)

    async def _settle(self, peer_id: str, settles_at: datetime) -> None:
        """A change that was under way when the peer was connected did not know of it, and the
        peer may have pulled before it was committed: what changed around then goes out again."""
        peer = await self._peers.get(peer_id)
        since = settles_at - 2 * CHANGES_END_WITHIN
        await mark_everything(self._store, peer.document, changed_since=since)
        await push_lanes.settled(self._store.db, peer_id)

    async def _keep_house(self) -> None:
        now = time.monotonic()
        if now - self._tidied > _TIDY_EVERY_S:
            self._tidied = now
            self._looked_at_all = False
            await self._forget_the_gone()

    async def _forget_the_gone(self) -> None:
        """Marks and lanes of peers that are no more, or have unregistered."""
        db = self._store.db
        known = {*await due_marks.marked_peers(db), *await push_lanes.known(db)}
        for peer_id in known - await registered_of(db, known):
            await due_marks.forget(db, peer_id)
            await push_lanes.forget(db, peer_id)


def _is_its_turn(row: JsonObject, lane: push_lanes.PushLane, now: datetime) -> bool:
    """Whether the breaker lets anything out, or the operator has changed something since."""
    retry_at, opened = lane.get("retry_at"), lane.get("opened")
    if retry_at is None or retry_at <= now:
        return True
    return bool(opened and row.get("updated") and row["updated"] > opened)
