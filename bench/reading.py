"""How fast peers can read: our face, the library's example app and a bare Starlette app, on one
mongod and the same locations, in short slices by turns.

Figures ending in `_per_s` are answers per second on 8 connections, `_s` and `_ms` are medians;
`..._cpu_ms` is the processor time of the server alone for an answer, which other work on the
machine disturbs less.
`x_...` is how many times ours does better than the library's example, `of_bare_...` is the part
of the bare app's rate that ours reaches, `pages_in_..._of_2_2_1` how the pages of another version
of OCPI stand to those of 2.2.1 (by processor time: on a busy machine rates tell less).
"""

from __future__ import annotations

import asyncio
import secrets
import statistics
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from functools import partial
from typing import Any

import httpx

from auth.credentials_header import encoded
from bench import locations
from bench.baseline import TABLE
from bench.goals import Goal
from bench.ground import Ground, ground
from bench.processes import Generator, Server, generating, serving
from db_interface.indexes import ensure_indexes
from db_interface.interface import DbInterface
from db_interface.json_data import JsonObject
from db_interface.owned_objects import OwnedObject
from db_interface.transaction import Tx
from domain.objects.locations import owned_location
from domain.peers.peers import Peers
from domain.peers.terms import ANY_PARTY
from domain.secrets import Vault, new_token
from domain.versions import INNER_VERSION, VERSIONS, OcpiVersion
from domain.views.making import views_for

CONNECTIONS = 8
PAGE = 50
LARGE_PAGE = 250
_CHUNK = 1000
_LIST = "/ocpi/cpo/2.2.1/locations"
_OTHERS = [number for number in VERSIONS if number != INNER_VERSION.number]

GOALS = {
    "x_pages": Goal(at_least=100, why="pages of 50, ours / library"),
    "of_bare_pages": Goal(at_least=0.6, why="pages of 50, ours / bare bytes"),
    "x_crawl": Goal(at_least=100, why="all locations by Link, 250 a page, library / ours"),
    "last_page_of_first": Goal(at_most=1.3, why="latency of the last page / the first"),
    **{
        f"pages_in_{VERSIONS[number].key}_of_2_2_1": Goal(
            at_least=0.9, why=f"pages of 50, {number} / 2.2.1"
        )
        for number in _OTHERS
    },
    "x_single": Goal(at_least=6, why="one Location, ours / library"),
}


@dataclass(frozen=True)
class Scale:
    """How much is measured."""

    locations: int = locations.NUMBER
    rounds: int = 5
    slice_s: float = 2.0
    crawl_parts: int = 4
    """The library's crawl takes half a minute: it runs in parts, with ours between them."""


QUICK = Scale(locations=2000, rounds=3, slice_s=0.5, crawl_parts=2)


@dataclass(frozen=True)
class Stage:
    """Three servers that are up, and what is asked of them."""

    scale: Scale
    generator: Generator
    token: str
    ours: Server
    library: Server
    bare: Server

    @property
    def headers(self) -> dict[str, str]:
        """What every OCPI request SHALL carry (transport_and_format, "Authorization header" and
        "Unique message IDs")."""
        return {
            "Authorization": encoded(self.token),
            "X-Request-ID": "7f5d2c1e-3a54-4f0b-9b58-0c9c1d7b2a10",
            "X-Correlation-ID": "b3c9a4d2-8e61-4c7d-a1f4-5e2f6d3c8b21",
        }

    def headers_in(self, version: OcpiVersion) -> dict[str, str]:
        """The same with the token as that version wants it."""
        as_it_is = not version.description.encodes_tokens
        shown = f"Token {self.token}" if as_it_is else encoded(self.token)
        return {**self.headers, "Authorization": shown}

    def send(
        self,
        server: Server,
        paths: list[str],
        version: OcpiVersion = INNER_VERSION,
        **how: Any,
    ) -> JsonObject:
        return self.generator.send(server, paths, self.headers_in(version), **how)

    def our_pages(self, limit: int, version: OcpiVersion = INNER_VERSION) -> list[str]:
        """The paths of a whole crawl by the Links that we hand out. It is checked, not timed:
        raises RuntimeError unless it shows every location once."""
        paths: list[str] = []
        seen: list[str] = []
        path: str | None = f"/ocpi/cpo/{version.number}/locations?limit={limit}"
        base_url = f"http://127.0.0.1:{self.ours.port}"
        headers = self.headers_in(version)
        with httpx.Client(base_url=base_url, headers=headers, timeout=30) as client:
            while path is not None:
                answer = client.get(path)
                paths.append(path)
                seen += [row["id"] for row in answer.json()["data"]]
                path = answer.links.get("next", {}).get("url", "").removeprefix(base_url) or None
        if sorted(seen) != [locations.location_id(n) for n in range(self.scale.locations)]:
            raise RuntimeError("a crawl of ours does not show every location once")
        return paths

    def library_pages(self, limit: int) -> list[str]:
        """By offset: the library's Link leads to 404."""
        starts = range(0, self.scale.locations, limit)
        return [f"{_LIST}/?offset={start}&limit={limit}" for start in starts]

    def bare_pages(self, limit: int) -> list[str]:
        starts = range(0, self.scale.locations, limit)
        return [f"/locations?after={start}&limit={limit}" for start in starts]


