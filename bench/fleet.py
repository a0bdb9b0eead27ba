"""A fleet: what a heartbeat costs, thousands idle, hundreds charging, sessions from START to CDR.

EV_Registry and EV_Central (one worker, as `cpo serve` runs it) are processes of their own, and so
is the eMSP that receives; the charge points are simulated here. Processor time is what the
processes themselves used; for heartbeats, less what they use when nothing happens.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import math
import random
import statistics
import sys
import time
from collections.abc import AsyncIterator, Coroutine, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any

import httpx

from auth.charge_point_tokens import issue
from auth.credentials_header import encoded
from bench.emsp import Emsp, receiving
from bench.goals import Goal
from bench.ground import Ground, ground
from bench.processes import Server, running
from bench.simulated_charge_points import ChargePoint, Engine, Wire
from db_interface.database import Database
from db_interface.indexes import ensure_indexes
from db_interface.interface import DbInterface
from db_interface.json_data import JsonObject
from domain.charge_points.charge_point_documents import CHARGE_POINTS
from domain.charge_points.registration_store import REGISTRATIONS
from domain.objects.tariffs import owned_tariff
from domain.outbox.publishing import publish
from domain.peers.peers import Peers
from domain.peers.terms import ANY_PARTY
from domain.secrets import Vault, new_token

GOALS = {
    "registrations_per_s": Goal(at_least=200, why="new charge points at EV_Registry, one process"),
    "authentications_per_s": Goal(at_least=500, why="credentials for a token, one process"),
    "start_cpu_s": Goal(at_most=1.5, why="processor time of one worker until it is ready"),
    "heartbeat_central_ms": Goal(at_most=0.5, why="processor time; audit: 4.1"),
    "heartbeat_mongod_ms": Goal(at_most=0.3, why="processor time; audit: 2.4"),
    "idle_answered_share": Goal(at_least=1, why="of the fleet's heartbeats, within 10 s"),
    "back_after_restart_s": Goal(
        at_most=60, why="Central started again (full form: 10,000 at 30 s)"
    ),
    "unknown_after_restart": Goal(at_most=0, why="of these, taken for silent"),
    "readings_share": Goal(at_least=0.98, why="of one a second from each (full form: 500)"),
    "status_to_emsp_p99_ms": Goal(at_most=300, why="change to receipt, while these charge"),
    "begin_s": Goal(at_most=5, why="STARTs at once (full form: 200) until the last session runs"),
    "sessions_per_s": Goal(at_least=100, why="from START to the CDR at the eMSP"),
}

SECRET = "bench registry secret " * 2
KEY = "bench encryption key " * 2
ADMIN = "bench-admin-key-" * 2
METADATA = {"power_rating": "22kW", "type": "AC", "tariff_ids": ["BENCH"]}
TARIFF: JsonObject = {
    "country_code": "DE",
    "party_id": "CPO",
    "id": "BENCH",
    "currency": "EUR",
    "elements": [
        {
            "price_components": [
                {"type": "FLAT", "price": 1.0, "vat": 20, "step_size": 1},
                {"type": "ENERGY", "price": 0.5, "vat": 20, "step_size": 1},
            ]
        }
    ],
    "last_updated": "2026-01-01T00:00:00Z",
}
_AT_ONCE = 32
_LOST_S = 30
_STARTED_S = 60
_REGISTRY_S = 5
_READY_S = 120
_LATER = (429, 503)
_NO_ANSWER = 0
_ASKED_AGAIN_S = 0.5
_numbers = itertools.count()
"""A START like one before would be the same command."""


@dataclass(frozen=True)
class Scale:
    idle: int = 5000
    interval_s: float = 30.0
    idle_for_s: float = 30.0
    coming_back: int = 10_000
    """How many there are when Central starts again."""
    real: int = 540
    """Those that register over HTTP; the others of the idle ones are made in the store."""
    charging: int = 500
    charging_for_s: float = 20.0
    starts: int = 200
    authentications: int = 2000
    sessions_at_once: int = 50
    sessions_for_s: float = 15.0
    changing: int = 40
    """Of the real ones: those whose status changes meanwhile."""
    settle_s: float = 3.0
    """How long nothing happens between two measurements."""


QUICK = Scale(
    idle=1000,
    interval_s=10,
    idle_for_s=10,
    coming_back=2000,
    real=140,
    charging=100,
    charging_for_s=5,
    starts=50,
    authentications=500,
    sessions_at_once=20,
    sessions_for_s=5,
    changing=20,
    settle_s=2,
)


def run(quick: bool = False, scale: Scale | None = None) -> dict[str, float]:
    """All figures of this file; a full run takes five to ten minutes."""
    scale = scale or (QUICK if quick else Scale())
    with ground() as place, receiving() as emsp:
        return asyncio.run(_measured(place, emsp, scale))


@dataclass
class _Side:
    """The CPO's servers, and who speaks to them."""

    scale: Scale
    db: Database
    registry: Server
    central: Server
    mongod: Server
    emsp: Emsp
    token: str
    """The eMSP's."""
    engine_port: int = 0
    fleet: list[ChargePoint] = field(default_factory=list)
    by_key: dict[str, ChargePoint] = field(default_factory=dict)
    tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[None]) -> None:
        self.tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            raise RuntimeError("a charge point broke off") from task.exception()

    async def rest(self) -> None:
        """Nobody does anything any more."""
        while self.tasks:
            # More than once: Python 3.11's wait_for swallows one if what it waits for comes then.
            for task in self.tasks:
                task.cancel()
            await asyncio.wait(list(self.tasks), timeout=1.0)
            await asyncio.sleep(0)

    def cpu(self) -> tuple[float, float]:
        """Seconds of processor time of Central and mongod so far."""
        return self.central.cpu_s(), self.mongod.cpu_s()


