"""Running until SIGINT or SIGTERM: what was started is cancelled and cleans up after itself."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Coroutine


async def until_signalled(work: Coroutine[object, object, None]) -> None:
    """Run `work` until it ends or SIGINT or SIGTERM arrives; cancelled then."""
    task = asyncio.ensure_future(work)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, task.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await task
