"""Ends reservations whose date has passed, and those that we can no longer keep.

- Past its expiry_date: EXPIRED; the EVSE is free again (its engine sees to itself).
- Its EVSE taken out of service or removed: CANCELED, and the eMSP is told CANCELED_RESERVATION
  at the URL of its RESERVE_NOW ("if the CPO cancels the reservation", mod_commands, Flow). A mere
  fault may pass before the driver comes: the reservation stands.

Runs in every worker; who comes first ends it, in one transaction.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from cpo_app.central.commands.command_steps import INNER_RELEASE, INNER_WITHIN, CommandContext
from db_interface.transaction import Tx
from domain.charge_points import charge_points
from domain.commands import command_queue
from domain.commands.command_targets import REMOVED
from domain.reservations import reservations
from domain.reservations.cancelling import tell_canceled
from domain.reservations.reservations import Reservation, Status
from domain.rounds import Rounds

logger = logging.getLogger("cpo.central")

PAUSE_S = 1.0
MAX_AT_ONCE = 100
LOST = ("INOPERATIVE", REMOVED)


class ReservationSweeper:
    """`wake` is called when a worker has something to deliver."""

    def __init__(
        self, context: CommandContext, wake: Callable[[], None], *, pause_s: float = PAUSE_S
    ) -> None:
        self._context = context
        self._store = context.store
        self._wake = wake
        self.rounds = Rounds("reservations", self.round, pause_s, logger=logger)

    async def round(self) -> int:
        """End what is to be ended now; how many were."""
        over = await reservations.expired(self._store.db, MAX_AT_ONCE)
        ended = [row for row in over if await self._expire(row)]
        for row in await self._lost():
            if await self.cancel(row["_id"]):
                ended.append(row)
        return len(ended)

    async def cancel(self, key: str) -> bool:
        """We cannot keep the reservation: end it and tell its eMSP. False: it had ended."""

        async def work(tx: Tx) -> bool:
            held = await reservations.get(tx, key)
            if held is None or not await self._end(tx, held, Status.CANCELED):
                return False
            await command_queue.add(
                tx,
                INNER_RELEASE,
                cp_id=held["cp_id"],
                deadline=tx.now + INNER_WITHIN,
                also={"content": {"reservation": key}},
            )
            await tell_canceled(tx, held)
            return True

        done = await self._store.transact(work)
        if done:
            logger.warning("reservation %s is canceled: its EVSE is out of service", key)
            self._wake()
        return done

    async def _lost(self) -> list[Reservation]:
        """Reservations whose EVSE serves nobody for the time being, by our own word."""
        db = self._store.db
        keys = await charge_points.reservations_out_of_service(db, sorted(LOST), MAX_AT_ONCE)
        return [
            held for key in keys if (held := await reservations.get_active(db, key)) is not None
        ]

    async def _expire(self, held: Reservation) -> bool:
        return await self._store.transact(lambda tx: self._end(tx, held, Status.EXPIRED))

    async def _end(self, tx: Tx, held: Reservation, status: Status) -> bool:
        context = self._context
        return await reservations.end(
            tx, context.party, held["_id"], held["cp_id"], status, context.billing
        )