def run(quick: bool = False, scale: Scale | None = None) -> dict[str, float]:
    """All figures of this file; a full run takes about two minutes."""
    scale = scale or (QUICK if quick else Scale())
    with staged(scale) as stage:
        return {
            **pages(stage),
            **versions(stage),
            **crawl(stage),
            **last_page(stage),
            **single(stage),
            **memory(stage),
        }


def pages(stage: Stage) -> dict[str, float]:
    rates, cpu_ms = _by_turns(
        stage,
        ours=(stage.ours, stage.our_pages(PAGE)),
        library=(stage.library, stage.library_pages(PAGE)),
        bare=(stage.bare, stage.bare_pages(PAGE)),
    )
    return {
        "pages_per_s": rates["ours"],
        "library_pages_per_s": rates["library"],
        "bare_pages_per_s": rates["bare"],
        "x_pages": rates["ours"] / rates["library"],
        "of_bare_pages": rates["ours"] / rates["bare"],
        "pages_cpu_ms": cpu_ms["ours"],
        "library_pages_cpu_ms": cpu_ms["library"],
        "bare_pages_cpu_ms": cpu_ms["bare"],
    }


def versions(stage: Stage) -> dict[str, float]:
    """Pages in each version, by turns; their objects are kept in each, as they are once some peer
    speaks it."""
    paths = {number: stage.our_pages(PAGE, version) for number, version in VERSIONS.items()}
    cpu_ms: dict[str, list[float]] = {number: [] for number in VERSIONS}
    for _ in range(stage.scale.rounds):
        for number, version in VERSIONS.items():
            before = stage.ours.cpu_s()
            result = stage.send(
                stage.ours,
                paths[number],
                version,
                connections=CONNECTIONS,
                seconds=stage.scale.slice_s,
            )
            cpu_ms[number].append((stage.ours.cpu_s() - before) * 1000 / result["answers"])
    cost = _medians(cpu_ms)
    inner = cost[INNER_VERSION.number]
    return {f"pages_in_{VERSIONS[number].key}_of_2_2_1": inner / cost[number] for number in _OTHERS}


def single(stage: Stage) -> dict[str, float]:
    ids = [locations.location_id(n) for n in range(0, stage.scale.locations, 37)]
    rates, _ = _by_turns(
        stage,
        ours=(stage.ours, [f"{_LIST}/{each}" for each in ids]),
        library=(stage.library, [f"{_LIST}/{each}" for each in ids]),
        bare=(stage.bare, [f"/locations/{each}" for each in ids]),
    )
    return {
        "single_per_s": rates["ours"],
        "library_single_per_s": rates["library"],
        "bare_single_per_s": rates["bare"],
        "x_single": rates["ours"] / rates["library"],
        "of_bare_single": rates["ours"] / rates["bare"],
    }


