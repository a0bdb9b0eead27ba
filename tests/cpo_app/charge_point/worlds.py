"""What the charge point's tests stand on: a clock to turn, and servers that play the other side."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, ClassVar

import jwt
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from cpo_app.charge_point.engine import Engine
from cpo_app.charge_point.evse import Evse, EvseConfig
from cpo_app.charge_point.monitor import Monitor
from cpo_app.charge_point.power import Car, Supply
from cpo_app.charge_point.serving import listen, serve
from cpo_app.charge_point.settings import EngineSettings, MonitorSettings
from db_interface.backoff import Backoff

QUICK = Backoff(first_s=0.01, max_s=0.05)
NOON = datetime(2024, 5, 1, 12, 0, 0, tzinfo=timezone.utc)


class FakeClock:
    def __init__(self) -> None:
        self.passed_s = 0.0
        self.wall_off_s = 0.0
        """What somebody set the wall clock by."""

    def turn(self, seconds: float) -> None:
        self.passed_s += seconds

    def monotonic(self) -> float:
        return 1000.0 + self.passed_s

    def now(self) -> datetime:
        return NOON + timedelta(seconds=self.passed_s + self.wall_off_s)


class Story:
    """An EVSE on a fake clock, with everything that it reports."""

    def __init__(self, *, dc: bool = False, soc: float = 0.2, **config: Any) -> None:
        self.clock = FakeClock()
        self.messages: list[tuple[str, dict[str, Any]]] = []
        supply = Supply(22_000, 400 if dc else 230, 1 if dc else 3, dc)
        self.car = Car(60_000, soc, 50_000)
        self.evse = Evse(supply, EvseConfig(self.car, **config), self.clock, self._hear)

    def _hear(self, kind: str, fields: dict[str, Any]) -> None:
        self.messages.append((kind, fields))

    def pass_time(self, seconds: float) -> None:
        self.clock.turn(seconds)
        self.evse.tick()

    def kinds(self) -> list[str]:
        return [kind for kind, _ in self.messages]

    def last(self, kind: str) -> dict[str, Any]:
        return [fields for k, fields in self.messages if k == kind][-1]


async def until(condition: Callable[[], Any], timeout_s: float = 20) -> Any:
    """Wait until `condition` is true; its value."""
    deadline = time.monotonic() + timeout_s
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, "waited in vain"
        await asyncio.sleep(0.01)


@contextlib.asynccontextmanager
async def running(work: Any) -> AsyncIterator[asyncio.Task[Any]]:
    """Run the coroutine beside the test, cancel it at the end."""
    task = asyncio.create_task(work)
    try:
        yield task
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


class FakeServer:
    """A Starlette app on a loopback port that can go away and come back on the same port."""

    routes: ClassVar[dict[str, str]]

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, Any], dict[str, str]]] = []
        self.port = 0
        self._task: asyncio.Task[None] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def count(self, path: str) -> int:
        return sum(1 for called, _, _ in self.calls if called == path)

    async def up(self) -> None:
        listener = listen("127.0.0.1", self.port)
        self.port = listener.getsockname()[1]
        app = Starlette(
            routes=[
                Route(path, self._recording(getattr(self, name)), methods=["POST"])
                for path, name in self.routes.items()
            ]
        )
        self._task = asyncio.create_task(serve(app, listener))

    async def down(self) -> None:
        task, self._task = self._task, None
        if task:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    def _recording(self, handler: Callable[[dict[str, Any], dict[str, str]], Any]) -> Any:
        async def endpoint(request: Request) -> JSONResponse:
            body, headers = await request.json(), dict(request.headers)
            self.calls.append((request.url.path, body, headers))
            status, answer = handler(body, headers)
            return JSONResponse(answer, status)

        return endpoint


class FakeRegistry(FakeServer):
    """EV_Registry's two answers a monitor lives on."""

    routes: ClassVar[dict[str, str]] = {
        "/cp/register": "register",
        "/cp/authenticate": "authenticate",
    }

    def __init__(self) -> None:
        super().__init__()
        self.credentials: dict[str, str] = {}
        self.deregistered: set[str] = set()
        self.tokens: set[str] = set()
        self.token_life_s = 3600.0
        self.api_key: str | None = None

    def register(self, body: dict[str, Any], headers: dict[str, str]) -> tuple[int, Any]:
        cp_id = body["cp_id"]
        by_key = self.api_key is not None and headers.get("x-registry-api-key") == self.api_key
        owns = headers.get("x-existing-credentials") == self.credentials.get(cp_id, "")
        if (cp_id in self.credentials and not (owns or by_key)) or (self.api_key and not by_key):
            return 401, {"error": "unauthorized", "detail": "no right"}
        self.credentials[cp_id] = secrets.token_hex(32)
        return 200, {"credentials": self.credentials[cp_id], **self._token(cp_id)}

    def authenticate(self, body: dict[str, Any], headers: dict[str, str]) -> tuple[int, Any]:
        cp_id = body["cp_id"]
        if self.credentials.get(cp_id) != body["credentials"]:
            return 401, {"error": "unauthorized", "detail": "wrong"}
        if cp_id in self.deregistered:
            return 403, {"error": "deregistered", "detail": "deregistered"}
        return 200, self._token(cp_id)

    def _token(self, cp_id: str) -> dict[str, Any]:
        now = time.time()
        claims = {"sub": cp_id, "iat": now, "exp": now + self.token_life_s, "jti": len(self.tokens)}
        token = jwt.encode(claims, "x" * 32)
        self.tokens.add(token)
        expires = datetime.now(timezone.utc) + timedelta(seconds=self.token_life_s)
        return {"token": token, "token_expires_at": expires.isoformat()}


