"""What the record of exchanges with peers costs, and how long one looks for an exchange in it.

The cost: our face, which is told by turns to record and not to, is asked the same at full load;
processor time of the server and of mongod for an answer. `..._recorded_share` is what the record
adds. One process, as two of the same program differ by some percent by themselves.

The search: the questions that the console offers, each asked for several peers, modules or ids as
the console does it (a page of 100, and how many there are), in ten million exchanges (`--quick`:
a hundred thousand). `find_..._ms` is the slowest answer of all.
"""

from __future__ import annotations

import asyncio
import itertools
import secrets
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

import pymongo

from auth.credentials_header import encoded
from bench import locations
from bench.goals import Goal
from bench.ground import Ground, ground
from bench.processes import Generator, Server, generating, serving
from bench.reading import fill
from db_interface.database import Database
from db_interface.indexes import INDEXES, ensure_indexes
from db_interface.json_data import JsonObject
from domain.exchanges.exchange import EXCHANGES, MODULES, Direction, first_id
from domain.exchanges.looking_through import reach
from domain.exchanges.search_keys import card_key, keys_of
from domain.operator.lists.exchanges import exchanges_of, wanted
from domain.secrets import Vault, new_token

PEERS = 200
HOT = "LOC-HOT"
"""A location that one exchange in a hundred is about."""
PAGE = 100
_CONNECTIONS = 8
_FILLED_WITHIN_S = 3600
_SPAN = timedelta(milliseconds=16**6)
"""Of one part of the exchanges: a step of the id's leading digits."""
_BEGUN = datetime(1970, 1, 1, tzinfo=timezone.utc) + 105_336 * _SPAN
"""Early in 2026: where a step begins."""


def _after(hours: float) -> str:
    return f"{_BEGUN + timedelta(hours=hours):%Y-%m-%dT%H:%M:%SZ}"


_QUESTIONS: dict[str, Sequence[dict[str, str]]] = {
    "latest": [{}],
    "peer": [{"peer": f"peer-{n}"} for n in (3, 77, 150)],
    "module": [{"module": name} for name in ("cdrs", "locations", "hubclientinfo")],
    "peer_and_module": [{"peer": f"peer-{n}", "module": "sessions"} for n in (5, 81, 199)],
    "status": [{"status": text} for text in ("failed", "503", "404")],
    "peer_and_status": [{"peer": f"peer-{n}", "status": "failed"} for n in (7, 80, 160)],
    "direction": [{"direction": "in"}, {"direction": "out"}],
    "correlation": [{"correlation": f"c-{n}-1"} for n in (100, 5_000, 9_999)],
    "session": [{"object": f"s-{n}-2"} for n in (10, 250, 499)],
    "card": [{"object": f"CARD{n}"} for n in (10, 2_500, 4_999)],
    "hot_location": [{"object": HOT}],
    "hot_location_and_peer": [{"object": HOT, "peer": f"peer-{n}"} for n in (0, 1, 99)],
    "hot_location_and_status": [{"object": HOT, "status": text} for text in ("failed", "404")],
    "hot_location_module_and_time": [
        {"object": HOT, "module": "cdrs", "to": _after(3)},
        {"object": HOT, "module": "tokens", "from": _after(1)},
    ],
    "time": [{"from": _after(1), "to": _after(1.1)}],
    "peer_and_time": [
        {"peer": f"peer-{n}", "from": _after(1), "to": _after(2)} for n in (4, 44, 144)
    ],
}
GOALS = {
    "pages_recorded_share": Goal(at_most=0.03, why="what the record adds, pages of 50"),
    "single_recorded_share": Goal(at_most=0.03, why="what the record adds, one Location"),
    **{
        f"find_{name}_ms": Goal(at_most=100, why="the slowest of all answers")
        for name in _QUESTIONS
    },
}


@dataclass(frozen=True)
class Scale:
    """How much is measured. `at_once`: exchanges of one part, `parts` how many of them."""

    locations: int = 5_000
    rounds: int = 24
    slice_s: float = 0.8
    at_once: int = 100_000
    parts: int = 100
    burst: int = 3_000
    """Answers before anything is measured: more than the recorder keeps of a burst."""


QUICK = Scale(locations=1_000, rounds=6, slice_s=0.5, at_once=20_000, parts=5)