def crawl(stage: Stage) -> dict[str, float]:
    """One client, one page after the other, from the first to the last, both with one limit:
    the most that we give at once. In pages of 50 only ours is timed, and set against the library's
    crawl in the larger pages: what the library does for an object hides what it does for a page.
    """
    our_paths, their_paths = stage.our_pages(LARGE_PAGE), stage.library_pages(LARGE_PAGE)
    our_small_paths = stage.our_pages(PAGE)
    ours: list[float] = []
    ours_small: list[float] = []
    library = 0.0
    size = -(-len(their_paths) // stage.scale.crawl_parts)
    for start in range(0, len(their_paths), size):
        ours.append(stage.send(stage.ours, our_paths, connections=1)["seconds"])
        ours_small.append(stage.send(stage.ours, our_small_paths, connections=1)["seconds"])
        part = their_paths[start : start + size]
        library += stage.send(stage.library, part, connections=1)["seconds"]
    ours_s, ours_small_s = statistics.median(ours), statistics.median(ours_small)
    return {
        "crawl_s": ours_s,
        "library_crawl_s": library,
        "x_crawl": library / ours_s,
        "crawl_pages_of_50_s": ours_small_s,
        "x_crawl_pages_of_50": library / ours_small_s,
    }


def last_page(stage: Stage) -> dict[str, float]:
    paths = stage.our_pages(PAGE)
    times: dict[str, list[float]] = {paths[0]: [], paths[-1]: []}
    for _ in range(stage.scale.rounds):
        for path, taken in times.items():
            result = stage.send(stage.ours, [path], connections=1, seconds=stage.scale.slice_s / 2)
            taken.append(statistics.median(result["latencies_ms"]))
    first, last = (statistics.median(taken) for taken in times.values())
    return {"first_page_ms": first, "last_page_ms": last, "last_page_of_first": last / first}


def memory(stage: Stage) -> dict[str, float]:
    """Resident memory after all that."""
    return {
        "memory_mb": stage.ours.memory_mb(),
        "library_memory_mb": stage.library.memory_mb(),
        "bare_memory_mb": stage.bare.memory_mb(),
    }


def _by_turns(
    stage: Stage, **sides: tuple[Server, list[str]]
) -> tuple[dict[str, float], dict[str, float]]:
    """Of each side the answers per second, and the milliseconds of processor time for an answer:
    medians of slices taken in turns."""
    rates: dict[str, list[float]] = {name: [] for name in sides}
    cpu_ms: dict[str, list[float]] = {name: [] for name in sides}
    for server, paths in sides.values():
        stage.send(server, paths, connections=CONNECTIONS, seconds=stage.scale.slice_s / 4)
    for _ in range(stage.scale.rounds):
        for name, (server, paths) in sides.items():
            before = server.cpu_s()
            result = stage.send(server, paths, connections=CONNECTIONS, seconds=stage.scale.slice_s)
            rates[name].append(result["answers"] / result["seconds"])
            cpu_ms[name].append((server.cpu_s() - before) * 1000 / result["answers"])
    return _medians(rates), _medians(cpu_ms)


def _medians(values: dict[str, list[float]]) -> dict[str, float]:
    return {name: statistics.median(measured) for name, measured in values.items()}


@contextmanager
def staged(scale: Scale) -> Iterator[Stage]:
    """Data in place and all processes up."""
    with ExitStack() as stack:
        place = stack.enter_context(ground())
        token, key = new_token(), secrets.token_hex(32)
        asyncio.run(fill(place, scale.locations, token, key))
        environment = {
            "CPO_MONGO_URL": place.mongo_url,
            "BENCH_DATABASE": place.database,
            "BENCH_TOKEN": token,
            "CPO_ENCRYPTION_KEY": key,
        }

        def serve(name: str, factory: str) -> Server:
            return stack.enter_context(serving(name, factory, environment))

        yield Stage(
            scale,
            stack.enter_context(generating()),
            token,
            ours=serve("ours", "bench.ours:create_app"),
            library=serve("library", "bench.baseline.main:create_app"),
            bare=serve("bare", "bench.bare:create_app"),
        )


async def fill(place: Ground, number: int, token: str, key: str) -> None:
    """The same locations for all three, and a registered peer of each version: that of 2.2.1 with
    `token`."""
    db = place.connect()
    await ensure_indexes(db)
    peers = Peers(db, Vault(key))
    for version in VERSIONS.values():
        ours = token if version is INNER_VERSION else new_token()
        await _register(peers, version, ours)
    store = DbInterface(db)
    for start in range(0, number, _CHUNK):
        rows = [locations.location(n) for n in range(start, min(start + _CHUNK, number))]
        await store.transact(partial(_keep, [owned_location(row) for row in rows]))
        await db[TABLE].insert_many(rows)
    await db[TABLE].create_index("id")
    db.close()


async def _register(peers: Peers, version: OcpiVersion, token: str) -> None:
    """A peer that speaks the version, and comes with that token."""
    now = datetime.now(timezone.utc)
    peer, _ = await peers.invite(f"bench {version.number}", now, ANY_PARTY)
    party = "TNM" if version is INNER_VERSION else f"T{list(VERSIONS).index(version.number)}X"
    role = {"role": "EMSP", "country_code": "DE", "party_id": party}
    await peers.connect(
        peer.peer_id,
        our_token=token,
        their_token=new_token(),
        now=now,
        roles=[role],
        endpoints=[],
        version=version.number,
    )


async def _keep(owned: Sequence[OwnedObject], tx: Tx) -> None:
    """With their views, as everything is that is published."""
    make_views = views_for("locations", tx)
    kept = [replace(obj, views=await make_views(obj)) for obj in owned]
    await tx.store.objects("locations").put_new(kept, tx)
