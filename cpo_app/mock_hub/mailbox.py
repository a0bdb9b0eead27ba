"""What reaches the hub, and for whom: addressed messages, broadcasts, and results of commands."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from cpo_app.mock_hub.clients import Party


@dataclass(frozen=True)
class Arrived:
    """One message from the CPO. `clients`: the eMSPs that the hub hands it on to."""

    module: str
    method: str
    path: str
    sender: Party | None
    to: Party | None
    """OCPI-to as it came: a client, the hub itself (broadcast), or None (open routing)."""
    clients: tuple[Party, ...]
    body: Any


@dataclass
class Mailbox:
    """`objects`: the latest state by module and path, as the receivers would hold it."""

    heard: Callable[[Arrived], None] | None = None
    arrived: list[Arrived] = field(default_factory=list)
    objects: dict[tuple[str, str], Any] = field(default_factory=dict)
    _news: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def take(self, message: Arrived) -> bool:
        """Keep a message; whether it made an object that was not there."""
        key = (message.module, message.path.lower())
        new = key not in self.objects
        if message.method == "PATCH":
            self.objects[key] = {**self.objects.get(key, {}), **message.body}
        elif message.method == "DELETE":
            self.objects.pop(key, None)
        else:
            self.objects[key] = message.body
        self.arrived.append(message)
        if self.heard is not None:
            self.heard(message)
        async with self._news:
            self._news.notify_all()
        return new

    def of(self, module: str, client: Party | None = None) -> list[Arrived]:
        """What arrived for a module (and, where named, was handed on to a client), in order."""
        return [
            message
            for message in self.arrived
            if message.module == module and (client is None or client in message.clients)
        ]

    async def until(self, condition: Callable[[], bool], timeout_s: float = 20) -> None:
        """Wait until the condition holds, looking whenever a message arrives.

        Raises TimeoutError.
        """

        async def wait() -> None:
            async with self._news:
                await self._news.wait_for(condition)

        try:
            await asyncio.wait_for(wait(), timeout_s)
        except asyncio.TimeoutError as error:
            seen = [f"{m.method} {m.module}/{m.path}" for m in self.arrived[-10:]]
            raise TimeoutError(f"nothing of that kind arrived; the last were {seen}") from error
