"""Faults that the hub commits, at a rate or exactly when told: what a CPO must live with.

429 and 500 happen before the request is dealt with; slow and half-json after it, so that the hub
has taken what its answer does not confirm.
"""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from starlette.responses import PlainTextResponse, Response

KINDS = ("429", "500", "slow", "half-json")
SLOW_S = 15.0


@dataclass
class Faults:
    """`rates`: how often each kind happens, 0 to 1. `coming`: what befalls the next requests,
    before any rate; None is a request without a fault."""

    rates: dict[str, float] = field(default_factory=dict)
    coming: deque[str | None] = field(default_factory=deque)
    slow_s: float = SLOW_S
    dice: random.Random = field(default_factory=random.Random)
    committed: list[str] = field(default_factory=list)

    def set(self, text: str) -> None:
        """ "500=0.3": from now on; "500=0" ends it. Raises ValueError."""
        kind, _, rate = text.partition("=")
        if kind not in KINDS:
            raise ValueError(f"{kind} is no fault; there are: {', '.join(KINDS)}")
        try:
            value = float(rate or "1")
        except ValueError as error:
            raise ValueError(f"{text}: the rate is a number from 0 to 1") from error
        if not 0 <= value <= 1:
            raise ValueError(f"{text}: the rate is a number from 0 to 1")
        self.rates[kind] = value

    async def around(self, answer: Callable[[], Awaitable[Response]]) -> Response:
        """The answer, or what a fault makes of it."""
        kind = self._next()
        if kind is None:
            return await answer()
        self.committed.append(kind)
        if kind == "429":
            return PlainTextResponse("too many requests", 429, {"Retry-After": "1"})
        if kind == "500":
            return PlainTextResponse("the hub stumbled", 500)
        response = await answer()
        if kind == "slow":
            await asyncio.sleep(self.slow_s)
            return response
        half = response.body[: len(response.body) // 2]
        return Response(half, response.status_code, media_type="application/json")

    def _next(self) -> str | None:
        if self.coming:
            return self.coming.popleft()
        for kind, rate in self.rates.items():
            if self.dice.random() < rate:
                return kind
        return None
