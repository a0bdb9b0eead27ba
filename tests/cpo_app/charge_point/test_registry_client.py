"""RegistryClient against the real EV_Registry: register, authenticate, get_token."""

from __future__ import annotations

import httpx
import pytest

from cpo_app.charge_point.registry_client import (
    RENEW_AT,
    RegistryClient,
    RegistryRefusal,
    RegistryUnavailable,
)
from cpo_app.registry.app import build_registry
from db_interface.database import Database
from db_interface.interface import DbInterface
from tests.conftest import Loop
from tests.cpo_app.registry.serving import settings_with


class Hand:
    """A monotonic clock that the test turns."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_charge_point_registers_and_lives_on_its_token(loop: Loop, db: Database) -> None:
    app = build_registry(settings_with(), DbInterface(db))
    hand = Hand()
    asked: list[str] = []

    async def note(request: httpx.Request) -> None:
        asked.append(request.url.path)

    async def story() -> None:
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app=app),  # type: ignore[arg-type]
            event_hooks={"request": [note]},
        ) as http:
            registry = RegistryClient("http://registry/", http, hand)
            first = await registry.register("CP-001", "Berlin", {"site_id": "HUB"})
            again = await registry.register("CP-001", "Berlin", existing=first.credentials)
            for old in ("", first.credentials):
                with pytest.raises(RegistryRefusal) as refused:
                    await registry.authenticate("CP-001", old or "0" * 64)
                assert (refused.value.status, refused.value.word) == (401, "unauthorized")

            asked.clear()
            token = await registry.get_token("CP-001", again.credentials)
            hand.now += RENEW_AT * 24 * 3600 - 1
            assert await registry.get_token("CP-001", again.credentials) == token
            assert asked == ["/cp/authenticate"]
            hand.now += 2
            await registry.get_token("CP-001", again.credentials)
            assert asked == ["/cp/authenticate"] * 2
            for secret in (first.credentials, token):
                assert secret not in repr(first) + repr(first.token)

    loop.run(story())


def test_a_registry_that_gives_no_usable_answer_is_said_so(loop: Loop) -> None:
    answers = [httpx.Response(503, json={"detail": "starting"}), httpx.Response(200, text="hello")]
    transport = httpx.MockTransport(lambda _request: answers.pop(0))

    async def story() -> None:
        async with httpx.AsyncClient(transport=transport) as http:
            registry = RegistryClient("http://registry", http)
            with pytest.raises(RegistryUnavailable, match="HTTP 503: starting"):
                await registry.authenticate("CP-001", "x")
            with pytest.raises(RegistryUnavailable, match="lacks token"):
                await registry.authenticate("CP-001", "x")

    loop.run(story())