def run(quick: bool = False, scale: Scale | None = None) -> dict[str, float]:
    """All figures of this file; a full run takes some six minutes, most of it to fill the store."""
    scale = scale or (QUICK if quick else Scale())
    return {**recording(scale), **searching(scale)}


# --- what the record costs -----------------------------------------------------------------------


def recording(scale: Scale) -> dict[str, float]:
    with ExitStack() as stack:
        place = stack.enter_context(ground())
        token, key = new_token(), secrets.token_hex(32)
        asyncio.run(fill(place, scale.locations, token, key))
        environment = {
            "CPO_MONGO_URL": place.mongo_url,
            "BENCH_DATABASE": place.database,
            "CPO_ENCRYPTION_KEY": key,
        }
        generator = stack.enter_context(generating())
        server = stack.enter_context(serving("ours", "bench.ours:create_app", environment))
        ids = range(0, scale.locations, 37)
        asked = {
            "pages": ["/ocpi/cpo/2.2.1/locations?limit=50"],
            "single": [f"/ocpi/cpo/2.2.1/locations/{locations.location_id(n)}" for n in ids],
        }
        headers = {
            "Authorization": encoded(token),
            "X-Request-ID": "7f5d2c1e-3a54-4f0b-9b58-0c9c1d7b2a10",
            "X-Correlation-ID": "b3c9a4d2-8e61-4c7d-a1f4-5e2f6d3c8b21",
        }
        figures: dict[str, float] = {}
        for what, paths in asked.items():
            cost = _by_turns(scale, place, generator, server, paths, headers)
            figures |= {f"{what}_{name}_cpu_ms": ms for name, ms in cost.items()}
            figures[f"{what}_recorded_share"] = cost["recorded"] / cost["unrecorded"] - 1
            print(f"  {what} with and without the record: done", file=sys.stderr)
        return figures


def _by_turns(
    scale: Scale,
    place: Ground,
    generator: Generator,
    server: Server,
    paths: Sequence[str],
    headers: dict[str, str],
) -> dict[str, float]:
    """Milliseconds of processor time for an answer, the server's and mongod's: of each way the
    median of slices by turns. It records at first, and at the end."""

    def one_slice() -> float:
        before = server.cpu_s() + _mongod_cpu_s(place)
        result = generator.send(
            server, paths, headers, connections=_CONNECTIONS, seconds=scale.slice_s
        )
        return (server.cpu_s() + _mongod_cpu_s(place) - before) * 1000 / result["answers"]

    answers = 0
    while answers < scale.burst:  # what is kept of a burst is kept before
        said = generator.send(server, paths, headers, connections=_CONNECTIONS, seconds=0.5)
        answers += said["answers"]
    cost: dict[str, list[float]] = {"recorded": [], "unrecorded": []}
    for _ in range(scale.rounds):
        for values in cost.values():
            # What may be kept of the routine has grown meanwhile, what waits is written down.
            one_slice()
            values.append(one_slice())
            server.switch()
    return {name: statistics.median(values) for name, values in cost.items()}


def _mongod_cpu_s(place: Ground) -> float:
    async def ask() -> float:
        db = place.connect()
        said = await db.client.admin.command("serverStatus")
        db.close()
        used = said["extra_info"]
        return float(used["user_time_us"] + used["system_time_us"]) / 1e6

    return asyncio.run(ask())


# --- how long one looks for an exchange ----------------------------------------------------------


def searching(scale: Scale) -> dict[str, float]:
    with ground() as place:
        return asyncio.run(_searched(place, scale))


async def _searched(place: Ground, scale: Scale) -> dict[str, float]:
    db = place.connect()
    vault = Vault(secrets.token_hex(32))
    began = time.monotonic()
    with pymongo.timeout(_FILLED_WITHIN_S):  # longer than any query of ours may take
        await _fill(db, vault, scale)
    figures = {
        "exchanges": float(await EXCHANGES.of(db).estimated_count()),
        "filled_in_s": time.monotonic() - began,
    }
    for name, questions in _QUESTIONS.items():
        figures[f"find_{name}_ms"] = max([await _took_ms(db, vault, one) for one in questions])
        print(f"  {name}: {figures[f'find_{name}_ms']:.0f} ms at most", file=sys.stderr)
    db.close()
    return figures


