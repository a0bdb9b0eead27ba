"""An eMSP that costs next to nothing: `python -m bench.receiver`, a process of its own.

It answers every request with an OCPI success and notes when it came. A line on standard input
is answered with one JSON line of what came since the last one: [[path, the change, time], ...],
the time by CLOCK_MONOTONIC, which all processes of a host share. The first line it writes is its
port. "hang" on standard input: from now on it answers nothing.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import time
from typing import Any

_BODY = b'{"status_code":1000,"timestamp":"2024-05-01T10:00:00Z"}'
_ANSWER = (
    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: "
    + str(len(_BODY)).encode()
    + b"\r\n\r\n"
    + _BODY
)
_NAME = re.compile(rb'"name":"(change [0-9]+)"')
_came: list[tuple[str, str, float]] = []
_hanging = False


class Receiving(asyncio.Protocol):
    def __init__(self) -> None:
        self._read = bytearray()
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._read += data
        while not _hanging:
            end = self._read.find(b"\r\n\r\n")
            if end < 0:
                return
            head = bytes(self._read[:end]).lower()
            at = head.find(b"content-length:")
            length = int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
            if len(self._read) < end + 4 + length:
                return
            found = _NAME.search(self._read, end + 4, end + 4 + length)
            name = found[1].decode() if found else ""
            path = bytes(self._read[: self._read.find(b" HTTP/")]).split(b" ", 1)[1].decode()
            del self._read[: end + 4 + length]
            _came.append((path, name, time.monotonic()))
            self._transport.write(_ANSWER)


async def main() -> None:
    global _hanging
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Receiving, "127.0.0.1", 0)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    while line := await asyncio.to_thread(sys.stdin.readline):
        _hanging = _hanging or line.strip() == "hang"
        came = _came[:]
        del _came[: len(came)]
        sys.stdout.write(json.dumps(came) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main())
