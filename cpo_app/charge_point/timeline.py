"""The engine's own time line: what its messages to Central are dated by.

Nobody sets it: it is the wall clock of one moment, carried on by the monotonic clock. So two
messages lie as far apart as their events did, whatever happens to the wall clock in between, and
however long they wait on disk. Where the line lies against the true time is for Central to find
out: each batch says when it was sent, on the same line.

Across a restart the line goes on as long as messages wait or a session runs. On a host that ran
through, its monotonic clock tells exactly how long the engine was down. After a power cut only
the wall clock knows: what it says, moved by as much as the line was off it when last kept, and
never before that.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypedDict

from cpo_app.charge_point.clock import Clock
from domain.times import format_datetime, parse_datetime

_HOST_BOOT = Path("/proc/sys/kernel/random/boot_id")


class Kept(TypedDict):
    """One moment on the line, on the wall clock, and on the monotonic clock of `host_boot`."""

    at: str
    wall: str
    monotonic: float
    host_boot: str


class Timeline:
    def __init__(
        self, clock: Clock, kept: Mapping[str, object] | None = None, host_boot: str | None = None
    ) -> None:
        self._clock = clock
        self._host_boot = _this_boot() if host_boot is None else host_boot
        self._anchor = clock.now() if kept is None else self._continued(kept)
        self._anchored_at = clock.monotonic()

    def now(self) -> datetime:
        """The present instant on the line, aware; never goes back."""
        return self._anchor + timedelta(seconds=self._clock.monotonic() - self._anchored_at)

    def kept(self) -> Kept:
        """What a later start needs to go on."""
        return {
            "at": format_datetime(self.now()),
            "wall": format_datetime(self._clock.now()),
            "monotonic": self._clock.monotonic(),
            "host_boot": self._host_boot,
        }

    def _continued(self, kept: Mapping[str, object]) -> datetime:
        try:
            at, wall = parse_datetime(str(kept["at"])), parse_datetime(str(kept["wall"]))
            down_s = self._clock.monotonic() - float(str(kept["monotonic"]))
        except (KeyError, ValueError):
            return self._clock.now()
        if self._host_boot and kept.get("host_boot") == self._host_boot and down_s >= 0:
            return at + timedelta(seconds=down_s)
        return max(self._clock.now() + (at - wall), at)


def _this_boot() -> str:
    """Names this start of the host's kernel; "" where it cannot be told."""
    try:
        return _HOST_BOOT.read_text(encoding="ascii").strip()
    except OSError:
        return ""
