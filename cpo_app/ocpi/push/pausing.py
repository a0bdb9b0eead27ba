"""Waiting for an event, but not for ever.

Not asyncio.wait_for: before Python 3.12 it can swallow a cancellation that comes in the moment
in which the event is set, and a task that was told to stop would go on.
"""

from __future__ import annotations

import asyncio


async def pause(event: asyncio.Event, longest_s: float) -> bool:
    """Return when the event is set, after `longest_s` at the latest; whether it was in time."""
    late = False

    def end() -> None:
        nonlocal late
        late = True
        event.set()

    timer = asyncio.get_running_loop().call_later(longest_s, end)
    try:
        await event.wait()
    finally:
        timer.cancel()
    return not late
