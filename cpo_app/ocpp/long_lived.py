"""Connections that are held are out of the garbage collector's sight.

A full collection looks through everything that there is, a tenth of a millisecond for each
connection, and meanwhile nobody is answered: of five thousand it is half a second, and it came
within a minute of the last one's connecting, among the first commands. So those that came are
collected in small parts, and frozen: no later collection looks through them.

What is frozen goes when nobody refers to it any more, but not where it refers to itself in a
circle, as a closed socket does. So once as many have gone as there are, all is looked through.
"""

from __future__ import annotations

import gc

PART = 100
"""So many that came are frozen together: some ten milliseconds."""
MIN_GONE = 1000
"""With fewer gone it is not worth looking through everything."""


class LongLived:
    """One per process; told of each connection."""

    def __init__(self) -> None:
        self._came = self._gone = 0

    def came(self, held: int) -> None:
        """One more, of so many now."""
        self._came += 1
        if self._gone >= max(MIN_GONE, held):
            gc.unfreeze()
            self._gone = 0
        elif self._came < PART:
            return
        gc.collect()
        gc.freeze()
        self._came = 0

    def went(self) -> None:
        self._gone += 1