async def _measured(place: Ground, emsp: Emsp, scale: Scale) -> dict[str, float]:
    environment = {
        "CPO_MONGO_URL": place.url,
        "CPO_ENCRYPTION_KEY": KEY,
        "REGISTRY_SECRET_KEY": SECRET,
        "REGISTRY_ADMIN_API_KEY": ADMIN,
        "CPO_ADMIN_PASSWORD": ADMIN,
        "CPO_ALLOW_PRIVATE_URLS": "true",
        "CPO_LOG_LEVEL": "WARNING",
        "REGISTRY_LOG_LEVEL": "WARNING",
        "CPO_MAX_CONNECTIONS": "12000",
        "CPO_MAX_CONNECTIONS_PER_ADDRESS": "12000",
        "CPO_MAX_FAILURES_PER_MINUTE": "0",
        "PYTHONDONTWRITEBYTECODE": "",
    }
    db = place.connect()
    await ensure_indexes(db)
    token = await prepared(db, emsp)
    figures: dict[str, float] = {}
    with contextlib.ExitStack() as stack, contextlib.ExitStack() as centrals:
        registry = stack.enter_context(running("registry", environment))
        # The very first start makes the indexes, and keeps byte code for those after it.
        with running("serve", environment) as first:
            await answering(first)
        central = centrals.enter_context(running("serve", environment))
        await answering(registry, central)
        figures["start_cpu_s"] = central.cpu_s()
        status = await db.client.admin.command("serverStatus")
        mongod = Server("mongod", 0, status["pid"])
        side = _Side(scale, db, registry, central, mongod, emsp, token)
        async with _engines(side):
            figures |= await told("registering", _registry(side))
            figures |= await told("idle", _idle(side))
            figures |= await told("restart of Central", _restart(side, centrals, environment))
            figures |= await told("charging", _charging(side))
            figures |= await told("sessions", _sessions(side))
            await side.rest()
        figures["central_memory_mb"] = side.central.memory_mb()
        # What could not be measured is missed.
        figures |= {name: math.nan for name in GOALS if name not in figures}
        for one in side.fleet:
            one.close()
    db.close()
    return figures


