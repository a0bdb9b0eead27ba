"""What just failed is left alone for a while, each by its name, so that it holds up no other.

Kept in memory: another worker may try once more, no worse.
"""

from __future__ import annotations

from collections.abc import Callable

from db_interface.backoff import Backoff
from db_interface.clocks import uptime_s


class TroubleBackoff:
    """Goes by `uptime`, a clock that nobody sets."""

    def __init__(self, pauses: Backoff, uptime: Callable[[], float] = uptime_s) -> None:
        self._pauses = pauses
        self._uptime = uptime
        self._failures: dict[str, int] = {}
        self._until: dict[str, float] = {}

    def failed(self, name: str) -> None:
        self._failures[name] = self._failures.get(name, 0) + 1
        self._until[name] = self._uptime() + self._pauses.after(self._failures[name])

    def well(self, name: str) -> None:
        self._failures.pop(name, None)
        self._until.pop(name, None)

    def names(self) -> list[str]:
        """Those that are to be left alone now."""
        now = self._uptime()
        return [name for name, until in self._until.items() if until > now]
