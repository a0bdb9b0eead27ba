"""Charge points that cost little themselves: thousands in one process, on plain asyncio.

Each has one connection to Central, opened anew when the server has closed it (as the real monitor
does), and sends its telemetry in order, the next batch after the answer to the last. Their engines
listen on one port: who is meant is told by the command key.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Coroutine
from datetime import datetime, timezone
from typing import Any

from db_interface.json_data import JsonObject

ANSWER_WITHIN_S = 10.0
"""As the real monitor and engine wait."""
POWER_W = 11_000


class Wire(asyncio.Protocol):
    """A keep-alive connection to a server on this host; one request at a time."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._transport: Any = None
        self._read = bytearray()
        self._answer: asyncio.Future[tuple[int, bytes]] | None = None

    async def post(self, path: str, body: JsonObject, *headers: str) -> tuple[int, JsonObject]:
        """Status and JSON of the answer; (0, {}) where none came in time."""
        data = json.dumps(body).encode()
        lines = [f"POST {path} HTTP/1.1", f"Host: 127.0.0.1:{self._port}", *headers]
        lines += ["Content-Type: application/json", f"Content-Length: {len(data)}", "", ""]
        request = "\r\n".join(lines).encode() + data
        for _ in range(2):  # a kept connection may just be closing
            try:
                status, answer = await asyncio.wait_for(self._exchange(request), ANSWER_WITHIN_S)
            except ConnectionResetError:
                continue
            except (OSError, asyncio.TimeoutError):
                self.close()
                return 0, {}
            return status, json.loads(answer)
        return 0, {}

    async def _exchange(self, request: bytes) -> tuple[int, bytes]:
        loop = asyncio.get_running_loop()
        if self._transport is None or self._transport.is_closing():
            self._read.clear()
            await loop.create_connection(lambda: self, "127.0.0.1", self._port)
        self._answer = loop.create_future()
        self._transport.write(request)
        return await self._answer

    def close(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._read += data
        end = self._read.find(b"\r\n\r\n")
        if end < 0:
            return
        whole = end + 4 + content_length(self._read, end)
        if len(self._read) < whole:
            return
        answer = int(self._read[9:12]), bytes(self._read[end + 4 : whole])
        del self._read[:whole]
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(answer)

    def connection_lost(self, error: Exception | None) -> None:
        self._transport = None
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(ConnectionResetError())


def content_length(head: bytearray, end: int) -> int:
    lower = bytes(head[: end + 2]).lower()
    at = lower.find(b"\r\ncontent-length:")
    return 0 if at < 0 else int(lower[at + 17 : lower.index(b"\r\n", at + 2)])


class ChargePoint:
    """Monitor and engine of one charge point. `ended` is called with the id of a session whose
    end Central has acknowledged."""

    def __init__(self, cp_id: str, token: str, port: int, *, interval_s: float) -> None:
        self.cp_id = cp_id
        self.key = ""
        self.began = asyncio.Event()
        self.session_id: str | None = None
        self.unheard = 0
        """Requests without an answer in time."""
        self.shed = 0
        self.heard_at = 0.0
        """When a heartbeat was answered last, by the monotonic clock."""
        self.latencies: list[float] = []
        self.energy_wh = 0.0
        self._headers = (f"Authorization: Bearer {token}",)
        self._interval_s = interval_s
        self._beats, self._telemetry = Wire(port), Wire(port)
        self._seq = 0
        self._in_turn = asyncio.Lock()
        self._plugged = False

    async def register(self, engine_port: int) -> None:
        """Raises RuntimeError where Central does not take it."""
        body = {"cp_id": self.cp_id, "cp_e_host": "127.0.0.1", "cp_e_port": engine_port}
        status, answer = await self._beats.post("/cp/register", body, *self._headers)
        if status != 200:
            raise RuntimeError(f"{self.cp_id}: Central answers {status} {answer}")
        self.key = answer["command_key"]

    async def beat(self) -> None:
        body: JsonObject = {"cp_id": self.cp_id, "interval_s": self._interval_s}
        body["engine"] = {"state": "AVAILABLE", "faults": []}
        began = time.perf_counter()
        status, _ = await self._beats.post("/cp/heartbeat", body, *self._headers)
        self._note(status, began)
        if status == 200:
            self.heard_at = time.monotonic()

    async def live(self, phase: float) -> None:
        """Heartbeats, until cancelled; the first after that part of the interval."""
        due = time.monotonic() + phase * self._interval_s
        while True:
            await asyncio.sleep(due - time.monotonic())
            await self.beat()
            due = max(due + self._interval_s, time.monotonic())

    async def toggle(self) -> None:
        """A car comes, or goes: the EVSE's status changes."""
        self._plugged = not self._plugged
        await self._report(self._state("AVAILABLE"))

    async def begin(self, session_id: str) -> None:
        self.session_id, self.energy_wh, self._plugged = session_id, 0.0, True
        started = {"session_id": session_id, "register_wh": 0, "source": "remote"}
        await self._report(
            self._state("CHARGING", session_id=session_id),
            {"kind": "session_started", "connector_id": "1", **started},
        )
        self.began.set()

    async def charge(self, every_s: float, phase: float) -> None:
        """Readings, until cancelled."""
        due = time.monotonic() + phase * every_s
        while True:
            await asyncio.sleep(due - time.monotonic())
            await self.meter(POWER_W * every_s / 3600)
            due = max(due + every_s, time.monotonic())

    async def meter(self, more_wh: float) -> None:
        self.energy_wh += more_wh
        reading = {"energy_wh": self.energy_wh, "register_wh": self.energy_wh, "power_w": POWER_W}
        electric = {"current_a": 16, "voltage_v": 230, "phases": 3}
        session = {"connector_id": "1", "session_id": self.session_id}
        await self._report({"kind": "meter", **session, **reading, **electric})

    async def end(self) -> None:
        session_id, self.session_id, self._plugged = self.session_id, None, False
        ended = {"energy_wh": self.energy_wh, "register_wh": self.energy_wh, "reason": "LOCAL"}
        stopped = {"kind": "session_stopped", "connector_id": "1", "session_id": session_id}
        await self._report({**stopped, **ended}, self._state("AVAILABLE"))
        self.began.clear()

    def close(self) -> None:
        self._beats.close()
        self._telemetry.close()

    def _state(self, state: str, **more: object) -> JsonObject:
        ev_state = "plugged" if self._plugged else "unplugged"
        return {"kind": "state", "connector_id": "1", "state": state, "ev_state": ev_state, **more}

    async def _report(self, *messages: JsonObject) -> None:
        """Sent until Central has it, as an engine does."""
        at = datetime.now(timezone.utc).isoformat()
        async with self._in_turn:
            numbered = []
            for message in messages:
                self._seq += 1
                numbered.append({"seq": self._seq, "at": at, **message})
            body: JsonObject = {"cp_id": self.cp_id, "boot_id": "bench", "messages": numbered}
            status = 0
            while status != 200:
                began = time.perf_counter()
                body["sent_at"] = datetime.now(timezone.utc).isoformat()
                status, answer = await self._telemetry.post("/cp/telemetry", body, *self._headers)
                self._note(status, began)
                if status in (400, 401, 403, 413):
                    raise RuntimeError(f"{self.cp_id}: Central answers {status} {answer}")
                if status != 200:
                    await asyncio.sleep(1)

    def _note(self, status: int, began: float) -> None:
        self.latencies.append(time.perf_counter() - began)
        self.unheard += status == 0
        self.shed += status == 503


class Engine(asyncio.Protocol):
    """What Central commands: every command is accepted; `start` begins the session."""

    def __init__(
        self, by_key: dict[str, ChargePoint], spawn: Callable[[Coroutine[Any, Any, None]], object]
    ) -> None:
        self._by_key = by_key
        self._spawn = spawn
        self._read = bytearray()
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._read += data
        while (end := self._read.find(b"\r\n\r\n")) >= 0:
            whole = end + 4 + content_length(self._read, end)
            if len(self._read) < whole:
                return
            head, body = bytes(self._read[:end]), json.loads(self._read[end + 4 : whole])
            del self._read[:whole]
            at = head.lower().index(b"authorization: bearer ") + 22
            key = head[at:].split(b"\r\n", 1)[0].decode()
            answer = json.dumps({"command_id": body["command_id"], "result": "ACCEPTED"}).encode()
            self._transport.write(
                b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: "
                + str(len(answer)).encode()
                + b"\r\n\r\n"
                + answer
            )
            if body["kind"] == "start":
                self._spawn(self._by_key[key].begin(body["session_id"]))