async def told(what: str, figures: Coroutine[Any, Any, dict[str, float]]) -> dict[str, float]:
    """A part of it, and how long it takes: the whole takes minutes. A part that cannot be done
    is said, and is no reason to know nothing of the others."""
    began, said = time.monotonic(), ""
    found: dict[str, float] = {}
    try:
        found = await figures
    except (RuntimeError, asyncio.TimeoutError, OSError) as error:
        said = f", and not done: {str(error) or type(error).__name__}"
    print(f"  {what}: {time.monotonic() - began:.0f} s{said}", file=sys.stderr)
    return found


async def answering(*servers: Server) -> None:
    """Return when each of them says that it can work; one that just starts may answer late."""
    asked = {"registry": ("/", '"status":"ok"'), "serve": ("/readyz", '"ready":true')}
    async with httpx.AsyncClient() as client:
        for server in servers:
            path, word = asked[server.name]
            url = f"http://127.0.0.1:{server.port}{path}"
            deadline, said = time.monotonic() + _READY_S, ""
            while word not in said:
                if time.monotonic() > deadline:
                    raise RuntimeError(f"{server.name} is not ready: {said[:500]}")
                await asyncio.sleep(0.1)
                with contextlib.suppress(httpx.TransportError):
                    said = (await client.get(url)).text.replace(" ", "")


async def prepared(db: Database, emsp: Emsp) -> str:
    """A tariff and a connected eMSP; its token."""
    store, peers = DbInterface(db), Peers(db, Vault(KEY))
    await store.transact(lambda tx: publish(store, "tariffs", owned_tariff(TARIFF), tx))
    now = datetime.now(timezone.utc)
    peer, _ = await peers.invite("bench", now, ANY_PARTY)
    token = new_token()
    await peers.connect(
        peer.peer_id,
        our_token=token,
        their_token=new_token(),
        now=now,
        roles=[{"role": "EMSP", "country_code": "DE", "party_id": "EMS"}],
        endpoints=[
            {
                "identifier": module,
                "role": "RECEIVER",
                "url": f"http://127.0.0.1:{emsp.port}/{module}",
            }
            for module in ("locations", "sessions", "cdrs")
        ],
    )
    return token


@contextlib.asynccontextmanager
async def _engines(side: _Side) -> AsyncIterator[None]:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Engine(side.by_key, side.spawn), "127.0.0.1", 0)
    side.engine_port = server.sockets[0].getsockname()[1]
    try:
        yield
    finally:
        server.close()


async def _each(work: Sequence[Coroutine[Any, Any, None]], at_once: int = _AT_ONCE) -> float:
    """Seconds until all is done, so much at once."""
    left = iter(work)

    async def one_after_another() -> None:
        for one in left:
            await one

    began = time.perf_counter()
    await asyncio.gather(*(one_after_another() for _ in range(at_once)))
    return time.perf_counter() - began


async def _registry(side: _Side) -> dict[str, float]:
    """Register and authenticate at EV_Registry, then register at Central; the rest of the fleet
    gets copies of what these have in the store."""
    scale, credentials = side.scale, {}
    wires = [Wire(side.registry.port) for _ in range(_AT_ONCE)]
    free = list(wires)

    async def ask(path: str, body: JsonObject, *headers: str) -> JsonObject:
        wire = free.pop()
        status, answer = await asked_until_taken(wire, _REGISTRY_S, path, body, *headers)
        free.append(wire)
        if status != 200:
            raise RuntimeError(f"EV_Registry answers {status} {answer}")
        return answer

    async def register(cp_id: str) -> None:
        body = {"cp_id": cp_id, "location": "Berlin", "metadata": METADATA}
        answer = await ask("/cp/register", body, f"X-Registry-API-Key: {ADMIN}")
        credentials[cp_id] = answer["credentials"]

    async def authenticate(cp_id: str) -> None:
        await ask("/cp/authenticate", {"cp_id": cp_id, "credentials": credentials[cp_id]})

    names = [f"CP-{n:05d}" for n in range(scale.real)]
    registering = await _each([register(name) for name in names])
    spent = side.registry.cpu_s()
    again = itertools.islice(itertools.cycle(names), scale.authentications)
    authenticating = await _each([authenticate(name) for name in again])
    spent = side.registry.cpu_s() - spent
    for wire in wires:
        wire.close()
    side.fleet = [_charge_point(side, name) for name in names]
    coming_back = await _each([one.register(side.engine_port) for one in side.fleet])
    side.by_key.update({one.key: one for one in side.fleet})
    await _each([one.beat() for one in side.fleet])
    await _copied(side, scale.idle)
    return {
        "registrations_per_s": scale.real / registering,
        "authentications_per_s": scale.authentications / authenticating,
        "authentication_registry_ms": spent / scale.authentications * 1000,
        "registrations_at_central_per_s": scale.real / coming_back,
    }


