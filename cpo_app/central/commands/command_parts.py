"""Commands at Central: the worker with all kinds of command, and the reservations' sweeper.

`attach` puts them together; whoever runs Central starts and stops what it returns. Composition
and two hooks; no behaviour of its own.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from cpo_app.central.charging import rules_of
from cpo_app.central.commands import profile_commands as profile
from cpo_app.central.commands import reservation_commands as reservation
from cpo_app.central.commands import session_commands as charging
from cpo_app.central.commands.command_steps import (
    INNER_PROFILE,
    INNER_RELEASE,
    INNER_RESERVE,
    INNER_STOP,
    CommandContext,
    Kind,
)
from cpo_app.central.commands.command_worker import CommandWorker
from cpo_app.central.service import Central
from cpo_app.central.sweepers.reservation_sweeper import ReservationSweeper
from cpo_app.central.telemetry import Handler, Message
from crud import charging_profiles
from db_interface.transaction import Tx
from domain.charge_points.charge_points import Document
from domain.commands.command_delivery import Deliver
from domain.commands.command_intake import Intake
from domain.commands.command_targets import place_of
from domain.reservations.reservation_sessions import ReservationSessions
from domain.sessions import charging_sessions


@dataclass(frozen=True)
class CommandParts:
    """What runs in the background; start it after Central, stop it before."""

    worker: CommandWorker
    reservations: ReservationSweeper

    def start(self) -> None:
        self.worker.start()
        self.reservations.rounds.start()

    async def stop(self) -> None:
        await self.reservations.rounds.stop()
        await self.worker.stop()


def attach(
    central: Central, deliver: Deliver, intakes: Iterable[Intake] = (), **timing: Any
) -> CommandParts:
    """Let Central carry out commands; call after charging.attach.

    `deliver` brings results to peers (ResultSender.deliver). The `intakes` of this process wake
    the worker at once. `timing`: lease_s, pause_s of the worker.
    """
    rules = rules_of(central.settings)
    context = CommandContext(
        store=central.store,
        party=central.party,
        link=central.link,
        billing=ReservationSessions(central.store, rules),
        rules=rules,
        clock=central.clock,
    )
    worker = CommandWorker(central.store, kinds_of(context), deliver, central.clock, **timing)
    for intake in intakes:
        intake.wake = worker.wake
    _tell_of_ended_sessions(central)
    return CommandParts(worker, ReservationSweeper(context, worker.wake))


def kinds_of(context: CommandContext) -> dict[str, Kind]:
    kinds: dict[str, type[Kind]] = {
        "START_SESSION": charging.Start,
        "STOP_SESSION": charging.Stop,
        "UNLOCK_CONNECTOR": charging.Unlock,
        "RESERVE_NOW": reservation.Reserve,
        "CANCEL_RESERVATION": reservation.Cancel,
        charging_profiles.SET: profile.SetProfile,
        charging_profiles.GET: profile.GetProfile,
        charging_profiles.CLEAR: profile.ClearProfile,
        INNER_STOP: charging.InnerStop,
        INNER_RELEASE: reservation.InnerRelease,
        INNER_RESERVE: reservation.InnerReserve,
        INNER_PROFILE: profile.InnerProfile,
    }
    return {name: kind(context) for name, kind in kinds.items()}


def _tell_of_ended_sessions(central: Central) -> None:
    """With its session a charging profile ends: whoever set one is told (15.3.2.2)."""
    before: Handler | None = central.telemetry.handlers.pop("session_stopped", None)

    async def stopped(tx: Tx, charge_point: Document, message: Message) -> None:
        known = await charging_sessions.get(central.db, message["session_id"], tx)
        if before is not None:
            await before(tx, charge_point, message)
        if known is None or not known["running"] or not known.get("profile_peers"):
            return
        now = central.clock()
        place = await place_of(central.store, known["evse_uid"], now, tx)
        if place is not None:
            active = charging_profiles.unlimited(place, known["connector_id"], now)
            await charging_profiles.active_profile_changed(central.db, known, active, now, tx)
            await charging_profiles.forget(central.db, known["_id"], tx)

    central.telemetry.on("session_stopped", stopped)
