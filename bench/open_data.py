"""What open data costs, and how soon a change is seen there.

`..._first_s` is the first reading of a whole document, at once after the start, which makes it;
`..._after_start_s` the first one of a server that has made all of them by itself, which took
`all_made_s`; `..._s` is a later reading, `..._unchanged_ms` the answer to who has it.
`visible_..._s` is from a change's commit to the first answer that shows it, read without a cache
between, while 50 other locations change in a second.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import statistics
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, replace
from functools import partial

import httpx

from bench import locations
from bench.goals import Goal
from bench.ground import Ground, ground
from bench.measuring import p99
from bench.open_data_face import MADE
from bench.processes import Server, serving
from db_interface.indexes import ensure_indexes
from db_interface.interface import DbInterface
from db_interface.owned_objects import OwnedObject
from db_interface.transaction import Tx
from domain.objects.locations import owned_location
from domain.outbox.publishing import publish_all
from domain.platform_facts import announce_address
from domain.views.making import views_for

_ROOT = "/open-data"
DOCUMENTS = {
    "ocpi_2_2_1": f"{_ROOT}/ocpi/2.2.1/locations.json",
    "ocpi_2_3_0": f"{_ROOT}/ocpi/2.3.0/locations.json",
    "datex_table": f"{_ROOT}/datex/v3/table.xml",
    "datex_status": f"{_ROOT}/datex/v3/status.xml",
}
_CHUNK = 1000
_AT_ONCE = 20
_CHANGING_PER_S = 50
_MADE_WITHIN_S = 600.0

GOALS = {
    **{
        f"{name}_first_s": Goal(at_most=2, why="all locations, made for the first reader")
        for name in DOCUMENTS
    },
    **{
        f"{name}_after_start_s": Goal(at_most=2, why="the first reader, once they are made")
        for name in DOCUMENTS
    },
    **{f"{name}_s": Goal(at_most=2, why="all locations, kept") for name in DOCUMENTS},
    **{f"{name}_unchanged_ms": Goal(at_most=2, why="304 to who has it") for name in DOCUMENTS},
    "visible_p99_s": Goal(at_most=5, why="a change, from its commit; the law gives 60 s"),
}


@dataclass(frozen=True)
class Scale:
    locations: int = locations.NUMBER
    readings: int = 7
    unchanged: int = 300
    changes: int = 200


QUICK = Scale(locations=2000, readings=3, unchanged=50, changes=40)


def run(*, quick: bool = False, scale: Scale | None = None) -> dict[str, float]:
    scale = scale or (QUICK if quick else Scale())
    with ExitStack() as stack:
        place = stack.enter_context(ground())
        asyncio.run(_fill(place, scale.locations))
        with _serving(place) as server:
            figures = _after_start(server)
        server = stack.enter_context(_serving(place))
        figures |= _reading(server, scale)
        figures["memory_mb"] = server.memory_mb()
        figures |= asyncio.run(_visible(place, server, scale))
        return figures


def _serving(place: Ground) -> AbstractContextManager[Server]:
    return serving(
        "open data",
        "bench.open_data_face:create_app",
        {
            **os.environ,
            "CPO_MONGO_URL": place.mongo_url,
            "BENCH_DATABASE": place.database,
            "CPO_OPEN_DATA": "true",
            "CPO_OPEN_DATA_REQUESTS_PER_MINUTE": "0",
            "COUNTRY_CODE": locations.COUNTRY_CODE,
            "PARTY_ID": locations.PARTY_ID,
        },
    )


def _after_start(server: Server) -> dict[str, float]:
    base_url = f"http://127.0.0.1:{server.port}"
    with httpx.Client(base_url=base_url, timeout=_MADE_WITHIN_S) as client:
        made_s = _read(client, MADE)
        read = {f"{name}_after_start_s": _read(client, path) for name, path in DOCUMENTS.items()}
    return {"all_made_s": made_s, **read}


async def _fill(place: Ground, number: int) -> None:
    db = place.connect()
    await ensure_indexes(db)
    await announce_address(db, {"CPO_OPEN_DATA": True})
    store = DbInterface(db)
    for start in range(0, number, _CHUNK):
        rows = [locations.location(n) for n in range(start, min(start + _CHUNK, number))]
        await store.transact(partial(_keep, [owned_location(row) for row in rows]))
    db.close()


async def _keep(objects: list[OwnedObject], tx: Tx) -> None:
    make_views = views_for("locations", tx)
    kept = [replace(one, views=await make_views(one)) for one in objects]
    await tx.store.objects("locations").put_new(kept, tx)


def _reading(server: Server, scale: Scale) -> dict[str, float]:
    figures: dict[str, float] = {}
    base_url = f"http://127.0.0.1:{server.port}"
    with httpx.Client(base_url=base_url, timeout=60) as client:
        client.get("/open-data").raise_for_status()
        for name, path in DOCUMENTS.items():
            before = server.cpu_s()
            figures[f"{name}_first_s"] = _read(client, path)
            figures[f"{name}_first_cpu_s"] = server.cpu_s() - before
            figures[f"{name}_s"] = statistics.median(
                _read(client, path) for _ in range(scale.readings)
            )
            tag = client.head(path).headers["etag"]
            figures[f"{name}_unchanged_ms"] = 1000 * statistics.median(
                _read(client, path, {"If-None-Match": tag}, 304) for _ in range(scale.unchanged)
            )
    return figures


def _read(
    client: httpx.Client, path: str, headers: dict[str, str] | None = None, status: int = 200
) -> float:
    """Seconds until the last byte; nothing is unpacked."""
    began = time.perf_counter()
    with client.stream("GET", path, headers=headers) as answer:
        for _ in answer.iter_raw():
            pass
        if answer.status_code != status:
            raise RuntimeError(f"{path}: HTTP {answer.status_code}")
    return time.perf_counter() - began


async def _visible(place: Ground, server: Server, scale: Scale) -> dict[str, float]:
    db = place.connect()
    store = DbInterface(db)
    half = scale.locations // 2
    seen_ones, other_ones = itertools.cycle(range(half)), itertools.cycle(range(half, 2 * half))
    texts = itertools.count()

    async def change(numbers: Iterator[int]) -> tuple[str, str]:
        row = locations.location(next(numbers))
        row["city"] = f"City {next(texts)}"
        changed = [owned_location(row)]
        await store.transact(lambda tx: publish_all(store, "locations", changed, tx))
        return row["id"], row["city"]

    async def others() -> None:
        while True:
            await asyncio.gather(change(other_ones), asyncio.sleep(1 / _CHANGING_PER_S))

    taken: list[float] = []

    async def see(client: httpx.AsyncClient) -> None:
        for _ in range(scale.changes // _AT_ONCE):
            location_id, city = await change(seen_ones)
            began = time.perf_counter()
            path = f"{_ROOT}/ocpi/2.2.1/locations/{location_id}"
            while (await client.get(path)).json()["data"]["city"] != city:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
            taken.append(time.perf_counter() - began)

    base_url = f"http://127.0.0.1:{server.port}"
    busy = asyncio.create_task(others())
    async with httpx.AsyncClient(base_url=base_url, timeout=30) as client:
        await asyncio.gather(*(see(client) for _ in range(_AT_ONCE)))
    busy.cancel()
    db.close()
    return {"visible_median_s": statistics.median(taken), "visible_p99_s": p99(taken)}