def _charge_point(side: _Side, name: str) -> ChargePoint:
    token, _ = issue(
        SECRET,
        cp_id=name,
        location="Berlin",
        token_version=1,
        lifetime=timedelta(hours=2),
        now=datetime.now(timezone.utc),
    )
    return ChargePoint(name, token, side.central.port, interval_s=side.scale.interval_s)


async def _copied(side: _Side, whole: int) -> None:
    """The rest of the `whole` fleet, made in the store out of the last that is really there."""
    template = side.fleet[side.scale.real - 1].cp_id
    record = await REGISTRATIONS.of(side.db).find_one({"_id": template})
    known = await CHARGE_POINTS.of(side.db).find_one({"_id": template})
    assert record is not None
    assert known is not None
    numbers = range(len(side.fleet), whole)
    names = [f"CP-{n:05d}" for n in numbers]
    await REGISTRATIONS.of(side.db).insert_many(
        [
            {
                **record,
                "_id": name,
                "folded_id": name.lower(),
                "site_id": name.lower(),
            }
            for name in names
        ]
    )
    await CHARGE_POINTS.of(side.db).insert_many([{**known, "_id": name} for name in names])
    side.fleet += [_charge_point(side, name) for name in names]


async def _idle(side: _Side) -> dict[str, float]:
    scale = side.scale
    quiet_for_s = scale.settle_s
    before = side.cpu()
    await asyncio.sleep(quiet_for_s)
    quiet = [(now - then) / quiet_for_s for now, then in zip(side.cpu(), before, strict=True)]
    for one in side.fleet:
        one.latencies.clear()
        side.spawn(one.live(random.random()))
    await asyncio.sleep(scale.interval_s)  # each has come once: what is measured is every day's
    first = sum(len(one.latencies) for one in side.fleet)
    before, began = side.cpu(), time.perf_counter()
    await asyncio.sleep(scale.idle_for_s)
    seconds = time.perf_counter() - began
    after = side.cpu()
    latencies = [value for one in side.fleet for value in one.latencies]
    beats = len(latencies) - first
    used = [
        (now - then - seconds * idle) / beats * 1000
        for now, then, idle in zip(after, before, quiet, strict=True)
    ]
    lost = sum(one.unheard + one.shed for one in side.fleet)
    return {
        "heartbeats_per_s": beats / seconds,
        "heartbeat_central_ms": used[0],
        "heartbeat_mongod_ms": used[1],
        "heartbeat_p99_ms": p99(latencies) * 1000,
        "idle_answered_share": 1 - lost / len(latencies),
        "idle_unknown": float(await CHARGE_POINTS.of(side.db).count({"ocpi_status": "UNKNOWN"})),
    }


