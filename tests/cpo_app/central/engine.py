"""A fake engine on loopback: remembers what it was asked, answers what it is told to."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.conftest import Loop
from tests.serving import served


class FakeEngine:
    def __init__(self) -> None:
        self.key = ""
        self.host, self.port = "127.0.0.1", 0
        self.asked: list[dict[str, Any]] = []
        self.answer: dict[str, Any] = {"result": "ACCEPTED"}
        self.instead: Response | None = None
        self.hold: Any = None
        """Awaited before an answer, where set."""

    @contextlib.contextmanager
    def running(self, loop: Loop) -> Iterator[FakeEngine]:
        routes = [
            Route("/command", self._command, methods=["POST"]),
            Route("/active_profile", self._profile, methods=["GET"]),
            Route("/elsewhere", self._command, methods=["POST", "GET"]),
        ]
        with served(Starlette(routes=routes), loop) as url:
            self.port = int(url.rsplit(":", 1)[1])
            yield self

    def kinds(self) -> list[str]:
        return [command["kind"] for command in self.asked]

    async def _command(self, request: Request) -> Response:
        if self.hold is not None:
            await self.hold.wait()
        if self.instead is not None:
            return self.instead
        if request.headers.get("authorization") != f"Bearer {self.key}":
            return JSONResponse({"error": "unauthorized"}, 401)
        body = await request.json()
        self.asked.append(body)
        return JSONResponse({"command_id": body["command_id"], **self.answer})

    async def _profile(self, request: Request) -> Response:
        if self.instead is not None:
            return self.instead
        self.asked.append(dict(request.query_params))
        return JSONResponse(
            {
                "start": "2025-05-01T12:00:00.123Z",
                "duration_s": 600,
                "charging_rate_unit": "W",
                "periods": [{"start_period": 0, "limit": 11000.0}],
            }
        )
