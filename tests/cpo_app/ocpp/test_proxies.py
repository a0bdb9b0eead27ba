"""Stations behind a proxy that ends TLS: seen as they are, by proxies that are trusted alone."""

from __future__ import annotations

import base64

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Subprotocol

from domain.ocpp.connections import CONNECTIONS
from tests.cpo_app.ocpp.conftest import PASSWORD, World

STATION, OTHER = "203.0.113.7", "203.0.113.8"
TRUSTED = "127.0.0.1"


async def through(
    world: World, forwarded: str | None, proto: str = "https", *, password: str = PASSWORD
) -> ClientConnection:
    """As a proxy on this host would connect."""
    basic = base64.b64encode(f"CP-007:{password}".encode()).decode()
    headers = {"Authorization": f"Basic {basic}", "X-Forwarded-Proto": proto}
    if forwarded is not None:
        headers["X-Forwarded-For"] = forwarded
    return await connect(
        f"{world.url()}/ocpp/CP-007",
        subprotocols=[Subprotocol("ocpp1.6")],
        additional_headers=headers,
        compression=None,
        proxy=None,
    )


async def refused(world: World, forwarded: str | None, proto: str = "https", **given: str) -> int:
    try:
        await (await through(world, forwarded, proto, **given)).close()
    except InvalidStatus as status:
        return int(status.response.status_code)
    return 101


async def came_from(world: World) -> tuple[str, int]:
    """(address, security profile) of the station, as it is kept."""

    async def there() -> str | None:
        found = await CONNECTIONS.of(world.db).find_one({"_id": "CP-007"})
        return None if found is None else found["address"]

    address = await world.until(there)
    return address, (await world.station("CP-007"))["security_profile"]


def test_a_station_behind_a_trusted_proxy_comes_by_tls_from_its_own_address(world: World) -> None:
    async def story() -> None:
        await world.gateway(CPO_TRUSTED_PROXIES=TRUSTED)
        await world.add("CP-007")
        socket = await through(world, STATION)
        assert await came_from(world) == (STATION, 2)
        await socket.close()
        # Its profile does not fall: neither past the proxy, nor without TLS in front of it.
        assert await refused(world, STATION, "http") == 403

    world.run(story())


def test_nobody_is_believed_who_is_no_trusted_proxy(world: World) -> None:
    async def story() -> None:
        await world.gateway()
        await world.add("CP-007")
        socket = await through(world, STATION)
        assert await came_from(world) == ("127.0.0.1", 1)
        await socket.close()

    world.run(story())


def test_what_comes_without_tls_through_a_proxy_is_not_of_this_host(world: World) -> None:
    async def story() -> None:
        await world.gateway(CPO_TRUSTED_PROXIES=TRUSTED)
        await world.add("CP-007")
        for forwarded in (STATION, f"127.0.0.1, {STATION}", "127.0.0.1", "::1", None):
            assert await refused(world, forwarded, "http") == 403, forwarded

    world.run(story())


def test_a_network_that_may_be_plain_may_behind_a_proxy(world: World) -> None:
    async def story() -> None:
        await world.gateway(CPO_OCPP_PLAIN_NETWORKS="203.0.113.0/24", CPO_TRUSTED_PROXIES=TRUSTED)
        await world.add("CP-007")
        socket = await through(world, STATION, "http")
        assert await came_from(world) == (STATION, 1)
        await socket.close()

    world.run(story())


def test_who_guesses_is_slowed_down_and_its_neighbours_are_not(world: World) -> None:
    async def story() -> None:
        await world.gateway(CPO_MAX_FAILURES_PER_MINUTE=2, CPO_TRUSTED_PROXIES=TRUSTED)
        await world.add("CP-007")
        guessed = [await refused(world, STATION, password=f"wrong-{n}") for n in range(3)]
        assert guessed == [401, 401, 429]
        # What stands before the proxy's own word is the guesser's, and does not help.
        assert await refused(world, f"{OTHER}, {STATION}", password="wrong") == 429
        assert await refused(world, OTHER) == 101

    world.run(story())


def test_an_address_behind_a_proxy_has_its_share_and_no_more(world: World) -> None:
    async def story() -> None:
        process = await world.gateway(
            CPO_MAX_CONNECTIONS_PER_ADDRESS=8, CPO_TRUSTED_PROXIES=TRUSTED
        )
        door = process.gateway._door
        for _ in range(8):
            assert door.let_in(_Judged(STATION))
        await world.add("CP-007")
        assert await refused(world, STATION) == 429
        assert await refused(world, OTHER) == 101
        assert len(door) == 8

    world.run(story())


class _Judged:
    """A connection that is owed an answer: nobody is let in for it."""

    def __init__(self, address: str) -> None:
        self.address = address

    def is_owed_an_answer(self) -> bool:
        return True

    def look_at_the_clock(self, now: float) -> None: ...

    def give_way(self) -> None:
        raise AssertionError("it is owed an answer")
