"""The watch: looks at every source each few seconds, and has opened what is in trouble and closed
what is not. In all of the processes one alone, under a lease; the next one goes on where it was.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Sequence
from datetime import datetime
from functools import partial

from db_interface.database import STORE_ERRORS
from db_interface.interface import DbInterface
from domain.notices import deliveries, matters
from domain.notices.gathering import GATHER_S, arranged
from domain.notices.troubles import Source, Trouble
from domain.rounds import Rounds

logger = logging.getLogger("cpo.notices")

PAUSE_S = 2.0
PAUSE_UNTOLD_S = 30.0
"""Where nobody is told, nobody waits, and a look at ten thousand charge points has its price."""
PAUSES_OF_LEASE = 3


class Watch:
    """`rounds.start` and `rounds.stop` the background work. Without `targets` what is in trouble is
    followed all the same; whoever comes later is told what is still open then."""

    def __init__(
        self, store: DbInterface, sources: Sequence[Source], targets: Sequence[str]
    ) -> None:
        self._store = store
        self._sources = sources
        self._targets = targets
        self._owner = uuid.uuid4().hex
        self._first_seen: dict[str, datetime] = {}
        self._looks = False
        """Whether it is this process that looks."""
        self._silent: set[str] = set()
        """Sources that could not say anything the last time."""
        pause_s = PAUSE_S if targets else PAUSE_UNTOLD_S
        self._lease_s = PAUSES_OF_LEASE * pause_s
        self.rounds = Rounds("notices", self.round, pause_s, logger=logger)

    async def round(self) -> bool:
        """Look once, if it is this process's turn; whether it was."""
        db = self._store.db
        if not await deliveries.claim(db, deliveries.WATCH, self._owner, self._lease_s):
            self._first_seen.clear()
            self._looks = False
            return False
        self._looks = True
        troubles, known_of = await self._look()
        lasting = self._lasting(troubles)
        known = {matter["_id"]: matter for matter in await matters.open_ones(db)}
        sightings = arranged(troubles, known.keys(), lambda trouble: trouble.id in lasting)
        for id_, sighting in sightings.items():
            if id_ not in known or not matters.as_seen(known[id_], sighting, self._targets):
                await self._store.transact(
                    partial(matters.seen, sighting=sighting, targets=self._targets)
                )
        for id_, matter in known.items():
            if id_ not in sightings and matter["kind"] in known_of:
                await self._store.transact(
                    partial(matters.not_seen, matter_id=id_, targets=self._targets)
                )
        return True

    async def stop(self) -> None:
        await self.rounds.stop()
        if self._looks:
            await deliveries.let_go(self._store.db, deliveries.WATCH, self._owner)

    async def _look(self) -> tuple[list[Trouble], set[str]]:
        """What the sources see, and of which kinds they can say that there is nothing else."""
        troubles: list[Trouble] = []
        known_of: set[str] = set()
        for source in self._sources:
            try:
                troubles += await source.look()
                known_of.update(kind.value for kind in source.kinds)
                self._silent.discard(source.name)
            except STORE_ERRORS:
                raise
            except Exception:  # one source that fails does not silence the others
                if source.name not in self._silent:
                    logger.exception("notices: %s cannot be looked at", source.name)
                self._silent.add(source.name)
        return troubles, known_of

    def _lasting(self, troubles: Sequence[Trouble]) -> set[str]:
        """Ids of the troubles that have been there for a while."""
        now = self._store.db.now()
        kept = {trouble.id: self._first_seen.get(trouble.id, now) for trouble in troubles}
        self._first_seen = kept
        return {id_ for id_, since in kept.items() if (now - since).total_seconds() >= GATHER_S}
