"""The engine's own certificate: made once, kept to itself, known to its monitor."""

from __future__ import annotations

import asyncio
import stat
from pathlib import Path
from typing import Any

import httpx
import pytest

from cpo_app.charge_point.engine import EngineError
from cpo_app.charge_point.engine_door import EngineDoor
from cpo_app.charge_point.settings import EngineSettings, MonitorSettings
from tests.cpo_app.charge_point.worlds import FakeCentral, new_engine, new_monitor, running, until
from tests.cpo_app.registry.pki import self_signed


def door_to(port: int, state_dir: Path, **more: Any) -> EngineDoor:
    settings = MonitorSettings(
        cp_id="CP-001",
        location="Berlin",
        cp_e_host="127.0.0.1",
        cp_e_port=port,
        state_dir=state_dir,
        **more,
    )
    return EngineDoor(settings)


def test_it_is_kept_over_a_restart_and_its_key_is_nobody_elses(tmp_path: Path) -> None:
    async def story() -> None:
        seen = []
        for _ in range(2):
            engine = new_engine(tmp_path, tls=True)
            door = door_to(engine.port, tmp_path)
            async with running(engine.run()):
                seen.append(
                    (door.fingerprint(), (await door.request("GET", "/health")).status_code)
                )
                async with httpx.AsyncClient() as stranger:
                    with pytest.raises(httpx.TransportError):
                        await stranger.get(f"http://127.0.0.1:{engine.port}/health")
            await door.close()
        assert seen[0] == seen[1]
        assert seen[0][1] == 200

    asyncio.run(story())
    assert stat.S_IMODE((tmp_path / "engine-CP-001-tls.pem").stat().st_mode) == 0o600
    assert "PRIVATE KEY" not in (tmp_path / "engine-CP-001.crt").read_text()


def test_the_monitor_gives_its_link_key_to_no_other_certificate(tmp_path: Path) -> None:
    other = tmp_path / "other.crt"
    other.write_text(self_signed("CP-001").certificate_pem)

    async def story() -> None:
        engine = new_engine(tmp_path, tls=True)
        door = door_to(engine.port, tmp_path, engine_cert_file=other)
        async with running(engine.run()):
            with pytest.raises(OSError, match="another certificate"):
                await door.request("GET", "/health")
        await door.close()

    asyncio.run(story())


def test_a_named_certificate_that_is_missing_is_no_reason_for_plain_http(tmp_path: Path) -> None:
    async def story() -> None:
        engine = new_engine(tmp_path)
        door = door_to(engine.port, tmp_path, engine_cert_file=tmp_path / "nowhere.crt")
        async with running(engine.run()):
            with pytest.raises(FileNotFoundError):
                await door.request("GET", "/health")
        await door.close()

    asyncio.run(story())


def test_central_is_told_when_the_engine_gets_a_certificate(tmp_path: Path) -> None:
    async def story() -> None:
        central = FakeCentral()
        await central.up()
        engine = new_engine(tmp_path)
        port = engine.port
        monitor = new_monitor(tmp_path, central, None, port)

        def told() -> list[str | None]:
            calls = [body for path, body, _ in central.calls if path == "/cp/register"]
            return [body.get("cp_e_fingerprint") for body in calls]

        async with running(monitor.run()):
            async with running(engine.run()):
                await until(lambda: central.heartbeats)
            engine = new_engine(tmp_path, tls=True, health_port=port)
            async with running(engine.run()):
                await until(lambda: told()[-1] is not None)
                await until(lambda: engine.link.linked)
        await central.down()
        assert told()[0] is None
        assert told()[-1] == door_to(port, tmp_path).fingerprint()

    asyncio.run(story())


def test_a_certificate_that_cannot_be_used_is_said_at_the_start(tmp_path: Path) -> None:
    rubbish = tmp_path / "rubbish.pem"
    rubbish.write_text("rubbish")

    async def story() -> None:
        with pytest.raises(EngineError, match="cannot start"):
            new_engine(tmp_path, tls=True, tls_cert_file=rubbish, tls_key_file=rubbish)

    asyncio.run(story())


@pytest.mark.parametrize(
    ("host", "tls", "expected"),
    [
        ("0.0.0.0", None, True),
        ("127.0.0.1", None, False),
        ("127.0.0.1", True, True),
        ("::", False, False),
    ],
)
def test_tls_is_off_only_on_this_host_or_by_setting(
    host: str, tls: bool | None, expected: bool
) -> None:
    assert EngineSettings(host=host, tls=tls).serves_tls is expected
