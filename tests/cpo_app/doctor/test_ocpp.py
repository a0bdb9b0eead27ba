"""What the doctor finds of the gateway and its stations."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from auth.station_authority import new_authority
from cpo_app.doctor.findings import Finding
from cpo_app.doctor.ocpp import check_gateway, check_reachable, check_stations
from domain.notices import certificates
from domain.ocpp import stations
from tests.cpo_app.ocpp.conftest import World, world
from tests.cpo_app.registry.pki import self_signed
from tests.serving import free_port
from tests.settings_of import settings_of

__all__ = ["world"]

NOW = datetime.now(timezone.utc)


def said(finding: Finding) -> tuple[str, str]:
    return finding.check, finding.level.value


def configured(**given: Any) -> list[tuple[str, str]]:
    return [said(finding) for finding in check_gateway(settings_of(**given), NOW)]


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({}, []),
        ({"CPO_OCPP_HOST": "0.0.0.0"}, [("CPO_OCPP_TLS_PORT", "WARN")]),
        ({"CPO_OCPP_HOST": "0.0.0.0", "CPO_OCPP_PLAIN_NETWORKS": "10.0.0.0/8"}, []),
        ({"CPO_OCPP_PLAIN_NETWORKS": "0.0.0.0/0"}, [("CPO_OCPP_PLAIN_NETWORKS", "WARN")]),
        ({"CPO_OCPP_URL": "https://ocpp.example.com"}, [("CPO_OCPP_URL", "FAIL")]),
        ({"CPO_OCPP_TLS_PORT": 9443}, [("CPO_OCPP_TLS_CERT_FILE", "FAIL")]),
    ],
)
def test_its_settings(given: dict[str, Any], found: list[tuple[str, str]]) -> None:
    assert configured(**given) == found


@pytest.mark.parametrize(("days", "level"), [(100, "OK"), (2, "WARN"), (-1, "FAIL")])
def test_its_certificate(days: int, level: str, tmp_path: Path) -> None:
    pair = self_signed("gateway", NOW + timedelta(days=days))
    certificate, key = tmp_path / "gateway.pem", tmp_path / "gateway.key"
    certificate.write_text(pair.certificate_pem)
    key.write_text(pair.key_pem)
    given = {
        "CPO_OCPP_TLS_PORT": 9443,
        "CPO_OCPP_TLS_CERT_FILE": str(certificate),
        "CPO_OCPP_TLS_KEY_FILE": str(key),
    }
    assert configured(**given) == [("CPO_OCPP_TLS_CERT_FILE", level)]


@pytest.mark.parametrize(("days", "level"), [(400, "OK"), (100, "WARN"), (-1, "FAIL")])
def test_its_ca(days: int, level: str, tmp_path: Path) -> None:
    server = self_signed("gateway", NOW + timedelta(days=100))
    certificate, key = new_authority("Stations", NOW - timedelta(days=10), 10 + days)
    texts = {
        "gateway.pem": server.certificate_pem,
        "gateway.key": server.key_pem,
        "ca.pem": certificate,
        "ca.key": key,
    }
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    given = {
        "CPO_OCPP_TLS_PORT": 9443,
        "CPO_OCPP_TLS_CERT_FILE": str(tmp_path / "gateway.pem"),
        "CPO_OCPP_TLS_KEY_FILE": str(tmp_path / "gateway.key"),
        "CPO_OCPP_CA_CERT_FILE": str(tmp_path / "ca.pem"),
    }
    with_key = {**given, "CPO_OCPP_CA_KEY_FILE": str(tmp_path / "ca.key")}
    assert configured(**with_key)[-1] == ("CPO_OCPP_CA_CERT_FILE", level)
    assert configured(**given)[-1] == ("CPO_OCPP_CA_CERT_FILE", "FAIL")


def test_whether_stations_find_it(world: World) -> None:
    async def story() -> None:
        await world.gateway()
        there = settings_of(CPO_OCPP_URL=f"{world.url()}/ocpp")
        assert said(await check_reachable(there)) == ("OCPP gateway", "OK")
        nowhere = settings_of(CPO_OCPP_PORT=free_port())
        assert said(await check_reachable(nowhere)) == ("OCPP gateway", "WARN")

    world.run(story())


def test_which_stations_are_here(world: World) -> None:
    async def found() -> list[str]:
        return [finding.said async for finding in check_stations(world.db)]

    async def story() -> None:
        assert await found() == []
        await world.add("CP-007")
        assert await found() == ["none of 1 is connected"]
        process = await world.gateway()
        async with world.box16() as box:
            await box.boot()
            await process.gateway._renew()
            await world.store.transact(lambda tx: stations.hold(tx, "CP-NEW", None))
            assert await found() == ["1 of 1 are connected", "1 wait"]
            ends = world.db.now() + timedelta(days=3)
            await certificates.note(world.db, certificates.CHARGE_POINT, {"CP-007": ends})
            told = f"end soon or have ended: CP-007 ({ends:%Y-%m-%d})"
            assert await found() == ["1 of 1 are connected", told, "1 wait"]

    world.run(story())
