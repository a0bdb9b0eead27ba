"""How long to wait before the next try: pauses that grow, with jitter.

Many who failed together (a restart of the server that all of them ask) must not come back
together: each waits for a random part, half to all, of the pause (AWS Architecture Blog,
"Exponential Backoff And Jitter"). In the lowest room because all others need it.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

# Days of failures raise the power no further than this.
_MAX_STEPS = 64


@dataclass(frozen=True)
class Backoff:
    """Pauses from `first_s`, growing by `factor` with every failure, never above `max_s`."""

    first_s: float
    max_s: float
    factor: float = 2.0

    def after(self, failures: int) -> float:
        """Seconds to wait after so many failures in a row (from 1)."""
        steps = min(max(failures - 1, 0), _MAX_STEPS)
        pause_s = min(self.max_s, self.first_s * self.factor**steps)
        return pause_s * random.uniform(0.5, 1.0)

    def delays(self) -> Iterator[float]:
        """The pauses one after another, for ever."""
        failures = 0
        while True:
            failures += 1
            yield self.after(failures)
