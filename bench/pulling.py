"""Many peers that pull, each on a connection of its own and by its own clock: `python -m
bench.pulling`, one JSON job on standard input, one JSON result on standard output.

A job: port, heads (of each peer: the headers of its requests), path, every_s, seconds, follows. A
peer `follows` the Links that it is given, from the last one back to the path, or else asks for the
path again and again. What it waits is counted from when it was due to ask: a page that waits for
the one before is not left out.

Its result: {"answers", "failures" (answers that were not 200), "latencies_ms" (sorted)}.
"""

from __future__ import annotations

import asyncio
import json
import random
import re
import sys
import time

from db_interface.json_data import JsonObject

_LENGTH = re.compile(rb"content-length: *([0-9]+)", re.I)
_NEXT = re.compile(rb"^link: *<https?://[^/]+([^>]+)>; *rel=\"next\"", re.I | re.M)


class _Peer:
    def __init__(self, job: JsonObject, head: str) -> None:
        self._port, self._first = int(job["port"]), str(job["path"])
        self._head, self._follows = head, bool(job["follows"])
        self.latencies: list[float] = []
        self.failures = 0

    async def pull(self, every_s: float, until: float) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port, limit=1 << 20)
        path, due = self._first, time.perf_counter() + random.uniform(0, every_s)
        while due < until:
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{self._head}\r\n".encode())
            head = await reader.readuntil(b"\r\n\r\n")
            length = _LENGTH.search(head)
            await reader.readexactly(int(length[1]) if length else 0)
            self.latencies.append(time.perf_counter() - due)
            if not head.startswith(b"HTTP/1.1 200"):
                self.failures += 1
            following = _NEXT.search(head) if self._follows else None
            path = following[1].decode() if following else self._first
            due += every_s
        writer.close()


async def carry_out(job: JsonObject) -> JsonObject:
    peers = [_Peer(job, head) for head in job["heads"]]
    until = time.perf_counter() + job["seconds"]
    await asyncio.gather(*(peer.pull(job["every_s"], until) for peer in peers))
    latencies = sorted(value for peer in peers for value in peer.latencies)
    return {
        "answers": len(latencies),
        "failures": sum(peer.failures for peer in peers),
        "latencies_ms": [round(value * 1000, 3) for value in latencies],
    }


def main() -> None:
    for line in sys.stdin:
        print(json.dumps(asyncio.run(carry_out(json.loads(line)))), flush=True)


if __name__ == "__main__":
    main()
