"""Charging at Central: what charge points report of their sessions goes into them.

`attach(central)` registers the handlers of telemetry and gives the sweeper. A message that
nothing can be made of is refused (logged, and counted as taken): it must never hold up the ones
behind it.
"""

from __future__ import annotations

import logging
from typing import Any

from cpo_app.central.service import Central
from cpo_app.central.sweepers.session_sweeper import Sweeper
from cpo_app.central.telemetry import Message, MessageRefused
from cpo_app.settings import Settings
from db_interface.transaction import Tx
from domain.charge_points.charge_points import Document
from domain.schemas import SchemaError
from domain.sessions import charging_sessions
from domain.sessions.charging_sessions import Rules, UnknownSession
from domain.sessions.session_segments import Reading
from domain.sessions.session_signatures import signed_data_of
from domain.sessions.unannounced_sessions import NotEnough, open_unannounced

logger = logging.getLogger("cpo.central")


def rules_of(settings: Settings) -> Rules:
    return Rules(update_every_s=settings.CPO_SESSION_UPDATE_S, cdr_zero=settings.CPO_CDR_ZERO)


def attach(central: Central) -> Sweeper:
    """Let Central keep the sessions; returns the sweeper, to be run beside Central."""
    handlers = _Handlers(central)
    central.telemetry.on("session_started", handlers.started)
    central.telemetry.on("meter", handlers.metered)
    central.telemetry.on("session_stopped", handlers.stopped)
    return Sweeper(central, rules_of(central.settings))


class _Handlers:
    """Telemetry's handlers: they change the store alone, through the given transaction."""

    def __init__(self, central: Central) -> None:
        self._central = central
        self._store = central.store
        self._rules = rules_of(central.settings)

    async def started(self, tx: Tx, charge_point: Document, message: Message) -> None:
        session_id = message["session_id"]
        known = await charging_sessions.get(self._store.db, session_id, tx)
        if known is None:
            await self._open_unannounced(tx, charge_point, message)
        else:
            self._of(charge_point, known)
        await charging_sessions.session_began(
            self._store,
            session_id,
            at=message["at"],
            register_wh=message["register_wh"],
            now=self._central.clock(),
            tx=tx,
            rules=self._rules,
        )

    async def metered(self, tx: Tx, charge_point: Document, message: Message) -> None:
        await self._known(tx, charge_point, message)
        await charging_sessions.meter_reading(
            self._store,
            message["session_id"],
            reading_of(message),
            register_wh=message["register_wh"],
            soc=message.get("soc"),
            now=self._central.clock(),
            tx=tx,
            rules=self._rules,
        )

    async def stopped(self, tx: Tx, charge_point: Document, message: Message) -> None:
        await self._known(tx, charge_point, message)
        signed_data, problem = signed_data_of(message.get("signed_data"))
        if problem:
            logger.warning("session %s: signed data left out: %s", message["session_id"], problem)
        await charging_sessions.session_ended(
            self._store,
            message["session_id"],
            at=message["at"],
            energy_wh=message["energy_wh"],
            reason=message["reason"],
            signed_data=signed_data,
            now=self._central.clock(),
            tx=tx,
            rules=self._rules,
        )

    async def _known(self, tx: Tx, charge_point: Document, message: Message) -> None:
        known = await charging_sessions.get(self._store.db, message["session_id"], tx)
        if known is None:
            raise MessageRefused("its session is not known")
        self._of(charge_point, known)

    @staticmethod
    def _of(charge_point: Document, known: dict[str, Any]) -> None:
        """A charge point speaks for its own sessions alone."""
        if known["cp_id"] != charge_point["_id"]:
            raise MessageRefused("its session is another charge point's")

    async def _open_unannounced(self, tx: Tx, charge_point: Document, message: Message) -> None:
        """Open a session that the charge point started and Central has no record of."""
        try:
            await open_unannounced(
                self._store,
                cp_id=charge_point["_id"],
                connector_id=message["connector_id"],
                session_id=message["session_id"],
                id_tag=message.get("id_tag"),
                source=message["source"],
                at=message["at"],
                now=self._central.clock(),
                tx=tx,
                rules=self._rules,
            )
        except (NotEnough, SchemaError, UnknownSession) as error:
            raise MessageRefused(f"its session is not known: {error}") from error
        logger.warning(
            "session %s was started without Central's knowledge: taken over",
            message["session_id"],
        )


def reading_of(message: Message) -> Reading:
    """A meter message as the sessions take it."""
    return Reading(
        at=message["at"],
        energy_wh=message["energy_wh"],
        power_w=message["power_w"],
        current_a=message["current_a"],
        voltage_v=message["voltage_v"],
        phases=message["phases"],
        limit_w=message.get("limit_w"),
    )
