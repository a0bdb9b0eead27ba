"""Keeps one simulated charge point connected: boot, status, what waits to be said, heartbeats.

What happened is said in order and each thing until it is answered. A connection that is lost comes
back after a pause that grows, with jitter: thousands that lost it together do not come together.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import logging
import ssl
from collections.abc import Callable
from dataclasses import dataclass

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidHandshake, InvalidURI
from websockets.typing import Subprotocol

from cpo_app.charge_point.journal import Message
from cpo_app.charge_point.ocpp.card_reader import CardReader
from cpo_app.charge_point.ocpp.dialect import Call, Decision, Dialect, Errand, Wanted
from cpo_app.charge_point.ocpp.errands import Errands, Sleep
from cpo_app.charge_point.ocpp.station import Place, Station
from cpo_app.charge_point.ocpp.wire import NotDone, Unanswered, Wire
from cpo_app.charge_point.simulation import Simulation
from db_interface.backoff import Backoff
from db_interface.json_data import JsonObject

logger = logging.getLogger(__name__)

RECONNECTS = Backoff(first_s=2.0, max_s=60.0)
REBOOT_S = 2.0
_CONNECT_WITHIN_S = 30.0
_MIN_HEARTBEAT_S = 1


@dataclass
class Access:
    """`url`: of the central system, to which `/{station id}` is added."""

    url: str
    password: str | None = None
    tls: ssl.SSLContext | None = None
    keep_password: Callable[[str], None] = lambda _: None

    def headers(self, station_id: str) -> dict[str, str]:
        if self.password is None:
            return {}
        basic = base64.b64encode(f"{station_id}:{self.password}".encode()).decode()
        return {"Authorization": f"Basic {basic}"}


class Keeping:
    def __init__(
        self,
        station: Station,
        dialect: Dialect,
        access: Access,
        *,
        backoff: Backoff = RECONNECTS,
        tick_s: float = 1.0,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self.station = station
        self.online = asyncio.Event()
        """Booted, and its states told."""
        self._dialect = dialect
        self._access = access
        self._backoff = backoff
        self._tick_s = tick_s
        self._sleep = sleep
        self._new = asyncio.Event()
        self._busy = asyncio.Event()
        self._busy.set()
        self._wire: Wire | None = None
        self._errands = Errands(station, dialect, self._wake, sleep, tick_s)
        self._refusals = 0
        self._hold_until = 0.0
        self._boot_reason = "PowerUp"
        self._said: str | None = None
        station.on_new = self._wake
        self.simulations = {
            number: Simulation(place.evse, self._reader(place), self._keep)
            for number, place in station.places.items()
        }

    async def run(self) -> None:
        """Until cancelled."""
        for place in self.station.places.values():
            place.evse.report()
        self._keep()
        ticking = asyncio.create_task(self._tick())
        failures = 0
        try:
            while True:
                if await self._connected():
                    failures = 0
                failures += 1
                await self._sleep(self._backoff.after(failures))
        finally:
            ticking.cancel()
            await asyncio.gather(ticking, return_exceptions=True)
            await self._errands.close()
            with contextlib.suppress(Exception):
                self.station.tick()
            self.station.store.close()

    # --- one connection -----------------------------------------------------------------------

    async def _connected(self) -> bool:
        """Connect and stay as long as it lasts. Whether it has booted."""
        station_id = self.station.station_id
        try:
            connection = await connect(
                f"{self._access.url.rstrip('/')}/{station_id}",
                subprotocols=[Subprotocol(self._dialect.subprotocol)],
                additional_headers=self._access.headers(station_id),
                ssl=self._access.tls,
                compression=None,
                proxy=None,
                ping_interval=None,
                open_timeout=_CONNECT_WITHIN_S,
                max_queue=4,
            )
        except (OSError, InvalidHandshake, InvalidURI, asyncio.TimeoutError) as error:
            self._say(f"{station_id} is not connected: {error}")
            return False
        try:
            return await self._served(connection)
        finally:
            self.online.clear()
            self._wire = None
            await connection.close()

    async def _served(self, connection: ClientConnection) -> bool:
        wire = Wire(connection, self._asked)
        tasks = [asyncio.create_task(wire.read()), asyncio.create_task(self._talk(wire))]
        booted = False
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            booted = self.online.is_set()
            for task in tasks:
                task.cancel()
            _, talked = await asyncio.gather(*tasks, return_exceptions=True)
        if isinstance(talked, Exception) and not isinstance(talked, Unanswered):
            logger.error("%s broke off", self.station.station_id, exc_info=talked)
        return booted

    async def _talk(self, wire: Wire) -> None:
        await self._boot(wire)
        states, past = self._dialect.statuses(0), self.station.recorder.last_seq
        for call in states:
            await self._call(wire, call)
        self._wire = wire
        self.online.set()
        self._say(None)
        loop = asyncio.get_running_loop()
        beat_at = loop.time() + self._heartbeat_s()
        while True:
            self._new.clear()
            if self._errands.to_say:
                await self._call(wire, self._errands.to_say.pop(0))
            elif (errand := self._errands.next()) is not None:
                if errand.wanted in (Wanted.RESET, Wanted.RECONNECT):
                    await self._last_errand(wire, errand)
                    return
                self._errands.run(errand)
                continue
            elif loop.time() >= self._hold_until and (batch := self.station.store.batch(1)):
                await self._bring(wire, batch, past)
            elif loop.time() >= beat_at:
                await self._call(wire, ("Heartbeat", {}))
            else:
                wake_at = beat_at
                if self.station.store.waiting():
                    wake_at = min(beat_at, self._hold_until)
                timer = loop.call_at(wake_at, self._new.set)
                try:
                    await self._new.wait()
                finally:
                    timer.cancel()
                continue
            # Whatever was said is a sign of life.
            beat_at = loop.time() + self._heartbeat_s()

    async def _boot(self, wire: Wire) -> None:
        while True:
            try:
                answer = await wire.call(*self._dialect.boot(self._boot_reason))
            except NotDone as error:
                answer = {"status": str(error), "interval": 0}
            interval_s = int(answer.get("interval") or 0)
            if answer["status"] == "Accepted":
                break
            self._say(f"{self.station.station_id} is not taken in: {answer['status']}")
            await self._sleep(interval_s or self._backoff.max_s)
        self._boot_reason = "PowerUp"
        if interval_s:
            self.station.configuration.values["HeartbeatInterval"] = str(interval_s)

    def _heartbeat_s(self) -> int:
        return max(_MIN_HEARTBEAT_S, self.station.configuration.number("HeartbeatInterval"))

    async def _bring(self, wire: Wire, batch: tuple[str, list[Message]], past: int) -> None:
        """Say what happened until it is heard; what is refused for good is dropped. `past`: the
        last message of the time before the connection."""
        boot_id, (message, *_) = batch
        offline = boot_id != self.station.recorder.boot_id or message["seq"] <= past
        answer: JsonObject = {}
        try:
            for call in self._dialect.said(message, offline=offline):
                answer = await wire.call(*call)
        except NotDone as error:
            if message["kind"] != "state" and self._try_later(error):
                return
            logger.warning("%s: %s is refused: %s", self.station.station_id, message, error)
        else:
            self._dialect.heard(message, answer, offline=offline)
        self._refusals = 0
        self.station.said(message)
        if message["kind"] == "session_started":
            self._obey(message["session_id"], self._dialect.decision(answer))

    def _try_later(self, error: NotDone) -> bool:
        configuration = self.station.configuration
        self._refusals += 1
        if self._refusals >= configuration.number("TransactionMessageAttempts"):
            return False
        pause_s = configuration.number("TransactionMessageRetryInterval") * self._refusals
        self._hold_until = asyncio.get_running_loop().time() + pause_s
        return True

    def _obey(self, session_id: str, decision: Decision | None) -> None:
        """A card that is not accepted after all may not go on."""
        place = self.station.place_of(session_id)
        if place is None or decision is None:
            return
        if decision.accepted:
            if decision.group is not None:
                place.facts["group"] = decision.group
        elif self.station.configuration.flag("StopTransactionOnInvalidId"):
            place.evse.stop(session_id, "deauthorized")
            self._keep()

    # --- what was asked for -------------------------------------------------------------------

    def _asked(self, action: str, payload: JsonObject) -> JsonObject:
        answer = self._dialect.asked(action, payload)
        self._wake()
        return answer

    async def _last_errand(self, wire: Wire, errand: Errand) -> None:
        """What ends the connection: a reset, or another password."""
        if errand.wanted is Wanted.RECONNECT:
            password = self.station.new_password
            if password is not None:
                self._access.password = password
                self._access.keep_password(password)
            return
        # What ended because of the reset is said first, as far as it can be.
        while batch := self.station.store.batch(1):
            await self._bring(wire, batch, 0)
            if self._refusals:
                break
        self._boot_reason = "RemoteReset"
        await self._sleep(REBOOT_S)

    # --- inside -------------------------------------------------------------------------------

    async def _call(self, wire: Wire, call: Call) -> None:
        """Something that is said once; a refusal of it changes nothing."""
        try:
            await wire.call(*call)
        except NotDone as error:
            logger.warning("%s: %s is refused: %s", self.station.station_id, call[0], error)

    def _reader(self, place: Place) -> CardReader:
        return CardReader(self.station, place, self._authorize)

    async def _authorize(self, uid: str) -> Decision | None:
        if self._wire is None:
            return None
        try:
            answer = await self._wire.call(*self._dialect.authorize(uid))
        except (NotDone, Unanswered):
            return None
        return self._dialect.decision(answer)

    def _keep(self) -> bool:
        return self.station.keep()

    def _wake(self) -> None:
        self._new.set()
        self._busy.set()

    async def _tick(self) -> None:
        while True:
            await self._busy.wait()
            await self._sleep(self._tick_s)
            try:
                if not self.station.tick():
                    self._busy.clear()
            except Exception:
                logger.exception("tick of %s failed; it goes on", self.station.station_id)

    def _say(self, text: str | None) -> None:
        """Once, until something else is to be said."""
        if text is not None and text != self._said:
            logger.warning("%s", text)
        elif text is None and self._said is not None:
            logger.info("%s is connected", self.station.station_id)
        self._said = text
