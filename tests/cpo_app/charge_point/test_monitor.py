"""A monitor and its engine against a registry and a Central that come and go."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from cpo_app.charge_point.commands import Command
from cpo_app.charge_point.engine import Engine
from cpo_app.charge_point.monitor import LOGIN_BACKOFF
from tests.cpo_app.charge_point.worlds import (
    FakeCentral,
    FakeRegistry,
    new_engine,
    new_monitor,
    running,
    until,
)

REGISTERED = "✓ CP CP-001 registered with EV_Registry"
CENTRAL_KNOWS = "CP CP-001 registered with Central successfully"


class House:
    """A registry and a Central, and the pairs that a test starts beside them."""

    def __init__(self, state_dir: Path) -> None:
        self.state_dir = state_dir
        self.registry = FakeRegistry()
        self.central = FakeCentral(self.registry)

    @contextlib.asynccontextmanager
    async def engine(self, **changes: Any) -> AsyncIterator[Engine]:
        engine = new_engine(self.state_dir, **changes)
        async with running(engine.run()):
            yield engine

    def monitor(self, engine: Engine | int, **changes: Any) -> Any:
        port = engine if isinstance(engine, int) else engine.port
        monitor = new_monitor(self.state_dir, self.central, self.registry, port, **changes)
        return running(monitor.run())

    def heard(self, code: str | None) -> bool:
        """The last heartbeat reported this fault (None: no fault)."""
        faults = [f["code"] for f in self.central.heartbeats[-1]["engine"]["faults"]]
        return faults == ([code] if code else [])

    def command(self, engine: Engine, **fields: Any) -> dict[str, Any]:
        return engine.desk.carry_out(Command(**fields))


def play(tmp_path: Path, story: Callable[[House], Coroutine[Any, Any, None]]) -> None:
    async def with_servers() -> None:
        house = House(tmp_path)
        await house.registry.up()
        await house.central.up()
        try:
            await asyncio.wait_for(story(house), 60)
        finally:
            await house.registry.down()
            await house.central.down()

    asyncio.run(with_servers())


def test_it_registers_links_its_engine_and_reports(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)

    async def story(house: House) -> None:
        async with house.engine() as engine, house.monitor(engine, metadata={"city": "Berlin"}):
            await until(lambda: house.central.heartbeats and engine.link.linked)
            await until(lambda: house.central.of_kind("state"))
            registered = house.registry.calls[0]
            assert registered[:2] == (
                "/cp/register",
                {
                    "cp_id": "CP-001",
                    "location": "Berlin",
                    "metadata": {
                        "city": "Berlin",
                        "cp_e_host": "127.0.0.1",
                        "cp_e_port": engine.port,
                    },
                },
            )
            _, body, headers = next(c for c in house.central.calls if c[0] == "/cp/register")
            assert body == {"cp_id": "CP-001", "cp_e_host": "127.0.0.1", "cp_e_port": engine.port}
            assert headers["authorization"].removeprefix("Bearer ") in house.registry.tokens
            beat = house.central.heartbeats[0]
            assert (beat["cp_id"], beat["interval_s"]) == ("CP-001", 0.05)
            assert (beat["engine"]["state"], beat["engine"]["faults"]) == ("AVAILABLE", [])
            assert engine.link.command_key == house.central.command_key
            secrets = {*house.registry.tokens, *house.registry.credentials.values()}
            secrets |= {house.central.command_key, engine.link_key}
            assert len(secrets) >= 4
            assert not [secret for secret in secrets if secret in caplog.text]

    play(tmp_path, story)
    lines = [record.getMessage() for record in caplog.records]
    assert lines.count(REGISTERED) == 1
    guide = ["Starting CP Monitor for CP-001", "Registering CP-001 with EV_Registry..."]
    assert [line for line in lines if line in guide] == guide
    assert lines.count(CENTRAL_KNOWS) == 1
    assert lines.index(REGISTERED) < lines.index(CENTRAL_KNOWS)


def test_after_a_restart_it_authenticates_instead_of_registering_again(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        async with house.engine() as engine:
            for _ in range(2):
                house.central.heartbeats.clear()
                async with house.monitor(engine):
                    await until(lambda: house.central.heartbeats)
            assert house.registry.count("/cp/register") == 1
            assert house.registry.count("/cp/authenticate") == 1

            # Another location is news for the registry: told with the right to tell it.
            house.central.heartbeats.clear()
            async with house.monitor(engine, location="Hamburg"):
                await until(lambda: house.central.heartbeats)
            path, body, headers = house.registry.calls[-1]
            assert (path, body["location"]) == ("/cp/register", "Hamburg")
            assert "x-existing-credentials" in headers
            kept = json.loads((tmp_path / "credentials-CP-001.json").read_text())
            assert kept["credentials"] == house.registry.credentials["CP-001"]

    play(tmp_path, story)


def test_started_before_its_servers_it_waits_and_gets_there(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await house.registry.down()
        await house.central.down()
        waits: list[float] = []

        async def sleep(seconds: float) -> None:
            waits.append(seconds)
            await asyncio.sleep(0.001)

        async with house.engine() as engine:
            monitor = new_monitor(tmp_path, house.central, house.registry, engine.port)
            monitor._backoff, monitor._sleep = LOGIN_BACKOFF, sleep
            async with running(monitor.run()):
                await until(lambda: len(waits) >= 6)
                for wait, longest in zip(waits, (2, 3, 4.5, 6.75, 10, 10), strict=False):
                    assert longest / 2 <= wait <= longest
                await house.registry.up()
                await until(lambda: house.registry.count("/cp/register"))
                await house.central.up()
                await until(lambda: house.central.heartbeats)

    play(tmp_path, story)


def test_a_fleet_switched_on_at_one_moment_does_not_beat_in_step(tmp_path: Path) -> None:
    """The first pause is a random part of the interval; each keeps its phase after that."""

    async def story(house: House) -> None:
        waits: list[float] = []

        async def sleep(seconds: float) -> None:
            waits.append(seconds)
            await asyncio.sleep(0.001)

        async with house.engine() as engine:
            for phase in (0.25, 0.75):
                waits.clear()
                monitor = new_monitor(
                    tmp_path, house.central, house.registry, engine.port, health_interval=8
                )
                monitor._phase, monitor._sleep = (lambda phase=phase: phase), sleep  # type: ignore[misc]
                async with running(monitor.run()):
                    await until(lambda: len(waits) >= 3)
                assert waits[:3] == [8 * phase, 8, 8]

    play(tmp_path, story)


def test_a_registered_charge_point_without_credentials_is_told_what_to_do(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def story(house: House) -> None:
        house.registry.credentials["CP-001"] = "ab" * 32
        async with house.engine() as engine, house.monitor(engine):
            await until(lambda: house.registry.count("/cp/register") >= 3)
            said = [r.getMessage() for r in caplog.records if r.levelno >= logging.ERROR]
            assert len(said) == 1, "once, not at every attempt"
            assert "CP_MONITOR_ENROLMENT_TOKEN" in said[0]
            assert "credentials-CP-001.json" in said[0]
            # It goes on trying: what the operator puts there is taken.
            (tmp_path / "credentials-CP-001.json").write_text("ab" * 32)
            await until(lambda: house.central.heartbeats)

    play(tmp_path, story)


def test_the_api_key_lets_it_register_again(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        house.registry.api_key = "operator-key"
        house.registry.credentials["CP-001"] = "ab" * 32
        async with house.engine() as engine, house.monitor(engine, registry_api_key="operator-key"):
            await until(lambda: house.central.heartbeats)

    play(tmp_path, story)


def test_an_enrolment_token_is_shown_once_and_never_with_credentials(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        house.registry.api_key = "enrol-" + "ab" * 32
        async with house.engine() as engine:
            async with house.monitor(engine, enrolment_token=house.registry.api_key):
                await until(lambda: house.central.heartbeats)
            house.central.heartbeats.clear()
            house.registry.api_key = None
            async with house.monitor(
                engine, enrolment_token="enrol-" + "ab" * 32, location="Hamburg"
            ):
                await until(lambda: house.central.heartbeats)
            calls = [call for call in house.registry.calls if call[0] == "/cp/register"]
            shown = [call[2].get("x-registry-api-key") for call in calls]
            assert shown == ["enrol-" + "ab" * 32, None]

    play(tmp_path, story)


def test_a_registry_that_lost_its_records_is_registered_with_again(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        async with house.engine() as engine:
            async with house.monitor(engine):
                await until(lambda: house.central.heartbeats)
            house.registry.credentials.clear()
            house.registry.tokens.clear()
            house.central.heartbeats.clear()
            async with house.monitor(engine):
                await until(lambda: house.central.heartbeats)
            assert house.registry.count("/cp/register") == 2

    play(tmp_path, story)


def test_a_deregistered_charge_point_does_not_bring_itself_back(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        async with house.engine() as engine:
            async with house.monitor(engine):
                await until(lambda: house.central.heartbeats)
            house.registry.deregistered.add("CP-001")
            async with house.monitor(engine):
                await until(lambda: house.registry.count("/cp/authenticate") >= 3)
                assert house.registry.count("/cp/register") == 1
                house.registry.deregistered.clear()
                house.central.heartbeats.clear()
                await until(lambda: house.central.heartbeats)

    play(tmp_path, story)


def test_the_token_is_renewed_before_it_ends_and_handed_to_the_engine(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        monotonic = [1000.0]
        async with house.engine() as engine:
            monitor = new_monitor(tmp_path, house.central, house.registry, engine.port)
            monitor._monotonic = monitor._login._registry._monotonic = lambda: monotonic[0]
            async with running(monitor.run()):
                await until(lambda: len(house.central.heartbeats) >= 3)
                assert len(house.registry.tokens) == 1
                monotonic[0] += 0.79 * 3600
                beats = len(house.central.heartbeats)
                await until(lambda: len(house.central.heartbeats) >= beats + 3)
                assert len(house.registry.tokens) == 1
                old = house.registry.tokens.copy()
                monotonic[0] += 0.02 * 3600
                await until(lambda: len(house.registry.tokens) == 2)
                new = house.registry.tokens - old
                await until(lambda: _used(house, "/cp/heartbeat", new))
                house.command(engine, command_id="C1", kind="start", session_id="S1")
                await until(lambda: _used(house, "/cp/telemetry", new))
                assert house.registry.count("/cp/register") == 1

    play(tmp_path, story)


def _used(house: House, path: str, tokens: set[str]) -> bool:
    """Some call to `path` carried one of the tokens."""
    return any(
        called == path and headers.get("authorization", "")[7:] in tokens
        for called, _, headers in house.central.calls
    )


def test_after_a_401_monitor_and_engine_get_a_new_token(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        async with house.engine() as engine, house.monitor(engine):
            await until(lambda: house.central.of_kind("state"))
            house.registry.tokens.clear()
            house.command(engine, command_id="C1", kind="start", session_id="S1")
            beats = len(house.central.heartbeats)
            await until(lambda: house.central.of_kind("session_started"))
            await until(lambda: len(house.central.heartbeats) > beats)
            assert house.registry.count("/cp/register") == 1

    play(tmp_path, story)


def test_a_central_that_forgot_the_charge_point_is_registered_with_again(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        async with house.engine() as engine, house.monitor(engine):
            await until(lambda: house.central.heartbeats)
            house.central.known.clear()
            house.central.command_key = "d" * 64
            await until(lambda: house.central.count("/cp/register") == 2)
            await until(lambda: engine.link.command_key == "d" * 64)

    play(tmp_path, story)


def test_an_engine_that_dies_is_reported_and_so_is_its_return(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        async with contextlib.AsyncExitStack() as stack:
            async with house.engine() as engine:
                port = engine.port
                await stack.enter_async_context(house.monitor(port))
                await until(lambda: house.central.heartbeats and engine.link.linked)
            await until(lambda: house.heard("ENGINE_UNREACHABLE"))
            assert house.central.heartbeats[-1]["engine"]["state"] == "FAULTED"
            async with house.engine(health_port=port) as engine:
                await until(lambda: house.heard(None))
                # A new engine process knows nothing of Central until it is told again.
                await until(lambda: engine.link.linked)
                engine.evse.fault("GROUND_FAILURE")
                await until(lambda: house.heard("GROUND_FAILURE"))

    play(tmp_path, story)


def test_an_engine_with_another_link_key_is_a_fault(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        async with house.engine(link_key="k" * 32) as engine, house.monitor(engine):
            await until(lambda: house.central.heartbeats and house.heard("ENGINE_LINK_REFUSED"))
            assert not engine.link.linked

    play(tmp_path, story)


def test_without_registry_there_is_no_token(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        house.central._registry = None
        async with house.engine() as engine, house.monitor(engine, registry_enabled=False):
            await until(lambda: house.central.heartbeats and house.central.of_kind("state"))
            assert house.registry.calls == []
            assert all("authorization" not in headers for _, _, headers in house.central.calls)

    play(tmp_path, story)


def test_charging_goes_on_without_central_and_everything_arrives_in_order(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        async with house.engine() as engine, house.monitor(engine):
            await until(lambda: house.central.of_kind("state"))
            house.command(engine, command_id="C1", kind="start", session_id="S1")
            await until(lambda: len(house.central.of_kind("meter")) > 3)
            await house.central.down()
            energy = engine.evse.energy_wh()
            await until(lambda: engine.evse.energy_wh() > energy)
            await until(lambda: engine.health()["waiting_messages"] > 5)
            house.command(engine, command_id="C2", kind="stop", session_id="S1")
            await house.central.up()
            await until(lambda: house.central.of_kind("session_stopped"))
            await until(lambda: engine.health()["waiting_messages"] == 0)
            seqs = [message["seq"] for message in house.central.messages]
            assert seqs == list(range(1, len(seqs) + 1))
            kinds = [m["kind"] for m in house.central.messages if m["kind"] != "state"]
            assert (kinds[0], set(kinds[1:-1]), kinds[-1]) == (
                "session_started", {"meter"}, "session_stopped",
            )  # fmt: skip
            totals = [m["energy_wh"] for m in house.central.of_kind("meter")]
            assert totals == sorted(totals)
            assert house.central.of_kind("session_stopped")[0]["energy_wh"] == totals[-1] > 0

    play(tmp_path, story)


def test_a_restarted_engine_resumes_its_session(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        async with contextlib.AsyncExitStack() as stack:
            async with house.engine() as engine:
                port = engine.port
                await stack.enter_async_context(house.monitor(port))
                await until(lambda: engine.link.linked)
                house.command(engine, command_id="C1", kind="start", session_id="S1")
                await until(lambda: len(house.central.of_kind("meter")) > 3)
            # Both what was still waiting and what comes now arrive.
            async with house.engine(health_port=port) as engine:
                boots = len({m["boot_id"] for m in house.central.of_kind("meter")})
                assert boots == 1
                await until(
                    lambda: len({m["boot_id"] for m in house.central.of_kind("meter")}) == 2
                )
                house.command(engine, command_id="C2", kind="stop", session_id="S1")
                await until(lambda: house.central.of_kind("session_stopped"))
                assert len(house.central.of_kind("session_started")) == 1
                totals = [m["energy_wh"] for m in house.central.of_kind("meter")]
                assert totals == sorted(totals)

    play(tmp_path, story)


def test_several_pairs_live_in_one_process(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        names = [f"CP-{n:03d}" for n in range(1, 5)]
        async with contextlib.AsyncExitStack() as stack:
            for name in names:
                engine = await stack.enter_async_context(house.engine(cp_id=name))
                await stack.enter_async_context(house.monitor(engine, cp_id=name))
            await until(lambda: {beat["cp_id"] for beat in house.central.heartbeats} == set(names))

    play(tmp_path, story)
