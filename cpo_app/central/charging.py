"""Charging at Central: what charge points report of their sessions goes into them.

`handlers` is the whole list of what telemetry's messages do, in order. A message that nothing
can be made of is refused (kept as a dead letter, and counted as taken): it must never hold up the
ones behind it.
"""

from __future__ import annotations

import logging

from cpo_app.central.telemetry import Handler, Message, MessageRefused
from cpo_app.settings import Settings
from db_interface.transaction import Tx
from domain.charge_points import unaccounted_energy
from domain.charge_points.charge_points import ChargePoint
from domain.commands.command_targets import place_of
from domain.schemas import SchemaError
from domain.sessions import charging_profiles, charging_sessions
from domain.sessions.charging_sessions import ChargingSession, UnknownSession
from domain.sessions.session_registers import note_register_end
from domain.sessions.session_rules import Rules
from domain.sessions.session_segments import Reading
from domain.sessions.session_signatures import take_signed_data
from domain.sessions.unannounced_sessions import UnknownOrigin, open_unannounced

logger = logging.getLogger("cpo.central")


def rules_of(settings: Settings) -> Rules:
    return settings.session_rules


def handlers(rules: Rules) -> tuple[Handler, ...]:
    """Telemetry's handlers, in the order in which they are called."""
    sessions = _Sessions(rules)
    return (
        Handler("session_started", sessions.started),
        Handler("meter", unaccounted),
        Handler("meter", sessions.metered),
        # Whoever has set a profile hears of its end while the session still shows that it ran.
        Handler("session_stopped", profile_ended),
        Handler("session_stopped", sessions.stopped),
    )


class _Sessions:
    """What messages do to sessions."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules

    async def started(self, tx: Tx, charge_point: ChargePoint, message: Message) -> None:
        session_id = message["session_id"]
        known = await charging_sessions.get(tx, session_id)
        if known is None:
            await self._open_unannounced(tx, charge_point, message)
        else:
            self._of(charge_point, known)
        await charging_sessions.session_began(
            tx,
            session_id,
            at=message["at"],
            register_wh=message["register_wh"],
            rules=self._rules,
        )

    async def metered(self, tx: Tx, charge_point: ChargePoint, message: Message) -> None:
        await self._known(tx, charge_point, message)
        await charging_sessions.meter_reading(
            tx,
            message["session_id"],
            reading_of(message),
            register_wh=message["register_wh"],
            soc=message.get("soc"),
            rules=self._rules,
        )

    async def stopped(self, tx: Tx, charge_point: ChargePoint, message: Message) -> None:
        await self._known(tx, charge_point, message)
        signed_data = await take_signed_data(
            tx,
            message["session_id"],
            cp_id=charge_point["_id"],
            connector_id=message["connector_id"],
            given=message.get("signed_data"),
            energy_wh=message["energy_wh"],
            url=self._rules.transparency_url,
        )
        await charging_sessions.session_ended(
            tx,
            message["session_id"],
            at=message["at"],
            energy_wh=message["energy_wh"],
            register_wh=message["register_wh"],
            reason=message["reason"],
            signed_data=signed_data,
            rules=self._rules,
        )
        if message["register_wh"] is not None:
            await note_register_end(
                tx, message["session_id"], message["register_wh"], message["energy_wh"]
            )

    async def _known(self, tx: Tx, charge_point: ChargePoint, message: Message) -> None:
        known = await charging_sessions.get(tx, message["session_id"])
        if known is None:
            raise MessageRefused("its session is not known")
        self._of(charge_point, known)

    @staticmethod
    def _of(charge_point: ChargePoint, known: ChargingSession) -> None:
        """A charge point speaks for its own sessions alone, while there is news of them."""
        if known["cp_id"] != charge_point["_id"]:
            raise MessageRefused("its session is another charge point's")
        if "trimmed" in known:
            raise MessageRefused("its session was settled long ago")

    async def _open_unannounced(self, tx: Tx, charge_point: ChargePoint, message: Message) -> None:
        """Open a session that the charge point started and Central has no record of."""
        try:
            await open_unannounced(
                tx,
                cp_id=charge_point["_id"],
                connector_id=message["connector_id"],
                session_id=message["session_id"],
                id_tag=message.get("id_tag"),
                source=message["source"],
                at=message["at"],
                rules=self._rules,
            )
        except (UnknownOrigin, SchemaError, UnknownSession) as error:
            raise MessageRefused(f"its session is not known: {error}") from error
        tx.say(
            logger.warning,
            "session %s was started without Central's knowledge: taken over",
            message["session_id"],
        )


async def unaccounted(tx: Tx, charge_point: ChargePoint, message: Message) -> None:
    """Energy without a session that is known raises an alarm."""
    if await charging_sessions.get(tx, message["session_id"]) is None:
        await unaccounted_energy.note(
            tx,
            charge_point["_id"],
            message["connector_id"],
            message["session_id"],
            energy_wh=message["energy_wh"],
            power_w=message["power_w"] or 0.0,
        )


async def profile_ended(tx: Tx, charge_point: ChargePoint, message: Message) -> None:
    """With its session a charging profile ends: whoever has set one is told (15.3.2.2)."""
    known = await charging_sessions.get(tx, message["session_id"])
    if known is None or known["cp_id"] != charge_point["_id"]:
        return
    if known["status"] != "ACTIVE" or not known.get("profile_peers"):
        return
    place = await place_of(tx, known["evse_uid"])
    if place is not None:
        active = charging_profiles.unlimited(place.connector(known["connector_id"]), tx.now)
        await charging_profiles.active_profile_changed(tx, known, active)
        await charging_profiles.forget(tx, known["_id"])


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
