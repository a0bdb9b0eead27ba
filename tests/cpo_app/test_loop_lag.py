"""Whatever holds the event loop is counted by how long it did."""

from __future__ import annotations

import asyncio
import time

from cpo_app.loop_lag import INTERVAL_S, LONG_S, LoopLag
from tests.counting import growth_of


def test_a_loop_that_is_held_is_counted_until_the_counting_is_stopped() -> None:
    timers = growth_of("cpo_event_loop_lag_seconds_count")
    soon_enough = growth_of("cpo_event_loop_lag_seconds_bucket", le=str(LONG_S))
    late_s = growth_of("cpo_event_loop_lag_seconds_sum")

    async def served() -> None:
        lag = LoopLag()
        lag.start()
        await asyncio.sleep(2 * INTERVAL_S)
        assert timers()
        late, before_s = timers() - soon_enough(), late_s()
        time.sleep(INTERVAL_S + 2 * LONG_S)  # noqa: ASYNC251 - what must not happen
        await asyncio.sleep(INTERVAL_S)
        assert timers() - soon_enough() > late
        assert late_s() - before_s >= 2 * LONG_S
        lag.stop()
        counted = timers()
        await asyncio.sleep(3 * INTERVAL_S)
        assert timers() == counted

    asyncio.run(served())
