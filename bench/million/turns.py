"""The same asked of both stores, by turns: what grows with their size shows in the quotient."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence

from bench import locations
from bench.million.side import LIST, Scale, Side, answered

PAGE = 50
Both = tuple[Side, Side]


def by_turns(both: Both, scale: Scale, paths: Mapping[str, Sequence[str]]) -> dict[str, float]:
    """Milliseconds of an answer, by side: medians of slices; `paths` by side."""
    taken: dict[str, list[float]] = {side.name: [] for side in both}
    for side in both:
        side.send(paths[side.name], seconds=scale.slice_s / 2)
    for _ in range(scale.rounds):
        for side in both:
            answers = side.send(paths[side.name], seconds=scale.slice_s)
            taken[side.name].append(statistics.median(answers))
    return {name: statistics.median(values) for name, values in taken.items()}


def compared(name: str, measured: Mapping[str, float]) -> dict[str, float]:
    large, small = measured["large"], measured["small"]
    return {f"{name}_ms": large, f"{name}_small_ms": small, f"{name}_of_small": large / small}


async def alike(both: Both, scale: Scale) -> dict[str, float]:
    """First pages, single objects, and the last page."""
    large, _ = both
    first = {side.name: [f"{LIST}?limit={PAGE}"] for side in both}
    single = {
        side.name: [
            f"{LIST}/{locations.location_id(n)}"
            for n in range(0, side.number, max(1, side.number // 500))
        ]
        for side in both
    }
    pages = compared("first_page", by_turns(both, scale, first))
    singles = compared("single", by_turns(both, scale, single))
    return {**pages, **singles, **await last_page(large, scale)}


async def last_page(side: Side, scale: Scale) -> dict[str, float]:
    """By its Link, which the page before it hands out."""
    async with side.client() as client:
        path = f"{LIST}?offset={side.number - 2 * PAGE}&limit={PAGE}"
        before = await answered(client, path)
        link = before.links["next"]["url"]
        last = await answered(client, link)
    if "next" in last.links or len(last.json()["data"]) != PAGE:
        raise RuntimeError("that is not the last page")
    paths = {"first": f"{LIST}?limit={PAGE}", "last": link[link.index("/ocpi/") :]}
    taken: dict[str, list[float]] = {name: [] for name in paths}
    for _ in range(scale.rounds):
        for name, path in paths.items():
            taken[name].append(statistics.median(side.send([path], seconds=scale.slice_s)))
    first_ms, last_ms = (statistics.median(values) for values in taken.values())
    return {"last_page_ms": last_ms, "last_page_of_first": last_ms / first_ms}
