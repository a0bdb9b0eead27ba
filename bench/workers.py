"""One worker against several, on one store: pages, single objects, pushes; and many peers that
pull while much is pushed.

`cpo serve --workers N` as it runs in the product. Reading is measured in short slices by turns;
pushing, one number of workers after the other. What the receiving eMSP got is checked: a backlog
arrives once and no more, and the changes of an object arrive in their order.

Figures begin with the number of workers. `..._of_one_...` is several workers' rate to one's,
`..._cpu_ms` what one answer costs the workers and mongod in processor time: on a host where these
and the generator share the cores, `several_of_one_pages_cpu` says what sharing costs (1: nothing);
`..._at_50` was measured at so many changes a second, `asking_on_...` is what ten more peers wait
who ask every second for what has changed, by `date_from`, `held_over_50ms_...` is how often the
event loop of any worker was held for longer (its own metric).
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import statistics
import string
import subprocess
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from functools import partial

import httpx

from auth.credentials_header import encoded
from bench import cpo, locations
from bench.emsp import Emsp, receiving
from bench.goals import Goal
from bench.ground import Ground, ground
from bench.held_up import times_held
from bench.measuring import passed_over, told
from bench.processes import Generator, Server, generating, running, talking
from db_interface.database import Database
from db_interface.interface import DbInterface
from db_interface.json_data import JsonObject
from db_interface.owned_objects import OwnedObject, party_key
from db_interface.transaction import Tx
from domain.objects.locations import owned_location
from domain.outbox import push_lanes
from domain.outbox.publishing import publish_again, publish_all
from domain.outbox.stamping import stamp_at
from domain.peers.claims import BY_PEER, CLAIMS, ClaimDocument
from domain.peers.peer_document import PEERS, PeerDocument
from domain.peers.peers import Peers
from domain.peers.statuses import CONNECTED, SUSPENDED
from domain.peers.terms import ANY_PARTY
from domain.secrets import Vault, new_token
from domain.times import format_datetime
from domain.upgrades.upgrade import make_ready
from domain.versions import INNER_VERSION

ONE, SEVERAL = 1, 2
CONNECTIONS = 16
RATES = (50, 100, 200)
"""Changes a second while others pull: the last is what is asked for, the others show where it
ends."""
CHANGED_TOGETHER = 10
"""Changes that come at the same moment are one transaction, as the product makes them."""
UNDER_WAY = 4
"""Transactions that change, at a time: lists wait for those that began before they were asked for,
so that more of them at once would measure how long a transaction waits for others."""
RECEIVERS = 2
PULL_EVERY_S = 1.0
ASKING_ON = 10
"""Peers that ask for what has changed, besides those that read the whole list by its Links: each of
their pages is the first of a pull, which waits for what is under way."""
_ALL_UP_WITHIN_S = 20.0
_CHUNK = 1000
_DIGITS = string.digits + string.ascii_uppercase
_LIST = "/ocpi/cpo/2.2.1/locations"
_FIRST_PAGE = f"{_LIST}?limit=50"

GOALS = {
    "several_of_one_pages": Goal(at_least=1.5, why="pages/s, two workers / one, on two cores"),
    "delivered_twice": Goal(at_most=0, why="objects of a backlog that came more than once"),
    "changed_per_s_at_200": Goal(at_least=190, why="changes/s meanwhile, of 200"),
    "held_over_50ms_at_200": Goal(at_most=0, why="the event loop of a worker meanwhile"),
    **{
        name: goal
        for per_s in RATES
        for name, goal in (
            (
                f"pulling_p99_ms_at_{per_s}",
                Goal(at_most=50, why="a page, 100 of 10,000 peers pull"),
            ),
            (f"out_of_order_at_{per_s}", Goal(at_most=0, why="changes after a later one")),
            (f"lost_at_{per_s}", Goal(at_most=0, why="objects whose last state never came")),
        )
    },
}


@dataclass(frozen=True)
class Scale:
    locations: int = 5000
    peers: int = 10_000
    pulling: int = 100
    rounds: int = 4
    slice_s: float = 2.0
    mixed_s: float = 20.0


QUICK = Scale(locations=600, peers=300, pulling=20, rounds=2, slice_s=0.5, mixed_s=4)


def run(quick: bool = False, scale: Scale | None = None) -> dict[str, float]:
    scale = scale or (QUICK if quick else Scale())
    with ground() as place, receiving() as emsp, generating() as generator:
        side = asyncio.run(_Side.made(place, emsp, scale))
        figures = asyncio.run(told("reading by turns", _reading(side, generator)))
        for workers in (ONE, SEVERAL):
            figures |= asyncio.run(told(f"a backlog, {workers} pushing", _backlog(side, workers)))
        several = figures.get(f"{SEVERAL}_delivered_per_s", 0.0)
        figures["several_of_one_pushes"] = several / (figures.get(f"{ONE}_delivered_per_s") or 1)
        figures["delivered_twice"] = float(side.twice)
        for per_s in RATES:
            what = f"pulling while {per_s} changes a second are pushed"
            found = asyncio.run(told(what, _mixed(side, per_s)))
            figures |= {f"{name}_at_{per_s}": value for name, value in found.items()}
        return figures


class _Side:
    """A store with locations, peers that pull, and peers that receive."""

    def __init__(self, place: Ground, emsp: Emsp, scale: Scale, tokens: list[str]) -> None:
        self.place, self.emsp, self.scale, self.tokens = place, emsp, scale, tokens
        self.rows = [locations.location(n) for n in range(scale.locations)]
        self.changes = 0
        self.twice = 0

    @classmethod
    async def made(cls, place: Ground, emsp: Emsp, scale: Scale) -> _Side:
        db = place.connect()
        await make_ready(DbInterface(db))
        tokens = [new_token() for _ in range(scale.pulling)]
        await _peers_that_pull(db, scale.peers, tokens)
        side = cls(place, emsp, scale, tokens)
        peers, now = Peers(db, Vault(cpo.KEY)), datetime.now(timezone.utc)
        for number in range(RECEIVERS):
            await side._receiver(peers, number, now)
        db.close()
        return side

    async def _receiver(self, peers: Peers, number: int, now: datetime) -> None:
        """One that has been connected for long: a new one is sent once more, a minute later, what
        has changed around then, which would come into the middle of what is measured."""
        peer, _ = await peers.invite(f"receiver {number}", now, ANY_PARTY)
        await peers.connect(
            peer.peer_id,
            our_token=new_token(),
            their_token=new_token(),
            now=now,
            roles=[{"role": "EMSP", "country_code": "DE", "party_id": f"R{number:02}"}],
            endpoints=[
                {
                    "identifier": "locations",
                    "role": "RECEIVER",
                    "url": f"http://127.0.0.1:{self.emsp.port}/{number}/locations",
                }
            ],
        )
        await push_lanes.greeted(peers.db, [peer.peer_id], now)
        await push_lanes.settled(peers.db, peer.peer_id)

    @contextlib.contextmanager
    def serving(self, workers: int, *, push: bool = True) -> Iterator[Server]:
        environment = cpo.settings(
            self.place, CPO_PUSH=str(push).lower(), CPO_PEER_REQUESTS_PER_MINUTE="0"
        )
        with running("serve", environment, arguments=("--workers", str(workers))) as server:
            yield server

    async def fill(self, store: DbInterface) -> None:
        """All the locations, none of them changed yet."""
        for start in range(0, len(self.rows), 200):
            owned = [owned_location(row) for row in self.rows[start : start + 200]]
            await store.transact(partial(_put_new, owned))

    async def change(self, store: DbInterface, rows: Sequence[JsonObject]) -> None:
        """A new name for each of these locations, in one transaction."""
        for row in rows:
            self.changes += 1
            row["name"] = f"change {self.changes}"
        owned = [owned_location(row) for row in rows]
        await store.transact(partial(_change, owned))

    async def all_pushed(self, store: DbInterface) -> None:
        while await store.db["marks"].find_one({}, {"_id": 1}):  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def _peers_that_pull(db: Database, number: int, tokens: Sequence[str]) -> None:
    """So many peers as they are when they have been connected for long, the first of them with
    these tokens; they take no pushes."""
    vault, now = Vault(cpo.KEY), db.now() - timedelta(days=1)
    peers: list[PeerDocument] = []
    claims: list[ClaimDocument] = []
    lanes: list[push_lanes.PushLane] = []
    for nth in range(number):
        token = tokens[nth] if nth < len(tokens) else f"{nth}"
        peer_id, party_id = f"peer-{nth}", _party_id(nth)
        party = party_key("DE", party_id)
        peers.append(
            {
                "_id": peer_id,
                "name": f"Peer {nth}",
                "status": CONNECTED,
                "created": now,
                "updated": now,
                "token_hashes": [
                    {"hash": vault.digest(token), "kind": "C", "since": now, "kid": vault.kid}
                ],
                "roles": [{"role": "EMSP", "country_code": "DE", "party_id": party_id}],
                "parties": [party],
                "audiences": [party],
                "endpoints": [],
                "version": INNER_VERSION.number,
                "last_seen": db.now(),
            }
        )
        claims.append(
            {
                "_id": party,
                "peer_id": peer_id,
                "last": peer_id,
                "since": now,
                "by": BY_PEER,
                "history": [party],
                "audiences": [party],
            }
        )
        lanes.append({"_id": peer_id, "greeted": True, "owner": "", "until": now, "failures": 0})
    for start in range(0, number, _CHUNK):
        chunk = slice(start, start + _CHUNK)
        await PEERS.of(db).insert_many(peers[chunk])
        await CLAIMS.of(db).insert_many(claims[chunk])
        await push_lanes.LANES.of(db).insert_many(lanes[chunk])


def _party_id(number: int) -> str:
    """Three characters of its own."""
    return "".join(_DIGITS[number // 36**place % 36] for place in (2, 1, 0))


async def _put_new(owned: Sequence[OwnedObject], tx: Tx) -> None:
    await publish_all(tx.store, "locations", owned, tx)


async def _change(owned: Sequence[OwnedObject], tx: Tx) -> None:
    """As what changes together is written: read in one go, written in one."""
    known = await tx.store.objects("locations").present([obj.key for obj in owned], tx)
    stamp = stamp_at(tx.now)
    states = [(known[obj.key], stamp(obj, known[obj.key])) for obj in owned]
    await publish_again(tx.store, "locations", states, tx)


def _head(token: str) -> dict[str, str]:
    return {
        "Authorization": encoded(token),
        "X-Request-ID": "7f5d2c1e-3a54-4f0b-9b58-0c9c1d7b2a10",
        "X-Correlation-ID": "b3c9a4d2-8e61-4c7d-a1f4-5e2f6d3c8b21",
    }


async def _backlog(side: _Side, workers: int) -> dict[str, float]:
    """Every location to every receiver: how many a second, and whether any came twice."""
    db = side.place.connect()
    store = DbInterface(db)
    await _receivers_are(db, SUSPENDED)
    for start in range(0, len(side.rows), 200):
        await side.change(store, side.rows[start : start + 200])
    side.emsp.came()
    with side.serving(workers) as server:
        await _all_up(server, workers)
        await _receivers_are(db, CONNECTED)
        await side.all_pushed(store)
    db.close()
    came = side.emsp.came()
    times = [at for _, _, at in came]
    side.twice += sum(number - 1 for number in Counter(path for path, _, _ in came).values())
    if len(came) < RECEIVERS * len(side.rows):
        raise RuntimeError(f"{len(came)} of {RECEIVERS * len(side.rows)} objects arrived")
    return {f"{workers}_delivered_per_s": (len(came) - 1) / (max(times) - min(times))}


async def _receivers_are(db: Database, status: str) -> None:
    """Suspended, they are owed all that changes; connected, they are sent it."""
    await db["peers"].update_many({"name": {"$regex": "^receiver"}}, {"$set": {"status": status}})


async def _all_up(server: Server, workers: int) -> None:
    """Return when each worker serves: one alone has no more than fifty looks at its loop a second.
    On a host that is too busy to tell, after a while."""
    await cpo.answering(server)
    deadline = time.monotonic() + _ALL_UP_WITHIN_S
    looks, rate = (await times_held(server))[1], 0.0
    while rate < 50 * (workers - 0.5) and time.monotonic() < deadline:
        began = time.monotonic()
        await asyncio.sleep(1)
        before, looks = looks, (await times_held(server))[1]
        rate = (looks - before) / (time.monotonic() - began)


async def _reading(side: _Side, generator: Generator) -> dict[str, float]:
    """Pages and single objects a second, in slices by turns."""
    db = side.place.connect()
    await side.fill(DbInterface(db))
    await db["marks"].delete_many({})
    db.close()
    head, found = _head(side.tokens[0]), dict[str, list[float]]()
    mongod = Server("mongod", 0, await _mongod(side))
    with side.serving(ONE, push=False) as one, side.serving(SEVERAL, push=False) as several:
        await _all_up(one, ONE)
        await _all_up(several, SEVERAL)
        asked = {
            "pages": await _pages(one, head),
            "single": [
                f"{_LIST}/{row['id']}" for row in side.rows[:: max(1, len(side.rows) // 500)]
            ],
        }
        for _ in range(side.scale.rounds):
            for what, paths in asked.items():
                for workers, server in ((ONE, one), (SEVERAL, several)):
                    spent = server.cpu_s() + mongod.cpu_s()
                    done = generator.send(
                        server, paths, head, connections=CONNECTIONS, seconds=side.scale.slice_s
                    )
                    spent = server.cpu_s() + mongod.cpu_s() - spent
                    rate, cpu_ms = done["answers"] / done["seconds"], spent * 1000 / done["answers"]
                    found.setdefault(f"{workers}_{what}_per_s", []).append(rate)
                    found.setdefault(f"{workers}_{what}_cpu_ms", []).append(cpu_ms)
    figures = {name: statistics.median(values) for name, values in found.items()}
    for what in asked:
        for name, figure in (("", "per_s"), ("_cpu", "cpu_ms")):
            one_s, several_s = (figures[f"{number}_{what}_{figure}"] for number in (ONE, SEVERAL))
            figures[f"several_of_one_{what}{name}"] = several_s / one_s
    return figures


async def _mongod(side: _Side) -> int:
    """Its process."""
    db = side.place.connect()
    status = await db.client.admin.command("serverStatus")
    db.close()
    return int(status["pid"])


async def _pages(server: Server, head: dict[str, str]) -> list[str]:
    """The paths of a crawl by the Links that are handed out."""
    base_url = f"http://127.0.0.1:{server.port}"
    paths: list[str] = []
    path: str | None = _FIRST_PAGE
    async with httpx.AsyncClient(base_url=base_url, headers=head, timeout=30) as client:
        while path is not None:
            answer = await client.get(path)
            paths.append(path)
            path = answer.links.get("next", {}).get("url", "").removeprefix(base_url) or None
    return paths


async def _mixed(side: _Side, per_s: int) -> dict[str, float]:
    """Peers that pull a page a second each, while so many changes a second are made and pushed."""
    db = side.place.connect()
    store = DbInterface(db)
    side.emsp.came()
    before_all = side.changes
    with (
        side.serving(SEVERAL) as server,
        talking("bench.pulling") as crawlers,
        talking("bench.pulling") as those_that_ask_on,
    ):
        await _all_up(server, SEVERAL)
        await side.change(store, side.rows[:CHANGED_TOGETHER])
        await side.all_pushed(store)
        before = await times_held(server)
        since = format_datetime(db.now())
        tokens = side.tokens
        answers = asyncio.gather(
            _pulled(side, crawlers, server, _FIRST_PAGE, tokens, follows=True),
            _pulled(
                side,
                those_that_ask_on,
                server,
                f"{_FIRST_PAGE}&date_from={since}",
                tokens[:ASKING_ON],
                follows=False,
            ),
        )
        with passed_over():
            made = await _changing(side, store, per_s)
            pulled, asked_on = await answers
        after = await times_held(server)
        await side.all_pushed(store)
    db.close()
    cuts, first = (_hundredths(each["latencies_ms"]) for each in (pulled, asked_on))
    long, timers = (now - then for now, then in zip(after, before, strict=True))
    return {
        "pulled_per_s": pulled["answers"] / side.scale.mixed_s,
        "changed_per_s": made,
        "pulling_p50_ms": cuts[49],
        "pulling_p99_ms": cuts[98],
        "asking_on_p50_ms": first[49],
        "asking_on_p95_ms": first[94],
        "held_over_50ms": long,
        "held_over_50ms_of_timers": long / timers,
        **_in_order(side, before_all),
    }


def _hundredths(latencies_ms: Sequence[float]) -> list[float]:
    return statistics.quantiles(latencies_ms, n=100)


async def _pulled(
    side: _Side,
    peers: subprocess.Popen[str],
    server: Server,
    path: str,
    tokens: Sequence[str],
    *,
    follows: bool,
) -> JsonObject:
    """What bench/pulling.py says of them. Raises RuntimeError when an answer was not 200."""
    job = {
        "port": server.port,
        "path": path,
        "follows": follows,
        "every_s": PULL_EVERY_S,
        "seconds": side.scale.mixed_s,
        "heads": [
            "".join(f"{name}: {value}\r\n" for name, value in _head(token).items())
            for token in tokens
        ],
    }
    assert peers.stdin and peers.stdout
    peers.stdin.write(json.dumps(job) + "\n")
    peers.stdin.flush()
    pulled: JsonObject = json.loads(await asyncio.to_thread(peers.stdout.readline))
    if pulled["failures"]:
        raise RuntimeError(f"{pulled['failures']} pages were not 200")
    return pulled


async def _changing(side: _Side, store: DbInterface, per_s: int) -> float:
    """Changes at their rate, one location after the other; how many a second there were."""
    number = int(side.scale.mixed_s * per_s / CHANGED_TOGETHER)
    begin, under_way = time.monotonic(), set[asyncio.Task[None]]()
    for nth in range(number):
        due = begin + nth * CHANGED_TOGETHER / per_s
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        first = nth * CHANGED_TOGETHER % (len(side.rows) - CHANGED_TOGETHER + 1)
        rows = side.rows[first : first + CHANGED_TOGETHER]
        if len(under_way) >= UNDER_WAY:
            await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)
        task = asyncio.create_task(side.change(store, rows))
        under_way.add(task)
        task.add_done_callback(under_way.discard)
    if under_way:
        await asyncio.wait(under_way)
    return number * CHANGED_TOGETHER / (time.monotonic() - begin)


def _in_order(side: _Side, before: int) -> dict[str, float]:
    """What the receivers got, held against what was changed after the first `before` changes."""
    latest: dict[tuple[str, str], int] = {}
    late = 0
    for path, name, _ in side.emsp.came():
        _, receiver, *_, location_id = path.split("/")
        number = _number(name)
        place = receiver, location_id.lower()
        late += number < latest.get(place, 0)
        latest[place] = max(number, latest.get(place, 0))
    wanted = {row["id"].lower(): _number(row["name"]) for row in side.rows}
    lost = sum(
        latest.get((str(receiver), location_id)) != number
        for receiver in range(RECEIVERS)
        for location_id, number in wanted.items()
        if number > before
    )
    return {"out_of_order": float(late), "lost": float(lost)}


def _number(name: str) -> int:
    """Which change gave it; 0: none has."""
    return int(name.removeprefix("change ")) if name.startswith("change ") else 0
