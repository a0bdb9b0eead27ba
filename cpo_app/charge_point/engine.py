"""EV_CP_E: puts the engine's parts together and runs them in one asyncio task.

Several engines may run in one process: no globals, no signal handlers. Cancelling stops cleanly;
a running session is kept and resumed at the next start.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging

from cpo_app.charge_point.card_reader import CardReader
from cpo_app.charge_point.central_link import CentralLink
from cpo_app.charge_point.clock import Clock, SystemClock
from cpo_app.charge_point.commands import CommandDesk
from cpo_app.charge_point.engine_certificate import ready_for_tls
from cpo_app.charge_point.engine_http import build_app
from cpo_app.charge_point.evse import Evse, EvseConfig
from cpo_app.charge_point.journal import Journal, JournalInUse
from cpo_app.charge_point.power import Car, Supply
from cpo_app.charge_point.recorder import Recorder
from cpo_app.charge_point.serving import listen, serve
from cpo_app.charge_point.settings import EngineSettings, certificate_files
from cpo_app.charge_point.signing import MeterSigner, meter_key
from cpo_app.charge_point.simulation import Simulation
from cpo_app.charge_point.state_dir import link_key, private_dir
from cpo_app.charge_point.telemetry import TELEMETRY_BACKOFF, TelemetrySender
from cpo_app.charge_point.timeline import Timeline
from db_interface.backoff import Backoff
from db_interface.json_data import JsonObject

logger = logging.getLogger(__name__)


class EngineError(Exception):
    """The engine cannot start; the text is one line for the operator."""


class Engine:
    """Raises EngineError from the constructor where port, state file or key are not usable.

    Must be made and run in one thread with a running event loop.
    """

    def __init__(
        self,
        settings: EngineSettings,
        *,
        clock: Clock | None = None,
        backoff: Backoff = TELEMETRY_BACKOFF,
    ) -> None:
        self.settings = settings
        self.clock = clock or SystemClock()
        try:
            state_dir = private_dir(settings.state_dir)
            self.link_key = link_key(settings.link_key, state_dir, settings.cp_id)
            certificate = certificate_files(settings)
            self.link = CentralLink(settings.cp_id, settings.ca_file, certificate)
            self._tls = ready_for_tls(settings, state_dir)
            self._listener = listen(settings.host, settings.health_port)
        except (OSError, ValueError) as error:
            raise EngineError(
                f"engine {settings.cp_id} cannot start on port {settings.health_port}: {error}"
            ) from None
        try:
            key = meter_key(state_dir, settings.cp_id) if settings.sign_meter_values else None
            self._journal = Journal(state_dir / f"engine-{settings.cp_id}.sqlite")
        except (OSError, ValueError, JournalInUse) as error:
            self._listener.close()
            raise EngineError(f"engine {settings.cp_id}: {error}") from None
        timeline = self._continued_timeline()
        self._signer = MeterSigner(key, settings.cp_id, timeline) if key else None
        self._sender = TelemetrySender(self._journal, timeline, self.link, backoff)
        self._recorder = Recorder(self._journal, timeline, self._sender.new.set)
        self.evse = self._remembered_evse()
        answers = self._journal.answers()
        self.desk = CommandDesk(self.evse, self._recorder, self.clock, answers)
        reader = CardReader(self.evse, self.link, self._recorder)
        self.simulation = Simulation(self.evse, reader, self._keep)

    @property
    def port(self) -> int:
        """The port in use (where the settings say 0: the one that was free)."""
        port: int = self._listener.getsockname()[1]
        return port

    def health(self) -> JsonObject:
        """GET /health: what anybody may know, no secrets."""
        status = self.evse.status()
        return {
            "status": "faulty" if self.evse.faults else "ok",
            "cp_id": self.settings.cp_id,
            "boot_id": self._recorder.boot_id,
            "state": status["state"],
            "faults": [{"code": c, "message": m} for c, m in self.evse.faults.items()],
            "connector": {key: status[key] for key in ("connector_id", "ev_state")},
            "linked": self.link.linked,
            "token_refused": self.link.token_refused,
            "waiting_messages": self._journal.waiting(),
        }

    async def run(self) -> None:
        """Serve, charge and report until cancelled."""
        self.evse.report()
        self._keep()
        logger.info("engine %s listens on port %d", self.settings.cp_id, self.port)
        app = build_app(self)
        tasks = [
            asyncio.create_task(serve(app, self._listener, self._tls)),
            asyncio.create_task(self._tick()),
            asyncio.create_task(self._sender.run()),
        ]
        try:
            # None of the three returns by itself: the first to end has failed.
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in tasks:
                if task.done():
                    task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            with contextlib.suppress(Exception):
                self.evse.tick()
            self._keep()
            await self.close()

    async def close(self) -> None:
        self._listener.close()
        await self.link.close()
        self._journal.close()

    def _keep(self) -> bool:
        return self._recorder.commit(self.evse.as_dict())

    async def _tick(self) -> None:
        interval = self.settings.telemetry_interval
        due = self.clock.monotonic() + interval
        while True:
            await asyncio.sleep(max(0.0, due - self.clock.monotonic()))
            # After a stall the missed ticks are not made up: the meter counts by time, not ticks.
            due = max(due + interval, self.clock.monotonic())
            try:
                self.evse.tick()
                self._keep()
            except Exception:
                logger.exception("tick of %s failed; charging goes on", self.settings.cp_id)

    def _continued_timeline(self) -> Timeline:
        """The one of the last start while anything is dated by it; else a new one, so that a
        wall clock that was put right counts."""
        memory = self._journal.state() or {}
        if memory.get("session") or self._journal.waiting():
            return Timeline(self.clock, memory.get("timeline"))
        return Timeline(self.clock)

    def _remembered_evse(self) -> Evse:
        memory = self._journal.state()
        if memory is not None:
            evse = self._new_evse()
            try:
                evse.restore(memory)
            except (KeyError, TypeError, ValueError):
                logger.exception("the state kept for %s is unusable", self.settings.cp_id)
            else:
                if evse.session:
                    logger.info("%s resumes its session", self.settings.cp_id)
                return evse
        return self._new_evse()

    def _new_evse(self) -> Evse:
        settings = self.settings
        max_w = settings.kw_rate * 1000
        car_w = settings.car_kw * 1000 if settings.car_kw else max_w
        car = Car(settings.car_battery_kwh * 1000, settings.car_soc / 100, car_w)
        evse = Evse(
            Supply(max_w, settings.voltage_v, settings.phase_count, settings.power_type == "DC"),
            EvseConfig(
                new_car=car,
                connector_id=settings.connector_id,
                auto_plug=settings.auto_plug,
                auto_unplug_after_s=settings.auto_unplug_after,
                plug_timeout_s=settings.plug_timeout,
                stop_when_full=settings.stop_when_full,
            ),
            self.clock,
            self._recorder.emit,
            self._signer,
        )
        evse.set_speed(settings.speed)
        return evse


async def run(settings: EngineSettings) -> None:
    """EV_CP_E until cancelled. Raises EngineError where it cannot start."""
    logging.getLogger("cpo_app.charge_point").setLevel(settings.log_level)
    await Engine(settings).run()
