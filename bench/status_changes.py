"""Changes of EVSEs' status, from when each was due to its receipt at the eMSP."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Callable, Sequence

from bench.emsp import Emsp

LOST_S = 30.0


async def status_changes(
    emsp: Emsp,
    changing: Sequence[tuple[str, Callable[[], object]]],
    *,
    seconds: float,
    per_s: float,
) -> list[float]:
    """Milliseconds from when each change was due to its receipt. `changing`: charge points, each
    with what makes its status change; it changes again only when the eMSP knows of the last change.
    One that is not there by then counts as half a minute.
    """
    waiting: dict[str, float] = {}
    taken: list[float] = []
    turns = itertools.cycle(changing)
    begin = time.monotonic()
    for number in range(int(seconds * per_s)):
        due = begin + number / per_s
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        _receive(emsp, waiting, taken)
        name, change = next(turns)
        while name in waiting and time.monotonic() < due + LOST_S:
            await asyncio.sleep(0.01)
            _receive(emsp, waiting, taken)
        if waiting.pop(name, None) is not None:
            taken.append(LOST_S * 1000)
        waiting[name] = due
        change()
    deadline = time.monotonic() + LOST_S
    while waiting and time.monotonic() < deadline:
        await asyncio.sleep(0.05)
        _receive(emsp, waiting, taken)
    return [*taken, *(LOST_S * 1000 for _ in waiting)]


def _receive(emsp: Emsp, waiting: dict[str, float], taken: list[float]) -> None:
    for path, _, at in emsp.came():
        part = path.split("/")
        due = waiting.get(part[-1]) if part[1] == "locations" else None
        if due is not None and at > due:
            taken.append((at - due) * 1000)
            del waiting[part[-1]]
