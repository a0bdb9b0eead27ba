"""Child processes of one supervisor: each is a `cpo` command, started again when it ends.

None outlives the supervisor, not even when that is killed.
"""

from __future__ import annotations

import asyncio
import logging
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from db_interface.backoff import Backoff
from db_interface.child_process import die_with_parent

logger = logging.getLogger("cpo.up")

STOP_TIMEOUT_S = 3.0
_RESTARTS = Backoff(first_s=0.5, max_s=30.0)

Given = Callable[[], Awaitable[dict[str, str]]]


@dataclass(frozen=True)
class Part:
    """A child process: what it is called, the `cpo` arguments that run it, and what more its
    environment is given at each start."""

    name: str
    arguments: tuple[str, ...]
    given: Given | None = None


class Running(Protocol):
    """As much of a child process as its keeper needs."""

    @property
    def returncode(self) -> int | None: ...
    async def wait(self) -> int: ...
    def terminate(self) -> None: ...
    def kill(self) -> None: ...


async def started(arguments: Sequence[str], environment: Mapping[str, str]) -> Running:
    """`cpo ARGUMENTS` as a child process."""
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "cpo_app.cli",
        *arguments,
        env=environment,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=sys.stderr,
        # Ctrl-C reaches the supervisor alone: it stops the parts in order.
        start_new_session=True,
        preexec_fn=die_with_parent,
    )


async def keep_running(part: Part, environment: dict[str, str]) -> None:
    """Run the part, again whenever it ends, with growing pauses; stop it when cancelled."""
    delays = _RESTARTS.delays()
    while True:
        began = time.monotonic()
        given = await part.given() if part.given else {}
        process = await started(part.arguments, {**environment, **given})
        try:
            code = await process.wait()
        except asyncio.CancelledError:
            await _stop(process)
            raise
        if time.monotonic() - began > 60:
            delays = _RESTARTS.delays()
        delay_s = next(delays)
        logger.error("%s ended (exit code %s); again in %.1f s", part.name, code, delay_s)
        await asyncio.sleep(delay_s)


async def _stop(process: Running) -> None:
    if process.returncode is not None:
        return
    process.terminate()
    try:
        await asyncio.wait_for(process.wait(), STOP_TIMEOUT_S)
    except asyncio.TimeoutError:
        process.kill()
        await process.wait()