async def _restart(
    side: _Side, centrals: contextlib.ExitStack, environment: dict[str, str]
) -> dict[str, float]:
    """Central ends and starts again; until each charge point has had an answer."""
    await _copied(side, side.scale.coming_back)
    more = [side.spawn(one.live(random.random())) for one in side.fleet[side.scale.idle :]]
    await asyncio.sleep(side.scale.settle_s)
    ended = time.monotonic()
    # In a thread: the charge points go on meanwhile, and find nobody.
    await asyncio.to_thread(centrals.close)
    again = running("serve", environment, port=side.central.port)
    side.central = await asyncio.to_thread(centrals.enter_context, again)
    await answering(side.central)
    ready = time.monotonic()
    deadline = ready + 4 * side.scale.interval_s
    first: dict[str, float] = {}
    while len(first) < len(side.fleet) and time.monotonic() < deadline:
        await asyncio.sleep(0.1)
        for one in side.fleet:
            if one.heard_at >= ready:
                first.setdefault(one.cp_id, one.heard_at)
    for task in more:
        task.cancel()
    away = len(side.fleet) - len(first)
    return {
        "restart_s": ready - ended,
        "back_after_restart_s": math.nan if away else max(first.values()) - ready,
        "not_back_after_restart": float(away),
        "unknown_after_restart": float(
            await CHARGE_POINTS.of(side.db).count({"ocpi_status": "UNKNOWN"})
        ),
    }


async def _charging(side: _Side) -> dict[str, float]:
    """Sessions begin by START; then readings, and status changes of others meanwhile."""
    scale = side.scale
    charging = side.fleet[: scale.charging]
    changing = side.fleet[scale.charging : scale.charging + scale.changing]
    began = time.perf_counter()
    await asyncio.gather(*(_start(side, one) for one in charging[: scale.starts]))
    begin_s = time.perf_counter() - began
    await _each([_start(side, one) for one in charging[scale.starts :]])
    for one in charging:
        one.latencies.clear()
        side.spawn(one.charge(1.0, random.random()))
    await asyncio.sleep(scale.settle_s)
    side.emsp.came()
    first, before = sum(len(one.latencies) for one in charging), side.cpu()
    measured_at = time.perf_counter()
    changes = await _status_changes(side, changing, scale.charging_for_s)
    seconds = time.perf_counter() - measured_at
    after = side.cpu()
    latencies = [value for one in charging for value in one.latencies]
    readings = len(latencies) - first
    return {
        "begin_s": begin_s,
        "readings_per_s": readings / seconds,
        "readings_share": readings / seconds / len(charging),
        "reading_central_ms": (after[0] - before[0]) / readings * 1000,
        "reading_mongod_ms": (after[1] - before[1]) / readings * 1000,
        "reading_p99_ms": p99(latencies) * 1000,
        "status_to_emsp_p50_ms": statistics.median(changes),
        "status_to_emsp_p99_ms": p99(changes),
    }


async def _start(side: _Side, one: ChargePoint) -> None:
    """START_SESSION, until the charge point's first telemetry of the session is acknowledged."""
    wire, number = Wire(side.central.port), str(next(_numbers))
    place = {"location_id": one.cp_id, "evse_uid": one.cp_id, "connector_id": "1"}
    body: JsonObject = {
        "response_url": f"http://127.0.0.1:{side.emsp.port}/results/{number}",
        "token": card(one.cp_id),
        **place,
    }
    # Where no answer came in time, too: the same START again is the same command.
    status, answer = await asked_until_taken(
        wire,
        _STARTED_S,
        "/ocpi/cpo/2.2.1/commands/START_SESSION",
        body,
        f"Authorization: {encoded(side.token)}",
        "X-Request-ID: bench",
        f"X-Correlation-ID: {number}",
        again_on=(_NO_ANSWER, *_LATER),
    )
    wire.close()
    if status != 200 or (answer.get("data") or {}).get("result") != "ACCEPTED":
        raise RuntimeError(f"START_SESSION: {status} {answer}")
    await asyncio.wait_for(one.began.wait(), _STARTED_S)


