"""One station's connection: its frames in and out, its calls handled one by one, ours asked one
by one.

Its calls are handled in the order in which they came; the answer goes out once the handler is
through, which is after its commit. Where the store is away, or the station has gone elsewhere,
nothing is answered and the connection is closed: the box keeps what it has not heard an answer to,
and sends it again.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
import uuid
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, tzinfo
from typing import Protocol

from websockets.exceptions import ConnectionClosed

from cpo_app.log_ration import RATIONED
from cpo_app.ocpp import metrics, schemas
from cpo_app.ocpp.box import CallRefused, NotAnswered
from cpo_app.ocpp.handlers import Handler, Incoming, NotHeld, Refused
from cpo_app.ocpp.rpc import Called, Failed, Ignored, Reply, Result, Rpc, Sent, Unusable
from cpo_app.ocpp.schemas import PayloadInvalid
from db_interface.database import STORE_ERRORS
from db_interface.json_data import JsonMapping, JsonObject
from domain.ocpp.message_log import Kind, MessageLog
from domain.ocpp.quirks import QUIET_BEFORE_BOOT, SLOW_CALLS, SLOW_START, has
from domain.ocpp.stations import Station, Status
from domain.rounds import pause
from domain.trace import bound

logger = logging.getLogger("cpo.ocpp")

MAX_WAITING = 32
"""Calls of a station that wait to be handled; nothing more is read from it meanwhile."""
SLOW_CALLS_S = 1.0
SLOW_START_S = 1.0
QUIET_BEFORE_BOOT_S = 20.0
MAX_ODD_FRAMES = 20
"""Frames in a row that are no messages: whoever is there speaks something else."""
_NOT_OURS: tuple[type[Exception], ...] = (Refused, NotHeld, ConnectionClosed, *STORE_ERRORS)
WHILE_HELD = frozenset({"BootNotification"})

GOING_AWAY, PROTOCOL_ERROR, POLICY, TRY_AGAIN = 1001, 1002, 1008, 1013


class Socket(Protocol):
    """What is used of a websocket."""

    async def send(self, message: bytes, *, text: bool | None = None) -> None: ...

    async def recv(self) -> str | bytes: ...

    async def close(self, code: int = 1000, reason: str = "") -> None: ...

    async def ping(self) -> Awaitable[float]: ...


class Connection:
    def __init__(
        self,
        socket: Socket,
        station: Station,
        protocol: str,
        *,
        handlers: Mapping[str, Handler],
        incoming: Callable[[Connection, str], Incoming],
        now: Callable[[], datetime],
        has_lease: Callable[[], bool],
        call_timeout_s: float,
        log: MessageLog | None = None,
        renewed: Callable[[Connection], Awaitable[None]] | None = None,
    ) -> None:
        """`now`: the database's clock. `has_lease`: whether this process may answer for what it
        holds. `renewed` reads the station's document anew."""
        self.id = uuid.uuid4().hex
        self.station = station
        self.protocol = protocol
        self.since = now()
        self.boots = 0
        """How often it has booted since it connected."""
        self.outdated = False
        """The station's document has changed in the store."""
        self.heard_at = time.monotonic()
        self.answers_pings = False
        self.wall_clock: tzinfo | None = None
        """Of its times without a zone; None: they are UTC."""
        self._asked_at = 0.0
        self._connected_at = time.monotonic()
        self._booted = asyncio.Event()
        self.message_at: datetime | None = None
        """When its last message came that was not noted in the store yet."""
        self.closing: str | None = None
        """Why we close it."""
        self._socket = socket
        self._handlers = handlers
        self._incoming = incoming
        self._now = now
        self._has_lease = has_lease
        self._log = log
        self._renewed = renewed
        self._call_timeout_s = call_timeout_s
        self._rpc = Rpc(protocol)
        self._turn = asyncio.Lock()
        self._answer: asyncio.Future[Result | Failed] | None = None
        self._asked = ""
        """The action of our CALL that waits for its answer."""
        self._waiting: deque[Called | Sent] = deque()
        self._room = asyncio.Event()
        self._working: asyncio.Task[None] | None = None
        self._odd_frames = 0

    @property
    def station_id(self) -> str:
        return self.station["_id"]

    @property
    def held(self) -> bool:
        """Nobody has added the station: it is told to wait."""
        return self.station["status"] != Status.APPROVED.value

    async def run(self) -> None:
        """Until it is closed, by whoever."""
        try:
            with bound(station=self.station_id):
                while True:
                    await self._take(await self._socket.recv())
        except ConnectionClosed:
            return
        finally:
            self._end()

    async def close(self, code: int, why: str) -> None:
        self.closing = self.closing or why
        await self._socket.close(code, why)

    async def ping(self) -> Awaitable[float]:
        """What is awaited is the answer. Raises ConnectionClosed."""
        return await self._socket.ping()

    async def note_pong(self, answered: Awaitable[float]) -> None:
        """Wait for the answer to a ping: it lives."""
        with contextlib.suppress(ConnectionClosed):
            await answered
            self.answers_pings = True
            self.heard_at = time.monotonic()

    async def call(
        self, action: str, payload: JsonMapping, *, timeout_s: float | None = None
    ) -> JsonObject:
        """Ask, after everything that was asked before; `timeout_s` from when it is sent.

        Raises CallRefused (also for what the schema does not allow: that is never sent) and
        NotAnswered.
        """
        known = action if action in schemas.actions_of(self.protocol) else "unknown"
        started = time.monotonic()
        result = "answered"
        try:
            return await self._call(action, dict(payload), timeout_s or self._call_timeout_s)
        except CallRefused:
            result = "refused"
            raise
        except NotAnswered as error:
            result = "not sent" if error.sent is False else "not answered"
            raise
        finally:
            metrics.ASKED.labels(known, result).inc()
            metrics.CALL_S.labels(known).observe(time.monotonic() - started)

    async def _call(self, action: str, payload: JsonObject, timeout_s: float) -> JsonObject:
        self._check_ours(action, payload)
        async with self._turn:
            if self.closing is not None:
                raise NotAnswered("the connection is closed", sent=False)
            await self._pause()
            message_id = str(uuid.uuid4())
            frame = self._rpc.start(message_id, action, payload)
            answer = asyncio.get_running_loop().create_future()
            self._answer, self._asked = answer, action
            self._note("CALL", payload, from_us=True, action=action, message_id=message_id)
            try:
                await self._send(frame)
                said = await asyncio.wait_for(answer, timeout_s)
            except ConnectionClosed:
                raise NotAnswered("the connection was lost", sent=None) from None
            except asyncio.TimeoutError:
                raise NotAnswered("no answer in time", sent=None) from None
            finally:
                self._rpc.give_up()
                self._answer = None
                self._asked_at = time.monotonic()
        if isinstance(said, Failed):
            raise CallRefused(said.code, said.description)
        return self._read_answer(action, said.payload)

    async def _pause(self) -> None:
        """Where it needs time between what it is asked, or has to have booted (quirks slow_calls,
        quiet_before_boot)."""
        if has(self.station, SLOW_CALLS):
            await asyncio.sleep(self._asked_at + SLOW_CALLS_S - time.monotonic())
        if has(self.station, QUIET_BEFORE_BOOT):
            quiet_until = self._connected_at + QUIET_BEFORE_BOOT_S
            await pause(self._booted, max(0.0, quiet_until - time.monotonic()))

    def _check_ours(self, action: str, payload: JsonObject) -> None:
        try:
            schemas.check(self.protocol, action, payload)
        except KeyError:
            raise CallRefused("NotImplemented", f"{self.protocol} has no {action}") from None
        except PayloadInvalid as error:
            raise CallRefused(error.code, f"not sent: {error}") from None

    def _read_answer(self, action: str, payload: JsonObject) -> JsonObject:
        """Raises CallRefused for an answer that is none."""
        try:
            return self._mended(action, payload, self._now(), answer=True)
        except PayloadInvalid as error:
            metrics.INVALID.labels(action, "answer").inc()
            raise CallRefused(error.code, f"its answer is no good: {error}") from None

    def _mended(
        self, action: str, payload: JsonObject, at: datetime, *, answer: bool = False
    ) -> JsonObject:
        """Raises PayloadInvalid."""
        mended, mends = schemas.mend(
            self.protocol, action, payload, at, answer=answer, wall_clock=self.wall_clock
        )
        for mend in mends:
            metrics.MENDED.labels(mend).inc()
        return mended

    async def _send(self, frame: bytes) -> None:
        await self._socket.send(frame, text=True)

    async def _take(self, frame: str | bytes) -> None:
        self.heard_at = time.monotonic()
        self.message_at = self._now()
        event = self._rpc.receive(frame)
        if isinstance(event, Called | Sent):
            self._odd_frames = 0
            kind: Kind = "CALL" if isinstance(event, Called) else "SEND"
            self._note(kind, event.payload, action=event.action, message_id=event.message_id)
            await self._put(event)
        elif isinstance(event, Result | Failed):
            self._odd_frames = 0
            self._note_answer(event)
            if self._answer is not None and not self._answer.done():
                self._answer.set_result(event)
        else:
            self._note("unreadable", frame)
            await self._odd(event)

    def _note(
        self,
        kind: Kind,
        content: object,
        *,
        from_us: bool = False,
        action: str = "",
        message_id: str = "",
    ) -> None:
        if self._log is not None:
            self._log.note(
                self.station_id,
                kind,
                content,
                from_us=from_us,
                action=action,
                message_id=message_id,
            )

    def _note_answer(self, event: Result | Failed) -> None:
        if isinstance(event, Result):
            kind: Kind = "CALLRESULT"
            content: object = event.payload
        else:
            kind = "CALLERROR"
            content = {"code": event.code, "description": event.description, **event.details}
        self._note(kind, content, action=self._asked, message_id=event.message_id)

    async def _odd(self, event: Reply | Ignored | Unusable) -> None:
        why = f"our answer: {event.code}" if isinstance(event, Unusable) else event.why
        metrics.FRAMES.labels("our answer" if isinstance(event, Unusable) else why).inc()
        logger.info("%s: %s", self.station_id, why, extra=RATIONED)
        if isinstance(event, Reply):
            await self._send(event.frame)
        self._odd_frames += 1
        if self._odd_frames > MAX_ODD_FRAMES:
            await self.close(PROTOCOL_ERROR, "no OCPP messages")

    async def _put(self, event: Called | Sent) -> None:
        while len(self._waiting) >= MAX_WAITING:
            self._room.clear()
            await self._room.wait()
        self._waiting.append(event)
        if self._working is None:
            self._working = asyncio.create_task(self._work())

    async def _work(self) -> None:
        """Handle what waits, and end: an idle connection has no task for it."""
        try:
            while self._waiting and self.closing is None:
                event = self._waiting.popleft()
                self._room.set()
                await self._handle(event)
        except ConnectionClosed:
            pass
        finally:
            self._working = None
            if self.closing is not None:
                self._waiting.clear()
                self._room.set()

    async def _handle(self, event: Called | Sent) -> None:
        started = time.monotonic()
        known = event.action in schemas.actions_of(self.protocol)
        action = event.action if known else "unknown"
        result = "answered"
        try:
            with bound(message_id=event.message_id):
                self._demand_lease()
                answer = await self._answer_to(event)
                self._demand_lease()
            if event.action == "StartTransaction" and has(self.station, SLOW_START):
                await asyncio.sleep(started + SLOW_START_S - time.monotonic())
            if isinstance(event, Called):
                self._note_ours("CALLRESULT", event, answer)
                await self._send(self._rpc.result(event.message_id, answer))
            if event.action == "BootNotification":
                self._booted.set()
        except Refused as refusal:
            result = refusal.code
            if isinstance(event, Called):
                said = {"code": refusal.code, "description": refusal.description}
                self._note_ours("CALLERROR", event, said)
                frame = self._rpc.error(event.message_id, refusal.code, refusal.description)
                await self._send(frame)
        except NotHeld:
            result = "not held"
            await self.close(GOING_AWAY, "connected elsewhere")
        except STORE_ERRORS as error:
            result = "no store"
            logger.warning("%s: %s is not answered: %s", self.station_id, action, error)
            await self.close(TRY_AGAIN, "try again later")
        finally:
            metrics.RECEIVED.labels(action, result).inc()
            metrics.ANSWER_S.labels(action).observe(time.monotonic() - started)

    def _demand_lease(self) -> None:
        """Raises NotHeld where this process may answer for nothing any more."""
        if not self._has_lease():
            raise NotHeld(self.station_id)

    def _note_ours(self, kind: Kind, event: Called, content: object) -> None:
        self._note(kind, content, from_us=True, action=event.action, message_id=event.message_id)

    async def _answer_to(self, event: Called | Sent) -> JsonObject:
        """Raises Refused, NotHeld, STORE_ERRORS."""
        handler = self._handlers.get(event.action)
        if handler is None:
            there = event.action in schemas.actions_of(self.protocol)
            code = "NotSupported" if there else "NotImplemented"
            raise Refused(code, f"{event.action[:50]} is not taken here")
        if self.held and event.action not in WHILE_HELD:
            raise Refused("SecurityError", "this station has to be added by the operator first")
        incoming = self._incoming(self, event.message_id)
        try:
            payload = self._mended(event.action, event.payload, incoming.received_at)
        except PayloadInvalid as error:
            metrics.INVALID.labels(event.action, "call").inc()
            logger.warning("%s: %s refused: %s", self.station_id, event.action, error)
            raise Refused(error.code, str(error)) from None
        try:
            answer = await handler(incoming, payload)
            if isinstance(event, Called):
                schemas.check(self.protocol, event.action, answer, answer=True)
        except _NOT_OURS:
            raise
        except Exception:
            # One station's message ends nobody's connection.
            logger.exception("%s: %s could not be handled", self.station_id, event.action)
            raise Refused("InternalError", "it could not be handled") from None
        if self.outdated and self._renewed is not None:
            self.outdated = False
            await self._renewed(self)
        return answer

    def _end(self) -> None:
        self.closing = self.closing or "the charge point has gone"
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(NotAnswered("the connection was lost", sent=None))
        self._waiting.clear()
        self._room.set()
