"""A peer on loopback that does to the wire whatever a test wants, byte by byte."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from types import TracebackType

Handler = Callable[["Received", asyncio.StreamWriter], Awaitable[None]]

OK = b'{"data":[],"status_code":1000,"timestamp":"2024-01-01T00:00:00Z"}'


@dataclass
class Received:
    """One request as it came; header names in lower case."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    connection: int


def http(status: int = 200, body: bytes = OK, **headers: str) -> bytes:
    """A whole HTTP/1.1 answer; `content_type="x"` becomes `content-type: x`."""
    lines = {"content-length": str(len(body)), "content-type": "application/json"}
    lines |= {name.replace("_", "-"): value for name, value in headers.items()}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"HTTP/1.1 {status} X\r\n{head}\r\n".encode() + body


@dataclass
class RawPeer:
    """`async with RawPeer(answer=...)`: bytes to answer with, or a handler that writes them.

    A handler that returns leaves the connection open for the next request; it may close it.
    """

    answer: bytes | Handler = field(default_factory=http)
    tls: ssl.SSLContext | None = None
    requests: list[Received] = field(default_factory=list)
    connections: int = 0
    open_connections: int = 0
    port: int = 0

    async def __aenter__(self) -> RawPeer:
        self._tasks: set[asyncio.Task[None]] = set()
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, ssl=self.tls)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def url(self, path: str = "/x", host: str = "127.0.0.1") -> str:
        scheme = "https" if self.tls else "http"
        return f"{scheme}://{host}:{self.port}{path}"

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.open_connections += 1
        task = asyncio.ensure_future(self._serve(reader, writer, self.connections))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, connection: int
    ) -> None:
        try:
            while True:
                received = await _read(reader, connection)
                self.requests.append(received)
                if isinstance(self.answer, bytes):
                    writer.write(self.answer)
                else:
                    await self.answer(received, writer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self.open_connections -= 1
            writer.close()


async def _read(reader: asyncio.StreamReader, connection: int) -> Received:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    method, target, _ = head[0].split(" ", 2)
    headers = {}
    for line in filter(None, head[1:]):
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Received(method, target, headers, body, connection)


async def eventually(condition: Callable[[], object], timeout_s: float = 10.0) -> None:
    """Lets the event loop run until the condition holds; fails if it never does."""
    ends = asyncio.get_running_loop().time() + timeout_s
    while not condition():
        assert asyncio.get_running_loop().time() < ends, "it never came to hold"
        await asyncio.sleep(0.002)
