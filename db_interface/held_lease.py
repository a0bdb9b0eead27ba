"""Whether a lease that this process has taken is still its own: nothing may be sent once it could
have passed to another.

Measured from before the claim was sent, on this process's own monotonic clock.
"""

from __future__ import annotations

import time

_MARGIN_S = 0.5
"""Left over when a send begins: a process that stalls longer than this in between is found out
afterwards (`held`), and what it sent is sent again."""


class HeldLease:
    def __init__(self) -> None:
        self._good_until = float("-inf")

    def taken(self, asked_at: float, for_s: float) -> None:
        """`asked_at`: by `time.monotonic`, before it was asked for."""
        self._good_until = asked_at + for_s

    def lost(self) -> None:
        """Another process has it, or it is given up."""
        self._good_until = float("-inf")

    @property
    def fit_to_send(self) -> bool:
        return time.monotonic() + _MARGIN_S < self._good_until

    @property
    def held(self) -> bool:
        return time.monotonic() < self._good_until