async def _took_ms(db: Database, vault: Vault, words: dict[str, str]) -> float:
    """As the console's page asks for it."""
    listing = exchanges_of(vault)
    began = time.perf_counter()
    asked = listing.asked(words)
    await asyncio.gather(
        listing.page(db, asked, limit=PAGE),
        listing.number(db, asked),
        reach(db, wanted(vault, asked.values)),
    )
    return (time.perf_counter() - began) * 1000


async def _fill(db: Database, vault: Vault, scale: Scale) -> None:
    """A part is made here, and copied by the store with other ids at other times; the index comes
    last, as that is the quickest way to so many."""
    await ensure_indexes(db)
    store = db.client[db.name]
    patterns, copies = store["patterns"], store[EXCHANGES.name]
    await copies.drop()
    made = _patterns(vault, scale)
    while some := list(itertools.islice(made, 5_000)):
        await patterns.insert_many(some, ordered=False)
    for first in range(0, scale.parts, 10):
        await patterns.aggregate(_copied(first, min(first + 10, scale.parts))).to_list(None)
        done = min(first + 10, scale.parts) * scale.at_once
        print(f"  {done:,} exchanges", file=sys.stderr)
    print("  their index ...", file=sys.stderr)
    await copies.create_indexes(INDEXES[EXCHANGES.name])
    await patterns.drop()


def _patterns(vault: Vault, scale: Scale) -> Iterator[JsonObject]:
    """Exchanges of the first part; `shared`: the keys that all copies have, `own`: those that get
    the part's number."""
    cards = [card_key(vault.digest(f"card{n}")) for n in range(5_000)]
    step = _SPAN / scale.at_once
    peers, modules = itertools.cycle(range(PEERS)), itertools.cycle(MODULES[2:8])
    for n in range(scale.at_once):
        direction = Direction.IN if n % 3 == 0 else Direction.OUT
        peer, module = f"peer-{next(peers)}", next(modules)
        failed = n % 50 == 7
        at = _BEGUN + n * step
        location = HOT if n % 100 == 0 else f"loc-{n % 5_000}"
        own = (f"c-{n}", f"s-{n // 20}")
        statuses: list[object] = ["failed", 503] if failed else []
        shared = [*keys_of(direction, peer, module, statuses, [location])]
        yield {
            "_id": n,
            "low": f"{first_id(at)[5:]}{n & 0xFFFFF:05x}abcdef",
            "at": at,
            "shared": [*shared, cards[n % len(cards)]] if n % 10 == 0 else shared,
            "own": own,
            "fields": {
                "took_ms": 3.2,
                "direction": direction.value,
                "peer_id": peer,
                "address": None,
                "module": module,
                "version": "2.2.1",
                "method": "PUT",
                "url": f"https://peer.example/ocpi/{module}/NL/EVC/{location}",
                "status": 503 if failed else 200,
                "ocpi_status": None if failed else 1000,
                "outcome": "failed" if failed else "ok",
                "error": None,
                "objects": [location],
                "request": {"head": "content-type: application/json", "size": 310, "cut": False},
                "response": {"head": "content-type: application/json", "size": 90, "cut": False},
            },
        }


def _copied(first: int, end: int) -> list[JsonObject]:
    """The stages that make the parts of these numbers of the patterns."""
    span_ms = _SPAN // timedelta(milliseconds=1)
    leading = int(first_id(_BEGUN)[:5], 16)
    numbered = {"$map": {"input": "$own", "in": {"$concat": ["$$this", "-", {"$toString": "$n"}]}}}
    heads = [f"{leading + n:05x}" for n in range(end)]
    made = {
        "_id": {"$concat": [{"$arrayElemAt": [heads, "$n"]}, "$low"]},
        "at": {"$add": ["$at", {"$multiply": ["$n", span_ms]}]},
        "correlation_id": {"$first": "$own"},
        "request_id": {"$first": "$own"},
        "keys": {"$concatArrays": ["$shared", numbered]},
    }
    return [
        {"$set": {"n": {"$range": [first, end]}}},
        {"$unwind": "$n"},
        {"$replaceWith": {"$mergeObjects": ["$fields", made]}},
        {"$merge": {"into": EXCHANGES.name, "whenMatched": "fail", "whenNotMatched": "insert"}},
    ]
