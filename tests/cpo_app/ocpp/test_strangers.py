"""Strangers at the gateway: bounded, and no line in the log; stations are not cut for them."""

from __future__ import annotations

import asyncio
import logging

import pytest

from cpo_app.ocpp import metrics
from tests.cpo_app.ocpp.conftest import World

Stranger = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def _stranger(world: World) -> Stranger:
    return await asyncio.open_connection("127.0.0.1", world.gateways[0].gateway.ports[0])


def test_strangers_make_room_for_each_other_and_stations_stay(world: World) -> None:
    async def story() -> None:
        await world.gateway(CPO_MAX_CONNECTIONS=16)
        await world.add("CP-007")
        await world.add("CP-008")
        async with world.box16("CP-007") as box:
            strangers = [await _stranger(world) for _ in range(16)]
            first, _ = strangers[0]
            strangers.append(await _stranger(world))
            assert await first.read() == b""  # the oldest made room
            async with world.box16("CP-008") as other:  # so does the next for a station
                assert (await other.boot())["status"] == "Accepted"
                assert await strangers[1][0].read() == b""
            assert (await box.heartbeat())["currentTime"]
            for _, writer in strangers:
                writer.close()

    world.run(story())


def test_what_is_no_handshake_is_counted_and_not_told(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    async def story() -> None:
        await world.gateway()
        for sent in (b"", b"\x16\x03\x01\x02\x00\x01\x00", b"HELO me\r\n\r\n"):
            reader, writer = await _stranger(world)
            writer.write(sent)
            writer.write_eof()
            await reader.read()
            writer.close()

        async def counted() -> bool:
            return _no_handshakes() >= before + 3

        await world.until(counted)

    before = _no_handshakes()
    with caplog.at_level(logging.WARNING):
        world.run(story())
    assert [one.getMessage() for one in caplog.records if one.levelno > logging.INFO] == []


def _no_handshakes() -> float:
    return sum(
        sample.value
        for metric in metrics.REFUSED.collect()
        for sample in metric.samples
        if sample.labels.get("why") == "no handshake" and sample.name.endswith("_total")
    )
