"""A million locations: what a peer, a charge point and the operator wait for there, beside a store
of 20,000 on the same mongod, and what an import into it costs.

Each store has a server of its own (`cpo serve`, one worker, as the product runs it). What is read
is written in bulk, with its indexes made afterwards; the import is the product's own (`cpo
locations import`), of 50,000 more. Figures named `..._of_small` are the large store's, divided by
those of the small one, taken by turns.
"""

from __future__ import annotations

import asyncio
import tempfile
from contextlib import ExitStack
from pathlib import Path

from bench.goals import Goal
from bench.ground import Ground, ground
from bench.measuring import told
from bench.million.crawling import crawls, offsets, windows
from bench.million.importing import imports
from bench.million.operating import operating
from bench.million.side import QUICK, Scale, Side, filled, serving_side
from bench.million.turns import alike
from bench.million.writing import counted_exactly, status_changes
from bench.processes import generating

_AS_SMALL = 1.3

GOALS = {
    "last_page_of_first": Goal(at_most=1.3, why="latency of the last page / the first"),
    "deep_offset_ms": Goal(at_most=100, why="pages at offsets all over, without cursor"),
    "deep_offset_max_ms": Goal(at_most=100, why="the slowest of them"),
    "wrong_totals": Goal(at_most=0, why="X-Total-Count beside a writer, outside what can be"),
    "first_page_of_small": Goal(at_most=_AS_SMALL, why="with its X-Total-Count"),
    "window_of_small": Goal(at_most=_AS_SMALL, why="the last 100 changes by date_from"),
    "wide_window_later_of_first_page": Goal(
        at_most=1.5, why="a pull of all by date_from: a later page / a page without dates"
    ),
    "single_of_small": Goal(at_most=_AS_SMALL, why="one Location"),
    "status_change_of_small": Goal(at_most=_AS_SMALL, why="an EVSE's status, kept and published"),
    "memory_mb": Goal(at_most=150, why="of the worker, after all that"),
    "crawl_per_s": Goal(at_least=20_000, why="locations, one client by Link, 250 a page"),
    "crawl_by_date_per_s": Goal(at_least=20_000, why="the same with date_from"),
    "import_per_s": Goal(at_least=1500, why="locations, from the command's start to its end"),
    "import_memory_mb": Goal(at_most=200, why="of the importing process, at most"),
}


def run(quick: bool = False, scale: Scale | None = None) -> dict[str, float]:
    """All figures of this file; a full run takes some ten minutes."""
    scale = scale or (QUICK if quick else Scale())
    with ground() as place:
        return asyncio.run(_measured(place, scale))


async def _measured(place: Ground, scale: Scale) -> dict[str, float]:
    figures: dict[str, float] = {}
    large, small = Side(place, "large", scale.locations), Side(place, "small", scale.small)
    for side in (large, small):
        figures |= await told(f"{side.name} store", filled(side, scale))
    with ExitStack() as stack:
        generator = stack.enter_context(generating())
        for side in (large, small):
            stack.enter_context(serving_side(side, generator))
            await side.ready()
        both = (large, small)
        figures["memory_at_start_mb"] = large.memory_mb()
        figures |= await told("pages and objects", alike(both, scale))
        figures |= await told("offsets", offsets(large, scale))
        figures |= await told("windows", windows(both, scale))
        figures |= await told("the operator's pages", operating(both))
        figures |= await told("totals beside a writer", counted_exactly(large, scale))
        figures |= await told("status changes", status_changes(both, scale))
        figures |= await told("crawls", crawls(large, scale))
        with tempfile.TemporaryDirectory(prefix="cpo-bench-") as directory:
            figures |= await told("import", imports(large, scale, Path(directory)))
        figures["memory_mb"] = large.memory_mb()
    for side in (large, small):
        await side.dropped()
    # What could not be done is missed.
    return {**dict.fromkeys(GOALS, float("nan")), **figures}
