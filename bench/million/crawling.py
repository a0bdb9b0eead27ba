"""What a peer does with a large list: jumps into it, asks for what has changed, takes it all."""

from __future__ import annotations

import statistics
import time
from collections.abc import AsyncIterator

import httpx
import orjson

from bench.million.side import LIST, Scale, Side, answered, report
from bench.million.turns import PAGE, Both, by_turns, compared
from db_interface.interface import DbInterface

LARGE_PAGE = 250
_NARROW = 100
_SAID_EVERY_S = 15.0


async def offsets(side: Side, scale: Scale) -> dict[str, float]:
    """Pages at offsets all over the list, each asked for once, and right."""
    step = side.number / scale.offsets
    starts = [int(step * n + step / 2) for n in range(scale.offsets)]
    db = side.ground.connect()
    async with side.client() as client:
        for start in (starts[0], starts[len(starts) // 2], starts[-1]):
            page = (await answered(client, f"{LIST}?offset={start}&limit=3")).json()["data"]
            there = (
                await DbInterface(db)
                .objects("locations")
                .documents({}, fields={"fields.id": 1}, sort=[("seq", 1)], skip=start, limit=3)
            )
            if [row["id"] for row in page] != [row["fields"]["id"] for row in there]:
                raise RuntimeError(f"a wrong page at offset {start}")
    db.close()
    deep = [start for start in starts if start > side.number / 2]
    taken = side.send([f"{LIST}?offset={start}&limit={PAGE}" for start in deep])
    return {"deep_offset_ms": statistics.median(taken), "deep_offset_max_ms": max(taken)}


async def windows(both: Both, scale: Scale) -> dict[str, float]:
    """The last changes, and everything by date: the first page counts, a later one does not."""
    large, _ = both
    narrow = {
        side.name: [f"{LIST}?date_from={side.stamp(side.number - _NARROW)}&limit={PAGE}"]
        for side in both
    }
    figures = compared("window", by_turns(both, scale, narrow))
    wide = f"{LIST}?date_from={large.stamp(0)}&limit={PAGE}"
    tenth = f"{LIST}?date_from={large.stamp(large.number - large.number // 10)}&limit={PAGE}"
    plain = statistics.median(large.send([f"{LIST}?limit={PAGE}"], seconds=scale.slice_s))
    for name, path, number in (
        ("wide_window", wide, large.number),
        ("tenth_window", tenth, large.number // 10),
    ):
        async with large.client() as client:
            first = await answered(client, path)
            if first.headers["x-total-count"] != str(number):
                raise RuntimeError(f"{name}: {first.headers['x-total-count']} of {number}")
            link = first.links["next"]["url"]
        later = [link[link.index("/ocpi/") :]]
        figures[f"{name}_first_ms"] = statistics.median(large.send([path] * 3))
        later_ms = statistics.median(large.send(later, seconds=scale.slice_s))
        figures[f"{name}_later_ms"] = later_ms
        figures[f"{name}_later_of_first_page"] = later_ms / plain
    return figures


async def crawls(side: Side, scale: Scale) -> dict[str, float]:
    """One client that takes page after page by their Links. Each crawl is checked first, and timed
    when its Links are known: this process would be slower than the server."""
    figures: dict[str, float] = {}
    dates = f"date_from={side.stamp(0)}&"
    for name, query in (("crawl", ""), ("crawl_by_date", dates)):
        paths = await _checked(side, f"{LIST}?{query}limit={LARGE_PAGE}", name)
        began = time.perf_counter()
        side.send(paths)
        taken = time.perf_counter() - began
        figures[f"{name}_s"] = taken
        figures[f"{name}_per_s"] = side.number / taken
    return figures


async def _checked(side: Side, path: str, name: str) -> list[str]:
    """The paths of a whole crawl. Raises RuntimeError unless it shows each location once."""
    paths: list[str] = []
    seen = bytearray(side.number)
    number, said_at = 0, time.monotonic()
    async for shown, answer in _pages(side, path):
        paths.append(shown)
        for row in orjson.loads(answer.content)["data"]:
            index = int(row["id"].removeprefix("loc-")) if row["id"].startswith("loc-") else -1
            if 0 <= index < side.number:
                number += 1
                seen[index] += 1
        if time.monotonic() - said_at > _SAID_EVERY_S:
            said_at = time.monotonic()
            report(f"{name}: {number:,} of {side.number:,} locations looked at")
    if number != side.number or seen.count(1) != side.number:
        raise RuntimeError(f"{name}: does not show every location once")
    return paths


async def _pages(side: Side, path: str) -> AsyncIterator[tuple[str, httpx.Response]]:
    following: str | None = path
    async with side.client() as client:
        while following is not None:
            answer = await answered(client, following)
            yield following, answer
            link = answer.links.get("next", {}).get("url")
            following = None if link is None else link[link.index("/ocpi/") :]
