"""Which marks of a peer may be sent now, and with which states. It sends and changes nothing but
the dates of marks whose party cannot be reached.

A CDR waits for its session's last state: `behind` are those that do. What is for a party that
its hub calls offline is put off (mod_hub_client_info: no requests then).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection
from datetime import datetime, timedelta

from db_interface.interface import DbInterface
from db_interface.owned_objects import fold
from domain.outbox import due_marks
from domain.outbox.crash_points import crash_point
from domain.outbox.due_marks import Mark, Present
from domain.outbox.marks import FOR_EVERY_READER
from domain.peers import hub_clients
from domain.peers.peer import Peer
from domain.visibility import party_of

_OFFLINE = timedelta(seconds=30)  # the hub's word that the party is back ends it sooner

Pair = tuple[Mark, Present | None]


class Choice:
    """One peer's; `peer` is renewed by the lane, and by `look` where there is anything to send."""

    def __init__(self, store: DbInterface, peer: Peer, look: Callable[[], Awaitable[Peer]]) -> None:
        self._store = store
        self._look = look
        self.peer = peer
        self.behind: set[str] = set()
        """Ids of CDRs' marks that wait for their sessions."""

    async def next(
        self, now: datetime, most: int, busy: Collection[str]
    ) -> tuple[list[Pair], bool]:
        """At most `most` marks with their objects' states (None: gone), longest behind first,
        and whether there may be more that are due. `busy` are ids that are being dealt with."""
        marks = await due_marks.due(
            self._store.db, self.peer.peer_id, now, most, self.behind.union(busy)
        )
        crash_point("marks-read")
        if not marks:
            return [], False
        # The peer after the marks, too: one that was narrowed or widened has been changed before it
        # was marked, and must not be sent this as it was.
        # Whether it moved to another version meanwhile is asked when they are sent (lane.py).
        states, self.peer = await asyncio.gather(
            due_marks.present(self._store, marks, self.peer.form), self._look()
        )
        crash_point("objects-read")
        pairs: list[Pair] = [(mark, states.get((mark.module, mark.key))) for mark in marks]
        pairs = await self._after_their_sessions(pairs)
        pairs = await self._within_reach(pairs, now)
        # Those that were left out may have stood before others.
        return pairs, len(marks) == most or len(pairs) < len(marks)

    async def _after_their_sessions(self, pairs: list[Pair]) -> list[Pair]:
        sessions = {
            mark.id: fold(fields["country_code"], fields["party_id"], fields["session_id"])
            for mark, state in pairs
            if mark.module == "cdrs" and state is not None
            for fields in [state.fields]
            if fields.get("session_id")
        }
        if not sessions or self.peer.endpoint("sessions", "RECEIVER") is None:
            return pairs
        unsent = await due_marks.unsent(
            self._store.db, self.peer.peer_id, "sessions", set(sessions.values())
        )
        too_early = {id_ for id_, key in sessions.items() if key in unsent}
        self.behind |= too_early
        return [pair for pair in pairs if pair[0].id not in too_early]

    async def _within_reach(self, pairs: list[Pair], now: datetime) -> list[Pair]:
        addressed = [mark for mark, _ in pairs if mark.module not in FOR_EVERY_READER]
        if not addressed or not self.peer.is_hub:
            return pairs
        db, peer_id = self._store.db, self.peer.peer_id
        offline = await hub_clients.not_connected(db, peer_id)
        kept: list[Pair] = []
        awaited: set[str] = set()
        for mark, state in pairs:
            if (
                state is None
                or mark.module in FOR_EVERY_READER
                or party_of(state.audience) not in offline
            ):
                kept.append((mark, state))
            else:
                party = party_of(state.audience)
                awaited.add(party)
                await due_marks.await_party(db, mark, party, now + _OFFLINE, now)
        if awaited and not awaited <= await hub_clients.not_connected(db, peer_id):
            # It came back before it was noted that this waits for it.
            await due_marks.party_is_back(db, peer_id, now)
        return kept