async def asked_until_taken(
    wire: Wire,
    within_s: float,
    path: str,
    body: JsonObject,
    *headers: str,
    again_on: Sequence[int] = _LATER,
) -> tuple[int, JsonObject]:
    """The answer; for so long asked again while it is "later"."""
    deadline = time.monotonic() + within_s
    while True:
        status, answer = await wire.post(path, body, *headers)
        if status not in again_on or time.monotonic() >= deadline:
            return status, answer
        await asyncio.sleep(_ASKED_AGAIN_S)


def card(name: str) -> JsonObject:
    return {
        "country_code": "DE",
        "party_id": "EMS",
        "uid": name,
        "type": "APP_USER",
        "contract_id": f"DE-EMS-{name}",
        "issuer": "bench",
        "valid": True,
        "whitelist": "ALWAYS",
        "last_updated": "2026-01-01T00:00:00Z",
    }


async def _status_changes(
    side: _Side, changing: Sequence[ChargePoint], seconds: float, per_s: float = 10
) -> list[float]:
    """Milliseconds from before each change to its receipt; each charge point changes again only
    when the eMSP knows of the last change, and every change is late from when it was due. One that
    is not there by then counts as half a minute."""
    waiting: dict[str, float] = {}
    taken: list[float] = []
    turns = itertools.cycle(changing)
    begin = time.monotonic()
    for number in range(int(seconds * per_s)):
        due = begin + number / per_s
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        _receive(side, waiting, taken)
        one = next(turns)
        while one.cp_id in waiting and time.monotonic() < due + _LOST_S:
            await asyncio.sleep(0.01)
            _receive(side, waiting, taken)
        if waiting.pop(one.cp_id, None) is not None:
            taken.append(_LOST_S * 1000.0)
        waiting[one.cp_id] = due
        side.spawn(one.toggle())
    deadline = time.monotonic() + _LOST_S
    while waiting and time.monotonic() < deadline:
        await asyncio.sleep(0.05)
        _receive(side, waiting, taken)
    return [*taken, *(_LOST_S * 1000.0 for _ in waiting)]


def _receive(side: _Side, waiting: dict[str, float], taken: list[float]) -> None:
    for path, _, at in side.emsp.came():
        part = path.split("/")
        due = waiting.get(part[-1]) if part[1] == "locations" else None
        if due is not None and at > due:
            taken.append((at - due) * 1000)
            del waiting[part[-1]]


async def _sessions(side: _Side) -> dict[str, float]:
    """Sessions one after another at so many charge points at once, until time is up."""
    scale = side.scale
    await side.rest()
    charging = side.fleet[: scale.charging]
    await _each([one.end() for one in charging])
    await asyncio.sleep(scale.settle_s)
    side.emsp.came()
    before, began = side.cpu(), time.perf_counter()
    deadline, never_began = began + scale.sessions_for_s, 0

    async def sessions_at(ones: Sequence[ChargePoint]) -> None:
        nonlocal never_began
        for one in itertools.cycle(ones):
            if time.perf_counter() > deadline:
                return
            try:
                await _start(side, one)
            except asyncio.TimeoutError:  # Central gave the command up
                never_began += 1
                continue
            await one.meter(100.0)
            await one.end()

    parts = [charging[n :: scale.sessions_at_once] for n in range(scale.sessions_at_once)]
    await asyncio.gather(*(sessions_at(part) for part in parts))
    seconds = time.perf_counter() - began
    after = side.cpu()
    await asyncio.sleep(scale.settle_s)
    cdrs = sum(path.startswith("/cdrs") for path, _, _ in side.emsp.came())
    if not cdrs:
        raise RuntimeError("no CDR came")
    return {
        "sessions_per_s": cdrs / seconds,
        "sessions_that_never_began": float(never_began),
        "session_central_ms": (after[0] - before[0]) / cdrs * 1000,
        "session_mongod_ms": (after[1] - before[1]) / cdrs * 1000,
    }


def p99(values: Sequence[float]) -> float:
    cuts = statistics.quantiles(values, n=100)
    return cuts[98]
