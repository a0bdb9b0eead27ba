"""An eMSP's receiver interface on loopback that keeps what it is sent, and fails as it is told.

It obeys the text: PUT replaces, PATCH changes what it knows (2003 if it does not), DELETE
deletes, a CDR is POSTed once and answered with its Location. `fault` is asked for every request
and names what to do instead; what is "after" is done once the object has been kept. "slow" keeps
it after `slow_s`, also when the sender has gone meanwhile, and answers then.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from tests.conftest import Loop


@dataclass
class Got:
    """One request that was received whole."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def segments(self) -> list[str]:
        return [unquote(part) for part in self.path.strip("/").split("/")]

    @property
    def module(self) -> str:
        return self.segments[0]

    def json(self) -> Any:
        return json.loads(self.body)


Fault = Callable[[Got], "str | None"]


@dataclass
class Receiver:
    """`objects`: (module, country, party, id) -> object; `cdrs`: id -> bodies as they came."""

    fault: Fault = lambda _: None
    slow_s: float = 0.0
    location_of_cdrs: str | None = "/cdrs/{id}"
    ignores_older: bool = False
    """keeps of an object, and of each of its EVSEs, what claims to be the newest"""
    objects: dict[tuple[str, ...], Any] = field(default_factory=dict)
    cdrs: dict[str, list[bytes]] = field(default_factory=dict)
    got: list[Got] = field(default_factory=list)
    port: int = 0

    def __post_init__(self) -> None:
        self._changed = threading.Condition()
        self._open: set[asyncio.StreamWriter] = set()
        self._handlers: set[asyncio.Task[None]] = set()
        self._slow: set[asyncio.Task[bytes]] = set()

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def endpoints(self, *modules: str, slash: str = "") -> list[dict[str, str]]:
        return [
            {"identifier": module, "role": "RECEIVER", "url": f"{self.base_url}/{module}{slash}"}
            for module in modules or ("locations", "tariffs", "sessions", "cdrs")
        ]

    def wait_until(self, condition: Callable[[], object], timeout_s: float = 20) -> None:
        """Block the test until the condition holds; looked at after every request."""
        with self._changed:
            if not self._changed.wait_for(lambda: bool(condition()), timeout_s):
                raise AssertionError(f"it never came to hold; got {self.summary()}")

    def summary(self) -> list[str]:
        return [f"{got.method} {got.path}" for got in self.got[-30:]]

    def held(self, module: str) -> dict[str, Any]:
        """What it holds of a module by object id."""
        if module == "cdrs":
            return {id_: json.loads(bodies[-1]) for id_, bodies in self.cdrs.items()}
        return {key[-1]: value for key, value in self.objects.items() if key[0] == module}

    def of(self, method: str, module: str | None = None) -> list[Got]:
        return [g for g in self.got if g.method == method and module in (None, g.module)]

    async def start(self, port: int = 0) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Gone: connections break off, new ones are refused."""
        self._server.close()
        running = [*self._handlers, *self._slow]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._handlers.add(task)
        try:
            while True:
                got = await _read(reader)
                if not await self._answer(got, writer):
                    return
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            self._handlers.discard(task)
            writer.close()

    async def _answer(self, got: Got, writer: asyncio.StreamWriter) -> bool:
        """Whether the connection lives on."""
        fault = self.fault(got)
        answer = self._keep(got) if fault is None or fault.startswith("after ") else b""
        with self._changed:
            self.got.append(got)
            self._changed.notify_all()
        match (fault or "").removeprefix("after "):
            case "":
                writer.write(answer)
            case "slow":
                writer.write(await asyncio.shield(self._keep_slowly(got)))
            case "hang":
                await asyncio.Event().wait()
            case "reset":
                writer.transport.abort()
                return False
            case "half":
                whole = _http(200, 1000, padding="x" * 200)
                writer.write(whole[: len(whole) - 100])
                await writer.drain()
                return False
            case "429":
                writer.write(_http(429, 2000, retry_after="1"))
            case code if code.startswith("ocpi "):
                writer.write(_http(200, int(code[5:])))
            case code:
                writer.write(_http(int(code), None))
        await writer.drain()
        return True

    def _keep_slowly(self, got: Got) -> asyncio.Task[bytes]:
        async def keep() -> bytes:
            await asyncio.sleep(self.slow_s)
            answer = self._keep(got)
            with self._changed:
                self._changed.notify_all()
            return answer

        task = asyncio.create_task(keep())
        self._slow.add(task)
        task.add_done_callback(self._slow.discard)
        return task

    def _keep(self, got: Got) -> bytes:
        module, *rest = got.segments
        with self._changed:
            if module == "cdrs":
                return self._cdr(got, rest)
            key = (module, *rest[:3])
            if got.method == "PUT" and len(rest) == 3:
                new = key not in self.objects
                self.objects[key] = self._newest(self.objects.get(key), got.json())
                return _http(201 if new else 200, 1000)
            if key not in self.objects:
                return _http(404, 2003)
            if got.method == "GET":
                return _http(200, 1000, data=self.objects[key])
            if got.method == "DELETE":
                del self.objects[key]
                return _http(200, 1000)
            return self._part(got, self.objects[key], rest[3:])

    def _newest(self, known: Any, came: Any) -> Any:
        if not self.ignores_older or known is None:
            return came
        evses = {evse["uid"]: evse for evse in known.get("evses", ())}
        newer = came if came["last_updated"] > known["last_updated"] else known
        parts = [
            evse
            if evse["uid"] not in evses or evse["last_updated"] > evses[evse["uid"]]["last_updated"]
            else evses[evse["uid"]]
            for evse in came.get("evses", ())
        ]
        return {**newer, "evses": parts} if parts else newer

    def _part(self, got: Got, known: dict[str, Any], below: list[str]) -> bytes:
        body = got.json()
        if not below:
            known.update(body)
            return _http(200, 1000)
        for index, evse in enumerate(known.get("evses", [])):
            if evse["uid"] == below[0]:
                known["evses"][index] = {**evse, **body} if got.method == "PATCH" else body
                known["last_updated"] = max(known["last_updated"], body["last_updated"])
                return _http(200, 1000)
        return _http(404, 2003)

    def _cdr(self, got: Got, rest: list[str]) -> bytes:
        if got.method == "GET":
            bodies = self.cdrs.get(rest[-1]) if rest and self.location_of_cdrs else None
            if bodies is None:
                return _http(404, 2000)
            return _http(200, 1000, data=json.loads(bodies[-1]))
        cdr_id = got.json()["id"]
        self.cdrs.setdefault(cdr_id, []).append(got.body)
        location = (self.location_of_cdrs or "").format(id=cdr_id)
        return _http(201, 1000, location=location)


def _http(
    status: int,
    code: int | None,
    *,
    data: Any = None,
    padding: str = "",
    location: str = "",
    retry_after: str = "",
) -> bytes:
    body = b"oops"
    if code is not None:
        envelope = {"status_code": code, "timestamp": "2024-05-01T10:00:00Z", "data": data}
        if code >= 2000:
            envelope["status_message"] = "no such luck"
        body = json.dumps({**envelope, "padding": padding}).encode()
    lines = [f"HTTP/1.1 {status} X", f"content-length: {len(body)}"]
    if location:
        lines.append(f"location: {location}")
    if retry_after:
        lines.append(f"retry-after: {retry_after}")
    return "\r\n".join([*lines, "", ""]).encode() + body


async def _read(reader: asyncio.StreamReader) -> Got:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    method, path, _ = head[0].split(" ", 2)
    headers = {
        name.strip().lower(): value.strip()
        for name, _, value in (line.partition(":") for line in head[1:] if line)
    }
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Got(method, path, headers, body)


@contextmanager
def receiving(loop: Loop, **settings: Any) -> Iterator[Receiver]:
    """A receiver on the tests' loop while the block runs."""
    receiver = Receiver(**settings)
    loop.run(receiver.start())
    try:
        yield receiver
    finally:
        loop.run(receiver.stop())
