"""The load generator, a process of its own: `python -m bench.load`, one JSON job per line on
standard input, one JSON result per line on standard output.

It must cost less than any server it measures: bodies are counted in a fixed buffer, never kept,
never parsed. A job:

    port, requests (raw HTTP/1.1 requests), connections
    seconds      cycle through the requests for that long, or
    (absent)     send each request once, in order

and its result: {"answers", "seconds", "bytes", "failures", "latencies_ms" (sorted)}. An answer
other than 200 is a failure. Answers must carry a Content-Length.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import sys
import time
from collections.abc import Iterator
from typing import Any

from db_interface.json_data import JsonObject

_BUFFER = 1 << 20
_MAX_HEAD_LENGTH = 16_384


class Connection(asyncio.BufferedProtocol):
    """One keep-alive connection: a request after each answer until the requests end."""

    def __init__(self, requests: Iterator[bytes], deadline: float) -> None:
        self._requests = requests
        self._deadline = deadline
        self._buffer = memoryview(bytearray(_BUFFER))
        self._head = bytearray()
        self._left = -1
        """Bytes of the body still to come; -1 while the head is being read."""
        self._sent = 0.0
        self._transport: Any = None
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.bytes = 0
        self.failures = 0
        self.latencies: list[float] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._next()

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        self.bytes += nbytes
        if self._left < 0:
            self._head += self._buffer[:nbytes]
            end = self._head.find(b"\r\n\r\n")
            if end < 0:
                if len(self._head) > _MAX_HEAD_LENGTH:
                    raise ValueError("no end of the head of an answer")
                return
            self._left = _content_length(self._head, end) - (len(self._head) - end - 4)
            if not self._head.startswith(b"HTTP/1.1 200"):
                self.failures += 1
            self._head.clear()
        else:
            self._left -= nbytes
        if self._left == 0:
            self._left = -1
            self.latencies.append(time.perf_counter() - self._sent)
            self._next()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(error or ConnectionError("closed by the server"))

    def _next(self) -> None:
        self._sent = time.perf_counter()
        request = next(self._requests, None) if self._sent < self._deadline else None
        if request is None:
            self.done.set_result(None)
            self._transport.close()
        else:
            self._transport.write(request)


def _content_length(head: bytearray, end: int) -> int:
    lower = bytes(head[: end + 2]).lower()
    start = lower.index(b"\r\ncontent-length:") + 17
    return int(lower[start : lower.index(b"\r\n", start)])


async def carry_out(job: JsonObject) -> JsonObject:
    requests = [text.encode() for text in job["requests"]]
    timed = "seconds" in job
    stream = iter(itertools.cycle(requests) if timed else requests)
    began = time.perf_counter()
    deadline = began + job["seconds"] if timed else float("inf")
    loop = asyncio.get_running_loop()
    pairs = await asyncio.gather(
        *(
            loop.create_connection(
                lambda: Connection(stream, deadline), "127.0.0.1", int(job["port"])
            )
            for _ in range(job["connections"])
        )
    )
    connections = [pair[1] for pair in pairs]
    await asyncio.gather(*(connection.done for connection in connections))
    latencies = sorted(value for each in connections for value in each.latencies)
    return {
        "answers": len(latencies),
        "seconds": time.perf_counter() - began,
        "bytes": sum(each.bytes for each in connections),
        "failures": sum(each.failures for each in connections),
        "latencies_ms": [round(value * 1000, 4) for value in latencies],
    }


def main() -> None:
    with contextlib.suppress(ImportError):  # not made for every platform
        import uvloop

        uvloop.install()
    for line in sys.stdin:
        print(json.dumps(asyncio.run(carry_out(json.loads(line)))), flush=True)


if __name__ == "__main__":
    main()
