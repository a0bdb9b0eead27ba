"""Commands at Central: the worker with all kinds of command, and what sweeps beside it.

`build` puts them together; whoever runs Central starts and stops what it returns. Composition
only; no behaviour of its own.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

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
from cpo_app.central.sweepers.plan_sweeper import PlanSweeper
from cpo_app.central.sweepers.reservation_sweeper import ReservationSweeper
from crud import charging_profiles
from domain.commands.command_delivery import Deliver
from domain.commands.command_intake import Intake
from domain.reservations.reservation_sessions import ReservationSessions
from domain.sessions import charging_plans


@dataclass(frozen=True)
class CommandParts:
    """What runs in the background; start it after Central, stop it before."""

    worker: CommandWorker
    reservations: ReservationSweeper
    plans: PlanSweeper

    def start(self) -> None:
        self.worker.start()
        self.reservations.rounds.start()
        self.plans.rounds.start()

    async def stop(self) -> None:
        await self.plans.rounds.stop()
        await self.reservations.rounds.stop()
        await self.worker.stop()


def build(
    central: Central, deliver: Deliver, intakes: Iterable[Intake] = (), **timing: float
) -> CommandParts:
    """What carries out Central's commands.

    `deliver` brings results to peers (ResultSender.deliver). The `intakes` of this process wake
    the worker at once. `timing`: lease_s, pause_s of the worker.
    """
    rules = rules_of(central.settings)
    context = CommandContext(
        store=central.store,
        party=central.party,
        link=central.link,
        billing=ReservationSessions(rules),
        rules=rules,
    )
    worker = CommandWorker(
        central.store, kinds_of(context), deliver, precedence=central.precedence, **timing
    )
    for intake in intakes:
        intake.on_command(worker.wake)
    return CommandParts(
        worker,
        ReservationSweeper(context, worker.wake),
        PlanSweeper(central.store, worker.wake),
    )


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
        charging_plans.SET_PREFERENCES: profile.SetPreferences,
        INNER_STOP: charging.InnerStop,
        INNER_RELEASE: reservation.InnerRelease,
        INNER_RESERVE: reservation.InnerReserve,
        INNER_PROFILE: profile.InnerProfile,
    }
    return {name: kind(context) for name, kind in kinds.items()}