class FakeCentral(FakeServer):
    """EV_Central as the wire contract has it: takes each seq of a boot once."""

    routes: ClassVar[dict[str, str]] = {
        "/cp/register": "register",
        "/cp/heartbeat": "heartbeat",
        "/cp/telemetry": "telemetry",
        "/cp/authorize": "authorize",
    }

    def __init__(self, registry: FakeRegistry | None = None) -> None:
        super().__init__()
        self._registry = registry
        self.known: set[str] = set()
        self.command_key = secrets.token_hex(32)
        self.messages: list[dict[str, Any]] = []
        self.heartbeats: list[dict[str, Any]] = []
        self.card_answer: dict[str, Any] = {"allowed": "BLOCKED", "action": "none"}
        self._seen: dict[str, int] = {}

    def of_kind(self, kind: str) -> list[dict[str, Any]]:
        return [message for message in self.messages if message["kind"] == kind]

    def _refusal(self, headers: dict[str, str]) -> tuple[int, Any] | None:
        if self._registry is None:
            return None
        token = headers.get("authorization", "").removeprefix("Bearer ")
        return None if token in self._registry.tokens else (401, {"detail": "token invalid"})

    def register(self, body: dict[str, Any], headers: dict[str, str]) -> tuple[int, Any]:
        if refusal := self._refusal(headers):
            return refusal
        self.known.add(body["cp_id"])
        answer = {"status": "ok", "message": "", "heartbeat_interval_s": 0.05}
        return 200, {**answer, "command_key": self.command_key}

    def heartbeat(self, body: dict[str, Any], headers: dict[str, str]) -> tuple[int, Any]:
        if refusal := self._refusal(headers):
            return refusal
        if body["cp_id"] not in self.known:
            return 404, {"detail": "unknown"}
        self.heartbeats.append(body)
        return 200, {"status": "ok"}

    def telemetry(self, body: dict[str, Any], headers: dict[str, str]) -> tuple[int, Any]:
        if refusal := self._refusal(headers):
            return refusal
        for message in body["messages"]:
            if message["seq"] > self._seen.get(body["boot_id"], 0):
                self._seen[body["boot_id"]] = message["seq"]
                self.messages.append({**message, "boot_id": body["boot_id"]})
        return 200, {"status": "ok", "acked": self._seen[body["boot_id"]]}

    def authorize(self, body: dict[str, Any], headers: dict[str, str]) -> tuple[int, Any]:
        return self._refusal(headers) or (200, self.card_answer)


def engine_settings(state_dir: Path, **changes: Any) -> EngineSettings:
    fields: dict[str, Any] = {
        "cp_id": "CP-001",
        "host": "127.0.0.1",
        "health_port": 0,
        "telemetry_interval": 0.02,
        "auto_unplug_after": 0.05,
        "state_dir": state_dir,
    }
    return EngineSettings(**{**fields, **changes})


def new_engine(state_dir: Path, **changes: Any) -> Engine:
    return Engine(engine_settings(state_dir, **changes), backoff=QUICK)


def new_monitor(
    state_dir: Path, central: FakeCentral, registry: FakeRegistry | None, port: int, **changes: Any
) -> Monitor:
    fields: dict[str, Any] = {
        "cp_id": "CP-001",
        "location": "Berlin",
        "cp_e_host": "127.0.0.1",
        "cp_e_port": port,
        "central_host": "127.0.0.1",
        "central_port": central.port,
        "registry_enabled": registry is not None,
        "registry_url": registry.url if registry else "http://127.0.0.1:9",
        "keyring": False,
        "state_dir": state_dir,
    }
    return Monitor(MonitorSettings(**{**fields, **changes}), backoff=QUICK)
